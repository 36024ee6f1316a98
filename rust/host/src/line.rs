// SPDX-License-Identifier: Apache-2.0
//! Guest text for logs and consoles: cut into lines, and what a terminal may obey shown as escapes.

use wisp_abi::Errno;

/// Longest line that is kept together. A longer one comes in pieces. About this much RAM per app.
pub(crate) const LINE: usize = 96;

/// Returns true for a character that a terminal may take for a command, or that changes how the text around it is
/// shown. These are controls (C0, DEL and C1), line and paragraph separators, and marks of direction.
fn is_harmful(character: char) -> bool {
    character.is_control() && character != '\t'
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_clean(line: &[u8]) -> bool {
    core::str::from_utf8(line).is_ok_and(|text| !text.contains(is_harmful))
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Longest piece of a line that is looked at in one go.
const PIECE: usize = 1024;

/// Returns the beginning of a line: at most [`PIECE`] bytes that end between two characters.
fn first_piece(line: &[u8]) -> &[u8] {
    let Some(piece) = line.get(..PIECE) else { return line };
    match core::str::from_utf8(piece) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            piece.get(..error.valid_up_to()).unwrap_or(piece)
        }
        _ => piece,
    }
}

/// Calls `emit` with each line of `text`, until `emit` returns false. Text without harmful characters is passed as
/// it is, in long pieces. Otherwise it is copied in short ones, and each byte of a harmful character, or of what is
/// no UTF-8, becomes `\x` and two digits.
pub(crate) fn lines(text: &[u8], emit: &mut dyn FnMut(&[u8]) -> bool) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for line in text.split(|byte| *byte == b'\n').map(without_return) {
        let mut rest = line;
        loop {
            let piece = first_piece(rest);
            if is_clean(piece) {
                if !emit(piece) {
                    return;
                }
            } else {
                let mut buffer = LineBuffer::new();
                let mut pass = |piece: &[u8]| emit(piece).then_some(()).ok_or(Errno::Interrupted);
                if piece.iter().try_for_each(|byte| buffer.take(*byte, &mut pass)).is_err()
                    || buffer.flush(&mut pass).is_err()
                {
                    return;
                }
            }
            rest = rest.get(piece.len()..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
        }
    }
}

/// Shows a complete line. Behind a pointer, so that the code that finds lines is in a firmware once.
type Emit<'e> = dyn FnMut(&[u8]) -> Result<(), Errno> + 'e;

/// Bytes of the longest character.
const CHARACTER: usize = 4;

/// Collects what a guest prints until a line is complete.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    text: [u8; LINE],
    used: u8,
    /// The beginning of a character.
    part: [u8; CHARACTER],
    part_used: u8,
}

/// Returns the number of bytes of the character that begins with this byte, or 0 if none does.
fn length_of(first: u8) -> u8 {
    match first {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 0,
    }
}

impl LineBuffer {
    /// Returns an empty buffer.
    pub(crate) const fn new() -> Self {
        LineBuffer { text: [0; LINE], used: 0, part: [0; CHARACTER], part_used: 0 }
    }

    fn line(&self) -> &[u8] {
        self.text.get(..usize::from(self.used)).unwrap_or(&[])
    }

    /// Adds bytes that stay together. What is there is emitted first if they do not fit.
    fn add(&mut self, bytes: &[u8], emit: &mut Emit<'_>) -> Result<(), Errno> {
        let mut result = Ok(());
        if usize::from(self.used) + bytes.len() > LINE {
            result = emit(self.line());
            self.used = 0;
        }
        if let Some(place) = self.text.get_mut(usize::from(self.used)..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
            self.used += bytes.len() as u8;
        }
        result
    }

    /// Adds the bytes of the character that was begun, each as an escape.
    fn escape(&mut self, emit: &mut Emit<'_>) -> Result<(), Errno> {
        let mut result = Ok(());
        for byte in self.part.into_iter().take(usize::from(self.part_used)) {
            let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
            let outcome = self.add(&[b'\\', b'x', digit(byte >> 4), digit(byte & 15)], emit);
            result = result.and(outcome);
        }
        self.part_used = 0;
        result
    }

    /// Adds a byte of the text.
    fn take(&mut self, byte: u8, emit: &mut Emit<'_>) -> Result<(), Errno> {
        let mut result = Ok(());
        let continues = self.part_used != 0 && byte & 0xc0 == 0x80;
        if !continues {
            result = self.escape(emit);
        }
        if let Some(place) = self.part.get_mut(usize::from(self.part_used)) {
            *place = byte;
            self.part_used += 1;
        }
        let length = length_of(self.part[0]);
        if self.part_used < length {
            return result;
        }
        let character = self.part;
        let bytes = character.get(..usize::from(self.part_used)).unwrap_or(&[]);
        let outcome = if is_clean(bytes) {
            self.part_used = 0;
            self.add(bytes, emit)
        } else {
            self.escape(emit)
        };
        result.and(outcome)
    }

    /// Adds bytes. Calls `emit` with each line as it is complete, or as long as the buffer. Whatever `emit` says, all
    /// bytes are taken. Its first error is returned. Carriage returns are dropped.
    pub(crate) fn push(&mut self, bytes: &[u8], emit: &mut Emit<'_>) -> Result<(), Errno> {
        let mut result = Ok(());
        for &byte in bytes {
            let outcome = match byte {
                b'\n' => {
                    let outcome = self.escape(emit).and(emit(self.line()));
                    self.used = 0;
                    outcome
                }
                b'\r' => continue,
                _ => self.take(byte, emit),
            };
            result = result.and(outcome);
        }
        result
    }

    /// Emits what is left without a line end, if anything.
    #[inline(never)]
    pub(crate) fn flush(&mut self, emit: &mut Emit<'_>) -> Result<(), Errno> {
        let result = self.escape(emit);
        if self.used == 0 {
            return result;
        }
        let result = result.and(emit(self.line()));
        self.used = 0;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::ToOwned;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn collect(text: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        lines(text, &mut |line| {
            out.push(String::from_utf8_lossy(line).into_owned());
            true
        });
        out
    }

    #[test]
    fn text_is_cut_at_line_ends() {
        assert_eq!(collect(b"one"), ["one"]);
        assert_eq!(collect(b"one\r\ntwo\n"), ["one", "two"]);
        assert_eq!(collect(b"one\n\ntwo"), ["one", "", "two"]);
        assert_eq!(collect(b""), [""]);
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(collect(b"a\x1b[2Jb\0\x7f\tc"), [r"a\x1b[2Jb\x00\x7f".to_owned() + "\tc"]);
        assert_eq!(collect("gr\u{fc}n".as_bytes()), ["gr\u{fc}n"]);
    }

    #[test]
    fn controls_of_8_bits_are_escaped_alone_and_in_utf_8() {
        for byte in 0x80..=0x9f_u8 {
            // the introducer of a terminal's commands is 0x9b
            let shown = format!(r"\x{byte:02x}");
            assert_eq!(collect(&[b'a', byte, b'm']), [format!("a{shown}m")]);
            let character = char::from(byte).to_string();
            assert_eq!(collect(format!("a{character}m").as_bytes()), [format!(r"a\xc2{shown}m")]);
        }
        // the same bytes within characters that are harmless
        for byte in 0x80..=0x9f_u8 {
            let text = String::from_utf8([0xc3, byte].to_vec()).unwrap();
            assert_eq!(collect(text.as_bytes()), [text]);
        }
    }

    #[test]
    fn what_is_no_utf_8_is_escaped() {
        for (bytes, shown) in [
            (&b"\xff"[..], r"\xff"),
            (b"a\xc3", r"a\xc3"),
            (b"\xc3(", r"\xc3("),
            (b"\xc0\x9b1m", r"\xc0\x9b1m"),
            (b"\xe2\x82z", r"\xe2\x82z"),
            (b"\xed\xa0\x80", r"\xed\xa0\x80"),
            (b"\xf4\x90\x80\x80", r"\xf4\x90\x80\x80"),
            (b"\xc3\xc3\xbc", "\\xc3\u{fc}"),
        ] {
            assert_eq!(collect(bytes), [shown]);
        }
    }

    #[test]
    fn characters_that_turn_the_text_around_are_escaped() {
        assert_eq!(collect("a\u{202e}b\u{2066}\u{2028}".as_bytes()), [r"a\xe2\x80\xaeb\xe2\x81\xa6\xe2\x80\xa8"]);
        assert_eq!(collect("a\u{61c}b\u{200e}\u{200f}".as_bytes()), [r"a\xd8\x9cb\xe2\x80\x8e\xe2\x80\x8f"]);
        assert_eq!(collect("\u{20ac}\u{1f680}".as_bytes()), ["\u{20ac}\u{1f680}"]);
    }

    #[test]
    fn output_that_comes_a_byte_at_a_time_is_shown_as_at_once() {
        let text = "gr\u{fc}n \u{20ac}\u{1f680} \u{9b}31m \u{202e}".as_bytes();
        let bytes = [text, b"\x9b\xc3\n\xc3"].concat();
        let mut buffer = LineBuffer::new();
        let mut shown: Vec<String> = bytes.iter().flat_map(|byte| push(&mut buffer, &[*byte])).collect();
        let result: Result<(), Errno> = buffer.flush(&mut |line| {
            shown.push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        });
        assert_eq!(result, Ok(()));
        let first = "gr\u{fc}n \u{20ac}\u{1f680} \\xc2\\x9b31m \\xe2\\x80\\xae\\x9b\\xc3";
        assert_eq!(shown, [first, r"\xc3"]);
        assert_eq!(collect(&bytes), shown);
    }

    #[test]
    fn pieces_end_between_characters_and_escapes() {
        for long in ["\u{20ac}".repeat(LINE), "\u{9b}".repeat(LINE)] {
            let mut buffer = LineBuffer::new();
            for piece in push(&mut buffer, long.as_bytes()) {
                assert!(piece.len() <= LINE && (piece.replace(r"\xc2\x9b", "").is_empty() || piece.len() % 3 == 0));
                assert!(!piece.contains('\u{fffd}'), "{piece}");
            }
        }
    }

    #[test]
    fn a_long_line_is_kept_when_clean_and_cut_when_not() {
        let mut long = std::vec![b'x'; 2 * LINE];
        assert_eq!(collect(&long), [String::from_utf8(long.clone()).unwrap()]);
        long[0] = 1;
        assert_eq!(collect(&long).iter().map(String::len).collect::<Vec<_>>(), [LINE, LINE, 3]);
    }

    fn push(buffer: &mut LineBuffer, bytes: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        let result: Result<(), Errno> = buffer.push(bytes, &mut |line| {
            out.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        });
        result.unwrap();
        out
    }

    #[test]
    fn output_waits_for_its_line_end() {
        let mut buffer = LineBuffer::new();
        assert!(push(&mut buffer, b"hel").is_empty());
        assert_eq!(push(&mut buffer, b"lo\nwor"), ["hello"]);
        assert_eq!(push(&mut buffer, b"ld\r\n\n"), ["world", ""]);
        let mut rest = Vec::new();
        let _: Result<(), Errno> = buffer.flush(&mut |line| {
            rest.extend_from_slice(line);
            Ok(())
        });
        assert!(rest.is_empty());
    }

    #[test]
    fn a_line_longer_than_the_buffer_comes_in_pieces() {
        let mut buffer = LineBuffer::new();
        let pieces = push(&mut buffer, &[b'x'; LINE + 5]);
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [LINE]);
        assert_eq!(push(&mut buffer, b"\n"), ["xxxxx"]);
    }

    #[test]
    fn an_error_does_not_lose_the_rest() {
        let mut buffer = LineBuffer::new();
        let mut count = 0;
        let result = buffer.push(b"a\nb\nc", &mut |_| {
            count += 1;
            if count == 1 {
                Err(Errno::Io)
            } else {
                Ok(())
            }
        });
        assert_eq!((result, count), (Err(Errno::Io), 2));
        assert_eq!(push(&mut buffer, b"\n"), ["c"]);
    }
}
