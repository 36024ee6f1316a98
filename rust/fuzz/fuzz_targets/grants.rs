// SPDX-License-Identifier: Apache-2.0
//! Arbitrary tables of grants.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::grants::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("grants", wisp_fuzz::grants::run)
}
