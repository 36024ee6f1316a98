// SPDX-License-Identifier: Apache-2.0
//! Damaged modules through the compiler.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::compiler::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("compiler", wisp_fuzz::compiler::run)
}
