;; SPDX-License-Identifier: Apache-2.0
;; WASI preview 1 for parts of a composed component that were built for it, for example by clang. What their toolchain
;; wraps around them would ask for 128 KiB of their heap. The host knows other addresses than such a part does, so
;; addresses in memory are changed here. A part has the standard streams, and no folders.

;; Writes to a standard stream or reads from one, by one piece of memory after the other. The host gets each piece as a list
;; of its own, in the place of the part's.
(func $pieces (param $write i32) (param $fd i32) (param $list i32) (param $count i32) (param $out i32) (result i32)
  (local $total i32) (local $errno i32) (local $at i32) (local $length i32)
  (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $at (i32.load (local.get $list)))
      (local.set $length (i32.load offset=4 (local.get $list)))
      (if (local.get $length)
        (then
          (i32.store (local.get $list) (call $absolute (local.get $at) (local.get $length)))
          (if (local.get $write)
            (then
              (local.set $errno
                (call $fd_write (local.get $fd) (local.get $list) (i32.const 1) (local.get $out))))
            (else
              (local.set $errno
                (call $fd_read (local.get $fd) (local.get $list) (i32.const 1) (local.get $out)))))
          (i32.store (local.get $list) (local.get $at))
          (br_if $done (local.get $errno))
          (local.set $total (i32.add (local.get $total) (i32.load (local.get $out))))
          ;; a read waits for no more than came
          (br_if $done (i32.eqz (local.get $write)))
          (br_if $done (i32.ne (i32.load (local.get $out)) (local.get $length)))))
      (local.set $list (i32.add (local.get $list) (i32.const 8)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  ;; bytes before a failure count, and the next call fails
  (if (i32.and (i32.ne (local.get $errno) (i32.const 0)) (i32.eqz (local.get $total)))
    (then (return (local.get $errno))))
  (i32.store (local.get $out) (local.get $total))
  (i32.const 0))

(func (export "wasi_snapshot_preview1 fd_write") (param i32 i32 i32 i32) (result i32)
  (call $pieces (i32.const 1) (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
(func (export "wasi_snapshot_preview1 fd_read") (param i32 i32 i32 i32) (result i32)
  (call $pieces (i32.const 0) (local.get 0) (local.get 1) (local.get 2) (local.get 3)))

;; EBADF but for the standard streams
(func $no_stream (param $fd i32) (result i32)
  (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $fd) (i32.const 2))))

;; The streams are those of the whole app, so they stay open.
(func (export "wasi_snapshot_preview1 fd_close") (param $fd i32) (result i32) (call $no_stream (local.get $fd)))

;; ESPIPE for a stream
(func (export "wasi_snapshot_preview1 fd_seek") (param $fd i32) (param i64 i32 i32) (result i32)
  (select (i32.const 8) (i32.const 70) (call $no_stream (local.get $fd))))

(func (export "wasi_snapshot_preview1 fd_fdstat_get") (param $fd i32) (param $out i32) (result i32)
  (if (call $no_stream (local.get $fd)) (then (return (i32.const 8))))
  (call $fd_fdstat_get (local.get $fd) (local.get $out)))

(func (export "wasi_snapshot_preview1 fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
(func (export "wasi_snapshot_preview1 fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))

(func (export "wasi_snapshot_preview1 proc_exit") (param i32) (call $proc_exit (local.get 0)))
(func (export "wasi_snapshot_preview1 sched_yield") (result i32) (i32.const 0))
(func (export "wasi_snapshot_preview1 random_get") (param i32 i32) (result i32)
  (call $random_get (local.get 0) (local.get 1)))
(func (export "wasi_snapshot_preview1 clock_res_get") (param i32 i32) (result i32)
  (call $clock_res_get (local.get 0) (local.get 1)))
(func (export "wasi_snapshot_preview1 clock_time_get") (param i32 i64 i32) (result i32)
  (call $clock_time_get (local.get 0) (local.get 1) (local.get 2)))

;; Subscriptions and events hold no addresses. Each has a fixed size, and EINVAL is for more than memory has room for.
(func (export "wasi_snapshot_preview1 poll_oneoff") (param $in i32) (param $events i32) (param $count i32) (param $out i32)
  (result i32)
  (if (i32.gt_u (local.get $count) (i32.const 0xffff)) (then (return (i32.const 28))))
  (drop (call $absolute (local.get $in) (i32.mul (local.get $count) (i32.const 48))))
  (drop (call $absolute (local.get $events) (i32.mul (local.get $count) (i32.const 32))))
  (call $poll_oneoff (local.get $in) (local.get $events) (local.get $count) (local.get $out)))

(func (export "wasi_snapshot_preview1 args_sizes_get") (param i32 i32) (result i32)
  (call $args_sizes_get (local.get 0) (local.get 1)))
(func (export "wasi_snapshot_preview1 environ_sizes_get") (param i32 i32) (result i32)
  (call $environ_sizes_get (local.get 0) (local.get 1)))
(func (export "wasi_snapshot_preview1 args_get") (param i32 i32) (result i32)
  (call $texts (i32.const 0) (local.get 0) (local.get 1)))
(func (export "wasi_snapshot_preview1 environ_get") (param i32 i32) (result i32)
  (call $texts (i32.const 1) (local.get 0) (local.get 1)))

;; Writes the arguments or the environment: the addresses to a list, and the texts to other memory. It borrows the 8 bytes
;; at address 0 for their sizes.
(func $texts (param $environment i32) (param $list i32) (param $bytes i32) (result i32)
  (local $saved i64) (local $count i32) (local $size i32) (local $errno i32)
  (local.set $saved (i64.load (i32.const 0)))
  (if (local.get $environment)
    (then (local.set $errno (call $environ_sizes_get (i32.const 0) (i32.const 4))))
    (else (local.set $errno (call $args_sizes_get (i32.const 0) (i32.const 4)))))
  (local.set $count (i32.load (i32.const 0)))
  (local.set $size (i32.load (i32.const 4)))
  (i64.store (i32.const 0) (local.get $saved))
  (if (local.get $errno) (then (return (local.get $errno))))
  ;; the host writes no more than this
  (drop (call $absolute (local.get $list) (i32.shl (local.get $count) (i32.const 2))))
  (drop (call $absolute (local.get $bytes) (local.get $size)))
  (if (local.get $environment)
    (then (local.set $errno (call $environ_get (local.get $list) (local.get $bytes))))
    (else (local.set $errno (call $args_get (local.get $list) (local.get $bytes)))))
  (if (local.get $errno) (then (return (local.get $errno))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (i32.store (local.get $list) (call $local (i32.load (local.get $list))))
      (local.set $list (i32.add (local.get $list) (i32.const 4)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  (i32.const 0))
