// SPDX-License-Identifier: Apache-2.0
//! The regions of linear memory: each memory of a composed component becomes one, at an address that is fixed when the
//! component is built.

use wasmparser::{DataKind, ExternalKind, Operator};

use super::module::Module;
use crate::Error;

/// Bytes of a page, as a binary logarithm.
const PAGE: u32 = 16;
/// Regions begin and end at multiples of this, which suits every access and every stack.
const UNIT: u64 = 16;
/// Bytes of the region of a part without a memory: the 24 that shims borrow at address 0, in whole units.
const LENT: u32 = 32;
/// Bytes of heap that each part gets unless it is said how many.
const HEAP: u32 = 8192;
/// Bytes of an index or a number as linkers write an address, with its opcode.
const PADDED: u64 = 6;

/// A region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Address of the first byte.
    pub base: u32,
    /// Bytes.
    pub size: u32,
    /// Nothing lies behind the region, so an access beyond it traps on its own.
    pub last: bool,
    /// Pages that the memory has at the start.
    pub pages: u32,
    /// The largest number of pages, if the memory can grow, and the global that counts them.
    pub growth: Option<(u32, u32)>,
    /// The code asks for the end of memory as [`wisp_compiler::adapt`] describes.
    pub adapted: bool,
    /// Binary logarithm of the bytes of a page.
    pub page_log2: u32,
}

/// Returns the region for a part without a memory. Shims borrow its first bytes.
pub fn without_memory() -> Region {
    Region { base: 0, size: LENT, last: false, pages: 0, growth: None, adapted: false, page_log2: PAGE }
}

/// Returns how large the region of a module's memory is. Its address is not yet known, nor is its global.
///
/// # Errors
/// A memory that has 64-bit addresses, is shared or is larger than 4 GiB.
pub fn of(module: &Module<'_>, memory: u32, adapted: bool, heap: u32) -> Result<Region, Error> {
    let ty = module.memories.get(memory as usize).ok_or_else(|| Error::dangling("memory"))?;
    if ty.memory64 || ty.shared {
        return Err(Error::unsupported(
            "a part has a memory with addresses of 64 bits, or one that threads share; build it for wasm32 without threads",
        ));
    }
    let page_log2 = ty.page_size_log2.unwrap_or(PAGE);
    let declared = ty.initial << page_log2;
    let uses = Uses::of(module, declared)?;
    let heap = if heap == 0 { HEAP } else { heap };
    let mut growth = None;
    let base = heap_base(module)?.or_else(|| (adapted && uses.linked).then_some(uses.highest));
    let bytes = match base {
        _ if page_log2 != PAGE => declared,
        Some(base) if adapted || !(uses.grows || uses.asks) => {
            // an allocator does not look beyond what is declared
            let wanted = u64::from(base).max(data_end(module)?) + u64::from(heap);
            wanted.min(declared)
        }
        _ if uses.grows => {
            let more = u64::from(heap).div_ceil(1 << PAGE);
            let most = ty.maximum.unwrap_or(u64::MAX).min(ty.initial + more);
            growth = Some((most as u32, 0));
            most << PAGE
        }
        _ => declared,
    };
    let size = u32::try_from(bytes.next_multiple_of(UNIT))
        .map_err(|_| Error::unsupported(format!("a part has a memory of {bytes} bytes, expected less than 4 GiB")))?;
    Ok(Region { base: 0, size, last: false, pages: ty.initial as u32, growth, adapted, page_log2 })
}

/// The ways in which code uses the size of its memory.
#[derive(Default)]
struct Uses {
    grows: bool,
    asks: bool,
    /// The highest address that a linker wrote, other than that of the end of memory.
    highest: u32,
    /// A linker wrote that of the end of memory. Its code then also has the address at which the heap begins.
    linked: bool,
}

impl Uses {
    /// Looks through all functions and globals. `end` is the declared end of memory.
    fn of(module: &Module<'_>, end: u64) -> Result<Self, Error> {
        let mut uses = Self::default();
        let address = |uses: &mut Self, value: i32| {
            let value = value as u32;
            if u64::from(value) < end {
                uses.highest = value.max(uses.highest);
            }
            uses.linked |= u64::from(value) == end;
        };
        for global in module.globals.clone().into_iter().flatten() {
            if let Some(value) = constant(&global?.init_expr)? {
                address(&mut uses, value);
            }
        }
        for body in &module.bodies {
            let mut reader = body.get_operators_reader()?;
            while !reader.eof() {
                let (operator, start) = reader.read_with_offset()?;
                match operator {
                    Operator::MemoryGrow { .. } => uses.grows = true,
                    Operator::MemorySize { .. } => uses.asks = true,
                    Operator::I32Const { value } if reader.original_position() - start == PADDED => {
                        address(&mut uses, value);
                    }
                    _ => {}
                }
            }
        }
        Ok(uses)
    }
}

/// Returns the value of an expression that is one number.
pub fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<Option<i32>, Error> {
    let mut operators = expression.get_operators_reader();
    let Operator::I32Const { value } = operators.read()? else { return Ok(None) };
    Ok(matches!(operators.read()?, Operator::End).then_some(value))
}

/// Returns the address at which the heap begins, if the linker says so.
fn heap_base(module: &Module<'_>) -> Result<Option<u32>, Error> {
    let Some(&(ExternalKind::Global, index)) = module.exports.get("__heap_base") else { return Ok(None) };
    let imported = module.imports.iter().filter(|(.., ty)| matches!(ty, wasmparser::TypeRef::Global(_))).count();
    let Some(index) = (index as usize).checked_sub(imported) else { return Ok(None) };
    let Some(global) = module.globals.clone().into_iter().flatten().nth(index) else { return Ok(None) };
    let global = global?;
    let value = constant(&global.init_expr)?;
    Ok(value.filter(|&value| !global.ty.mutable && value != 0).map(|value| value as u32))
}

/// Returns the address behind the last segment of data.
fn data_end(module: &Module<'_>) -> Result<u64, Error> {
    let mut end = 0;
    for data in module.data.clone().into_iter().flatten() {
        let data = data?;
        if let DataKind::Active { offset_expr, .. } = &data.kind {
            let offset = constant(offset_expr)?.unwrap_or_default();
            end = end.max(u64::from(offset as u32) + data.data.len() as u64);
        }
    }
    Ok(end)
}

/// Gives the regions their addresses in this order.
///
/// # Errors
/// More than 4 GiB.
pub fn lay_out(regions: &mut [Region], order: &[usize]) -> Result<u32, Error> {
    let mut next = 0u32;
    for &at in order {
        let region = &mut regions[at];
        region.base = next;
        region.last = order.last() == Some(&at);
        next = next.checked_add(region.size).ok_or_else(|| {
            Error::unsupported(format!("its parts need more than 4 GiB of memory together; {SMALLER}"))
        })?;
    }
    Ok(next)
}

/// Says how a part gets by with less memory.
const SMALLER: &str = "link each with a small stack, for example with `-C link-arg=-zstack-size=4096`";

/// Makes the error for a segment that lies outside of its region.
pub fn outside(offset: u32, size: u32) -> Error {
    Error::unsupported(format!("a part has data at {offset}, outside of its memory of {size} bytes; build it again"))
}
