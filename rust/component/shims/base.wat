;; SPDX-License-Identifier: Apache-2.0
;; Gives the shims what they share. The module `app` stands for the app's own core module: its memory, and the
;; allocator that its component names for lists and strings.
;;
;; A shim is exported under the name of the function that it takes the place of: interface without version, a
;; space, and the name of the core function. Its parameters and results are those of the canonical ABI.
;;
;; Memory belongs to the app. A shim writes to three places only, and to none of them after it returned:
;;   the area for its result, which the caller owns
;;   memory that it allocates in the same call, and that it hands over to the caller as part of the result
;;   the 8 bytes at address 0, which it puts back before it returns
;; An allocator may give the same memory again after the call, so a shim that remembers something uses a global.
;;
;; Handles are numbers:
;;   1 standard input, 2 standard output, 3 standard error: each is one more than its descriptor in WASI preview 1
;;   4 an error, 5 the network, 6 a pollable that is always ready
;;   16 to 31: a pollable that becomes ready at a time, see clocks.wat

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

;; Returns new memory.
(func $allocate (param $align i32) (param $size i32) (result i32)
  (call $realloc (i32.const 0) (i32.const 0) (local.get $align) (local.get $size)))

;; Traps unless the error number is 0. It is for functions that have no error in their type.
(func $must (param $errno i32)
  (if (local.get $errno) (then (unreachable))))

;; Takes a handle back. Only pollables with a time hold anything, and they have a function of their own.
(func $drop (export "drop") (param $handle i32))

;; Ends a command with its result: 0 is success.
(func $end (export "end") (param $result i32)
  (if (local.get $result) (then (call $proc_exit (i32.const 1)))))
