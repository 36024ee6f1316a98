// SPDX-License-Identifier: Apache-2.0
//! Values of the suite and of the engine.

use wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};
use wisp_engine::Val;

/// Returns an argument. `None` for a type that Wisp does not have.
pub fn argument(argument: &WastArg<'_>) -> Option<Val> {
    let WastArg::Core(argument) = argument else { return None };
    Some(match argument {
        WastArgCore::I32(x) => Val::I32(*x),
        WastArgCore::I64(x) => Val::I64(*x),
        WastArgCore::F32(x) => Val::F32(x.bits),
        WastArgCore::F64(x) => Val::F64(x.bits),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Func, .. }) => Val::FuncRef(None),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Extern, .. }) => Val::ExternRef(None),
        WastArgCore::RefExtern(x) => Val::ExternRef(Some(*x)),
        _ => return None,
    })
}

/// Returns true if a result is what is expected.
pub fn matches(expected: &WastRet<'_>, value: Val) -> bool {
    match expected {
        WastRet::Core(expected) => core_matches(expected, value),
        _ => false,
    }
}

fn core_matches(expected: &WastRetCore<'_>, value: Val) -> bool {
    match (expected, value) {
        (WastRetCore::I32(x), Val::I32(y)) => *x == y,
        (WastRetCore::I64(x), Val::I64(y)) => *x == y,
        (WastRetCore::F32(x), Val::F32(y)) => match x {
            NanPattern::CanonicalNan => y & 0x7fff_ffff == 0x7fc0_0000,
            NanPattern::ArithmeticNan => y & 0x7fc0_0000 == 0x7fc0_0000,
            NanPattern::Value(x) => x.bits == y,
        },
        (WastRetCore::F64(x), Val::F64(y)) => match x {
            NanPattern::CanonicalNan => y & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
            NanPattern::ArithmeticNan => y & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
            NanPattern::Value(x) => x.bits == y,
        },
        (WastRetCore::RefNull(None), Val::FuncRef(None) | Val::ExternRef(None)) => true,
        (WastRetCore::RefNull(Some(HeapType::Abstract { ty, .. })), value) => match value {
            Val::FuncRef(None) => *ty == AbstractHeapType::Func,
            Val::ExternRef(None) => *ty == AbstractHeapType::Extern,
            _ => false,
        },
        (WastRetCore::RefExtern(x), Val::ExternRef(Some(y))) => x.is_none_or(|x| x == y),
        (WastRetCore::RefFunc(None), Val::FuncRef(Some(_))) => true,
        (WastRetCore::Either(cases), value) => cases.iter().any(|case| core_matches(case, value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_nan_has_no_other_payload() {
        let canonical = WastRetCore::F32(NanPattern::CanonicalNan);
        assert!(core_matches(&canonical, Val::F32(0x7fc0_0000)));
        assert!(core_matches(&canonical, Val::F32(0xffc0_0000)));
        assert!(!core_matches(&canonical, Val::F32(0x7fc0_0001)));
        assert!(!core_matches(&canonical, Val::F32(0x7f80_0000)));
    }

    #[test]
    fn an_arithmetic_nan_is_quiet() {
        let arithmetic = WastRetCore::F64(NanPattern::ArithmeticNan);
        assert!(core_matches(&arithmetic, Val::F64(0x7ff8_0000_0000_0001)));
        assert!(!core_matches(&arithmetic, Val::F64(0x7ff4_0000_0000_0000)));
    }

    #[test]
    fn zeros_differ_by_their_sign() {
        let zero = WastRetCore::F32(NanPattern::Value(wast::token::F32 { bits: 0 }));
        assert!(!core_matches(&zero, Val::F32(0x8000_0000)));
    }
}
