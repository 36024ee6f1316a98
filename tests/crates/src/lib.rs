// SPDX-License-Identifier: Apache-2.0
//! Parses readings from JSON, writes them back, and hashes what came out.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const INPUT: &str = r#"{"name":"ambient","unit":"mK","values":[293150,-40000,1,0],"scale":-3}"#;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Readings {
    name: String<16>,
    unit: String<4>,
    values: Vec<i32, 8>,
    scale: i8,
}

/// Returns the first four bytes of the SHA-256 of ten changed readings, or 0 if a crate failed.
pub fn checksum() -> u32 {
    let mut hash = Sha256::new();
    for round in 0..10 {
        let Ok((mut readings, _)) = serde_json_core::from_str::<Readings>(INPUT) else {
            return 0;
        };
        readings.values.reverse();
        if readings.values.push(round * -1001).is_err() {
            return 0;
        }
        let mut text = [0; 128];
        let Ok(length) = serde_json_core::to_slice(&readings, &mut text) else {
            return 0;
        };
        hash.update(&text[..length]);
    }
    let digest = hash.finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_what_the_board_is_tested_for() {
        assert_eq!(super::checksum(), 0xe620_d7d1);
    }
}
