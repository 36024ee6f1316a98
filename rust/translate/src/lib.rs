// SPDX-License-Identifier: Apache-2.0
//! Turns verified IR into machine code on the device itself.
//!
//! [`translate`] takes one function of a verified image and appends its code to a buffer. It allocates nothing, keeps
//! no state between functions, and takes scratch memory that grows with the function's IR and its frame
//! ([`scratch_words`]). The code of a function begins with `enter` and keeps to the conventions of
//! [`isa::Plan`]: the frame's registers hold what they say there, arguments lie in the frame, a single result is in the
//! first register or registers.
//!
//! The interpreter is the semantics. Where an access, a division or an entry would trap, the code calls
//! [`Helper::Deopt`], and [`locate`] tells of the place: which op, which slots live in which registers, where the
//! accumulator is. The interpreter then does the op again and goes on to the function's end, or traps. So a check may
//! cover several accesses: if it fails, nothing has happened yet, and the interpreter finds out which of them traps.
//!
//! What the code relies on, beside the verifier's rules: linear memory never shrinks, and the instance's record has the
//! fields of [`Layout`].
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod access;
mod bits64;
mod control;
mod decode;
mod flow;
mod function;
pub mod isa;
mod labels;
mod module;
mod ops;
pub mod out;
mod pins;
pub mod riscv;
mod thumb;
pub mod thumb1;
pub mod thumb2;
mod values;

pub use function::{locate, pins, scratch_words, translate, Code, Env, Site, Translated};
pub use module::{calling, translate_all, Outcome};
pub use pins::{Pins, MOST};

/// Byte offsets of fields of the instance's record that code reads.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The end of the frame stack.
    pub stack_limit: u32,
    /// The lowest address that the native stack may have.
    pub floor: u32,
    /// Pointer to the globals.
    pub globals: u32,
    /// Pointer to the pointers to imported globals.
    pub imported_globals: u32,
}

/// Functions of the firmware that code calls. Each finds the frame, the instance and the units of fuel in their
/// registers, keeps them and the registers of slots, and may change all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Helper {
    /// Goes on in the interpreter, at the place of the call, and returns to the caller of the function.
    Deopt,
    /// Hands out fuel: there is less than none.
    Refill,
    /// Traps: the native stack is used up.
    Overflow,
    /// Calls the imported function whose index is in the first scratch register, with the frame at the offset in the
    /// second.
    Import,
    /// Calls through a table: index in the first scratch register, type and table (upper half) in the second. The frame
    /// is the callee's already.
    Indirect,
    /// Does the op at the code offset in the first scratch register. The accumulator is in the first register.
    Escape,
    /// Calls a function that has no code: its code offset is in the first scratch register, the frame is the callee's.
    Interpret,
    /// Bits that are one.
    Popcnt,
    /// Sum of single precision: sources in the first two registers. So do the following.
    F32Add,
    /// Difference.
    F32Sub,
    /// Product.
    F32Mul,
    /// Quotient.
    F32Div,
    /// 1 if equal.
    F32Eq,
    /// 1 if less.
    F32Lt,
    /// 1 if less or equal.
    F32Le,
    /// Sum of double precision: the first source is in the first pair, the second in the slots at the offset in the
    /// register that follows the pair. So do the following.
    F64Add,
    /// Difference.
    F64Sub,
    /// Product.
    F64Mul,
    /// Quotient.
    F64Div,
    /// 1 if equal.
    F64Eq,
    /// 1 if less.
    F64Lt,
    /// 1 if less or equal.
    F64Le,
    /// Conversions, named by source and result: the source in the first register or pair.
    I32ToF32,
    /// Unsigned.
    U32ToF32,
    /// 64 bits.
    I64ToF32,
    /// Unsigned.
    U64ToF32,
    /// To double precision.
    I32ToF64,
    /// Unsigned.
    U32ToF64,
    /// 64 bits.
    I64ToF64,
    /// Unsigned.
    U64ToF64,
    /// To single precision.
    F64ToF32,
    /// To double precision.
    F32ToF64,
    /// Saturating.
    F32ToI32,
    /// Unsigned.
    F32ToU32,
    /// From double precision.
    F64ToI32,
    /// Unsigned.
    F64ToU32,
    /// Division of the first register by the second, where there is no instruction.
    DivS,
    /// Unsigned.
    DivU,
    /// The remainder.
    RemS,
    /// Unsigned.
    RemU,
    /// Zeros above the highest one, where there is no instruction.
    Clz,
    /// Zeros below the lowest one.
    Ctz,
    /// Product of the two pairs, where there are no instructions.
    Mul64,
    /// The first pair shifted by the register that follows it.
    Shl64,
    /// To the right, signed.
    ShrS64,
    /// Unsigned.
    ShrU64,
    /// Rotated.
    Rotl64,
    /// To the right.
    Rotr64,
    /// Loads a halfword from any address, where instructions take even ones only. The code says where the address, the
    /// value and the return address are. No register of the plan changes.
    LoadHalf,
    /// Extends the sign.
    LoadHalfSigned,
    /// Loads a word.
    LoadWord,
    /// Stores a halfword.
    StoreHalf,
    /// Stores a word.
    StoreWord,
}

impl Helper {
    /// Number of helpers.
    pub const COUNT: usize = Self::StoreWord as usize + 1;
}

/// Why a function gets no code. It can be interpreted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// The scratch memory is too small.
    Scratch,
    /// The buffer has no room.
    Room,
    /// The frame is larger than instructions reach.
    Frame,
    /// An op cannot be translated where it stands.
    Op,
    /// A branch does not reach its target.
    Reach,
    /// Whoever wants to end the translation has said so.
    Stopped,
}
