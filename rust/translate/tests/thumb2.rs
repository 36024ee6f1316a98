// SPDX-License-Identifier: Apache-2.0
//! Each encoder of Thumb-2 gives the bytes that GNU as 2.40 gives for the same text, with low and high registers and
//! numbers at both ends of their range.

use wisp_translate::isa::{Bin, Isa, Reg};
use wisp_translate::out::Out;
use wisp_translate::thumb2::encode::{self, cc, dp, sh, PC, SP};
use wisp_translate::thumb2::Thumb2;

/// The offset of each instruction, far enough from 0 for branches back.
const AT: u32 = 0x100_0000;

#[rustfmt::skip]
#[test]
fn encoders_agree_with_an_assembler() {
    type Case = (&'static str, fn(&mut Out<'_>), &'static [u16]);
    let cases: &[Case] = &[
        ("ands.w r8, r3, r12", |o| encode::data(o, dp::AND, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xea13, 0x080c]),
        ("and.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::AND, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xea09, 0x7152]),
        ("ands.w r4, r11, #0xff", |o| encode::data_imm(o, dp::AND, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf01b, 0x04ff]),
        ("ands.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::AND, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf41b, 0x042b]),
        ("ands.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::AND, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf01b, 0x14ff]),
        ("ands.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::AND, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf01b, 0x24cd]),
        ("ands.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::AND, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf01b, 0x347f]),
        ("ands.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::AND, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf41b, 0x747f]),
        ("bics.w r8, r3, r12", |o| encode::data(o, dp::BIC, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xea33, 0x080c]),
        ("bic.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::BIC, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xea29, 0x7152]),
        ("bics.w r4, r11, #0xff", |o| encode::data_imm(o, dp::BIC, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf03b, 0x04ff]),
        ("bics.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::BIC, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf43b, 0x042b]),
        ("bics.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::BIC, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf03b, 0x14ff]),
        ("bics.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::BIC, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf03b, 0x24cd]),
        ("bics.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::BIC, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf03b, 0x347f]),
        ("bics.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::BIC, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf43b, 0x747f]),
        ("orrs.w r8, r3, r12", |o| encode::data(o, dp::ORR, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xea53, 0x080c]),
        ("orr.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::ORR, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xea49, 0x7152]),
        ("orrs.w r4, r11, #0xff", |o| encode::data_imm(o, dp::ORR, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf05b, 0x04ff]),
        ("orrs.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::ORR, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf45b, 0x042b]),
        ("orrs.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::ORR, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf05b, 0x14ff]),
        ("orrs.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::ORR, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf05b, 0x24cd]),
        ("orrs.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::ORR, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf05b, 0x347f]),
        ("orrs.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::ORR, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf45b, 0x747f]),
        ("orns.w r8, r3, r12", |o| encode::data(o, dp::ORN, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xea73, 0x080c]),
        ("orn.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::ORN, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xea69, 0x7152]),
        ("orns.w r4, r11, #0xff", |o| encode::data_imm(o, dp::ORN, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf07b, 0x04ff]),
        ("orns.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::ORN, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf47b, 0x042b]),
        ("orns.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::ORN, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf07b, 0x14ff]),
        ("orns.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::ORN, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf07b, 0x24cd]),
        ("orns.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::ORN, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf07b, 0x347f]),
        ("orns.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::ORN, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf47b, 0x747f]),
        ("eors.w r8, r3, r12", |o| encode::data(o, dp::EOR, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xea93, 0x080c]),
        ("eor.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::EOR, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xea89, 0x7152]),
        ("eors.w r4, r11, #0xff", |o| encode::data_imm(o, dp::EOR, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf09b, 0x04ff]),
        ("eors.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::EOR, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf49b, 0x042b]),
        ("eors.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::EOR, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf09b, 0x14ff]),
        ("eors.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::EOR, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf09b, 0x24cd]),
        ("eors.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::EOR, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf09b, 0x347f]),
        ("eors.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::EOR, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf49b, 0x747f]),
        ("adds.w r8, r3, r12", |o| encode::data(o, dp::ADD, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xeb13, 0x080c]),
        ("add.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::ADD, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xeb09, 0x7152]),
        ("adds.w r4, r11, #0xff", |o| encode::data_imm(o, dp::ADD, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf11b, 0x04ff]),
        ("adds.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::ADD, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf51b, 0x042b]),
        ("adds.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::ADD, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf11b, 0x14ff]),
        ("adds.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::ADD, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf11b, 0x24cd]),
        ("adds.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::ADD, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf11b, 0x347f]),
        ("adds.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::ADD, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf51b, 0x747f]),
        ("adcs.w r8, r3, r12", |o| encode::data(o, dp::ADC, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xeb53, 0x080c]),
        ("adc.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::ADC, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xeb49, 0x7152]),
        ("adcs.w r4, r11, #0xff", |o| encode::data_imm(o, dp::ADC, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf15b, 0x04ff]),
        ("adcs.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::ADC, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf55b, 0x042b]),
        ("adcs.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::ADC, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf15b, 0x14ff]),
        ("adcs.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::ADC, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf15b, 0x24cd]),
        ("adcs.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::ADC, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf15b, 0x347f]),
        ("adcs.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::ADC, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf55b, 0x747f]),
        ("sbcs.w r8, r3, r12", |o| encode::data(o, dp::SBC, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xeb73, 0x080c]),
        ("sbc.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::SBC, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xeb69, 0x7152]),
        ("sbcs.w r4, r11, #0xff", |o| encode::data_imm(o, dp::SBC, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf17b, 0x04ff]),
        ("sbcs.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::SBC, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf57b, 0x042b]),
        ("sbcs.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::SBC, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf17b, 0x14ff]),
        ("sbcs.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::SBC, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf17b, 0x24cd]),
        ("sbcs.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::SBC, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf17b, 0x347f]),
        ("sbcs.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::SBC, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf57b, 0x747f]),
        ("subs.w r8, r3, r12", |o| encode::data(o, dp::SUB, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xebb3, 0x080c]),
        ("sub.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::SUB, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xeba9, 0x7152]),
        ("subs.w r4, r11, #0xff", |o| encode::data_imm(o, dp::SUB, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf1bb, 0x04ff]),
        ("subs.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::SUB, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf5bb, 0x042b]),
        ("subs.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::SUB, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf1bb, 0x14ff]),
        ("subs.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::SUB, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf1bb, 0x24cd]),
        ("subs.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::SUB, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf1bb, 0x347f]),
        ("subs.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::SUB, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf5bb, 0x747f]),
        ("rsbs.w r8, r3, r12", |o| encode::data(o, dp::RSB, true, Reg(8), Reg(3), (Reg(12), sh::LSL, 0)), &[0xebd3, 0x080c]),
        ("rsb.w r1, r9, r2, lsr #29", |o| encode::data(o, dp::RSB, false, Reg(1), Reg(9), (Reg(2), sh::LSR, 29)), &[0xebc9, 0x7152]),
        ("rsbs.w r4, r11, #0xff", |o| encode::data_imm(o, dp::RSB, true, Reg(4), Reg(11), encode::modified(0xff).unwrap()), &[0xf1db, 0x04ff]),
        ("rsbs.w r4, r11, #0xab0000", |o| encode::data_imm(o, dp::RSB, true, Reg(4), Reg(11), encode::modified(0xab0000).unwrap()), &[0xf5db, 0x042b]),
        ("rsbs.w r4, r11, #0xff00ff", |o| encode::data_imm(o, dp::RSB, true, Reg(4), Reg(11), encode::modified(0xff00ff).unwrap()), &[0xf1db, 0x14ff]),
        ("rsbs.w r4, r11, #0xcd00cd00", |o| encode::data_imm(o, dp::RSB, true, Reg(4), Reg(11), encode::modified(0xcd00cd00).unwrap()), &[0xf1db, 0x24cd]),
        ("rsbs.w r4, r11, #0x7f7f7f7f", |o| encode::data_imm(o, dp::RSB, true, Reg(4), Reg(11), encode::modified(0x7f7f7f7f).unwrap()), &[0xf1db, 0x347f]),
        ("rsbs.w r4, r11, #0x3fc", |o| encode::data_imm(o, dp::RSB, true, Reg(4), Reg(11), encode::modified(0x3fc).unwrap()), &[0xf5db, 0x747f]),
        ("cmp.w r9, #0x1000", |o| encode::data_imm(o, dp::SUB, true, PC, Reg(9), encode::modified(0x1000).unwrap()), &[0xf5b9, 0x5f80]),
        ("cmn.w r9, #1", |o| encode::data_imm(o, dp::ADD, true, PC, Reg(9), encode::modified(1).unwrap()), &[0xf119, 0x0f01]),
        ("mvns.w r5, r6", |o| encode::data(o, dp::ORN, true, Reg(5), PC, (Reg(6), 0, 0)), &[0xea7f, 0x0506]),
        ("addw r3, r7, #0xabc", |o| encode::add_12(o, false, Reg(3), Reg(7), 0xabc), &[0xf607, 0x23bc]),
        ("subw r10, r12, #0x7ff", |o| encode::add_12(o, true, Reg(10), Reg(12), 0x7ff), &[0xf2ac, 0x7aff]),
        ("movw r2, #0xbeef", |o| encode::half_word(o, false, Reg(2), 0xbeef), &[0xf64b, 0x62ef]),
        ("movt lr, #0x8421", |o| encode::half_word(o, true, Reg(14), 0x8421), &[0xf2c8, 0x4e21]),
        ("mov r10, r3", |o| encode::mov(o, Reg(10), Reg(3)), &[0x469a]),
        ("mov r3, r12", |o| encode::mov(o, Reg(3), Reg(12)), &[0x4663]),
        ("ands r5, r5, r3", |o| encode::alu(o, 0, Reg(5), Reg(3)), &[0x401d]),
        ("eors r5, r5, r3", |o| encode::alu(o, 1, Reg(5), Reg(3)), &[0x405d]),
        ("lsls r5, r5, r3", |o| encode::alu(o, 2, Reg(5), Reg(3)), &[0x409d]),
        ("lsrs r5, r5, r3", |o| encode::alu(o, 3, Reg(5), Reg(3)), &[0x40dd]),
        ("asrs r5, r5, r3", |o| encode::alu(o, 4, Reg(5), Reg(3)), &[0x411d]),
        ("adcs r5, r5, r3", |o| encode::alu(o, 5, Reg(5), Reg(3)), &[0x415d]),
        ("sbcs r5, r5, r3", |o| encode::alu(o, 6, Reg(5), Reg(3)), &[0x419d]),
        ("rors r5, r5, r3", |o| encode::alu(o, 7, Reg(5), Reg(3)), &[0x41dd]),
        ("orrs r5, r5, r3", |o| encode::alu(o, 12, Reg(5), Reg(3)), &[0x431d]),
        ("muls r5, r3, r5", |o| encode::alu(o, 13, Reg(5), Reg(3)), &[0x435d]),
        ("rsbs r2, r4, #0", |o| encode::alu(o, 9, Reg(2), Reg(4)), &[0x4262]),
        ("adds r1, r2, r3", |o| encode::add_low(o, false, Reg(1), Reg(2), Reg(3)), &[0x18d1]),
        ("subs r7, r0, r6", |o| encode::add_low(o, true, Reg(7), Reg(0), Reg(6)), &[0x1b87]),
        ("add r1, lr", |o| encode::add_any(o, Reg(1), Reg(14)), &[0x4471]),
        ("movs r3, #200", |o| encode::imm_8(o, 0, Reg(3), 200), &[0x23c8]),
        ("cmp r3, #200", |o| encode::imm_8(o, 1, Reg(3), 200), &[0x2bc8]),
        ("adds r3, #200", |o| encode::imm_8(o, 2, Reg(3), 200), &[0x33c8]),
        ("subs r3, #200", |o| encode::imm_8(o, 3, Reg(3), 200), &[0x3bc8]),
        ("adds r1, r4, #5", |o| encode::imm_3(o, false, Reg(1), Reg(4), 5), &[0x1d61]),
        ("subs r1, r4, #5", |o| encode::imm_3(o, true, Reg(1), Reg(4), 5), &[0x1f61]),
        ("cmp r3, r4", |o| encode::cmp(o, Reg(3), Reg(4)), &[0x42a3]),
        ("cmp r12, r4", |o| encode::cmp(o, Reg(12), Reg(4)), &[0x45a4]),
        ("cmp r1, lr", |o| encode::cmp(o, Reg(1), Reg(14)), &[0x4571]),
        ("cmp sp, r1", |o| encode::cmp(o, SP, Reg(1)), &[0x458d]),
        ("lsls r2, r5, #1", |o| encode::shift_imm(o, sh::LSL, Reg(2), Reg(5), 1), &[0x006a]),
        ("lsls.w r8, r5, #1", |o| encode::shift_imm(o, sh::LSL, Reg(8), Reg(5), 1), &[0xea5f, 0x0845]),
        ("lsls r2, r5, #17", |o| encode::shift_imm(o, sh::LSL, Reg(2), Reg(5), 17), &[0x046a]),
        ("lsls.w r8, r5, #17", |o| encode::shift_imm(o, sh::LSL, Reg(8), Reg(5), 17), &[0xea5f, 0x4845]),
        ("lsls r2, r5, #31", |o| encode::shift_imm(o, sh::LSL, Reg(2), Reg(5), 31), &[0x07ea]),
        ("lsls.w r8, r5, #31", |o| encode::shift_imm(o, sh::LSL, Reg(8), Reg(5), 31), &[0xea5f, 0x78c5]),
        ("lsls r2, r2, r1", |o| encode::shift_reg(o, sh::LSL, Reg(2), Reg(2), Reg(1)), &[0x408a]),
        ("lsls.w r2, r3, r12", |o| encode::shift_reg(o, sh::LSL, Reg(2), Reg(3), Reg(12)), &[0xfa13, 0xf20c]),
        ("lsrs r2, r5, #1", |o| encode::shift_imm(o, sh::LSR, Reg(2), Reg(5), 1), &[0x086a]),
        ("lsrs.w r8, r5, #1", |o| encode::shift_imm(o, sh::LSR, Reg(8), Reg(5), 1), &[0xea5f, 0x0855]),
        ("lsrs r2, r5, #17", |o| encode::shift_imm(o, sh::LSR, Reg(2), Reg(5), 17), &[0x0c6a]),
        ("lsrs.w r8, r5, #17", |o| encode::shift_imm(o, sh::LSR, Reg(8), Reg(5), 17), &[0xea5f, 0x4855]),
        ("lsrs r2, r5, #31", |o| encode::shift_imm(o, sh::LSR, Reg(2), Reg(5), 31), &[0x0fea]),
        ("lsrs.w r8, r5, #31", |o| encode::shift_imm(o, sh::LSR, Reg(8), Reg(5), 31), &[0xea5f, 0x78d5]),
        ("lsrs r2, r2, r1", |o| encode::shift_reg(o, sh::LSR, Reg(2), Reg(2), Reg(1)), &[0x40ca]),
        ("lsrs.w r2, r3, r12", |o| encode::shift_reg(o, sh::LSR, Reg(2), Reg(3), Reg(12)), &[0xfa33, 0xf20c]),
        ("asrs r2, r5, #1", |o| encode::shift_imm(o, sh::ASR, Reg(2), Reg(5), 1), &[0x106a]),
        ("asrs.w r8, r5, #1", |o| encode::shift_imm(o, sh::ASR, Reg(8), Reg(5), 1), &[0xea5f, 0x0865]),
        ("asrs r2, r5, #17", |o| encode::shift_imm(o, sh::ASR, Reg(2), Reg(5), 17), &[0x146a]),
        ("asrs.w r8, r5, #17", |o| encode::shift_imm(o, sh::ASR, Reg(8), Reg(5), 17), &[0xea5f, 0x4865]),
        ("asrs r2, r5, #31", |o| encode::shift_imm(o, sh::ASR, Reg(2), Reg(5), 31), &[0x17ea]),
        ("asrs.w r8, r5, #31", |o| encode::shift_imm(o, sh::ASR, Reg(8), Reg(5), 31), &[0xea5f, 0x78e5]),
        ("asrs r2, r2, r1", |o| encode::shift_reg(o, sh::ASR, Reg(2), Reg(2), Reg(1)), &[0x410a]),
        ("asrs.w r2, r3, r12", |o| encode::shift_reg(o, sh::ASR, Reg(2), Reg(3), Reg(12)), &[0xfa53, 0xf20c]),
        ("rors.w r2, r5, #1", |o| encode::shift_imm(o, sh::ROR, Reg(2), Reg(5), 1), &[0xea5f, 0x0275]),
        ("rors.w r8, r5, #1", |o| encode::shift_imm(o, sh::ROR, Reg(8), Reg(5), 1), &[0xea5f, 0x0875]),
        ("rors.w r2, r5, #17", |o| encode::shift_imm(o, sh::ROR, Reg(2), Reg(5), 17), &[0xea5f, 0x4275]),
        ("rors.w r8, r5, #17", |o| encode::shift_imm(o, sh::ROR, Reg(8), Reg(5), 17), &[0xea5f, 0x4875]),
        ("rors.w r2, r5, #31", |o| encode::shift_imm(o, sh::ROR, Reg(2), Reg(5), 31), &[0xea5f, 0x72f5]),
        ("rors.w r8, r5, #31", |o| encode::shift_imm(o, sh::ROR, Reg(8), Reg(5), 31), &[0xea5f, 0x78f5]),
        ("rors r2, r2, r1", |o| encode::shift_reg(o, sh::ROR, Reg(2), Reg(2), Reg(1)), &[0x41ca]),
        ("rors.w r2, r3, r12", |o| encode::shift_reg(o, sh::ROR, Reg(2), Reg(3), Reg(12)), &[0xfa73, 0xf20c]),
        ("sxth r2, r7", |o| encode::extend(o, 0, Reg(2), Reg(7)), &[0xb23a]),
        ("sxth.w r8, r7", |o| encode::extend(o, 0, Reg(8), Reg(7)), &[0xfa0f, 0xf887]),
        ("sxtb r2, r7", |o| encode::extend(o, 1, Reg(2), Reg(7)), &[0xb27a]),
        ("sxtb.w r8, r7", |o| encode::extend(o, 1, Reg(8), Reg(7)), &[0xfa4f, 0xf887]),
        ("uxth r2, r7", |o| encode::extend(o, 2, Reg(2), Reg(7)), &[0xb2ba]),
        ("uxth.w r8, r7", |o| encode::extend(o, 2, Reg(8), Reg(7)), &[0xfa1f, 0xf887]),
        ("uxtb r2, r7", |o| encode::extend(o, 3, Reg(2), Reg(7)), &[0xb2fa]),
        ("uxtb.w r8, r7", |o| encode::extend(o, 3, Reg(8), Reg(7)), &[0xfa5f, 0xf887]),
        ("mul r8, r1, r2", |o| encode::multiply(o, Reg(8), Reg(1), Reg(2), None, false), &[0xfb01, 0xf802]),
        ("mla r8, r1, r2, r3", |o| encode::multiply(o, Reg(8), Reg(1), Reg(2), Some(Reg(3)), false), &[0xfb01, 0x3802]),
        ("mls r8, r1, r2, r3", |o| encode::multiply(o, Reg(8), Reg(1), Reg(2), Some(Reg(3)), true), &[0xfb01, 0x3812]),
        ("umull r0, r1, r2, r8", |o| encode::multiply_long(o, false, (Reg(0), Reg(1)), Reg(2), Reg(8)), &[0xfba2, 0x0108]),
        ("smull r0, r1, r2, r8", |o| encode::multiply_long(o, true, (Reg(0), Reg(1)), Reg(2), Reg(8)), &[0xfb82, 0x0108]),
        ("sdiv r1, r2, r8", |o| encode::divide(o, true, Reg(1), Reg(2), Reg(8)), &[0xfb92, 0xf1f8]),
        ("udiv r1, r2, r8", |o| encode::divide(o, false, Reg(1), Reg(2), Reg(8)), &[0xfbb2, 0xf1f8]),
        ("clz r1, r8", |o| encode::count_zeros(o, false, Reg(1), Reg(8)), &[0xfab8, 0xf188]),
        ("rbit r1, r8", |o| encode::count_zeros(o, true, Reg(1), Reg(8)), &[0xfa98, 0xf1a8]),
        ("str r1, [r2, r3]", |o| encode::access(o, 0, Reg(1), Reg(2), Reg(3)), &[0x50d1]),
        ("str.w r1, [r11, r3]", |o| encode::access(o, 0, Reg(1), Reg(11), Reg(3)), &[0xf84b, 0x1003]),
        ("str r1, [r2, #4]", |o| encode::access_imm(o, 0, Reg(1), Reg(2), 4), &[0x6051]),
        ("str.w r1, [r2, #4094]", |o| encode::access_imm(o, 0, Reg(1), Reg(2), 4094), &[0xf8c2, 0x1ffe]),
        ("str.w r8, [lr, #3]", |o| encode::access_imm(o, 0, Reg(8), Reg(14), 3), &[0xf8ce, 0x8003]),
        ("strh r1, [r2, r3]", |o| encode::access(o, 1, Reg(1), Reg(2), Reg(3)), &[0x52d1]),
        ("strh.w r1, [r11, r3]", |o| encode::access(o, 1, Reg(1), Reg(11), Reg(3)), &[0xf82b, 0x1003]),
        ("strh r1, [r2, #4]", |o| encode::access_imm(o, 1, Reg(1), Reg(2), 4), &[0x8091]),
        ("strh.w r1, [r2, #4094]", |o| encode::access_imm(o, 1, Reg(1), Reg(2), 4094), &[0xf8a2, 0x1ffe]),
        ("strh.w r8, [lr, #3]", |o| encode::access_imm(o, 1, Reg(8), Reg(14), 3), &[0xf8ae, 0x8003]),
        ("strb r1, [r2, r3]", |o| encode::access(o, 2, Reg(1), Reg(2), Reg(3)), &[0x54d1]),
        ("strb.w r1, [r11, r3]", |o| encode::access(o, 2, Reg(1), Reg(11), Reg(3)), &[0xf80b, 0x1003]),
        ("strb r1, [r2, #4]", |o| encode::access_imm(o, 2, Reg(1), Reg(2), 4), &[0x7111]),
        ("strb.w r1, [r2, #4094]", |o| encode::access_imm(o, 2, Reg(1), Reg(2), 4094), &[0xf882, 0x1ffe]),
        ("strb.w r8, [lr, #3]", |o| encode::access_imm(o, 2, Reg(8), Reg(14), 3), &[0xf88e, 0x8003]),
        ("ldrsb r1, [r2, r3]", |o| encode::access(o, 3, Reg(1), Reg(2), Reg(3)), &[0x56d1]),
        ("ldrsb.w r1, [r11, r3]", |o| encode::access(o, 3, Reg(1), Reg(11), Reg(3)), &[0xf91b, 0x1003]),
        ("ldrsb.w r1, [r2, #4]", |o| encode::access_imm(o, 3, Reg(1), Reg(2), 4), &[0xf992, 0x1004]),
        ("ldrsb.w r1, [r2, #4094]", |o| encode::access_imm(o, 3, Reg(1), Reg(2), 4094), &[0xf992, 0x1ffe]),
        ("ldrsb.w r8, [lr, #3]", |o| encode::access_imm(o, 3, Reg(8), Reg(14), 3), &[0xf99e, 0x8003]),
        ("ldr r1, [r2, r3]", |o| encode::access(o, 4, Reg(1), Reg(2), Reg(3)), &[0x58d1]),
        ("ldr.w r1, [r11, r3]", |o| encode::access(o, 4, Reg(1), Reg(11), Reg(3)), &[0xf85b, 0x1003]),
        ("ldr r1, [r2, #4]", |o| encode::access_imm(o, 4, Reg(1), Reg(2), 4), &[0x6851]),
        ("ldr.w r1, [r2, #4094]", |o| encode::access_imm(o, 4, Reg(1), Reg(2), 4094), &[0xf8d2, 0x1ffe]),
        ("ldr.w r8, [lr, #3]", |o| encode::access_imm(o, 4, Reg(8), Reg(14), 3), &[0xf8de, 0x8003]),
        ("ldrh r1, [r2, r3]", |o| encode::access(o, 5, Reg(1), Reg(2), Reg(3)), &[0x5ad1]),
        ("ldrh.w r1, [r11, r3]", |o| encode::access(o, 5, Reg(1), Reg(11), Reg(3)), &[0xf83b, 0x1003]),
        ("ldrh r1, [r2, #4]", |o| encode::access_imm(o, 5, Reg(1), Reg(2), 4), &[0x8891]),
        ("ldrh.w r1, [r2, #4094]", |o| encode::access_imm(o, 5, Reg(1), Reg(2), 4094), &[0xf8b2, 0x1ffe]),
        ("ldrh.w r8, [lr, #3]", |o| encode::access_imm(o, 5, Reg(8), Reg(14), 3), &[0xf8be, 0x8003]),
        ("ldrb r1, [r2, r3]", |o| encode::access(o, 6, Reg(1), Reg(2), Reg(3)), &[0x5cd1]),
        ("ldrb.w r1, [r11, r3]", |o| encode::access(o, 6, Reg(1), Reg(11), Reg(3)), &[0xf81b, 0x1003]),
        ("ldrb r1, [r2, #4]", |o| encode::access_imm(o, 6, Reg(1), Reg(2), 4), &[0x7911]),
        ("ldrb.w r1, [r2, #4094]", |o| encode::access_imm(o, 6, Reg(1), Reg(2), 4094), &[0xf892, 0x1ffe]),
        ("ldrb.w r8, [lr, #3]", |o| encode::access_imm(o, 6, Reg(8), Reg(14), 3), &[0xf89e, 0x8003]),
        ("ldrsh r1, [r2, r3]", |o| encode::access(o, 7, Reg(1), Reg(2), Reg(3)), &[0x5ed1]),
        ("ldrsh.w r1, [r11, r3]", |o| encode::access(o, 7, Reg(1), Reg(11), Reg(3)), &[0xf93b, 0x1003]),
        ("ldrsh.w r1, [r2, #4]", |o| encode::access_imm(o, 7, Reg(1), Reg(2), 4), &[0xf9b2, 0x1004]),
        ("ldrsh.w r1, [r2, #4094]", |o| encode::access_imm(o, 7, Reg(1), Reg(2), 4094), &[0xf9b2, 0x1ffe]),
        ("ldrsh.w r8, [lr, #3]", |o| encode::access_imm(o, 7, Reg(8), Reg(14), 3), &[0xf9be, 0x8003]),
        ("ldr.w pc, [pc, #0]", |o| encode::access_imm(o, 4, PC, PC, 0), &[0xf8df, 0xf000]),
        ("ldrd r2, lr, [r7, #1020]", |o| encode::access_pair(o, true, (Reg(2), Reg(14)), Reg(7), 1020), &[0xe9d7, 0x2eff]),
        ("strd r0, r1, [r7, #8]", |o| encode::access_pair(o, false, (Reg(0), Reg(1)), Reg(7), 8), &[0xe9c7, 0x0102]),
        ("it eq; moveq r1, r2", |o| { encode::it(o, cc::EQ, &[]); encode::mov(o, Reg(1), Reg(2)) }, &[0xbf08, 0x4611]),
        ("ite lt; movlt r3, #1; movge r3, #0", |o| { encode::it(o, cc::LT, &[true]); encode::imm_8(o, 0, Reg(3), 1); encode::imm_8(o, 0, Reg(3), 0) }, &[0xbfb4, 0x2301, 0x2300]),
        ("ite ne; movne r1, r2; moveq r1, r3", |o| { encode::it(o, cc::NE, &[true]); encode::mov(o, Reg(1), Reg(2)); encode::mov(o, Reg(1), Reg(3)) }, &[0xbf14, 0x4611, 0x4619]),
        ("beq.n . + 258", |o| encode::branch_short(o, Some(cc::EQ), o.at() + 4 + 254), &[0xd07f]),
        ("beq.n . - 252", |o| encode::branch_short(o, Some(cc::EQ), o.at() + 4 - 256), &[0xd080]),
        ("beq.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::EQ), false, o.at() + 4 + 0xf1234), &[0xf031, 0xa91a]),
        ("beq.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::EQ), false, o.at() + 4 - 0x81234), &[0xf43e, 0xa6e6]),
        ("bne.n . + 258", |o| encode::branch_short(o, Some(cc::NE), o.at() + 4 + 254), &[0xd17f]),
        ("bne.n . - 252", |o| encode::branch_short(o, Some(cc::NE), o.at() + 4 - 256), &[0xd180]),
        ("bne.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::NE), false, o.at() + 4 + 0xf1234), &[0xf071, 0xa91a]),
        ("bne.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::NE), false, o.at() + 4 - 0x81234), &[0xf47e, 0xa6e6]),
        ("bhs.n . + 258", |o| encode::branch_short(o, Some(cc::HS), o.at() + 4 + 254), &[0xd27f]),
        ("bhs.n . - 252", |o| encode::branch_short(o, Some(cc::HS), o.at() + 4 - 256), &[0xd280]),
        ("bhs.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::HS), false, o.at() + 4 + 0xf1234), &[0xf0b1, 0xa91a]),
        ("bhs.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::HS), false, o.at() + 4 - 0x81234), &[0xf4be, 0xa6e6]),
        ("blo.n . + 258", |o| encode::branch_short(o, Some(cc::LO), o.at() + 4 + 254), &[0xd37f]),
        ("blo.n . - 252", |o| encode::branch_short(o, Some(cc::LO), o.at() + 4 - 256), &[0xd380]),
        ("blo.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::LO), false, o.at() + 4 + 0xf1234), &[0xf0f1, 0xa91a]),
        ("blo.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::LO), false, o.at() + 4 - 0x81234), &[0xf4fe, 0xa6e6]),
        ("bmi.n . + 258", |o| encode::branch_short(o, Some(cc::MI), o.at() + 4 + 254), &[0xd47f]),
        ("bmi.n . - 252", |o| encode::branch_short(o, Some(cc::MI), o.at() + 4 - 256), &[0xd480]),
        ("bmi.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::MI), false, o.at() + 4 + 0xf1234), &[0xf131, 0xa91a]),
        ("bmi.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::MI), false, o.at() + 4 - 0x81234), &[0xf53e, 0xa6e6]),
        ("bpl.n . + 258", |o| encode::branch_short(o, Some(cc::PL), o.at() + 4 + 254), &[0xd57f]),
        ("bpl.n . - 252", |o| encode::branch_short(o, Some(cc::PL), o.at() + 4 - 256), &[0xd580]),
        ("bpl.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::PL), false, o.at() + 4 + 0xf1234), &[0xf171, 0xa91a]),
        ("bpl.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::PL), false, o.at() + 4 - 0x81234), &[0xf57e, 0xa6e6]),
        ("bhi.n . + 258", |o| encode::branch_short(o, Some(cc::HI), o.at() + 4 + 254), &[0xd87f]),
        ("bhi.n . - 252", |o| encode::branch_short(o, Some(cc::HI), o.at() + 4 - 256), &[0xd880]),
        ("bhi.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::HI), false, o.at() + 4 + 0xf1234), &[0xf231, 0xa91a]),
        ("bhi.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::HI), false, o.at() + 4 - 0x81234), &[0xf63e, 0xa6e6]),
        ("bge.n . + 258", |o| encode::branch_short(o, Some(cc::GE), o.at() + 4 + 254), &[0xda7f]),
        ("bge.n . - 252", |o| encode::branch_short(o, Some(cc::GE), o.at() + 4 - 256), &[0xda80]),
        ("bge.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::GE), false, o.at() + 4 + 0xf1234), &[0xf2b1, 0xa91a]),
        ("bge.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::GE), false, o.at() + 4 - 0x81234), &[0xf6be, 0xa6e6]),
        ("blt.n . + 258", |o| encode::branch_short(o, Some(cc::LT), o.at() + 4 + 254), &[0xdb7f]),
        ("blt.n . - 252", |o| encode::branch_short(o, Some(cc::LT), o.at() + 4 - 256), &[0xdb80]),
        ("blt.w . + 4 + 0xf1234", |o| encode::branch_long(o, Some(cc::LT), false, o.at() + 4 + 0xf1234), &[0xf2f1, 0xa91a]),
        ("blt.w . + 4 - 0x81234", |o| encode::branch_long(o, Some(cc::LT), false, o.at() + 4 - 0x81234), &[0xf6fe, 0xa6e6]),
        ("b.n . + 2050", |o| encode::branch_short(o, None, o.at() + 4 + 2046), &[0xe3ff]),
        ("b.n . - 2044", |o| encode::branch_short(o, None, o.at() + 4 - 2048), &[0xe400]),
        ("b.w . + 4 + 0x7a5a5a", |o| encode::branch_long(o, None, false, o.at() + 4 + 0x7a5a5a), &[0xf3a5, 0xb52d]),
        ("bl . + 4 + 0x7a5a5a", |o| encode::branch_long(o, None, true, o.at() + 4 + 0x7a5a5a), &[0xf3a5, 0xf52d]),
        ("b.w . + 4 - 0x7a5a5a", |o| encode::branch_long(o, None, false, o.at() + 4 - 0x7a5a5a), &[0xf45a, 0xb2d3]),
        ("bl . + 4 - 0x7a5a5a", |o| encode::branch_long(o, None, true, o.at() + 4 - 0x7a5a5a), &[0xf45a, 0xf2d3]),
        ("b.w . + 4 + 0x123456", |o| encode::branch_long(o, None, false, o.at() + 4 + 0x123456), &[0xf123, 0xba2b]),
        ("bl . + 4 + 0x123456", |o| encode::branch_long(o, None, true, o.at() + 4 + 0x123456), &[0xf123, 0xfa2b]),
        ("b.w . + 4 - 0x123456", |o| encode::branch_long(o, None, false, o.at() + 4 - 0x123456), &[0xf6dc, 0xbdd5]),
        ("bl . + 4 - 0x123456", |o| encode::branch_long(o, None, true, o.at() + 4 - 0x123456), &[0xf6dc, 0xfdd5]),
        ("b.w . + 4 + 0x2", |o| encode::branch_long(o, None, false, o.at() + 4 + 0x2), &[0xf000, 0xb801]),
        ("bl . + 4 + 0x2", |o| encode::branch_long(o, None, true, o.at() + 4 + 0x2), &[0xf000, 0xf801]),
        ("b.w . + 4 - 0x2", |o| encode::branch_long(o, None, false, o.at() + 4 - 0x2), &[0xf7ff, 0xbfff]),
        ("bl . + 4 - 0x2", |o| encode::branch_long(o, None, true, o.at() + 4 - 0x2), &[0xf7ff, 0xffff]),
        ("push {r3, r4, r5, r6, lr}", |o| encode::stack(o, false, 0x78), &[0xb578]),
        ("pop {r3, r4, r5, r6, pc}", |o| encode::stack(o, true, 0x78), &[0xbd78]),
        ("push.w {r3, r4, r5, r6, r8, lr}", |o| encode::stack(o, false, 0x178), &[0xe92d, 0x4178]),
        ("pop.w {r3, r4, r5, r6, r8, pc}", |o| encode::stack(o, true, 0x178), &[0xe8bd, 0x8178]),
        ("tbh [pc, r2, lsl #1]", |o| encode::table_branch(o, Reg(2)), &[0xe8df, 0xf012]),
    ];
    let mut bytes = vec![0; AT as usize + 16];
    for (text, encode, halves) in cases {
        let mut slice = &mut bytes[..];
        let mut out = Out::new(&mut slice, u32::MAX, AT);
        encode(&mut out);
        let end = out.at() as usize;
        let found: Vec<_> = bytes[AT as usize..end].chunks_exact(2).map(|half| u16::from_le_bytes([half[0], half[1]])).collect();
        assert_eq!(&found, halves, "{text}");
    }
}

#[test]
fn numbers_that_no_modified_immediate_says_are_refused() {
    for v in [0x101, 0x1fe01, 0x00ff_00fe, 0x0102_0304, 0xffff_fffe, 0xff01] {
        assert_eq!(encode::modified(v), None, "{v:#x}");
    }
}

/// Returns the halfwords of a sum with r1 as scratch register.
fn sum(d: u8, x: u8, v: u32) -> Vec<u16> {
    let mut bytes = [0; 16];
    let mut slice = &mut bytes[..];
    let mut out = Out::new(&mut slice, u32::MAX, 0);
    Thumb2::bin_imm(&mut out, Bin::Add, Reg(d), Reg(x), v, Reg(1));
    let end = out.at() as usize;
    bytes[..end].chunks_exact(2).map(|half| u16::from_le_bytes([half[0], half[1]])).collect()
}

#[test]
fn a_sum_with_a_number_takes_no_register_if_the_number_or_its_negative_is_plain() {
    // adds.w r3, r2, #0x80808080; subs.w likewise; both of 0xab00ab00
    assert_eq!(sum(3, 2, 0x8080_8080), [0xf112, 0x3380]);
    assert_eq!(sum(3, 2, 0x8080_8080u32.wrapping_neg()), [0xf1b2, 0x3380]);
    assert_eq!(sum(3, 2, 0xab00_ab00), [0xf112, 0x23ab]);
    assert_eq!(sum(3, 2, 0xab00_ab00u32.wrapping_neg()), [0xf1b2, 0x23ab]);
    for byte in 1..=255u32 {
        for v in [byte * 0x0101_0101, byte * 0x0100_0100, byte * 0x0001_0001, byte << 12, byte << 24] {
            for v in [v, v.wrapping_neg()] {
                assert!(sum(8, 2, v).len() == 2 && sum(3, 3, v).len() <= 2, "{v:#x}");
            }
        }
    }
}

#[test]
fn a_table_says_whether_it_reaches_its_targets() {
    let mut bytes = [0; 64];
    for (to, reaches) in [(4, true), (4 + 2 * 0xffff, true), (4 + 2 * 0x1_0000, false), (1 << 20, false)] {
        let mut slice = &mut bytes[..];
        let mut out = Out::new(&mut slice, u32::MAX, 0);
        let last = Thumb2::table(&mut out, Reg(2), Reg(1), 2, &|n| if n == 0 { 8 } else { to });
        assert_eq!(to <= last, reaches, "{to}");
    }
}

#[test]
fn the_distance_of_a_call_is_read_back() {
    for to in [AT + 4, AT + 0x12_3456, AT - 0x7a_5a5a, AT] {
        let mut bytes = vec![0; AT as usize + 16];
        let mut slice = &mut bytes[..];
        let mut out = Out::new(&mut slice, u32::MAX, AT);
        encode::branch_long(&mut out, None, true, to);
        let bits = out.word_at(AT);
        assert_eq!(Thumb2::called(AT, bits), to);
    }
}
