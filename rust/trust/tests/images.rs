// SPDX-License-Identifier: Apache-2.0
//! Signed images as a device meets them.
#![cfg(feature = "sign")]

use wisp_image::format::{self, manifest, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::writer::{append_trailer, Writer};
use wisp_image::Image;
use wisp_trust::{check_hash, check_rollback, key_id, public_key, sign, verify, Keys, SignError, TrustError};

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [9; 32];

fn image() -> Vec<u8> {
    let mut facts = vec![0; manifest::SIZE];
    facts[manifest::NAME..manifest::NAME + 4].copy_from_slice(b"\x03app");
    let mut writer = Writer::new();
    writer.section(Section::Manifest, facts).section(Section::Code, (0..40).collect());
    writer.finish()
}

fn check(bytes: &[u8], keys: &Keys<'_>) -> Result<(), ()> {
    Image::parse(bytes).map_err(drop).and_then(|image| verify(&image, keys).map(drop).map_err(drop))
}

fn why(bytes: &[u8], known: &[[u8; 32]], retired: &[[u8; 8]]) -> Result<[u8; 8], TrustError> {
    verify(&Image::parse(bytes).unwrap(), &Keys { known, retired, ..Keys::default() }).map(|signer| signer.id)
}

#[test]
fn a_signed_image_is_accepted_and_names_its_key() {
    let known = [public_key(&OLD), public_key(&NEW)];
    for (secret, public) in [OLD, NEW].iter().zip(known) {
        let signed = sign(&image(), secret).unwrap();
        assert_eq!(why(&signed, &known, &[]), Ok(key_id(&public)));
        let again = sign(&signed, secret).unwrap();
        assert_eq!(again, signed, "signing replaces the trailer");
    }
}

#[test]
fn no_byte_of_a_signed_image_can_change() {
    let signed = sign(&image(), &OLD).unwrap();
    let known = [public_key(&OLD)];
    let keys = Keys { known: &known, ..Keys::default() };
    assert_eq!(check(&signed, &keys), Ok(()));
    for at in 0..signed.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = signed.clone();
            bytes[at] ^= flip;
            assert_eq!(check(&bytes, &keys), Err(()), "byte {at} of {}", signed.len());
        }
        assert_eq!(check(&signed[..at], &keys), Err(()), "cut at {at}");
    }
    for more in 1..9 {
        let mut bytes = signed.clone();
        bytes.resize(signed.len() + more, 0);
        assert_eq!(check(&bytes, &keys), Err(()), "{more} bytes more");
    }
}

#[test]
fn what_is_wrong_is_told_apart() {
    let (old, new) = (public_key(&OLD), public_key(&NEW));
    let signed = sign(&image(), &OLD).unwrap();
    assert_eq!(why(&image(), &[old], &[]), Err(TrustError::Unsigned));
    assert_eq!(why(&signed, &[new], &[]), Err(TrustError::UnknownKey(key_id(&old))));
    assert_eq!(why(&signed, &[old, new], &[key_id(&old)]), Err(TrustError::RetiredKey(key_id(&old))));
    let mut damaged = signed.clone();
    damaged[format::HEADER_SIZE + 60] ^= 1;
    assert_eq!(why(&damaged, &[old], &[]), Err(TrustError::Hash));
    let mut forged = image();
    let hash = wisp_trust::sha256(&forged);
    append_trailer(&mut forged, &[(TAG_HASH, &hash), (TAG_KEY_ID, &key_id(&old)), (TAG_SIGNATURE, &[5; 64])]);
    assert_eq!(why(&forged, &[old], &[]), Err(TrustError::Signature(key_id(&old))));
}

#[test]
fn nobody_is_told_to_sign_a_damaged_image() {
    let signed = sign(&image(), &OLD).unwrap();
    let unsigned = {
        let mut bytes = image();
        let hash = wisp_trust::sha256(&bytes);
        append_trailer(&mut bytes, &[(TAG_HASH, &hash)]);
        bytes
    };
    for (whole, at) in [(&signed, 0..signed.len()), (&unsigned, 0..unsigned.len())]
        .into_iter()
        .flat_map(|(i, r)| r.map(move |at| (i, at)))
    {
        // a signature is long to check, and one bit of each byte says as much
        let bits = if at + 64 < whole.len() { 0..8 } else { at as u32 % 8..at as u32 % 8 + 1 };
        for bit in bits {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let Ok(image) = Image::parse(&bytes) else { continue };
            let error = verify(&image, &Keys { known: &[public_key(&OLD)], ..Keys::default() }).unwrap_err();
            assert!(
                !error.words().contains("sign it") && !error.words().contains("use wisp sign"),
                "byte {at}: {error:?}"
            );
            // where the content is damaged, nobody makes a signature over it either
            if at < image.content().len() && matches!(error, TrustError::Hash | TrustError::BadTrailer) {
                assert_eq!(sign(&bytes, &OLD), Err(SignError::Damaged(error)), "byte {at}");
            }
        }
    }
}

#[test]
fn trailers_have_one_form() {
    let content = image();
    let hash = wisp_trust::sha256(&content);
    let id = [1; 8];
    let signature = [2; 64];
    let (h, k, s) = ((TAG_HASH, &hash[..]), (TAG_KEY_ID, &id[..]), (TAG_SIGNATURE, &signature[..]));
    let bad: [&[(u16, &[u8])]; 9] = [
        &[],
        &[k, s],
        &[h, k],
        &[h, s],
        &[k, h, s],
        &[h, h, k, s],
        &[h, k, s, s],
        &[h, k, s, (9, b"unknown")],
        &[(TAG_HASH, &hash[..31]), k, s],
    ];
    for records in bad {
        let mut bytes = content.clone();
        append_trailer(&mut bytes, records);
        assert_eq!(why(&bytes, &[], &[]), Err(TrustError::BadTrailer), "{records:?}");
    }
    let mut only_hash = content;
    append_trailer(&mut only_hash, &[h]);
    assert!(check_hash(&Image::parse(&only_hash).unwrap()).is_ok());
    assert_eq!(why(&only_hash, &[], &[]), Err(TrustError::Unsigned));
}

#[test]
fn a_lower_rollback_counter_is_refused() {
    assert_eq!(check_rollback(3, 3), Ok(()));
    assert_eq!(check_rollback(4, 3), Ok(()));
    assert_eq!(check_rollback(2, 3), Err(TrustError::Rollback(2, 3)));
}
