;; SPDX-License-Identifier: Apache-2.0
;; wasi:io: the standard streams and errors. A stream is always ready, and each operation is done when it returns.

;; string: empty
(func (export "wasi:io/error [method]error.to-debug-string") (param $error i32) (param $out i32)
  (i32.store (local.get $out) (i32.const 1))
  (i32.store offset=4 (local.get $out) (i32.const 0)))

(func (export "wasi:io/streams [method]input-stream.subscribe") (param i32) (result i32) (i32.const 6))
(func (export "wasi:io/streams [method]output-stream.subscribe") (param i32) (result i32) (i32.const 6))

;; result<u64, stream-error>: any number of bytes is fine, this one is as good as another
(func (export "wasi:io/streams [method]output-stream.check-write") (param $stream i32) (param $out i32)
  (i32.store8 (local.get $out) (i32.const 0))
  (i64.store offset=8 (local.get $out) (i64.const 65536)))

;; Writes the error of result<_, stream-error> and of result<list<u8>, stream-error>: last-operation-failed for
;; an error number, closed for 0.
(func $failed (param $out i32) (param $errno i32)
  (i32.store8 (local.get $out) (i32.const 1))
  (i32.store8 offset=4 (local.get $out) (i32.eqz (local.get $errno)))
  (i32.store offset=8 (local.get $out) (i32.const 4)))

;; result<_, stream-error>. The 12 bytes of the result first hold what the host reads and writes: address and
;; length of the bytes, and the number of bytes written.
(func $write (export "wasi:io/streams [method]output-stream.write")
  (param $stream i32) (param $bytes i32) (param $length i32) (param $out i32)
  (local $errno i32) (local $written i32)
  (block $done
    (loop $more
      (br_if $done (i32.eqz (local.get $length)))
      (i32.store (local.get $out) (call $absolute (local.get $bytes) (local.get $length)))
      (i32.store offset=4 (local.get $out) (local.get $length))
      (local.set $errno
        (call $fd_write (i32.sub (local.get $stream) (i32.const 1)) (local.get $out) (i32.const 1)
          (i32.add (local.get $out) (i32.const 8))))
      (if (i32.eqz (local.get $errno))
        (then
          (local.set $written (i32.load offset=8 (local.get $out)))
          (local.set $bytes (i32.add (local.get $bytes) (local.get $written)))
          (local.set $length (i32.sub (local.get $length) (local.get $written)))
          (br_if $more (local.get $written))))
      (call $failed (local.get $out) (local.get $errno))
      (return)))
  (i32.store8 (local.get $out) (i32.const 0)))

(func (export "wasi:io/streams [method]output-stream.blocking-write-and-flush") (param i32 i32 i32 i32)
  (call $write (local.get 0) (local.get 1) (local.get 2) (local.get 3)))

(func $flush (export "wasi:io/streams [method]output-stream.flush") (param $stream i32) (param $out i32)
  (i32.store8 (local.get $out) (i32.const 0)))
(func (export "wasi:io/streams [method]output-stream.blocking-flush") (param i32 i32)
  (call $flush (local.get 0) (local.get 1)))

;; 1 once standard input was at its end or failed: a stream is closed for good then.
(global $closed (mut i32) (i32.const 0))

;; result<list<u8>, stream-error>. At most 4096 bytes are read at once.
(func $read (export "wasi:io/streams [method]input-stream.read")
  (param $stream i32) (param $length i64) (param $out i32)
  (local $size i32)
  (local.set $size (i32.const 4096))
  (if (i64.lt_u (local.get $length) (i64.const 4096))
    (then (local.set $size (i32.wrap_i64 (local.get $length)))))
  (if (global.get $closed)
    (then (call $failed (local.get $out) (i32.const 0)))
    (else
      (if (local.get $size)
        (then (call $read_some (local.get $stream) (local.get $size) (local.get $out)))
        (else
          (i32.store8 (local.get $out) (i32.const 0))
          (i32.store offset=4 (local.get $out) (i32.const 1))
          (i32.store offset=8 (local.get $out) (i32.const 0)))))))

;; Reads at least one byte. Nobody can be asked to free the memory if there is none, and allocators differ in what they
;; do for a size of 0. So it shrinks to one byte, which happens once in a run.
(func $read_some (param $stream i32) (param $size i32) (param $out i32)
  (local $bytes i32) (local $errno i32) (local $found i32)
  (local.set $bytes (call $allocate (i32.const 1) (local.get $size)))
  (i32.store (local.get $out) (call $absolute (local.get $bytes) (local.get $size)))
  (i32.store offset=4 (local.get $out) (local.get $size))
  (i32.store offset=8 (local.get $out) (i32.const 0))
  (local.set $errno
    (call $fd_read (i32.sub (local.get $stream) (i32.const 1)) (local.get $out) (i32.const 1)
      (i32.add (local.get $out) (i32.const 8))))
  (local.set $found (i32.load offset=8 (local.get $out)))
  (if (i32.or (local.get $errno) (i32.eqz (local.get $found)))
    (then
      (global.set $closed (i32.const 1))
      (drop (call $realloc (local.get $bytes) (local.get $size) (i32.const 1) (i32.const 1)))
      (call $failed (local.get $out) (local.get $errno)))
    (else
      (i32.store8 (local.get $out) (i32.const 0))
      (i32.store offset=4 (local.get $out)
        (call $realloc (local.get $bytes) (local.get $size) (i32.const 1) (local.get $found)))
      (i32.store offset=8 (local.get $out) (local.get $found)))))

(func (export "wasi:io/streams [method]input-stream.blocking-read") (param i32 i64 i32)
  (call $read (local.get 0) (local.get 1) (local.get 2)))
