// SPDX-License-Identifier: Apache-2.0
//! Records that the host writes.

/// Returns the field of a record with `bytes` bytes from `at`, lowest byte first.
pub(crate) fn number(record: &[u8], at: usize, bytes: usize) -> u64 {
    let field = record.iter().skip(at).take(bytes);
    field.rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
