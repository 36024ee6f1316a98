;; SPDX-License-Identifier: Apache-2.0
;; The part of the test program that watches its memory. Each call has an arena at 1024, and the next call gets the
;; same memory again. A byte that nobody may change holds 0xa5.
;;
;;   0 to 63: nobody may write here      64 to 127: the result of a call      128 to 1023: the program's own data
;;   1024 to 16383: the arena                above: free for the program

(memory (export "memory") 1)
(global (export "__heap_base") i32 (i32.const 65536))
(global $top (mut i32) (i32.const 1024))
;; All bytes that were ever asked for.
(global $asked (mut i32) (i32.const 0))

(func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
  (local $at i32)
  ;; toolchains disagree about memory of no bytes, so nobody asks for it
  (if (i32.eqz (local.get $new)) (then (unreachable)))
  (if (i32.le_u (local.get $new) (local.get $size)) (then (return (local.get $old))))
  (if (local.get $old) (then (unreachable)))
  (local.set $at
    (i32.and
      (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
  (global.set $top (i32.add (local.get $at) (local.get $new)))
  (if (i32.gt_u (global.get $top) (i32.const 16384)) (then (unreachable)))
  (global.set $asked (i32.add (global.get $asked) (local.get $new)))
  (local.get $at))

(func $untouched (param $from i32) (param $to i32)
  (loop $next
    (if (i32.lt_u (local.get $from) (local.get $to))
      (then
        (if (i32.ne (i32.load8_u (local.get $from)) (i32.const 0xa5)) (then (unreachable)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next)))))

;; Begins a call: all memory besides the program's own is given again.
(func $begin
  (memory.fill (i32.const 0) (i32.const 0xa5) (i32.const 128))
  (memory.fill (i32.const 1024) (i32.const 0xa5) (i32.const 15360))
  (global.set $top (i32.const 1024)))

;; Ends a call with this many bytes of results: traps if any byte besides them and the arena was changed.
(func $end (param $results i32)
  (call $untouched (i32.const 0) (i32.const 64))
  (call $untouched (i32.add (i32.const 64) (local.get $results)) (i32.const 128))
  (call $untouched (global.get $top) (i32.const 16384)))

(func $assert (param $holds i32)
  (if (i32.eqz (local.get $holds)) (then (unreachable))))

;; The handle of standard output, which $print needs.
(global $out (mut i32) (i32.const 0))

;; Copies bytes to 512 to 1023, begins a call and writes them to standard output.
(func $print (param $text i32) (param $length i32)
  (call $assert (i32.le_u (local.get $length) (i32.const 512)))
  (memory.copy (i32.const 512) (local.get $text) (local.get $length))
  (call $begin)
  (call $write (global.get $out) (i32.const 512) (local.get $length) (i32.const 64))
  (call $end (i32.const 12))
  (call $assert (i32.eqz (i32.load8_u (i32.const 64)))))
