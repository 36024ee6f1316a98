// SPDX-License-Identifier: Apache-2.0
//! The checks that a device makes.

use ed25519_compact::{PublicKey, Signature};
use wisp_image::Image;

use crate::{retired_by, sha256, Keys, Role, Signer, Trailer, TrustError};

/// Checks the hash of the content. An image without a trailer has nothing to check against and passes.
///
/// # Errors
/// The trailer is malformed, or the hash differs.
pub fn check_hash<'a>(image: &Image<'a>) -> Result<Trailer<'a>, TrustError> {
    let trailer = Trailer::of(image)?;
    match trailer.hash {
        Some(stated) if *stated != sha256(image.content()) => Err(TrustError::Hash),
        _ => Ok(trailer),
    }
}

/// Checks whether an image may be installed: its hash, its signature, and whether its signer may retire what it
/// lists. Returns the key that signed.
///
/// # Errors
/// Any but [`TrustError::Rollback`]. The keys are looked at before the expensive check.
pub fn verify(image: &Image<'_>, keys: &Keys<'_>) -> Result<Signer, TrustError> {
    if let Some(id) = Trailer::of(image)?.key_id {
        let (_, role) = keys.get(id)?;
        let mut lists_any = false;
        for retired in retired_by(image)? {
            if retired == id {
                return Err(TrustError::BadRetirement);
            }
            lists_any = true;
        }
        if lists_any && role != Role::Root {
            return Err(TrustError::NotRoot(id));
        }
    }
    verify_origin(image, keys)
}

/// Checks hash and signature alone. For what was installed before: its list of keys to retire has no effect any
/// more. Returns the key that signed.
///
/// # Errors
/// Any but [`TrustError::Rollback`], [`TrustError::NotRoot`] and [`TrustError::BadRetirement`].
pub fn verify_origin(image: &Image<'_>, keys: &Keys<'_>) -> Result<Signer, TrustError> {
    let trailer = Trailer::of(image)?;
    let (Some(id), Some(signature)) = (trailer.key_id, trailer.signature) else {
        // a damaged image is not to be signed
        check_hash(image)?;
        return Err(TrustError::Unsigned);
    };
    let (key, role) = keys.get(id)?;
    check_hash(image)?;
    let signature = Signature::new(*signature);
    PublicKey::new(*key).verify(image.content(), &signature).map_err(|_| TrustError::Signature(id))?;
    Ok(Signer { id, role })
}

/// Checks the rollback counter of an update against the highest that was confirmed before.
///
/// # Errors
/// [`TrustError::Rollback`]: it is lower.
pub fn check_rollback(offered: u32, needed: u32) -> Result<(), TrustError> {
    if offered < needed {
        return Err(TrustError::Rollback(offered, needed));
    }
    Ok(())
}
