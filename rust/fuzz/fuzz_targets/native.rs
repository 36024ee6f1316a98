// SPDX-License-Identifier: Apache-2.0
//! Random modules as native code of the workstation against wasmi.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus {
    wisp_fuzz::differential::run_native(data).into()
});

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    wisp_fuzz::driver::main("native", wisp_fuzz::differential::run_native)
}
