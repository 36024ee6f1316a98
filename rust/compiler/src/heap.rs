// SPDX-License-Identifier: Apache-2.0
//! Modules whose allocator asks where memory ends.
//!
//! An allocator of wasi-libc, AssemblyScript or TinyGo takes all bytes from the end of the static data to the end of
//! memory, and knows that end as `memory.size << 16` or as an address that the linker wrote into the code. In
//! position-independent code, as that of wasi-libc for components, the address is in a global constant. It
//! touches the last bytes of its heap at once, so its memory can be trimmed only if it learns the true end.
//! [`adapt`] replaces these places, byte for byte in their length, by `memory.grow` with
//! [`format::MEMORY_END`]. In an image that is both trimmed and growing, the engine answers that call
//! with the number of bytes that exist.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{Operator, Parser, Payload, TypeRef};
use wisp_image::format;

/// Bytes of the single-byte constant and the `memory.grow` that ask for the end of memory.
const END: [u8; 4] = [0x41, (format::MEMORY_END & 0x7f) as u8, 0x40, 0x00];
const NOP: u8 = 0x01;
const EXTEND_U: u8 = 0xad;
/// Bytes of an `i32.const` or a `global.get` as linkers write an address: five for the number, whatever it is.
const PADDED: u64 = 6;
/// Operators behind a `memory.size` among which a variable that keeps it must be set again.
const NEAR: usize = 256;

/// A place to replace.
struct Place {
    range: Range<u64>,
    /// It yields an `i64`.
    wide: bool,
    /// It is an address that the linker wrote.
    linked: bool,
}

/// Uses that one function makes of memory.
#[derive(Default)]
struct Uses {
    places: Vec<Place>,
    /// Some `memory.size` is none of the known forms.
    counts_pages: bool,
    grows: bool,
}

/// Returns the module with each place replaced where its allocator asks for the end of memory. Returns `None` if there
/// is no such place, or if the module may read the size of its memory in other ways.
pub fn adapt(wasm: &[u8]) -> Option<Vec<u8>> {
    let mut end = None;
    let mut ends = Vec::new();
    let mut uses = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import.ok()?.ty {
                        TypeRef::Memory(_) => return None,
                        TypeRef::Global(_) => ends.push(false),
                        _ => {}
                    }
                }
            }
            Payload::MemorySection(memories) => {
                let memory = memories.into_iter().next()?.ok()?;
                if memory.page_size_log2.is_some_and(|log2| log2 != u32::from(format::PAGE_SIZE_LOG2)) {
                    return None;
                }
                end = u32::try_from(memory.initial << format::PAGE_SIZE_LOG2).ok();
            }
            Payload::GlobalSection(globals) => constants(globals, end, &mut ends)?,
            Payload::CodeSectionEntry(body) => uses.push(function(&body, end?, &ends)?),
            _ => {}
        }
    }
    // A function that grows memory compares sizes in pages, and goes by them only after it succeeded: then all of
    // the declared memory exists. Elsewhere a size in pages may become an address.
    let strange = uses.iter().any(|uses| uses.counts_pages && !uses.grows);
    // An address in the code is the end at the start only. With several growers it could be asked for later.
    let growers = uses.iter().filter(|uses| uses.grows).count();
    let late = growers > 1 && uses.iter().flat_map(|uses| &uses.places).any(|place| place.linked);
    let mut adapted = wasm.to_vec();
    let mut places = uses.iter().flat_map(|uses| &uses.places).peekable();
    if strange || late || places.peek().is_none() {
        return None;
    }
    for place in places {
        let range = usize::try_from(place.range.start).ok()?..usize::try_from(place.range.end).ok()?;
        let target = adapted.get_mut(range)?;
        target.fill(NOP);
        target.get_mut(..END.len())?.copy_from_slice(&END);
        if place.wide {
            *target.get_mut(END.len())? = EXTEND_U;
        }
    }
    Some(adapted)
}

/// Adds for each global that the module defines whether it is a constant with the address of the end of memory.
fn constants(globals: wasmparser::GlobalSectionReader<'_>, end: Option<u32>, ends: &mut Vec<bool>) -> Option<()> {
    for global in globals {
        let global = global.ok()?;
        let mut value = global.init_expr.get_operators_reader();
        let is_end = matches!(value.read().ok()?, Operator::I32Const { value } if Some(value as u32) == end)
            && matches!(value.read().ok()?, Operator::End);
        ends.push(is_end && !global.ty.mutable);
    }
    Some(())
}

/// An operator, with its first byte and the byte behind it.
type Placed<'a> = (Operator<'a>, u64, u64);

/// Returns the place that makes bytes of a number of pages, if the operator at `index` yields one that is shifted.
fn in_bytes(operators: &[Placed<'_>], index: usize) -> Option<Place> {
    let at = |behind: usize| operators.get(index + behind).map(|(operator, ..)| operator);
    let wide = match (at(1)?, at(2)?) {
        (Operator::I32Const { value: 16 }, Operator::I32Shl) => false,
        (Operator::I64ExtendI32S | Operator::I64ExtendI32U, Operator::I64Const { value: 16 }) => {
            matches!(at(3)?, Operator::I64Shl).then_some(true)?
        }
        _ => return None,
    };
    let ((_, start, _), (.., stop)) = (operators.get(index)?, operators.get(index + 2 + usize::from(wide))?);
    Some(Place { range: *start..*stop, wide, linked: false })
}

/// Returns the places that make bytes of the size that the operator at `index` yields. The size has to go to a local
/// variable that is used for nothing else until it is set again. `None` if the memory may have grown before such a
/// place, or if anything leads elsewhere. LLVM asks for a size once that a program asks for twice.
fn kept(operators: &[Placed<'_>], index: usize) -> Option<Vec<Place>> {
    let (Operator::LocalSet { local_index: variable }, ..) = operators.get(index + 1)? else { return None };
    let mut places = Vec::new();
    let mut grown = false;
    for at in (index + 2..).take(NEAR) {
        match &operators.get(at)?.0 {
            Operator::LocalGet { local_index } if local_index == variable && grown => return None,
            Operator::LocalGet { local_index } if local_index == variable => places.push(in_bytes(operators, at)?),
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } if local_index == variable => {
                return Some(places)
            }
            Operator::End if at + 1 == operators.len() => return Some(places),
            Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::MemoryGrow { .. } => grown = true,
            operator if !goes_on(operator) => return None,
            _ => {}
        }
    }
    None
}

/// Returns whether an operator leads to the next one and not elsewhere. Only those are known that stand where
/// allocators set themselves up.
fn goes_on(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::LocalGet { .. }
            | Operator::LocalSet { .. }
            | Operator::LocalTee { .. }
            | Operator::GlobalGet { .. }
            | Operator::GlobalSet { .. }
            | Operator::I32Const { .. }
            | Operator::I64Const { .. }
            | Operator::I32Load { .. }
            | Operator::I64Load { .. }
            | Operator::I32Store { .. }
            | Operator::I64Store { .. }
            | Operator::I32Add
            | Operator::I32Sub
            | Operator::I32And
            | Operator::I32Shl
            | Operator::I32ShrU
            | Operator::I64ExtendI32S
            | Operator::I64ExtendI32U
            | Operator::I64Shl
            | Operator::MemorySize { .. }
            | Operator::Drop
            // nothing leads to its beginning but what stands before it
            | Operator::Block { .. }
    )
}

/// Looks through a function. `end` is the declared end of memory, and `ends` has the globals with this address.
fn function(body: &wasmparser::FunctionBody<'_>, end: u32, ends: &[bool]) -> Option<Uses> {
    let mut uses = Uses::default();
    let mut reader = body.get_operators_reader().ok()?;
    let mut operators = Vec::new();
    while !reader.eof() {
        let (operator, start) = reader.read_with_offset().ok()?;
        operators.push((operator, start, reader.original_position()));
    }
    for (index, (operator, start, stop)) in operators.iter().enumerate() {
        match operator {
            Operator::MemoryGrow { .. } => uses.grows = true,
            Operator::I32Const { value } if *value as u32 == end && stop - start == PADDED => {
                uses.places.push(Place { range: *start..*stop, wide: false, linked: true });
            }
            Operator::GlobalGet { global_index }
                if ends.get(*global_index as usize) == Some(&true) && stop - start == PADDED =>
            {
                uses.places.push(Place { range: *start..*stop, wide: false, linked: true });
            }
            Operator::MemorySize { .. } => {
                match in_bytes(&operators, index).map(|place| vec![place]).or_else(|| kept(&operators, index)) {
                    Some(places) => uses.places.extend(places),
                    None => uses.counts_pages = true,
                }
            }
            _ => {}
        }
    }
    // `sbrk` answers with a break of whole pages once memory has grown, and it grows only where all of the declared
    // memory exists. Until then its break is the end of memory, from which wasi-libc knows its first heap.
    Some(uses)
}

#[cfg(test)]
mod tests {
    use super::{adapt, NEAR};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn adapted(functions: &str) -> Option<Vec<u8>> {
        let text = String::from("(module (memory 1) ") + functions + ")";
        let wasm = wat::parse_str(text).unwrap();
        let adapted = adapt(&wasm);
        if let Some(adapted) = &adapted {
            assert_eq!(adapted.len(), wasm.len());
            wasmparser::validate(adapted).unwrap();
        }
        adapted
    }

    fn count(wasm: &[u8], bytes: &[u8]) -> usize {
        wasm.windows(bytes.len()).filter(|window| *window == bytes).count()
    }

    const SIZE: &str = "(func (result i32) (i32.shl (memory.size) (i32.const 16)))";
    const WIDE: &str = "(func (result i64) (i64.shl (i64.extend_i32_s (memory.size)) (i64.const 16)))";
    const GROW: &str = "(func (param i32) (result i32) (memory.grow (local.get 0)))";

    #[test]
    fn the_end_of_memory_is_asked_for_where_an_allocator_asks_for_its_size_in_bytes() {
        assert_eq!(count(&adapted(SIZE).unwrap(), &[0x41, 0x40, 0x40, 0x00, 0x01, 0x0b]), 1);
        assert_eq!(count(&adapted(WIDE).unwrap(), &[0x41, 0x40, 0x40, 0x00, 0xad, 0x01, 0x0b]), 1);
        let both = String::from(SIZE) + GROW;
        assert_eq!(count(&adapted(&both).unwrap(), &[0x41, 0x40, 0x40, 0x00]), 1);
    }

    #[test]
    fn a_module_that_may_look_at_its_size_otherwise_stays_as_it_is() {
        assert_eq!(adapted(GROW), None);
        for other in [
            "(func (result i32) (memory.size))",
            "(func (result i32) (i32.mul (memory.size) (i32.const 65536)))",
            "(func (result i32) (i32.shl (memory.size) (i32.const 15)))",
            "(func (result i32) (i32.shr_u (memory.size) (i32.const 16)))",
            "(func (result i64) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 15)))",
        ] {
            let text = String::from(SIZE) + other;
            assert_eq!(adapted(&text), None, "{other}");
        }
    }

    #[test]
    fn a_size_that_a_variable_keeps_is_the_end_where_it_is_used_for_nothing_else() {
        let setup = |then: &str| {
            let text = format!("(func (param $p i32) (local $x i32) (local.set $x (memory.size)) {then})");
            adapted(&text).map(|wasm| count(&wasm, &[0x41, 0x40, 0x40, 0x00, 0x01]))
        };
        let end = "(i32.shl (local.get $x) (i32.const 16))";
        let store = format!("(i32.store (i32.const 64) {end})");
        assert_eq!(setup(&store), Some(1));
        // asked for once more, and the variable serves for something else behind
        let both = format!("(i32.store (i32.const 60) (i32.const 8)) {store} {store} (local.set $x (i32.const 0))");
        assert_eq!(setup(&format!("{both} (loop $l (br_if $l (local.get $x)))")), Some(2));
        assert_eq!(setup(&format!("{store} (call 0 (local.get $p))")), Some(1), "it is not used behind the call");
        assert_eq!(setup(&format!("{store} (block $b (local.set $x (i32.const 3)) (br $b))")), Some(1));
        for other in [
            format!("{store} (i32.store (i32.const 64) (local.get $x))"),
            format!("(loop $l {store} (local.set $x (i32.const 1)) (br $l))"),
            format!("(block $b {store}) (local.set $x (i32.const 1))"),
            format!("{store} (local.set $p (i32.mul (local.get $x) (i32.const 65536)))"),
            format!("(if (local.get $p) (then {store}))"),
            format!("{store} (loop $l (br_if $l (local.get $p)))"),
            format!("(drop (call 0)) {store}"),
        ] {
            let text = format!("{SIZE} (func (param $p i32) (local $x i32) (local.set $x (memory.size)) {other})");
            assert_eq!(adapted(&text), None, "{other}");
        }
        // too far away to be looked for
        let far = format!(
            "{SIZE} (func (local $x i32) (local.set $x (memory.size)) {} {store})",
            "(drop (i32.const 1))".repeat(NEAR / 2)
        );
        assert_eq!(adapted(&far), None);
        // growth between the question and its use
        let grown = format!(
            "{SIZE} (func (local $x i32) (local.set $x (memory.size)) (drop (memory.grow (i32.const 1))) {store})"
        );
        assert_eq!(count(&adapted(&grown).unwrap(), &[0x41, 0x40, 0x40, 0x00]), 1);
    }

    #[test]
    fn a_size_that_leaves_its_variable_in_pages_is_left_alone() {
        let wide = "(i64.shl (i64.extend_i32_u (local.get $x)) (i64.const 16))";
        let wide = format!("(func (result i64) (local $x i32) (local.set $x (memory.size)) {wide})");
        assert_eq!(count(&adapted(&wide).unwrap(), &[0x41, 0x40, 0x40, 0x00, 0xad, 0x01, 0x0b]), 1);
        let adapted = |then: &str| {
            let variables = "(local $x i32) (local $y i32) (local.set $x (memory.size))";
            adapted(&format!("(global $g (mut i32) (i32.const 0)) {SIZE} (func {variables} {then})"))
                .map(|wasm| count(&wasm, &[0x41, 0x40, 0x40, 0x00, 0x01]))
        };
        let bytes = |variable: &str| format!("(global.set $g (i32.shl (local.get {variable}) (i32.const 16)))");
        let (x, y) = (bytes("$x"), bytes("$y"));
        assert_eq!(adapted(&x), Some(2), "a global has the end");
        assert_eq!(adapted(&format!("(local.set $y (memory.size)) {x} {y}")), Some(3), "each variable keeps a size");
        for other in [
            format!("(global.set $g (local.get $x)) {x}"),
            format!("(local.set $y (local.get $x)) {x} {y}"),
            format!("{x} (global.set $g (i32.add (local.get $x) (i32.const 1)))"),
            format!("{x} (global.set $g (i32.sub (i32.const 16) (local.get $x)))"),
            "(global.set $g (i32.shl (i32.const 16) (local.get $x)))".into(),
            format!("(local.set $y (memory.size)) {x} (global.set $g (local.get $y))"),
        ] {
            assert_eq!(adapted(&other), None, "{other}");
        }
        // the result of a growth is a number of pages, too
        let compared = format!("(drop (i32.eq (memory.grow (i32.const 1)) (local.get $x))) {x}");
        assert_eq!(adapted(&compared), Some(1), "only the function before is adapted");
    }

    #[test]
    fn a_break_is_the_end_until_memory_grows_which_needs_all_of_it() {
        let sbrk = "(func (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.shl (memory.size) (i32.const 16)))))
            (i32.shl (memory.grow (i32.shr_u (local.get 0) (i32.const 16))) (i32.const 16)))";
        assert_eq!(count(&adapted(sbrk).unwrap(), &[0x41, 0x40, 0x40, 0x00]), 1);
        let text = String::from(SIZE) + sbrk;
        assert_eq!(count(&adapted(&text).unwrap(), &[0x41, 0x40, 0x40, 0x00]), 2);
    }

    #[test]
    fn an_end_in_64_bits_is_that_of_a_heap_even_where_memory_grows() {
        let text = "(func (param i32) (result i64)
            (drop (memory.grow (local.get 0)))
            (drop (i32.le_s (memory.size) (i32.const 0)))
            (i64.shl (i64.extend_i32_s (memory.size)) (i64.const 16)))";
        assert_eq!(count(&adapted(text).unwrap(), &[0x41, 0x40, 0x40, 0x00, 0xad, 0x01, 0x0b]), 1);
    }

    #[test]
    fn an_address_that_the_linker_wrote_is_the_end_and_a_number_of_the_program_is_not() {
        // only a linker writes a number in more bytes than it needs
        let text = "(module (memory 1) (func (result i32) i32.const 65536) (func (result i32) i32.const 65536))";
        let mut wasm = wat::parse_str(text).unwrap();
        let short = [0x41, 0x80, 0x80, 0x04, 0x0b];
        let at = wasm.windows(5).position(|window| window == short).unwrap();
        assert_eq!(adapt(&wasm), None);
        wasm.splice(at..at + 5, [0x41, 0x80, 0x80, 0x84, 0x80, 0x00, 0x0b]);
        let sizes = [at - 2, at - 4];
        // the body's size, and that of the section
        assert_eq!((wasm[sizes[0]], wasm[sizes[1]]), (6, 15));
        wasm[sizes[0]] += 2;
        wasm[sizes[1]] += 2;
        wasmparser::validate(&wasm).unwrap();
        let adapted = adapt(&wasm).unwrap();
        assert_eq!(count(&adapted, &[0x41, 0x40, 0x40, 0x00, 0x01, 0x01, 0x0b]), 1);
        assert_eq!(count(&adapted, &short), 1);
    }

    #[test]
    fn a_global_constant_that_the_linker_made_is_the_end_and_a_variable_or_a_sum_is_not() {
        let end = "(i32.const 65536)";
        let sum = "(i32.add (i32.const 65536) (i32.const 4))";
        for (global, value, replaced) in [("i32", end, true), ("(mut i32)", end, false), ("i32", sum, false)] {
            let text = format!("(module (memory 1) (global i32 (i32.const 8)) (global {global} {value}) (func (result i32) global.get 1))");
            let mut wasm = wat::parse_str(text).unwrap();
            let short = [0x23, 0x01, 0x0b];
            let at = wasm.windows(3).position(|window| window == short).unwrap();
            assert_eq!(adapt(&wasm), None);
            wasm.splice(at..at + 3, [0x23, 0x81, 0x80, 0x80, 0x80, 0x00, 0x0b]);
            // the body's size, and that of the section
            wasm[at - 2] += 4;
            wasm[at - 4] += 4;
            wasmparser::validate(&wasm).unwrap();
            let adapted = adapt(&wasm);
            assert_eq!(adapted.is_some(), replaced, "{global} {value}");
            if let Some(adapted) = adapted {
                assert_eq!(count(&adapted, &[0x41, 0x40, 0x40, 0x00, 0x01, 0x01, 0x0b]), 1);
            }
        }
    }

    #[test]
    fn other_pages_and_memories_of_others_are_left_alone() {
        let import =
            r#"(module (import "m" "m" (memory 1)) (func (result i32) (i32.shl (memory.size) (i32.const 16))))"#;
        assert_eq!(adapt(&wat::parse_str(import).unwrap()), None);
        let small = "(module (memory 9 (pagesize 1)) (func (result i32) (i32.shl (memory.size) (i32.const 16))))";
        assert_eq!(adapt(&wat::parse_str(small).unwrap()), None);
        assert_eq!(adapt(b"\0asm\x01\0\0\0\x05"), None);
    }
}
