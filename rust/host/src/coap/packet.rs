// SPDX-License-Identifier: Apache-2.0
//! Messages of CoAP, read in the buffer that holds them and written into one: RFC 7252 section 3, RFC 7959 section 2.2.
//!
//! No crate does that here. `coap-lite` needs an allocator, and `coap-message-implementations` a newer Rust than firmwares
//! have.

use core::ops::Range;

/// The type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Confirmable,
    NonConfirmable,
    Acknowledgement,
    Reset,
}

/// Numbers of options.
pub(super) mod option {
    pub const URI_HOST: u32 = 3;
    pub const ETAG: u32 = 4;
    pub const OBSERVE: u32 = 6;
    pub const URI_PORT: u32 = 7;
    pub const URI_PATH: u32 = 11;
    pub const FORMAT: u32 = 12;
    pub const URI_QUERY: u32 = 15;
    pub const ACCEPT: u32 = 17;
    pub const BLOCK2: u32 = 23;
    pub const BLOCK1: u32 = 27;
    pub const PROXY_URI: u32 = 35;
    pub const PROXY_SCHEME: u32 = 39;
}

/// Bytes in front of the token.
pub(super) const HEADER: usize = 4;
/// Longest token.
pub(super) const TOKEN: usize = 8;
/// The largest exponent of a block, for 1,024 bytes.
pub(super) const LARGEST: u8 = 6;

/// Bytes that are no message of CoAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The type and the identifier, if there are any: such a message is rejected by a reset.
    pub rejected: Option<(Type, u16)>,
}

/// A message up to its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub kind: Type,
    pub code: u8,
    pub id: u16,
    pub token_length: u8,
    /// End of the options: the marker of a payload, or the end.
    pub options_end: usize,
    /// Beginning of the payload. Without one, it is the end.
    pub payload: usize,
}

impl Head {
    /// Returns the token.
    pub fn token<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(HEADER..HEADER + usize::from(self.token_length)).unwrap_or(&[])
    }

    /// Returns the place of the first option.
    pub fn options(&self) -> Options {
        Options { at: HEADER + usize::from(self.token_length), end: self.options_end, number: 0 }
    }

    /// Returns true for a message that begins an exchange, in place of one that only ends or acknowledges it.
    pub fn is_sent(&self) -> bool {
        matches!(self.kind, Type::Confirmable | Type::NonConfirmable)
    }

    /// Returns true for an answer.
    pub fn is_answer(&self) -> bool {
        matches!(self.code, 64..=191)
    }

    /// Returns true for a request.
    pub fn is_request(&self) -> bool {
        matches!(self.code, 1..=31)
    }
}

/// The place of the next option of a message that [`parse`] has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    at: usize,
    end: usize,
    number: u32,
}

/// The extension of a half byte of an option: its value, and the bytes that it takes. `None` is not allowed.
fn extended(nibble: u8, bytes: &[u8]) -> Option<(u32, usize)> {
    match (nibble, bytes) {
        (0..=12, _) => Some((nibble.into(), 0)),
        (13, [low, ..]) => Some((u32::from(*low) + 13, 1)),
        (14, [high, low, ..]) => Some((u32::from(u16::from_be_bytes([*high, *low])) + 269, 2)),
        _ => None,
    }
}

impl Options {
    /// Returns the next option: its number, and where its value is. The message may have been changed in front of it.
    pub fn next(&mut self, bytes: &[u8]) -> Option<(u32, Range<usize>)> {
        let rest = bytes.get(self.at..self.end)?;
        let (first, rest) = rest.split_first()?;
        let (delta, used) = extended(first >> 4, rest)?;
        let (length, more) = extended(first & 15, rest.get(used..)?)?;
        let start = self.at + 1 + used + more;
        let end = start.checked_add(length as usize).filter(|end| *end <= self.end)?;
        let number = self.number.checked_add(delta).filter(|number| *number <= u16::MAX.into())?;
        (self.at, self.number) = (end, number);
        Some((number, start..end))
    }
}

/// Reads a message. One that was cut off behind its options is read as well.
///
/// # Errors
/// [`Malformed`] if it is none.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, Malformed> {
    let &[first, code, high, low, ..] = bytes else { return Err(Malformed { rejected: None }) };
    // another version is ignored
    if first >> 6 != 1 {
        return Err(Malformed { rejected: None });
    }
    let kind = match first >> 4 & 3 {
        0 => Type::Confirmable,
        1 => Type::NonConfirmable,
        2 => Type::Acknowledgement,
        _ => Type::Reset,
    };
    let id = u16::from_be_bytes([high, low]);
    let malformed = Err(Malformed { rejected: Some((kind, id)) });
    let token_length = first & 15;
    let start = HEADER + usize::from(token_length);
    let is_empty = code == 0;
    if usize::from(token_length) > TOKEN || start > bytes.len() || (is_empty && bytes.len() > HEADER) {
        return malformed;
    }
    let mut options = Options { at: start, end: bytes.len(), number: 0 };
    loop {
        let (options_end, payload) = match bytes.get(options.at) {
            None => (options.at, options.at),
            // a marker without a payload is not allowed
            Some(0xff) if options.at + 1 == bytes.len() => return malformed,
            Some(0xff) => (options.at, options.at + 1),
            Some(_) if options.next(bytes).is_some() => continue,
            Some(_) => return malformed,
        };
        return Ok(Head { kind, code, id, token_length, options_end, payload });
    }
}

/// Reads a number of up to four bytes.
pub(super) fn uint(value: &[u8]) -> Option<u32> {
    (value.len() <= 4).then(|| value.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// A block of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// The number of the block, below 2^20.
    pub number: u32,
    /// Further blocks follow.
    pub more: bool,
    /// Its size is 2^(4 + exponent).
    pub exponent: u8,
}

impl Block {
    /// Reads the value of an option.
    pub fn read(value: &[u8]) -> Option<Self> {
        let number = uint(value).filter(|_| value.len() <= 3)?;
        let exponent = (number & 7) as u8;
        (exponent <= LARGEST).then_some(Block { number: number >> 4, more: number & 8 != 0, exponent })
    }

    /// Returns the block that begins at a multiple of its size, if it has a number.
    pub fn at(offset: u32, exponent: u8, more: bool) -> Option<Self> {
        let number = offset >> (exponent + 4);
        (number < 1 << 20).then_some(Block { number, more, exponent })
    }

    fn value(self) -> u32 {
        self.number << 4 | if self.more { 8 } else { 0 } | u32::from(self.exponent)
    }

    /// Returns its size in bytes.
    pub fn size(self) -> usize {
        size(self.exponent)
    }

    /// Returns where it begins.
    pub fn offset(self) -> u32 {
        self.number << (self.exponent + 4)
    }
}

/// Returns the size of blocks in bytes.
pub(super) fn size(exponent: u8) -> usize {
    16 << exponent
}

/// Returns the exponent of the largest block that is not larger than so many bytes.
pub(super) fn exponent_within(bytes: usize) -> Option<u8> {
    (0..=LARGEST).rev().find(|exponent| size(*exponent) <= bytes)
}

/// Writes a message. Options come in the order of their numbers.
#[derive(Debug)]
pub(super) struct Writer<'b> {
    bytes: &'b mut [u8],
    used: usize,
    option: u32,
    /// Something did not fit.
    full: bool,
}

impl<'b> Writer<'b> {
    /// Begins a message.
    pub fn new(bytes: &'b mut [u8], kind: Type, code: u8, id: u16, token: &[u8]) -> Self {
        let mut writer = Writer { bytes, used: 0, option: 0, full: false };
        let [high, low] = id.to_be_bytes();
        writer.push(&[0x40 | (kind as u8) << 4 | token.len() as u8, code, high, low]);
        writer.push(token);
        writer
    }

    fn push(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.used..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.used += bytes.len();
            }
            None => self.full = true,
        }
    }

    /// Appends an option, whose value has at most 255 bytes.
    pub fn option(&mut self, number: u32, value: &[u8]) {
        let nibble = |value: u32| -> (u8, Option<u8>) {
            // numbers and lengths are below 269, so that one byte extends them
            value.checked_sub(13).map_or((value as u8, None), |more| (13, Some(more as u8)))
        };
        let (delta, more_delta) = nibble(number - self.option);
        let (length, more_length) = nibble(value.len() as u32);
        self.option = number;
        self.push(&[delta << 4 | length]);
        self.push(more_delta.as_slice());
        self.push(more_length.as_slice());
        self.push(value);
    }

    /// Appends an option with a number as its value.
    pub fn number(&mut self, option: u32, value: u32) {
        let bytes = value.to_be_bytes();
        self.option(option, bytes.get(value.leading_zeros() as usize / 8..).unwrap_or(&[]));
    }

    /// Appends the option of a block.
    pub fn block(&mut self, option: u32, block: Option<Block>) {
        if let Some(block) = block {
            self.number(option, block.value());
        }
    }

    /// Appends an option for each part of a text.
    pub fn parts(&mut self, option: u32, text: &[u8], separator: u8) {
        if !text.is_empty() {
            text.split(|byte| *byte == separator).for_each(|part| self.option(option, part));
        }
    }

    /// Returns how many bytes of a payload fit.
    pub fn room(&self) -> usize {
        self.bytes.len().saturating_sub(self.used + 1)
    }

    /// Ends the message with its payload. Returns its length if all of it did fit.
    pub fn finish(mut self, payload: &[u8]) -> Option<usize> {
        if !payload.is_empty() {
            self.push(&[0xff]);
            self.push(payload);
        }
        (!self.full).then_some(self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Reads all options.
    fn options(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut options = parse(bytes).unwrap().options();
        core::iter::from_fn(|| options.next(bytes)).map(|(number, value)| (number, bytes[value].to_vec())).collect()
    }

    #[test]
    fn messages_are_read_as_the_rfc_shows_them() {
        // RFC 7252, figure 16: GET coap://server/temperature, and its answer
        let bytes = b"\x40\x01\x7d\x34\xbbtemperature";
        let head = parse(bytes).unwrap();
        assert_eq!((head.kind, head.code, head.id, head.token_length), (Type::Confirmable, 1, 0x7d34, 0));
        assert_eq!((head.options_end, head.payload), (16, 16));
        assert_eq!(options(bytes), [(11, b"temperature".to_vec())]);
        let bytes = b"\x60\x45\x7d\x34\xff22.3 C";
        let head = parse(bytes).unwrap();
        assert_eq!((head.kind, head.code, head.id), (Type::Acknowledgement, 69, 0x7d34));
        assert_eq!((head.options_end, &bytes[head.payload..]), (4, &b"22.3 C"[..]));
        // figure 17: with the token 0x20
        let head = parse(b"\x41\x01\x7d\x35\x20\xbbtemperature").unwrap();
        assert_eq!(head.token(b"\x41\x01\x7d\x35\x20"), [0x20]);
        // an empty acknowledgement
        assert_eq!(parse(b"\x60\0\x7d\x38").unwrap().code, 0);
    }

    #[test]
    fn options_have_extended_numbers_and_lengths() {
        let long = [b'x'; 270];
        let mut bytes = b"\x40\x01\0\0\xd1\x00a\xe0\x00\x02".to_vec();
        bytes.extend(b"\x0e\x00\x01");
        bytes.extend(long);
        let expected = [(13, b"a".to_vec()), (13 + 271, Vec::new()), (13 + 271, long.to_vec())];
        assert_eq!(options(&bytes), expected);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [&b""[..], b"\x40\x01\0", b"\x80\x01\0\0", b"\0\x01\0\0"] {
            assert_eq!(parse(bytes), Err(Malformed { rejected: None }), "{bytes:x?}");
        }
        for bytes in [
            // a token of nine bytes, and one that is cut off
            &b"\x49\x01\0\x07123456789"[..],
            b"\x42\x01\0\x07\x01",
            // an empty message with something in it
            b"\x41\0\0\x07\x01",
            b"\x40\0\0\x07\xff\x01",
            // a marker without a payload
            b"\x40\x01\0\x07\xff",
            // reserved numbers and lengths, and options that are cut off
            b"\x40\x01\0\x07\xf0",
            b"\x40\x01\0\x07\x0f",
            b"\x40\x01\0\x07\xb1",
            b"\x40\x01\0\x07\xd0",
            b"\x40\x01\0\x07\xe0\0",
            b"\x40\x01\0\x07\xbe\xff\xff",
            // a number beyond 65535
            b"\x40\x01\0\x07\xe0\xff\xff",
        ] {
            assert_eq!(parse(bytes), Err(Malformed { rejected: Some((Type::Confirmable, 7)) }), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut bytes = [0; 400];
        let mut writer = Writer::new(&mut bytes, Type::NonConfirmable, 3, 0x1234, b"tokn");
        let long = [b'y'; 255];
        writer.number(option::OBSERVE, 0);
        writer.parts(option::URI_PATH, b"a//bc", b'/');
        writer.number(option::FORMAT, 60);
        writer.option(option::URI_QUERY, &long);
        writer.number(option::ACCEPT, 65_000);
        writer.block(option::BLOCK2, Block::at(2048, 6, false));
        writer.block(option::BLOCK1, Block::at(0xf_ffff << 4, 0, true));
        writer.number(60, 1);
        let used = writer.finish(b"payload").unwrap();
        let head = parse(&bytes[..used]).unwrap();
        assert_eq!((head.kind, head.code, head.id), (Type::NonConfirmable, 3, 0x1234));
        assert_eq!(head.token(&bytes), b"tokn");
        assert_eq!(&bytes[head.payload..used], b"payload");
        let expected: [(u32, &[u8]); 10] = [
            (6, b""),
            (11, b"a"),
            (11, b""),
            (11, b"bc"),
            (12, &[60]),
            (15, &long),
            (17, &[0xfd, 0xe8]),
            (23, &[0x26]),
            (27, &[0xff, 0xff, 0xf8]),
            (60, &[1]),
        ];
        assert_eq!(options(&bytes[..used]), expected.map(|(number, value)| (number, value.to_vec())));
    }

    #[test]
    fn a_message_that_does_not_fit_is_not_written_in_part() {
        for room in 0..16 {
            let mut bytes = [0; 16];
            let mut writer = Writer::new(&mut bytes[..room], Type::Confirmable, 1, 1, b"tokn");
            writer.option(option::URI_PATH, b"abc");
            let expected = (room >= 15).then_some(15);
            assert_eq!((writer.room() >= 2, writer.finish(b"12")), (room >= 15, expected), "{room}");
        }
    }

    #[test]
    fn blocks_are_numbers_sizes_and_offsets() {
        // RFC 7959, figure 2: 2:0/1/128 and 2:1/0/64
        let block = Block { number: 0, more: true, exponent: 3 };
        assert_eq!((Block::read(&[0x0b]), block.size(), block.offset()), (Some(block), 128, 0));
        let block = Block { number: 1, more: false, exponent: 2 };
        assert_eq!((Block::read(&[0x12]), block.size(), block.offset()), (Some(block), 64, 64));
        assert_eq!(Block::read(&[]), Some(Block { number: 0, more: false, exponent: 0 }));
        assert_eq!(Block::read(&[0x07]), None, "the size 7 is reserved");
        assert_eq!(Block::read(&[0, 0, 0, 0]), None);
        assert_eq!(Block::at(0x10_0000 << 4, 0, false), None);
        assert_eq!(
            [0, 15, 16, 31, 32, 1023, 1024, 9999].map(exponent_within),
            [None, None, Some(0), Some(0), Some(1), Some(5), Some(6), Some(6)]
        );
    }

    #[test]
    fn random_and_changed_messages_are_read_within_their_bytes() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let (mut read, mut refused) = (0, 0);
        let whole = b"\x54\x45\x12\x34toknA1\x60\x11\x3c\xd5\x01hello\x71\x2bZ\x61\x06\xff0123456789";
        for _ in 0..200_000 {
            let mut bytes = whole.to_vec();
            for _ in 0..random() % 4 {
                let at = random() as usize % bytes.len();
                bytes[at] = random() as u8;
            }
            bytes.truncate(random() as usize % (bytes.len() * 2) + 1);
            match parse(&bytes) {
                Ok(head) => {
                    read += 1;
                    assert!(head.options_end <= head.payload && head.payload <= bytes.len(), "{bytes:x?}");
                    let (mut options, mut last) = (head.options(), HEADER);
                    while let Some((number, value)) = options.next(&bytes) {
                        assert!(last < value.start && value.end <= head.options_end, "{bytes:x?}");
                        assert!(number <= 65_535);
                        last = value.end;
                    }
                    assert_eq!(options.at, head.options_end, "all options are read: {bytes:x?}");
                }
                Err(_) => refused += 1,
            }
        }
        assert!(read > 20_000 && refused > 20_000, "{read} {refused}");
    }
}
