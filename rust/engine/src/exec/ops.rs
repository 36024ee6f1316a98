// SPDX-License-Identifier: Apache-2.0
//! What each op computes, as safe functions on values, named as in the WebAssembly text format. Floats are
//! their bits: what comes in and goes out, NaNs included, is under the control of this file.
//!
//! The floating-point ones are in `float`, with their own rules about NaN.

mod float;

pub use float::*;

use crate::vm::trap::TrapCode;

macro_rules! binary {
    ($ty:ty: $($name:ident($x:ident, $y:ident) $body:expr;)*) => {$(
        #[allow(missing_docs)]
        #[inline(always)]
        pub fn $name($x: $ty, $y: $ty) -> $ty {
            $body
        }
    )*};
}

macro_rules! test {
    ($ty:ty: $($name:ident($x:ident, $y:ident) $body:expr;)*) => {$(
        #[allow(missing_docs)]
        #[inline(always)]
        pub fn $name($x: $ty, $y: $ty) -> bool {
            $body
        }
    )*};
}

macro_rules! unary {
    ($($name:ident($x:ident: $ty:ty) -> $result:ty $body:block)*) => {$(
        #[allow(missing_docs)]
        #[inline(always)]
        pub fn $name($x: $ty) -> $result $body
    )*};
}

binary! { u32:
    i32_add(x, y) x.wrapping_add(y);
    i32_sub(x, y) x.wrapping_sub(y);
    i32_mul(x, y) x.wrapping_mul(y);
    i32_and(x, y) x & y;
    i32_or(x, y) x | y;
    i32_xor(x, y) x ^ y;
    i32_shl(x, y) x.wrapping_shl(y);
    i32_shr_s(x, y) (x as i32).wrapping_shr(y) as u32;
    i32_shr_u(x, y) x.wrapping_shr(y);
    i32_rotl(x, y) x.rotate_left(y & 31);
    i32_rotr(x, y) x.rotate_right(y & 31);
}

binary! { u64:
    i64_add(x, y) x.wrapping_add(y);
    i64_sub(x, y) x.wrapping_sub(y);
    i64_mul(x, y) x.wrapping_mul(y);
    i64_and(x, y) x & y;
    i64_or(x, y) x | y;
    i64_xor(x, y) x ^ y;
    i64_shl(x, y) x.wrapping_shl(y as u32);
    i64_shr_s(x, y) (x as i64).wrapping_shr(y as u32) as u64;
    i64_shr_u(x, y) x.wrapping_shr(y as u32);
    i64_rotl(x, y) x.rotate_left(y as u32 & 63);
    i64_rotr(x, y) x.rotate_right(y as u32 & 63);
    i64_xor_shr_u(x, y) x ^ x.wrapping_shr(y as u32);
}

test! { u32:
    i32_eq(x, y) x == y;
    i32_ne(x, y) x != y;
    i32_lt_s(x, y) (x as i32) < y as i32;
    i32_lt_u(x, y) x < y;
    i32_ge_s(x, y) x as i32 >= y as i32;
    i32_ge_u(x, y) x >= y;
}

test! { u64:
    i64_eq(x, y) x == y;
    i64_ne(x, y) x != y;
    i64_lt_s(x, y) (x as i64) < y as i64;
    i64_lt_u(x, y) x < y;
    i64_ge_s(x, y) x as i64 >= y as i64;
    i64_ge_u(x, y) x >= y;
}

unary! {
    i32_clz(x: u32) -> u32 { x.leading_zeros() }
    i32_ctz(x: u32) -> u32 { x.trailing_zeros() }
    i32_popcnt(x: u32) -> u32 { x.count_ones() }
    i32_extend8_s(x: u32) -> u32 { x as i8 as u32 }
    i32_extend16_s(x: u32) -> u32 { x as i16 as u32 }
    i64_clz(x: u64) -> u64 { x.leading_zeros().into() }
    i64_ctz(x: u64) -> u64 { x.trailing_zeros().into() }
    i64_popcnt(x: u64) -> u64 { x.count_ones().into() }
    i64_extend8_s(x: u64) -> u64 { x as i8 as u64 }
    i64_extend16_s(x: u64) -> u64 { x as i16 as u64 }
    i64_extend32_s(x: u64) -> u64 { x as i32 as u64 }
    i64_eqz(x: u64) -> u32 { (x == 0).into() }
    i64_extend_i32_s(x: u32) -> u64 { x as i32 as u64 }
    i64_extend_i32_u(x: u32) -> u64 { x.into() }
}

/// Division by zero or overflow, or the quotient of two numbers that cause neither.
macro_rules! divisions {
    ($unsigned:ty, $signed:ty: $div_s:ident $div_u:ident $rem_s:ident $rem_u:ident) => {
        /// # Errors
        /// Division by zero, or a quotient that does not fit.
        #[inline(always)]
        pub fn $div_s(x: $unsigned, y: $unsigned) -> Result<$unsigned, TrapCode> {
            match (x as $signed).checked_div(y as $signed) {
                Some(quotient) => Ok(quotient as $unsigned),
                None if y == 0 => Err(TrapCode::IntegerDivisionByZero),
                None => Err(TrapCode::IntegerOverflow),
            }
        }

        /// # Errors
        /// Division by zero.
        #[inline(always)]
        pub fn $div_u(x: $unsigned, y: $unsigned) -> Result<$unsigned, TrapCode> {
            x.checked_div(y).ok_or(TrapCode::IntegerDivisionByZero)
        }

        /// # Errors
        /// Division by zero.
        #[inline(always)]
        pub fn $rem_s(x: $unsigned, y: $unsigned) -> Result<$unsigned, TrapCode> {
            if y == 0 {
                return Err(TrapCode::IntegerDivisionByZero);
            }
            Ok((x as $signed).wrapping_rem(y as $signed) as $unsigned)
        }

        /// # Errors
        /// Division by zero.
        #[inline(always)]
        pub fn $rem_u(x: $unsigned, y: $unsigned) -> Result<$unsigned, TrapCode> {
            x.checked_rem(y).ok_or(TrapCode::IntegerDivisionByZero)
        }
    };
}

divisions!(u32, i32: i32_div_s i32_div_u i32_rem_s i32_rem_u);
divisions!(u64, i64: i64_div_s i64_div_u i64_rem_s i64_rem_u);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_traps_on_zero_and_on_overflow_only() {
        let (min, minus_one) = (i32::MIN as u32, -1i32 as u32);
        assert_eq!(i32_div_s(min, minus_one), Err(TrapCode::IntegerOverflow));
        assert_eq!(i32_div_s(1, 0), Err(TrapCode::IntegerDivisionByZero));
        assert_eq!(i32_div_s(-7i32 as u32, 2), Ok(-3i32 as u32));
        assert_eq!(i32_div_u(min, minus_one), Ok(0));
        assert_eq!(i32_div_u(1, 0), Err(TrapCode::IntegerDivisionByZero));
        assert_eq!(i32_rem_s(min, minus_one), Ok(0));
        assert_eq!(i32_rem_s(-7i32 as u32, 2), Ok(-1i32 as u32));
        assert_eq!(i32_rem_u(7, 0), Err(TrapCode::IntegerDivisionByZero));
        let (min, minus_one) = (i64::MIN as u64, -1i64 as u64);
        assert_eq!(i64_div_s(min, minus_one), Err(TrapCode::IntegerOverflow));
        assert_eq!(i64_rem_s(min, minus_one), Ok(0));
        assert_eq!(i64_rem_s(1, 0), Err(TrapCode::IntegerDivisionByZero));
        assert_eq!(i64_div_u(9, 2), Ok(4));
        assert_eq!(i64_rem_u(9, 2), Ok(1));
    }

    #[test]
    fn shift_counts_are_taken_modulo_the_width() {
        assert_eq!(i32_shl(1, 33), 2);
        assert_eq!(i32_shr_s(0x8000_0000, 63), 0xffff_ffff);
        assert_eq!(i32_shr_u(0x8000_0000, 32), 0x8000_0000);
        assert_eq!(i32_rotl(0x8000_0001, 33), 3);
        assert_eq!(i32_rotr(1, 33), 0x8000_0000);
        assert_eq!(i64_shl(1, 65), 2);
        assert_eq!(i64_shl(1, 1 << 32), 1);
        assert_eq!(i64_rotl(1, 1 << 40 | 63), 1 << 63);
        assert_eq!(i64_shr_s(1 << 63, 127), u64::MAX);
    }

    #[test]
    fn counting_zeros_of_zero_gives_the_width() {
        assert_eq!((i32_clz(0), i32_ctz(0), i64_clz(0), i64_ctz(0)), (32, 32, 64, 64));
    }

    #[test]
    fn extensions_take_the_low_bits_only() {
        assert_eq!(i32_extend8_s(0x1234_5680), 0xffff_ff80);
        assert_eq!(i32_extend16_s(0x1234_7fff), 0x7fff);
        assert_eq!(i64_extend32_s(0x1_8000_0000), 0xffff_ffff_8000_0000);
        assert_eq!(i64_extend_i32_s(0x8000_0000), 0xffff_ffff_8000_0000);
        assert_eq!(i64_extend_i32_u(0x8000_0000), 0x8000_0000);
    }
}
