;; SPDX-License-Identifier: Apache-2.0
;; wasi:filesystem and wasi:sockets: there are no folders, and every socket is refused. No handle of these packages
;; exists, so the methods of their resources are never called with a valid one.

;; list<tuple<descriptor, string>>: empty
(func (export "wasi:filesystem/preopens get-directories") (param $out i32)
  (i32.store (local.get $out) (i32.const 4))
  (i32.store offset=4 (local.get $out) (i32.const 0)))

;; option<error-code>: none, because no error comes from a file
(func (export "wasi:filesystem/types filesystem-error-code") (param $error i32) (param $out i32)
  (i32.store8 (local.get $out) (i32.const 0)))

(func (export "wasi:sockets/instance-network instance-network") (result i32) (i32.const 5))

;; result<own<socket>, error-code>: not-supported
(func $no_socket (export "wasi:sockets/tcp-create-socket create-tcp-socket") (param $family i32) (param $out i32)
  (i32.store8 (local.get $out) (i32.const 1))
  (i32.store8 offset=4 (local.get $out) (i32.const 2)))
(func (export "wasi:sockets/udp-create-socket create-udp-socket") (param i32 i32)
  (call $no_socket (local.get 0) (local.get 1)))
(func (export "wasi:sockets/ip-name-lookup resolve-addresses") (param i32 i32 i32 i32)
  (call $no_socket (i32.const 0) (local.get 3)))
