// SPDX-License-Identifier: Apache-2.0
//! Writes images to a file for `wisp-bare compare`. They are random modules, damaged ones, and modules in text form.

use std::process::ExitCode;

use arbitrary::Unstructured;
use wisp_compiler::{compile, Options};
use wisp_fuzz::{driver, modules, mutated};

/// The number of bytes that the board has for all images together.
const MOST: usize = 3 << 20;
/// The bit of a length that says that the image was damaged.
const DAMAGED: u32 = 1 << 31;
/// Seeds of the random modules, and of those that are damaged.
const SEEDS: [u64; 2] = [31, 32];

/// Appends an image with its length and flags.
fn put(file: &mut Vec<u8>, image: &[u8], flags: u32) {
    file.extend((image.len() as u32 | flags).to_le_bytes());
    file.extend([0; 4]);
    file.extend(image);
    file.resize(file.len().next_multiple_of(8), 0);
}

/// Returns the image of a random module, or `None` if the bytes make none.
fn random(seed: u64, number: u64) -> Option<Vec<u8>> {
    let bytes = driver::input(seed, number);
    let wasm = modules::module(&mut Unstructured::new(&bytes), modules::Imports::Any).ok()?;
    Some(compile(&wasm, &Options::default()).ok()?.image)
}

/// Returns a damaged image, or `None` if the bytes make none.
fn damaged(seed: u64, number: u64) -> Option<Vec<u8>> {
    mutated::image(&mut Unstructured::new(&driver::input(seed, number))).ok()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, count, texts @ ..] = &arguments[..] else {
        eprintln!("usage: board FILE COUNT [TEXT...]");
        return ExitCode::from(2);
    };
    let mut file = Vec::new();
    for text in texts {
        let wasm = wat::parse_file(text).expect("the text is a module");
        let image = compile(&wasm, &Options::default()).expect("the module compiles").image;
        // The board runs each image in another way: with little fuel, with little room for code, or stopped.
        (0..12).for_each(|_| put(&mut file, &image, 0));
    }
    let count: u64 = count.parse().expect("COUNT is a number");
    for number in 0..count {
        for (image, flags) in [(random(SEEDS[0], number), 0), (damaged(SEEDS[1], number), DAMAGED)] {
            if let Some(image) = image.filter(|image| file.len() + image.len() < MOST) {
                put(&mut file, &image, flags);
            }
        }
    }
    std::fs::write(path, file).expect("the file can be written");
    ExitCode::SUCCESS
}
