// SPDX-License-Identifier: Apache-2.0
//! Dumps of guests that trap, in rooms of any size.

use wisp_compiler::{compile, Options};
use wisp_engine::{Config, Engine, Linker, Module, Store};
use wisp_image::format::external;

use super::*;

/// Traps in the innermost of three calls.
const GUEST: &str = r#"(module
    (memory 1)
    (global (mut i32) (i32.const 7))
    (global (mut i64) (i64.const -2))
    (data (i32.const 100) "first")
    (data (i32.const 110) "near")
    (data (i32.const 60000) "far away")
    (func $third (param $x i64) (local $y f64)
        (local.set $y (f64.const 2.5))
        (i64.store (i32.const 8) (local.get $x))
        unreachable)
    (func $second (param i32) (local.set 0 (i32.const 9)) (call $third (i64.const 5000000000)))
    (func (export "_start") (call $second (i32.const 8))))"#;

/// Runs the guest, and returns its dump in a room of `bytes`, with the module.
fn dump(bytes: usize, debug: bool) -> (Vec<u8>, Vec<u8>, wisp_compiler::Compiled) {
    let wasm = wat::parse_str(GUEST).unwrap();
    let compiled = compile(&wasm, &Options { debug, ..Options::default() }).unwrap();
    let engine = Engine::new(&Config::new().stack_size(4096));
    let module = Module::new(&engine, &compiled.image).unwrap();
    let mut arena = vec![0; 1 << 14];
    let mut store = Store::new(&engine, &mut arena, ()).unwrap();
    let instance = Linker::new().instantiate(&mut store, &module).unwrap();
    let start = instance.get_typed_func::<(), ()>(&store, "_start").unwrap();
    let trap = start.call(&mut store, ()).unwrap_err();
    let mut room = vec![0xaa; bytes + 8];
    let length = raw::write(&store, trap, &mut room[..bytes]);
    assert_eq!(room[bytes..], [0xaa; 8]);
    room.truncate(length);
    (room, wasm, compiled)
}

fn resolved() -> (Dump, Vec<u8>) {
    let (bytes, wasm, compiled) = dump(1 << 16, true);
    let mut dump = Dump::parse(&bytes).unwrap();
    let imported = wisp_image::Image::parse(&compiled.image).unwrap().imports_of(external::FUNCTION) as u32;
    dump.resolve(&compiled.source_map, compiled.debug.as_ref(), imported);
    dump.name = "guest.wasm".into();
    (dump, wasm)
}

#[test]
fn frames_have_their_locals_and_globals_and_memory_their_values() {
    let (dump, _) = resolved();
    assert_eq!(dump.trap.code, TrapCode::Unreachable);
    let functions: Vec<u32> = dump.frames.iter().map(|frame| frame.place.func).collect();
    assert_eq!(functions, [0, 1, 2]);
    let value = |ty, bits| Some(Value { ty, bits });
    let third = [value(ValType::I64, 5_000_000_000), value(ValType::F64, 2.5f64.to_bits())];
    assert_eq!(dump.frames[0].locals, third);
    assert_eq!(dump.frames[1].locals, [value(ValType::I32, 9)]);
    assert_eq!(dump.globals, [value(ValType::I32, 7).unwrap(), value(ValType::I64, -2i64 as u64).unwrap()]);
    assert_eq!(dump.memory, 65536);
    assert_eq!(dump.read(98, 18), b"\0\0first\0\0\0\0\0near\0\0");
    assert_eq!(dump.read(60000, 8), b"far away");
    assert_eq!(dump.read(8, 8), 5_000_000_000u64.to_le_bytes());
    assert_eq!(dump.read(65535, 4), [0]);
    // zeros between the first two are fewer than another piece takes
    assert_eq!(dump.pieces.len(), 3);
}

#[test]
fn a_file_is_a_valid_module_and_reads_as_the_dump_that_was_written() {
    let (dump, wasm) = resolved();
    let file = dump.file(Some(&wasm));
    wasmparser::Validator::new().validate_all(&file).unwrap();
    assert!(is_core(&file) && !is_core(&wasm));
    let folder = std::env::temp_dir().join(format!("wisp-core-{}", std::process::id()));
    std::fs::write(&folder, &file).unwrap();
    let read = read(&folder).ok().unwrap();
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(read, dump);
    // the operator, by its offset in the body of its function, as other tools look it up
    let section = wasmparser::Parser::new(0).parse_all(&file).map_while(Result::ok).find_map(|payload| match payload {
        wasmparser::Payload::CustomSection(section) => match section.as_known() {
            wasmparser::KnownCustom::CoreDumpStack(stack) => Some(stack),
            _ => None,
        },
        _ => None,
    });
    let stack = section.unwrap();
    let bodies: Vec<_> = wasmparser::Parser::new(0)
        .parse_all(&wasm)
        .map_while(Result::ok)
        .filter_map(|payload| match payload {
            wasmparser::Payload::CodeSectionEntry(body) => Some(body.range().start as usize),
            _ => None,
        })
        .collect();
    let operators: Vec<u8> =
        stack.frames.iter().map(|frame| wasm[bodies[frame.funcidx as usize] + frame.codeoffset as usize]).collect();
    // unreachable, call, call
    assert_eq!(operators, [0x00, 0x10, 0x10]);
}

#[test]
fn a_dump_in_too_small_a_room_says_what_it_lacks() {
    let (whole, ..) = dump(1 << 16, false);
    for bytes in 0..whole.len() {
        let (cut, ..) = dump(bytes, false);
        assert_eq!(cut.is_empty(), bytes < HEADER + REST, "{bytes}");
        if cut.is_empty() {
            continue;
        }
        let dump = Dump::parse(&cut).unwrap();
        // the frame of the trap is known also if there was no room for it
        let frames = cut.get(HEADER) == Some(&raw::FRAME) && dump.frames.len() == 3;
        assert_eq!(dump.frames_cut, !frames, "{bytes}");
        assert_eq!(dump.globals_cut, dump.globals.len() < 2, "{bytes}");
        assert!(dump.memory_cut.is_some(), "{bytes}");
        let lacks = dump.lacks().unwrap();
        assert_eq!(lacks.contains("globals"), dump.globals_cut, "{bytes}: {lacks}");
        let file = Dump { frames: Vec::new(), ..super::file::parse(&dump.file(None)).unwrap() };
        assert_eq!(file.lacks(), Some(lacks), "{bytes}");
    }
    let (cut, ..) = dump(whole.len(), false);
    let dump = Dump::parse(&cut).unwrap();
    assert_eq!((dump.frames.len(), dump.frames_cut, dump.memory_cut), (3, false, Some(60001)));
    assert_eq!((dump.read(60000, 8), dump.read(60001, 8)), (b"f".to_vec(), Vec::new()));
    assert_eq!(Dump::parse(&whole).unwrap().lacks(), None);
}

/// Bytes of the last records.
const REST: usize = 8;

#[test]
fn what_is_no_dump_is_refused() {
    assert!(Dump::parse(b"WCD0").unwrap_err().contains("no core dump"));
    let (whole, ..) = dump(1 << 16, false);
    for length in HEADER..whole.len() {
        assert!(Dump::parse(&whole[..length]).unwrap_err().contains("cut short"), "{length}");
    }
    let mut other = whole;
    other[12] = 200;
    assert!(Dump::parse(&other).unwrap_err().contains("another version"));
}
