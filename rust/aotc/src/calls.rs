// SPDX-License-Identifier: Apache-2.0
//! The calls in linked code, from what the compiler tells debuggers: where each returns to, how large the frame around it
//! is, and the lines of C that it stands for ([`crate::emit::lines`]). A call about which anything is in doubt is left
//! out: the frames of a trap then end there.

use std::collections::BTreeMap;

use gimli::{
    AttributeValue, BaseAddresses, CfaRule, CieOrFde, DebugFrame, DebuggingInformationEntry, Dwarf, EndianSlice,
    LittleEndian, RegisterRule, SectionId, UnwindContext, UnwindSection,
};
use wisp_image::native::Arch;

use crate::elf;
use crate::error::AotError;
use crate::section::index_of;
use crate::target::Machine;

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a, 'u, 's> = DebuggingInformationEntry<'a, 'u, Slice<'s>>;
type Unit<'a> = gimli::Unit<Slice<'a>>;

/// A call.
pub struct Call {
    /// Address that it returns to.
    pub returns: u64,
    /// Words from the stack pointer to the end of the frame.
    pub frame: u32,
    /// Functions of the module and lines in them, the innermost first: the line of the call, and those of the calls that
    /// functions were inlined for. The last may be in a function that is none of the module's.
    pub lines: Vec<(Option<u32>, u32)>,
}

/// A thing that encloses a call in the compiler's description.
enum Scope {
    /// A function, or for a part of the file that is none of the module's, `None`.
    Function(Option<u32>),
    /// A function that was inlined for the call in a line.
    Inlined(Option<u32>, u32),
    /// Something within a function.
    Block,
}

/// Returns the numbers of the stack pointer and of the return address in DWARF.
fn registers(arch: Arch) -> (u16, u16) {
    match arch {
        Arch::Thumb => (13, 14),
        Arch::RiscV32 => (2, 1),
        Arch::X86_64 => (7, 16),
    }
}

/// Returns the calls in a linked file whose code begins at an address, in the order of their addresses.
///
/// # Errors
/// The compiler's description cannot be read.
pub fn read(bytes: &[u8], address: u64, machine: &Machine) -> Result<Vec<Call>, AotError> {
    let found = find(bytes, address, machine);
    let found = found.map_err(|_| AotError::internal("the compiler's description of calls cannot be read"))?;
    Ok(found.into_values().flatten().collect())
}

/// Returns the calls by where they return to. `None` stands for those about which something is in doubt.
fn find(bytes: &[u8], address: u64, machine: &Machine) -> gimli::Result<BTreeMap<u64, Option<Call>>> {
    let slice = |id: SectionId| EndianSlice::new(elf::section(bytes, id.name()).unwrap_or_default(), LittleEndian);
    let dwarf = Dwarf::load(|id| Ok::<_, gimli::Error>(slice(id)))?;
    let frames = Frames::new(slice(SectionId::DebugFrame), address, machine)?;
    let mut calls = BTreeMap::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let rows = rows(&unit, address)?;
        let mut scopes: Vec<Scope> = Vec::new();
        let (mut depth, mut entries) = (0isize, unit.entries());
        while let Some((step, entry)) = entries.next_dfs()? {
            depth += step;
            scopes.truncate(usize::try_from(depth).unwrap_or(0));
            if entry.tag() == gimli::DW_TAG_GNU_call_site {
                let Some(returns) = returns(entry)?.filter(|&returns| returns > address) else { continue };
                let line = line_at(&rows, returns - 1).zip(frames.size(returns - 1)?);
                let call = line.map(|(line, frame)| Call { returns, frame, lines: enclosing(&scopes, line) });
                let twice = calls.contains_key(&returns);
                calls.insert(returns, call.filter(|_| !twice));
            }
            scopes.push(scope(&dwarf, &unit, entry)?);
        }
    }
    Ok(calls)
}

/// Returns where a call returns to, or `None` for a jump that takes its caller's place.
fn returns(entry: &Entry<'_, '_, '_>) -> gimli::Result<Option<u64>> {
    if entry.attr(gimli::DW_AT_GNU_tail_call)?.is_some() {
        return Ok(None);
    }
    Ok(match entry.attr_value(gimli::DW_AT_low_pc)? {
        Some(AttributeValue::Addr(address)) => Some(address),
        _ => None,
    })
}

/// Returns what an entry of the compiler's description encloses.
fn scope(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<'_>, entry: &Entry<'_, '_, '_>) -> gimli::Result<Scope> {
    Ok(match entry.tag() {
        gimli::DW_TAG_subprogram => Scope::Function(function(dwarf, unit, entry)?),
        gimli::DW_TAG_inlined_subroutine => {
            let line = entry.attr_value(gimli::DW_AT_call_line)?.and_then(|line| line.udata_value()).unwrap_or(0);
            Scope::Inlined(function(dwarf, unit, entry)?, line as u32)
        }
        _ => Scope::Block,
    })
}

/// Returns the index of the module's function that an entry describes.
fn function(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<'_>, entry: &Entry<'_, '_, '_>) -> gimli::Result<Option<u32>> {
    let name = match entry.attr_value(gimli::DW_AT_name)? {
        None => match entry.attr_value(gimli::DW_AT_abstract_origin)? {
            Some(AttributeValue::UnitRef(origin)) => unit.entry(origin)?.attr_value(gimli::DW_AT_name)?,
            _ => None,
        },
        name => name,
    };
    let Some(name) = name else { return Ok(None) };
    let name = dwarf.attr_string(unit, name)?;
    Ok(index_of(&String::from_utf8_lossy(name.slice()), "fn"))
}

/// Returns the functions of the module around a line, each with the line in it, the innermost first.
fn enclosing(scopes: &[Scope], mut line: u32) -> Vec<(Option<u32>, u32)> {
    let mut lines = Vec::new();
    for scope in scopes.iter().rev() {
        match *scope {
            Scope::Block => {}
            Scope::Inlined(function, call) => {
                if function.is_some() {
                    lines.push((function, line));
                }
                line = call;
            }
            Scope::Function(function) => {
                lines.push((function, line));
                break;
            }
        }
    }
    lines
}

/// Returns the lines of a file of C: each from an address on, up to the next.
fn rows(unit: &Unit<'_>, address: u64) -> gimli::Result<Vec<(u64, u32)>> {
    let Some(program) = unit.line_program.clone() else { return Ok(Vec::new()) };
    let (mut out, mut sequence) = (Vec::new(), Vec::new());
    let mut rows = program.rows();
    while let Some((_, row)) = rows.next_row()? {
        let line = row.line().map_or(0, |line| line.get() as u32);
        sequence.push((row.address(), if row.end_sequence() { 0 } else { line }));
        if row.end_sequence() {
            // what the linker left out begins elsewhere
            out.append(&mut sequence);
            out.retain(|&(at, _)| at >= address);
        }
    }
    out.sort_by_key(|&(at, _)| at);
    Ok(out)
}

/// Returns the line at an address.
fn line_at(rows: &[(u64, u32)], address: u64) -> Option<u32> {
    let after = rows.partition_point(|&(at, _)| at <= address);
    rows.get(after.checked_sub(1)?).map(|&(_, line)| line).filter(|&line| line != 0)
}

/// The sizes of frames.
struct Frames<'a> {
    section: DebugFrame<Slice<'a>>,
    by_start: BTreeMap<u64, gimli::FrameDescriptionEntry<Slice<'a>>>,
    arch: Arch,
    word: i64,
}

impl<'a> Frames<'a> {
    fn new(bytes: Slice<'a>, address: u64, machine: &Machine) -> gimli::Result<Self> {
        let mut section = DebugFrame::from(bytes);
        section.set_address_size(machine.word() as u8);
        let (bases, mut by_start) = (BaseAddresses::default(), BTreeMap::new());
        let mut entries = section.entries(&bases);
        while let Some(entry) = entries.next()? {
            if let CieOrFde::Fde(partial) = entry {
                let entry = partial.parse(DebugFrame::cie_from_offset)?;
                if entry.initial_address() >= address {
                    by_start.insert(entry.initial_address(), entry);
                }
            }
        }
        Ok(Self { section, by_start, arch: machine.target.arch, word: machine.word() as i64 })
    }

    /// Returns the words of a function's frame at an address, whose last has the return address. `None` if that is not
    /// how the frame lies there.
    fn size(&self, address: u64) -> gimli::Result<Option<u32>> {
        let Some((_, entry)) = self.by_start.range(..=address).next_back() else { return Ok(None) };
        if !entry.contains(address) {
            return Ok(None);
        }
        let (stack, link) = registers(self.arch);
        let (bases, mut context) = (BaseAddresses::default(), UnwindContext::new());
        let row = entry.unwind_info_for_address(&self.section, &bases, &mut context, address)?;
        let size = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } if register.0 == stack => *offset,
            _ => return Ok(None),
        };
        let kept = row.register(gimli::Register(link)) == RegisterRule::Offset(-self.word);
        Ok((kept && size > 0 && size % self.word == 0).then_some((size / self.word) as u32))
    }
}
