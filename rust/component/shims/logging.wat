;; SPDX-License-Identifier: Apache-2.0
;; wasi:logging, as its draft 0.1.0 stands, over `wisp:log@1`. A context is put before the message, with a colon.

;; Returns the level of `wisp:log@1`: trace and debug are its debug, error and critical its error.
(func $log_level (param $level i32) (result i32)
  (local.set $level (i32.sub (i32.const 5) (local.get $level)))
  (if (i32.lt_s (local.get $level) (i32.const 1)) (then (return (i32.const 1))))
  (select (i32.const 4) (local.get $level) (i32.gt_s (local.get $level) (i32.const 4))))

(func (export "wasi:logging/logging log") (param $level i32) (param $context i32) (param $context_length i32)
  (param $message i32) (param $length i32)
  (local $line i32) (local $size i32)
  (local.set $level (call $log_level (local.get $level)))
  (if (i32.gt_u (local.get $level) (call $log.max_level)) (then (return)))
  (if (i32.eqz (local.get $context_length))
    (then
      (drop (call $log.write (local.get $level) (local.get $message) (local.get $length)))
      (return)))
  (local.set $size
    (call $length32
      (i64.add (i64.const 2)
        (i64.add (i64.extend_i32_u (local.get $context_length)) (i64.extend_i32_u (local.get $length))))))
  (local.set $line (call $take (local.get $size)))
  (memory.copy (local.get $line) (local.get $context) (local.get $context_length))
  ;; a colon and a space
  (i32.store16 (i32.add (local.get $line) (local.get $context_length)) (i32.const 0x203a))
  (memory.copy
    (i32.add (i32.add (local.get $line) (local.get $context_length)) (i32.const 2))
    (local.get $message) (local.get $length))
  (drop (call $log.write (local.get $level) (local.get $line) (local.get $size)))
  (call $give_back (local.get $line) (local.get $size)))
