// SPDX-License-Identifier: Apache-2.0
//! What the log says of an app that could not be started: what is wrong, where, and what to do. The lines are
//! explained in doc/errors.md; a test compares. `report_numbers.rs` stands for it in small firmwares.

use wisp_engine::{Image, ImageError, InstantiateError, LinkProblem, Rule};
use wisp_host::abi;

#[cfg(feature = "native")]
use crate::native::{Reason, INTERPRETER};
use crate::platform::Zephyr;
use crate::run::Counted;
use crate::text::Text;
#[cfg(feature = "native")]
use wisp_image::native::Piece;

impl Zephyr {
    fn error(&self, text: &Text) {
        self.report(abi::log::ERROR, text.bytes());
    }
}

/// Puts together `before`, a number, `between`, a number and `after`.
fn numbers(before: &[u8], first: u32, between: &[u8], second: u32, after: &[u8]) -> Text {
    let mut text = Text::new();
    text.push(before);
    text.push_number(first);
    text.push(between);
    text.push_number(second);
    text.push(after);
    text
}

/// Reports that the bytes are no image, or none for this firmware.
#[cold]
#[inline(never)]
pub(crate) fn bad_image(board: &Zephyr, error: ImageError) {
    const REBUILD: &[u8] = b"; build it with the firmware's wisp";
    const DAMAGED: &[u8] = b"; send or build it again";
    let (text, end) = match error {
        ImageError::Truncated(needed, present) => {
            (numbers(b"image cut short: ", needed, b" bytes expected, ", present, b" present"), DAMAGED)
        }
        ImageError::RawWasm => {
            let mut text = Text::new();
            text.push(b"this is wasm, not an image; use wisp build");
            (text, &b""[..])
        }
        ImageError::Magic(found) => {
            let mut text = Text::new();
            text.push(b"no image: begins with 0x");
            text.push_hex(u32::from_be_bytes(found), 8);
            text.push(b", expected 0x57495350");
            (text, DAMAGED)
        }
        ImageError::FormatVersion(found, expected) => {
            (numbers(b"image format ", found.into(), b", expected ", expected.into(), b""), REBUILD)
        }
        ImageError::IrVersion(found, expected) => {
            (numbers(b"image with IR ", found.into(), b", expected ", expected.into(), b""), REBUILD)
        }
        ImageError::Misaligned(bytes) => {
            let mut text = Text::new();
            text.push(b"image not at a multiple of ");
            text.push_number(bytes.into());
            text.push(b" bytes");
            (text, &b""[..])
        }
        ImageError::UnknownSection(kind) => {
            let mut text = Text::new();
            text.push(b"image with unknown section ");
            text.push_number(kind.into());
            (text, REBUILD)
        }
        ImageError::Scratch(bytes) => {
            let mut text = Text::new();
            text.push(b"checking the image needs an arena of ");
            text.push_number(bytes);
            text.push(b" bytes; raise memory-size");
            (text, &b""[..])
        }
        ImageError::Work | ImageError::Stopped => {
            let mut text = Text::new();
            text.push(b"image damaged: the check takes too long");
            (text, DAMAGED)
        }
        ImageError::Code(function, _, Rule::Built(feature)) => {
            let mut text = Text::new();
            text.push(b"function ");
            text.push_number(function.into());
            text.push(b" needs ");
            text.push(feature.name().as_bytes());
            text.push(b", which this firmware is built without");
            (text, &b""[..])
        }
        ImageError::Code(function, offset, rule) => {
            let mut text = numbers(b"image damaged: rule ", rule.number(), b", function ", function.into(), b"@0x");
            text.push_hex(offset, 1);
            (text, DAMAGED)
        }
        ImageError::SectionBounds(kind) => {
            let mut text = Text::new();
            text.push(b"image damaged: section ");
            text.push_number(kind.into());
            (text, DAMAGED)
        }
        ImageError::MissingSection(section) => {
            let mut text = Text::new();
            text.push(b"image damaged: no section ");
            text.push_number(section as u32);
            (text, DAMAGED)
        }
        ImageError::NativeOnly => {
            let mut text = Text::new();
            text.push(b"the image has native code only, which this firmware does not run");
            (text, &b"; build it without --native-only"[..])
        }
        ImageError::Entry(section, offset) => {
            (numbers(b"image damaged: section ", section as u32, b", offset ", offset, b""), DAMAGED)
        }
    };
    let mut text = text;
    text.push(end);
    board.error(&text);
}

/// Reports that the image has no function to run.
#[cold]
#[inline(never)]
pub(crate) fn no_entry(board: &Zephyr) {
    let mut text = Text::new();
    text.push(b"the image exports no function ");
    text.push(abi::ENTRY.as_bytes());
    text.push(b" or ");
    text.push(abi::INITIALIZE.as_bytes());
    text.push(b"; build a program, not a library");
    board.error(&text);
}

/// Reports an import that this firmware does not have, or has with another type.
#[cold]
#[inline(never)]
pub(crate) fn bad_import(board: &Zephyr, error: &InstantiateError, problem: LinkProblem, image: &Image<'_>) {
    let (module, name) = error.import(image).unwrap_or(("?", "?"));
    let mut text = Text::new();
    text.push(b"import ");
    text.push_shown(module.as_bytes());
    text.push(b" ");
    text.push_shown(name.as_bytes());
    text.push(match problem {
        LinkProblem::Unknown => b": not in this firmware; enable its interface",
        _ => b": has another type in this firmware; build with its SDK",
    });
    board.error(&text);
}

/// Reports linear memory that the app may not have.
#[cold]
#[inline(never)]
pub(crate) fn too_large(board: &Zephyr, needed: u32, allowed: u32) {
    const CURE: &[u8] = b"; raise it, or see wisp build --memory-limit";
    board.error(&numbers(b"needs ", needed, b" bytes of memory, memory-size allows ", allowed, CURE));
}

/// Reports an arena that does not hold what stands beside linear memory.
#[cold]
#[inline(never)]
pub(crate) fn too_small(board: &Zephyr, needed: u32, left: u32) {
    const CURE: &[u8] = b" left; raise instance-size";
    board.error(&numbers(b"the arena is too small: ", needed, b" bytes needed, ", left, CURE));
}

/// Reports more of something than the app may have.
#[cold]
#[inline(never)]
pub(crate) fn too_many(board: &Zephyr, what: Counted, has: u32, allowed: u32) {
    let what: &[u8] = match what {
        Counted::TableElements => b" table elements, table-size allows ",
        Counted::Imports => b" imports, max-imports allows ",
        Counted::Functions => b" functions, max-functions allows ",
    };
    board.error(&numbers(b"the image has ", has, what, allowed, b"; raise it"));
}

/// Reports why native code is not used.
#[cfg(feature = "native")]
fn native_reason(board: &Zephyr, level: u32, reason: &Reason) {
    let mut text = Text::new();
    let words: &[u8] = match reason {
        Reason::Refused(refusal) => {
            refusal.tell(&mut |piece| match piece {
                Piece::Text(words) => text.push(words.as_bytes()),
                Piece::Number(number) => text.push_number(number),
            });
            b""
        }
        Reason::Absent => b"the image has no native code",
        Reason::Fuel => b"native code does not count fuel, and the app has a limit of it",
        Reason::Untrusted => b"the native code is not part of the firmware and bears no signature it accepts",
        Reason::NotExecutable => b"the native code does not lie where the processor may execute it",
    };
    text.push(words);
    board.report(level, text.bytes());
}

/// Reports an image without IR that is not installed, because its native code cannot run here.
#[cfg(all(feature = "native", feature = "storage"))]
#[cold]
#[inline(never)]
pub(crate) fn not_installed(board: &Zephyr, reason: &Reason) {
    native_reason(board, abi::log::ERROR, reason);
}

/// Reports native code that is not used. The image's IR may run instead.
#[cfg(feature = "native")]
#[cold]
#[inline(never)]
pub(crate) fn no_native_code(board: &Zephyr, reason: &Reason, has_ir: bool) {
    let level = if has_ir && INTERPRETER { abi::log::WARN } else { abi::log::ERROR };
    native_reason(board, level, reason);
    let then: &[u8] = match (INTERPRETER, has_ir) {
        (true, true) => b"its IR runs instead",
        (true, false) => b"not started: the image has no IR either",
        (false, _) => b"not started: CONFIG_WISP_INTERPRETER is not set, so that only native code runs",
    };
    board.report(level, then);
}
