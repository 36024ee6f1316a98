// SPDX-License-Identifier: Apache-2.0
//! How the images of an app were made: an in-toto statement with a predicate of SLSA 1.0.

use std::path::Path;

use serde::Deserialize;
use serde_json::{json, Value};

use crate::failure::Failure;
use crate::registry::app::{self, App, Identity};
use crate::registry::blob;

/// Names the kind of build: what the parameters mean.
pub const BUILD_TYPE: &str = "urn:wisp:build:v1";

/// The members of a report of `wisp build --json` that say how an image was made.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Facts {
    wasm_sha256: String,
    /// Version of the command, which compiled the module.
    #[serde(default)]
    wisp: Option<String>,
    /// The arguments that it had.
    #[serde(default)]
    arguments: Option<Vec<String>>,
    /// The C compilers that made native code.
    #[serde(default)]
    compilers: Vec<Value>,
}

/// Address and commit of the sources.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Address of the repository.
    pub source: Option<String>,
    /// Commit.
    pub revision: Option<String>,
}

impl Facts {
    /// Reads a report of `wisp build --json`.
    ///
    /// # Errors
    /// The file is no such report, or that of another module.
    pub fn read(path: &Path, identity: &Identity) -> Result<Self, Failure> {
        let facts: Self = serde_json::from_slice(&app::read(path)?).map_err(|error| {
            Failure::in_file(path, format_args!("{error}; expected the output of `wisp build --json`"))
        })?;
        if facts.wasm_sha256 != identity.wasm {
            let what = format!(
                "the report of another build: its module has the SHA-256 {}, that of the images {}; give the report of \
                 this build",
                facts.wasm_sha256, identity.wasm
            );
            return Err(Failure::in_file(path, what));
        }
        Ok(facts)
    }
}

/// Returns the statement. What nobody told is left out.
pub fn statement(apps: &[App], facts: &[Facts], origin: &Origin) -> Value {
    let identity = &apps[0].identity;
    let subject: Vec<Value> = apps
        .iter()
        .map(|app| json!({ "name": app.title(), "digest": { "sha256": blob::sha256(&app.bytes) } }))
        .collect();
    let mut materials =
        vec![json!({ "name": "module", "mediaType": "application/wasm", "digest": { "sha256": identity.wasm } })];
    if origin.source.is_some() || origin.revision.is_some() {
        let mut source = json!({ "name": "source" });
        if let Some(address) = &origin.source {
            source["uri"] = json!(address);
        }
        if let Some(commit) = &origin.revision {
            source["digest"] = json!({ "gitCommit": commit });
        }
        materials.push(source);
    }
    let builds: Vec<Value> = facts.iter().map(build).collect();
    let mut versions = json!({});
    if let Some(version) = facts.iter().find_map(|facts| facts.wisp.as_ref()) {
        versions["wisp"] = json!(version);
    }
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "name": identity.name, "version": identity.version, "rollback": identity.rollback, "builds": builds,
                },
                "resolvedDependencies": materials,
            },
            "runDetails": { "builder": { "id": "urn:wisp:builder:local", "version": versions } },
        },
    })
}

fn build(facts: &Facts) -> Value {
    let mut build = json!({});
    if let Some(arguments) = &facts.arguments {
        build["arguments"] = json!(arguments);
    }
    if !facts.compilers.is_empty() {
        build["compilers"] = json!(facts.compilers);
    }
    build
}
