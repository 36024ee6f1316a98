// SPDX-License-Identifier: Apache-2.0
//! Floating point. Wasm wants IEEE 754 with one rounding mode and NaNs that are quiet: a result that is
//! NaN has the quiet bit set, and is the canonical one if the sources held no other. What core's operators
//! (hardware, or the compiler's library) may leave open, [`quiet32`] and [`quiet64`] settle.
//!
//! The roundings and the square root work on the bits: core has them only with `std`, and this is smaller
//! than a library.

#[cfg_attr(
    any(target_abi = "eabihf", target_feature = "f", target_feature = "neon", target_feature = "sse2"),
    path = "convert_hard.rs"
)]
#[cfg_attr(
    not(any(target_abi = "eabihf", target_feature = "f", target_feature = "neon", target_feature = "sse2")),
    path = "convert_soft.rs"
)]
mod convert;
#[cfg(test)]
#[path = "convert_soft.rs"]
mod soft;

pub use self::convert::*;

const QUIET32: u32 = 0x0040_0000;
const QUIET64: u64 = 0x0008_0000_0000_0000;
const SIGN32: u32 = 1 << 31;
const SIGN64: u64 = 1 << 63;

/// Returns the bits of a result, quiet if NaN.
#[inline]
fn quiet32(x: f32) -> u32 {
    let bits = x.to_bits();
    if x.is_nan() {
        bits | QUIET32
    } else {
        bits
    }
}

/// Makes a NaN quiet, as [`quiet32`] does.
#[inline]
fn quiet64(x: f64) -> u64 {
    let bits = x.to_bits();
    if x.is_nan() {
        bits | QUIET64
    } else {
        bits
    }
}

macro_rules! float {
    (
        $f:ident $u:ident $quiet:ident $quiet_bit:ident $sign:ident mantissa $mantissa:literal bias $bias:literal
        $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident $copysign:ident
        $abs:ident $neg:ident $ceil:ident $floor:ident $trunc:ident $nearest:ident $sqrt:ident
        $eq:ident $ne:ident $lt:ident $le:ident
    ) => {
        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $add(x: $u, y: $u) -> $u {
            $quiet($f::from_bits(x) + $f::from_bits(y))
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $sub(x: $u, y: $u) -> $u {
            $quiet($f::from_bits(x) - $f::from_bits(y))
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $mul(x: $u, y: $u) -> $u {
            $quiet($f::from_bits(x) * $f::from_bits(y))
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $div(x: $u, y: $u) -> $u {
            $quiet($f::from_bits(x) / $f::from_bits(y))
        }

        /// Returns the lesser, or NaN if either is NaN. -0 is less than 0.
        #[inline(never)]
        pub fn $min(x: $u, y: $u) -> $u {
            let (a, b) = ($f::from_bits(x), $f::from_bits(y));
            if a.is_nan() {
                x | $quiet_bit
            } else if b.is_nan() {
                y | $quiet_bit
            } else if a < b {
                x
            } else if b < a {
                y
            } else {
                x | y
            }
        }

        /// Returns the greater, or NaN if either is NaN. 0 is greater than -0.
        #[inline(never)]
        pub fn $max(x: $u, y: $u) -> $u {
            let (a, b) = ($f::from_bits(x), $f::from_bits(y));
            if a.is_nan() {
                x | $quiet_bit
            } else if b.is_nan() {
                y | $quiet_bit
            } else if a > b {
                x
            } else if b > a {
                y
            } else {
                x & y
            }
        }

        #[allow(missing_docs)]
        pub fn $copysign(x: $u, y: $u) -> $u {
            x & !$sign | y & $sign
        }

        #[allow(missing_docs)]
        pub fn $abs(x: $u) -> $u {
            x & !$sign
        }

        #[allow(missing_docs)]
        pub fn $neg(x: $u) -> $u {
            x ^ $sign
        }

        /// Towards zero.
        #[inline(never)]
        pub fn $trunc(x: $u) -> $u {
            let exponent = (x & !$sign) >> $mantissa;
            if exponent >= $bias + $mantissa {
                // an integer already, infinite, or NaN
                let nan = x & !$sign > ($sign - (1 << $mantissa));
                return if nan { x | $quiet_bit } else { x };
            }
            if exponent < $bias {
                return x & $sign;
            }
            x & !((1 << ($bias + $mantissa - exponent)) - 1)
        }

        /// Towards minus infinity.
        #[inline(never)]
        pub fn $floor(x: $u) -> $u {
            let whole = $trunc(x);
            if x & $sign != 0 && $f::from_bits(x) != $f::from_bits(whole) && !$f::from_bits(x).is_nan() {
                ($f::from_bits(whole) - 1.0).to_bits()
            } else {
                whole
            }
        }

        /// Towards plus infinity.
        #[inline(never)]
        pub fn $ceil(x: $u) -> $u {
            $floor(x ^ $sign) ^ $sign
        }

        /// Rounds to the nearest integer, and halves to the even one.
        #[inline(never)]
        pub fn $nearest(x: $u) -> $u {
            let exponent = (x & !$sign) >> $mantissa;
            if exponent >= $bias + $mantissa {
                return $trunc(x);
            }
            // adding and taking away the first number without a fraction rounds as the hardware does
            let big = $f::from_bits(($bias + $mantissa as $u) << $mantissa);
            let magnitude = $f::from_bits(x & !$sign);
            ((magnitude + big) - big).to_bits() | x & $sign
        }

        /// Returns the square root, digit by digit: slow (about 30 instructions a bit) and exact.
        #[inline(never)]
        pub fn $sqrt(x: $u) -> $u {
            let nan = x & !$sign > ($sign - (1 << $mantissa));
            if nan {
                return x | $quiet_bit;
            }
            if x & !$sign == 0 || x == $sign - (1 << $mantissa) {
                return x;
            }
            if x & $sign != 0 {
                return ($sign - (1 << $mantissa)) | $quiet_bit;
            }
            let mut exponent = (x >> $mantissa) as i32;
            let mut rest = x & ((1 << $mantissa) - 1);
            if exponent == 0 {
                // subnormal: shift the leading one to its place
                let shift = rest.leading_zeros() as i32 - ($u::BITS as i32 - 1 - $mantissa);
                rest <<= shift;
                exponent = 1 - shift;
            } else {
                rest |= 1 << $mantissa;
            }
            exponent -= $bias;
            if exponent & 1 != 0 {
                rest <<= 1;
            }
            exponent >>= 1;
            // `rest` is the radicand, below 4 with $mantissa fraction bits; one more bit of the root than
            // the result has decides the rounding, with what is left over
            rest <<= 1;
            let mut root: $u = 0;
            let mut doubled: $u = 0;
            let mut bit: $u = 1 << ($mantissa + 1);
            while bit != 0 {
                let trial = doubled + bit;
                if trial <= rest {
                    doubled = trial + bit;
                    rest -= trial;
                    root += bit;
                }
                rest <<= 1;
                bit >>= 1;
            }
            if rest != 0 {
                // inexact, so never half way: the last bit decides
                root += root & 1;
            }
            (root >> 1) + (((exponent + $bias - 1) as $u) << $mantissa)
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $eq(x: $u, y: $u) -> bool {
            $f::from_bits(x) == $f::from_bits(y)
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $ne(x: $u, y: $u) -> bool {
            $f::from_bits(x) != $f::from_bits(y)
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $lt(x: $u, y: $u) -> bool {
            $f::from_bits(x) < $f::from_bits(y)
        }

        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $le(x: $u, y: $u) -> bool {
            $f::from_bits(x) <= $f::from_bits(y)
        }
    };
}

float! {
    f32 u32 quiet32 QUIET32 SIGN32 mantissa 23 bias 127
    f32_add f32_sub f32_mul f32_div f32_min f32_max f32_copysign
    f32_abs f32_neg f32_ceil f32_floor f32_trunc f32_nearest f32_sqrt
    f32_eq f32_ne f32_lt f32_le
}

float! {
    f64 u64 quiet64 QUIET64 SIGN64 mantissa 52 bias 1023
    f64_add f64_sub f64_mul f64_div f64_min f64_max f64_copysign
    f64_abs f64_neg f64_ceil f64_floor f64_trunc f64_nearest f64_sqrt
    f64_eq f64_ne f64_lt f64_le
}

macro_rules! convert {
    ($($name:ident $from:ident as $int:ident -> $f:ident $to:ident;)*) => {$(
        #[allow(missing_docs)]
        #[inline(never)]
        pub fn $name(x: $from) -> $to {
            (x as $int as $f).to_bits()
        }
    )*};
}

convert! {
    f32_convert_i32_s u32 as i32 -> f32 u32;
    f32_convert_i32_u u32 as u32 -> f32 u32;
    f32_convert_i64_s u64 as i64 -> f32 u32;
    f32_convert_i64_u u64 as u64 -> f32 u32;
    f64_convert_i32_s u32 as i32 -> f64 u64;
    f64_convert_i32_u u32 as u32 -> f64 u64;
    f64_convert_i64_s u64 as i64 -> f64 u64;
    f64_convert_i64_u u64 as u64 -> f64 u64;
}

#[allow(missing_docs)]
#[inline(never)]
pub fn f32_demote_f64(x: u64) -> u32 {
    quiet32(f64::from_bits(x) as f32)
}

#[allow(missing_docs)]
#[inline(never)]
pub fn f64_promote_f32(x: u32) -> u64 {
    quiet64(f64::from(f32::from_bits(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::trap::TrapCode;

    const CORNERS: &[f64] = &[
        0.0,
        0.1,
        0.49999999999999994,
        0.5,
        0.75,
        1.0,
        1.5,
        2.0,
        2.5,
        3.5,
        4.0,
        1e-310,
        5e-324,
        1e300,
        8388607.5,
        8388608.5,
        4503599627370495.5,
        4503599627370496.5,
        9007199254740993.0,
        1.7976931348623157e308,
        2.2250738585072014e-308,
        f64::INFINITY,
    ];

    fn numbers() -> impl Iterator<Item = f64> {
        // a multiplicative generator over the bits covers all exponents
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let random = core::iter::from_fn(move || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            Some(f64::from_bits(state ^ state >> 29))
        });
        CORNERS.iter().flat_map(|&x| [x, -x]).chain(random.filter(|x| !x.is_nan()).take(20_000))
    }

    #[test]
    fn roundings_and_root_agree_with_std() {
        for x in numbers() {
            let bits = x.to_bits();
            assert_eq!(f64_trunc(bits), x.trunc().to_bits(), "trunc {x:e}");
            assert_eq!(f64_floor(bits), x.floor().to_bits(), "floor {x:e}");
            assert_eq!(f64_ceil(bits), x.ceil().to_bits(), "ceil {x:e}");
            assert_eq!(f64_nearest(bits), x.round_ties_even().to_bits(), "nearest {x:e}");
            if x >= 0.0 {
                assert_eq!(f64_sqrt(bits), x.sqrt().to_bits(), "sqrt {x:e}");
            }
            for y in [x as f32, f32::from_bits(bits as u32)] {
                if y.is_nan() {
                    continue;
                }
                let bits = y.to_bits();
                assert_eq!(f32_trunc(bits), y.trunc().to_bits(), "trunc {y:e}");
                assert_eq!(f32_floor(bits), y.floor().to_bits(), "floor {y:e}");
                assert_eq!(f32_ceil(bits), y.ceil().to_bits(), "ceil {y:e}");
                assert_eq!(f32_nearest(bits), y.round_ties_even().to_bits(), "nearest {y:e}");
                if y >= 0.0 {
                    assert_eq!(f32_sqrt(bits), y.sqrt().to_bits(), "sqrt {y:e}");
                }
            }
        }
    }

    #[test]
    fn results_that_are_nan_are_quiet() {
        let signalling = 0x7fa0_0000u32;
        let one = 1f32.to_bits();
        for unary in [f32_ceil, f32_floor, f32_trunc, f32_nearest, f32_sqrt] {
            assert_ne!(unary(signalling) & QUIET32, 0);
        }
        for binary in [f32_add, f32_sub, f32_mul, f32_div, f32_min, f32_max] {
            assert_ne!(binary(signalling, one) & QUIET32, 0);
            assert_ne!(binary(one, signalling) & QUIET32, 0);
        }
        assert_ne!(f64_promote_f32(signalling) & QUIET64, 0);
        assert_ne!(f32_demote_f64(0x7ff4_0000_0000_0000) & QUIET32, 0);
        assert_eq!(f32_sqrt((-1f32).to_bits()), 0x7fc0_0000);
        // sign operations leave the payload alone
        assert_eq!(f32_abs(signalling | SIGN32), signalling);
        assert_eq!(f32_neg(signalling), signalling | SIGN32);
        assert_eq!(f32_copysign(signalling, SIGN32), signalling | SIGN32);
    }

    #[test]
    fn min_and_max_order_the_zeros() {
        assert_eq!(f32_min(0, SIGN32), SIGN32);
        assert_eq!(f32_min(SIGN32, 0), SIGN32);
        assert_eq!(f32_max(0, SIGN32), 0);
        assert_eq!(f64_max(SIGN64, 0), 0);
        assert_eq!(f64_min(1f64.to_bits(), 2f64.to_bits()), 1f64.to_bits());
    }

    #[test]
    fn truncation_traps_exactly_outside_the_range() {
        let f = |x: f32| x.to_bits();
        let d = |x: f64| x.to_bits();
        assert_eq!(i32_trunc_f32_s(f(-2147483648.0)), Ok(0x8000_0000));
        assert_eq!(i32_trunc_f32_s(f(-2147483904.0)), Err(TrapCode::IntegerOverflow));
        assert_eq!(i32_trunc_f32_s(f(2147483648.0)), Err(TrapCode::IntegerOverflow));
        assert_eq!(i32_trunc_f64_s(d(-2147483648.9)), Ok(0x8000_0000));
        assert_eq!(i32_trunc_f64_s(d(-2147483649.0)), Err(TrapCode::IntegerOverflow));
        assert_eq!(i32_trunc_f64_u(d(-0.9)), Ok(0));
        assert_eq!(i32_trunc_f64_u(d(-1.0)), Err(TrapCode::IntegerOverflow));
        assert_eq!(i32_trunc_f64_u(d(4294967295.9)), Ok(u32::MAX));
        assert_eq!(i64_trunc_f64_s(d(-9223372036854775808.0)), Ok(1 << 63));
        assert_eq!(i64_trunc_f64_s(d(9223372036854775808.0)), Err(TrapCode::IntegerOverflow));
        assert_eq!(i64_trunc_f32_u(f(18446744073709551616.0)), Err(TrapCode::IntegerOverflow));
        assert_eq!(i64_trunc_f64_u(f64::NAN.to_bits()), Err(TrapCode::BadConversionToInteger));
        assert_eq!(i32_trunc_sat_f32_s(f(f32::NAN)), 0);
        assert_eq!(i32_trunc_sat_f32_s(f(1e20)), i32::MAX as u32);
        assert_eq!(i64_trunc_sat_f64_u(d(-5.0)), 0);
    }

    #[test]
    fn conversions_without_floats_of_the_processor_are_the_same() {
        let edges = [31, 32, 63, 64].map(|bits| 2f64.powi(bits));
        let edges = edges.into_iter().flat_map(|x| [x, x - 1.0, x - 0.5, x + 1.0, x.next_down(), x.next_up()]);
        let edges = edges.flat_map(|x| [x, -x]).chain([f64::NAN, -f64::NAN, 0.5, -0.9, 1.0, -1.0]);
        for x in edges.chain(numbers()) {
            let wide = x.to_bits();
            macro_rules! same {
                ($x:ident: $($name:ident)*) => {
                    $(assert_eq!(soft::$name($x), super::$name($x), "{} of {:#x}", stringify!($name), $x);)*
                };
            }
            same! { wide: i32_trunc_f64_s i32_trunc_f64_u i64_trunc_f64_s i64_trunc_f64_u
            i32_trunc_sat_f64_s i32_trunc_sat_f64_u i64_trunc_sat_f64_s i64_trunc_sat_f64_u }
            for narrow in [(x as f32).to_bits(), wide as u32] {
                same! { narrow: i32_trunc_f32_s i32_trunc_f32_u i64_trunc_f32_s i64_trunc_f32_u
                i32_trunc_sat_f32_s i32_trunc_sat_f32_u i64_trunc_sat_f32_s i64_trunc_sat_f32_u }
            }
        }
    }

    #[test]
    fn conversions_round_to_nearest() {
        assert_eq!(f32_convert_i32_s(16_777_217), 16_777_216f32.to_bits());
        assert_eq!(f32_convert_i64_u(u64::MAX), 18446744073709551616f32.to_bits());
        assert_eq!(f64_convert_i64_s(-1i64 as u64), (-1f64).to_bits());
        assert_eq!(f32_demote_f64(1e300f64.to_bits()), f32::INFINITY.to_bits());
    }
}
