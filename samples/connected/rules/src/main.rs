// SPDX-License-Identifier: Apache-2.0
//! Pulls a file with rules over HTTPS, and says what they ask for at three temperatures. The host does TLS, and the crate
//! httparse reads the answer. The first argument is the server's address with its port, and the second the path of the file.
//!
//! A line of the file such as `above 25 fan` switches something on. Empty lines and lines with `#` in front are left out.
#![no_std]
#![no_main]

use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;
use wisp_guest::embedded_io::Write;
use wisp_guest::{argument, error, info, Errno, Error, TcpStream};

/// Longest wait for the server.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room for the answer: its headers and the file.
const SIZE: usize = 2048;

wisp_guest::main!(run);

/// One rule of the file.
struct Rule<'a> {
    above: i32,
    what: &'a str,
}

fn rule(line: &str) -> Option<Rule<'_>> {
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("above"), Some(number), Some(what), None) => Some(Rule {
            above: number.parse().ok()?,
            what,
        }),
        _ => None,
    }
}

/// Names what is wrong for the log.
fn wrong(what: &str) -> Error {
    error!("{}", what);
    Error(Errno::Io)
}

/// Finds the file in an answer. Returns `None` if it has not come whole.
fn body(answer: &[u8]) -> Result<Option<Range<usize>>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut headers);
    let start = match response.parse(answer) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(wrong("the server does not speak HTTP")),
    };
    if response.code != Some(200) {
        error!("the server answered {}", response.code.unwrap_or(0));
        return Err(Error(Errno::NoEntry));
    }
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| {
        core::str::from_utf8(header.value)
            .ok()?
            .parse::<usize>()
            .ok()
    });
    let length = length.ok_or_else(|| wrong("the answer has no length"))?;
    if length > SIZE - start {
        return Err(wrong("the file is too long"));
    }
    let range = start..start + length;
    Ok((range.end <= answer.len()).then_some(range))
}

/// Asks for the file and waits until it has come whole.
fn pull<'b>(server: SocketAddr, path: &str, buffer: &'b mut [u8; SIZE]) -> Result<&'b str, Error> {
    let mut stream = TcpStream::connect_tls(server, PATIENCE)?;
    for part in [
        "GET ",
        path,
        " HTTP/1.1\r\nHost: rules\r\nConnection: close\r\n\r\n",
    ] {
        stream.write_all(part.as_bytes())?;
    }
    let mut used = 0;
    let file = loop {
        if let Some(file) = body(buffer.get(..used).unwrap_or(&[]))? {
            break file;
        }
        match stream.read_within(buffer.get_mut(used..).unwrap_or(&mut []), PATIENCE)? {
            0 => return Err(wrong("the answer ended too early, or is too long")),
            count => used += count,
        }
    };
    let file = buffer.get(file).unwrap_or(&[]);
    core::str::from_utf8(file).map_err(|_| wrong("the file is no text"))
}

fn run() -> Result<(), Error> {
    let (mut first, mut second) = ([0; 96], [0; 96]);
    let server = argument(1, &mut first).and_then(|text| text.parse::<SocketAddr>().ok());
    let (Some(server), Some(path)) = (server, argument(2, &mut second)) else {
        error!("expected the address of the server and a path as arguments, such as 192.0.2.7:443 /rules");
        return Err(Error(Errno::Invalid));
    };
    let mut buffer = [0; SIZE];
    let file = pull(server, path, &mut buffer)?;
    let lines = file
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for temperature in [20, 26, 31] {
        for line in lines.clone() {
            let rule = rule(line).ok_or_else(|| wrong("a line is no rule"))?;
            if temperature > rule.above {
                info!("at {}: {}", temperature, rule.what);
            }
        }
    }
    info!("{} rules", lines.count());
    Ok(())
}
