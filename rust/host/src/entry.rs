// SPDX-License-Identifier: Apache-2.0
//! How a guest is run: commands by their `_start`, reactors by their handler of events.

use crate::bindings::EventV1;
use crate::border::words;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::event::FOREVER;
use wisp_abi::{Errno, ENTRY, INITIALIZE, ON_EVENT};
use wisp_engine::{Instance, Store, Trap};

/// Runs a guest to its end. A module with `_start` is called there. One with `_initialize` instead is set up by it, and
/// then its `on_event` is called for each event, until the guest exits or is stopped. Without such a handler it ends
/// when it is set up. `None` if the module exports neither.
pub fn run<P: Platform + 'static>(store: &mut Store<'_, App<P>>, instance: Instance) -> Option<Result<(), Trap>> {
    if let Some(start) = instance.get_typed_func::<(), ()>(&*store, ENTRY) {
        return Some(start.call(store, ()));
    }
    let initialize = instance.get_typed_func::<(), ()>(&*store, INITIALIZE)?;
    Some(initialize.call(&mut *store, ()).and_then(|()| react(store, instance)))
}

/// Calls the handler of events for each event.
#[inline(never)]
fn react<P: Platform + 'static>(store: &mut Store<'_, App<P>>, instance: Instance) -> Result<(), Trap> {
    let Some(handler) = instance.get_typed_func::<(u32, u32, u32, u32), ()>(&*store, ON_EVENT) else {
        return Ok(());
    };
    loop {
        match store.data_mut().wait(FOREVER) {
            Ok(event) => {
                // the time, eight bytes, comes first
                let [_, _, kind, source, value, lost] = words(&event);
                handler.call(&mut *store, (kind, source, value, lost))?;
            }
            Err(Failure::Error(Errno::TimedOut)) => {}
            // nothing can happen in a firmware without events
            Err(Failure::Error(_)) => return Ok(()),
            Err(Failure::Stop(stop)) => return Err(stop.into()),
        }
    }
}
