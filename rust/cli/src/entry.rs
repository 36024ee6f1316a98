// SPDX-License-Identifier: Apache-2.0
//! The functions of an app that Wisp calls, and the types that they must have.

use wisp_host::abi::{ENTRY, INITIALIZE, ON_EVENT};
use wisp_image::format::{external, ValType};
use wisp_image::{Image, ImageError, TypeRef};

use crate::imports::type_of;

/// Names, parameters and what to call them in a message. None of the functions returns anything.
const ENTRIES: [(&str, &[ValType], &str); 3] = [
    (ENTRY, &[], "() -> ()"),
    (INITIALIZE, &[], "() -> ()"),
    (ON_EVENT, &[ValType::I32; 4], "(i32, i32, i32, i32) -> (): kind, source, value, lost"),
];

/// Returns true if an image has a function with which Wisp can start it.
pub fn is_startable(image: &Image<'_>) -> bool {
    let function = |name| matches!(image.export_named(name), Some((external::FUNCTION, _)));
    function(ENTRY) || function(INITIALIZE)
}

/// Says which of the functions that Wisp calls has a type that it cannot be called with. Returns `None` if there is
/// none.
///
/// # Errors
/// The image is damaged.
pub fn misfit(image: &Image<'_>) -> Result<Option<String>, ImageError> {
    for (name, params, expected) in ENTRIES {
        let Some((external::FUNCTION, index)) = image.export_named(name) else { continue };
        let ty = function_type(image, usize::from(index))?;
        if !ty.params().eq(params.iter().copied()) || ty.results().next().is_some() {
            return Ok(Some(format!("`{name}` has the type {}; Wisp calls it as {expected}", type_of(ty))));
        }
    }
    Ok(None)
}

/// Returns the type of a function in the index space of an image.
fn function_type<'a>(image: &Image<'a>, index: usize) -> Result<TypeRef<'a>, ImageError> {
    match index.checked_sub(image.imports_of(external::FUNCTION)) {
        Some(defined) => image.ty(image.function(defined)?.ty),
        None => image.imported_function_type(index),
    }
}
