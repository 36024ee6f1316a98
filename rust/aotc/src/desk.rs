// SPDX-License-Identifier: Apache-2.0
//! Executable memory on a workstation: a device runs code where it lies in flash, a process has to map it.

use std::io;

use wisp_image::native::{Native, Refusal};

#[cfg(feature = "desk")]
pub use loaded::Loaded;

#[cfg(feature = "desk")]
mod loaded {
    use wisp_compiler::Compiled;
    use wisp_engine::{Engine, ImageError, Module, Refusal};

    use super::Mapping;
    use crate::{add_section, compile, AotError, Machine, Options};

    /// A module compiled for this machine, in executable memory. Nobody but [`Loaded::compile`] makes one:
    /// that is why it may run.
    pub struct Loaded {
        image: Vec<u8>,
        section: Mapping,
    }

    impl Loaded {
        /// Compiles a module for this machine and maps the code.
        ///
        /// # Errors
        /// Returns the errors of [`compile`], and [`AotError::File`] if the code cannot be mapped.
        pub fn compile(wasm: &[u8], compiled: &Compiled, options: &Options) -> Result<Self, AotError> {
            let native = compile(wasm, compiled, &Machine::named("x86-64")?, options)?;
            let image = add_section(&compiled.image, &native)?;
            let section = Mapping::new(&native.section).map_err(|error| AotError::File("code".into(), error))?;
            Ok(Self { image, section })
        }

        /// Returns the image, with IR and native code.
        pub fn image(&self) -> &[u8] {
            &self.image
        }

        /// Returns the module, whose instances run native code.
        ///
        /// # Errors
        /// The image cannot be read, or the engine refuses the code.
        pub fn module<'m>(&'m self, engine: &Engine) -> Result<Result<Module<'m>, Refusal>, ImageError> {
            // SAFETY: the compiler made the image from a validated module; nobody else had it since.
            let mut module = unsafe { Module::new_trusted(engine, &self.image) }?;
            let section = match self.section.section() {
                Ok(section) => section,
                Err(refusal) => return Ok(Err(refusal)),
            };
            // SAFETY: `compile` made the section from this module and mapped it read-only; it is borrowed
            // for as long as the module.
            let used = unsafe { module.use_native(engine, section) };
            Ok(used.map(|()| module))
        }
    }
}

/// A copy of a native section that the processor may execute and nobody may write.
pub struct Mapping {
    start: *mut u8,
    length: usize,
}

// SAFETY: the mapping is read only after `new`, and unmapped by its only owner.
unsafe impl Send for Mapping {}
// SAFETY: the reason given for `Send` holds for shared references as well.
unsafe impl Sync for Mapping {}

const READ_WRITE: i32 = 1 | 2;
const READ_EXECUTE: i32 = 1 | 4;
/// Private and anonymous.
const FLAGS: i32 = if cfg!(target_os = "macos") { 0x1002 } else { 0x22 };

extern "C" {
    fn mmap(address: *mut u8, length: usize, protection: i32, flags: i32, file: i32, offset: i64) -> *mut u8;
    fn mprotect(address: *mut u8, length: usize, protection: i32) -> i32;
    fn munmap(address: *mut u8, length: usize) -> i32;
}

impl Mapping {
    /// Maps a copy of a section.
    ///
    /// # Errors
    /// The system has no memory or does not allow it.
    pub fn new(section: &[u8]) -> io::Result<Self> {
        let length = section.len().max(1);
        // SAFETY: a new mapping at an address the system chooses.
        let start = unsafe { mmap(std::ptr::null_mut(), length, READ_WRITE, FLAGS, -1, 0) };
        if start.addr() == usize::MAX {
            return Err(io::Error::last_os_error());
        }
        let mapping = Self { start, length };
        // SAFETY: the mapping is ours, writable and at least as long.
        let code = unsafe {
            start.copy_from_nonoverlapping(section.as_ptr(), section.len());
            mprotect(start, length, READ_EXECUTE)
        };
        if code != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(mapping)
    }

    /// Returns the section as it lies there, for [`wisp_engine::Module::use_native`].
    ///
    /// # Errors
    /// Returns a refusal if the mapped bytes are no native section.
    pub fn section(&self) -> Result<Native<'_>, Refusal> {
        Native::parse(self.bytes())
    }

    /// Returns the bytes of the section as it lies there.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `length` bytes were mapped and stay until the drop.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length.
        unsafe { munmap(self.start, self.length) };
    }
}
