// SPDX-License-Identifier: Apache-2.0
//! `wisp gateway` between a rollout server and devices that the tests play.
//!
//! The server follows hawkBit's published DDI, the devices follow doc/lifecycle.md. No test depends on how fast the machine
//! is: each waits for what has to come, and what must not come is looked for after something that comes later.

mod browser;
mod deployment;
mod device;
mod faults;
mod harness;
mod rollout;
mod server;
