// SPDX-License-Identifier: Apache-2.0
//! Files that are read: wasm modules and images.

use std::path::Path;

use wisp_image::Image;

use crate::failure::Failure;

/// What a file holds, by its first bytes.
pub enum Kind {
    /// A core module.
    Wasm,
    /// A Wisp image, or the beginning of one.
    Image,
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::in_file(path, format_args!("cannot be read: {error}")))
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::in_file(path, format_args!("cannot be written: {error}")))
}

/// Tells what bytes are.
pub fn kind(path: &Path, bytes: &[u8]) -> Result<Kind, Failure> {
    let fail = |message: &str| Err(Failure::in_file(path, message));
    match bytes.get(..4) {
        Some(b"WISP") => Ok(Kind::Image),
        Some(b"\0asm") => match bytes.get(4..8) {
            Some([1, 0, 0, 0]) => Ok(Kind::Wasm),
            Some([_, _, 1, 0]) => fail(
                "this is a WebAssembly component; Wisp runs core modules: build it for wasm32-unknown-unknown or \
                 wasm32-wasip1",
            ),
            Some(version) => Err(Failure::in_file(
                path,
                format_args!("wasm version {version:02x?}, expected [01, 00, 00, 00]; Wisp reads version 1 only"),
            )),
            None => fail("the wasm module is cut short after its first bytes; build or copy it again"),
        },
        _ if bytes.is_empty() => fail("the file is empty; expected a wasm module or a Wisp image"),
        _ if bytes.trim_ascii_start().starts_with(b"(module") => {
            fail("this is WebAssembly text; make a binary of it first, for example with `wasm-tools parse`")
        }
        _ if bytes.starts_with(b"\x7fELF") => {
            fail("this is a native program (ELF), not a wasm module; build it for a wasm target")
        }
        _ => {
            let shown = bytes.get(..4).unwrap_or(bytes);
            Err(Failure::in_file(
                path,
                format_args!(
                    "neither a wasm module nor a Wisp image: it begins with {shown:02x?}, expected [00, 61, 73, 6d] \
                     (wasm) or [57, 49, 53, 50] (Wisp)"
                ),
            ))
        }
    }
}

/// Reads the image in these bytes.
pub fn image<'b>(path: &Path, bytes: &'b [u8]) -> Result<Image<'b>, Failure> {
    Image::parse(bytes).map_err(|error| Failure::in_file(path, error))
}
