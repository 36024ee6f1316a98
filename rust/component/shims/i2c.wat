;; SPDX-License-Identifier: Apache-2.0
;; wasi:i2c, as its draft 0.2.0 stands, over `wisp:i2c@1`.
;;
;; A handle is one more than that of the granted device, with the device's address above the lowest 8 bits. To a
;; component, the device is a bus on which only that device answers: a call for another address is not acknowledged. A drop
;; closes nothing, because two handles may stand for one device.

;; wisp:grants/i2c open: result<own<i2c>, error-code>
(func (export "wisp:grants/i2c open") (param $label i32) (param $length i32) (param $out i32)
  (local $device i32)
  (local.set $device (call $i2c.open (local.get $label) (local.get $length)))
  (if (i32.lt_s (local.get $device) (i32.const 0))
    (then (call $denied (local.get $out) (local.get $device)))
    (else
      (i32.store8 (local.get $out) (i32.const 0))
      (i32.store offset=4 (local.get $out)
        (i32.or
          (i32.add (local.get $device) (i32.const 1))
          (i32.shl (call $i2c.address (local.get $device)) (i32.const 8)))))))

;; Writes the error of result<own<...>, error-code> of wisp:grants: not-granted, or not-ready.
(func $denied (param $out i32) (param $code i32)
  (i32.store8 (local.get $out) (i32.const 1))
  (i32.store8 offset=4 (local.get $out) (i32.ne (local.get $code) (i32.const {EACCES}))))

;; wisp:grants/delay get-delay: own<delay>. It holds nothing.
(func (export "wisp:grants/delay get-delay") (result i32) (i32.const 1))

(func (export "wasi:i2c/delay [method]delay.delay-ns") (param $delay i32) (param $ns i32)
  (call $delay_ns (local.get $ns)))

(func $delay_ns (param $ns i32)
  (drop
    (call $timer.sleep_us
      (i64.div_u (i64.add (i64.extend_i32_u (local.get $ns)) (i64.const 999)) (i64.const 1000)))))

;; Writes an error-code: bus, arbitration-loss, no-acknowledge(unknown), overrun, or other.
(func $i2c_error (param $error i32) (param $code i32)
  (local $case i32)
  (local.set $case (i32.const 4))
  (if (i32.eq (local.get $code) (i32.const {EIO})) (then (local.set $case (i32.const 0))))
  (if (i32.eq (local.get $code) (i32.const {EAGAIN})) (then (local.set $case (i32.const 1))))
  (if (i32.eq (local.get $code) (i32.const {ENXIO})) (then (local.set $case (i32.const 2))))
  (if (i32.eq (local.get $code) (i32.const {EOVERFLOW})) (then (local.set $case (i32.const 3))))
  (i32.store8 (local.get $error) (local.get $case))
  (i32.store8 offset=1 (local.get $error) (i32.const 2)))

;; Returns the device of a handle, or -1 after it wrote no-acknowledge(address), because the address is another's.
(func $i2c_device (param $handle i32) (param $address i32) (param $out i32) (param $error i32) (result i32)
  (if (i32.eq (i32.shr_u (local.get $handle) (i32.const 8)) (local.get $address))
    (then (return (i32.sub (i32.and (local.get $handle) (i32.const 255)) (i32.const 1)))))
  (i32.store8 (local.get $out) (i32.const 1))
  (i32.store8 (local.get $error) (i32.const 2))
  (i32.store8 offset=1 (local.get $error) (i32.const 0))
  (i32.const -1))

;; result<_, error-code>
(func (export "wasi:i2c/i2c [method]i2c.write")
  (param $handle i32) (param $address i32) (param $bytes i32) (param $length i32) (param $out i32)
  (local $device i32) (local $code i32) (local $error i32)
  (local.set $error (i32.add (local.get $out) (i32.const 1)))
  (local.set $device
    (call $i2c_device (local.get $handle) (local.get $address) (local.get $out) (local.get $error)))
  (if (i32.lt_s (local.get $device) (i32.const 0)) (then (return)))
  (local.set $code (call $i2c.write (local.get $device) (local.get $bytes) (local.get $length)))
  (i32.store8 (local.get $out) (i32.ne (local.get $code) (i32.const 0)))
  (if (local.get $code) (then (call $i2c_error (local.get $error) (local.get $code)))))

;; Writes result<list<u8>, error-code>.
(func $i2c_list (param $out i32) (param $code i32) (param $list i32) (param $size i32)
  (local $entry i32)
  (local.set $entry (i32.add (local.get $out) (i32.const 4)))
  (i32.store8 (local.get $out) (i32.ne (local.get $code) (i32.const 0)))
  (if (local.get $code)
    (then
      (call $give_back (local.get $list) (local.get $size))
      (call $i2c_error (local.get $entry) (local.get $code)))
    (else (call $shorten (local.get $entry) (local.get $list) (local.get $size) (local.get $size)))))

;; Returns a length as 32 bits. A length that no memory has traps, as an allocation of it does.
(func $length32 (param $length i64) (result i32)
  (call $must (i64.gt_u (local.get $length) (i64.const 0x7fffffff)))
  (i32.wrap_i64 (local.get $length)))

(func (export "wasi:i2c/i2c [method]i2c.read")
  (param $handle i32) (param $address i32) (param $length i64) (param $out i32)
  (local $device i32) (local $list i32) (local $size i32)
  (local.set $device
    (call $i2c_device (local.get $handle) (local.get $address) (local.get $out)
      (i32.add (local.get $out) (i32.const 4))))
  (if (i32.lt_s (local.get $device) (i32.const 0)) (then (return)))
  (local.set $size (call $length32 (local.get $length)))
  (local.set $list (call $take (local.get $size)))
  (call $i2c_list (local.get $out) (call $i2c.read (local.get $device) (local.get $list) (local.get $size))
    (local.get $list) (local.get $size)))

(func (export "wasi:i2c/i2c [method]i2c.write-read")
  (param $handle i32) (param $address i32) (param $bytes i32) (param $count i32) (param $length i64) (param $out i32)
  (local $device i32) (local $list i32) (local $size i32)
  (local.set $device
    (call $i2c_device (local.get $handle) (local.get $address) (local.get $out)
      (i32.add (local.get $out) (i32.const 4))))
  (if (i32.lt_s (local.get $device) (i32.const 0)) (then (return)))
  (local.set $size (call $length32 (local.get $length)))
  (local.set $list (call $take (local.get $size)))
  (call $i2c_list (local.get $out)
    (call $i2c.write_read (local.get $device) (local.get $bytes) (local.get $count) (local.get $list) (local.get $size))
    (local.get $list) (local.get $size)))

;; result<list<list<u8>>, error-code>: one list for each operation that reads. The 12 bytes of a record for the host
;; and, behind all records, the bytes that are read lie in memory that stays with the shims, so that an error leaves no
;; list behind. An operation has 16 bytes: its case, and at 8 a length of 64 bits, or address and length.
(func (export "wasi:i2c/i2c [method]i2c.transaction")
  (param $handle i32) (param $address i32) (param $operations i32) (param $count i32) (param $out i32)
  (local $device i32) (local $records i32) (local $size i32) (local $reads i32) (local $code i32)
  (local.set $device
    (call $i2c_device (local.get $handle) (local.get $address) (local.get $out)
      (i32.add (local.get $out) (i32.const 4))))
  (if (i32.lt_s (local.get $device) (i32.const 0)) (then (return)))
  ;; the host takes 8 operations at most
  (if (i32.gt_u (local.get $count) (i32.const 8))
    (then
      (i32.store8 (local.get $out) (i32.const 1))
      (call $i2c_error (i32.add (local.get $out) (i32.const 4)) (i32.const {EINVAL}))
      (return)))
  (local.set $size (call $i2c_bytes (local.get $operations) (local.get $count)))
  (local.set $records (call $take (local.get $size)))
  (local.set $reads (call $i2c_records (local.get $operations) (local.get $count) (local.get $records)))
  (local.set $code (call $i2c.transaction (local.get $device) (local.get $records) (local.get $count)))
  (i32.store8 (local.get $out) (i32.ne (local.get $code) (i32.const 0)))
  (if (local.get $code)
    (then (call $i2c_error (i32.add (local.get $out) (i32.const 4)) (local.get $code)))
    (else
      (call $i2c_lists (i32.add (local.get $out) (i32.const 4)) (local.get $records) (local.get $count)
        (local.get $reads))))
  (call $give_back (local.get $records) (local.get $size)))

;; Returns the bytes of all records and of all that is read.
(func $i2c_bytes (param $operation i32) (param $count i32) (result i32)
  (local $size i64)
  (local.set $size (i64.extend_i32_u (i32.mul (local.get $count) (i32.const 12))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (if (i32.eqz (i32.load8_u (local.get $operation)))
        (then
          (local.set $size
            (i64.add (local.get $size)
              (i64.extend_i32_u (call $length32 (i64.load offset=8 (local.get $operation))))))))
      (local.set $operation (i32.add (local.get $operation) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  (call $length32 (local.get $size)))

;; Writes the records. Returns how many of them read.
(func $i2c_records (param $operation i32) (param $count i32) (param $record i32) (result i32)
  (local $bytes i32) (local $writes i32) (local $reads i32) (local $length i32)
  (local.set $bytes (i32.add (local.get $record) (i32.mul (local.get $count) (i32.const 12))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $writes (i32.load8_u (local.get $operation)))
      (i32.store (local.get $record) (local.get $writes))
      (if (local.get $writes)
        (then
          (local.set $length (i32.load offset=12 (local.get $operation)))
          (i32.store offset=4 (local.get $record)
            (call $absolute (i32.load offset=8 (local.get $operation)) (local.get $length)))
          (i32.store offset=8 (local.get $record) (local.get $length)))
        (else
          (local.set $length (i32.load offset=8 (local.get $operation)))
          (i32.store offset=4 (local.get $record) (call $absolute (local.get $bytes) (local.get $length)))
          (i32.store offset=8 (local.get $record) (local.get $length))
          (local.set $bytes (i32.add (local.get $bytes) (local.get $length)))
          (local.set $reads (i32.add (local.get $reads) (i32.const 1)))))
      (local.set $operation (i32.add (local.get $operation) (i32.const 16)))
      (local.set $record (i32.add (local.get $record) (i32.const 12)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  (local.get $reads))

;; Writes the list of lists, with copies of the bytes that the records read.
(func $i2c_lists (param $entry i32) (param $record i32) (param $count i32) (param $reads i32)
  (local $list i32)
  (local.set $list (i32.const 4))
  (if (local.get $reads)
    (then (local.set $list (call $allocate (i32.const 4) (i32.shl (local.get $reads) (i32.const 3))))))
  (i32.store (local.get $entry) (local.get $list))
  (i32.store offset=4 (local.get $entry) (local.get $reads))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (if (i32.eqz (i32.load (local.get $record)))
        (then
          (call $string (local.get $list) (call $local (i32.load offset=4 (local.get $record)))
            (i32.load offset=8 (local.get $record)))
          (local.set $list (i32.add (local.get $list) (i32.const 8)))))
      (local.set $record (i32.add (local.get $record) (i32.const 12)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next))))
