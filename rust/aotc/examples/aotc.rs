// SPDX-License-Identifier: Apache-2.0
//! `aotc in.wasm|in.wat out.wisp target[,target...] [--strict] [--no-poll] [--no-sites] [--callers] [--part BYTES] [-Os] [--keep DIR] [--cc CC]`:
//! compiles a module for some targets and says how large the code is.

use std::error::Error;

use wisp_aotc::{add_section, compile, Machine, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: aotc in.wasm out.wisp target[,target] [flags]");
    let (input, output, targets) = (next()?, next()?, next()?);
    let mut options = Options::default();
    while let Ok(flag) = next() {
        match flag.as_str() {
            "--strict" => options.strict = true,
            "--no-poll" => options.poll = false,
            "--no-sites" => options.sites = false,
            "--callers" => options.callers = true,
            "--part" => options.part = Some(next()?.parse()?),
            "--keep" => options.keep = Some(next()?.into()),
            "--cc" => options.compiler = Some(next()?),
            level => options.optimize = level.into(),
        }
    }
    let wasm = wat::parse_bytes(&std::fs::read(&input)?)?.into_owned();
    let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default())?;
    let mut image = compiled.image.clone();
    for target in targets.split(',') {
        let native = compile(&wasm, &compiled, &Machine::named(target)?, &options)?;
        println!(
            "{target}: wasm {} B, IR image {} B, section {} B, code {} B, stack {} B",
            wasm.len(),
            compiled.image.len(),
            native.section.len(),
            native.code_size,
            native.stack
        );
        image = add_section(&image, &native)?;
    }
    std::fs::write(&output, image)?;
    Ok(())
}
