// SPDX-License-Identifier: Apache-2.0
//! Why an image is not trusted.

pub use wisp_contract::storage::TrustError;
