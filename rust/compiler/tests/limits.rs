// SPDX-License-Identifier: Apache-2.0
//! At each limit of the image a module compiles and its image verifies; beyond, it is refused with the number, the
//! limit and what to do. The table is in doc/limits.md.

use wisp_compiler::{compile, CompileError, ErrorKind, Options};
use wisp_image::verify::{scratch_words, verify};
use wisp_image::Image;

/// Returns a number as wasm has it.
fn leb(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        out.push(byte | u8::from(value != 0) << 7);
        if value == 0 {
            return out;
        }
    }
}

/// Returns a section of this many entries.
fn section(id: u8, count: usize, entry: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut content = leb(count as u64);
    (0..count).for_each(|index| content.extend(entry(index)));
    [vec![id], leb(content.len() as u64), content].concat()
}

fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

fn name(text: &str) -> Vec<u8> {
    [leb(text.len() as u64), text.as_bytes().to_vec()].concat()
}

/// Returns the body of a function, with the locals that it declares.
fn body(locals: &[u8], code: &[u8]) -> Vec<u8> {
    [leb((locals.len() + code.len() + 1) as u64), locals.to_vec(), code.to_vec(), vec![0x0b]].concat()
}

const EMPTY_TYPE: &[u8] = &[0x60, 0, 0];
const MEMORY: &[u8] = &[5, 3, 1, 0, 60];

fn types() -> Vec<u8> {
    section(1, 1, |_| EMPTY_TYPE.to_vec())
}

fn functions(count: usize) -> Vec<Vec<u8>> {
    vec![section(3, count, |_| vec![0]), section(10, count, |_| body(&[0], &[]))]
}

/// Returns the image, which verifies.
fn image(wasm: &[u8]) -> Vec<u8> {
    let compiled = compile(wasm, &Options::default()).map_err(|error| error.to_string()).expect("it compiles");
    let image = Image::parse(&compiled.image).expect("it can be read");
    let mut scratch = vec![0; scratch_words(&image).expect("it has functions")];
    verify(&image, &mut scratch).expect("it is valid");
    compiled.image
}

fn refusal(wasm: &[u8]) -> CompileError {
    compile(wasm, &Options::default()).err().expect("it is refused")
}

/// Returns the refusal of too many things: (of what, how many, limit). Its text says so, and what to do.
fn too_many(wasm: &[u8]) -> (&'static str, u64, u64) {
    let error = refusal(wasm);
    let ErrorKind::TooMany { what, count, limit, remedy } = error.kind else { panic!("{error}") };
    let text = error.to_string();
    assert!(text.contains(&format!("{count} {what}")) && text.contains(&limit.to_string()), "{text}");
    assert!(!remedy.is_empty() && text.contains(remedy), "{text}");
    (what, count, limit)
}

#[test]
fn functions_are_counted() {
    let with = |count| module(&[vec![types()], functions(count)].concat());
    image(&with(65_533));
    assert_eq!(too_many(&with(65_534)), ("functions", 65_535, 65_534));
}

#[test]
fn distinct_types_are_counted() {
    let of = |index: usize| {
        let params: Vec<u8> = (0..9).map(|digit| 0x7c + (index >> (2 * digit) & 3) as u8).collect();
        [&[0x60, 9][..], &params, &[0]].concat()
    };
    let with = |count| module(&[section(1, count, of)]);
    image(&with(65_534));
    assert_eq!(too_many(&with(65_535)), ("distinct types", 65_536, 65_535));
    // the same ones again cost nothing
    image(&module(&[section(1, 200_000, |index| of(index % 100))]));
}

#[test]
fn bytes_of_globals_are_counted() {
    let i32s = |count| module(&[section(6, count, |_| vec![0x7f, 1, 0x41, 0, 0x0b])]);
    image(&i32s(16_382));
    assert_eq!(too_many(&i32s(16_383)), ("bytes of globals", 65_532, 65_528));
    let i64s = |count| module(&[section(6, count, |_| vec![0x7e, 1, 0x42, 0, 0x0b])]);
    image(&i64s(8191));
    assert_eq!(too_many(&i64s(8192)), ("bytes of globals", 65_536, 65_528));
}

#[test]
fn imported_globals_are_counted() {
    let with = |count| module(&[section(2, count, |_| [name("e"), name("g"), vec![3, 0x7f, 0]].concat())]);
    image(&with(65_536));
    assert_eq!(too_many(&with(65_537)), ("imported globals", 65_537, 65_536));
}

#[test]
fn element_segments_are_counted() {
    let table = section(4, 1, |_| vec![0x70, 0, 1]);
    let with = |count| module(&[table.clone(), section(9, count, |_| vec![0, 0x41, 0, 0x0b, 0])]);
    image(&with(65_535));
    assert_eq!(too_many(&with(65_536)), ("element segments", 65_536, 65_535));
}

/// Returns an active data segment of one byte.
fn segment(address: usize, byte: u8) -> Vec<u8> {
    // five bytes, so that the sign does not matter
    let at = address as u32;
    let at =
        [at as u8 | 0x80, (at >> 7) as u8 | 0x80, (at >> 14) as u8 | 0x80, (at >> 21) as u8 | 0x80, (at >> 28) as u8];
    [&[0, 0x41][..], &at, &[0x0b, 1, byte]].concat()
}

#[test]
fn neighbouring_data_segments_become_one() {
    for (gap, segments) in [(1, 1), (2, 1), (17, 1), (18, 82_878 / 2)] {
        let count = if gap == 18 { 82_878 / 2 } else { 82_878 };
        let data = section(11, count, |index| segment(100 + index * gap, index as u8));
        let bytes = image(&module(&[MEMORY.to_vec(), data]));
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(image.data_count(), segments, "gap {gap}");
        let mut memory = vec![0; 60 << 16];
        for index in 0..image.data_count() {
            let data = image.data(index).unwrap();
            memory[data.offset as usize..][..data.bytes.len()].copy_from_slice(data.bytes);
        }
        let mut expected = vec![0; memory.len()];
        (0..count).for_each(|index| expected[100 + index * gap] = index as u8);
        assert!(memory == expected, "gap {gap}");
    }
}

#[test]
fn wider_gaps_are_filled_where_there_are_too_many_segments() {
    let data = section(11, 82_878, |index| segment(index * 40, 7));
    let bytes = image(&module(&[MEMORY.to_vec(), data]));
    assert!(Image::parse(&bytes).unwrap().data_count() < 65_536);
}

#[test]
fn one_segment_at_a_high_address_does_not_keep_those_behind_it_apart() {
    // as Go's linker writes them: not in the order of addresses
    let place = |index: usize| if index == 0 { 50 << 16 } else { index * 18 };
    let data = section(11, 82_878, |index| segment(place(index), 7));
    let bytes = image(&module(&[MEMORY.to_vec(), data]));
    assert!(Image::parse(&bytes).unwrap().data_count() < 65_536);
}

/// Compiles a module with a byte at each of these places below 64, and checks that the image makes the same memory.
/// Returns the number of its segments.
fn segments_of(places: &[(usize, u8)]) -> usize {
    let data = section(11, places.len(), |index| segment(places[index].0, places[index].1));
    let bytes = image(&module(&[MEMORY.to_vec(), data]));
    let image = Image::parse(&bytes).unwrap();
    let (mut memory, mut expected) = ([0; 64], [0; 64]);
    places.iter().for_each(|&(place, byte)| expected[place] = byte);
    for index in 0..image.data_count() {
        let data = image.data(index).unwrap();
        memory[data.offset as usize..][..data.bytes.len()].copy_from_slice(data.bytes);
    }
    assert_eq!(memory, expected, "{places:?}");
    image.data_count()
}

#[test]
fn data_segments_in_any_order_leave_the_same_memory() {
    let mut state = 1u32;
    let mut below = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % limit
    };
    let mut joined = 0;
    for _ in 0..300 {
        let places: Vec<(usize, u8)> = (0..12).map(|index| (below(60) as usize, index + 1)).collect();
        joined += places.len() - segments_of(&places);
    }
    assert!(joined > 300, "{joined} were joined");
}

#[test]
fn data_segments_that_overlap_or_go_back_keep_their_order() {
    let places = [(10, 1), (11, 2), (10, 3), (12, 4), (12, 5), (5, 6), (13, 7), (40, 8), (30, 9), (31, 10)];
    assert!(segments_of(&places) < places.len());
}

#[test]
fn data_segments_that_the_code_names_are_counted() {
    let count = 65_536;
    let with = |count: usize| {
        let names = section(3, 1, |_| vec![0]);
        let code = section(10, 1, |_| body(&[0], &[0xfc, 9, 0]));
        let number = section(12, 0, |_| vec![])[..1].to_vec();
        let number = [number, leb(leb(count as u64).len() as u64), leb(count as u64)].concat();
        module(&[types(), names, MEMORY.to_vec(), number, code, section(11, count, |index| segment(index, 7))])
    };
    image(&with(65_535));
    assert_eq!(too_many(&with(count)), ("data segments", 65_536, 65_535));
}

#[test]
fn empty_segments_that_the_code_names_keep_their_numbers() {
    for memory in ["(memory 1)", "(import \"h\" \"memory\" (memory 1))"] {
        let text = format!(
            "(module {memory} (func (export \"f\") (data.drop 2))
             (data (i32.const 0) \"\") (data (i32.const 0) \"\") (data (i32.const 0) \"\"))"
        );
        let bytes = image(&wat::parse_str(text).unwrap());
        assert_eq!(Image::parse(&bytes).unwrap().data_count(), 3, "{memory}");
    }
}

#[test]
fn segments_of_memories_that_others_see_stay_apart() {
    let import = section(2, 1, |_| [name("e"), name("m"), vec![2, 0, 1]].concat());
    let data = section(11, 3, |index| segment(index, 7));
    let bytes = image(&module(&[import, data]));
    assert_eq!(Image::parse(&bytes).unwrap().data_count(), 3);
    // the second reaches beyond the memory: what the first writes stays
    let beyond = section(11, 2, |index| segment((1 << 16) - 1 + index, 7));
    let bytes = image(&module(&[section(5, 1, |_| vec![0, 1]), beyond]));
    assert_eq!(Image::parse(&bytes).unwrap().data_count(), 2);
}

#[test]
fn bytes_of_names_are_counted() {
    let with = |length: usize| {
        let export = section(7, 1, |_| [name(&"x".repeat(length)), vec![0, 0]].concat());
        module(&[vec![types()], vec![functions(1)[0].clone(), export, functions(1)[1].clone()]].concat())
    };
    image(&with(65_535));
    assert_eq!(too_many(&with(65_536)), ("bytes in the name of an import or export", 65_536, 65_535));
}

/// Returns a function with this many i64 locals, of which it sets the first ones.
fn with_locals(declared: u64, used: usize) -> Vec<u8> {
    let set = |index: usize| [vec![0x42, 1, 0x21], leb(index as u64)].concat();
    let get = |index: usize| [vec![0x20], leb(index as u64), vec![0x1a]].concat();
    let code: Vec<u8> = (0..used).flat_map(|index| [set(index), get(index)].concat()).collect();
    let locals = [vec![1], leb(declared), vec![0x7e]].concat();
    module(&[types(), section(3, 1, |_| vec![0]), section(10, 1, |_| body(&locals, &code))])
}

#[test]
fn slots_of_a_frame_are_counted() {
    image(&with_locals(8190, 8190));
    let error = refusal(&with_locals(9000, 9000));
    assert_eq!((error.kind.clone(), error.function), (ErrorKind::FrameTooLarge(18_000), Some(0)));
    let text = error.to_string();
    assert!(text.contains("18000") && text.contains("16383") && text.contains("function 0"), "{text}");
}

#[test]
fn locals_that_nobody_uses_take_no_slot() {
    let bytes = image(&with_locals(50_000, 3));
    assert_eq!(Image::parse(&bytes).unwrap().manifest().unwrap().max_frame, 3 * 8);
}

#[test]
fn many_locals_in_many_blocks_are_cleared_without_looking() {
    let depth = 30_000;
    let code: Vec<u8> = [[0x03, 0x40].repeat(depth), vec![0x20, 0, 0x1a], [0x0b].repeat(depth)].concat();
    let locals = [vec![1], leb(50_000), vec![0x7f]].concat();
    image(&module(&[types(), section(3, 1, |_| vec![0]), section(10, 1, |_| body(&locals, &code))]));
}

#[test]
fn parameters_and_results_reach_the_validators_limit() {
    let ty = [vec![0x60], leb(1000), vec![0x7e; 1000], leb(1000), vec![0x7e; 1000]].concat();
    let code: Vec<u8> = (0..1000).rev().flat_map(|index| [vec![0x20], leb(index)].concat()).collect();
    let call: Vec<u8> =
        [(0..1000).flat_map(|index| [vec![0x20], leb(index)].concat()).collect(), vec![0x10, 0]].concat();
    let wasm = module(&[
        section(1, 1, |_| ty.clone()),
        section(3, 2, |_| vec![0]),
        section(10, 2, |index| body(&[0], if index == 0 { &code } else { &call })),
    ]);
    image(&wasm);
}

#[test]
fn a_large_module_takes_time_in_proportion() {
    // what is quadratic takes minutes here
    let types = section(1, 100_000, |index| match index {
        0 => EMPTY_TYPE.to_vec(),
        _ => [vec![0x60, 8], (0..8).map(|d| 0x7c + (((index % 60_000) >> (2 * d)) & 3) as u8).collect(), vec![0]]
            .concat(),
    });
    let exports = section(7, 100_000, |index| [name(&format!("e{index}")), vec![0, 0]].concat());
    let functions = functions(60_000);
    image(&module(&[types, functions[0].clone(), exports, functions[1].clone()]));
}
