// SPDX-License-Identifier: Apache-2.0
//! The manifest: all of it, or what a loader asks for.

use crate::format::{self, manifest, memory_flags, update_flags, Section};
use crate::reader::optional;
use crate::{Image, ImageError, Name};

/// The manifest.
#[derive(Clone, Copy, Debug)]
pub struct Manifest<'a> {
    /// SHA-256 of the wasm module the image was made from.
    pub wasm_hash: &'a [u8; 32],
    /// Name of the app.
    pub name: Name<'a>,
    /// Major, minor, patch.
    pub version: (u8, u8, u16),
    /// The memory, defined or imported.
    pub memory: Option<Memory>,
    /// Bytes of the defined globals.
    pub globals_size: u32,
    /// Rollback counter.
    pub rollback: u32,
    /// The image may take the place of one with a higher version.
    pub downgrade: bool,
    /// Defined function to run at instantiation.
    pub init: Option<u32>,
    /// Bytes of the largest frame.
    pub max_frame: u32,
}

/// Memory that the module declares or imports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// True if the memory is imported.
    pub imported: bool,
    /// Initial size in pages, as declared.
    pub min: u32,
    /// Largest size in pages.
    pub max: Option<u32>,
    /// Binary logarithm of the page size: 16, or 0 for pages of one byte.
    pub page_size_log2: u8,
    /// Bytes that exist from the start.
    pub backed: u32,
    /// Fewer bytes than the declared size may exist. If the memory also grows, as many of them exist from the
    /// start as the limit allows, and `memory.grow` with [`format::MEMORY_END`] tells how many.
    pub trimmed: bool,
    /// The module may call `memory.grow`, or somebody else may.
    pub grows: bool,
}

/// The stack that a guest's compiler keeps in linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestStack {
    /// The word of the defined globals that points to its top.
    pub global: u32,
    /// Bytes. It grows down from the initial value of the global.
    pub size: u32,
}

/// Returns a `u32` of the manifest.
fn word(manifest: &[u8; manifest::SIZE], at: usize) -> u32 {
    u32::from_le_bytes([manifest[at], manifest[at + 1], manifest[at + 2], manifest[at + 3]])
}

impl<'a> Image<'a> {
    /// Returns the manifest.
    ///
    /// # Errors
    /// A name that is too long, a page size that does not exist, flags that contradict each other.
    pub fn manifest(&self) -> Result<Manifest<'a>, ImageError> {
        let m = self.manifest_bytes()?;
        let name = m.get(manifest::NAME + 1..).and_then(|rest| rest.get(..usize::from(m[manifest::NAME])));
        let name = name.filter(|n| n.len() <= format::NAME_MAX).map(Name);
        let version = word(m, manifest::VERSION).to_le_bytes();
        Ok(Manifest {
            wasm_hash: self.wasm_hash()?,
            name: name.ok_or(ImageError::Entry(Section::Manifest, manifest::NAME as u32))?,
            version: (version[0], version[1], u16::from_le_bytes([version[2], version[3]])),
            memory: self.memory()?,
            globals_size: self.globals_size()?,
            rollback: word(m, manifest::ROLLBACK),
            downgrade: m[manifest::UPDATE_FLAGS] & update_flags::DOWNGRADE != 0,
            init: self.init()?,
            max_frame: word(m, manifest::MAX_FRAME),
        })
    }

    fn manifest_bytes(&self) -> Result<&'a [u8; manifest::SIZE], ImageError> {
        self.section(Section::Manifest).try_into().map_err(|_| ImageError::MissingSection(Section::Manifest))
    }

    /// Returns the SHA-256 of the wasm module, out of the manifest.
    ///
    /// # Errors
    /// None in an image that was read from the bytes it still has.
    pub fn wasm_hash(&self) -> Result<&'a [u8; 32], ImageError> {
        let hash = self.manifest_bytes()?.first_chunk();
        hash.ok_or(ImageError::MissingSection(Section::Manifest))
    }

    /// Returns the memory that the manifest describes, or `None` if the module has none.
    ///
    /// # Errors
    /// A page size that does not exist, flags that contradict each other.
    pub fn memory(&self) -> Result<Option<Memory>, ImageError> {
        let m = self.manifest_bytes()?;
        let flags = word(m, manifest::MEMORY_FLAGS);
        if flags & (memory_flags::DEFINED | memory_flags::IMPORTED) == 0 {
            return Ok(None);
        }
        let memory = Memory {
            imported: flags & memory_flags::IMPORTED != 0,
            min: word(m, manifest::MEMORY_MIN),
            max: optional(word(m, manifest::MEMORY_MAX)),
            page_size_log2: (flags >> memory_flags::PAGE_SHIFT) as u8,
            backed: word(m, manifest::MEMORY_BACKED),
            trimmed: flags & memory_flags::TRIMMED != 0,
            grows: flags & memory_flags::GROWS != 0,
        };
        let partial = memory.trimmed && memory.grows;
        let odd = partial && (memory.imported || memory.page_size_log2 != format::PAGE_SIZE_LOG2);
        let both = memory_flags::DEFINED | memory_flags::IMPORTED;
        if memory.page_size_log2 > format::PAGE_SIZE_LOG2 || odd || flags & both == both {
            return Err(ImageError::Entry(Section::Manifest, manifest::MEMORY_FLAGS as u32));
        }
        Ok(Some(memory))
    }

    /// Returns the number of bytes of the defined globals, out of the manifest.
    ///
    /// # Errors
    /// Returns the errors of [`Image::wasm_hash`].
    pub fn globals_size(&self) -> Result<u32, ImageError> {
        Ok(word(self.manifest_bytes()?, manifest::GLOBALS_SIZE))
    }

    /// Returns the guest's own stack, out of the manifest, where the compiler could tell.
    pub fn guest_stack(&self) -> Option<GuestStack> {
        let word = word(self.manifest_bytes().ok()?, manifest::STACK);
        let global = (word & ((1 << format::stack::GLOBAL_BITS) - 1)).checked_sub(1)?;
        Some(GuestStack { global, size: (word >> format::stack::GLOBAL_BITS) * format::stack::UNIT })
    }

    /// Returns the defined function to run at instantiation, out of the manifest.
    ///
    /// # Errors
    /// Returns the errors of [`Image::wasm_hash`].
    pub fn init(&self) -> Result<Option<u32>, ImageError> {
        Ok(optional(word(self.manifest_bytes()?, manifest::INIT)))
    }
}
