// SPDX-License-Identifier: Apache-2.0
//! How much stack the functions of an image need at most: frames of the interpreter, and the guest's own stack in
//! linear memory. Both are sums along the deepest chain of calls. What cannot be known is counted.

use std::collections::HashMap;

use serde::Serialize;
use wisp_image::disassemble::{ops, Decoded};
use wisp_image::format::Section;
use wisp_image::ops::{Op, Operand, Sem};
use wisp_image::{Image, ImageError};

/// The deepest chain of calls.
#[derive(Serialize, Default, PartialEq, Eq, Debug)]
pub struct Depth {
    /// Bytes of frames.
    pub frames: u32,
    /// Bytes of the guest's own stack, or null if the image does not say where that is.
    pub stack: Option<u32>,
    /// Bytes that the guest's own stack has, or null as above.
    pub stack_size: Option<u32>,
    /// Functions that call themselves, directly or through others: at most one round is counted.
    pub recursive: Vec<u32>,
    /// Number of calls through tables, whose callees are not counted.
    pub indirect_calls: u32,
    /// Number of functions that take a part of the guest's own stack that is not a constant.
    pub variable: u32,
}

/// The needs of one function.
#[derive(Default)]
struct Function {
    /// Bytes of its frame.
    frame: u32,
    /// Bytes of the guest's own stack that it takes.
    stack: u32,
    /// (bytes of this frame below that of the callee, callee)
    calls: Vec<(u32, usize)>,
}

/// A place that holds the stack pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Slot(u16),
    Accumulator,
}

/// Words of one op of a sequence.
struct Words<'a> {
    op: Op,
    bytes: &'a [u8],
}

impl Words<'_> {
    /// Returns the word of the first operand of one of these kinds.
    fn word(&self, kinds: &[Operand]) -> Option<u16> {
        let mut at = 0;
        for kind in self.op.form {
            if kinds.contains(kind) {
                return Some(u16::from_le_bytes(self.bytes.get(at..at + 2)?.try_into().ok()?));
            }
            at += 2 * kind.words();
        }
        None
    }

    /// Returns the two words of a far callee.
    fn far(&self) -> Option<i64> {
        let before = self.op.form.iter().take_while(|kind| **kind != Operand::CalleeFar);
        let at = before.map(|kind| 2 * kind.words()).sum::<usize>();
        let bytes = self.bytes.get(at..at + 4)?.try_into().ok()?;
        self.op.form.contains(&Operand::CalleeFar).then(|| i64::from(i32::from_le_bytes(bytes)))
    }

    /// Returns the offset of the callee from the op that calls.
    fn callee(&self) -> Option<i64> {
        self.word(&[Operand::Callee]).map(|word| 2 * i64::from(word as i16)).or_else(|| self.far())
    }

    /// Returns the place that it writes.
    fn result(&self) -> Option<Place> {
        let accumulator = self.op.form.contains(&Operand::DstAcc).then_some(Place::Accumulator);
        self.word(&[Operand::Dst, Operand::DstFirst]).map(Place::Slot).or(accumulator)
    }

    /// Returns the place that it reads first.
    fn source(&self) -> Option<Place> {
        let accumulator = self.op.form.contains(&Operand::Acc).then_some(Place::Accumulator);
        self.word(&[Operand::Slot, Operand::DstFirst]).map(Place::Slot).or(accumulator)
    }

    /// Returns the bytes that it takes off the stack pointer in this place.
    fn taken(&self, from: Option<Place>) -> Option<u32> {
        let immediate = i32::from(self.word(&[Operand::Imm16])? as i16);
        // the compiler subtracts a constant by adding its negative
        let takes = self.op.sem == Sem::I32Add && from.is_some() && self.source() == from;
        takes.then(|| u32::try_from(-immediate).ok()).flatten()
    }
}

/// Returns the ops of a sequence, one after the other.
fn parts<'a>(decoded: &Decoded<'a>) -> Vec<Words<'a>> {
    let mut at = 2;
    let mut out = Vec::new();
    for op in decoded.op.parts() {
        let length = 2 * op.form.iter().map(|kind| kind.words()).sum::<usize>();
        out.push(Words { op, bytes: decoded.bytes.get(at..).unwrap_or_default() });
        at += length;
    }
    out
}

/// Reads a function. `pointer` is the offset of the global that is the guest's stack pointer.
fn function(
    code: &[u8],
    range: (usize, usize),
    pointer: Option<u16>,
    starts: &HashMap<usize, usize>,
    depth: &mut Depth,
) -> Function {
    let mut function = Function::default();
    let (mut held, mut taken, mut sets) = (None, None, false);
    for decoded in ops(code, range.0, range.1) {
        for part in parts(&decoded) {
            let global = part.word(&[Operand::Global]).filter(|&global| Some(global) == pointer);
            match part.op.sem {
                Sem::Enter => function.frame = part.word(&[Operand::FrameSize]).unwrap_or_default().into(),
                Sem::Call | Sem::ReturnCall => {
                    let callee = part
                        .callee()
                        .and_then(|distance| starts.get(&usize::try_from(decoded.offset as i64 + distance).ok()?));
                    // the frame of a tail call takes the place of this one
                    let kept = part.op.sem == Sem::Call;
                    let below = part.word(&[Operand::Frame]).filter(|_| kept).unwrap_or_default();
                    function.calls.extend(callee.map(|&callee| (u32::from(below), callee)));
                }
                Sem::CallIndirect | Sem::ReturnCallIndirect => depth.indirect_calls += 1,
                Sem::GlobalGet if global.is_some() => held = part.result(),
                Sem::GlobalSet if global.is_some() => sets = true,
                _ => {
                    taken = taken.or_else(|| part.taken(held));
                    held = held.filter(|_| part.result() != held);
                }
            }
        }
    }
    function.stack = taken.unwrap_or_default();
    depth.variable += u32::from(sets && taken.is_none());
    function
}

/// Needs of each function with all that it calls, as (frames, stack), and the functions where a cycle closes.
fn sums(functions: &[Function]) -> (Vec<(u32, u32)>, Vec<u32>) {
    let mut known: Vec<Option<(u32, u32)>> = (0..functions.len()).map(|_| None).collect();
    let mut open = vec![false; functions.len()];
    let mut recursive = Vec::new();
    for start in 0..functions.len() {
        let mut path = vec![(start, 0)];
        while let Some((index, next)) = path.last_mut() {
            let (index, function) = (*index, &functions[*index]);
            open[index] = true;
            let Some(&(_, callee)) = function.calls.get(*next).filter(|_| known[index].is_none()) else {
                let of = |callee: usize| known[callee].unwrap_or_default();
                let frames = function.calls.iter().map(|&(below, callee)| below.saturating_add(of(callee).0)).max();
                let stack = function.calls.iter().map(|&(_, callee)| of(callee).1).max().unwrap_or_default();
                let sum = (function.frame.max(frames.unwrap_or_default()), function.stack.saturating_add(stack));
                known[index].get_or_insert(sum);
                open[index] = false;
                path.pop();
                continue;
            };
            *next += 1;
            if open[callee] {
                recursive.push(callee as u32);
            } else if known[callee].is_none() {
                path.push((callee, 0));
            }
        }
    }
    recursive.sort_unstable();
    recursive.dedup();
    (known.into_iter().map(Option::unwrap_or_default).collect(), recursive)
}

impl Depth {
    /// Looks through the IR of an image. Returns `None` if it has native code only.
    ///
    /// # Errors
    /// A function that cannot be read.
    pub fn of(image: &Image<'_>) -> Result<Option<Self>, ImageError> {
        if image.is_native_only() {
            return Ok(None);
        }
        let code = image.section(Section::Code);
        let starts = (0..image.function_count()).map(|index| Ok(image.function(index)?.code as usize));
        let starts = starts.collect::<Result<Vec<_>, ImageError>>()?;
        let index_of: HashMap<usize, usize> = starts.iter().enumerate().map(|(index, &start)| (start, index)).collect();
        let own = image.guest_stack();
        let pointer = own.as_ref().and_then(|own| u16::try_from(4 * own.global).ok());
        let mut depth = Self { stack_size: own.map(|own| own.size), ..Self::default() };
        let ends = starts.iter().skip(1).copied().chain([code.len()]);
        let functions: Vec<Function> = starts
            .iter()
            .zip(ends)
            .map(|(&start, end)| function(code, (start, end), pointer, &index_of, &mut depth))
            .collect();
        let (sums, recursive) = sums(&functions);
        let header = 4 * wisp_image::format::FRAME_HEADER_SLOTS as u32;
        depth.frames = sums.iter().map(|sum| sum.0.saturating_add(header)).max().unwrap_or_default();
        depth.stack = depth.stack_size.and(sums.iter().map(|sum| sum.1).max());
        depth.recursive = recursive;
        Ok(Some(depth))
    }

    /// Returns the needs for people to read, in one line or two.
    pub fn text(&self) -> String {
        let unknown = self.unknown();
        let least = if unknown.is_empty() { "" } else { "at least " };
        let mut text = format!("  deepest calls: {least}{} bytes of frames", self.frames);
        if let (Some(stack), Some(size)) = (self.stack, self.stack_size) {
            text += &format!(", {least}{stack} of the guest's own stack of {size}");
        }
        if !unknown.is_empty() {
            text += &format!("\n    not known: {}", unknown.join(", "));
        }
        text
    }

    fn unknown(&self) -> Vec<String> {
        /// Functions that are named.
        const NAMED: usize = 4;
        let mut out = Vec::new();
        if !self.recursive.is_empty() {
            let named: Vec<String> = self.recursive.iter().take(NAMED).map(u32::to_string).collect();
            let more = if self.recursive.len() > NAMED { " and others" } else { "" };
            out.push(format!("how deep functions {}{more} call themselves", named.join(", ")));
        }
        if self.indirect_calls > 0 {
            out.push(format!("what {} indirect calls reach", self.indirect_calls));
        }
        if self.variable > 0 {
            out.push(format!("stack of variable size in {} functions", self.variable));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(functions: &str) -> Depth {
        let text = format!(
            "(module (memory 1) (global $__stack_pointer (mut i32) (i32.const 2048))
            (data (i32.const 2048) \"x\") (type $t (func)) (table 1 funcref) (func $nop) {functions})"
        );
        let wasm = wat::parse_str(text).unwrap();
        let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap();
        Depth::of(&Image::parse(&compiled.image).unwrap()).unwrap().unwrap()
    }

    /// Returns a function that takes bytes of the stack and calls others.
    fn taking(name: &str, bytes: u32, calls: &str) -> String {
        let sp = "global.get $__stack_pointer";
        format!(
            "(func ${name} (local $sp i32) {sp} i32.const {bytes} i32.sub local.tee $sp global.set $__stack_pointer
            (i32.store (local.get $sp) (i32.const 1)) {calls}
            (global.set $__stack_pointer (i32.add (local.get $sp) (i32.const {bytes}))))"
        )
    }

    #[test]
    fn stacks_add_up_along_the_deepest_chain_of_calls() {
        let chain = taking("c", 64, "") + &taking("b", 400, "") + &taking("a", 32, "(call $b) (call $c)");
        let found = depth(&(chain + &taking("top", 16, "(call $c) (call $a)")));
        assert_eq!((found.stack, found.stack_size), (Some(16 + 32 + 400), Some(2048)));
        assert_eq!((found.recursive.len(), found.indirect_calls, found.variable), (0, 0, 0));
        assert!(found.text().ends_with("bytes of frames, 448 of the guest's own stack of 2048"), "{}", found.text());
    }

    #[test]
    fn frames_overlap_by_the_arguments() {
        // a frame of one has two slots at least; the callee's begins behind the header of two slots
        let one = depth("(func $a (call $nop))");
        let two = depth("(func $a (call $nop)) (func $b (call $a))");
        assert_eq!(two.frames - one.frames, one.frames - depth("").frames);
        assert!(one.frames > depth("").frames);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let found = depth(&taking("a", 48, "(call $a) (call_indirect (type $t) (i32.const 0))"));
        assert_eq!((found.stack, &found.recursive[..], found.indirect_calls), (Some(48), &[1][..], 1));
        let text = found.text();
        assert!(text.contains("at least 48 of the guest's own stack of 2048"), "{text}");
        assert!(
            text.ends_with("not known: how deep functions 1 call themselves, what 1 indirect calls reach"),
            "{text}"
        );
        let variable = "(func $v (param i32) (global.set $__stack_pointer
            (i32.sub (global.get $__stack_pointer) (local.get 0))))";
        assert_eq!(depth(variable).variable, 1);
    }

    #[test]
    fn a_counter_is_not_taken_for_the_stack_pointer() {
        let counting = depth(
            "(func $v (param i32) (global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (local.get 0)))
            (loop (br_if 0 (local.tee 0 (i32.add (local.get 0) (i32.const -1))))))",
        );
        assert_eq!((counting.variable, counting.stack), (1, Some(0)));
        let difference = "(func $d (result i32) (i32.sub (i32.const 1000) (global.get $__stack_pointer)))";
        assert_eq!(depth(difference).stack, Some(0));
    }

    #[test]
    fn the_frame_of_a_tail_call_takes_the_place_of_its_caller() {
        let last = "(func $last (param i32) (result i32) (local.get 0))";
        let called = depth(&format!("{last} (func (param i32) (result i32) (call $last (local.get 0)))"));
        let left = depth(&format!("{last} (func (param i32) (result i32) (return_call $last (local.get 0)))"));
        assert!(left.frames < called.frames, "{} {}", left.frames, called.frames);
    }

    #[test]
    fn a_leaf_need_not_write_the_stack_pointer() {
        let leaf = "(func $leaf (result i32) (local $sp i32)
            (local.set $sp (i32.sub (global.get $__stack_pointer) (i32.const 96)))
            (i32.store (local.get $sp) (i32.const 1)) (i32.load (local.get $sp)))";
        assert_eq!((depth(leaf).stack, depth(leaf).variable), (Some(96), 0));
    }
}
