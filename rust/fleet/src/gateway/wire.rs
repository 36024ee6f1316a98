// SPDX-License-Identifier: Apache-2.0
//! What carries SMP packets: UDP, one packet in a datagram, or a serial port, one packet in lines of Base64.

use std::io;
use std::net::SocketAddr;

use base64::prelude::{Engine, BASE64_STANDARD};
use serial2_tokio::SerialPort;
use tokio::net::{lookup_host, UdpSocket};

use super::config::Address;

/// Longest packet that is received.
const PACKET_MAX: usize = 4096;
/// Beginning of the first line of a packet, and of the others.
const FIRST: [u8; 2] = [0x06, 0x09];
const NEXT: [u8; 2] = [0x04, 0x14];
/// Bytes that a line carries: 124 digits of Base64 beside the beginning and the end of the line.
const LINE: usize = 93;
/// Sum of a packet on a serial port.
const SUM: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);

/// A way to a device.
pub enum Wire {
    /// UDP.
    Udp(UdpSocket),
    /// A serial port.
    Serial(Box<Serial>),
}

impl Wire {
    /// Opens the way. Nothing is sent.
    ///
    /// # Errors
    /// The host has no address, or the port cannot be opened.
    pub async fn open(address: &Address) -> io::Result<Self> {
        match address {
            Address::Udp(host, port) => {
                let mut found = lookup_host((host.as_str(), *port)).await?;
                let to = found.next().ok_or_else(|| io::Error::other("the host has no address"))?;
                let any: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
                let socket = UdpSocket::bind(any).await?;
                socket.connect(to).await?;
                Ok(Self::Udp(socket))
            }
            Address::Serial(path, baud) => {
                let port = SerialPort::open(path, *baud)?;
                Ok(Self::Serial(Box::new(Serial { port, lines: Lines::default() })))
            }
        }
    }

    /// Returns the longest packet that the way itself carries, and what it adds to a packet in a device's buffer.
    pub fn room(&self) -> (usize, usize) {
        match self {
            // a datagram that no network divides
            Self::Udp(_) => (1232, 0),
            // the length and the sum
            Self::Serial(_) => (PACKET_MAX, 4),
        }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// The way is broken.
    pub async fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(packet).await.map(|_| ()),
            Self::Serial(serial) => serial.port.write_all(&lines(packet)).await,
        }
    }

    /// Waits for a packet. What is none is left out. May be given up at any time.
    ///
    /// # Errors
    /// The way is broken.
    pub async fn receive(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Udp(socket) => {
                let mut packet = vec![0; PACKET_MAX];
                let length = socket.recv(&mut packet).await?;
                packet.truncate(length);
                Ok(packet)
            }
            Self::Serial(serial) => loop {
                if let Some(packet) = serial.lines.packet() {
                    return Ok(packet);
                }
                let mut bytes = [0; 1024];
                let length = serial.port.read(&mut bytes).await?;
                if length == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                serial.lines.take(&bytes[..length]);
            },
        }
    }
}

/// A serial port.
pub struct Serial {
    port: SerialPort,
    lines: Lines,
}

/// Returns the lines of a packet.
fn lines(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len() + 2).unwrap_or(u16::MAX);
    let body = [&length.to_be_bytes()[..], packet, &SUM.checksum(packet).to_be_bytes()].concat();
    let mut out = Vec::new();
    for (index, part) in body.chunks(LINE).enumerate() {
        out.extend(if index == 0 { FIRST } else { NEXT });
        out.extend(BASE64_STANDARD.encode(part).as_bytes());
        out.push(b'\n');
    }
    out
}

/// Bytes of a serial port that are not a whole packet yet. Other text, such as a log, may come between.
#[derive(Default)]
struct Lines {
    raw: Vec<u8>,
    body: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
    }

    /// Returns the next packet whose sum is right.
    fn packet(&mut self) -> Option<Vec<u8>> {
        while let Some(end) = self.raw.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.raw.drain(..=end).collect();
            if let Some(packet) = self.line(&line) {
                return Some(packet);
            }
        }
        // a line that does not end is none of a packet
        if self.raw.len() > PACKET_MAX {
            self.raw.clear();
        }
        None
    }

    /// Takes a line, and returns the packet that it completes.
    fn line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let start = line.windows(2).rposition(|pair| pair == FIRST || pair == NEXT)?;
        let (mark, digits) = line[start..].split_at(2);
        if mark == FIRST {
            self.body.clear();
        } else if self.body.is_empty() {
            return None;
        }
        let Ok(bytes) = BASE64_STANDARD.decode(digits.trim_ascii()) else {
            self.body.clear();
            return None;
        };
        self.body.extend(bytes);
        let (length, packet) = self.body.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if packet.len() < length && length <= PACKET_MAX {
            return None;
        }
        // the sum of a packet with its own sum is zero
        let whole = packet.len() == length && length > 2 && SUM.checksum(packet) == 0;
        let found = whole.then(|| packet[..length - 2].to_vec());
        self.body.clear();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_from_its_lines_whatever_comes_between() {
        for length in [1, 88, 89, 90, 91, 92, 93, 300, 4000] {
            let packet: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut reader = Lines::default();
            reader.take(b"log line\nuart:~$ ");
            for line in lines(&packet).split_inclusive(|&byte| byte == b'\n') {
                assert!(line.len() <= 127, "{}", line.len());
                assert_eq!(reader.packet(), None);
                reader.take(b"another line\n");
                reader.take(line);
            }
            assert_eq!(reader.packet(), Some(packet), "{length}");
            assert_eq!(reader.packet(), None);
        }
    }

    #[test]
    fn a_packet_with_a_changed_byte_is_left_out_and_the_next_one_is_read() {
        let packet: Vec<u8> = (0..200).collect();
        let good = lines(&packet);
        for at in 0..good.len() {
            for byte in [b'A', b'\n', 0xff, good[at] ^ 1] {
                let mut bad = good.clone();
                bad[at] = byte;
                if bad == good {
                    continue;
                }
                let mut reader = Lines::default();
                reader.take(&bad);
                reader.take(&good);
                assert_eq!(reader.packet().as_ref(), Some(&packet), "{at}");
                assert_eq!(reader.packet(), None, "{at}");
            }
        }
    }

    #[test]
    fn noise_does_not_fill_the_memory() {
        let mut reader = Lines::default();
        for _ in 0..100 {
            reader.take(&[0x55; 4096]);
            assert_eq!(reader.packet(), None);
        }
        assert!(reader.raw.len() <= PACKET_MAX);
        // announces 65,535 bytes that never come
        for _ in 0..1000 {
            reader.take(b"\n\x06\x09//8A\n\x04\x14AAAA\n");
            assert_eq!(reader.packet(), None);
        }
        assert!(reader.body.len() <= PACKET_MAX);
    }
}
