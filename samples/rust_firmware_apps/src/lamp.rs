// SPDX-License-Identifier: Apache-2.0
//! The import module `acme:lamp@1`: functions of this firmware under a grant of its own.

use log::{info, warn};
use wisp::{App, Caller, CallerExt, Errno, HostFunction, Trap};
use zephyr::devicetree::{labels, lamps};

/// The functions that apps may import. Their types are those of the Rust functions.
pub static FUNCTIONS: [HostFunction; 2] = [
    HostFunction::wrap("acme:lamp@1", "set", set),
    HostFunction::wrap("acme:lamp@1", "fade", fade),
];

/// A lamp, and the app that may set it.
struct Lamp {
    name: &'static str,
    /// Ordinal of the app's devicetree node.
    app: usize,
    /// Highest level that the app may set, in percent.
    brightest: u32,
}

/// The firmware's own grants.
static LAMPS: [Lamp; 1] = [Lamp {
    name: "hall",
    app: labels::evening::ORD,
    brightest: lamps::hall::BRIGHTEST,
}];

/// Sets a lamp: `set(name: pointer, length, percent)`. Returns 0 or a negative error number.
fn set(caller: Caller<'_>, name: u32, length: u32, percent: u32) -> Result<i32, Trap> {
    let name = caller.bytes(name, length)?;
    let Some(lamp) = LAMPS.iter().find(|lamp| lamp.name.as_bytes() == name) else {
        return Ok(Errno::NoSuchDevice.code());
    };
    let app = caller.app();
    if App::of_node(lamp.app) != Ok(app) {
        warn!("{} may not set the lamp {}", app.name(), lamp.name);
        return Ok(Errno::Access.code());
    }
    if percent > lamp.brightest {
        return Ok(Errno::Range.code());
    }
    info!(
        "{} sets the lamp {} to {} %",
        app.name(),
        lamp.name,
        percent
    );
    Ok(0)
}

/// Blocks for a number of milliseconds: `fade(milliseconds)`. Ends early if the app has to stop.
fn fade(mut caller: Caller<'_>, milliseconds: u32) -> Result<(), Trap> {
    caller.sleep(u64::from(milliseconds) * 1000)
}
