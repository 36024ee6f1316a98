// SPDX-License-Identifier: Apache-2.0
//! From floats to integers on processors without floats: on the bits, so that all conversions share the code and need
//! none of the compiler's library.

use super::SIGN64;
use crate::vm::trap::TrapCode;

/// Returns the whole part of a float as an integer of 32 or 64 bits.
///
/// # Errors
/// NaN, or a whole part that does not fit.
#[inline(never)]
fn truncate(x: u64, bits: u32, signed: bool) -> Result<u64, TrapCode> {
    let magnitude = x & !SIGN64;
    let exponent = (magnitude >> 52) as i32;
    let mantissa = magnitude & ((1 << 52) - 1) | 1 << 52;
    let whole = match exponent - 1075 {
        // less than 1
        ..-52 => 0,
        right @ -52..0 => mantissa >> -right,
        left @ 0..12 => mantissa << left,
        _ if magnitude > 0x7ff << 52 => return Err(TrapCode::BadConversionToInteger),
        _ => return Err(TrapCode::IntegerOverflow),
    };
    let positive = largest(bits, signed);
    let (limit, value) = match x & SIGN64 == 0 {
        true => (positive, whole),
        false => (if signed { positive + 1 } else { 0 }, whole.wrapping_neg()),
    };
    if whole > limit {
        return Err(TrapCode::IntegerOverflow);
    }
    Ok(value)
}

/// Returns the largest integer of so many bits.
fn largest(bits: u32, signed: bool) -> u64 {
    u64::MAX >> (64 - bits + u32::from(signed))
}

/// Returns the nearest integer of 32 or 64 bits, or 0 for NaN.
#[inline(never)]
fn saturate(x: u64, bits: u32, signed: bool) -> u64 {
    match truncate(x, bits, signed) {
        Ok(value) => value,
        Err(TrapCode::BadConversionToInteger) => 0,
        Err(_) if x & SIGN64 == 0 => largest(bits, signed),
        // the lowest: -2^(bits - 1), or 0
        Err(_) => !largest(bits, signed) * u64::from(signed),
    }
}

/// Returns the same value as a float of 64 bits.
fn wide32(x: u32) -> u64 {
    f64::from(f32::from_bits(x)).to_bits()
}

fn wide64(x: u64) -> u64 {
    x
}

macro_rules! truncate {
    ($($trap:ident $saturate:ident $from:ident $wide:ident -> $to:ident, $signed:literal;)*) => {$(
        /// # Errors
        /// NaN, or a value whose whole part does not fit.
        #[inline(never)]
        pub fn $trap(x: $from) -> Result<$to, TrapCode> {
            truncate($wide(x), $to::BITS, $signed).map(|value| value as $to)
        }

        /// Returns the nearest value that fits, or 0 for NaN.
        #[inline(never)]
        pub fn $saturate(x: $from) -> $to {
            saturate($wide(x), $to::BITS, $signed) as $to
        }
    )*};
}

truncate! {
    i32_trunc_f32_s i32_trunc_sat_f32_s u32 wide32 -> u32, true;
    i32_trunc_f32_u i32_trunc_sat_f32_u u32 wide32 -> u32, false;
    i32_trunc_f64_s i32_trunc_sat_f64_s u64 wide64 -> u32, true;
    i32_trunc_f64_u i32_trunc_sat_f64_u u64 wide64 -> u32, false;
    i64_trunc_f32_s i64_trunc_sat_f32_s u32 wide32 -> u64, true;
    i64_trunc_f32_u i64_trunc_sat_f32_u u32 wide32 -> u64, false;
    i64_trunc_f64_s i64_trunc_sat_f64_s u64 wide64 -> u64, true;
    i64_trunc_f64_u i64_trunc_sat_f64_u u64 wide64 -> u64, false;
}
