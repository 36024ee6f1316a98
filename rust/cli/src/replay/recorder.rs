// SPDX-License-Identifier: Apache-2.0
//! Writes a recording while an app runs.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wisp_engine::{HostCall, RawTrap, Tap, Trap, TrapCode};
use wisp_host::recording::{self as raw, Conditions};

use crate::failure::Failure;
use crate::input;

/// Bytes that did not change between two that did, up to which both are one piece.
const GAP: usize = 8;

/// Writes what comes into an app to a file, item by item, so that a run that is killed leaves what came before.
pub struct Recorder {
    path: PathBuf,
    file: RefCell<File>,
    error: RefCell<Option<io::Error>>,
    /// Memory before a host call.
    before: RefCell<Vec<u8>>,
    calls: Cell<u64>,
}

/// Returns the ranges in which two memories differ.
fn changes(before: &[u8], after: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    /// Bytes that are compared at once.
    const BLOCK: usize = 256;
    for (index, (old, new)) in before.chunks(BLOCK).zip(after.chunks(BLOCK)).enumerate() {
        if old == new {
            continue;
        }
        for at in (0..new.len()).filter(|&at| old[at] != new[at]).map(|at| index * BLOCK + at) {
            match ranges.last_mut() {
                Some(last) if at <= last.end + GAP => last.end = at + 1,
                _ => ranges.push(at..at + 1),
            }
        }
    }
    ranges
}

impl Recorder {
    /// Begins a recording.
    pub fn create(path: &Path, conditions: &Conditions) -> Result<Self, Failure> {
        let file = input::create(path)?;
        let recorder = Self {
            path: path.into(),
            file: file.into(),
            error: RefCell::default(),
            before: RefCell::default(),
            calls: Cell::new(0),
        };
        recorder.write(&conditions.bytes());
        Ok(recorder)
    }

    fn write(&self, bytes: &[u8]) {
        if let Err(error) = self.file.borrow_mut().write_all(bytes) {
            // the run goes on, and the first reason is told at its end
            self.error.borrow_mut().get_or_insert(error);
        }
    }

    fn item(&self, write: impl FnOnce(raw::Sink<'_>)) {
        let (mut body, mut item) = (Vec::new(), Vec::new());
        write(&mut |byte| body.push(byte));
        raw::number(&mut |byte| item.push(byte), body.len() as u64);
        item.append(&mut body);
        self.write(&item);
    }

    /// Ends a recording. Returns the number of calls in it.
    pub fn finish(&self, ended: Option<Trap>, fuel: u64) -> Result<u64, Failure> {
        let status = ended.and_then(Trap::exit_status).unwrap_or_default();
        let place = match ended {
            Some(trap) if trap.code != TrapCode::Exit => (trap.func, trap.offset),
            _ => (Trap::NOWHERE, 0),
        };
        self.item(|out| raw::end(out, ended.map_or(0, |trap| trap.code as u32), place, status, fuel));
        match self.error.borrow_mut().take() {
            Some(error) => Err(Failure::in_file(&self.path, format_args!("cannot be written: {error}"))),
            None => Ok(self.calls.get()),
        }
    }
}

impl Tap for Recorder {
    fn host_call(&self, call: &mut HostCall<'_>) -> RawTrap {
        let (params, results) = call.counts();
        let arguments: Vec<u32> = (0..params).map(|index| call.slot(index)).collect();
        let mut before = self.before.borrow_mut();
        before.clear();
        before.extend_from_slice(call.memory());
        let trap = call.run();
        let results: Vec<u32> = (0..results).map(|index| call.slot(index)).collect();
        let status = if trap == RawTrap::of(TrapCode::Exit) { call.exit_status() } else { 0 };
        let recorded = raw::HostCall {
            import: call.import(),
            trap: trap.bits(),
            status,
            arguments: &arguments,
            results: if trap.is_none() { &results } else { &[] },
        };
        let memory = &*call.memory();
        let ranges = changes(&before, memory);
        let written = ranges.iter().map(|range| (range.start as u32, &memory[range.clone()]));
        self.item(|out| raw::host_call(out, &recorded, ranges.len(), written));
        self.calls.set(self.calls.get() + 1);
        trap
    }

    fn entry(&self, function: u32, arguments: &mut dyn Iterator<Item = u32>) {
        let arguments: Vec<u32> = arguments.collect();
        self.item(|out| raw::entry(out, function, &arguments));
    }
}
