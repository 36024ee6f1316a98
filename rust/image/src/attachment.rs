// SPDX-License-Identifier: Apache-2.0
//! Native code behind an image, which its content does not contain.
//!
//! Whoever compiles natively does not change what the developer signed: content and trailer of the image stay as
//! they are, and an attachment follows. It names the content that it belongs to, and has a trailer of its own.

use crate::format::{
    Section, ATTACHMENT_HEADER_SIZE, ATTACHMENT_MAGIC, NATIVE_ALIGN, SECTION_ENTRY_SIZE, TRAILER_MAGIC,
};
use crate::reader::{section_bytes, u16_at, u32_at};
use crate::Image;

/// Native sections that follow the trailer of an image, at the next multiple of [`NATIVE_ALIGN`] bytes.
#[derive(Clone, Copy)]
pub struct Attachment<'a> {
    content: &'a [u8],
    trailer: &'a [u8],
}

impl<'a> Attachment<'a> {
    /// Reads header and section table. Returns `None` if they break a rule. Costs about 30 instructions a section.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let content = bytes.get(..u32_at(bytes, 4)? as usize)?;
        let zero = [u32::from(u16_at(content, 10)?), u32_at(content, 12)?];
        let end = ATTACHMENT_HEADER_SIZE + usize::from(u16_at(content, 8)?) * SECTION_ENTRY_SIZE;
        if content.get(..4)? != ATTACHMENT_MAGIC || zero != [0; 2] || content.len() < end {
            return None;
        }
        let attachment = Self { content, trailer: bytes.get(content.len()..)? };
        let sound = attachment.rows().all(|row| {
            let (kind, at) = (u16_at(row, 0), u32_at(row, 4).unwrap_or(0) as usize);
            kind >= Some(Section::NATIVE)
                && u16_at(row, 2) == Some(0)
                && at >= end
                && at % NATIVE_ALIGN == 0
                && section_bytes(content, row).is_some()
        });
        sound.then_some(attachment)
    }

    fn rows(&self) -> impl Iterator<Item = &'a [u8]> + 'a {
        let count = u16_at(self.content, 8).map_or(0, usize::from);
        let table = self.content.get(ATTACHMENT_HEADER_SIZE..).unwrap_or(&[]);
        table.chunks_exact(SECTION_ENTRY_SIZE).take(count)
    }

    /// Returns everything before the attachment's own trailer: what hash and signature cover.
    pub fn content(&self) -> &'a [u8] {
        self.content
    }

    /// Returns the bytes of the attachment's own trailer. They reach to the end of the image.
    pub fn trailer(&self) -> &'a [u8] {
        self.trailer
    }

    /// Returns the SHA-256 of the image content that the native code was made for, as the attachment states it.
    pub fn image_hash(&self) -> &'a [u8] {
        self.content.get(16..ATTACHMENT_HEADER_SIZE).unwrap_or(&[])
    }

    /// Returns kind and bytes of each native section.
    pub fn sections(&self) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        let content = self.content;
        self.rows().filter_map(move |row| Some((u16_at(row, 0)?, section_bytes(content, row)?)))
    }
}

impl<'a> Image<'a> {
    /// Returns the bytes of the trailer, and the attachment if one follows. Bytes that are neither count as part of
    /// the trailer, so that they make it invalid.
    pub fn tail(&self) -> (&'a [u8], Option<Attachment<'a>>) {
        let tail = self.bytes().get(self.content().len()..).unwrap_or(&[]);
        match self.split(tail) {
            Some((trailer, attachment)) => (trailer, Some(attachment)),
            None => (tail, None),
        }
    }

    /// Returns content and trailer, without what follows: the image before anything was attached. What follows may be
    /// damaged.
    pub fn without_attachment(&self) -> &'a [u8] {
        let content = self.content().len();
        let tail = self.bytes().get(content..).unwrap_or(&[]);
        let is_trailer = u16_at(tail, 0) == Some(TRAILER_MAGIC);
        let length = u16_at(tail, 2).filter(|_| is_trailer).map_or(tail.len(), usize::from);
        self.bytes().get(..content + length.min(tail.len())).unwrap_or(&[])
    }

    fn split(&self, tail: &'a [u8]) -> Option<(&'a [u8], Attachment<'a>)> {
        if u16_at(tail, 0)? != TRAILER_MAGIC {
            return None;
        }
        let length = usize::from(u16_at(tail, 2)?);
        let end = self.content().len() + length;
        let (trailer, rest) = tail.split_at_checked(length)?;
        let (gap, rest) = rest.split_at_checked(end.next_multiple_of(NATIVE_ALIGN) - end)?;
        if gap.iter().any(|&byte| byte != 0) {
            return None;
        }
        Some((trailer, Attachment::parse(rest)?))
    }

    /// Returns the native code that is attached to the image.
    pub fn attachment(&self) -> Option<Attachment<'a>> {
        self.tail().1
    }
}
