// SPDX-License-Identifier: Apache-2.0
//! CAN buses.

use crate::platform::Zephyr;
use wisp_host::platform::Can;

#[cfg(not(feature = "can"))]
impl Can for Zephyr {}

#[cfg(feature = "can")]
mod driver {
    use super::{Can, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::platform::{Frame, ReceivedFrame};
    use wisp_host::{Errno, Interrupted};

    impl Can for Zephyr {
        fn find_can(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_can_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_can(&mut self, can: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_can_open(self.app, can) })
        }

        fn close_can(&mut self, can: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_can_close(self.app, can) }
        }

        fn filter_can(&mut self, can: u32, id: u32, mask: u32, extended: bool) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_can_filter(self.app, can, id, mask, extended) })
        }

        fn unfilter_can(&mut self, can: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_can_unfilter(self.app, can) }
        }

        fn receive_can(&mut self, can: u32, until_us: u64) -> Result<Option<ReceivedFrame>, Interrupted> {
            let mut frame = shim::wisp_can_frame { id: 0, length: 0, extended: false, remote: false, data: [0; 8] };
            let (mut time_us, mut lost) = (0, 0);
            // SAFETY: `app` is valid by the contract of `new`; the bus is open, so its index is one that the shim gave;
            // the shim writes frame and numbers or leaves them as they are.
            let wait =
                unsafe { shim::wisp_shim_can_receive(self.app, can, until_us, &mut frame, &mut time_us, &mut lost) };
            match wait {
                shim::wisp_wait_WISP_WAIT_NOTHING => Ok(None),
                shim::wisp_wait_WISP_WAIT_EVENT => {
                    let shim::wisp_can_frame { id, length, extended, remote, data } = frame;
                    let frame = Frame { id, extended, remote, length, data };
                    Ok(Some(ReceivedFrame { time_us, frame, lost }))
                }
                _ => Err(Interrupted),
            }
        }

        fn send_can(&mut self, can: u32, frame: &Frame, until_us: u64) -> Result<Result<(), Errno>, Interrupted> {
            let Frame { id, extended, remote, length, data } = *frame;
            let frame = shim::wisp_can_frame { id, length, extended, remote, data };
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; the bus is open, so its index is one that the shim gave;
            // the frame is only read.
            match unsafe { shim::wisp_shim_can_send(self.app, can, &frame, until_us, &mut error) } {
                shim::wisp_wait_WISP_WAIT_NOTHING => Ok(Err(Errno::TimedOut)),
                shim::wisp_wait_WISP_WAIT_EVENT => Ok(check(error)),
                _ => Err(Interrupted),
            }
        }

        fn watch_can(&mut self, can: u32, on: bool) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_can_watch(self.app, can, on) })
        }

        fn can_state(&mut self, can: u32) -> Result<u32, Errno> {
            let mut state = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index, and writes the state or leaves
            // it as it is.
            check(unsafe { shim::wisp_shim_can_state(self.app, can, &mut state) })?;
            Ok(state)
        }

        fn take_failed_frames(&mut self, can: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_can_failed(self.app, can) }
        }
    }
}
