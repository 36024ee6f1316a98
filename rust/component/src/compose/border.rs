// SPDX-License-Identifier: Apache-2.0
//! The border between a part and the host, whose addresses are those of the whole memory.

use wasm_encoder::{BlockType, Function, Instruction};
use wisp_abi::Kind;

use super::confine;
use super::region::Region;

/// A range that the host may read or write, by indices of parameters.
#[derive(Clone, Copy)]
enum Length {
    Bytes(u32),
    Param(u32),
}

/// Returns a function that calls the host's function `host` with addresses of the whole memory, or `None` if the host
/// has no such function.
pub fn call(module: &str, name: &str, region: &Region, host: u32) -> Option<Function> {
    let params = wisp_abi::interface(module)?.function(name)?.params;
    let mut out = Function::new([]);
    let mut index = 0;
    let mut pushed = Vec::new();
    for param in params {
        let length = match param.kind {
            Kind::Bytes | Kind::Buffer => Some(Length::Param(index + 1)),
            Kind::OutU32 | Kind::OutI32 => Some(Length::Bytes(4)),
            Kind::OutU64 | Kind::OutI64 => Some(Length::Bytes(8)),
            Kind::OutRecord(bytes) => Some(Length::Bytes(bytes)),
            // the shims that call such a function have written to what lies there
            Kind::Address => Some(Length::Bytes(1)),
            Kind::U32 | Kind::U64 | Kind::I64 | Kind::Handle => None,
        };
        if let Some(length) = length {
            check(&mut out, region, index, length);
        }
        pushed.push((index, length.is_some()));
        if matches!(param.kind, Kind::Bytes | Kind::Buffer) {
            pushed.push((index + 1, false));
        }
        index = pushed.len() as u32;
    }
    for (param, address) in pushed {
        out.instruction(&Instruction::LocalGet(param));
        if address {
            out.instruction(&Instruction::I32Const(region.base as i32)).instruction(&Instruction::I32Add);
        }
    }
    out.instruction(&Instruction::Call(host)).instruction(&Instruction::End);
    Some(out)
}

/// Returns a function that makes an address of the whole memory from address and length of a range in a region.
pub fn absolute(region: &Region) -> Function {
    let mut out = Function::new([]);
    check(&mut out, region, 0, Length::Param(1));
    out.instruction(&Instruction::LocalGet(0));
    out.instruction(&Instruction::I32Const(region.base as i32)).instruction(&Instruction::I32Add);
    out.instruction(&Instruction::End);
    out
}

/// Returns a function that makes an address of a region from one of the whole memory.
pub fn local(region: &Region) -> Function {
    let mut out = Function::new([]);
    out.instruction(&Instruction::LocalGet(0));
    out.instruction(&Instruction::I32Const(region.base as i32)).instruction(&Instruction::I32Sub);
    out.instruction(&Instruction::End);
    out
}

/// Traps if a range is not within its region. An empty one is within every region.
fn check(out: &mut Function, region: &Region, at: u32, length: Length) {
    let size = Instruction::I32Const(region.size as i32);
    match length {
        Length::Bytes(bytes) => match region.size.checked_sub(bytes) {
            Some(last) => {
                out.instruction(&Instruction::LocalGet(at)).instruction(&Instruction::I32Const(last as i32));
                out.instruction(&Instruction::I32GtU);
            }
            // no address has room for a record that is larger than its region
            None => {
                out.instruction(&Instruction::I32Const(1));
            }
        },
        Length::Param(length) => {
            out.instruction(&Instruction::LocalGet(at));
            out.instruction(&size).instruction(&Instruction::I32GtU);
            out.instruction(&Instruction::LocalGet(length)).instruction(&size).instruction(&Instruction::LocalGet(at));
            out.instruction(&Instruction::I32Sub).instruction(&Instruction::I32GtU).instruction(&Instruction::I32Or);
            out.instruction(&Instruction::LocalGet(length)).instruction(&Instruction::I32Const(0));
            out.instruction(&Instruction::I32Ne).instruction(&Instruction::I32And);
        }
    }
    out.instruction(&Instruction::If(BlockType::Empty));
    confine::trap(out);
    out.instruction(&Instruction::End);
}
