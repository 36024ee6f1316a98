// SPDX-License-Identifier: Apache-2.0
//! Why a module asks for as much memory as it does, and which linker flag cures it.

use wasmparser::{ConstExpr, ExternalKind, Operator, Parser, Payload};
use wisp_engine::{GuestStackOverflow, TrapCode};

/// Bytes of linear memory from which a build says why.
pub const LARGE: u32 = 64 << 10;

/// Bytes of a guest's own stack from which a build says how it is made smaller.
const LARGE_STACK: u64 = 16 << 10;

/// Remedy for a guest whose calls need more room for frames than it may have.
pub const FRAMES: &str =
    "the frames of its calls have no room left: unless it calls itself without end, give it more with \
                          --stack, on a device with frame-size";

/// Explains a trap that no function raised: the segments of a module are copied before any code runs.
pub fn segment(code: TrapCode) -> Option<&'static str> {
    match code {
        TrapCode::MemoryOutOfBounds | TrapCode::BeyondTrimmedMemory => {
            Some("a segment of data lies outside of the memory with which the module begins")
        }
        TrapCode::TableOutOfBounds => {
            Some("a segment of elements lies outside of the table with which the module begins")
        }
        _ => None,
    }
}

/// Bytes in use of a guest's own stack above which its stack pointer is taken for a wild one.
const WILD: u32 = 16 << 20;

/// Says how much of its own stack a guest had in use when it overflowed, and how each toolchain makes it larger.
pub fn overflow(GuestStackOverflow { size, used }: GuestStackOverflow) -> String {
    let known = (size..WILD).contains(&used);
    let needed = if known { used } else { size };
    // a function which calls no other uses some bytes below the stack pointer
    let larger = needed.saturating_add(256).checked_next_power_of_two().unwrap_or(needed).max(8 << 10);
    let of = if known { format!(" with {used} bytes in use") } else { String::new() };
    format!(
        "the guest's stack of {size} bytes overflowed{of}; link it with a larger one (clang: -Wl,-z,stack-size={larger}; \
         rustc: -C link-arg=-zstack-size={larger}; zig: --stack {larger}; TinyGo: stack size of the target; \
         AssemblyScript: --stackSize {larger}; wisp_add_app: STACK {larger})"
    )
}

/// Layout of a module's memory, as far as the module tells it. Fields are in bytes.
#[derive(Default, PartialEq, Eq, Debug)]
struct Layout {
    declared: u64,
    page_size: u64,
    stack_top: Option<u64>,
    /// Lowest address and end of the data segments.
    data: Option<(u64, u64)>,
    heap_base: bool,
    /// It cannot grow.
    fixed: bool,
    grows: bool,
    asks_for_size: bool,
    /// It has pages of one byte, and its allocator counts pages of 64 KiB.
    mixed: bool,
    /// Its allocator learns the end of memory at the start.
    adapted: bool,
    exported: bool,
}

fn constant(expr: &ConstExpr<'_>) -> Option<u64> {
    let mut operators = expr.get_operators_reader();
    match (operators.read(), operators.read()) {
        (Ok(Operator::I32Const { value }), Ok(Operator::End)) => Some(u64::from(value as u32)),
        _ => None,
    }
}

fn layout(wasm: &[u8]) -> Layout {
    let mut layout = Layout { adapted: wisp_compiler::adapt(wasm).is_some(), ..Layout::default() };
    let mut pointers = Vec::new();
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        match payload {
            Payload::MemorySection(memories) => {
                for memory in memories.into_iter().map_while(Result::ok) {
                    layout.page_size = 1 << memory.page_size_log2.unwrap_or(16);
                    layout.declared = memory.initial.saturating_mul(layout.page_size);
                    layout.fixed = memory.maximum == Some(memory.initial);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals.into_iter().map_while(Result::ok) {
                    let value = constant(&global.init_expr).filter(|_| global.ty.mutable);
                    pointers.push(value);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports.into_iter().map_while(Result::ok) {
                    layout.heap_base |= matches!(export.name, "__heap_base" | "__data_end");
                    layout.exported |= export.kind == ExternalKind::Memory;
                }
            }
            Payload::CodeSectionEntry(body) => {
                if let Ok(operators) = body.get_operators_reader() {
                    let operators = operators.into_iter().map_while(Result::ok);
                    let all: Vec<Operator<'_>> = operators.collect();
                    let has = |wanted: fn(&Operator<'_>) -> bool| all.iter().any(wanted);
                    let grows = has(|operator| matches!(operator, Operator::MemoryGrow { .. }));
                    let asks = has(|operator| matches!(operator, Operator::MemorySize { .. }));
                    let shifts = all.windows(2).any(|pair| {
                        matches!(pair, [Operator::I32Const { value: 16 }, Operator::I32Shl | Operator::I32ShrU])
                    });
                    layout.grows |= grows;
                    layout.asks_for_size |= asks;
                    layout.mixed |= shifts && (asks || grows) && layout.page_size == 1 && !layout.fixed;
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments.into_iter().map_while(Result::ok) {
                    let wasmparser::DataKind::Active { offset_expr, .. } = segment.kind else { continue };
                    let Some(start) = constant(&offset_expr) else { continue };
                    let end = start + segment.data.len() as u64;
                    let (low, high) = layout.data.unwrap_or((start, end));
                    layout.data = Some((low.min(start), high.max(end)));
                }
            }
            _ => {}
        }
    }
    // linkers put the stack pointer first; AssemblyScript has it behind others, which begin with zero
    let address = |&top: &u64| top > 0 && top % 16 == 0 && top <= layout.declared;
    let first = pointers.first().copied().flatten().filter(address);
    let highest = pointers.into_iter().flatten().filter(|&top| top % 8 == 0 && top <= layout.declared).max();
    let above = highest.filter(|&top| layout.adapted && layout.data.is_some_and(|(_, end)| end <= top));
    layout.stack_top = first.or(above);
    layout
}

impl Layout {
    /// Returns the bytes of the stack, if the layout is one that linkers make.
    fn stack(&self) -> Option<u64> {
        let top = self.stack_top?;
        match self.data {
            // stack first: it ends where the data begins
            Some((low, _)) if low >= top => Some(top),
            // data first: 1024 bytes are left free for null, then data, then stack
            Some((_, high)) if high <= top => Some(top - high),
            _ => Some(top),
        }
    }

    fn describe(&self) -> String {
        if self.declared == 0 {
            return String::new();
        }
        let mut text = format!("\n  the module declares {} bytes", self.declared);
        let stack = self.stack();
        if let Some(stack) = stack {
            text += &format!(", about {stack} of them stack");
        }
        if let Some((low, high)) = self.data {
            text += &format!(", {} data", high - low);
        }
        if stack.is_some_and(|stack| stack > LARGE_STACK) {
            text +=
                "\n  smaller stack: link with -zstack-size=2048 --stack-first (rustc: -C link-arg=-zstack-size=2048 \
                     -C link-arg=--stack-first; clang: -Wl,-zstack-size=2048,--stack-first; asc: --stackSize 2048)";
        }
        if self.adapted {
            text += "\n  its allocator takes all memory that the app is allowed";
        } else if self.grows {
            text += "\n  its allocator takes whole pages with memory.grow, whatever its stack: one with a heap of fixed size \
                     avoids that (Rust: the crate talc; doc/wasi.md)";
        } else if self.page_size > 1 && self.asks_for_size {
            text += "\n  its code asks for memory.size in pages, so that all of them must exist";
        } else if self.page_size > 1 {
            if self.heap_base {
                text += "\n  smaller pages: link with --page-size=1 (LLD 20 and later)";
            } else {
                text += "\n  link with --export=__heap_base, so that its memory can be trimmed, or with --page-size=1 \
                         (LLD 20 and later)";
            }
        }
        text
    }
}

/// Returns true if the module was linked with pages of one byte, but has an allocator that counts pages of 64 KiB.
pub fn mixes_page_sizes(wasm: &[u8]) -> bool {
    layout(wasm).mixed
}

/// Returns the bytes of a stack that takes most of what small boards have.
pub fn large_stack(wasm: &[u8]) -> Option<u64> {
    layout(wasm).stack().filter(|&stack| stack > LARGE_STACK)
}

/// Returns the lines to add to a message about a module's memory.
pub fn memory(wasm: &[u8]) -> String {
    layout(wasm).describe()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Layout {
        layout(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn a_stack_below_the_data_ends_at_its_top() {
        let layout =
            of("(module (memory 17) (global (mut i32) (i32.const 1048576)) (data (i32.const 1048576) \"abc\"))");
        assert_eq!(
            (layout.stack(), layout.data, layout.declared),
            (Some(1 << 20), Some((1 << 20, (1 << 20) + 3)), 17 << 16)
        );
        assert!(layout.describe().contains("-zstack-size"));
    }

    #[test]
    fn a_stack_above_the_data_begins_at_its_end() {
        let layout = of("(module (memory 2) (global (mut i32) (i32.const 66560)) (data (i32.const 1024) \"abcd\"))");
        assert_eq!(layout.stack(), Some(66560 - 1028));
    }

    #[test]
    fn a_global_that_is_no_address_of_the_memory_is_no_stack() {
        let seed = wat::parse_str("(module (memory 1) (global (mut i32) (i32.const 305419896)))").unwrap();
        assert_eq!(large_stack(&seed), None);
    }

    #[test]
    fn a_stack_behind_other_globals_is_that_of_assemblyscript() {
        let module = |top: u32| {
            let text = format!(
                "(module (memory 1) (global (mut i32) (i32.const 0)) (global i32 (i32.const 2288))
                (global (mut i32) (i32.const {top})) (data (i32.const 1036) \"abcd\")
                (func (export \"size\") (result i32) (i32.shl (memory.size) (i32.const 16))))"
            );
            wat::parse_str(text).unwrap()
        };
        assert_eq!(layout(&module(35080)).stack(), Some(35080 - 1040));
        assert_eq!(large_stack(&module(35080)), Some(35080 - 1040));
        assert!(layout(&module(35080)).describe().contains("asc: --stackSize 2048"));
        assert_eq!(large_stack(&module(4096)), None);
        // no address of the memory
        assert_eq!(layout(&module(1 << 20)).stack(), None);
        // all of the stack exists
        let compiled = wisp_compiler::compile(&module(35080), &wisp_compiler::Options::default()).unwrap();
        let image = wisp_image::Image::parse(&compiled.image).unwrap();
        assert_eq!(image.manifest().unwrap().memory.map(|memory| memory.backed), Some(35080));
    }

    #[test]
    fn an_allocator_of_large_pages_is_found_out_where_pages_have_one_byte() {
        let sbrk = "(func (param i32) (drop (memory.grow (i32.shr_u (local.get 0) (i32.const 16)))))";
        let mixed = |memory: &str| of(&format!("(module {memory} {sbrk})")).mixed;
        assert!(mixed("(memory 4096 (pagesize 1))"));
        assert!(!mixed("(memory 4096 4096 (pagesize 1))"), "what cannot grow keeps to what it has");
        assert!(!mixed("(memory 1)"));
        assert!(!of("(module (memory 9 (pagesize 1)) (func (drop (memory.grow (i32.const 1)))))").mixed);
    }

    #[test]
    fn the_advised_stack_holds_what_was_in_use() {
        let advice = |size, used| overflow(GuestStackOverflow { size, used });
        let in_use = advice(67136, 67152);
        assert!(in_use.starts_with("the guest's stack of 67136 bytes overflowed with 67152 bytes in use; link it"));
        assert!(in_use.contains("stack-size=131072") && in_use.contains("STACK 131072"));
        assert!(advice(4096, 100_064).contains("--stack 131072;"));
        assert!(advice(2048, 2064).contains("--stackSize 8192;"));
        // a function below its caller's stack pointer, and a stack pointer that is wild
        assert!(advice(8192, 8100).starts_with("the guest's stack of 8192 bytes overflowed; link it"));
        assert!(advice(8192, 8100).contains("--stack 16384;") && advice(8192, u32::MAX).contains("--stack 16384;"));
    }

    #[test]
    fn the_cure_fits_the_cause() {
        assert!(of("(module (memory 1))").describe().contains("--export=__heap_base"));
        let asks = of("(module (memory 1) (func (drop (memory.size))))");
        assert!(asks.describe().contains("asks for memory.size") && !asks.describe().contains("--page-size"));
        let grows = of("(module (memory 1) (func (drop (memory.grow (i32.const 1)))))");
        assert!(grows.describe().contains("memory.grow"));
        assert!(!grows.describe().contains("-zstack-size"));
        assert_eq!(of("(module)").describe(), "");
    }
}
