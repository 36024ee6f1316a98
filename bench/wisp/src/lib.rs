// SPDX-License-Identifier: Apache-2.0
//! The engine as the benchmark calls it: one store at a time, from one thread, in an arena that the
//! caller gives. No Zephyr and no allocator: what is measured is the engine.
#![no_std]

use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::slice;

use wisp_engine::{
    scratch, Caller, Config, Engine, HostFunction, ImageError, Instance, InstantiateError, Linker,
    Module, Store, TypedFunc,
};

/// Bytes for the frames of guest functions.
const FRAMES: u32 = if cfg!(feature = "large") { 4096 } else { 2048 };
/// Bytes of the arena for code and scratch memory of the translator, and of the stack for its code.
#[cfg(feature = "translate")]
const CODE: u32 = if cfg!(feature = "large") {
    1536 << 10
} else {
    24 << 10
};
#[cfg(feature = "translate")]
const STACK: u32 = 64 << 10;

static HOST: [HostFunction<()>; 1] = [HostFunction::wrap(
    "env",
    "host_add",
    |_: Caller<'_, ()>, a: u32, b: u32| a.wrapping_mul(5).wrapping_add(b),
)];

struct Loaded {
    store: Store<'static, ()>,
    instance: Instance,
    run: TypedFunc<(u32,), (u32,)>,
}

struct Slot(UnsafeCell<Option<Loaded>>);

// SAFETY: the C functions below are called from one thread, as their contract says.
unsafe impl Sync for Slot {}

static LOADED: Slot = Slot(UnsafeCell::new(None));

/// Returns the slot's content.
///
/// # Safety
/// Called from the benchmark's one thread, and no other reference to the content is alive.
unsafe fn loaded() -> &'static mut Option<Loaded> {
    // SAFETY: the caller promises that nobody else looks.
    unsafe { &mut *LOADED.0.get() }
}

/// Reads, verifies (unless it is trusted) and instantiates an image and finds its export `run`. Returns
/// NULL or what went wrong, as a C string.
///
/// # Safety
/// `image` and `arena` are aligned to 8 bytes, hold that many bytes and words of 8 bytes, and live until
/// [`wisp_bench_unload`]. Nobody else uses the arena. All functions are called from one thread.
#[no_mangle]
pub unsafe extern "C" fn wisp_bench_load(
    image: *const u8,
    size: usize,
    arena: *mut u64,
    words: usize,
    trusted: bool,
) -> *const u8 {
    // SAFETY: the caller promises that both are what their lengths say, for as long as they are used.
    let (image, arena) = unsafe {
        (
            slice::from_raw_parts(image, size),
            slice::from_raw_parts_mut(arena, words),
        )
    };
    let config = Config::new().stack_size(FRAMES);
    #[cfg(feature = "native")]
    let config = config.native_stop(true);
    #[cfg(all(feature = "native", feature = "large"))]
    let config = config.native_stack(64 << 10);
    #[cfg(feature = "translate")]
    let config = config.translate(CODE).translated_stack(STACK);
    let engine = Engine::new(&config);
    let module = read(&engine, image, arena, trusted);
    #[cfg_attr(not(feature = "native"), allow(unused_mut))]
    let Ok(mut module) = module
    else {
        return c"the image was refused".as_ptr().cast();
    };
    #[cfg(feature = "native")]
    {
        let Ok(section) = module.native_section(&engine) else {
            return c"the image has no native code for this machine"
                .as_ptr()
                .cast();
        };
        // SAFETY: the image is part of the firmware, lies in flash and is as trusted as the firmware.
        if unsafe { module.use_native(&engine, section) }.is_err() {
            return c"the native code was refused".as_ptr().cast();
        }
    }
    let Some(mut store) = Store::new(&engine, arena, ()) else {
        return c"the arena is too small".as_ptr().cast();
    };
    let Ok(instance) = instantiate(&mut store, &module) else {
        return c"the module could not be instantiated".as_ptr().cast();
    };
    let Some(run) = instance.get_typed_func(&store, "run") else {
        return c"there is no export run(i32) -> i32".as_ptr().cast();
    };
    // SAFETY: C calls these functions from one thread; the reference ends with the statement.
    unsafe {
        *loaded() = Some(Loaded {
            store,
            instance,
            run,
        })
    };
    core::ptr::null()
}

/// Reads and verifies (unless it is trusted), with the arena as scratch memory. It is a function of its own, as in
/// the port, so that the stack holds one phase at a time.
#[inline(never)]
fn read<'i>(
    engine: &Engine,
    image: &'i [u8],
    arena: &mut [u64],
    trusted: bool,
) -> Result<Module<'i>, ImageError> {
    if trusted || cfg!(feature = "native") {
        // SAFETY: the compiler made the image in the same build; it is part of the firmware. Of one with
        // native code, the IR is not used, so that the port does not verify it either.
        return unsafe { Module::new_trusted(engine, image) };
    }
    Module::new_in(engine, image, scratch(arena))
}

/// Links and instantiates, as above in a frame of its own.
#[inline(never)]
fn instantiate<'m>(
    store: &mut Store<'m, ()>,
    module: &Module<'m>,
) -> Result<Instance, InstantiateError> {
    Linker::from_table(&HOST).instantiate(store, module)
}

/// Calls run(n), writes the result, and returns 0, or returns the trap's number.
///
/// # Safety
/// `result` may be written, and the call comes from the benchmark's thread after a load that worked.
#[no_mangle]
pub unsafe extern "C" fn wisp_bench_run(n: u32, result: *mut u32) -> u32 {
    // SAFETY: C calls these functions from one thread; the guest's host function does not come back here.
    let Some(loaded) = (unsafe { loaded() }) else {
        return u32::MAX;
    };
    match loaded.run.call(&mut loaded.store, (n,)) {
        Ok((value,)) => {
            // SAFETY: the caller promises that it may be written.
            unsafe { *result = value };
            0
        }
        Err(trap) => trap.code as u32,
    }
}

/// Returns the number of bytes of the arena that nothing has taken.
#[no_mangle]
pub extern "C" fn wisp_bench_arena_left() -> usize {
    // SAFETY: C calls these functions from one thread.
    unsafe { loaded() }
        .as_ref()
        .map_or(0, |loaded| loaded.store.arena_left())
}

/// Returns the number of bytes of linear memory.
#[no_mangle]
pub extern "C" fn wisp_bench_memory() -> usize {
    // SAFETY: C calls these functions from one thread.
    let Some(loaded) = (unsafe { loaded() }) else {
        return 0;
    };
    loaded
        .instance
        .memory(&loaded.store)
        .map_or(0, |memory| memory.data(&loaded.store).len())
}

/// Drops the store. The arena is the caller's again.
#[no_mangle]
pub extern "C" fn wisp_bench_unload() {
    // SAFETY: C calls these functions from one thread.
    unsafe { *loaded() = None };
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    extern "C" {
        fn wisp_bench_panic() -> !;
    }
    // SAFETY: the C side ends the run; it takes nothing and does not return.
    unsafe { wisp_bench_panic() }
}
