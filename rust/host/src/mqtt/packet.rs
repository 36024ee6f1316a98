// SPDX-License-Identifier: Apache-2.0
//! The beginnings of the packets that a broker sends, read from as few bytes as there are.

use wisp_abi::mqtt::{AT_LEAST_ONCE, DUPLICATE, REFUSED, RETAIN};

/// The largest number of bytes that [`parse`] looks at: the type, the length and the length of a topic.
pub(super) const LONGEST: usize = 7;
/// The largest length that a packet can have behind its first bytes.
pub(super) const LARGEST: u64 = 268_435_455;

/// Bytes that no broker sends to a client which speaks MQTT 3.1.1 with quality of service 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The meaning of the bytes of a beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// At least so many bytes more belong to it.
    Needs(usize),
    /// It is complete.
    Begin(Begin),
}

/// A packet that is complete, or a message up to its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// The answer to CONNECT: whether there is a session of before, and the reason to refuse.
    Connack { kept: bool, code: u8 },
    /// A message. Its topic follows, then the identifier if it has one, then the payload.
    Publish { flags: u32, topic: u32, has_id: bool, payload: u32 },
    /// An answer to PUBLISH.
    Puback(u16),
    /// An answer to SUBSCRIBE for one filter.
    Suback(u16, u8),
    /// An answer to UNSUBSCRIBE.
    Unsuback(u16),
    /// The answer to PINGREQ.
    Pingresp,
}

/// Returns the length of a packet behind its first bytes, and how many bytes it takes itself. `None` needs more bytes.
fn length(bytes: &[u8]) -> Result<Option<(u32, usize)>, Malformed> {
    let mut length = 0;
    for (shift, (used, byte)) in (0..).step_by(7).zip((1..).zip(bytes)) {
        length |= u32::from(byte & 0x7f) << shift;
        match (byte & 0x80, used) {
            (0, _) => return Ok(Some((length, used))),
            (_, 4) => return Err(Malformed),
            _ => {}
        }
    }
    Ok(None)
}

/// Reads the beginning of a packet.
///
/// # Errors
/// [`Malformed`] if no more bytes can make it a packet of a broker.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Malformed> {
    // the shortest packet has two bytes
    let Some((&first, rest)) = bytes.split_first() else { return Ok(Parsed::Needs(2)) };
    let Some((length, used)) = length(rest)? else { return Ok(Parsed::Needs(1)) };
    let is_message = first & 0xf0 == 0x30;
    let expected = match first {
        // the bit 4 would be quality of service 2
        _ if is_message && first & 4 == 0 => 2,
        0x20 | 0x40 | 0xb0 => 2,
        0x90 => 3,
        0xd0 => 0,
        _ => return Err(Malformed),
    };
    if length < expected || (length > expected && !is_message) {
        return Err(Malformed);
    }
    let body = rest.get(used..).unwrap_or(&[]);
    if let Some(missing) = (expected as usize).checked_sub(body.len()).filter(|missing| *missing > 0) {
        return Ok(Parsed::Needs(missing));
    }
    let number = |body: &[u8]| body.first_chunk().copied().map_or(0, u16::from_be_bytes);
    let third = body.get(2).copied().unwrap_or(0);
    Ok(Parsed::Begin(match (first, body) {
        (0x20, &[kept @ (0 | 1), code]) => Begin::Connack { kept: kept == 1, code },
        (0x40, _) => Begin::Puback(number(body)),
        (0x90, _) if third <= 1 || u32::from(third) == REFUSED => Begin::Suback(number(body), third),
        (0xb0, _) => Begin::Unsuback(number(body)),
        (0xd0, _) => Begin::Pingresp,
        _ if is_message => message(first, number(body).into(), length)?,
        _ => return Err(Malformed),
    }))
}

fn message(first: u8, topic: u32, length: u32) -> Result<Begin, Malformed> {
    let has_id = first & 2 != 0;
    let before = 2 + topic + if has_id { 2 } else { 0 };
    let bit = |bit: u8, flag: u32| if first & bit != 0 { flag } else { 0 };
    let flags = bit(8, DUPLICATE) | bit(2, AT_LEAST_ONCE) | bit(1, RETAIN);
    match length.checked_sub(before) {
        Some(payload) if topic > 0 => Ok(Begin::Publish { flags, topic, has_id, payload }),
        _ => Err(Malformed),
    }
}

/// Writes a length as MQTT does, and returns the bytes in front of which nothing stands.
pub(super) fn encode(mut length: u32, bytes: &mut [u8; 4]) -> &[u8] {
    let mut used = 0;
    for place in bytes.iter_mut() {
        *place = (length & 0x7f) as u8;
        length >>= 7;
        used += 1;
        if length == 0 {
            break;
        }
        *place |= 0x80;
    }
    bytes.get(..used).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a beginning byte for byte, as a connection may deliver it. Returns the bytes that it took.
    fn parse_slowly(bytes: &[u8]) -> (Result<Parsed, Malformed>, usize) {
        for used in 0..=bytes.len() {
            match parse(&bytes[..used]) {
                Ok(Parsed::Needs(missing)) => assert!(missing > 0 && used + missing <= LONGEST, "{bytes:x?}"),
                end => return (end, used),
            }
        }
        (Ok(Parsed::Needs(1)), bytes.len())
    }

    #[test]
    fn answers_of_a_broker_are_read_from_as_few_bytes_as_they_have() {
        for (bytes, expected) in [
            (&[0x20, 2, 0, 0][..], Begin::Connack { kept: false, code: 0 }),
            (&[0x20, 2, 1, 0], Begin::Connack { kept: true, code: 0 }),
            (&[0x20, 2, 0, 5], Begin::Connack { kept: false, code: 5 }),
            (&[0x40, 2, 1, 2], Begin::Puback(0x102)),
            (&[0x90, 3, 1, 2, 1], Begin::Suback(0x102, 1)),
            (&[0x90, 3, 1, 2, 0x80], Begin::Suback(0x102, 0x80)),
            (&[0xb0, 2, 0, 9], Begin::Unsuback(9)),
            (&[0xd0, 0], Begin::Pingresp),
            (&[0x30, 3, 0, 1], Begin::Publish { flags: 0, topic: 1, has_id: false, payload: 0 }),
            (&[0x3b, 0x80, 1, 0, 3], Begin::Publish { flags: 11, topic: 3, has_id: true, payload: 121 }),
            (
                &[0x31, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff],
                Begin::Publish { flags: 2, topic: 65_535, has_id: false, payload: 268_435_455 - 65_537 },
            ),
        ] {
            assert_eq!(parse_slowly(bytes), (Ok(Parsed::Begin(expected)), bytes.len()), "{bytes:x?}");
        }
    }

    #[test]
    fn what_no_broker_sends_is_refused_at_the_first_byte_that_shows_it() {
        for (bytes, at) in [
            (&[0x00, 0][..], 2),
            (&[0x10, 0], 2),
            // quality of service 2, or flags where there are none
            (&[0x34, 9], 2),
            (&[0x36, 9], 2),
            (&[0x21, 2], 2),
            (&[0x62, 2], 2),
            (&[0xf0, 0], 2),
            // lengths that the packet cannot have
            (&[0x20, 3], 2),
            (&[0x40, 0], 2),
            (&[0x90, 4], 2),
            (&[0xd0, 1], 2),
            (&[0x30, 1], 2),
            (&[0x20, 0x80, 0x80, 0x80, 0x80], 5),
            // contents
            (&[0x20, 2, 2, 0], 4),
            (&[0x90, 3, 0, 1, 2], 5),
            (&[0x30, 9, 0, 0], 4),
            (&[0x30, 9, 0, 8], 4),
            (&[0x32, 9, 0, 6], 4),
        ] {
            assert_eq!(parse_slowly(bytes), (Err(Malformed), at), "{bytes:x?}");
        }
    }

    #[test]
    fn random_bytes_are_read_without_a_look_beyond_the_longest_beginning() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut begun = 0;
        for _ in 0..200_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let mut bytes = state.to_le_bytes();
            // types that exist, and short lengths, now and then
            bytes[0] = if state >> 60 < 12 {
                [0x20, 0x30, 0x32, 0x40, 0x90, 0xb0][(state >> 32) as usize % 6]
            } else {
                bytes[0]
            };
            bytes[1] &= if state >> 59 & 1 == 0 { 0x0f } else { 0xff };
            let (parsed, used) = parse_slowly(&bytes);
            assert!(used <= LONGEST || parsed == Err(Malformed), "{bytes:x?}");
            if let Ok(Parsed::Begin(Begin::Publish { topic, payload, has_id, .. })) = parsed {
                let size = u64::from(topic) + u64::from(payload) + 2 + u64::from(has_id) * 2;
                assert!(size <= LARGEST, "{bytes:x?}");
            }
            begun += usize::from(matches!(parsed, Ok(Parsed::Begin(_))));
        }
        assert!(begun > 1000, "{begun}");
    }

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for (value, expected) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (16_384, &[0x80, 0x80, 1]),
            (LARGEST as u32, &[0xff, 0xff, 0xff, 0x7f]),
        ] {
            assert_eq!(encode(value, &mut [0; 4]), expected);
            assert_eq!(length(expected), Ok(Some((value, expected.len()))));
        }
    }
}
