// SPDX-License-Identifier: Apache-2.0
//! Names, wasm offsets and source lines for places in the code of an image. `wisp build` writes them to a
//! side file, so that they take no flash; [`text`] is its format, [`dwarf`] where source lines come from.

mod dwarf;
mod text;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmparser::{Operator, TypeRef};
use wisp_compiler::{printable, Compiled};
use wisp_image::format::{external, Section, TAG_HASH};
use wisp_image::writer::{append_trailer, Writer};
use wisp_image::{names, Image, ImageId};

use crate::failure::Failure;
use crate::output;

/// A call as the source has it: a function, or one that was inlined into the next.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Call {
    /// Index of the function's name.
    function: Option<u32>,
    /// Index of the file.
    file: Option<u32>,
    line: u32,
    column: u32,
}

/// A place in the code.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Place {
    /// Byte offset in the code section of the image.
    code: u32,
    /// Byte offset in the wasm module.
    wasm: u32,
    /// Innermost first, or empty without debug information.
    calls: Vec<Call>,
}

/// Names and places of one image.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Symbols {
    /// SHA-256 of the wasm module, in hexadecimal digits.
    wasm: String,
    /// Bytes of the image's code section.
    code: u32,
    imported: u32,
    /// Pairs of a function's index, imports included, and its name, ascending.
    names: Vec<(u32, String)>,
    files: Vec<String>,
    /// Names of functions in the source.
    functions: Vec<String>,
    /// Ascending.
    places: Vec<Place>,
    /// Byte offsets in the wasm module of calls of host functions, ascending, with the functions' names.
    hosts: Vec<(u32, String)>,
    /// The component that the module was lowered from.
    world: World,
}

/// The names in WIT of a component: nothing for an app that was none.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct World {
    /// Interfaces and functions that it imports.
    pub imports: Vec<String>,
    /// Interfaces and functions that it exports.
    pub exports: Vec<String>,
}

/// The wasm offset of code that no function of the module has: it sets up an instance and calls the start function.
const NOWHERE: u32 = 0;

/// Returns the bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the default path of an image's symbols: the image's own with `.sym` behind it.
pub fn beside(image: &Path) -> PathBuf {
    let mut name = image.as_os_str().to_owned();
    name.push(".sym");
    name.into()
}

/// Returns the name without what compilers add to it.
fn readable(name: &str) -> String {
    // a name of C may be one of a type in C++'s mangling: `i` is no `int`
    let mangled = ["_Z", "__Z", "___Z", "_R", "__R"].iter().any(|prefix| name.starts_with(prefix));
    let name = if mangled { addr2line::demangle_auto(name.into(), None) } else { name.into() };
    // linkers demangle Rust's older names, but leave the hash at their end
    match name.rsplit_once("::h") {
        Some((rest, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => printable(rest),
        _ => printable(&name),
    }
}

/// Returns the names of the functions that a module defines, by index among those.
fn defined_names(wasm: &[u8], imported: u32) -> Vec<(u32, String)> {
    let names = wisp_compiler::function_names(wasm).into_iter();
    names.filter_map(|(index, name)| Some((index.checked_sub(imported)?, readable(name)))).collect()
}

/// Returns the image with the names of its functions, which a module was just compiled to.
pub fn with_names(image: &Image<'_>, wasm: &[u8]) -> Vec<u8> {
    let names = defined_names(wasm, image.imports_of(external::FUNCTION) as u32);
    let names = names.iter().map(|(index, name)| (*index, name.as_str()));
    let mut writer = Writer::of(image, |kind| kind != Section::NAMES);
    writer.optional(Section::NAMES, names::section(image.function_count(), names));
    let mut bytes = writer.finish();
    let hash = Sha256::digest(&bytes);
    append_trailer(&mut bytes, &[(TAG_HASH, &hash)]);
    bytes
}

/// Returns the byte offsets of the calls of imported functions in a module, with the functions' names.
fn host_calls(wasm: &[u8]) -> Vec<(u32, String)> {
    let Ok((module, bodies)) = wisp_compiler::read(wasm) else { return Vec::new() };
    let functions = module.imports.iter().filter(|import| matches!(import.ty, TypeRef::Func(_)));
    let imported: Vec<String> =
        functions.map(|import| printable(&format!("{}.{}", import.module, import.name))).collect();
    let mut calls = Vec::new();
    for reader in bodies.iter().flat_map(|body| body.get_operators_reader()) {
        for (operator, offset) in reader.into_iter_with_offsets().map_while(Result::ok) {
            let Operator::Call { function_index } = operator else { continue };
            let name = imported.get(function_index as usize);
            calls.extend(name.map(|name| (offset as u32, name.clone())));
        }
    }
    calls
}

impl Symbols {
    /// Returns the symbols of a module that was just compiled to this image.
    pub fn of(wasm: &[u8], compiled: &Compiled, image: &Image<'_>) -> Self {
        let mut names: Vec<_> =
            wisp_compiler::function_names(wasm).into_iter().map(|(index, name)| (index, readable(name))).collect();
        names.sort();
        let places = compiled.source_map.iter().map(|&(code, wasm)| Place { code, wasm, calls: Vec::new() }).collect();
        let mut symbols = Self {
            wasm: image.manifest().map(|manifest| hex(manifest.wasm_hash)).unwrap_or_default(),
            code: image.id().code,
            imported: image.imports_of(external::FUNCTION) as u32,
            names,
            places,
            hosts: host_calls(wasm),
            ..Self::default()
        };
        dwarf::add_lines(&mut symbols, wasm);
        symbols
    }

    /// Returns the symbols of these places of a module: pairs of code offset and offset in the module. No image is said to
    /// have them.
    pub fn of_places(wasm: &[u8], mut places: Vec<(u32, u32)>, imported: u32) -> Self {
        places.sort_unstable();
        let mut names: Vec<_> =
            wisp_compiler::function_names(wasm).into_iter().map(|(index, name)| (index, readable(name))).collect();
        names.sort();
        let places = places.into_iter().map(|(code, wasm)| Place { code, wasm, calls: Vec::new() }).collect();
        let mut symbols = Self { imported, names, places, hosts: host_calls(wasm), ..Self::default() };
        dwarf::add_lines(&mut symbols, wasm);
        symbols
    }

    /// Adds the names of the component that the module was lowered from.
    pub fn with_world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// Returns the names of the component that the module was lowered from.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Reads a side file.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = crate::input::read(path)?;
        if bytes.starts_with(b"\0asm") || bytes.starts_with(b"WISP") {
            return Err(Failure::in_file(
                path,
                "expected symbols; give the file ending in .sym that `wisp build` wrote beside the image",
            ));
        }
        let symbols = std::str::from_utf8(&bytes).map_err(|_| "no symbols: it is no text".to_string());
        symbols.and_then(Self::from_text).map_err(|error| Failure::in_file(path, error))
    }

    /// Reads a side file for this image.
    pub fn read(path: &Path, image: &Image<'_>) -> Result<Self, Failure> {
        let symbols = Self::open(path)?;
        if symbols.belongs_to(image) {
            return Ok(symbols);
        }
        Err(Failure::in_file(
            path,
            format_args!(
                "the symbols belong to another build: they are of {}, the image is {}; take those that `wisp build` \
                 wrote together with this image",
                symbols.id(),
                image.id()
            ),
        ))
    }

    /// Reads the side file that lies beside an image, if it is there and belongs to it.
    pub fn find(path: &Path, image: &Image<'_>) -> Option<Self> {
        let file = beside(path);
        let symbols = file.exists().then(|| Self::read(&file, image))?;
        symbols.map_err(|failure| output::note(format_args!("no names: {failure}"))).ok()
    }

    /// Returns the names that an image carries itself, or `None` if it carries none.
    pub fn carried(image: &Image<'_>) -> Option<Self> {
        let names = (0..image.function_count() as u32)
            .filter_map(|index| Some((index, printable(image.function_name(index)?))));
        let names: Vec<_> = names.collect();
        (!names.is_empty()).then(|| Self { names, ..Self::default() })
    }

    fn belongs_to(&self, image: &Image<'_>) -> bool {
        let wasm = image.manifest().map(|manifest| hex(manifest.wasm_hash)).unwrap_or_default();
        self.wasm == wasm && self.code == image.id().code
    }

    /// Returns the id of the image that they belong to.
    pub fn id(&self) -> ImageId {
        let digits = self.wasm.get(..8).unwrap_or_default();
        ImageId { wasm: u32::from_str_radix(digits, 16).unwrap_or(0), code: self.code }
    }

    /// Returns the name of a defined function.
    pub fn name(&self, defined: u32) -> Option<&str> {
        let index = self.imported.checked_add(defined)?;
        let at = self.names.binary_search_by_key(&index, |name| name.0).ok()?;
        self.names.get(at).map(|name| name.1.as_str())
    }

    /// Returns the offset in the wasm module of the instruction behind a code offset.
    pub fn wasm_offset(&self, code: u32) -> Option<u32> {
        self.place(code).map(|place| place.wasm)
    }

    /// Describes a code offset in a defined function as far as it is known: one line for each call, innermost first. The
    /// first is the host function that is called there, if one is. A function without a name has its index in the module
    /// where the module's offset is known, else that in the image.
    pub fn describe(&self, defined: u32, code: u32) -> Vec<String> {
        let mut lines = self.describe_guest(defined, code);
        let called = self.place(code).and_then(|place| {
            let at = self.hosts.binary_search_by_key(&place.wasm, |host| host.0).ok()?;
            self.hosts.get(at)
        });
        lines.splice(..0, called.map(|(_, name)| format!("host function `{name}`, called by")));
        lines
    }

    /// Describes a code offset as [`Self::describe`] does, without a host function.
    pub fn describe_guest(&self, defined: u32, code: u32) -> Vec<String> {
        let place = self.place(code);
        let name = self.name(defined);
        let shown = |index: u32| name.map_or_else(|| format!("function {index}"), |name| format!("`{name}`"));
        let Some(place) = place else {
            return vec![format!("{}, code offset {code:#x}", shown(defined))];
        };
        if place.wasm == NOWHERE {
            return vec!["instantiation of the module".into()];
        }
        // an offset in the module belongs to the module's own index, which counts imports
        let shown = shown(self.imported.saturating_add(defined));
        let wasm = format!("wasm offset {:#x}", place.wasm);
        let Some((outermost, inlined)) = place.calls.split_last() else {
            return vec![format!("{shown}, {wasm}")];
        };
        let mut lines: Vec<String> = inlined
            .iter()
            .map(|call| {
                let function = call.function.and_then(|index| self.functions.get(index as usize));
                let function = function.map_or("?", String::as_str);
                format!("`{function}`{}, inlined into", self.source(call))
            })
            .collect();
        // the name section has more of a C++ or Rust name than some debug information
        let function = outermost.function.and_then(|index| self.functions.get(index as usize));
        let shown = match (name, function) {
            (None, Some(function)) => format!("`{function}`"),
            _ => shown,
        };
        lines.push(format!("{shown}{}, {wasm}", self.source(outermost)));
        lines
    }

    fn source(&self, call: &Call) -> String {
        let file = call.file.and_then(|index| self.files.get(index as usize));
        match (file, call.line) {
            (None, _) => String::new(),
            // compilers give line 0 to code that no line of the source stands for
            (Some(file), 0) => format!(" in {file}"),
            (Some(file), line) if call.column == 0 => format!(" at {file}:{line}"),
            (Some(file), line) => format!(" at {file}:{line}:{}", call.column),
        }
    }

    fn place(&self, code: u32) -> Option<&Place> {
        let behind = self.places.partition_point(|place| place.code <= code);
        self.places.get(behind.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(code: u32, wasm: u32, calls: &[(u32, u32, u32, u32)]) -> Place {
        let calls = calls.iter().map(|&(function, file, line, column)| Call {
            function: Some(function),
            file: Some(file),
            line,
            column,
        });
        Place { code, wasm, calls: calls.collect() }
    }

    pub fn symbols() -> Symbols {
        Symbols {
            wasm: "00ff10ab".into(),
            code: 0x30,
            imported: 1,
            names: vec![(1, "main".into()), (2, "a b".into())],
            files: vec!["src/main.rs".into(), "src/lib.rs".into()],
            functions: vec!["main".into(), "divide".into()],
            places: vec![place(0, 0x40, &[]), place(10, 0x44, &[(1, 1, 7, 3), (0, 0, 12, 0)]), place(20, 0x48, &[])],
            hosts: vec![(0x48, "env.fail".into())],
            world: World::default(),
        }
    }

    #[test]
    fn names_count_defined_functions() {
        assert_eq!((symbols().name(0), symbols().name(1), symbols().name(2)), (Some("main"), Some("a b"), None));
    }

    #[test]
    fn an_offset_within_an_op_is_that_of_its_instruction() {
        assert_eq!(symbols().describe(0, 9), ["`main`, wasm offset 0x40"]);
        let called = "host function `env.fail`, called by";
        assert_eq!(symbols().describe(7, 99), [called, "function 8, wasm offset 0x48"], "one function is imported");
        assert_eq!(Symbols::default().describe(3, 5), ["function 3, code offset 0x5"]);
    }

    #[test]
    fn inlined_calls_come_first() {
        assert_eq!(
            symbols().describe(0, 12),
            ["`divide` at src/lib.rs:7:3, inlined into", "`main` at src/main.rs:12, wasm offset 0x44"]
        );
    }

    #[test]
    fn the_id_reads_as_the_hash_does() {
        assert_eq!(symbols().id().to_string(), "00ff10ab:30");
    }

    #[test]
    fn names_lose_what_compilers_add() {
        for (name, shown) in [
            ("plain", "plain"),
            ("app::work::h0123456789abcdef", "app::work"),
            ("_ZN3app4work17h0123456789abcdefE", "app::work"),
            ("_ZN5Motor4turnEi", "Motor::turn(int)"),
            ("_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function"),
            ("app::hello", "app::hello"),
            ("i", "i"),
            ("d", "d"),
            ("v", "v"),
            ("Pi", "Pi"),
            ("St", "St"),
            ("ZN", "ZN"),
            ("_ZN", "_ZN"),
            ("_R", "_R"),
            ("R1a", "R1a"),
            ("a::h0", "a::h0"),
        ] {
            assert_eq!(readable(name), shown);
        }
    }
}
