;; SPDX-License-Identifier: Apache-2.0
;; wasi:clocks and the pollables of wasi:io/poll.
;;
;; A pollable that waits for a time is a record of 16 bytes: the time in nanoseconds, and the next free record.
;; The address of the record is the handle. A dropped record is used again.

;; The first free record, or 0.
(global $free (mut i32) (i32.const 0))

(func $now (export "wasi:clocks/monotonic-clock now") (result i64)
  (i64.mul (call $uptime_us) (i64.const 1000)))

(func (export "wasi:clocks/monotonic-clock resolution") (result i64) (i64.const 1000))

(func $subscribe_instant (export "wasi:clocks/monotonic-clock subscribe-instant") (param $when i64) (result i32)
  (local $record i32)
  (local.set $record (global.get $free))
  (if (local.get $record)
    (then (global.set $free (i32.load offset=8 (local.get $record))))
    (else (local.set $record (call $allocate (i32.const 8) (i32.const 16)))))
  (i64.store (local.get $record) (local.get $when))
  (local.get $record))

(func (export "wasi:clocks/monotonic-clock subscribe-duration") (param $duration i64) (result i32)
  (local $now i64) (local $when i64)
  (local.set $now (call $now))
  (local.set $when (i64.add (local.get $now) (local.get $duration)))
  (if (i64.lt_u (local.get $when) (local.get $now)) (then (local.set $when (i64.const -1))))
  (call $subscribe_instant (local.get $when)))

(func (export "wasi:io/poll [resource-drop]pollable") (param $pollable i32)
  (if (i32.ge_u (local.get $pollable) (i32.const 16))
    (then
      (i32.store offset=8 (local.get $pollable) (global.get $free))
      (global.set $free (local.get $pollable)))))

;; Returns the time of a pollable; 0 for one that is always ready.
(func $due (param $pollable i32) (result i64)
  (if (i32.lt_u (local.get $pollable) (i32.const 16)) (then (return (i64.const 0))))
  (i64.load (local.get $pollable)))

(func (export "wasi:io/poll [method]pollable.ready") (param $pollable i32) (result i32)
  (i64.le_u (call $due (local.get $pollable)) (call $now)))

;; Sleeps until a time. The clock counts microseconds, so the remainder counts as a whole one.
(func $sleep_until (param $when i64)
  (local $now i64)
  (loop $early
    (local.set $now (call $now))
    (if (i64.gt_u (local.get $when) (local.get $now))
      (then
        (drop (call $sleep_us
          (i64.add (i64.div_u (i64.sub (i64.sub (local.get $when) (local.get $now)) (i64.const 1)) (i64.const 1000))
            (i64.const 1))))
        (br $early)))))

(func (export "wasi:io/poll [method]pollable.block") (param $pollable i32)
  (call $sleep_until (call $due (local.get $pollable))))

;; Writes the indices of the ready pollables to the list, and returns their number. With none it sleeps until the
;; first is due and returns 0.
(func $ready (param $from i32) (param $count i32) (param $to i32) (result i32)
  (local $index i32) (local $found i32) (local $now i64) (local $due i64) (local $first i64)
  (local.set $first (i64.const -1))
  (local.set $now (call $now))
  (loop $next
    (local.set $due (call $due (i32.load (i32.add (local.get $from) (i32.shl (local.get $index) (i32.const 2))))))
    (if (i64.le_u (local.get $due) (local.get $now))
      (then
        (i32.store (i32.add (local.get $to) (i32.shl (local.get $found) (i32.const 2))) (local.get $index))
        (local.set $found (i32.add (local.get $found) (i32.const 1))))
      (else
        (if (i64.lt_u (local.get $due) (local.get $first)) (then (local.set $first (local.get $due))))))
    (local.set $index (i32.add (local.get $index) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $index) (local.get $count))))
  (if (i32.eqz (local.get $found)) (then (call $sleep_until (local.get $first))))
  (local.get $found))

;; list<u32>. An empty list of pollables traps, as the interface says.
(func (export "wasi:io/poll poll") (param $from i32) (param $count i32) (param $out i32)
  (local $list i32) (local $found i32)
  (call $must (i32.eqz (local.get $count)))
  (local.set $list (call $allocate (i32.const 4) (i32.shl (local.get $count) (i32.const 2))))
  (loop $again
    (local.set $found (call $ready (local.get $from) (local.get $count) (local.get $list)))
    (br_if $again (i32.eqz (local.get $found))))
  (i32.store (local.get $out)
    (call $realloc (local.get $list) (i32.shl (local.get $count) (i32.const 2)) (i32.const 4)
      (i32.shl (local.get $found) (i32.const 2))))
  (i32.store offset=4 (local.get $out) (local.get $found)))

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
