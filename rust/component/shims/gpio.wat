;; SPDX-License-Identifier: Apache-2.0
;; wasi:gpio, the interfaces `digital` and `delay` of version 0.2.0, over `wisp:gpio@1`. The levels of both are logical:
;; active or not. A handle is one more than that of `wisp:gpio@1`, because a component has no handle 0.
;;
;; All results are result<_, gpio-error>: the case at 0, and a value or the error at 4.

;; Writes a gpio-error and the case before it.
(func $gpio_error (param $out i32) (param $code i32)
  (local $case i32)
  (if (i32.eq (local.get $code) (i32.const {EBUSY})) (then (local.set $case (i32.const 1))))
  (if (i32.eq (local.get $code) (i32.const {EACCES})) (then (local.set $case (i32.const 2))))
  (if (i32.eq (local.get $code) (i32.const {EBADF})) (then (local.set $case (i32.const 2))))
  (if (i32.eq (local.get $code) (i32.const {EPERM})) (then (local.set $case (i32.const 3))))
  (if (i32.eq (local.get $code) (i32.const {ENOTSUP})) (then (local.set $case (i32.const 7))))
  (i32.store8 (local.get $out) (i32.const 1))
  (i32.store8 offset=4 (local.get $out) (local.get $case)))

;; Writes result<_, gpio-error> of a call.
(func $gpio_done (param $out i32) (param $code i32)
  (i32.store8 (local.get $out) (i32.const 0))
  (if (i32.lt_s (local.get $code) (i32.const 0))
    (then (call $gpio_error (local.get $out) (local.get $code)))))

;; Writes result<own<...>, gpio-error> of a call that opens something.
(func $gpio_opened (param $out i32) (param $handle i32)
  (i32.store offset=4 (local.get $out) (i32.add (local.get $handle) (i32.const 1)))
  (call $gpio_done (local.get $out) (local.get $handle)))

;; Writes result<bool, gpio-error> or result<pin-state, gpio-error>: 1 if the pin's level is not `$zero`.
(func $gpio_level (param $pin i32) (param $zero i32) (param $out i32)
  (local $level i32)
  (local.set $level (call $gpio.is_active (i32.sub (local.get $pin) (i32.const 1))))
  (i32.store8 offset=4 (local.get $out) (i32.ne (local.get $level) (local.get $zero)))
  (call $gpio_done (local.get $out) (local.get $level)))

(func $gpio_set (param $pin i32) (param $active i32) (param $out i32)
  (call $gpio_done (local.get $out)
    (call $gpio.set (i32.sub (local.get $pin) (i32.const 1)) (local.get $active))))

(func (export "wisp:pins/digital get-digital-in") (param $label i32) (param $length i32) (param $out i32)
  (call $gpio_opened (local.get $out) (call $gpio.open (local.get $label) (local.get $length) (i32.const 0))))
(func (export "wisp:pins/digital get-digital-out") (param $label i32) (param $length i32) (param $out i32)
  (call $gpio_opened (local.get $out) (call $gpio.open (local.get $label) (local.get $length) (i32.const 1))))

(func $gpio_drop (export "wasi:gpio/digital [resource-drop]digital-in-pin") (param $pin i32)
  (drop (call $gpio.close (i32.sub (local.get $pin) (i32.const 1)))))
(func (export "wasi:gpio/digital [resource-drop]digital-out-pin") (param $pin i32)
  (call $gpio_drop (local.get $pin)))

;; A pin is ready as soon as it is open: the pollable that is always ready.
(func $always (export "wasi:gpio/digital [method]digital-in-pin.watch-for-ready") (param $pin i32) (result i32)
  (i32.const 6))
(func (export "wasi:gpio/digital [method]digital-out-pin.watch-for-ready") (param $pin i32) (result i32)
  (call $always (local.get $pin)))

;; The first case of pin-state is `active`.
(func (export "wasi:gpio/digital [method]digital-out-pin.set-state") (param $pin i32) (param $state i32) (param $out i32)
  (call $gpio_set (local.get $pin) (i32.eqz (local.get $state)) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-out-pin.set-active") (param $pin i32) (param $out i32)
  (call $gpio_set (local.get $pin) (i32.const 1) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-out-pin.set-inactive") (param $pin i32) (param $out i32)
  (call $gpio_set (local.get $pin) (i32.const 0) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-out-pin.toggle") (param $pin i32) (param $out i32)
  (call $gpio_done (local.get $out) (call $gpio.toggle (i32.sub (local.get $pin) (i32.const 1)))))

(func (export "wasi:gpio/digital [method]digital-in-pin.read") (param $pin i32) (param $out i32)
  (call $gpio_level (local.get $pin) (i32.const 1) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-in-pin.is-active") (param $pin i32) (param $out i32)
  (call $gpio_level (local.get $pin) (i32.const 0) (local.get $out)))
(func (export "wasi:gpio/digital [method]digital-in-pin.is-inactive") (param $pin i32) (param $out i32)
  (call $gpio_level (local.get $pin) (i32.const 1) (local.get $out)))

(func (export "wasi:gpio/delay delay-ns") (param $ns i32)
  (call $delay_ns (local.get $ns)))
(func (export "wasi:gpio/delay delay-us") (param $us i32)
  (drop (call $timer.sleep_us (i64.extend_i32_u (local.get $us)))))
(func (export "wasi:gpio/delay delay-ms") (param $ms i32)
  (drop (call $timer.sleep_us (i64.mul (i64.extend_i32_u (local.get $ms)) (i64.const 1000)))))
