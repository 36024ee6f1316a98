// SPDX-License-Identifier: Apache-2.0
//! Runs images in the interpreter and as native code, and compares the callers of their traps.
//! `rust/aotc/examples/callers.rs` writes the images.

use alloc::vec::Vec;

use semihosting::println;
use wisp_engine::{scratch, Caller, Config, Engine, HostFunction, Linker, Module, Store, TrapCode};

/// Arguments of the function that is called.
const ARGUMENTS: i32 = 60;
/// The function that the images import.
const ADD: [HostFunction<()>; 1] =
    [HostFunction::wrap("env", "add", |_: Caller<'_, ()>, a: i32, b: i32| a.wrapping_add(b))];

/// A trap: its reason, functions and offsets from the innermost on, and whether callers are missing.
type Chain = (TrapCode, Vec<(u32, u32)>, bool);

/// Calls a function with an argument. `Ok(None)` if it returns.
fn chain(
    engine: &Engine,
    module: &Module<'_>,
    argument: i32,
    arena: &mut [u64],
) -> Result<Option<Chain>, &'static str> {
    let mut store = Store::new(engine, arena, ()).ok_or("there is no room for a store")?;
    let mut linker = Linker::new();
    linker.table(&ADD).map_err(|_| "the host function is not linked")?;
    let instance = linker.instantiate(&mut store, module).map_err(|_| "the image is not instantiated")?;
    let f = instance.get_typed_func::<i32, i32>(&store, "f").ok_or("there is no function f")?;
    let end = f.call(&mut store, argument);
    let frames = store.backtrace().map(|frame| (frame.func, frame.offset)).collect();
    Ok(end.err().map(|trap| (trap.code, frames, store.backtrace_is_cut())))
}

/// Compares the traps of an image. Returns how many there were.
fn image(image: &[u8], arena: &mut [u64], stack: u32) -> Result<u32, &'static str> {
    let engine = Engine::new(&Config::new().native_stack(stack).native_stop(true));
    let mut modules = Vec::new();
    for native in [false, true] {
        let mut module = Module::new_in(&engine, image, scratch(arena)).map_err(|_| "the image is refused")?;
        if native {
            crate::suites::use_native(&engine, &mut module)?;
        }
        modules.push(module);
    }
    let mut traps = 0;
    for argument in 0..ARGUMENTS {
        let wanted = chain(&engine, &modules[0], argument, arena)?;
        let got = chain(&engine, &modules[1], argument, arena)?;
        if wanted != got {
            println!("f({argument})\n  want {wanted:?}\n  got  {got:?}");
            return Err("a trap has other callers");
        }
        traps += u32::from(wanted.is_some());
    }
    Ok(traps)
}

/// Compares the traps of all images of a file. Returns false if some differ.
pub fn run(images: &[u8], arena: &mut [u64], stack: u32) -> bool {
    let (mut traps, mut failed) = (0, 0);
    for (number, (bytes, _)) in crate::images::all(images).enumerate() {
        match image(bytes, arena, stack) {
            Ok(more) => traps += more,
            Err(why) => {
                println!("image {number}: {why}");
                failed += 1;
            }
        }
    }
    println!("callers: {traps} traps, {failed} images failed");
    failed == 0 && traps != 0
}
