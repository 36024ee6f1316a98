// SPDX-License-Identifier: Apache-2.0
//! Values on the command line.

use wisp_engine::{Val, ValType};

/// Reads an argument of this type.
pub fn parse(text: &str, ty: ValType) -> Result<Val, String> {
    let expected = |what: &str| format!("`{text}` is not {what}");
    match ty {
        ValType::I32 => {
            let value = integer(text).filter(|&x| (i128::from(i32::MIN)..=i128::from(u32::MAX)).contains(&x));
            value.map(|x| Val::I32(x as i32)).ok_or_else(|| expected("an i32: a decimal or 0x number of 32 bits"))
        }
        ValType::I64 => {
            let value = integer(text).filter(|&x| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&x));
            value.map(|x| Val::I64(x as i64)).ok_or_else(|| expected("an i64: a decimal or 0x number of 64 bits"))
        }
        ValType::F32 => text.parse::<f32>().map(Val::from).map_err(|_| expected("an f32: a decimal number")),
        ValType::F64 => text.parse::<f64>().map(Val::from).map_err(|_| expected("an f64: a decimal number")),
        ValType::FuncRef | ValType::ExternRef => match (text, ty) {
            ("null", ValType::FuncRef) => Ok(Val::FuncRef(None)),
            ("null", _) => Ok(Val::ExternRef(None)),
            _ => Err(expected("`null`, the only reference that can be given here")),
        },
    }
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = match digits.strip_prefix("0x") {
        Some(digits) if !digits.starts_with(['+', '-']) => i128::from_str_radix(digits, 16).ok()?,
        Some(_) => return None,
        None => digits.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}

/// Shows a result as wasmtime does.
pub fn show(value: Val) -> String {
    match value {
        Val::I32(x) => x.to_string(),
        Val::I64(x) => x.to_string(),
        Val::F32(x) => f32::from_bits(x).to_string(),
        Val::F64(x) => f64::from_bits(x).to_string(),
        Val::FuncRef(None) => "<null funcref>".into(),
        Val::FuncRef(Some(_)) => "<funcref>".into(),
        Val::ExternRef(None) => "<null externref>".into(),
        Val::ExternRef(Some(_)) => "<externref>".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_signed_unsigned_and_in_hexadecimal() {
        assert_eq!(parse("-1", ValType::I32), Ok(Val::I32(-1)));
        assert_eq!(parse("4294967295", ValType::I32), Ok(Val::I32(-1)));
        assert_eq!(parse("0xffffffff", ValType::I32), Ok(Val::I32(-1)));
        assert_eq!(parse("-0x8000000000000000", ValType::I64), Ok(Val::I64(i64::MIN)));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for wrong in
            ["4294967296", "-2147483649", "", "--1", "0x-1", "1.5", "one", "99999999999999999999999999999999999999999"]
        {
            assert!(parse(wrong, ValType::I32).is_err(), "{wrong}");
        }
        assert!(parse("0", ValType::FuncRef).is_err());
    }

    #[test]
    fn floats_keep_their_bits() {
        assert_eq!(parse("-0", ValType::F32), Ok(Val::F32(0x8000_0000)));
        assert_eq!(show(Val::F64(1.5f64.to_bits())), "1.5");
    }
}
