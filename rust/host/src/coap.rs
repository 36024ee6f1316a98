// SPDX-License-Identifier: Apache-2.0
//! `wisp:coap@1`: CoAP over sockets of `wisp:net@1` (RFC 7252), with blocks (RFC 7959) and observations (RFC 7641).
//!
//! No message is kept here. The app's buffer holds what is sent and received. A request that is sent again is made again,
//! of the arguments that the app gives again. So the state is a few numbers, and the same code serves a device and a
//! workstation.

mod packet;
mod request;
mod serve;

use crate::app::PIECES;
use crate::bindings::CoapV1;
use crate::endpoint::Peer;
use crate::net::{Received, Socket, Stage};
use crate::parts::put_words;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use packet::{exponent_within, option, parse, uint, Block, Head, Malformed, Type, Writer, HEADER, LARGEST, TOKEN};
use request::{Exchange, Request};
use serve::{Answer, Seen, Served};
use wisp_abi::coap::{MAX_METHOD, MAX_OBSERVATIONS, MESSAGE, MORE, NO_FORMAT, OBSERVE, OBSERVED, ROOM};
use wisp_abi::Errno;

/// Seconds after which a notification is the newer one whatever its number says.
const REORDERED_S: u32 = 128;
/// The shortest buffer: room for the smallest block.
const SHORTEST: usize = ROOM as usize + 16;

const SIZE: usize = MESSAGE.size() as usize;

/// The requests, observations and resources of an app.
#[derive(Debug, Clone, Copy)]
pub struct CoapState {
    /// The request that goes on.
    exchange: Option<Exchange>,
    observations: [Option<Observation>; MAX_OBSERVATIONS as usize],
    /// The request of another that waits for an answer.
    served: Option<Served>,
    /// Requests of others that came before.
    seen: Seen,
    /// The identifier that was used last, 0 for none.
    last_id: u16,
    bodies: Bodies,
}

/// A part of a body that was taken, so that the next part can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Body {
    /// Stands for socket and target, 0 for none.
    of: u32,
    /// Stands for the ETag, 0 without one.
    etag: u32,
}

impl Body {
    const NONE: Body = Body { of: 0, etag: 0 };
}

/// The parts of bodies that were taken last: by a request, and from a notification.
#[derive(Debug, Clone, Copy)]
struct Bodies {
    requested: Body,
    notified: Body,
}

impl Bodies {
    /// Returns the last part of the body of a socket and a target.
    fn last_of(&self, target: u32) -> Option<Body> {
        [self.requested, self.notified].into_iter().find(|body| body.of == target)
    }

    /// Forgets the part of a body, in place of which another one comes.
    fn forget(&mut self, target: u32) {
        for body in [&mut self.requested, &mut self.notified] {
            if body.of == target {
                *body = Body::NONE;
            }
        }
    }
}

/// A resource whose notifications are taken.
#[derive(Debug, Clone, Copy)]
struct Observation {
    socket: u32,
    token: u32,
    /// Stands for socket and target.
    target: u32,
    /// The number and the time of the newest notification.
    sequence: u32,
    time_s: u32,
}

impl CoapState {
    /// Returns the state of an app that has not used CoAP.
    pub const fn new() -> Self {
        CoapState {
            exchange: None,
            observations: [None; MAX_OBSERVATIONS as usize],
            served: None,
            seen: Seen::new(),
            last_id: 0,
            bodies: Bodies { requested: Body::NONE, notified: Body::NONE },
        }
    }

    /// Lets identifiers begin behind a random one, if none was used yet.
    fn begin_ids(&mut self, random: [u8; 2]) {
        if self.last_id == 0 {
            self.last_id = u16::from_le_bytes(random);
        }
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    fn observation(&self, socket: u32, token: &[u8]) -> Option<usize> {
        let is_it = |found: &Observation| found.socket == socket && found.token.to_be_bytes().as_slice() == token;
        self.observations.iter().position(|observation| observation.as_ref().is_some_and(is_it))
    }
}

impl Default for CoapState {
    fn default() -> Self {
        CoapState::new()
    }
}

/// The state that a platform keeps for an app. A platform without the interface implements nothing.
pub trait Coap {
    /// Returns the app's state.
    fn coap(&mut self) -> Option<&mut CoapState> {
        None
    }
}

/// Options of a message that matter here.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    format: Option<u32>,
    accept: Option<u32>,
    observe: Option<u32>,
    block1: Option<Block>,
    block2: Option<Block>,
    etag: u32,
    /// A proxy is meant.
    is_for_proxy: bool,
    /// There is an option that must be understood, and is not.
    is_strange: bool,
}

impl Facts {
    fn read(head: &Head, bytes: &[u8]) -> Self {
        let mut facts = Facts::default();
        let (mut options, mut last) = (head.options(), 0);
        while let Some((number, value)) = options.next(bytes) {
            let value = bytes.get(value).unwrap_or(&[]);
            let short = |longest: usize| uint(value).filter(|_| value.len() <= longest);
            let is_repeated = core::mem::replace(&mut last, number) == number;
            // an option that is repeated against the rules, or has another length, is as good as unknown
            let is_known = match number {
                option::FORMAT => set(&mut facts.format, short(2)),
                option::ACCEPT => set(&mut facts.accept, short(2)),
                option::OBSERVE => set(&mut facts.observe, short(3)),
                option::BLOCK1 => set(&mut facts.block1, Block::read(value)),
                option::BLOCK2 => set(&mut facts.block2, Block::read(value)),
                option::ETAG => {
                    facts.etag = hash(0, value).max(1);
                    true
                }
                option::PROXY_URI | option::PROXY_SCHEME => {
                    facts.is_for_proxy = true;
                    true
                }
                option::URI_HOST => !is_repeated && (1..=255).contains(&value.len()),
                option::URI_PORT => !is_repeated && value.len() <= 2,
                option::URI_PATH | option::URI_QUERY => value.len() <= 255,
                _ => false,
            };
            // an odd number must be understood
            facts.is_strange |= !is_known && number & 1 == 1;
        }
        facts
    }
}

/// Notes the value of an option that can be there once. Returns true if this is the first one, and has a value.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_first = place.is_none() && value.is_some();
    if is_first {
        *place = value;
    }
    is_first
}

/// Continues a number that stands for bytes (FNV-1a with 32 bits).
fn hash(state: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(state ^ 0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn message(fields: [u32; SIZE / 4]) -> [u8; SIZE] {
    let mut record = [0; SIZE];
    put_words(&mut record, fields);
    record
}

/// Checks the number of a format.
fn check_format(format: u32) -> Result<(), Errno> {
    (format == NO_FORMAT || format <= u16::MAX.into()).then_some(()).ok_or(Errno::Invalid)
}

/// Returns the exponent of the largest block for a socket and a buffer.
fn largest_block(socket: Socket, buffer: usize) -> Result<u8, Errno> {
    let largest = if socket.protocol.is_secure() { LARGEST - 1 } else { LARGEST };
    exponent_within(buffer.saturating_sub(ROOM as usize)).map(|found| found.min(largest)).ok_or(Errno::MessageSize)
}

impl<P: Platform> App<P> {
    /// Acts on a copy of the state, which is kept however that ends.
    fn with_coap<T>(
        &mut self,
        act: impl FnOnce(&mut Self, &mut CoapState) -> Result<T, Failure<Errno>>,
    ) -> Result<T, Failure<Errno>> {
        let mut state = *self.platform.coap().ok_or(Errno::NoSuchDevice)?;
        let result = act(self, &mut state);
        self.keep_coap(state);
        result
    }

    fn keep_coap(&mut self, state: CoapState) {
        if let Some(place) = self.platform.coap() {
            *place = state;
        }
    }

    /// Forgets what belongs to a socket that is closed.
    pub(crate) fn forget_coap(&mut self, socket: u32) {
        if let Some(state) = self.platform.coap() {
            state.exchange = state.exchange.filter(|exchange| exchange.socket != socket);
            state.served = state.served.filter(|served| served.socket != socket);
            for place in &mut state.observations {
                *place = place.filter(|observation| observation.socket != socket);
            }
        }
    }

    /// Forgets everything: the app has ended.
    pub(crate) fn release_coap(&mut self) {
        self.keep_coap(CoapState::new());
    }

    /// Returns when a wait for an event has to look at the request that goes on, at the latest.
    pub(crate) fn coap_wake_us(&mut self) -> u64 {
        let exchange = self.platform.coap().and_then(|state| state.exchange.as_ref());
        exchange.map_or(u64::MAX, Exchange::wake_us)
    }

    /// Returns the socket of the request that goes on, if the app has to call again. It is returned once.
    pub(crate) fn wake_coap(&mut self, now_us: u64) -> Option<u32> {
        let exchange = self.platform.coap()?.exchange.as_mut().filter(|exchange| exchange.wake_us() <= now_us)?;
        exchange.told = true;
        Some(exchange.socket)
    }

    /// Sends a short message, which may be lost.
    fn tell(&mut self, socket: u32, to: Option<Peer>, bytes: &[u8]) -> Result<(), Failure<Errno>> {
        match self.net_send(socket, bytes, to, 0) {
            Err(Failure::Stop(stop)) => Err(Failure::Stop(stop)),
            _ => Ok(()),
        }
    }

    /// Sends an empty message: an acknowledgement or a reset.
    fn tell_empty(&mut self, socket: u32, to: Option<Peer>, kind: Type, id: u16) -> Result<(), Failure<Errno>> {
        let mut bytes = [0; HEADER];
        // it has room
        let _ = Writer::new(&mut bytes, kind, 0, id, &[]).finish(&[]);
        self.tell(socket, to, &bytes)
    }

    /// Answers what is no message, if it has to be.
    fn reject(&mut self, socket: u32, to: Option<Peer>, malformed: Malformed) -> Result<(), Failure<Errno>> {
        match malformed.rejected {
            Some((Type::Confirmable, id)) => self.tell_empty(socket, to, Type::Reset, id),
            _ => Ok(()),
        }
    }

    /// Answers a message that nothing here waits for. One that is expected elsewhere is left, so that it comes again.
    fn leave(
        &mut self,
        state: &CoapState,
        socket: u32,
        to: Option<Peer>,
        head: &Head,
        token: &[u8],
    ) -> Result<(), Failure<Errno>> {
        let waits = state.exchange.is_some_and(|found| found.socket == socket && found.token.to_be_bytes() == token);
        let is_expected =
            head.is_request() || (head.is_answer() && (waits || state.observation(socket, token).is_some()));
        // by a reset, an empty message is a question for a sign of life, and a notification ends the observation
        if head.is_sent() && !is_expected && (head.kind == Type::Confirmable || head.is_answer()) {
            self.tell_empty(socket, to, Type::Reset, head.id)?;
        }
        Ok(())
    }

    /// Returns a socket for datagrams that is in one of these states.
    fn datagrams(&self, socket: u32, is_right: fn(Stage) -> bool) -> Result<Socket, Errno> {
        let found = self.net_socket(socket)?;
        (!found.protocol.is_stream() && is_right(found.stage)).then_some(found).ok_or(Errno::Perm)
    }

    /// Takes the next notification or request.
    fn take_coap(
        &mut self,
        state: &mut CoapState,
        socket: u32,
        buffer: &mut [u8],
        end: u64,
    ) -> Result<[u8; SIZE], Failure<Errno>> {
        let found = self.datagrams(socket, |stage| matches!(stage, Stage::Bound | Stage::Connected))?;
        if buffer.len() < SHORTEST {
            return Err(Errno::MessageSize.into());
        }
        // the request before is not answered any more
        state.served = None;
        let mut pieces = PIECES;
        loop {
            let received = self.net_receive(socket, buffer, end)?;
            let to = (found.stage == Stage::Bound).then_some(received.peer);
            let bytes = buffer.get_mut(..received.count).unwrap_or(&mut []);
            match parse(bytes) {
                Err(malformed) => self.reject(socket, to, malformed)?,
                Ok(head) => {
                    let mut token = [0; TOKEN];
                    let token = copied(&mut token, head.token(bytes));
                    let observation = state.observation(socket, token);
                    // an acknowledgement or a reset is neither a notification nor a request, whatever else it says
                    let is_sent = head.is_sent();
                    let taken = match observation.filter(|_| is_sent && head.is_answer()) {
                        Some(index) => self.take_notification(state, socket, index, &head, bytes, received)?,
                        None if is_sent && head.is_request() => {
                            let served = Served::new(socket, to, &head, token);
                            self.take_request(state, served, &head, bytes, received)?
                        }
                        None => {
                            self.leave(state, socket, to, &head, token)?;
                            None
                        }
                    };
                    if let Some(message) = taken {
                        return Ok(message);
                    }
                }
            }
            self.take_more(&mut pieces, end)?;
        }
    }

    /// Takes a notification, unless it is older than one before.
    fn take_notification(
        &mut self,
        state: &mut CoapState,
        socket: u32,
        index: usize,
        head: &Head,
        bytes: &mut [u8],
        received: Received,
    ) -> Result<Option<[u8; SIZE]>, Failure<Errno>> {
        let facts = Facts::read(head, bytes);
        let number = index as u32 + 1;
        if facts.is_strange {
            // the server learns from a reset that the observation has ended, and the app from a message without contents
            self.tell_empty(socket, None, Type::Reset, head.id)?;
            state.observations[index] = None;
            return Ok(Some(message([head.code.into(), NO_FORMAT, NO_FORMAT, 0, number, 0, 0, 0])));
        }
        if head.kind == Type::Confirmable {
            self.tell_empty(socket, None, Type::Acknowledgement, head.id)?;
        }
        let now_s = self.uptime_s();
        let Some(Some(observation)) = state.observations.get_mut(index) else { return Ok(None) };
        let target = observation.target;
        let goes_on = match facts.observe.filter(|_| head.code < 128) {
            Some(sequence) if observation.is_older_than(sequence, now_s) => {
                (observation.sequence, observation.time_s) = (sequence, now_s);
                true
            }
            Some(_) => return Ok(None),
            None => false,
        };
        if !goes_on {
            state.observations[index] = None;
        }
        if received.length > received.count {
            return Err(Errno::MessageSize.into());
        }
        let length = received.count - head.payload;
        bytes.copy_within(head.payload.., 0);
        let block = facts.block2.unwrap_or(Block { number: 0, more: false, exponent: 0 });
        // the rest, if there is one, is compared with this part
        if block.more {
            state.bodies.forget(target);
            state.bodies.notified = Body { of: target, etag: facts.etag };
        }
        let flags = if goes_on { OBSERVED } else { 0 } | if block.more { MORE } else { 0 };
        let format = facts.format.unwrap_or(NO_FORMAT);
        let fields = [head.code.into(), format, NO_FORMAT, flags, number, block.offset(), 0, length as u32];
        Ok(Some(message(fields)))
    }

    fn uptime_s(&mut self) -> u32 {
        (self.platform.uptime_us() / 1_000_000) as u32
    }
}

impl Observation {
    /// Returns true if a notification with this number is a newer one: RFC 7641 section 3.4.
    fn is_older_than(&self, sequence: u32, now_s: u32) -> bool {
        let ahead = sequence.wrapping_sub(self.sequence) & 0xff_ffff;
        (ahead != 0 && ahead < 1 << 23) || now_s.wrapping_sub(self.time_s) > REORDERED_S
    }
}

/// Copies a token, so that the message may change.
fn copied<'b>(place: &'b mut [u8; TOKEN], token: &[u8]) -> &'b [u8] {
    for (to, from) in place.iter_mut().zip(token) {
        *to = *from;
    }
    place.get(..token.len()).unwrap_or(&[])
}

impl<P: Platform> CoapV1 for App<P> {
    fn request(
        &mut self,
        socket: u32,
        method: u32,
        target: &[u8],
        format: u32,
        payload: &[u8],
        offset: u32,
        buffer: &mut [u8],
        timeout: u32,
    ) -> Result<[u8; SIZE], Failure<Errno>> {
        let found = self.datagrams(socket, |stage| stage == Stage::Connected)?;
        check_format(format)?;
        let observes = method & OBSERVE != 0;
        let method = method & !OBSERVE;
        let is_method = (1..=MAX_METHOD).contains(&method) && (!observes || (method == 1 && offset == 0));
        if !is_method || offset % 16 != 0 {
            return Err(Errno::Invalid.into());
        }
        let request = Request::new(socket, method as u8, observes, target, format, payload, offset)?;
        let end = self.end_of_wait(timeout);
        self.with_coap(|app, state| app.ask(state, found, &request, buffer, end))
    }

    fn receive(&mut self, socket: u32, buffer: &mut [u8], timeout: u32) -> Result<[u8; SIZE], Failure<Errno>> {
        self.net_socket(socket)?;
        let end = self.end_of_wait(timeout);
        self.with_coap(|app, state| app.take_coap(state, socket, buffer, end))
    }

    fn respond(
        &mut self,
        socket: u32,
        code: u32,
        format: u32,
        body: &[u8],
        buffer: &mut [u8],
        timeout: u32,
    ) -> Result<(), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if !(64..192).contains(&code) {
            return Err(Errno::Invalid.into());
        }
        check_format(format)?;
        let end = self.end_of_wait(timeout);
        self.with_coap(|app, state| {
            let served = state.served.filter(|served| served.socket == socket).ok_or(Errno::Perm)?;
            let answer = Answer { code: code as u8, format, body };
            app.answer(state, found, &served, answer, buffer, end)?;
            state.served = None;
            Ok(())
        })
    }

    fn cancel(&mut self, socket: u32, observation: u32) -> Result<(), Failure<Errno>> {
        self.net_socket(socket)?;
        self.with_coap(|_, state| {
            let found = match observation.checked_sub(1) {
                None => {
                    let exchange = state.exchange.take_if(|exchange| exchange.socket == socket);
                    exchange.map(|exchange| exchange.forget_observation(state))
                }
                Some(index) => state
                    .observations
                    .get_mut(index as usize)
                    .and_then(|place| place.take_if(|found| found.socket == socket))
                    .map(|_| ()),
            };
            found.ok_or(Errno::NoEntry.into())
        })
    }
}

#[cfg(test)]
mod tests;
