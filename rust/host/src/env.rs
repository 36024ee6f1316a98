// SPDX-License-Identifier: Apache-2.0
//! `env`: what AssemblyScript's compiler imports by default.
//!
//! The interface is not one of Wisp, so the ABI description does not have it: its strings are objects of
//! AssemblyScript's runtime, UTF-16 with their size before them, and its numbers are `f64`.

use crate::border::wide;
use crate::line::lines;
use crate::platform::Platform;
use crate::App;
use wisp_abi::log;
use wisp_engine::SlotFunction;

/// The import module.
pub(crate) const MODULE: &str = "env";

/// Longest piece of a message in bytes of UTF-8. A longer message is logged in several lines.
const PIECE: usize = 96;

/// Collects text and hands it on in pieces.
struct Text<F: FnMut(&[u8])> {
    bytes: [u8; PIECE],
    used: usize,
    emit: F,
}

impl<F: FnMut(&[u8])> Text<F> {
    fn new(emit: F) -> Self {
        Text { bytes: [0; PIECE], used: 0, emit }
    }

    fn push(&mut self, text: &[u8]) {
        if self.used + text.len() > PIECE {
            self.end();
        }
        if let Some(place) = self.bytes.get_mut(self.used..self.used + text.len()) {
            place.copy_from_slice(text);
            self.used += text.len();
        }
    }

    fn end(&mut self) {
        (self.emit)(self.bytes.get(..self.used).unwrap_or(&[]));
        self.used = 0;
    }

    /// Adds a string of AssemblyScript. One that does not lie in memory is shown as `?`.
    fn string(&mut self, memory: &[u8], pointer: u32) {
        if pointer == 0 {
            return;
        }
        let Some(units) = units(memory, pointer) else { return self.push(b"?") };
        let units = units.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        for found in char::decode_utf16(units) {
            let mut utf8 = [0; 4];
            self.push(found.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut utf8).as_bytes());
        }
    }

    fn decimal(&mut self, mut value: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut first = digits.len();
        while value != 0 || digits.len() - first < width {
            first -= 1;
            digits[first] = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.push(&digits[first..]);
    }

    /// Adds a number: an integer as one, anything else with at most six decimals, very large and very small ones
    /// with an exponent.
    fn number(&mut self, value: f64) {
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
        if exponent == 0x7ff && fraction != 0 {
            return self.push(b"NaN");
        }
        if bits >> 63 != 0 && bits << 1 != 0 {
            self.push(b"-");
        }
        if exponent == 0x7ff {
            return self.push(b"Infinity");
        }
        // The value is mantissa * 2^shift.
        let (mantissa, shift) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
        match shift {
            _ if mantissa == 0 => self.push(b"0"),
            0..=11 => self.decimal(mantissa << shift, 1),
            // At least 2^-13, so that six decimals show something.
            -65..=-1 => {
                let wide = u128::from(mantissa) << 64 >> -shift;
                self.decimals((wide >> 64) as u64, wide as u64, 0);
            }
            _ => self.scientific(mantissa, shift),
        }
    }

    /// Adds an integer part and a fraction in units of 2^-64, rounded to six decimals, and then the exponent, if not 0.
    fn decimals(&mut self, mut whole: u64, fraction: u64, mut exponent: i32) {
        const SCALE: u64 = 1_000_000;
        let mut decimals = ((u128::from(fraction) * u128::from(SCALE) + (1 << 63)) >> 64) as u64;
        if decimals == SCALE {
            (whole, decimals) = (whole + 1, 0);
        }
        if exponent != 0 && whole == 10 {
            (whole, exponent) = (1, exponent + 1);
        }
        self.decimal(whole, 1);
        if decimals != 0 {
            let mut width = 6;
            while decimals % 10 == 0 {
                (decimals, width) = (decimals / 10, width - 1);
            }
            self.push(b".");
            self.decimal(decimals, width);
        }
        if exponent != 0 {
            self.push(if exponent < 0 { b"e-" } else { b"e+" });
            self.decimal(u64::from(exponent.unsigned_abs()), 1);
        }
    }

    /// Scales by powers of ten to one digit before the point. Each step loses less than 2^-59 of the value.
    fn scientific(&mut self, mantissa: u64, shift: i32) {
        let lead = mantissa.leading_zeros();
        let (mut mantissa, mut shift, mut exponent) = (mantissa << lead, shift - lead as i32, 0);
        // mantissa has its top bit set: from 2^63 * 2^shift on
        while shift > -60 || (shift == -60 && mantissa >= 10 << 60) {
            mantissa /= 10;
            let lead = mantissa.leading_zeros();
            (mantissa, shift, exponent) = (mantissa << lead, shift - lead as i32, exponent + 1);
        }
        while shift < -63 {
            mantissa = (mantissa >> 4) * 10;
            let lead = mantissa.leading_zeros();
            (mantissa, shift, exponent) = (mantissa << lead, shift + 4 - lead as i32, exponent - 1);
        }
        let wide = u128::from(mantissa) << 64 >> -shift;
        self.decimals((wide >> 64) as u64, wide as u64, exponent);
    }
}

/// Returns the UTF-16 of a string object: its size in bytes is in the four bytes before it.
fn units(memory: &[u8], pointer: u32) -> Option<&[u8]> {
    let start = usize::try_from(pointer).ok()?;
    let size = memory.get(start.checked_sub(4)?..start)?;
    let size = usize::try_from(u32::from_le_bytes(size.try_into().ok()?)).ok()?;
    memory.get(start..start.checked_add(size)?)
}

impl<P: Platform> App<P> {
    /// Logs what `write` puts together.
    fn say(&mut self, level: u32, write: impl FnOnce(&mut Text<&mut dyn FnMut(&[u8])>)) {
        if level > self.platform.max_level() {
            return;
        }
        let mut emit = |text: &[u8]| {
            lines(text, &mut |line| {
                // an app that is to stop logs no more
                let goes_on = self.go_on::<()>().is_ok();
                if goes_on {
                    self.platform.line(level, line);
                }
                goes_on
            });
        };
        let mut text = Text::new(&mut emit as &mut dyn FnMut(&[u8]));
        write(&mut text);
        text.end();
    }

    /// Reports where an assertion failed or an exception was thrown. The compiler puts a trap behind the call.
    fn abort(&mut self, memory: &[u8], message: u32, file: u32, line: u32, column: u32) {
        self.say(log::ERROR, |text| {
            text.push(b"abort: ");
            text.string(memory, message);
            text.push(b" in ");
            text.string(memory, file);
            text.push(b":");
            text.decimal(line.into(), 1);
            text.push(b":");
            text.decimal(column.into(), 1);
        });
    }

    fn trace(&mut self, memory: &[u8], message: u32, count: u32, numbers: [f64; 5]) {
        self.say(log::INFO, |text| {
            text.push(b"trace: ");
            text.string(memory, message);
            let count = usize::try_from(count).unwrap_or(0);
            for (index, number) in numbers.into_iter().take(count).enumerate() {
                text.push(if index == 0 { b" " } else { b", " });
                text.number(number);
            }
        });
    }

    fn console(&mut self, memory: &[u8], level: u32, message: u32) {
        self.say(level, |text| text.string(memory, message));
    }

    /// Returns a number to begin random ones with. Only its bits count. Without entropy it is the time.
    fn seed(&mut self) -> f64 {
        let mut bytes = [0; 8];
        if self.platform.fill(&mut bytes).is_err() {
            bytes = self.platform.uptime_us().to_le_bytes();
        }
        // Small exponents: no NaN, whose bits an engine may change.
        f64::from_bits(u64::from_le_bytes(bytes) & ((1 << 62) - 1))
    }

    /// Returns the milliseconds since 1970, or since boot where the board does not know the time.
    fn date_now(&mut self) -> f64 {
        let ms = match self.platform.wall_clock_ns() {
            Some(ns) => ns / 1_000_000,
            None => self.platform.uptime_us() / 1000,
        };
        ms as f64
    }
}

macro_rules! console {
    ($name:literal, $level:expr) => {
        SlotFunction::new($name, "(i)", |app: &mut App<P>, memory: &mut [u8], &[message]: &[u32; 1]| {
            app.console(memory, $level, message);
        })
    };
}

/// Returns the functions, for a linker.
pub(crate) const fn functions<P: Platform + 'static>() -> [SlotFunction<App<P>>; 10] {
    [
        SlotFunction::new("abort", "(iiii)", |app: &mut App<P>, memory, &[message, file, line, column]: &[u32; 4]| {
            app.abort(memory, message, file, line, column);
        }),
        SlotFunction::new("trace", "(iiFFFFF)", |app: &mut App<P>, memory, slots: &[u32; 12]| {
            let [message, count, numbers @ ..] = slots;
            let number = |at: usize| f64::from_bits(wide(numbers[2 * at], numbers[2 * at + 1]));
            app.trace(memory, *message, *count, [number(0), number(1), number(2), number(3), number(4)]);
        }),
        SlotFunction::new("seed", "()F", |app: &mut App<P>, _, _: &[u32; 0]| app.seed()),
        SlotFunction::new("Date.now", "()F", |app: &mut App<P>, _, _: &[u32; 0]| app.date_now()),
        SlotFunction::new("performance.now", "()F", |app: &mut App<P>, _, _: &[u32; 0]| {
            app.platform.uptime_us() as f64 / 1000.0
        }),
        console!("console.log", log::INFO),
        console!("console.info", log::INFO),
        console!("console.debug", log::DEBUG),
        console!("console.warn", log::WARN),
        console!("console.error", log::ERROR),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Harness;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn shown(value: f64) -> String {
        let mut out = Vec::new();
        let mut text = Text::new(|piece: &[u8]| out.extend_from_slice(piece));
        text.number(value);
        text.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_shown_as_decimals() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-42.0, "-42"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (core::f64::consts::PI, "3.141593"),
            (0.999_999_9, "1"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (18_446_744_073_709_549_568.0, "18446744073709549568"),
            (1e300, "1e+300"),
            (-1.25e-9, "-1.25e-9"),
            (f64::MAX, "1.797693e+308"),
            (f64::MIN_POSITIVE, "2.225074e-308"),
            (5e-324, "4.940656e-324"),
            (1e20, "1e+20"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn numbers_are_those_of_the_standard_library_to_six_decimals() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(state ^ state >> 29);
            if !value.is_finite() {
                continue;
            }
            let ours: f64 = shown(value).parse().unwrap();
            let error = ((ours - value) / value).abs();
            // six decimals of a number with one digit before the point, and of one that is below 1
            let allowed = if value.abs() < 1.0 && value.abs() > 1e-4 { 5e-7 / value.abs() } else { 6e-7 };
            assert!(error <= allowed + 1e-12, "{value:e} {}", shown(value));
        }
        assert_eq!(shown(2.0f64.powi(60) + 1.0), (1u64 << 60).to_string());
    }

    fn place(harness: &mut Harness, at: usize, text: &str) -> u32 {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        harness.memory[at - 4..at].copy_from_slice(&(units.len() as u32).to_le_bytes());
        harness.memory[at..at + units.len()].copy_from_slice(&units);
        at as u32
    }

    fn logged(harness: &Harness) -> Vec<(u32, String)> {
        harness.app.platform().logged.clone()
    }

    #[test]
    fn an_abort_tells_message_and_place() {
        let mut harness = Harness::new();
        let message = place(&mut harness, 16, "Gr\u{fc}\u{df}e \u{1f980}");
        let file = place(&mut harness, 64, "a.ts");
        let memory = harness.memory.clone();
        harness.app.abort(&memory, message, file, 12, 3);
        harness.app.abort(&memory, 0, 0, 0, 0);
        assert_eq!(
            logged(&harness),
            [
                (log::ERROR, "abort: Gr\u{fc}\u{df}e \u{1f980} in a.ts:12:3".into()),
                (log::ERROR, "abort:  in :0:0".into())
            ]
        );
    }

    #[test]
    fn a_trace_shows_as_many_numbers_as_it_says() {
        let mut harness = Harness::new();
        let message = place(&mut harness, 16, "x");
        let memory = harness.memory.clone();
        let numbers = [1.0, 2.5, -3.0, 0.0, 5.0];
        for count in [0, 2, 5, u32::MAX] {
            harness.app.trace(&memory, message, count, numbers);
        }
        let texts: Vec<String> = logged(&harness).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["trace: x", "trace: x 1, 2.5", "trace: x 1, 2.5, -3, 0, 5", "trace: x 1, 2.5, -3, 0, 5"]);
    }

    #[test]
    fn strings_outside_memory_and_broken_ones_are_shown_as_such() {
        let mut harness = Harness::new();
        let size = harness.memory.len() as u32;
        harness.memory[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        harness.memory[28..34].copy_from_slice(&[2, 0, 0, 0, 0x00, 0xd8]);
        let memory = harness.memory.clone();
        for pointer in [1, 3, 16, 32, size, size - 1, u32::MAX] {
            harness.app.console(&memory, log::INFO, pointer);
        }
        let texts: Vec<String> = logged(&harness).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts[..4], ["?", "?", "?", "\u{fffd}"]);
        // what lies before the end of memory is no size, or an empty string
        assert_eq!(texts.len(), 7);
    }

    #[test]
    fn a_long_message_comes_in_pieces_that_end_between_characters() {
        let mut harness = Harness::new();
        harness.memory = std::vec![0; 1024];
        let message = place(&mut harness, 16, &"\u{20ac}".repeat(50));
        let memory = harness.memory.clone();
        harness.app.console(&memory, log::INFO, message);
        let texts: Vec<String> = logged(&harness).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["\u{20ac}".repeat(32), "\u{20ac}".repeat(18)]);
    }

    #[test]
    fn a_seed_is_a_number() {
        let mut harness = Harness::new();
        assert!(harness.app.seed().is_finite());
        assert!(harness.app.date_now() >= 0.0);
    }
}
