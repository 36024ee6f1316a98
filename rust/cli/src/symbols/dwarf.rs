// SPDX-License-Identifier: Apache-2.0
//! Source lines, from the DWARF in a module's custom sections. Addresses in it count from the first byte of
//! the code section's contents (WebAssembly tool conventions, "DWARF for WebAssembly").

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use addr2line::gimli::{self, EndianSlice, LittleEndian};
use addr2line::Context;
use wasmparser::{Parser, Payload};

use super::{readable, Call, Symbols};

type Dwarf<'w> = gimli::Dwarf<EndianSlice<'w, LittleEndian>>;

/// Numbers for texts, in the order in which they come.
#[derive(Default)]
struct Numbered {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Numbered {
    fn number(&mut self, text: Cow<'_, str>) -> u32 {
        if let Some(&number) = self.numbers.get(&*text) {
            return number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.clone().into_owned());
        self.numbers.insert(text.into_owned(), number);
        number
    }
}

/// The debug information of a module.
#[derive(Default)]
struct Debug<'w> {
    sections: HashMap<&'w str, &'w [u8]>,
    /// The offset at which the contents of the code section begin in the module.
    start: u64,
    /// Addresses of the functions' bodies, ascending.
    bodies: Vec<Range<u64>>,
}

impl<'w> Debug<'w> {
    fn of(wasm: &'w [u8]) -> Self {
        let mut debug = Self::default();
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            match payload {
                Payload::CodeSectionStart { unchecked_range, .. } => debug.start = unchecked_range.start,
                Payload::CodeSectionEntry(body) => {
                    let range = body.range();
                    debug.bodies.push(range.start - debug.start..range.end - debug.start);
                }
                Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                    debug.sections.insert(section.name(), section.data());
                }
                _ => {}
            }
        }
        debug
    }

    fn section(&self, id: gimli::SectionId) -> &'w [u8] {
        self.sections.get(id.name()).copied().unwrap_or_default()
    }

    /// Returns all units, or those in this part of `.debug_info`.
    fn dwarf(&self, part: Option<&Range<usize>>) -> Result<Dwarf<'w>, gimli::Error> {
        gimli::Dwarf::load(|id| {
            let bytes = self.section(id);
            let bytes = match part {
                Some(part) if id == gimli::SectionId::DebugInfo => bytes.get(part.clone()).unwrap_or_default(),
                _ => bytes,
            };
            Ok(EndianSlice::new(bytes, LittleEndian))
        })
    }

    /// Finds the unit that each function is from which several units claim: the part of `.debug_info`, by the start of
    /// the function's body. A linker that puts one definition in the place of a weak one leaves the debug information
    /// of both, and has them begin at the same address. Only the right one ends where the body does.
    fn contested(&self) -> Result<HashMap<u64, Range<usize>>, gimli::Error> {
        let dwarf = self.dwarf(None)?;
        let mut claims: HashMap<u64, (usize, Option<Range<usize>>)> = HashMap::new();
        let mut units = dwarf.units();
        while let Some(header) = units.next()? {
            let Some(at) = header.offset().as_debug_info_offset() else { continue };
            let part = at.0..at.0 + header.length_including_self();
            let unit = dwarf.unit(header)?;
            let mut ranges = dwarf.unit_ranges(&unit)?;
            while let Some(range) = ranges.next()? {
                let body = self.bodies.partition_point(|body| body.start < range.begin);
                let Some(body) = self.bodies.get(body).filter(|body| body.start == range.begin) else { continue };
                let claim = claims.entry(range.begin).or_default();
                claim.0 += 1;
                if range.end == body.end {
                    claim.1 = Some(part.clone());
                }
            }
        }
        Ok(claims.into_iter().filter_map(|(start, (n, part))| Some((start, part.filter(|_| n > 1)?))).collect())
    }
}

/// Returns a path without the steps that lead nowhere.
fn path(file: &str) -> Cow<'_, str> {
    let file = file.strip_prefix("./").unwrap_or(file);
    if file.contains("/./") {
        file.replace("/./", "/").into()
    } else {
        file.into()
    }
}

/// Adds what the module's debug information says of its places, if it has any that can be read.
pub fn add_lines(symbols: &mut Symbols, wasm: &[u8]) {
    // damaged debug information is no reason not to build
    let _ = add(symbols, &Debug::of(wasm));
}

fn add(symbols: &mut Symbols, debug: &Debug<'_>) -> Result<(), gimli::Error> {
    if debug.sections.is_empty() {
        return Ok(());
    }
    let all = Context::from_dwarf(debug.dwarf(None)?)?;
    let mut single = HashMap::new();
    for (start, part) in debug.contested()? {
        single.insert(start, Context::from_dwarf(debug.dwarf(Some(&part))?)?);
    }
    let (mut files, mut functions) = (Numbered::default(), Numbered::default());
    for place in &mut symbols.places {
        let Some(address) = u64::from(place.wasm).checked_sub(debug.start) else { continue };
        let body = debug.bodies.partition_point(|body| body.start <= address).checked_sub(1);
        let body = body.and_then(|body| debug.bodies.get(body));
        let context = body.and_then(|body| single.get(&body.start)).unwrap_or(&all);
        let Ok(mut frames) = context.find_frames(address).skip_all_loads() else { continue };
        while let Ok(Some(frame)) = frames.next() {
            let location = frame.location.as_ref();
            place.calls.push(Call {
                function: frame
                    .function
                    .as_ref()
                    .and_then(|function| function.raw_name().ok())
                    .map(|name| functions.number(readable(&name).into())),
                file: location.and_then(|location| location.file).map(|file| files.number(path(file))),
                line: location.and_then(|location| location.line).unwrap_or(0),
                column: location.and_then(|location| location.column).unwrap_or(0),
            });
        }
    }
    symbols.files = files.texts;
    symbols.functions = functions.texts;
    Ok(())
}
