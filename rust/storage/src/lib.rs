// SPDX-License-Identifier: Apache-2.0
//! The app storage on a flash partition: several apps, each with the image that runs and, during an
//! update, a candidate. Images lie in one piece, so that they can be executed in place.
//!
//! Principles
//! 1. One record is one change of state. Every change is appended to a journal as a record with a checksum. The
//!    journal is in flash twice. After a power cut at any write or erase, also during recovery, the app storage is in
//!    the state before or after the operation.
//! 2. No image is overwritten in place. An update takes free space; the space of the old image becomes
//!    free by the record that confirms the new one.
//! 3. What is run is checked: an image is handed out after its SHA-256 was compared.
//! 4. Erases are spread and counted: free space is taken where it is least worn, and the journal keeps
//!    a count for each erase block.
//! 5. RAM is for what is asked for often: about 500 bytes, and four for each erase block. Names, hashes
//!    and versions are read from flash.
//! 6. Flash is not trusted. One bit that changes is put right, in a record or an image. What cannot be put
//!    right is reported and left as it is.
//!
//! Not here: signatures (`wisp-trust`; the caller checks an image before [`Store::accept`]), when apps
//! are started, locking. Single user; a cut-off `Store` is mounted anew.
//!
//! `doc/lifecycle.md` describes the states of an app, and the layout on flash.
#![no_std]
#![forbid(unsafe_code)]

mod app;
mod error;
mod flash;
mod floor;
mod health;
mod journal;
mod layout;
mod lifecycle;
mod record;
mod space;
mod stat;
mod store;
mod upload;

pub use app::{App, ImageRef, Name, Slot, Which};
pub use error::StoreError;
pub use flash::{Flash, FlashError, Geometry};
pub use layout::{MAX_APPS, MAX_FLOORS, MAX_RETIRED, NAME_MAX};
pub use stat::Stat;
pub use store::{Mounted, Store};
pub use upload::{Progress, Upload};
