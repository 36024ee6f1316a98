// SPDX-License-Identifier: Apache-2.0
//! Records what comes into an app, in a ring of the firmware. `src/app/record.c` has the ring, and
//! [`wisp_host::recording`] the format.

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering::Relaxed};

use wisp_engine::{HostCall, Image, RawTrap, Store, Tap, Trap, TrapCode};
use wisp_host::recording::{self, Conditions, Sink};

use crate::platform::Zephyr;
use crate::{shim, AppData};

/// Slots of arguments or of results that are recorded. Functions with more of them are left out.
const SLOTS: usize = 16;
/// Imports of which it is known whether they are recorded. Those behind are left out.
const IMPORTS: usize = 256;
/// Ranges that one call may write.
const RANGES: usize = 16;
/// Fuel of an app without a limit, so that it is known where it was stopped.
pub(crate) const ENDLESS: u64 = u64::MAX / 2;

/// Ranges of linear memory that the host call under way may have written. One app at a time is recorded, and only its thread
/// uses them.
struct Ranges {
    app: AtomicPtr<shim::wisp_app>,
    count: AtomicUsize,
    all: AtomicBool,
    ranges: [(AtomicU32, AtomicU32); RANGES],
}

static WRITTEN: Ranges = Ranges {
    app: AtomicPtr::new(core::ptr::null_mut()),
    count: AtomicUsize::new(0),
    all: AtomicBool::new(false),
    ranges: [const { (AtomicU32::new(0), AtomicU32::new(0)) }; RANGES],
};

/// Takes note that a host function of the app may have written these bytes.
pub(crate) fn wrote(app: *const shim::wisp_app, address: u32, length: u32) {
    if WRITTEN.app.load(Relaxed).cast_const() != app || length == 0 {
        return;
    }
    let count = WRITTEN.count.load(Relaxed);
    match WRITTEN.ranges.get(count) {
        Some(range) => {
            range.0.store(address, Relaxed);
            range.1.store(length, Relaxed);
            WRITTEN.count.store(count + 1, Relaxed);
        }
        // what has no place is found in all of memory
        None => WRITTEN.all.store(true, Relaxed),
    }
}

/// Returns the pieces of memory that the call may have written.
fn pieces(memory: &[u8]) -> impl Iterator<Item = (u32, &[u8])> + Clone {
    let all = WRITTEN.all.load(Relaxed);
    let count = if all { 0 } else { WRITTEN.count.load(Relaxed) };
    let whole = all.then_some((0, memory));
    let ranges = WRITTEN.ranges.iter().take(count).filter_map(|range| {
        let (address, length) = (range.0.load(Relaxed), range.1.load(Relaxed) as usize);
        let rest = memory.get(address as usize..)?;
        Some((address, rest.get(..length.min(rest.len()))?))
    });
    whole.into_iter().chain(ranges)
}

/// Gathers bytes for the ring.
struct Out {
    bytes: [u8; 32],
    count: usize,
}

impl Out {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.count) {
            *place = byte;
            self.count += 1;
        }
        if self.count == self.bytes.len() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        // SAFETY: these bytes are initialised, and this thread has reserved room for them.
        unsafe { shim::wisp_shim_record_put(self.bytes.as_ptr(), self.count) };
        self.count = 0;
    }
}

/// Adds an item, which `write` writes twice: once to count its bytes.
#[inline(never)]
fn add(write: &dyn Fn(Sink<'_>)) {
    let (mut length, mut prefix) = (0usize, 0usize);
    write(&mut |_| length += 1);
    recording::number(&mut |_| prefix += 1, length as u64);
    // SAFETY: this app is the one that is recorded, and this is its thread.
    if !unsafe { shim::wisp_shim_record_reserve(prefix + length) } {
        return;
    }
    let mut out = Out { bytes: [0; 32], count: 0 };
    recording::number(&mut |byte| out.push(byte), length as u64);
    write(&mut |byte| out.push(byte));
    out.flush();
}

/// Records one run of an app.
pub(crate) struct Recorder {
    board: Zephyr,
    is_recorded: bool,
    /// A bit for each import whose calls are recorded.
    wanted: [u32; IMPORTS / 32],
}

impl Recorder {
    /// Begins to record a run, if the app's node asks for it and the ring is free.
    #[inline(never)]
    pub fn begin(board: &Zephyr, image: &Image<'_>) -> Self {
        // SAFETY: the board's app is one of the firmware.
        let is_recorded = unsafe { shim::wisp_shim_record_begin(board.app) };
        let mut wanted = [0; IMPORTS / 32];
        if is_recorded {
            WRITTEN.app.store(board.app.cast_mut(), Relaxed);
            for index in 0..image.import_count().min(IMPORTS) {
                let Ok(import) = image.import(index) else { continue };
                let name = import.module.shown().as_bytes();
                // SAFETY: the board's app is one of the firmware, and the name is only read.
                let wants = unsafe { shim::wisp_shim_record_wants(board.app, name.as_ptr(), name.len()) };
                wanted[index / 32] |= u32::from(wants) << (index % 32);
            }
        }
        Self { board: *board, is_recorded, wanted }
    }

    /// Lets the guests of a store be recorded.
    pub fn record<'a>(&'a self, store: &mut Store<'a, AppData>) {
        if !self.is_recorded {
            return;
        }
        if store.fuel().is_none() {
            store.set_fuel(Some(ENDLESS));
        }
        // SAFETY: a run's store and its recorder stay in the app's thread.
        unsafe { store.tap(self) };
    }

    /// Ends the recording of a run.
    #[inline(never)]
    pub fn end(&self, store: &Store<'_, AppData>, run: &shim::wisp_run, ended: Option<Trap>) {
        if !self.is_recorded {
            return;
        }
        WRITTEN.app.store(core::ptr::null_mut(), Relaxed);
        let limit = if run.fuel == u64::MAX { ENDLESS } else { run.fuel };
        // native code counts none
        let used = if run.ran_native { u64::MAX } else { limit - store.fuel().unwrap_or(limit) };
        let status = ended.and_then(Trap::exit_status).unwrap_or_default();
        // places of native code are not those of IR
        let place = match ended {
            Some(trap) if trap.code != TrapCode::Exit && !run.ran_native => (trap.func, trap.offset),
            _ => (Trap::NOWHERE, 0),
        };
        let trap = ended.map_or(0, |trap| trap.code as u32);
        add(&|out| recording::end(out, trap, place, status, used));
        let view = store.post_mortem();
        let id = view.as_ref().map(|view| view.image_id());
        let head = Conditions {
            image: id.map_or((0, 0), |id| (id.wasm, id.code)),
            memory: view.map_or(0, |view| view.memory_capacity() as u32),
            stack: run.frame_size,
            depth: run.call_depth,
            fuel: run.fuel,
            lost: 0,
        };
        let failed = ended.is_some_and(|trap| !matches!(trap.code, TrapCode::Exit | TrapCode::Interrupted));
        // SAFETY: the first part has as many bytes as the header says, and is only read.
        unsafe { shim::wisp_shim_record_end(head.bytes().as_ptr(), failed) };
    }

    fn wants(&self, import: u16) -> bool {
        let word = self.wanted.get(usize::from(import) / 32).copied().unwrap_or_default();
        word >> (import % 32) & 1 != 0
    }
}

const _: () = assert!(recording::HEADER == shim::WISP_RECORD_HEAD as usize);

impl Tap for Recorder {
    fn host_call(&self, call: &mut HostCall<'_>) -> RawTrap {
        let (params, results) = call.counts();
        let mut arguments = [0; SLOTS];
        for (index, slot) in arguments.iter_mut().enumerate().take(params) {
            *slot = call.slot(index);
        }
        WRITTEN.count.store(0, Relaxed);
        WRITTEN.all.store(false, Relaxed);
        #[cfg(feature = "host-time")]
        let trap = crate::host_time::run(&self.board, call);
        #[cfg(not(feature = "host-time"))]
        let trap = call.run();
        let import = call.import();
        if !self.wants(import) || params.max(results) > SLOTS {
            add(&|out| recording::left_out(out, import));
            return trap;
        }
        let mut values = [0; SLOTS];
        for (index, slot) in values.iter_mut().enumerate().take(results) {
            *slot = call.slot(index);
        }
        let status = if trap == RawTrap::of(TrapCode::Exit) { call.exit_status() } else { 0 };
        let results = if trap.is_none() { results } else { 0 };
        let done = recording::HostCall {
            import,
            trap: trap.bits(),
            status,
            arguments: arguments.get(..params).unwrap_or_default(),
            results: values.get(..results).unwrap_or_default(),
        };
        let memory: &[u8] = call.memory();
        let count = pieces(memory).count();
        add(&|out| recording::host_call(out, &done, count, pieces(memory)));
        trap
    }

    fn entry(&self, function: u32, arguments: &mut dyn Iterator<Item = u32>) {
        let mut slots = [0; SLOTS];
        let mut count = 0;
        for (slot, argument) in slots.iter_mut().zip(arguments) {
            *slot = argument;
            count += 1;
        }
        add(&|out| recording::entry(out, function, slots.get(..count).unwrap_or_default()));
    }
}
