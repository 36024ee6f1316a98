// SPDX-License-Identifier: Apache-2.0
//! Proposals that Wisp does not have: which of them a module was built with, and how it is built without.

use wasmparser::{Validator, WasmFeatures};
use wisp_compiler::{CompileError, ErrorKind};

/// A proposal.
struct Proposal {
    name: &'static str,
    feature: WasmFeatures,
    /// Flags and other means to be rid of it.
    cure: &'static str,
}

const fn proposal(name: &'static str, feature: WasmFeatures, cure: &'static str) -> Proposal {
    Proposal { name, feature, cure }
}

/// Those that the validator knows and the compiler refuses, the special before the general: relaxed SIMD needs SIMD.
const PROPOSALS: &[Proposal] = &[
    proposal(
        "relaxed SIMD",
        WasmFeatures::RELAXED_SIMD,
        "-mno-relaxed-simd (clang, zig), -C target-feature=-relaxed-simd (rustc)",
    ),
    proposal(
        "SIMD",
        WasmFeatures::SIMD,
        "-mno-simd128 (clang), -C target-feature=-simd128 (rustc), -mcpu=lime1 (zig); asc: leave --enable simd out",
    ),
    proposal(
        "shared-everything threads",
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        "-mno-atomics and no -pthread (clang), -C target-feature=-atomics (rustc)",
    ),
    proposal(
        "threads",
        WasmFeatures::THREADS,
        "-mno-atomics and no -pthread or --shared-memory (clang), -C target-feature=-atomics and a target without \
         `-threads` (rustc), -fsingle-threaded (zig), -scheduler=none (tinygo)",
    ),
    proposal(
        "legacy exception handling",
        WasmFeatures::LEGACY_EXCEPTIONS,
        "-fno-exceptions and no -fwasm-exceptions, and no setjmp (clang), -C panic=abort (rustc)",
    ),
    proposal(
        "exception handling",
        WasmFeatures::EXCEPTIONS,
        "-fno-exceptions and no -fwasm-exceptions, and no setjmp (clang), -C panic=abort (rustc)",
    ),
    proposal(
        "memory64",
        WasmFeatures::MEMORY64,
        "--target=wasm32 in place of wasm64 (clang, zig, rustc: wasm32-unknown-unknown or wasm32-wasip1)",
    ),
    proposal(
        "multiple memories",
        WasmFeatures::MULTI_MEMORY,
        "link with one memory: no -mmultimemory (clang), no wasm-merge of modules that have a memory each",
    ),
    proposal(
        "stack switching",
        WasmFeatures::STACK_SWITCHING,
        "a compiler without continuations: -scheduler=asyncify or none (tinygo), no --enable-stack-switching (binaryen)",
    ),
    proposal(
        "wide arithmetic",
        WasmFeatures::WIDE_ARITHMETIC,
        "-mno-wide-arithmetic (clang), -C target-feature=-wide-arithmetic (rustc)",
    ),
    proposal(
        "compact imports",
        WasmFeatures::COMPACT_IMPORTS,
        "no --enable-compact-imports (binaryen)",
    ),
    proposal("memory control", WasmFeatures::MEMORY_CONTROL, "no memory.discard"),
    proposal(
        "custom descriptors",
        WasmFeatures::CUSTOM_DESCRIPTORS,
        "a language that compiles to linear memory: C, C++, Rust, Zig, TinyGo, AssemblyScript",
    ),
    proposal(
        "garbage collection",
        WasmFeatures::GC,
        "a language that compiles to linear memory: C, C++, Rust, Zig, TinyGo, AssemblyScript; binaryen: no --enable-gc",
    ),
    proposal(
        "typed function references",
        WasmFeatures::FUNCTION_REFERENCES,
        "a language that compiles to linear memory: C, C++, Rust, Zig, TinyGo, AssemblyScript; binaryen: no \
         --enable-typed-function-references",
    ),
];

/// Returns where the module is found invalid with these features, if it is.
fn invalid_at(wasm: &[u8], features: WasmFeatures) -> Option<u64> {
    Validator::new_with_features(features).validate_all(wasm).err().map(|error| error.offset())
}

/// Returns the proposal because of which the module is refused at this offset.
fn cause(wasm: &[u8], offset: u64) -> Option<&'static Proposal> {
    let named = |name: &str| PROPOSALS.iter().find(|proposal| proposal.name == name);
    // this validator is built without SIMD's opcodes, which have a prefix: those from 0x100 on are the relaxed ones
    if let Some([0xfd, opcode @ ..]) = wasm.get(offset as usize..) {
        let relaxed = opcode.first().is_some_and(|low| low & 0x80 != 0) && opcode.get(1).is_some_and(|high| *high > 1);
        return named(if relaxed { "relaxed SIMD" } else { "SIMD" });
    }
    let all = WasmFeatures::all();
    if invalid_at(wasm, all) == Some(offset) {
        // wrong in any case
        return None;
    }
    PROPOSALS.iter().find(|proposal| {
        // what stands on it goes with it
        let without = match proposal.feature {
            WasmFeatures::SIMD => all.difference(WasmFeatures::SIMD | WasmFeatures::RELAXED_SIMD),
            WasmFeatures::FUNCTION_REFERENCES => all.difference(WasmFeatures::FUNCTION_REFERENCES | WasmFeatures::GC),
            feature => all.difference(feature),
        };
        invalid_at(wasm, without) == Some(offset)
    })
}

/// Returns the error of the compiler in other words if a proposal is its cause.
pub fn explained(wasm: &[u8], error: CompileError) -> CompileError {
    if !matches!(error.kind, ErrorKind::Invalid(_)) {
        return error;
    }
    match cause(wasm, error.offset.into()) {
        Some(Proposal { name, cure, .. }) => CompileError {
            kind: ErrorKind::Invalid(format!(
                "the module needs the proposal {name}, which Wisp does not have; build it without: {cure}"
            )),
            ..error
        },
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the words for a module that is refused.
    fn refused(text: &str) -> String {
        let wasm = wat::parse_str(text).unwrap();
        let error = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).map(drop).unwrap_err();
        explained(&wasm, error).to_string()
    }

    #[test]
    fn each_proposal_is_named_with_its_place_and_its_cure() {
        for (text, name, cure) in [
            ("(module (func $f (drop (v128.const i64x2 0 0))))", "SIMD", "-mno-simd128 (clang)"),
            ("(module (func $f (param v128)))", "SIMD", "-C target-feature=-simd128 (rustc)"),
            (
                "(module (func $f unreachable i8x16.relaxed_swizzle drop))",
                "relaxed SIMD",
                "-mno-relaxed-simd",
            ),
            ("(module (func $f unreachable i8x16.add drop))", "the proposal SIMD,", "-mno-simd128"),
            ("(module (memory 1 2 shared))", "threads", "-mno-atomics"),
            (
                "(module (memory 1) (func $f (drop (i32.atomic.load (i32.const 0)))))",
                "threads",
                "-C target-feature=-atomics",
            ),
            ("(module (tag $t) (func $f (throw $t)))", "exception handling", "-fno-exceptions"),
            ("(module (tag $t) (func $f try catch_all end))", "exception handling", "-C panic=abort"),
            ("(module (memory i64 1))", "memory64", "wasm32"),
            ("(module (memory 1) (memory 1))", "multiple memories", "one memory"),
            ("(module (type (struct (field i32))))", "garbage collection", "linear memory"),
            ("(module (func $f (param anyref)))", "garbage collection", "linear memory"),
            ("(module (type $t (func)) (func $f (param (ref $t)) (call_ref $t (local.get 0))))", "typed function", "linear"),
            (
                "(module (func $f (result i64 i64) (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))",
                "wide arithmetic",
                "-mno-wide-arithmetic",
            ),
            (
                "(module (type $f (func)) (type $c (cont $f)) (func $g (drop (cont.new $c (ref.null $f)))))",
                "stack switching",
                "continuations",
            ),
        ] {
            let said = refused(text);
            let expected = "the module needs the proposal ";
            assert!(said.starts_with(expected) && said.contains(name) && said.contains(cure), "{text}\n{said}");
            assert!(said.contains("build it without: ") && said.contains(" (at offset 0x"), "{said}");
            if text.contains("(drop (") && !text.contains("cont.new") {
                assert!(said.contains("in function 0 `"), "{said}");
            }
        }
    }

    #[test]
    fn other_errors_keep_their_words() {
        let said = refused("(module (func (result i32) (i64.const 1)))");
        assert_eq!(said, "type mismatch: expected i32, found i64 (at offset 0x1a, in function 0)");
    }

    #[test]
    fn all_of_lime1_is_there() {
        for text in [
            "(module (global $g (export \"g\") (mut i32) (i32.const 0)))",
            "(module (func (result i32 i64) (i32.const 1) (i64.const 2)))",
            "(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))",
            "(module (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))",
            "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) \
             (memory.copy (i32.const 0) (i32.const 0) (i32.const 1))))",
            "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
        ] {
            let wasm = wat::parse_str(text).unwrap();
            assert!(wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).is_ok(), "{text}");
        }
        // call-indirect-overlong: the table's index as linkers write it before they know it
        let text = "(module (type (func)) (table 1 funcref) (func (call_indirect (type 0) (i32.const 0))))";
        let mut wasm = wat::parse_str(text).unwrap();
        let code = wasm.windows(3).rposition(|bytes| bytes == [0x11, 0, 0]).unwrap();
        wasm.splice(code + 2..code + 3, [0x80, 0x80, 0x80, 0x80, 0]);
        // the sizes of the body and of the code section, which is the last
        let body = wasm[..code].iter().rposition(|&byte| byte == 0x41).unwrap() - 2;
        wasm[body] += 4;
        wasm[body - 2] += 4;
        assert_eq!(wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).map(drop), Ok(()));
    }
}
