// SPDX-License-Identifier: Apache-2.0
//! What the app storage needs of a flash memory.

/// The flash driver reported an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlashError;

/// Sizes of a partition, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// The partition, a multiple of `erase_block`.
    pub size: u32,
    /// Smallest range that can be erased.
    pub erase_block: u32,
    /// Smallest range that can be written: a power of two, at most 64.
    pub write_block: u32,
    /// The value that an erased byte has.
    pub erased: u8,
}

/// A flash partition. Addresses are offsets in it.
///
/// An erased byte is written once between erases, in aligned pieces of the write block's size. A call
/// that a power cut interrupts may have done any part of its work.
pub trait Flash {
    /// Returns the partition's sizes, which are the same at every call.
    fn geometry(&self) -> Geometry;

    /// Reads.
    ///
    /// # Errors
    /// The driver failed, or the range lies outside.
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError>;

    /// Writes a multiple of the write block at a multiple of it.
    ///
    /// # Errors
    /// The driver failed, or the range lies outside.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), FlashError>;

    /// Erases the erase block at this address.
    ///
    /// # Errors
    /// The driver failed, or the block lies outside.
    fn erase_block(&mut self, at: u32) -> Result<(), FlashError>;
}
