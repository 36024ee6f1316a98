;; SPDX-License-Identifier: Apache-2.0
;; wasi:keyvalue, the interface `store` of its second draft of 0.2.0, over `wisp:kv@1`. There is one bucket, that of the
;; app. Its identifier is empty or "default", and its handle is 1.

;; Writes an error: access-denied, or other(string) with the name of the error number.
(func $kv_error (param $error i32) (param $code i32)
  (if (i32.eq (local.get $code) (i32.const {EACCES}))
    (then
      (i32.store8 (local.get $error) (i32.const 1))
      (return)))
  (i32.store8 (local.get $error) (i32.const 2))
  (call $error_name (i32.add (local.get $error) (i32.const 4)) (local.get $code)))

;; Writes result<_, error>, or the case of another result with a value at 4. Returns 1 for success.
(func $kv_done (param $out i32) (param $code i32) (result i32)
  (i32.store8 (local.get $out) (i32.lt_s (local.get $code) (i32.const 0)))
  (if (i32.lt_s (local.get $code) (i32.const 0))
    (then (call $kv_error (i32.add (local.get $out) (i32.const 4)) (local.get $code))))
  (i32.ge_s (local.get $code) (i32.const 0)))

;; Returns 1 for the identifier of the app's bucket: "default" has 7 bytes, whose first 4 and last 4 overlap.
(func $kv_identifies (param $name i32) (param $length i32) (result i32)
  (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
  (if (i32.ne (local.get $length) (i32.const 7)) (then (return (i32.const 0))))
  (i32.and
    (i32.eq (i32.load (local.get $name)) (i32.const 0x61666564))
    (i32.eq (i32.load offset=3 (local.get $name)) (i32.const 0x746c7561))))

;; result<own<bucket>, error>: no-such-store for another bucket
(func (export "wasi:keyvalue/store open") (param $name i32) (param $length i32) (param $out i32)
  (local $found i32)
  (local.set $found (call $kv_identifies (local.get $name) (local.get $length)))
  (i32.store8 (local.get $out) (i32.eqz (local.get $found)))
  ;; the handle, or the first case of error
  (i32.store offset=4 (local.get $out) (local.get $found)))

;; Returns the length of a value, -1 if there is none, and -2 after it wrote an error.
(func $kv_length (param $key i32) (param $length i32) (param $out i32) (result i32)
  (local $code i32)
  (local.set $code (call $kv.get (local.get $key) (local.get $length) (i32.const 0) (i32.const 0)))
  (if (i32.eq (local.get $code) (i32.const {ENOENT})) (then (return (i32.const -1))))
  (if (call $kv_done (local.get $out) (local.get $code)) (then (return (local.get $code))))
  (i32.const -2))

;; result<option<list<u8>>, error>
(func (export "wasi:keyvalue/store [method]bucket.get") (param $bucket i32) (param $key i32) (param $length i32)
  (param $out i32)
  (local $size i32) (local $list i32) (local $code i32)
  (local.set $size (call $kv_length (local.get $key) (local.get $length) (local.get $out)))
  (if (i32.eq (local.get $size) (i32.const -2)) (then (return)))
  (i32.store8 (local.get $out) (i32.const 0))
  (i32.store8 offset=4 (local.get $out) (i32.const 0))
  (if (i32.eq (local.get $size) (i32.const -1)) (then (return)))
  (local.set $list (call $take (local.get $size)))
  (local.set $code (call $kv.get (local.get $key) (local.get $length) (local.get $list) (local.get $size)))
  (if (call $kv_done (local.get $out) (local.get $code))
    (then
      (i32.store8 offset=4 (local.get $out) (i32.const 1))
      (call $shorten (i32.add (local.get $out) (i32.const 8)) (local.get $list) (local.get $size) (local.get $size)))
    (else (call $give_back (local.get $list) (local.get $size)))))

(func (export "wasi:keyvalue/store [method]bucket.set") (param $bucket i32) (param $key i32) (param $length i32)
  (param $value i32) (param $value_length i32) (param $out i32)
  (drop
    (call $kv_done (local.get $out)
      (call $kv.set (local.get $key) (local.get $length) (local.get $value) (local.get $value_length)))))

;; A key without a value is removed already.
(func (export "wasi:keyvalue/store [method]bucket.delete") (param $bucket i32) (param $key i32) (param $length i32)
  (param $out i32)
  (local $code i32)
  (local.set $code (call $kv.remove (local.get $key) (local.get $length)))
  (drop
    (call $kv_done (local.get $out)
      (select (i32.const 0) (local.get $code) (i32.eq (local.get $code) (i32.const {ENOENT}))))))

;; result<bool, error>
(func (export "wasi:keyvalue/store [method]bucket.exists") (param $bucket i32) (param $key i32) (param $length i32)
  (param $out i32)
  (local $size i32)
  (local.set $size (call $kv_length (local.get $key) (local.get $length) (local.get $out)))
  (if (i32.ne (local.get $size) (i32.const -2))
    (then
      (i32.store8 (local.get $out) (i32.const 0))
      (i32.store8 offset=4 (local.get $out) (i32.ge_s (local.get $size) (i32.const 0))))))
