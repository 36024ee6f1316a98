// SPDX-License-Identifier: Apache-2.0
//! A client of an MQTT broker.

use crate::abi::mqtt;
use crate::record::number;
use crate::timeout::ms;
use crate::{Errno, Error, TcpStream};
use core::time::Duration;

/// Options of a session.
#[derive(Debug, Clone, Copy, Default)]
pub struct MqttOptions<'a> {
    /// The client's name, which no other client of the broker has. With an empty name, the broker chooses one.
    pub client: &'a str,
    /// The name of a user, and behind a byte 0 the password: `b"name\0password"`. Empty without a user.
    pub login: &'a [u8],
    /// A message that the broker publishes if the session ends without [`MqttClient::disconnect`].
    pub will: Option<MqttWill<'a>>,
    /// The broker keeps subscriptions, and messages for them, while the client is away.
    pub keep_session: bool,
    /// Seconds within which the broker expects a sign of life, 0 for none. The host sends it while the app waits.
    pub keep_alive: u16,
}

/// The last message of a client that goes without a word.
#[derive(Debug, Clone, Copy)]
pub struct MqttWill<'a> {
    /// The topic of the message.
    pub topic: &'a str,
    /// The message.
    pub payload: &'a [u8],
    /// The quality of service with which others get it.
    pub quality: MqttQuality,
    /// The broker keeps it for those who subscribe later.
    pub retain: bool,
}

/// A quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttQuality {
    /// A message may be lost: quality of service 0.
    AtMostOnce,
    /// A message is acknowledged, and may come twice: quality of service 1.
    AtLeastOnce,
}

impl MqttQuality {
    fn flags(self, retain: bool) -> u32 {
        let quality = if self == MqttQuality::AtLeastOnce { mqtt::AT_LEAST_ONCE } else { 0 };
        quality | if retain { mqtt::RETAIN } else { 0 }
    }
}

/// A packet of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttPacket {
    /// The answer to [`MqttClient::begin`].
    Connected {
        /// 0, or the broker's reason to refuse.
        refusal: u8,
        /// The broker has kept a session.
        kept: bool,
    },
    /// A message, whose bytes [`MqttClient::read`] takes.
    Message(MqttMessage),
    /// The broker has the message with this identifier.
    Published(u16),
    /// The answer to [`MqttClient::subscribe`].
    Subscribed {
        /// The identifier that `subscribe` returned.
        id: u16,
        /// The quality of service that the broker grants, `None` if it refused.
        quality: Option<MqttQuality>,
    },
    /// The answer to [`MqttClient::unsubscribe`].
    Unsubscribed(u16),
    /// Something that this version of the crate does not know.
    Other(u32),
}

/// A message, before its bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttMessage {
    /// Bytes of the topic.
    pub topic_length: usize,
    /// Bytes of the payload.
    pub payload_length: usize,
    /// The broker had kept the message.
    pub retained: bool,
    /// The message may have come before.
    pub duplicate: bool,
}

impl MqttPacket {
    fn from_record(record: &[u8; mqtt::PACKET_SIZE]) -> Self {
        let [kind, id, value, topic, payload] = [0, 4, 8, 12, 16].map(|at| number(record, at, 4) as u32);
        match kind {
            mqtt::CONNECTED => MqttPacket::Connected { refusal: value as u8, kept: id != 0 },
            mqtt::MESSAGE => MqttPacket::Message(MqttMessage {
                topic_length: topic as usize,
                payload_length: payload as usize,
                retained: value & mqtt::RETAIN != 0,
                duplicate: value & mqtt::DUPLICATE != 0,
            }),
            mqtt::PUBLISHED => MqttPacket::Published(id as u16),
            mqtt::SUBSCRIBED => MqttPacket::Subscribed {
                id: id as u16,
                quality: match value {
                    0 => Some(MqttQuality::AtMostOnce),
                    1 => Some(MqttQuality::AtLeastOnce),
                    _ => None,
                },
            },
            mqtt::UNSUBSCRIBED => MqttPacket::Unsubscribed(id as u16),
            other => MqttPacket::Other(other),
        }
    }
}

/// A session with a broker over a connection. Closes the connection when dropped, after which the broker publishes the will.
#[derive(Debug)]
pub struct MqttClient(TcpStream);

impl MqttClient {
    /// Begins a session and waits for the broker's answer.
    ///
    /// # Errors
    /// `EACCES` if the broker refused, `ETIMEDOUT` if it did not answer in time, and those of [`MqttClient::begin`].
    pub fn connect(stream: TcpStream, options: &MqttOptions<'_>, timeout: Duration) -> Result<Self, Error> {
        let mut client = Self::begin(stream, options, timeout)?;
        match client.receive(timeout)? {
            MqttPacket::Connected { refusal: 0, .. } => Ok(client),
            _ => Err(Errno::Access.into()),
        }
    }

    /// Begins a session. The broker's answer is [`MqttPacket::Connected`].
    ///
    /// # Errors
    /// `EBUSY` if the app has a session, `EINVAL` for options that no broker takes, `EIO` if the connection has ended,
    /// `ETIMEDOUT` if it had no room in time. A firmware without MQTT does not start the app.
    pub fn begin(stream: TcpStream, options: &MqttOptions<'_>, timeout: Duration) -> Result<Self, Error> {
        let (topic, will, flags) = match options.will {
            Some(will) => (will.topic, will.payload, will.quality.flags(will.retain)),
            None => ("", &[][..], 0),
        };
        let flags = flags | if options.keep_session { mqtt::KEEP_SESSION } else { 0 };
        let (client, topic, seconds) = (options.client.as_bytes(), topic.as_bytes(), options.keep_alive.into());
        mqtt::connect(stream.source(), client, options.login, topic, will, flags, seconds, ms(timeout))?;
        Ok(MqttClient(stream))
    }

    /// Sends a message. With [`MqttQuality::AtLeastOnce`], the broker answers with [`MqttPacket::Published`] and the
    /// identifier that this returns.
    ///
    /// # Errors
    /// `EINVAL` for an empty topic or one with a wildcard, `EIO` if the session has ended, `ETIMEDOUT` if the connection
    /// had no room in time. `EAGAIN` if the app has used up its traffic.
    pub fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        quality: MqttQuality,
        retain: bool,
        timeout: Duration,
    ) -> Result<u16, Error> {
        let flags = quality.flags(retain);
        Ok(mqtt::publish(self.source(), topic.as_bytes(), payload, flags, 0, ms(timeout))? as u16)
    }

    /// Sends a message again whose answer did not come, also in the session after that of the first attempt.
    ///
    /// # Errors
    /// Returns the errors of [`MqttClient::publish`].
    pub fn publish_again(
        &mut self,
        id: u16,
        topic: &str,
        payload: &[u8],
        retain: bool,
        timeout: Duration,
    ) -> Result<(), Error> {
        let flags = MqttQuality::AtLeastOnce.flags(retain);
        mqtt::publish(self.source(), topic.as_bytes(), payload, flags, id.into(), ms(timeout))?;
        Ok(())
    }

    /// Asks for the messages of topics: `+` is any level, and a last `#` any levels. Returns the identifier that
    /// [`MqttPacket::Subscribed`] has.
    ///
    /// # Errors
    /// Returns the errors of [`MqttClient::publish`].
    pub fn subscribe(&mut self, filter: &str, quality: MqttQuality, timeout: Duration) -> Result<u16, Error> {
        Ok(mqtt::subscribe(self.source(), filter.as_bytes(), quality.flags(false), ms(timeout))? as u16)
    }

    /// Asks for no more messages of a filter. Returns the identifier that [`MqttPacket::Unsubscribed`] has.
    ///
    /// # Errors
    /// Returns the errors of [`MqttClient::publish`].
    pub fn unsubscribe(&mut self, filter: &str, timeout: Duration) -> Result<u16, Error> {
        Ok(mqtt::unsubscribe(self.source(), filter.as_bytes(), ms(timeout))? as u16)
    }

    /// Takes the next packet, waiting for it. What was not read of the message before is dropped, and that message is
    /// acknowledged.
    ///
    /// # Errors
    /// `ETIMEDOUT` if nothing came in time, `EIO` if the session has ended, `EAGAIN`.
    pub fn receive(&mut self, timeout: Duration) -> Result<MqttPacket, Error> {
        Ok(MqttPacket::from_record(&mqtt::receive(self.source(), ms(timeout))?))
    }

    /// Takes bytes of the message: those of its topic, and then those of its payload. One call takes bytes of one of the
    /// two. 0 is the end.
    ///
    /// # Errors
    /// Returns the errors of [`MqttClient::receive`].
    pub fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Error> {
        Ok(mqtt::read(self.source(), buffer, ms(timeout))? as usize)
    }

    /// Takes a whole message: its topic and its payload, one behind the other in the buffer. Each wait has this timeout.
    ///
    /// # Errors
    /// `EMSGSIZE` if the buffer is too short, and those of [`MqttClient::receive`].
    pub fn read_whole<'b>(
        &mut self,
        message: MqttMessage,
        buffer: &'b mut [u8],
        timeout: Duration,
    ) -> Result<(&'b [u8], &'b [u8]), Error> {
        let length = message.topic_length.saturating_add(message.payload_length);
        let buffer = buffer.get_mut(..length).ok_or(Error(Errno::MessageSize))?;
        let mut used = 0;
        while let Some(rest) = buffer.get_mut(used..).filter(|rest| !rest.is_empty()) {
            match self.read(rest, timeout)? {
                0 => return Err(Error(Errno::Io)),
                count => used += count,
            }
        }
        Ok(buffer.split_at(message.topic_length))
    }

    /// Ends the session and closes the connection. The broker does not publish the will.
    ///
    /// # Errors
    /// `ETIMEDOUT` if the connection had no room in time, `EIO` if the session has ended.
    pub fn disconnect(self, timeout: Duration) -> Result<(), Error> {
        Ok(mqtt::disconnect(self.source(), ms(timeout))?)
    }

    /// Returns the number that events of the connection carry.
    pub fn source(&self) -> u32 {
        self.0.source()
    }

    /// Starts or stops events for the readiness of the connection: see [`TcpStream::watch`]. Call
    /// [`MqttClient::receive`] without a timeout until it returns `ETIMEDOUT`, and then wait for the next event.
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
    fn packets_are_what_their_numbers_say() {
        let packet = |numbers: [u32; 5]| {
            let mut record = [0; mqtt::PACKET_SIZE];
            for (place, number) in record.chunks_exact_mut(4).zip(numbers) {
                place.copy_from_slice(&number.to_le_bytes());
            }
            MqttPacket::from_record(&record)
        };
        assert_eq!(packet([1, 1, 5, 0, 0]), MqttPacket::Connected { refusal: 5, kept: true });
        assert_eq!(packet([3, 65_535, 0, 0, 0]), MqttPacket::Published(65_535));
        assert_eq!(packet([4, 7, 0x80, 0, 0]), MqttPacket::Subscribed { id: 7, quality: None });
        assert_eq!(packet([4, 7, 1, 0, 0]), MqttPacket::Subscribed { id: 7, quality: Some(MqttQuality::AtLeastOnce) });
        assert_eq!(packet([5, 8, 0, 0, 0]), MqttPacket::Unsubscribed(8));
        assert_eq!(packet([9, 0, 0, 0, 0]), MqttPacket::Other(9));
        let message = MqttMessage { topic_length: 3, payload_length: 500, retained: true, duplicate: false };
        assert_eq!(packet([2, 0, 3, 3, 500]), MqttPacket::Message(message));
    }
}
