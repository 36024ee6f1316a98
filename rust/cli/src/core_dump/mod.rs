// SPDX-License-Identifier: Apache-2.0
//! Core dumps: what is left of an app that trapped. [`mod@file`] reads and writes them as WebAssembly's tools do, and
//! [`show()`] prints them.

mod file;
mod show;
#[cfg(test)]
mod tests;

use std::path::Path;

use wisp_compiler::DebugMap;
use wisp_engine::{Store, Trap, TrapCode, ValType, Watched};
use wisp_host::core_dump::{self as raw, HEADER, MAGIC};
use wisp_image::format::external;
use wisp_image::ImageId;

pub use self::file::{is_core, read};
pub use self::show::show;
use crate::failure::Failure;
use crate::input;
use crate::symbols::Symbols;

/// A value in a dump: its bits as the type has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    pub ty: ValType,
    pub bits: u64,
}

/// A frame of the app that trapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub place: Watched,
    pub slots: Vec<u32>,
    /// Offset in the module of the operator that trapped, or of the call under way.
    pub wasm: Option<u32>,
    /// Locals of the function, as far as they are known.
    pub locals: Vec<Option<Value>>,
}

/// An app that trapped, as far as it was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dump {
    /// Path of the module or the image.
    pub name: String,
    pub id: ImageId,
    pub trap: Trap,
    /// Innermost first.
    pub frames: Vec<Frame>,
    /// There were more frames or slots.
    pub frames_cut: bool,
    pub globals: Vec<Value>,
    /// There were more globals.
    pub globals_cut: bool,
    /// Bytes of linear memory.
    pub memory: u32,
    /// Address and bytes of each piece of it that is not zero.
    pub pieces: Vec<(u32, Vec<u8>)>,
    /// Memory from this address on is not known.
    pub memory_cut: Option<u32>,
    /// Functions that the module imports. Needed to number its own.
    imported: u32,
}

/// Bytes from which numbers are read one after the other.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn word(&mut self) -> Option<u32> {
        self.take(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

fn val_type(byte: u8) -> Option<ValType> {
    [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::FuncRef, ValType::ExternRef]
        .into_iter()
        .find(|&ty| ty as u8 == byte)
}

/// Record of the tool's own: functions that the module imports (4), and the offset in the module of each frame (4).
const PLACES: u8 = b'W';
/// Stands for an offset that is not known.
const UNKNOWN: u32 = u32::MAX;

impl Dump {
    /// Reads what a runtime wrote.
    ///
    /// # Errors
    /// The bytes are no dump, or end within a record.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let header = bytes.get(MAGIC.len()..HEADER).filter(|_| bytes.starts_with(&MAGIC));
        let header = header.ok_or("this is no core dump; expected one that `wisp run --core` or a device wrote")?;
        let mut words = Reader(header);
        let mut word = || words.word().unwrap_or_default();
        let id = ImageId { wasm: word(), code: word() };
        let code = TrapCode::from_u32(word()).ok_or("the core dump has a trap of another version of Wisp")?;
        let trap = Trap { code, func: word(), offset: word() };
        let memory = word();
        let mut dump = Self {
            name: String::new(),
            id,
            trap,
            frames: Vec::new(),
            frames_cut: false,
            globals: Vec::new(),
            globals_cut: false,
            memory,
            pieces: Vec::new(),
            memory_cut: None,
            imported: 0,
        };
        let mut rest = Reader(&bytes[HEADER..]);
        let mut over = false;
        while !over {
            over = dump.record(&mut rest).ok_or("the core dump is cut short; read it again")?;
        }
        if dump.frames.is_empty() && trap.func != Trap::NOWHERE {
            dump.frames.push(Frame::bare(Watched { func: trap.func, offset: trap.offset, below: 0 }));
        }
        Ok(dump)
    }

    /// Reads a record. Returns true if it is the last.
    fn record(&mut self, rest: &mut Reader<'_>) -> Option<bool> {
        match rest.byte()? {
            raw::FRAME => {
                let place = Watched { func: rest.word()?, offset: rest.word()?, below: rest.word()? as usize };
                let count = rest.word()?;
                let slots = (0..count).map(|_| rest.word()).collect::<Option<Vec<_>>>()?;
                self.frames.push(Frame { slots, ..Frame::bare(place) });
            }
            raw::FRAMES_CUT => self.frames_cut = true,
            raw::GLOBAL => {
                let ty = val_type(rest.byte()?)?;
                let bits = u64::from(rest.word()?) | u64::from(rest.word()?) << 32;
                self.globals.push(Value { ty, bits });
            }
            raw::GLOBALS_CUT => self.globals_cut = true,
            raw::MEMORY => {
                let (address, length) = (rest.word()?, rest.word()?);
                self.pieces.push((address, rest.take(length as usize)?.to_vec()));
            }
            raw::MEMORY_CUT => self.memory_cut = Some(rest.word()?),
            PLACES => {
                self.imported = rest.word()?;
                for frame in &mut self.frames {
                    frame.wasm = Some(rest.word()?).filter(|&wasm| wasm != UNKNOWN);
                }
            }
            raw::END => return Some(true),
            _ => return None,
        }
        Some(false)
    }

    /// Returns the dump as a runtime writes it, without linear memory.
    fn records(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let words = |bytes: &mut Vec<u8>, words: &[u32]| words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        let Trap { code, func, offset } = self.trap;
        words(&mut bytes, &[self.id.wasm, self.id.code, code as u32, func, offset, self.memory]);
        for Frame { place, slots, .. } in &self.frames {
            bytes.push(raw::FRAME);
            words(&mut bytes, &[place.func, place.offset, place.below as u32, slots.len() as u32]);
            words(&mut bytes, slots);
        }
        bytes.extend(self.frames_cut.then_some(raw::FRAMES_CUT));
        for global in &self.globals {
            bytes.extend([raw::GLOBAL, global.ty as u8]);
            bytes.extend(global.bits.to_le_bytes());
        }
        bytes.extend(self.globals_cut.then_some(raw::GLOBALS_CUT));
        if let Some(cut) = self.memory_cut {
            bytes.push(raw::MEMORY_CUT);
            words(&mut bytes, &[cut]);
        }
        bytes.push(PLACES);
        words(&mut bytes, &[self.imported]);
        self.frames.iter().for_each(|frame| words(&mut bytes, &[frame.wasm.unwrap_or(UNKNOWN)]));
        bytes.push(raw::END);
        bytes
    }

    /// Finds the place of each frame in the module by the compiler's source map, and the locals by its map for a debugger.
    pub fn resolve(&mut self, places: &[(u32, u32)], map: Option<&DebugMap>, imported: u32) {
        self.imported = imported;
        for (depth, frame) in self.frames.iter_mut().enumerate() {
            let code = called_from(depth, frame.place.offset);
            let behind = places.partition_point(|&(at, _)| at <= code);
            frame.wasm = behind.checked_sub(1).and_then(|at| places.get(at)).map(|&(_, wasm)| wasm);
            let function = map.and_then(|map| map.functions.get(frame.place.func as usize));
            let locals = function.map(|function| function.locals.as_slice()).unwrap_or_default();
            frame.locals = locals.iter().map(|&(slot, ty)| frame.value(slot, ty)).collect();
        }
    }

    /// Returns names and lines for the frames, from the module that the image was made from. `None` if it is another module,
    /// or the places of the frames in it are not known.
    pub fn symbols(&self, wasm: &[u8]) -> Option<Symbols> {
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(wasm);
        if self.id.wasm.to_be_bytes() != hash[..4] || self.frames.iter().any(|frame| frame.wasm.is_none()) {
            return None;
        }
        let place = |(depth, frame): (usize, &Frame)| Some((called_from(depth, frame.place.offset), frame.wasm?));
        let places = self.frames.iter().enumerate().filter_map(place);
        Some(Symbols::of_places(wasm, places.collect(), self.imported))
    }

    /// Returns a sentence that says what there was no room for, or `None` if the dump is whole.
    pub fn lacks(&self) -> Option<String> {
        let frames = self.frames_cut.then(|| "frames or locals".to_owned());
        let globals = self.globals_cut.then(|| "globals".to_owned());
        let memory = self.memory_cut.map(|cut| format!("linear memory from {cut:#x} on"));
        let lacks: Vec<String> = [frames, globals, memory].into_iter().flatten().collect();
        let list = lacks.join(", ");
        (!lacks.is_empty()).then(|| format!("the core dump is not whole: it lacks {list}"))
    }

    /// Copies bytes of linear memory. Returns as many as are known from this address on.
    pub fn read(&self, address: u32, length: usize) -> Vec<u8> {
        let end = self.memory_cut.unwrap_or(self.memory).min(self.memory) as usize;
        let from = (address as usize).min(end);
        let mut bytes = vec![0; length.min(end - from)];
        for (at, piece) in &self.pieces {
            let at = *at as usize;
            for (index, byte) in piece.iter().enumerate() {
                if let Some(place) = (at + index).checked_sub(from).and_then(|place| bytes.get_mut(place)) {
                    *place = *byte;
                }
            }
        }
        bytes
    }
}

/// Returns the code offset by which the place of a frame is looked up: where a caller goes on, its call is the op before.
fn called_from(depth: usize, offset: u32) -> u32 {
    if depth == 0 {
        offset
    } else {
        offset.saturating_sub(1)
    }
}

impl Frame {
    fn bare(place: Watched) -> Self {
        Self { place, slots: Vec::new(), wasm: None, locals: Vec::new() }
    }

    fn value(&self, slot: u32, ty: ValType) -> Option<Value> {
        let get = |slot: u32| self.slots.get(slot as usize).copied().map(u64::from);
        let low = get(slot)?;
        let high = if ty.slots() == 2 { get(slot + 1)? } else { 0 };
        Some(Value { ty, bits: low | high << 32 })
    }
}

/// A module, and what its compilation told.
pub struct Source {
    pub wasm: Vec<u8>,
    /// Pairs of code offset and offset in the module.
    pub places: Vec<(u32, u32)>,
    pub map: Option<DebugMap>,
}

/// Bytes of a core dump beside linear memory.
const CORE_ROOM: usize = 1 << 20;

/// Writes the core dump of an app that trapped.
pub fn write<T>(
    file: &Path,
    path: &Path,
    store: &Store<'_, T>,
    trap: Trap,
    source: Option<&Source>,
) -> Result<(), Failure> {
    let Some(view) = store.post_mortem() else { return Ok(()) };
    let imported = view.image().imports_of(external::FUNCTION) as u32;
    // the worst memory has a piece for each byte that is not zero
    let mut bytes = vec![0; CORE_ROOM + 2 * view.memory_size()];
    let length = raw::write(store, trap, &mut bytes);
    let mut dump = Dump::parse(&bytes[..length]).map_err(|error| Failure::internal(file, error))?;
    dump.name = std::path::absolute(path).unwrap_or_else(|_| path.into()).display().to_string();
    if let Some(source) = source {
        dump.resolve(&source.places, source.map.as_ref(), imported);
    }
    input::write(file, &dump.file(source.map(|source| source.wasm.as_slice())))
}
