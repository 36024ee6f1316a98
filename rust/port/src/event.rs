// SPDX-License-Identifier: Apache-2.0
//! The app's queue of events.

use crate::platform::Zephyr;
#[cfg(feature = "event")]
use crate::shim;
#[cfg(feature = "event")]
use wisp_host::platform::Kind;
use wisp_host::platform::{Event, Events};
use wisp_host::Interrupted;

#[cfg(feature = "event")]
impl Events for Zephyr {
    fn next_event(&mut self, until_us: u64) -> Result<Option<Event>, Interrupted> {
        let mut event = shim::wisp_event { time_us: 0, lost: 0, kind: 0, source: 0, value: 0 };
        // SAFETY: `app` is valid by the contract of `Zephyr::new`; the shim writes the event or
        // leaves it as it is.
        match unsafe { shim::wisp_shim_event_next(self.app, until_us, &mut event) } {
            shim::wisp_wait_WISP_WAIT_NOTHING => Ok(None),
            shim::wisp_wait_WISP_WAIT_EVENT => {
                let source = u32::from(event.source);
                let kind = match u32::from(event.kind) {
                    shim::wisp_event_kind_WISP_EVENT_EDGE => Kind::Edge { pin: source, active: event.value != 0 },
                    shim::wisp_event_kind_WISP_EVENT_MESSAGE => Kind::Message(source),
                    shim::wisp_event_kind_WISP_EVENT_ALARM => Kind::Alarm(source),
                    #[cfg(feature = "net")]
                    shim::wisp_event_kind_WISP_EVENT_NET => Kind::Net { socket: source, readiness: event.value.into() },
                    shim::wisp_event_kind_WISP_EVENT_INPUT => Kind::Input(source),
                    shim::wisp_event_kind_WISP_EVENT_CAN => Kind::Can(source),
                    #[cfg(feature = "ble")]
                    shim::wisp_event_kind_WISP_EVENT_BLE if source == 0 => Kind::Ble,
                    #[cfg(feature = "ble")]
                    shim::wisp_event_kind_WISP_EVENT_BLE => Kind::BleWritten,
                    _ => Kind::Uart(source),
                };
                Ok(Some(Event { time_us: event.time_us, kind, lost: event.lost }))
            }
            _ => Err(Interrupted),
        }
    }
}

/// Without events their interface is not linked, so this is never called.
#[cfg(not(feature = "event"))]
impl Events for Zephyr {
    fn next_event(&mut self, _until_us: u64) -> Result<Option<Event>, Interrupted> {
        Err(Interrupted)
    }
}
