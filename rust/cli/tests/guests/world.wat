;; SPDX-License-Identifier: Apache-2.0
;; The interfaces of WASI 0.2 whose functions the test program calls, as a component declares them.

(import "wasi:io/error@0.2.3" (instance $error
  (export "error" (type $error (sub resource)))
  (export "[method]error.to-debug-string" (func (param "self" (borrow $error)) (result string)))))
(alias export $error "error" (type $error_type))

(import "wasi:io/poll@0.2.3" (instance $poll
  (export "pollable" (type $pollable (sub resource)))
  (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))
  (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
  (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
(alias export $poll "pollable" (type $pollable_type))

(import "wasi:io/streams@0.2.3" (instance $streams
  (alias outer 1 $error_type (type $outer_error))
  (export "error" (type $error (eq $outer_error)))
  (alias outer 1 $pollable_type (type $outer_pollable))
  (export "pollable" (type $pollable (eq $outer_pollable)))
  (export "input-stream" (type $input (sub resource)))
  (export "output-stream" (type $output (sub resource)))
  (type $either (variant (case "last-operation-failed" (own $error)) (case "closed")))
  (export "stream-error" (type $failed (eq $either)))
  (export "[method]input-stream.read"
    (func (param "self" (borrow $input)) (param "len" u64) (result (result (list u8) (error $failed)))))
  (export "[method]input-stream.blocking-read"
    (func (param "self" (borrow $input)) (param "len" u64) (result (result (list u8) (error $failed)))))
  (export "[method]input-stream.subscribe" (func (param "self" (borrow $input)) (result (own $pollable))))
  (export "[method]output-stream.check-write"
    (func (param "self" (borrow $output)) (result (result u64 (error $failed)))))
  (export "[method]output-stream.write"
    (func (param "self" (borrow $output)) (param "contents" (list u8)) (result (result (error $failed)))))
  (export "[method]output-stream.blocking-write-and-flush"
    (func (param "self" (borrow $output)) (param "contents" (list u8)) (result (result (error $failed)))))
  (export "[method]output-stream.flush" (func (param "self" (borrow $output)) (result (result (error $failed)))))
  (export "[method]output-stream.blocking-flush"
    (func (param "self" (borrow $output)) (result (result (error $failed)))))
  (export "[method]output-stream.subscribe" (func (param "self" (borrow $output)) (result (own $pollable))))))
(alias export $streams "input-stream" (type $input_type))
(alias export $streams "output-stream" (type $output_type))

(import "wasi:cli/stdin@0.2.3" (instance $stdin
  (alias outer 1 $input_type (type $outer_input))
  (export "input-stream" (type $input (eq $outer_input)))
  (export "get-stdin" (func (result (own $input))))))
(import "wasi:cli/stdout@0.2.3" (instance $stdout
  (alias outer 1 $output_type (type $outer_output))
  (export "output-stream" (type $output (eq $outer_output)))
  (export "get-stdout" (func (result (own $output))))))
(import "wasi:cli/stderr@0.2.3" (instance $stderr
  (alias outer 1 $output_type (type $outer_output))
  (export "output-stream" (type $output (eq $outer_output)))
  (export "get-stderr" (func (result (own $output))))))
(import "wasi:cli/environment@0.2.3" (instance $environment
  (export "get-environment" (func (result (list (tuple string string)))))
  (export "get-arguments" (func (result (list string))))
  (export "initial-cwd" (func (result (option string))))))
(import "wasi:cli/exit@0.2.3" (instance $exit
  (export "exit" (func (param "status" (result))))
  (export "exit-with-code" (func (param "status-code" u8)))))
(import "wasi:cli/terminal-output@0.2.3" (instance $terminal_output
  (export "terminal-output" (type (sub resource)))))
(alias export $terminal_output "terminal-output" (type $terminal_type))
(import "wasi:cli/terminal-stdout@0.2.3" (instance $terminal_stdout
  (alias outer 1 $terminal_type (type $outer_terminal))
  (export "terminal-output" (type $terminal (eq $outer_terminal)))
  (export "get-terminal-stdout" (func (result (option (own $terminal)))))))

(import "wasi:clocks/monotonic-clock@0.2.3" (instance $monotonic
  (alias outer 1 $pollable_type (type $outer_pollable))
  (export "pollable" (type $pollable (eq $outer_pollable)))
  (export "now" (func (result u64)))
  (export "resolution" (func (result u64)))
  (export "subscribe-instant" (func (param "when" u64) (result (own $pollable))))
  (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
(alias export $monotonic "pollable" (type $clock_pollable_type))
(import "wasi:clocks/wall-clock@0.2.3" (instance $wall
  (type $record (record (field "seconds" u64) (field "nanoseconds" u32)))
  (export "datetime" (type $datetime (eq $record)))
  (export "now" (func (result $datetime)))
  (export "resolution" (func (result $datetime)))))
(import "wasi:random/random@0.2.3" (instance $random
  (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
  (export "get-random-u64" (func (result u64)))))
(import "wasi:random/insecure@0.2.3" (instance $insecure
  (export "get-insecure-random-bytes" (func (param "len" u64) (result (list u8))))
  (export "get-insecure-random-u64" (func (result u64)))))
(import "wasi:random/insecure-seed@0.2.3" (instance $seed
  (export "insecure-seed" (func (result (tuple u64 u64))))))
(import "wasi:filesystem/types@0.2.3" (instance $files
  (export "descriptor" (type (sub resource)))))
(alias export $files "descriptor" (type $descriptor_type))
(import "wasi:filesystem/preopens@0.2.3" (instance $preopens
  (alias outer 1 $descriptor_type (type $outer_descriptor))
  (export "descriptor" (type $descriptor (eq $outer_descriptor)))
  (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
