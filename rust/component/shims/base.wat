;; SPDX-License-Identifier: Apache-2.0
;; Gives the shims what they share. The module `app` stands for the app's own core module: its memory, and the
;; allocator that its component names for lists and strings.
;;
;; A shim is exported under the name of the function that it takes the place of: interface without version, a
;; space, and the name of the core function. Its parameters and results are those of the canonical ABI.
;;
;; Memory belongs to the app. A shim writes to four places only, and to none of them after it returned:
;;   the area for its result, which the caller owns
;;   memory that it allocates in the same call, and that it hands over to the caller as part of the result
;;   memory that an earlier call allocated and did not hand over, see `$take`
;;   the bytes at address 0, of which it puts back as many as it changed before it returns: 8, or 24 for pins
;; An allocator may give the same memory again after the call, so a shim that remembers something uses a global.
;;
;; Before these lines are the imports `wisp:*`, and at the end of the module are the shims of the packages `wisp:*`.
;; rust/abi writes both.
;;
;; Handles are numbers:
;;   1 standard input, 2 standard output, 3 standard error: each is one more than its descriptor in WASI preview 1
;;   4 an error, 5 the network, 6 a pollable that is always ready
;;   16 to 31: a pollable that becomes ready at a time, see clocks.wat
;;   64 to 191: a pollable of a pin, see pins.wat
;; No handle is 0, because the canonical ABI gives none and bindings may rely on that.

(import "app" "memory" (memory 0))
(import "app" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
(import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
;; Returns new memory. Traps if the allocator gives what is not aligned or is outside memory, as the canonical ABI
;; demands.
(func $allocate (param $align i32) (param $size i32) (result i32)
  (call $checked (call $realloc (i32.const 0) (i32.const 0) (local.get $align) (local.get $size))
    (local.get $align) (local.get $size)))

;; Returns the address of memory from the allocator, whose first and last byte it looks at.
(func $checked (param $at i32) (param $align i32) (param $size i32) (result i32)
  (call $must (i32.and (local.get $at) (i32.sub (local.get $align) (i32.const 1))))
  (drop (i32.load8_u (local.get $at)))
  (drop (i32.load8_u (i32.add (local.get $at) (i32.sub (local.get $size) (i32.const 1)))))
  (local.get $at))

;; Memory that was allocated for a list that a call did not return in the end, and its bytes. A component has no
;; function to free memory, so the next call that needs some uses it.
(global $spare (export "spare") (mut i32) (i32.const 0))
(global $spare_size (export "spare size") (mut i32) (i32.const 0))

;; Returns memory for a list of bytes: the spare memory, or new memory. An empty list needs none.
(func $take (param $size i32) (result i32)
  (local $at i32) (local $had i32)
  (if (i32.eqz (local.get $size)) (then (return (i32.const 1))))
  (local.set $at (global.get $spare))
  (local.set $had (global.get $spare_size))
  (global.set $spare (i32.const 0))
  (global.set $spare_size (i32.const 0))
  (if (i32.ne (local.get $had) (local.get $size))
    (then
      (local.set $at
        (call $checked (call $realloc (local.get $at) (local.get $had) (i32.const 1) (local.get $size))
          (i32.const 1) (local.get $size)))))
  (local.get $at))

;; Keeps memory from `$take` for the next call.
(func $give_back (param $at i32) (param $size i32)
  (if (local.get $size)
    (then
      (global.set $spare (local.get $at))
      (global.set $spare_size (local.get $size)))))

;; Writes the list with the first bytes of memory from `$take`.
(func $shorten (param $out i32) (param $list i32) (param $size i32) (param $used i32)
  (if (i32.lt_u (local.get $used) (local.get $size))
    (then
      (if (local.get $used)
        (then
          (local.set $list
            (call $checked
              (call $realloc (local.get $list) (local.get $size) (i32.const 1) (local.get $used))
              (i32.const 1) (local.get $used))))
        (else
          (call $give_back (local.get $list) (local.get $size))
          (local.set $list (i32.const 1)))))
    (else (local.set $used (local.get $size))))
  (i32.store (local.get $out) (local.get $list))
  (i32.store offset=4 (local.get $out) (local.get $used)))

;; Writes result<list<u8>, error-code> of a package `wisp:*`.
(func $list (param $out i32) (param $result i32) (param $list i32) (param $size i32) (param $used i32)
  (if (i32.lt_s (local.get $result) (i32.const 0))
    (then
      (call $give_back (local.get $list) (local.get $size))
      (i32.store8 offset=4 (local.get $out) (call $code (local.get $result)))
      (i32.store8 (local.get $out) (i32.const 1)))
    (else
      (call $shorten (i32.add (local.get $out) (i32.const 4)) (local.get $list) (local.get $size) (local.get $used))
      (i32.store8 (local.get $out) (i32.const 0)))))

;; Returns the address that the host knows of a number of bytes, and the address that the app knows of what the host knows.
;; They differ in a component with several memories. In one with one memory, calls of these functions are left out.
(func $absolute (export "absolute") (param $at i32) (param $length i32) (result i32) (local.get $at))
(func $local (export "local") (param $at i32) (result i32) (local.get $at))

;; Return a word or a byte of the app's memory, in which the handles of a result are.
(func (export "word") (param $at i32) (result i32) (i32.load (local.get $at)))
(func (export "byte") (param $at i32) (result i32) (i32.load8_u (local.get $at)))

;; Traps unless the error number is 0. It is for functions that have no error in their type.
(func $must (param $errno i32)
  (if (local.get $errno) (then (unreachable))))

;; Takes a handle back. Only pollables with a time hold anything, and they have a function of their own.
(func $drop (export "drop") (param $handle i32))

;; Makes a handle of a resource that the component defines, or reads one: its handle is what the component gave for it.
(func $same (export "same") (param $handle i32) (result i32) (local.get $handle))

;; Ends a command with its result: 0 is success.
(func $end (export "end") (param $result i32)
  (if (local.get $result) (then (call $proc_exit (i32.const 1)))))
