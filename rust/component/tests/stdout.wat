;; SPDX-License-Identifier: Apache-2.0
;; The imports of a component that writes to standard output.
  (import "wasi:io/streams@0.2.6" (instance $streams
    (export "output-stream" (type (sub resource)))
    (export "error" (type $error (sub resource)))
    (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $e (eq $failed)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow 0)) (param "contents" (list u8)) (result (result (error $e)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.6" (instance $stdout
    (alias outer 1 $stream (type $s))
    (export "output-stream" (type (eq $s)))
    (export "get-stdout" (func (result (own 1))))))
