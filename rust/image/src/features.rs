// SPDX-License-Identifier: Apache-2.0
//! Features that a runtime may be built without: proposals of WebAssembly that have ops of their own, and
//! floating point. Others (multi-value, extended constant expressions, custom page sizes, mutable globals)
//! are gone once a module is compiled, and nothing in a runtime could be left out for them.

pub use wisp_contract::feature::Feature;

use crate::ops::{op, Op, Sem, ALL, COUNT};

/// Returns the feature that an op is of.
const fn feature_of(sem: Sem) -> Option<Feature> {
    Some(match sem {
        Sem::MemoryFill
        | Sem::MemoryCopy
        | Sem::MemoryInit
        | Sem::DataDrop
        | Sem::TableCopy
        | Sem::TableInit
        | Sem::ElemDrop => Feature::BulkMemory,
        Sem::GlobalGetFunc | Sem::GlobalSetFunc | Sem::GlobalGetExtern | Sem::GlobalSetExtern => {
            Feature::ReferenceTypes
        }
        Sem::RefFunc | Sem::TableGet | Sem::TableSet | Sem::TableSize | Sem::TableGrow | Sem::TableFill => {
            Feature::ReferenceTypes
        }
        Sem::I32Extend8S | Sem::I32Extend16S | Sem::I64Extend8S | Sem::I64Extend16S | Sem::I64Extend32S => {
            Feature::SignExtension
        }
        Sem::ReturnCall | Sem::ReturnCallImport | Sem::ReturnCallIndirect => Feature::TailCall,
        // the order of `Sem`: from here to there
        sem if sem as u8 >= Sem::I32TruncSatF32S as u8 && sem as u8 <= Sem::I64TruncSatF64U as u8 => {
            Feature::SaturatingFloatToInt
        }
        sem if sem as u8 >= Sem::F32Add as u8 && sem as u8 <= Sem::F64PromoteF32 as u8 => Feature::Float,
        _ => return None,
    })
}

/// Returns the features of the op with this opcode, as a sum: 0 if there is no such op.
pub const fn needed(opcode: u16) -> u8 {
    match op(opcode) {
        Some(op) => needed_by(&op),
        None => 0,
    }
}

/// Returns the features of an op, as a sum, or those of all parts for a sequence.
const fn needed_by(op: &Op) -> u8 {
    let mut sum = match feature_of(op.sem) {
        Some(feature) if op.sequence.is_empty() => feature as u8,
        _ => 0,
    };
    let mut part = 0;
    while part < op.sequence.len() {
        if let Some(feature) = feature_of(op.sequence[part].sem) {
            sum |= feature as u8;
        }
        part += 1;
    }
    sum
}

/// [`needed`] of all ops.
pub(crate) static NEEDED: [u8; COUNT] = {
    let mut all = [0; COUNT];
    let mut opcode = 0;
    while opcode < COUNT {
        all[opcode] = needed_by(&ALL[opcode]);
        opcode += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ops_are_of_the_feature_that_their_names_say() {
        for opcode in 0..COUNT as u16 {
            let op = op(opcode).unwrap();
            if !op.sequence.is_empty() {
                continue;
            }
            let name = op.sem.name();
            let expected = if name.contains("trunc_sat") {
                Some(Feature::SaturatingFloatToInt)
            } else if name.contains("f32") || name.contains("f64") {
                Some(Feature::Float)
            } else if name.starts_with("return_call") {
                Some(Feature::TailCall)
            } else if name.ends_with("extend8_s") || name.ends_with("extend16_s") || name.ends_with("extend32_s") {
                Some(Feature::SignExtension)
            } else if [".copy", ".init", ".drop"].iter().any(|end| name.ends_with(end)) || name == "memory.fill" {
                Some(Feature::BulkMemory)
            } else if name.starts_with("table.")
                || name == "ref.func"
                || name.starts_with("global.") && (name.ends_with("_func") || name.ends_with("_extern"))
            {
                Some(Feature::ReferenceTypes)
            } else {
                None
            };
            assert_eq!(feature_of(op.sem), expected, "{name}");
            assert_eq!(needed(opcode), expected.map_or(0, |feature| feature as u8), "{name}");
        }
    }
}
