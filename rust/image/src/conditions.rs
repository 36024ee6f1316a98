// SPDX-License-Identifier: Apache-2.0
//! Conditions in the signed content of an image: for which boards, vendors and classes of devices it is.
//!
//! The section is a list of records: kind (1), length (1), and that many bytes of printable ASCII. A device meets
//! them if, of each kind that occurs, at least one record names it. A name that ends with `*` stands for all that
//! begin like it.

use crate::format::Section;
use crate::Image;

/// Longest name in bytes.
pub const NAME_MAX: usize = 63;

/// A kind of condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The board, as Zephyr names it: `nrf5340dk`, or with its qualifiers `nrf5340dk/nrf5340/cpuapp`.
    Board = 1,
    /// The vendor of the device, as its firmware states it.
    Vendor = 2,
    /// The class of the device, as its firmware states it.
    Class = 3,
}

impl Kind {
    /// Each kind.
    pub const ALL: [Self; 3] = [Self::Board, Self::Vendor, Self::Class];

    /// Returns the word for the kind in messages and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Vendor => "vendor",
            Self::Class => "class",
        }
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == number)
    }
}

/// The section has no valid form, or a condition of a kind that this version does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable;

/// The conditions of an image.
#[derive(Clone, Copy)]
pub struct Conditions<'a>(&'a [u8]);

impl<'a> Image<'a> {
    /// Returns the conditions of the image. An image without the section has none.
    ///
    /// # Errors
    /// The section occurs twice or is empty. Or a record is of an unknown kind, is cut short, or has a name that is not
    /// 1 to [`NAME_MAX`] bytes of printable ASCII. Nobody may ignore a condition.
    pub fn conditions(&self) -> Result<Conditions<'a>, Unreadable> {
        let mut found = self.sections().filter(|&(kind, _)| kind == Section::CONDITIONS);
        let Some((_, bytes)) = found.next() else { return Ok(Conditions(&[])) };
        let conditions = Conditions(bytes);
        let length: usize = conditions.records().map(|(_, name)| 2 + name.len()).sum();
        let sound = conditions.records().all(|(kind, name)| {
            let printable = name.iter().all(|byte| byte.is_ascii_graphic());
            Kind::of(kind).is_some() && printable && !name.is_empty() && name.len() <= NAME_MAX
        });
        match sound && length == bytes.len() && length != 0 && found.next().is_none() {
            true => Ok(conditions),
            false => Err(Unreadable),
        }
    }
}

impl<'a> Conditions<'a> {
    fn records(&self) -> impl Iterator<Item = (u8, &'a [u8])> + 'a {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let name = rest.get(2..)?.get(..usize::from(*rest.get(1)?))?;
            let kind = *rest.first()?;
            rest = rest.get(2 + name.len()..)?;
            Some((kind, name))
        })
    }

    /// Returns the names that conditions of this kind have.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.records().filter(move |&(number, _)| number == kind as u8).map(|(_, name)| name)
    }

    /// Returns the first kind of which no condition names the device. `device` tells whether the device has a name.
    pub fn unmet(&self, device: impl Fn(Kind, &Pattern<'_>) -> bool) -> Option<Kind> {
        Kind::ALL.into_iter().find(|&kind| {
            let mut names = self.names(kind).peekable();
            names.peek().is_some() && !names.any(|name| device(kind, &Pattern(name)))
        })
    }
}

/// A name, or the beginning of names.
pub struct Pattern<'a>(&'a [u8]);

impl Pattern<'_> {
    /// Returns true if the pattern stands for this name. No pattern stands for an empty one.
    pub fn matches(&self, name: &[u8]) -> bool {
        !name.is_empty() && self.matches_parts([name, &[]])
    }

    /// Returns true if the pattern stands for this board, named as Zephyr does with its revision and qualifiers,
    /// such as `board@1.0.0/soc`, or for the board without its revision.
    pub fn matches_board(&self, target: &[u8]) -> bool {
        let at = target.iter().position(|&byte| byte == b'@').unwrap_or(target.len());
        let (board, rest) = target.split_at(at);
        let slash = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        self.matches(target) || self.matches_parts([board, &rest[slash..]])
    }

    /// Returns true if the pattern stands for the name that consists of these parts.
    fn matches_parts(&self, parts: [&[u8]; 2]) -> bool {
        let mut own = parts.into_iter().flatten();
        match self.0.strip_suffix(b"*") {
            Some(start) => start.iter().all(|byte| own.next() == Some(byte)),
            None => self.0.iter().all(|byte| own.next() == Some(byte)) && own.next().is_none(),
        }
    }
}

/// Returns the section with these conditions.
#[cfg(feature = "alloc")]
pub fn section<'n>(conditions: impl IntoIterator<Item = (Kind, &'n str)>) -> alloc::vec::Vec<u8> {
    let mut out = alloc::vec::Vec::new();
    for (kind, name) in conditions {
        out.extend([kind as u8, name.len() as u8]);
        out.extend(name.as_bytes());
    }
    out
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::format::manifest;
    use crate::writer::Writer;

    fn image(sections: &[Vec<u8>]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.section(Section::Manifest, vec![0; manifest::SIZE]);
        for bytes in sections {
            writer.optional(Section::CONDITIONS, bytes.clone());
        }
        writer.finish()
    }

    fn unmet(conditions: &[(Kind, &str)], device: [&str; 3]) -> Option<Kind> {
        let bytes = image(&[section(conditions.iter().copied())]);
        let conditions = Image::parse(&bytes).unwrap().conditions().unwrap();
        conditions.unmet(|kind, pattern| pattern.matches(device[kind as usize - 1].as_bytes()))
    }

    #[test]
    fn one_name_of_each_kind_has_to_be_that_of_the_device() {
        let (lamp, radio) = (["nrf5340dk", "acme", "lamp"], ["rpi_pico", "acme", ""]);
        assert_eq!(unmet(&[], radio), None);
        let boards = [(Kind::Board, "mps2"), (Kind::Board, "nrf53*"), (Kind::Vendor, "acme")];
        assert_eq!((unmet(&boards, lamp), unmet(&boards, radio)), (None, Some(Kind::Board)));
        let class = [(Kind::Class, "lamp")];
        assert_eq!((unmet(&class, lamp), unmet(&class, radio)), (None, Some(Kind::Class)));
        // a device that has no class meets no condition on it
        assert_eq!(unmet(&[(Kind::Class, "*")], radio), Some(Kind::Class));
        assert_eq!(unmet(&[(Kind::Class, "*")], lamp), None);
        assert_eq!(unmet(&[(Kind::Vendor, "acm")], lamp), Some(Kind::Vendor));
    }

    #[test]
    fn a_board_is_named_with_or_without_its_revision() {
        for (pattern, target, found) in [
            ("plank@1.0.0/soc", "plank@1.0.0/soc", true),
            ("plank/soc", "plank@1.0.0/soc", true),
            ("plank/*", "plank@1.0.0/soc", true),
            ("plank*", "plank@1.0.0/soc", true),
            ("plank@1.0.0", "plank@1.0.0", true),
            ("plank", "plank@1.0.0", true),
            ("plank@2.0.0/soc", "plank@1.0.0/soc", false),
            ("plank/so", "plank@1.0.0/soc", false),
            ("plank/soc/cpu", "plank/soc", false),
            ("plank/soc", "plank/soc", true),
        ] {
            assert_eq!(Pattern(pattern.as_bytes()).matches_board(target.as_bytes()), found, "{pattern} {target}");
        }
    }

    #[test]
    fn conditions_that_cannot_be_read_are_not_met() {
        let good = section([(Kind::Board, "b")]);
        let bad: [&[u8]; 9] = [
            &[0, 1, b'b'],
            &[4, 1, b'b'],
            &[1, 0],
            &[1, 2, b'b'],
            &[1],
            &[1, 1, b' '],
            &[1, 1, 200],
            &[1, 1, b'b', 1],
            {
                const LONG: [u8; 66] = {
                    let mut bytes = [b'b'; 66];
                    (bytes[0], bytes[1]) = (1, 64);
                    bytes
                };
                &LONG
            },
        ];
        for bytes in bad {
            let image = image(&[bytes.to_vec()]);
            assert!(Image::parse(&image).unwrap().conditions().is_err(), "{bytes:?}");
        }
        assert!(Image::parse(&image(core::slice::from_ref(&good))).unwrap().conditions().is_ok());
        assert!(Image::parse(&image(&[good.clone(), good])).unwrap().conditions().is_err());
    }
}
