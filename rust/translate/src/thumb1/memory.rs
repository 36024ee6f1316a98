// SPDX-License-Identifier: Apache-2.0
//! Accesses of linear memory.

use super::encode::{self, sh};
use super::numbers::{add, imm};
use super::Thumb1;
use crate::isa::{Index, Isa, Reg, Width};
use crate::out::Out;
use crate::thumb2::encode::low;

/// Loads. The result's register is the scratch register.
pub fn load(out: &mut Out<'_>, width: Width, d: Reg, base: Reg, index: Index) {
    let signed = matches!(width, Width::ByteSigned | Width::HalfSigned);
    let (base, offset) = match index {
        Index::Reg(index) if low(base) => return encode::access(out, width, false, d, base, index),
        Index::Reg(index) if index != d => {
            encode::mov(out, d, base);
            return encode::access(out, width, false, d, d, index);
        }
        Index::Reg(_) => {
            encode::add_any(out, d, base);
            (d, 0)
        }
        Index::Imm(offset) if low(base) => (base, offset),
        Index::Imm(offset) => {
            encode::mov(out, d, base);
            (d, offset)
        }
    };
    if base != d && (signed || !encode::reaches(width, offset)) {
        imm(out, d, offset);
        return encode::access(out, width, false, d, base, d);
    }
    let mut offset = offset;
    if !encode::reaches(width, offset) {
        add(out, d, d, offset, d);
        offset = 0;
    }
    encode::access_imm(out, width, false, d, base, offset);
    if signed {
        encode::extend(out, u16::from(width == Width::ByteSigned), d, d);
    }
}

/// Stores.
pub fn store(out: &mut Out<'_>, width: Width, s: Reg, base: Reg, index: Index, t: Reg) {
    let base = match low(base) {
        true => base,
        false => {
            encode::mov(out, t, base);
            t
        }
    };
    match index {
        Index::Reg(index) => encode::access(out, width, true, s, base, index),
        Index::Imm(offset) if encode::reaches(width, offset) => {
            encode::access_imm(out, width, true, s, base, offset);
        }
        Index::Imm(offset) => {
            add(out, t, base, offset, t);
            encode::access_imm(out, width, true, s, t, 0);
        }
    }
}

/// Leaves in the flags whether something is left of an address that is divided.
pub fn rest(out: &mut Out<'_>, base: Reg, index: Index, bytes: u32, t: Reg) {
    // memory begins at a multiple of 8
    let low = match index {
        Index::Reg(index) => index,
        Index::Imm(offset) if base == Thumb1::PLAN.base => {
            encode::imm_8(out, 0, t, (offset % bytes) as u16);
            t
        }
        Index::Imm(offset) if offset % bytes == 0 => base,
        Index::Imm(offset) => {
            encode::imm_3(out, false, t, base, (offset % bytes) as u16);
            t
        }
    };
    encode::shift_imm(out, sh::LSL, t, low, if bytes == 2 { 31 } else { 30 });
}

/// Puts the address of an access into a register that is none of its own.
fn address(out: &mut Out<'_>, t: Reg, base: Reg, index: Index) {
    match index {
        Index::Reg(index) => {
            encode::mov(out, t, base);
            encode::add_any(out, t, index);
        }
        Index::Imm(offset) => {
            add(out, t, base, offset, t);
        }
    }
}

/// Loads or stores by a function of the firmware. Returns the offset of the call.
pub fn by_bytes(out: &mut Out<'_>, store: bool, r: Reg, at: (Reg, Index), t: Reg, to: u32) -> u32 {
    // the function finds the address on the stack, and behind it the value; it leaves what it loads in place of the address
    if store {
        encode::push(out, 1 << r.0, false);
    }
    if at.1 == Index::Imm(0) && low(at.0) {
        encode::push(out, 1 << at.0 .0, false);
    } else {
        address(out, t, at.0, at.1);
        encode::push(out, 1 << t.0, false);
    }
    let call = out.at();
    encode::branch_long(out, None, true, to);
    if store {
        encode::add_stack(out, 2);
    } else {
        encode::pop(out, 1 << r.0, false);
    }
    call
}
