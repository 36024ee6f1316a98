// SPDX-License-Identifier: Apache-2.0
//! Rewrites code so that each access to a memory stays within the region of that memory.
//!
//! An access to the region that lies last needs no check of its own: the region's address is added to the offset, and the
//! sum of address and offset has 33 bits, so the access cannot reach what lies below. For every other region, the code
//! compares the address with the last one that is valid for this offset and width, and leads to a trap if it is above.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Function, Instruction, ValType};
use wasmparser::{FunctionBody, MemArg, MemArgTarget, Operator};
use wisp_image::format::MEMORY_END;

use super::region::Region;
use crate::Error;

/// Returns offset and width of an access to memory, and the type of a value that it stores, or `None` for others.
fn access(operator: &Operator<'_>) -> Option<(MemArg, u32, Option<ValType>)> {
    use Operator::*;
    let [i32, i64, f32, f64] = TYPES.map(Some);
    Some(match *operator {
        I32Load8S { memarg } | I32Load8U { memarg } | I64Load8S { memarg } | I64Load8U { memarg } => (memarg, 1, None),
        I32Load16S { memarg } | I32Load16U { memarg } | I64Load16S { memarg } | I64Load16U { memarg } => {
            (memarg, 2, None)
        }
        I32Load { memarg } | F32Load { memarg } | I64Load32S { memarg } | I64Load32U { memarg } => (memarg, 4, None),
        I64Load { memarg } | F64Load { memarg } => (memarg, 8, None),
        I32Store8 { memarg } => (memarg, 1, i32),
        I32Store16 { memarg } => (memarg, 2, i32),
        I32Store { memarg } => (memarg, 4, i32),
        I64Store8 { memarg } => (memarg, 1, i64),
        I64Store16 { memarg } => (memarg, 2, i64),
        I64Store32 { memarg } => (memarg, 4, i64),
        I64Store { memarg } => (memarg, 8, i64),
        F32Store { memarg } => (memarg, 4, f32),
        F64Store { memarg } => (memarg, 8, f64),
        _ => return None,
    })
}

/// Variables that rewritten code uses, by their indices.
struct Scratch {
    words: [u32; 3],
    values: [(ValType, u32); 4],
}

/// Rewrites the bodies of one module.
pub struct Confine<'r> {
    /// The regions of its memories.
    pub regions: &'r [Region],
}

impl Confine<'_> {
    /// Returns a body, and adds to `places` where each instruction was in the module and where it is in the new body.
    /// `results` is the type of a block with the function's results.
    ///
    /// # Errors
    /// An index without a new one, or an instruction for memory that is not known.
    pub fn body<M: Reencode>(
        &self,
        map: &mut M,
        params: usize,
        results: BlockType,
        body: &FunctionBody<'_>,
        places: &mut Vec<(u64, u64)>,
    ) -> Result<Function, Error>
    where
        Error: From<wasm_encoder::reencode::Error<M::Error>>,
    {
        let mut locals = Vec::new();
        let mut count = params as u32;
        for local in body.get_locals_reader()? {
            let (number, ty) = local?;
            count += number;
            locals.push((number, map.val_type(ty)?));
        }
        let need = self.need(body)?;
        if !need.any {
            let mut function = Function::new(locals);
            let mut reader = body.get_operators_reader()?;
            while !reader.eof() {
                places.push((reader.original_position(), function.byte_len() as u64));
                function.instruction(&map.instruction(reader.read()?)?);
            }
            return Ok(function);
        }
        let mut scratch = Scratch { words: [0; 3], values: [(ValType::I32, 0); 4] };
        for word in scratch.words.iter_mut().take(need.words) {
            *word = count;
            count += 1;
        }
        locals.push((need.words as u32, ValType::I32));
        for (value, ty) in scratch.values.iter_mut().zip(TYPES) {
            *value = (ty, count);
            if need.values.contains(&ty) {
                locals.push((1, ty));
                count += 1;
            }
        }
        let mut function = Function::new(locals);
        if need.traps {
            function.instruction(&Instruction::Block(BlockType::Empty)).instruction(&Instruction::Block(results));
        }
        let mut depth = 0;
        let mut asked = false;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            places.push((reader.original_position(), function.byte_len() as u64));
            let operator = reader.read()?;
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
                Operator::End if depth > 0 => depth -= 1,
                // the end of the function
                Operator::End if need.traps => {
                    function.instruction(&Instruction::End).instruction(&Instruction::Return);
                    function.instruction(&Instruction::End);
                    trap(&mut function);
                }
                _ => {}
            }
            let asks = matches!(operator, Operator::I32Const { value } if value as u32 == MEMORY_END);
            self.operator(map, &mut function, &scratch, operator, depth, asked)?;
            asked = asks;
        }
        Ok(function)
    }

    fn region(&self, memory: u32) -> Result<Region, Error> {
        self.regions.get(memory as usize).copied().ok_or_else(|| Error::dangling("memory"))
    }

    /// Finds out which variables a body needs.
    fn need(&self, body: &FunctionBody<'_>) -> Result<Need, Error> {
        let mut need = Need::default();
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            if let Some((memarg, width, value)) = access(&operator) {
                let region = self.region(memory_of(&memarg))?;
                need.any = true;
                if limit(&region, &memarg, width).is_none_or(|_| !region.last) {
                    need.traps = true;
                    need.words = need.words.max(1);
                    need.values.extend(value);
                }
            }
            match operator {
                Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. } => {
                    need.any = true;
                    need.traps = true;
                    need.words = 3;
                }
                Operator::MemoryGrow { .. } => {
                    need.any = true;
                    need.words = need.words.max(1);
                }
                Operator::MemorySize { .. } => need.any = true,
                _ => {}
            }
        }
        Ok(need)
    }

    fn operator<M: Reencode>(
        &self,
        map: &mut M,
        out: &mut Function,
        scratch: &Scratch,
        operator: Operator<'_>,
        depth: u32,
        asked: bool,
    ) -> Result<(), Error>
    where
        Error: From<wasm_encoder::reencode::Error<M::Error>>,
    {
        let [first, second, third] = scratch.words;
        // the block around the function's own
        let away = Instruction::BrIf(depth + 1);
        match operator {
            Operator::MemorySize { mem } => {
                let region = self.region(mem)?;
                match region.growth {
                    Some((_, global)) => out.instruction(&Instruction::GlobalGet(global)),
                    None => out.instruction(&Instruction::I32Const(region.pages as i32)),
                };
            }
            Operator::MemoryGrow { mem } => {
                let region = self.region(mem)?;
                out.instruction(&Instruction::LocalSet(first));
                match region.growth {
                    _ if region.adapted && asked => {
                        out.instruction(&Instruction::I32Const(region.size as i32));
                    }
                    Some((most, global)) => grow(out, first, most, global),
                    None => {
                        out.instruction(&Instruction::I32Const(region.pages as i32));
                        out.instruction(&Instruction::I32Const(-1));
                        out.instruction(&Instruction::LocalGet(first));
                        out.instruction(&Instruction::I32Eqz).instruction(&Instruction::Select);
                    }
                }
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let (to, from) = (self.region(dst_mem)?, self.region(src_mem)?);
                set(out, &[third, second, first]);
                range(out, &to, first, third, &away);
                range(out, &from, second, third, &away);
                moved(out, &to, first);
                moved(out, &from, second);
                out.instruction(&Instruction::LocalGet(third));
                out.instruction(&Instruction::MemoryCopy { src_mem: 0, dst_mem: 0 });
            }
            Operator::MemoryFill { mem } => {
                let region = self.region(mem)?;
                set(out, &[third, second, first]);
                range(out, &region, first, third, &away);
                moved(out, &region, first);
                out.instruction(&Instruction::LocalGet(second)).instruction(&Instruction::LocalGet(third));
                out.instruction(&Instruction::MemoryFill(0));
            }
            Operator::MemoryInit { data_index, mem } => {
                let region = self.region(mem)?;
                set(out, &[third, second, first]);
                range(out, &region, first, third, &away);
                moved(out, &region, first);
                out.instruction(&Instruction::LocalGet(second)).instruction(&Instruction::LocalGet(third));
                out.instruction(&Instruction::MemoryInit { mem: 0, data_index: map.data_index(data_index)? });
            }
            operator => match access(&operator) {
                Some((memarg, width, value)) => {
                    let region = self.region(memory_of(&memarg))?;
                    let fits = limit(&region, &memarg, width);
                    let value = value.map(|ty| scratch.values.iter().find(|found| found.0 == ty).map_or(0, |v| v.1));
                    if fits.is_none() || !region.last {
                        if let Some(value) = value {
                            out.instruction(&Instruction::LocalSet(value));
                        }
                        out.instruction(&Instruction::LocalTee(first));
                        match fits {
                            Some(limit) => {
                                out.instruction(&Instruction::I32Const(limit as i32));
                                out.instruction(&Instruction::I32GtU);
                            }
                            None => {
                                out.instruction(&Instruction::Drop).instruction(&Instruction::I32Const(1));
                            }
                        }
                        out.instruction(&away).instruction(&Instruction::LocalGet(first));
                        if let Some(value) = value {
                            out.instruction(&Instruction::LocalGet(value));
                        }
                    }
                    let offset = fits.map_or(0, |_| memarg.offset + u64::from(region.base));
                    let confined = MemArg { offset, target: MemArgTarget::Memory(0), ..memarg };
                    out.instruction(&map.instruction(with(operator, confined))?);
                }
                None => {
                    out.instruction(&map.instruction(operator)?);
                }
            },
        }
        Ok(())
    }
}

const TYPES: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];

#[derive(Default)]
struct Need {
    /// Something in the body changes.
    any: bool,
    /// Some access leads to a trap.
    traps: bool,
    words: usize,
    values: Vec<ValType>,
}

/// Returns the memory of an access. There are no arrays, which belong to garbage collection.
fn memory_of(memarg: &MemArg) -> u32 {
    match memarg.target {
        MemArgTarget::Memory(memory) => memory,
        MemArgTarget::Array(_) => u32::MAX,
    }
}

/// Returns the highest address with which an access stays within its region, or `None` if there is none.
fn limit(region: &Region, memarg: &MemArg, width: u32) -> Option<u32> {
    u64::from(region.size).checked_sub(memarg.offset.checked_add(u64::from(width))?).map(|limit| limit as u32)
}

/// Adds the trap of an access outside of memory: no memory has a byte at the last address.
pub fn trap(out: &mut Function) {
    out.instruction(&Instruction::I32Const(-1));
    let memarg =
        wasm_encoder::MemArg { offset: 0, align: 0, target: wasm_encoder::MemArgTarget::Memory(0), ordering: None };
    out.instruction(&Instruction::I32Load8U(memarg)).instruction(&Instruction::Unreachable);
}

fn set(out: &mut Function, locals: &[u32]) {
    for &local in locals {
        out.instruction(&Instruction::LocalSet(local));
    }
}

/// Checks that a range lies within a region.
fn range(out: &mut Function, region: &Region, at: u32, length: u32, away: &Instruction<'_>) {
    let size = Instruction::I32Const(region.size as i32);
    out.instruction(&Instruction::LocalGet(at)).instruction(&size).instruction(&Instruction::I32GtU).instruction(away);
    out.instruction(&Instruction::LocalGet(length)).instruction(&size).instruction(&Instruction::LocalGet(at));
    out.instruction(&Instruction::I32Sub).instruction(&Instruction::I32GtU).instruction(away);
}

/// Pushes an address of a region as one of the whole memory.
fn moved(out: &mut Function, region: &Region, at: u32) {
    out.instruction(&Instruction::LocalGet(at));
    if region.base != 0 {
        out.instruction(&Instruction::I32Const(region.base as i32)).instruction(&Instruction::I32Add);
    }
}

/// Grows a memory, whose pages a global counts, within its region.
fn grow(out: &mut Function, pages: u32, most: u32, global: u32) {
    out.instruction(&Instruction::LocalGet(pages)).instruction(&Instruction::I32Const(most as i32));
    out.instruction(&Instruction::GlobalGet(global)).instruction(&Instruction::I32Sub);
    out.instruction(&Instruction::I32GtU);
    out.instruction(&Instruction::If(BlockType::Result(ValType::I32))).instruction(&Instruction::I32Const(-1));
    out.instruction(&Instruction::Else).instruction(&Instruction::GlobalGet(global));
    out.instruction(&Instruction::LocalGet(pages)).instruction(&Instruction::GlobalGet(global));
    out.instruction(&Instruction::I32Add).instruction(&Instruction::GlobalSet(global));
    out.instruction(&Instruction::End);
}

/// Returns an access with another offset and memory.
fn with(operator: Operator<'_>, memarg: MemArg) -> Operator<'_> {
    use Operator::*;
    macro_rules! replace {
        ($($name:ident)*) => {
            match operator { $($name { .. } => $name { memarg },)* other => other }
        };
    }
    replace!(
        I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U I64Load8S I64Load8U I64Load16S
        I64Load16U I64Load32S I64Load32U I32Store I64Store F32Store F64Store I32Store8 I32Store16 I64Store8 I64Store16
        I64Store32
    )
}
