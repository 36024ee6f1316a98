// SPDX-License-Identifier: Apache-2.0
//! Modules, whole and damaged, through the compiler.

use arbitrary::Unstructured;
use wisp_compiler::{compile, ErrorKind, Options};
use wisp_image::{verify, Image};

use crate::{modules, mutation, Outcome};

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let make = |u: &mut Unstructured<'_>| -> arbitrary::Result<(u32, Vec<u8>)> {
        let heap = u.arbitrary()?;
        let mut wasm = modules::module(u, modules::Imports::Any)?;
        // two thirds of a module's bytes are code, which damage makes invalid more often than not
        mutation::anywhere(u, &mut wasm)?;
        Ok((heap, wasm))
    };
    let Ok((heap, wasm)) = make(&mut u) else { return Outcome::Rejected };
    match compile(&wasm, &Options { heap, ..Options::default() }) {
        Ok(compiled) => {
            let image = Image::parse(&compiled.image).expect("the compiler's image can be read");
            let words = verify::scratch_words(&image).expect("the compiler's image can be read");
            verify::verify(&image, &mut vec![0; words]).expect("the compiler's image passes the verifier");
            Outcome::Ran
        }
        Err(error) => {
            assert!(!matches!(error.kind, ErrorKind::Internal(_)), "{error}");
            Outcome::Refused
        }
    }
}
