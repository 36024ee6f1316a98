// SPDX-License-Identifier: Apache-2.0
//! Which grants of one interface an app has open. A handle is the grant's index.

use wisp_abi::Errno;

/// The open handles of one interface: at most 32 grants, four bytes of RAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handles(u32);

impl Handles {
    /// Handles are below this.
    pub(crate) const COUNT: u32 = u32::BITS;

    /// Returns a table in which nothing is open.
    pub(crate) const fn new() -> Self {
        Handles(0)
    }

    fn bit(handle: u32) -> u32 {
        1u32.checked_shl(handle).unwrap_or(0)
    }

    /// Returns true if `handle` is open.
    pub(crate) fn contains(self, handle: u32) -> bool {
        self.0 & Self::bit(handle) != 0
    }

    /// Fails with `EBADF` unless `handle` is open.
    pub(crate) fn check(self, handle: u32) -> Result<(), Errno> {
        if self.contains(handle) {
            Ok(())
        } else {
            Err(Errno::BadHandle)
        }
    }

    /// Marks `handle` as open or not.
    pub(crate) fn set(&mut self, handle: u32, open: bool) {
        if open {
            self.0 |= Self::bit(handle);
        } else {
            self.0 &= !Self::bit(handle);
        }
    }

    /// Takes an open handle out, the lowest first.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        let lowest = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (lowest < u32::BITS).then_some(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_opened_is_open() {
        let mut handles = Handles::new();
        assert_eq!(handles.check(0), Err(Errno::BadHandle));
        handles.set(31, true);
        assert_eq!(handles.check(31), Ok(()));
        for handle in [0, 30, 32, 63, u32::MAX] {
            assert_eq!(handles.check(handle), Err(Errno::BadHandle), "{handle}");
        }
        handles.set(31, false);
        assert_eq!(handles.check(31), Err(Errno::BadHandle));
    }

    #[test]
    fn a_number_beyond_the_table_opens_nothing() {
        let mut handles = Handles::new();
        handles.set(32, true);
        handles.set(u32::MAX, true);
        assert_eq!(handles, Handles::new());
    }

    #[test]
    fn pop_yields_each_open_handle_once() {
        let mut handles = Handles::new();
        for handle in [0, 5, 31] {
            handles.set(handle, true);
        }
        assert_eq!([handles.pop(), handles.pop(), handles.pop()], [Some(0), Some(5), Some(31)]);
        assert_eq!(handles.pop(), None);
    }
}
