// SPDX-License-Identifier: Apache-2.0
//! What app keys and root keys may do, and what a thief of one of them can.
#![cfg(feature = "sign")]

use wisp_image::format::{manifest, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::writer::{append_trailer, Writer};
use wisp_image::Image;
use wisp_trust::{
    add_retired_keys, allow_downgrade, key_id, public_key, retired_by, retirements, sign, verify, verify_origin, KeyId,
    Keys, PublicKey, Role, SignError, TrustError, RETIRED_KEYS_SECTION,
};

const STOLEN: [u8; 32] = [1; 32];
const SPARE: [u8; 32] = [2; 32];
const ROOT: [u8; 32] = [3; 32];
const OTHER_ROOT: [u8; 32] = [4; 32];
const COMPILE: [u8; 32] = [5; 32];
const OTHER_COMPILE: [u8; 32] = [6; 32];

struct Device {
    apps: [PublicKey; 2],
    roots: [PublicKey; 2],
    compilers: [PublicKey; 2],
    retired: Vec<KeyId>,
}

impl Device {
    fn new() -> Self {
        Self {
            apps: [STOLEN, SPARE].map(|secret| public_key(&secret)),
            roots: [ROOT, OTHER_ROOT].map(|secret| public_key(&secret)),
            compilers: [COMPILE, OTHER_COMPILE].map(|secret| public_key(&secret)),
            retired: Vec::new(),
        }
    }

    fn keys(&self) -> Keys<'_> {
        Keys { known: &self.apps, roots: &self.roots, compilers: &self.compilers, retired: &self.retired }
    }

    /// Accepts and confirms an image.
    fn installs(&mut self, bytes: &[u8]) -> Result<Role, TrustError> {
        let image = Image::parse(bytes).unwrap();
        let signer = verify(&image, &self.keys())?;
        let new: Vec<_> = retirements(&image, signer, self.keys())?.collect();
        self.retired.extend(new);
        Ok(signer.role)
    }
}

fn id(secret: &[u8; 32]) -> KeyId {
    key_id(&public_key(secret))
}

fn image() -> Vec<u8> {
    let mut facts = vec![0; manifest::SIZE];
    facts[manifest::NAME..manifest::NAME + 4].copy_from_slice(b"\x03app");
    let mut writer = Writer::new();
    writer.section(Section::Manifest, facts).section(Section::Code, (0..40).collect());
    writer.finish()
}

fn retiring(ids: &[KeyId], secret: &[u8; 32]) -> Vec<u8> {
    sign(&add_retired_keys(&image(), ids).unwrap(), secret).unwrap()
}

#[test]
fn a_stolen_app_key_retires_no_other_and_the_owner_gets_rid_of_it() {
    let mut device = Device::new();
    let evil = retiring(&[id(&SPARE)], &STOLEN);
    assert_eq!(device.installs(&evil), Err(TrustError::NotRoot(id(&STOLEN))));
    for byte in 0..=255 {
        let junk = retiring(&[[byte; 8]; 8], &STOLEN);
        assert_eq!(device.installs(&junk), Err(TrustError::NotRoot(id(&STOLEN))));
    }
    assert_eq!(device.retired, [[0; 8]; 0]);
    assert_eq!(device.installs(&retiring(&[id(&STOLEN)], &ROOT)), Ok(Role::Root));
    assert_eq!(device.installs(&sign(&image(), &STOLEN).unwrap()), Err(TrustError::RetiredKey(id(&STOLEN))));
    assert_eq!(device.installs(&sign(&image(), &SPARE).unwrap()), Ok(Role::App));
}

#[test]
fn retirements_of_unknown_keys_take_no_place() {
    let mut device = Device::new();
    for byte in 0..=255 {
        assert_eq!(device.installs(&retiring(&[[byte; 8]; 8], &ROOT)), Ok(Role::Root));
    }
    assert_eq!(device.retired, [[0; 8]; 0]);
    let twice = retiring(&[id(&STOLEN), [9; 8]], &ROOT);
    assert_eq!((device.installs(&twice), device.installs(&twice)), (Ok(Role::Root), Ok(Role::Root)));
    assert_eq!(device.retired, [id(&STOLEN)]);
}

#[test]
fn no_image_retires_a_root_key() {
    let mut device = Device::new();
    assert_eq!(device.installs(&retiring(&[id(&OTHER_ROOT), id(&SPARE)], &ROOT)), Ok(Role::Root));
    assert_eq!(device.retired, [id(&SPARE)]);
    // not even a list on flash that says so
    device.retired.push(id(&OTHER_ROOT));
    assert_eq!(device.installs(&retiring(&[id(&STOLEN)], &OTHER_ROOT)), Ok(Role::Root));
}

#[test]
fn an_image_does_not_retire_its_own_key() {
    let retiring = add_retired_keys(&image(), &[id(&ROOT)]).unwrap();
    assert_eq!(sign(&retiring, &ROOT), Err(SignError::RetiresItself));
    assert_eq!(Device::new().installs(&forged(&retiring, &ROOT)), Err(TrustError::BadRetirement));
}

/// Signs without the checks of `sign`.
fn forged(content: &[u8], secret: &[u8; 32]) -> Vec<u8> {
    let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(*secret));
    let mut out = content.to_vec();
    let hash = wisp_trust::sha256(content);
    let signature = pair.sk.sign(content, None);
    append_trailer(&mut out, &[(TAG_HASH, &hash), (TAG_KEY_ID, &id(secret)), (TAG_SIGNATURE, &signature[..])]);
    out
}

#[test]
fn a_list_of_another_form_is_refused() {
    let lists = |lists: &[Vec<u8>]| {
        let bytes = image();
        let mut writer = Writer::of(&Image::parse(&bytes).unwrap(), |_| true);
        for list in lists {
            writer.optional(RETIRED_KEYS_SECTION, list.clone());
        }
        writer.finish()
    };
    for wrong in [
        lists(&[vec![1; 8], id(&ROOT).to_vec()]),
        lists(&[vec![1; 8], vec![1; 8]]),
        lists(&[vec![1; 7]]),
        lists(&[vec![1; 72]]),
    ] {
        assert_eq!(sign(&wrong, &ROOT), Err(SignError::BadRetirement));
        assert_eq!(Device::new().installs(&forged(&wrong, &ROOT)), Err(TrustError::BadRetirement));
    }
    assert!(Device::new().installs(&forged(&lists(&[vec![1; 64]]), &ROOT)).is_ok());
}

#[test]
fn an_image_from_before_there_were_roles_goes_on_running() {
    let device = Device::new();
    let old = retiring(&[id(&STOLEN)], &SPARE);
    let image = Image::parse(&old).unwrap();
    assert_eq!(verify(&image, &device.keys()), Err(TrustError::NotRoot(id(&SPARE))));
    let signer = verify_origin(&image, &device.keys()).unwrap();
    assert_eq!((signer.id, signer.role), (id(&SPARE), Role::App));
    assert_eq!(retirements(&image, signer, device.keys()).unwrap().count(), 0);
    assert_eq!(retired_by(&image).unwrap().count(), 1);
}

#[test]
fn a_weak_key_signs_nothing() {
    // The neutral element of the curve: every signature of this form would be one of it.
    let mut weak = [0; 32];
    weak[0] = 1;
    let content = image();
    let mut forged = content.clone();
    let mut signature = [0; 64];
    signature[0] = 1;
    let hash = wisp_trust::sha256(&content);
    append_trailer(&mut forged, &[(TAG_HASH, &hash), (TAG_KEY_ID, &key_id(&weak)), (TAG_SIGNATURE, &signature)]);
    for keys in [Keys { known: &[weak], ..Keys::default() }, Keys { roots: &[weak], ..Keys::default() }] {
        let result = verify(&Image::parse(&forged).unwrap(), &keys);
        assert_eq!(result, Err(TrustError::Signature(key_id(&weak))));
    }
}

#[test]
fn a_downgrade_is_marked_in_what_is_signed() {
    let plain = sign(&image(), &SPARE).unwrap();
    let marked = allow_downgrade(&plain).unwrap();
    let is_marked = |bytes: &[u8]| Image::parse(bytes).unwrap().manifest().unwrap().downgrade;
    assert!(!is_marked(&plain) && is_marked(&marked));
    let keys = Device::new();
    assert_eq!(verify(&Image::parse(&marked).unwrap(), &keys.keys()), Err(TrustError::Unsigned));
    assert!(verify(&Image::parse(&sign(&marked, &SPARE).unwrap()).unwrap(), &keys.keys()).is_ok());
    // the mark under the old signature
    let mut forged = plain.clone();
    forged[..marked.len()].copy_from_slice(&marked);
    assert_eq!(verify(&Image::parse(&forged).unwrap(), &keys.keys()), Err(TrustError::Hash));
    let no_image = allow_downgrade(b"no image");
    assert!(matches!(no_image, Err(SignError::Image(_))));
}
