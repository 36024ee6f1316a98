// SPDX-License-Identifier: Apache-2.0
//! What each instruction set promises to the parts that all of them share.

mod common;

use common::{emit, AT};
use wisp_translate::isa::{Isa, Reg};
use wisp_translate::riscv::Riscv;
use wisp_translate::thumb1::Thumb1;
use wisp_translate::thumb2::Thumb2;

/// Returns the first 32 bits of code, with ones behind its end.
fn first_word(halves: &[u16]) -> u32 {
    let half = |n| u32::from(halves.get(n).copied().unwrap_or(u16::MAX));
    half(0) | half(1) << 16
}

/// Checks calls up to the ends of what the instruction set says that they reach.
fn calls_are_read_back<I: Isa>() {
    for distance in [0, 4, 0x2_3456, I::CALLS - 2, 0xa_5a5a_u32.wrapping_neg(), (I::CALLS - 4).wrapping_neg()] {
        let to = AT.wrapping_add(distance);
        assert_eq!(I::called(AT, first_word(&emit(AT, |out| I::call(out, to)))), to, "{distance:#x}");
    }
}

#[test]
fn the_distance_of_a_call_is_read_back() {
    calls_are_read_back::<Thumb1>();
    calls_are_read_back::<Thumb2>();
    calls_are_read_back::<Riscv>();
}

/// Checks functions that keep any number of slots, and that their stack stays aligned to so many words.
fn what_is_kept_is_told<I: Isa>(aligned: u32) {
    for count in 0..=I::PLAN.pins.len() {
        let mask = I::PLAN.pins[..count].iter().fold(0, |mask, register| mask | 1 << register.0);
        let kept = I::kept_by(first_word(&emit(AT, |out| I::enter(out, mask))));
        // a register more may fill the stack up
        assert!(kept.mask & mask == mask && (kept.mask & !mask).count_ones() < aligned, "{mask:#x}");
        let others = kept.words - kept.mask.count_ones();
        assert!((1..=aligned).contains(&others) && kept.words % aligned == 0, "{mask:#x}: {others}");
    }
}

#[test]
fn the_first_instructions_of_a_function_tell_what_it_keeps() {
    what_is_kept_is_told::<Thumb1>(2);
    what_is_kept_is_told::<Thumb2>(2);
    what_is_kept_is_told::<Riscv>(4);
}

/// Returns the bytes from the first instruction of a jump by a table to the table, and to what its entries count from.
fn table<I: Isa>(index: u8, t: u8) -> [u32; 2] {
    let mut from = 0;
    let halves = emit(AT, |out| from = I::table(out, Reg(index), Reg(t)));
    [2 * halves.len() as u32, from - AT]
}

#[test]
fn entries_of_a_table_count_from_where_its_jump_adds_them() {
    // the program counter is four bytes ahead of the instruction that adds to it
    assert_eq!(table::<Thumb1>(2, 1), [10, 12]);
    assert_eq!(table::<Thumb2>(2, 1), [4, 4]);
    // the instruction that takes the program counter is behind a shift, which takes four bytes here
    assert_eq!(table::<Riscv>(12, 11), [4 + 16, 4]);
}
