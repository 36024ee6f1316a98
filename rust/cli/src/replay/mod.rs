// SPDX-License-Identifier: Apache-2.0
//! Recordings of what came into an app, and runs that play them. [`wisp_host::recording`] has the format.

mod player;
mod recorder;
mod show;
#[cfg(test)]
mod tests;

use std::path::Path;

use wisp_host::recording::{self as raw, Conditions, HEADER};
use wisp_image::{Image, ImageId, ImportKind};

pub use self::player::{define, Outcome, Place, Player};
pub use self::recorder::Recorder;
pub use self::show::show;

use crate::failure::Failure;
use crate::input;

/// Something that came in, or the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// The host called a function of the guest.
    Entry { function: u32, arguments: Vec<u32> },
    /// The guest called a function of the host.
    HostCall(HostCall),
    /// The same, but nothing is known of it.
    LeftOut { import: u16 },
    /// The run has ended.
    End(End),
}

/// A call of a function of the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostCall {
    pub import: u16,
    pub trap: u32,
    pub status: i32,
    pub arguments: Vec<u32>,
    pub results: Vec<u32>,
    /// Address and bytes of each piece of memory that it wrote.
    pub written: Vec<(u32, Vec<u8>)>,
}

/// The end of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// 0 for none.
    pub trap: u32,
    pub function: u32,
    pub offset: u32,
    pub status: i32,
    /// Fuel that was used.
    pub fuel: u64,
}

/// A recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    pub conditions: Conditions,
    pub items: Vec<Item>,
    /// The file ends within an item.
    pub cut: bool,
}

/// Fuel of a run that is recorded without a limit.
pub const ENDLESS: u64 = u64::MAX / 2;

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn word(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn take(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn slots(&mut self) -> Option<Vec<u32>> {
        let count = self.number()?;
        (0..count).map(|_| self.word()).collect()
    }

    /// Reads what an item holds.
    fn item(&mut self) -> Option<Item> {
        let (&tag, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match tag {
            raw::ENTRY => Item::Entry { function: self.word()?, arguments: self.slots()? },
            raw::HOST_CALL => {
                let import = u16::try_from(self.number()?).ok()?;
                let (trap, status) = (self.word()?, self.word()? as i32);
                let (arguments, results, count) = (self.slots()?, self.slots()?, self.number()?);
                let mut written = || Some((self.word()?, self.take()?.to_vec()));
                let written = (0..count).map(|_| written()).collect::<Option<_>>()?;
                Item::HostCall(HostCall { import, trap, status, arguments, results, written })
            }
            raw::LEFT_OUT => Item::LeftOut { import: u16::try_from(self.number()?).ok()? },
            raw::END => Item::End(End {
                trap: self.word()?,
                function: self.word()?,
                offset: self.word()?,
                status: self.word()? as i32,
                fuel: self.number()?,
            }),
            _ => return None,
        })
    }
}

/// Returns true if a file is a recording.
pub fn is_recording(bytes: &[u8]) -> bool {
    bytes.starts_with(&raw::MAGIC)
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// The bytes are none, or damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let conditions = Conditions::read(bytes)
            .ok_or("this is no recording; expected one that `wisp run --record` or `west wisp record` wrote")?;
        let (mut items, mut cut) = (Vec::new(), false);
        let mut rest = Reader(&bytes[HEADER..]);
        while !rest.0.is_empty() {
            let Some(item) = rest.take() else {
                cut = true;
                break;
            };
            let item = Reader(item).item();
            items.push(
                item.ok_or_else(|| format!("item {} of the recording is damaged; record it again", items.len() + 1))?,
            );
        }
        Ok(Self { conditions, items, cut })
    }

    /// Reads a file with a recording.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Self::parse(&input::read(path)?).map_err(|error| Failure::in_file(path, error))
    }

    /// Reads a recording that has its beginning.
    pub fn with_beginning(file: &Path) -> Result<Self, Failure> {
        let recording = Self::open(file)?;
        match recording.conditions.lost {
            0 => Ok(recording),
            lost => Err(Failure::in_file(
                file,
                format_args!(
                    "the first {lost} items of the recording are lost, because the device had no room for them, so it cannot be \
                     replayed; raise CONFIG_WISP_RECORD_SIZE, and see the rest with `wisp inspect`"
                ),
            )),
        }
    }

    /// Returns the id of the image that ran.
    pub fn image(&self) -> ImageId {
        let (wasm, code) = self.conditions.image;
        ImageId { wasm, code }
    }

    /// Returns how the run has ended, or `None` if the recording does not have its end.
    pub fn end(&self) -> Option<End> {
        match self.items.last() {
            Some(Item::End(end)) => Some(*end),
            _ => None,
        }
    }
}

/// Returns module and name of each imported function of an image.
pub fn imports(image: &Image<'_>) -> Vec<String> {
    let function = |index: usize| {
        let import = image.import(index).ok()?;
        matches!(import.kind, ImportKind::Function(_))
            .then(|| format!("{} {}", import.module.shown(), import.name.shown()))
    };
    (0..image.import_count()).filter_map(function).collect()
}

/// Returns why a recording is not replayed: it is of another image.
pub fn of_another_image(file: &Path, recorded: ImageId, found: &str) -> Failure {
    Failure::in_file(
        file,
        format_args!(
            "the recording is of image {recorded}, and this file gives {found}; give the module that was recorded, with the \
             options of `wisp build`"
        ),
    )
}
