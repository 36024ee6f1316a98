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
        if op.form.last() == Some(&Operand::Targets) {
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
                    Dst | Dst64 | Slot | Slot64 | DstFirst => write!(f, "r{}", half(at) / 4)?,
                    DstAcc | Acc => f.write_str("acc")?,
                    Imm16 => write!(f, "{}", half(at) as i16)?,
                    Imm32 => write!(f, "{}", long(at))?,
                    Imm64 => write!(f, "{}", i64::from(long(at) as u32) | i64::from(long(at + 4)) << 32)?,
                    Offset => write!(f, "+{}", half(at))?,
                    Forward => write!(f, "@{:#x}", here + i64::from(half(at)))?,
                    Back => write!(f, "@{:#x}", here - i64::from(half(at)))?,
                    Far => write!(f, "@{:#x}", here + i64::from(long(at)))?,
                    Targets => {
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
                    Frame => write!(f, "frame r{}", half(at) / 4)?,
                    Callee => write!(f, "fn@{:#x}", here + 2 * i64::from(half(at) as i16))?,
                    CalleeFar => write!(f, "fn@{:#x}", here + i64::from(long(at)))?,
                    Import => write!(f, "import {}", half(at))?,
                    Func => write!(f, "func {}", half(at))?,
                    Global | Global64 => write!(f, "global+{}", half(at))?,
                    GlobalImport | GlobalImport64 => write!(f, "imported global {}", half(at))?,
                    Type => write!(f, "type {}", half(at))?,
                    TableIndex => write!(f, "table {}", half(at))?,
                    Element => write!(f, "elem {}", half(at))?,
                    Data => write!(f, "data {}", half(at))?,
                    FrameSize => write!(f, "frame {}", half(at) / 4)?,
                    Zero => write!(f, "clear r{}..+{}", half(at) / 4, half(at + 2))?,
                    Operand::None => {}
                }
                at += 2 * kind.words();
            }
        }
        Ok(())
    }
}
