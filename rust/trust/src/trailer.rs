// SPDX-License-Identifier: Apache-2.0
//! Trailers, read strictly.

use wisp_image::format::{TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE, TRAILER_MAGIC};
use wisp_image::{Attachment, Image};

use crate::{KeyId, TrustError};

/// Bytes of a trailer with a signature: its header, and three records of four bytes and their content.
pub const SIGNED_TRAILER_SIZE: u32 = 4 + (4 + 32) + (4 + 8) + (4 + 64);

/// The trailer that follows the content of an image or of an attachment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trailer<'a> {
    /// SHA-256 of the content.
    pub hash: Option<&'a [u8; 32]>,
    /// The key that signed.
    pub key_id: Option<KeyId>,
    /// Its signature of the content.
    pub signature: Option<&'a [u8; 64]>,
}

impl<'a> Trailer<'a> {
    /// Reads the trailer of an image. One without a trailer has no records. An attachment may follow.
    ///
    /// # Errors
    /// [`TrustError::BadTrailer`]: there is something else, records that are unknown, repeated, out of
    /// order or of another length, a signature without key or a key without signature, or bytes left.
    pub fn of(image: &Image<'a>) -> Result<Self, TrustError> {
        Self::read(image.tail().0).ok_or(TrustError::BadTrailer)
    }

    /// Reads the trailer of an attachment.
    ///
    /// # Errors
    /// [`TrustError::BadAttachment`]: as for an image, or the trailer is missing or has no signature.
    pub fn of_attachment(attachment: &Attachment<'a>) -> Result<Self, TrustError> {
        let trailer = Self::read(attachment.trailer()).filter(|trailer| trailer.signature.is_some());
        trailer.ok_or(TrustError::BadAttachment)
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut trailer = Self::default();
        if bytes.is_empty() {
            return Some(trailer);
        }
        if half(bytes, 0)? != TRAILER_MAGIC || usize::from(half(bytes, 2)?) != bytes.len() {
            return None;
        }
        let mut rest = bytes.get(4..)?;
        let mut last = 0;
        while !rest.is_empty() {
            let tag = half(rest, 0)?;
            let value = rest.get(4..)?.get(..usize::from(half(rest, 2)?))?;
            if tag <= last {
                return None;
            }
            match tag {
                TAG_HASH => trailer.hash = Some(value.try_into().ok()?),
                TAG_KEY_ID => trailer.key_id = Some(value.try_into().ok()?),
                TAG_SIGNATURE => trailer.signature = Some(value.try_into().ok()?),
                _ => return None,
            }
            last = tag;
            rest = rest.get(4 + value.len()..)?;
        }
        (trailer.hash.is_some() && trailer.key_id.is_some() == trailer.signature.is_some()).then_some(trailer)
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.get(..2)?.try_into().ok()?))
}
