// SPDX-License-Identifier: Apache-2.0
//! Arbitrary arguments for every host function.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::host_calls::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("host_calls", wisp_fuzz::host_calls::run)
}
