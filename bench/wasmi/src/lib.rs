// SPDX-License-Identifier: Apache-2.0
//! wasmi as the benchmark calls it: one instance at a time, from one thread, on the benchmark's
//! counting heap.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::slice;

use wasmi::{Config, Engine, Instance, Linker, Module, Store, TypedFunc};

extern "C" {
    fn bench_malloc(size: usize) -> *mut u8;
    fn bench_free(block: *mut u8);
    fn wasmi_bench_panic() -> !;
}

struct Heap;

// SAFETY: the C heap's blocks are aligned to 8 bytes, the most that is asked for here, and are
// given back to where they came from.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        debug_assert!(layout.align() <= 8);
        // SAFETY: takes any size.
        unsafe { bench_malloc(layout.size()) }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller promises that the block came from `alloc`.
        unsafe { bench_free(block) }
    }
}

#[global_allocator]
static HEAP: Heap = Heap;

struct Loaded {
    store: Store<()>,
    instance: Instance,
    run: TypedFunc<u32, u32>,
}

struct Slot(UnsafeCell<Option<Box<Loaded>>>);

// SAFETY: the C functions below are called from one thread, as their contract says.
unsafe impl Sync for Slot {}

static LOADED: Slot = Slot(UnsafeCell::new(None));

/// Returns the slot's content.
///
/// # Safety
/// Called from the benchmark's one thread, and no other reference to the content is alive.
unsafe fn loaded() -> &'static mut Option<Box<Loaded>> {
    // SAFETY: the caller promises that nobody else looks.
    unsafe { &mut *LOADED.0.get() }
}

fn load(wasm: &[u8]) -> Result<Loaded, wasmi::Error> {
    let mut config = Config::default();
    // bytes: what a microcontroller may give, and more where a workload needs it
    config
        .set_min_stack_height(4096)
        .set_max_stack_height(65536);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm)?;
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "host_add", |a: u32, b: u32| {
        a.wrapping_mul(5).wrapping_add(b)
    })?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let run = instance.get_typed_func(&store, "run")?;
    Ok(Loaded {
        store,
        instance,
        run,
    })
}

/// Compiles and instantiates a module. Returns 0, or 1 if that failed.
///
/// # Safety
/// `wasm` holds `size` bytes. All functions are called from one thread.
#[no_mangle]
pub unsafe extern "C" fn wasmi_bench_load(wasm: *const u8, size: usize) -> u32 {
    // SAFETY: the caller promises the length.
    let wasm = unsafe { slice::from_raw_parts(wasm, size) };
    let Ok(new) = load(wasm) else { return 1 };
    // SAFETY: C calls these functions from one thread; the reference ends with the statement.
    unsafe { *loaded() = Some(Box::new(new)) };
    0
}

/// Calls run(n), writes the result, and returns 0, or returns 1 after a trap.
///
/// # Safety
/// `result` may be written, and the call comes from the benchmark's thread.
#[no_mangle]
pub unsafe extern "C" fn wasmi_bench_run(n: u32, result: *mut u32) -> u32 {
    // SAFETY: C calls these functions from one thread; the guest's host function does not come back here.
    let Some(loaded) = (unsafe { loaded() }) else {
        return 1;
    };
    match loaded.run.call(&mut loaded.store, n) {
        Ok(value) => {
            // SAFETY: the caller promises that it may be written.
            unsafe { *result = value };
            0
        }
        Err(_) => 1,
    }
}

/// Returns the number of bytes of linear memory.
#[no_mangle]
pub extern "C" fn wasmi_bench_memory() -> usize {
    // SAFETY: C calls these functions from one thread.
    let Some(loaded) = (unsafe { loaded() }) else {
        return 0;
    };
    loaded
        .instance
        .get_memory(&loaded.store, "memory")
        .map_or(0, |m| m.data_size(&loaded.store))
}

/// Drops the instance.
#[no_mangle]
pub extern "C" fn wasmi_bench_unload() {
    // SAFETY: C calls these functions from one thread.
    unsafe { *loaded() = None };
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: the C side ends the run; it takes nothing and does not return.
    unsafe { wasmi_bench_panic() }
}
