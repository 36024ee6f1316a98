// SPDX-License-Identifier: Apache-2.0
//! Which of the forms of an app is wanted.

use wisp_aotc::Machine;

use crate::registry::documents::{media, Descriptor, Index};

/// The form that a user asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted<'a> {
    /// The image with IR, which runs everywhere.
    Portable,
    /// An image with native code for this machine.
    Native(&'a str),
    /// The module or component itself.
    Source,
}

/// Returns true for the manifest of an image.
pub fn is_image(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.as_deref() == Some(media::IMAGE)
}

fn variant(descriptor: &Descriptor) -> Option<&str> {
    descriptor.platform.as_ref()?.variant.as_deref().filter(|_| is_image(descriptor))
}

fn is_portable(descriptor: &Descriptor) -> bool {
    is_image(descriptor) && variant(descriptor).is_none()
}

/// Returns true if a machine runs the code for another one.
fn runs(machine: &str, code: &str) -> bool {
    match (Machine::named(machine), Machine::named(code)) {
        (Ok(machine), Ok(code)) => machine.target.runs(code.target),
        _ => false,
    }
}

/// Names the forms that an index has.
pub fn forms(index: &Index) -> String {
    let mut names: Vec<&str> = index.manifests.iter().filter_map(variant).collect();
    names.extend(index.manifests.iter().any(is_portable).then_some("portable IR"));
    names.extend(index.manifests.iter().any(is_source).then_some("the WebAssembly module"));
    if names.is_empty() {
        return "nothing of Wisp".into();
    }
    names.join(", ")
}

fn is_source(descriptor: &Descriptor) -> bool {
    let wasi = |os: &str| os == "wasip1" || os == "wasip2";
    descriptor.platform.as_ref().is_some_and(|platform| platform.architecture == "wasm" && wasi(&platform.os))
}

/// Chooses from an index. Native code for exactly this machine is better than code that it runs too, and of that the
/// first one is taken.
///
/// # Errors
/// Nothing fits: a sentence that says what there is and what to do.
pub fn choose<'a>(index: &'a Index, wanted: Wanted<'_>) -> Result<&'a Descriptor, String> {
    let all = &index.manifests;
    let found = match wanted {
        Wanted::Portable => all.iter().find(|entry| is_portable(entry)),
        Wanted::Source => all.iter().find(|entry| is_source(entry)),
        Wanted::Native(name) => all
            .iter()
            .find(|entry| variant(entry) == Some(name))
            .or_else(|| all.iter().find(|entry| variant(entry).is_some_and(|code| runs(name, code)))),
    };
    let forms = forms(index);
    found.ok_or_else(|| match wanted {
        Wanted::Portable => format!("there is no portable IR, but {forms}; name one of these with --target"),
        Wanted::Source => format!("there is no WebAssembly module, but {forms}; publish it with --wasm"),
        Wanted::Native(name) => format!(
            "there is no native code that {name} runs, but {forms}; leave --target out for IR, or publish an image for it"
        ),
    })
}
