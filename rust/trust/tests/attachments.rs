// SPDX-License-Identifier: Apache-2.0
//! Native code that is attached to a signed image: what a compile key may do, and what it may not.
#![cfg(feature = "sign")]

use wisp_image::format::{manifest, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::writer::{append_attachment, append_trailer, attachment, Writer};
use wisp_image::Image;
use wisp_trust::{
    add_conditions, add_retired_keys, allow_downgrade, attach, check_hash, key_id, public_key, retirements, sha256,
    sign, verify, verify_origin, KeyId, Keys, PublicKey, Role, SignError, TrustError,
};

const APP: [u8; 32] = [1; 32];
const ROOT: [u8; 32] = [2; 32];
const COMPILE: [u8; 32] = [3; 32];
const STRANGER: [u8; 32] = [4; 32];

/// Returns sections of no real machine: what is in them does not matter to a signature.
fn sections() -> Vec<(u16, Vec<u8>)> {
    vec![(Section::NATIVE, vec![0xa5; 21]), (Section::NATIVE + 4, vec![0x5a; 16])]
}

fn image(name: u8) -> Vec<u8> {
    let mut facts = vec![0; manifest::SIZE];
    facts[manifest::NAME..manifest::NAME + 2].copy_from_slice(&[1, name]);
    let mut writer = Writer::new();
    writer.section(Section::Manifest, facts).section(Section::Code, (0..44).collect());
    writer.finish()
}

fn signed(name: u8) -> Vec<u8> {
    sign(&image(name), &APP).unwrap()
}

fn id(secret: &[u8; 32]) -> KeyId {
    key_id(&public_key(secret))
}

/// The keys of a device.
struct Device {
    apps: [PublicKey; 1],
    roots: [PublicKey; 1],
    compilers: [PublicKey; 1],
}

impl Device {
    fn new() -> Self {
        Self { apps: [public_key(&APP)], roots: [public_key(&ROOT)], compilers: [public_key(&COMPILE)] }
    }

    fn keys<'k>(&'k self, retired: &'k [KeyId]) -> Keys<'k> {
        Keys { known: &self.apps, roots: &self.roots, compilers: &self.compilers, retired }
    }

    fn accepts(&self, bytes: &[u8]) -> Result<Option<KeyId>, TrustError> {
        let image = Image::parse(bytes).map_err(|_| TrustError::BadTrailer)?;
        verify(&image, &self.keys(&[])).map(|signer| signer.compiler)
    }
}

/// Attaches sections that name this hash and are signed by this key, without the checks of `attach`.
fn forged(image: &[u8], hash: &[u8; 32], secret: &[u8; 32]) -> Vec<u8> {
    let content = attachment(hash, &sections());
    let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(*secret));
    let signature = pair.sk.sign(&content, None);
    let mut out = image.to_vec();
    append_attachment(&mut out, &content);
    let hash = sha256(&content);
    append_trailer(&mut out, &[(TAG_HASH, &hash), (TAG_KEY_ID, &id(secret)), (TAG_SIGNATURE, &signature[..])]);
    out
}

#[test]
fn attached_code_is_found_beside_an_unchanged_image() {
    let base = signed(b'a');
    let with = attach(&base, &sections(), &COMPILE).unwrap();
    assert!(with.starts_with(&base));
    let image = Image::parse(&with).unwrap();
    let found: Vec<_> = image.native_sections().map(|(kind, bytes)| (kind, bytes.to_vec())).collect();
    assert_eq!(found, sections());
    for (_, bytes) in image.native_sections() {
        assert_eq!((bytes.as_ptr().addr() - with.as_ptr().addr()) % 16, 0);
    }
    let device = Device::new();
    assert_eq!(device.accepts(&base), Ok(None));
    assert_eq!(device.accepts(&with), Ok(Some(id(&COMPILE))));
    assert_eq!(verify_origin(&image, &device.keys(&[])).map(|signer| signer.role), Ok(Role::App));
    // attached again, it takes the place of what was attached
    let one = &sections()[..1];
    let again = attach(&with, one, &COMPILE).unwrap();
    assert_eq!(again, attach(&base, one, &COMPILE).unwrap());
    // and a signature anew keeps it
    assert_eq!(sign(&with, &APP).unwrap(), with);
    let by_root = sign(&with, &ROOT).unwrap();
    assert_eq!(device.accepts(&by_root), Ok(Some(id(&COMPILE))));
}

#[test]
fn no_bit_of_attached_code_can_change() {
    let device = Device::new();
    let with = attach(&signed(b'a'), &sections(), &COMPILE).unwrap();
    let base = signed(b'a').len();
    for at in 0..with.len() {
        // each bit where no signature has to be computed anew, one bit elsewhere
        for bit in if at < base { at % 8..at % 8 + 1 } else { 0..8 } {
            let mut bytes = with.clone();
            bytes[at] ^= 1 << bit;
            assert!(device.accepts(&bytes).is_err(), "byte {at}, bit {bit}");
        }
        let cut = device.accepts(&with[..at]);
        match at == base {
            true => assert_eq!(cut, Ok(None), "without its attachment the image is as before"),
            false => assert!(cut.is_err(), "cut at {at}"),
        }
    }
    for more in 1..70 {
        let mut bytes = with.clone();
        bytes.resize(with.len() + more, 0);
        assert!(device.accepts(&bytes).is_err(), "{more} bytes more");
    }
    assert!(device.accepts(&[&with[..], &with[base..]].concat()).is_err(), "attached twice");
}

#[test]
fn a_compile_key_signs_nothing_but_native_code_for_a_signed_image() {
    let device = Device::new();
    let unsigned = image(b'a');
    let own = sign(&unsigned, &COMPILE).unwrap();
    assert_eq!(device.accepts(&own), Err(TrustError::UnknownKey(id(&COMPILE))));
    let retiring = sign(&add_retired_keys(&unsigned, &[id(&APP)]).unwrap(), &COMPILE).unwrap();
    assert_eq!(device.accepts(&retiring), Err(TrustError::UnknownKey(id(&COMPILE))));
    assert_eq!(attach(&unsigned, &sections(), &COMPILE), Err(SignError::Damaged(TrustError::Unsigned)));
    let stranger = sign(&unsigned, &STRANGER).unwrap();
    let with = attach(&stranger, &sections(), &COMPILE).unwrap();
    assert_eq!(device.accepts(&with), Err(TrustError::UnknownKey(id(&STRANGER))));
}

#[test]
fn no_other_key_signs_attached_code() {
    let device = Device::new();
    for secret in [APP, ROOT, STRANGER] {
        let with = attach(&signed(b'a'), &sections(), &secret).unwrap();
        assert_eq!(device.accepts(&with), Err(TrustError::UnknownCompileKey(id(&secret))));
    }
    let mut wrong = attach(&signed(b'a'), &sections(), &COMPILE).unwrap();
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    assert_eq!(device.accepts(&wrong), Err(TrustError::BadAttachment));
}

#[test]
fn attached_code_of_another_image_is_refused() {
    let device = Device::new();
    let (one, other) = (signed(b'a'), signed(b'b'));
    let hash = sha256(Image::parse(&other).unwrap().content());
    assert_eq!(device.accepts(&forged(&other, &hash, &COMPILE)), Ok(Some(id(&COMPILE))));
    let moved = forged(&one, &hash, &COMPILE);
    assert_eq!(device.accepts(&moved), Err(TrustError::BadAttachment));
    assert_eq!(check_hash(&Image::parse(&moved).unwrap()), Err(TrustError::BadAttachment));
    // an image without a trailer has nothing that it could be attached to
    let mut bare = image(b'b');
    append_attachment(&mut bare, &attachment(&hash, &sections()));
    assert_eq!(device.accepts(&bare), Err(TrustError::BadTrailer));
}

#[test]
fn a_root_key_retires_a_compile_key() {
    let device = Device::new();
    let retiring = sign(&add_retired_keys(&image(b'a'), &[id(&COMPILE)]).unwrap(), &ROOT).unwrap();
    let image = Image::parse(&retiring).unwrap();
    let signer = verify(&image, &device.keys(&[])).unwrap();
    let retired: Vec<_> = retirements(&image, signer, device.keys(&[])).unwrap().collect();
    assert_eq!(retired, [id(&COMPILE)]);
    let with = attach(&signed(b'b'), &sections(), &COMPILE).unwrap();
    let refused = verify(&Image::parse(&with).unwrap(), &device.keys(&retired));
    assert_eq!(refused, Err(TrustError::UnknownCompileKey(id(&COMPILE))));
    // the image that retires the key cannot have code of the key itself, which would go on running
    assert_eq!(attach(&retiring, &sections(), &COMPILE), Err(SignError::RetiresItself));
    let hash = sha256(image.content());
    let with = forged(&retiring, &hash, &COMPILE);
    assert_eq!(device.accepts(&with), Err(TrustError::BadRetirement));
    assert_eq!(sign(&with, &ROOT), Err(SignError::RetiresItself));
}

#[test]
fn content_with_attached_code_does_not_change() {
    let with = attach(&signed(b'a'), &sections(), &COMPILE).unwrap();
    assert_eq!(allow_downgrade(&with), Err(SignError::Attached));
    assert_eq!(add_retired_keys(&with, &[[1; 8]]), Err(SignError::Attached));
    assert_eq!(add_conditions(&with, vec![1, 1, b'b']), Err(SignError::Attached));
}

#[test]
fn sections_of_another_form_are_refused() {
    let hash = sha256(&image(b'a'));
    let well = attachment(&hash, &sections());
    let put = |at: usize, bytes: &[u8]| {
        let mut content = well.clone();
        content[at..at + bytes.len()].copy_from_slice(bytes);
        content
    };
    let bad = [
        ("another magic", put(0, b"WNAU")),
        ("beyond the end", put(4, &u32::MAX.to_le_bytes())),
        ("more sections than bytes", put(8, &[255, 255])),
        ("a field that is not zero", put(10, &[1])),
        ("a word that is not zero", put(15, &[1])),
        ("no native section", put(48, &[13, 0])),
        ("a section inside the table", put(52, &[0, 0])),
        ("a section off its boundary", put(52, &[88, 0])),
        ("a section beyond the end", put(56, &[0xff, 0xff])),
        ("a section that wraps around", put(56, &[0xff; 4])),
    ];
    for (what, content) in bad {
        let mut bytes = signed(b'a');
        append_attachment(&mut bytes, &content);
        let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(COMPILE));
        let (hash, signature) = (sha256(&content), pair.sk.sign(&content, None));
        append_trailer(&mut bytes, &[(TAG_HASH, &hash), (TAG_KEY_ID, &id(&COMPILE)), (TAG_SIGNATURE, &signature[..])]);
        assert_eq!(Device::new().accepts(&bytes), Err(TrustError::BadTrailer), "{what}");
        assert_eq!(Image::parse(&bytes).unwrap().native_sections().count(), 0, "{what}");
    }
}
