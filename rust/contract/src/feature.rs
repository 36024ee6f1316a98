// SPDX-License-Identifier: Apache-2.0
//! Features that a runtime may be built without.

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
    /// All operations on floats. Loading, storing, moving and passing them takes none of these.
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

    /// Returns its name, as the Cargo feature of the engine has it, and in Kconfig in capitals after `WISP_`.
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
}
