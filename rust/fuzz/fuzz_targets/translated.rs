// SPDX-License-Identifier: Apache-2.0
//! Machine code of verified images, between borders that it must not cross.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::translated::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("translated", wisp_fuzz::translated::run)
}
