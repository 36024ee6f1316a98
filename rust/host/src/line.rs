// SPDX-License-Identifier: Apache-2.0
//! Guest text for logs and consoles: cut into lines, control characters made harmless.

/// Longest line that is kept together; a longer one comes in pieces. About this much RAM per app.
pub(crate) const LINE: usize = 96;

/// What a log shows for one byte of a guest's text.
fn shown(byte: u8) -> u8 {
    if byte == b'\t' || !byte.is_ascii_control() {
        byte
    } else {
        b'?'
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Longest piece of a line without control characters.
const CLEAN: usize = 1024;

/// Calls `emit` with each line of `text`, until it says that this is enough. Text without control characters is
/// passed as it is, in long pieces; otherwise it is copied in short ones.
pub(crate) fn lines(text: &[u8], mut emit: impl FnMut(&[u8]) -> bool) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for line in text.split(|byte| *byte == b'\n').map(without_return) {
        let clean = line.iter().all(|byte| shown(*byte) == *byte);
        if line.len() <= CLEAN && clean {
            if !emit(line) {
                return;
            }
            continue;
        }
        for piece in line.chunks(if clean { CLEAN } else { LINE }) {
            let mut shorter = LineBuffer::new();
            let piece = if clean {
                piece
            } else {
                piece.iter().for_each(|byte| shorter.add(shown(*byte)));
                shorter.line()
            };
            if !emit(piece) {
                return;
            }
        }
    }
}

/// Collects what a guest prints until a line is complete.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    text: [u8; LINE],
    used: u8,
}

impl LineBuffer {
    /// An empty buffer.
    pub(crate) const fn new() -> Self {
        LineBuffer { text: [0; LINE], used: 0 }
    }

    /// Adds a byte if there is room.
    fn add(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(usize::from(self.used)) {
            *place = byte;
            self.used += 1;
        }
    }

    fn line(&self) -> &[u8] {
        self.text.get(..usize::from(self.used)).unwrap_or(&[])
    }

    /// Adds bytes; calls `emit` with each line as it is complete, or as long as the buffer. Whatever
    /// `emit` says, all bytes are taken; its first error is returned. Carriage returns are dropped.
    pub(crate) fn push<E>(&mut self, bytes: &[u8], mut emit: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut result = Ok(());
        for &byte in bytes {
            if byte == b'\n' {
                let outcome = emit(self.line());
                result = result.and(outcome);
                self.used = 0;
                continue;
            }
            if byte == b'\r' {
                continue;
            }
            if usize::from(self.used) == LINE {
                let outcome = emit(self.line());
                result = result.and(outcome);
                self.used = 0;
            }
            self.add(shown(byte));
        }
        result
    }

    /// Emits what is left without a line end, if anything.
    pub(crate) fn flush<E>(&mut self, emit: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.used == 0 {
            return Ok(());
        }
        let result = emit(self.line());
        self.used = 0;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    fn collect(text: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        lines(text, |line| {
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
        assert_eq!(collect(b"a\x1b[2Jb\0\x7f\tc"), ["a?[2Jb??\tc"]);
        assert_eq!(collect("gr\u{fc}n".as_bytes()), ["gr\u{fc}n"]);
    }

    #[test]
    fn a_long_line_is_kept_when_clean_and_cut_when_not() {
        let mut long = std::vec![b'x'; 2 * LINE];
        assert_eq!(collect(&long), [String::from_utf8(long.clone()).unwrap()]);
        long[0] = 1;
        assert_eq!(collect(&long).iter().map(String::len).collect::<Vec<_>>(), [LINE, LINE]);
    }

    fn push(buffer: &mut LineBuffer, bytes: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        let result: Result<(), ()> = buffer.push(bytes, |line| {
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
        let _: Result<(), ()> = buffer.flush(|line| {
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
        let result = buffer.push(b"a\nb\nc", |_| {
            count += 1;
            if count == 1 {
                Err(5)
            } else {
                Ok(())
            }
        });
        assert_eq!((result, count), (Err(5), 2));
        assert_eq!(push(&mut buffer, b"\n"), ["c"]);
    }
}
