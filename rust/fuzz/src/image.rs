// SPDX-License-Identifier: Apache-2.0
//! Bytes through reader, verifier and disassembler.

use std::cell::RefCell;
use std::fmt::Write;

use arbitrary::Unstructured;
use wisp_compiler::{compile, Options};
use wisp_image::format::{self, Section};
use wisp_image::native::Native;
use wisp_image::{disassemble, verify, Image, ImageError};

use crate::guard::Guarded;
use crate::{modules, mutation, Outcome};

/// Bytes for the largest image.
const LARGEST: usize = 4 << 20;

thread_local! {
    static MEMORY: RefCell<Guarded> = RefCell::new(Guarded::new(LARGEST));
}

fn bytes(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    Ok(match u.int_in_range(0..=5)? {
        0 => u.bytes(u.len())?.to_vec(),
        1 => {
            // a header that is right, so that what follows is looked at
            let mut bytes = Vec::from(format::MAGIC);
            bytes.extend(format::FORMAT_VERSION.to_le_bytes());
            bytes.extend(format::IR_VERSION.to_le_bytes());
            let sections = u.int_in_range(0..=20u16)?;
            let rest = u.bytes(u.len())?;
            bytes.extend((rest.len() as u32 + 16).to_le_bytes());
            bytes.extend(sections.to_le_bytes());
            bytes.extend([0, 0]);
            bytes.extend(rest);
            bytes
        }
        _ => {
            let wasm = modules::module(u, modules::Imports::Any)?;
            let Ok(compiled) = compile(&wasm, &Options::default()) else {
                return Err(arbitrary::Error::IncorrectFormat);
            };
            let mut image = compiled.image;
            mutation::anywhere(u, &mut image)?;
            image
        }
    })
}

/// The kinds of sections that a reader has to know.
const SECTIONS: [Section; Section::COUNT - 1] = [
    Section::Manifest,
    Section::Types,
    Section::Imports,
    Section::Functions,
    Section::Globals,
    Section::Tables,
    Section::Exports,
    Section::Elements,
    Section::Items,
    Section::Data,
    Section::DataBytes,
    Section::Strings,
    Section::Code,
];

/// Reads everything there is to read.
fn visit(image: &Image<'_>) -> Result<(), ImageError> {
    let manifest = image.manifest();
    let mut text = String::new();
    let _ = image.trailer(format::TAG_HASH);
    let _ = write!(text, "{}", image.content().len());
    for index in 0..=image.import_count() {
        let _ = image.import(index);
        let _ = image.imported_function_type(index);
    }
    for index in 0..=image.function_count() {
        let _ = image.function(index);
    }
    for index in 0..=image.export_count() {
        if let Ok(export) = image.export(index) {
            let name = export.name.text();
            assert!(name.is_none_or(|name| image.export_named(name).is_some()));
        }
    }
    let _ = (image.imports().counts(), image.wasm_hash(), image.memory(), image.init(), image.globals_size());
    image.globals().for_each(drop);
    for (kind, bytes) in image.sections_from(Section::OPTIONAL) {
        assert!(kind >= Section::OPTIONAL);
        let _ = Native::parse(bytes);
    }
    if let Some(attachment) = image.attachment() {
        let _ = attachment.image_hash();
        let end = attachment.content().as_ptr_range().end.addr() + attachment.trailer().len();
        assert_eq!(end, image.bytes().as_ptr_range().end.addr(), "an attachment ends where the image does");
    }
    for (kind, bytes) in image.native_sections() {
        assert!(kind >= Section::NATIVE);
        let _ = Native::parse(bytes);
    }
    let again = Image::parsed(image.bytes());
    assert!(SECTIONS.iter().all(|&section| again.section(section) == image.section(section)));
    assert_eq!(again.content(), image.content());
    for index in 0..=image.element_count() {
        if let Ok(elements) = image.element(index) {
            let _ = elements.item(elements.len());
        }
    }
    for index in 0..=image.data_count() {
        let _ = image.data(index);
    }
    let code = image.section(Section::Code);
    for op in disassemble::ops(code, 0, code.len()) {
        let _ = write!(text, "{op}");
    }
    verify::verify(image, &mut vec![0; verify::scratch_words(image)?])?;
    manifest.map(|_| ())
}

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let Ok(bytes) = bytes(&mut u) else { return Outcome::Rejected };
    if bytes.len() > LARGEST {
        return Outcome::Rejected;
    }
    MEMORY.with_borrow_mut(|memory| {
        let bytes = memory.at_end(&bytes);
        let _ = Image::parsed(bytes).section(Section::Code);
        let result = Image::parse(bytes).and_then(|image| visit(&image));
        match result {
            Ok(()) => Outcome::Ran,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                Outcome::Refused
            }
        }
    })
}
