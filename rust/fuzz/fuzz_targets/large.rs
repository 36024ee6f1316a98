// SPDX-License-Identifier: Apache-2.0
//! Modules of up to 2 MB through compiler, verifier and interpreter.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::large::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("large", wisp_fuzz::large::run)
}
