// SPDX-License-Identifier: Apache-2.0
//! The app storage behind `src/storage/storage.c`: its only user, in one thread.

use crate::held::Held;
use crate::{needs, shim};
use core::cell::UnsafeCell;
use core::ffi::{c_char, CStr};
use wisp_contract::storage::{words, PortError};
use wisp_engine::Image;
use wisp_storage::{
    Flash, FlashError, Geometry, ImageRef, Mounted, Slot, Store, StoreError, Upload, Which, MAX_APPS, MAX_RETIRED,
};
use wisp_trust::{key_id, retired_by, retirements, Keys, Signer, TrustError, SIGNED_TRAILER_SIZE};

/// The `wisp_storage` partition.
struct Partition;

fn driver(result: i32) -> Result<(), FlashError> {
    if result == 0 {
        Ok(())
    } else {
        Err(FlashError)
    }
}

impl Flash for Partition {
    fn geometry(&self) -> Geometry {
        let mut g = shim::wisp_flash_geometry { size: 0, erase_block: 0, write_block: 0, erased: 0 };
        // SAFETY: the shim writes the record that it is given.
        unsafe { shim::wisp_shim_flash_geometry(&mut g) };
        Geometry { size: g.size, erase_block: g.erase_block, write_block: g.write_block, erased: g.erased }
    }

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        // SAFETY: pointer and length are those of one exclusive slice.
        driver(unsafe { shim::wisp_shim_flash_read(at, out.as_mut_ptr(), out.len()) })
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), FlashError> {
        // SAFETY: pointer and length are those of one slice, which is only read.
        driver(unsafe { shim::wisp_shim_flash_write(at, bytes.as_ptr(), bytes.len()) })
    }

    fn erase_block(&mut self, at: u32) -> Result<(), FlashError> {
        let length = self.geometry().erase_block as usize;
        // SAFETY: no pointers; the driver checks the range.
        driver(unsafe { shim::wisp_shim_flash_erase(at, length) })
    }
}

struct Global(UnsafeCell<Option<Store<'static, Partition>>>);

// SAFETY: only the app storage's thread calls the functions below that use the app storage.
unsafe impl Sync for Global {}

static STORE: Global = Global(UnsafeCell::new(None));

/// Runs with the app storage.
///
/// # Safety
/// Called by the app storage's thread, and not from within another call.
unsafe fn with(run: impl FnOnce(&mut Store<'static, Partition>) -> Result<(), Error>) -> u32 {
    // SAFETY: only the app storage's thread calls this, and not from within another call: there is no other reference.
    let result = match unsafe { &mut *STORE.0.get() } {
        Some(store) => run(store),
        None => Err(Error::Port(PortError::NotMounted)),
    };
    result.map_or_else(Error::code, |()| 0)
}

/// Everything that can go wrong here.
#[derive(Clone, Copy)]
pub(crate) enum Error {
    Store(StoreError),
    Trust(TrustError),
    Port(PortError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TrustError> for Error {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}

impl Error {
    fn code(self) -> u32 {
        match self {
            Self::Port(error) => error.code(),
            Self::Trust(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// Returns an error in words.
///
/// # Safety
/// `length` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_words(error: u32, length: *mut usize) -> *const c_char {
    let words = words(error);
    // SAFETY: C passes a `length` that can be written.
    unsafe { *length = words.len() };
    words.as_ptr().cast()
}

fn name_out(name: &str) -> [c_char; shim::WISP_STORE_NAME_SIZE as usize] {
    let mut out = [0; shim::WISP_STORE_NAME_SIZE as usize];
    // one byte stays zero
    for (place, byte) in out.iter_mut().zip(name.bytes().take(shim::WISP_STORE_NAME_SIZE as usize - 1)) {
        *place = byte as c_char;
    }
    out
}

fn image_out(image: Option<ImageRef>) -> shim::wisp_store_image {
    match image {
        Some(image) => shim::wisp_store_image {
            length: image.length,
            version: image.version,
            rollback: image.rollback,
            hash: image.hash,
        },
        None => shim::wisp_store_image { length: 0, version: 0, rollback: 0, hash: [0; 32] },
    }
}

fn version_word((major, minor, patch): (u8, u8, u16)) -> u32 {
    u32::from(major) | u32::from(minor) << 8 | u32::from(patch) << 16
}

fn slot_of(store: &Store<'_, Partition>, number: u32) -> Result<Slot, StoreError> {
    store.slots().find(|slot| slot.number() as u32 == number).ok_or(StoreError::NotFound)
}

fn app_out(store: &mut Store<'_, Partition>, slot: Slot) -> Result<shim::wisp_store_app, StoreError> {
    let app = store.app(slot)?;
    let (attempts, crashes) = store.counters(slot);
    Ok(shim::wisp_store_app {
        slot: slot.number() as u8,
        attempts,
        crashes,
        disabled: app.disabled,
        manual: app.manual,
        floor: app.floor,
        name: name_out(app.name.as_str()),
        running: image_out(app.running),
        candidate: image_out(app.candidate),
    })
}

/// Opens the app storage.
///
/// # Safety
/// Called once, by the app storage's thread. `wear` points to `count` words that nothing else uses from now on.
/// `how` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_mount(wear: *mut u32, count: usize, how: *mut u32) -> u32 {
    // SAFETY: C passes `count` words that nothing else uses from now on.
    let wear: &'static mut [u32] = unsafe { core::slice::from_raw_parts_mut(wear, count) };
    match Store::mount(Partition, wear) {
        Ok((store, mounted)) => {
            // SAFETY: C passes a `how` that can be written. This is the app storage's thread, and no reference to the
            // app storage exists.
            unsafe {
                *how = match mounted {
                    Mounted::Clean => 0,
                    Mounted::Recovered => 1,
                    Mounted::Repaired => 2,
                    Mounted::Formatted => 3,
                };
                *STORE.0.get() = Some(store);
            }
            0
        }
        Err(error) => Error::from(error).code(),
    }
}

/// Makes an empty store in place of what the partition holds.
///
/// # Safety
/// Called by the app storage's thread, with the table that `wisp_rust_store_mount` got. No installed image runs.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_format(wear: *mut u32, count: usize) -> u32 {
    // SAFETY: C passes the table that the mount got; the app storage that had it is gone first.
    let wear: &'static mut [u32] = unsafe {
        *STORE.0.get() = None;
        core::slice::from_raw_parts_mut(wear, count)
    };
    match Store::format(Partition, wear) {
        Ok(store) => {
            // SAFETY: only the app storage's thread is here, and nobody has a reference to the app storage.
            unsafe { *STORE.0.get() = Some(store) };
            0
        }
        Err(error) => Error::from(error).code(),
    }
}

/// Returns the app in a slot.
///
/// # Safety
/// Called by the app storage's thread. `app` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_get(slot: u32, app: *mut shim::wisp_store_app) -> u32 {
    const { assert!(MAX_APPS == shim::WISP_STORE_SLOTS as usize) };
    // SAFETY: called by the app storage's thread; C passes an `app` that can be written.
    unsafe {
        with(|store| {
            let slot = slot_of(store, slot)?;
            *app = app_out(store, slot)?;
            Ok(())
        })
    }
}

/// Returns the app with a name, installed.
///
/// # Safety
/// Called by the app storage's thread. `name` is NUL-terminated, `app` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_find(name: *const c_char, app: *mut shim::wisp_store_app) -> u32 {
    // SAFETY: called by the app storage's thread; C passes a NUL-terminated name, and an `app` that can be written.
    unsafe {
        with(|store| {
            let slot = store.find(CStr::from_ptr(name).to_str().map_err(|_| StoreError::Name)?)?;
            *app = app_out(store, slot)?;
            Ok(())
        })
    }
}

/// Announces an image, with `replace` in place of the upload that is going on.
///
/// # Safety
/// Called by the app storage's thread. `upload` has a NUL-terminated name, `offset` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_begin(
    upload: *const shim::wisp_store_upload,
    replace: bool,
    offset: *mut u32,
) -> u32 {
    // SAFETY: called by the app storage's thread; the upload's name ends with NUL, and `offset` can be written.
    unsafe {
        let upload = &*upload;
        with(|store| {
            let name = CStr::from_ptr(upload.name.as_ptr()).to_str().map_err(|_| StoreError::Name)?;
            let image = &upload.image;
            let announced = Upload {
                name,
                length: image.length,
                hash: image.hash,
                version: image.version,
                rollback: image.rollback,
                downgrade: upload.downgrade,
            };
            *offset = if replace { store.replace(&announced).map(|()| 0)? } else { store.begin(&announced)? };
            Ok(())
        })
    }
}

/// Takes a piece of the upload.
///
/// # Safety
/// Called by the app storage's thread. `data` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_write(offset: u32, data: *const u8, length: usize) -> u32 {
    // SAFETY: called by the app storage's thread; C passes `length` bytes at `data`.
    unsafe {
        let data = if length == 0 { &[] } else { core::slice::from_raw_parts(data, length) };
        with(|store| store.write(offset, data).map(drop).map_err(Error::from))
    }
}

/// Returns the upload that is going on.
///
/// # Safety
/// Called by the app storage's thread. `upload` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_progress(upload: *mut shim::wisp_store_upload) -> u32 {
    // SAFETY: called by the app storage's thread; C passes an `upload` that can be written.
    unsafe {
        with(|store| {
            let progress = store.progress()?;
            *upload = shim::wisp_store_upload {
                name: name_out(progress.name.as_str()),
                image: image_out(Some(progress.image)),
                memory: 0,
                frame: 0,
                // begun is begun: the image itself decides at the end
                downgrade: false,
                interfaces: core::ptr::null(),
                interfaces_length: 0,
                targets: core::ptr::null(),
                targets_length: 0,
                offset: progress.received,
            };
            Ok(())
        })
    }
}

/// Returns the firmware's keys of one role.
///
/// # Safety
/// `keys` points to `count` keys of 32 bytes that live as long as the program.
unsafe fn key_list(keys: *const u8, count: usize) -> &'static [[u8; 32]] {
    if count == 0 {
        return &[];
    }
    // SAFETY: C passes `count` keys of 32 bytes that live as long as the program.
    unsafe { core::slice::from_raw_parts(keys.cast(), count) }
}

/// Returns the firmware's keys, with these that are retired.
///
/// # Safety
/// The lists of `trust` are as [`key_list`] wants them.
unsafe fn keys<'r>(trust: &shim::wisp_store_trust, retired: &'r [[u8; 8]]) -> Keys<'r> {
    // SAFETY: C passes three lists of keys of 32 bytes that live as long as the program.
    unsafe {
        Keys {
            known: key_list(trust.keys, trust.key_count),
            roots: key_list(trust.roots, trust.root_count),
            compilers: key_list(trust.compilers, trust.compiler_count),
            retired,
        }
    }
}

type Check = fn(&Image<'_>, &Keys<'_>) -> Result<Signer, TrustError>;

/// Checks who made an image. Returns the signer if the firmware knows it.
fn check_signature(
    image: &Image<'_>,
    check: Check,
    keys: &Keys<'_>,
    allow_unsigned: bool,
) -> Result<Option<Signer>, TrustError> {
    match check(image, keys) {
        Err(TrustError::Unsigned | TrustError::UnknownKey(_)) if allow_unsigned => {
            wisp_trust::check_hash(image)?;
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// Checks a complete upload: hash, signature, manifest, memory. Returns whether it may have a lower version than the
/// image that was confirmed last.
///
/// # Safety
/// Called by the app storage's thread. `trust` has an app of the firmware, and keys and NUL-terminated names that live as
/// long as the program.
unsafe fn check(store: &mut Store<'static, Partition>, trust: &shim::wisp_store_trust) -> Result<bool, Error> {
    let progress = store.complete()?;
    // SAFETY: nothing writes flash during the check. The caller's `trust` has an app of the firmware, and keys and names
    // that live as long as the program.
    unsafe {
        let held = Held::new(store.address(&progress.image), &progress.image)?;
        let image = Image::parse(held.bytes()).map_err(|_| Error::Port(PortError::NoImage))?;
        let keys = keys(trust, store.retired());
        let signer = check_signature(&image, wisp_trust::verify, &keys, trust.allow_unsigned)?;
        let manifest = image.manifest().map_err(|_| Error::Port(PortError::NoImage))?;
        if manifest.name != progress.name.as_str()
            || version_word(manifest.version) != progress.image.version
            || manifest.rollback != progress.image.rollback
        {
            return Err(Error::Port(PortError::Announced));
        }
        let memory = manifest.memory.map_or(0, |memory| memory.backed);
        if memory > trust.memory_size || manifest.max_frame > trust.frame_size {
            return Err(Error::Port(PortError::TooLarge));
        }
        needs::device(&image, trust).map_err(Error::Port)?;
        #[cfg(feature = "epoch")]
        needs::epoch(&image, trust.app)?;
        needs::check(&image, trust.app, signer.is_some()).map_err(Error::Port)?;
        Ok(manifest.downgrade)
    }
}

/// Makes the upload its app's candidate after all checks: hash, signature, manifest, memory.
///
/// # Safety
/// Called by the app storage's thread. `trust` has an app of the firmware, and keys and NUL-terminated names that live as
/// long as the program.
/// `slot` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_accept(trust: *const shim::wisp_store_trust, slot: *mut u32) -> u32 {
    // SAFETY: called by the app storage's thread; C's `slot` can be written.
    unsafe {
        with(|store| {
            let downgrade = check(store, &*trust)?;
            *slot = store.accept(downgrade)?.number() as u32;
            Ok(())
        })
    }
}

/// Completes an upload that was announced without its hash, and checks it as [`wisp_rust_store_accept`] does.
///
/// # Safety
/// Called by the app storage's thread. `trust` has an app of the firmware, and keys and NUL-terminated names that live as
/// long as the program.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_identify(trust: *const shim::wisp_store_trust) -> u32 {
    // SAFETY: called by the app storage's thread, with C's lists of keys.
    unsafe {
        with(|store| {
            store.identify()?;
            check(store, &*trust).map(drop)
        })
    }
}

/// Returns the announcement of an image with this length and hash, or `None` without a manifest.
fn announcement(image: &Image, length: u32, hash: [u8; 32]) -> Option<shim::wisp_store_upload> {
    let manifest = image.manifest().ok()?;
    Some(shim::wisp_store_upload {
        name: name_out(manifest.name.shown()),
        image: shim::wisp_store_image {
            length,
            version: version_word(manifest.version),
            rollback: manifest.rollback,
            hash,
        },
        memory: manifest.memory.map_or(0, |memory| memory.backed),
        frame: manifest.max_frame,
        downgrade: manifest.downgrade,
        interfaces: core::ptr::null(),
        interfaces_length: 0,
        targets: core::ptr::null(),
        targets_length: 0,
        offset: 0,
    })
}

/// Writes to `upload` the announcement of an image in memory.
///
/// # Safety
/// `image` points to `size` bytes that do not change. `upload` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_describe(
    image: *const u8,
    size: usize,
    upload: *mut shim::wisp_store_upload,
) -> u32 {
    // SAFETY: C passes `size` bytes that do not change.
    let bytes = unsafe { core::slice::from_raw_parts(image, size) };
    let image = Image::parse(bytes).ok();
    let Some(announced) = image.and_then(|image| announcement(&image, size as u32, wisp_trust::sha256(bytes))) else {
        return PortError::NoImage.code();
    };
    // SAFETY: C passes an `upload` that can be written.
    unsafe { *upload = announced };
    0
}

/// Writes to `upload` the announcement of an image of which only the first bytes are in memory. Its length and hash are
/// those that `upload` has. A length of 0 is replaced by that of an image which is signed and has no attached code.
///
/// # Safety
/// `head` points to `size` bytes that do not change. `upload` can be read and written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_head(
    head: *const u8,
    size: usize,
    upload: *mut shim::wisp_store_upload,
) -> u32 {
    // SAFETY: C passes `size` bytes that do not change.
    let bytes = unsafe { core::slice::from_raw_parts(head, size) };
    // SAFETY: C passes an `upload` that can be read and written.
    let upload = unsafe { &mut *upload };
    // The image is parsed when it is complete. Until then, what is not there counts as missing.
    let image = Image::parsed(bytes);
    let length = match upload.image.length {
        0 => image.content_length().saturating_add(SIGNED_TRAILER_SIZE),
        length => length,
    };
    let Some(announced) = announcement(&image, length, upload.image.hash) else {
        return PortError::NoImage.code();
    };
    *upload = announced;
    0
}

/// Gives the upload up.
///
/// # Safety
/// Called by the app storage's thread.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_abort() -> u32 {
    // SAFETY: called by the app storage's thread.
    unsafe { with(|store| store.abort().map_err(Error::from)) }
}

/// Checks an image and tells where it is held, and whether one bit of it had to be put right.
///
/// # Safety
/// Called by the app storage's thread. `trust` is as for `wisp_rust_store_accept`. `held_at`, `length` and
/// `repaired` can be written. C releases the image.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_open(
    slot: u32,
    candidate: bool,
    trust: *const shim::wisp_store_trust,
    held_at: *mut *const u8,
    length: *mut u32,
    repaired: *mut bool,
) -> u32 {
    // SAFETY: called by the app storage's thread; C's places can be written. A checked image is not written any more.
    unsafe {
        let trust = &*trust;
        with(|store| {
            let slot = slot_of(store, slot)?;
            let (reference, was_repaired) =
                store.checked(slot, if candidate { Which::Candidate } else { Which::Running })?;
            let held = Held::new(store.address(&reference), &reference)?;
            if trust.check_signature {
                let image = Image::parse(held.bytes()).map_err(|_| Error::Port(PortError::NoImage))?;
                // what was installed before its key was retired goes on running
                check_signature(&image, wisp_trust::verify_origin, &keys(trust, &[]), trust.allow_unsigned)?;
            }
            *held_at = held.into_raw();
            *length = reference.length;
            *repaired = was_repaired;
            Ok(())
        })
    }
}

/// Keeps an app's candidate, and retires the keys that it lists if a root key signed it.
///
/// # Safety
/// Called by the app storage's thread. `trust` is as for `wisp_rust_store_accept`.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_confirm(slot: u32, trust: *const shim::wisp_store_trust) -> u32 {
    // SAFETY: called by the app storage's thread, with C's lists of keys. Nothing writes flash during the check.
    unsafe {
        let trust = &*trust;
        with(|store| {
            let slot = slot_of(store, slot)?;
            // it runs: a repair would move it
            let reference = store.app(slot)?.candidate.ok_or(StoreError::NoCandidate)?;
            let held = Held::new(store.address(&reference), &reference)?;
            let image = Image::parse(held.bytes()).map_err(|_| Error::Port(PortError::NoImage))?;
            let mut retires = [0; 8 * MAX_RETIRED];
            let mut used = 0;
            // an image without a list costs no check of its signature here
            if retired_by(&image).is_ok_and(|mut ids| ids.next().is_some()) {
                let keys = keys(trust, store.retired());
                let signer = check_signature(&image, wisp_trust::verify, &keys, trust.allow_unsigned)?;
                if let Some(signer) = signer {
                    for (place, id) in retires.chunks_exact_mut(8).zip(retirements(&image, signer, keys)?) {
                        place.copy_from_slice(&id);
                        used += 8;
                    }
                }
            }
            // after a power cut, the device has the epoch of an image that it may confirm again
            #[cfg(feature = "epoch")]
            if !shim::wisp_shim_raise_epoch(image.epoch().unwrap_or(0)) {
                return Err(Error::Store(StoreError::Flash));
            }
            match store.confirm_and_retire(slot, &retires[..used]) {
                Err(StoreError::RetiredFull) => {
                    let known = keys(trust, &[]);
                    let own = known.known.iter().chain(known.compilers);
                    store.forget_retired(|id| own.clone().any(|key| key_id(key) == *id))?;
                    Ok(store.confirm_and_retire(slot, &retires[..used])?)
                }
                result => Ok(result?),
            }
        })
    }
}

/// Returns the ids of the retired keys.
///
/// # Safety
/// Called by the app storage's thread. `ids` points to `WISP_STORE_RETIRED_MAX` ids of 8 bytes, and `count` can be
/// written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_retired(ids: *mut u8, count: *mut usize) -> u32 {
    const { assert!(MAX_RETIRED == shim::WISP_STORE_RETIRED_MAX as usize) };
    // SAFETY: called by the app storage's thread; C passes room for `WISP_STORE_RETIRED_MAX` ids, and for their
    // number.
    unsafe {
        with(|store| {
            let retired = store.retired();
            core::ptr::copy_nonoverlapping(retired.as_ptr().cast(), ids, size_of_val(retired));
            *count = retired.len();
            Ok(())
        })
    }
}

/// Changes an app's state.
///
/// # Safety
/// Called by the app storage's thread. `value` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_change(slot: u32, change: u32, value: *mut u32) -> u32 {
    // SAFETY: called by the app storage's thread; C passes a `value` that can be written.
    unsafe {
        with(|store| {
            let slot = slot_of(store, slot)?;
            match change {
                shim::wisp_store_change_WISP_STORE_ROLL_BACK => store.roll_back(slot)?,
                shim::wisp_store_change_WISP_STORE_UNINSTALL => store.uninstall(slot)?,
                shim::wisp_store_change_WISP_STORE_ENABLE => store.set_disabled(slot, false)?,
                shim::wisp_store_change_WISP_STORE_DISABLE => store.set_disabled(slot, true)?,
                shim::wisp_store_change_WISP_STORE_MANUAL => store.set_manual(slot, true)?,
                shim::wisp_store_change_WISP_STORE_AUTOMATIC => store.set_manual(slot, false)?,
                shim::wisp_store_change_WISP_STORE_ATTEMPT => *value = u32::from(store.attempt(slot)?),
                shim::wisp_store_change_WISP_STORE_CRASHED => *value = u32::from(store.crashed(slot)?),
                _ => return Err(StoreError::NotFound.into()),
            }
            Ok(())
        })
    }
}

/// Returns the app storage's figures.
///
/// # Safety
/// Called by the app storage's thread. `stat` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_store_stat(stat: *mut shim::wisp_store_stat) -> u32 {
    // SAFETY: called by the app storage's thread; C passes a `stat` that can be written.
    unsafe {
        with(|store| {
            let figures = store.stat()?;
            *stat = shim::wisp_store_stat {
                erase_block: figures.erase_block,
                blocks: figures.blocks,
                free: figures.free,
                largest: figures.largest,
                wear_least: figures.wear.0,
                wear_most: figures.wear.1,
                journal_wear: figures.journal_wear,
                journal_used: figures.journal.0,
                journal_size: figures.journal.1,
                retired_keys: store.retired().len() as u32,
            };
            Ok(())
        })
    }
}
