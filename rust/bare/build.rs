// SPDX-License-Identifier: Apache-2.0
//! Writes the memory map of the emulated board that stands for the target.

use std::path::Path;
use std::{env, fs};

/// Stack, heap, arena and tape lie beyond what the linker is told of: the command line says where.
const MPS2: &str = "MEMORY {
  FLASH : ORIGIN = 0x00000000, LENGTH = 256K
  RAM : ORIGIN = 0x20000000, LENGTH = 8K
}
";

/// The addresses of a Cortex-M33 in its secure state, in which it begins.
const MPS2_SECURE: &str = "MEMORY {
  FLASH : ORIGIN = 0x10000000, LENGTH = 256K
  RAM : ORIGIN = 0x38000000, LENGTH = 8K
}
";

/// The RP2040's flash and RAM, without the second stage of its boot loader: its emulator begins with the program.
const RP2040: &str = "MEMORY {
  FLASH : ORIGIN = 0x10000000, LENGTH = 256K
  RAM : ORIGIN = 0x20000000, LENGTH = 8K
}
";

const VIRT: &str = "MEMORY {
  CODE : ORIGIN = 0x80000000, LENGTH = 1M
  RAM : ORIGIN = 0x80100000, LENGTH = 1M
}
REGION_ALIAS(\"REGION_TEXT\", CODE);
REGION_ALIAS(\"REGION_RODATA\", CODE);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let map = match target.as_str() {
        "thumbv6m-none-eabi" if env::var_os("CARGO_FEATURE_RP2040").is_some() => RP2040,
        "thumbv7m-none-eabi" => MPS2,
        // QEMU's Cortex-M33 executes this code too, and its misaligned accesses can be made faults
        "thumbv6m-none-eabi" | "thumbv8m.main-none-eabi" => MPS2_SECURE,
        "riscv32imac-unknown-none-elf" => VIRT,
        other => panic!("no emulated board stands for {other}"),
    };
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("memory.x"), map).expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-check-cfg=cfg(wisp_strict_align)");
    if target.starts_with("thumbv6m") {
        println!("cargo:rustc-cfg=wisp_strict_align");
    }
    if target.starts_with("riscv") {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rustc-link-arg=--nmagic");
}
