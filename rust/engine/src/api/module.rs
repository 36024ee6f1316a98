// SPDX-License-Identifier: Apache-2.0
//! Modules.

use wisp_image::features::Feature;
use wisp_image::{verify, Image, ImageError};

use crate::vm::config::Engine;

/// An image that may be instantiated. It borrows the bytes; instances run the code where it lies.
#[derive(Clone, Copy)]
pub struct Module<'m> {
    image: Image<'m>,
    #[cfg(feature = "native")]
    native: Option<wisp_image::native::Native<'m>>,
}

/// The features that this engine is built without, as a sum of [`Feature`]s.
pub const MISSING_FEATURES: u8 = {
    const fn unless(built: bool, feature: Feature) -> u8 {
        if built {
            0
        } else {
            feature as u8
        }
    }
    unless(cfg!(feature = "bulk-memory"), Feature::BulkMemory)
        | unless(cfg!(feature = "reference-types"), Feature::ReferenceTypes)
        | unless(cfg!(feature = "sign-extension"), Feature::SignExtension)
        | unless(cfg!(feature = "saturating-float-to-int"), Feature::SaturatingFloatToInt)
        | unless(cfg!(feature = "tail-call"), Feature::TailCall)
        | unless(cfg!(feature = "float"), Feature::Float)
};

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
    /// As [`Module::new_in`]; [`ImageError::Stopped`].
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
    /// As [`Module::new_in`].
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
        Ok(Self {
            image: Image::parse(image)?,
            #[cfg(feature = "native")]
            native: None,
        })
    }

    /// A module whose instances run native code: of an image and the section that [`Module::section_of`] found in it.
    ///
    /// # Safety
    /// As for [`Module::use_native`]. Nothing looks at the image's IR.
    ///
    /// # Errors
    /// As for [`Module::use_native`].
    #[cfg(feature = "native")]
    #[allow(unsafe_code)]
    pub unsafe fn new_native(
        engine: &Engine,
        image: Image<'m>,
        native: wisp_image::native::Native<'m>,
    ) -> Result<Self, wisp_image::native::Refusal> {
        crate::exec::native::check(&image, &native, engine.config())?;
        Ok(Self { image, native: Some(native) })
    }

    /// Returns what native code has to be made for to run here; `None` where none does.
    #[cfg(feature = "native")]
    pub fn native_target(engine: &Engine) -> Option<wisp_image::native::Target> {
        crate::exec::native::here(engine.config())
    }

    /// The native section of an image that runs on this machine, if it has one.
    ///
    /// # Errors
    /// Why there is none.
    #[cfg(feature = "native")]
    pub fn section_of(
        engine: &Engine,
        image: &Image<'m>,
    ) -> Result<wisp_image::native::Native<'m>, wisp_image::native::Refusal> {
        crate::exec::native::section(image, engine.config())
    }

    /// The native section that runs on this machine, if the image has one.
    ///
    /// # Errors
    /// Why there is none.
    #[cfg(feature = "native")]
    pub fn native_section(
        &self,
        engine: &Engine,
    ) -> Result<wisp_image::native::Native<'m>, wisp_image::native::Refusal> {
        crate::exec::native::section(&self.image, engine.config())
    }

    /// Lets instances of this module run native code from now on: that of [`Module::native_section`], where
    /// the processor may execute it. In flash that is where it is; on a desk it is a mapping, read with
    /// [`wisp_image::native::Native::parse`].
    ///
    /// # Safety
    /// `wisp-aotc` made the section from this image's module and nobody changed it since: it is part of the
    /// firmware, or its signature says so. It stays where it is for `'m`. Nothing of this can be checked
    /// here, and wrong code can do anything.
    ///
    /// # Errors
    /// The section does not fit this machine, this runtime or this image. The module then is as before.
    #[cfg(feature = "native")]
    #[allow(unsafe_code)]
    pub unsafe fn use_native(
        &mut self,
        engine: &Engine,
        native: wisp_image::native::Native<'m>,
    ) -> Result<(), wisp_image::native::Refusal> {
        crate::exec::native::check(&self.image, &native, engine.config())?;
        self.native = Some(native);
        Ok(())
    }

    /// True if instances run native code.
    #[cfg(feature = "native")]
    pub fn is_native(&self) -> bool {
        self.native.is_some()
    }

    /// The native code instances run.
    #[cfg(feature = "native")]
    pub(crate) fn native(&self) -> Option<&wisp_image::native::Native<'m>> {
        self.native.as_ref()
    }

    /// The image: manifest, imports, exports.
    pub fn image(&self) -> &Image<'m> {
        &self.image
    }
}
