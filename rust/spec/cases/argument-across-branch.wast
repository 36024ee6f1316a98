;; SPDX-License-Identifier: Apache-2.0
;; A value that is the argument of a call on one path of a branch and something else on the other.

(module
  (func $id (param i32) (result i32) (local.get 0))
  (func (export "if") (param i64 i32) (result i32)
    (i64.eqz (local.get 0))
    (local.get 1)
    (if (param i32) (result i32)
      (then (i32.add (call $id) (i32.const 10)))
      (else (i32.add (i32.const 20)))))
  (func (export "br_if") (param i64 i32) (result i32)
    (block (result i32)
      (i64.eqz (local.get 0))
      (br_if 0 (local.get 1))
      (i32.add (call $id) (i32.const 10)))))

(assert_return (invoke "if" (i64.const 0) (i32.const 1)) (i32.const 11))
(assert_return (invoke "if" (i64.const 0) (i32.const 0)) (i32.const 21))
(assert_return (invoke "if" (i64.const 5) (i32.const 1)) (i32.const 10))
(assert_return (invoke "if" (i64.const 5) (i32.const 0)) (i32.const 20))
(assert_return (invoke "br_if" (i64.const 0) (i32.const 1)) (i32.const 1))
(assert_return (invoke "br_if" (i64.const 0) (i32.const 0)) (i32.const 11))
(assert_return (invoke "br_if" (i64.const 5) (i32.const 1)) (i32.const 0))
(assert_return (invoke "br_if" (i64.const 5) (i32.const 0)) (i32.const 10))
