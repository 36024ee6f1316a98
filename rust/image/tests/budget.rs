// SPDX-License-Identifier: Apache-2.0
//! Verification takes work in proportion to the image, whatever the image shares between its entries.

#[expect(dead_code, reason = "the tests of rules use the rest")]
mod build;

use build::{function, Parts, I32, NOTHING};
use wisp_image::ops::{opcode, Class, Operand, Sem};
use wisp_image::verify::{budget, scratch_words, verify_while};
use wisp_image::{Image, ImageError};

/// Slots of a list of types that is as long as a call frame may be.
const LONG: u16 = 16_000;

fn halves(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|half| half.to_le_bytes()).collect()
}

/// Returns a type section: offset from the end of the entries, parameters and results of each, and so many bytes of
/// `i32`.
fn types(entries: &[(u32, u16, u16)], bytes: usize) -> Vec<u8> {
    let start = 4 + 8 * entries.len() as u32;
    let mut section = (entries.len() as u32).to_le_bytes().to_vec();
    for &(offset, params, results) in entries {
        section.extend((start + offset).to_le_bytes());
        section.extend(halves(&[params, results]));
    }
    section.resize(section.len() + bytes, 0x7f);
    section
}

/// Returns an import section of functions with names that all lie at the start of the strings.
fn imports(count: usize, module: impl Fn(usize) -> u32) -> Vec<u8> {
    let entry = |n| [&module(n).to_le_bytes()[..], &[0; 4], &[0; 4], &[1, 0, 0, 0, 1, 0, 0, 0]].concat();
    (0..count).flat_map(entry).collect()
}

/// Returns the longest string, which begins once more two bytes further on.
fn long_string() -> Vec<u8> {
    let mut strings = vec![b'a'; 0x6161 + 4];
    strings[..2].copy_from_slice(&0x6161u16.to_le_bytes());
    strings
}

/// Verifies an image. Returns the outcome and how often the verifier asked whether to go on.
fn verified(parts: Parts) -> (Result<(), ImageError>, u32) {
    let bytes = parts.image();
    let image = Image::parse(&bytes).unwrap();
    let looks = std::cell::Cell::new(0);
    let mut scratch = vec![0; scratch_words(&image).unwrap()];
    let outcome = verify_while::<0>(&image, &mut scratch, &|| {
        looks.set(looks.get() + 1);
        true
    });
    assert!(looks.get() <= budget(&image) / 512, "{} looks", looks.get());
    (outcome, looks.get())
}

/// Returns a function that returns by calling itself as another type with the same long list of results, so often.
fn returning_calls(count: usize) -> Parts {
    let call = opcode(
        Class::Special,
        Sem::ReturnCallIndirect,
        &[Operand::Frame, Operand::Type, Operand::TableIndex, Operand::Slot],
    );
    let enter = opcode(Class::Special, Sem::Enter, &[Operand::FrameSize]).unwrap() * 4;
    let mut code = vec![enter, 4 * (LONG + 100)];
    for _ in 0..count {
        code.extend([call.expect("the op exists") * 4, 64, 1, 0, 16]);
    }
    let mut parts = Parts::new();
    // the second list begins one byte further, so that its address is another
    parts.types = types(&[(0, 0, LONG), (1, 0, LONG), (0, 0, 0)], usize::from(LONG) + 1);
    parts.imports.clear();
    parts.manifest[68..104].fill(0);
    parts.manifest[92..96].fill(0xff);
    for section in [&mut parts.globals, &mut parts.exports, &mut parts.elements, &mut parts.items, &mut parts.data] {
        section.clear();
    }
    parts.tables = [&[0x70, 0, 0, 0][..], &1u32.to_le_bytes(), &2u32.to_le_bytes()].concat();
    parts.code = halves(&code);
    parts
}

#[test]
fn results_that_are_compared_again_and_again_are_counted_each_time() {
    assert_eq!(verified(returning_calls(10)).0, Ok(()));
    // each compares 16,000 bytes and takes 10 of the image
    let (outcome, looks) = verified(returning_calls(1_000));
    assert_eq!(outcome, Err(ImageError::Work));
    assert!(looks > 10, "{looks} looks");
}

#[test]
fn types_that_share_their_bytes_are_counted_each() {
    let shared = |count: usize| {
        let mut parts = Parts::new();
        let mut list = vec![(0, LONG, LONG); count];
        list[usize::from(NOTHING)] = (0, 0, 0);
        list[usize::from(I32)] = (0, 0, 1);
        parts.types = types(&list, 2 * usize::from(LONG));
        verified(parts).0
    };
    assert_eq!(shared(10), Ok(()));
    assert_eq!(shared(1_000), Err(ImageError::Work));
}

#[test]
fn imports_and_exports_that_share_their_names_are_counted_each() {
    let imported = |count: usize, module: fn(usize) -> u32| {
        let mut parts = Parts::new();
        parts.imports.extend(imports(count, module));
        parts.strings = long_string();
        verified(parts).0
    };
    assert_eq!(imported(4, |_| 0), Ok(()));
    assert_eq!(imported(1_000, |_| 0), Err(ImageError::Work));
    assert_eq!(imported(1_000, |n| 2 * (n as u32 % 2)), Err(ImageError::Work));
    let exported = |count: usize| {
        let mut parts = Parts::new();
        parts.exports = [0, 0, 0, 0, 0, 0, 1, 0].repeat(count);
        parts.strings = long_string();
        verified(parts).0
    };
    assert_eq!(exported(4), Ok(()));
    assert_eq!(exported(1_000), Err(ImageError::Work));
}

#[test]
fn segments_that_share_their_items_or_bytes_are_counted_each() {
    let items = |count: usize| {
        let mut parts = Parts::new();
        parts.items.resize(4 * 4_000, 0);
        let segment = [&[1, 0x70, 0, 0][..], &[0; 4], &4u32.to_le_bytes(), &3_996u32.to_le_bytes()].concat();
        parts.elements.extend(segment.repeat(count));
        verified(parts).0
    };
    assert_eq!(items(4), Ok(()));
    assert_eq!(items(1_000), Err(ImageError::Work));
    let data = |count: usize| {
        let mut parts = Parts::new();
        parts.bytes = vec![0; 60_000];
        let segment = [&[1, 0, 0, 0][..], &[0; 8], &60_000u32.to_le_bytes()].concat();
        parts.data.extend(segment.repeat(count));
        verified(parts).0
    };
    assert_eq!(data(4), Ok(()));
    assert_eq!(data(1_000), Err(ImageError::Work));
}

#[test]
fn an_image_that_shares_nothing_takes_less_than_a_unit_a_byte() {
    let mut parts = Parts::new();
    let mut code = function::enter();
    // Miri does not come to the end of so many
    let constants = if cfg!(miri) { 1_000 } else { 100_000 };
    for _ in 0..constants {
        code.extend(function::constant());
    }
    code.extend(function::end(NOTHING));
    parts.code = halves(&code);
    let (outcome, looks) = verified(parts);
    assert_eq!(outcome, Ok(()));
    // a word of code is a unit
    assert!(looks as usize * 512 <= code.len(), "{looks} looks for {} words", code.len());
}
