// SPDX-License-Identifier: Apache-2.0
//! Operators with one counterpart each in the op table.

use wasmparser::Operator;
use wisp_image::ops::{Class, Sem};

macro_rules! same_name {
    ($operator:expr, $($class:ident $wide:literal: $($name:ident)*;)*) => {
        match $operator {
            $($(Operator::$name => Some((Class::$class, Sem::$name, $wide)),)*)*
            _ => None,
        }
    };
}

/// Class, meaning and width of the result of an operator with two sources.
pub fn binary(operator: &Operator<'_>) -> Option<(Class, Sem, bool)> {
    same_name!(operator,
        Bin32 false: I32Add I32Sub I32Mul I32And I32Or I32Xor I32Shl I32ShrS I32ShrU I32Rotl I32Rotr
            F32Add F32Sub F32Mul F32Div F32Min F32Max F32Copysign;
        Div32 false: I32DivS I32DivU I32RemS I32RemU;
        Bin64 true: I64Add I64Sub I64Mul I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr
            F64Add F64Sub F64Mul F64Div F64Min F64Max F64Copysign;
        Div64 true: I64DivS I64DivU I64RemS I64RemU;
    )
}

/// Class, meaning and width of the result of an operator with one source.
pub fn unary(operator: &Operator<'_>) -> Option<(Class, Sem, bool)> {
    same_name!(operator,
        Un32 false: I32Clz I32Ctz I32Popcnt I32Extend8S I32Extend16S
            F32Abs F32Neg F32Ceil F32Floor F32Trunc F32Nearest F32Sqrt
            I32TruncSatF32S I32TruncSatF32U F32ConvertI32S F32ConvertI32U;
        Un64 true: I64Clz I64Ctz I64Popcnt I64Extend8S I64Extend16S I64Extend32S
            F64Abs F64Neg F64Ceil F64Floor F64Trunc F64Nearest F64Sqrt
            I64TruncSatF64S I64TruncSatF64U F64ConvertI64S F64ConvertI64U;
        Un32Trap false: I32TruncF32S I32TruncF32U;
        NarrowTrap false: I32TruncF64S I32TruncF64U;
        WidenTrap true: I64TruncF32S I64TruncF32U;
        Un64Trap true: I64TruncF64S I64TruncF64U;
        Narrow false: I32TruncSatF64S I32TruncSatF64U F32ConvertI64S F32ConvertI64U F32DemoteF64;
        Widen true: I64ExtendI32S I64ExtendI32U I64TruncSatF32S I64TruncSatF32U
            F64ConvertI32S F64ConvertI32U F64PromoteF32;
    )
}

/// Returns true for float arithmetic, which has no immediate forms.
pub fn is_float(sem: Sem) -> bool {
    sem.name().starts_with('f')
}
