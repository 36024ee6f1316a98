// SPDX-License-Identifier: Apache-2.0
//! The checks that a device makes.

use ed25519_compact::{PublicKey, Signature};
use wisp_image::Image;

use crate::{retired_by, sha256, KeyId, Keys, Role, Signer, Trailer, TrustError};

/// Checks the hash of the content, and that of an attachment, which has to belong to this image. An image without a
/// trailer has nothing to check against and passes.
///
/// # Errors
/// A trailer is malformed, a hash differs, or the attachment belongs to another image.
pub fn check_hash<'a>(image: &Image<'a>) -> Result<Trailer<'a>, TrustError> {
    let trailer = Trailer::of(image)?;
    match trailer.hash {
        Some(stated) if *stated != sha256(image.content()) => return Err(TrustError::Hash),
        _ => {}
    }
    let Some(attachment) = image.attachment() else { return Ok(trailer) };
    let belongs = trailer.hash.is_some_and(|hash| attachment.image_hash() == hash);
    let found = sha256(attachment.content());
    match Trailer::of_attachment(&attachment)?.hash {
        Some(stated) if *stated == found && belongs => Ok(trailer),
        _ => Err(TrustError::BadAttachment),
    }
}

/// Checks the signature of the native code that is attached to an image whose hashes are right. Returns the id of the
/// compile key that signed it, and `None` if nothing is attached.
fn verify_attachment(image: &Image<'_>, keys: &Keys<'_>) -> Result<Option<KeyId>, TrustError> {
    let Some(attachment) = image.attachment() else { return Ok(None) };
    let trailer = Trailer::of_attachment(&attachment)?;
    let (Some(id), Some(signature)) = (trailer.key_id, trailer.signature) else {
        return Err(TrustError::BadAttachment);
    };
    check_signature(keys.compiler(id)?, id, attachment.content(), signature)?;
    Ok(Some(id))
}

fn check_signature(key: &[u8; 32], id: KeyId, content: &[u8], signature: &[u8; 64]) -> Result<(), TrustError> {
    let signature = Signature::new(*signature);
    PublicKey::new(*key).verify(content, &signature).map_err(|_| TrustError::Signature(id))
}

/// Checks whether an image may be installed: its hash, its signature, whether its signer may retire what it
/// lists, and the signature of attached native code. Returns the key that signed the image.
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

/// Checks hashes and signatures alone. For what was installed before: its list of keys to retire has no effect any
/// more. Returns the key that signed the image.
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
    check_signature(key, id, image.content(), signature)?;
    let compiler = verify_attachment(image, keys)?;
    Ok(Signer { id, role, compiler })
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
