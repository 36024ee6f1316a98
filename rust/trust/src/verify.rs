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

/// Returns the id of the key that the native code attached to an image names, and `None` if nothing is attached.
///
/// # Errors
/// [`TrustError::BadAttachment`]: the trailer of the attachment has no valid form.
pub fn compiler_of(image: &Image<'_>) -> Result<Option<KeyId>, TrustError> {
    let Some(attachment) = image.attachment() else { return Ok(None) };
    Ok(Trailer::of_attachment(&attachment)?.key_id)
}

/// Checks the signature of the native code that is attached to an image whose hashes are right.
fn verify_attachment(image: &Image<'_>, key: &[u8; 32]) -> Result<(), TrustError> {
    let Some(attachment) = image.attachment() else { return Ok(()) };
    let signature = Trailer::of_attachment(&attachment)?.signature.ok_or(TrustError::BadAttachment)?;
    match signed(key, attachment.content(), signature) {
        true => Ok(()),
        false => Err(TrustError::BadAttachment),
    }
}

fn signed(key: &[u8; 32], content: &[u8], signature: &[u8; 64]) -> bool {
    PublicKey::new(*key).verify(content, &Signature::new(*signature)).is_ok()
}

/// Checks whether an image may be installed: its hash, its signature, whether its signer may retire what it
/// lists, and the signature of attached native code. Returns the key that signed the image.
///
/// # Errors
/// Any but [`TrustError::Rollback`]. The keys are looked at before the expensive check.
pub fn verify(image: &Image<'_>, keys: &Keys<'_>) -> Result<Signer, TrustError> {
    if let Some(id) = Trailer::of(image)?.key_id {
        let (_, role) = keys.get(id)?;
        let compiler = compiler_of(image)?;
        let mut lists_any = false;
        for retired in retired_by(image)? {
            // what a key signed would go on running after it was retired
            if retired == id || Some(retired) == compiler {
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
    let compiler = compiler_of(image)?;
    let compile_key = compiler.map(|id| keys.compiler(id)).transpose()?;
    check_hash(image)?;
    if !signed(key, image.content(), signature) {
        return Err(TrustError::Signature(id));
    }
    if let Some(key) = compile_key {
        verify_attachment(image, key)?;
    }
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
