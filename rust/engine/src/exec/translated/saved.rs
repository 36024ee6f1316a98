// SPDX-License-Identifier: Apache-2.0
//! The registers of a function in Thumb code that goes on in the interpreter.

use wisp_translate::isa::Reg;

/// The registers that `wisp.t.deopt` saves, from the first on, and behind them the native stack of the function. The
/// thirteenth is no slot's: the stack pointer to go on with is put there.
#[repr(C)]
pub struct Registers {
    numbers: [u32; 13],
    pub returns: u32,
}

impl Registers {
    /// Returns the value of a register.
    pub fn get(&self, register: Reg) -> u32 {
        self.numbers[usize::from(register.0)]
    }

    /// Changes the value of a register.
    pub fn set(&mut self, register: Reg, value: u32) {
        self.numbers[usize::from(register.0)] = value;
    }

    /// Says where the native stack of the function's caller lies.
    pub fn set_stack(&mut self, stack: *const u32) {
        self.numbers[12] = stack.addr() as u32;
    }
}

const _: () = assert!(size_of::<Registers>() == 56);
