// SPDX-License-Identifier: Apache-2.0
//! Walks the ops of a function; with the feature `text` it also prints them.

use crate::ops::{self, Op, Operand};
use crate::reader::u16_at;

/// One decoded op.
#[derive(Clone, Copy)]
pub struct Decoded<'a> {
    /// Offset in the code section, in bytes.
    pub offset: usize,
    /// The op.
    pub op: Op,
    /// Its bytes, the opcode included.
    pub bytes: &'a [u8],
}

impl Decoded<'_> {
    /// Returns the features that the op needs, as a sum of [`crate::features::Feature`]s.
    pub fn features(&self) -> u8 {
        u16_at(self.bytes, 0).map_or(0, |word| crate::features::needed(word / 4))
    }
}

/// Returns the ops from `start` to `end` (byte offsets in the code section). Stops at what is no op.
pub fn ops(code: &[u8], start: usize, end: usize) -> impl Iterator<Item = Decoded<'_>> {
    let mut at = start;
    core::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let word = u16_at(code, at)?;
        let op = ops::op(word / 4)?;
        let mut length = 2 * op.words();
        if op.form.last() == Some(&Operand::Table) {
            length += 2 * (1 + usize::from(u16_at(code, at + length - 2)?));
        }
        let decoded = Decoded { offset: at, op, bytes: code.get(at..at + length)? };
        at += length;
        Some(decoded)
    })
}

/// Prints slots as `r0`, branch targets and callees as code offsets.
#[cfg(feature = "text")]
impl core::fmt::Display for Decoded<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        use Operand::*;
        let mut at = 2;
        let half = |at: usize| u16_at(self.bytes, at).unwrap_or(0);
        let long = |at: usize| (u32::from(half(at)) | u32::from(half(at + 2)) << 16) as i32;
        for (place, part) in self.op.parts().enumerate() {
            write!(f, "{}{}", if place == 0 { "" } else { "; " }, part.sem.name())?;
            let mut separator = " ";
            for &kind in part.form {
                f.write_str(separator)?;
                separator = ", ";
                let here = self.offset as i64;
                match kind {
                    D | E | S | T | M => write!(f, "r{}", half(at) / 4)?,
                    AccD | A => f.write_str("acc")?,
                    I => write!(f, "{}", half(at) as i16)?,
                    J => write!(f, "{}", long(at))?,
                    K => write!(f, "{}", i64::from(long(at) as u32) | i64::from(long(at + 4)) << 32)?,
                    O => write!(f, "+{}", half(at))?,
                    F => write!(f, "@{:#x}", here + i64::from(half(at)))?,
                    B => write!(f, "@{:#x}", here - i64::from(half(at)))?,
                    BFar => write!(f, "@{:#x}", here + i64::from(long(at)))?,
                    Table => {
                        for entry in 0..=usize::from(half(at)) {
                            write!(
                                f,
                                "{}@{:#x}",
                                if entry == 0 { "[" } else { " " },
                                here + i64::from(half(at + 2 + 2 * entry))
                            )?;
                        }
                        f.write_str("]")?;
                    }
                    R => write!(f, "frame r{}", half(at) / 4)?,
                    N => write!(f, "fn@{:#x}", here + 2 * i64::from(half(at) as i16))?,
                    NFar => write!(f, "fn@{:#x}", here + i64::from(long(at)))?,
                    H => write!(f, "import {}", half(at))?,
                    Func => write!(f, "func {}", half(at))?,
                    G | G64 => write!(f, "global+{}", half(at))?,
                    GI | GI64 => write!(f, "imported global {}", half(at))?,
                    Y => write!(f, "type {}", half(at))?,
                    X => write!(f, "table {}", half(at))?,
                    L => write!(f, "elem {}", half(at))?,
                    P => write!(f, "data {}", half(at))?,
                    V => write!(f, "frame {}", half(at) / 4)?,
                    Zero => write!(f, "clear r{}..+{}", half(at) / 4, half(at + 2))?,
                    Operand::None => {}
                }
                at += 2 * kind.words();
            }
        }
        Ok(())
    }
}
