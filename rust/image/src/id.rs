// SPDX-License-Identifier: Apache-2.0
//! Which image this is, short enough for a line of a log.

use crate::format::Section;
use crate::Image;

/// Distinguishes builds: the module, and by the length of its code also how it was compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageId {
    /// The first four bytes of the module's SHA-256. In hexadecimal they read as the hash does.
    pub wasm: u32,
    /// Bytes of the code section.
    pub code: u32,
}

impl Image<'_> {
    /// Returns its id, or zeros for the hash where the manifest is damaged.
    pub fn id(&self) -> ImageId {
        let wasm = match self.section(Section::Manifest) {
            [a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        ImageId { wasm, code: self.section(Section::Code).len() as u32 }
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for ImageId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:08x}:{:x}", self.wasm, self.code)
    }
}
