// SPDX-License-Identifier: Apache-2.0
//! A processor for the instructions of RV32IMC that the translator emits. It knows no others, and asks a [`Bus`] for every
//! byte outside of its registers.

/// Connects the processor with memory and code.
pub trait Bus {
    /// Returns the instruction at an address: 16 bits, or 32 if the lowest two are ones.
    fn fetch(&mut self, at: u32) -> u32;
    /// Loads 1, 2 or 4 bytes.
    fn load(&mut self, at: u32, bytes: u32) -> u32;
    /// Stores 1, 2 or 4 bytes.
    fn store(&mut self, at: u32, bytes: u32, value: u32);
}

/// The registers.
#[derive(Clone)]
pub struct Hart {
    /// x0 to x31.
    pub x: [u32; 32],
    /// The address of the next instruction.
    pub pc: u32,
}

/// Returns some bits of an instruction: `count` of them from bit `from` on, moved to bit `to`.
fn bits(word: u32, from: u32, count: u32, to: u32) -> u32 {
    (word >> from & ((1 << count) - 1)) << to
}

/// Extends the sign of a number of so many bits.
fn signed(value: u32, count: u32) -> u32 {
    ((value << (32 - count)) as i32 >> (32 - count)) as u32
}

impl Hart {
    /// Executes an instruction.
    pub fn step(&mut self, bus: &mut impl Bus) {
        let word = bus.fetch(self.pc);
        let next = self.pc.wrapping_add(if word & 3 == 3 { 4 } else { 2 });
        self.pc = match word & 3 {
            3 => self.whole(bus, word, next),
            _ => self.compressed(bus, word, next),
        };
        self.x[0] = 0;
    }

    fn unknown(&self, word: u32) -> ! {
        panic!("the code has an instruction that the translator does not emit: {word:#x} at {:#x}", self.pc)
    }

    fn compute(&self, word: u32, kind: u32, upper: u32, x: u32, y: u32) -> u32 {
        let (sx, sy) = (x as i32, y as i32);
        match (upper, kind) {
            (0, 0) => x.wrapping_add(y),
            (0x20, 0) => x.wrapping_sub(y),
            (0, 1) => x << (y & 31),
            (0, 2) => u32::from(sx < sy),
            (0, 3) => u32::from(x < y),
            (0, 4) => x ^ y,
            (0, 5) => x >> (y & 31),
            (0x20, 5) => (sx >> (y & 31)) as u32,
            (0, 6) => x | y,
            (0, 7) => x & y,
            (1, 0) => x.wrapping_mul(y),
            (1, 1) => ((i64::from(sx) * i64::from(sy)) >> 32) as u32,
            (1, 3) => ((u64::from(x) * u64::from(y)) >> 32) as u32,
            (1, 4) => sx.checked_div(sy).map_or(if y == 0 { u32::MAX } else { x }, |quotient| quotient as u32),
            (1, 5) => x.checked_div(y).unwrap_or(u32::MAX),
            (1, 6) => sx.checked_rem(sy).map_or(if y == 0 { x } else { 0 }, |rest| rest as u32),
            (1, 7) => x.checked_rem(y).unwrap_or(x),
            _ => self.unknown(word),
        }
    }

    fn whole(&mut self, bus: &mut impl Bus, word: u32, next: u32) -> u32 {
        let (d, kind) = (bits(word, 7, 5, 0) as usize, bits(word, 12, 3, 0));
        let (x, y) = (self.x[bits(word, 15, 5, 0) as usize], self.x[bits(word, 20, 5, 0) as usize]);
        let immediate = (word as i32 >> 20) as u32;
        match word & 0x7f {
            0x37 => self.x[d] = word & 0xffff_f000,
            0x17 => self.x[d] = self.pc.wrapping_add(word & 0xffff_f000),
            0x6f => {
                let distance =
                    bits(word, 21, 10, 1) | bits(word, 20, 1, 11) | bits(word, 12, 8, 12) | bits(word, 31, 1, 20);
                self.x[d] = next;
                return self.pc.wrapping_add(signed(distance, 21));
            }
            0x67 if kind == 0 && d == 0 => return x.wrapping_add(immediate) & !1,
            0x63 => {
                let holds = match kind {
                    0 => x == y,
                    1 => x != y,
                    4 => (x as i32) < y as i32,
                    5 => x as i32 >= y as i32,
                    6 => x < y,
                    7 => x >= y,
                    _ => self.unknown(word),
                };
                let distance =
                    bits(word, 8, 4, 1) | bits(word, 25, 6, 5) | bits(word, 7, 1, 11) | bits(word, 31, 1, 12);
                return if holds { self.pc.wrapping_add(signed(distance, 13)) } else { next };
            }
            0x03 => {
                let at = x.wrapping_add(immediate);
                self.x[d] = match kind {
                    0 => signed(bus.load(at, 1), 8),
                    1 => signed(bus.load(at, 2), 16),
                    2 => bus.load(at, 4),
                    4 => bus.load(at, 1),
                    5 => bus.load(at, 2),
                    _ => self.unknown(word),
                };
            }
            0x23 if kind < 3 => {
                let offset = signed(bits(word, 7, 5, 0) | bits(word, 25, 7, 5), 12);
                bus.store(x.wrapping_add(offset), 1 << kind, y);
            }
            0x13 => {
                // the upper bits of a shift are those of an operation on registers
                let (upper, y) = match kind {
                    1 | 5 => (bits(word, 25, 7, 0), bits(word, 20, 5, 0)),
                    _ => (0, immediate),
                };
                self.x[d] = self.compute(word, kind, upper, x, y);
            }
            0x33 => self.x[d] = self.compute(word, kind, bits(word, 25, 7, 0), x, y),
            _ => self.unknown(word),
        }
        next
    }

    fn compressed(&mut self, bus: &mut impl Bus, word: u32, next: u32) -> u32 {
        let (d, s) = (bits(word, 7, 5, 0) as usize, bits(word, 2, 5, 0) as usize);
        let (low_x, low_y) = (8 + bits(word, 7, 3, 0) as usize, 8 + bits(word, 2, 3, 0) as usize);
        let six = bits(word, 2, 5, 0) | bits(word, 12, 1, 5);
        let near = bits(word, 10, 3, 3) | bits(word, 6, 1, 2) | bits(word, 5, 1, 6);
        match (word & 3, word >> 13) {
            (0, 2) => self.x[low_y] = bus.load(self.x[low_x].wrapping_add(near), 4),
            (0, 6) => bus.store(self.x[low_x].wrapping_add(near), 4, self.x[low_y]),
            (1, 0) if d != 0 => self.x[d] = self.x[d].wrapping_add(signed(six, 6)),
            (1, 2) if d != 0 => self.x[d] = signed(six, 6),
            (1, 3) if d == 2 => {
                let change = bits(word, 6, 1, 4)
                    | bits(word, 2, 1, 5)
                    | bits(word, 5, 1, 6)
                    | bits(word, 3, 2, 7)
                    | bits(word, 12, 1, 9);
                self.x[2] = self.x[2].wrapping_add(signed(change, 10));
            }
            (1, 3) if d != 0 && six != 0 => self.x[d] = signed(six, 6) << 12,
            (1, 4) => {
                let (x, y) = (self.x[low_x], self.x[low_y]);
                self.x[low_x] = match (bits(word, 10, 2, 0), bits(word, 12, 1, 0), bits(word, 5, 2, 0)) {
                    (0, 0, _) => x >> six,
                    (1, 0, _) => (x as i32 >> six) as u32,
                    (2, ..) => x & signed(six, 6),
                    (3, 0, 0) => x.wrapping_sub(y),
                    (3, 0, 1) => x ^ y,
                    (3, 0, 2) => x | y,
                    (3, 0, 3) => x & y,
                    _ => self.unknown(word),
                };
            }
            (1, 5) => {
                let distance = bits(word, 3, 3, 1)
                    | bits(word, 11, 1, 4)
                    | bits(word, 2, 1, 5)
                    | bits(word, 7, 1, 6)
                    | bits(word, 6, 1, 7)
                    | bits(word, 9, 2, 8)
                    | bits(word, 8, 1, 10)
                    | bits(word, 12, 1, 11);
                return self.pc.wrapping_add(signed(distance, 12));
            }
            (1, 6 | 7) => {
                let distance = bits(word, 3, 2, 1)
                    | bits(word, 10, 2, 3)
                    | bits(word, 2, 1, 5)
                    | bits(word, 5, 2, 6)
                    | bits(word, 12, 1, 8);
                if (self.x[low_x] == 0) == (word >> 13 == 6) {
                    return self.pc.wrapping_add(signed(distance, 9));
                }
            }
            (2, 0) if d != 0 && six < 32 => self.x[d] <<= six,
            (2, 2) if d != 0 => {
                let offset = bits(word, 4, 3, 2) | bits(word, 12, 1, 5) | bits(word, 2, 2, 6);
                self.x[d] = bus.load(self.x[2].wrapping_add(offset), 4);
            }
            (2, 4) => match (bits(word, 12, 1, 0), s) {
                (0, 0) if d != 0 => return self.x[d] & !1,
                (0, _) => self.x[d] = self.x[s],
                (1, 1..) => self.x[d] = self.x[d].wrapping_add(self.x[s]),
                _ => self.unknown(word),
            },
            (2, 6) => {
                let offset = bits(word, 9, 4, 2) | bits(word, 7, 2, 6);
                bus.store(self.x[2].wrapping_add(offset), 4, self.x[s]);
            }
            _ => self.unknown(word),
        }
        next
    }
}
