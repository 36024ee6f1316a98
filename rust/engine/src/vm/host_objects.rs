// SPDX-License-Identifier: Apache-2.0
//! Memories, tables and globals that the host made.

use core::cell::Cell;
use core::ptr::null;

use wisp_image::format::ValType;

use super::memory::LinearMemory;
use super::shared::Shared;
use super::table::TableRecord;

/// An object made by the host.
pub(crate) struct HostExternal {
    pub next: Cell<*const HostExternal>,
    kind: HostKind,
}

pub(crate) enum HostKind {
    Memory(LinearMemory),
    Table(TableRecord),
    Global(ValType, bool, [Cell<u32>; 2]),
}

pub(crate) fn add(shared: &Shared, kind: HostKind) -> Option<u16> {
    let external = shared.arena.alloc(HostExternal { next: Cell::new(null()), kind })?;
    u16::try_from(shared.add_external(external)).ok()
}

pub(crate) fn host(shared: &Shared, index: u16) -> Option<&HostKind> {
    shared.externals().nth(usize::from(index)).map(|external| &external.kind)
}
