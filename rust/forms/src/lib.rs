// SPDX-License-Identifier: Apache-2.0
//! Every form of every op that computes, loads, stores, selects or branches does what its semantics in
//! `wisp_engine::ops` and its operands say: checked with random frames and memories, which are compared as
//! a whole afterwards, so that a write to a wrong place shows.
//!
//! It needs nothing but memory, so that it runs on targets as well, where the back ends are.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod assembler;
mod case;
mod random;
mod semantics;

use core::fmt::Write;

use assembler::assemble;
use case::Case;
pub use random::check_programs;
use wisp_engine::{scratch, Config, Engine, Linker, Module, Store, Val};
use wisp_image::ops::{op, Class, Op, Sem, COUNT};

/// Slots that go in and come out.
const SLOTS: usize = 16;
/// The accumulator before the op, and after it.
const ACC_IN: usize = 14;
const ACC_OUT: usize = 13;
/// 1 if the op fell through, 2 if it branched.
const WAY: usize = 12;
/// The global before the op, and after it.
const GLOBAL: usize = 15;
/// The address that address operands hold.
const BASE: u32 = 40;
const MEMORY: usize = 256;

/// The number of trials of each op.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Random choices of slots and immediates.
    pub cases: usize,
    /// Random frames and memories for each of them.
    pub rounds: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { cases: 6, rounds: 30 }
    }
}

type Frame = [u32; SLOTS];

/// Interesting values: small, large, addresses near both ends of the memory, floats.
const VALUES: [u32; 14] = [
    0,
    1,
    BASE,
    BASE + 1,
    31,
    MEMORY as u32 - 25,
    MEMORY as u32 - 2,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0xffff_fff0,
    0x3fc0_0000,
    0xc479_8000,
    0x7fa0_0001,
];

fn random(state: &mut u64) -> u32 {
    *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    (*state >> 33) as u32
}

fn random_frame(state: &mut u64) -> Frame {
    core::array::from_fn(|_| match random(state) % 4 {
        0 => random(state) ^ random(state) << 16,
        1 => random(state) % MEMORY as u32,
        _ => VALUES[random(state) as usize % VALUES.len()],
    })
}

/// Runs the op with random frames and memories. False, and a line in `report`, at the first difference.
fn check(
    case: &Case,
    rounds: usize,
    config: &Config,
    state: &mut u64,
    arena: &mut [u64],
    report: &mut dyn Write,
) -> bool {
    let image = assemble(&case.function(), SLOTS, MEMORY as u32);
    let engine = Engine::new(&config.stack_size(512));
    let module = Module::new_in(&engine, &image, scratch(arena)).expect("the image is valid");
    let mut store = Store::new(&engine, arena, ()).expect("the arena is large enough");
    let instance = Linker::new().instantiate(&mut store, &module).expect("it needs nothing");
    let func = instance.get_func(&store, "f").expect("it is exported");
    let handle = instance.memory(&store).expect("it has one");
    for _ in 0..rounds {
        let mut frame = random_frame(state);
        let mut memory: [u8; MEMORY] = core::array::from_fn(|_| random(state) as u8);
        handle.data_mut(&mut store).copy_from_slice(&memory);
        let params = frame.map(|bits| Val::I32(bits as i32));
        let mut results = [Val::I32(0); SLOTS];
        let before = frame;
        let got = func.call(&mut store, &params, &mut results).map_err(|trap| trap.code);
        let want = case.expected(&mut frame, &mut memory);
        let slots = results.map(|value| value.bits() as u32);
        if got != want || (want.is_ok() && slots != frame) || handle.data(&store) != memory {
            // a report that cannot be written is a failure all the same
            let _ = writeln!(
                report,
                "{:?} {:?} {:x?}\n  from {before:x?}\n  want {want:?} {frame:x?}\n  got  {got:?} {slots:x?}",
                case.op.parts().map(|part| part.sem).collect::<alloc::vec::Vec<_>>(),
                case.op.form,
                case.words
            );
            return false;
        }
    }
    true
}

/// The number of ops that were checked, and of cases that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Ops with cases.
    pub checked: usize,
    /// Cases that went wrong.
    pub failed: usize,
    /// Programs that became machine code.
    pub translated: usize,
}

/// Checks all ops but those of `Class::Special`, each in several cases, with stores of this configuration. The arena
/// takes 4 KiB.
///
/// # Panics
/// If the arena is too small or an image is refused.
pub fn check_all(config: &Config, arena: &mut [u64], effort: Effort, report: &mut dyn Write) -> Outcome {
    let mut state = 1;
    let mut outcome = Outcome::default();
    for opcode in 0..COUNT as u16 {
        let op = op(opcode).expect("below COUNT");
        // what control does shows in programs, not in frames
        let controls = |op: Op| {
            use Sem::*;
            matches!(op.sem, Enter | Call | CallImport | BrTable | Return | Return32 | Return64)
        };
        if op.class == Class::Special || op.parts().any(controls) {
            continue;
        }
        for _ in 0..effort.cases {
            let case = Case::new(op, &mut || random(&mut state));
            outcome.failed += usize::from(!check(&case, effort.rounds, config, &mut state, arena, report));
        }
        outcome.checked += 1;
    }
    outcome
}
