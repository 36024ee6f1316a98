// SPDX-License-Identifier: Apache-2.0
//! The table of callers in a native section: for each call that may end in a trap, how far the frame reaches and which
//! operators of the module the call stands for. An entry is a few numbers in LEB128:
//!
//! - the distance from the entry before to the offset in the code that the call returns to, in units of the instruction
//!   set, over three bits. Bit 0 says that the frame's size follows, bits 1 and 2 how many places do, or 3 that their
//!   number follows.
//! - the frame's size in words, if it is not that of the entry before. The return address lies in its last word.
//! - the places, the innermost first: the distance from the place before, zigzag coded, over a bit that says that the
//!   index of the function follows, because it is not that of the place before.
//!
//! A call by a function that the compiler inlined has its place, and that of each call it was inlined into. The code that
//! raises traps has those of the latter only.

use super::{distance, take_number, Arch};
#[cfg(feature = "alloc")]
use super::{put_number, zigzag};

/// A place in the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Index among the defined functions.
    pub function: u32,
    /// Offset behind the call, measured as that of a trap site.
    pub offset: u32,
}

/// A call, as the table has it.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Offset in the code that the call returns to.
    pub returns: u32,
    /// Words from the stack pointer at the call to the end of the frame.
    pub frame: u32,
    places: Cursor<'a>,
    count: u32,
}

impl<'a> Caller<'a> {
    /// Returns its places, the innermost first.
    pub fn places(&self) -> impl Iterator<Item = Place> + 'a {
        let mut cursor = self.places;
        (0..self.count).map_while(move |_| cursor.place())
    }
}

/// A table of callers: whatever its bytes are, reading it ends.
#[derive(Clone, Copy)]
pub struct Callers<'a> {
    bytes: &'a [u8],
    unit: u32,
}

/// Returns the bytes that all lengths of instructions are multiples of.
const fn unit(arch: Arch) -> u32 {
    match arch {
        Arch::X86_64 => 1,
        Arch::Thumb | Arch::RiscV32 => 2,
    }
}

impl<'a> Callers<'a> {
    /// Returns the table in these bytes.
    pub fn new(bytes: &'a [u8], arch: Arch) -> Self {
        Self { bytes, unit: unit(arch) }
    }

    /// Returns its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the entries, in the order of the code.
    pub fn entries(&self) -> impl Iterator<Item = Caller<'a>> + 'a {
        let (unit, mut returns, mut frame) = (self.unit, 0u32, 0);
        let mut cursor = Cursor { rest: self.bytes, last: Place { function: 0, offset: 0 } };
        core::iter::from_fn(move || {
            let head = cursor.number()?;
            returns = returns.wrapping_add((head >> 3).wrapping_mul(unit));
            if head & 1 != 0 {
                frame = cursor.number()?;
            }
            let count = match head >> 1 & 3 {
                3 => cursor.number()?,
                count => count,
            };
            let places = cursor;
            for _ in 0..count {
                cursor.place()?;
            }
            Some(Caller { returns, frame, places, count })
        })
    }

    /// Returns the call that returns to an offset in the code.
    pub fn find(&self, returns: u32) -> Option<Caller<'a>> {
        self.entries().find(|caller| caller.returns == returns)
    }
}

/// The bytes that are not read yet, and the last place read.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
    last: Place,
}

impl Cursor<'_> {
    fn number(&mut self) -> Option<u32> {
        take_number(&mut self.rest)
    }

    fn place(&mut self) -> Option<Place> {
        let head = self.number()?;
        if head & 1 != 0 {
            self.last.function = self.number()?;
        }
        self.last.offset = self.last.offset.wrapping_add(distance(head >> 1));
        Some(self.last)
    }
}

/// Writes a table.
#[cfg(feature = "alloc")]
pub struct Writer {
    bytes: alloc::vec::Vec<u8>,
    unit: u32,
    returns: u32,
    frame: u32,
    last: Place,
}

#[cfg(feature = "alloc")]
impl Writer {
    /// Returns an empty table.
    pub fn new(arch: Arch) -> Self {
        let last = Place { function: 0, offset: 0 };
        Self { bytes: alloc::vec::Vec::new(), unit: unit(arch), returns: 0, frame: 0, last }
    }

    fn put(&mut self, number: u32) {
        put_number(number, &mut |byte| self.bytes.push(byte));
    }

    /// Adds a call. It returns behind those that were added before.
    pub fn add(&mut self, returns: u32, frame: u32, places: &[Place]) {
        let distance = (returns - self.returns) / self.unit;
        let count = places.len() as u32;
        self.put(distance << 3 | count.min(3) << 1 | u32::from(frame != self.frame));
        if frame != self.frame {
            self.put(frame);
        }
        if count >= 3 {
            self.put(count);
        }
        for place in places {
            let distance = place.offset.wrapping_sub(self.last.offset) as i32;
            let other = place.function != self.last.function;
            self.put(zigzag(distance) << 1 | u32::from(other));
            if other {
                self.put(place.function);
            }
            self.last = *place;
        }
        (self.returns, self.frame) = (returns, frame);
    }

    /// Returns the bytes.
    pub fn finish(self) -> alloc::vec::Vec<u8> {
        self.bytes
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn place(function: u32, offset: u32) -> Place {
        Place { function, offset }
    }

    fn table(arch: Arch, calls: &[(u32, u32, Vec<Place>)]) -> Vec<u8> {
        let mut writer = Writer::new(arch);
        calls.iter().for_each(|(returns, frame, places)| writer.add(*returns, *frame, places));
        writer.finish()
    }

    fn read(arch: Arch, bytes: &[u8]) -> Vec<(u32, u32, Vec<Place>)> {
        let entries = Callers::new(bytes, arch).entries();
        entries.map(|caller| (caller.returns, caller.frame, caller.places().collect())).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let calls = [
            (4, 2, [].to_vec()),
            (4096, 2, [place(7, 0x20_0000), place(0, 3), place(0, 900)].to_vec()),
            (4098, 9000, [place(0, 0), place(1, 0xff_ffff)].to_vec()),
            (0x100_0000, 9000, (0..40).map(|n| place(n, 77)).collect()),
        ];
        for arch in [Arch::Thumb, Arch::RiscV32, Arch::X86_64] {
            let bytes = table(arch, &calls);
            assert_eq!(read(arch, &bytes), calls);
            let callers = Callers::new(&bytes, arch);
            assert_eq!(callers.find(4098).map(|caller| caller.frame), Some(9000));
            assert!(callers.find(4097).is_none() && callers.find(0).is_none());
        }
    }

    #[test]
    fn a_call_in_the_function_of_the_one_before_takes_two_bytes() {
        let calls = [(10, 4, [place(3, 100)].to_vec()), (30, 4, [place(3, 120)].to_vec())];
        assert_eq!(table(Arch::Thumb, &calls).len() - table(Arch::Thumb, &calls[..1]).len(), 2);
    }

    #[test]
    fn any_bytes_are_read_to_an_end() {
        // the numbers of a table may say more places than there are bytes
        assert_eq!(read(Arch::Thumb, &[0xff; 64]), []);
        assert_eq!(read(Arch::Thumb, &[6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]), []);
        let whole = table(Arch::Thumb, &[(10, 4, [place(3, 100)].to_vec()), (3000, 400, [place(1, 9000)].to_vec())]);
        let mut state = 1u32;
        for round in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=round % 3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            bytes.truncate((state >> 3) as usize % (bytes.len() + 1));
            assert!(read(Arch::X86_64, &bytes).len() <= bytes.len());
        }
    }
}
