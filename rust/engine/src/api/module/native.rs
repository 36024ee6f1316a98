// SPDX-License-Identifier: Apache-2.0
//! Modules with native code.

use wisp_image::native::{Native, Refusal, Target};
use wisp_image::Image;

use super::Module;
use crate::exec::native::{check, here, section};
use crate::vm::config::Engine;

impl<'m> Module<'m> {
    /// Makes a module whose instances run native code, out of an image and the section that
    /// [`Module::section_of`] found in it.
    ///
    /// # Safety
    /// `wisp-aotc` made the section from this image's module and nobody changed it since: it is part of the
    /// firmware, or its signature says so. It stays in its place for `'m`. The image's IR is not looked at.
    ///
    /// # Errors
    /// Returns a refusal if the section does not fit this machine, this runtime or this image.
    #[allow(unsafe_code)]
    pub unsafe fn new_native(engine: &Engine, image: Image<'m>, native: Native<'m>) -> Result<Self, Refusal> {
        check(&image, &native, engine.config())?;
        Ok(Self { image, native: Some(native) })
    }

    /// Returns what native code has to be made for to run here, or `None` where none does.
    pub fn native_target(engine: &Engine) -> Option<Target> {
        here(engine.config())
    }

    /// Returns the native section of an image that runs on this machine.
    ///
    /// # Errors
    /// Returns the reason why the image has none.
    pub fn section_of(engine: &Engine, image: &Image<'m>) -> Result<Native<'m>, Refusal> {
        section(image, engine.config())
    }

    /// Returns the native section of this module's image that runs on this machine.
    ///
    /// # Errors
    /// Returns the reason why the image has none.
    pub fn native_section(&self, engine: &Engine) -> Result<Native<'m>, Refusal> {
        section(&self.image, engine.config())
    }

    /// Lets instances of this module run native code from now on: that of [`Module::native_section`], where the
    /// processor may execute it. In flash that is where it is. On a workstation, it is a mapping that was read with
    /// [`Native::parse`].
    ///
    /// # Safety
    /// `wisp-aotc` made the section from this image's module and nobody changed it since: it is part of the
    /// firmware, or its signature says so. It stays where it is for `'m`. Nothing of this can be checked
    /// here, and wrong code can do anything.
    ///
    /// # Errors
    /// The section does not fit this machine, this runtime or this image. The module then is as before.
    #[allow(unsafe_code)]
    pub unsafe fn use_native(&mut self, engine: &Engine, native: Native<'m>) -> Result<(), Refusal> {
        check(&self.image, &native, engine.config())?;
        self.native = Some(native);
        Ok(())
    }

    /// Returns true if instances run native code.
    pub fn is_native(&self) -> bool {
        self.native.is_some()
    }
}
