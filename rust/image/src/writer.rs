// SPDX-License-Identifier: Apache-2.0
//! Puts sections together.

use alloc::vec::Vec;

use crate::format::{self, Section};

/// Collects sections and writes the image.
#[derive(Default)]
pub struct Writer {
    sections: Vec<(u16, Vec<u8>)>,
}

impl Writer {
    /// Returns an image without sections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a section. Empty ones are left out.
    pub fn section(&mut self, kind: Section, bytes: Vec<u8>) -> &mut Self {
        if !bytes.is_empty() {
            self.sections.push((kind as u16, bytes));
        }
        self
    }

    /// Returns the sections of an image, to add others or leave some out. The trailer is not taken over: what it
    /// vouches for would no longer be what it was made for.
    pub fn of(image: &crate::Image<'_>, mut keep: impl FnMut(u16) -> bool) -> Self {
        let sections = image.sections().filter(|&(kind, _)| keep(kind));
        Self { sections: sections.map(|(kind, bytes)| (kind, bytes.to_vec())).collect() }
    }

    /// Adds a section of an optional kind. Empty ones are left out.
    pub fn optional(&mut self, kind: u16, bytes: Vec<u8>) -> &mut Self {
        if !bytes.is_empty() {
            self.sections.push((kind, bytes));
        }
        self
    }

    /// Returns the image without trailer. Sections keep their order.
    pub fn finish(self) -> Vec<u8> {
        let align = |n: usize| n.next_multiple_of(format::SECTION_ALIGN);
        // code may want its constants on multiples of 16
        let start = |n: usize, kind: u16| {
            n.next_multiple_of(if kind >= Section::NATIVE { format::NATIVE_ALIGN } else { format::SECTION_ALIGN })
        };
        let mut at = align(format::HEADER_SIZE + self.sections.len() * format::SECTION_ENTRY_SIZE);
        let mut out = Vec::new();
        out.extend(format::MAGIC);
        out.extend(format::FORMAT_VERSION.to_le_bytes());
        out.extend(format::IR_VERSION.to_le_bytes());
        out.extend([0; 4]);
        out.extend((self.sections.len() as u16).to_le_bytes());
        out.extend([0; 2]);
        for (kind, bytes) in &self.sections {
            at = start(at, *kind);
            out.extend(kind.to_le_bytes());
            out.extend([0; 2]);
            out.extend((at as u32).to_le_bytes());
            out.extend((bytes.len() as u32).to_le_bytes());
            at = align(at + bytes.len());
        }
        for (kind, bytes) in &self.sections {
            out.resize(start(out.len(), *kind), 0);
            out.extend(bytes);
        }
        out.resize(align(out.len()), 0);
        let total = (out.len() as u32).to_le_bytes();
        out[8..12].copy_from_slice(&total);
        out
    }
}

/// Returns the content of an attachment: native sections (kind, bytes) for the image whose content has this SHA-256.
pub fn attachment(image_hash: &[u8; 32], sections: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let start = |n: usize| n.next_multiple_of(format::NATIVE_ALIGN);
    let mut at = format::ATTACHMENT_HEADER_SIZE + sections.len() * format::SECTION_ENTRY_SIZE;
    let mut out = Vec::new();
    out.extend(format::ATTACHMENT_MAGIC);
    out.extend([0; 4]);
    out.extend((sections.len() as u16).to_le_bytes());
    out.extend([0; 6]);
    out.extend(image_hash);
    for (kind, bytes) in sections {
        at = start(at);
        out.extend(kind.to_le_bytes());
        out.extend([0; 2]);
        out.extend((at as u32).to_le_bytes());
        out.extend((bytes.len() as u32).to_le_bytes());
        at += bytes.len();
    }
    for (_, bytes) in sections {
        out.resize(start(out.len()), 0);
        out.extend(bytes);
    }
    let total = (out.len() as u32).to_le_bytes();
    out[4..8].copy_from_slice(&total);
    out
}

/// Appends the content of an attachment to an image that has a trailer and no attachment.
pub fn append_attachment(image: &mut Vec<u8>, content: &[u8]) {
    image.resize(image.len().next_multiple_of(format::NATIVE_ALIGN), 0);
    image.extend(content);
}

/// Appends a trailer with these records (tag, bytes) to an image or an attachment that has none.
pub fn append_trailer(image: &mut Vec<u8>, records: &[(u16, &[u8])]) {
    let length = 4 + records.iter().map(|(_, bytes)| 4 + bytes.len()).sum::<usize>();
    image.extend(format::TRAILER_MAGIC.to_le_bytes());
    image.extend((length as u16).to_le_bytes());
    for (tag, bytes) in records {
        image.extend(tag.to_le_bytes());
        image.extend((bytes.len() as u16).to_le_bytes());
        image.extend(*bytes);
    }
}
