// SPDX-License-Identifier: Apache-2.0
//! A processor of 1975, emulated: 2,800 instructions of it.

use alloc::boxed::Box;

use mos6502::cpu::CPU;
use mos6502::instruction::Nmos6502;
use mos6502::memory::{Bus, Memory};

use crate::{mix, repeat};

pub const HEAP: usize = 68 << 10;
/// Fibonacci numbers of a byte into a page: 256 rounds of 11 instructions.
const CODE: [u8; 31] = [
    0xa9, 0x01, 0x85, 0x00, // LDA #1, STA 0
    0xa9, 0x00, 0x85, 0x01, // LDA #0, STA 1
    0xa2, 0x00, // LDX #0
    0x18, 0xa5, 0x00, 0x65, 0x01, 0x85, 0x02, // CLC, LDA 0, ADC 1, STA 2
    0xa5, 0x01, 0x85, 0x00, // LDA 1, STA 0
    0xa5, 0x02, 0x85, 0x01, // LDA 2, STA 1
    0x9d, 0x00, 0x02, 0xe8, 0xd0, 0xeb, // STA 0x200,X, INX, BNE to CLC
];

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut cpu = Box::new(CPU::new(Memory::new(), Nmos6502));
        cpu.memory.set_bytes(0x1000, &CODE);
        cpu.memory.set_byte(0x1001, 1 + round as u8);
        cpu.registers.program_counter = 0x1000;
        for _ in 0..2800 {
            cpu.single_step();
        }
        (0x200..0x2ff).fold(0, |sum, at| mix(sum, &[cpu.memory.get_byte(at)]))
    })
}
