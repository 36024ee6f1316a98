// SPDX-License-Identifier: Apache-2.0
//! What each instruction set promises to the parts that all of them share.

mod common;

use common::{emit, AT};
use wisp_translate::isa::{Cond, Isa, Reg, Val};
use wisp_translate::out::Out;
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
    let bytes = 2 * emit(AT, |out| I::table(out, Reg(index), Reg(t))).len() as u32;
    [bytes, bytes.wrapping_add_signed(I::TABLE)]
}

#[test]
fn entries_of_a_table_count_from_where_its_jump_adds_them() {
    // the program counter is four bytes ahead of the instruction that adds to it
    assert_eq!(table::<Thumb1>(2, 1), [10, 12]);
    assert_eq!(table::<Thumb2>(2, 1), [4, 4]);
    // the instruction that takes the program counter is behind a shift, which takes four bytes here
    assert_eq!(table::<Riscv>(12, 11), [4 + 16, 4]);
}

/// Checks that branches and calls to themselves are written anew to go elsewhere, as they would have been at once.
fn branches_are_aimed<I: Isa>(test: I::Test) {
    let aimed = |long, write: &dyn Fn(&mut Out<'_>, u32)| {
        for distance in [0x10, 0x7a] {
            let aim = |out: &mut Out<'_>| {
                write(out, AT);
                let at = out.at() - if long { I::LONG } else { I::SHORT[1] };
                out.half(0);
                I::aim(out, at, AT + distance, long);
            };
            let at_once = |out: &mut Out<'_>| {
                write(out, AT + distance);
                out.half(0);
            };
            assert_eq!(emit(AT, aim), emit(AT, at_once), "{distance:#x}, long: {long}");
        }
    };
    aimed(true, &|out, to| I::call(out, to));
    aimed(true, &|out, to| I::branch(out, None, to, true));
    aimed(true, &|out, to| I::branch(out, Some(test), to, true));
    aimed(false, &|out, to| I::branch(out, Some(test), to, false));
    let short = |to: u32, aim: u32| {
        move |out: &mut Out<'_>| {
            I::branch(out, None, to, false);
            out.half(0);
            I::aim(out, AT, aim, false);
        }
    };
    assert_eq!(emit(AT, short(AT, AT + 0x10)), emit(AT, short(AT + 0x10, AT + 0x10)));
}

#[test]
fn branches_and_calls_go_where_they_are_aimed() {
    fn test<I: Isa>(x: u8) -> I::Test {
        let mut test = None;
        emit(AT, |out| test = Some(I::compare(out, Cond::LtU, Reg(x), Val::Reg(Reg(x + 1)), Reg(x + 2))));
        test.expect("a comparison gives a test")
    }
    branches_are_aimed::<Thumb1>(test::<Thumb1>(0));
    branches_are_aimed::<Thumb2>(test::<Thumb2>(0));
    branches_are_aimed::<Riscv>(test::<Riscv>(10));
}
