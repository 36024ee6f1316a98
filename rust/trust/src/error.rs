// SPDX-License-Identifier: Apache-2.0
//! Why an image is not trusted.

use crate::KeyId;

/// A fault in an image's origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrustError {
    /// The bytes behind the content are no trailer in the one form there is.
    BadTrailer,
    /// The content does not have the hash that the trailer states: it is damaged.
    Hash,
    /// There is no signature.
    Unsigned,
    /// The key that signed is not among the known ones.
    UnknownKey(KeyId),
    /// The key that signed was retired.
    RetiredKey(KeyId),
    /// The signature is not that of the key over this content.
    Signature(KeyId),
    /// The image retires the key that signed it, more keys than it may, or has several lists of them.
    BadRetirement,
    /// The rollback counter is lower than that of an installed image: (offered, needed).
    Rollback(u32, u32),
    /// The image retires keys, and the key that signed it is no root key.
    NotRoot(KeyId),
}

impl TrustError {
    /// A number for each kind, the same in all versions: 1 is the first.
    pub const fn code(self) -> u8 {
        match self {
            Self::BadTrailer => 1,
            Self::Hash => 2,
            Self::Unsigned => 3,
            Self::UnknownKey(_) => 4,
            Self::RetiredKey(_) => 5,
            Self::Signature(_) => 6,
            Self::BadRetirement => 7,
            Self::Rollback(..) => 8,
            Self::NotRoot(_) => 9,
        }
    }

    /// A few words, without numbers: what a device can afford to say.
    pub const fn words(self) -> &'static str {
        match self {
            Self::BadTrailer => "the image is damaged: its trailer cannot be read; send it again",
            Self::Hash => "the image is damaged: its hash differs from its trailer's; send it again",
            Self::Unsigned => "the image is not signed; use wisp sign",
            Self::UnknownKey(_) => "the image is signed by a key that this firmware does not know",
            Self::RetiredKey(_) => "the image is signed by a retired key; sign it with a current one",
            Self::Signature(_) => "the image's signature is not that of its key; send it again, from whoever signed it",
            Self::BadRetirement => "the image's list of keys to retire is wrong; sign it again",
            Self::Rollback(..) => "the image's rollback counter is lower than the installed one's",
            Self::NotRoot(_) => "the image retires keys, which only a root key may do; sign it with a root key",
        }
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for TrustError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.words())?;
        match self {
            Self::UnknownKey(id) | Self::RetiredKey(id) | Self::Signature(id) | Self::NotRoot(id) => {
                f.write_str(" (key ")?;
                for byte in id {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str(")")
            }
            Self::Rollback(offered, needed) => write!(f, " ({offered}, expected {needed} or more)"),
            _ => Ok(()),
        }
    }
}
