// SPDX-License-Identifier: Apache-2.0
//! Operands, slots and memory accesses, for all back ends written in Rust.

use crate::vm::context::Ctx;

/// Returns the word `n` of the op at `ip`.
///
/// # Safety
/// Rule V, `OperandsInFunction`: the op has that word.
#[inline(always)]
pub unsafe fn word(ip: *const u16, n: usize) -> u16 {
    // SAFETY: rule V, `OperandsInFunction`: the op has that word. Where unaligned reads cost, `Module` insists on
    // aligned images.
    unsafe {
        if cfg!(target_pointer_width = "64") {
            ip.add(n).read_unaligned()
        } else {
            ip.add(n).read()
        }
    }
}

/// Returns two words as a signed integer.
///
/// # Safety
/// Rule V, `OperandsInFunction`: the op has that word.
#[inline(always)]
pub unsafe fn long(ip: *const u16, n: usize) -> i32 {
    // SAFETY: rule V, `OperandsInFunction`: the op has both words.
    unsafe { (u32::from(word(ip, n)) | u32::from(word(ip, n + 1)) << 16) as i32 }
}

/// Returns one word, sign-extended.
///
/// # Safety
/// Rule V, `OperandsInFunction`: the op has that word.
#[inline(always)]
pub unsafe fn imm32(ip: *const u16, n: usize) -> u32 {
    // SAFETY: rule V, `OperandsInFunction`: the op has that word.
    unsafe { word(ip, n) as i16 as u32 }
}

/// Returns one word, sign-extended to 64 bits.
///
/// # Safety
/// Rule V, `OperandsInFunction`: the op has that word.
#[inline(always)]
pub unsafe fn imm64(ip: *const u16, n: usize) -> u64 {
    // SAFETY: rule V, `OperandsInFunction`: the op has that word.
    unsafe { word(ip, n) as i16 as u64 }
}

/// Returns the slot that word `n` names.
///
/// # Safety
/// Rule V, `SlotInFrame`, and rule F.
#[inline(always)]
pub unsafe fn get32(ip: *const u16, fp: *mut u8, n: usize) -> u32 {
    // SAFETY: rules V (`SlotInFrame`) and F: the slot lies in the stack, which is aligned; offsets are multiples of
    // four.
    unsafe { fp.add(usize::from(word(ip, n))).cast::<u32>().read() }
}

/// Writes the slot that word `n` names.
///
/// # Safety
/// Rule V, `SlotInFrame`, and rule F.
#[inline(always)]
pub unsafe fn set32(ip: *const u16, fp: *mut u8, n: usize, bits: u32) {
    // SAFETY: rules V (`SlotInFrame`) and F: the slot lies in the stack, which is aligned; offsets are multiples of
    // four.
    unsafe { fp.add(usize::from(word(ip, n))).cast::<u32>().write(bits) };
}

/// Returns the two slots that word `n` names.
///
/// # Safety
/// Rule V, `SlotInFrame`, and rule F.
#[inline(always)]
pub unsafe fn get64(ip: *const u16, fp: *mut u8, n: usize) -> u64 {
    // SAFETY: rules V (`SlotInFrame`) and F: the slot lies in the stack, which is aligned; offsets are multiples of
    // four; the verifier checks 64-bit slots for both halves.
    unsafe {
        let low = fp.add(usize::from(word(ip, n))).cast::<u32>();
        u64::from(low.read()) | u64::from(low.add(1).read()) << 32
    }
}

/// Writes the two slots that word `n` names.
///
/// # Safety
/// Rule V, `SlotInFrame`, for both halves, and rule F.
#[inline(always)]
pub unsafe fn set64(ip: *const u16, fp: *mut u8, n: usize, bits: u64) {
    // SAFETY: rules V (`SlotInFrame`) and F: the slot lies in the stack, which is aligned; offsets are multiples of
    // four; the verifier checks 64-bit slots for both halves.
    unsafe {
        let low = fp.add(usize::from(word(ip, n))).cast::<u32>();
        low.write(bits as u32);
        low.add(1).write((bits >> 32) as u32);
    }
}

/// Returns the address of an access of `1 << LOG2` bytes, if all of them exist.
#[inline(always)]
pub fn effective<const LOG2: usize>(ctx: &Ctx, base: u32, offset: u16) -> Option<usize> {
    let address = (base as usize).checked_add(usize::from(offset))?;
    let limit = if LOG2 == 3 { &ctx.limit_wide } else { &ctx.limits[LOG2] };
    (address < limit.get()).then_some(address)
}

/// Loads an integer from anywhere.
///
/// # Safety
/// [`effective`] gave the address for this width.
#[inline(always)]
pub unsafe fn load<T: Copy, const N: usize>(memory: *mut u8, address: usize, of: impl Fn([u8; N]) -> T) -> T {
    // SAFETY: the caller has the address from `effective`: N bytes lie there. N is the size of T, an integer.
    unsafe {
        let place = memory.add(address);
        if cfg!(wisp_strict_align) && N > 1 {
            if place.addr() % N == 0 {
                return place.cast::<T>().read();
            }
            return of(bytes::<N>(place));
        }
        place.cast::<T>().read_unaligned()
    }
}

/// Loads bytes that lie misaligned, on targets that cannot load them at once.
///
/// # Safety
/// They exist.
#[cold]
#[inline(never)]
unsafe fn bytes<const N: usize>(place: *const u8) -> [u8; N] {
    // SAFETY: the caller knows that the bytes exist; an array of bytes needs no alignment.
    unsafe { place.cast::<[u8; N]>().read() }
}

/// Stores an integer anywhere.
///
/// # Safety
/// [`effective`] gave the address for this width.
#[inline(always)]
pub unsafe fn store<T: Copy, const N: usize>(memory: *mut u8, address: usize, value: T, to: impl Fn(T) -> [u8; N]) {
    // SAFETY: the caller has the address from `effective`: N bytes lie there. N is the size of T, an integer.
    unsafe {
        let place = memory.add(address);
        if cfg!(wisp_strict_align) && N > 1 {
            if place.addr() % N == 0 {
                place.cast::<T>().write(value);
            } else {
                put_bytes::<N>(place, to(value));
            }
        } else {
            place.cast::<T>().write_unaligned(value);
        }
    }
}

/// Writes bytes one by one, as [`bytes`] reads them.
///
/// # Safety
/// The bytes exist.
#[cold]
#[inline(never)]
unsafe fn put_bytes<const N: usize>(place: *mut u8, bytes: [u8; N]) {
    // SAFETY: the caller knows that the bytes exist; an array of bytes needs no alignment.
    unsafe { place.cast::<[u8; N]>().write(bytes) };
}

/// Loads, by the name of what they compute. The address is one that [`effective`] gave.
macro_rules! loads {
    ($($name:ident $int:ty as $($via:ty),+;)*) => {$(
        /// # Safety
        /// [`effective`] gave the address for this width.
        #[inline(always)]
        pub unsafe fn $name(memory: *mut u8, address: usize) -> loads!(@last $($via),+) {
            // SAFETY: the caller has the address from `effective`, for this width.
            (unsafe { load(memory, address, <$int>::from_le_bytes) }) $(as $via)+
        }
    )*};
    (@last $a:ty) => { $a };
    (@last $a:ty, $($rest:ty),+) => { loads!(@last $($rest),+) };
}

loads! {
    load_i32 u32 as u32;
    load_i32_8_s i8 as i32, u32;
    load_i32_8_u u8 as u32;
    load_i32_16_s i16 as i32, u32;
    load_i32_16_u u16 as u32;
    load_i64 u64 as u64;
    load_i64_8_s i8 as i64, u64;
    load_i64_8_u u8 as u64;
    load_i64_16_s i16 as i64, u64;
    load_i64_16_u u16 as u64;
    load_i64_32_s i32 as i64, u64;
    load_i64_32_u u32 as u64;
}

/// Stores, by the name of what they compute.
macro_rules! stores {
    ($($name:ident $value:ty as $int:ty;)*) => {$(
        /// # Safety
        /// [`effective`] gave the address for this width.
        #[inline(always)]
        pub unsafe fn $name(memory: *mut u8, address: usize, value: $value) {
            // SAFETY: the caller has the address from `effective`, for this width.
            unsafe { store(memory, address, value as $int, <$int>::to_le_bytes) };
        }
    )*};
}

stores! {
    store_i32 u32 as u32;
    store_i32_8 u32 as u8;
    store_i32_16 u32 as u16;
    store_i64 u64 as u64;
}
