// SPDX-License-Identifier: Apache-2.0
//! Modules from text, interpreted or as native code of this process. Each test uses a part of this.
#![allow(dead_code)]

use wisp_aotc::desk::Mapping;
use wisp_aotc::{add_section, compile, Machine, Options};
use wisp_compiler::Compiled;
use wisp_engine::{Engine, Module};

/// Returns a module and its image.
pub fn compiled(wat: &str) -> (Vec<u8>, Compiled) {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap();
    (wasm, compiled)
}

/// Returns the image with native code for this machine.
pub fn image_with(wasm: &[u8], compiled: &Compiled, options: &Options) -> Vec<u8> {
    let native = compile(wasm, compiled, &Machine::named("x86-64").unwrap(), options).unwrap();
    add_section(&compiled.image, &native).unwrap()
}

/// Returns the name of clang, if it is here.
pub fn clang() -> Option<&'static str> {
    let runs = |name: &&str| {
        let output = std::process::Command::new(name).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    };
    let clang = ["clang", "clang-19", "clang-18", "clang-17"].into_iter().find(runs);
    if clang.is_none() {
        eprintln!("SKIPPED: there is no clang here");
    }
    clang
}

/// Loads an image, and lets its native code run if that is asked for. The code stays mapped until the process ends. A
/// test that adds a section made it from the module of the image.
pub fn loaded<'a>(engine: &Engine, image: &'a [u8], native: bool) -> Module<'a> {
    let mut module = Module::new(engine, image).unwrap();
    if native {
        let mapping = Mapping::new(module.native_section(engine).unwrap().bytes()).unwrap();
        let mapping: &'static Mapping = Box::leak(Box::new(mapping));
        // SAFETY: the section was made from this module (see above), and a mapping that is leaked outlives every store.
        unsafe { module.use_native(engine, mapping.section().unwrap()) }.unwrap();
    }
    module
}
