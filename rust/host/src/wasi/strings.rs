// SPDX-License-Identifier: Apache-2.0
//! Arguments and environment: lists of zero-terminated strings.

use super::Wasi;
use crate::border::Memory;
use crate::platform::Identity;
use wisp_abi::WasiErrno;

/// Returns the `index`-th argument, the app's name first.
pub(super) fn argument(identity: &impl Identity, index: usize) -> Option<&[u8]> {
    match index.checked_sub(1) {
        None => Some(identity.name().as_bytes()),
        Some(index) => identity.argument(index),
    }
}

/// Returns the number of strings and their bytes with terminating zeros.
pub(super) fn sizes<'s>(string: impl Fn(usize) -> Option<&'s [u8]>) -> (u32, u32) {
    let (mut count, mut size) = (0u32, 0u32);
    while let Some(text) = string(count as usize) {
        count += 1;
        size = size.saturating_add(text.len() as u32).saturating_add(1);
    }
    (count, size)
}

/// Writes the strings at `buffer` and their addresses at `addresses`.
pub(super) fn store<'s>(
    memory: &mut Memory<'_>,
    mut addresses: u32,
    mut buffer: u32,
    string: impl Fn(usize) -> Option<&'s [u8]>,
) -> Wasi<()> {
    let mut index = 0;
    while let Some(text) = string(index) {
        let advance = |pointer: u32, by: usize| -> Result<u32, WasiErrno> {
            let by = u32::try_from(by).map_err(|_| WasiErrno::Fault)?;
            pointer.checked_add(by).ok_or(WasiErrno::Fault)
        };
        memory.write(addresses, &buffer.to_le_bytes())?;
        memory.write(buffer, text)?;
        buffer = advance(buffer, text.len())?;
        memory.write(buffer, &[0])?;
        buffer = advance(buffer, 1)?;
        addresses = advance(addresses, 4)?;
        index += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Harness;

    const FAULT: i32 = 21;

    #[test]
    fn arguments_begin_with_the_name_of_the_app() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("args_sizes_get", &[0, 4]), 0);
        assert_eq!((harness.u32_at(0), harness.u32_at(4)), (2, 10));
        assert_eq!(harness.wasi("args_get", &[0, 32]), 0);
        assert_eq!((harness.u32_at(0), harness.u32_at(4)), (32, 37));
        assert_eq!(harness.memory[32..42], *b"test\0-v=1\0");
    }

    #[test]
    fn the_environment_is_the_apps_own() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("environ_sizes_get", &[0, 4]), 0);
        assert_eq!((harness.u32_at(0), harness.u32_at(4)), (1, 4));
        assert_eq!(harness.wasi("environ_get", &[0, 32]), 0);
        assert_eq!(harness.u32_at(0), 32);
        assert_eq!(harness.memory[32..36], *b"A=b\0");
    }

    #[test]
    fn arrays_outside_memory_are_faults() {
        let mut harness = Harness::new();
        let size = harness.memory.len() as u32;
        for function in ["args_get", "environ_get"] {
            assert_eq!(harness.wasi(function, &[size - 3, 0]), FAULT);
            assert_eq!(harness.wasi(function, &[0, size - 3]), FAULT);
            assert_eq!(harness.wasi(function, &[u32::MAX, 0]), FAULT);
            assert_eq!(harness.wasi(function, &[0, u32::MAX - 1]), FAULT);
        }
        for function in ["args_sizes_get", "environ_sizes_get"] {
            assert_eq!(harness.wasi(function, &[0, size - 3]), FAULT);
            assert_eq!(harness.wasi(function, &[size, 0]), FAULT);
        }
    }
}
