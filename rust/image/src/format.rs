// SPDX-License-Identifier: Apache-2.0
//! Layout of the image, version 1. `doc/image-format.md` is the same byte by byte, in prose.
//!
//! All integers are little endian. Sections start on multiples of eight bytes.

/// First four bytes.
pub const MAGIC: [u8; 4] = *b"WISP";
/// Version of the layout. A reader refuses another.
pub const FORMAT_VERSION: u16 = 1;
/// Version of the op table. An engine refuses another.
pub const IR_VERSION: u16 = 4;
/// Bytes of the header, up to the section table.
pub const HEADER_SIZE: usize = 16;
/// First four bytes of an attachment, see [`crate::Attachment`].
pub const ATTACHMENT_MAGIC: [u8; 4] = *b"WNAT";
/// Bytes of the header of an attachment, up to its section table.
pub const ATTACHMENT_HEADER_SIZE: usize = 48;
/// Alignment in bytes of native sections, and of an attachment.
pub const NATIVE_ALIGN: usize = 16;
/// Bytes of an entry of the section table: kind, zero (`u16` each), offset, length (`u32` each).
pub const SECTION_ENTRY_SIZE: usize = 12;
/// Alignment of sections in bytes.
pub const SECTION_ALIGN: usize = 8;
/// Longest app name in bytes.
pub const NAME_MAX: usize = 31;
/// "No such thing", wherever a `u32` is optional.
pub const NONE: u32 = u32::MAX;
/// Bytes of a wasm page when the module does not choose its own size.
pub const PAGE_SIZE_LOG2: u8 = 16;
/// Slots below a callee's slot 0 that hold the return state.
pub const FRAME_HEADER_SLOTS: usize = 2;
/// Functions, imported ones included: an index takes one word in the code, and a reference is
/// the index plus one.
pub const FUNCTIONS_MAX: usize = 65_534;
/// Bit of an element item that names an imported global instead of a function.
pub const ITEM_GLOBAL: u32 = 1 << 31;

/// Section kinds. A kind may occur once. A reader skips kinds from [`Section::OPTIONAL`] on that it
/// does not know and refuses lower ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Section {
    /// [`manifest`]: name, version, needs.
    Manifest = 1,
    /// Function types.
    Types = 2,
    /// Imports, in the order of the module.
    Imports = 3,
    /// Defined functions: code offset and type.
    Functions = 4,
    /// Defined globals.
    Globals = 5,
    /// Defined tables.
    Tables = 6,
    /// Exports.
    Exports = 7,
    /// Element segments.
    Elements = 8,
    /// Items of the element segments, a `u32` each.
    Items = 9,
    /// Data segments.
    Data = 10,
    /// Bytes of the data segments.
    DataBytes = 11,
    /// Strings: a `u16` length and UTF-8 bytes each.
    Strings = 12,
    /// Register IR.
    Code = 13,
}

impl Section {
    /// Sections from this kind on may be ignored by a reader that does not know them.
    pub const OPTIONAL: u16 = 0x100;
    /// Names of functions, see [`crate::names`].
    pub const NAMES: u16 = 0x102;
    /// Boards, vendors and classes of devices that the image is for, see [`crate::conditions`].
    pub const CONDITIONS: u16 = 0x103;
    /// The epoch of the image, see [`crate::Image::epoch`].
    pub const EPOCH: u16 = 0x104;
    /// First of the kinds of native sections, one for each target (see [`crate::native::Target::section`]).
    pub const NATIVE: u16 = 0x1000;
    /// Number of kinds below [`Section::OPTIONAL`], plus one.
    pub const COUNT: usize = 14;
}

/// Offsets in the manifest section.
pub mod manifest {
    /// SHA-256 of the wasm module, 32 bytes.
    pub const WASM_HASH: usize = 0;
    /// Length of the name (`u8`), then up to [`super::NAME_MAX`] bytes of UTF-8.
    pub const NAME: usize = 32;
    /// Major and minor (`u8` each), patch (`u16`).
    pub const VERSION: usize = 64;
    /// Bits of [`super::memory_flags`]. Bits 8 to 15 hold the binary logarithm of the page size.
    pub const MEMORY_FLAGS: usize = 68;
    /// Initial size in pages, as the module declares it.
    pub const MEMORY_MIN: usize = 72;
    /// Largest size in pages, or [`super::NONE`].
    pub const MEMORY_MAX: usize = 76;
    /// Bytes that must exist at the start, which are fewer than the declared size if the memory is trimmed.
    pub const MEMORY_BACKED: usize = 80;
    /// Bytes of the defined globals.
    pub const GLOBALS_SIZE: usize = 84;
    /// Rollback counter: an update with a lower one is refused.
    pub const ROLLBACK: usize = 88;
    /// Function that evaluates what is not constant in globals and segments and then calls the start function, as an
    /// index of a defined function or [`super::NONE`].
    pub const INIT: usize = 92;
    /// Bytes of the largest frame.
    pub const MAX_FRAME: usize = 96;
    /// The guest's own stack, or 0 if the module does not say where it is: bits of [`super::stack`].
    pub const STACK: usize = 100;
    /// Flags of the update (`u8`, behind the bits that [`MEMORY_FLAGS`] uses), see [`super::update_flags`].
    pub const UPDATE_FLAGS: usize = 71;
    /// Length of the section.
    pub const SIZE: usize = 104;
}

/// Operand of `memory.grow` that asks for the number of bytes that exist, in an image that is trimmed and growing.
pub const MEMORY_END: u32 = -64i32 as u32;

/// Bits of the manifest's word on the guest's own stack, which its compiler keeps in linear memory.
pub mod stack {
    /// Low bits: 1 more than the index of the defined global, in words, that points to the top of the stack.
    pub const GLOBAL_BITS: u32 = 10;
    /// The other bits: size of the stack in units of this many bytes. It grows down from the initial value of
    /// the global.
    pub const UNIT: u32 = 16;
}

/// Flags of the update in the manifest.
pub mod update_flags {
    /// The image may take the place of one with a higher version.
    pub const DOWNGRADE: u8 = 1;
}

/// Bits of the manifest's memory flags.
pub mod memory_flags {
    /// The module has a memory of its own.
    pub const DEFINED: u32 = 1;
    /// The memory is imported.
    pub const IMPORTED: u32 = 2;
    /// Only the first `MEMORY_BACKED` bytes of the declared size need to exist. Together with `GROWS`, as many of
    /// the declared size exist from the start as the limit allows, and `memory.grow` with
    /// [`super::MEMORY_END`] tells how many.
    pub const TRIMMED: u32 = 4;
    /// The module contains `memory.grow` or exports the memory.
    pub const GROWS: u32 = 8;
    /// Shift of the binary logarithm of the page size.
    pub const PAGE_SHIFT: u32 = 8;
}

/// Sizes of the entries of the table-like sections, in bytes.
pub mod entry {
    /// Types: offset of the value types in the section (`u32`), parameters, results (`u16` each).
    pub const TYPE: usize = 8;
    /// Imports: module and name (string offsets), kind, value type or flags (`u8` each), type index
    /// (`u16`), minimum, maximum (`u32` each).
    pub const IMPORT: usize = 20;
    /// Functions: code offset (`u32`), type (`u16`), zero.
    pub const FUNCTION: usize = 8;
    /// Globals: value type, mutable (`u8` each), zero (`u16`), offset (`u32`), initial bits (`u64`).
    pub const GLOBAL: usize = 16;
    /// Tables: element type (`u8`), zero (3), minimum, maximum (`u32` each).
    pub const TABLE: usize = 12;
    /// Exports: name (string offset), kind, zero (`u8` each), index (`u16`).
    pub const EXPORT: usize = 8;
    /// Elements: mode, element type (`u8` each), table (`u16`), offset in the table, first item,
    /// number of items (`u32` each).
    pub const ELEMENT: usize = 16;
    /// Data: mode (`u32`), offset in memory, first byte, number of bytes (`u32` each).
    pub const DATA: usize = 16;
}

/// Modes of element and data segments.
pub mod segment {
    /// Applied at instantiation, at the constant offset of the entry, and dropped.
    pub const ACTIVE: u8 = 0;
    /// Applied by the code.
    pub const PASSIVE: u8 = 1;
    /// Only declares functions for `ref.func`, and is dropped from the start.
    pub const DECLARED: u8 = 2;
}

/// Kinds of imports and exports, numbered as in wasm.
pub mod external {
    /// A function.
    pub const FUNCTION: u8 = 0;
    /// A table.
    pub const TABLE: u8 = 1;
    /// A memory.
    pub const MEMORY: u8 = 2;
    /// A global.
    pub const GLOBAL: u8 = 3;
}

/// Value types, numbered as in wasm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum ValType {
    /// 32-bit integer.
    I32 = 0x7f,
    /// 64-bit integer.
    I64 = 0x7e,
    /// 32-bit float.
    F32 = 0x7d,
    /// 64-bit float.
    F64 = 0x7c,
    /// Function reference.
    FuncRef = 0x70,
    /// Opaque host reference.
    ExternRef = 0x6f,
}

impl ValType {
    /// Returns the value type with this wasm encoding.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x7f => Self::I32,
            0x7e => Self::I64,
            0x7d => Self::F32,
            0x7c => Self::F64,
            0x70 => Self::FuncRef,
            0x6f => Self::ExternRef,
            _ => return None,
        })
    }

    /// Returns the number type with this letter in the signatures of host functions: one of `i I f F`.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'i' => Self::I32,
            b'I' => Self::I64,
            b'f' => Self::F32,
            b'F' => Self::F64,
            _ => return None,
        })
    }

    /// Returns the letter of a number type in the signatures of host functions, or `None` for references.
    pub const fn letter(self) -> Option<char> {
        Some(match self {
            Self::I32 => 'i',
            Self::I64 => 'I',
            Self::F32 => 'f',
            Self::F64 => 'F',
            Self::FuncRef | Self::ExternRef => return None,
        })
    }

    /// Returns the slots a value of this type takes.
    pub const fn slots(self) -> usize {
        match self {
            Self::I64 | Self::F64 => 2,
            _ => 1,
        }
    }

    /// Returns true for references.
    pub const fn is_reference(self) -> bool {
        matches!(self, Self::FuncRef | Self::ExternRef)
    }

    /// Returns the name in the text format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::FuncRef => "funcref",
            Self::ExternRef => "externref",
        }
    }
}

/// The trailer, after the sections: `TRAILER_MAGIC`, the length of the trailer in bytes (`u16` each),
/// then records of a tag, a length (`u16` each) and bytes.
pub const TRAILER_MAGIC: u16 = 0x5457;
/// Record: SHA-256 of everything before the trailer.
pub const TAG_HASH: u16 = 1;
/// Record: first eight bytes of the SHA-256 of the public key that signed.
pub const TAG_KEY_ID: u16 = 2;
/// Record: Ed25519 signature over everything before the trailer.
pub const TAG_SIGNATURE: u16 = 3;
