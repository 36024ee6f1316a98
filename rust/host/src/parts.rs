// SPDX-License-Identifier: Apache-2.0
//! Arithmetic of parts of a device, and of records in linear memory, that several interfaces share.

/// Returns true if so many bytes, columns or rows from `at` on lie inside `all`.
pub(crate) fn is_inside(at: u32, count: u32, all: u32) -> bool {
    at.checked_add(count).is_some_and(|end| end <= all)
}

/// Returns how many bytes from `offset` on are the next piece, which ends at a multiple of `size` or at the last byte.
/// `size` is not 0.
pub(crate) fn piece(offset: u32, left: usize, size: u32) -> usize {
    left.min((size - offset % size) as usize)
}

/// Writes numbers one after the other, as records have them, as far as there are numbers and room.
pub(crate) fn put_words(bytes: &mut [u8], numbers: impl IntoIterator<Item = u32>) {
    for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}
