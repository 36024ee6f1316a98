// SPDX-License-Identifier: Apache-2.0
//! The checks of an image that do not depend on the device: hash, sections, code, native sections.

use wisp_aotc::{target::NAMES, Machine};
use wisp_image::native::{Native, Refusal, Target};
use wisp_image::{verify, Image, ImageError};

/// Checks all sections but the native ones, and the IR if there is some.
pub fn code(image: &Image<'_>) -> Result<(), ImageError> {
    if image.is_native_only() {
        return verify::verify_structure(image, &mut vec![0; verify::structure_words(image)]);
    }
    verify::verify(image, &mut vec![0; verify::scratch_words(image)?])
}

/// Checks a native section against its image.
pub fn native<'a>(image: &Image<'_>, bytes: &'a [u8]) -> Result<Native<'a>, Refusal> {
    let native = Native::parse(bytes)?;
    native.fits(image)?;
    native.entries(image)?;
    Ok(native)
}

/// Checks everything: the first problem in words.
pub fn all(image: &Image<'_>) -> Result<(), String> {
    wisp_trust::check_hash(image).map_err(|error| error.to_string())?;
    code(image).map_err(|error| error.to_string())?;
    image.conditions().map_err(|_| UNKNOWN_CONDITIONS)?;
    image.epoch().map_err(|_| "the image's epoch has no valid form; build the image again")?;
    let mut sections = 0;
    for (kind, bytes) in image.native_sections() {
        native(image, bytes).map_err(|refusal| format!("native section {kind:#x}: {refusal}"))?;
        sections += 1;
    }
    if image.is_native_only() && sections == 0 {
        return Err(NOTHING_TO_RUN.into());
    }
    Ok(())
}

/// The fault of an image that has functions, and neither IR nor native code for them.
pub const NOTHING_TO_RUN: &str = "the image has neither IR nor native code; build it again";

/// The fault of an image whose conditions cannot be read. Every device refuses it.
pub const UNKNOWN_CONDITIONS: &str =
    "the image has conditions that this wisp does not understand; use the wisp that signed it, or build the image again";

/// Returns the name that `--target` takes for a machine, if it has one.
pub fn target_name(target: Target) -> Option<&'static str> {
    NAMES.iter().copied().find(|name| Machine::named(name).is_ok_and(|machine| machine.target == target))
}
