// SPDX-License-Identifier: Apache-2.0
//! Images in OCI registries: `wisp publish` and `wisp pull`. `doc/fleet.md` describes the documents.
//!
//! A registry is not trusted. Whatever it sends is compared with a digest or a size that was known before, and the
//! image itself with the keys of the user.

pub mod app;
mod bill;
mod blob;
mod choice;
mod credentials;
mod documents;
mod place;
mod provenance;
pub mod publish;
pub mod pull;
mod remote;
mod source;

#[cfg(test)]
mod tests;
