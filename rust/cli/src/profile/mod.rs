// SPDX-License-Identifier: Apache-2.0
//! `wisp run --profile`: counts every op of an app by function and chain of calls.
//!
//! The counts are exact: the engine shows each op before it runs. The unit is an op of the register IR; a sequence counts as
//! the ops that it joins. [`report`] makes texts of the counts, [`flame`] a picture. Those of a device are in [`samples`].

mod flame;
mod report;
pub mod samples;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use wisp_engine::{Observer, RawTrap, View};
use wisp_image::disassemble::{ops, Decoded};
use wisp_image::format::{external, Section};
use wisp_image::ops::Operand;
use wisp_image::{Image, ImageError, ImportKind};

pub use self::report::{Row, Unit};
use crate::failure::Failure;
use crate::input;
use crate::symbols::Symbols;

/// A function by its index in the module, imports included.
type Function = u32;

/// An op of the code, as far as it matters here.
#[derive(Clone, Copy, Default)]
struct Op {
    /// Ops that it stands for: more than one for a sequence.
    weight: u8,
    /// The function that begins here.
    begins: Option<Function>,
    /// The imported function that it calls.
    calls: Option<Function>,
}

/// A function in the chain of calls in which it was called.
#[derive(Default)]
struct Node {
    function: Function,
    children: BTreeMap<Function, usize>,
    /// Ops that it executed itself, or samples of it.
    ops: u64,
    calls: u64,
}

/// Bounds the chains of calls that are told apart. Each takes some 200 bytes.
const CHAINS: usize = 1 << 18;

/// Bounds the names in all chains of calls together, which the folded stacks spell out: some 100 MB.
const NAMES: usize = 1 << 22;

/// The counts so far.
struct Counts {
    /// The first stands for the host, which calls the others.
    nodes: Vec<Node>,
    /// Frames under way: their place in the frame stack, and their node.
    frames: Vec<(usize, usize)>,
    /// Bounds the nodes. Beyond them, a call is counted as if the host had made it.
    most: usize,
    /// Names in all chains together.
    names: usize,
}

/// Counts what an app executes.
pub struct Profiler {
    /// By word of the code.
    code: Vec<Op>,
    imported: u32,
    counts: RefCell<Counts>,
}

/// Returns the imported function that an op calls.
fn import_of(op: &Decoded<'_>) -> Option<Function> {
    let mut word = 1;
    for operand in op.op.parts().flat_map(|part| part.form.iter().copied()) {
        if operand == Operand::Import {
            let bytes = op.bytes.get(2 * word..2 * word + 2)?;
            return Some(u16::from_le_bytes([bytes[0], bytes[1]]).into());
        }
        word += operand.words();
    }
    None
}

impl Counts {
    /// Returns true if no more chains of calls are told apart.
    fn is_full(&self) -> bool {
        self.nodes.len() >= self.most || self.names >= NAMES
    }

    /// Returns the node for a call of this function by the node `parent`.
    fn child(&mut self, parent: usize, function: Function) -> usize {
        let next = self.nodes.len();
        if parent != 0 && self.is_full() && !self.nodes[parent].children.contains_key(&function) {
            return self.child(0, function);
        }
        let node = *self.nodes[parent].children.entry(function).or_insert(next);
        if node == next {
            self.nodes.push(Node { function, ..Node::default() });
            self.names += self.frames.len() + 1;
        }
        self.nodes[node].calls += 1;
        node
    }

    /// Returns the node that runs.
    fn top(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.1)
    }

    /// Counts an op of the frame with this place: the fewer bytes below it, the deeper.
    fn count(&mut self, op: Op, below: usize) {
        // a frame in the place of another, as after a tail call, is a new one
        let over = |frame: usize| frame < below || (frame == below && op.begins.is_some());
        while self.frames.last().is_some_and(|frame| over(frame.0)) {
            self.frames.pop();
        }
        if let Some(function) = op.begins {
            let node = self.child(self.top(), function);
            self.frames.push((below, node));
        }
        let top = self.top();
        self.nodes[top].ops += u64::from(op.weight);
        if let Some(function) = op.calls {
            self.child(top, function);
        }
    }
}

impl Profiler {
    /// Returns a profiler for instances of this image.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn new(image: &Image<'_>) -> Result<Self, ImageError> {
        let bytes = image.section(Section::Code);
        let imported = image.imports_of(external::FUNCTION) as u32;
        let mut code = vec![Op::default(); bytes.len() / 2];
        for op in ops(bytes, 0, bytes.len()) {
            let weight = op.op.parts().count() as u8;
            code[op.offset / 2] = Op { weight, begins: None, calls: import_of(&op) };
        }
        for index in 0..image.function_count() {
            let start = image.functions().get(index)?.code as usize;
            if let Some(op) = code.get_mut(start / 2) {
                op.begins = Some(imported + index as u32);
            }
        }
        let counts = Counts { nodes: vec![Node::default()], frames: Vec::new(), most: CHAINS, names: 0 };
        Ok(Self { code, imported, counts: counts.into() })
    }

    /// Returns true if there were too many chains of calls to tell them all apart.
    pub fn is_cut(&self) -> bool {
        self.counts.borrow().is_full()
    }

    /// Writes the files that the user asked for, and returns a row for each function that ran.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(&self, image: &Image<'_>, symbols: &Symbols, files: Vec<Output>) -> Result<Vec<Row>, Failure> {
        let counts = self.counts.borrow();
        let names = names(image, symbols);
        write(&counts, &names, Unit::Ops, files)?;
        Ok(report::rows(&counts, &names, self.imported, Unit::Ops))
    }
}

/// Returns the names of all functions, by index in the module.
fn names(image: &Image<'_>, symbols: &Symbols) -> Vec<String> {
    let imports = (0..image.import_count()).filter_map(|index| image.import(index).ok());
    let imports = imports.filter(|import| matches!(import.kind, ImportKind::Function(_)));
    let hosts: Vec<_> = imports.map(|import| format!("{}.{}", import.module.shown(), import.name.shown())).collect();
    let imported = hosts.len() as u32;
    let name = |index| symbols.name(index).map_or_else(|| format!("function {}", imported + index), Into::into);
    hosts.into_iter().chain((0..image.function_count() as u32).map(name)).collect()
}

/// Writes the files that the user asked for.
///
/// # Errors
/// A file cannot be written.
fn write(counts: &Counts, names: &[String], unit: Unit, files: Vec<Output>) -> Result<(), Failure> {
    for Output { name: file, mut sink } in files {
        let text = if is_picture(&file) { flame::svg(counts, names, unit) } else { report::folded(counts, names) };
        sink.write_all(text.as_bytes()).map_err(|error| unwritable(&file, &error))?;
    }
    Ok(())
}

impl Observer for Profiler {
    fn before(&self, view: &View<'_>) -> RawTrap {
        if let Some(&op) = self.code.get(view.offset() as usize / 2) {
            self.counts.borrow_mut().count(op, view.below());
        }
        RawTrap::NONE
    }

    fn trapped(&self, _: &View<'_>, _: RawTrap) {}
}

/// A file for the counts.
pub struct Output {
    name: String,
    sink: File,
}

fn unwritable(file: &str, error: &std::io::Error) -> Failure {
    Failure::in_file(Path::new(file), format_args!("cannot be written: {error}"))
}

/// Creates the files that `--profile` names, before the run whose counts they are for.
///
/// # Errors
/// A file cannot be created.
pub fn create(files: &[String]) -> Result<Vec<Output>, Failure> {
    let create = |file: &String| Ok(Output { name: file.clone(), sink: input::create(Path::new(file))? });
    files.iter().filter(|file| !file.is_empty()).map(create).collect()
}

fn is_picture(file: &str) -> bool {
    file.ends_with(".svg")
}

/// Returns what `--profile` takes as a file: nothing for the table alone.
pub fn file(text: &str) -> Result<String, String> {
    match text.is_empty() || is_picture(text) || text.ends_with(".folded") {
        true => Ok(text.into()),
        false => Err("expected a file ending in .svg for a flame graph or in .folded for stacks".into()),
    }
}

pub use self::report::table;
