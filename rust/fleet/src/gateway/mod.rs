// SPDX-License-Identifier: Apache-2.0
//! `wisp gateway`: brings the updates of a rollout server to devices that speak SMP only.
//!
//! Principles
//! 1. Each device has a task of its own, and no lock is held while one waits for a device. A bad device, or a bad action,
//!    concerns itself only.
//! 2. What was done to a device is told by the device: by the hashes of its images. The state folder holds only what
//!    the device cannot tell, and that is on disk before the next step. So the gateway may end anywhere.
//! 3. The server decides. The gateway does what an action asks for as long as the server has this action, and tells the
//!    outcome until the server has taken it.
//! 4. Neither server nor device is believed: answers have limits, downloads are compared with their hash and checked as a
//!    device would, and a token goes to the server of the configuration only.
//!
//! Data flows one way: [`agent`] (one for each device) -> [`install`] (an action on a device) -> [`device`] (Wisp's
//! requests) -> [`smp`] (requests and answers) -> [`wire`] (UDP, serial). [`ddi`] is the server's side, [`artifacts`] the
//! downloads, [`store`] the state folder, [`page`] what people and Prometheus see.

mod agent;
mod archive;
mod artifacts;
mod config;
mod ddi;
mod device;
mod install;
mod pace;
mod package;
mod page;
mod record;
mod server;
mod smp;
pub mod status;
mod store;
mod telemetry;
mod wire;

pub use server::{run, Arguments};
