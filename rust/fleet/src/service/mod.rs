// SPDX-License-Identifier: Apache-2.0
//! `wisp serve`: compilation to native code over HTTP.
//!
//! Principles
//! 1. A job is what is compiled, how, for which target, and by which compiler. Its id is the hash of all that, so the
//!    same request is the same job, and a result that exists is never made again.
//! 2. What was accepted is on disk before the answer says so. A server that dies loses no job.
//! 3. A compiler runs as a process group of its own, with limits, and is killed as a whole ([`sitter`]).
//! 4. A client sees its own jobs only. Whatever one client sends, the jobs of the others are done.
//!
//! Data flows one way: [`api`] -> [`board`] (which jobs there are) -> [`store`] (on disk), and [`worker`] takes jobs
//! from the board.

mod api;
mod board;
pub mod client;
mod compilers;
mod metrics;
mod options;
mod order;
mod problem;
mod record;
mod server;
pub mod sitter;
mod store;
mod tokens;
mod upload;
mod worker;

pub use options::Arguments;
pub use server::run;
