;; SPDX-License-Identifier: Apache-2.0
;; wasi:clocks and its pollables. See poll.wat for lists of them.
;;
;; A pollable that waits for a time has one of the 16 times below, in nanoseconds. Its handle is the number of the
;; time plus 16. The 17th at once traps.

;; One bit for each time in use.
(global $used (mut i32) (i32.const 0))

(global $time0 (mut i64) (i64.const 0))
(global $time1 (mut i64) (i64.const 0))
(global $time2 (mut i64) (i64.const 0))
(global $time3 (mut i64) (i64.const 0))
(global $time4 (mut i64) (i64.const 0))
(global $time5 (mut i64) (i64.const 0))
(global $time6 (mut i64) (i64.const 0))
(global $time7 (mut i64) (i64.const 0))
(global $time8 (mut i64) (i64.const 0))
(global $time9 (mut i64) (i64.const 0))
(global $time10 (mut i64) (i64.const 0))
(global $time11 (mut i64) (i64.const 0))
(global $time12 (mut i64) (i64.const 0))
(global $time13 (mut i64) (i64.const 0))
(global $time14 (mut i64) (i64.const 0))
(global $time15 (mut i64) (i64.const 0))

;; Returns a time.
(func $time (param $number i32) (result i64)
  block $15 block $14 block $13 block $12 block $11 block $10 block $9 block $8
  block $7 block $6 block $5 block $4 block $3 block $2 block $1 block $0
  local.get $number
  br_table $0 $1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11 $12 $13 $14 $15
  end global.get $time0 return
  end global.get $time1 return
  end global.get $time2 return
  end global.get $time3 return
  end global.get $time4 return
  end global.get $time5 return
  end global.get $time6 return
  end global.get $time7 return
  end global.get $time8 return
  end global.get $time9 return
  end global.get $time10 return
  end global.get $time11 return
  end global.get $time12 return
  end global.get $time13 return
  end global.get $time14 return
  end global.get $time15)

;; Changes a time.
(func $set_time (param $number i32) (param $when i64)
  block $15 block $14 block $13 block $12 block $11 block $10 block $9 block $8
  block $7 block $6 block $5 block $4 block $3 block $2 block $1 block $0
  local.get $number
  br_table $0 $1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11 $12 $13 $14 $15
  end local.get $when global.set $time0 return
  end local.get $when global.set $time1 return
  end local.get $when global.set $time2 return
  end local.get $when global.set $time3 return
  end local.get $when global.set $time4 return
  end local.get $when global.set $time5 return
  end local.get $when global.set $time6 return
  end local.get $when global.set $time7 return
  end local.get $when global.set $time8 return
  end local.get $when global.set $time9 return
  end local.get $when global.set $time10 return
  end local.get $when global.set $time11 return
  end local.get $when global.set $time12 return
  end local.get $when global.set $time13 return
  end local.get $when global.set $time14 return
  end local.get $when global.set $time15)

(func $now (export "wasi:clocks/monotonic-clock now") (result i64)
  (i64.mul (call $timer.uptime_us) (i64.const 1000)))

(func (export "wasi:clocks/monotonic-clock resolution") (result i64) (i64.const 1000))

(func $subscribe_instant (export "wasi:clocks/monotonic-clock subscribe-instant") (param $when i64) (result i32)
  (local $number i32)
  (local.set $number (i32.ctz (i32.xor (global.get $used) (i32.const -1))))
  (call $must (i32.ge_u (local.get $number) (i32.const 16)))
  (global.set $used (i32.or (global.get $used) (i32.shl (i32.const 1) (local.get $number))))
  (call $set_time (local.get $number) (local.get $when))
  (i32.add (local.get $number) (i32.const 16)))

(func (export "wasi:clocks/monotonic-clock subscribe-duration") (param $duration i64) (result i32)
  (local $now i64) (local $when i64)
  (local.set $now (call $now))
  (local.set $when (i64.add (local.get $now) (local.get $duration)))
  (if (i64.lt_u (local.get $when) (local.get $now)) (then (local.set $when (i64.const -1))))
  (call $subscribe_instant (local.get $when)))

(func (export "wasi:io/poll [resource-drop]pollable") (param $pollable i32)
  (if (call $has_time (local.get $pollable))
    (then
      (global.set $used
        (i32.and (global.get $used)
          (i32.xor (i32.shl (i32.const 1) (i32.sub (local.get $pollable) (i32.const 16))) (i32.const -1)))))))

;; Returns 1 for a pollable that waits for a time.
(func $has_time (param $pollable i32) (result i32)
  (i32.lt_u (i32.sub (local.get $pollable) (i32.const 16)) (i32.const 16)))

;; Returns the time of a pollable, and 0 for one that is always ready.
(func $due (param $pollable i32) (result i64)
  (if (call $has_time (local.get $pollable))
    (then (return (call $time (i32.sub (local.get $pollable) (i32.const 16))))))
  (i64.const 0))

;; Sleeps until a time. The clock counts microseconds, so the remainder counts as a whole one.
(func $sleep_until (param $when i64)
  (local $now i64)
  (loop $early
    (local.set $now (call $now))
    (if (i64.gt_u (local.get $when) (local.get $now))
      (then
        (drop (call $timer.sleep_us
          (i64.add (i64.div_u (i64.sub (i64.sub (local.get $when) (local.get $now)) (i64.const 1)) (i64.const 1000))
            (i64.const 1))))
        (br $early)))))

(func (export "wasi:io/poll [method]pollable.block") (param $pollable i32)
  (call $sleep_until (call $due (local.get $pollable))))

;; datetime: seconds and nanoseconds. It is 1970 on a board without a wall clock.
(func (export "wasi:clocks/wall-clock now") (param $out i32)
  (if (call $clock_time_get (i32.const 0) (i64.const 0) (local.get $out))
    (then (i64.store (local.get $out) (i64.const 0))))
  (call $datetime (local.get $out)))

(func (export "wasi:clocks/wall-clock resolution") (param $out i32)
  (if (call $clock_res_get (i32.const 0) (local.get $out))
    (then (i64.store (local.get $out) (i64.const 1000000000))))
  (call $datetime (local.get $out)))

;; Replaces nanoseconds by a datetime.
(func $datetime (param $out i32)
  (local $time i64)
  (local.set $time (i64.load (local.get $out)))
  (i64.store (local.get $out) (i64.div_u (local.get $time) (i64.const 1000000000)))
  (i64.store32 offset=8 (local.get $out) (i64.rem_u (local.get $time) (i64.const 1000000000))))
