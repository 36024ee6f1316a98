// SPDX-License-Identifier: Apache-2.0
//! Ed25519 and SHA-256 are the standards' own: their test vectors.

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// RFC 8032, section 7.1, tests 1 to 3: secret key, public key, message, signature.
const RFC8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe\
         24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a\
         eeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2\
         8dc027beceea1ec40a",
    ],
];

#[test]
fn rfc_8032_vectors_sign_and_verify() {
    for [secret, public, message, signature] in RFC8032 {
        let secret: [u8; 32] = bytes(secret).try_into().unwrap();
        let public: [u8; 32] = bytes(public).try_into().unwrap();
        let signature: [u8; 64] = bytes(signature).try_into().unwrap();
        let message = bytes(message);
        let pair = KeyPair::from_seed(Seed::new(secret));
        assert_eq!(*pair.pk, public);
        assert_eq!(*pair.sk.sign(&message, None), signature);
        let key = PublicKey::new(public);
        assert!(key.verify(&message, &Signature::new(signature)).is_ok());
        for at in 0..64 {
            let mut wrong = signature;
            wrong[at] ^= 1;
            assert!(key.verify(&message, &Signature::new(wrong)).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_signature_plus_the_group_order_is_refused() {
    // RFC 8032, 5.1.7: S must be below L, or signatures could be altered
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let [_, public, message, signature] = RFC8032[1];
    let mut signature: [u8; 64] = bytes(signature).try_into().unwrap();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    let key = PublicKey::new(bytes(public).try_into().unwrap());
    assert!(key.verify(bytes(message), &Signature::new(signature)).is_err());
}

#[test]
fn fips_180_vectors_of_sha_256() {
    let vectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ];
    for (message, hash) in vectors {
        assert_eq!(wisp_trust::sha256(&bytes(message))[..], bytes(hash)[..]);
        let mut pieces = wisp_trust::Hasher::new();
        for byte in bytes(message) {
            pieces.update(&[byte]);
        }
        assert_eq!(pieces.finish()[..], bytes(hash)[..]);
    }
}
