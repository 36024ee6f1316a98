;; SPDX-License-Identifier: Apache-2.0
;; wasi:spi, which has no version, over `wisp:spi@1`. A handle is one more than that of `wisp:spi@1`. A drop closes
;; nothing, because two handles may stand for one device.

;; Writes an error: overrun, or other(string) with the name of the error number.
(func $spi_error (param $error i32) (param $code i32)
  (if (i32.eq (local.get $code) (i32.const {EOVERFLOW}))
    (then
      (i32.store8 (local.get $error) (i32.const 0))
      (return)))
  (i32.store8 (local.get $error) (i32.const 4))
  (call $error_name (i32.add (local.get $error) (i32.const 4)) (local.get $code)))

;; result<own<spi-device>, error>
(func (export "wasi:spi/spi open") (param $label i32) (param $length i32) (param $out i32)
  (local $device i32)
  (local.set $device (call $spi.open (local.get $label) (local.get $length)))
  (i32.store8 (local.get $out) (i32.lt_s (local.get $device) (i32.const 0)))
  (i32.store offset=4 (local.get $out) (i32.add (local.get $device) (i32.const 1)))
  (if (i32.lt_s (local.get $device) (i32.const 0))
    (then (call $spi_error (i32.add (local.get $out) (i32.const 4)) (local.get $device)))))

;; Writes result<list<u8>, error>.
(func $spi_list (param $out i32) (param $code i32) (param $list i32) (param $size i32)
  (local $entry i32)
  (local.set $entry (i32.add (local.get $out) (i32.const 4)))
  (i32.store8 (local.get $out) (i32.ne (local.get $code) (i32.const 0)))
  (if (local.get $code)
    (then
      (call $give_back (local.get $list) (local.get $size))
      (call $spi_error (local.get $entry) (local.get $code)))
    (else (call $shorten (local.get $entry) (local.get $list) (local.get $size) (local.get $size)))))

(func (export "wasi:spi/spi [method]spi-device.read") (param $handle i32) (param $length i64) (param $out i32)
  (local $list i32) (local $size i32)
  (local.set $size (call $length32 (local.get $length)))
  (local.set $list (call $take (local.get $size)))
  (call $spi_list (local.get $out)
    (call $spi.read (i32.sub (local.get $handle) (i32.const 1)) (local.get $list) (local.get $size))
    (local.get $list) (local.get $size)))

;; result<error>: the proposal has an error as the value of success, and none as that of failure. The value is
;; other("") in both cases, which takes no memory.
(func (export "wasi:spi/spi [method]spi-device.write") (param $handle i32) (param $bytes i32) (param $length i32)
  (param $out i32)
  (i32.store8 (local.get $out)
    (i32.ne (i32.const 0)
      (call $spi.write (i32.sub (local.get $handle) (i32.const 1)) (local.get $bytes) (local.get $length))))
  (i32.store8 offset=4 (local.get $out) (i32.const 4))
  (i32.store offset=8 (local.get $out) (i32.const 1))
  (i32.store offset=12 (local.get $out) (i32.const 0)))

(func (export "wasi:spi/spi [method]spi-device.transfer") (param $handle i32) (param $bytes i32) (param $length i32)
  (param $out i32)
  (local $list i32)
  (local.set $list (call $take (local.get $length)))
  (call $spi_list (local.get $out)
    (call $spi.transfer (i32.sub (local.get $handle) (i32.const 1)) (local.get $bytes) (local.get $length)
      (local.get $list) (local.get $length))
    (local.get $list) (local.get $length)))

;; result<list<operation-result>, error>. The 16 bytes of a record for the host and, behind all records, the bytes that
;; are read lie in memory that stays with the shims, so that an error leaves no list behind. An operation has 16 bytes: its
;; case, and at 8 a length of 64 bits, address and length, or nanoseconds. Its case is the kind of the record.
(func (export "wasi:spi/spi [method]spi-device.transaction") (param $handle i32) (param $operations i32)
  (param $count i32) (param $out i32)
  (local $records i32) (local $size i32) (local $code i32)
  (local.set $code (i32.const {EINVAL}))
  ;; the host takes 8 operations at most
  (if (i32.le_u (local.get $count) (i32.const 8))
    (then
      (local.set $size (call $spi_bytes (local.get $operations) (local.get $count)))
      (local.set $records (call $take (local.get $size)))
      (call $spi_records (local.get $operations) (local.get $count) (local.get $records))
      (local.set $code
        (call $spi.transaction (i32.sub (local.get $handle) (i32.const 1)) (local.get $records) (local.get $count)))))
  (i32.store8 (local.get $out) (i32.ne (local.get $code) (i32.const 0)))
  (if (local.get $code)
    (then (call $spi_error (i32.add (local.get $out) (i32.const 4)) (local.get $code)))
    (else (call $spi_results (i32.add (local.get $out) (i32.const 4)) (local.get $records) (local.get $count))))
  (call $give_back (local.get $records) (local.get $size)))

;; Returns the number of bytes that an operation reads.
(func $spi_reads (param $operation i32) (result i32)
  (local $case i32)
  (local.set $case (i32.load8_u (local.get $operation)))
  (if (i32.eqz (local.get $case)) (then (return (call $length32 (i64.load offset=8 (local.get $operation))))))
  (if (i32.eq (local.get $case) (i32.const 2)) (then (return (i32.load offset=12 (local.get $operation)))))
  (i32.const 0))

;; Returns the bytes of all records and of all that is read.
(func $spi_bytes (param $operation i32) (param $count i32) (result i32)
  (local $size i64)
  (local.set $size (i64.extend_i32_u (i32.shl (local.get $count) (i32.const 4))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $size (i64.add (local.get $size) (i64.extend_i32_u (call $spi_reads (local.get $operation)))))
      (local.set $operation (i32.add (local.get $operation) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  (call $length32 (local.get $size)))

;; Writes the records: kind, length or nanoseconds, where the bytes to write are, and where those that are read go.
(func $spi_records (param $operation i32) (param $count i32) (param $record i32)
  (local $bytes i32) (local $case i32) (local $writes i32) (local $length i32)
  (local.set $bytes (i32.add (local.get $record) (i32.shl (local.get $count) (i32.const 4))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $case (i32.load8_u (local.get $operation)))
      (i32.store (local.get $record) (local.get $case))
      ;; writes and transfers have a list, whose length is behind its address
      (local.set $writes
        (i32.or (i32.eq (local.get $case) (i32.const 1)) (i32.eq (local.get $case) (i32.const 2))))
      (local.set $length
        (i32.load (i32.add (local.get $operation) (select (i32.const 12) (i32.const 8) (local.get $writes)))))
      (i32.store offset=4 (local.get $record) (local.get $length))
      (i32.store offset=8 (local.get $record)
        (call $absolute (i32.load offset=8 (local.get $operation))
          (select (local.get $length) (i32.const 0) (local.get $writes))))
      (local.set $length (call $spi_reads (local.get $operation)))
      (i32.store offset=12 (local.get $record) (call $absolute (local.get $bytes) (local.get $length)))
      (local.set $bytes (i32.add (local.get $bytes) (local.get $length)))
      (local.set $operation (i32.add (local.get $operation) (i32.const 16)))
      (local.set $record (i32.add (local.get $record) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next))))

;; Writes the list of results, with copies of the bytes that the records read. A result has 12 bytes: the case of its
;; operation, and at 4 a list.
(func $spi_results (param $entry i32) (param $record i32) (param $count i32)
  (local $result i32)
  (local.set $result (i32.const 4))
  (if (local.get $count)
    (then (local.set $result (call $allocate (i32.const 4) (i32.mul (local.get $count) (i32.const 12))))))
  (i32.store (local.get $entry) (local.get $result))
  (i32.store offset=4 (local.get $entry) (local.get $count))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (i32.store8 (local.get $result) (i32.load (local.get $record)))
      ;; reads and transfers have even numbers
      (if (i32.eqz (i32.and (i32.load (local.get $record)) (i32.const 1)))
        (then
          (call $string (i32.add (local.get $result) (i32.const 4)) (call $local (i32.load offset=12 (local.get $record)))
            (i32.load offset=4 (local.get $record)))))
      (local.set $record (i32.add (local.get $record) (i32.const 16)))
      (local.set $result (i32.add (local.get $result) (i32.const 12)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next))))
