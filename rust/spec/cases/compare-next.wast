;; SPDX-License-Identifier: Apache-2.0
;; Comparisons with a constant that the compiler turns into others with the constant after it.

(module
  (func (export "gt-minus-one") (param i64) (result i32) (i64.gt_s (local.get 0) (i64.const -1)))
  (func (export "le-minus-one") (param i64) (result i32) (i64.le_s (local.get 0) (i64.const -1)))
  (func (export "gt-minus-one-32") (param i32) (result i32) (i32.gt_s (local.get 0) (i32.const -1)))
  (func (export "gt-max") (param i64) (result i32) (i64.gt_s (local.get 0) (i64.const 0x7fffffffffffffff)))
  (func (export "le-max-u") (param i32) (result i32) (i32.le_u (local.get 0) (i32.const -1)))
  (func (export "branch") (param i64) (result i32)
    (block (br_if 0 (i64.gt_s (local.get 0) (i64.const -1))) (return (i32.const 1)))
    (i32.const 2)))

(assert_return (invoke "gt-minus-one" (i64.const 0)) (i32.const 1))
(assert_return (invoke "gt-minus-one" (i64.const -1)) (i32.const 0))
(assert_return (invoke "gt-minus-one" (i64.const -2)) (i32.const 0))
(assert_return (invoke "le-minus-one" (i64.const 0)) (i32.const 0))
(assert_return (invoke "le-minus-one" (i64.const -1)) (i32.const 1))
(assert_return (invoke "gt-minus-one-32" (i32.const 0)) (i32.const 1))
(assert_return (invoke "gt-minus-one-32" (i32.const -1)) (i32.const 0))
(assert_return (invoke "gt-max" (i64.const 0x7fffffffffffffff)) (i32.const 0))
(assert_return (invoke "le-max-u" (i32.const -1)) (i32.const 1))
(assert_return (invoke "branch" (i64.const 0)) (i32.const 2))
(assert_return (invoke "branch" (i64.const -1)) (i32.const 1))
