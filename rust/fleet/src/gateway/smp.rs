// SPDX-License-Identifier: Apache-2.0
//! Requests and answers of SMP, version 2. Answers may be lost, come late or come twice, and a device may send anything.

use std::fmt;
use std::io;
use std::time::Duration;

use ciborium::Value;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use tokio::time::timeout;
use wisp_contract::storage;

use super::config::Address;
use super::wire::Wire;

/// MCUmgr group of the operating system, and its command that tells the size of a device's buffers.
const OS_GROUP: u16 = 0;
const PARAMETERS: u8 = 6;
/// Bytes of a packet's head.
const HEAD: usize = 8;
/// Packet that every device takes, in bytes.
const SIZE_MIN: usize = 256;
/// Number of times that a request is sent.
const TRIES: u32 = 5;
/// Longest time that a packet takes on its way out: 4 KiB at 9600 baud take 5 seconds.
const SENDING: Duration = Duration::from_secs(10);
/// Bits of the first byte of a packet: version 2, and the operation.
const VERSION: u8 = 1 << 3;
const OPERATION: u8 = 7;
/// Errors of SMP itself that another try may not meet: no memory, not ready in time, busy.
const PASSING: [u32; 3] = [2, 4, 10];
/// The error of a firmware that does not have a command.
const UNSUPPORTED: u32 = 8;

/// Kind of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// The request asks for something.
    Read = 0,
    /// The request changes something on the device.
    Write = 2,
}

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The device cannot be reached.
    Silent(String),
    /// The device answered with something else than an answer.
    Nonsense(String),
    /// Wisp's group refused (`enum wisp_store_error`).
    Store(u32),
    /// SMP refused (`MGMT_ERR_*`).
    Smp(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(words) => write!(f, "the device cannot be reached: {words}"),
            Self::Nonsense(words) => write!(f, "the device's answer cannot be read: {words}"),
            Self::Store(code) => write!(f, "{} (error {code})", storage::words(*code)),
            Self::Smp(UNSUPPORTED) => {
                f.write_str("the firmware does not have this command; enable CONFIG_WISP_MGMT, or update it")
            }
            Self::Smp(code) => write!(f, "the device answers with error {code} of SMP"),
        }
    }
}

impl Error {
    /// Returns whether the device may answer another time, and not whether it refused for good.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Silent(_) | Self::Nonsense(_) => true,
            Self::Store(_) => false,
            Self::Smp(code) => PASSING.contains(code),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    rc: u32,
    err: Option<GroupError>,
}

#[derive(Deserialize)]
struct GroupError {
    rc: u32,
}

#[derive(Deserialize)]
struct Parameters {
    buf_size: usize,
}

/// A connection to a device.
pub struct Link {
    wire: Wire,
    sequence: u8,
    patience: Duration,
    size: usize,
    /// Requests that were sent again.
    pub repeated: u64,
}

impl Link {
    /// Opens a way to a device and asks for the size of its buffers.
    ///
    /// # Errors
    /// The device does not answer.
    pub async fn open(address: &Address, patience: Duration) -> Result<Self, Error> {
        let wire = Wire::open(address).await.map_err(|error| Error::Silent(format!("{address}: {error}")))?;
        // numbers of an earlier connection do not come again at once
        let mut link = Self { wire, sequence: fastrand::u8(..), patience, size: SIZE_MIN, repeated: 0 };
        let empty = encode(&Value::Map(Vec::new()));
        match link.ask::<Parameters>(Operation::Read, OS_GROUP, PARAMETERS, &empty).await {
            Ok(parameters) => {
                let (most, extra) = link.wire.room();
                link.size = parameters.buf_size.saturating_sub(extra).clamp(64, most);
            }
            // it answers, and tells no size
            Err(Error::Smp(_) | Error::Store(_) | Error::Nonsense(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(link)
    }

    /// Returns the longest packet that the device takes, its head included.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Sends a request until an answer comes, and returns the answer. `payload` is CBOR.
    ///
    /// The device may carry out a request several times, of which only one answer arrives.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        operation: Operation,
        group: u16,
        command: u8,
        payload: &[u8],
    ) -> Result<T, Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let packet = self.packet(operation, group, command, payload);
        for attempt in 0..TRIES {
            self.repeated += u64::from(attempt > 0);
            let sent = timeout(SENDING, self.wire.send(&packet)).await;
            let broken = match sent.unwrap_or_else(|_| Err(io::Error::other("it takes no bytes"))) {
                Ok(()) => match timeout(self.patience, self.answer(&packet)).await {
                    Ok(Ok(answer)) => return decode(&answer),
                    Ok(Err(error)) => error,
                    Err(_) => continue,
                },
                Err(error) => error,
            };
            // nobody listens at this UDP port, perhaps not yet; a serial port that is gone does not come back by itself
            if broken.kind() != io::ErrorKind::ConnectionRefused {
                return Err(Error::Silent(broken.to_string()));
            }
            tokio::time::sleep(self.patience).await;
        }
        Err(Error::Silent(format!("no answer to {TRIES} requests")))
    }

    fn packet(&self, operation: Operation, group: u16, command: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
        let group = group.to_be_bytes();
        let first = VERSION | operation as u8;
        let head = [first, 0, length[0], length[1], group[0], group[1], self.sequence, command];
        [&head[..], payload].concat()
    }

    /// Waits for the answer to a request. Others are late or strange.
    async fn answer(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            let packet = self.wire.receive().await?;
            if let Some(payload) = payload(&packet, request) {
                return Ok(payload.to_vec());
            }
        }
    }
}

/// Returns the payload of a packet if it is the answer to a request.
fn payload<'a>(packet: &'a [u8], request: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = packet.split_at_checked(HEAD)?;
    let is_answer = head[0] & OPERATION == (request[0] & OPERATION) + 1 && head[4..] == request[4..HEAD];
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    rest.get(..length).filter(|_| is_answer)
}

/// Returns CBOR.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // writing to memory does not fail
    let _ = ciborium::into_writer(value, &mut out);
    out
}

/// Reads an answer.
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let nonsense = |error: ciborium::de::Error<io::Error>| Error::Nonsense(error.to_string());
    let refusal: Refusal = ciborium::from_reader(bytes).map_err(nonsense)?;
    match refusal {
        Refusal { err: Some(error), .. } => Err(Error::Store(error.rc)),
        Refusal { rc: 1.., .. } => Err(Error::Smp(refusal.rc)),
        _ => ciborium::from_reader(bytes).map_err(nonsense),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Offset {
        off: u32,
    }

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
    }

    #[test]
    fn answers_are_values_errors_of_the_group_and_errors_of_smp() {
        let read = |value: &Value| decode::<Offset>(&encode(value));
        assert_eq!(read(&map(&[("off", 7.into()), ("new", true.into())])), Ok(Offset { off: 7 }));
        assert_eq!(read(&map(&[("rc", 0.into()), ("off", 7.into())])), Ok(Offset { off: 7 }));
        let error = map(&[("group", 87.into()), ("rc", 13.into())]);
        assert_eq!(read(&map(&[("err", error)])), Err(Error::Store(13)));
        assert_eq!(read(&map(&[("rc", 8.into())])), Err(Error::Smp(8)));
        for value in [map(&[]), map(&[("off", (-1).into())]), Value::Array(vec![]), 7.into()] {
            assert!(matches!(read(&value), Err(Error::Nonsense(_))), "{value:?}");
        }
        for bytes in
            [&b""[..], b"\xff", b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert!(matches!(decode::<Offset>(bytes), Err(Error::Nonsense(_))), "{bytes:?}");
        }
        let deep = [0x81; 100_000];
        assert!(matches!(decode::<Offset>(&deep), Err(Error::Nonsense(_))));
    }

    #[test]
    fn an_answer_has_operation_group_sequence_and_command_of_its_request() {
        let request = [0x08, 0, 0, 1, 0, 87, 5, 2, 0xa0];
        let answer = [0x09, 0, 0, 1, 0, 87, 5, 2, 0xa0];
        assert_eq!(payload(&answer, &request), Some(&[0xa0][..]));
        for (at, byte) in [(0, 0x08), (0, 0x0b), (0, 0xff), (3, 2), (4, 1), (5, 0), (6, 4), (7, 3)] {
            let mut other = answer;
            other[at] = byte;
            assert_eq!(payload(&other, &request), None, "{at}");
        }
        for length in 0..HEAD {
            assert_eq!(payload(&answer[..length], &request), None);
        }
    }

    #[test]
    fn an_error_tells_words_and_whether_another_try_may_help() {
        assert_eq!(Error::Store(36).to_string(), format!("{} (error 36)", storage::words(36)));
        assert!(Error::Silent(String::new()).is_passing() && Error::Smp(10).is_passing());
        assert!(!Error::Store(36).is_passing() && !Error::Smp(8).is_passing());
    }
}
