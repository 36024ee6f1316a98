// SPDX-License-Identifier: Apache-2.0
//! Native sections: machine code made from the module, one section for each target.
//!
//! This file is the contract between `wisp-aotc`, which writes such sections and the C code in them,
//! and the engine, which loads them: the header, the record native code works with ([`CONTEXT`]) and the
//! functions it may call ([`HELPERS`]). Both sides derive what they need from the tables here.
//!
//! All integers are little endian; offsets count from the start of the section.

pub mod callers;
mod fit;

pub use wisp_contract::helper::{Helper, HELPERS};

use crate::features::Feature;
use crate::format::Section;
use crate::reader::{u16_at, u32_at};
use callers::Callers;

/// First four bytes.
pub const MAGIC: [u8; 4] = *b"WNAT";
/// Version of the header, of [`CONTEXT`] and of [`Function`]: a loader refuses another.
pub const ABI_VERSION: u16 = 3;
/// "No such function" in the table of functions.
pub const NONE: u32 = u32::MAX;
/// Bytes of an entry of the table of functions.
pub const FUNCTION_SIZE: usize = 12;

/// Offsets in the header.
pub mod header {
    /// [`super::MAGIC`].
    pub const MAGIC: usize = 0;
    /// [`super::ABI_VERSION`] (`u16`).
    pub const ABI_VERSION: usize = 4;
    /// Number of helpers the code was made for (`u16`): the runtime must have at least as many.
    pub const HELPERS: usize = 6;
    /// The [`super::Target`], three bytes.
    pub const TARGET: usize = 8;
    /// The features that the code needs, as a sum of [`super::Feature`]s (`u8`).
    pub const FEATURES: usize = 11;
    /// Bits of [`super::flags`] (`u32`).
    pub const FLAGS: usize = 12;
    /// SHA-256 of the wasm module, 32 bytes.
    pub const WASM_HASH: usize = 16;
    /// Machine code: offset and length.
    pub const CODE: usize = 48;
    /// Table of functions, defined ones only: offset and number.
    pub const FUNCTIONS: usize = 56;
    /// Trap sites, as [`super::site`] writes them: offset and length.
    pub const SITES: usize = 64;
    /// Bytes of native stack an entry may take before the code checks the stack for the first time, and
    /// from any check to the next.
    pub const STACK: usize = 72;
    /// Bytes of linear memory the code relies on, if [`super::flags::FIXED_MEMORY`], else the least.
    pub const MEMORY: usize = 76;
    /// Table of imported functions, an offset in the code each: offset and number. What a function of the
    /// host is called through that has no form for native code, or [`super::NONE`] if no code calls it.
    pub const IMPORTS: usize = 80;
    /// Length of the header.
    pub const SIZE: usize = 88;
    /// Table of callers, behind the header, if [`super::flags::CALLERS`]: offset and length.
    pub const CALLERS: usize = SIZE;
}

/// Bits of the header's flags.
pub mod flags {
    /// The size of linear memory is a constant in the code.
    pub const FIXED_MEMORY: u32 = 1;
    /// The code looks at the stop flag in loops and recursive functions.
    pub const POLLS: u32 = 2;
    /// Traps happen exactly where the specification has them, with all earlier stores done.
    pub const STRICT: u32 = 4;
    /// Trap sites are single operators, not whole functions.
    pub const SITES: u32 = 8;
    /// There is a table of callers.
    pub const CALLERS: u32 = 16;
}

/// Instruction sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Arch {
    /// Thumb, Armv6-M to Armv8-M.
    Thumb = 1,
    /// RISC-V, 32 bits.
    RiscV32 = 2,
    /// x86-64 with the System V calling convention.
    X86_64 = 3,
}

/// The machine that code was compiled for, or that a runtime runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// Instruction set.
    pub arch: Arch,
    /// Bits of [`features`] of that instruction set. Code runs where its bits are a subset.
    pub features: u8,
    /// The way in which floats are passed and computed: one of [`float`].
    pub float: u8,
}

/// Parts of an instruction set.
pub mod features {
    /// Armv7-M: Thumb-2, division.
    pub const V7M: u8 = 1;
    /// The DSP extension (Armv7E-M, Armv8-M with DSP).
    pub const DSP: u8 = 2;
    /// Armv8-M Baseline.
    pub const V8M: u8 = 4;
    /// The M extension.
    pub const RV_M: u8 = 1;
    /// The A extension.
    pub const RV_A: u8 = 2;
    /// The C extension.
    pub const RV_C: u8 = 4;
    /// The core or its firmware carries out misaligned accesses.
    pub const MISALIGNED: u8 = 0x80;
}

/// Floating point.
pub mod float {
    /// No floating-point registers are used.
    pub const SOFT: u8 = 0;
    /// Single precision, passed in floating-point registers.
    pub const HARD_SINGLE: u8 = 1;
    /// Double precision, passed in floating-point registers.
    pub const HARD_DOUBLE: u8 = 2;
}

impl Target {
    /// Returns the target of the bytes in a header.
    pub fn from_bytes(bytes: [u8; 3]) -> Option<Self> {
        let arch = match bytes[0] {
            1 => Arch::Thumb,
            2 => Arch::RiscV32,
            3 => Arch::X86_64,
            _ => return None,
        };
        Some(Self { arch, features: bytes[1], float: bytes[2] })
    }

    /// Returns the bytes of the target in a header.
    pub const fn to_bytes(self) -> [u8; 3] {
        [self.arch as u8, self.features, self.float]
    }

    /// Returns true if code for `code` runs here.
    pub fn runs(self, code: Target) -> bool {
        self.arch == code.arch && code.features & !self.features == 0 && self.float == code.float
    }

    /// Returns the kind of the section that holds code for this target: one of each kind may stand in an image, so
    /// that code for several boards can.
    pub const fn section(self) -> u16 {
        // eleven bits: the instruction set, its features, floating point
        Section::NATIVE + ((self.arch as u16) << 9 | (self.features as u16 & 0x7f) << 2 | self.float as u16 & 3)
    }
}

/// Writes a trap site in LEB128: a distance, zigzag coded, over the number of the trap (4 bits). The distance leads
/// from the function's site before it (for the first, from 0) to this one. It is measured in the code section of the
/// image, or in the module if the image has no IR. The number 0 is a trap whose number the code leaves in the context,
/// [`SITE_STOP`] the stop flag. Offsets have 24 bits.
pub fn site(before: u32, offset: u32, code: u8, put: &mut dyn FnMut(u8)) {
    let distance = (offset & 0xff_ffff).wrapping_sub(before & 0xff_ffff) as i32;
    put_number(zigzag(distance) << 4 | u32::from(code & 15), put);
}

/// Returns a distance as a number that is small if the distance is, forwards or backwards.
const fn zigzag(distance: i32) -> u32 {
    (distance << 1 ^ distance >> 31) as u32
}

/// Returns the distance that [`zigzag`] made this number of.
const fn distance(zigzag: u32) -> u32 {
    zigzag >> 1 ^ (zigzag & 1).wrapping_neg()
}

/// Writes a number in LEB128.
fn put_number(mut bits: u32, put: &mut dyn FnMut(u8)) {
    while bits > 0x7f {
        put(bits as u8 | 0x80);
        bits >>= 7;
    }
    put(bits as u8);
}

/// Takes a number in LEB128 off the bytes.
fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let (mut bits, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        bits |= u32::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte < 0x80 {
            return Some(bits);
        }
    }
}

/// Code of sites that found the stop flag set.
pub const SITE_STOP: u8 = 15;

/// Kind of a field of [`CONTEXT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// Field as wide as an address.
    Word,
    /// 32 bits.
    U32,
    /// 64 bits.
    U64,
}

/// Fields of the record native code works with, in order, laid out as C does: name, kind, C declaration.
/// The globals of the instance follow it. Fields may be added at the end with a new [`ABI_VERSION`].
pub const CONTEXT: &[(&str, Field, &str)] = &[
    ("memory", Field::Word, "u8 *memory"),
    ("memory_size", Field::Word, "up memory_size"),
    ("stack_limit", Field::Word, "up stack_limit"),
    ("stop", Field::Word, "const volatile u32 *stop"),
    ("helpers", Field::Word, "const helpers *helpers"),
    ("imports", Field::Word, "const import *imports"),
    ("engine", Field::Word, "void *engine"),
    ("tables", Field::Word, "const table *const *tables"),
    ("functions", Field::Word, "const function *functions"),
    ("code", Field::Word, "const u8 *code"),
    ("imported_globals", Field::Word, "void *const *imported_globals"),
    ("trap", Field::Word, "NORETURN void (*trap)(ctx *, u32 site, u32 function)"),
    ("unwind", Field::Word, "up unwind"),
    ("first_reference", Field::U32, "u32 first_reference"),
    ("function_count", Field::U32, "u32 function_count"),
    ("site", Field::U32, "u32 site"),
    ("function", Field::U32, "u32 function"),
    ("code_number", Field::U32, "u32 code_number"),
    ("reserve", Field::U32, "u32 reserve"),
    ("scratch", Field::U64, "u64 scratch"),
];

/// Returns the offset of a field of [`CONTEXT`] where addresses have `word` bytes, or the size of the record for a name
/// it does not have.
pub const fn context_offset(name: &str, word: usize) -> usize {
    let mut at = 0usize;
    let mut index = 0;
    while index < CONTEXT.len() {
        let (field, kind, _) = CONTEXT[index];
        let size = match kind {
            Field::Word => word,
            Field::U32 => 4,
            Field::U64 => 8,
        };
        at = at.next_multiple_of(size);
        if same(field, name) {
            return at;
        }
        at += size;
        index += 1;
    }
    at.next_multiple_of(8)
}

/// Returns true if two names are equal, also in constants.
pub const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Entry of the table of functions, as read from a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Offset in the code of the function itself, or [`NONE`] if nothing refers to it. Odd on Thumb.
    pub entry: u32,
    /// Offset in the code of the form the host calls: `void (ctx *, u32 *slots)`.
    pub thunk: u32,
    /// Type index in the image.
    pub ty: u16,
    /// Offset of the function's trap sites, in bytes.
    pub sites: u16,
}

/// Why a native section cannot be used here. The image's IR still can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The image has no section that this runtime could run: the first one that it has, if any, and what
    /// runs here.
    Target(Option<Target>, Option<Target>),
    /// The section is cut short or an offset lies outside: the place in the header.
    Damaged(u16),
    /// Made for another version: found, expected.
    AbiVersion(u16, u16),
    /// Needs more helpers than the runtime has: needed, present.
    Helpers(u16, u16),
    /// Needs features that the runtime is built without, as a sum of [`Feature`]s.
    Features(u8),
    /// Made from another wasm module than the IR of the image.
    Hash,
    /// Made for another size of the memory: assumed, stated by the image.
    Memory(u32, u32),
    /// Made for another number of functions: in the section, in the image.
    Functions(u32, u32),
    /// The code never looks at the stop flag, and this runtime has no other way to stop it.
    Unstoppable,
}

/// A native section whose header was checked.
#[derive(Clone, Copy)]
pub struct Native<'a> {
    bytes: &'a [u8],
    code: &'a [u8],
    functions: &'a [u8],
    /// Target that it was compiled for.
    pub target: Target,
    /// Bits of [`flags`].
    pub flags: u32,
}

impl<'a> Native<'a> {
    /// Reads a section: header and bounds. What the code does is not checked, and cannot be.
    ///
    /// # Errors
    /// It is damaged or made for another version.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let damaged = |at: usize| Refusal::Damaged(at as u16);
        // magic and version are where they are in all versions
        let Some([m0, m1, m2, m3, v0, v1]) = bytes.first_chunk() else { return Err(damaged(header::MAGIC)) };
        if [*m0, *m1, *m2, *m3] != MAGIC {
            return Err(damaged(header::MAGIC));
        }
        let version = u16::from_le_bytes([*v0, *v1]);
        if version != ABI_VERSION {
            return Err(Refusal::AbiVersion(version, ABI_VERSION));
        }
        if bytes.len() < header::SIZE {
            return Err(damaged(header::STACK));
        }
        let part = |at: usize, size: usize| part(bytes, at, size).ok_or(damaged(at));
        let target = bytes.get(header::TARGET..).and_then(|rest| rest.first_chunk());
        part(header::SITES, 1)?;
        part(header::IMPORTS, 4)?;
        let flags = u32_at(bytes, header::FLAGS).unwrap_or(0);
        if flags & flags::CALLERS != 0 {
            part(header::CALLERS, 1)?;
        }
        Ok(Self {
            bytes,
            code: part(header::CODE, 1)?,
            functions: part(header::FUNCTIONS, FUNCTION_SIZE)?,
            target: target.and_then(|bytes| Target::from_bytes(*bytes)).ok_or(damaged(header::TARGET))?,
            flags,
        })
    }

    fn word(&self, at: usize) -> u32 {
        u32_at(self.bytes, at).unwrap_or(0)
    }

    /// Returns the whole section.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the machine code.
    pub fn code(&self) -> &'a [u8] {
        self.code
    }

    /// Returns the offset of the machine code in the section.
    pub fn code_offset(&self) -> u32 {
        self.word(header::CODE)
    }

    /// Returns the number of helpers it needs.
    pub fn helpers(&self) -> u16 {
        u16_at(self.bytes, header::HELPERS).unwrap_or(u16::MAX)
    }

    /// Returns the features that the code needs, as a sum of [`Feature`]s.
    pub fn features(&self) -> u8 {
        self.bytes.get(header::FEATURES).copied().unwrap_or(u8::MAX)
    }

    /// Returns the SHA-256 of the wasm module.
    pub fn wasm_hash(&self) -> &'a [u8; 32] {
        self.bytes.get(header::WASM_HASH..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; 32])
    }

    /// Returns the bytes of native stack from one check to the next.
    pub fn stack(&self) -> u32 {
        self.word(header::STACK)
    }

    /// Returns the bytes of memory that the code relies on.
    pub fn memory(&self) -> u32 {
        self.word(header::MEMORY)
    }

    /// Returns the table of functions, [`FUNCTION_SIZE`] bytes each.
    pub fn function_table(&self) -> &'a [u8] {
        self.functions
    }

    /// Returns the offset in the code of the form through which an imported function is called that has none of its own
    /// for native code.
    pub fn import(&self, index: usize) -> Option<u32> {
        let offset = u32_at(part(self.bytes, header::IMPORTS, 4)?, index.checked_mul(4)?)?;
        (offset != NONE).then_some(offset)
    }

    /// Returns the number of functions.
    pub fn function_count(&self) -> u32 {
        self.word(header::FUNCTIONS + 4)
    }

    /// Returns a function, counted among the defined ones.
    pub fn function(&self, index: u32) -> Option<Function> {
        let at = (index as usize).checked_mul(FUNCTION_SIZE)?;
        let entry = self.function_table().get(at..)?.get(..FUNCTION_SIZE)?;
        Some(Function {
            entry: u32_at(entry, 0)?,
            thunk: u32_at(entry, 4)?,
            ty: u16_at(entry, 8)?,
            sites: u16_at(entry, 10)?,
        })
    }

    /// Returns the function that holds this offset in the code, or 0 before the first.
    pub fn function_at(&self, offset: u32) -> u32 {
        let mut best = (0, 0);
        for index in 0..self.function_count() {
            let Some(function) = self.function(index) else { break };
            for start in [function.entry, function.thunk] {
                if start != NONE && start & !1 <= offset && start >= best.0 {
                    best = (start, index);
                }
            }
        }
        best.1
    }

    /// Returns the table of callers, which is empty if the section has none.
    pub fn callers(&self) -> Callers<'a> {
        let there = self.flags & flags::CALLERS != 0;
        let bytes = if there { part(self.bytes, header::CALLERS, 1) } else { None };
        Callers::new(bytes.unwrap_or_default(), self.target.arch)
    }

    /// Returns the offset and code of a trap site of a function.
    pub fn site(&self, function: u32, site: u32) -> Option<(u32, u8)> {
        let sites = part(self.bytes, header::SITES, 1)?;
        if site as usize >= sites.len() {
            return None;
        }
        let mut bytes = sites.get(usize::from(self.function(function)?.sites)..)?;
        let (mut offset, mut left) = (0u32, site);
        loop {
            let bits = take_number(&mut bytes)?;
            offset = offset.wrapping_add(distance(bits >> 4));
            if left == 0 {
                return Some((offset, bits as u8 & 15));
            }
            left -= 1;
        }
    }
}

/// Returns the part of a section whose offset and number of entries of this size stand at `at`.
fn part(section: &[u8], at: usize, size: usize) -> Option<&[u8]> {
    let offset = u32_at(section, at)? as usize;
    let length = (u32_at(section, at + 4)? as usize).checked_mul(size)?;
    section.get(offset..)?.get(..length)
}

/// A piece of a message: devices put them together without `core::fmt`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Words.
    Text(&'static str),
    /// A number, in decimal.
    Number(u32),
}

use Piece::{Number, Text};

impl Target {
    /// Passes on its name, piece by piece.
    pub fn tell(self, put: &mut dyn FnMut(Piece)) {
        let has = |bit| self.features & bit != 0;
        match self.arch {
            Arch::Thumb => put(Text(match (has(features::V7M), has(features::V8M), has(features::DSP)) {
                (true, true, true) => "Armv8-M Mainline with DSP",
                (true, true, false) => "Armv8-M Mainline",
                (false, true, _) => "Armv8-M Baseline",
                (true, false, true) => "Armv7E-M",
                (true, false, false) => "Armv7-M",
                _ => "Armv6-M",
            })),
            Arch::RiscV32 => {
                put(Text("RV32I"));
                for (bit, letter) in [(features::RV_M, "M"), (features::RV_A, "A"), (features::RV_C, "C")] {
                    put(Text(if has(bit) { letter } else { "" }));
                }
            }
            Arch::X86_64 => put(Text("x86-64")),
        }
        put(Text(match (self.arch, self.float) {
            (Arch::X86_64, _) => "",
            (_, float::SOFT) => ", soft float",
            (_, float::HARD_SINGLE) => ", single-precision FPU",
            _ => ", double-precision FPU",
        }));
    }
}

impl Refusal {
    /// Passes on the fault and its remedy, piece by piece.
    pub fn tell(self, put: &mut dyn FnMut(Piece)) {
        match self {
            Self::Target(None, _) => put(Text("the image has no native code; build it with --target")),
            Self::Target(Some(found), here) => {
                put(Text("the native code is for "));
                found.tell(put);
                match here {
                    Some(here) => {
                        put(Text(", this runtime is on "));
                        here.tell(put);
                        put(Text("; build with its --target too"));
                    }
                    None => put(Text(", this runtime is built without support for native code")),
                }
            }
            Self::Damaged(at) => {
                put(Text("the native section is damaged (header offset "));
                put(Number(at.into()));
                put(Text(")"));
            }
            Self::AbiVersion(found, expected) => {
                put(Text("the native code is made for runtime ABI "));
                put(Number(found.into()));
                put(Text(", this runtime has "));
                put(Number(expected.into()));
                put(Text("; build with the matching `wisp`"));
            }
            Self::Helpers(needed, present) => {
                put(Text("the native code needs "));
                put(Number(needed.into()));
                put(Text(" runtime helpers, this runtime has "));
                put(Number(present.into()));
                put(Text("; update the firmware"));
            }
            Self::Features(missing) => {
                put(Text("the native code needs "));
                let mut separator = "";
                for feature in Feature::ALL.into_iter().filter(|&feature| missing & feature as u8 != 0) {
                    put(Text(separator));
                    put(Text(feature.name()));
                    separator = ", ";
                }
                put(Text(", which this firmware is built without"));
            }
            Self::Hash => put(Text("the native code was made from another wasm module than the image")),
            Self::Memory(assumed, stated) => {
                put(Text("the native code was made for "));
                put(Number(assumed));
                put(Text(" bytes of memory, the image states "));
                put(Number(stated));
                put(Text("; build both together"));
            }
            Self::Functions(section, image) => {
                put(Text("the native code has "));
                put(Number(section));
                put(Text(" functions, the image "));
                put(Number(image));
                put(Text("; build both together"));
            }
            Self::Unstoppable => put(Text(
                "the native code does not look at the stop flag, and this runtime cannot stop it otherwise; build with --stop=poll",
            )),
        }
    }
}

#[cfg(feature = "text")]
fn show(f: &mut core::fmt::Formatter<'_>, tell: impl FnOnce(&mut dyn FnMut(Piece))) -> core::fmt::Result {
    let mut result = Ok(());
    tell(&mut |piece| {
        result = result.and_then(|()| match piece {
            Text(text) => f.write_str(text),
            Number(number) => write!(f, "{number}"),
        });
    });
    result
}

#[cfg(feature = "text")]
impl core::fmt::Display for Target {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        show(f, |put| self.tell(put))
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        show(f, |put| self.tell(put))
    }
}

#[cfg(feature = "text")]
impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests;
