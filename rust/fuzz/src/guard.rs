// SPDX-License-Identifier: Apache-2.0
//! Memory between pages that may not be touched: an access outside of it ends the process at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a guard: a multiple of the page of every host that this runs on.
const PAGE: usize = 64 << 10;

/// Memory with a forbidden page on either side.
pub struct Guarded {
    start: *mut u8,
    length: usize,
}

impl Guarded {
    /// Reserves at least this many bytes, rounded up to pages.
    pub fn new(bytes: usize) -> Self {
        let length = bytes.next_multiple_of(PAGE);
        // SAFETY: a fresh private mapping, placed where the system likes.
        let whole = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length + 2 * PAGE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        assert_ne!(whole, libc::MAP_FAILED, "no memory");
        // SAFETY: PAGE bytes into a mapping of two pages more than `length`.
        let start = unsafe { whole.cast::<u8>().add(PAGE) };
        // SAFETY: these bytes lie in the mapping.
        let changed = unsafe { libc::mprotect(start.cast(), length, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(changed, 0, "memory cannot be made writable");
        Self { start, length }
    }

    /// Returns all of it, in words.
    pub fn words(&mut self) -> &mut [u64] {
        // SAFETY: the mapping is aligned to pages, readable, writable, initialised by the system, and borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.start.cast(), self.length / 8) }
    }

    /// Returns a copy of these bytes that ends where the forbidden page begins.
    pub fn at_end(&mut self, bytes: &[u8]) -> &[u8] {
        assert!(bytes.len() <= self.length);
        // SAFETY: the mapping is aligned to pages, readable, writable, initialised by the system, and borrowed.
        let all = unsafe { std::slice::from_raw_parts_mut(self.start, self.length) };
        let place = &mut all[self.length - bytes.len()..];
        place.copy_from_slice(bytes);
        place
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`, which nobody borrows any more.
        unsafe { libc::munmap(self.start.sub(PAGE).cast(), self.length + 2 * PAGE) };
    }
}

static RUNNING: AtomicU64 = AtomicU64::new(0);

/// Notes the number of the run, for the report of a fault.
pub fn running(number: u64) {
    RUNNING.store(number, Ordering::Relaxed);
}

extern "C" fn fault(_: libc::c_int) {
    let mut text = *b"fault: access to forbidden memory, or stack overflow, in run 00000000000000000000\n";
    let mut number = RUNNING.load(Ordering::Relaxed);
    for digit in text.iter_mut().rev().skip(1).take(20) {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    // SAFETY: `write` and `_exit` may be called from a signal handler; the buffer is on the stack.
    unsafe {
        libc::write(2, text.as_ptr().cast(), text.len());
        libc::_exit(139);
    }
}

/// Makes faults say in which run they arose.
pub fn report_faults() {
    let handler = fault as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: all zeros is a valid `sigaction`. The handler does only what handlers may do, and runs on the
    // stack that the standard library made for such handlers: a stack overflow is a fault too.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut());
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::Guarded;

    #[test]
    fn all_words_can_be_written_and_bytes_stand_at_the_end() {
        let mut memory = Guarded::new(100_000);
        memory.words().fill(7);
        assert_eq!(memory.words().len() * 8, 131_072);
        let forbidden = memory.start.addr() + memory.length;
        assert_eq!(memory.at_end(&[1, 2, 3]).as_ptr_range().end.addr(), forbidden);
    }
}
