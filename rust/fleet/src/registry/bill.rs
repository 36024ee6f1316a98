// SPDX-License-Identifier: Apache-2.0
//! The bill of materials of an app, as CycloneDX 1.5.

use serde_json::{json, Value};

use crate::registry::app::App;
use crate::registry::blob;
use crate::registry::source::Source;

fn hashes(sha256: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": sha256 }])
}

/// Makes a UUID of content: the same content has the same one. The version is 8, which leaves the bits to the maker.
fn serial(content: &str) -> String {
    let mut digits: Vec<char> = blob::sha256(content.as_bytes()).chars().take(32).collect();
    digits[12] = '8';
    digits[16] = '8';
    let digits: String = digits.into_iter().collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// Returns the bill: the app, its images, its module, and the tools that the module names.
pub fn bill(apps: &[App], source: Option<&Source>) -> Value {
    let identity = &apps[0].identity;
    let app = format!("{}@{}", identity.name, identity.version);
    let wasm_ref = format!("wasm:{}", identity.wasm);
    let mut components = vec![json!({
        "type": "file", "bom-ref": wasm_ref, "mime-type": "application/wasm",
        "name": source.map_or("app.wasm", |source| &source.title), "hashes": hashes(&identity.wasm),
    })];
    let mut depends = vec![json!({ "ref": app, "dependsOn": [wasm_ref] })];
    for image in apps {
        let sha256 = blob::sha256(&image.bytes);
        let reference = format!("image:{sha256}");
        depends.push(json!({ "ref": reference, "dependsOn": [wasm_ref] }));
        components.push(json!({
            "type": "file", "bom-ref": reference, "name": image.title(), "version": identity.version,
            "hashes": hashes(&sha256),
        }));
    }
    let mut tools = Vec::new();
    for tool in source.map_or(&[][..], |source| &source.tools) {
        let reference = format!("tool:{}:{}@{}", tool.field, tool.name, tool.version);
        components.push(json!({
            "type": "application", "bom-ref": reference, "name": tool.name, "version": tool.version, "scope": "excluded",
            "properties": [{ "name": "wasm:producers", "value": tool.field }],
        }));
        tools.push(reference);
    }
    depends.push(json!({ "ref": wasm_ref, "dependsOn": tools }));
    let about = json!({
        "component": {
            "type": "application", "bom-ref": app, "name": identity.name, "version": identity.version,
            "properties": [{ "name": "wisp:rollback", "value": identity.rollback.to_string() }],
        }
    });
    let content = json!([about, components, depends]).to_string();
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "serialNumber": serial(&content),
        "metadata": about, "components": components, "dependencies": depends,
    })
}
