// SPDX-License-Identifier: Apache-2.0
//! The memory of an app that runs on this machine.

use wisp_image::Image;

use crate::failure::Failure;
use crate::options::number;

/// Bytes for the records of store and instance, tables and globals, beside frames and linear memory.
const RECORDS: usize = 1 << 20;
/// Elements that a growing table may have.
pub const TABLE: u32 = 1 << 16;
/// Bytes of frames at most. The engine clears them all before an app begins.
const STACK_MAX: u32 = 256 << 20;

/// Reads the bytes of frames from the command line.
///
/// # Errors
/// The text is no number up to [`STACK_MAX`].
pub fn stack(text: &str) -> Result<u32, String> {
    let bytes = number(text).ok().filter(|&bytes| bytes <= STACK_MAX);
    bytes.ok_or_else(|| format!("expected a whole number from 0 to {STACK_MAX}, in digits and without a unit"))
}

/// Returns the bytes that an app may take: frames, linear memory at its largest, and the rest. The system backs
/// only what is touched.
fn size(stack: u32, max_memory: u32, image: &Image<'_>) -> usize {
    let memory = image.manifest().ok().and_then(|manifest| manifest.memory).map_or(0, |memory| match memory.grows {
        true => max_memory,
        false => memory.backed.min(max_memory),
    });
    let tables = image.table_count() * 4 * TABLE as usize;
    (stack as usize + memory as usize + tables + RECORDS + image.bytes().len()).next_multiple_of(8)
}

/// Allocates the arena of an app.
///
/// # Errors
/// This machine does not have so much memory.
pub fn allocate(stack: u32, max_memory: u32, image: &Image<'_>) -> Result<Vec<u64>, Failure> {
    let bytes = size(stack, max_memory, image);
    // a failure of the allocation itself would end the process
    Vec::<u64>::new().try_reserve_exact(bytes / 8).map_err(|_| {
        Failure::new(format!(
            "this machine has no {bytes} bytes of memory for the app; give --max-memory or --stack a smaller value"
        ))
    })?;
    Ok(vec![0; bytes / 8])
}
