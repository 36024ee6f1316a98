// SPDX-License-Identifier: Apache-2.0
//! Management requests that carry a signature, and why a repeated one is refused.
//!
//! The last bytes of a signed request's payload are [`SIGNATURE_ENTRY`] bytes: in CBOR, the last entry of its map,
//! with the key `signature`. Its value is a byte string: the number of the request, the id of the key, and the
//! signature. The signature covers every other byte of the payload, the command, and a nonce that the device chose.
//! So nothing of the request can be changed, and no device but this one accepts it, once, until its next boot.

use ed25519_compact::{PublicKey as Verifier, Signature};

use crate::{key_id, KeyId, PublicKey};

/// Key and head of the entry, in CBOR: a text of nine bytes, then a byte string of 76.
const HEAD: &[u8; 12] = b"\x69signature\x58\x4c";
const NUMBER_SIZE: usize = 4;
const ID_SIZE: usize = 8;
const SIGNATURE_SIZE: usize = 64;

/// Bytes at the end of a signed payload.
pub const SIGNATURE_ENTRY: usize = HEAD.len() + NUMBER_SIZE + ID_SIZE + SIGNATURE_SIZE;

/// Bytes of a device's nonce.
pub const NONCE_SIZE: usize = 16;

/// First bytes of what a signature covers, so that it is valid for requests only.
const PURPOSE: &[u8] = b"wisp request 1";

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// It ends with no signature.
    Unsigned,
    /// Its number is not the next one: it came before, or another request came between.
    Replayed,
    /// The key is no management key of the firmware.
    UnknownKey(KeyId),
    /// The signature is not that of the key over this request for this device.
    Signature(KeyId),
}

/// The nonce and the number that the next signed request has to be signed for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Bytes that the device drew at random after it booted.
    pub nonce: [u8; NONCE_SIZE],
    /// Number of the next request.
    pub next: u32,
}

impl Challenge {
    /// Accepts a request: the bytes of its payload and the number of its command. Then increments the number, so that
    /// the same request is not accepted twice. A refused request changes nothing.
    ///
    /// Takes about 1.8 million instructions on Thumb-2 and 6 KB of stack. A request whose number or key is wrong is
    /// refused before that.
    ///
    /// # Errors
    /// See [`RequestError`]. After 4,294,967,295 requests every request counts as repeated until the next boot.
    pub fn accept(&mut self, keys: &[PublicKey], command: u8, payload: &[u8]) -> Result<(), RequestError> {
        let entry = Entry::of(payload).ok_or(RequestError::Unsigned)?;
        let after = self.next.checked_add(1).ok_or(RequestError::Replayed)?;
        if entry.number != self.next {
            return Err(RequestError::Replayed);
        }
        let key = keys.iter().find(|key| key_id(key) == entry.id).ok_or(RequestError::UnknownKey(entry.id))?;
        let wrong = |_| RequestError::Signature(entry.id);
        let mut state = Verifier::new(*key).verify_incremental(&Signature::new(entry.signature)).map_err(wrong)?;
        for part in [PURPOSE, &self.nonce, &[command], entry.signed] {
            state.absorb(part);
        }
        state.verify().map_err(wrong)?;
        self.next = after;
        Ok(())
    }
}

/// The parts of a signed payload.
struct Entry<'a> {
    /// All bytes before the signature.
    signed: &'a [u8],
    number: u32,
    id: KeyId,
    signature: [u8; SIGNATURE_SIZE],
}

impl<'a> Entry<'a> {
    fn of(payload: &'a [u8]) -> Option<Self> {
        let entry = payload.get(payload.len().checked_sub(SIGNATURE_ENTRY)?..)?;
        let (number, rest) = entry.strip_prefix(HEAD)?.split_first_chunk()?;
        let (id, signature) = rest.split_first_chunk()?;
        Some(Self {
            signed: payload.get(..payload.len() - SIGNATURE_SIZE)?,
            number: u32::from_le_bytes(*number),
            id: *id,
            signature: signature.try_into().ok()?,
        })
    }
}

/// Writes the last entry of a payload that ends with room for it. The rest of the payload, the head of its map
/// included, has its final value.
///
/// # Panics
/// The payload is shorter than [`SIGNATURE_ENTRY`].
#[cfg(feature = "sign")]
pub fn sign_request(payload: &mut [u8], secret: &[u8; 32], challenge: &Challenge, command: u8) {
    use alloc::vec::Vec;

    let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(*secret));
    let end = payload.len() - SIGNATURE_SIZE;
    let before = payload.len() - SIGNATURE_ENTRY;
    let mut entry = Vec::from(*HEAD);
    entry.extend(challenge.next.to_le_bytes());
    entry.extend(key_id(&pair.pk));
    payload[before..end].copy_from_slice(&entry);
    let signed = [PURPOSE, &challenge.nonce, &[command], &payload[..end]].concat();
    payload[end..].copy_from_slice(&pair.sk.sign(signed, None)[..]);
}
