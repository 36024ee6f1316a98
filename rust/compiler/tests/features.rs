// SPDX-License-Identifier: Apache-2.0
//! A runtime without a feature refuses the images that need it, naming function and feature, and no others.

use wisp_compiler::{compile, Options};
use wisp_image::features::Feature;
use wisp_image::verify::{scratch_words, verify, verify_for, Rule};
use wisp_image::{Image, ImageError};

/// Returns the image of a module whose second function has this body, with a parameter of each type.
fn image(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module (memory 1) (table 2 funcref) (elem declare func 0) (data "x")
            (func) (func (param i32 i64 f32 f64) {body}))"#
    );
    let wasm = wat::parse_str(text).expect("the text is a module");
    compile(&wasm, &Options::default()).map_err(|error| error.to_string()).expect("the module compiles").image
}

fn without<const MISSING: u8>(image: &[u8]) -> Result<(), ImageError> {
    let image = Image::parse(image).expect("it can be read");
    let mut scratch = vec![0; scratch_words(&image).expect("it has functions")];
    verify(&image, &mut scratch).expect("it is valid");
    verify_for::<MISSING>(&image, &mut scratch)
}

/// Each body is refused without the feature, and accepted without all the others.
macro_rules! checks {
    ($($test:ident $feature:ident: $($body:literal)*;)*) => {$(
        #[test]
        fn $test() {
            const MISSING: u8 = Feature::$feature as u8;
            for body in [$($body),*] {
                let image = image(body);
                match without::<MISSING>(&image) {
                    Err(error @ ImageError::Code(1, _, Rule::Built(Feature::$feature))) => {
                        assert!(error.to_string().contains(Feature::$feature.name()), "{error}");
                    }
                    other => panic!("{body}: {other:?}"),
                }
                // what saturates computes with floats
                const FLOAT: u8 = if MISSING == Feature::SaturatingFloatToInt as u8 { Feature::Float as u8 } else { 0 };
                assert_eq!(without::<{ 63 & !MISSING & !FLOAT }>(&image), Ok(()), "{body}");
            }
        }
    )*};
}

checks! {
    bulk_memory BulkMemory:
        "(memory.fill (local.get 0) (local.get 0) (local.get 0))"
        "(memory.copy (local.get 0) (local.get 0) (local.get 0))"
        "(memory.init 0 (local.get 0) (local.get 0) (local.get 0))"
        "(data.drop 0)"
        "(table.copy (local.get 0) (local.get 0) (local.get 0))"
        "(elem.drop 0)";
    reference_types ReferenceTypes:
        "(drop (table.get (local.get 0)))"
        "(table.set (local.get 0) (ref.null func))"
        "(drop (table.grow (ref.null func) (local.get 0)))"
        "(table.fill (local.get 0) (ref.null func) (local.get 0))"
        "(table.set (local.get 0) (ref.func 0))";
    sign_extension SignExtension:
        "(i32.store (local.get 0) (i32.extend8_s (local.get 0)))"
        "(i32.store (local.get 0) (i32.extend16_s (local.get 0)))"
        "(i64.store (local.get 0) (i64.extend32_s (local.get 1)))";
    saturating SaturatingFloatToInt:
        "(i32.store (local.get 0) (i32.trunc_sat_f32_s (local.get 2)))"
        "(i64.store (local.get 0) (i64.trunc_sat_f64_u (local.get 3)))";
    tail_call TailCall:
        "(return_call 0)"
        "(return_call_indirect (local.get 0))";
    float Float:
        "(f32.store (local.get 0) (f32.add (local.get 2) (local.get 2)))"
        "(f64.store (local.get 0) (f64.promote_f32 (local.get 2)))"
        "(i32.store (local.get 0) (f64.lt (local.get 3) (f64.const 1)))"
        "(i32.store (local.get 0) (i32.trunc_f64_s (local.get 3)))";
}

#[test]
fn what_only_passes_floats_on_needs_nothing() {
    let image = image("(f64.store (local.get 0) (f64.load (local.get 0))) (f32.store (local.get 0) (f32.const 1.5))");
    assert_eq!(without::<63>(&image), Ok(()));
}
