// SPDX-License-Identifier: Apache-2.0
//! A sensor that puts five readings to a CoAP server. The crate coap-lite makes and reads the messages. The first argument
//! is the server's address with its port.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::vec::Vec;
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use core::net::SocketAddr;
use core::time::Duration;
use wisp_guest::{argument, error, info, random, warn, Delay, Errno, Error, UdpSocket};

#[global_allocator]
static HEAP: emballoc::Allocator<4096> = emballoc::Allocator::new();

/// Longest wait for an answer before a message is sent again, and how often it is sent.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 4;
const READINGS: u32 = 5;

wisp_guest::main!(run);

/// Makes a confirmable request for the resource `readings`.
fn request(method: RequestType, id: u16, payload: Vec<u8>) -> Packet {
    let mut packet = Packet::new();
    packet.header.code = MessageClass::Request(method);
    packet.header.message_id = id;
    packet.header.set_type(MessageType::Confirmable);
    packet.set_token(id.to_be_bytes().to_vec());
    packet.add_option(CoapOption::UriPath, b"readings".to_vec());
    packet.payload = payload;
    packet
}

/// Sends a request until its answer comes.
fn ask(socket: &mut UdpSocket, request: &Packet) -> Result<Packet, Error> {
    let bytes = request.to_bytes().map_err(|_| Error(Errno::Invalid))?;
    let mut buffer = [0; 256];
    for _ in 0..ATTEMPTS {
        socket.send(&bytes, PATIENCE)?;
        loop {
            let count = match socket.receive(&mut buffer, PATIENCE) {
                Ok(count) => count,
                // nothing came, or the server is not there yet
                Err(Error(Errno::TimedOut)) => break,
                Err(Error(Errno::NoDevice)) => {
                    Delay.ms(100);
                    break;
                }
                Err(error) => return Err(error),
            };
            match Packet::from_bytes(buffer.get(..count).unwrap_or(&[])) {
                Ok(answer) if answer.get_token() == request.get_token() => return Ok(answer),
                Ok(_) => warn!("an answer to another question"),
                Err(_) => warn!("{} bytes that are no CoAP", count),
            }
        }
    }
    Err(Error(Errno::TimedOut))
}

fn run() -> Result<(), Error> {
    let mut arguments = [0; 96];
    let address = argument(1, &mut arguments).and_then(|text| text.parse::<SocketAddr>().ok());
    let Some(address) = address else {
        error!("expected the address of the server as the first argument, such as 192.0.2.7:5683");
        return Err(Error(Errno::Invalid));
    };
    let mut socket = UdpSocket::connect(address)?;
    let mut first = [0; 2];
    random(&mut first)?;
    let first = u16::from_be_bytes(first);
    for number in 0..READINGS {
        let reading = format!("2{}.5", number);
        let id = first.wrapping_add(number as u16);
        let answer = ask(
            &mut socket,
            &request(RequestType::Put, id, reading.into_bytes()),
        )?;
        if answer.header.code != MessageClass::Response(ResponseType::Changed) {
            error!("the server answered {}", answer.header.get_code());
            return Err(Error(Errno::Io));
        }
    }
    let answer = ask(
        &mut socket,
        &request(
            RequestType::Get,
            first.wrapping_add(READINGS as u16),
            Vec::new(),
        ),
    )?;
    info!(
        "the server has {}",
        core::str::from_utf8(&answer.payload).unwrap_or("something else")
    );
    Ok(())
}
