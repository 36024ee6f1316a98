;; SPDX-License-Identifier: Apache-2.0
;; The handles of resources in a composed component. No part can reach this memory.
;;
;; The handle of a resource that a part defines is the number of an entry: its representation, its tag, and the depth of
;; the call that lent it. The tag is 0 for a free entry, else the number of the handle's table plus one, times two, plus one
;; if it is lent. A table is that of one resource in one component instance, so a handle of another one traps.
;;
;; The handle of an imported resource is that of the host. An entry whose representation is this handle says which table
;; owns it, and instead of a depth how often the table got it, as the host may give one handle twice. Another entry says that
;; it is lent, so that a drop of it ends the loan and not the resource.
(module
  ;; Returns 0 for a table of an imported resource, 1 for that of the instance that defines its resource, 2 for others.
  (import "app" "kind" (func $kind (param i32) (result i32)))

  ;; 32 counts of loans, one for each depth of calls, and entries of 12 bytes from 128 on. Entry 0 is never used.
  (memory 1664 (pagesize 1))
  (global $depth (mut i32) (i32.const 0))
  ;; All entries below this one are in use.
  (global $free (mut i32) (i32.const 1))
  ;; No entry at this address or above it was ever in use.
  (global $end (mut i32) (i32.const 0))

  (func $entry (param $handle i32) (result i32)
    (if (i32.gt_u (i32.sub (local.get $handle) (i32.const 1)) (i32.const 126)) (then (unreachable)))
    (i32.add (i32.const 128) (i32.mul (local.get $handle) (i32.const 12))))

  ;; Returns a new entry. The 128th at once traps.
  (func $take (param $rep i32) (param $tag i32) (result i32)
    (local $handle i32) (local $entry i32)
    (local.set $handle (global.get $free))
    (loop $next
      (local.set $entry (call $entry (local.get $handle)))
      (if (i32.load offset=4 (local.get $entry))
        (then
          (local.set $handle (i32.add (local.get $handle) (i32.const 1)))
          (br $next))))
    (global.set $free (i32.add (local.get $handle) (i32.const 1)))
    (i32.store (local.get $entry) (local.get $rep))
    (i32.store offset=4 (local.get $entry) (local.get $tag))
    (local.set $entry (i32.add (local.get $entry) (i32.const 12)))
    (if (i32.gt_u (local.get $entry) (global.get $end)) (then (global.set $end (local.get $entry))))
    (local.get $handle))

  (func $tag (param $table i32) (param $lent i32) (result i32)
    (i32.add (i32.shl (i32.add (local.get $table) (i32.const 1)) (i32.const 1)) (local.get $lent)))

  ;; Returns the entry of a handle, which may be lent.
  (func $find (param $handle i32) (param $table i32) (result i32)
    (local $entry i32)
    (local.set $entry (call $entry (local.get $handle)))
    (if (i32.ne (i32.or (i32.load offset=4 (local.get $entry)) (i32.const 1)) (call $tag (local.get $table) (i32.const 1)))
      (then (unreachable)))
    (local.get $entry))

  ;; Frees an entry, and ends its loan if it is lent.
  (func $release (param $entry i32)
    (local $handle i32) (local $count i32)
    (if (i32.and (i32.load offset=4 (local.get $entry)) (i32.const 1))
      (then
        (local.set $count (i32.shl (i32.load offset=8 (local.get $entry)) (i32.const 2)))
        (i32.store (local.get $count) (i32.sub (i32.load (local.get $count)) (i32.const 1)))))
    (i32.store offset=4 (local.get $entry) (i32.const 0))
    (local.set $handle (i32.div_u (i32.sub (local.get $entry) (i32.const 128)) (i32.const 12)))
    (if (i32.lt_u (local.get $handle) (global.get $free)) (then (global.set $free (local.get $handle)))))

  ;; Returns the address of the first entry with a representation and a tag, or 0.
  (func $search (param $rep i32) (param $tag i32) (result i32)
    (local $entry i32)
    (local.set $entry (i32.const 140))
    (loop $next
      (if (i32.and
          (i32.eq (i32.load (local.get $entry)) (local.get $rep))
          (i32.eq (i32.load offset=4 (local.get $entry)) (local.get $tag)))
        (then (return (local.get $entry))))
      (local.set $entry (i32.add (local.get $entry) (i32.const 12)))
      (br_if $next (i32.lt_u (local.get $entry) (global.get $end))))
    (i32.const 0))

  (func $lend (param $rep i32) (param $table i32) (result i32)
    (local $handle i32) (local $count i32)
    (local.set $handle (call $take (local.get $rep) (call $tag (local.get $table) (i32.const 1))))
    (i32.store offset=8 (call $entry (local.get $handle)) (global.get $depth))
    (local.set $count (i32.shl (global.get $depth) (i32.const 2)))
    (i32.store (local.get $count) (i32.add (i32.load (local.get $count)) (i32.const 1)))
    (local.get $handle))

  (func (export "new") (param $rep i32) (param $table i32) (result i32)
    (call $take (local.get $rep) (call $tag (local.get $table) (i32.const 0))))

  (func (export "rep") (param $handle i32) (param $table i32) (result i32)
    (i32.load (call $find (local.get $handle) (local.get $table))))

  ;; Drops a handle. Returns the representation, and 1 if the resource ends.
  (func (export "drop") (param $handle i32) (param $table i32) (result i32 i32)
    (local $entry i32) (local $owned i32)
    (local.set $entry (call $find (local.get $handle) (local.get $table)))
    (local.set $owned (i32.eqz (i32.and (i32.load offset=4 (local.get $entry)) (i32.const 1))))
    (call $release (local.get $entry))
    (i32.load (local.get $entry))
    (local.get $owned))

  ;; Gives a handle of an imported resource to a table.
  (func $got (export "got") (param $rep i32) (param $table i32)
    (local $entry i32) (local $tag i32)
    (local.set $tag (call $tag (local.get $table) (i32.const 0)))
    (local.set $entry (call $search (local.get $rep) (local.get $tag)))
    (if (i32.eqz (local.get $entry))
      (then
        (local.set $entry (call $entry (call $take (local.get $rep) (local.get $tag))))
        (i32.store offset=8 (local.get $entry) (i32.const 0))))
    (i32.store offset=8 (local.get $entry) (i32.add (i32.load offset=8 (local.get $entry)) (i32.const 1))))

  ;; Takes a handle of an imported resource away from the table that owns it.
  (func $gave (export "gave") (param $rep i32) (param $table i32)
    (local $entry i32) (local $count i32)
    (local.set $entry (call $search (local.get $rep) (call $tag (local.get $table) (i32.const 0))))
    (if (i32.eqz (local.get $entry)) (then (unreachable)))
    (local.set $count (i32.sub (i32.load offset=8 (local.get $entry)) (i32.const 1)))
    (i32.store offset=8 (local.get $entry) (local.get $count))
    (if (i32.eqz (local.get $count)) (then (call $release (local.get $entry)))))

  ;; Traps unless a table owns a handle of an imported resource, or was lent it.
  (func $holds (export "holds") (param $rep i32) (param $table i32)
    (if (call $search (local.get $rep) (call $tag (local.get $table) (i32.const 0))) (then (return)))
    (if (i32.eqz (call $search (local.get $rep) (call $tag (local.get $table) (i32.const 1)))) (then (unreachable))))

  ;; Drops a handle of an imported resource. Returns the handle, and 1 if the resource ends: if it was not lent, and the table
  ;; does not have it once more.
  (func (export "drop-import") (param $rep i32) (param $table i32) (result i32 i32)
    (local $entry i32)
    (local.set $entry (call $search (local.get $rep) (call $tag (local.get $table) (i32.const 1))))
    (if (local.get $entry)
      (then
        (call $release (local.get $entry))
        (return (local.get $rep) (i32.const 0))))
    (call $gave (local.get $rep) (local.get $table))
    (local.get $rep)
    (i32.eqz (call $search (local.get $rep) (call $tag (local.get $table) (i32.const 0)))))

  (func (export "transfer-own") (param $handle i32) (param $from i32) (param $to i32) (result i32)
    (local $entry i32)
    (if (call $kind (local.get $from))
      (then
        (local.set $entry (call $find (local.get $handle) (local.get $from)))
        ;; what is lent cannot be given away
        (if (i32.and (i32.load offset=4 (local.get $entry)) (i32.const 1)) (then (unreachable)))
        (i32.store offset=4 (local.get $entry) (call $tag (local.get $to) (i32.const 0))))
      (else
        (call $gave (local.get $handle) (local.get $from))
        (call $got (local.get $handle) (local.get $to))))
    (local.get $handle))

  (func (export "transfer-borrow") (param $handle i32) (param $from i32) (param $to i32) (result i32)
    (local $rep i32)
    (if (i32.eqz (call $kind (local.get $from)))
      (then
        (call $holds (local.get $handle) (local.get $from))
        (drop (call $lend (local.get $handle) (local.get $to)))
        (return (local.get $handle))))
    (local.set $rep (i32.load (call $find (local.get $handle) (local.get $from))))
    ;; the part that defines a resource gets its representation
    (if (i32.eq (call $kind (local.get $to)) (i32.const 1)) (then (return (local.get $rep))))
    (call $lend (local.get $rep) (local.get $to)))

  (func (export "enter-call")
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (if (i32.gt_u (global.get $depth) (i32.const 31)) (then (unreachable))))

  ;; Traps if a call returns and has not dropped what it was lent.
  (func (export "exit-call")
    (if (i32.load (i32.shl (global.get $depth) (i32.const 2))) (then (unreachable)))
    (global.set $depth (i32.sub (global.get $depth) (i32.const 1)))))
