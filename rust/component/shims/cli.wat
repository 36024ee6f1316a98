;; SPDX-License-Identifier: Apache-2.0
;; wasi:cli: arguments, environment, standard streams, exit. There are no terminals.

(func (export "wasi:cli/stdin get-stdin") (result i32) (i32.const 1))
(func (export "wasi:cli/stdout get-stdout") (result i32) (i32.const 2))
(func (export "wasi:cli/stderr get-stderr") (result i32) (i32.const 3))

;; option<own<terminal-input>> and option<own<terminal-output>>: none
(func $no_terminal (export "wasi:cli/terminal-stdin get-terminal-stdin") (param $out i32)
  (i32.store8 (local.get $out) (i32.const 0)))
(func (export "wasi:cli/terminal-stdout get-terminal-stdout") (param i32) (call $no_terminal (local.get 0)))
(func (export "wasi:cli/terminal-stderr get-terminal-stderr") (param i32) (call $no_terminal (local.get 0)))

;; result<_, _>: 0 is success
(func (export "wasi:cli/exit exit") (param $status i32) (call $proc_exit (local.get $status)))
(func (export "wasi:cli/exit exit-with-code") (param $code i32)
  (call $proc_exit (i32.and (local.get $code) (i32.const 255))))

;; option<string>: none
(func (export "wasi:cli/environment initial-cwd") (param $out i32)
  (i32.store8 (local.get $out) (i32.const 0)))

;; Returns the number of bytes before the first `$end` or zero byte.
(func $length (param $text i32) (param $end i32) (result i32)
  (local $at i32) (local $byte i32)
  (local.set $at (local.get $text))
  (loop $next
    (local.set $byte (i32.load8_u (local.get $at)))
    (if (i32.and (i32.ne (local.get $byte) (i32.const 0)) (i32.ne (local.get $byte) (local.get $end)))
      (then
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))
  (i32.sub (local.get $at) (local.get $text)))

;; Writes a string: a copy of the bytes, which the app frees on its own. An empty one has no memory.
(func $string (param $entry i32) (param $text i32) (param $length i32)
  (local $copy i32)
  (local.set $copy (i32.const 1))
  (if (local.get $length)
    (then
      (local.set $copy (call $allocate (i32.const 1) (local.get $length)))
      (memory.copy (local.get $copy) (local.get $text) (local.get $length))))
  (i32.store (local.get $entry) (local.get $copy))
  (i32.store offset=4 (local.get $entry) (local.get $length)))

;; Writes the string whose bytes are the first of `$whole`, and hands all of that memory over as its own.
(func $first_string (param $entry i32) (param $whole i32) (param $size i32) (param $length i32)
  (i32.store (local.get $entry)
    (call $realloc (local.get $whole) (local.get $size) (i32.const 1)
      (select (local.get $length) (i32.const 1) (local.get $length))))
  (i32.store offset=4 (local.get $entry) (local.get $length)))

;; list<string>. The host writes the bytes of all arguments to `$whole`, and their addresses to the second half of the
;; list. An entry takes twice the room of an address, so it covers no address of a later one.
(func (export "wasi:cli/environment get-arguments") (param $out i32)
  (local $list i32) (local $count i32) (local $size i32) (local $whole i32) (local $index i32) (local $text i32)
  (call $must (call $args_sizes_get (local.get $out) (i32.add (local.get $out) (i32.const 4))))
  (local.set $count (i32.load (local.get $out)))
  (local.set $size (i32.load offset=4 (local.get $out)))
  (if (local.get $count)
    (then
      (local.set $list (call $allocate (i32.const 4) (i32.shl (local.get $count) (i32.const 3))))
      (local.set $whole (call $allocate (i32.const 1) (local.get $size)))
      (call $must
        (call $args_get (i32.add (local.get $list) (i32.shl (local.get $count) (i32.const 2))) (local.get $whole)))
      (loop $next
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (if (i32.lt_u (local.get $index) (local.get $count))
          (then
            (local.set $text
              (call $local
                (i32.load
                  (i32.add (local.get $list)
                    (i32.shl (i32.add (local.get $count) (local.get $index)) (i32.const 2))))))
            (call $string (i32.add (local.get $list) (i32.shl (local.get $index) (i32.const 3)))
              (local.get $text) (call $length (local.get $text) (i32.const 0)))
            (br $next))))
      (call $first_string (local.get $list) (local.get $whole) (local.get $size)
        (call $length (local.get $whole) (i32.const 0))))
    (else (local.set $list (i32.const 4))))
  (i32.store (local.get $out) (local.get $list))
  (i32.store offset=4 (local.get $out) (local.get $count)))

;; list<tuple<string, string>>, made in the same way. The addresses are in the last quarter of the list.
(func (export "wasi:cli/environment get-environment") (param $out i32)
  (local $list i32) (local $count i32) (local $size i32) (local $whole i32) (local $index i32) (local $texts i32)
  (call $must (call $environ_sizes_get (local.get $out) (i32.add (local.get $out) (i32.const 4))))
  (local.set $count (i32.load (local.get $out)))
  (local.set $size (i32.load offset=4 (local.get $out)))
  (if (local.get $count)
    (then
      (local.set $list (call $allocate (i32.const 4) (i32.shl (local.get $count) (i32.const 4))))
      (local.set $whole (call $allocate (i32.const 1) (local.get $size)))
      (local.set $texts (i32.add (local.get $list) (i32.mul (local.get $count) (i32.const 12))))
      (call $must (call $environ_get (local.get $texts) (local.get $whole)))
      (loop $next
        (call $variable (i32.add (local.get $list) (i32.shl (local.get $index) (i32.const 4)))
          (call $local (i32.load (i32.add (local.get $texts) (i32.shl (local.get $index) (i32.const 2)))))
          (local.get $index))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $index) (local.get $count))))
      (call $first_string (local.get $list) (local.get $whole) (local.get $size)
        (call $length (local.get $whole) (i32.const 61))))
    (else (local.set $list (i32.const 4))))
  (i32.store (local.get $out) (local.get $list))
  (i32.store offset=4 (local.get $out) (local.get $count)))

;; Writes name and value of `NAME=VALUE` as two strings, and only the value if `$named` is 0.
(func $variable (param $entry i32) (param $text i32) (param $named i32)
  (local $name i32)
  (local.set $name (call $length (local.get $text) (i32.const 61)))
  (if (local.get $named) (then (call $string (local.get $entry) (local.get $text) (local.get $name))))
  (local.set $text (i32.add (local.get $text) (local.get $name)))
  (local.set $text (i32.add (local.get $text) (i32.eq (i32.load8_u (local.get $text)) (i32.const 61))))
  (call $string (i32.add (local.get $entry) (i32.const 8)) (local.get $text)
    (call $length (local.get $text) (i32.const 0))))
