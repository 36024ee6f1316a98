// SPDX-License-Identifier: Apache-2.0
//! Whose a management request is: signatures for `src/storage/requests.c`, tokens for `src/manage/upload.c`.

use crate::shim;
use wisp_contract::storage::PortError;
use wisp_trust::{Challenge, RequestError, NONCE_SIZE};

/// Accepts a management request if a management key signed it for this challenge, and increments its number.
///
/// # Safety
/// `challenge` can be read and written, `keys` points to `key_count` keys of 32 bytes, `payload` to `length` bytes.
/// Nothing else uses them during the call.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_request_accept(
    challenge: *mut shim::wisp_request_challenge,
    keys: *const u8,
    key_count: usize,
    command: u8,
    payload: *const u8,
    length: usize,
) -> u32 {
    const { assert!(NONCE_SIZE == shim::WISP_REQUEST_NONCE_SIZE as usize) };
    // SAFETY: C passes a challenge, its keys and a payload that nothing else uses during the call; an empty list of
    // keys has a place of its own, too, and an empty payload may have none.
    let (place, keys, payload) = unsafe {
        let payload = if length == 0 { &[] } else { core::slice::from_raw_parts(payload, length) };
        (&mut *challenge, core::slice::from_raw_parts(keys.cast(), key_count), payload)
    };
    let mut challenge = Challenge { nonce: place.nonce, next: place.next };
    let outcome = challenge.accept(keys, command, payload);
    place.next = challenge.next;
    match outcome {
        Ok(()) => 0,
        Err(RequestError::Unsigned) => PortError::NotSigned.code(),
        Err(RequestError::Replayed) => PortError::Replayed.code(),
        Err(RequestError::UnknownKey(_) | RequestError::Signature(_)) => PortError::NotManager.code(),
    }
}

/// Makes the token of an upload's owner.
///
/// # Safety
/// `claim` points to `length` bytes, `mix` to four words. Eight bytes can be written to `token`.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_token(claim: *const u8, length: usize, mix: *const u32, token: *mut u8) {
    // SAFETY: C passes `length` bytes and four words, and room for eight bytes at `token`.
    unsafe {
        let mut hasher = wisp_trust::Hasher::new();
        if length != 0 {
            hasher.update(core::slice::from_raw_parts(claim, length));
        }
        for index in 0..4 {
            hasher.update(&(*mix.add(index)).to_le_bytes());
        }
        core::ptr::copy_nonoverlapping(hasher.finish().as_ptr(), token, 8);
    }
}
