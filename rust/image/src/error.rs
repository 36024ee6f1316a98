// SPDX-License-Identifier: Apache-2.0
//! Why bytes are no image.

use crate::features::Feature;
use crate::format::Section;

/// A fault in an image, and its place. Offsets are in bytes: of the file for the header, of the section otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// Shorter than its header or than the length the header states: (needed, present).
    Truncated(u32, u32),
    /// The first bytes are those of a raw wasm module.
    RawWasm,
    /// The first bytes are neither.
    Magic([u8; 4]),
    /// Another version of the layout: (found, expected).
    FormatVersion(u16, u16),
    /// Another version of the op table: (found, expected).
    IrVersion(u16, u16),
    /// The image does not start on a multiple of this many bytes.
    Misaligned(u8),
    /// The section table names this unknown section.
    UnknownSection(u16),
    /// The section occurs twice, is misaligned or reaches beyond the end.
    SectionBounds(u16),
    /// The section is absent.
    MissingSection(Section),
    /// The entry at this offset reaches beyond its section or refers to what does not exist.
    Entry(Section, u32),
    /// The code of this defined function breaks a rule of the verifier at this code offset.
    Code(u16, u32, Rule),
    /// The verifier needs this many bytes of scratch memory.
    Scratch(u32),
    /// The image has native code only, and nothing to run where that does not.
    NativeOnly,
    /// The check takes more work than an image of this size may take ([`crate::verify::budget`]).
    Work,
    /// Whoever asked for the check said that it is to stop.
    Stopped,
}

/// The rules of the IR verifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Rule {
    /// The opcode is in the table.
    KnownOp,
    /// Operands end before the function does.
    OperandsInFunction,
    /// A function begins with `enter`, and only there.
    EnterFirst,
    /// The frame holds the parameters and the results, and its size is a multiple of four.
    FrameSize,
    /// A slot is aligned and lies in the frame.
    SlotInFrame,
    /// A call frame leaves room for its header and lies in the frame, with its arguments and results.
    CallFrame,
    /// A branch goes to the start of an op of the same function, not to `enter`, nor to one that reads the accumulator.
    BranchTarget,
    /// A call goes to the entry of a function.
    CallTarget,
    /// A type, function, global, table or segment index exists and is of the right kind.
    Index,
    /// Control does not run past the end of a function.
    FallsThrough,
    /// The runtime was built with the feature that an op is of.
    Built(Feature),
    /// The accumulator is read by the op behind the one that wrote it.
    Accumulator,
    /// A global that is written may be written.
    Mutable,
    /// A global, table, segment or function is of the type that the op is for. A function returns what its type says.
    Type,
}

impl Rule {
    /// Returns its number in the order above, as devices print it.
    pub const fn number(self) -> u32 {
        match self {
            Self::KnownOp => 0,
            Self::OperandsInFunction => 1,
            Self::EnterFirst => 2,
            Self::FrameSize => 3,
            Self::SlotInFrame => 4,
            Self::CallFrame => 5,
            Self::BranchTarget => 6,
            Self::CallTarget => 7,
            Self::Index => 8,
            Self::FallsThrough => 9,
            Self::Built(_) => 10,
            Self::Accumulator => 11,
            Self::Mutable => 12,
            Self::Type => 13,
        }
    }

    /// Returns the rule in words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::KnownOp => "the opcode is not in the table",
            Self::OperandsInFunction => "the operands run past the end of the function",
            Self::EnterFirst => "a function begins with `enter`, and only there",
            Self::FrameSize => "the frame size is no multiple of 4 or less than parameters and results need",
            Self::SlotInFrame => "the slot is misaligned or outside the frame",
            Self::CallFrame => "the call frame does not lie in the frame",
            Self::BranchTarget => "the branch does not go to an op of this function that it may go to",
            Self::CallTarget => "the call does not go to the entry of a function",
            Self::Index => "the index does not exist or is of another kind",
            Self::FallsThrough => "control runs past the end of the function",
            Self::Accumulator => "it reads the accumulator, which the op before did not write",
            Self::Mutable => "it writes a global that is constant",
            Self::Type => "a global, table, segment, function or result is not of the type that the op is for",
            Self::Built(feature) => match feature {
                Feature::BulkMemory => "it needs bulk memory, which is not built into this runtime (bulk-memory)",
                Feature::ReferenceTypes => {
                    "it needs reference types, which are not built into this runtime (reference-types)"
                }
                Feature::SignExtension => {
                    "it needs sign extension, which is not built into this runtime (sign-extension)"
                }
                Feature::SaturatingFloatToInt => {
                    "it needs conversions that saturate, which are not built into this runtime \
                     (saturating-float-to-int)"
                }
                Feature::TailCall => "it needs tail calls, which are not built into this runtime (tail-call)",
                Feature::Float => "it computes with floats, which is not built into this runtime (float)",
            },
        }
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for ImageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::Truncated(needed, present) => write!(
                f,
                "the image is cut short: {needed} bytes expected, {present} present; transfer or build it again"
            ),
            Self::RawWasm => f.write_str(
                "this is a raw wasm module, not a Wisp image; make one with `wisp build app.wasm -o app.wisp`",
            ),
            Self::Magic(m) => write!(f, "no Wisp image: it begins with {m:02x?}, expected 57 49 53 50 (\"WISP\")"),
            Self::FormatVersion(found, expected) => write!(
                f,
                "image format version {found}, this runtime reads {expected}; build the app with the matching `wisp`"
            ),
            Self::IrVersion(found, expected) => {
                write!(f, "IR version {found}, this runtime runs {expected}; build the app with the matching `wisp`")
            }
            Self::Misaligned(n) => write!(f, "the image does not start on a multiple of {n} bytes"),
            Self::UnknownSection(kind) => {
                write!(f, "section kind {kind} is unknown to this runtime; build the app with the matching `wisp`")
            }
            Self::SectionBounds(kind) => {
                write!(f, "section kind {kind} is misaligned, occurs twice or reaches beyond the end of the image")
            }
            Self::MissingSection(section) => write!(f, "the image has no {section:?} section"),
            Self::Entry(section, offset) => write!(
                f,
                "{section:?} section, offset {offset:#x}: the entry is cut short or refers to something that does not exist"
            ),
            Self::Code(function, offset, rule) => {
                write!(f, "function {function}, code offset {offset:#x}: {}", rule.text())
            }
            Self::Scratch(bytes) => write!(f, "checking the code needs {bytes} bytes of scratch memory"),
            Self::NativeOnly => {
                f.write_str("the image has native code only; build it without --native-only to have it interpreted")
            }
            Self::Work => f.write_str(
                "checking the image takes longer than its size allows: entries share too many bytes; build it again",
            ),
            Self::Stopped => f.write_str("the check was stopped before its end"),
        }
    }
}

#[cfg(feature = "text")]
impl core::error::Error for ImageError {}
