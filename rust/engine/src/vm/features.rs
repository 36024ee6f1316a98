// SPDX-License-Identifier: Apache-2.0
//! What of WebAssembly this engine is built with.

use wisp_image::features::Feature;

/// The features that this engine is built without, as a sum of [`Feature`]s.
pub const MISSING_FEATURES: u8 = {
    const fn unless(built: bool, feature: Feature) -> u8 {
        if built {
            0
        } else {
            feature as u8
        }
    }
    unless(cfg!(feature = "bulk-memory"), Feature::BulkMemory)
        | unless(cfg!(feature = "reference-types"), Feature::ReferenceTypes)
        | unless(cfg!(feature = "sign-extension"), Feature::SignExtension)
        | unless(cfg!(feature = "saturating-float-to-int"), Feature::SaturatingFloatToInt)
        | unless(cfg!(feature = "tail-call"), Feature::TailCall)
        | unless(cfg!(feature = "float"), Feature::Float)
};
