// SPDX-License-Identifier: Apache-2.0
//! Files that are read: wasm modules and images.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use wasmparser::{Parser, Payload};
use wisp_image::{Image, ImageError};

use crate::failure::Failure;

/// The kind of a file, told from its first bytes.
pub enum Kind {
    /// A core module.
    Wasm,
    /// A component.
    Component,
    /// A Wisp image, or the beginning of one.
    Image,
}

/// Files that this run of the command reads or has written. It replaces none of them.
static KEPT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Protects a file against [`write()`] and [`create`]. Devices and pipes need no protection.
pub fn keep(path: &Path) {
    if let (true, Ok(place)) = (path.is_file(), path.canonicalize()) {
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }
}

/// Refuses the name `-`, which other programs take for a standard stream.
fn named(path: &Path, stream: &str) -> Result<(), Failure> {
    if path.as_os_str() != "-" {
        return Ok(());
    }
    let message = format!("the name of a file is expected; {stream} is /dev/{stream}, and ./- a file of this name");
    Err(Failure::in_file(path, message))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::in_file(path, format_args!("cannot be read: {error}"))
}

/// Bytes of a file at most. Neither a module nor anything else that is read whole comes near.
const LARGEST: u64 = 1 << 30;

/// Opens a file to read it.
pub fn open(path: &Path) -> Result<File, Failure> {
    named(path, "stdin")?;
    keep(path);
    File::open(path).map_err(|error| unreadable(path, &error))
}

/// Returns the bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    let read = match file.metadata() {
        Ok(about) if about.len() > LARGEST => Ok(usize::MAX),
        // a device or a pipe does not say how much it has
        _ => file.take(LARGEST + 1).read_to_end(&mut bytes),
    };
    match read.map_err(|error| unreadable(path, &error))? {
        count if count as u64 > LARGEST => {
            Err(Failure::in_file(path, "the file has more than 1 GiB; name another one"))
        }
        _ => Ok(bytes),
    }
}

/// Checks that a file may be written: that this run of the command neither reads it nor has written it.
pub fn check_free(path: &Path) -> Result<(), Failure> {
    named(path, "stdout")?;
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    match path.canonicalize() {
        Ok(place) if kept.contains(&place) => Err(Failure::in_file(
            path,
            "this command has another use for the file and does not replace it; name another one",
        )),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::in_file(path, format_args!("cannot be written: {error}"))
}

/// Opens a file to write it.
pub fn create(path: &Path) -> Result<File, Failure> {
    check_free(path)?;
    let file = File::create(path).map_err(|error| unwritable(path, &error))?;
    keep(path);
    Ok(file)
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    create(path)?.write_all(bytes).map_err(|error| unwritable(path, &error))
}

/// Writes what was made of a file in its place.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| unwritable(path, &error))
}

/// Returns true if both names are of one file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Returns true for WebAssembly text, with or without a comment before it.
fn is_wasm_text(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    [&b"(module"[..], b"(component", b";;", b"(;"].iter().any(|start| text.starts_with(start))
}

/// Returns true if all of it can be read.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()))
}

/// Returns true for what compilers give to the linker, and for what `wasm-ld --relocatable` joined. Such a file imports
/// its memory under a name of its own, or it has the linker's section and exports nothing.
fn is_object(module: &[u8]) -> bool {
    let (mut has_symbols, mut has_exports) = (false, false);
    for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
        match payload {
            Payload::ImportSection(imports) => {
                let mut imports = imports.into_imports().map_while(Result::ok);
                if imports.any(|import| import.module == "env" && import.name == "__linear_memory") {
                    return true;
                }
            }
            Payload::ExportSection(exports) => has_exports |= exports.count() > 0,
            Payload::CustomSection(section) => has_symbols |= section.name() == "linking",
            _ => {}
        }
    }
    has_symbols && !has_exports
}

/// Says what bytes are.
pub fn kind(path: &Path, bytes: &[u8]) -> Result<Kind, Failure> {
    let fail = |message: &str| Err(Failure::in_file(path, message));
    match bytes.get(..4) {
        Some(b"WISP") => Ok(Kind::Image),
        Some(b"\0asm") => match bytes.get(4..8) {
            Some([1, 0, 0, 0]) if is_object(bytes) => {
                fail("this is an object file, which is not linked yet; link it with wasm-ld, or through clang or rustc")
            }
            Some([1, 0, 0, 0]) => Ok(Kind::Wasm),
            Some([_, _, 1, 0]) => Ok(Kind::Component),
            Some(version) => Err(Failure::in_file(
                path,
                format_args!("wasm version {version:02x?}, expected [01, 00, 00, 00]; Wisp reads version 1 only"),
            )),
            None => fail("the wasm module is cut short after its first bytes; build or copy it again"),
        },
        _ if bytes.is_empty() => fail("the file is empty; expected a wasm module or a Wisp image"),
        _ if is_wasm_text(bytes) => {
            fail("this is WebAssembly text; make a binary of it first, for example with `wasm-tools parse`")
        }
        _ if bytes.starts_with(b"\x7fELF") => {
            fail("this is a native program (ELF), not a wasm module; build it for a wasm target")
        }
        _ if bytes.starts_with(b"\x1f\x8b")
            || bytes.starts_with(b"\x28\xb5\x2f\xfd")
            || bytes.starts_with(b"PK\x03\x04") =>
        {
            fail("this is a compressed file, not a wasm module; unpack it first")
        }
        _ if bytes.starts_with(b"!<arch>\n") => fail(
            "this is a library of object files, not a wasm module; link it with wasm-ld, or through clang or rustc",
        ),
        _ if bytes.starts_with(b"BC\xc0\xde") => {
            fail("this is LLVM bitcode, not a wasm module; compile and link it for a wasm target")
        }
        _ if bytes.starts_with(b"MZ") || bytes.starts_with(b"\xcf\xfa\xed\xfe") => {
            fail("this is a native program, not a wasm module; build it for a wasm target")
        }
        _ if bytes.starts_with(b"wisp-symbols ") => {
            fail("these are symbols, which `wisp build` wrote beside an image; give the module or the image")
        }
        _ if is_text(bytes) => fail(
            "this is text, not a wasm module: a source or a web page perhaps; give the file that the compiler for a \
             wasm target made",
        ),
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

/// Returns the core module of a component, whose parts have this many bytes of heap each, or a usual number for 0.
pub fn lowered(path: &Path, component: &[u8], heap: u32) -> Result<Vec<u8>, Failure> {
    wisp_component::lower(component, heap).map_err(|error| Failure::in_file(path, error))
}

/// Reads the image in these bytes.
pub fn image<'b>(path: &Path, bytes: &'b [u8]) -> Result<Image<'b>, Failure> {
    Image::parse(bytes).map_err(|error| match error {
        _ if bytes.is_empty() => Failure::in_file(path, "the file is empty; expected a Wisp image"),
        ImageError::Magic(_) => {
            Failure::in_file(path, format_args!("{error}; give the image, which `wisp build` writes as NAME.wisp"))
        }
        error => Failure::in_file(path, error),
    })
}
