// SPDX-License-Identifier: Apache-2.0
//! Log lines put together without `core::fmt`, which costs about 10 KB of flash.

/// Longest line; what does not fit is cut off.
const CAPACITY: usize = 120;

/// A line of text on the stack.
#[derive(Debug)]
pub struct Text {
    bytes: [u8; CAPACITY],
    used: usize,
}

impl Text {
    /// An empty line.
    pub const fn new() -> Self {
        Text { bytes: [0; CAPACITY], used: 0 }
    }

    /// What was put together so far.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    /// Appends the runtime's own words.
    pub fn push(&mut self, text: &[u8]) {
        for byte in text {
            if let Some(place) = self.bytes.get_mut(self.used) {
                *place = *byte;
                self.used += 1;
            }
        }
    }

    /// Appends words from outside; control characters become question marks.
    pub fn push_shown(&mut self, text: &[u8]) {
        for byte in text {
            let shown = if byte.is_ascii_control() { b'?' } else { *byte };
            self.push(&[shown]);
        }
    }

    /// Appends a number in decimal.
    pub fn push_number(&mut self, number: u32) {
        let mut digits = [0; 10];
        let mut rest = number;
        let mut length = 0;
        for place in digits.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            length += 1;
            if rest == 0 {
                break;
            }
        }
        self.push(digits.get(digits.len() - length..).unwrap_or_default());
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for (number, shown) in [(0, "0"), (7, "7"), (4096, "4096"), (u32::MAX, "4294967295")] {
            let mut text = Text::new();
            text.push_number(number);
            assert_eq!(text.bytes(), shown.as_bytes());
        }
    }

    #[test]
    fn a_long_line_is_cut_off() {
        let mut text = Text::new();
        text.push(&[b'x'; CAPACITY]);
        text.push(b"more");
        assert_eq!(text.bytes().len(), CAPACITY);
    }

    #[test]
    fn control_characters_are_not_shown() {
        let mut text = Text::new();
        text.push_shown(b"a\n\x1b[b");
        assert_eq!(text.bytes(), b"a??[b");
    }
}
