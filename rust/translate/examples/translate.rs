// SPDX-License-Identifier: Apache-2.0
//! Translates an image on the workstation and writes the code: for a disassembler, and for figures.
//!
//! `translate thumb2 app.wisp app.bin` (or `thumb1`, `riscv`)

use std::cell::Cell;
use std::process::ExitCode;

use wisp_image::format::Section;
use wisp_image::Image;
use wisp_translate::isa::Isa;
use wisp_translate::{riscv, scratch_words, thumb1, thumb2, translate_all, Env, Helper, Layout};

fn translate<I: Isa>(image: &Image<'_>, mut code: &mut [u8]) -> Option<u32> {
    let mut scratch = vec![0; scratch_words(image).ok()?];
    let functions = vec![Cell::new(0); image.function_count()];
    let memory = image.memory().ok()?.map_or(0, |memory| memory.backed);
    let env = Env {
        image,
        layout: Layout { stack_limit: 24, floor: 100, globals: 28, imported_globals: 56 },
        memory,
        fuel: std::env::var_os("NO_FUEL").is_none(),
        helpers: &[0; Helper::COUNT],
        trampolines: &[const { Cell::new(0) }; Helper::COUNT],
        functions: &functions,
        go_on: &|| true,
    };
    let outcome = translate_all::<I>(&env, &mut scratch, &mut code, u32::MAX);
    println!(
        "{} of {} functions, {} bytes of code, {} of IR, {} of scratch memory",
        outcome.translated,
        functions.len(),
        outcome.bytes,
        image.section(Section::Code).len(),
        scratch.len() * 4
    );
    for (index, entry) in functions.iter().enumerate() {
        println!("function {index} at {:#x}", entry.get().wrapping_sub(1));
    }
    Some(outcome.bytes)
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, isa, input, output] = &arguments[..] else {
        eprintln!("usage: translate thumb1|thumb2|riscv IMAGE CODE");
        return ExitCode::FAILURE;
    };
    let bytes = std::fs::read(input).expect("the image can be read");
    let image = Image::parse(&bytes).expect("it is an image");
    let words = wisp_image::verify::scratch_words(&image).expect("its functions can be read");
    wisp_image::verify::verify(&image, &mut vec![0; words]).expect("its code is verified");
    let mut code = vec![0; 1 << 20];
    let length = match isa.as_str() {
        "thumb1" => translate::<thumb1::Thumb1>(&image, &mut code),
        "thumb2" => translate::<thumb2::Thumb2>(&image, &mut code),
        "riscv" => translate::<riscv::Riscv>(&image, &mut code),
        other => panic!("{other} is no instruction set of the translator"),
    };
    std::fs::write(output, &code[..length.unwrap_or(0) as usize]).expect("the code can be written");
    ExitCode::SUCCESS
}
