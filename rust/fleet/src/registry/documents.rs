// SPDX-License-Identifier: Apache-2.0
//! The documents of a registry: descriptors, manifests and indexes of OCI 1.1, and the configuration that CNCF's layout
//! for WebAssembly asks for. The same content gives the same bytes: nothing here depends on a clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::registry::blob::{self, Blob};

/// Media types and types of artifacts.
pub mod media {
    /// A manifest of one artifact.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// A list of manifests.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// A configuration that says nothing.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// The configuration of CNCF's layout.
    pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
    /// A WebAssembly module or component.
    pub const WASM: &str = "application/wasm";
    /// A Wisp image, as a file and as an artifact.
    pub const IMAGE: &str = "application/vnd.wisp.image.v1";
    /// An app in all its forms: the index.
    pub const APP: &str = "application/vnd.wisp.app.v1";
    /// A bill of materials.
    pub const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
    /// A statement on how something was made.
    pub const IN_TOTO: &str = "application/vnd.in-toto+json";
}

/// Keys of annotations.
pub mod note {
    /// Name of a file.
    pub const TITLE: &str = "org.opencontainers.image.title";
    /// Version of the app.
    pub const VERSION: &str = "org.opencontainers.image.version";
    /// Address of the sources.
    pub const SOURCE: &str = "org.opencontainers.image.source";
    /// Commit of the sources.
    pub const REVISION: &str = "org.opencontainers.image.revision";
    /// Name of the app, as devices know it.
    pub const NAME: &str = "wisp.app.name";
    /// Rollback counter.
    pub const ROLLBACK: &str = "wisp.app.rollback";
    /// Id of the key that signed.
    pub const KEY: &str = "wisp.app.key";
    /// Machine that the manifest is for, or `portable`: each form of one image has a manifest of its own.
    pub const TARGET: &str = "wisp.app.target";
    /// SHA-256 of the module that the image was made from.
    pub const WASM: &str = "wisp.app.wasm-sha256";
}

/// Annotations, in the order of their keys.
pub type Notes = BTreeMap<String, String>;

/// The machine and runtime that a manifest is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Platform {
    /// Instruction set, named as Go names it.
    pub architecture: String,
    /// Runtime.
    pub os: String,
    /// Version of the interface between the code and the runtime.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The name that `wisp build --target` takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// Names content by its digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type of the content.
    pub media_type: String,
    /// Digest of the content.
    pub digest: String,
    /// Its length in bytes.
    pub size: u64,
    /// Type of the artifact, if the content is a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The machine and runtime that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub annotations: Notes,
}

impl Descriptor {
    /// Describes bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.into(),
            digest: blob::digest(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            platform: None,
            annotations: Notes::new(),
        }
    }

    /// Adds the name that `oras pull` gives the file.
    pub fn titled(mut self, title: &str) -> Self {
        self.annotations.insert(note::TITLE.into(), title.into());
        self
    }
}

/// One artifact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`media::MANIFEST`].
    #[serde(default)]
    pub media_type: String,
    /// Type of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The files.
    pub layers: Vec<Descriptor>,
    /// The artifact that this one says something about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub annotations: Notes,
}

/// Several artifacts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// [`media::INDEX`].
    #[serde(default)]
    pub media_type: String,
    /// Type of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The artifacts.
    pub manifests: Vec<Descriptor>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub annotations: Notes,
}

impl Index {
    /// Lists artifacts.
    pub fn of(artifact_type: Option<&str>, manifests: Vec<Descriptor>, annotations: Notes) -> Self {
        let media_type = media::INDEX.into();
        Self { schema_version: 2, media_type, artifact_type: artifact_type.map(String::from), manifests, annotations }
    }
}

/// The configuration of CNCF's layout.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WasmConfig {
    /// The layout wants a time. This one is always the same, so that the same content has the same digest.
    pub created: String,
    /// Always `wasm`.
    pub architecture: String,
    /// `wasip1` for core modules, `wasip2` for components, `wisp` for images.
    pub os: String,
    /// Digests of the layers.
    pub layer_digests: Vec<String>,
}

/// Returns the JSON of a document.
pub fn json<T: Serialize>(document: &T) -> Vec<u8> {
    // texts, numbers, lists and maps with texts as keys: nothing that JSON has no form for
    serde_json::to_vec(document).unwrap_or_default()
}

/// A manifest with the blobs that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Artifact {
    /// The manifest.
    pub manifest: Manifest,
    /// Configuration and files.
    pub blobs: Vec<Blob>,
}

impl Artifact {
    /// Returns an artifact of one file in CNCF's layout.
    pub fn wasm(os: &str, artifact_type: Option<&str>, title: &str, file: Blob, annotations: Notes) -> Self {
        let layer = Descriptor::of(file.media_type, &file.bytes).titled(title);
        let config = WasmConfig {
            created: "1970-01-01T00:00:00Z".into(),
            architecture: "wasm".into(),
            os: os.into(),
            layer_digests: vec![layer.digest.clone()],
        };
        let config = Blob { media_type: media::WASM_CONFIG, bytes: json(&config) };
        Self::new(artifact_type, config, layer, file, None, annotations)
    }

    /// Returns an artifact of one file that says something about another artifact.
    pub fn about(subject: Descriptor, title: &str, file: Blob) -> Self {
        let layer = Descriptor::of(file.media_type, &file.bytes).titled(title);
        let config = Blob { media_type: media::EMPTY, bytes: b"{}".to_vec() };
        Self::new(Some(file.media_type), config, layer, file, Some(subject), Notes::new())
    }

    fn new(
        artifact_type: Option<&str>,
        config: Blob,
        layer: Descriptor,
        file: Blob,
        subject: Option<Descriptor>,
        annotations: Notes,
    ) -> Self {
        let manifest = Manifest {
            schema_version: 2,
            media_type: media::MANIFEST.into(),
            artifact_type: artifact_type.map(String::from),
            config: Descriptor::of(config.media_type, &config.bytes),
            layers: vec![layer],
            subject,
            annotations,
        };
        Self { manifest, blobs: vec![config, file] }
    }

    /// Returns the bytes of the manifest, and a descriptor of them.
    pub fn described(&self, platform: Option<Platform>) -> (Vec<u8>, Descriptor) {
        let bytes = json(&self.manifest);
        let artifact_type = self.manifest.artifact_type.clone();
        let descriptor = Descriptor { artifact_type, platform, ..Descriptor::of(media::MANIFEST, &bytes) };
        (bytes, descriptor)
    }
}
