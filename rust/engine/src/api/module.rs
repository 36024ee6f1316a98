// SPDX-License-Identifier: Apache-2.0
//! Modules.

#[cfg(feature = "native")]
mod native;

use wisp_image::{verify, Image, ImageError};

use crate::exec::native::Code;
use crate::vm::config::Engine;
use crate::vm::features::MISSING_FEATURES;

/// An image that may be instantiated. It borrows the bytes. Instances run the code where it lies.
#[derive(Clone, Copy)]
pub struct Module<'m> {
    image: Image<'m>,
    native: Option<Code<'m>>,
}

/// Alignment of images in bytes. Where unaligned reads are slow or fault, it is that of linkers and flash.
const ALIGN: u8 = if cfg!(target_pointer_width = "64") { 1 } else { 4 };

impl<'m> Module<'m> {
    /// Reads an image and verifies its code, with scratch memory for the verifier:
    /// [`wisp_image::verify::scratch_words`] of them, about a sixteenth of the largest function. The arena
    /// of the store to come will do ([`crate::scratch`]).
    ///
    /// # Errors
    /// The bytes are no image, are made for another version, lie misaligned (a multiple of 4 on 32-bit
    /// targets), or break a rule of the verifier.
    pub fn new_in(engine: &Engine, image: &'m [u8], scratch: &mut [u32]) -> Result<Self, ImageError> {
        Self::new_while(engine, image, scratch, &|| true)
    }

    /// Reads an image as [`Module::new_in`] does, while `go_on` returns true: it is asked every few thousand
    /// instructions.
    ///
    /// # Errors
    /// Returns the errors of [`Module::new_in`], and [`ImageError::Stopped`].
    pub fn new_while(
        engine: &Engine,
        image: &'m [u8],
        scratch: &mut [u32],
        go_on: &dyn Fn() -> bool,
    ) -> Result<Self, ImageError> {
        let module = Self::parse(engine, image)?;
        verify::verify_while::<MISSING_FEATURES>(&module.image, scratch, go_on)?;
        Ok(module)
    }

    /// Reads an image as [`Module::new_in`] does, with scratch memory from the heap.
    ///
    /// # Errors
    /// Returns the errors of [`Module::new_in`].
    #[cfg(feature = "alloc")]
    pub fn new(engine: &Engine, image: &'m [u8]) -> Result<Self, ImageError> {
        let module = Self::parse(engine, image)?;
        let mut scratch = alloc::vec![0; verify::scratch_words(&module.image)?];
        verify::verify_for::<MISSING_FEATURES>(&module.image, &mut scratch)?;
        Ok(module)
    }

    /// Reads an image without verifying its code.
    ///
    /// # Safety
    /// The image passes [`verify::verify`]: it was verified before and kept where nobody else writes, or
    /// its signature says that the compiler of this version made it.
    ///
    /// # Errors
    /// The bytes are no image, are made for another version, or lie misaligned.
    #[allow(unsafe_code)]
    pub unsafe fn new_trusted(engine: &Engine, image: &'m [u8]) -> Result<Self, ImageError> {
        Self::parse(engine, image)
    }

    fn parse(_engine: &Engine, image: &'m [u8]) -> Result<Self, ImageError> {
        if image.as_ptr().addr() % usize::from(ALIGN) != 0 {
            return Err(ImageError::Misaligned(ALIGN));
        }
        Ok(Self { image: Image::parse(image)?, native: None })
    }

    /// Returns the native code that instances run.
    pub(crate) fn native(&self) -> Option<&Code<'m>> {
        self.native.as_ref()
    }

    /// Returns the image: manifest, imports, exports.
    pub fn image(&self) -> &Image<'m> {
        &self.image
    }
}
