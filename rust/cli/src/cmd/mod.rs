// SPDX-License-Identifier: Apache-2.0
//! One file for each subcommand.

pub mod attach;
pub mod build;
pub mod completions;
pub mod core;
pub mod debug;
pub mod fleet;
pub mod inspect;
pub mod keygen;
pub mod man;
pub mod new;
pub mod profile;
pub mod run;
pub mod sign;
pub mod symbolize;
pub mod verify;
pub mod watch;
