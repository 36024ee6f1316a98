// SPDX-License-Identifier: Apache-2.0
//! Signing, on the host.

use alloc::vec::Vec;

use ed25519_compact::{KeyPair, Seed};
use wisp_image::format::{manifest, update_flags, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::writer::{append_trailer, Writer};
use wisp_image::{Image, ImageError};

use crate::{check_hash, key_id, sha256, KeyId, PublicKey, TrustError, RETIRED_KEYS_SECTION};

/// Why an image cannot be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignError {
    /// It is no image.
    Image(ImageError),
    /// It is damaged: its trailer cannot be read, or states another hash.
    Damaged(TrustError),
    /// It retires the key it is to be signed with.
    RetiresItself,
    /// Its list of keys to retire has no valid form.
    BadRetirement,
}

/// Returns the public key of a secret one (the 32 bytes RFC 8032 calls the private key).
pub fn public_key(secret: &[u8; 32]) -> PublicKey {
    *KeyPair::from_seed(Seed::new(*secret)).pk
}

/// Returns the image with a trailer that holds its hash and its signature; a trailer it has is replaced.
///
/// # Errors
/// See [`SignError`].
pub fn sign(image: &[u8], secret: &[u8; 32]) -> Result<Vec<u8>, SignError> {
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    check_hash(&parsed).map_err(SignError::Damaged)?;
    let pair = KeyPair::from_seed(Seed::new(*secret));
    let id = key_id(&pair.pk);
    if crate::retired_by(&parsed).map_err(|_| SignError::BadRetirement)?.any(|retired| retired == id) {
        return Err(SignError::RetiresItself);
    }
    let mut out = parsed.content().to_vec();
    let hash = sha256(&out);
    let signature = pair.sk.sign(&out, None);
    append_trailer(&mut out, &[(TAG_HASH, &hash), (TAG_KEY_ID, &id), (TAG_SIGNATURE, &signature[..])]);
    Ok(out)
}

/// Returns the image, without trailer, with a section that retires these keys. Replaces such a section.
///
/// # Errors
/// It is no image, or it is damaged.
pub fn add_retired_keys(image: &[u8], keys: &[KeyId]) -> Result<Vec<u8>, SignError> {
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    check_hash(&parsed).map_err(SignError::Damaged)?;
    let mut writer = Writer::of(&parsed, |kind| kind != RETIRED_KEYS_SECTION);
    writer.optional(RETIRED_KEYS_SECTION, keys.concat());
    Ok(writer.finish())
}

/// Returns the image, without trailer, with the mark in its manifest that it may take the place of a higher version.
///
/// # Errors
/// It is no image, or has no manifest.
pub fn allow_downgrade(image: &[u8]) -> Result<Vec<u8>, SignError> {
    let parsed = Image::parse(image).map_err(SignError::Image)?;
    let facts = parsed.section(Section::Manifest);
    let missing = SignError::Image(ImageError::MissingSection(Section::Manifest));
    let start = facts.as_ptr() as usize - image.as_ptr() as usize;
    let mut out = parsed.content().to_vec();
    let place = out.get_mut(start..start + facts.len()).and_then(|facts| facts.get_mut(manifest::UPDATE_FLAGS));
    *place.ok_or(missing)? |= update_flags::DOWNGRADE;
    Ok(out)
}
