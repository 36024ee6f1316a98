// SPDX-License-Identifier: Apache-2.0
//! Signing, on the host.

use alloc::vec::Vec;

use ed25519_compact::{KeyPair, Seed};
use wisp_image::format::{manifest, update_flags, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::writer::{append_attachment, append_trailer, attachment, Writer};
use wisp_image::{Image, ImageError};

use crate::{check_hash, compiler_of, key_id, sha256, KeyId, PublicKey, TrustError, RETIRED_KEYS_SECTION};

/// Why an image cannot be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignError {
    /// It is no image.
    Image(ImageError),
    /// It is damaged: its trailer cannot be read, or states another hash.
    Damaged(TrustError),
    /// It retires the key that it, or the native code attached to it, is signed with.
    RetiresItself,
    /// Its list of keys to retire has no valid form.
    BadRetirement,
    /// The content would change, and native code is attached to it.
    Attached,
}

/// Returns the public key of a secret one (the 32 bytes RFC 8032 calls the private key).
pub fn public_key(secret: &[u8; 32]) -> PublicKey {
    *KeyPair::from_seed(Seed::new(*secret)).pk
}

/// Returns the image with a trailer that holds its hash and its signature. A trailer it has is replaced. Attached
/// native code stays, because the content stays the same.
///
/// # Errors
/// See [`SignError`].
pub fn sign(image: &[u8], secret: &[u8; 32]) -> Result<Vec<u8>, SignError> {
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    check_hash(&parsed).map_err(SignError::Damaged)?;
    let pair = KeyPair::from_seed(Seed::new(*secret));
    let id = key_id(&pair.pk);
    let compiler = compiler_of(&parsed).map_err(SignError::Damaged)?;
    retires_none_of(&parsed, &[Some(id), compiler])?;
    let mut out = parsed.content().to_vec();
    let hash = sha256(&out);
    let signature = pair.sk.sign(&out, None);
    append_trailer(&mut out, &[(TAG_HASH, &hash), (TAG_KEY_ID, &id), (TAG_SIGNATURE, &signature[..])]);
    if let Some(attachment) = parsed.attachment() {
        append_attachment(&mut out, attachment.content());
        out.extend(attachment.trailer());
    }
    Ok(out)
}

/// Returns the image with these native sections (kind, bytes) attached, and signed by a compile key. An attachment
/// that the image has is replaced. Content, trailer and signature of the image stay as they are. The caller has
/// checked that the sections were made from the image's module.
///
/// # Errors
/// The image cannot be read, is damaged or is not signed.
pub fn attach(image: &[u8], sections: &[(u16, Vec<u8>)], secret: &[u8; 32]) -> Result<Vec<u8>, SignError> {
    // what is attached goes, whatever it is
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    let bare = parsed.without_attachment();
    let parsed = Image::parse(bare).map_err(SignError::Image)?;
    let trailer = check_hash(&parsed).map_err(SignError::Damaged)?;
    let (Some(hash), Some(_)) = (trailer.hash, trailer.signature) else {
        return Err(SignError::Damaged(TrustError::Unsigned));
    };
    let pair = KeyPair::from_seed(Seed::new(*secret));
    retires_none_of(&parsed, &[Some(key_id(&pair.pk))])?;
    let content = attachment(hash, sections);
    let signature = pair.sk.sign(&content, None);
    let mut out = bare.to_vec();
    append_attachment(&mut out, &content);
    let (hash, id) = (sha256(&content), key_id(&pair.pk));
    append_trailer(&mut out, &[(TAG_HASH, &hash), (TAG_KEY_ID, &id), (TAG_SIGNATURE, &signature[..])]);
    Ok(out)
}

/// Fails if the image retires one of these keys: what they sign could not be accepted.
fn retires_none_of(image: &Image<'_>, keys: &[Option<KeyId>]) -> Result<(), SignError> {
    let mut retired = crate::retired_by(image).map_err(|_| SignError::BadRetirement)?;
    match retired.any(|id| keys.contains(&Some(id))) {
        true => Err(SignError::RetiresItself),
        false => Ok(()),
    }
}

/// Fails if native code is attached to the image, and so belongs to the content that is about to change.
fn nothing_attached(image: &Image<'_>) -> Result<(), SignError> {
    image.attachment().map_or(Ok(()), |_| Err(SignError::Attached))
}

/// Returns the image, without trailer, with a section that retires these keys. Replaces such a section.
///
/// # Errors
/// It is no image, it is damaged, or native code is attached to it.
pub fn add_retired_keys(image: &[u8], keys: &[KeyId]) -> Result<Vec<u8>, SignError> {
    with_section(image, RETIRED_KEYS_SECTION, keys.concat())
}

/// Returns the image, without trailer, with this section in place of one of its kind.
fn with_section(image: &[u8], kind: u16, section: Vec<u8>) -> Result<Vec<u8>, SignError> {
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    check_hash(&parsed).map_err(SignError::Damaged)?;
    nothing_attached(&parsed)?;
    let mut writer = Writer::of(&parsed, |other| other != kind);
    writer.optional(kind, section);
    Ok(writer.finish())
}

/// Returns the image, without trailer, with a section that says which devices it is for. Replaces such a section.
///
/// # Errors
/// It is no image, it is damaged, or native code is attached to it.
pub fn add_conditions(image: &[u8], section: Vec<u8>) -> Result<Vec<u8>, SignError> {
    with_section(image, Section::CONDITIONS, section)
}

/// Returns the image, without trailer, with this epoch in place of the one that it has.
///
/// # Errors
/// It is no image, it is damaged, or native code is attached to it.
pub fn set_epoch(image: &[u8], epoch: core::num::NonZeroU32) -> Result<Vec<u8>, SignError> {
    with_section(image, Section::EPOCH, epoch.get().to_le_bytes().to_vec())
}

/// Returns the image, without trailer, with the mark in its manifest that it may take the place of a higher version.
///
/// # Errors
/// It is no image, has no manifest, or native code is attached to it.
pub fn allow_downgrade(image: &[u8]) -> Result<Vec<u8>, SignError> {
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    nothing_attached(&parsed)?;
    let facts = parsed.section(Section::Manifest);
    let missing = SignError::Image(ImageError::MissingSection(Section::Manifest));
    let start = facts.as_ptr() as usize - image.as_ptr() as usize;
    let mut out = parsed.content().to_vec();
    let place = out.get_mut(start..start + facts.len()).and_then(|facts| facts.get_mut(manifest::UPDATE_FLAGS));
    *place.ok_or(missing)? |= update_flags::DOWNGRADE;
    Ok(out)
}
