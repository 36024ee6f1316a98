// SPDX-License-Identifier: Apache-2.0
//! Code and images by hand, for forms that the compiler may not choose.

use alloc::vec;
use alloc::vec::Vec;

use wisp_image::format::{entry, external, manifest, memory_flags, Section};
use wisp_image::ops::{opcode, sequence_opcode, Class, Op, Operand, Sem};
use wisp_image::writer::Writer;

/// A place in the code.
#[derive(Clone, Copy)]
pub struct Label(usize);

/// The code of a function.
pub struct Function {
    words: Vec<u16>,
    labels: Vec<Option<usize>>,
    /// Word to patch, start of its op, label, backward.
    patches: Vec<(usize, usize, usize, bool)>,
}

impl Function {
    /// Returns a function with a frame of this many bytes.
    pub fn new(frame: u16) -> Self {
        let mut function = Self { words: Vec::new(), labels: Vec::new(), patches: Vec::new() };
        function
            .op(&Op { class: Class::Special, sem: Sem::Enter, form: &[Operand::FrameSize], sequence: &[] }, &[frame]);
        function
    }

    /// Adds an op with the words of its operands.
    pub fn op(&mut self, op: &Op, words: &[u16]) {
        let parts: Option<Vec<u16>> = op.parts().map(|part| opcode(part.class, part.sem, part.form)).collect();
        let opcode = parts.and_then(|parts| match parts[..] {
            [single] => Some(single),
            _ => sequence_opcode(&parts),
        });
        self.words.push(opcode.unwrap_or_else(|| panic!("no {:?} {:?}", op.sem, op.form)) * 4);
        self.words.extend(words);
        assert_eq!(words.len() + 1, op.words(), "{:?} {:?}", op.sem, op.form);
    }

    /// Adds an op whose last operand is a branch of one word.
    pub fn branch(&mut self, op: &Op, words: &[u16], to: Label) {
        let start = self.words.len();
        let mut words = words.to_vec();
        words.push(0);
        self.op(op, &words);
        self.patches.push((self.words.len() - 1, start, to.0, op.form.last() == Some(&Operand::Back)));
    }

    /// Returns a label to bind later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Binds the label to this place.
    pub fn bind(&mut self, label: Label) {
        self.labels[label.0] = Some(self.words.len());
    }

    fn bytes(&self) -> Vec<u8> {
        let mut words = self.words.clone();
        for &(word, start, label, backward) in &self.patches {
            let target = self.labels[label].expect("the label is bound");
            let distance = if backward { start - target } else { target - start };
            words[word] = (distance * 2) as u16;
        }
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// Returns an image with one function `f` that takes and gives `slots` `i32`s, a memory of `memory` bytes and a global
/// `i32`.
pub fn assemble(function: &Function, slots: usize, memory: u32) -> Vec<u8> {
    let mut m = vec![0; manifest::SIZE];
    let mut put = |at: usize, value: u32| m[at..at + 4].copy_from_slice(&value.to_le_bytes());
    // pages of one byte
    put(manifest::MEMORY_FLAGS, memory_flags::DEFINED);
    put(manifest::MEMORY_MIN, memory);
    put(manifest::MEMORY_MAX, memory);
    put(manifest::MEMORY_BACKED, memory);
    put(manifest::GLOBALS_SIZE, 4);
    put(manifest::INIT, u32::MAX);
    let mut types = Vec::new();
    types.extend(1u32.to_le_bytes());
    types.extend(((4 + entry::TYPE) as u32).to_le_bytes());
    types.extend((slots as u16).to_le_bytes());
    types.extend((slots as u16).to_le_bytes());
    types.extend(core::iter::repeat_n(0x7f, 2 * slots));
    let mut global = vec![0; entry::GLOBAL];
    global[..2].copy_from_slice(&[0x7f, 1]);
    let mut strings = Vec::new();
    strings.extend(1u16.to_le_bytes());
    strings.extend(b"f");
    let mut exports = vec![0; entry::EXPORT];
    exports[4] = external::FUNCTION;
    let mut writer = Writer::new();
    writer.section(Section::Manifest, m);
    writer.section(Section::Types, types);
    writer.section(Section::Functions, vec![0; entry::FUNCTION]);
    writer.section(Section::Globals, global);
    writer.section(Section::Exports, exports);
    writer.section(Section::Strings, strings);
    writer.section(Section::Code, function.bytes());
    writer.finish()
}
