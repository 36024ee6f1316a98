// SPDX-License-Identifier: Apache-2.0
//! Images of the app storage while they are read: where flash is mapped, or a copy in RAM. C decides which.

use core::mem::ManuallyDrop;

use wisp_contract::storage::PortError;
use wisp_storage::{ImageRef, StoreError};

use crate::shim;
use crate::storage::Error;

/// An image of the partition that C holds at one address, until this is dropped.
pub(crate) struct Held {
    image: *const u8,
    length: u32,
}

impl Held {
    /// Makes C hold an image. A copy in RAM is compared with the image's hash, so that it is what the store checked.
    ///
    /// # Errors
    /// The flash driver failed, there is no RAM for the image, or its hash differs.
    ///
    /// # Safety
    /// Called by the app storage's thread.
    pub(crate) unsafe fn new(address: u32, image: &ImageRef) -> Result<Self, Error> {
        let (mut error, mut copied) = (0, false);
        // SAFETY: called by the app storage's thread; both places can be written.
        let data = unsafe { shim::wisp_shim_image_hold(address, image.length as usize, &mut copied, &mut error) };
        if data.is_null() {
            return Err(if error == PortError::NoRam.code() {
                Error::Port(PortError::NoRam)
            } else {
                Error::Store(StoreError::Flash)
            });
        }
        let held = Self { image: data, length: image.length };
        if copied && wisp_trust::sha256(held.bytes()) != image.hash {
            return Err(Error::Store(StoreError::Hash));
        }
        Ok(held)
    }

    /// Returns the image's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: C holds the image there until it is released, and nothing writes to it while it is held.
        unsafe { core::slice::from_raw_parts(self.image, self.length as usize) }
    }

    /// Leaves the image to C, which releases it.
    pub(crate) fn into_raw(self) -> *const u8 {
        ManuallyDrop::new(self).image
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: this is the app storage's thread, as in `new`, and the image is held once for this.
        unsafe { shim::wisp_shim_image_release(self.image) };
    }
}
