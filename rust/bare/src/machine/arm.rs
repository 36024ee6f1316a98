// SPDX-License-Identifier: Apache-2.0
//! Cortex-M.

use cortex_m_rt::{entry, exception, ExceptionFrame};

use crate::fail;

#[entry]
fn start() -> ! {
    trap_misaligned_accesses();
    crate::main()
}

/// Makes misaligned accesses faults if the program is compiled for processors where they are: the emulated
/// processor is a Cortex-M33, which otherwise does them.
fn trap_misaligned_accesses() {
    #[cfg(wisp_strict_align)]
    {
        const CCR: *mut u32 = 0xe000_ed14 as *mut u32;
        const UNALIGN_TRP: u32 = 1 << 3;
        // SAFETY: this is the configuration and control register of each Cortex-M, and nothing else runs.
        unsafe { CCR.write_volatile(CCR.read_volatile() | UNALIGN_TRP) };
    }
}

/// Goes on with a function, on the stack that ends there.
pub fn continue_on(stack: usize, then: fn() -> !) -> ! {
    if stack == 0 {
        then()
    }
    // SAFETY: the emulated board has RAM below `stack` (scripts/suites/bare.py), `then` does not return, and
    // nothing on the old stack is used any more.
    unsafe { cortex_m::asm::bootstrap(stack as *const u32, then as usize as *const u32) }
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    fail(format_args!("a fault at {:#x}, called from {:#x}", frame.pc(), frame.lr()))
}
