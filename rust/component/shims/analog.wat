;; SPDX-License-Identifier: Apache-2.0
;; wasi:gpio, the interface `analog` of version 0.2.0: inputs over `wisp:adc@1`, and outputs over `wisp:pwm@1`. A handle is
;; one more than that of the ABI.

(func (export "wisp:pins/analog-in get-analog-in") (param $label i32) (param $length i32) (param $out i32)
  (call $gpio_opened (local.get $out) (call $adc.open (local.get $label) (local.get $length))))
(func (export "wisp:pins/analog-out get-analog-out") (param $label i32) (param $length i32) (param $out i32)
  (call $gpio_opened (local.get $out) (call $pwm.open (local.get $label) (local.get $length))))

(func (export "wasi:gpio/analog [resource-drop]analog-in-pin") (param $pin i32)
  (drop (call $adc.close (i32.sub (local.get $pin) (i32.const 1)))))
(func (export "wasi:gpio/analog [resource-drop]analog-out-pin") (param $pin i32)
  (drop (call $pwm.close (i32.sub (local.get $pin) (i32.const 1)))))

(func (export "wasi:gpio/analog [method]analog-in-pin.watch-for-ready") (param $pin i32) (result i32)
  (call $always (local.get $pin)))
(func (export "wasi:gpio/analog [method]analog-out-pin.watch-for-ready") (param $pin i32) (result i32)
  (call $always (local.get $pin)))

;; result<u32, gpio-error>. A differential input below 0 counts as 0.
(func $analog_raw (export "wasi:gpio/analog [method]analog-in-pin.read-raw") (param $pin i32) (param $out i32)
  (local $code i32)
  (local.set $code
    (call $adc.read (i32.sub (local.get $pin) (i32.const 1)) (i32.add (local.get $out) (i32.const 4))))
  (if (i32.lt_s (i32.load offset=4 (local.get $out)) (i32.const 0))
    (then (i32.store offset=4 (local.get $out) (i32.const 0))))
  (call $gpio_done (local.get $out) (local.get $code)))

;; result<f32, gpio-error>: the part of the largest number that the converter has, which fits the 32 bits of the result.
(func (export "wasi:gpio/analog [method]analog-in-pin.read") (param $pin i32) (param $out i32)
  (local $bits i32)
  (local.set $bits (call $adc.resolution (i32.sub (local.get $pin) (i32.const 1))))
  (if (i32.lt_s (local.get $bits) (i32.const 0))
    (then
      (call $gpio_error (local.get $out) (local.get $bits))
      (return)))
  (call $analog_raw (local.get $pin) (local.get $out))
  (if (i32.eqz (i32.load8_u (local.get $out)))
    (then
      (f32.store offset=4 (local.get $out)
        (f32.min (f32.const 1)
          (f32.demote_f64
            (f64.div
              (f64.convert_i32_u (i32.load offset=4 (local.get $out)))
              (f64.convert_i64_u
                (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $bits))) (i64.const 1))))))))))

;; result<own<pollable>, gpio-error>: no converter tells by itself that a voltage has changed.
(func $no_watch (param $out i32)
  (call $gpio_error (local.get $out) (i32.const {ENOTSUP})))
(func (export "wasi:gpio/analog [method]analog-in-pin.watch-above-raw") (param $pin i32) (param $value i32) (param $out i32)
  (call $no_watch (local.get $out)))
(func (export "wasi:gpio/analog [method]analog-in-pin.watch-below-raw") (param $pin i32) (param $value i32) (param $out i32)
  (call $no_watch (local.get $out)))
(func (export "wasi:gpio/analog [method]analog-in-pin.watch-above") (param $pin i32) (param $value f32) (param $out i32)
  (call $no_watch (local.get $out)))
(func (export "wasi:gpio/analog [method]analog-in-pin.watch-below") (param $pin i32) (param $value f32) (param $out i32)
  (call $no_watch (local.get $out)))

;; Returns the output's period in nanoseconds, or 0 after it wrote the error.
(func $analog_period (param $pin i32) (param $out i32) (result i32)
  (local $code i32)
  (local.set $code
    (call $pwm.period (i32.sub (local.get $pin) (i32.const 1)) (i32.add (local.get $out) (i32.const 4))))
  (if (local.get $code)
    (then
      (call $gpio_error (local.get $out) (local.get $code))
      (return (i32.const 0))))
  (i32.load offset=4 (local.get $out)))

(func $analog_pulse (param $pin i32) (param $pulse i32) (param $out i32)
  (call $gpio_done (local.get $out)
    (call $pwm.set (i32.sub (local.get $pin) (i32.const 1)) (local.get $pulse))))

;; The raw number is the pulse in nanoseconds, and one above the period stands for the period.
(func (export "wasi:gpio/analog [method]analog-out-pin.set-value-raw") (param $pin i32) (param $value i32) (param $out i32)
  (local $period i32)
  (local.set $period (call $analog_period (local.get $pin) (local.get $out)))
  (if (local.get $period)
    (then
      (call $analog_pulse (local.get $pin)
        (select (local.get $value) (local.get $period) (i32.lt_u (local.get $value) (local.get $period)))
        (local.get $out)))))

;; A number outside of 0 to 1 stands for the nearer end, and one that is no number for 0.
(func (export "wasi:gpio/analog [method]analog-out-pin.set-value") (param $pin i32) (param $value f32) (param $out i32)
  (local $period i32)
  (local.set $period (call $analog_period (local.get $pin) (local.get $out)))
  (if (local.get $period)
    (then
      (call $analog_pulse (local.get $pin)
        (i32.trunc_sat_f64_u
          (f64.nearest
            (f64.mul
              (f64.promote_f32 (f32.min (local.get $value) (f32.const 1)))
              (f64.convert_i32_u (local.get $period)))))
        (local.get $out)))))
