;; SPDX-License-Identifier: Apache-2.0
;; wasi:random. Without a source of entropy these functions trap, because their types have no error.

(func $bytes (export "wasi:random/random get-random-bytes") (param $length i64) (param $out i32)
  (local $buffer i32) (local $size i32)
  (local.set $size (i32.wrap_i64 (local.get $length)))
  (call $must (i64.gt_u (local.get $length) (i64.const 0x7fffffff)))
  ;; an empty list needs no memory, and its address has to be aligned only
  (local.set $buffer (i32.const 1))
  (if (local.get $size)
    (then
      (local.set $buffer (call $allocate (i32.const 1) (local.get $size)))
      (call $must (call $random_get (local.get $buffer) (local.get $size)))))
  (i32.store (local.get $out) (local.get $buffer))
  (i32.store offset=4 (local.get $out) (local.get $size)))

(func $u64 (export "wasi:random/random get-random-u64") (result i64)
  (local $saved i64) (local $number i64) (local $errno i32)
  (local.set $saved (i64.load (i32.const 0)))
  (local.set $errno (call $random_get (i32.const 0) (i32.const 8)))
  (local.set $number (i64.load (i32.const 0)))
  (i64.store (i32.const 0) (local.get $saved))
  (call $must (local.get $errno))
  (local.get $number))

(func (export "wasi:random/insecure get-insecure-random-bytes") (param i64 i32)
  (call $bytes (local.get 0) (local.get 1)))

(func (export "wasi:random/insecure get-insecure-random-u64") (result i64) (call $u64))

;; The seed, once there is one: every call returns the same, because a component is to get it as a value later.
(global $seeded (mut i32) (i32.const 0))
(global $seed_low (mut i64) (i64.const 0))
(global $seed_high (mut i64) (i64.const 0))

;; tuple<u64, u64>
(func (export "wasi:random/insecure-seed insecure-seed") (param $out i32)
  (if (i32.eqz (global.get $seeded))
    (then
      (call $must (call $random_get (local.get $out) (i32.const 16)))
      (global.set $seed_low (i64.load (local.get $out)))
      (global.set $seed_high (i64.load offset=8 (local.get $out)))
      (global.set $seeded (i32.const 1))))
  (i64.store (local.get $out) (global.get $seed_low))
  (i64.store offset=8 (local.get $out) (global.get $seed_high)))
