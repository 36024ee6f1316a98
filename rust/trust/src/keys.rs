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

/// Largest number of ids that one image may retire.
const RETIRED_MAX: usize = 8;

/// Returns the id of a key.
pub fn key_id(key: &PublicKey) -> KeyId {
    let hash = sha256(key);
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    id
}

/// The powers of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It signs images. An image can retire it.
    App,
    /// It signs images, and those may retire app keys. No image can retire it: only a new firmware takes it away.
    Root,
}

/// The key that signed an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signer {
    /// Its id.
    pub id: KeyId,
    /// The powers of the key.
    pub role: Role,
    /// The id of the compile key that signed the attached native code, if some is attached.
    pub compiler: Option<KeyId>,
}

/// The keys that a device knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'k> {
    /// App keys of the firmware, retired ones included.
    pub known: &'k [PublicKey],
    /// Root keys of the firmware.
    pub roots: &'k [PublicKey],
    /// Compile keys of the firmware, retired ones included. They sign attached native code, and no image.
    pub compilers: &'k [PublicKey],
    /// Ids of retired keys.
    pub retired: &'k [KeyId],
}

impl<'k> Keys<'k> {
    /// Returns the key with this id, and its role.
    ///
    /// # Errors
    /// The key is retired or unknown. A retired key that the firmware no longer carries counts as
    /// retired. A root key never counts as retired, whatever the list says.
    pub fn get(&self, id: KeyId) -> Result<(&'k PublicKey, Role), TrustError> {
        let find = |keys: &'k [PublicKey]| keys.iter().find(|key| key_id(key) == id);
        if let Some(key) = find(self.roots) {
            return Ok((key, Role::Root));
        }
        if self.retired.contains(&id) {
            return Err(TrustError::RetiredKey(id));
        }
        find(self.known).map(|key| (key, Role::App)).ok_or(TrustError::UnknownKey(id))
    }

    /// Returns the compile key with this id.
    ///
    /// # Errors
    /// The key is retired, or it is no compile key of the firmware.
    pub fn compiler(&self, id: KeyId) -> Result<&'k PublicKey, TrustError> {
        let found = self.compilers.iter().find(|key| key_id(key) == id && !self.retired.contains(&id));
        found.ok_or(TrustError::UnknownCompileKey(id))
    }

    /// Returns true for an app key or a compile key of the firmware that is not retired: the only kinds that an
    /// image retires.
    pub fn can_retire(&self, id: KeyId) -> bool {
        self.compiler(id).is_ok() || self.get(id).is_ok_and(|(_, role)| role == Role::App)
    }
}

/// Returns the ids of the keys that an image lists, whether or not it may retire them.
///
/// # Errors
/// The section is not a list of ids, is too long, or occurs twice.
pub fn retired_by<'a>(image: &Image<'a>) -> Result<impl Iterator<Item = KeyId> + 'a, TrustError> {
    let mut lists = image.sections().filter(|&(kind, _)| kind == RETIRED_KEYS_SECTION);
    let list = lists.next().map_or(&[][..], |(_, bytes)| bytes);
    if lists.next().is_some() || list.len() % 8 != 0 || list.len() > 8 * RETIRED_MAX {
        return Err(TrustError::BadRetirement);
    }
    Ok(list.chunks_exact(8).filter_map(|id| id.try_into().ok()))
}

/// Returns the ids of the keys that a device has to retire when it confirms an image that [`crate::verify`] accepted.
/// They are app keys and compile keys that it knows and that are not retired yet. Others take no place.
///
/// # Errors
/// Returns the errors of [`retired_by`].
pub fn retirements<'a>(
    image: &Image<'a>,
    signer: Signer,
    keys: Keys<'a>,
) -> Result<impl Iterator<Item = KeyId> + 'a, TrustError> {
    let may = signer.role == Role::Root;
    Ok(retired_by(image)?.filter(move |id| may && keys.can_retire(*id)))
}
