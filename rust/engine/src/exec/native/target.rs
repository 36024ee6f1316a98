// SPDX-License-Identifier: Apache-2.0
//! The machine this runtime is built for.

use wisp_image::native::{features, float, Arch, Target};

/// The machine that this runtime runs on, `None` where native code is not supported.
pub(super) const HERE: Option<Target> = of(env!("WISP_TARGET"), cfg!(target_abi = "eabihf"));

const fn starts(text: &str, prefix: &str) -> bool {
    let (text, prefix) = (text.as_bytes(), prefix.as_bytes());
    let mut index = 0;
    while index < prefix.len() {
        if index >= text.len() || text[index] != prefix[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Returns the machine of a Rust target.
const fn of(triple: &str, hard: bool) -> Option<Target> {
    let float = if hard { float::HARD_SINGLE } else { float::SOFT };
    let features = if starts(triple, "thumbv6m") {
        0
    } else if starts(triple, "thumbv7m") {
        features::V7M
    } else if starts(triple, "thumbv7em") {
        features::V7M | features::DSP
    } else if starts(triple, "thumbv8m.base") {
        features::V8M
    } else if starts(triple, "thumbv8m.main") {
        // the DSP extension is an option that the name does not tell
        features::V7M | features::V8M | if hard { features::DSP } else { 0 }
    } else if starts(triple, "riscv32i") {
        // extensions follow, one letter each; those of floating point change the calling convention
        let text = triple.as_bytes();
        let (mut features, mut index) = (0, "riscv32i".len());
        while index < text.len() && text[index] != b'-' {
            features |= match text[index] {
                b'm' => features::RV_M,
                b'a' => features::RV_A,
                b'c' => features::RV_C,
                _ => return None,
            };
            index += 1;
        }
        return Some(Target { arch: Arch::RiscV32, features, float: float::SOFT });
    } else if starts(triple, "x86_64") && !cfg!(windows) && !cfg!(target_vendor = "apple") {
        return Some(Target { arch: Arch::X86_64, features: 0, float: float::HARD_DOUBLE });
    } else {
        return None;
    };
    Some(Target { arch: Arch::Thumb, features, float })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_targets_name_their_machine() {
        let m3 = of("thumbv7m-none-eabi", false).unwrap();
        let m33 = of("thumbv8m.main-none-eabi", false).unwrap();
        let m0 = of("thumbv6m-none-eabi", false).unwrap();
        assert!(m33.runs(m3) && m3.runs(m0) && !m0.runs(m3));
        assert_eq!(of("thumbv7em-none-eabihf", true).unwrap().float, float::HARD_SINGLE);
        let imac = of("riscv32imac-unknown-none-elf", false).unwrap();
        let imc = of("riscv32imc-unknown-none-elf", false).unwrap();
        assert!(imac.runs(imc) && !imc.runs(imac));
        assert!(of("riscv32imafc-unknown-none-elf", false).is_none());
        assert!(of("xtensa-esp32-none-elf", false).is_none());
    }
}
