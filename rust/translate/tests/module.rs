// SPDX-License-Identifier: Apache-2.0
//! Whole modules in buffers of every size: all calls lead to code that was written.

use std::cell::Cell;
use std::fmt::Write;

use wisp_compiler::{compile, Options};
use wisp_image::Image;
use wisp_translate::isa::Isa;
use wisp_translate::riscv::{self, Riscv};
use wisp_translate::thumb1::Thumb1;
use wisp_translate::thumb2::{self, Thumb2};
use wisp_translate::{pins, scratch_words, translate_all, Env, Helper, Layout, Outcome};

/// An instruction set whose calls can be found in its code.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Machine {
    Thumb1,
    Thumb2,
    Riscv,
}

const MACHINES: [Machine; 3] = [Machine::Thumb1, Machine::Thumb2, Machine::Riscv];

/// The outcome of a translation, the code, and where each function begins.
struct Translation {
    machine: Machine,
    outcome: Outcome,
    code: Vec<u8>,
    begins: Vec<Option<u32>>,
}

fn image(wat: &str) -> Vec<u8> {
    let wasm = wat::parse_str(wat).expect("the text is a module");
    compile(&wasm, &Options::default()).expect("the module compiles").image
}

fn translate(machine: Machine, image: &[u8], room: usize) -> Translation {
    translate_while(machine, image, room, u32::MAX, &|| true)
}

fn translate_while(machine: Machine, image: &[u8], room: usize, budget: u32, go_on: &dyn Fn() -> bool) -> Translation {
    match machine {
        Machine::Thumb1 => translate_for::<Thumb1>(machine, image, room, budget, go_on),
        Machine::Thumb2 => translate_for::<Thumb2>(machine, image, room, budget, go_on),
        Machine::Riscv => translate_for::<Riscv>(machine, image, room, budget, go_on),
    }
}

fn translate_for<I: Isa>(
    machine: Machine,
    image: &[u8],
    room: usize,
    budget: u32,
    go_on: &dyn Fn() -> bool,
) -> Translation {
    let image = Image::parse(image).expect("the image is whole");
    let functions = vec![Cell::new(0); image.function_count()];
    let trampolines = [const { Cell::new(0) }; Helper::COUNT];
    let layout = Layout { stack_limit: 40, floor: 44, globals: 48, imported_globals: 52 };
    let helpers = &[0; Helper::COUNT];
    let env = Env {
        image: &image,
        layout,
        memory: 65536,
        fuel: true,
        helpers,
        trampolines: &trampolines,
        functions: &functions,
        go_on,
    };
    let mut scratch = vec![0; scratch_words(&image).expect("the functions can be read")];
    let mut code = vec![0; room];
    let outcome = translate_all::<I>(&env, &mut scratch, &mut &mut code[..], budget);
    let begins = functions.iter().map(|entry| entry.get().checked_sub(1)).collect();
    Translation { machine, outcome, code, begins }
}

impl Translation {
    /// Returns the offsets of all calls, and those that they go to.
    fn calls(&self) -> Vec<(u32, u32)> {
        let half = |at: usize| u32::from(u16::from_le_bytes([self.code[at], self.code[at + 1]]));
        let (mut at, mut calls, mut numbers) = (0, Vec::new(), Vec::new());
        while at + 1 < self.outcome.bytes as usize {
            let first = half(at);
            if numbers.contains(&at) {
                at += 4;
                continue;
            }
            if self.machine == Machine::Thumb1 && first >> 11 == 0b01001 {
                numbers.push(((at + 4) & !3) + (first as usize & 0xff) * 4);
            }
            let short = match self.machine {
                Machine::Thumb1 | Machine::Thumb2 => first >> 11 < 0b11101,
                Machine::Riscv => first & 3 != 3,
            };
            if short {
                at += 2;
                continue;
            }
            let bits = first | half(at + 2) << 16;
            let from = at as u32;
            match self.machine {
                Machine::Thumb1 | Machine::Thumb2 if bits & 0xd000_f800 == 0xd000_f000 => {
                    calls.push((from, (from + 4).wrapping_add(thumb2::encode::distance(bits))));
                }
                Machine::Riscv if bits & 0xfff == 0x0ef => {
                    calls.push((from, from.wrapping_add(riscv::encode::distance(bits))));
                }
                Machine::Thumb1 => panic!("at {at}: {bits:08x} is no instruction of Armv6-M"),
                _ => {}
            }
            at += 4;
        }
        calls
    }
}

/// Returns a function that calls many large ones, of which some do not fit where small ones behind them do.
fn callers() -> String {
    let mut text = String::from("(module (memory 1) (func (export \"f\") (param i32) (result i32) (local i32)\n");
    for large in 0..5 {
        let _ = writeln!(text, "(local.set 1 (i32.add (local.get 1) (call $large{large} (local.get 0))))");
    }
    text.push_str("(local.get 1))\n");
    for large in 0..5 {
        let _ = write!(text, "(func $large{large} (param i32) (result i32)");
        for step in 0..8 {
            let (factor, mask) = (1_000_003 + large * 77 + step, 777_777 + 3331 * step);
            let product = format!("(i32.mul (local.get 0) (i32.const {factor}))");
            let _ = write!(text, "(local.set 0 (i32.xor {product} (i32.const {mask})))");
        }
        text.push_str("(local.get 0))\n");
    }
    for small in 0..6 {
        let sum = format!("(i32.add (call $large{} (local.get 0)) (i32.const {small}))", small % 5);
        let _ = writeln!(text, "(func (param i32) (result i32) {sum})");
    }
    text + ")"
}

#[test]
fn accesses_below_a_local_load_no_program_counter() {
    let image = image(include_str!("../../../tests/translate/below.wat"));
    for machine in MACHINES {
        let whole = translate(machine, &image, 1 << 20);
        assert_eq!(whole.outcome.translated as usize, whole.begins.len(), "{machine:?}");
    }
    let Translation { outcome, code, .. } = translate(Machine::Thumb2, &image, 1 << 20);
    let halves: Vec<u16> = code.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut at = 0;
    while at < outcome.bytes as usize / 2 {
        let (first, second) = (halves[at], halves[at + 1]);
        // loads and stores of one register, but for those from behind the program counter, which lead to helpers
        let is_access = first & 0xfe00 == 0xf800 && first & 15 != 15;
        assert!(!is_access || second >> 12 != 15, "at {}: {first:04x} {second:04x}", 2 * at);
        at += if first >> 11 < 0b11101 { 1 } else { 2 };
    }
}

/// Registers of Thumb-1 whose values are sums with the first byte of linear memory, a bit for each.
#[derive(Clone, Copy, Default)]
struct Based(u32);

impl Based {
    fn is(self, register: u16) -> bool {
        register == 8 || self.0 >> register & 1 == 1
    }

    fn set(&mut self, register: u16, based: bool) {
        self.0 = self.0 & !(1 << register) | u32::from(based) << register;
    }

    /// Follows an instruction of two bytes.
    fn step(&mut self, half: u16) {
        let (low, any, source) = (half & 7, half & 7 | half >> 4 & 8, half >> 3 & 15);
        match half >> 8 {
            // moves and sums of any registers
            0x46 => self.set(any, self.is(source)),
            0x44 => self.set(any, self.is(any) != self.is(source)),
            // sums with numbers, comparisons, stores, and what changes no low register
            0x1c | 0x1d => self.set(low, self.is(half >> 3 & 7)),
            0x28..=0x37 | 0x45 | 0x47 | 0x50..=0x55 | 0x60..=0x67 | 0x70..=0x77 | 0x80..=0x87 | 0xb0..=0xb1 => {}
            0xb4..=0xb5 | 0xbd | 0xd0..=0xe7 => {}
            0x20..=0x27 | 0x38..=0x3f | 0x48..=0x4f => self.set(half >> 8 & 7, false),
            0xbc => (0..8).filter(|n| half >> n & 1 == 1).for_each(|n| self.set(n, false)),
            _ if half & 0xffc0 == 0x4280 => {}
            _ => self.set(low, false),
        }
    }

    /// Says whether an instruction accesses linear memory, and whether its address is a sum with the first byte.
    fn access(self, half: u16) -> Option<bool> {
        let (base, index) = (half >> 3 & 7, half >> 6 & 7);
        match half >> 12 {
            // the frame, and fields of the instance and globals, which are words
            5 if base == 7 => None,
            6 if base == 7 || !self.is(base) => None,
            5 => Some(self.is(base) != self.is(index)),
            6..=8 => Some(self.is(base)),
            _ => None,
        }
    }
}

#[test]
fn accesses_of_thumb1_are_sums_with_the_first_byte_of_memory_and_follow_a_test_of_their_alignment() {
    let image = image(include_str!("../../../tests/translate/below.wat"));
    let Translation { outcome, code, .. } = translate(Machine::Thumb1, &image, 1 << 20);
    let half = |at: usize| u16::from_le_bytes([code[at], code[at + 1]]);
    let (mut at, mut based, mut tested, mut found, mut numbers) = (0, Based::default(), false, 0, Vec::new());
    while at + 1 < outcome.bytes as usize {
        if numbers.contains(&at) {
            at += 4;
            continue;
        }
        let bits = half(at);
        if bits >> 11 == 0b01001 {
            numbers.push(((at + 4) & !3) + usize::from(bits & 0xff) * 4);
        }
        if let Some(based) = based.access(bits) {
            // opcodes of bytes: strb, ldrsb and ldrb with an index, strb and ldrb with a number
            let byte = matches!(bits >> 9, 0x2a | 0x2b | 0x2e) || bits >> 12 == 7;
            assert!(based && (byte || tested), "at {at}: {bits:04x}");
            found += 1;
        }
        tested = match bits >> 8 {
            // bne; the address may be put together behind it
            0xd1 => true,
            0x46 | 0x20..=0x27 | 0x30..=0x37 | 0x44 => tested,
            _ => false,
        };
        based.step(bits);
        at += if bits >> 11 < 0b11101 { 2 } else { 4 };
    }
    assert!(found > 50, "{found} accesses");
}

#[test]
fn accesses_of_riscv_follow_a_test_of_their_address() {
    let image = image(include_str!("../../../tests/translate/below.wat"));
    let Translation { outcome, code, .. } = translate(Machine::Riscv, &image, 1 << 20);
    let half = |at: usize| u32::from(u16::from_le_bytes([code[at], code[at + 1]]));
    let (mut at, mut tested, mut found) = (0, false, 0);
    while at + 1 < outcome.bytes as usize {
        let first = half(at);
        let (bits, bytes) = if first & 3 == 3 { (first | half(at + 2) << 16, 4) } else { (first, 2) };
        let base = match bytes {
            2 if matches!(first & 0xe003, 0x4000 | 0xc000) => Some(8 + (first >> 7 & 7)),
            4 if matches!(bits & 0x7f, 0x03 | 0x23) && bits >> 12 & 3 != 0 => Some(bits >> 15 & 31),
            _ => None,
        };
        // those at the stack, the frame and the instance are aligned
        if base.is_some_and(|base| ![2, 8, 25].contains(&base)) {
            assert!(tested, "at {at}: {bits:08x}");
            found += 1;
        }
        // bnez t3
        tested = bits & 0x01ff_f07f == 0x000e_1063;
        at += bytes;
    }
    assert!(found > 50, "{found} accesses");
}

#[test]
fn code_of_an_instance_ends_where_calls_no_longer_reach() {
    let body = "(local.set 0 (i64.rotl (local.get 0) (local.get 1)))".repeat(4000);
    let mut text = String::from("(module (memory 1) (func (export \"f\") (param i64 i64)");
    for number in 0..8 {
        let _ = write!(text, "(drop (call $g{number} (local.get 0) (local.get 1)))");
    }
    text.push(')');
    for number in 0..8 {
        let _ = write!(text, "(func $g{number} (param i64 i64) (result i64) {body} (local.get 0))");
    }
    text.push_str("(func (param i64) (drop (call $g0 (local.get 0) (local.get 0)))))");
    let part = translate(Machine::Riscv, &image(&text), 4 << 20);
    assert!(part.outcome.no_room > 0 && part.outcome.bytes <= 1 << 20, "{:?}", part.outcome.bytes);
    assert!(part.outcome.translated > 1, "{:?}", part.outcome.translated);
    assert!(part.calls().iter().all(|&(at, to)| to < part.outcome.bytes && to != at));
}

#[test]
fn in_a_buffer_of_any_size_all_calls_lead_to_code_that_was_written() {
    for machine in MACHINES {
        let image = image(&callers());
        let whole = translate(machine, &image, 1 << 20);
        assert_eq!(whole.outcome.translated as usize, whole.begins.len());
        assert!(whole.calls().len() >= 5 + 6);
        let mut numbers = std::collections::BTreeSet::new();
        for room in (0..whole.outcome.bytes as usize + 200).step_by(2) {
            let part = translate(machine, &image, room);
            let Outcome { translated, bytes, no_room, .. } = part.outcome;
            assert_eq!((translated + no_room) as usize, part.begins.len(), "room {room}");
            numbers.insert(translated);
            assert!(bytes as usize <= room, "{bytes} bytes in {room}");
            assert_eq!(part.begins.iter().flatten().count(), translated as usize);
            assert!(part.begins.iter().flatten().all(|&begin| begin < bytes), "room {room}");
            for (at, to) in part.calls() {
                assert!(to < bytes && to != at, "in {room} bytes, the call at {at} goes to {to} of {bytes}");
            }
        }
        // none, some and all of them
        assert!(
            numbers.len() > 5 && numbers.contains(&0) && numbers.contains(&whole.outcome.translated),
            "{numbers:?}"
        );
    }
}

#[test]
fn a_store_of_64_bits_by_a_slot_in_memory_is_translated_while_the_value_is_in_registers() {
    let mut text = String::from("(module (memory 1) (func (export \"f\") (param i32 i32 i32 i32 i64)");
    for slot in (1..4).cycle().take(3 * 5) {
        let _ = write!(text, "(i32.store (i32.const 0) (local.get {slot}))");
    }
    // the second time, the accesses are known to fit
    for _ in 0..2 {
        text.push_str("(local.set 4 (i64.add (local.get 4) (i64.const 7)))");
        for offset in [8, 16] {
            let _ = write!(text, "(i64.store offset={offset} (local.get 0) (local.get 4))");
        }
    }
    let image = image(&(text + "))"));
    for machine in MACHINES {
        assert_eq!(translate(machine, &image, 1 << 20).outcome.translated, 1, "{machine:?}");
    }
}

#[test]
fn a_slot_that_a_loop_names_lives_in_a_register_before_slots_that_are_named_more_often() {
    let mut text =
        String::from("(module (memory 1) (func (export \"f\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)");
    for slot in (0..9).cycle().take(9 * 5) {
        let _ = write!(text, "(i32.store (i32.const 0) (local.get {slot}))");
    }
    text.push_str("(loop $l (local.set 9 (i32.sub (local.get 9) (i32.const 1))) (br_if $l (local.get 9)))))");
    let image = image(&text);
    let image = Image::parse(&image).expect("the image is whole");
    let mut scratch = vec![0; scratch_words(&image).expect("the functions can be read")];
    let layout = Layout { stack_limit: 40, floor: 44, globals: 48, imported_globals: 52 };
    let trampolines = [const { Cell::new(0) }; Helper::COUNT];
    let env = Env {
        image: &image,
        layout,
        memory: 65536,
        fuel: true,
        helpers: &[0; Helper::COUNT],
        trampolines: &trampolines,
        functions: &[],
        go_on: &|| true,
    };
    let pins = [
        pins::<Thumb1>(&env, 0, &mut scratch).expect("there is room"),
        pins::<Thumb2>(&env, 0, &mut scratch).expect("there is room"),
        pins::<Riscv>(&env, 0, &mut scratch).expect("there is room"),
    ];
    for pins in pins {
        assert_eq!(
            pins.iter().next().map(|(slot, _)| slot),
            Some(4 * 9),
            "the first register is for the slot of the loop"
        );
        assert!(pins.iter().count() > 1);
    }
}

/// Returns a function with a branch, and a table of branches if it is asked for, over many rotations of 64 bits. Where a
/// function of the firmware rotates, the code has many stores in their place.
fn far(machine: Machine, table: bool, times: usize) -> String {
    let branch = if table { "(br_table $in $out $in (local.get 0))" } else { "(br_if $out (local.get 0))" };
    let body = match machine {
        Machine::Thumb1 => "(i64.store (local.get 0) (local.get 1))",
        _ => "(local.set 1 (i64.rotl (local.get 1) (local.get 2)))",
    };
    let body = body.repeat(times);
    format!(
        "(module (memory 1) (func (export \"f\") (param i32 i64 i64) (result i64)
            (block $out (block $in {branch}) {body}) (local.get 1)))"
    )
}

#[test]
fn calls_are_written_once_if_a_branch_ahead_turns_out_to_be_too_short() {
    for machine in MACHINES {
        // the bytes of IR say that a short branch reaches over it
        let times = if machine == Machine::Riscv { 120 } else { 14 };
        let far = far(machine, false, times);
        let body = far.trim_end().strip_suffix("(local.get 1)))").expect("the function ends with its result");
        let image = image(&format!(
            "{body} (drop (call $g)) (drop (call $g)) (local.get 1)) (func $g (result i32) (i32.const 7)))"
        ));
        let asked = Cell::new(0);
        let whole = translate_while(machine, &image, 1 << 20, u32::MAX, &|| {
            asked.set(asked.get() + 1);
            true
        });
        assert_eq!(whole.outcome.translated, 2);
        let ops = times as u32 + 10;
        assert!(asked.get() > 3 * ops / 32, "{machine:?}: {} questions are of one pass", asked.get());
        let called = whole.begins[1].expect("the second function has code");
        assert_eq!(whole.calls().iter().filter(|&&(_, to)| to == called).count(), 2, "{machine:?}");
        assert!(whole.calls().iter().all(|&(at, to)| to != 0 && to < whole.outcome.bytes && to != at), "{machine:?}");
    }
}

#[test]
fn a_function_is_interpreted_whose_table_of_branches_does_not_reach_its_targets() {
    for machine in MACHINES {
        for (times, translated) in [(1000, 1), (4000, 0)] {
            let part = translate(machine, &image(&far(machine, true, times)), 1 << 20);
            assert_eq!(part.outcome.translated, translated, "{times} times");
        }
    }
}

#[test]
fn a_function_of_more_than_a_quarter_of_a_megabyte_of_code_is_interpreted() {
    for machine in MACHINES {
        for (times, translated) in [(4000, 1), (12_000, 0)] {
            let part = translate(machine, &image(&far(machine, false, times)), 4 << 20);
            assert_eq!(part.outcome.translated, translated, "{times} times");
        }
    }
}

#[test]
fn functions_behind_the_budget_are_interpreted() {
    for machine in MACHINES {
        let image = image(&callers());
        let parsed = Image::parse(&image).expect("the image is whole");
        let all = parsed.section(wisp_image::format::Section::Code).len() as u32;
        let count = parsed.function_count() as u32;
        assert_eq!(translate_while(machine, &image, 1 << 20, all, &|| true).outcome.over_budget, 0);
        for budget in (0..all).step_by(29) {
            let part = translate_while(machine, &image, 1 << 20, budget, &|| true);
            assert!(part.outcome.over_budget > 0, "{budget} of {all} bytes");
            assert_eq!(part.outcome.translated + part.outcome.over_budget, count, "{budget} of {all} bytes");
            assert!(
                part.calls().iter().all(|&(at, to)| to < part.outcome.bytes && to != at),
                "{budget} of {all} bytes"
            );
        }
    }
}

#[test]
fn a_translation_ends_within_32_ops_when_it_has_to() {
    for machine in MACHINES {
        let image = image(&far(machine, false, 1000));
        let asked = Cell::new(0);
        let whole = translate_while(machine, &image, 1 << 20, u32::MAX, &|| {
            asked.set(asked.get() + 1);
            true
        });
        assert_eq!(whole.outcome.translated, 1);
        let questions = asked.get();
        // a pass over at least a thousand ops
        assert!(questions >= 1000 / 32, "{questions} questions");
        for end in [0, 1, questions / 2, questions - 1] {
            asked.set(0);
            let part = translate_while(machine, &image, 1 << 20, u32::MAX, &|| {
                asked.set(asked.get() + 1);
                asked.get() <= end
            });
            assert_eq!((part.outcome.translated, part.outcome.bytes), (0, 0));
            assert_eq!(part.begins, [None]);
            assert_eq!(asked.get(), end + 1, "nothing goes on after the question that was answered with no");
        }
    }
}
