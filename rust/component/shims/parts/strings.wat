;; SPDX-License-Identifier: Apache-2.0
;; Copies strings from the memory of one part of a composed component to that of another. The adapters between parts call
;; these functions with addresses and lengths that lie within the memories. A string that is not well formed traps.
(module
  (import "from" "memory" (memory $from 0))
  (import "to" "memory" (memory $to 0))

  ;; Copies the bytes of a string in UTF-8.
  (func (export "utf8-to-utf8") (param $at i32) (param $length i32) (param $to i32)
    (local $end i32)
    (memory.copy $to $from (local.get $to) (local.get $at) (local.get $length))
    ;; the copy is checked, so that nobody changes it behind the check
    (local.set $end (i32.add (local.get $to) (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
        ;; eight characters of ASCII at once
        (if (i32.ge_u (i32.sub (local.get $end) (local.get $to)) (i32.const 8))
          (then
            (if (i64.eqz (i64.and (i64.load $to align=1 (local.get $to)) (i64.const 0x8080808080808080)))
              (then
                (local.set $to (i32.add (local.get $to) (i32.const 8)))
                (br $next)))))
        (local.set $to (i32.add (local.get $to) (call $width (local.get $to) (local.get $end))))
        (br $next))))

  ;; Returns how many bytes the character at an address has.
  (func $width (param $at i32) (param $end i32) (result i32)
    (local $first i32) (local $second i32)
    (local.set $first (i32.load8_u $to (local.get $at)))
    (if (i32.lt_u (local.get $first) (i32.const 0x80)) (then (return (i32.const 1))))
    ;; no character begins with 80 to C1, nor with more than F4
    (if (i32.gt_u (i32.sub (local.get $first) (i32.const 0xc2)) (i32.const 0x32)) (then (unreachable)))
    (local.set $second (call $more (i32.add (local.get $at) (i32.const 1)) (local.get $end)))
    (if (i32.lt_u (local.get $first) (i32.const 0xe0)) (then (return (i32.const 2))))
    (drop (call $more (i32.add (local.get $at) (i32.const 2)) (local.get $end)))
    (if (i32.lt_u (local.get $first) (i32.const 0xf0))
      (then
        ;; too long for its number, or half of a pair of UTF-16
        (if (i32.and (i32.eq (local.get $first) (i32.const 0xe0)) (i32.lt_u (local.get $second) (i32.const 0xa0)))
          (then (unreachable)))
        (if (i32.and (i32.eq (local.get $first) (i32.const 0xed)) (i32.ge_u (local.get $second) (i32.const 0xa0)))
          (then (unreachable)))
        (return (i32.const 3))))
    (drop (call $more (i32.add (local.get $at) (i32.const 3)) (local.get $end)))
    ;; too long for its number, or beyond 10FFFF
    (if (i32.and (i32.eq (local.get $first) (i32.const 0xf0)) (i32.lt_u (local.get $second) (i32.const 0x90)))
      (then (unreachable)))
    (if (i32.and (i32.eq (local.get $first) (i32.const 0xf4)) (i32.ge_u (local.get $second) (i32.const 0x90)))
      (then (unreachable)))
    (i32.const 4))

  ;; Returns a byte behind the first of a character.
  (func $more (param $at i32) (param $end i32) (result i32)
    (local $byte i32)
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (unreachable)))
    (local.set $byte (i32.load8_u $to (local.get $at)))
    (if (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80)) (then (unreachable)))
    (local.get $byte)))
