// SPDX-License-Identifier: Apache-2.0
//! The host functions of Wisp for [`crate::differential`]; each notes its call.

use wisp_engine::{Caller, HostFunction, Trap};

/// The arguments of all calls of host functions, in order.
pub type Trace = Vec<u64>;

/// Module name of everything the host defines.
pub const MODULE: &str = "h";

/// Computes `h.ii`, on both sides.
pub fn ii(x: u32, y: u32) -> u32 {
    x.wrapping_mul(31).wrapping_add(y)
}

/// Computes `h.mixed`, on both sides.
pub fn mixed(a: u64, b: u32, c: f64, d: f32) -> u64 {
    a ^ u64::from(b) ^ c.to_bits() ^ u64::from(d.to_bits())
}

/// The functions.
pub static FUNCTIONS: [HostFunction<Trace>; 9] = [
    HostFunction::wrap(MODULE, "none", |mut caller: Caller<'_, Trace>| caller.data_mut().push(0)),
    HostFunction::wrap(MODULE, "i", |mut caller: Caller<'_, Trace>, x: u32| -> u32 {
        caller.data_mut().push(u64::from(x));
        x.wrapping_add(1)
    }),
    HostFunction::wrap(MODULE, "ii", |mut caller: Caller<'_, Trace>, x: u32, y: u32| -> u32 {
        caller.data_mut().extend([u64::from(x), u64::from(y)]);
        ii(x, y)
    }),
    HostFunction::wrap(MODULE, "mixed", |mut caller: Caller<'_, Trace>, a: u64, b: u32, c: f64, d: f32| -> u64 {
        let trace = caller.data_mut();
        trace.extend([a, u64::from(b), c.to_bits(), u64::from(d.to_bits())]);
        mixed(a, b, c, d)
    }),
    HostFunction::wrap(MODULE, "f", |mut caller: Caller<'_, Trace>, x: f32| -> f64 {
        caller.data_mut().push(u64::from(x.to_bits()));
        f64::from(x.to_bits())
    }),
    HostFunction::wrap(MODULE, "F", |mut caller: Caller<'_, Trace>, x: f64| -> f32 {
        caller.data_mut().push(x.to_bits());
        (x.to_bits() >> 40) as f32
    }),
    HostFunction::wrap(MODULE, "two", |mut caller: Caller<'_, Trace>, x: u32| -> (u32, u64) {
        caller.data_mut().push(u64::from(x));
        (!x, u64::from(x) << 7)
    }),
    HostFunction::wrap(MODULE, "wide", |mut caller: Caller<'_, Trace>, x: u64, y: u64| -> u64 {
        caller.data_mut().extend([x, y]);
        x.wrapping_sub(y)
    }),
    HostFunction::wrap(MODULE, "exit", |mut caller: Caller<'_, Trace>, x: i32| -> Result<(), Trap> {
        caller.data_mut().push(u64::from(x as u32));
        // most calls go on, so that more than the first of them is seen
        if x & 7 == 0 {
            Err(Trap::exit(x))
        } else {
            Ok(())
        }
    }),
];
