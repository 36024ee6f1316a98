// SPDX-License-Identifier: Apache-2.0
//! Images in the firmware.

use crate::shim;

/// Returns the image that `wisp_add_app()` in CMake embedded under this name.
pub fn image(name: &str) -> Option<&'static [u8]> {
    let mut size = 0;
    // SAFETY: pointer and length are those of one string; the size is written if an image is found.
    let data = unsafe { shim::wisp_shim_image_find(name.as_ptr().cast(), name.len(), &mut size) };
    if data.is_null() {
        return None;
    }
    // SAFETY: the shim returns an image in flash and its size.
    Some(unsafe { core::slice::from_raw_parts(data, size) })
}
