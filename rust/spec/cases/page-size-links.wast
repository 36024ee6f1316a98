;; SPDX-License-Identifier: Apache-2.0
;; Linking memories with pages of different sizes, as custom-page-sizes has it for modules with several memories.

(module $small (memory (export "memory") 70000 (pagesize 1)))
(register "small" $small)
(module $large (memory (export "memory") 1))
(register "large" $large)

(module
  (import "small" "memory" (memory 70000 (pagesize 1)))
  (func (export "size") (result i32) (memory.size))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))
(assert_return (invoke "size") (i32.const 70000))
(assert_return (invoke "load" (i32.const 69999)) (i32.const 0))
(assert_trap (invoke "load" (i32.const 70000)) "out of bounds memory access")

(module
  (import "large" "memory" (memory 1 (pagesize 65536)))
  (func (export "size") (result i32) (memory.size)))
(assert_return (invoke "size") (i32.const 1))

(assert_unlinkable
  (module (import "small" "memory" (memory 0 (pagesize 65536))))
  "incompatible import type")
(assert_unlinkable
  (module (import "large" "memory" (memory 0 (pagesize 1))))
  "incompatible import type")
