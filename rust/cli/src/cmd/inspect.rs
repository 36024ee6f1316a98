// SPDX-License-Identifier: Apache-2.0
//! `wisp inspect`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use sha2::{Digest, Sha256};
use wisp_image::format::{external, segment, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::{disassemble, verify, Image, ImageError, ImportKind};

use crate::exit;
use crate::failure::Failure;
use crate::imports::type_of;
use crate::input::{self, Kind};
use crate::symbols::{hex, Symbols};

/// Show what is in an image, and whether it is sound
#[derive(Args)]
pub struct Arguments {
    /// The image
    file: PathBuf,
    /// Show the code
    #[arg(long)]
    code: bool,
    /// Names for the code [default: those beside the image]
    #[arg(long, value_name = "FILE", alias = "map")]
    symbols: Option<PathBuf>,
}

const SECTIONS: [Section; 13] = [
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

/// Shows an image. The exit code says whether hash and code are sound.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    if let Kind::Wasm = input::kind(path, &bytes)? {
        return Err(Failure::in_file(path, ImageError::RawWasm));
    }
    let image = input::image(path, &bytes)?;
    let symbols = match &arguments.symbols {
        Some(file) => Symbols::read(file, &image)?,
        None => Symbols::find(path, &image).or_else(|| Symbols::carried(&image)).unwrap_or_default(),
    };
    let sound = describe(path, &image).map_err(|error| Failure::in_file(path, error))?;
    if arguments.code {
        code(&image, &symbols).map_err(|error| Failure::in_file(path, error))?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) })
}

fn describe(path: &Path, image: &Image<'_>) -> Result<bool, ImageError> {
    let manifest = image.manifest()?;
    let (major, minor, patch) = manifest.version;
    println!("{} {major}.{minor}.{patch}, {} bytes ({})", manifest.name.shown(), image.bytes().len(), path.display());
    println!("wasm: SHA-256 {}", hex(manifest.wasm_hash));
    if manifest.rollback != 0 {
        println!("rollback counter: {}", manifest.rollback);
    }
    if manifest.downgrade {
        println!("may take the place of a higher version");
    }
    let hash = hash(image);
    signature(image);
    let verified = verified(image);
    println!("\nneeds");
    memory(image)?;
    println!("  globals: {} bytes, largest frame: {} bytes", manifest.globals_size, manifest.max_frame);
    for index in 0..image.table_count() {
        let table = image.table(index)?;
        println!("  table {index}: {} {}{}", table.min, table.ty.name(), upto(table.max));
    }
    imports(image)?;
    exports(image)?;
    segments(image)?;
    println!("\nsections");
    for section in SECTIONS {
        let length = image.section(section).len();
        if length != 0 {
            println!("  {:<10} {length:>8}", format!("{section:?}"));
        }
    }
    if let Some((_, names)) = image.sections().find(|&(kind, _)| kind == Section::NAMES) {
        println!("  {:<10} {:>8}", "Names", names.len());
    }
    Ok(hash && verified)
}

fn upto(max: Option<u32>) -> String {
    max.map_or_else(String::new, |max| format!(", at most {max}"))
}

fn hash(image: &Image<'_>) -> bool {
    let found = Sha256::digest(image.content());
    match image.trailer(TAG_HASH) {
        None => {
            println!("hash: none; the image was cut at its end or not made by `wisp build`");
            false
        }
        Some(stated) if stated == found.as_slice() => {
            println!("hash: correct");
            true
        }
        Some(stated) => {
            println!(
                "hash: WRONG, the contents were damaged: stated {}, found {}; build or transfer it again",
                hex(stated),
                hex(&found)
            );
            false
        }
    }
}

fn signature(image: &Image<'_>) {
    match (image.trailer(TAG_SIGNATURE), image.trailer(TAG_KEY_ID)) {
        (Some(_), Some(key)) => println!("signature: by key {} (not checked here)", hex(key)),
        (Some(_), None) => println!("signature: by an unnamed key (not checked here)"),
        (None, _) => println!("signature: none"),
    }
    match wisp_trust::retired_by(image) {
        Ok(ids) => ids.for_each(|id| println!("retires key {} when it is confirmed", hex(&id))),
        Err(error) => println!("keys to retire: REFUSED: {error}"),
    }
}

fn verified(image: &Image<'_>) -> bool {
    let result = verify::scratch_words(image).and_then(|words| verify::verify(image, &mut vec![0; words]));
    match result {
        Ok(()) => println!("code: verified, {} functions", image.function_count()),
        Err(error) => println!("code: REFUSED, a device will not run it: {error}"),
    }
    result.is_ok()
}

fn memory(image: &Image<'_>) -> Result<(), ImageError> {
    match image.manifest()?.memory {
        None => println!("  linear memory: none"),
        Some(memory) => {
            let page = 1u64 << memory.page_size_log2;
            let declared = u64::from(memory.min) * page;
            let origin = if memory.imported { ", imported" } else { "" };
            let trimmed = if memory.trimmed { format!(", trimmed from {declared}") } else { String::new() };
            let most = memory.max.map_or_else(String::new, |max| format!(", at most {}", u64::from(max) * page));
            let grows = if memory.grows { ", may grow" } else { "" };
            println!("  linear memory: {} bytes{trimmed}{origin}{grows}{most}; pages of {page}", memory.backed);
        }
    }
    Ok(())
}

fn imports(image: &Image<'_>) -> Result<(), ImageError> {
    if image.import_count() != 0 {
        println!("\nimports");
    }
    for index in 0..image.import_count() {
        let import = image.import(index)?;
        let kind = match import.kind {
            ImportKind::Function(ty) => format!("func {}", type_of(image.ty(ty)?)),
            ImportKind::Table(table) => format!("table {} {}{}", table.min, table.ty.name(), upto(table.max)),
            ImportKind::Memory(min, max, log2) => format!("memory {min}{}, pages of {}", upto(max), 1u64 << log2),
            ImportKind::Global(ty, mutable) => format!("global {}{}", if mutable { "mut " } else { "" }, ty.name()),
        };
        println!("  {} {} {kind}", import.module.shown(), import.name.shown());
    }
    Ok(())
}

fn exports(image: &Image<'_>) -> Result<(), ImageError> {
    if image.export_count() != 0 {
        println!("\nexports");
    }
    let imported = image.imports_of(external::FUNCTION);
    for index in 0..image.export_count() {
        let export = image.export(index)?;
        let at = usize::from(export.index);
        let kind = match export.kind {
            external::FUNCTION => {
                let ty = match at.checked_sub(imported) {
                    Some(defined) => image.ty(image.function(defined)?.ty)?,
                    None => image.imported_function_type(at)?,
                };
                format!("func {}", type_of(ty))
            }
            external::TABLE => format!("table {at}"),
            external::MEMORY => "memory".into(),
            external::GLOBAL => format!("global {at}"),
            kind => format!("kind {kind}, index {at}"),
        };
        println!("  {} {kind}", export.name.shown());
    }
    Ok(())
}

fn segments(image: &Image<'_>) -> Result<(), ImageError> {
    if image.data_count() + image.element_count() != 0 {
        println!("\nsegments");
    }
    let mode = |mode: u8, offset: u32| match mode {
        segment::ACTIVE => format!("at {offset:#x}"),
        segment::PASSIVE => "passive".into(),
        _ => "declared".into(),
    };
    for index in 0..image.data_count() {
        let data = image.data(index)?;
        println!("  data {index}: {} bytes {}", data.bytes.len(), mode(data.mode, data.offset));
    }
    for index in 0..image.element_count() {
        let elements = image.element(index)?;
        let place = mode(elements.mode, elements.offset);
        println!("  elements {index}: {} {}, {place}, table {}", elements.len(), elements.ty.name(), elements.table);
    }
    Ok(())
}

fn code(image: &Image<'_>, symbols: &Symbols) -> Result<(), ImageError> {
    let code = image.section(Section::Code);
    for index in 0..image.function_count() {
        let function = image.function(index)?;
        let start = function.code as usize;
        let next = image.function(index + 1).map_or(code.len(), |next| next.code as usize);
        let name = symbols.name(index as u32).map_or_else(String::new, |name| format!(" `{name}`"));
        println!("\nfunction {index}{name} {}, {} bytes", type_of(image.ty(function.ty)?), next.saturating_sub(start));
        let mut last = None;
        for op in disassemble::ops(code, start, next) {
            let wasm = symbols.wasm_offset(op.offset as u32).filter(|&wasm| last.replace(wasm) != Some(wasm));
            let wasm = wasm.map_or_else(String::new, |wasm| format!("{wasm:#x}"));
            println!("  {:#06x} {wasm:>8}  {op}", op.offset);
        }
    }
    Ok(())
}
