// SPDX-License-Identifier: Apache-2.0
//! `wisp:mqtt@1`: MQTT 3.1.1 over a connection of `wisp:net@1`.
//!
//! Nothing of a message is kept here. What comes goes into the app's memory as the app asks for it, and what the app
//! sends goes out of it. So a session is a few numbers, and the same code serves a device and a workstation.

mod packet;

use crate::app::PIECES;
use crate::bindings::MqttV1;
use crate::net::Stage;
use crate::parts::put_words;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use packet::{encode, parse, Begin, Malformed, Parsed, LARGEST, LONGEST};
use wisp_abi::mqtt::{
    AT_LEAST_ONCE, CONNECTED, KEEP_SESSION, MAX_TEXT, MESSAGE, PACKET, PUBLISHED, RETAIN, SUBSCRIBED, UNSUBSCRIBED,
};
use wisp_abi::{log, Errno};

/// Longest wait for a packet that has begun to be sent, beyond the timeout of the call.
const PATIENCE_US: u64 = 10_000_000;
/// Time until the next attempt to send a sign of life for which there was no room.
const AGAIN_US: u64 = 1_000_000;
/// Bytes that are gathered before they are sent.
const GATHERED: usize = 128;
/// Bytes that are dropped at once.
const DROPPED: usize = 64;

/// A session with a broker.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// The connection, `None` without a session.
    socket: Option<u32>,
    /// The broker has answered CONNECT.
    connected: bool,
    /// The session has ended: nothing more can be taken.
    over: bool,
    /// Nothing more can be sent, but what has come can be taken.
    mute: bool,
    /// Time without a packet after which a sign of life is due, 0 for none.
    interval_us: u64,
    /// When a sign of life is due, or the answer to one.
    due_us: u64,
    /// A sign of life was sent, and nothing has come since.
    asked: bool,
    /// The app was told that the answer is late.
    told: bool,
    /// The identifier that was used last.
    last_id: u16,
    /// The beginning of a packet that has not come whole.
    head: [u8; LONGEST],
    head_length: u8,
    /// Bytes that are left of a message: of its topic, of its identifier and of its payload.
    topic: u32,
    id_bytes: u8,
    payload: u32,
    /// The identifier, as far as it has come.
    id: u16,
    /// The message was read to its end and is not acknowledged.
    unacknowledged: bool,
}

impl Session {
    /// Returns the state without a session.
    pub const fn new() -> Self {
        Session {
            socket: None,
            connected: false,
            over: false,
            mute: false,
            interval_us: 0,
            due_us: u64::MAX,
            asked: false,
            told: false,
            last_id: 0,
            head: [0; LONGEST],
            head_length: 0,
            topic: 0,
            id_bytes: 0,
            payload: 0,
            id: 0,
            unacknowledged: false,
        }
    }

    /// Returns when the session has to be looked at while the app waits for an event.
    fn wake_us(&self) -> u64 {
        if self.told || self.over || self.mute {
            u64::MAX
        } else {
            self.due_us
        }
    }

    /// Lets the time of the next sign of life begin, unless the answer to one is awaited.
    fn sent(&mut self, now_us: u64) {
        if self.interval_us != 0 && !self.asked {
            self.due_us = now_us.saturating_add(self.interval_us);
        }
    }

    /// Ends the session, and returns the error that says it.
    fn end(&mut self) -> Failure<Errno> {
        self.over = true;
        Errno::Io.into()
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }
}

impl Default for Session {
    fn default() -> Self {
        Session::new()
    }
}

/// The session that a platform keeps for an app. A platform without the interface implements nothing.
pub trait Mqtt {
    /// Returns the app's session.
    fn mqtt(&mut self) -> Option<&mut Session> {
        None
    }
}

/// Returns true for an error of a connection that does not go on.
fn ends(error: Errno) -> bool {
    matches!(error, Errno::Io | Errno::NoDevice | Errno::Perm)
}

fn packet(numbers: [u32; 5]) -> [u8; PACKET.size() as usize] {
    let mut record = [0; PACKET.size() as usize];
    put_words(&mut record, numbers);
    record
}

/// Checks a text of MQTT, which may be empty.
fn check_text(text: &[u8]) -> Result<(), Errno> {
    check_length(text)?;
    let is_text = core::str::from_utf8(text).is_ok() && !text.contains(&0);
    is_text.then_some(()).ok_or(Errno::Invalid)
}

fn check_length(bytes: &[u8]) -> Result<(), Errno> {
    (bytes.len() <= MAX_TEXT as usize).then_some(()).ok_or(Errno::MessageSize)
}

/// Checks the topic of a message.
fn check_topic(topic: &[u8]) -> Result<(), Errno> {
    check_text(topic)?;
    let is_topic = !topic.is_empty() && !topic.iter().any(|byte| matches!(byte, b'+' | b'#'));
    is_topic.then_some(()).ok_or(Errno::Invalid)
}

/// Checks the filter of a subscription. The broker judges its wildcards.
fn check_filter(filter: &[u8]) -> Result<(), Errno> {
    check_text(filter)?;
    (!filter.is_empty()).then_some(()).ok_or(Errno::Invalid)
}

fn check_flags(flags: u32, allowed: u32) -> Result<(), Errno> {
    (flags & !allowed == 0).then_some(()).ok_or(Errno::Invalid)
}

/// Returns the length of a text as MQTT has it in front. It was checked.
fn prefix(text: &[u8]) -> [u8; 2] {
    (text.len() as u16).to_be_bytes()
}

impl<P: Platform> App<P> {
    /// Acts on a copy of the socket's session, which is kept however that ends.
    fn in_session<T>(
        &mut self,
        socket: u32,
        act: impl FnOnce(&mut Self, &mut Session) -> Result<T, Failure<Errno>>,
    ) -> Result<T, Failure<Errno>> {
        self.net_socket(socket)?;
        let found = self.platform.mqtt().copied().filter(|session| session.socket == Some(socket));
        let mut session = found.ok_or(Errno::Perm)?;
        if session.over {
            return Err(Errno::Io.into());
        }
        let result = act(self, &mut session);
        self.keep_session(session);
        result
    }

    fn keep_session(&mut self, session: Session) {
        if let Some(place) = self.platform.mqtt() {
            *place = session;
        }
    }

    /// Forgets the session of a socket that is closed.
    pub(crate) fn forget_session(&mut self, socket: u32) {
        if let Some(session) = self.platform.mqtt().filter(|session| session.socket == Some(socket)) {
            *session = Session { last_id: session.last_id, ..Session::new() };
        }
    }

    /// Forgets the session and its identifiers: the app has ended.
    pub(crate) fn release_session(&mut self) {
        self.keep_session(Session::new());
    }

    /// Returns when a wait for an event has to look at the session, at the latest.
    pub(crate) fn session_wake_us(&mut self) -> u64 {
        self.platform.mqtt().map_or(u64::MAX, |session| session.wake_us())
    }

    /// Does what is due in the session while the app waits for an event. Returns the socket if the app has to look at it.
    pub(crate) fn wake_session(&mut self, now_us: u64) -> Result<Option<u32>, Failure<Errno>> {
        let Some(mut session) = self.platform.mqtt().copied().filter(|session| session.wake_us() <= now_us) else {
            return Ok(None);
        };
        if !session.asked {
            match self.ask_for_life(&mut session, now_us) {
                Err(Failure::Stop(stop)) => return Err(Failure::Stop(stop)),
                Err(Failure::Error(_)) => session.mute = true,
                Ok(()) if session.mute => {}
                Ok(()) => {
                    self.keep_session(session);
                    return Ok(None);
                }
            }
        }
        session.told = true;
        self.keep_session(session);
        Ok(session.socket)
    }

    /// Sends a sign of life that is due. Without room or budget, another attempt follows. Nothing happens if nothing can be
    /// sent any more.
    fn ask_for_life(&mut self, session: &mut Session, now_us: u64) -> Result<(), Failure<Errno>> {
        match self.send_packet(session, 0xc0, &[], 0) {
            Err(Failure::Error(Errno::TimedOut | Errno::Again)) => {
                session.due_us = now_us.saturating_add(AGAIN_US);
                Ok(())
            }
            Ok(()) => {
                session.asked = true;
                Ok(())
            }
            Err(Failure::Error(_)) if session.mute => Ok(()),
            failed => failed,
        }
    }

    /// Sends all of these bytes. The first of them has until `end`, and what follows has longer.
    fn send_whole(
        &mut self,
        socket: u32,
        mut bytes: &[u8],
        end: &mut u64,
        begun: &mut bool,
    ) -> Result<(), Failure<Errno>> {
        while !bytes.is_empty() {
            let late = if *begun { Errno::Io } else { Errno::TimedOut };
            let sent = self.platform.send_net(socket, bytes, None, *end)?.ok_or(late)?;
            bytes = bytes.get(sent..).filter(|_| sent > 0).ok_or(Errno::Io)?;
            self.platform.use_net_bytes(sent as u32);
            if !*begun {
                *begun = true;
                *end = (*end).max(self.platform.uptime_us().saturating_add(PATIENCE_US));
            }
        }
        Ok(())
    }

    /// Sends a packet: its first byte, its length and its parts. Short ones are gathered, as each piece may become a
    /// packet of the network and a record of TLS. An error of the connection makes the session mute.
    fn send_packet(
        &mut self,
        session: &mut Session,
        first: u8,
        parts: &[&[u8]],
        end: u64,
    ) -> Result<(), Failure<Errno>> {
        if session.mute {
            return Err(Errno::Io.into());
        }
        match self.send_parts(session, first, parts, end) {
            Err(Failure::Error(error)) if ends(error) => {
                session.mute = true;
                Err(Errno::Io.into())
            }
            sent => sent,
        }
    }

    fn send_parts(
        &mut self,
        session: &mut Session,
        first: u8,
        parts: &[&[u8]],
        end: u64,
    ) -> Result<(), Failure<Errno>> {
        let socket = session.socket.ok_or(Errno::Perm)?;
        let length: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if length > LARGEST {
            return Err(Errno::MessageSize.into());
        }
        self.net_budget()?;
        let (mut end, mut begun) = (end, false);
        let (mut gathered, mut used) = ([0; GATHERED], 0);
        for part in [&[first][..], encode(length as u32, &mut [0; 4])].iter().chain(parts) {
            if used + part.len() > GATHERED {
                self.send_whole(socket, gathered.get(..used).unwrap_or(&[]), &mut end, &mut begun)?;
                used = 0;
            }
            match gathered.get_mut(used..used + part.len()) {
                Some(room) => {
                    room.copy_from_slice(part);
                    used += part.len();
                }
                None => self.send_whole(socket, part, &mut end, &mut begun)?,
            }
        }
        self.send_whole(socket, gathered.get(..used).unwrap_or(&[]), &mut end, &mut begun)?;
        let now = self.platform.uptime_us();
        session.sent(now);
        Ok(())
    }

    /// Takes bytes of the connection, at least one, and sends signs of life meanwhile. A mute session does not wait.
    fn take_bytes(&mut self, session: &mut Session, buffer: &mut [u8], end: u64) -> Result<usize, Failure<Errno>> {
        let socket = session.socket.ok_or(Errno::Perm)?;
        self.net_budget()?;
        // a broker that sends without a pause expects signs of life as well
        let now = self.platform.uptime_us();
        if now >= session.due_us && !session.asked {
            self.ask_for_life(session, now)?;
        }
        loop {
            let until = if session.mute { 0 } else { end.min(session.due_us) };
            match self.platform.receive_net(socket, buffer, until) {
                Ok(Some(received)) if received.count > 0 => {
                    self.platform.use_net_bytes(received.count as u32);
                    (session.asked, session.told) = (false, false);
                    return Ok(received.count);
                }
                Ok(Some(_)) => return Err(session.end()),
                Ok(None) if session.mute => return Err(session.end()),
                Ok(None) => {}
                Err(Failure::Error(error)) if ends(error) => return Err(session.end()),
                Err(failure) => return Err(failure),
            }
            let now = self.platform.uptime_us();
            if now < session.due_us {
                return Err(Errno::TimedOut.into());
            }
            if session.asked {
                return Err(session.end());
            }
            self.ask_for_life(session, now)?;
        }
    }

    /// Takes bytes of the topic, or of the payload, of the message that has begun. 0 is its end.
    fn take_message(&mut self, session: &mut Session, buffer: &mut [u8], end: u64) -> Result<usize, Failure<Errno>> {
        if session.topic != 0 {
            let taken = self.take_bytes(session, first_of(buffer, session.topic), end)?;
            session.topic = session.topic.saturating_sub(taken as u32);
            return Ok(taken);
        }
        while session.id_bytes != 0 {
            let mut byte = [0];
            self.take_bytes(session, &mut byte, end)?;
            session.id = session.id << 8 | u16::from(byte[0]);
            session.id_bytes -= 1;
            session.unacknowledged = session.id_bytes == 0;
            if session.unacknowledged && session.id == 0 {
                return Err(self.not_mqtt(session));
            }
        }
        if session.payload == 0 {
            return Ok(0);
        }
        let taken = self.take_bytes(session, first_of(buffer, session.payload), end)?;
        session.payload = session.payload.saturating_sub(taken as u32);
        Ok(taken)
    }

    /// Drops what is left of the message before, and acknowledges it. A mute session does not.
    fn finish_message(&mut self, session: &mut Session, pieces: &mut u32, end: u64) -> Result<(), Failure<Errno>> {
        let mut dropped = [0; DROPPED];
        while self.take_message(session, &mut dropped, end)? != 0 {
            self.take_more(pieces, end)?;
        }
        if session.unacknowledged {
            match self.send_packet(session, 0x40, &[&session.id.to_be_bytes()], end) {
                Err(Failure::Error(_)) if session.mute => {}
                sent => sent?,
            }
            session.unacknowledged = false;
        }
        Ok(())
    }

    /// Takes the beginning of the next packet.
    fn take_begin(&mut self, session: &mut Session, end: u64) -> Result<Begin, Failure<Errno>> {
        loop {
            let used = usize::from(session.head_length);
            let needs = match parse(session.head.get(..used).unwrap_or(&[])) {
                Ok(Parsed::Needs(needs)) => needs,
                Ok(Parsed::Begin(begin)) => {
                    session.head_length = 0;
                    return Ok(begin);
                }
                Err(Malformed) => return Err(self.not_mqtt(session)),
            };
            let mut bytes = [0; LONGEST];
            let taken = self.take_bytes(session, first_of(&mut bytes, needs as u32), end)?;
            for (place, byte) in session.head.iter_mut().skip(used).zip(bytes.iter().take(taken)) {
                *place = *byte;
            }
            session.head_length += taken as u8;
        }
    }

    /// Ends the session of a broker that does not speak MQTT.
    fn not_mqtt(&mut self, session: &mut Session) -> Failure<Errno> {
        if self.platform.max_level() >= log::WARN {
            self.platform.line(log::WARN, b"wisp:mqtt@1: the broker sent what MQTT does not allow");
        }
        session.end()
    }

    /// Takes the next packet that is one for the app.
    fn take_packet(&mut self, session: &mut Session, end: u64) -> Result<[u8; PACKET.size() as usize], Failure<Errno>> {
        let mut pieces = PIECES;
        self.finish_message(session, &mut pieces, end)?;
        loop {
            let begin = self.take_begin(session, end)?;
            let is_answer = matches!(begin, Begin::Connack { .. });
            // the answer to CONNECT comes first, and once
            if is_answer == session.connected {
                return Err(self.not_mqtt(session));
            }
            session.connected = true;
            return Ok(packet(match begin {
                Begin::Connack { kept, code } => [CONNECTED, kept.into(), code.into(), 0, 0],
                Begin::Publish { flags, topic, has_id, payload } => {
                    (session.topic, session.payload, session.id) = (topic, payload, 0);
                    session.id_bytes = if has_id { 2 } else { 0 };
                    [MESSAGE, 0, flags, topic, payload]
                }
                Begin::Puback(id) => [PUBLISHED, id.into(), 0, 0, 0],
                Begin::Suback(id, granted) => [SUBSCRIBED, id.into(), granted.into(), 0, 0],
                Begin::Unsuback(id) => [UNSUBSCRIBED, id.into(), 0, 0, 0],
                Begin::Pingresp => {
                    self.take_more(&mut pieces, end)?;
                    continue;
                }
            }));
        }
    }
}

/// Returns the first bytes of a buffer, at most so many.
fn first_of(buffer: &mut [u8], count: u32) -> &mut [u8] {
    let count = buffer.len().min(count as usize);
    buffer.get_mut(..count).unwrap_or(&mut [])
}

impl<P: Platform> MqttV1 for App<P> {
    fn connect(
        &mut self,
        socket: u32,
        client: &[u8],
        login: &[u8],
        will_topic: &[u8],
        will: &[u8],
        flags: u32,
        keep_alive: u32,
        timeout: u32,
    ) -> Result<(), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if !found.protocol.is_stream() || found.stage != Stage::Connected {
            return Err(Errno::Perm.into());
        }
        let before = *self.platform.mqtt().ok_or(Errno::NoSuchDevice)?;
        match before.socket {
            Some(other) if other != socket => return Err(Errno::Busy.into()),
            Some(_) => return Err(Errno::Perm.into()),
            None => {}
        }
        let (user, password) = match login.iter().position(|byte| *byte == 0) {
            Some(end) => (login.get(..end).unwrap_or(&[]), login.get(end + 1..)),
            None => (login, None),
        };
        let has_user = !user.is_empty();
        check_text(client)?;
        check_text(user)?;
        check_length(password.unwrap_or(&[]))?;
        check_length(will)?;
        check_flags(flags, KEEP_SESSION | AT_LEAST_ONCE | RETAIN)?;
        let seconds = u16::try_from(keep_alive).map_err(|_| Errno::Invalid)?;
        let has_will = !will_topic.is_empty();
        if has_will {
            check_topic(will_topic)?;
        }
        let lacks_topic = !has_will && (!will.is_empty() || flags & (AT_LEAST_ONCE | RETAIN) != 0);
        let lacks_client = client.is_empty() && flags & KEEP_SESSION != 0;
        if lacks_topic || lacks_client || (password.is_some() && !has_user) {
            return Err(Errno::Invalid.into());
        }
        let bit = |yes: bool, bit: u8| if yes { bit } else { 0 };
        let bits = bit(has_user, 0x80)
            | bit(password.is_some(), 0x40)
            | bit(flags & RETAIN != 0, 0x20)
            | bit(flags & AT_LEAST_ONCE != 0, 0x08)
            | bit(has_will, 0x04)
            | bit(flags & KEEP_SESSION == 0, 0x02);
        let [high, low] = seconds.to_be_bytes();
        let head = [0, 4, b'M', b'Q', b'T', b'T', 4, bits, high, low];
        let prefixes = [client, will_topic, will, user, password.unwrap_or(&[])].map(prefix);
        let length = |at: usize, is_there: bool| if is_there { &prefixes[at][..] } else { &[] };
        let parts = [
            &head[..],
            length(0, true),
            client,
            length(1, has_will),
            will_topic,
            length(2, has_will),
            will,
            length(3, has_user),
            user,
            length(4, password.is_some()),
            password.unwrap_or(&[]),
        ];
        // three quarters of what the broker expects
        let interval_us = u64::from(seconds) * 750_000;
        self.keep_session(Session { socket: Some(socket), last_id: before.last_id, interval_us, ..Session::new() });
        let end = self.end_of_wait(timeout);
        let sent = self.in_session(socket, |app, session| app.send_packet(session, 0x10, &parts, end));
        if let Err(Failure::Error(Errno::TimedOut | Errno::Again | Errno::MessageSize)) = sent {
            // nothing was sent
            self.forget_session(socket);
        }
        sent
    }

    fn publish(
        &mut self,
        socket: u32,
        topic: &[u8],
        payload: &[u8],
        flags: u32,
        id: u32,
        timeout: u32,
    ) -> Result<u32, Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        self.in_session(socket, |app, session| {
            check_topic(topic)?;
            check_flags(flags, AT_LEAST_ONCE | RETAIN)?;
            let is_answered = flags & AT_LEAST_ONCE != 0;
            let again = u16::try_from(id).map_err(|_| Errno::Invalid)?;
            if again != 0 && !is_answered {
                return Err(Errno::Invalid.into());
            }
            let id = match (is_answered, again) {
                (false, _) => 0,
                (true, 0) => session.next_id(),
                (true, again) => {
                    session.last_id = session.last_id.max(again);
                    again
                }
            };
            let number = id.to_be_bytes();
            let bit = |yes: bool, bit: u8| if yes { bit } else { 0 };
            let first = 0x30 | bit(again != 0, 8) | bit(is_answered, 2) | bit(flags & RETAIN != 0, 1);
            let number = if is_answered { &number[..] } else { &[] };
            let parts = [&prefix(topic)[..], topic, number, payload];
            app.send_packet(session, first, &parts, end).map(|()| id.into())
        })
    }

    fn subscribe(&mut self, socket: u32, filter: &[u8], flags: u32, timeout: u32) -> Result<u32, Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        self.in_session(socket, |app, session| {
            check_filter(filter)?;
            check_flags(flags, AT_LEAST_ONCE)?;
            let id = session.next_id();
            let parts = [&id.to_be_bytes()[..], &prefix(filter), filter, &[flags as u8]];
            app.send_packet(session, 0x82, &parts, end).map(|()| id.into())
        })
    }

    fn unsubscribe(&mut self, socket: u32, filter: &[u8], timeout: u32) -> Result<u32, Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        self.in_session(socket, |app, session| {
            check_filter(filter)?;
            let id = session.next_id();
            app.send_packet(session, 0xa2, &[&id.to_be_bytes(), &prefix(filter), filter], end).map(|()| id.into())
        })
    }

    fn receive(&mut self, socket: u32, timeout: u32) -> Result<[u8; PACKET.size() as usize], Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        self.in_session(socket, |app, session| app.take_packet(session, end))
    }

    fn read(&mut self, socket: u32, buffer: &mut [u8], timeout: u32) -> Result<u32, Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        self.in_session(socket, |app, session| match buffer.is_empty() {
            true => Ok(0),
            // it is a count of bytes in linear memory, so it fits
            false => app.take_message(session, buffer, end).map(|taken| taken as u32),
        })
    }

    fn disconnect(&mut self, socket: u32, timeout: u32) -> Result<(), Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        self.in_session(socket, |app, session| {
            // the broker does not wait for an answer to a message of quality of service 0
            if session.id_bytes != 0 || session.unacknowledged {
                app.finish_message(session, &mut { PIECES }, end)?;
            }
            app.send_packet(session, 0xe0, &[], end)?;
            *session = Session { last_id: session.last_id, ..Session::new() };
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
