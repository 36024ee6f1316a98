// SPDX-License-Identifier: Apache-2.0
//! Text in XML.

/// Returns a text as it stands in an element or an attribute.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
