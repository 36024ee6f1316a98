// SPDX-License-Identifier: Apache-2.0
//! Modules that each need one feature which an engine may be built without. An engine that is built without
//! all of them runs the one that needs none, and refuses the others with the name of what they need.

use wisp_image::features::Feature;

/// Operands come from memory, so that the compiler computes nothing beforehand.
const BASE: &str = r#"(module (memory 1)
    (func (export "f") (result i32)
      (i32.add (i32.load offset=4 (i32.const 0)) (i32.const 7))))"#;

/// A module for each feature.
const NEEDING: [(Feature, &str); 6] = [
    (
        Feature::BulkMemory,
        r#"(module (memory 1) (func (export "f")
          (memory.fill (i32.const 0) (i32.load offset=4 (i32.const 0)) (i32.load offset=8 (i32.const 0)))))"#,
    ),
    (
        Feature::ReferenceTypes,
        r#"(module (memory 1) (table 2 funcref)
          (func (export "f") (drop (table.get 0 (i32.load offset=4 (i32.const 0))))))"#,
    ),
    (
        Feature::SignExtension,
        r#"(module (memory 1) (func (export "f")
          (i32.store (i32.const 0) (i32.extend8_s (i32.load offset=4 (i32.const 0))))))"#,
    ),
    (
        Feature::SaturatingFloatToInt,
        r#"(module (memory 1) (func (export "f")
          (i32.store (i32.const 0)
            (i32.trunc_sat_f32_s (f32.reinterpret_i32 (i32.load offset=4 (i32.const 0)))))))"#,
    ),
    (Feature::TailCall, r#"(module (func $g) (func (export "f") (return_call $g)))"#),
    (
        Feature::Float,
        r#"(module (memory 1) (func (export "f")
          (f32.store (i32.const 0)
            (f32.add (f32.load offset=4 (i32.const 0)) (f32.load offset=8 (i32.const 0))))))"#,
    ),
];

/// Returns the module that needs no feature, and what its function `f` returns.
pub fn base() -> (&'static str, i32) {
    (BASE, 7)
}

/// Returns the modules that need one feature each.
pub fn needing() -> &'static [(Feature, &'static str)] {
    &NEEDING
}
