// SPDX-License-Identifier: Apache-2.0
//! The start of the program and its faults, by instruction set.

#[cfg(target_arch = "arm")]
mod arm;
#[cfg(target_arch = "riscv32")]
mod riscv;

#[cfg(target_arch = "arm")]
pub use arm::continue_on;
#[cfg(target_arch = "riscv32")]
pub use riscv::continue_on;
