// SPDX-License-Identifier: Apache-2.0
//! TLS of apps against servers of rustls, on the loopback interface.

use super::{CredentialConfig, Secure};
use crate::net::socket::{Slot, ATTEMPT_US};
use crate::output::TraceFormat;
use crate::platform::SimPlatform;
use crate::Board;
use rcgen::{date_time_ymd, BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use wisp_abi::net::{READABLE, WRITABLE};
use wisp_abi::Errno;
use wisp_host::platform::{Net, Peer, Protocol, Stage};
use wisp_host::Failure;

/// Long enough for any machine: what happens ends the wait.
const LONG: u64 = u64::MAX;

/// A folder for the files of one test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wisp-tls-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Returns a certificate for a name, with its key. It ends with the year.
fn issue(authority: &Authority, name: &str, last_year: i32) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new([name.to_string()]).unwrap();
    params.not_after = date_time_ymd(last_year, 12, 31);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap(), key)
}

/// Returns the configuration of a server with a certificate. It asks for one of `clients`, if they are given.
fn serving(authority: &Authority, name: &str, last_year: i32, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der().clone()).unwrap();
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap(),
            )
        }
    };
    let (certificate, key) = issue(authority, name, last_year);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Arc::new(builder.with_single_cert(vec![CertificateDer::from(certificate)], key).unwrap())
}

type Served = StreamOwned<ServerConnection, TcpStream>;

/// Serves one connection.
fn serve<T: Send + 'static>(
    config: Arc<ServerConfig>,
    with: impl FnOnce(Served) -> T + Send + 'static,
) -> (Peer, JoinHandle<T>) {
    let (listener, peer) = listener();
    let thread = std::thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        with(StreamOwned::new(ServerConnection::new(config).unwrap(), stream))
    });
    (peer, thread)
}

fn listener() -> (TcpListener, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, Peer { address: "::ffff:127.0.0.1".parse().unwrap(), port })
}

/// Sends back what comes, to the end.
fn echo(mut peer: Served) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = peer.read(&mut buffer) {
        peer.write_all(&buffer[..count]).unwrap();
    }
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns an app that may connect with the name `localhost`, or with all addresses of 127.0.0.0/8, by credential 7.
fn app(ca: &str, host: &str) -> (SimPlatform, Capture) {
    let text = format!(
        "[apps.a.net]\nendpoints = [\"tls:{host}:1-65535#7\"]\n[apps.a.net.credentials]\n7 = {{ ca = {ca:?} }}\n"
    );
    let mut board = Board::from_toml(&text).unwrap();
    let trace = Capture::default();
    board.set_trace(trace.clone(), TraceFormat::Csv);
    let mut app = board.platform("a");
    if host == "localhost" {
        app.set_net_resolved(0, "::ffff:127.0.0.1".parse().unwrap());
    }
    (app, trace)
}

fn connect(app: &mut SimPlatform, peer: Peer) -> (u32, Result<Option<()>, Failure<Errno>>) {
    let socket = app.open_net(Protocol::Tls).unwrap();
    (socket, app.connect_net(socket, peer, Some(0), LONG))
}

#[test]
fn the_app_sees_an_ordinary_stream_and_the_peer_is_sent_no_plain_text() {
    let folder = Folder::new("stream");
    let authority = authority("one");
    let ca = folder.write("ca.pem", &authority.pem());
    for host in ["localhost", "127.0.0.0/8"] {
        let name = if host == "localhost" { host } else { "127.0.0.1" };
        let (peer, server) = serve(serving(&authority, name, 2999, None), echo);
        let (mut app, _) = app(&ca, host);
        let (socket, connected) = connect(&mut app, peer);
        assert_eq!(connected, Ok(Some(())));
        assert_eq!(app.receive_net(socket, &mut [0; 8], 0), Ok(None), "nothing yet");
        assert_eq!(app.net_ready(socket), WRITABLE);
        assert_eq!(app.send_net(socket, b"ping", None, LONG), Ok(Some(4)));
        let mut buffer = [0; 8];
        assert_eq!(app.receive_net(socket, &mut buffer[..2], LONG).unwrap().unwrap().count, 2);
        assert_eq!(app.net_ready(socket), READABLE | WRITABLE, "the rest");
        assert_eq!(app.receive_net(socket, &mut buffer[2..], LONG).unwrap().unwrap().count, 2);
        assert_eq!(&buffer[..4], b"ping");
        app.shut_down_net(socket).unwrap();
        assert_eq!(app.send_net(socket, b"x", None, LONG), Err(Errno::Perm.into()));
        server.join().unwrap();
    }
    let (listener, peer) = listener();
    let (mut app, _) = app(&ca, "localhost");
    let socket = app.open_net(Protocol::Tls).unwrap();
    assert_eq!(app.connect_net(socket, peer, Some(0), 0), Ok(None), "the handshake continues");
    let mut first = [0; 5];
    let other = listener.accept().unwrap().0;
    while app.connect_net(socket, peer, None, 0) == Ok(None) && other.peek(&mut first).unwrap() < 5 {}
    assert_eq!(first[..2], [22, 3], "a record of the handshake");
}

#[test]
fn a_peer_without_a_proof_is_refused_and_the_log_has_the_reason() {
    let folder = Folder::new("refused");
    let (trusted, stranger) = (authority("one"), authority("another"));
    let ca = folder.write("ca.pem", &trusted.pem());
    for (signer, name, year, host, expected) in [
        (&stranger, "localhost", 2999, "localhost", "UnknownIssuer"),
        (&trusted, "other.example", 2999, "localhost", "not valid for name"),
        (&trusted, "localhost", 2001, "localhost", "expired"),
        (&trusted, "localhost", 2999, "127.0.0.0/8", "not valid for name"),
    ] {
        let (peer, server) = serve(serving(signer, name, year, None), |mut peer| peer.read(&mut [0; 8]).unwrap_err());
        let (mut app, trace) = app(&ca, host);
        let (socket, connected) = connect(&mut app, peer);
        assert_eq!(connected, Err(Errno::NotTrusted.into()), "{expected}");
        let log = trace.text();
        assert!(log.contains("tls:127.0.0.1") && log.contains(expected), "{expected}: {log}");
        assert!(server.join().unwrap().to_string().contains("alert"), "the peer is told");
        let (peer, server) = serve(serving(&trusted, name_of(host), 2999, None), echo);
        assert_eq!(app.connect_net(socket, peer, Some(0), LONG), Ok(Some(())), "the socket can try again");
        app.close_net(socket);
        server.join().unwrap();
    }
}

/// Returns the name that a certificate for this host has.
fn name_of(host: &str) -> &str {
    host.strip_suffix("0.0/8").map_or(host, |_| "127.0.0.1")
}

#[test]
fn a_peer_that_does_not_speak_tls_is_an_error_of_its_own() {
    let folder = Folder::new("plain");
    let ca = folder.write("ca.pem", &authority("one").pem());
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
        let (listener, peer) = listener();
        let server = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(answer).unwrap();
        });
        let (mut app, trace) = app(&ca, "localhost");
        assert_eq!(connect(&mut app, peer).1, Err(Errno::Io.into()));
        assert!(trace.text().contains("failed: "), "{}", trace.text());
        server.join().unwrap();
    }
}

#[test]
fn a_stop_ends_a_handshake_and_a_peer_that_is_silent_costs_a_timeout() {
    let folder = Folder::new("silent");
    let ca = folder.write("ca.pem", &authority("one").pem());
    let (_listener, peer) = listener();
    let (mut app, _) = app(&ca, "localhost");
    let socket = app.open_net(Protocol::Tls).unwrap();
    let end = app.now_us() + 5_000;
    assert_eq!(app.connect_net(socket, peer, Some(0), end), Ok(None));
    let stopper = app.stopper();
    let stopping = std::thread::spawn(move || stopper.stop());
    assert!(matches!(app.connect_net(socket, peer, None, LONG), Err(Failure::Stop(_))));
    stopping.join().unwrap();
}

#[test]
fn a_handshake_that_the_peer_does_not_answer_ends() {
    let folder = Folder::new("mute");
    let config =
        toml::from_str::<CredentialConfig>(&format!("ca = {:?}", folder.write("ca.pem", &authority("one").pem())));
    let (_listener, peer) = listener();
    let mut slot = Slot::new(Protocol::Tls);
    slot.connect(peer, Some(Secure::new(config.unwrap().load().unwrap(), None, peer).unwrap()), false).unwrap();
    for now in [5, 5 + ATTEMPT_US] {
        slot.pump(now, 0, &|_| true);
        assert_eq!(slot.connected(), Ok(None));
    }
    slot.pump(6 + ATTEMPT_US, 0, &|_| true);
    assert_eq!(slot.reason.as_deref(), Some("no answer in the handshake"));
    assert_eq!(slot.ready(), READABLE | WRITABLE);
    assert_eq!(slot.connected(), Err(Errno::NoDevice));
    assert_eq!(slot.stage, Stage::Open);
}

#[test]
fn much_passes_in_both_directions_whatever_the_room() {
    const SIZE: usize = 3_000_000;
    let folder = Folder::new("much");
    let authority = authority("one");
    let ca = folder.write("ca.pem", &authority.pem());
    let (peer, server) = serve(serving(&authority, "localhost", 2999, None), |mut peer| {
        let mut all = vec![0; SIZE];
        peer.read_exact(&mut all).unwrap();
        peer.write_all(&all).unwrap();
        peer.conn.send_close_notify();
        peer.flush().unwrap();
    });
    let (mut app, _) = app(&ca, "localhost");
    let (socket, connected) = connect(&mut app, peer);
    assert_eq!(connected, Ok(Some(())));
    let sent: Vec<u8> = (0..SIZE).map(|i| (i * 7 % 251) as u8).collect();
    let mut at = 0;
    while at < SIZE {
        at += app.send_net(socket, &sent[at..(at + 50_000).min(SIZE)], None, LONG).unwrap().unwrap();
    }
    // what the last call left in TLS is sent with the next ones
    let (mut received, mut buffer) = (Vec::new(), [0; 10_000]);
    loop {
        match app.receive_net(socket, &mut buffer, LONG).unwrap().unwrap().count {
            0 => break,
            count => received.extend_from_slice(&buffer[..count]),
        }
    }
    assert!(received == sent, "{} bytes came back", received.len());
    server.join().unwrap();
}

#[test]
fn an_end_that_the_peer_did_not_announce_is_an_error() {
    let folder = Folder::new("cut");
    let authority = authority("one");
    let ca = folder.write("ca.pem", &authority.pem());
    let (peer, server) = serve(serving(&authority, "localhost", 2999, None), |mut peer| {
        peer.write_all(b"half").unwrap();
        // the connection is dropped without a word of TLS
    });
    let (mut app, _) = app(&ca, "localhost");
    let (socket, connected) = connect(&mut app, peer);
    assert_eq!(connected, Ok(Some(())));
    server.join().unwrap();
    assert_eq!(app.receive_net(socket, &mut [0; 8], LONG).unwrap().unwrap().count, 4);
    assert_eq!(app.receive_net(socket, &mut [0; 8], LONG), Err(Errno::Io.into()));
    assert_eq!(app.net_ready(socket) & READABLE, READABLE);
}

#[test]
fn a_peer_that_asks_for_a_certificate_gets_that_of_the_credential() {
    let folder = Folder::new("mutual");
    let (servers, clients) = (authority("one"), authority("another"));
    let (own, key) = issue(&clients, "sensor", 2999);
    let ca = folder.write("ca.pem", &servers.pem());
    let (own, key) = (folder.write("own.pem", &own.pem()), folder.write("own.key", &key.serialize_pem()));
    for (credential, accepted) in [
        (format!("{{ ca = {ca:?}, certificate = {own:?}, key = {key:?} }}"), true),
        (format!("{{ ca = {ca:?} }}"), false),
    ] {
        let (peer, server) = serve(serving(&servers, "localhost", 2999, Some(&clients)), |mut peer| {
            peer.write_all(b"x").and_then(|()| peer.flush()).is_ok()
        });
        let net = "[apps.a.net]\nendpoints = [\"tls:127.0.0.1:1-65535#7\", \"tls:localhost:1-65535#7\"]";
        let text = format!("[trace]\nformat = \"off\"\n{net}\n[apps.a.net.credentials]\n7 = {credential}\n");
        let mut app = Board::from_toml(&text).unwrap().platform("a");
        let socket = app.open_net(Protocol::Tls).unwrap();
        let connected = app.connect_net(socket, peer, Some(1), LONG);
        // the refusal may come before or after the end of the handshake
        let received = connected.and_then(|_| app.receive_net(socket, &mut [0; 8], LONG));
        assert_eq!(server.join().unwrap(), accepted);
        assert_eq!(received.is_ok(), accepted, "{received:?}");
    }
}

#[test]
fn credentials_that_cannot_be_used_are_refused_with_the_board_file() {
    let folder = Folder::new("files");
    let authority = authority("one");
    let ca = folder.write("ca.pem", &authority.pem());
    let empty = folder.write("empty.pem", "nothing");
    let broken = folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let (_, key) = issue(&authority, "sensor", 2999);
    let (own, _) = issue(&authority, "sensor", 2999);
    let (own, key) = (folder.write("own.pem", &own.pem()), folder.write("own.key", &key.serialize_pem()));
    for (credentials, expected) in [
        (String::new(), "expected 7 = { ca = \"FILE\" } in [apps.a.net.credentials]"),
        ("7 = { ca = \"/nowhere/ca.pem\" }".into(), "/nowhere/ca.pem"),
        (format!("7 = {{ ca = {empty:?} }}"), "expected certificates in PEM"),
        (format!("7 = {{ ca = {broken:?} }}"), "expected certificates of authorities"),
        (format!("7 = {{ ca = {ca:?}, key = {key:?} }}"), "expected both or none"),
        (format!("7 = {{ ca = {ca:?}, certificate = {own:?}, key = {ca:?} }}"), "expected a private key in PEM"),
        (format!("7 = {{ ca = {ca:?}, certificate = {own:?}, key = {key:?} }}"), "expected the key of the certificate"),
        (format!("7 = {{ ca = {ca:?}, password = \"x\" }}"), "unknown field `password`"),
    ] {
        let net = "[apps.a.net]\nendpoints = [\"tls:localhost:443#7\"]\n[apps.a.net.credentials]\n";
        let error = Board::from_toml(&format!("{net}{credentials}\n")).unwrap_err();
        assert!(error.message.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn there_is_no_dtls_on_a_workstation() {
    let folder = Folder::new("dtls");
    let ca = folder.write("ca.pem", &authority("one").pem());
    let (mut app, _) = app(&ca, "localhost");
    assert_eq!(app.open_net(Protocol::Dtls), Err(Errno::NotSupported));
}
