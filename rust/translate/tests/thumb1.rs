// SPDX-License-Identifier: Apache-2.0
//! Each encoder of Thumb-1 gives the bytes that GNU as 2.40 gives for the same text with `-mcpu=cortex-m0plus`, and numbers
//! are made by instructions that make them.

mod common;

use common::{agree, emit, AT};
use wisp_translate::isa::{Bin, Cond, Isa, Reg, Val, Width};
use wisp_translate::out::Out;
use wisp_translate::thumb1::encode::{self, op, sh, SP};
use wisp_translate::thumb1::Thumb1;

#[rustfmt::skip]
#[test]
fn encoders_agree_with_an_assembler() {
    agree(&[
        ("lsls r2, r5, #1", |o| encode::shift_imm(o, sh::LSL, Reg(2), Reg(5), 1), &[0x006a]),
        ("lsls r2, r5, #17", |o| encode::shift_imm(o, sh::LSL, Reg(2), Reg(5), 17), &[0x046a]),
        ("lsls r2, r5, #31", |o| encode::shift_imm(o, sh::LSL, Reg(2), Reg(5), 31), &[0x07ea]),
        ("lsls r7, r7, r1", |o| encode::shift_reg(o, sh::LSL, Reg(7), Reg(1)), &[0x408f]),
        ("lsrs r2, r5, #1", |o| encode::shift_imm(o, sh::LSR, Reg(2), Reg(5), 1), &[0x086a]),
        ("lsrs r2, r5, #17", |o| encode::shift_imm(o, sh::LSR, Reg(2), Reg(5), 17), &[0x0c6a]),
        ("lsrs r2, r5, #31", |o| encode::shift_imm(o, sh::LSR, Reg(2), Reg(5), 31), &[0x0fea]),
        ("lsrs r7, r7, r1", |o| encode::shift_reg(o, sh::LSR, Reg(7), Reg(1)), &[0x40cf]),
        ("asrs r2, r5, #1", |o| encode::shift_imm(o, sh::ASR, Reg(2), Reg(5), 1), &[0x106a]),
        ("asrs r2, r5, #17", |o| encode::shift_imm(o, sh::ASR, Reg(2), Reg(5), 17), &[0x146a]),
        ("asrs r2, r5, #31", |o| encode::shift_imm(o, sh::ASR, Reg(2), Reg(5), 31), &[0x17ea]),
        ("asrs r7, r7, r1", |o| encode::shift_reg(o, sh::ASR, Reg(7), Reg(1)), &[0x410f]),
        ("rors r0, r0, r6", |o| encode::shift_reg(o, sh::ROR, Reg(0), Reg(6)), &[0x41f0]),
        ("sxth r3, r6", |o| encode::extend(o, 0, Reg(3), Reg(6)), &[0xb233]),
        ("sxtb r3, r6", |o| encode::extend(o, 1, Reg(3), Reg(6)), &[0xb273]),
        ("uxth r3, r6", |o| encode::extend(o, 2, Reg(3), Reg(6)), &[0xb2b3]),
        ("uxtb r3, r6", |o| encode::extend(o, 3, Reg(3), Reg(6)), &[0xb2f3]),
        ("ands r5, r5, r3", |o| encode::alu(o, op::AND, Reg(5), Reg(3)), &[0x401d]),
        ("eors r5, r5, r3", |o| encode::alu(o, op::EOR, Reg(5), Reg(3)), &[0x405d]),
        ("adcs r5, r5, r3", |o| encode::alu(o, op::ADC, Reg(5), Reg(3)), &[0x415d]),
        ("sbcs r5, r5, r3", |o| encode::alu(o, op::SBC, Reg(5), Reg(3)), &[0x419d]),
        ("orrs r5, r5, r3", |o| encode::alu(o, op::ORR, Reg(5), Reg(3)), &[0x431d]),
        ("bics r5, r5, r3", |o| encode::alu(o, op::BIC, Reg(5), Reg(3)), &[0x439d]),
        ("muls r5, r3, r5", |o| encode::alu(o, op::MUL, Reg(5), Reg(3)), &[0x435d]),
        ("rsbs r2, r4, #0", |o| encode::alu(o, op::NEG, Reg(2), Reg(4)), &[0x4262]),
        ("mvns r2, r4", |o| encode::alu(o, op::MVN, Reg(2), Reg(4)), &[0x43e2]),
        ("ldr r0, [r3, r6]", |o| encode::access(o, Width::Word, false, Reg(0), Reg(3), Reg(6)), &[0x5998]),
        ("str r7, [r2, r1]", |o| encode::access(o, Width::Word, true, Reg(7), Reg(2), Reg(1)), &[0x5057]),
        ("ldr r5, [r2, #0]", |o| encode::access_imm(o, Width::Word, false, Reg(5), Reg(2), 0), &[0x6815]),
        ("str r1, [r7, #0]", |o| encode::access_imm(o, Width::Word, true, Reg(1), Reg(7), 0), &[0x6039]),
        ("ldr r5, [r2, #4]", |o| encode::access_imm(o, Width::Word, false, Reg(5), Reg(2), 4), &[0x6855]),
        ("str r1, [r7, #4]", |o| encode::access_imm(o, Width::Word, true, Reg(1), Reg(7), 4), &[0x6079]),
        ("ldr r5, [r2, #124]", |o| encode::access_imm(o, Width::Word, false, Reg(5), Reg(2), 124), &[0x6fd5]),
        ("str r1, [r7, #124]", |o| encode::access_imm(o, Width::Word, true, Reg(1), Reg(7), 124), &[0x67f9]),
        ("ldrh r0, [r3, r6]", |o| encode::access(o, Width::Half, false, Reg(0), Reg(3), Reg(6)), &[0x5b98]),
        ("strh r7, [r2, r1]", |o| encode::access(o, Width::Half, true, Reg(7), Reg(2), Reg(1)), &[0x5257]),
        ("ldrh r5, [r2, #0]", |o| encode::access_imm(o, Width::Half, false, Reg(5), Reg(2), 0), &[0x8815]),
        ("strh r1, [r7, #0]", |o| encode::access_imm(o, Width::Half, true, Reg(1), Reg(7), 0), &[0x8039]),
        ("ldrh r5, [r2, #2]", |o| encode::access_imm(o, Width::Half, false, Reg(5), Reg(2), 2), &[0x8855]),
        ("strh r1, [r7, #2]", |o| encode::access_imm(o, Width::Half, true, Reg(1), Reg(7), 2), &[0x8079]),
        ("ldrh r5, [r2, #62]", |o| encode::access_imm(o, Width::Half, false, Reg(5), Reg(2), 62), &[0x8fd5]),
        ("strh r1, [r7, #62]", |o| encode::access_imm(o, Width::Half, true, Reg(1), Reg(7), 62), &[0x87f9]),
        ("ldrb r0, [r3, r6]", |o| encode::access(o, Width::Byte, false, Reg(0), Reg(3), Reg(6)), &[0x5d98]),
        ("strb r7, [r2, r1]", |o| encode::access(o, Width::Byte, true, Reg(7), Reg(2), Reg(1)), &[0x5457]),
        ("ldrb r5, [r2, #0]", |o| encode::access_imm(o, Width::Byte, false, Reg(5), Reg(2), 0), &[0x7815]),
        ("strb r1, [r7, #0]", |o| encode::access_imm(o, Width::Byte, true, Reg(1), Reg(7), 0), &[0x7039]),
        ("ldrb r5, [r2, #1]", |o| encode::access_imm(o, Width::Byte, false, Reg(5), Reg(2), 1), &[0x7855]),
        ("strb r1, [r7, #1]", |o| encode::access_imm(o, Width::Byte, true, Reg(1), Reg(7), 1), &[0x7079]),
        ("ldrb r5, [r2, #31]", |o| encode::access_imm(o, Width::Byte, false, Reg(5), Reg(2), 31), &[0x7fd5]),
        ("strb r1, [r7, #31]", |o| encode::access_imm(o, Width::Byte, true, Reg(1), Reg(7), 31), &[0x77f9]),
        ("ldrsh r0, [r3, r6]", |o| encode::access(o, Width::HalfSigned, false, Reg(0), Reg(3), Reg(6)), &[0x5f98]),
        ("ldrsb r0, [r3, r6]", |o| encode::access(o, Width::ByteSigned, false, Reg(0), Reg(3), Reg(6)), &[0x5798]),
        ("ldr r3, [pc, #0]", |o| encode::load_literal(o, Reg(3), 0), &[0x4b00]),
        ("ldr r6, [pc, #1020]", |o| encode::load_literal(o, Reg(6), 255), &[0x4eff]),
        ("push {r2, r4, r5, lr}", |o| encode::push(o, 0b110100, true), &[0xb534]),
        ("push {r0}", |o| encode::push(o, 1, false), &[0xb401]),
        ("pop {r2, r4, r5, pc}", |o| encode::pop(o, 0b110100, true), &[0xbd34]),
        ("pop {r6}", |o| encode::pop(o, 1 << 6, false), &[0xbc40]),
        ("add sp, #8", |o| encode::add_stack(o, 2), &[0xb002]),
        ("bx r3", |o| encode::branch_register(o, Reg(3)), &[0x4718]),
        ("bx lr", |o| encode::branch_register(o, Reg(14)), &[0x4770]),
        ("mov r8, r8", |o| encode::nop(o), &[0x46c0]),
        ("mov r12, r3", |o| encode::mov(o, Reg(12), Reg(3)), &[0x469c]),
        ("mov r1, r9", |o| encode::mov(o, Reg(1), Reg(9)), &[0x4649]),
        ("mov r1, r6", |o| encode::mov(o, Reg(1), Reg(6)), &[0x4631]),
        ("add r2, r8", |o| encode::add_any(o, Reg(2), Reg(8)), &[0x4442]),
        ("add r2, pc", |o| encode::add_any(o, Reg(2), Reg(15)), &[0x447a]),
        ("add pc, r2", |o| encode::add_any(o, Reg(15), Reg(2)), &[0x4497]),
        ("cmp r9, r4", |o| encode::cmp(o, Reg(9), Reg(4)), &[0x45a1]),
        ("cmp r3, r4", |o| encode::cmp(o, Reg(3), Reg(4)), &[0x42a3]),
        ("cmp sp, r1", |o| encode::cmp(o, SP, Reg(1)), &[0x458d]),
        ("adds r1, r2, r3", |o| encode::add_low(o, false, Reg(1), Reg(2), Reg(3)), &[0x18d1]),
        ("subs r7, r0, r6", |o| encode::add_low(o, true, Reg(7), Reg(0), Reg(6)), &[0x1b87]),
        ("movs r3, #200", |o| encode::imm_8(o, 0, Reg(3), 200), &[0x23c8]),
        ("cmp r3, #200", |o| encode::imm_8(o, 1, Reg(3), 200), &[0x2bc8]),
        ("adds r3, #200", |o| encode::imm_8(o, 2, Reg(3), 200), &[0x33c8]),
        ("subs r3, #200", |o| encode::imm_8(o, 3, Reg(3), 200), &[0x3bc8]),
        ("adds r1, r4, #5", |o| encode::imm_3(o, false, Reg(1), Reg(4), 5), &[0x1d61]),
        ("subs r1, r4, #5", |o| encode::imm_3(o, true, Reg(1), Reg(4), 5), &[0x1f61]),
        ("movs r3, #200", |o| Thumb1::imm(o, Reg(3), 200), &[0x23c8]),
        ("movs r3, #255; adds r3, #255", |o| Thumb1::imm(o, Reg(3), 510), &[0x23ff, 0x33ff]),
        ("movs r3, #129; lsls r3, r3, #24", |o| Thumb1::imm(o, Reg(3), 0x8100_0000), &[0x2381, 0x061b]),
        ("movs r3, #9; lsls r3, r3, #9; adds r3, #52", |o| Thumb1::imm(o, Reg(3), 0x1234), &[0x2309, 0x025b, 0x3334]),
        ("movs r3, #1; lsls r3, r3, #24; subs r3, #1", |o| Thumb1::imm(o, Reg(3), 0x00ff_ffff), &[0x2301, 0x061b, 0x3b01]),
        ("movs r3, #0; mvns r3, r3", |o| Thumb1::imm(o, Reg(3), u32::MAX), &[0x2300, 0x43db]),
        ("movs r3, #129; lsls r3, r3, #8; mvns r3, r3", |o| Thumb1::imm(o, Reg(3), !0x8100), &[0x2381, 0x021b, 0x43db]),
        ("movs r3, #9; lsls r3, r3, #9; adds r3, #53; lsls r3, r3, #12", |o| Thumb1::imm(o, Reg(3), 0x0123_5000), &[0x2309, 0x025b, 0x3335, 0x031b]),
        ("movs r3, #9; lsls r3, r3, #9; adds r3, #52; mvns r3, r3", |o| Thumb1::imm(o, Reg(3), !0x1234), &[0x2309, 0x025b, 0x3334, 0x43db]),
        ("ldr r3, [pc, #0]; b .+8; .word 0x12345679; mov r8, r8", |o| Thumb1::imm(o, Reg(3), 0x1234_5679), &[0x4b00, 0xe002, 0x5679, 0x1234, 0x46c0]),
    ]);
}

/// Registers r0 to r7, and the carry and zero flags.
#[derive(Clone, Copy)]
struct Machine {
    r: [u32; 8],
    carry: bool,
    zero: bool,
}

impl Machine {
    /// Executes straight code with short branches ahead, at an offset, to its end.
    fn run(&mut self, at: u32, code: &[u16]) {
        let mut n = 0;
        while let Some(&half) = code.get(n) {
            n += 1;
            let h = usize::from(half);
            let (d, x, imm) = (h & 7, h >> 3 & 7, h as u32 & 0xff);
            let amount = (h >> 6 & 31) as u32;
            match half >> 11 {
                0 => self.set(d, self.r[x] << amount),
                1 => self.set(d, self.r[x].checked_shr(if amount == 0 { 32 } else { amount }).unwrap_or(0)),
                3 => {
                    let y = if h >> 10 & 1 == 1 { h as u32 >> 6 & 7 } else { self.r[h >> 6 & 7] };
                    self.sum(d, self.r[x], y, h >> 9 & 1 == 1);
                }
                4 => self.set(h >> 8 & 7, imm),
                6 | 7 => self.sum(h >> 8 & 7, self.r[h >> 8 & 7], imm, half >> 11 == 7),
                8 if h >> 6 == 0x4000 >> 6 => self.set(d, self.r[d] & self.r[x]),
                8 if h >> 6 == 0x4380 >> 6 => self.set(d, self.r[d] & !self.r[x]),
                8 if h >> 6 == 0x4040 >> 6 => self.set(d, self.r[d] ^ self.r[x]),
                8 if h >> 6 == 0x4300 >> 6 => self.set(d, self.r[d] | self.r[x]),
                8 if h >> 6 == 0x4340 >> 6 => self.set(d, self.r[d].wrapping_mul(self.r[x])),
                8 if h >> 6 == 0x43c0 >> 6 => self.set(d, !self.r[x]),
                8 if h >> 6 == 0x4240 >> 6 => self.sum(d, 0, self.r[x], true),
                8 if h >> 8 == 0x46 && h & 0x80 == 0 && h & 0x40 == 0 => self.r[d] = self.r[x],
                8 if half == 0x46c0 => {}
                9 => {
                    let word = ((at as usize / 2 + n - 1 + 2) & !1) + imm as usize * 2 - at as usize / 2;
                    self.r[h >> 8 & 7] = u32::from(code[word]) | u32::from(code[word + 1]) << 16;
                }
                22 if h >> 8 == 0xb2 && h & 0x80 != 0 => {
                    self.r[d] = self.r[x] & if h & 0x40 == 0 { 0xffff } else { 0xff }
                }
                28 => n += (h & 0x7ff) + 1,
                _ => panic!("{half:#06x} is not known"),
            }
        }
    }

    fn set(&mut self, d: usize, value: u32) {
        self.r[d] = value;
        self.zero = value == 0;
    }

    fn sum(&mut self, d: usize, x: u32, y: u32, minus: bool) {
        self.carry = if minus { x >= y } else { x.checked_add(y).is_none() };
        self.set(d, if minus { x.wrapping_sub(y) } else { x.wrapping_add(y) });
    }
}

/// Numbers of all shapes.
fn numbers() -> Vec<u32> {
    let mut numbers = Vec::new();
    for shift in 0..32 {
        for v in [1u32, 3, 0x81, 0xff, 0x101, 0x1ff, 0x1234, 0xffff, 0x0001_0101, 0x1234_5679, 0x8765_4321] {
            let v = v.rotate_left(shift);
            numbers.extend([v, !v, v.wrapping_neg(), v.wrapping_add(200), v.wrapping_sub(77)]);
        }
    }
    numbers.extend(0..600);
    numbers
}

#[test]
fn a_number_is_made_by_as_many_bytes_wherever_it_is() {
    for v in numbers() {
        let here = [AT, AT + 2].map(|at| {
            let code = emit(at, |out| Thumb1::imm(out, Reg(3), v));
            let mut machine = Machine { r: [0x5555_5555; 8], carry: false, zero: false };
            machine.run(at, &code);
            assert_eq!(machine.r, [[0x5555_5555; 3].as_slice(), &[v], &[0x5555_5555; 4]].concat()[..], "{v:#x}");
            code.len()
        });
        assert!(here[0] == here[1] && here[0] <= 5, "{v:#x}");
    }
}

#[test]
fn operations_with_numbers_leave_all_but_the_result_and_the_scratch_register_alone() {
    type Operation = (Bin, fn(u32, u32) -> u32);
    let operations: [Operation; 6] = [
        (Bin::Add, u32::wrapping_add),
        (Bin::Sub, u32::wrapping_sub),
        (Bin::Mul, u32::wrapping_mul),
        (Bin::And, |x, v| x & v),
        (Bin::Or, |x, v| x | v),
        (Bin::Xor, |x, v| x ^ v),
    ];
    for v in numbers() {
        for (op, operation) in operations {
            for (d, plain) in [(5, false), (4, false), (5, true), (4, true)] {
                let number = wisp_translate::isa::Number::of(op);
                if plain && !Thumb1::plain(number, v) {
                    continue;
                }
                let code = emit(AT, |out| {
                    Thumb1::bin_imm(out, op, Reg(d), Reg(4), v, Reg(1));
                });
                let x = 0x9e37_79b9;
                let mut machine = Machine { r: [7, 8, 9, 10, x, 11, 12, 13], carry: false, zero: false };
                let before = machine.r;
                machine.run(AT, &code);
                for (n, (&now, &before)) in machine.r.iter().zip(&before).enumerate() {
                    if n == usize::from(d) {
                        assert_eq!(now, operation(x, v), "{op:?} {v:#x}");
                    } else {
                        assert!(now == before || n == 1 && !plain, "r{n} after {op:?} {v:#x}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_jump_by_a_table_loads_the_entry_behind_it() {
    let halves = emit(AT, |out| {
        Thumb1::table(out, Reg(2), Reg(1));
    });
    // lsls r1, r2, #1; add r1, pc; ldrh r1, [r1, #4]; lsls r1, r1, #1; add pc, r1
    assert_eq!(halves, [0x0051, 0x4479, 0x8889, 0x0049, 0x448f]);
}

#[test]
fn a_long_branch_with_a_condition_reaches_everything() {
    let test = |out: &mut Out<'_>| Thumb1::compare(out, Cond::Ne, Reg(3), Val::Reg(Reg(4)), Reg(1));
    let branch = |distance: i32| {
        emit(AT, |out| {
            let test = test(out);
            Thumb1::branch(out, Some(test), AT.wrapping_add(distance as u32), true);
        })
    };
    // cmp r3, r4; beq over what follows; b, or bl, which reaches farther
    assert_eq!(branch(1000), [0x42a3, 0xd001, 0xe1f0, 0x46c0]);
    assert_eq!(branch(-1000), [0x42a3, 0xd000, 0xe608]);
    assert_eq!(branch(5000), [0x42a3, 0xd001, 0xf001, 0xf9c0]);
    assert_eq!(branch(-5000), [0x42a3, 0xd001, 0xf7fe, 0xfe38]);
    // the place of a target ahead that is not known yet
    assert_eq!(branch(0).len(), branch(1000).len());
}
