;; SPDX-License-Identifier: Apache-2.0
;; What the shims share. The module `app` stands for the app's own core module: its memory, and the allocator that
;; its component names for lists and strings.
;;
;; A shim is exported under the name of the function that it takes the place of: interface without version, a
;; space, and the name of the core function. Its parameters and results are those of the canonical ABI.
;;
;; Handles that shims give out are numbers below 16, or addresses of records that the allocator gave:
;;   1 standard input, 2 standard output, 3 standard error: each is one more than its descriptor in WASI preview 1
;;   4 an error, 5 the network, 6 a pollable that is always ready
;;   16 and above: a pollable that becomes ready at a time, see clocks.wat

(import "app" "memory" (memory 0))
(import "app" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
(import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
(import "wisp:timer@1" "uptime_us" (func $uptime_us (result i64)))
(import "wisp:timer@1" "sleep_us" (func $sleep_us (param i64) (result i32)))

;; Memory for what the host writes, and its size. It is kept for the next use.
(global $buffer (mut i32) (i32.const 0))
(global $buffer_size (mut i32) (i32.const 0))

;; Returns new memory.
(func $allocate (param $align i32) (param $size i32) (result i32)
  (call $realloc (i32.const 0) (i32.const 0) (local.get $align) (local.get $size)))

;; Returns this many bytes at a multiple of 8. What they hold lasts until the next use.
(func $buffer (param $size i32) (result i32)
  (if (i32.gt_u (local.get $size) (global.get $buffer_size))
    (then
      (global.set $buffer
        (call $realloc (global.get $buffer) (global.get $buffer_size) (i32.const 8) (local.get $size)))
      (global.set $buffer_size (local.get $size))))
  (global.get $buffer))

;; Traps unless the error number is 0. It is for functions that have no error in their type.
(func $must (param $errno i32)
  (if (local.get $errno) (then (unreachable))))

;; Takes a handle back. Only pollables with a time have something to give back.
(func $drop (export "drop") (param $handle i32))

;; Ends a command with its result: 0 is success.
(func $end (export "end") (param $result i32)
  (if (local.get $result) (then (call $proc_exit (i32.const 1)))))
