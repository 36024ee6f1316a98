// SPDX-License-Identifier: Apache-2.0
//! Requests to CoAP servers, and resources of the app.

use crate::abi::coap;
use crate::record::number;
use crate::timeout::ms;
use crate::{Error, UdpSocket};
use core::time::Duration;

/// A socket over which the app speaks CoAP: connected with a server, or bound to a port at which others ask. Closed when dropped.
///
/// A buffer holds what is sent and received. One of 64 bytes and a block is enough. The larger it is, the larger the
/// blocks are, up to 1,024 bytes.
#[derive(Debug)]
pub struct CoapSocket(UdpSocket);

/// A method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoapMethod {
    /// Reads a resource.
    Get,
    /// Hands something to a resource.
    Post,
    /// Writes a resource.
    Put,
    /// Removes a resource.
    Delete,
}

impl CoapMethod {
    fn number(self) -> u32 {
        match self {
            CoapMethod::Get => coap::GET,
            CoapMethod::Post => coap::POST,
            CoapMethod::Put => coap::PUT,
            CoapMethod::Delete => coap::DELETE,
        }
    }
}

/// The code of an answer, which CoAP writes as a class and a detail, such as 2.05.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoapCode(pub u8);

impl CoapCode {
    /// 2.01.
    pub const CREATED: Self = Self(coap::CREATED as u8);
    /// 2.02.
    pub const DELETED: Self = Self(coap::DELETED as u8);
    /// 2.04.
    pub const CHANGED: Self = Self(coap::CHANGED as u8);
    /// 2.05.
    pub const CONTENT: Self = Self(coap::CONTENT as u8);
    /// 2.31.
    pub const CONTINUE: Self = Self(coap::CONTINUE as u8);
    /// 4.00.
    pub const BAD_REQUEST: Self = Self(coap::BAD_REQUEST as u8);
    /// 4.04.
    pub const NOT_FOUND: Self = Self(coap::NOT_FOUND as u8);
    /// 4.05.
    pub const NOT_ALLOWED: Self = Self(coap::NOT_ALLOWED as u8);
    /// 4.13.
    pub const TOO_LARGE: Self = Self(coap::TOO_LARGE as u8);

    /// Returns true for the class 2.
    pub fn is_success(self) -> bool {
        self.0 >> 5 == 2
    }
}

impl core::fmt::Display for CoapCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{:02}", self.0 >> 5, self.0 & 31)
    }
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct CoapRequest<'a> {
    /// The method.
    pub method: CoapMethod,
    /// Path and query, such as `sensors/1?unit=C`.
    pub target: &'a str,
    /// The number of the payload's format, and without a payload that of the wanted answer.
    pub format: Option<u16>,
    /// The body of the request.
    pub payload: &'a [u8],
    /// The position in the answer's body from which on it is wanted, a multiple of 16.
    pub offset: u32,
}

/// A message that [`CoapSocket::receive`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoapMessage<'b> {
    /// A notification of an observed resource.
    Notification(CoapAnswer<'b>),
    /// A request, which [`CoapSocket::respond`] answers.
    Request(CoapQuestion<'b>),
}

/// An answer or a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoapAnswer<'b> {
    /// The code.
    pub code: CoapCode,
    /// The number of the payload's format.
    pub format: Option<u16>,
    /// The number of the observation, if the answer belongs to one.
    pub observation: Option<u32>,
    /// The server sends further notifications.
    pub observed: bool,
    /// The position of the payload in the body.
    pub offset: u32,
    /// The body goes on behind the payload.
    pub more: bool,
    /// The payload.
    pub payload: &'b [u8],
}

/// A request of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoapQuestion<'b> {
    /// The method, `None` for another one.
    pub method: Option<CoapMethod>,
    /// Path and query.
    pub target: &'b [u8],
    /// The number of the payload's format.
    pub format: Option<u16>,
    /// The number of the format that the answer should have.
    pub accept: Option<u16>,
    /// The position of the payload in the body.
    pub offset: u32,
    /// The body goes on in further requests, if the answer is [`CoapCode::CONTINUE`].
    pub more: bool,
    /// The request has come before. Its answer may have been lost.
    pub repeated: bool,
    /// The payload.
    pub payload: &'b [u8],
}

fn format(value: Option<u16>) -> u32 {
    value.map_or(coap::NO_FORMAT, u32::from)
}

impl<'b> CoapMessage<'b> {
    fn new(record: &[u8; coap::MESSAGE_SIZE], buffer: &'b [u8]) -> Self {
        let [code, kind, accept, flags, observation, offset, target, length] =
            [0, 4, 8, 12, 16, 20, 24, 28].map(|at| number(record, at, 4) as u32);
        let bytes = buffer.get(..target.saturating_add(length) as usize).unwrap_or(&[]);
        let (target, payload) = bytes.split_at((target as usize).min(bytes.len()));
        let has = |flag: u32| flags & flag != 0;
        let (format, accept) = (u16::try_from(kind).ok(), u16::try_from(accept).ok());
        if code >= 64 {
            return CoapMessage::Notification(CoapAnswer {
                code: CoapCode(code as u8),
                format,
                observation: (observation != 0).then_some(observation),
                observed: has(coap::OBSERVED),
                offset,
                more: has(coap::MORE),
                payload,
            });
        }
        let methods = [CoapMethod::Get, CoapMethod::Post, CoapMethod::Put, CoapMethod::Delete];
        CoapMessage::Request(CoapQuestion {
            method: methods.into_iter().find(|method| method.number() == code),
            target,
            format,
            accept,
            offset,
            more: has(coap::MORE),
            repeated: has(coap::REPEATED),
            payload,
        })
    }
}

impl From<UdpSocket> for CoapSocket {
    fn from(socket: UdpSocket) -> Self {
        CoapSocket(socket)
    }
}

impl CoapSocket {
    fn ask<'b>(
        &mut self,
        request: &CoapRequest<'_>,
        flags: u32,
        buffer: &'b mut [u8],
        timeout: Duration,
    ) -> Result<CoapAnswer<'b>, Error> {
        let (target, format, offset) = (request.target.as_bytes(), format(request.format), request.offset);
        let method = request.method.number() | flags;
        let record =
            coap::request(self.source(), method, target, format, request.payload, offset, buffer, ms(timeout))?;
        match CoapMessage::new(&record, buffer) {
            CoapMessage::Notification(answer) => Ok(answer),
            // a host does not return that
            CoapMessage::Request(_) => Err(crate::Errno::Io.into()),
        }
    }

    /// Asks the server and takes its answer, or the beginning of it that the buffer has room for. The host sends the
    /// request up to five times within 62 to 93 seconds. If the timeout is shorter, a call with the same
    /// arguments goes on with the request.
    ///
    /// # Errors
    /// `ETIMEDOUT` if there is no answer yet, `ENXIO` if the server does not answer. `EIO` if the body changed
    /// while it was taken, `EMSGSIZE` if the buffer is too short. `EBUSY` during another request of the app.
    pub fn request<'b>(
        &mut self,
        request: &CoapRequest<'_>,
        buffer: &'b mut [u8],
        timeout: Duration,
    ) -> Result<CoapAnswer<'b>, Error> {
        self.ask(request, 0, buffer, timeout)
    }

    /// Reads a resource from a position of its body on, a multiple of 16.
    ///
    /// # Errors
    /// Returns the errors of [`CoapSocket::request`].
    pub fn get<'b>(
        &mut self,
        target: &str,
        offset: u32,
        buffer: &'b mut [u8],
        timeout: Duration,
    ) -> Result<CoapAnswer<'b>, Error> {
        self.ask(
            &CoapRequest { method: CoapMethod::Get, target, format: None, payload: &[], offset },
            0,
            buffer,
            timeout,
        )
    }

    /// Writes a resource.
    ///
    /// # Errors
    /// Returns the errors of [`CoapSocket::request`].
    pub fn put<'b>(
        &mut self,
        target: &str,
        format: Option<u16>,
        payload: &[u8],
        buffer: &'b mut [u8],
        timeout: Duration,
    ) -> Result<CoapAnswer<'b>, Error> {
        self.ask(&CoapRequest { method: CoapMethod::Put, target, format, payload, offset: 0 }, 0, buffer, timeout)
    }

    /// Reads a resource, and asks for notifications, which [`CoapSocket::receive`] takes. Without an observation in the
    /// answer, the server sends none.
    ///
    /// # Errors
    /// `ENOMEM` if the app has as many observations as it can have, and those of [`CoapSocket::request`].
    pub fn observe<'b>(
        &mut self,
        target: &str,
        buffer: &'b mut [u8],
        timeout: Duration,
    ) -> Result<CoapAnswer<'b>, Error> {
        let request = CoapRequest { method: CoapMethod::Get, target, format: None, payload: &[], offset: 0 };
        self.ask(&request, coap::OBSERVE, buffer, timeout)
    }

    /// Ends an observation.
    ///
    /// # Errors
    /// `ENOENT` if there is none with this number.
    pub fn cancel(&mut self, observation: u32) -> Result<(), Error> {
        Ok(coap::cancel(self.source(), observation)?)
    }

    /// Calls off the request that goes on.
    ///
    /// # Errors
    /// `ENOENT` if there is none.
    pub fn call_off(&mut self) -> Result<(), Error> {
        self.cancel(0)
    }

    /// Takes the next notification or request.
    ///
    /// # Errors
    /// `ETIMEDOUT` if nothing came in time, `EMSGSIZE` if the buffer is too short, `EAGAIN` if the app has used up its traffic.
    pub fn receive<'b>(&mut self, buffer: &'b mut [u8], timeout: Duration) -> Result<CoapMessage<'b>, Error> {
        let record = coap::receive(self.source(), buffer, ms(timeout))?;
        Ok(CoapMessage::new(&record, buffer))
    }

    /// Answers the request that [`CoapSocket::receive`] has returned. The body is the whole one, of which the host sends
    /// the block that was asked for.
    ///
    /// # Errors
    /// `EPERM` if no request waits for an answer, `EMSGSIZE` if the buffer is too short, `ETIMEDOUT`, `EAGAIN`.
    pub fn respond(
        &mut self,
        code: CoapCode,
        kind: Option<u16>,
        body: &[u8],
        buffer: &mut [u8],
        timeout: Duration,
    ) -> Result<(), Error> {
        Ok(coap::respond(self.source(), code.0.into(), format(kind), body, buffer, ms(timeout))?)
    }

    /// Returns the number that events of the socket carry.
    pub fn source(&self) -> u32 {
        self.0.source()
    }

    /// Starts or stops events for the readiness of the socket: see [`UdpSocket::watch`]. Call [`CoapSocket::receive`]
    /// without a timeout until it returns `ETIMEDOUT`, and then wait for the next event.
    ///
    /// # Errors
    /// `ENOTSUP` if the firmware has no events.
    pub fn watch(&mut self, on: bool) -> Result<(), Error> {
        self.0.watch(on, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_what_their_numbers_say() {
        let record = |numbers: [u32; 8]| {
            let mut record = [0; coap::MESSAGE_SIZE];
            for (place, number) in record.chunks_exact_mut(4).zip(numbers) {
                place.copy_from_slice(&number.to_le_bytes());
            }
            record
        };
        let none = coap::NO_FORMAT;
        let expected = CoapAnswer {
            code: CoapCode::CONTENT,
            format: Some(60),
            observation: Some(2),
            observed: true,
            offset: 64,
            more: true,
            payload: b"21.5",
        };
        let found = record([69, 60, none, 3, 2, 64, 0, 4]);
        assert_eq!(CoapMessage::new(&found, b"21.5...."), CoapMessage::Notification(expected));
        let expected = CoapQuestion {
            method: Some(CoapMethod::Put),
            target: b"lamp",
            format: None,
            accept: Some(0),
            offset: 0,
            more: false,
            repeated: true,
            payload: b"on",
        };
        let found = record([3, none, 0, 4, 0, 0, 4, 2]);
        assert_eq!(CoapMessage::new(&found, b"lampon.."), CoapMessage::Request(expected));
        assert_eq!(std::format!("{} {}", CoapCode::CONTENT, CoapCode::TOO_LARGE), "2.05 4.13");
        assert!(CoapCode::CONTINUE.is_success() && !CoapCode::NOT_FOUND.is_success());
    }
}
