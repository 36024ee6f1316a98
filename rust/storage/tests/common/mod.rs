// SPDX-License-Identifier: Apache-2.0
//! A flash memory that loses power, and what can be observed of a store.
#![allow(dead_code)]

use std::collections::BTreeMap;

use wisp_storage::{Flash, FlashError, Geometry, ImageRef, Mounted, Store, StoreError, Upload, Which};
use wisp_trust::sha256;

/// Returns how many cases there are for each that a test tries: `sample`, or the number in `WISP_ONE_IN`.
pub fn one_in(sample: u64) -> u64 {
    let Some(text) = std::env::var_os("WISP_ONE_IN") else { return sample };
    let number = text.to_str().and_then(|text| text.parse().ok()).filter(|&number| number > 0);
    number.unwrap_or_else(|| panic!("WISP_ONE_IN is {text:?}; expected a number from 1 on"))
}

/// Pseudo-random numbers (xorshift64*).
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }
}

/// The part of a cut-off operation that takes place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    Nothing,
    Beginning,
    /// A driver may write the last words first.
    End,
    AnyBits,
    All,
    /// It reads as if all took place, but what changed is weak: it may read otherwise each time power comes back.
    WeakAll,
    /// It reads as if nothing took place, but is weak.
    WeakNothing,
    /// Any bits, weak.
    WeakAny,
}

pub const CUTS: [Cut; 8] =
    [Cut::Nothing, Cut::Beginning, Cut::End, Cut::AnyBits, Cut::All, Cut::WeakAll, Cut::WeakNothing, Cut::WeakAny];

/// NOR flash: a byte is written once between erases, or the test fails. Bits of an operation that was cut off
/// may be weak until their block is erased.
#[derive(Clone)]
pub struct SimFlash {
    pub geometry: Geometry,
    pub memory: Vec<u8>,
    written: Vec<bool>,
    /// Weak bits, by address: (address, mask).
    weak: Vec<(usize, u8)>,
    pub erases: Vec<u32>,
    /// Writes and erases so far.
    pub operations: u64,
    /// The operation to cut off.
    pub cut: Option<(u64, Cut)>,
    /// The power is off.
    pub dead: bool,
    random: Random,
}

impl SimFlash {
    pub fn new(geometry: Geometry) -> Self {
        let size = geometry.size as usize;
        Self {
            geometry,
            memory: vec![geometry.erased; size],
            written: vec![false; size],
            weak: Vec::new(),
            erases: vec![0; size / geometry.erase_block as usize],
            operations: 0,
            cut: None,
            dead: false,
            random: Random::new(1),
        }
    }

    /// Returns the same flash with power. Each weak bit reads as chance will have it, or most of them as before.
    pub fn powered(mut self) -> Self {
        self.dead = false;
        self.cut = None;
        self.operations = 0;
        let changes = self.random.below(3);
        for (at, mask) in &self.weak {
            if changes != 0 && (changes == 1 || self.random.below(16) == 0) {
                self.memory[*at] ^= mask & self.random.next() as u8;
            }
        }
        let (block, erased) = (self.geometry.write_block as usize, self.geometry.erased);
        for (at, _) in &self.weak {
            // nobody can know of a block that reads as erased that it is weak
            let range = at - at % block..at - at % block + block;
            let touched = self.memory[range.clone()].iter().any(|byte| *byte != erased);
            self.written[range].fill(touched);
        }
        self
    }

    pub fn cut_at(mut self, operation: u64, cut: Cut) -> Self {
        self.cut = Some((operation, cut));
        self.random = Random::new(operation * 11 + cut as u64);
        self
    }

    /// Returns true if nothing is weak.
    pub fn is_solid(&self) -> bool {
        self.weak.is_empty()
    }

    /// Changes a range to `new`, as far as the power lasts.
    fn change(&mut self, at: usize, new: &[u8]) -> Result<(), FlashError> {
        let cut = self.cut.filter(|(operation, _)| *operation == self.operations).map(|(_, cut)| cut);
        self.operations += 1;
        let beginning = self.random.below(new.len() as u64 + 1) as usize;
        for (index, byte) in new.iter().enumerate() {
            let old = self.memory[at + index];
            let mask = self.random.next() as u8;
            self.memory[at + index] = match cut {
                None | Some(Cut::All | Cut::WeakAll) => *byte,
                Some(Cut::Beginning) if index < beginning => *byte,
                Some(Cut::End) if index >= beginning => *byte,
                Some(Cut::AnyBits | Cut::WeakAny) => (old & mask) | (*byte & !mask),
                _ => old,
            };
            if matches!(cut, Some(Cut::WeakAll | Cut::WeakNothing | Cut::WeakAny)) && old != *byte {
                self.weak.push((at + index, old ^ byte));
            }
        }
        if cut.is_some() {
            self.dead = true;
            return Err(FlashError);
        }
        Ok(())
    }
}

/// The simulated flash, kept by the test when mounting fails.
pub struct Borrowed<'f>(pub &'f mut SimFlash);

impl Flash for Borrowed<'_> {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        self.0.read(at, out)
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.0.write(at, bytes)
    }
    fn erase_block(&mut self, at: u32) -> Result<(), FlashError> {
        self.0.erase_block(at)
    }
}

impl Flash for SimFlash {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        out.copy_from_slice(&self.memory[at as usize..][..out.len()]);
        Ok(())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        let block = self.geometry.write_block;
        assert!(at % block == 0 && bytes.len() as u32 % block == 0 && !bytes.is_empty(), "unaligned write");
        let range = at as usize..at as usize + bytes.len();
        assert!(!self.written[range.clone()].contains(&true), "written twice without an erase, at {at:#x}");
        let result = self.change(at as usize, bytes);
        let erased = self.geometry.erased;
        if result.is_ok() {
            // bits that were written are solid; those that were left as they are may still be weak
            for (at, mask) in &mut self.weak {
                if range.contains(at) {
                    *mask &= !(self.memory[*at] ^ erased);
                }
            }
        }
        for start in range.step_by(block as usize) {
            // a write block that a cut-off write did not get to is as good as erased
            let block = start..start + block as usize;
            let touched = result.is_ok() || self.memory[block.clone()].iter().any(|byte| *byte != erased);
            self.written[block].fill(touched);
        }
        result
    }

    fn erase_block(&mut self, at: u32) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        let size = self.geometry.erase_block;
        assert!(at % size == 0);
        self.erases[(at / size) as usize] += 1;
        let new = vec![self.geometry.erased; size as usize];
        let result = self.change(at as usize, &new);
        if result.is_ok() {
            self.weak.retain(|(weak, _)| !(at as usize..at as usize + size as usize).contains(weak));
        }
        self.written[at as usize..][..size as usize].fill(result.is_err());
        result
    }
}

/// Returns an image for tests: bytes that depend on its number.
pub fn image(number: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(number + 1000);
    (0..length).map(|_| random.next() as u8).collect()
}

pub fn upload<'n>(name: &'n str, bytes: &[u8], rollback: u32) -> Upload<'n> {
    Upload { name, length: bytes.len() as u32, hash: sha256(bytes), version: 1, rollback, downgrade: false }
}

/// All that can be seen of an app.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    pub running: Option<[u8; 32]>,
    pub candidate: Option<[u8; 32]>,
    pub floor: u32,
    pub disabled: bool,
    pub manual: bool,
    pub counters: (u8, u16),
}

/// All that can be seen of a store, the offset of an upload apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    pub apps: BTreeMap<String, Seen>,
    pub retired: Vec<[u8; 8]>,
    pub upload: Option<(String, [u8; 32])>,
}

/// Checks a store: reads every image and compares it with its hash.
pub fn observe(store: &mut Store<'_, SimFlash>) -> State {
    let mut state = State { retired: store.retired().to_vec(), ..State::default() };
    let slots: Vec<_> = store.slots().collect();
    for slot in slots {
        let app = store.app(slot).unwrap();
        let mut seen = |which| {
            app.image(which).map(|image| {
                let (found, _) = store.checked(slot, which).expect("the image is whole, or can be put right");
                assert_eq!(ImageRef { first: found.first, ..image }, found);
                let at = store.address(&found) as usize;
                assert_eq!(sha256(&store.flash().memory[at..][..image.length as usize]), image.hash);
                image.hash
            })
        };
        let (running, candidate) = (seen(Which::Running), seen(Which::Candidate));
        let seen = Seen {
            running,
            candidate,
            floor: app.floor,
            disabled: app.disabled,
            manual: app.manual,
            counters: store.counters(slot),
        };
        let previous = state.apps.insert(app.name.as_str().into(), seen);
        assert_eq!(previous, None, "two places for one app");
    }
    state.upload = match store.progress() {
        Ok(progress) => Some((progress.name.as_str().into(), progress.image.hash)),
        Err(error) => {
            assert_eq!(error, StoreError::NoUpload);
            None
        }
    };
    state
}

/// Mounts, and looks.
pub fn mounted(flash: SimFlash) -> (State, SimFlash, Mounted) {
    let mut wear = vec![0; 512];
    let (mut store, how) = Store::mount(flash, &mut wear).expect("a powered flash can be mounted");
    (observe(&mut store), store.into_flash(), how)
}

pub const SMALL: Geometry = Geometry { size: 24 * 512, erase_block: 512, write_block: 1, erased: 0xff };
pub const PAGES: Geometry = Geometry { size: 16 * 4096, erase_block: 4096, write_block: 8, erased: 0xff };
pub const COARSE: Geometry = Geometry { size: 32 * 1024, erase_block: 1024, write_block: 32, erased: 0x00 };
/// The largest write block there may be, in small blocks.
pub const FINE: Geometry = Geometry { size: 96 * 256, erase_block: 256, write_block: 64, erased: 0xff };
