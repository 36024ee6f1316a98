// SPDX-License-Identifier: Apache-2.0
//! Values at the border of guest and host.

use wisp_image::format::ValType;

use crate::api::func::Func;

/// A value of the guest. Floats are carried as their bits, so that no conversion touches a NaN and no
/// float register is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Val {
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// Bits of a 32-bit float.
    F32(u32),
    /// Bits of a 64-bit float.
    F64(u64),
    /// Function reference.
    FuncRef(Option<Func>),
    /// Host reference: a number below `u32::MAX` of the host's choice.
    ExternRef(Option<u32>),
}

impl Val {
    /// Returns its type.
    pub const fn ty(self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::FuncRef(_) => ValType::FuncRef,
            Self::ExternRef(_) => ValType::ExternRef,
        }
    }

    /// Returns zero, or null, of a type.
    pub const fn zero(ty: ValType) -> Self {
        Self::from_bits(ty, 0)
    }

    /// Returns the bits in one or two slots.
    pub const fn bits(self) -> u64 {
        match self {
            Self::I32(x) => x as u32 as u64,
            Self::I64(x) => x as u64,
            Self::F32(x) => x as u64,
            Self::F64(x) => x,
            Self::FuncRef(x) => Func::to_bits(x) as u64,
            Self::ExternRef(None) => 0,
            Self::ExternRef(Some(x)) => x.wrapping_add(1) as u64,
        }
    }

    /// Returns the value of this type with these bits.
    pub const fn from_bits(ty: ValType, bits: u64) -> Self {
        match ty {
            ValType::I32 => Self::I32(bits as i32),
            ValType::I64 => Self::I64(bits as i64),
            ValType::F32 => Self::F32(bits as u32),
            ValType::F64 => Self::F64(bits),
            ValType::FuncRef => Self::FuncRef(Func::from_bits(bits as u32)),
            ValType::ExternRef => Self::ExternRef(if bits as u32 == 0 { None } else { Some(bits as u32 - 1) }),
        }
    }

    /// Returns the integer, if it is an `i32`.
    pub const fn i32(self) -> Option<i32> {
        match self {
            Self::I32(x) => Some(x),
            _ => None,
        }
    }

    /// Returns the integer, if it is an `i64`.
    pub const fn i64(self) -> Option<i64> {
        match self {
            Self::I64(x) => Some(x),
            _ => None,
        }
    }
}

impl From<i32> for Val {
    fn from(x: i32) -> Self {
        Self::I32(x)
    }
}

impl From<i64> for Val {
    fn from(x: i64) -> Self {
        Self::I64(x)
    }
}

impl From<f32> for Val {
    fn from(x: f32) -> Self {
        Self::F32(x.to_bits())
    }
}

impl From<f64> for Val {
    fn from(x: f64) -> Self {
        Self::F64(x.to_bits())
    }
}

/// A Rust type that stands for a value of the guest.
pub trait WasmTy: Copy {
    /// Its type in the guest.
    const TYPE: ValType;
    /// The type in which native code passes the value, with the same bits.
    type Native: WasmTy + Default;
    /// Returns the bits in one or two slots.
    fn into_bits(self) -> u64;
    /// Returns the value with these bits.
    fn of_bits(bits: u64) -> Self;
}

macro_rules! wasm_ty {
    ($($rust:ty, $native:ty, $ty:ident, $x:ident => $into:expr, $bits:ident => $from:expr;)*) => {$(
        impl WasmTy for $rust {
            const TYPE: ValType = ValType::$ty;
            type Native = $native;
            #[inline(always)]
            fn into_bits(self) -> u64 {
                let $x = self;
                $into
            }
            #[inline(always)]
            fn of_bits($bits: u64) -> Self {
                $from
            }
        }
    )*};
}

wasm_ty! {
    i32, u32, I32, x => u64::from(x as u32), bits => bits as i32;
    u32, u32, I32, x => u64::from(x), bits => bits as u32;
    i64, u64, I64, x => x as u64, bits => bits as i64;
    u64, u64, I64, x => x, bits => bits;
    f32, f32, F32, x => u64::from(x.to_bits()), bits => f32::from_bits(bits as u32);
    f64, f64, F64, x => x.to_bits(), bits => f64::from_bits(bits);
    Option<Func>, u32, FuncRef, x => u64::from(Func::to_bits(x)), bits => Func::from_bits(bits as u32);
}

/// Values in neighbouring slots: parameters of a call, or its results.
pub trait WasmValues: Copy {
    /// Their types.
    const TYPES: &'static [ValType];
    /// Slots they take.
    const SLOTS: usize;
    /// The type of the result that native code gets: none, or one value.
    type Native: Default;
    /// There are no more of them than that.
    const NATIVE: bool;
    /// Returns the result.
    fn native(self) -> Self::Native;
    /// Hands each slot's bits to `put`, in order.
    fn write(self, put: &mut impl FnMut(usize, u32));
    /// Takes each slot's bits from `get`.
    fn read(get: &mut impl FnMut(usize) -> u32) -> Self;
}

#[inline(always)]
fn write_one<V: WasmTy>(value: V, at: usize, put: &mut impl FnMut(usize, u32)) -> usize {
    let bits = value.into_bits();
    put(at, bits as u32);
    if V::TYPE.slots() == 2 {
        put(at + 1, (bits >> 32) as u32);
    }
    at + V::TYPE.slots()
}

#[inline(always)]
fn read_one<V: WasmTy>(at: &mut usize, get: &mut impl FnMut(usize) -> u32) -> V {
    let mut bits = u64::from(get(*at));
    if V::TYPE.slots() == 2 {
        bits |= u64::from(get(*at + 1)) << 32;
    }
    *at += V::TYPE.slots();
    V::of_bits(bits)
}

impl<V: WasmTy> WasmValues for V {
    const TYPES: &'static [ValType] = &[V::TYPE];
    const SLOTS: usize = V::TYPE.slots();
    type Native = V::Native;
    const NATIVE: bool = true;
    #[inline(always)]
    fn native(self) -> V::Native {
        V::Native::of_bits(self.into_bits())
    }
    #[inline(always)]
    fn write(self, put: &mut impl FnMut(usize, u32)) {
        write_one(self, 0, put);
    }
    #[inline(always)]
    fn read(get: &mut impl FnMut(usize) -> u32) -> Self {
        read_one(&mut 0, get)
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: WasmTy),*> WasmValues for ($($name,)*) {
            const TYPES: &'static [ValType] = &[$($name::TYPE),*];
            const SLOTS: usize = 0 $(+ $name::TYPE.slots())*;
            type Native = ();
            const NATIVE: bool = Self::SLOTS == 0;
            #[inline(always)]
            fn native(self) {}
            #[inline(always)]
            #[allow(non_snake_case, unused)]
            fn write(self, put: &mut impl FnMut(usize, u32)) {
                let ($($name,)*) = self;
                let at = 0;
                $(let at = write_one($name, at, put);)*
            }
            #[inline(always)]
            #[allow(unused, clippy::unused_unit)]
            fn read(get: &mut impl FnMut(usize) -> u32) -> Self {
                let mut at = 0;
                ($(read_one::<$name>(&mut at, get),)*)
            }
        }
    };
}

/// Expands `$macro` for every number of parameters from none to twelve.
macro_rules! for_each_arity {
    ($macro:ident) => {
        $macro! {}
        $macro! { A }
        $macro! { A B }
        $macro! { A B C }
        $macro! { A B C D }
        $macro! { A B C D E }
        $macro! { A B C D E G }
        $macro! { A B C D E G H }
        $macro! { A B C D E G H I }
        $macro! { A B C D E G H I J }
        $macro! { A B C D E G H I J K }
        $macro! { A B C D E G H I J K L }
        $macro! { A B C D E G H I J K L M }
    };
}
pub(crate) use for_each_arity;

for_each_arity!(tuples);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_values_take_two_slots_low_half_first() {
        let mut slots = [0; 4];
        (7i32, 0x1111_2222_3333_4444i64, 1.0f32).write(&mut |at, bits| slots[at] = bits);
        assert_eq!(slots, [7, 0x3333_4444, 0x1111_2222, 0x3f80_0000]);
        let back = <(i32, i64, f32)>::read(&mut |at| slots[at]);
        assert_eq!(back, (7, 0x1111_2222_3333_4444, 1.0));
    }

    #[test]
    fn null_references_are_zero() {
        assert_eq!(Val::ExternRef(None).bits(), 0);
        assert_eq!(Val::ExternRef(Some(0)).bits(), 1);
        assert_eq!(Val::from_bits(ValType::ExternRef, 1), Val::ExternRef(Some(0)));
        assert_eq!(Val::zero(ValType::FuncRef), Val::FuncRef(None));
    }
}
