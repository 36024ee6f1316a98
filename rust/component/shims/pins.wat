;; SPDX-License-Identifier: Apache-2.0
;; Pollables of pins, for wasi:gpio. A component that makes one is linked to the functions here whose names end with
;; `with pins`. So the others need neither `wisp:gpio@1` nor `wisp:event@1`.
;;
;; The handle of a pollable is 64, plus the handle that `wisp:gpio@1` has for the pin, plus 32 for each kind: level
;; active, level inactive, edge to active, edge to inactive. So two pollables of one pin and kind are the same.

;; One bit for each pin that became active, or inactive, since its pollable was made.
(global $rose (mut i32) (i32.const 0))
(global $fell (mut i32) (i32.const 0))

(func $is_pin (param $pollable i32) (result i32)
  (i32.lt_u (i32.sub (local.get $pollable) (i32.const 64)) (i32.const 128)))

;; Takes the next event, for which it waits some milliseconds at most. Returns 0 if there is none. The event has 24 bytes,
;; which lie at address 0 meanwhile: its kind at 8, its pin at 12 and the level at 16.
(func $take_event (param $timeout i32) (result i32)
  (local $saved0 i64) (local $saved8 i64) (local $saved16 i64) (local $result i32) (local $bit i32)
  (local.set $saved0 (i64.load (i32.const 0)))
  (local.set $saved8 (i64.load offset=8 (i32.const 0)))
  (local.set $saved16 (i64.load offset=16 (i32.const 0)))
  (local.set $result (i32.eqz (call $event.wait (local.get $timeout) (i32.const 0))))
  (if (i32.and (local.get $result) (i32.eq (i32.load offset=8 (i32.const 0)) (i32.const 2)))
    (then
      (local.set $bit (i32.shl (i32.const 1) (i32.load offset=12 (i32.const 0))))
      (if (i32.load offset=16 (i32.const 0))
        (then (global.set $rose (i32.or (global.get $rose) (local.get $bit))))
        (else (global.set $fell (i32.or (global.get $fell) (local.get $bit)))))))
  (i64.store (i32.const 0) (local.get $saved0))
  (i64.store offset=8 (i32.const 0) (local.get $saved8))
  (i64.store offset=16 (i32.const 0) (local.get $saved16))
  (local.get $result))

;; Takes all events that have happened.
(func $take_events
  (loop $next (br_if $next (call $take_event (i32.const 0)))))

;; Writes result<own<pollable>, gpio-error>. Watching a pin again would drop its events, so they are taken before.
(func $watch (param $pin i32) (param $kind i32) (param $out i32)
  (local $mask i32)
  (call $take_events)
  (local.set $pin (i32.sub (local.get $pin) (i32.const 1)))
  (local.set $mask (i32.xor (i32.shl (i32.const 1) (local.get $pin)) (i32.const -1)))
  (if (i32.eq (local.get $kind) (i32.const 2))
    (then (global.set $rose (i32.and (global.get $rose) (local.get $mask)))))
  (if (i32.eq (local.get $kind) (i32.const 3))
    (then (global.set $fell (i32.and (global.get $fell) (local.get $mask)))))
  (i32.store offset=4 (local.get $out)
    (i32.add (i32.add (local.get $pin) (i32.const 64)) (i32.shl (local.get $kind) (i32.const 5))))
  (call $gpio_done (local.get $out) (call $gpio.watch (local.get $pin) (i32.const 3))))

(func (export "wasi:gpio/digital [method]digital-in-pin.watch-state") (param $pin i32) (param $state i32) (param $out i32)
  (call $watch (local.get $pin) (local.get $state) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-in-pin.watch-active") (param $pin i32) (param $out i32)
  (call $watch (local.get $pin) (i32.const 0) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-in-pin.watch-inactive") (param $pin i32) (param $out i32)
  (call $watch (local.get $pin) (i32.const 1) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-in-pin.watch-rising-edge") (param $pin i32) (param $out i32)
  (call $watch (local.get $pin) (i32.const 2) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-in-pin.watch-falling-edge") (param $pin i32) (param $out i32)
  (call $watch (local.get $pin) (i32.const 3) (local.get $out)))

;; Returns 1 if a pollable of a pin is ready. That of a pin that was closed is, so that a wait for it ends.
(func $pin_ready (param $pollable i32) (result i32)
  (local $pin i32) (local $kind i32)
  (local.set $pin (i32.and (local.get $pollable) (i32.const 31)))
  (local.set $kind (i32.sub (i32.shr_u (local.get $pollable) (i32.const 5)) (i32.const 2)))
  (if (i32.lt_u (local.get $kind) (i32.const 2))
    (then (return (i32.ne (call $gpio.is_active (local.get $pin)) (local.get $kind)))))
  (call $take_events)
  (if (i32.lt_s (call $gpio.is_active (local.get $pin)) (i32.const 0)) (then (return (i32.const 1))))
  (i32.and (i32.const 1)
    (i32.shr_u
      (select (global.get $rose) (global.get $fell) (i32.eq (local.get $kind) (i32.const 2)))
      (local.get $pin))))

;; Returns the time at which a pollable is due: that of a pin now or never.
(func $due_with_pins (param $pollable i32) (result i64)
  (if (call $is_pin (local.get $pollable))
    (then (return (select (i64.const 0) (i64.const -1) (call $pin_ready (local.get $pollable))))))
  (call $due (local.get $pollable)))

;; Waits until a time or an event, which may be one of no interest. The event queue counts milliseconds.
(func $wait_until (param $when i64)
  (local $now i64) (local $ms i64)
  (local.set $now (call $now))
  (if (i64.le_u (local.get $when) (local.get $now)) (then (return)))
  (local.set $ms (i64.add (i64.div_u (i64.sub (local.get $when) (local.get $now)) (i64.const 1000000)) (i64.const 1)))
  ;; the largest number stands for a wait without limit
  (drop (call $take_event
    (select (i32.const -1) (i32.wrap_i64 (local.get $ms)) (i64.gt_u (local.get $ms) (i64.const 0xfffffffe))))))

(func (export "wasi:io/poll [method]pollable.block with pins") (param $pollable i32)
  (loop $again
    (call $wait_until (call $due_with_pins (local.get $pollable)))
    (br_if $again (i64.gt_u (call $due_with_pins (local.get $pollable)) (call $now)))))
