// SPDX-License-Identifier: Apache-2.0
//! What an advertisement says of its sender, and the text of an entry that grants it, such as `service:181a`.

use core::fmt;
use wisp_abi::ble::MAX_DATA;

/// The UUID to which the short ones of Bluetooth add: 00000000-0000-1000-8000-00805f9b34fb.
const BASE: u128 = 0x1000_8000_0080_5f9b_34fb;
/// Bits of the flags that an app may send: it can be found without limit of time, and it has no classic Bluetooth.
const FLAGS: u8 = 0x06;

/// Something that an advertisement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'a> {
    /// The name, or the beginning of it.
    Name(&'a [u8]),
    /// A service. Short UUIDs are written out.
    Service(u128),
    /// The maker, by the number that Bluetooth assigned.
    Company(u16),
}

/// A structure of an advertisement that is cut off, has no room for what its type needs, or is not for apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The claims of an advertisement.
#[derive(Debug)]
pub struct Claims<'a> {
    rest: &'a [u8],
    /// UUIDs that the last structure lists, and their length.
    list: &'a [u8],
    width: usize,
}

/// Returns the claims of an advertisement, one after the other.
pub fn claims(data: &[u8]) -> Claims<'_> {
    Claims { rest: data, list: &[], width: 0 }
}

/// Splits bytes, if there are so many.
fn take(bytes: &[u8], count: usize) -> Option<(&[u8], &[u8])> {
    Some((bytes.get(..count)?, bytes.get(count..)?))
}

/// Returns the UUID with these bytes, of which the lowest comes first.
fn uuid(bytes: &[u8]) -> u128 {
    let number = bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte));
    if bytes.len() == 16 {
        number
    } else {
        number << 96 | BASE
    }
}

/// Returns true for a declaration or a descriptor of GATT: 0x2800 to 0x29ff.
pub(crate) fn is_of_gatt(uuid: u128) -> bool {
    uuid << 32 >> 32 == BASE && (0x2800..0x2a00).contains(&(uuid >> 96))
}

impl<'a> Claims<'a> {
    /// Takes the next structure. Returns its claim, if it has just one.
    fn structure(&mut self) -> Option<Option<Claim<'a>>> {
        let (length, rest) = self.rest.split_first()?;
        let (structure, rest) = take(rest, usize::from(*length))?;
        let (kind, data) = structure.split_first()?;
        self.rest = rest;
        let width = match kind {
            0x01 => return matches!(data, [flags] if flags & !FLAGS == 0).then_some(None),
            0x08 | 0x09 => return Some(Some(Claim::Name(data))),
            0xff => return take(data, 2).map(|(company, _)| Some(Claim::Company(uuid_16(company)))),
            0x02 | 0x03 | 0x16 => 2,
            0x04 | 0x05 | 0x20 => 4,
            0x06 | 0x07 | 0x21 => 16,
            _ => return None,
        };
        if matches!(kind, 0x16 | 0x20 | 0x21) {
            return take(data, width).map(|(service, _)| Some(Claim::Service(uuid(service))));
        }
        if data.len() % width != 0 {
            return None;
        }
        (self.list, self.width) = (data, width);
        Some(None)
    }
}

fn uuid_16(bytes: &[u8]) -> u16 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u16::from(*byte))
}

impl<'a> Iterator for Claims<'a> {
    type Item = Result<Claim<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((first, rest)) = take(self.list, self.width).filter(|(first, _)| !first.is_empty()) {
                self.list = rest;
                return Some(Ok(Claim::Service(uuid(first))));
            }
            if self.rest.is_empty() {
                return None;
            }
            match self.structure() {
                Some(Some(claim)) => return Some(Ok(claim)),
                Some(None) => {}
                None => {
                    self.rest = &[];
                    return Some(Err(Malformed));
                }
            }
        }
    }
}

/// Returns true if received data make a claim that is granted. What is unknown or cut off says nothing, and neither does
/// what follows it if it is cut off.
pub(crate) fn any_claim(data: &[u8], granted: impl Fn(Claim<'_>) -> bool) -> bool {
    let mut rest = data;
    while let Some((length, behind)) = rest.split_first() {
        let Some((_, next)) = take(behind, usize::from(*length)) else { return false };
        let structure = rest.len() - next.len();
        if claims(rest.get(..structure).unwrap_or_default()).flatten().any(&granted) {
            return true;
        }
        rest = next;
    }
    false
}

/// One entry of `ble-advertise` or `ble-scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BleEntry<'a> {
    /// Everything.
    Any,
    /// One name, or all names with this beginning.
    Name {
        /// The name, or its beginning.
        text: &'a [u8],
        /// True for a beginning.
        is_prefix: bool,
    },
    /// One service.
    Service(u128),
    /// One company.
    Company(u16),
}

/// Fault in the text of an entry. Prints as what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BleEntryError {
    /// The parts are not there.
    Form,
    /// The name is empty or too long.
    Name,
    /// The UUID is none.
    Service,
    /// The number of the company is none.
    Company,
}

impl BleEntryError {
    /// Returns what was expected.
    pub const fn expected(self) -> &'static str {
        match self {
            BleEntryError::Form => "expected name:TEXT, service:UUID, company:NUMBER or any",
            BleEntryError::Name => "expected a name of 1 to 29 bytes, or the beginning of names with a * behind it",
            BleEntryError::Service => {
                "expected a UUID of 4 or 8 hexadecimal digits, such as 181a, or of 32 in five groups"
            }
            BleEntryError::Company => "expected 4 hexadecimal digits, such as ffff",
        }
    }
}

impl fmt::Display for BleEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected())
    }
}

/// Reads so many hexadecimal digits.
fn hex(text: &[u8], digits: usize) -> Option<u128> {
    let mut number = 0;
    for byte in text {
        number = number << 4 | u128::from(char::from(*byte).to_digit(16)?);
    }
    (text.len() == digits).then_some(number)
}

/// Places of the hyphens in the text of a UUID.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Reads the text of a UUID. A short one is written out.
pub fn ble_service(text: &[u8]) -> Option<u128> {
    if text.len() != 36 {
        return hex(text, 4).or_else(|| hex(text, 8)).map(|short| short << 96 | BASE);
    }
    let mut number = 0;
    for (at, byte) in text.iter().enumerate() {
        match HYPHENS.contains(&at) {
            true if *byte != b'-' => return None,
            true => {}
            false => number = number << 4 | u128::from(char::from(*byte).to_digit(16)?),
        }
    }
    Some(number)
}

impl<'a> BleEntry<'a> {
    /// Reads the text of an entry.
    ///
    /// # Errors
    /// The text of [`BleEntryError`] says what was expected.
    pub fn parse(text: &'a [u8]) -> Result<Self, BleEntryError> {
        if text == b"any" {
            return Ok(BleEntry::Any);
        }
        if let Some(name) = text.strip_prefix(b"name:") {
            let prefix = name.strip_suffix(b"*");
            let text = prefix.unwrap_or(name);
            // a structure has two bytes beside the name
            let fits = (1..=MAX_DATA as usize - 2).contains(&text.len());
            return fits.then_some(BleEntry::Name { text, is_prefix: prefix.is_some() }).ok_or(BleEntryError::Name);
        }
        if let Some(service) = text.strip_prefix(b"service:") {
            return ble_service(service).map(BleEntry::Service).ok_or(BleEntryError::Service);
        }
        let company = text.strip_prefix(b"company:").ok_or(BleEntryError::Form)?;
        // four digits are 16 bits
        hex(company, 4).map(|number| BleEntry::Company(number as u16)).ok_or(BleEntryError::Company)
    }

    /// Returns true if the entry grants a claim.
    pub fn has(&self, claim: Claim<'_>) -> bool {
        match (*self, claim) {
            (BleEntry::Any, _) => true,
            (BleEntry::Name { text, is_prefix: true }, Claim::Name(name)) => name.starts_with(text),
            (BleEntry::Name { text, is_prefix: false }, Claim::Name(name)) => name == text,
            (BleEntry::Service(granted), Claim::Service(service)) => granted == service,
            (BleEntry::Company(granted), Claim::Company(company)) => granted == company,
            _ => false,
        }
    }
}

/// The text of an entry that would grant a claim.
#[derive(Debug)]
pub(crate) struct Label {
    bytes: [u8; 44],
    length: usize,
}

impl Label {
    pub(crate) fn new(claim: Claim<'_>) -> Self {
        let mut label = Label { bytes: [0; 44], length: 0 };
        match claim {
            Claim::Name(name) => {
                label.push(b"name:");
                label.push(name);
            }
            Claim::Service(uuid) if uuid << 32 >> 32 == BASE && uuid >> 112 == 0 => {
                label.push(b"service:");
                label.hex(uuid >> 96, 4);
            }
            Claim::Service(uuid) => {
                label.push(b"service:");
                for (shift, digits) in [(96, 8), (80, 4), (64, 4), (48, 4), (0, 12)] {
                    if digits != 8 {
                        label.push(b"-");
                    }
                    label.hex(uuid >> shift, digits);
                }
            }
            Claim::Company(company) => {
                label.push(b"company:");
                label.hex(company.into(), 4);
            }
        }
        label
    }

    fn push(&mut self, bytes: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(self.length).zip(bytes) {
            *place = *byte;
            self.length += 1;
        }
    }

    /// Writes the lowest digits of a number.
    fn hex(&mut self, number: u128, digits: u32) {
        for digit in (0..digits).rev() {
            // four bits
            let digit = (number >> (4 * digit) & 15) as u8;
            self.push(&[if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }]);
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    const LONG: u128 = 0x6e40_0001_b5a3_f393_e0a9_e50e_24dc_ca9e;

    fn all(data: &[u8]) -> Vec<Result<Claim<'_>, Malformed>> {
        claims(data).collect()
    }

    fn long_structure(kind: u8, rest: &[u8]) -> Vec<u8> {
        [&[17 + rest.len() as u8, kind][..], &LONG.to_le_bytes(), rest].concat()
    }

    #[test]
    fn an_advertisement_claims_a_name_services_and_a_company() {
        let short = |number: u128| Ok(Claim::Service(number << 96 | BASE));
        assert_eq!(all(&[]), []);
        assert_eq!(all(&[2, 1, 6]), [], "flags claim nothing");
        assert_eq!(all(b"\x05\x09Lamp\x02\x01\x04"), [Ok(Claim::Name(b"Lamp"))]);
        assert_eq!(all(b"\x03\x08La"), [Ok(Claim::Name(b"La"))]);
        assert_eq!(all(&[5, 3, 0x0f, 0x18, 0x1a, 0x18]), [short(0x180f), short(0x181a)]);
        assert_eq!(all(&[5, 5, 4, 3, 2, 1]), [short(0x0102_0304)]);
        assert_eq!(all(&[5, 0x16, 0x1a, 0x18, 7, 8]), [short(0x181a)], "what follows is data");
        assert_eq!(all(&[5, 0x20, 4, 3, 2, 1]), [short(0x0102_0304)]);
        assert_eq!(all(&long_structure(7, &[])), [Ok(Claim::Service(LONG))]);
        assert_eq!(all(&long_structure(0x21, &[1, 2])), [Ok(Claim::Service(LONG))]);
        assert_eq!(all(&[4, 0xff, 0x34, 0x12, 9]), [Ok(Claim::Company(0x1234))]);
        assert_eq!(all(&[1, 3, 1, 2]), [], "lists without services");
    }

    #[test]
    fn what_is_cut_off_or_not_for_apps_is_malformed() {
        for data in [
            &[0][..],
            &[2, 1],
            &[1, 1],
            &[3, 1, 6, 6],
            &[2, 1, 5],
            &[2, 1, 0x0a],
            &[4, 3, 0x0f, 0x18, 0x1a],
            &[2, 0x16, 1],
            &[2, 0xff, 1],
            &[3, 0x20, 1, 2],
            &[2, 0x0a, 0],
            &[4, 0x1b, 1, 2, 3],
            &[255, 9],
        ] {
            assert_eq!(all(data), [Err(Malformed)], "{data:x?}");
            let after = [&b"\x02\x09A"[..], data].concat();
            assert_eq!(all(&after), [Ok(Claim::Name(b"A")), Err(Malformed)], "{data:x?}");
        }
    }

    #[test]
    fn a_claim_of_what_was_received_counts_whatever_unknown_structures_surround_it() {
        let is_lamp = |claim: Claim<'_>| claim == Claim::Name(b"Lamp");
        for (data, expected) in [
            (&b"\x05\x09Lamp"[..], true),
            (b"\x02\x01\x1f\x02\x0a\x08\x05\x09Lamp", true),
            (b"\x00\x05\x09Lamp\x00\x00", true),
            (b"\x05\x09Lamp\x07\x09", true),
            (b"\x04\x09Lamp", false),
            (b"\x1f\x09Lamp", false),
            (b"\x07\xff\x05\x09Lamp", false),
            (b"", false),
            (b"\xff", false),
        ] {
            assert_eq!(any_claim(data, is_lamp), expected, "{data:x?}");
        }
    }

    #[test]
    fn entries_grant_what_they_name_and_nothing_else() {
        let lamp = Claim::Name(b"Lamp");
        let air = Claim::Service(0x181a << 96 | BASE);
        let own = Claim::Service(LONG);
        let test = Claim::Company(0xffff);
        for (text, granted) in [
            ("any", &[lamp, air, own, test, Claim::Name(b"")][..]),
            ("name:Lamp", &[lamp]),
            ("name:La*", &[lamp, Claim::Name(b"La")]),
            ("service:181a", &[air]),
            ("service:0000181A", &[air]),
            ("service:0000181a-0000-1000-8000-00805f9b34fb", &[air]),
            ("service:6e400001-b5a3-f393-e0a9-e50e24dcca9e", &[own]),
            ("company:ffff", &[test]),
            ("company:FFFF", &[test]),
        ] {
            let entry = BleEntry::parse(text.as_bytes()).unwrap();
            for claim in [lamp, air, own, test, Claim::Name(b""), Claim::Name(b"La"), Claim::Name(b"Lamps")] {
                let has =
                    granted.contains(&claim) || text == "any" || (text == "name:La*" && claim == Claim::Name(b"Lamps"));
                assert_eq!(entry.has(claim), has, "{text} {claim:x?}");
            }
        }
    }

    #[test]
    fn a_bad_entry_says_what_was_expected() {
        let long = format_name(30);
        for (text, error) in [
            ("", BleEntryError::Form),
            ("lamp", BleEntryError::Form),
            ("Name:x", BleEntryError::Form),
            ("anything", BleEntryError::Form),
            ("name:", BleEntryError::Name),
            ("name:*", BleEntryError::Name),
            (&long, BleEntryError::Name),
            ("service:", BleEntryError::Service),
            ("service:81a", BleEntryError::Service),
            ("service:181g", BleEntryError::Service),
            ("service:+81a", BleEntryError::Service),
            ("service:6e400001-b5a3-f393-e0a9_e50e24dcca9e", BleEntryError::Service),
            ("service:6e400001b5a3f393e0a9e50e24dcca9e", BleEntryError::Service),
            ("company:fff", BleEntryError::Company),
            ("company:0x01", BleEntryError::Company),
        ] {
            assert_eq!(BleEntry::parse(text.as_bytes()), Err(error), "{text}");
        }
        assert!(BleEntry::parse(format_name(29).as_bytes()).is_ok());
    }

    fn format_name(length: usize) -> String {
        std::format!("name:{}", "x".repeat(length))
    }

    #[test]
    fn the_label_of_a_claim_is_an_entry_that_grants_it() {
        let name = vec![b'x'; 29];
        for claim in [
            Claim::Name(b"Lamp"),
            Claim::Name(&name),
            Claim::Service(0x181a << 96 | BASE),
            Claim::Service(0xa000_181a << 96 | BASE),
            Claim::Service(LONG),
            Claim::Company(0x00ff),
        ] {
            let label = Label::new(claim);
            let entry = BleEntry::parse(label.bytes());
            assert!(entry.is_ok_and(|entry| entry.has(claim)), "{claim:x?} {:?}", core::str::from_utf8(label.bytes()));
        }
        assert_eq!(Label::new(Claim::Service(0x181a << 96 | BASE)).bytes(), b"service:181a");
    }
}
