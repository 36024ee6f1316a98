// SPDX-License-Identifier: Apache-2.0
//! A station that asks a CoAP server and is one. The host speaks CoAP. The first argument is the server's address with its
//! port, and the second one the port at which others may ask.
#![no_std]
#![no_main]

use core::net::SocketAddr;
use core::time::Duration;
use wisp_guest::{
    argument, error, info, next_event, warn, CoapCode, CoapMessage, CoapMethod, CoapQuestion,
    CoapSocket, Errno, Error, UdpSocket,
};

/// Longer than a server without an answer is asked.
const PATIENCE: Duration = Duration::from_secs(300);
/// Datagrams with blocks of 256 bytes.
const BUFFER: usize = 320;
/// The longest note.
const NOTE: usize = 1024;
/// The length of the log.
const LOG: usize = 1500;

wisp_guest::main!(run);

/// The last text that others have written.
struct Note {
    bytes: [u8; NOTE],
    length: usize,
}

impl Note {
    /// Takes a block, which follows those before it. A body that begins again replaces what is there.
    fn write(&mut self, question: &CoapQuestion) -> CoapCode {
        let start = question.offset as usize;
        if start > self.length {
            return CoapCode::BAD_REQUEST;
        }
        let end = start + question.payload.len();
        let Some(place) = self.bytes.get_mut(start..end) else {
            return CoapCode::TOO_LARGE;
        };
        place.copy_from_slice(question.payload);
        self.length = end;
        if question.more {
            CoapCode::CONTINUE
        } else {
            CoapCode::CHANGED
        }
    }
}

/// Goes on with a sum of bytes in which their order matters.
fn sum(state: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(state, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
    })
}

/// Reads the manual of the server, as many bytes at once as the buffer has room for.
fn read_manual(server: &mut CoapSocket, buffer: &mut [u8]) -> Result<(), Error> {
    let (mut length, mut total) = (0, 0);
    loop {
        let answer = server.get("manual", length, buffer, PATIENCE)?;
        if answer.code != CoapCode::CONTENT {
            error!("the server has no manual: {}", answer.code);
            return Err(Error(Errno::NoEntry));
        }
        length += answer.payload.len() as u32;
        total = sum(total, answer.payload);
        if !answer.more {
            break;
        }
    }
    info!("a manual of {} bytes, sum {}", length, total);
    Ok(())
}

/// Answers a question.
fn answer(
    socket: &mut CoapSocket,
    note: &mut Note,
    log: &[u8],
    buffer: &mut [u8],
) -> Result<(), Error> {
    let (code, body) = match socket.receive(buffer, Duration::ZERO)? {
        CoapMessage::Request(question) => match (question.target, question.method) {
            (b"log", Some(CoapMethod::Get)) => (CoapCode::CONTENT, log),
            (b"note", Some(CoapMethod::Put)) => (note.write(&question), &[][..]),
            (b"note", Some(CoapMethod::Get)) => (
                CoapCode::CONTENT,
                note.bytes.get(..note.length).unwrap_or(&[]),
            ),
            (b"log" | b"note", _) => (CoapCode::NOT_ALLOWED, &[][..]),
            _ => (CoapCode::NOT_FOUND, &[][..]),
        },
        CoapMessage::Notification(_) => return Ok(()),
    };
    socket.respond(code, None, body, buffer, PATIENCE)
}

/// Takes a target. Returns false after the last one.
fn obey(server: &mut CoapSocket, buffer: &mut [u8]) -> Result<bool, Error> {
    if let CoapMessage::Notification(found) = server.receive(buffer, Duration::ZERO)? {
        info!(
            "target {}",
            core::str::from_utf8(found.payload).unwrap_or("?")
        );
        if !found.observed {
            warn!("the server sends no more targets: {}", found.code);
        }
        return Ok(found.observed && found.payload != b"end");
    }
    Ok(true)
}

/// Returns true if there was nothing to take.
fn is_empty<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error(Errno::TimedOut)))
}

fn run() -> Result<(), Error> {
    let mut texts = [0; 96];
    let address = argument(1, &mut texts).and_then(|text| text.parse::<SocketAddr>().ok());
    let mut texts = [0; 96];
    let port = argument(2, &mut texts).and_then(|text| text.parse::<u16>().ok());
    let (Some(address), Some(port)) = (address, port) else {
        error!("expected the address of the server and a port, such as 192.0.2.7:5683 5683");
        return Err(Error(Errno::Invalid));
    };
    let mut buffer = [0; BUFFER];
    let mut log = [0; LOG];
    for (place, number) in log.iter_mut().zip(0..) {
        *place = b'a' + (number % 23) as u8;
    }
    let mut note = Note {
        bytes: [0; NOTE],
        length: 0,
    };
    let mut server = CoapSocket::from(UdpSocket::connect(address)?);
    read_manual(&mut server, &mut buffer)?;
    let written = server.put("log", None, &log, &mut buffer, PATIENCE)?;
    info!("the server has the log: {}", written.code);
    let mut own = CoapSocket::from(UdpSocket::bind(port)?);
    own.watch(true)?;
    server.watch(true)?;
    let first = server.observe("target", &mut buffer, PATIENCE)?;
    info!(
        "target {}",
        core::str::from_utf8(first.payload).unwrap_or("?")
    );
    loop {
        let questions = answer(&mut own, &mut note, &log, &mut buffer);
        let targets = obey(&mut server, &mut buffer);
        if is_empty(&questions) && is_empty(&targets) {
            next_event();
            continue;
        }
        if !is_empty(&questions) {
            questions?;
        }
        if !is_empty(&targets) && !targets? {
            return Ok(());
        }
    }
}
