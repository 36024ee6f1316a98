// SPDX-License-Identifier: Apache-2.0
//! `callers FILE TARGET PROGRAMS`: writes images of random programs with native code and tables of callers to a file, for
//! the command `callers` of `rust/bare`.

mod program;

use std::error::Error;

use wisp_aotc::{add_section, compile, Machine, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, target, programs] = &arguments[..] else { return Err("usage: callers FILE TARGET PROGRAMS".into()) };
    let mut out = Vec::new();
    for (seed, level) in (0..programs.parse()?).zip(["-O2", "-Os"].iter().cycle()) {
        let wasm = wat::parse_str(program::program(seed))?;
        let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default())?;
        let options = Options { callers: true, optimize: (*level).into(), ..Options::default() };
        let native = compile(&wasm, &compiled, &Machine::named(target)?, &options)?;
        let image = add_section(&compiled.image, &native)?;
        out.extend((image.len() as u32).to_le_bytes());
        out.extend([0; 4]);
        out.extend(&image);
        out.resize(out.len().next_multiple_of(8), 0);
    }
    std::fs::write(file, out)?;
    Ok(())
}
