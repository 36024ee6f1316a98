// SPDX-License-Identifier: Apache-2.0
//! Serialises samples with postcard, reads them back into heapless collections and logs the SHA-256
//! of the bytes. The digest is the same wherever it runs, which makes it a test of the whole chain.
#![no_std]
#![no_main]

use core::fmt;
use heapless::{String, Vec};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wisp_guest::{error, exit, info};

wisp_guest::main!(checksum);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    name: String<8>,
    time_us: u64,
    values: Vec<i32, 8>,
    scale: f32,
}

fn sample(index: u32) -> Option<Sample> {
    let mut name = String::try_from("ch").ok()?;
    name.push(char::from_digit(index, 10)?).ok()?;
    let values = (0..8).map(|i| (i - 4) * (index as i32 + 1) * 1000).collect();
    Some(Sample { name, time_us: u64::from(index) << 33, values, scale: 0.5 + index as f32 })
}

/// Shown in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn checksum() -> Result<(), postcard::Error> {
    let mut hash = Sha256::new();
    for original in (0..10).map_while(sample) {
        let mut buffer = [0; 96];
        let bytes = postcard::to_slice(&original, &mut buffer)?;
        let read: Sample = postcard::from_bytes(bytes)?;
        if read != original {
            error!("{} changed on its way", original.name);
            exit(2);
        }
        hash.update(bytes);
    }
    info!("sha256 {}", Hex(&hash.finalize()));
    Ok(())
}
