// SPDX-License-Identifier: Apache-2.0
//! Every named target compiles, with whichever of its compilers is here: position independent, for the
//! machine its name says. What runs is tested on the workstation and on boards.

use std::process::Command;

use wisp_aotc::{compile, target, AotError, Machine, Options};
use wisp_compiler::Compiled;
use wisp_image::native::{float, Arch, Native};

/// Integers, floats, divisions, tables, a switch, memory of every width, a call of the host.
const MODULE: &str = r#"(module
  (import "env" "add" (func $add (param i32 i64) (result i64)))
  (type $t (func (param i32) (result i32)))
  (memory 1 1)
  (table funcref (elem $one $two))
  (func $one (type $t) (i32.div_s (i32.const 1000) (local.get 0)))
  (func $two (type $t) (i32.rem_u (local.get 0) (i32.const 7)))
  (func (export "table") (param i32 i32) (result i32)
    (call_indirect (type $t) (local.get 0) (local.get 1)))
  (func (export "wide") (param i32 i64) (result i64)
    (i64.div_u (call $add (local.get 0) (local.get 1)) (i64.load (local.get 0))))
  (func (export "floats") (param f32 f64) (result f64)
    (f64.sqrt (f64.div (f64.promote_f32 (f32.mul (local.get 0) (f32.const 1.5))) (local.get 1))))
  (func (export "switch") (param i32) (result i32)
    (block (block (block (block (br_table 0 1 2 3 (local.get 0)))
      (return (i32.const 11))) (return (i32.const 22))) (return (i32.const 33)))
    (i32.load16_s offset=3 (local.get 0)))
  (func (export "recurse") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call 6 (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))"#;

fn module() -> (Vec<u8>, Compiled) {
    let wasm = wat::parse_str(MODULE).unwrap();
    let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap();
    (wasm, compiled)
}

fn runs(command: &str) -> bool {
    Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Compiles in every mode. Returns false, after saying so, if the compiler is not here.
fn compiles(name: &str, options: &Options) -> bool {
    let (wasm, compiled) = module();
    let machine = Machine::named(name).unwrap();
    for (strict, poll, optimize) in [(false, false, "-O2"), (false, true, "-Os"), (true, true, "-O2")] {
        let options = Options { strict, poll, optimize: optimize.into(), ..options.clone() };
        let native = match compile(&wasm, &compiled, &machine, &options) {
            Ok(native) => native,
            Err(AotError::CompilerMissing(compiler, _)) => {
                eprintln!("SKIPPED: {name}: there is no {compiler} here");
                return false;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let section = Native::parse(&native.section).unwrap();
        assert_eq!(section.target, machine.target, "{name}");
        assert!(native.code_size > 300 && native.code_size < 12_000, "{name}: {} bytes", native.code_size);
        assert!(native.stack > 0 && native.stack < 2048, "{name}: {} bytes of stack", native.stack);
    }
    true
}

#[test]
fn every_named_target_compiles_where_its_compiler_is() {
    let built: Vec<_> = target::NAMES.iter().filter(|name| compiles(name, &Options::default())).collect();
    eprintln!("built: {built:?}");
    assert!(!cfg!(target_arch = "x86_64") || built.contains(&&"x86-64"));
}

#[test]
fn clang_serves_where_gcc_links() {
    let Some(clang) = ["clang", "clang-19", "clang-18", "clang-17"].into_iter().find(|name| runs(name)) else {
        eprintln!("SKIPPED: there is no clang here");
        return;
    };
    if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        assert!(compiles("x86-64", &Options { compiler: Some(clang.into()), ..Options::default() }));
    }
}

#[test]
fn a_compiler_tells_what_it_makes_code_for() {
    let of = |compiler: &str, flags: &str| {
        let flags: Vec<String> = flags.split(' ').map(String::from).collect();
        Machine::of_compiler(compiler, &flags)
    };
    if cfg!(target_arch = "x86_64") && runs("gcc") {
        assert_eq!(of("gcc", "-m64 -O2 -Wall").unwrap().target.arch, Arch::X86_64);
    }
    if runs("arm-none-eabi-gcc") {
        let arm = |flags: &str| of("arm-none-eabi-gcc", flags).unwrap();
        for name in target::NAMES.iter().filter(|name| name.starts_with("cortex")) {
            let machine = Machine::named(name).unwrap();
            assert_eq!(arm(&machine.flags.join(" ")).target, machine.target, "{name}");
        }
        let softfp = arm("-mcpu=cortex-m4 -mthumb -mfloat-abi=softfp -mfpu=fpv4-sp-d16 -fno-common");
        assert_eq!(softfp.target.float, float::SOFT);
        assert!(softfp.flags.contains(&"-mfloat-abi=soft".into()) && !softfp.flags.contains(&"-fno-common".into()));
        assert!(matches!(of("arm-none-eabi-gcc", "-mcpu=cortex-a9 -mthumb"), Err(AotError::UnknownMachine(_))));
    } else {
        eprintln!("SKIPPED: there is no arm-none-eabi-gcc here");
    }
    if runs("riscv64-unknown-elf-gcc") {
        for name in ["rv32imac", "rv32imc", "rv32ima"] {
            let machine = Machine::named(name).unwrap();
            let flags = format!("-march={name}_zicsr_zifencei -mabi=ilp32 -mcmodel=medlow");
            assert_eq!(of("riscv64-unknown-elf-gcc", &flags).unwrap().target, machine.target, "{name}");
        }
        assert!(matches!(
            of("riscv64-unknown-elf-gcc", "-march=rv64imac -mabi=lp64"),
            Err(AotError::UnknownMachine(_))
        ));
    } else {
        eprintln!("SKIPPED: there is no riscv64-unknown-elf-gcc here");
    }
    assert!(matches!(of("no-such-compiler", "-O2"), Err(AotError::CompilerMissing(..))));
}
