// SPDX-License-Identifier: Apache-2.0
//! Who asks a registry: options of a command, else what `docker login` or `oras login` stored.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

use crate::failure::Failure;
use crate::registry::place::Place;

/// Options that say how a registry is reached.
#[derive(Args, Default)]
#[command(next_help_heading = "Registry")]
pub struct Access {
    /// Name of the user [default: what `docker login` stored in config.json, else nobody]
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Use HTTP without TLS. A registry on this machine is reached that way without this option
    #[arg(long)]
    pub plain_http: bool,
}

/// Longest password, in bytes. Tokens of registries have up to a few thousand.
const PASSWORD_MAX: u64 = 65_536;

impl Access {
    /// Returns the credentials for a registry.
    ///
    /// # Errors
    /// Standard input has no password, or the configuration of docker cannot be read.
    pub fn credentials(&self, place: &Place) -> Result<RegistryAuth, Failure> {
        match &self.username {
            Some(name) => Ok(RegistryAuth::Basic(name.clone(), password(std::io::stdin().lock())?)),
            None => stored(&place.registry),
        }
    }
}

/// Reads a password up to the end, without the end of the line.
fn password(from: impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    from.take(PASSWORD_MAX)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(format!("the password on standard input cannot be read: {error}")))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new("standard input has no password; expected one line, as in: echo $TOKEN | wisp ..."));
    }
    Ok(password.into())
}

/// Returns what the configuration of docker has for a registry.
fn stored(registry: &str) -> Result<RegistryAuth, Failure> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from).or_else(home);
    let Some(path) = folder.map(|folder| folder.join("config.json")) else { return Ok(RegistryAuth::Anonymous) };
    let Ok(file) = std::fs::File::open(&path) else { return Ok(RegistryAuth::Anonymous) };
    of_config(file, registry).map_err(|what| {
        let more = format!("the credentials for {registry} cannot be used: {what}");
        Failure::in_file(&path, more + "; log in again, or give --username and --password-stdin")
    })
}

/// Returns what this configuration of docker has for a registry.
fn of_config(file: impl Read, registry: &str) -> Result<RegistryAuth, String> {
    // the key under which docker keeps its own registry
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    match docker_credential::get_credential_from_reader(file, server) {
        Ok(DockerCredential::UsernamePassword(name, password)) => Ok(RegistryAuth::Basic(name, password)),
        Ok(DockerCredential::IdentityToken(_)) => Err("they are an identity token".into()),
        // a helper that has nothing for a registry fails too
        Err(CredentialRetrievalError::NoCredentialConfigured | CredentialRetrievalError::HelperFailure { .. }) => {
            Ok(RegistryAuth::Anonymous)
        }
        Err(CredentialRetrievalError::ConfigReadError) => Err("the file is not the JSON that docker writes".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use oci_client::secrets::RegistryAuth;

    use super::{of_config, password};

    #[test]
    fn credentials_of_docker_are_those_of_the_same_registry() {
        // the base64 of "ann:secret"
        let config = br#"{"auths":{"example.org:5000":{"auth":"YW5uOnNlY3JldA=="}}}"#;
        let ann = RegistryAuth::Basic("ann".into(), "secret".into());
        assert_eq!(of_config(&config[..], "example.org:5000"), Ok(ann));
        assert_eq!(of_config(&config[..], "example.org"), Ok(RegistryAuth::Anonymous));
        assert_eq!(of_config(&b"{"[..], "example.org"), Err("the file is not the JSON that docker writes".to_string()));
    }

    #[test]
    fn a_password_ends_before_the_end_of_its_line() {
        assert_eq!(password(&b"pass word\r\n"[..]).unwrap(), "pass word");
        assert_eq!(password(&b"secret"[..]).unwrap(), "secret");
        assert_eq!(
            password(&b"\n"[..]).unwrap_err().to_string(),
            "standard input has no password; expected one line, as in: echo $TOKEN | wisp ..."
        );
    }
}
