// SPDX-License-Identifier: Apache-2.0
//! Who may touch an upload: `src/storage/uploads.c` over a small app storage (c/uploads.c).

use std::ffi::{c_char, CStr};
use std::sync::{Mutex, MutexGuard};

use wisp_fuzz as _;

extern "C" {
    fn fuzz_uploads_reset();
    fn fuzz_uploads_wait(ms: i64);
    fn fuzz_uploads_begin(name: *const c_char, image: u8, owner: *mut u32) -> u32;
    fn fuzz_uploads_write(owner: u32, offset: u32, length: usize) -> u32;
    fn fuzz_uploads_finish(owner: u32) -> u32;
    fn fuzz_uploads_abort(owner: u32) -> u32;
    fn fuzz_uploads_accepted() -> u8;
    fn fuzz_uploads_logged() -> *const c_char;
}

const NOBODY: u32 = 0;
const FIRMWARE: u32 = 1;
// of enum wisp_store_error
const OK: u32 = 0;
const BUSY: u32 = 4;
const ROLLBACK: u32 = 12;
const NO_UPLOAD: u32 = 14;
const OFFSET: u32 = 15;
const INCOMPLETE: u32 = 17;
const NO_APP: u32 = 68;
const NOT_OWNER: u32 = 80;
/// Longer than an idle upload is kept, and shorter than any upload may take.
const SILENCE_MS: i64 = 31_000;

/// The app storage, which is made of statics.
struct Store(#[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

impl Store {
    fn new() -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        let guard = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // SAFETY: the lock is held, here and in the other methods, so nobody else uses the statics.
        unsafe { fuzz_uploads_reset() };
        Self(guard)
    }

    fn wait(&self, ms: i64) {
        // SAFETY: as in `new`.
        unsafe { fuzz_uploads_wait(ms) }
    }

    /// Announces an image for an app as `owner`. Returns the error and the owner afterwards.
    fn begin_for(&self, app: &CStr, image: u8, owner: u32) -> (u32, u32) {
        let mut owner = owner;
        // SAFETY: as in `new`; the name is a string, and the owner can be written.
        let error = unsafe { fuzz_uploads_begin(app.as_ptr(), image, &mut owner) };
        (error, owner)
    }

    fn begin(&self, image: u8, owner: u32) -> (u32, u32) {
        self.begin_for(c"app", image, owner)
    }

    /// Announces an image as a new client and returns its number.
    fn client(&self, image: u8) -> u32 {
        let (error, owner) = self.begin(image, NOBODY);
        assert_eq!(error, OK);
        assert!(owner > FIRMWARE);
        owner
    }

    fn write(&self, owner: u32, offset: u32, length: usize) -> u32 {
        // SAFETY: as in `new`; no byte is read.
        unsafe { fuzz_uploads_write(owner, offset, length) }
    }

    fn finish(&self, owner: u32) -> u32 {
        // SAFETY: as in `new`.
        unsafe { fuzz_uploads_finish(owner) }
    }

    fn abort(&self, owner: u32) -> u32 {
        // SAFETY: as in `new`.
        unsafe { fuzz_uploads_abort(owner) }
    }

    /// Returns the name of an app in the last line of the log.
    fn logged(&self) -> &CStr {
        // SAFETY: as in `new`; the text ends with NUL, and nothing changes it for as long as it is borrowed.
        unsafe { CStr::from_ptr(fuzz_uploads_logged()) }
    }

    fn accepted(&self) -> u8 {
        // SAFETY: as in `new`.
        unsafe { fuzz_uploads_accepted() }
    }
}

#[test]
fn an_announcement_of_a_client_leaves_an_install_of_the_shell_alone() {
    let store = Store::new();
    // long after the last upload of a client
    let before = store.client(b'z');
    assert_eq!(store.abort(before), OK);
    store.wait(10_000_000);
    assert_eq!(store.begin(b'a', FIRMWARE), (OK, FIRMWARE));
    assert_eq!(store.begin(b'b', NOBODY).0, BUSY);
    assert_eq!(store.begin(b'a', NOBODY).0, BUSY);
    assert_eq!(store.begin(b'b', before).0, BUSY);
    assert_eq!(store.write(before, 0, 100), NOT_OWNER);
    assert_eq!(store.abort(before), NOT_OWNER);
    assert_eq!(store.write(FIRMWARE, 0, 100), OK);
    assert_eq!(store.finish(before), NOT_OWNER);
    assert_eq!(store.finish(NOBODY), NOT_OWNER);
    assert_eq!(store.finish(FIRMWARE), OK);
    assert_eq!(store.accepted(), b'a');
}

#[test]
fn the_shell_does_not_continue_the_upload_of_a_client() {
    let store = Store::new();
    let client = store.client(b'a');
    assert_eq!(store.write(client, 0, 40), OK);
    assert_eq!(store.begin(b'a', FIRMWARE).0, BUSY);
    assert_eq!(store.begin(b'b', FIRMWARE).0, BUSY);
    store.wait(10_000_000);
    assert_eq!(store.begin(b'a', FIRMWARE).0, BUSY);
    assert_eq!(store.write(FIRMWARE, 40, 60), NOT_OWNER);
    assert_eq!(store.finish(FIRMWARE), NOT_OWNER);
    // it may give up whatever there is
    assert_eq!(store.abort(FIRMWARE), OK);
    assert_eq!(store.begin(b'b', FIRMWARE), (OK, FIRMWARE));
}

#[test]
fn pieces_of_an_upload_that_was_given_up_do_not_go_into_the_next_one() {
    let store = Store::new();
    let client = store.client(b'a');
    assert_eq!(store.abort(FIRMWARE), OK);
    assert_eq!(store.write(client, 0, 10), NO_UPLOAD);
    assert_eq!(store.begin(b'b', FIRMWARE), (OK, FIRMWARE));
    assert_eq!(store.write(client, 0, 10), NOT_OWNER);
    assert_eq!(store.write(FIRMWARE, 0, 100), OK);
    assert_eq!(store.finish(FIRMWARE), OK);
    // the same image once more is another upload
    let next = store.client(b'a');
    assert_ne!(next, client);
    assert_eq!(store.write(client, 0, 10), NOT_OWNER);
    assert_eq!(store.write(next, 0, 10), OK);
}

#[test]
fn a_client_continues_its_upload_and_others_wait_until_it_is_silent() {
    let store = Store::new();
    let client = store.client(b'a');
    assert_eq!(store.write(client, 0, 40), OK);
    assert_eq!(store.begin(b'a', client), (OK, client));
    assert_eq!(store.begin(b'a', NOBODY).0, BUSY);
    assert_eq!(store.abort(NOBODY), NOT_OWNER);
    store.wait(SILENCE_MS - 2_000);
    // a piece that is refused is no sign of life, and one that is taken is
    assert_eq!(store.write(client, 0, 40), OFFSET);
    assert_eq!(store.write(client, 40, 20), OK);
    store.wait(SILENCE_MS - 2_000);
    assert_eq!(store.begin(b'b', NOBODY).0, BUSY);
    store.wait(SILENCE_MS);
    let other = store.client(b'b');
    assert_ne!(other, client);
    assert_eq!(store.write(client, 0, 40), NOT_OWNER);
    assert_eq!(store.finish(other), INCOMPLETE);
}

#[test]
fn a_client_that_is_never_silent_is_replaced_all_the_same() {
    let store = Store::new();
    let client = store.client(b'a');
    for piece in 0..90 {
        store.wait(20_000);
        assert_eq!(store.begin(b'b', NOBODY).0, BUSY);
        assert_eq!(store.write(client, piece, 1), OK);
    }
    store.wait(20_000);
    let other = store.client(b'b');
    assert_eq!(store.write(client, 90, 1), NOT_OWNER);
    assert_eq!(store.write(other, 0, 100), OK);
    assert_eq!(store.finish(other), OK);
    assert_eq!(store.accepted(), b'b');
}

#[test]
fn an_announcement_that_is_refused_replaces_nothing() {
    let store = Store::new();
    let client = store.client(b'a');
    store.wait(SILENCE_MS);
    assert_eq!(store.begin_for(c"unknown", b'b', NOBODY).0, NO_APP);
    // the app storage refuses this one
    assert_eq!(store.begin(b'o', NOBODY).0, ROLLBACK);
    assert_eq!(store.write(client, 0, 100), OK);
    assert_eq!(store.finish(client), OK);
    assert_eq!(store.accepted(), b'a');
}

#[test]
fn an_install_that_the_firmware_left_is_replaced_after_a_silence() {
    let store = Store::new();
    assert_eq!(store.begin(b'a', FIRMWARE), (OK, FIRMWARE));
    assert_eq!(store.write(FIRMWARE, 0, 40), OK);
    assert_eq!(store.begin(b'b', NOBODY).0, BUSY);
    store.wait(SILENCE_MS);
    let client = store.client(b'b');
    assert_eq!(store.write(FIRMWARE, 40, 60), NOT_OWNER);
    assert_eq!(store.write(client, 0, 100), OK);
    assert_eq!(store.finish(client), OK);
    assert_eq!(store.accepted(), b'b');
}

#[test]
fn the_name_in_an_announcement_cannot_command_the_terminal_that_shows_the_log() {
    let store = Store::new();
    for (name, shown) in [
        (c"other", c"other"),
        (c"\x1b[2J\r\nlamp: stopped\x07", c"?[2J??lamp: stopped?"),
        (c"\xc2\x9b31m\xe2\x80\xae\x7f", c"??31m????"),
        (c"a name that takes all of the 31\x1b[m", c"a name that takes all of the 31"),
    ] {
        assert_eq!(store.begin_for(name, b'a', NOBODY).0, NO_APP);
        assert_eq!(store.logged(), shown);
    }
}
