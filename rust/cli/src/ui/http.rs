// SPDX-License-Identifier: Apache-2.0
//! HTTP for one page on this machine: one request a connection, with limits on its bytes, its time and the number of
//! connections. The crate `httparse` reads the head.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a request's head at most, and its lines.
const HEAD: usize = 16 << 10;
const HEADERS: usize = 64;
/// Bytes of a body at most.
const BODY: usize = 16 << 10;
/// Connections at the same time. Others are closed.
const CONNECTIONS: usize = 64;
/// Longest time until a request is here, and until an answer is taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that are read and dropped behind an answer, so that a client that still sends gets to read it.
const DRAINED: usize = 1 << 20;

/// A request that comes from this page, or from a program of this machine.
pub struct Request {
    pub method: String,
    pub path: String,
    /// Behind the question mark.
    pub query: String,
    pub body: Vec<u8>,
}

/// An answer.
pub struct Response {
    pub status: &'static str,
    /// Lines of the head, each with its end.
    pub headers: String,
    pub body: Vec<u8>,
}

impl Response {
    /// Returns an answer of a type.
    pub fn new(status: &'static str, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: format!("Content-Type: {kind}\r\n"), body: body.into() }
    }

    /// Returns a refusal with its reason.
    pub fn refusal(status: &'static str, reason: &str) -> Self {
        let body = serde_json::json!({ "error": reason }).to_string();
        Self::new(status, "application/json", body)
    }

    fn bytes(&self, method: &str) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n\
             Referrer-Policy: no-referrer\r\n\r\n",
            self.status,
            self.headers,
            self.body.len()
        );
        let body = if method == "HEAD" { &[][..] } else { &self.body };
        [head.as_bytes(), body].concat()
    }
}

/// Answers requests until the process ends.
pub fn serve(listener: &TcpListener, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // no more files perhaps: other connections end
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        if Arc::strong_count(&answer) > CONNECTIONS {
            continue;
        }
        let answer = answer.clone();
        // whatever goes wrong concerns this client only
        let _ = std::thread::Builder::new().spawn(move || {
            let _ = attend(stream, &*answer);
        });
    }
}

fn attend(mut stream: TcpStream, answer: &impl Fn(&Request) -> Response) -> io::Result<()> {
    let begun = Instant::now();
    let (response, method) = match read(&mut stream, begun) {
        Ok(request) => (answer(&request), request.method),
        Err(Fault::Refused(status, reason)) => (Response::refusal(status, reason), String::new()),
        Err(Fault::Gone) => return Ok(()),
    };
    write(&mut stream, &response.bytes(&method), PATIENCE)?;
    stream.shutdown(Shutdown::Write)?;
    let mut dropped = 0;
    while dropped < DRAINED {
        match more(&mut stream, &mut [0; 4096], begun)? {
            0 => break,
            count => dropped += count,
        }
    }
    Ok(())
}

enum Fault {
    Refused(&'static str, &'static str),
    /// The client has gone away, or takes too long.
    Gone,
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Returns how much of a time is left.
fn left(patience: Duration, begun: Instant) -> io::Result<Duration> {
    let left = patience.checked_sub(begun.elapsed()).filter(|left| !left.is_zero());
    left.ok_or_else(|| io::ErrorKind::TimedOut.into())
}

/// Reads some bytes, as long as the time of the connection lasts.
fn more(stream: &mut TcpStream, buffer: &mut [u8], begun: Instant) -> io::Result<usize> {
    stream.set_read_timeout(Some(left(PATIENCE, begun)?))?;
    stream.read(buffer)
}

/// Writes all of these bytes within a time. The timeout of the stream would hold for each of the writes anew.
fn write(stream: &mut TcpStream, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let begun = Instant::now();
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(left(patience, begun)?))?;
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn read(stream: &mut TcpStream, begun: Instant) -> Result<Request, Fault> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = more(stream, &mut buffer, begun)?;
        if count == 0 {
            return Err(Fault::Gone);
        }
        bytes.extend_from_slice(&buffer[..count]);
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut head = httparse::Request::new(&mut headers);
        match head.parse(&bytes) {
            Ok(httparse::Status::Complete(length)) => {
                let (mut request, wanted) = checked(&head)?;
                request.body = bytes.split_off(length);
                while request.body.len() < wanted {
                    match more(stream, &mut buffer, begun)? {
                        0 => return Err(Fault::Gone),
                        count => request.body.extend_from_slice(&buffer[..count]),
                    }
                }
                request.body.truncate(wanted);
                return Ok(request);
            }
            Ok(httparse::Status::Partial) if bytes.len() < HEAD => {}
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(Fault::Refused(
                    "431 Request Header Fields Too Large",
                    "the head of the request is too long",
                ));
            }
            Err(_) => return Err(Fault::Refused("400 Bad Request", "expected a request of HTTP/1.1")),
        }
    }
}

/// Returns true if the name or address before a port is one of this machine. Only then does the browser know the page by an
/// address that no one else can give to a site (DNS rebinding).
fn is_local(authority: &str) -> bool {
    let name = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let name = name.map_or(authority, |(name, _)| name);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns what is asked for, and the length of the body. Refuses what other sites ask for.
fn checked(head: &httparse::Request<'_, '_>) -> Result<(Request, usize), Fault> {
    let values = |name: &'static str| {
        head.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    };
    let text = |name| values(name).next().and_then(|value| std::str::from_utf8(value).ok());
    let method = head.method.unwrap_or_default();
    let Some(host) = text("Host").filter(|host| values("Host").count() == 1 && is_local(host)) else {
        return Err(Fault::Refused(
            "403 Forbidden",
            "expected the name localhost or an address of this machine in Host",
        ));
    };
    let origin = format!("http://{host}");
    if values("Origin").any(|value| !value.eq_ignore_ascii_case(origin.as_bytes())) {
        return Err(Fault::Refused("403 Forbidden", "the request comes from another site"));
    }
    if values("Transfer-Encoding").next().is_some() {
        return Err(Fault::Refused("411 Length Required", "expected a body with Content-Length"));
    }
    let wanted = match values("Content-Length").next() {
        None => 0,
        Some(_) => match text("Content-Length").and_then(|length| length.trim().parse::<usize>().ok()) {
            Some(length) if length <= BODY => length,
            _ => return Err(Fault::Refused("413 Content Too Large", "the body of the request is too long")),
        },
    };
    // A site can make a browser post other types without asking first.
    if method == "POST" && !text("Content-Type").is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Fault::Refused("415 Unsupported Media Type", "expected Content-Type: application/json"));
    }
    let (path, query) = head.path.unwrap_or_default().split_once('?').unwrap_or((head.path.unwrap_or_default(), ""));
    let request = Request { method: method.into(), path: path.into(), query: query.into(), body: Vec::new() };
    Ok((request, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn an_answer_that_is_taken_byte_for_byte_ends_with_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let over = AtomicBool::new(false);
        let written = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let Ok(1) = client.read(&mut [0]) else { break };
                }
            });
            let written = write(&mut stream, &vec![0; 256 << 20], Duration::from_millis(50));
            over.store(true, Ordering::Relaxed);
            // a read that waits ends as well
            drop(stream);
            written.map_err(|error| error.kind())
        });
        assert!(matches!(written, Err(io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)), "{written:?}");
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for name in ["localhost", "LocalHost:80", "127.0.0.1:8080", "127.8.9.1", "[::1]:9", "[::1]"] {
            assert!(is_local(name), "{name}");
        }
        for name in
            ["", ":80", "example.org", "example.org:80", "localhost.example.org", "127.0.0.1.nip.io:80", "10.0.0.1"]
        {
            assert!(!is_local(name), "{name}");
        }
    }
}
