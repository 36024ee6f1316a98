// SPDX-License-Identifier: Apache-2.0
//! From floats to integers on processors with floats: in a few instructions each.

use crate::vm::trap::TrapCode;

macro_rules! truncate {
    ($($trap:ident $saturate:ident $f:ident $from:ident -> $int:ident as $to:ident, $low:literal $open:tt $high:literal;)*) => {$(
        /// # Errors
        /// NaN, or a value whose whole part does not fit.
        #[inline(never)]
        #[allow(clippy::manual_range_contains)]
        pub fn $trap(x: $from) -> Result<$to, TrapCode> {
            let value = $f::from_bits(x);
            if value.is_nan() {
                Err(TrapCode::BadConversionToInteger)
            } else if value $open $low && value < $high {
                Ok(value as $int as $to)
            } else {
                Err(TrapCode::IntegerOverflow)
            }
        }

        /// Returns the nearest value that fits, or 0 for NaN.
        #[inline(never)]
        pub fn $saturate(x: $from) -> $to {
            $f::from_bits(x) as $int as $to
        }
    )*};
}

// The bounds are exact in their types: the first value too low or the last that is not, the first too high.
truncate! {
    i32_trunc_f32_s i32_trunc_sat_f32_s f32 u32 -> i32 as u32, -2147483648.0 >= 2147483648.0;
    i32_trunc_f32_u i32_trunc_sat_f32_u f32 u32 -> u32 as u32, -1.0 > 4294967296.0;
    i32_trunc_f64_s i32_trunc_sat_f64_s f64 u64 -> i32 as u32, -2147483649.0 > 2147483648.0;
    i32_trunc_f64_u i32_trunc_sat_f64_u f64 u64 -> u32 as u32, -1.0 > 4294967296.0;
    i64_trunc_f32_s i64_trunc_sat_f32_s f32 u32 -> i64 as u64, -9223372036854775808.0 >= 9223372036854775808.0;
    i64_trunc_f32_u i64_trunc_sat_f32_u f32 u32 -> u64 as u64, -1.0 > 18446744073709551616.0;
    i64_trunc_f64_s i64_trunc_sat_f64_s f64 u64 -> i64 as u64, -9223372036854775808.0 >= 9223372036854775808.0;
    i64_trunc_f64_u i64_trunc_sat_f64_u f64 u64 -> u64 as u64, -1.0 > 18446744073709551616.0;
}
