// SPDX-License-Identifier: Apache-2.0
//! Images as the compiler makes them, read back, and damaged.

use wisp_compiler::{compile, Options};
use wisp_image::disassemble;
use wisp_image::format::{external, Section};
use wisp_image::ops::{opcode, Class, Operand, Sem};
use wisp_image::verify::{scratch_words, verify, Rule};
use wisp_image::{Image, ImageError};

const SAMPLE: &str = r#"
(module
  (import "env" "add" (func $add (param i32 i64) (result i64)))
  (memory (export "memory") 1)
  (global $sp (mut i32) (i32.const 1024))
  (global (export "__heap_base") i32 (i32.const 2048))
  (table 4 funcref)
  (elem (i32.const 1) $f $g)
  (data (i32.const 16) "hello")
  (type $binary (func (param i32 i32) (result i32)))
  (func $f (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $g (type $binary)
    (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.load8_u offset=16 (local.get $i))))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
    (block $a (block $b (block $c (br_table $a $b $c (local.get 0))) (return (i32.const 1))) (return (i32.const 2)))
    (call_indirect (type $binary) (local.get $i) (i32.const 7) (i32.const 1)))
  (func (export "run") (param i32) (result i64)
    (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
    (call $add (call $g (local.get 0) (i32.const 3)) (i64.const 0x123456789abcdef))))
"#;

fn sample() -> Vec<u8> {
    let wasm = wat::parse_str(SAMPLE).unwrap();
    compile(&wasm, &Options { name: "sample", version: (1, 2, 3), ..Options::default() }).unwrap().image
}

fn check(bytes: &[u8]) -> Result<(), ImageError> {
    let image = Image::parse(bytes)?;
    verify(&image, &mut vec![u32::MAX; scratch_words(&image)?])
}

#[test]
fn a_compiled_module_passes_the_verifier_and_reads_back() {
    let bytes = sample();
    check(&bytes).unwrap();
    let image = Image::parse(&bytes).unwrap();
    let manifest = image.manifest().unwrap();
    assert_eq!((manifest.name.shown(), manifest.version), ("sample", (1, 2, 3)));
    assert_eq!(manifest.init, None);
    let memory = manifest.memory.unwrap();
    assert!(memory.trimmed && !memory.grows);
    assert_eq!((memory.min, memory.backed), (1, 2048));
    assert_eq!(image.function_count(), 3);
    assert_eq!(image.export(2).unwrap().name, "run");
    let run = image.export(2).unwrap();
    assert_eq!(image.export_named("run"), Some((run.kind, run.index)));
    assert_eq!((image.export_named("ru"), image.export_named("")), (None, None));
    assert_eq!(image.imports().counts()[usize::from(external::FUNCTION)], image.imports_of(external::FUNCTION));
    let again = Image::parsed(&bytes);
    assert_eq!((again.section(Section::Code), again.content()), (image.section(Section::Code), image.content()));
    assert_eq!(image.data(0).unwrap().bytes, b"hello");
    assert_eq!(image.element(0).unwrap().item(1), Some(3));
    assert_eq!(image.import(0).unwrap().name, "add");
}

#[test]
fn the_same_module_gives_the_same_bytes() {
    assert_eq!(sample(), sample());
}

#[test]
fn every_truncation_is_refused() {
    let bytes = sample();
    let total = Image::parse(&bytes).unwrap().content().len();
    for length in 0..total {
        assert!(check(&bytes[..length]).is_err(), "{length} of {total} bytes");
    }
}

#[test]
fn damaged_images_never_panic_the_reader_or_the_verifier() {
    let bytes = sample();
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut copy = bytes.clone();
        for _ in 0..1 + state % 4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 8) as usize % copy.len();
            copy[at] = state as u8;
        }
        refused += usize::from(check(&copy).is_err());
    }
    assert!(refused > 5_000, "{refused} of 20000 refused");
}

/// Returns the sample with one word of its code replaced, the `word`th of the first op with this meaning. The op may be
/// part of a sequence unless the opcode itself is to be replaced.
fn with_word(sem: Sem, word: usize, value: u16) -> Vec<u8> {
    let mut bytes = sample();
    let image = Image::parse(&bytes).unwrap();
    let code = image.section(Section::Code);
    let place = |op: disassemble::Decoded<'_>| {
        let mut before = 0;
        for part in op.op.parts() {
            if part.sem == sem && (word > 0 || op.op.sequence.is_empty()) {
                return Some(op.offset + 2 * (before + word));
            }
            before += part.words() - 1;
        }
        None
    };
    let offset = disassemble::ops(code, 0, code.len()).find_map(place).unwrap();
    let at = code.as_ptr() as usize - bytes.as_ptr() as usize + offset;
    bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    bytes
}

fn rule(bytes: &[u8]) -> Rule {
    match check(bytes) {
        Err(ImageError::Code(_, _, rule)) => rule,
        other => panic!("expected a broken rule, got {other:?}"),
    }
}

#[test]
fn each_rule_of_the_verifier_is_enforced() {
    let slot_outside = with_word(Sem::I32Add, 1, 0x4000);
    assert_eq!(rule(&slot_outside), Rule::SlotInFrame);
    let slot_misaligned = with_word(Sem::I32Add, 1, 2);
    assert_eq!(rule(&slot_misaligned), Rule::SlotInFrame);
    assert_eq!(rule(&with_word(Sem::I32Add, 0, 0xfffc)), Rule::KnownOp);
    assert_eq!(rule(&with_word(Sem::Enter, 1, 4)), Rule::FrameSize);
    assert_eq!(rule(&with_word(Sem::BrTable, 2, 0x7000)), Rule::OperandsInFunction);
    assert_eq!(rule(&with_word(Sem::BrTable, 3, 2)), Rule::BranchTarget);
    assert_eq!(rule(&with_word(Sem::BrTable, 3, 0)), Rule::BranchTarget);
    assert_eq!(rule(&with_word(Sem::CallIndirect, 1, 4)), Rule::CallFrame);
    assert_eq!(rule(&with_word(Sem::CallIndirect, 2, 99)), Rule::Index);
    assert_eq!(rule(&with_word(Sem::CallIndirect, 3, 1)), Rule::Index);
    assert_eq!(rule(&with_word(Sem::Call, 2, 1)), Rule::CallTarget);
    assert_eq!(rule(&with_word(Sem::CallImport, 2, 1)), Rule::Index);
    assert_eq!(rule(&with_word(Sem::CallImport, 1, 0x7ffc)), Rule::CallFrame);
    assert_eq!(rule(&with_word(Sem::GlobalSet, 1, 2)), Rule::Index);
    let enter = opcode(Class::Special, Sem::Enter, &[Operand::FrameSize]).unwrap();
    assert_eq!(rule(&with_word(Sem::Return32, 0, enter * 4)), Rule::EnterFirst);
    let long = opcode(Class::Special, Sem::Const64, &[Operand::Dst64, Operand::Imm64]).unwrap();
    assert_eq!(rule(&with_word(Sem::Return64, 0, long * 4)), Rule::OperandsInFunction);
    let size = opcode(Class::Special, Sem::MemorySize, &[Operand::Dst]).unwrap();
    assert_eq!(rule(&with_word(Sem::Return64, 0, size * 4)), Rule::FallsThrough);
    let mov = opcode(Class::Special, Sem::Mov, &[Operand::Dst, Operand::Acc]).unwrap();
    assert_eq!(rule(&with_word(Sem::Return64, 0, mov * 4)), Rule::Accumulator);
}

#[test]
fn a_raw_module_is_recognised() {
    assert_eq!(check(&wat::parse_str("(module)").unwrap()), Err(ImageError::RawWasm));
    assert_eq!(check(b"ELF..............").unwrap_err(), ImageError::Magic(*b"ELF."));
    assert_eq!(check(b"WISP"), Err(ImageError::Truncated(16, 4)));
}

#[test]
fn what_is_not_constant_becomes_an_init_function() {
    let wasm = wat::parse_str(
        r#"(module (import "env" "base" (global $b i32)) (memory 1) (data (global.get $b) "x")
             (func $s) (start $s))"#,
    )
    .unwrap();
    let image = compile(&wasm, &Options::default()).unwrap().image;
    check(&image).unwrap();
    let image = Image::parse(&image).unwrap();
    assert_eq!(image.manifest().unwrap().init, Some(1));
}

#[test]
fn a_rejected_module_names_function_and_offset() {
    let wasm = wat::parse_str("(module (func) (func $bad (result i32) i64.const 1))").unwrap();
    let error = compile(&wasm, &Options::default()).err().unwrap();
    assert_eq!(error.function, Some(1));
    assert_eq!(error.name.as_deref(), Some("bad"));
    assert!(error.offset > 8);
    assert!(error.to_string().contains("type mismatch"), "{error}");
}

#[test]
fn a_module_that_asks_for_too_much_memory_is_told_the_cure() {
    let wasm = wat::parse_str("(module (memory 17))").unwrap();
    let options = Options { memory_limit: Some(65_536), ..Options::default() };
    let text = compile(&wasm, &options).err().unwrap().to_string();
    assert!(text.contains("1114112") && text.contains("stack-size"), "{text}");
}
