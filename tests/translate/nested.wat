;; SPDX-License-Identifier: Apache-2.0
;; Calls of the guest by host functions that it calls: traps in them, the limit of calls and the native stack. Functions
;; that may call $many have no code, because its results make their frames too large.
(module
  (type $many (func (result
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (import "guest" "inner" (func $again (param i32) (result i32)))
  (import "guest" "large" (func $large_again (param i32) (result i32)))
  (memory (export "memory") 1)

  (func $many (type $many) (unreachable))
  (func $divide (param i32) (result i32) (i32.div_u (i32.const 100) (local.get 0)))
  ;; have no code; call $inner through the host. The export comes first, before code has run.
  (func $large (export "large") (param $n i32) (result i32)
    (block $few
      (br_if $few (i32.lt_u (i32.and (local.get $n) (i32.const 255)) (i32.const 256)))
      (call $many)
      (unreachable))
    (i32.add (call $largest (local.get $n)) (i32.const 1)))
  (func $largest (param $n i32) (result i32)
    (block $few
      (br_if $few (i32.lt_u (i32.and (local.get $n) (i32.const 255)) (i32.const 256)))
      (call $many)
      (unreachable))
    (i32.add (call $again (local.get $n)) (i32.const 1)))
  ;; calls itself as often as the lowest two bits say, and divides by the bits above them
  (func $inner (export "inner") (param $n i32) (result i32)
    (if (result i32) (i32.and (local.get $n) (i32.const 3))
      (then (i32.add (i32.const 1) (call $inner (i32.sub (local.get $n) (i32.const 1)))))
      (else (call $divide (i32.and (i32.shr_u (local.get $n) (i32.const 2)) (i32.const 7))))))
  ;; has no code; calls $large through the host
  (func $larger (param $n i32) (result i32)
    (block $few
      (br_if $few (i32.lt_u (i32.and (local.get $n) (i32.const 255)) (i32.const 256)))
      (call $many)
      (unreachable))
    (i32.add (call $large_again (local.get $n)) (i32.const 1)))
  ;; nearly as many calls as the limit allows
  (func $down (param $depth i32) (param $n i32) (result i32)
    (if (result i32) (local.get $depth)
      (then (i32.add (i32.const 1) (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $n))))
      (else (call $larger (local.get $n)))))

  (func (export "value") (result i32) (call $again (i32.const 23)))
  (func (export "trap") (result i32) (i32.add (call $again (i32.const 0)) (i32.const 1)))
  (func (export "trap_deep") (result i32) (i32.add (call $again (i32.const 3)) (i32.const 1)))
  (func (export "down") (result i32) (i32.add (call $down (i32.const 7) (i32.const 23)) (i32.const 1)))
  (func (export "trap_down") (result i32) (i32.add (call $down (i32.const 7) (i32.const 2)) (i32.const 1)))
)
