// SPDX-License-Identifier: Apache-2.0
//! Features that a runtime may be built without: proposals of WebAssembly that have ops of their own, and
//! floating point. Others (multi-value, extended constant expressions, custom page sizes, mutable globals)
//! are gone once a module is compiled, and nothing in a runtime could be left out for them.

use crate::ops::{op, Sem, COUNT};

/// A feature with ops of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Feature {
    /// `memory.fill`, `memory.copy`, `memory.init`, `data.drop`, `table.copy`, `table.init`, `elem.drop`.
    BulkMemory = 1,
    /// `ref.func`, `table.get`, `table.set`, `table.size`, `table.grow`, `table.fill`, `global.get` and `global.set` of
    /// references.
    ReferenceTypes = 2,
    /// `extend8_s`, `extend16_s`, `extend32_s`.
    SignExtension = 4,
    /// `trunc_sat`.
    SaturatingFloatToInt = 8,
    /// `return_call`, `return_call_indirect`.
    TailCall = 16,
    /// All operations on floats; to load, store, move and pass them on takes none of these.
    Float = 32,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BulkMemory,
        Self::ReferenceTypes,
        Self::SignExtension,
        Self::SaturatingFloatToInt,
        Self::TailCall,
        Self::Float,
    ];

    /// Its name, as the Cargo feature of the engine has it; in Kconfig in capitals after `WISP_`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BulkMemory => "bulk-memory",
            Self::ReferenceTypes => "reference-types",
            Self::SignExtension => "sign-extension",
            Self::SaturatingFloatToInt => "saturating-float-to-int",
            Self::TailCall => "tail-call",
            Self::Float => "float",
        }
    }

    /// The feature that an op is of.
    pub const fn of(sem: Sem) -> Option<Self> {
        Some(match sem {
            Sem::MemoryFill
            | Sem::MemoryCopy
            | Sem::MemoryInit
            | Sem::DataDrop
            | Sem::TableCopy
            | Sem::TableInit
            | Sem::ElemDrop => Self::BulkMemory,
            Sem::GlobalGetFunc | Sem::GlobalSetFunc | Sem::GlobalGetExtern | Sem::GlobalSetExtern => {
                Self::ReferenceTypes
            }
            Sem::RefFunc | Sem::TableGet | Sem::TableSet | Sem::TableSize | Sem::TableGrow | Sem::TableFill => {
                Self::ReferenceTypes
            }
            Sem::I32Extend8S | Sem::I32Extend16S | Sem::I64Extend8S | Sem::I64Extend16S | Sem::I64Extend32S => {
                Self::SignExtension
            }
            Sem::ReturnCall | Sem::ReturnCallImport | Sem::ReturnCallIndirect => Self::TailCall,
            // the order of `Sem`: from here to there
            sem if sem as u8 >= Sem::I32TruncSatF32S as u8 && sem as u8 <= Sem::I64TruncSatF64U as u8 => {
                Self::SaturatingFloatToInt
            }
            sem if sem as u8 >= Sem::F32Add as u8 && sem as u8 <= Sem::F64PromoteF32 as u8 => Self::Float,
            _ => return None,
        })
    }
}

/// The features of an op, as a sum; those of all parts for a sequence.
pub const fn needed(opcode: u16) -> u8 {
    let Some(op) = op(opcode) else { return 0 };
    let mut sum = match Feature::of(op.sem) {
        Some(feature) if op.sequence.is_empty() => feature as u8,
        _ => 0,
    };
    let mut part = 0;
    while part < op.sequence.len() {
        if let Some(feature) = Feature::of(op.sequence[part].sem) {
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
        all[opcode] = needed(opcode as u16);
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
            assert_eq!(Feature::of(op.sem), expected, "{name}");
            assert_eq!(needed(opcode), expected.map_or(0, |feature| feature as u8), "{name}");
        }
    }
}
