// SPDX-License-Identifier: Apache-2.0
//! Bluetooth LE.

use crate::platform::Zephyr;
use wisp_host::platform::Ble;

#[cfg(not(feature = "ble"))]
impl Ble for Zephyr {}

#[cfg(feature = "ble")]
pub(crate) use driver::check_entries;

#[cfg(feature = "ble")]
mod driver {
    use super::{Ble, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use crate::text::Text;
    use core::ffi::CStr;
    use core::slice;
    use wisp_host::platform::{bad_ble_entry, may_hear, BleList, BleReport, BleWritten, Characteristic};
    use wisp_host::{Errno, Failure, Interrupted};

    /// Refuses an app that has an entry which cannot be read, and says which.
    pub(crate) fn check_entries(board: &Zephyr) -> Result<(), ()> {
        let Some((entry, error)) = bad_ble_entry(board) else { return Ok(()) };
        let mut text = Text::new();
        text.push(b"entry \"");
        text.push_shown(entry);
        text.push(b"\" for Bluetooth: ");
        text.push(error.expected().as_bytes());
        board.report(wisp_host::abi::log::ERROR, text.bytes());
        Err(())
    }

    /// Returns whether an app may receive an advertisement.
    ///
    /// # Safety
    /// `app` is an app of the firmware, and `data` points to `length` bytes.
    #[no_mangle]
    pub unsafe extern "C" fn wisp_rust_ble_may_hear(
        app: *const shim::wisp_app,
        data: *const u8,
        length: usize,
    ) -> bool {
        // SAFETY: C passes an app of the firmware, which lives as long as the program, and so many bytes.
        let (board, data) = unsafe { (Zephyr::new(app), slice::from_raw_parts(data, length)) };
        may_hear(&board, data)
    }

    /// Translates the end of a shim's wait, with its error.
    fn ended(wait: u32, error: u32) -> Result<(), Failure<Errno>> {
        match wait {
            shim::wisp_wait_WISP_WAIT_EVENT => Ok(check(error)?),
            _ => Err(Failure::interrupted(Interrupted)),
        }
    }

    impl Ble for Zephyr {
        fn ble_entry(&self, list: BleList, index: u32) -> Option<&[u8]> {
            let number = match list {
                BleList::Advertise => shim::wisp_ble_list_WISP_BLE_LIST_ADVERTISE,
                BleList::Scan => shim::wisp_ble_list_WISP_BLE_LIST_SCAN,
                BleList::Service => shim::wisp_ble_list_WISP_BLE_LIST_SERVICE,
            };
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            let text = unsafe { shim::wisp_shim_ble_entry(self.app, number, index) };
            // SAFETY: a text that is not NULL is a string in flash, which ends with NUL.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
        }

        fn ble_min_interval(&self) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_ble_min_interval(self.app) }
        }

        fn advertise_ble(&mut self, data: &[u8], response: &[u8], interval_ms: u32) -> Result<(), Failure<Errno>> {
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; data and response are only read.
            let wait = unsafe {
                let (data, response) = ((data.as_ptr(), data.len()), (response.as_ptr(), response.len()));
                let error = &mut error;
                shim::wisp_shim_ble_advertise(self.app, data.0, data.1, response.0, response.1, interval_ms, error)
            };
            ended(wait, error)
        }

        fn stop_ble_advertising(&mut self) -> Result<(), Failure<Errno>> {
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim writes the error.
            let wait = unsafe { shim::wisp_shim_ble_stop_advertising(self.app, &mut error) };
            ended(wait, error)
        }

        fn scan_ble(&mut self, on: bool) -> Result<(), Failure<Errno>> {
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim writes the error.
            let wait = unsafe { shim::wisp_shim_ble_scan(self.app, on, &mut error) };
            ended(wait, error)
        }

        fn receive_ble(&mut self, until_us: u64) -> Result<Option<BleReport>, Interrupted> {
            let mut report =
                shim::wisp_ble_report { time_us: 0, address: 0, lost: 0, rssi: 0, flags: 0, length: 0, data: [0; 32] };
            // SAFETY: `app` is valid by the contract of `new`; the shim writes the report or leaves it as it is.
            match unsafe { shim::wisp_shim_ble_receive(self.app, until_us, &mut report) } {
                shim::wisp_wait_WISP_WAIT_NOTHING => Ok(None),
                shim::wisp_wait_WISP_WAIT_EVENT => {
                    let shim::wisp_ble_report { time_us, address, lost, rssi, flags, length, data } = report;
                    Ok(Some(BleReport { time_us, address, data, length, rssi, flags, lost }))
                }
                _ => Err(Interrupted),
            }
        }

        fn watch_ble(&mut self, on: bool) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`.
            check(unsafe { shim::wisp_shim_ble_watch(self.app, on) })
        }

        fn declare_ble(&mut self, characteristic: Characteristic) -> Result<u32, Failure<Errno>> {
            let Characteristic { uuid, properties, size } = characteristic;
            let (uuid, mut number, mut error) = (uuid.to_le_bytes(), 0, 0);
            // SAFETY: `app` is valid by the contract of `new`; the shim reads 16 bytes, and writes number and error.
            let wait = unsafe {
                shim::wisp_shim_ble_declare(self.app, uuid.as_ptr(), properties, size, &mut number, &mut error)
            };
            ended(wait, error)?;
            Ok(number)
        }

        fn serve_ble(&mut self, service: u128) -> Result<(), Failure<Errno>> {
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim reads 16 bytes and writes the error.
            let wait = unsafe { shim::wisp_shim_ble_serve(self.app, service.to_le_bytes().as_ptr(), &mut error) };
            ended(wait, error)
        }

        fn stop_ble_serving(&mut self) -> Result<(), Failure<Errno>> {
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim writes the error.
            let wait = unsafe { shim::wisp_shim_ble_stop_serving(self.app, &mut error) };
            ended(wait, error)
        }

        fn set_ble(&mut self, characteristic: u32, value: &[u8]) -> Result<(), Failure<Errno>> {
            let mut error = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number and reads the value.
            let wait =
                unsafe { shim::wisp_shim_ble_set(self.app, characteristic, value.as_ptr(), value.len(), &mut error) };
            ended(wait, error)
        }

        fn written_ble(&mut self, until_us: u64) -> Result<Option<BleWritten>, Interrupted> {
            let mut written =
                shim::wisp_ble_written { time_us: 0, address: 0, characteristic: 0, length: 0, data: [0; 24] };
            // SAFETY: `app` is valid by the contract of `new`; the shim writes the value or leaves it as it is.
            match unsafe { shim::wisp_shim_ble_written(self.app, until_us, &mut written) } {
                shim::wisp_wait_WISP_WAIT_NOTHING => Ok(None),
                shim::wisp_wait_WISP_WAIT_EVENT => {
                    let shim::wisp_ble_written { time_us, address, characteristic, length, data } = written;
                    Ok(Some(BleWritten { time_us, address, data, length, characteristic }))
                }
                _ => Err(Interrupted),
            }
        }

        fn release_ble(&mut self) {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_ble_release(self.app) }
        }
    }
}
