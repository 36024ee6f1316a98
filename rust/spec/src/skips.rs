// SPDX-License-Identifier: Apache-2.0
//! All that is not run, and why.

/// Groups of the suite that are not run: name, reason.
pub const GROUPS: &[(&str, &str)] = &[
    ("wasm-v3", "WebAssembly 3.0 is GC, exceptions, memory64 and more; what Wisp has of it runs as proposals"),
    ("wasm-latest", "as wasm-v3"),
    ("wasm-v1", "part of WebAssembly 2.0, whose own files run"),
    ("bulk-memory", "as wasm-v1"),
    ("multi-value", "as wasm-v1"),
    ("mutable-global", "as wasm-v1"),
    ("nontrapping-float-to-int-conversions", "as wasm-v1"),
    ("reference-types", "as wasm-v1"),
    ("sign-extension-ops", "as wasm-v1"),
    ("annotations", "concerns the text format only, which Wisp does not read"),
    ("custom-descriptors", "not supported: needs GC"),
    ("exceptions", "not supported"),
    ("function-references", "not supported"),
    ("gc", "not supported"),
    ("memory64", "not supported"),
    ("multi-memory", "not supported"),
    ("relaxed-simd", "not supported: SIMD"),
    ("simd", "not supported: no target has the registers for it"),
    ("threads", "not supported"),
    ("wide-arithmetic", "not supported"),
];

/// Files of groups that are run: group, file, reason.
pub const FILES: &[(&str, &str, &str)] = &[("custom-page-sizes", "memory_max_i64.wast", "memory64 is not supported")];

/// Directives of a file: group, file, first and last line, reason.
pub type Directives = (&'static str, &'static str, usize, usize, &'static str);

/// Directives of files that are run otherwise.
pub const DIRECTIVES: &[Directives] = &[
    ("custom-page-sizes", "custom-page-sizes.wast", 60, 91, "several memories in a module are not supported"),
    ("custom-page-sizes", "custom-page-sizes.wast", 96, 106, "several memories; see cases/page-size-links.wast"),
    (
        "custom-page-sizes",
        "custom-page-sizes-invalid.wast",
        97,
        115,
        "several memories; see cases/page-size-links.wast",
    ),
];

const STACK: &str =
    "gcc makes no jump of a tail call on Armv6-M: it takes stack, and a hundred thousand take all of it";

/// Directives that native code for Armv6-M and its like cannot run.
pub const THUMB1_NATIVE: &[Directives] = &[
    ("tail-call", "return_call_indirect.wast", 260, 261, STACK),
    ("tail-call", "return_call_indirect.wast", 266, 267, STACK),
];
