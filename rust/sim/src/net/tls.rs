// SPDX-License-Identifier: Apache-2.0
//! TLS over a connection of an app. Keys and certificates stay in files of the workstation.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde::Deserialize;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wisp_abi::Errno;
use wisp_host::platform::Peer;

/// Bytes that TLS keeps for sending at most, beside those in the connection.
const SENDING: usize = 16_384;
/// Longest wait for what is left to be sent when a socket is closed.
const CLOSING: Duration = Duration::from_secs(1);

/// A credential as a board file names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialConfig {
    /// File with the certificates of the authorities that may vouch for a peer.
    ca: PathBuf,
    /// Files with the app's own certificate and its key, for peers that ask for one.
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error| format!("{}: {error}, expected certificates in PEM", path.display());
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(wrong)?;
    match found.is_empty() {
        true => Err(format!("{}: no certificate, expected certificates in PEM", path.display())),
        false => Ok(found),
    }
}

impl CredentialConfig {
    /// Reads the files.
    ///
    /// # Errors
    /// Returns the file, what is wrong with it and what was expected.
    pub(super) fn load(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            let wrong = |error| format!("{}: {error}, expected certificates of authorities", self.ca.display());
            roots.add(certificate).map_err(wrong)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = versions.map_err(|error| error.to_string())?.with_root_certificates(roots);
        let config = match (&self.certificate, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let wrong = |error| format!("{}: {error}, expected a private key in PEM", key.display());
                let secret = PrivateKeyDer::from_pem_file(key).map_err(wrong)?;
                let wrong = |error| format!("{}: {error}, expected the key of the certificate", key.display());
                builder.with_client_auth_cert(certificates(certificate)?, secret).map_err(wrong)?
            }
            _ => return Err("a certificate or a key alone, expected both or none".into()),
        };
        Ok(Arc::new(config))
    }
}

/// The reason why a connection cannot be used.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) errno: Errno,
    pub(super) reason: String,
}

/// TLS of one connection.
#[derive(Debug)]
pub(super) struct Secure {
    connection: ClientConnection,
    /// The peer sends nothing more.
    ended: bool,
    fault: Option<Fault>,
}

fn would_block(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn broken(error: &std::io::Error) -> Fault {
    Fault { errno: Errno::Io, reason: error.to_string() }
}

impl From<rustls::Error> for Fault {
    fn from(error: rustls::Error) -> Self {
        let errno = match &error {
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Errno::NotTrusted,
            _ => Errno::Io,
        };
        Fault { errno, reason: error.to_string() }
    }
}

impl Secure {
    /// Begins with a peer that has to prove this name, or its address without one.
    pub(super) fn new(config: Arc<ClientConfig>, name: Option<&[u8]>, peer: Peer) -> Result<Self, Errno> {
        let server = match name {
            Some(name) => ServerName::try_from(String::from_utf8_lossy(name).into_owned()),
            None => Ok(ServerName::from(peer.address.to_canonical())),
        };
        let server = server.map_err(|_| Errno::Io)?;
        let mut connection = ClientConnection::new(config, server).map_err(|_| Errno::Io)?;
        connection.set_buffer_limit(Some(SENDING));
        Ok(Secure { connection, ended: false, fault: None })
    }

    /// Writes what waits to be sent, as much as there is room for.
    fn flush(&mut self, stream: &mut TcpStream) -> Result<(), Fault> {
        while self.connection.wants_write() {
            match self.connection.write_tls(stream) {
                Ok(_) => {}
                Err(error) if would_block(&error) => break,
                Err(error) => return Err(broken(&error)),
            }
        }
        Ok(())
    }

    fn try_exchange(&mut self, stream: &mut TcpStream) -> Result<(), Fault> {
        self.flush(stream)?;
        while !self.ended && self.connection.wants_read() {
            match self.connection.read_tls(stream) {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if would_block(&error) => break,
                Err(error) => return Err(broken(&error)),
            }
            let read = self.connection.process_new_packets();
            // a refusal tells the peer why
            let told = self.flush(stream);
            read?;
            told?;
        }
        if self.ended && self.connection.is_handshaking() {
            let reason = "the peer ended the connection during the handshake".into();
            return Err(Fault { errno: Errno::Io, reason });
        }
        Ok(())
    }

    /// Sends and takes in what it can without waiting.
    pub(super) fn exchange(&mut self, stream: &mut TcpStream) {
        if self.fault.is_none() {
            self.fault = self.try_exchange(stream).err();
        }
    }

    /// Returns true once the peer has proved who it is.
    ///
    /// # Errors
    /// Returns the reason why it never will.
    pub(super) fn is_agreed(&self) -> Result<bool, Fault> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(!self.connection.is_handshaking()),
        }
    }

    /// Takes bytes to send. Returns `None` while earlier ones wait.
    pub(super) fn send(&mut self, bytes: &[u8], stream: &mut TcpStream) -> Result<Option<usize>, Errno> {
        self.exchange(stream);
        if let Some(fault) = &self.fault {
            return Err(fault.errno);
        }
        if self.connection.wants_write() {
            return Ok(None);
        }
        let taken = self.connection.writer().write(bytes).map_err(|_| Errno::Io)?;
        self.fault = self.flush(stream).err();
        Ok(Some(taken))
    }

    /// Returns bytes of the peer, of which 0 are its end. An end that the peer did not announce is an error.
    pub(super) fn receive(&mut self, buffer: &mut [u8], stream: &mut TcpStream) -> Result<Option<usize>, Errno> {
        self.exchange(stream);
        match self.connection.reader().read(buffer) {
            Ok(count) => Ok(Some(count)),
            Err(error) if would_block(&error) => self.fault.as_ref().map_or(Ok(None), |fault| Err(fault.errno)),
            Err(_) => Err(Errno::Io),
        }
    }

    /// Returns whether something can be received, and whether something can be sent.
    pub(super) fn ready(&mut self, stream: &mut TcpStream) -> (bool, bool) {
        self.exchange(stream);
        let over = self.ended || self.fault.is_some();
        let state = self.connection.process_new_packets();
        let readable = state.map_or(true, |state| state.plaintext_bytes_to_read() > 0 || state.peer_has_closed());
        (over || readable, over || !self.connection.wants_write())
    }

    /// Announces the end, and sends what is left.
    pub(super) fn end(&mut self, stream: &mut TcpStream) -> Result<(), Errno> {
        self.connection.send_close_notify();
        let _ = (stream.set_nonblocking(false), stream.set_write_timeout(Some(CLOSING)));
        let sent = self.flush(stream);
        let _ = (stream.set_write_timeout(None), stream.set_nonblocking(true));
        sent.map_err(|fault| fault.errno)
    }
}

#[cfg(test)]
mod tests;
