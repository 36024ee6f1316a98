// SPDX-License-Identifier: Apache-2.0
//! The bytes of a tape: a header, the images (each 8-aligned), the records. Little endian.

use alloc::vec::Vec;

use wisp_engine::Val;

/// First word.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WTP1");
/// Bytes of the header: magic, bytes of images, bytes of records, 0.
pub const HEADER: usize = 16;

/// Kinds of records.
pub mod record {
    /// A file begins: name, assertions judged on the workstation, assertions skipped.
    pub const FILE: u8 = 1;
    /// A new store: most bytes of a memory (4 bytes).
    pub const STORE: u8 = 2;
    /// Instantiates: line, flags, offset and length of the image, expectation. Becomes the current instance and
    /// the next one in the store if the expectation is [`super::expect::NOTHING`].
    pub const INSTANTIATE: u8 = 3;
    /// Calls an export: line, flags, instance, name, arguments, expectation.
    pub const INVOKE: u8 = 4;
    /// Reads an exported global: line, flags, instance, name, expectation.
    pub const GET: u8 = 5;
    /// Lets modules import from an instance: instance, name.
    pub const REGISTER: u8 = 6;
}

/// The flag of an action that fails where memories cannot grow to tens of megabytes.
pub const LARGE: u8 = 1;

/// Expected results of actions: one byte, then the data that each comment lists.
pub mod expect {
    /// It is no assertion, but must not trap.
    pub const NOTHING: u8 = 0;
    /// These values: number, each.
    pub const VALUES: u8 = 1;
    /// A trap: its code.
    pub const TRAP: u8 = 2;
    /// A problem of linking: one bit for each that fits.
    pub const UNLINKABLE: u8 = 3;
    /// The engine refuses the image because it is built without a feature: the feature's bit.
    pub const MISSING: u8 = 4;
}

/// Values and what they are compared with: a tag, then the bits.
pub mod value {
    /// 4 bytes.
    pub const I32: u8 = 0;
    /// 8 bytes.
    pub const I64: u8 = 1;
    /// 4 bytes.
    pub const F32: u8 = 2;
    /// 8 bytes.
    pub const F64: u8 = 3;
    /// None.
    pub const NULL_FUNC: u8 = 4;
    /// None.
    pub const NULL_EXTERN: u8 = 5;
    /// 4 bytes.
    pub const EXTERN: u8 = 6;
    /// The quiet NaN without payload, of either sign. No bytes, as below.
    pub const F32_CANONICAL: u8 = 7;
    /// A quiet NaN with any payload.
    pub const F32_ARITHMETIC: u8 = 8;
    /// The quiet NaN of 64 bits without payload, of either sign.
    pub const F64_CANONICAL: u8 = 9;
    /// A quiet NaN of 64 bits with any payload.
    pub const F64_ARITHMETIC: u8 = 10;
    /// A null reference of any type.
    pub const NULL: u8 = 11;
    /// Any host reference.
    pub const ANY_EXTERN: u8 = 12;
    /// Any function.
    pub const ANY_FUNC: u8 = 13;
    /// One of several: number, each.
    pub const EITHER: u8 = 14;
}

/// Appends a number of 4 bytes.
pub fn put_u32(to: &mut Vec<u8>, x: u32) {
    to.extend(x.to_le_bytes());
}

/// Appends a string of up to 65535 bytes.
pub fn put_str(to: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    to.extend(length.to_le_bytes());
    to.extend(&text.as_bytes()[..usize::from(length)]);
}

/// Appends an argument. Functions other than null cannot be written.
pub fn put_val(to: &mut Vec<u8>, value: Val) {
    match value {
        Val::I32(x) => {
            to.push(value::I32);
            to.extend(x.to_le_bytes());
        }
        Val::I64(x) => {
            to.push(value::I64);
            to.extend(x.to_le_bytes());
        }
        Val::F32(x) => {
            to.push(value::F32);
            to.extend(x.to_le_bytes());
        }
        Val::F64(x) => {
            to.push(value::F64);
            to.extend(x.to_le_bytes());
        }
        Val::FuncRef(_) => to.push(value::NULL_FUNC),
        Val::ExternRef(None) => to.push(value::NULL_EXTERN),
        Val::ExternRef(Some(x)) => {
            to.push(value::EXTERN);
            to.extend(x.to_le_bytes());
        }
    }
}

/// A place in the records.
#[derive(Clone, Copy)]
pub struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Cursor<'t> {
    /// Returns a reader that stands at the first record.
    pub fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Returns the offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns the next byte, left there.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Returns the next bytes.
    pub fn bytes(&mut self, n: usize) -> Option<&'t [u8]> {
        let bytes = self.bytes.get(self.at..)?.get(..n)?;
        self.at += n;
        Some(bytes)
    }

    /// Returns a byte.
    pub fn u8(&mut self) -> Option<u8> {
        Some(self.bytes(1)?[0])
    }

    /// Returns a number of 2 bytes.
    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    /// Returns a number of 4 bytes.
    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// Returns a number of 8 bytes.
    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    /// Returns a string.
    pub fn str(&mut self) -> Option<&'t str> {
        let length = self.u16()?;
        core::str::from_utf8(self.bytes(usize::from(length))?).ok()
    }

    /// Returns an argument.
    pub fn val(&mut self) -> Option<Val> {
        Some(match self.u8()? {
            value::I32 => Val::I32(self.u32()? as i32),
            value::I64 => Val::I64(self.u64()? as i64),
            value::F32 => Val::F32(self.u32()?),
            value::F64 => Val::F64(self.u64()?),
            value::NULL_FUNC => Val::FuncRef(None),
            value::NULL_EXTERN => Val::ExternRef(None),
            value::EXTERN => Val::ExternRef(Some(self.u32()?)),
            _ => return None,
        })
    }

    /// Reads what a value is compared with, and compares.
    pub fn matches(&mut self, got: Option<Val>) -> Option<bool> {
        Some(match self.u8()? {
            value::I32 => self.u32().map(|x| Some(Val::I32(x as i32)))? == got,
            value::I64 => self.u64().map(|x| Some(Val::I64(x as i64)))? == got,
            value::F32 => self.u32().map(|x| Some(Val::F32(x)))? == got,
            value::F64 => self.u64().map(|x| Some(Val::F64(x)))? == got,
            value::EXTERN => self.u32().map(|x| Some(Val::ExternRef(Some(x))))? == got,
            value::NULL_FUNC => got == Some(Val::FuncRef(None)),
            value::NULL_EXTERN => got == Some(Val::ExternRef(None)),
            value::NULL => matches!(got, Some(Val::FuncRef(None) | Val::ExternRef(None))),
            value::ANY_EXTERN => matches!(got, Some(Val::ExternRef(Some(_)))),
            value::ANY_FUNC => matches!(got, Some(Val::FuncRef(Some(_)))),
            value::F32_CANONICAL => matches!(got, Some(Val::F32(x)) if x & 0x7fff_ffff == 0x7fc0_0000),
            value::F32_ARITHMETIC => matches!(got, Some(Val::F32(x)) if x & 0x7fc0_0000 == 0x7fc0_0000),
            value::F64_CANONICAL => matches!(got, Some(Val::F64(x)) if x << 1 == 0x7ff8_0000_0000_0000 << 1),
            value::F64_ARITHMETIC => {
                matches!(got, Some(Val::F64(x)) if x & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000)
            }
            value::EITHER => {
                let mut any = false;
                for _ in 0..self.u8()? {
                    any |= self.matches(got)?;
                }
                any
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(bytes: &[u8], got: Val) -> bool {
        Cursor::new(bytes).matches(Some(got)).expect("it can be read")
    }

    #[test]
    fn what_is_put_is_read() {
        let values = [
            Val::I32(-1),
            Val::I64(i64::MIN),
            Val::F32(0x7fa0_0001),
            Val::F64(1 << 63),
            Val::FuncRef(None),
            Val::ExternRef(None),
            Val::ExternRef(Some(7)),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|&value| put_val(&mut bytes, value));
        let mut cursor = Cursor::new(&bytes);
        values.iter().for_each(|&value| assert_eq!(cursor.val(), Some(value)));
        assert_eq!(cursor.u8(), None);
        let mut cursor = Cursor::new(&bytes);
        values.iter().for_each(|&value| assert_eq!(cursor.matches(Some(value)), Some(true)));
    }

    #[test]
    fn a_canonical_nan_has_no_other_payload() {
        assert!(compared(&[value::F32_CANONICAL], Val::F32(0xffc0_0000)));
        assert!(!compared(&[value::F32_CANONICAL], Val::F32(0x7fc0_0001)));
        assert!(!compared(&[value::F32_CANONICAL], Val::F32(0x7f80_0000)));
        assert!(compared(&[value::F64_CANONICAL], Val::F64(0xfff8_0000_0000_0000)));
        assert!(!compared(&[value::F64_CANONICAL], Val::F64(0x7ff8_0000_0000_0001)));
        assert!(compared(&[value::F64_ARITHMETIC], Val::F64(0x7ff8_0000_0000_0001)));
        assert!(!compared(&[value::F64_ARITHMETIC], Val::F64(0x7ff4_0000_0000_0000)));
    }

    #[test]
    fn zeros_differ_by_their_sign_and_types_by_their_kind() {
        assert!(!compared(&[value::F32, 0, 0, 0, 0], Val::F32(0x8000_0000)));
        assert!(!compared(&[value::F32, 0, 0, 0, 0], Val::I32(0)));
        assert!(compared(&[value::EITHER, 2, value::NULL_FUNC, value::NULL_EXTERN], Val::ExternRef(None)));
    }
}
