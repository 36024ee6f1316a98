// SPDX-License-Identifier: Apache-2.0
//! Arbitrary bytes and damaged images through reader and verifier.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus { wisp_fuzz::image::run(data).into() });

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("image", wisp_fuzz::image::run)
}
