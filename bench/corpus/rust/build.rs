// SPDX-License-Identifier: Apache-2.0
//! Makes the input of the programs: a log, and a picture in three formats.

use std::path::Path;
use std::{env, fs};

const WIDTH: usize = 64;
const HEIGHT: usize = 64;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(Path::new(&out).join(name), bytes).expect("OUT_DIR can be written")
    };
    let (log, picture) = (log(), picture());
    write("log.txt", &log);
    write(
        "log.deflate",
        &miniz_oxide::deflate::compress_to_vec(&log, 6),
    );
    write("picture.png", &png(&picture));
    write("picture.jpg", &jpeg(&picture));
    write(
        "picture.qoi",
        &qoi::encode_to_vec(&picture, WIDTH as u32, HEIGHT as u32).expect("it has that size"),
    );
}

/// Returns 4 KiB of lines as a device logs them.
fn log() -> Vec<u8> {
    let mut text = String::new();
    let mut state = 1_u32;
    while text.len() < 4096 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (time, pick, value) = (text.len() * 7, state >> 30, state >> 16 & 0x3ff);
        text += &match pick {
            0 => format!(
                "[{time:08}] sensor: temperature {}.{} C\n",
                value / 40,
                value % 10
            ),
            1 => format!(
                "[{time:08}] net: packet of {value} bytes from 10.0.0.{}\n",
                value % 200
            ),
            2 => format!("[{time:08}] sensor: humidity {} %\n", value % 101),
            _ => format!(
                "[{time:08}] power: battery at {value} mV\n",
                value = 3000 + value
            ),
        };
    }
    text.truncate(4096);
    text.into_bytes()
}

/// Returns a picture in RGB: areas of colour, a gradient and some noise.
fn picture() -> Vec<u8> {
    let mut state = 7_u32;
    let mut pixels = Vec::new();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 29) as u8;
            let circle = (x as i32 - 40).pow(2) + (y as i32 - 24).pow(2) < 300;
            pixels.extend(match (circle, y > 44) {
                (true, _) => [220, 60 + x as u8, 30],
                (false, true) => [20 + noise, 90 + noise, 40],
                (false, false) => [3 * y as u8, 2 * x as u8, 200],
            });
        }
    }
    pixels
}

fn jpeg(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder
        .encode(
            pixels,
            WIDTH as u16,
            HEIGHT as u16,
            jpeg_encoder::ColorType::Rgb,
        )
        .expect("it has that size");
    bytes
}

/// Returns the picture as PNG: each line predicted from the one above it.
fn png(pixels: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for y in 0..HEIGHT {
        lines.push(2);
        for at in y * 3 * WIDTH..(y + 1) * 3 * WIDTH {
            let above = if y == 0 { 0 } else { pixels[at - 3 * WIDTH] };
            lines.push(pixels[at].wrapping_sub(above));
        }
    }
    let mut header = Vec::new();
    header.extend((WIDTH as u32).to_be_bytes());
    header.extend((HEIGHT as u32).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [
        (b"IHDR", header),
        (
            b"IDAT",
            miniz_oxide::deflate::compress_to_vec_zlib(&lines, 6),
        ),
        (b"IEND", vec![]),
    ] {
        bytes.extend((data.len() as u32).to_be_bytes());
        let body = [&kind[..], &data].concat();
        bytes.extend(&body);
        bytes.extend(crc(&body).to_be_bytes());
    }
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}
