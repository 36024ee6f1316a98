// SPDX-License-Identifier: Apache-2.0
//! RV32.

use core::arch::asm;

use riscv::register::{mcause, mepc, mtval};
use riscv_rt::{entry, TrapFrame};

use crate::fail;

#[entry]
fn start() -> ! {
    crate::main()
}

/// Goes on with a function, on the stack that ends there.
pub fn continue_on(stack: usize, then: fn() -> !) -> ! {
    if stack == 0 {
        then()
    }
    // SAFETY: the emulated board has RAM below `stack` (scripts/suites/bare.py), `then` does not return, and
    // nothing on the old stack is used any more.
    unsafe { asm!("mv sp, {0}", "jr {1}", in(reg) stack, in(reg) then, options(noreturn)) }
}

/// Ends the program: nothing here causes exceptions on purpose.
#[no_mangle]
extern "C" fn ExceptionHandler(_: &TrapFrame) -> ! {
    let (cause, value, place) = (mcause::read().bits(), mtval::read(), mepc::read());
    fail(format_args!("exception {cause} of {value:#x} at {place:#x}"))
}
