// SPDX-License-Identifier: Apache-2.0
//! Who made an image, and whether it is what they made.
//!
//! Principles
//! 1. One signature, Ed25519 (RFC 8032), over every byte before the trailer: manifest, code, data and
//!    native sections. Nothing that a device acts on lies outside of it.
//!    The one exception is native code that is attached behind the trailer. A compile key signs it, together with
//!    the hash of the content that it belongs to, and can sign nothing else.
//! 2. The trailer has one form. Records may not be repeated, left over or unknown, so that no byte of a
//!    signed image can be changed without [`verify`] noticing.
//! 3. A device knows several keys by their ids. An image that a root key signed can retire app keys. What a
//!    retired key signs is refused from then on. No image can retire a root key.
//! 4. No allocation, no state of its own: keys, images and requests are borrowed.
//! 5. A signed request to manage apps is for one device, one boot and one number: see [`Challenge`].
//!
//! Not here: where keys are kept (the firmware, `CONFIG_WISP_SIGNATURE_KEY_FILE`), when checks happen
//! (`wisp-storage` and `wisp-port`), encryption.
//!
//! Cost: `verify` takes about 1.8 million instructions on Thumb-2 plus 60 for each byte of the image,
//! and about 6 KB of stack.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "sign")]
extern crate alloc;

mod error;
mod keys;
mod request;
#[cfg(feature = "sign")]
mod sign;
mod trailer;
mod verify;

pub use error::TrustError;
pub use keys::{key_id, retired_by, retirements, KeyId, Keys, PublicKey, Role, Signer, RETIRED_KEYS_SECTION};
#[cfg(feature = "sign")]
pub use request::sign_request;
pub use request::{Challenge, RequestError, NONCE_SIZE, SIGNATURE_ENTRY};
#[cfg(feature = "sign")]
pub use sign::{add_conditions, add_retired_keys, allow_downgrade, attach, public_key, set_epoch, sign, SignError};
pub use trailer::{Trailer, SIGNED_TRAILER_SIZE};
pub use verify::{check_hash, check_rollback, compiler_of, verify, verify_origin};

/// SHA-256 in pieces.
#[derive(Clone)]
pub struct Hasher(hmac_sha256::Hash);

impl Hasher {
    /// Returns the hash of nothing so far.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(hmac_sha256::Hash::new())
    }

    /// Adds bytes, at about 40 instructions each on Thumb-2.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the hash of all the bytes.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize()
    }
}

/// Returns the SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    hmac_sha256::Hash::hash(bytes)
}
