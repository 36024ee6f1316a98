// SPDX-License-Identifier: Apache-2.0
//! Log lines put together without `core::fmt`, which costs about 10 KB of flash.

/// A line of text on the stack, of this many bytes. What does not fit is cut off.
#[derive(Debug)]
pub struct Line<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    used: usize,
}

/// A line of the usual length.
pub type Text = Line<120>;

impl<const CAPACITY: usize> Line<CAPACITY> {
    /// Returns an empty line.
    pub const fn new() -> Self {
        Self { bytes: [0; CAPACITY], used: 0 }
    }

    /// Returns the bytes that were put together so far.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    /// Returns the number of bytes that still fit.
    pub fn left(&self) -> usize {
        CAPACITY - self.used
    }

    /// Appends the runtime's own words.
    #[inline(never)]
    pub fn push(&mut self, text: &[u8]) {
        for byte in text {
            if let Some(place) = self.bytes.get_mut(self.used) {
                *place = *byte;
                self.used += 1;
            }
        }
    }

    /// Appends words from outside. All but printable ASCII becomes question marks.
    pub fn push_shown(&mut self, text: &[u8]) {
        for byte in text {
            let shown = if byte.is_ascii_graphic() || *byte == b' ' { *byte } else { b'?' };
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

    /// Appends a number in hexadecimal, with at least this many digits, at most eight.
    pub fn push_hex(&mut self, number: u32, least: usize) {
        let needed = (8 - number.leading_zeros() as usize / 4).max(least).min(8);
        for digit in (0..needed).rev() {
            let value = (number >> (4 * digit)) as u8 & 15;
            self.push(&[value + if value < 10 { b'0' } else { b'a' - 10 }]);
        }
    }
}

impl<const CAPACITY: usize> Default for Line<CAPACITY> {
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
    fn hexadecimal_numbers_have_at_least_the_digits_asked_for() {
        for (number, least, shown) in
            [(0, 1, "0"), (0x1af, 1, "1af"), (0x1af, 8, "000001af"), (u32::MAX, 1, "ffffffff")]
        {
            let mut text = Text::new();
            text.push_hex(number, least);
            assert_eq!(text.bytes(), shown.as_bytes());
        }
    }

    #[test]
    fn a_long_line_is_cut_off() {
        let mut text = Line::<20>::new();
        text.push(&[b'x'; 19]);
        assert_eq!(text.left(), 1);
        text.push(b"more");
        assert_eq!((text.bytes().len(), text.left()), (20, 0));
    }

    #[test]
    fn control_characters_are_not_shown() {
        let mut text = Text::new();
        text.push_shown(b"a\n\x1b[b\x9b1m\xc2\x9b\x7f");
        assert_eq!(text.bytes(), b"a??[b?1m???");
    }
}
