// SPDX-License-Identifier: Apache-2.0
//! What each op computes: the functions of `wisp_engine::ops`, by their kinds.

// tables of functions have such types
#![allow(missing_docs, clippy::type_complexity)]

use wisp_engine::{ops, TrapCode};
use wisp_image::ops::Sem;

macro_rules! by_sem {
    ($($sem:ident $function:ident)*) => { |sem: Sem| match sem { $(Sem::$sem => Some(ops::$function as _),)* _ => None } };
}

pub fn bin32(sem: Sem) -> fn(u32, u32) -> u32 {
    let find: fn(Sem) -> Option<fn(u32, u32) -> u32> = by_sem! {
        I32Add i32_add I32Sub i32_sub I32Mul i32_mul I32And i32_and I32Or i32_or I32Xor i32_xor I32Shl i32_shl
        I32ShrS i32_shr_s I32ShrU i32_shr_u I32Rotl i32_rotl I32Rotr i32_rotr
        F32Add f32_add F32Sub f32_sub F32Mul f32_mul F32Div f32_div F32Min f32_min F32Max f32_max F32Copysign f32_copysign
    };
    find(sem).expect("a 32-bit operation")
}

pub fn bin64(sem: Sem) -> fn(u64, u64) -> u64 {
    let find: fn(Sem) -> Option<fn(u64, u64) -> u64> = by_sem! {
        I64Add i64_add I64Sub i64_sub I64Mul i64_mul I64And i64_and I64Or i64_or I64Xor i64_xor I64Shl i64_shl
        I64ShrS i64_shr_s I64ShrU i64_shr_u I64Rotl i64_rotl I64Rotr i64_rotr I64XorShrU i64_xor_shr_u
        F64Add f64_add F64Sub f64_sub F64Mul f64_mul F64Div f64_div F64Min f64_min F64Max f64_max F64Copysign f64_copysign
    };
    find(sem).expect("a 64-bit operation")
}

pub fn test32(sem: Sem) -> fn(u32, u32) -> bool {
    let find: fn(Sem) -> Option<fn(u32, u32) -> bool> = by_sem! {
        I32Eq i32_eq I32Ne i32_ne I32LtS i32_lt_s I32LtU i32_lt_u I32GeS i32_ge_s I32GeU i32_ge_u
        F32Eq f32_eq F32Ne f32_ne F32Lt f32_lt F32Le f32_le
    };
    find(sem).expect("a 32-bit test")
}

pub fn test64(sem: Sem) -> fn(u64, u64) -> bool {
    let find: fn(Sem) -> Option<fn(u64, u64) -> bool> = by_sem! {
        I64Eq i64_eq I64Ne i64_ne I64LtS i64_lt_s I64LtU i64_lt_u I64GeS i64_ge_s I64GeU i64_ge_u
        F64Eq f64_eq F64Ne f64_ne F64Lt f64_lt F64Le f64_le
    };
    find(sem).expect("a 64-bit test")
}

pub fn un32(sem: Sem) -> fn(u32) -> u32 {
    let find: fn(Sem) -> Option<fn(u32) -> u32> = by_sem! {
        I32Clz i32_clz I32Ctz i32_ctz I32Popcnt i32_popcnt I32Extend8S i32_extend8_s I32Extend16S i32_extend16_s
        F32Abs f32_abs F32Neg f32_neg F32Ceil f32_ceil F32Floor f32_floor F32Trunc f32_trunc F32Nearest f32_nearest
        F32Sqrt f32_sqrt I32TruncSatF32S i32_trunc_sat_f32_s I32TruncSatF32U i32_trunc_sat_f32_u
        F32ConvertI32S f32_convert_i32_s F32ConvertI32U f32_convert_i32_u
    };
    find(sem).expect("32 bits to 32")
}

pub fn un64(sem: Sem) -> fn(u64) -> u64 {
    let find: fn(Sem) -> Option<fn(u64) -> u64> = by_sem! {
        I64Clz i64_clz I64Ctz i64_ctz I64Popcnt i64_popcnt I64Extend8S i64_extend8_s I64Extend16S i64_extend16_s
        I64Extend32S i64_extend32_s F64Abs f64_abs F64Neg f64_neg F64Ceil f64_ceil F64Floor f64_floor
        F64Trunc f64_trunc F64Nearest f64_nearest F64Sqrt f64_sqrt
        I64TruncSatF64S i64_trunc_sat_f64_s I64TruncSatF64U i64_trunc_sat_f64_u
        F64ConvertI64S f64_convert_i64_s F64ConvertI64U f64_convert_i64_u
    };
    find(sem).expect("64 bits to 64")
}

pub fn narrow(sem: Sem) -> fn(u64) -> u32 {
    let find: fn(Sem) -> Option<fn(u64) -> u32> = by_sem! {
        I64Eqz i64_eqz I32TruncSatF64S i32_trunc_sat_f64_s I32TruncSatF64U i32_trunc_sat_f64_u
        F32ConvertI64S f32_convert_i64_s F32ConvertI64U f32_convert_i64_u F32DemoteF64 f32_demote_f64
    };
    find(sem).expect("64 bits to 32")
}

pub fn widen(sem: Sem) -> fn(u32) -> u64 {
    let find: fn(Sem) -> Option<fn(u32) -> u64> = by_sem! {
        I64ExtendI32S i64_extend_i32_s I64ExtendI32U i64_extend_i32_u
        I64TruncSatF32S i64_trunc_sat_f32_s I64TruncSatF32U i64_trunc_sat_f32_u
        F64ConvertI32S f64_convert_i32_s F64ConvertI32U f64_convert_i32_u F64PromoteF32 f64_promote_f32
    };
    find(sem).expect("32 bits to 64")
}

pub type Checked<R> = Result<R, TrapCode>;

pub fn div32(sem: Sem) -> fn(u32, u32) -> Checked<u32> {
    let find: fn(Sem) -> Option<fn(u32, u32) -> Checked<u32>> =
        by_sem! { I32DivS i32_div_s I32DivU i32_div_u I32RemS i32_rem_s I32RemU i32_rem_u };
    find(sem).expect("a 32-bit division")
}

pub fn div64(sem: Sem) -> fn(u64, u64) -> Checked<u64> {
    let find: fn(Sem) -> Option<fn(u64, u64) -> Checked<u64>> =
        by_sem! { I64DivS i64_div_s I64DivU i64_div_u I64RemS i64_rem_s I64RemU i64_rem_u };
    find(sem).expect("a 64-bit division")
}
