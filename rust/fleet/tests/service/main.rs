// SPDX-License-Identifier: Apache-2.0
//! `wisp serve` as clients meet it: the program, over HTTP, with the real compilers.
//!
//! No test depends on how fast the machine is. Where a job has to be running, a program in the place of `wisp` holds
//! it until the test says otherwise.

mod client;
mod ends;
mod harness;
mod jobs;
mod load;
mod poison;
