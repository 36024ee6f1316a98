// SPDX-License-Identifier: Apache-2.0
//! Keys, their ids, and how one is retired.

use wisp_image::Image;

use crate::{sha256, TrustError};

/// An Ed25519 public key, as RFC 8032 encodes it.
pub type PublicKey = [u8; 32];

/// First eight bytes of the SHA-256 of a public key.
pub type KeyId = [u8; 8];

/// Kind of the section that lists the ids of keys to retire, eight bytes each. It is below the native
/// sections and optional: an engine does not look at it.
pub const RETIRED_KEYS_SECTION: u16 = wisp_image::format::Section::OPTIONAL + 1;

/// Most ids that one image may retire.
const RETIRED_MAX: usize = 8;

/// The id of a key.
pub fn key_id(key: &PublicKey) -> KeyId {
    let hash = sha256(key);
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    id
}

/// What a device knows about keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'k> {
    /// Keys of the firmware, retired ones included.
    pub known: &'k [PublicKey],
    /// Ids of retired keys.
    pub retired: &'k [KeyId],
}

impl<'k> Keys<'k> {
    /// The key with this id.
    ///
    /// # Errors
    /// The key is retired or unknown. A retired key that the firmware no longer carries counts as
    /// retired.
    pub fn get(&self, id: KeyId) -> Result<&'k PublicKey, TrustError> {
        if self.retired.contains(&id) {
            return Err(TrustError::RetiredKey(id));
        }
        self.known.iter().find(|key| key_id(key) == id).ok_or(TrustError::UnknownKey(id))
    }
}

/// The ids of the keys that an image retires. To be acted upon only after [`crate::verify`].
///
/// # Errors
/// The section is not a list of ids, or too long.
pub fn retired_by<'a>(image: &Image<'a>) -> Result<impl Iterator<Item = KeyId> + 'a, TrustError> {
    let list = image.sections().find(|&(kind, _)| kind == RETIRED_KEYS_SECTION).map_or(&[][..], |(_, bytes)| bytes);
    if list.len() % 8 != 0 || list.len() > 8 * RETIRED_MAX {
        return Err(TrustError::BadRetirement);
    }
    Ok(list.chunks_exact(8).filter_map(|id| id.try_into().ok()))
}
