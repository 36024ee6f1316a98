// SPDX-License-Identifier: Apache-2.0
//! What an image needs of the firmware and of its app's node, before it is installed.

use crate::c_functions::CFunctions;
use crate::platform::Zephyr;
use crate::run::TABLES;
use crate::shim;
use crate::text::Text;
use core::slice;
use wisp_contract::storage::PortError;
use wisp_engine::{Image, Name};
use wisp_host::{abi, Interfaces};
#[cfg(feature = "storage")]
use wisp_image::conditions::Kind;

fn report(board: &Zephyr, module: &str, what: &[u8]) {
    let mut text = Text::new();
    text.push(b"the image needs ");
    text.push_shown(module.as_bytes());
    text.push(what);
    board.report(abi::log::ERROR, text.bytes());
}

/// Returns true if the firmware has functions of this import module.
fn known(module: &str) -> bool {
    TABLES.iter().any(|table| table.module == module) || CFunctions::all().has(Name::new(module), None)
}

/// Returns true if the firmware has this function.
fn has(module: Name<'_>, name: Name<'_>) -> bool {
    Interfaces(TABLES).find(module, name).is_some() || CFunctions::all().has(module, Some(name))
}

/// Checks that the firmware has the import module and, if it is one of grants, that the node grants something of it.
fn interface(board: &Zephyr, module: &str, exists: bool) -> Result<(), PortError> {
    if !exists {
        report(board, module, b", which this firmware does not have");
        return Err(PortError::NoInterface);
    }
    // SAFETY: the app is valid by the contract of `Zephyr::new`; the name is only read.
    if !unsafe { shim::wisp_shim_grants(board.app(), module.as_ptr(), module.len()) } {
        report(board, module, b", of which its node grants nothing");
        return Err(PortError::NotGranted);
    }
    Ok(())
}

/// Checks that an image without IR has native code that runs here.
///
/// # Safety
/// `app` points to an app of the firmware.
unsafe fn native(
    image: &Image<'_>,
    app: *const shim::wisp_app,
    board: &Zephyr,
    is_signed: bool,
) -> Result<(), PortError> {
    if !image.is_native_only() {
        return Ok(());
    }
    #[cfg(feature = "native")]
    // SAFETY: the caller's `app` is one of the firmware.
    match unsafe { crate::native::installable(*image, app, is_signed) } {
        Ok(()) => return Ok(()),
        Err(reason) => crate::report::not_installed(board, &reason),
    }
    #[cfg(not(feature = "native"))]
    {
        _ = (app, is_signed);
        crate::report::bad_image(board, wisp_engine::ImageError::NativeOnly);
    }
    Err(PortError::NoNative)
}

/// Checks that the image is for this device.
///
/// # Safety
/// `trust` has an app of the firmware, and names that end with NUL and live as long as the program.
#[cfg(feature = "storage")]
pub(crate) unsafe fn device(image: &Image<'_>, trust: &shim::wisp_store_trust) -> Result<(), PortError> {
    // SAFETY: the caller's names end with NUL and live as long as the program.
    let name = |name: *const core::ffi::c_char| unsafe { core::ffi::CStr::from_ptr(name) }.to_bytes();
    let found = image.conditions().map(|conditions| {
        conditions.unmet(|kind, pattern| match kind {
            Kind::Board => pattern.matches(name(trust.board)) || pattern.matches_board(name(trust.board_target)),
            Kind::Vendor => pattern.matches(name(trust.vendor)),
            Kind::Class => pattern.matches(name(trust.device_class)),
        })
    });
    let mut text = Text::new();
    match found {
        Ok(None) => return Ok(()),
        Ok(Some(kind)) => {
            let own = match kind {
                Kind::Board => name(trust.board_target),
                Kind::Vendor => name(trust.vendor),
                Kind::Class => name(trust.device_class),
            };
            text.push(b"the image is for another ");
            text.push(kind.name().as_bytes());
            text.push(b" than \"");
            text.push_shown(own);
            text.push(b"\"; wisp inspect shows for which");
        }
        Err(_) => text.push(b"the image has conditions that this firmware does not understand"),
    }
    // SAFETY: the caller's app is one of the firmware.
    unsafe { Zephyr::new(trust.app) }.report(abi::log::ERROR, text.bytes());
    Err(PortError::NotForDevice)
}

/// Checks that the image is not of an earlier epoch than one that was confirmed.
///
/// # Safety
/// Called by the app storage's thread. `app` points to an app of the firmware.
#[cfg(feature = "epoch")]
pub(crate) unsafe fn epoch(image: &Image<'_>, app: *const shim::wisp_app) -> Result<(), crate::storage::Error> {
    use crate::storage::Error;
    use wisp_storage::StoreError;

    let mut least = 0;
    // SAFETY: called by the app storage's thread; C writes the number.
    if !unsafe { shim::wisp_shim_epoch(&mut least) } {
        return Err(Error::Store(StoreError::Flash));
    }
    let epoch = image.epoch().map_err(|_| Error::Port(PortError::NoImage))?;
    if epoch >= least {
        return Ok(());
    }
    let mut text = Text::new();
    text.push(b"the image is of epoch ");
    text.push_number(epoch);
    text.push(b", and the device takes epoch ");
    text.push_number(least);
    text.push(b" and later ones; wisp sign --epoch sets it");
    // SAFETY: the caller's `app` is one of the firmware.
    unsafe { Zephyr::new(app) }.report(abi::log::ERROR, text.bytes());
    Err(Error::Port(PortError::Epoch))
}

/// Checks all imports of an image, and its native code if it has nothing else.
///
/// # Safety
/// `app` points to an app of the firmware.
pub(crate) unsafe fn check(image: &Image<'_>, app: *const shim::wisp_app, is_signed: bool) -> Result<(), PortError> {
    // SAFETY: the caller's `app` is one of the firmware.
    let board = unsafe { Zephyr::new(app) };
    for index in 0..image.import_count() {
        let import = image.import(index).map_err(|_| PortError::NoImage)?;
        interface(&board, import.module.shown(), has(import.module, import.name))?;
    }
    // SAFETY: the caller's `app` is one of the firmware.
    unsafe { native(image, app, &board, is_signed) }
}

/// Checks what was announced of an image without IR: the machines of its native sections, three bytes each.
///
/// # Safety
/// `app` points to an app of the firmware. `targets` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_targets(app: *const shim::wisp_app, targets: *const u8, length: usize) -> u32 {
    if length == 0 {
        return 0;
    }
    // SAFETY: C passes an app of the firmware, and `length` bytes at `targets`.
    let (board, targets) = unsafe { (Zephyr::new(app), slice::from_raw_parts(targets, length)) };
    #[cfg(feature = "native")]
    match crate::native::runs_one_of(targets) {
        Ok(()) => return 0,
        Err(reason) => crate::report::not_installed(&board, &reason),
    }
    #[cfg(not(feature = "native"))]
    {
        _ = targets;
        crate::report::bad_image(&board, wisp_engine::ImageError::NativeOnly);
    }
    PortError::NoNative.code()
}

/// Checks what was announced of an image: names of import modules with spaces between them.
///
/// # Safety
/// `app` points to an app of the firmware. `names` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_needs(app: *const shim::wisp_app, names: *const u8, length: usize) -> u32 {
    if length == 0 {
        return 0;
    }
    // SAFETY: C passes an app of the firmware, and `length` bytes at `names`.
    let (board, names) = unsafe { (Zephyr::new(app), slice::from_raw_parts(names, length)) };
    let Ok(names) = core::str::from_utf8(names) else { return PortError::NoInterface.code() };
    let mut modules = names.split(' ').filter(|module| !module.is_empty());
    modules.try_for_each(|module| interface(&board, module, known(module))).map_or_else(PortError::code, |()| 0)
}

/// Checks the imports of an image in memory, and its largest frame and memory.
///
/// # Safety
/// `app` points to an app of the firmware. `image` points to `size` bytes that do not change.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_image_needs(app: *const shim::wisp_app, image: *const u8, size: usize) -> u32 {
    // SAFETY: C passes `size` bytes that do not change.
    let bytes = unsafe { slice::from_raw_parts(image, size) };
    match Image::parse(bytes) {
        // SAFETY: C passes an app of the firmware.
        Ok(image) => unsafe { check(&image, app, true) }.map_or_else(PortError::code, |()| 0),
        Err(_) => PortError::NoImage.code(),
    }
}
