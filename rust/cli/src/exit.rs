// SPDX-License-Identifier: Apache-2.0
//! Exit codes of `wisp run`.

use wisp_engine::TrapCode;

/// The command itself failed: a bad file, an import nobody has.
pub const FAILURE: u8 = 1;

/// An error of this program itself, EX_SOFTWARE of sysexits.h.
pub const INTERNAL: u8 = 70;

/// The guest ended with a status above 255.
pub const LARGE_STATUS: u8 = 255;

/// Returns the exit code that a native program with the same fault would have: 128 plus the number of the signal.
pub const fn of_trap(code: TrapCode) -> u8 {
    match code {
        // SIGINT
        TrapCode::Interrupted => 130,
        // SIGFPE
        TrapCode::IntegerOverflow | TrapCode::IntegerDivisionByZero | TrapCode::BadConversionToInteger => 136,
        // SIGSEGV
        TrapCode::MemoryOutOfBounds | TrapCode::BeyondTrimmedMemory => 139,
        TrapCode::StackOverflow | TrapCode::CallDepthExceeded | TrapCode::NestingExceeded => 139,
        // SIGXCPU
        TrapCode::OutOfFuel | TrapCode::DeadlineExceeded => 152,
        // SIGABRT
        _ => 134,
    }
}

/// The table for `--help`.
pub const HELP: &str = "\
Exit code: that of the guest's proc_exit (255 for one above 255), 0 when its entry returns, 1 if it could not be run, and for a trap
  130  it was interrupted
  134  unreachable code, a bad indirect call or table access, a failed host function
  136  integer overflow, division by zero, a float that no integer can hold
  139  access outside of linear memory, call stack exhausted
  152  out of fuel, deadline exceeded";
