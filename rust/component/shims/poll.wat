;; SPDX-License-Identifier: Apache-2.0
;; The pollables of wasi:io/poll. The build script assembles this file twice: as it is, for the clock's pollables, and
;; again with `{pins}` and `{wait}` replaced, for components that also have pollables of pins. See pins.wat.

(func (export "wasi:io/poll [method]pollable.ready{with}") (param $pollable i32) (result i32)
  (i64.le_u (call $due{pins} (local.get $pollable)) (call $now)))

;; Returns the time at which the first of the pollables in a list is due.
(func $first{pins} (param $from i32) (param $count i32) (result i64)
  (local $due i64) (local $first i64)
  (local.set $first (i64.const -1))
  (loop $next
    (local.set $due (call $due{pins} (i32.load (local.get $from))))
    (if (i64.lt_u (local.get $due) (local.get $first)) (then (local.set $first (local.get $due))))
    (local.set $from (i32.add (local.get $from) (i32.const 4)))
    (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
  (local.get $first))

;; Returns the number of pollables in a list that are due at a time, and writes their indices to `$to`.
(func $ready{pins} (param $from i32) (param $count i32) (param $now i64) (param $to i32) (result i32)
  (local $index i32) (local $found i32)
  (loop $next
    (if (i64.le_u
        (call $due{pins} (i32.load (i32.add (local.get $from) (i32.shl (local.get $index) (i32.const 2)))))
        (local.get $now))
      (then
        (i32.store (i32.add (local.get $to) (i32.shl (local.get $found) (i32.const 2))) (local.get $index))
        (local.set $found (i32.add (local.get $found) (i32.const 1)))))
    (local.set $index (i32.add (local.get $index) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $index) (local.get $count))))
  (local.get $found))

;; list<u32>. An empty list of pollables traps, as the interface says. The list has room for all of them at first, because
;; a pin may change between two looks at it.
(func (export "wasi:io/poll poll{with}") (param $from i32) (param $count i32) (param $out i32)
  (local $list i32) (local $found i32)
  (call $must (i32.eqz (local.get $count)))
  (call ${wait} (call $first{pins} (local.get $from) (local.get $count)))
  (local.set $list (call $allocate (i32.const 4) (i32.shl (local.get $count) (i32.const 2))))
  (loop $again
    (local.set $found (call $ready{pins} (local.get $from) (local.get $count) (call $now) (local.get $list)))
    (if (i32.eqz (local.get $found))
      (then
        (call ${wait} (call $first{pins} (local.get $from) (local.get $count)))
        (br $again))))
  (if (i32.lt_u (local.get $found) (local.get $count))
    (then
      (local.set $list
        (call $checked
          (call $realloc (local.get $list) (i32.shl (local.get $count) (i32.const 2)) (i32.const 4)
            (i32.shl (local.get $found) (i32.const 2)))
          (i32.const 4) (i32.shl (local.get $found) (i32.const 2))))))
  (i32.store (local.get $out) (local.get $list))
  (i32.store offset=4 (local.get $out) (local.get $found)))
