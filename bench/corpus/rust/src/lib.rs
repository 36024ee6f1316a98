// SPDX-License-Identifier: Apache-2.0
//! Programs made of crates of the registry. Each is a module with a function `run`, which does its work so many times and
//! returns a checksum, and with the bytes of heap that it takes.
#![no_std]

extern crate alloc;

mod heap;

use core::panic::PanicInfo;

/// Declares each program: its module, its function for the board itself, and its entry of a wasm module.
macro_rules! programs {
    ($($feature:literal $name:ident $symbol:ident;)*) => {
        $(
            #[cfg(feature = $feature)]
            mod $name;

            /// Runs the program so many times.
            #[cfg(all(feature = $feature, not(target_family = "wasm")))]
            #[no_mangle]
            #[inline(never)]
            pub extern "C" fn $symbol(n: u32) -> u32 {
                $name::run(n)
            }
        )*

        /// Runs the program of this module so many times.
        #[cfg(target_family = "wasm")]
        #[no_mangle]
        pub extern "C" fn run(n: u32) -> u32 {
            $(#[cfg(feature = $feature)] return $name::run(n);)*
        }

        /// The largest heap that one of the programs takes.
        const HEAP: usize = {
            let sizes: &[usize] = &[0, $(#[cfg(feature = $feature)] $name::HEAP,)*];
            let (mut at, mut largest) = (0, 0);
            while at < sizes.len() {
                if sizes[at] > largest {
                    largest = sizes[at];
                }
                at += 1;
            }
            largest
        };
    };
}

programs! {
    "aes" aes run_aes;
    "biquad" biquad run_biquad;
    "blake2" blake2 run_blake2;
    "graphics" graphics run_graphics;
    "heatshrink" heatshrink run_heatshrink;
    "inflate" inflate run_inflate;
    "jpeg" jpeg run_jpeg;
    "json" json run_json;
    "keccak" keccak run_keccak;
    "lz4" lz4 run_lz4;
    "microfft" microfft run_microfft;
    "minicbor" minicbor run_minicbor;
    "mos6502" mos6502 run_mos6502;
    "nmea" nmea run_nmea;
    "p256" p256 run_p256;
    "png" png run_png;
    "postcard" postcard run_postcard;
    "qoi" qoi run_qoi;
    "qrcode" qrcode run_qrcode;
    "reed_solomon" reed_solomon run_reed_solomon;
    "regex" regex run_regex;
    "ryu" ryu run_ryu;
    "smoltcp" smoltcp run_smoltcp;
    "x25519" x25519 run_x25519;
}

/// Text as a device logs it.
#[allow(dead_code)]
static LOG: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/log.txt"));

/// Mixes bytes into a checksum.
#[allow(dead_code)]
fn mix(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, &byte| {
        sum.rotate_left(5) ^ sum.wrapping_add(u32::from(byte))
    })
}

/// Runs a piece of work so many times. It gets the number of the time, from which it may make its input another.
#[allow(dead_code)]
fn repeat(n: u32, mut work: impl FnMut(u32) -> u32) -> u32 {
    (0..n).fold(0, |sum, round| sum.rotate_left(7) ^ work(round))
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_family = "wasm"))]
    loop {}
}
