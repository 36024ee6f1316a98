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
    /// The machine that the section's header states.
    pub target: Target,
    /// Flags of the compiler that choose the instruction set and the calling convention.
    pub flags: Vec<String>,
    /// Prefixes of cross compilers, best first.
    pub compilers: &'static [&'static str],
}

/// Beginnings of flags that choose the processor or the calling convention.
const KEPT: &[&str] =
    &["-mcpu=", "-march=", "-mabi=", "-mthumb", "-mfpu=", "-mfloat-abi=", "-m64", "-m32", "--target="];

const ARM: &[&str] = &["arm-zephyr-eabi-", "arm-none-eabi-"];
const RISCV: &[&str] = &["riscv64-zephyr-elf-", "riscv32-unknown-elf-", "riscv64-unknown-elf-"];

impl Machine {
    /// Returns the target with this name.
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

    /// Returns the machine that a compiler makes code for with these flags, as the compiler itself says. Of the flags only those that
    /// choose the processor and the calling convention are kept.
    ///
    /// # Errors
    /// The compiler cannot be started, or the machine is none that native code is made for.
    pub fn of_compiler(compiler: &str, flags: &[String]) -> Result<Self, AotError> {
        let kept = |flag: &String| KEPT.iter().any(|prefix| flag.starts_with(prefix));
        let mut flags: Vec<String> = flags.iter().filter(|flag| kept(flag)).cloned().collect();
        let macros = crate::toolchain::macros(compiler, &flags)?;
        let value = |name: &str| macros.get(name).map(|text| text.trim());
        let has = |name: &str| value(name).is_some();
        let bits = |list: &[(u8, bool)]| list.iter().filter(|(_, set)| *set).fold(0, |bits, (bit, _)| bits | bit);
        let unknown = |what: &str| Err(AotError::UnknownMachine(what.into()));
        if has("__x86_64__") && !has("__ILP32__") {
            return Self::named("x86-64");
        }
        if has("__thumb__") {
            let Some(version) = value("__ARM_ARCH").and_then(|version| version.parse::<u32>().ok()) else {
                return unknown("an Arm processor whose compiler does not tell the architecture's version");
            };
            if value("__ARM_ARCH_PROFILE") != Some("'M'") && value("__ARM_ARCH_PROFILE") != Some("77") {
                return unknown("Arm processors other than Cortex-M");
            }
            let features = bits(&[
                (features::V7M, value("__ARM_ARCH_ISA_THUMB") == Some("2")),
                (features::V8M, version >= 8),
                (features::DSP, has("__ARM_FEATURE_DSP")),
            ]);
            let hard = has("__ARM_PCS_VFP");
            if !hard {
                // floating-point registers that only the code itself would use
                flags.retain(|flag| !flag.starts_with("-mfloat-abi") && !flag.starts_with("-mfpu"));
                flags.push("-mfloat-abi=soft".into());
            }
            let float = if hard { float::HARD_SINGLE } else { float::SOFT };
            return Ok(Self { target: Target { arch: Arch::Thumb, features, float }, flags, compilers: ARM });
        }
        if has("__riscv") {
            if value("__riscv_xlen") != Some("32") || has("__riscv_32e") || has("__riscv_e") {
                return unknown("RISC-V other than RV32I");
            }
            if !has("__riscv_float_abi_soft") {
                return unknown("RISC-V with floating-point registers in the calling convention");
            }
            let parts = [
                (features::RV_M, has("__riscv_muldiv"), "m"),
                (features::RV_A, has("__riscv_atomic"), "a"),
                (features::RV_C, has("__riscv_compressed"), "c"),
            ];
            // the header names these extensions only, so the code uses no others
            let letters: String = parts.iter().filter(|(_, set, _)| *set).map(|(_, _, letter)| *letter).collect();
            let features = bits(&parts.map(|(bit, set, _)| (bit, set)));
            let flags = vec![format!("-march=rv32i{letters}"), "-mabi=ilp32".into()];
            let target = Target { arch: Arch::RiscV32, features, float: float::SOFT };
            return Ok(Self { target, flags, compilers: RISCV });
        }
        unknown("the processor that this compiler and these flags are for")
    }

    /// Returns the bytes of an address.
    pub fn word(&self) -> usize {
        match self.target.arch {
            Arch::X86_64 => 8,
            Arch::Thumb | Arch::RiscV32 => 4,
        }
    }

    /// Returns true for Armv6-M and its like.
    pub fn thumb1(&self) -> bool {
        self.target.arch == Arch::Thumb && self.target.features & features::V7M == 0
    }

    /// Definitions the prelude asks for.
    pub fn definitions(&self) -> Vec<(&'static str, bool)> {
        let Target { arch, features, float } = self.target;
        let has = |bit| features & bit != 0;
        let thumb1 = self.thumb1();
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
