// SPDX-License-Identifier: Apache-2.0
//! As `report.rs`, in numbers: what is wrong and two values that say more. doc/errors.md has the same messages with
//! these numbers; a test compares.

#[cfg(feature = "native")]
use crate::native::Reason;
use crate::platform::Zephyr;
use crate::run::Counted;
use crate::shim;
use wisp_engine::{Image, ImageError, InstantiateError, LinkProblem, Rule};
#[cfg(feature = "native")]
use wisp_image::native::{Refusal, Target};

/// Number of a fault that is reported. Numbers stay as they are. New ones come behind.
// Without native code, nothing reports its faults.
#[cfg_attr(not(feature = "native"), allow(dead_code))]
#[derive(Clone, Copy)]
#[repr(u32)]
enum Error {
    Truncated = 1,
    RawWasm = 2,
    Magic = 3,
    FormatVersion = 4,
    IrVersion = 5,
    Misaligned = 6,
    UnknownSection = 7,
    Scratch = 8,
    Feature = 9,
    Rule = 10,
    SectionBounds = 11,
    MissingSection = 12,
    Entry = 13,
    NativeOnly = 14,
    Work = 15,
    NoEntry = 20,
    UnknownImport = 21,
    ImportType = 22,
    Memory = 23,
    Arena = 24,
    TableElements = 25,
    Imports = 26,
    Functions = 27,
    NoNativeCode = 40,
    Fuel = 41,
    Untrusted = 42,
    NotExecutable = 43,
    Target = 45,
    NativeDamaged = 46,
    AbiVersion = 47,
    Helpers = 48,
    Hash = 49,
    NativeMemory = 50,
    NativeFunctions = 51,
    Unstoppable = 52,
    NativeFeatures = 53,
}

/// Logs an error of the app. Without a log nothing is left of what calls this.
fn log(board: &Zephyr, error: Error, first: u32, second: u32) {
    if cfg!(feature = "log") {
        // SAFETY: `app` is valid by the contract of `Zephyr::new`.
        unsafe { shim::wisp_shim_error(board.app(), error as u32, first, second) }
    }
}

/// Reports that the bytes are no image, or none for this firmware.
#[cold]
#[inline(never)]
pub(crate) fn bad_image(board: &Zephyr, error: ImageError) {
    let (error, first, second) = match error {
        ImageError::Truncated(needed, present) => (Error::Truncated, needed, present),
        ImageError::RawWasm => (Error::RawWasm, 0, 0),
        ImageError::Magic(found) => (Error::Magic, u32::from_be_bytes(found), 0),
        ImageError::FormatVersion(found, expected) => (Error::FormatVersion, found.into(), expected.into()),
        ImageError::IrVersion(found, expected) => (Error::IrVersion, found.into(), expected.into()),
        ImageError::Misaligned(bytes) => (Error::Misaligned, bytes.into(), 0),
        ImageError::UnknownSection(kind) => (Error::UnknownSection, kind.into(), 0),
        ImageError::Scratch(bytes) => (Error::Scratch, bytes, 0),
        ImageError::Code(function, _, Rule::Built(feature)) => (Error::Feature, function.into(), feature as u32),
        ImageError::Code(function, offset, rule) => (Error::Rule, u32::from(function) | rule.number() << 16, offset),
        ImageError::Work | ImageError::Stopped => (Error::Work, 0, 0),
        ImageError::SectionBounds(kind) => (Error::SectionBounds, kind.into(), 0),
        ImageError::MissingSection(section) => (Error::MissingSection, section as u32, 0),
        ImageError::Entry(section, offset) => (Error::Entry, section as u32, offset),
        ImageError::NativeOnly => (Error::NativeOnly, 0, 0),
    };
    log(board, error, first, second);
}

/// Reports that the image has no function to run.
pub(crate) fn no_entry(board: &Zephyr) {
    log(board, Error::NoEntry, 0, 0);
}

/// Reports an import that this firmware does not have, or has with another type.
pub(crate) fn bad_import(board: &Zephyr, error: &InstantiateError, problem: LinkProblem, _image: &Image<'_>) {
    let index = match error {
        InstantiateError::Import(index, _) => u32::from(*index),
        _ => u32::MAX,
    };
    let error = match problem {
        LinkProblem::Unknown => Error::UnknownImport,
        _ => Error::ImportType,
    };
    log(board, error, index, 0);
}

/// Reports linear memory that the app may not have.
pub(crate) fn too_large(board: &Zephyr, needed: u32, allowed: u32) {
    log(board, Error::Memory, needed, allowed);
}

/// Reports an arena that does not hold what stands beside linear memory.
pub(crate) fn too_small(board: &Zephyr, needed: u32, left: u32) {
    log(board, Error::Arena, needed, left);
}

/// Reports more of something than the app may have.
pub(crate) fn too_many(board: &Zephyr, what: Counted, has: u32, allowed: u32) {
    let error = match what {
        Counted::TableElements => Error::TableElements,
        Counted::Imports => Error::Imports,
        Counted::Functions => Error::Functions,
    };
    log(board, error, has, allowed);
}

/// Reports an image without IR that is not installed, because its native code cannot run here.
#[cfg(all(feature = "native", feature = "storage"))]
pub(crate) fn not_installed(board: &Zephyr, reason: &Reason) {
    no_native_code(board, reason, false);
}

/// Reports native code that is not used. The image's IR may run instead.
#[cfg(feature = "native")]
#[cold]
#[inline(never)]
pub(crate) fn no_native_code(board: &Zephyr, reason: &Reason, _has_ir: bool) {
    let target = |target: Option<Target>| {
        target.map_or(0, |target| target.to_bytes().iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    };
    let (error, first, second) = match *reason {
        Reason::Absent => (Error::NoNativeCode, 0, 0),
        Reason::Fuel => (Error::Fuel, 0, 0),
        Reason::Untrusted => (Error::Untrusted, 0, 0),
        Reason::NotExecutable => (Error::NotExecutable, 0, 0),
        Reason::Refused(refusal) => match refusal {
            Refusal::Target(found, here) => (Error::Target, target(found), target(here)),
            Refusal::Damaged(at) => (Error::NativeDamaged, at.into(), 0),
            Refusal::AbiVersion(found, expected) => (Error::AbiVersion, found.into(), expected.into()),
            Refusal::Helpers(needed, present) => (Error::Helpers, needed.into(), present.into()),
            Refusal::Features(missing) => (Error::NativeFeatures, missing.into(), 0),
            Refusal::Hash => (Error::Hash, 0, 0),
            Refusal::Memory(assumed, stated) => (Error::NativeMemory, assumed, stated),
            Refusal::Functions(section, image) => (Error::NativeFunctions, section, image),
            Refusal::Unstoppable => (Error::Unstoppable, 0, 0),
        },
    };
    log(board, error, first, second);
}
