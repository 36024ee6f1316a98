// SPDX-License-Identifier: Apache-2.0
//! Reads a file of images, one after the other. Each has four bytes with its length and four bytes of zeros in front of it,
//! and zeros behind it up to a multiple of eight bytes. The highest bit of the length says that the image was damaged after
//! it was compiled.

/// The bit of a length that says that the image was damaged.
const DAMAGED: u32 = 1 << 31;

/// Returns the images, each with whether it was damaged.
pub fn all(file: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let head = u32::from_le_bytes(*file.get(at..)?.first_chunk()?);
        let length = (head & !DAMAGED) as usize;
        let image = file.get(at + 8..at + 8 + length).filter(|image| !image.is_empty())?;
        at = (at + 8 + length).next_multiple_of(8);
        Some((image, head & DAMAGED != 0))
    })
}
