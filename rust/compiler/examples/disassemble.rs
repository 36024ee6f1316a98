// SPDX-License-Identifier: Apache-2.0
//! Compiles a wasm file, checks the image with the device's verifier and prints its code:
//! `cargo run -p wisp-compiler --example disassemble app.wasm`.

use wisp_image::{disassemble, format::Section, verify, Image};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let wasm = std::fs::read(&path)?;
        let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default())?;
        let image = Image::parse(&compiled.image)?;
        verify::verify(&image, &mut vec![0; verify::scratch_words(&image)?])?;
        let code = image.section(Section::Code);
        println!("{path}: wasm {} bytes, image {} bytes, code {} bytes", wasm.len(), compiled.image.len(), code.len());
        for index in 0..image.function_count() {
            let start = image.function(index)?.code as usize;
            let end =
                if index + 1 < image.function_count() { image.function(index + 1)?.code as usize } else { code.len() };
            println!("function {index}:");
            for op in disassemble::ops(code, start, end) {
                println!("  {:#06x}  {op}", op.offset);
            }
        }
    }
    Ok(())
}
