// SPDX-License-Identifier: Apache-2.0
//! Function bodies with new indices of the functions that they call, at the same length where possible.

use wasmparser::{FunctionBody, Operator};

use crate::Error;

/// Returns a body in which every index of a function is replaced. Other bytes stay as they are.
///
/// # Errors
/// A body that cannot be read, or an index without a new one.
pub fn calls(body: &FunctionBody<'_>, funcs: &[u32]) -> Result<Vec<u8>, Error> {
    let bytes = body.as_bytes();
    let base = body.range().start;
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for op in body.get_operators_reader()?.into_iter_with_offsets() {
        let (op, offset) = op?;
        let (Operator::Call { function_index }
        | Operator::ReturnCall { function_index }
        | Operator::RefFunc { function_index }) = op
        else {
            continue;
        };
        let new = *funcs.get(function_index as usize).ok_or_else(|| Error::dangling("function"))?;
        // the opcode of each of them has one byte
        let at = (offset - base) as usize + 1;
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        let width = bytes[at..].iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
        number(&mut out, new, width);
        copied = at + width;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    Ok(out)
}

/// Returns how many bytes the size before a body has. `module` is what the body was read from.
pub fn size_width(module: &[u8], body: &FunctionBody<'_>) -> usize {
    let start = body.range().start as usize;
    let mut shortest = Vec::new();
    number(&mut shortest, body.as_bytes().len() as u32, 1);
    // a padded number ends with 0x80 bytes and a zero, and no shorter encoding ends with a zero
    let padded = (shortest.len() + 1..=5).find(|&width| {
        let mut padded = Vec::new();
        number(&mut padded, body.as_bytes().len() as u32, width);
        start >= width && module.get(start - width..start) == Some(&padded[..])
    });
    padded.unwrap_or(shortest.len())
}

/// Writes a number as LEB128 of at least `width` bytes.
fn number(out: &mut Vec<u8>, mut value: u32, width: usize) {
    for written in 1.. {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 && written >= width {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// The contents of a code section.
pub struct Code {
    bytes: Vec<u8>,
}

impl Code {
    /// Begins a section of this many functions.
    pub fn new(count: usize) -> Self {
        let mut bytes = Vec::new();
        number(&mut bytes, count as u32, 1);
        Self { bytes }
    }

    /// Adds a body, with its size in at least `width` bytes.
    pub fn push(&mut self, body: &[u8], width: usize) {
        number(&mut self.bytes, body.len() as u32, width);
        self.bytes.extend_from_slice(body);
    }

    /// Returns all of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fills_its_width_and_grows_beyond_it() {
        let encoded = |value, width| {
            let mut out = Vec::new();
            number(&mut out, value, width);
            out
        };
        assert_eq!(encoded(0, 1), [0]);
        assert_eq!(encoded(5, 5), [0x85, 0x80, 0x80, 0x80, 0]);
        assert_eq!(encoded(128, 1), [0x80, 1]);
        assert_eq!(encoded(u32::MAX, 1), [0xff, 0xff, 0xff, 0xff, 0x0f]);
    }

    #[test]
    fn a_body_keeps_its_length_if_the_new_index_fits_and_grows_if_not() {
        // two imports, one function that calls both: in one byte, and padded to five
        let module = [
            &b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0d\x02\x01a\x01b\0\0\x01a\x01c\0\0\x03\x02\x01\0"[..],
            b"\x0a\x0c\x01\x0a\0\x10\0\x10\x81\x80\x80\x80\0\x0b",
        ]
        .concat();
        let facts = crate::facts::Facts::of(&module).unwrap();
        let body = &facts.bodies[0];
        assert_eq!(calls(body, &[7, 9, 2]).unwrap(), b"\0\x10\x07\x10\x89\x80\x80\x80\0\x0b");
        assert_eq!(calls(body, &[200, 9, 2]).unwrap(), b"\0\x10\xc8\x01\x10\x89\x80\x80\x80\0\x0b");
        assert!(calls(body, &[7]).is_err());
        assert_eq!(size_width(&module, body), 1);
    }
}
