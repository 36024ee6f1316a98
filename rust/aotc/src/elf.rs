// SPDX-License-Identifier: Apache-2.0
//! As much of ELF as is needed to take a section and its symbols out of a linked file. Little endian.

use std::collections::BTreeMap;

/// A section and the symbols of the file.
pub struct Linked {
    /// Bytes of the section.
    pub bytes: Vec<u8>,
    /// Address it is linked to.
    pub address: u64,
    /// Symbols: value (odd for Thumb functions).
    pub symbols: BTreeMap<String, u64>,
}

struct File<'a> {
    bytes: &'a [u8],
    wide: bool,
}

impl<'a> File<'a> {
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Returns a field whose place and size differ between the classes: (offset, size) in 32 and in 64 bits.
    fn field(&self, base: usize, narrow: (usize, usize), wide: (usize, usize)) -> Option<u64> {
        let (offset, size) = if self.wide { wide } else { narrow };
        self.number(base.checked_add(offset)?, size)
    }

    fn text(&self, at: usize) -> Option<&'a str> {
        let rest = self.bytes.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    }

    fn range(&self, offset: u64, size: u64) -> Option<&'a [u8]> {
        self.bytes.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(size).ok()?)
    }
}

/// The headers of the sections.
struct Headers<'a> {
    file: File<'a>,
    table: usize,
    size: usize,
    count: usize,
    names: usize,
}

impl<'a> Headers<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.get(..4)? != b"\x7fELF" || bytes.get(5) != Some(&1) {
            return None;
        }
        let file = File { bytes, wide: *bytes.get(4)? == 2 };
        Some(Self {
            table: file.field(0, (0x20, 4), (0x28, 8))? as usize,
            size: file.field(0, (0x2e, 2), (0x3a, 2))? as usize,
            count: file.field(0, (0x30, 2), (0x3c, 2))? as usize,
            names: file.field(0, (0x32, 2), (0x3e, 2))? as usize,
            file,
        })
    }

    fn header(&self, index: usize) -> usize {
        self.table + index * self.size
    }

    fn offset(&self, index: usize) -> Option<u64> {
        self.file.field(self.header(index), (0x10, 4), (0x18, 8))
    }

    fn length(&self, index: usize) -> Option<u64> {
        self.file.field(self.header(index), (0x14, 4), (0x20, 8))
    }

    fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        self.file.range(self.offset(index)?, self.length(index)?)
    }

    fn named(&self, section: &str) -> Option<usize> {
        let name = |index: usize| {
            self.file.text(self.offset(self.names)? as usize + self.file.number(self.header(index), 4)? as usize)
        };
        (0..self.count).find(|&index| name(index) == Some(section))
    }
}

/// Returns the bytes of a section of a linked file, or `None` if it has no such section.
pub fn section<'a>(bytes: &'a [u8], section: &str) -> Option<&'a [u8]> {
    let headers = Headers::new(bytes)?;
    headers.bytes(headers.named(section)?)
}

/// Reads a linked file. Returns `None` if it is none or has no such section.
pub fn read(bytes: &[u8], section: &str) -> Option<Linked> {
    let headers = Headers::new(bytes)?;
    let (file, found) = (&headers.file, headers.named(section)?);
    let mut linked = Linked {
        bytes: headers.bytes(found)?.to_vec(),
        address: file.field(headers.header(found), (0x0c, 4), (0x10, 8))?,
        symbols: BTreeMap::new(),
    };
    for index in (0..headers.count).filter(|&index| file.number(headers.header(index) + 4, 4) == Some(2)) {
        let link = file.field(headers.header(index), (0x18, 4), (0x28, 4))? as usize;
        let strings = headers.offset(link)? as usize;
        let entry = if file.wide { 24 } else { 16 };
        let start = headers.offset(index)? as usize;
        for at in (0..headers.length(index)? as usize / entry).map(|n| start + n * entry) {
            let symbol = file.text(strings + file.number(at, 4)? as usize)?;
            let value = file.field(at, (4, 4), (8, 8))?;
            if !symbol.is_empty() {
                linked.symbols.insert(symbol.into(), value);
            }
        }
    }
    Some(linked)
}
