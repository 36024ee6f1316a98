// SPDX-License-Identifier: Apache-2.0
//! Images with another meaning, beside other instances in one store.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::instances::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("instances", wisp_fuzz::instances::run)
}
