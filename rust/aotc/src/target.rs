// SPDX-License-Identifier: Apache-2.0
//! Targets: what code may use, and how the compiler is told.

use wisp_image::native::{features, float, Arch, Target};

use crate::error::AotError;

/// Names `--target` takes.
pub const NAMES: &[&str] = &[
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m4f",
    "cortex-m33",
    "cortex-m33-dsp",
    "cortex-m33f",
    "rv32imac",
    "rv32imc",
    "rv32ima",
    "x86-64",
];

/// A target with its compiler.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What the header of the section says.
    pub target: Target,
    /// Flags of the compiler that choose the instruction set and the calling convention.
    pub flags: Vec<String>,
    /// Prefixes of cross compilers, best first.
    pub compilers: &'static [&'static str],
}

const ARM: &[&str] = &["arm-zephyr-eabi-", "arm-none-eabi-"];
const RISCV: &[&str] = &["riscv64-zephyr-elf-", "riscv32-unknown-elf-", "riscv64-unknown-elf-"];

impl Machine {
    /// The target with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, AotError> {
        let thumb = |features: u8, float: u8, flags: &str| (Arch::Thumb, features, float, flags.to_string(), ARM);
        let riscv = |features: u8| {
            let flags = format!("-march={name} -mabi=ilp32");
            (Arch::RiscV32, features, float::SOFT, flags, RISCV)
        };
        let (arch, features, float, flags, compilers) = match name {
            "cortex-m0plus" | "cortex-m0" => thumb(0, float::SOFT, "-mcpu=cortex-m0plus -mthumb -mfloat-abi=soft"),
            "cortex-m3" => thumb(features::V7M, float::SOFT, "-mcpu=cortex-m3 -mthumb -mfloat-abi=soft"),
            "cortex-m4" => {
                thumb(features::V7M | features::DSP, float::SOFT, "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft")
            }
            "cortex-m4f" => thumb(
                features::V7M | features::DSP,
                float::HARD_SINGLE,
                "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
            ),
            "cortex-m33" => thumb(
                features::V7M | features::V8M,
                float::SOFT,
                "-mcpu=cortex-m33+nofp+nodsp -mthumb -mfloat-abi=soft",
            ),
            "cortex-m33-dsp" => thumb(
                features::V7M | features::V8M | features::DSP,
                float::SOFT,
                "-mcpu=cortex-m33+nofp -mthumb -mfloat-abi=soft",
            ),
            "cortex-m33f" => thumb(
                features::V7M | features::V8M | features::DSP,
                float::HARD_SINGLE,
                "-mcpu=cortex-m33 -mthumb -mfloat-abi=hard -mfpu=fpv5-sp-d16",
            ),
            "rv32imac" => riscv(features::RV_M | features::RV_A | features::RV_C),
            "rv32imc" => riscv(features::RV_M | features::RV_C),
            "rv32ima" => riscv(features::RV_M | features::RV_A),
            "x86-64" => (Arch::X86_64, 0, float::HARD_DOUBLE, "-m64 -mno-red-zone".to_string(), &[""][..]),
            _ => return Err(AotError::UnknownTarget(name.into())),
        };
        let flags = flags.split(' ').map(String::from).collect();
        Ok(Self { target: Target { arch, features, float }, flags, compilers })
    }

    /// Bytes of an address.
    pub fn word(&self) -> usize {
        match self.target.arch {
            Arch::X86_64 => 8,
            Arch::Thumb | Arch::RiscV32 => 4,
        }
    }

    /// Definitions the prelude asks for.
    pub fn definitions(&self) -> Vec<(&'static str, bool)> {
        let Target { arch, features, float } = self.target;
        let has = |bit| features & bit != 0;
        let thumb1 = arch == Arch::Thumb && !has(features::V7M);
        vec![
            ("SOFT32", float == float::SOFT),
            ("SOFT64", float != float::HARD_DOUBLE),
            ("DIV32", thumb1 && !has(features::V8M) || arch == Arch::RiscV32 && !has(features::RV_M)),
            ("DIV64", arch != Arch::X86_64),
            (
                "MISALIGNED",
                match arch {
                    Arch::X86_64 => true,
                    Arch::Thumb => has(features::V7M),
                    Arch::RiscV32 => has(features::MISALIGNED),
                },
            ),
            ("SMALL", thumb1 || arch == Arch::RiscV32),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_target_and_no_other_is() {
        for name in NAMES {
            assert!(Machine::named(name).is_ok(), "{name}");
        }
        let error = Machine::named("cortex-m99").unwrap_err().to_string();
        assert!(error.contains("cortex-m99") && error.contains("cortex-m33f"), "{error}");
    }
}
