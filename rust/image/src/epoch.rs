// SPDX-License-Identifier: Apache-2.0
//! The epoch in the signed content of an image: a number that a fleet raises from time to time.
//!
//! A device that confirmed an image of an epoch installs none of an earlier epoch, of whatever app. An image without the
//! section is of epoch 0.

use crate::conditions::Unreadable;
use crate::format::Section;
use crate::Image;

impl Image<'_> {
    /// Returns the epoch of the image.
    ///
    /// # Errors
    /// The section occurs twice, or is not a `u32` above 0.
    pub fn epoch(&self) -> Result<u32, Unreadable> {
        let mut found = self.sections().filter(|&(kind, _)| kind == Section::EPOCH);
        let Some((_, bytes)) = found.next() else { return Ok(0) };
        let epoch = u32::from_le_bytes(bytes.try_into().map_err(|_| Unreadable)?);
        match epoch != 0 && found.next().is_none() {
            true => Ok(epoch),
            false => Err(Unreadable),
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::format::manifest;
    use crate::writer::Writer;

    fn epoch(sections: &[&[u8]]) -> Result<u32, Unreadable> {
        let mut writer = Writer::new();
        writer.section(Section::Manifest, vec![0; manifest::SIZE]);
        for bytes in sections {
            writer.optional(Section::EPOCH, Vec::from(*bytes));
        }
        Image::parse(&writer.finish()).unwrap().epoch()
    }

    #[test]
    fn an_epoch_is_one_number_above_0() {
        assert_eq!(epoch(&[]), Ok(0));
        assert_eq!(epoch(&[&[1, 0, 0, 0]]), Ok(1));
        assert_eq!(epoch(&[&[255; 4]]), Ok(u32::MAX));
        for bad in [&[&[0; 4][..]][..], &[&[1, 0, 0]], &[&[1, 0, 0, 0, 0]], &[&[1, 0, 0, 0], &[1, 0, 0, 0]]] {
            assert_eq!(epoch(bad), Err(Unreadable), "{bad:?}");
        }
    }
}
