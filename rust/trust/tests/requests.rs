// SPDX-License-Identifier: Apache-2.0
//! Signed management requests: which are taken, and which attacks on them are refused.
#![cfg(feature = "sign")]

use wisp_trust::{key_id, public_key, sign_request, Challenge, RequestError, SIGNATURE_ENTRY};

const MANAGER: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];
const STRANGER: [u8; 32] = [3; 32];
const START: u8 = 3;
const STOP: u8 = 4;

fn challenge() -> Challenge {
    Challenge { nonce: *b"sixteen bytes...", next: 0 }
}

/// Returns a map of CBOR with a name and the last entry.
fn request(secret: &[u8; 32], challenge: &Challenge, command: u8) -> Vec<u8> {
    let mut payload = b"\xa2\x64name\x64lamp".to_vec();
    payload.resize(payload.len() + SIGNATURE_ENTRY, 0);
    sign_request(&mut payload, secret, challenge, command);
    payload
}

fn take(challenge: &mut Challenge, command: u8, payload: &[u8]) -> Result<(), RequestError> {
    challenge.accept(&[MANAGER, OTHER].map(|secret| public_key(&secret)), command, payload)
}

#[test]
fn requests_of_each_management_key_are_taken_in_turn() {
    let mut device = challenge();
    for (number, secret) in [MANAGER, OTHER, OTHER, MANAGER].iter().enumerate() {
        assert_eq!(device.next, number as u32);
        let payload = request(secret, &device, START);
        assert_eq!(take(&mut device, START, &payload), Ok(()));
    }
}

#[test]
fn a_request_is_taken_once() {
    let mut device = challenge();
    let payload = request(&MANAGER, &device, START);
    assert_eq!(take(&mut device, START, &payload), Ok(()));
    assert_eq!(take(&mut device, START, &payload), Err(RequestError::Replayed));
    // one that was held back until another one was taken
    let held = request(&MANAGER, &device, STOP);
    let payload = request(&MANAGER, &device, START);
    assert_eq!(take(&mut device, START, &payload), Ok(()));
    assert_eq!(take(&mut device, STOP, &held), Err(RequestError::Replayed));
    assert_eq!(device.next, 2);
}

#[test]
fn a_request_for_another_boot_device_or_command_is_refused() {
    let wrong = Err(RequestError::Signature(key_id(&public_key(&MANAGER))));
    let payload = request(&MANAGER, &challenge(), START);
    for bit in 0..128 {
        let mut other = challenge();
        other.nonce[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(take(&mut other, START, &payload), wrong);
        assert_eq!(other.next, 0);
    }
    for command in (0..=255).filter(|command| *command != START) {
        assert_eq!(take(&mut challenge(), command, &payload), wrong);
    }
}

#[test]
fn no_bit_of_a_request_changes_unnoticed() {
    let payload = request(&MANAGER, &challenge(), START);
    for bit in 0..8 * payload.len() {
        let mut changed = payload.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut device = challenge();
        let refused = take(&mut device, START, &changed).unwrap_err();
        assert_eq!(device, challenge());
        let tail = payload.len() - SIGNATURE_ENTRY;
        match (bit / 8).checked_sub(tail) {
            Some(0..12) => assert_eq!(refused, RequestError::Unsigned),
            Some(12..16) => assert_eq!(refused, RequestError::Replayed),
            Some(16..24) => assert!(matches!(refused, RequestError::UnknownKey(_)), "{refused:?}"),
            _ => assert_eq!(refused, RequestError::Signature(key_id(&public_key(&MANAGER)))),
        }
    }
}

#[test]
fn no_part_of_a_request_is_taken_for_the_whole() {
    let payload = request(&MANAGER, &challenge(), START);
    for length in 0..payload.len() {
        assert_eq!(take(&mut challenge(), START, &payload[..length]), Err(RequestError::Unsigned));
    }
    for start in 1..payload.len() {
        assert!(take(&mut challenge(), START, &payload[start..]).is_err());
    }
    for more in [&b"\0"[..], b"\xff", &payload] {
        assert!(take(&mut challenge(), START, &[&payload, more].concat()).is_err());
        assert!(take(&mut challenge(), START, &[more, &payload].concat()).is_err());
    }
}

#[test]
fn keys_that_the_firmware_does_not_know_sign_nothing() {
    let payload = request(&STRANGER, &challenge(), START);
    let id = key_id(&public_key(&STRANGER));
    assert_eq!(take(&mut challenge(), START, &payload), Err(RequestError::UnknownKey(id)));
    assert_eq!(challenge().accept(&[], START, &payload), Err(RequestError::UnknownKey(id)));
    // the stranger names a manager's key
    let mut forged = payload.clone();
    let at = payload.len() - 64 - 8;
    forged[at..at + 8].copy_from_slice(&key_id(&public_key(&MANAGER)));
    let id = key_id(&public_key(&MANAGER));
    assert_eq!(take(&mut challenge(), START, &forged), Err(RequestError::Signature(id)));
}

#[test]
fn numbers_do_not_begin_anew() {
    let mut device = Challenge { next: u32::MAX, ..challenge() };
    let payload = request(&MANAGER, &device, START);
    assert_eq!(take(&mut device, START, &payload), Err(RequestError::Replayed));
    assert_eq!(device.next, u32::MAX);
}

#[test]
fn the_form_of_a_signed_request_stays() {
    // RFC 8032 signatures are deterministic; scripts/west_commands/device.py makes the same bytes
    let payload = request(&MANAGER, &Challenge { next: 7, ..challenge() }, START);
    let entry = &payload[payload.len() - SIGNATURE_ENTRY..];
    assert_eq!(&entry[..16], b"\x69signature\x58\x4c\x07\0\0\0");
    assert_eq!(entry[16..24], key_id(&public_key(&MANAGER)));
    assert_eq!(wisp_trust::sha256(&payload)[..8], SHA256_OF_THE_REQUEST);
}

/// First bytes of the hash of the request above, signed by Python's cryptography.
const SHA256_OF_THE_REQUEST: [u8; 8] = [0x3c, 0x55, 0x2f, 0x01, 0xa6, 0x96, 0x84, 0xed];
