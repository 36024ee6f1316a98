// SPDX-License-Identifier: Apache-2.0
//! Where an app is in a registry: `REGISTRY/NAME[:TAG][@DIGEST]`.

use oci_client::Reference;

use crate::failure::Failure;
use crate::registry::blob;

/// A repository of a registry, and perhaps what is meant in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Host and port.
    pub registry: String,
    /// Name of the repository.
    pub repository: String,
    /// A tag that was written.
    pub tag: Option<String>,
    /// A digest that was written.
    pub digest: Option<String>,
}

const FORM: &str = "expected REGISTRY/NAME with :TAG or @sha256:DIGEST, such as localhost:5000/apps/lamp:1.0.0";

impl Place {
    /// Reads a reference. A name without a registry is refused, because nobody means the one that other tools add.
    ///
    /// # Errors
    /// The text has another form.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::new(format!("`{text}` is no reference: {why}; {FORM}"));
        let bare = text.strip_prefix("oci://").unwrap_or(text);
        if bare.contains("://") {
            return Err(wrong("it is the address of something else"));
        }
        let Some((first, _)) = bare.split_once('/') else { return Err(wrong("it names no registry")) };
        if first != "localhost" && !first.contains(['.', ':']) {
            return Err(wrong(&format!("`{first}` is no registry, because it has neither a dot nor a port")));
        }
        let reference: Reference = bare.parse().map_err(|error: oci_client::ParseError| wrong(&error.to_string()))?;
        // the parser adds this tag where none was written
        let written = bare.rsplit('/').next().is_some_and(|last| last.split('@').next().unwrap_or(last).contains(':'));
        let digest = reference.digest().map(String::from);
        if digest.as_deref().is_some_and(|digest| !blob::is_digest(digest)) {
            return Err(wrong("its digest is not of the kind sha256"));
        }
        Ok(Self {
            registry: first.into(),
            repository: reference.repository().into(),
            tag: reference.tag().filter(|_| written).map(String::from),
            digest,
        })
    }

    /// Returns true if the registry is on this machine, where HTTP without TLS is no risk.
    pub fn is_local(&self) -> bool {
        let host = match self.registry.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.registry,
        };
        host == "localhost" || host == "[::1]" || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
    }

    /// Returns what stands for a tag or digest in addresses: the digest if there is one.
    pub fn version(&self) -> Option<&str> {
        self.digest.as_deref().or(self.tag.as_deref())
    }

    /// Names the repository, as people write it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Names something in the repository by tag or digest.
    pub fn name_of(&self, version: &str) -> String {
        let mark = if version.starts_with("sha256:") { '@' } else { ':' };
        format!("{}{mark}{version}", self.name())
    }

    /// Returns the form that the client library takes. The version may be a digest: the library builds the same address
    /// from both.
    pub fn reference(&self, version: &str) -> Reference {
        Reference::with_tag(self.registry.clone(), self.repository.clone(), version.into())
    }
}
