// SPDX-License-Identifier: Apache-2.0
//! Where there is no entry to native code: no section is accepted, so nothing comes here.

use crate::vm::native::Record;
use crate::vm::trap::TrapCode;

pub(super) unsafe extern "C" fn enter(_: *const Record, _: *mut u32, _: *const u8) -> u32 {
    TrapCode::HostError as u32
}

pub(super) unsafe extern "C" fn stopped(_: *const Record) -> u32 {
    TrapCode::HostError as u32
}

pub(super) unsafe extern "C" fn trap(_: *const Record, _: u32, _: u32) -> u32 {
    TrapCode::HostError as u32
}

pub(super) unsafe extern "C" fn halted() {}

pub(super) unsafe extern "C" fn missing() {}
