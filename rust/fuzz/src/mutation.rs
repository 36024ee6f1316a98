// SPDX-License-Identifier: Apache-2.0
//! Damage.

use arbitrary::{Result, Unstructured};
use wisp_image::format::{self, Section};
use wisp_image::{ops, Image};

/// Changes a few bytes anywhere, or cuts the end off.
pub fn anywhere(u: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    for _ in 0..u.int_in_range(1..=8)? {
        if bytes.is_empty() {
            break;
        }
        let at = u.choose_index(bytes.len())?;
        match u.int_in_range(0..=4)? {
            0 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
            1 => bytes[at] = u.arbitrary()?,
            2 => bytes[at] = *u.choose(&[0, 1, 0x7f, 0x80, 0xff])?,
            3 => {
                let value: [u8; 4] = u.choose(&[0u32, 1, u32::MAX, 1 << 31, 1 << 16])?.to_le_bytes();
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&value[..end - at]);
            }
            _ if u.ratio(1, 8)? => bytes.truncate(at),
            _ => {}
        }
    }
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Changes words of the code so that many of the results still pass the verifier, and now and then
/// something of the other sections.
pub fn code(u: &mut Unstructured<'_>, bytes: &mut [u8]) -> Result<()> {
    let Ok(image) = Image::parse(bytes) else { return Ok(()) };
    let code = image.section(Section::Code);
    if code.is_empty() {
        return Ok(());
    }
    let start = code.as_ptr().addr() - bytes.as_ptr().addr();
    let mut places = Vec::new();
    for index in 0..image.function_count() {
        let Ok(function) = image.function(index) else { break };
        let end = image.function(index + 1).map_or(code.len(), |next| next.code as usize);
        let ops = wisp_image::disassemble::ops(code, function.code as usize, end);
        places.extend(ops.map(|op| (start + op.offset, op.bytes.len() / 2)));
    }
    if places.is_empty() {
        return Ok(());
    }
    for _ in 0..u.int_in_range(1..=12)? {
        let &(at, words) = u.choose(&places)?;
        let opcode = usize::from(word(bytes, at) / 4);
        let value = match u.int_in_range(0..=5)? {
            // another op of the same shape
            0 | 1 => {
                let Some(&shape) = ops::PACKED.get(opcode) else { continue };
                let same: Vec<usize> = (0..ops::COUNT).filter(|&other| ops::PACKED[other] == shape).collect();
                Some((at, *u.choose(&same)? as u16 * 4))
            }
            // any op
            2 => Some((at, u.int_in_range(0..=ops::COUNT as u16)? * 4)),
            // another operand: a slot, a number that occurs, any
            3 | 4 if words > 1 => {
                let operand = at + 2 * u.int_in_range(1..=words - 1)?;
                let other = u.choose(&places)?.0;
                let value = match u.int_in_range(0..=2)? {
                    0 => u.int_in_range(0..=40u16)? * 4,
                    1 => word(bytes, (other + 2).min(bytes.len() - 2)),
                    _ => u.arbitrary()?,
                };
                Some((operand, value))
            }
            _ => None,
        };
        match value {
            Some((at, value)) => bytes[at..at + 2].copy_from_slice(&value.to_le_bytes()),
            None => anything_else(u, bytes, start)?,
        }
    }
    Ok(())
}

/// Changes a number outside of the code.
fn anything_else(u: &mut Unstructured<'_>, bytes: &mut [u8], code: usize) -> Result<()> {
    let at = u.int_in_range(format::HEADER_SIZE..=code.max(format::HEADER_SIZE + 4) - 4)? & !1;
    match u.int_in_range(0..=2)? {
        0 => bytes[at] = u.arbitrary()?,
        1 => bytes[at] = u.int_in_range(0..=8)?,
        _ => bytes[at..at + 2].copy_from_slice(&u.arbitrary::<u16>()?.to_le_bytes()),
    }
    Ok(())
}
