// SPDX-License-Identifier: Apache-2.0
//! Images by hand: one with something of each kind, and functions that consist of one op and what it needs.

use wisp_image::format::{external, manifest, memory_flags, segment, Section, ValType};
use wisp_image::ops::{op, opcode, Class, Operand, Sem};
use wisp_image::verify::{scratch_words, verify, Rule};
use wisp_image::writer::Writer;
use wisp_image::{Image, ImageError};

/// Bytes of the frame.
pub const FRAME: u16 = 64;
/// Words of the op that writes the accumulator, in front of the op.
pub const ACC: usize = 3;

/// Types.
pub const NOTHING: u16 = 0;
pub const I32: u16 = 1;
pub const I64: u16 = 2;
pub const TWO: u16 = 3;
/// Parameters that no call frame holds.
pub const MANY: u16 = 4;
/// A table and a segment of host references.
pub const EXTERN_TABLE: u16 = 1;
pub const EXTERN_SEGMENT: u16 = 1;

/// Kinds of globals. Each occurs mutable and constant, defined and imported.
pub const NUMBER: usize = 0;
pub const WIDE: usize = 1;
pub const FUNC: usize = 2;
pub const EXTERN: usize = 3;
const KINDS: [ValType; 4] = [ValType::I32, ValType::I64, ValType::FuncRef, ValType::ExternRef];

/// Returns the byte offset of a defined global.
pub fn own(kind: usize, mutable: bool) -> u16 {
    let slots: usize = KINDS[..kind].iter().map(|ty| 2 * ty.slots()).sum();
    (4 * (slots + if mutable { 0 } else { KINDS[kind].slots() })) as u16
}

/// Returns the index of an imported global.
pub fn imported(kind: usize, mutable: bool) -> u16 {
    (2 * kind + usize::from(!mutable)) as u16
}

/// Returns the place of a global of 64 bits for an operand that names one of 32.
pub fn wide(operand: Operand) -> u16 {
    match operand {
        Operand::Global => own(WIDE, true),
        _ => imported(WIDE, true),
    }
}

/// Ops by themselves.
pub mod function {
    use super::*;

    fn special(sem: Sem, form: &[Operand]) -> u16 {
        opcode(Class::Special, sem, form).unwrap() * 4
    }
    pub fn constant() -> Vec<u16> {
        vec![special(Sem::Const, &[Operand::Dst, Operand::Imm16]), 16, 1]
    }
    pub fn mov64() -> Vec<u16> {
        vec![special(Sem::Mov64, &[Operand::Dst64, Operand::Slot64]), 16, 24]
    }
    pub fn mov_acc() -> Vec<u16> {
        vec![special(Sem::Mov, &[Operand::Dst, Operand::Acc]), 16]
    }
    pub fn enter() -> Vec<u16> {
        vec![special(Sem::Enter, &[Operand::FrameSize]), FRAME]
    }
    pub fn end(ty: u16) -> Vec<u16> {
        match ty {
            I32 => vec![special(Sem::Return32, &[Operand::Imm16]), 1],
            I64 => vec![special(Sem::Return64, &[Operand::Slot64]), 16],
            _ => vec![special(Sem::Return, &[])],
        }
    }
}

/// The sections of an image, to be changed.
pub struct Parts {
    pub manifest: Vec<u8>,
    pub types: Vec<u8>,
    pub imports: Vec<u8>,
    pub functions: Vec<u8>,
    pub globals: Vec<u8>,
    pub tables: Vec<u8>,
    pub exports: Vec<u8>,
    pub elements: Vec<u8>,
    pub items: Vec<u8>,
    pub data: Vec<u8>,
    pub bytes: Vec<u8>,
    pub strings: Vec<u8>,
    pub code: Vec<u8>,
    /// Changes the finished image.
    pub change: Option<fn(&mut Vec<u8>)>,
}

fn words(list: &[u32]) -> Vec<u8> {
    list.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn halves(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|word| word.to_le_bytes()).collect()
}

impl Parts {
    pub fn new() -> Self {
        let mut manifest = vec![0; manifest::SIZE];
        let mut put = |at: usize, value: u32| manifest[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(manifest::MEMORY_FLAGS, memory_flags::DEFINED);
        put(manifest::MEMORY_MIN, 64);
        put(manifest::MEMORY_MAX, 64);
        put(manifest::MEMORY_BACKED, 64);
        put(manifest::GLOBALS_SIZE, 4 * 2 * KINDS.iter().map(|ty| ty.slots() as u32).sum::<u32>());
        put(manifest::INIT, u32::MAX);
        manifest[manifest::NAME] = 1;
        manifest[manifest::NAME + 1] = b'a';
        // () -> (), () -> i32, () -> i64, () -> (i32, i32), 40 parameters -> ()
        let mut types = words(&[5]);
        let mut at = 44u32;
        for (params, results) in [(0u16, 0u16), (0, 1), (0, 1), (0, 2), (40, 0)] {
            types.extend(words(&[at]));
            types.extend(halves(&[params, results]));
            at += u32::from(params + results);
        }
        types.extend([0x7f, 0x7e, 0x7f, 0x7f]);
        types.extend([0x7f; 40]);
        let mut imports = Vec::new();
        let mut import = |kind: u8, ty: u8, half: u16| {
            imports.extend(words(&[0, 0]));
            imports.extend([kind, ty]);
            imports.extend(halves(&[half]));
            imports.extend(words(&[1, 1]));
        };
        import(external::FUNCTION, 0, NOTHING);
        import(external::TABLE, ValType::FuncRef as u8, 0);
        for ty in KINDS {
            import(external::GLOBAL, ty as u8, 1);
            import(external::GLOBAL, ty as u8, 0);
        }
        let (mut globals, mut offset) = (Vec::new(), 0u32);
        for ty in KINDS {
            for mutable in [1, 0] {
                globals.extend([ty as u8, mutable, 0, 0]);
                globals.extend(words(&[offset, 0, 0]));
                offset += 4 * ty.slots() as u32;
            }
        }
        let mut tables = vec![ValType::ExternRef as u8, 0, 0, 0];
        tables.extend(words(&[1, 2]));
        let mut exports = words(&[0]);
        exports.extend([external::FUNCTION, 0, 1, 0]);
        let mut elements = Vec::new();
        for (ty, first) in [(ValType::FuncRef, 0), (ValType::ExternRef, 2)] {
            elements.extend([segment::PASSIVE, ty as u8, 0, 0]);
            elements.extend(words(&[0, first, 2]));
        }
        // a function, an imported global; null, an imported global
        let items =
            words(&[1, 1 << 31 | u32::from(imported(FUNC, false)), 0, 1 << 31 | u32::from(imported(EXTERN, false))]);
        let code = [function::enter(), function::end(NOTHING)].concat();
        Self {
            manifest,
            types,
            imports,
            functions: words(&[0, 0]),
            globals,
            tables,
            exports,
            elements,
            items,
            data: words(&[u32::from(segment::ACTIVE), 0, 0, 2]),
            bytes: b"hi".to_vec(),
            strings: vec![1, 0, b'x'],
            code: halves(&code),
            change: None,
        }
    }

    pub fn image(self) -> Vec<u8> {
        let mut writer = Writer::new();
        for (kind, bytes) in [
            (Section::Manifest, self.manifest),
            (Section::Types, self.types),
            (Section::Imports, self.imports),
            (Section::Functions, self.functions),
            (Section::Globals, self.globals),
            (Section::Tables, self.tables),
            (Section::Exports, self.exports),
            (Section::Elements, self.elements),
            (Section::Items, self.items),
            (Section::Data, self.data),
            (Section::DataBytes, self.bytes),
            (Section::Strings, self.strings),
            (Section::Code, self.code),
        ] {
            writer.section(kind, bytes);
        }
        let mut image = writer.finish();
        if let Some(change) = self.change {
            change(&mut image);
        }
        image
    }

    pub fn verify(self) -> Result<(), ImageError> {
        let image = self.image();
        let image = Image::parse(&image)?;
        verify(&image, &mut vec![u32::MAX; scratch_words(&image)?])
    }
}

/// A function around one op.
#[derive(Clone)]
pub struct Sample {
    ty: u16,
    /// Words in front of the op, of the op, and behind it.
    before: Vec<u16>,
    op_code: Vec<u16>,
    after: Vec<u16>,
    /// Words of the code in front of the function.
    front: Vec<u16>,
    init: bool,
    /// Words of the op.
    pub op_words: usize,
    /// Words of the function in front of the op.
    pub op: usize,
    /// Bytes of the code in front of the op.
    pub start: usize,
}

impl Sample {
    pub fn new(number: u16) -> Self {
        let op = op(number).unwrap();
        let front = [function::enter(), function::end(NOTHING)].concat();
        let first = op.parts().next().unwrap();
        let before = match first.sem {
            Sem::Enter => vec![],
            _ => [function::enter(), function::constant()].concat(),
        };
        let mut length = op.words();
        if op.form.last() == Some(&Operand::Targets) {
            length += 2;
        }
        let start = 2 * (front.len() + before.len());
        let mut code = vec![number * 4];
        for part in op.parts() {
            let narrow = match part.sem {
                Sem::GlobalGetFunc | Sem::GlobalSetFunc => FUNC,
                Sem::GlobalGetExtern | Sem::GlobalSetExtern => EXTERN,
                _ => NUMBER,
            };
            for operand in part.form {
                use Operand::*;
                let ahead = (2 * length) as u16;
                match operand {
                    None | DstAcc | Acc => {}
                    Dst | Slot | DstFirst => code.push(16),
                    Dst64 | Slot64 => code.push(24),
                    Imm16 => code.push(1),
                    Imm32 => code.extend([1, 0]),
                    Imm64 => code.extend([1, 0, 0, 0]),
                    Offset => code.push(4),
                    Forward => code.push(ahead),
                    Back => code.push(2 * ACC as u16),
                    Far => code.extend([ahead, 0]),
                    Targets => code.extend([1, ahead, ahead]),
                    Frame => code.push(40),
                    Callee => code.push((-(start as i32) / 2) as u16),
                    CalleeFar => code.extend([-(start as i32) as u16, 0xffff]),
                    Import | Func | TableIndex | Element | Data => code.push(0),
                    Global => code.push(own(narrow, true)),
                    Global64 => code.push(own(WIDE, true)),
                    GlobalImport => code.push(imported(narrow, true)),
                    GlobalImport64 => code.push(imported(WIDE, true)),
                    Type => code.push(NOTHING),
                    FrameSize => code.push(FRAME),
                    Zero => code.extend([8, 2]),
                }
            }
        }
        let ty = match op.parts().last().unwrap().sem {
            Sem::Return32 => I32,
            Sem::Return64 => I64,
            _ => NOTHING,
        };
        assert_eq!(code.len(), length);
        let after = [function::constant(), function::end(ty)].concat();
        Self { ty, op: before.len(), before, op_code: code, after, front, init: false, op_words: length, start }
    }

    /// Returns the op with other words from this one on.
    pub fn with(&self, word: usize, words: &[u16]) -> Self {
        let mut changed = self.clone();
        changed.op_code[word..word + words.len()].copy_from_slice(words);
        changed
    }

    /// Returns the op with another one, of as many words, in front of it.
    pub fn with_before(&self, words: &[u16]) -> Self {
        let mut changed = self.clone();
        if let Some(first) = changed.before.len().checked_sub(ACC) {
            changed.before.splice(first.., words.iter().copied());
        }
        changed
    }

    /// Returns the op with a branch to it, in front of the op that writes the accumulator.
    pub fn branched(&self) -> Self {
        let mut changed = self.clone();
        let first = changed.before.len() - ACC;
        // a branch that may or may not be taken
        let word = opcode(Class::Br32, Sem::I32Ne, &[Operand::Slot, Operand::Imm16, Operand::Forward]).unwrap() * 4;
        let to = 2 * (4 + ACC) as u16;
        changed.before.splice(first..first, [word, 16, 0, to]);
        changed.moved(4)
    }

    /// Moves the op this many words further in the function. What it says of places before is moved, too.
    fn moved(mut self, words: usize) -> Self {
        let number = self.op_code[0] / 4;
        let mut at = 1;
        for part in op(number).unwrap().parts() {
            for operand in part.form {
                match operand {
                    Operand::Callee => self.op_code[at] = self.op_code[at].wrapping_sub(words as u16),
                    Operand::CalleeFar => self.op_code[at] = self.op_code[at].wrapping_sub(2 * words as u16),
                    _ => {}
                }
                at += operand.words();
            }
        }
        self
    }

    /// Returns the op with others behind it, before the rest.
    pub fn with_after(&self, words: &[u16]) -> Self {
        let mut changed = self.clone();
        changed.after.splice(0..0, words.iter().copied());
        // a branch goes beyond it
        for (place, word) in changed.op_code.iter_mut().enumerate() {
            if self.is_forward(place) {
                *word += 2 * words.len() as u16;
            }
        }
        changed
    }

    fn is_forward(&self, word: usize) -> bool {
        let mut at = 1;
        for part in op(self.op_code[0] / 4).unwrap().parts() {
            for operand in part.form {
                let far = matches!(operand, Operand::Forward | Operand::Far) && at == word;
                if far || *operand == Operand::Targets && (at + 1..at + 3).contains(&word) {
                    return true;
                }
                at += operand.words();
            }
        }
        false
    }

    /// Puts the code into a function of another type.
    pub fn of_type(&self, ty: u16) -> Self {
        let mut changed = self.clone();
        changed.ty = ty;
        changed.after = [function::constant(), function::end(ty)].concat();
        changed
    }

    /// Returns a build whose code ends after this many words of the op.
    pub fn cut(&self, words: usize) -> Self {
        let mut changed = self.clone();
        changed.op_code.truncate(words);
        changed.after.clear();
        changed
    }

    /// Returns a build whose function begins with the op.
    pub fn without_enter(&self) -> Self {
        let mut changed = self.clone();
        changed.before.clear();
        changed
    }

    /// Returns the op, which begins with `enter`, stands behind one.
    pub fn entered_twice(&self) -> Self {
        let mut changed = self.clone();
        changed.before = function::enter();
        changed
    }

    /// Puts the code into the init function.
    pub fn as_init(&self) -> Self {
        let mut changed = self.clone();
        changed.init = true;
        changed
    }

    /// Returns the rule that the code breaks.
    pub fn check(&self) -> Result<(), Rule> {
        let mut parts = Parts::new();
        parts.functions = words(&[0, 0, 2 * self.front.len() as u32, u32::from(self.ty)]);
        parts.code = halves(&[&self.front[..], &self.before, &self.op_code, &self.after].concat());
        if self.init {
            parts.manifest[manifest::INIT..manifest::INIT + 4].copy_from_slice(&1u32.to_le_bytes());
        }
        match parts.verify() {
            Ok(()) => Ok(()),
            Err(ImageError::Code(1, _, rule)) => Err(rule),
            Err(other) => panic!("no rule for code: {other:?}"),
        }
    }
}

/// Section, what is wrong with it, change.
pub type SectionCase = (&'static str, &'static str, fn(&mut Parts));

pub const SECTION_CASES: &[SectionCase] = &[
    ("header", "a section beyond the end", |p| p.change = Some(|image| image[16 + 8 + 3] = 1)),
    ("header", "a section twice", |p| p.change = Some(|image| image[16 + 12] = 1)),
    ("header", "a section that is not aligned", |p| p.change = Some(|image| image[16 + 4] += 4)),
    ("manifest", "a name that is no text", |p| p.manifest[manifest::NAME + 1] = 0xff),
    ("manifest", "a memory both defined and imported", |p| p.manifest[manifest::MEMORY_FLAGS] = 3),
    ("manifest", "an imported memory that is not among the imports", |p| p.manifest[manifest::MEMORY_FLAGS] = 2),
    ("manifest", "an init function that does not exist", |p| p.manifest[manifest::INIT..][..4].fill(9)),
    ("manifest", "an init function with a result", |p| {
        p.manifest[manifest::INIT..][..4].fill(0);
        p.functions[4] = I32 as u8;
    }),
    ("types", "a byte that is no value type", |p| *p.types.last_mut().unwrap() = 0x7b),
    ("types", "more types than the section holds", |p| p.types[..4].fill(0xff)),
    ("types", "parameters beyond the section", |p| p.types[8] = 0xff),
    ("imports", "a name beyond the strings", |p| p.imports[0] = 9),
    ("imports", "a name that is no text", |p| p.strings[2] = 0xff),
    ("imports", "a function type that does not exist", |p| p.imports[10] = 99),
    ("imports", "a table of numbers", |p| p.imports[20 + 9] = 0x7f),
    ("imports", "a kind that does not exist", |p| p.imports[8] = 4),
    ("imports", "a memory that the manifest does not state", |p| p.imports[8] = external::MEMORY),
    ("functions", "code that begins in the middle", |p| p.functions[0] = 2),
    ("functions", "a type that does not exist", |p| p.functions[4] = 99),
    ("functions", "code beyond the section", |p| p.functions.extend(words(&[99, 0]))),
    ("globals", "a gap", |p| p.globals[16 + 4] = 8),
    ("globals", "an overlap", |p| p.globals[16 + 4] = 0),
    ("globals", "less than the manifest states", |p| p.globals.truncate(16)),
    ("globals", "more than the manifest states", |p| p.manifest[manifest::GLOBALS_SIZE] = 4),
    ("globals", "a reference that begins as a number", |p| p.globals[4 * 16 + 8] = 1),
    ("globals", "a type that does not exist", |p| p.globals[0] = 0),
    ("tables", "numbers", |p| p.tables[0] = 0x7f),
    ("tables", "a maximum below the minimum", |p| p.tables[8] = 0),
    ("exports", "an index that does not exist", |p| p.exports[6] = 2),
    ("exports", "a kind that does not exist", |p| p.exports[4] = 4),
    ("exports", "a name beyond the strings", |p| p.exports[0] = 9),
    ("elements", "a mode that does not exist", |p| p.elements[0] = 3),
    ("elements", "numbers", |p| p.elements[1] = 0x7f),
    ("elements", "an active segment for a table that does not exist", |p| {
        p.elements[..3].copy_from_slice(&[0, 0x70, 9])
    }),
    ("elements", "an active segment for a table of another type", |p| p.elements[..3].copy_from_slice(&[0, 0x70, 1])),
    ("elements", "items beyond the section", |p| p.elements[12] = 9),
    ("items", "a function that does not exist", |p| p.items[0] = 3),
    ("items", "a global that does not exist", |p| p.items[4] = 99),
    ("items", "a global of numbers", |p| p.items[4] = imported(NUMBER, false) as u8),
    ("items", "a global of the other references", |p| p.items[4] = imported(EXTERN, false) as u8),
    ("items", "a function in a segment of host references", |p| p.items[8] = 1),
    ("data", "bytes beyond the section", |p| p.data[12] = 3),
    ("data", "a mode that does not exist", |p| p.data[0] = 2),
    ("data", "an active segment without a memory", |p| p.manifest[manifest::MEMORY_FLAGS] = 0),
    ("code", "a function that goes on behind its end", |p| p.code.truncate(4)),
];
