// SPDX-License-Identifier: Apache-2.0
//! Damaged images that pass the verifier, run between guard pages.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::mutated::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("mutated", wisp_fuzz::mutated::run)
}
