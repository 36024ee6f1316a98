// SPDX-License-Identifier: Apache-2.0
//! Debug information of code that moved, at its new addresses.
//!
//! Addresses in debug information count from the first byte of the code section's contents. What a linker left out, or has
//! put another definition in the place of, has an address at which there is no code, and is dropped here.

use std::borrow::Cow;
use std::mem;

use gimli::write::{
    Address, AttributeValue, Dwarf, EndianVec, LineProgram, LineString, Range, RangeList, Sections, Unit,
};
use wasmparser::FunctionBody;

use gimli::{constants, read, EndianSlice, LittleEndian, Reader};

/// Levels of entries within each other, for each of which gimli calls itself. Compilers need some dozens.
const DEPTH: isize = 256;

/// The sections of debug information of one module: their names and contents.
pub type Debug<'a> = Vec<(&'a str, &'a [u8])>;

type Read<'a> = EndianSlice<'a, LittleEndian>;
type Converted<T> = Result<T, gimli::write::ConvertError>;

/// The new addresses of a module's code.
#[derive(Default)]
pub struct Moved {
    /// Old and new address of each instruction, and of the beginning and the end of each body, in ascending order. Behind an
    /// end, there is no code up to the next address.
    places: Vec<(u64, u64, bool)>,
}

impl Moved {
    /// Adds a body of a module whose code section has its contents at `start`. `places` are the offsets of instructions in
    /// that module and in the new body.
    pub fn body(
        &mut self,
        body: &FunctionBody<'_>,
        start: u64,
        new: std::ops::Range<u64>,
        places: impl Iterator<Item = (u64, u64)>,
    ) {
        let old = body.range();
        self.places.push((old.start - start, new.start, true));
        self.places.extend(places.map(|(old, place)| (old - start, new.start + place, true)));
        self.places.push((old.end - start, new.end, false));
    }

    /// Adds the bytes of the number of functions, which is before their bodies.
    pub fn behind_count(&mut self, count: u32) {
        let bytes = u64::from((32 - (count | 1).leading_zeros()).div_ceil(7));
        self.places.iter_mut().for_each(|place| place.1 += bytes);
    }

    /// Returns the new address of code.
    fn at(&self, old: u64) -> Option<u64> {
        let at = self.places.partition_point(|place| place.0 <= old).checked_sub(1)?;
        let (found, new, code) = self.places[at];
        (code || found == old).then_some(new)
    }

    /// Returns the new range of code, or `None` if its beginning is none.
    fn range(&self, begin: u64, end: u64) -> Option<(u64, u64)> {
        let new = self.at(begin).filter(|_| begin < end)?;
        self.at(end).filter(|&end| new < end).map(|end| (new, end))
    }
}

/// Returns sections with the debug information of all modules. That of a module which cannot be read is left out.
pub fn sections(modules: &[(&Debug<'_>, &Moved)]) -> Vec<(&'static str, Vec<u8>)> {
    let mut sections = Sections::new(EndianVec::new(LittleEndian));
    for (debug, moved) in modules {
        // what is no part of a program is no reason not to build it
        let Ok(mut dwarf) = convert(debug, moved) else { continue };
        let _ = dwarf.write(&mut sections);
    }
    let mut out = Vec::new();
    let _ = sections.for_each(|id, section| {
        if !section.slice().is_empty() {
            out.push((id.name(), section.slice().to_vec()));
        }
        Ok::<(), gimli::write::Error>(())
    });
    out
}

/// Returns the debug information of one module.
fn convert(debug: &Debug<'_>, moved: &Moved) -> Converted<Dwarf> {
    let section = |id: gimli::SectionId| {
        let found = debug.iter().find(|(name, _)| *name == id.name());
        Ok::<_, gimli::Error>(EndianSlice::new(found.map_or(&[][..], |(_, bytes)| bytes), LittleEndian))
    };
    let old = read::Dwarf::load(section)?;
    let mut headers = old.units();
    while let Some(header) = headers.next()? {
        let unit = old.unit(header)?;
        if !unit.line_program.as_ref().is_none_or(|lines| is_sound(lines.header())) {
            return Err(gimli::write::ConvertError::InvalidLineBase);
        }
        let (mut entries, mut depth) = (unit.entries(), 0);
        while let Some((deeper, _)) = entries.next_dfs()? {
            depth += deeper;
            if depth > DEPTH {
                return Err(gimli::write::ConvertError::InvalidAttributeValue);
            }
        }
    }
    let mut new = Dwarf::from(&old, &|address| Some(Address::Constant(address)))?;
    let mut headers = old.units();
    for index in 0..new.units.count() {
        let Some(header) = headers.next()? else { break };
        let id = new.units.id(index);
        let unit = new.units.get_mut(id);
        let from = old.unit(header)?;
        if let Some(program) = from.line_program.clone() {
            let text = |value| old.attr_string(&from, value)?.to_slice().map(Cow::into_owned);
            unit.line_program = lines(program, text, &unit.line_program, moved)?;
        }
        entries(unit, moved);
    }
    Ok(new)
}

/// Tells whether a line program has steps of lines as gimli assumes them.
fn is_sound(header: &read::LineProgramHeader<Read<'_>>) -> bool {
    let (base, range) = (i16::from(header.line_base()), i16::from(header.line_range()));
    base <= 0 && base + range > 0 && range <= i16::from(i8::MAX)
}

/// Returns a line program with the rows of an old one. `converted` has the same files, and `text` reads a name.
fn lines<'a>(
    old: read::IncompleteLineProgram<Read<'a>>,
    text: impl Fn(read::AttributeValue<Read<'a>>) -> gimli::Result<Vec<u8>>,
    converted: &LineProgram,
    moved: &Moved,
) -> Converted<LineProgram> {
    let header = old.header();
    let first = converted.files().next();
    let default = converted.default_directory();
    let mut new = LineProgram::new(
        header.encoding(),
        header.line_encoding(),
        converted.get_directory(default).clone(),
        first.filter(|(_, _, dir)| *dir != default).map(|(_, _, dir)| converted.get_directory(dir).clone()),
        first.map_or(LineString::String(b"-".to_vec()), |(_, file, _)| file.clone()),
        None,
    );
    new.file_has_timestamp = converted.file_has_timestamp;
    new.file_has_size = converted.file_has_size;
    new.file_has_md5 = converted.file_has_md5;
    new.file_has_source = converted.file_has_source;
    let mut files = Vec::new();
    for (id, file, dir) in converted.files() {
        // the working directory may have no name in older versions, and exists already
        let named = dir != default;
        let dir = if named { new.add_directory(converted.get_directory(dir).clone()) } else { default };
        files.push(new.add_file(file.clone(), dir, Some(converted.get_file_info(id).clone())));
    }
    // one that is named twice has one number
    let mut names: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut numbers = Vec::new();
    for file in header.file_names() {
        let dir = file.directory(header).map(&text).transpose()?.unwrap_or_default();
        let name = (text(file.path_name())?, dir);
        let known = names.iter().position(|known| *known == name);
        numbers.push(known.unwrap_or(names.len()));
        if known.is_none() {
            names.push(name);
        }
    }
    let before = u64::from(header.version() <= 4);
    let mut rows = old.rows();
    // the address of the sequence, or `None` where it is no code
    let mut base = None;
    while let Some((_, row)) = rows.next_row()? {
        let address = moved.at(row.address());
        if row.end_sequence() {
            if let Some(base) = base.take() {
                let last = new.row().address_offset;
                new.end_sequence(address.map_or(last, |address| address.saturating_sub(base).max(last)));
            }
            continue;
        }
        let (Some(address), Some(&file)) =
            (address, row.file_index().checked_sub(before).and_then(|at| files.get(*numbers.get(at as usize)?)))
        else {
            continue;
        };
        let base = *base.get_or_insert_with(|| {
            new.begin_sequence(Some(Address::Constant(address)));
            address
        });
        let next = new.row();
        next.address_offset = address.saturating_sub(base).max(next.address_offset);
        next.file = file;
        next.line = row.line().map_or(0, |line| line.get());
        next.column = match row.column() {
            read::ColumnType::LeftEdge => 0,
            read::ColumnType::Column(column) => column.get(),
        };
        next.is_statement = row.is_stmt();
        next.prologue_end = row.prologue_end();
        next.epilogue_begin = row.epilogue_begin();
        new.generate_row();
    }
    Ok(new)
}

/// Changes the addresses of a unit's entries. The places of variables are left out: each part has another address in memory
/// than the one for which it was linked.
fn entries(unit: &mut Unit, moved: &Moved) {
    let root = unit.root();
    let base = match unit.get(root).get(constants::DW_AT_low_pc) {
        Some(&AttributeValue::Address(Address::Constant(address))) => address,
        _ => 0,
    };
    let ranges = mem::take(&mut unit.ranges);
    let mut pending = vec![root];
    while let Some(id) = pending.pop() {
        pending.extend(unit.get(id).children());
        let list = match unit.get(id).get(constants::DW_AT_ranges) {
            Some(&AttributeValue::RangeListRef(list)) => {
                Some(unit.ranges.add(relocated(ranges.get(list), base, moved)))
            }
            _ => None,
        };
        let entry = unit.get_mut(id);
        let low = entry.get(constants::DW_AT_low_pc).cloned();
        if let Some(AttributeValue::Address(Address::Constant(low))) = low {
            let high = match entry.get(constants::DW_AT_high_pc) {
                Some(&AttributeValue::Udata(bytes)) => low.checked_add(bytes),
                Some(&AttributeValue::Address(Address::Constant(high))) => Some(high),
                _ => None,
            };
            entry.delete(constants::DW_AT_low_pc);
            entry.delete(constants::DW_AT_high_pc);
            let range = high.and_then(|high| moved.range(low, high));
            if let Some((low, high)) = range {
                entry.set(constants::DW_AT_high_pc, AttributeValue::Udata(high - low));
                entry.set(constants::DW_AT_low_pc, AttributeValue::Address(Address::Constant(low)));
            }
        }
        let moves = |attribute: &gimli::write::Attribute| match attribute.get() {
            AttributeValue::Address(Address::Constant(address)) if attribute.name() != constants::DW_AT_low_pc => {
                Some((attribute.name(), moved.at(*address)))
            }
            AttributeValue::LocationListRef(_) => Some((attribute.name(), None)),
            _ if attribute.name() == constants::DW_AT_location => Some((attribute.name(), None)),
            _ => None,
        };
        let changes: Vec<_> = entry.attrs().filter_map(moves).collect();
        for (name, address) in changes {
            match address {
                Some(address) => entry.set(name, AttributeValue::Address(Address::Constant(address))),
                None => entry.delete(name),
            }
        }
        if let Some(list) = list {
            entry.set(constants::DW_AT_ranges, AttributeValue::RangeListRef(list));
            // that of the unit is what offsets in lists count from
            if id == root {
                entry.set(constants::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
            }
        }
    }
    unit.locations = gimli::write::LocationListTable::default();
}

/// Returns a list of ranges with new addresses.
fn relocated(list: &RangeList, mut base: u64, moved: &Moved) -> RangeList {
    let mut out = Vec::new();
    for range in &list.0 {
        let (begin, end) = match *range {
            Range::BaseAddress { address: Address::Constant(address) } => {
                base = address;
                continue;
            }
            Range::OffsetPair { begin, end } => (base.wrapping_add(begin), base.wrapping_add(end)),
            Range::StartEnd { begin: Address::Constant(begin), end: Address::Constant(end) } => (begin, end),
            Range::StartLength { begin: Address::Constant(begin), length } => (begin, begin.wrapping_add(length)),
            _ => continue,
        };
        if let Some((begin, end)) = moved.range(begin, end) {
            out.push(Range::StartEnd { begin: Address::Constant(begin), end: Address::Constant(end) });
        }
    }
    RangeList(out)
}

#[cfg(test)]
mod tests {
    use gimli::write::{DwarfUnit, FileInfo};
    use gimli::{Encoding, Format, LineEncoding};

    use super::*;

    /// Returns the debug information of two functions, at 10 and 30, and of one that the linker left out.
    fn old(version: u16) -> Vec<(&'static str, Vec<u8>)> {
        let encoding = Encoding { format: Format::Dwarf32, version, address_size: 4 };
        let mut dwarf = DwarfUnit::new(encoding);
        let name = |text: &str| LineString::String(text.as_bytes().to_vec());
        let mut program =
            LineProgram::new(encoding, LineEncoding::default(), name("/work"), None, name("first.c"), None);
        let dir = program.default_directory();
        let files = ["first.c", "second.c"].map(|file| program.add_file(name(file), dir, Some(FileInfo::default())));
        for (start, rows, end) in [
            (10u64, &[(0u64, 0, 5u64), (2, 1, 6), (6, 0, 7)][..], 20),
            (30, &[(0, 1, 8)], 40),
            (0xffff_ffff, &[(0, 0, 9)], 4),
        ] {
            program.begin_sequence(Some(Address::Constant(start)));
            for &(offset, file, line) in rows {
                program.row().address_offset = offset;
                program.row().file = files[file];
                program.row().line = line;
                program.generate_row();
            }
            program.end_sequence(if end > start { end - start } else { end });
        }
        dwarf.unit.line_program = program;
        let root = dwarf.unit.root();
        let ranges = [(10, 20), (30, 40), (0xffff_ffff, 0xffff_fffe)]
            .map(|(begin, end)| Range::StartEnd { begin: Address::Constant(begin), end: Address::Constant(end) });
        let ranges = dwarf.unit.ranges.add(RangeList(ranges.to_vec()));
        let entry = dwarf.unit.get_mut(root);
        entry.set(constants::DW_AT_ranges, AttributeValue::RangeListRef(ranges));
        entry.set(constants::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
        for (name, low, bytes) in [("first", 10, 10), ("second", 30, 10), ("dead", 0xffff_ffff, 4)] {
            let function = dwarf.unit.add(root, constants::DW_TAG_subprogram);
            let entry = dwarf.unit.get_mut(function);
            entry.set(constants::DW_AT_name, AttributeValue::String(name.into()));
            entry.set(constants::DW_AT_low_pc, AttributeValue::Address(Address::Constant(low)));
            entry.set(constants::DW_AT_high_pc, AttributeValue::Udata(bytes));
            let variable = dwarf.unit.add(function, constants::DW_TAG_variable);
            let mut place = gimli::write::Expression::new();
            place.op_addr(Address::Constant(64));
            dwarf.unit.get_mut(variable).set(constants::DW_AT_location, AttributeValue::Exprloc(place));
        }
        let mut sections = Sections::new(EndianVec::new(LittleEndian));
        dwarf.write(&mut sections).unwrap();
        let mut out = Vec::new();
        sections
            .for_each(|id, section| {
                out.push((id.name(), section.slice().to_vec()));
                Ok::<(), gimli::write::Error>(())
            })
            .unwrap();
        out
    }

    /// Returns the places of instructions, which have two bytes each, and three in the new code.
    fn moved(by: u64) -> Moved {
        let mut moved = Moved::default();
        for (start, new) in [(10, by + 100), (30, by + 140)] {
            moved.places.extend((0..5).map(|at| (start + 2 * at, new + 3 * at, true)));
            moved.places.push((start + 10, new + 15, false));
        }
        moved
    }

    type Rows = Vec<(u64, String, u64)>;
    type Functions = Vec<(String, u64, u64)>;

    /// Returns the rows of all units as address, file and line, and the ends of sequences without a file, then functions with
    /// their ranges and the ranges of the units.
    fn read(sections: &[(&'static str, Vec<u8>)]) -> (Rows, Functions, Vec<(u64, u64)>) {
        let dwarf = read::Dwarf::load(|id| {
            let found = sections.iter().find(|(name, _)| *name == id.name());
            Ok::<_, gimli::Error>(EndianSlice::new(found.map_or(&[][..], |(_, bytes)| bytes), LittleEndian))
        })
        .unwrap();
        let (mut lines, mut functions, mut all) = (Rows::new(), Functions::new(), Vec::new());
        let mut headers = dwarf.units();
        while let Some(header) = headers.next().unwrap() {
            let unit = dwarf.unit(header).unwrap();
            let mut rows = unit.line_program.clone().unwrap().rows();
            while let Some((header, row)) = rows.next_row().unwrap() {
                let file = match row.file(header) {
                    Some(file) if !row.end_sequence() => {
                        dwarf.attr_string(&unit, file.path_name()).unwrap().to_string_lossy().into_owned()
                    }
                    _ => String::new(),
                };
                lines.push((row.address(), file, row.line().map_or(0, |line| line.get())));
            }
            let mut ranges = dwarf.unit_ranges(&unit).unwrap();
            while let Some(range) = ranges.next().unwrap() {
                all.push((range.begin, range.end));
            }
            let mut entries = unit.entries();
            while let Some((_, entry)) = entries.next_dfs().unwrap() {
                assert!(entry.attr(constants::DW_AT_location).unwrap().is_none());
                if entry.tag() != constants::DW_TAG_subprogram {
                    continue;
                }
                let name = dwarf.attr_string(&unit, entry.attr_value(constants::DW_AT_name).unwrap().unwrap()).unwrap();
                let range = dwarf.die_ranges(&unit, entry).unwrap().next().unwrap();
                let range = range.map_or((0, 0), |range| (range.begin, range.end));
                functions.push((name.to_string_lossy().into_owned(), range.0, range.1));
            }
        }
        (lines, functions, all)
    }

    #[test]
    fn lines_functions_and_ranges_of_all_modules_follow_their_code_and_places_of_variables_are_left_out() {
        for version in [4, 5] {
            let old = old(version);
            let debug: Debug<'_> = old.iter().map(|(name, data)| (*name, &data[..])).collect();
            let row = |address, file: &str, line| (address, file.to_string(), line);
            let expected = |by: u64| {
                let first = [row(by + 100, "first.c", 5), row(by + 103, "second.c", 6), row(by + 109, "first.c", 7)];
                let ends = [row(by + 115, "", 7), row(by + 140, "second.c", 8), row(by + 155, "", 8)];
                first.into_iter().chain(ends)
            };
            let (lines, functions, ranges) = read(&sections(&[(&debug, &moved(0)), (&debug, &moved(1000))]));
            assert_eq!(lines, expected(0).chain(expected(1000)).collect::<Vec<_>>(), "version {version}");
            let function = |name: &str, low, high| (name.to_string(), low, high);
            let both = [0u64, 1000].map(|by| {
                [function("first", by + 100, by + 115), function("second", by + 140, by + 155), function("dead", 0, 0)]
            });
            assert_eq!(functions, both.concat());
            assert_eq!(ranges, [(100, 115), (140, 155), (1100, 1115), (1140, 1155)]);
        }
    }

    #[test]
    fn damaged_debug_information_is_no_reason_to_fail() {
        for version in [4, 5] {
            let old = old(version);
            for length in 0..old.iter().map(|(_, data)| data.len()).max().unwrap() {
                let cut: Debug<'_> = old.iter().map(|(name, data)| (*name, &data[..length.min(data.len())])).collect();
                sections(&[(&cut, &moved(0))]);
            }
            for (number, at) in (0..old.len()).flat_map(|number| (0..old[number].1.len()).map(move |at| (number, at))) {
                for flip in [1, 0x80, 0xff] {
                    let mut changed = old.clone();
                    changed[number].1[at] ^= flip;
                    let changed: Debug<'_> = changed.iter().map(|(name, data)| (*name, &data[..])).collect();
                    sections(&[(&changed, &moved(0))]);
                }
            }
        }
        assert!(sections(&[(&Vec::new(), &Moved::default())]).is_empty());
    }

    #[test]
    fn entries_that_are_nested_without_end_are_left_out() {
        // a kind of entry without attributes, within itself
        let kinds = [1, constants::DW_TAG_compile_unit.0 as u8, 1, 0, 0, 0];
        let levels = 200_000;
        let mut entries = (levels as u32 + 7).to_le_bytes().to_vec();
        entries.extend([4, 0, 0, 0, 0, 0, 4]);
        entries.resize(entries.len() + levels, 1);
        let debug: Debug<'_> = vec![(".debug_abbrev", &kinds[..]), (".debug_info", &entries[..])];
        assert!(sections(&[(&debug, &moved(0))]).is_empty());
    }

    #[test]
    fn an_address_between_functions_is_no_code() {
        let moved = moved(0);
        assert_eq!([10, 11, 20, 21, 29, 30, 40, 41].map(|old| moved.at(old)), {
            [Some(100), Some(100), Some(115), None, None, Some(140), Some(155), None]
        });
        assert_eq!(moved.at(0), None);
        assert_eq!(moved.range(10, 10), None);
        let mut moved = moved;
        moved.behind_count(128);
        assert_eq!(moved.at(10), Some(102));
    }
}
