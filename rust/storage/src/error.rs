// SPDX-License-Identifier: Apache-2.0
//! Why the app storage did not do what it was asked for. An operation that fails leaves the state as it was.

pub use wisp_contract::storage::StoreError;

use crate::FlashError;

impl From<FlashError> for StoreError {
    fn from(_: FlashError) -> Self {
        Self::Flash
    }
}
