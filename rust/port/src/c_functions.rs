// SPDX-License-Identifier: Apache-2.0
//! Host functions of the firmware: those of `WISP_HOST_FUNCTION_DEFINE()`, what they may call, and tables of
//! functions in Rust.

use crate::{rust_functions, shim, AppData};
use core::ffi::{c_char, c_void, CStr};
use core::ptr::null_mut;
use wisp_engine::{Caller, Ctx, FuncType, HostFunction, Name, RawTrap, Resolve, Signature, TrapCode};
use wisp_host::platform::Clock;

/// Returns a NUL-terminated string in flash.
///
/// # Safety
/// `text` points to a NUL-terminated string that lives as long as the program.
unsafe fn text(text: *const c_char) -> &'static [u8] {
    // SAFETY: the caller's string ends with NUL and lives as long as the program.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

/// The host functions of the firmware's section.
pub(crate) struct CFunctions(&'static [shim::wisp_host_function]);

impl CFunctions {
    /// Returns all of them.
    pub(crate) fn all() -> Self {
        let mut count = 0;
        // SAFETY: the shim returns the start of a section and writes its length in functions.
        let first = unsafe { shim::wisp_shim_host_functions(&mut count) };
        if count == 0 {
            return CFunctions(&[]);
        }
        // SAFETY: the section lies in flash and holds that many functions, made by one macro.
        CFunctions(unsafe { core::slice::from_raw_parts(first, count) })
    }
}

impl CFunctions {
    /// Returns true if a function of this module is defined, and of this name if a name is given.
    #[cfg(feature = "storage")]
    pub(crate) fn has(&self, module: Name<'_>, name: Option<Name<'_>>) -> bool {
        self.0.iter().any(|function| {
            if let Some(table) = rust_functions::table(function) {
                return table.iter().any(|f| module == f.module && name.is_none_or(|name| name == f.name));
            }
            // SAFETY: the macro takes strings that live as long as the program.
            let (in_module, called) = unsafe { (text(function.module), text(function.name)) };
            in_module == module.as_bytes() && name.is_none_or(|name| name.as_bytes() == called)
        })
    }
}

impl Resolve<AppData> for CFunctions {
    fn resolve(&self, module: Name<'_>, name: Name<'_>, _ty: FuncType<'_>) -> Option<HostFunction<AppData>> {
        for function in self.0 {
            if let Some(table) = rust_functions::table(function) {
                match table.iter().find(|f| name == f.name && module == f.module) {
                    Some(found) => return Some(*found),
                    None => continue,
                }
            }
            // SAFETY: the macro takes strings that live as long as the program.
            let defined = unsafe { text(function.name) };
            // SAFETY: the macro takes strings that live as long as the program.
            if defined == name.as_bytes() && unsafe { text(function.module) } == module.as_bytes() {
                // SAFETY: the macro takes strings that live as long as the program.
                let signature = Signature::Letters(unsafe { text(function.signature) });
                let env: *const shim::wisp_host_function = function;
                // SAFETY: `call` takes a host function of the section as its environment and works on
                // stores with `AppData`; the linker compares the signature with the import.
                return Some(unsafe { HostFunction::raw("", "", signature, call, env.cast()) });
            }
        }
        None
    }
}

/// Returns the calling guest behind a C caller.
///
/// # Safety
/// `caller` is what a C host function was passed, and that function has not returned. No other
/// reference to the guest's memory or data is used while the result lives.
unsafe fn guest<'a>(caller: *mut shim::wisp_caller) -> Caller<'a, AppData> {
    // SAFETY: `call` passes the engine's context on as the caller; the data is `AppData` because C
    // functions are only added to a `Linker<AppData>`.
    unsafe { Caller::from_raw(caller.cast::<Ctx>()) }
}

/// Calls a C function, whose record `env` points to, after it checked the ranges of its signature.
unsafe extern "C" fn call(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    // SAFETY: `resolve` made this the environment.
    let function = unsafe { &*env.cast::<shim::wisp_host_function>() };
    let Some(code) = function.function else {
        return RawTrap::of(TrapCode::HostError);
    };
    // SAFETY: the engine passes its instance.
    let stop = unsafe { &*ctx }.stop_requested();
    if !stop.is_none() {
        return stop;
    }
    let caller = ctx.cast::<shim::wisp_caller>();
    // SAFETY: the macro takes a string that lives as long as the program.
    let signature = unsafe { text(function.signature) };
    // SAFETY: the linker found that the import has the type of the signature, so there are as many
    // slots; `caller` is the engine's context, and the guest does not run meanwhile.
    if !unsafe { ranges_exist(caller, slots, signature) } {
        return RawTrap::of(TrapCode::MemoryOutOfBounds);
    }
    // SAFETY: the function was defined for slots of this signature, and with this environment.
    let trap = unsafe { code(caller, slots, function.env) };
    match trap {
        0 => RawTrap::NONE,
        // An unknown number is a mistake of the firmware; the guest must not go on with it.
        // SAFETY: the engine passes its instance.
        _ => unsafe { &*ctx }.reason(TrapCode::from_u32(trap).unwrap_or(TrapCode::HostError)),
    }
}

/// Returns true if every `*~` of the signature is a range of the guest's memory.
///
/// # Safety
/// `caller` is a calling guest, and `slots` has the slots of the signature's parameters.
unsafe fn ranges_exist(caller: *mut shim::wisp_caller, slots: *mut u32, signature: &[u8]) -> bool {
    let mut at = 0;
    let mut letters = signature.iter().copied().skip(1).peekable();
    while let Some(letter) = letters.next() {
        match letter {
            b')' => break,
            b'*' if letters.peek() == Some(&b'~') => {
                // SAFETY: the caller's slots are those of the signature's parameters: a pointer and a length here.
                let (address, length) = unsafe { (slots.add(at).read(), slots.add(at + 1).read()) };
                // SAFETY: the caller passes the guest that called, whose function has not returned.
                if unsafe { wisp_caller_memory(caller, address, length) }.is_null() {
                    return false;
                }
                #[cfg(feature = "record")]
                // SAFETY: the caller passes the guest that called.
                crate::record::wrote(unsafe { wisp_caller_app(caller) }, address, length);
                at += 1;
            }
            b'I' | b'F' => at += 2,
            _ => at += 1,
        }
    }
    true
}

/// Implements the function of `include/wisp/host_function.h`.
///
/// # Safety
/// `caller` is what a C host function was passed, and that function has not returned.
#[no_mangle]
pub unsafe extern "C" fn wisp_caller_memory(caller: *mut shim::wisp_caller, address: u32, length: u32) -> *mut c_void {
    // SAFETY: C passes what its host function was passed, which has not returned; C holds no Rust references.
    let mut guest = unsafe { guest(caller) };
    match guest.bytes_mut(address, length) {
        Ok(bytes) => bytes.as_mut_ptr().cast(),
        Err(_) => null_mut(),
    }
}

/// Implements the function of `include/wisp/host_function.h`.
///
/// # Safety
/// As `wisp_caller_memory`.
#[no_mangle]
pub unsafe extern "C" fn wisp_caller_app(caller: *mut shim::wisp_caller) -> *const shim::wisp_app {
    // SAFETY: C passes what its host function was passed, which has not returned; C holds no Rust references.
    unsafe { guest(caller) }.data().platform().app()
}

/// Implements the function of `include/wisp/host_function.h`.
///
/// # Safety
/// As `wisp_caller_memory`.
#[no_mangle]
pub unsafe extern "C" fn wisp_caller_sleep(caller: *mut shim::wisp_caller, duration_us: u64) -> bool {
    // SAFETY: C passes what its host function was passed, which has not returned; C holds no Rust references.
    let mut guest = unsafe { guest(caller) };
    guest.data_mut().platform_mut().sleep_us(duration_us).is_err()
}
