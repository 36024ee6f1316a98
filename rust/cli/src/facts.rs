// SPDX-License-Identifier: Apache-2.0
//! Everything that an image says of itself, as `wisp inspect --json` writes it (doc/cli.md).

use serde::Serialize;
use sha2::{Digest, Sha256};
use wisp_image::conditions::Kind;
use wisp_image::features::Feature;
use wisp_image::format::{external, segment, Section, TAG_HASH, TAG_KEY_ID, TAG_SIGNATURE};
use wisp_image::native::{self, flags};
use wisp_image::{Image, ImageError, ImportKind};

use wisp_trust::TrustError;

use crate::check;
use crate::depth::Depth;
use crate::grants::Need;
use crate::imports::type_of;
use crate::symbols::hex;

/// An image.
#[derive(Serialize)]
pub struct Facts {
    pub name: String,
    pub version: String,
    pub bytes: usize,
    pub wasm_sha256: String,
    pub rollback: u32,
    /// The epoch, or 0 if the image has none.
    pub epoch: u32,
    /// True if the image may take the place of one with a higher version.
    pub downgrade: bool,
    /// `correct`, `wrong`, or `none`.
    pub hash: &'static str,
    #[serde(skip)]
    pub stated_hash: Option<String>,
    #[serde(skip)]
    pub found_hash: String,
    pub signed: bool,
    pub signing_key: Option<String>,
    /// The fault of the attached native code, or null if it has none, or nothing is attached.
    pub attachment_error: Option<String>,
    /// Id of the compile key that the attached native code names, or null if none is attached.
    pub compile_key: Option<String>,
    /// Ids of the keys that are retired when the image is confirmed.
    pub retires: Vec<String>,
    /// Devices that the image is for, as `KIND=NAME`, or empty if it is for all.
    pub only: Vec<String>,
    pub code: Code,
    pub native: Vec<NativeSection>,
    pub sound: bool,
    pub memory: Option<Memory>,
    pub globals_bytes: u32,
    pub largest_frame: u32,
    /// The deepest chain of calls, or null for native code only.
    pub depth: Option<Depth>,
    pub tables: Vec<Table>,
    pub imports: Vec<Import>,
    /// Grants that each imported module needs.
    pub needs: Vec<Need>,
    pub exports: Vec<Export>,
    pub data: Vec<Segment>,
    pub elements: Vec<Segment>,
    pub sections: Vec<SectionSize>,
}

/// The IR.
#[derive(Serialize)]
pub struct Code {
    /// False if the image has native code only.
    pub present: bool,
    pub functions: usize,
    /// Why a device refuses the image, or null if it does not.
    pub error: Option<String>,
}

/// A native section.
#[derive(Serialize)]
pub struct NativeSection {
    pub section: u16,
    pub bytes: usize,
    /// Why it cannot be used anywhere, or null if it can. The other fields are there then.
    pub error: Option<String>,
    #[serde(flatten)]
    pub code: Option<NativeCode>,
}

/// Native code that belongs to its image.
#[derive(Serialize)]
pub struct NativeCode {
    /// The name that `--target` takes for it.
    pub target: Option<&'static str>,
    pub machine: String,
    pub abi: u16,
    pub helpers: u16,
    pub features: Vec<&'static str>,
    pub code_bytes: usize,
    pub functions: u32,
    /// `poll` or `async`.
    pub stop: &'static str,
    /// Traps are exactly where the specification has them.
    pub strict: bool,
    /// The places of traps in a function are known.
    pub trap_sites: bool,
    pub callers_bytes: usize,
    pub memory_bytes: u32,
    pub memory_fixed: bool,
    /// Bytes of stack from one check to the next.
    pub stack: u32,
}

/// Linear memory.
#[derive(Serialize)]
pub struct Memory {
    pub bytes: u32,
    pub declared: u64,
    pub max: Option<u64>,
    pub page: u64,
    pub trimmed: bool,
    pub grows: bool,
    pub imported: bool,
}

/// A table.
#[derive(Serialize)]
pub struct Table {
    pub min: u32,
    pub max: Option<u32>,
    #[serde(rename = "type")]
    pub ty: &'static str,
}

/// An import.
#[derive(Serialize)]
pub struct Import {
    pub module: String,
    pub name: String,
    /// In words: `func (i32) -> ()`.
    #[serde(rename = "type")]
    pub ty: String,
}

/// An export.
#[derive(Serialize)]
pub struct Export {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
}

/// A data or element segment.
#[derive(Serialize)]
pub struct Segment {
    /// `active`, `passive`, or `declared`.
    pub mode: &'static str,
    pub offset: u32,
    /// Bytes of data, or items.
    pub length: usize,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<u16>,
}

/// A section and its bytes.
#[derive(Serialize)]
pub struct SectionSize {
    pub name: String,
    pub bytes: usize,
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

/// Returns ", at most N", or nothing.
pub fn upto(max: Option<u32>) -> String {
    max.map_or_else(String::new, |max| format!(", at most {max}"))
}

/// Returns a version as it is written.
pub fn version((major, minor, patch): (u8, u8, u16)) -> String {
    format!("{major}.{minor}.{patch}")
}

impl Facts {
    /// Reads all of it.
    ///
    /// # Errors
    /// An entry that cannot be read.
    pub fn of(image: &Image<'_>) -> Result<Self, ImageError> {
        let manifest = image.manifest()?;
        let found = Sha256::digest(image.content());
        let stated = image.trailer(TAG_HASH);
        let attachment = wisp_trust::check_hash(image).err().filter(|error| *error == TrustError::BadAttachment);
        let hash = match stated {
            None => "none",
            Some(stated) if stated == found.as_slice() => "correct",
            Some(_) => "wrong",
        };
        let native: Vec<_> = image.native_sections().map(|(kind, bytes)| native_section(image, kind, bytes)).collect();
        let present = !image.is_native_only();
        let error = match check::code(image) {
            Ok(()) if !present && native.is_empty() => Some(check::NOTHING_TO_RUN.into()),
            result => result.err().map(|error| error.to_string()),
        };
        let code = Code { present, functions: image.function_count(), error };
        let imports = (0..image.import_count()).map(|index| import(image, index)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            name: manifest.name.shown().into(),
            version: version(manifest.version),
            bytes: image.bytes().len(),
            wasm_sha256: hex(manifest.wasm_hash),
            rollback: manifest.rollback,
            epoch: image.epoch().unwrap_or(0),
            downgrade: manifest.downgrade,
            hash,
            stated_hash: stated.map(hex),
            found_hash: hex(&found),
            signed: image.trailer(TAG_SIGNATURE).is_some(),
            signing_key: image.trailer(TAG_KEY_ID).map(hex),
            only: only(image),
            compile_key: wisp_trust::compiler_of(image).ok().flatten().map(|id| hex(&id)),
            retires: wisp_trust::retired_by(image).map_or_else(|_| Vec::new(), |ids| ids.map(|id| hex(&id)).collect()),
            attachment_error: attachment.map(|error| error.to_string()),
            sound: hash == "correct"
                && attachment.is_none()
                && image.conditions().is_ok()
                && image.epoch().is_ok()
                && code.error.is_none()
                && native.iter().all(|section| section.error.is_none()),
            code,
            native,
            memory: manifest.memory.map(|memory| {
                let page = 1u64 << memory.page_size_log2;
                Memory {
                    bytes: memory.backed,
                    declared: u64::from(memory.min) * page,
                    max: memory.max.map(|max| u64::from(max) * page),
                    page,
                    trimmed: memory.trimmed,
                    grows: memory.grows,
                    imported: memory.imported,
                }
            }),
            globals_bytes: manifest.globals_size,
            largest_frame: manifest.max_frame,
            depth: Depth::of(image)?,
            tables: (0..image.table_count()).map(|index| table(image, index)).collect::<Result<_, _>>()?,
            needs: needs(&imports),
            imports,
            exports: (0..image.export_count()).map(|index| export(image, index)).collect::<Result<_, _>>()?,
            data: (0..image.data_count()).map(|index| data(image, index)).collect::<Result<_, _>>()?,
            elements: (0..image.element_count()).map(|index| elements(image, index)).collect::<Result<_, _>>()?,
            sections: sections(image),
        })
    }
}

fn sections(image: &Image<'_>) -> Vec<SectionSize> {
    let known = SECTIONS.iter().map(|&section| (format!("{section:?}"), image.section(section).len()));
    let names =
        image.sections().filter(|&(kind, _)| kind == Section::NAMES).map(|(_, names)| ("Names".into(), names.len()));
    let all = known.chain(names).filter(|&(_, bytes)| bytes != 0);
    all.map(|(name, bytes)| SectionSize { name, bytes }).collect()
}

/// Returns the devices that an image is for.
pub fn only(image: &Image<'_>) -> Vec<String> {
    let Ok(conditions) = image.conditions() else { return vec!["unknown".into()] };
    let of = |kind: Kind| conditions.names(kind).map(move |name| (kind.name(), name));
    let all = Kind::ALL.into_iter().flat_map(of);
    all.map(|(kind, name)| format!("{kind}={}", String::from_utf8_lossy(name))).collect()
}

fn native_section(image: &Image<'_>, section: u16, bytes: &[u8]) -> NativeSection {
    let checked = check::native(image, bytes);
    let error = checked.err().map(|refusal| refusal.to_string());
    let code = checked.ok().map(|native| {
        let has = |bit: u32| native.flags & bit != 0;
        NativeCode {
            target: check::target_name(native.target),
            machine: native.target.to_string(),
            abi: native::ABI_VERSION,
            helpers: native.helpers(),
            features: Feature::ALL
                .into_iter()
                .filter(|&feature| native.features() & feature as u8 != 0)
                .map(Feature::name)
                .collect(),
            code_bytes: native.code().len(),
            functions: native.function_count(),
            stop: if has(flags::POLLS) { "poll" } else { "async" },
            strict: has(flags::STRICT),
            trap_sites: has(flags::SITES),
            callers_bytes: native.callers().bytes().len(),
            memory_bytes: native.memory(),
            memory_fixed: has(flags::FIXED_MEMORY),
            stack: native.stack(),
        }
    });
    NativeSection { section, bytes: bytes.len(), error, code }
}

/// Returns what the imported modules need, each once.
fn needs(imports: &[Import]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for import in imports {
        if needs.iter().all(|need| need.module != import.module) {
            needs.push(Need::of(&import.module));
        }
    }
    needs
}

fn table(image: &Image<'_>, index: usize) -> Result<Table, ImageError> {
    let table = image.table(index)?;
    Ok(Table { min: table.min, max: table.max, ty: table.ty.name() })
}

fn import(image: &Image<'_>, index: usize) -> Result<Import, ImageError> {
    let import = image.import(index)?;
    let ty = match import.kind {
        ImportKind::Function(ty) => format!("func {}", type_of(image.ty(ty)?)),
        ImportKind::Table(table) => format!("table {} {}{}", table.min, table.ty.name(), upto(table.max)),
        ImportKind::Memory(min, max, log2) => {
            let page = 1u64.checked_shl(log2.into()).unwrap_or(0);
            format!("memory {min}{}, pages of {page}", upto(max))
        }
        ImportKind::Global(ty, mutable) => format!("global {}{}", if mutable { "mut " } else { "" }, ty.name()),
    };
    Ok(Import { module: import.module.shown().into(), name: import.name.shown().into(), ty })
}

fn export(image: &Image<'_>, index: usize) -> Result<Export, ImageError> {
    let export = image.export(index)?;
    let at = usize::from(export.index);
    let ty = match export.kind {
        external::FUNCTION => {
            let ty = match at.checked_sub(image.imports_of(external::FUNCTION)) {
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
    Ok(Export { name: export.name.shown().into(), ty })
}

fn mode(mode: u8) -> &'static str {
    match mode {
        segment::ACTIVE => "active",
        segment::PASSIVE => "passive",
        _ => "declared",
    }
}

fn data(image: &Image<'_>, index: usize) -> Result<Segment, ImageError> {
    let data = image.data(index)?;
    Ok(Segment { mode: mode(data.mode), offset: data.offset, length: data.bytes.len(), ty: None, table: None })
}

fn elements(image: &Image<'_>, index: usize) -> Result<Segment, ImageError> {
    let elements = image.element(index)?;
    Ok(Segment {
        mode: mode(elements.mode),
        offset: elements.offset,
        length: elements.len() as usize,
        ty: Some(elements.ty.name()),
        table: Some(elements.table),
    })
}
