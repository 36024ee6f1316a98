// SPDX-License-Identifier: Apache-2.0
//! The request of an app to a server, from its first datagram to the answer.

use super::packet::{option, parse, size, Block, Head, Type, Writer, HEADER};
use super::{hash, largest_block, message, Body, CoapState, Facts, Observation, SIZE};
use crate::app::PIECES;
use crate::net::{Received, Socket};
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::coap::{CONTINUE, MORE, NO_FORMAT, OBSERVED, ROOM, TOO_LARGE};
use wisp_abi::Errno;

/// The number of attempts, and the shortest time before the second one: RFC 7252 section 4.8.
const ATTEMPTS: u8 = 5;
const ACK_TIMEOUT_US: u32 = 2_000_000;
/// The longest wait for an answer that was promised by an acknowledgement: EXCHANGE_LIFETIME of section 4.8.2.
const PROMISE_US: u64 = 247_000_000;
/// Time until the next attempt to send something for which there was no room.
const AGAIN_US: u64 = 1_000_000;
/// The most that the option of a block takes.
const BLOCK: usize = 5;

/// The arguments of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    socket: u32,
    method: u8,
    observes: bool,
    path: &'a [u8],
    query: &'a [u8],
    format: u32,
    payload: &'a [u8],
    offset: u32,
}

/// The next step of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The request is to be sent.
    Due,
    /// An answer or an acknowledgement is awaited.
    Sent,
    /// An answer is awaited.
    Acknowledged,
}

/// The state of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    pub socket: u32,
    pub token: u32,
    /// Stands for the arguments, by which a call is known to go on.
    arguments: u32,
    /// Stands for socket and target.
    target: u32,
    id: u16,
    phase: Phase,
    /// The app was told to call again.
    pub told: bool,
    /// Attempts with this datagram.
    attempts: u8,
    /// The first time before it is sent again.
    interval_us: u32,
    due_us: u64,
    /// Bytes of the payload that the server has.
    sent: u32,
    /// Exponents of the blocks of the request and of the answer.
    block1: u8,
    block2: u8,
    /// Bytes of the answer's body that are in the buffer.
    got: u32,
    /// The number of the observation that the answer began, or 0.
    observation: u8,
}

impl Exchange {
    /// Returns when the app has to call again, at the latest.
    pub fn wake_us(&self) -> u64 {
        if self.told {
            u64::MAX
        } else {
            self.due_us
        }
    }

    /// Returns true if the answer began an observation that has not ended since.
    fn is_observed(&self, state: &CoapState) -> bool {
        let index = usize::from(self.observation).checked_sub(1);
        index.and_then(|index| state.observations.get(index)).is_some_and(Option::is_some)
    }

    /// Ends the observation that the answer began: without the answer, the app never learns its number.
    pub fn forget_observation(&self, state: &mut CoapState) {
        let index = usize::from(self.observation).checked_sub(1);
        if let Some(place) = index.and_then(|index| state.observations.get_mut(index)) {
            *place = None;
        }
    }

    /// Lets the next datagram begin.
    fn advance(&mut self, id: u16) {
        self.token = self.token.wrapping_add(1);
        (self.id, self.phase, self.attempts) = (id, Phase::Due, 0);
    }
}

impl<'a> Request<'a> {
    /// Checks a target, and returns the arguments.
    ///
    /// # Errors
    /// `EINVAL` for a target that no request can have.
    pub fn new(
        socket: u32,
        method: u8,
        observes: bool,
        target: &'a [u8],
        format: u32,
        payload: &'a [u8],
        offset: u32,
    ) -> Result<Self, Errno> {
        let (path, query) = match target.iter().position(|byte| *byte == b'?') {
            Some(at) => (target.get(..at).unwrap_or(&[]), target.get(at + 1..).unwrap_or(&[])),
            None => (target, &[][..]),
        };
        let fits = |text: &[u8], separator: u8| text.split(|byte| *byte == separator).all(|part| part.len() <= 255);
        if target.first() == Some(&b'/') || !fits(path, b'/') || !fits(query, b'&') {
            return Err(Errno::Invalid);
        }
        Ok(Request { socket, method, observes, path, query, format, payload, offset })
    }

    /// Returns a number that stands for socket and target, never 0.
    fn target(&self) -> u32 {
        hash(hash(self.socket, self.path), self.query).max(1)
    }

    /// Returns a number that stands for the arguments.
    fn number(&self, buffer: usize) -> u32 {
        let numbers = [
            u32::from(self.method) | u32::from(self.observes) << 8,
            self.format,
            self.payload.len() as u32,
            self.offset,
            buffer as u32,
        ];
        numbers.iter().fold(self.target(), |number, part| hash(number, &part.to_le_bytes()))
    }

    /// Begins the datagram that is next: up to the query.
    fn begin<'b>(&self, exchange: &Exchange, room: &'b mut [u8]) -> Writer<'b> {
        let (id, token) = (exchange.id, exchange.token.to_be_bytes());
        let mut writer = Writer::new(room, Type::Confirmable, self.method, id, &token);
        if self.observes && exchange.got == 0 {
            writer.number(option::OBSERVE, 0);
        }
        writer.parts(option::URI_PATH, self.path, b'/');
        if self.has_payload(exchange) && self.format != NO_FORMAT {
            writer.number(option::FORMAT, self.format);
        }
        writer.parts(option::URI_QUERY, self.query, b'&');
        if self.payload.is_empty() && self.format != NO_FORMAT {
            writer.number(option::ACCEPT, self.format);
        }
        writer
    }

    /// Returns true if the payload goes with the datagram. It does not if the first block of the answer is there.
    fn has_payload(&self, exchange: &Exchange) -> bool {
        !self.payload.is_empty() && self.at(exchange) == 0
    }

    /// Returns the position of the block that is wanted.
    fn at(&self, exchange: &Exchange) -> u32 {
        self.offset.saturating_add(exchange.got)
    }

    /// Returns the bytes of the payload behind the block that is sent, `None` if there is no block.
    fn behind(&self, exchange: &Exchange) -> Option<usize> {
        let in_blocks = self.has_payload(exchange) && self.payload.len() > size(exchange.block1);
        in_blocks.then(|| self.payload.len().saturating_sub(exchange.sent as usize + size(exchange.block1)))
    }

    /// Writes the datagram that is next, and returns its length. `None` does not fit.
    fn write(&self, exchange: &Exchange, room: &mut [u8]) -> Option<usize> {
        let mut writer = self.begin(exchange, room);
        let at = self.at(exchange);
        // an answer without the option has at most the largest block
        if at > 0 || exchange.block2 < super::LARGEST {
            writer.block(option::BLOCK2, Some(Block::at(at, exchange.block2, false)?));
        }
        if !self.has_payload(exchange) {
            return writer.finish(&[]);
        }
        let Some(behind) = self.behind(exchange) else { return writer.finish(self.payload) };
        writer.block(option::BLOCK1, Some(Block::at(exchange.sent, exchange.block1, behind > 0)?));
        let rest = self.payload.get(exchange.sent as usize..)?;
        writer.finish(rest.get(..size(exchange.block1)).unwrap_or(rest))
    }
}

impl<P: Platform> App<P> {
    /// Begins the exchange of a request.
    fn begin_exchange(
        &mut self,
        state: &mut CoapState,
        found: Socket,
        request: &Request<'_>,
        buffer: &mut [u8],
    ) -> Result<Exchange, Failure<Errno>> {
        let largest = largest_block(found, buffer.len())?;
        let aligned = request.offset.trailing_zeros().saturating_sub(4).min(u32::from(largest)) as u8;
        if request.observes && state.observations.iter().all(Option::is_some) {
            return Err(Errno::NoMemory.into());
        }
        let mut random = [0; 8];
        self.platform.fill(&mut random)?;
        let [a, b, c, d, e, f, g, h] = random;
        let mut token = u32::from_le_bytes([c, d, e, f]);
        while state.observation(request.socket, &token.to_be_bytes()).is_some() {
            token = token.wrapping_add(1);
        }
        state.begin_ids([a, b]);
        let mut exchange = Exchange {
            socket: request.socket,
            token,
            arguments: request.number(buffer.len()),
            target: request.target(),
            id: state.next_id(),
            phase: Phase::Due,
            told: false,
            attempts: 0,
            interval_us: ACK_TIMEOUT_US + (u32::from(u16::from_le_bytes([g, h])) * (ACK_TIMEOUT_US / 2 / 65_536)),
            due_us: 0,
            sent: 0,
            block1: 0,
            block2: aligned,
            got: 0,
            observation: 0,
        };
        Block::at(request.offset, aligned, false).ok_or(Errno::Invalid)?;
        let room = request.begin(&exchange, buffer).room().saturating_sub(BLOCK);
        if request.has_payload(&exchange) {
            let fitting = super::exponent_within(room.saturating_sub(BLOCK)).ok_or(Errno::MessageSize)?;
            exchange.block1 = fitting.min(largest);
        }
        Ok(exchange)
    }

    /// Asks, or goes on with that, until there is an answer, an error or the end of the time.
    pub(super) fn ask(
        &mut self,
        state: &mut CoapState,
        found: Socket,
        request: &Request<'_>,
        buffer: &mut [u8],
        end: u64,
    ) -> Result<[u8; SIZE], Failure<Errno>> {
        let mut exchange = match state.exchange {
            Some(exchange) if exchange.arguments == request.number(buffer.len()) => exchange,
            Some(_) => return Err(Errno::Busy.into()),
            None => self.begin_exchange(state, found, request, buffer)?,
        };
        exchange.told = false;
        let result = self.go_on_asking(state, &mut exchange, request, buffer, end);
        // without time or budget, the request goes on
        let goes_on = matches!(result, Err(Failure::Error(Errno::TimedOut | Errno::Again)));
        state.exchange = goes_on.then_some(exchange);
        if result.is_err() && !goes_on {
            exchange.forget_observation(state);
        }
        result
    }

    fn go_on_asking(
        &mut self,
        state: &mut CoapState,
        exchange: &mut Exchange,
        request: &Request<'_>,
        buffer: &mut [u8],
        end: u64,
    ) -> Result<[u8; SIZE], Failure<Errno>> {
        let mut pieces = PIECES;
        loop {
            let room = buffer.get_mut(exchange.got as usize..).unwrap_or(&mut []);
            if exchange.phase == Phase::Due {
                self.send_request(exchange, request, room, end)?;
            }
            let mut is_empty = false;
            match self.net_receive(request.socket, room, end.min(exchange.due_us)) {
                Ok(received) => {
                    if let Some(message) = self.take_for(state, exchange, request, buffer, received)? {
                        return Ok(message);
                    }
                }
                Err(Failure::Error(Errno::TimedOut)) => is_empty = true,
                // the server is not there yet: no answer comes before the next attempt
                Err(Failure::Error(Errno::NoDevice)) => {
                    let now = self.platform.uptime_us();
                    let pause = end.min(exchange.due_us).saturating_sub(now);
                    self.platform.sleep_us(pause).map_err(Failure::interrupted)?;
                }
                Err(failure) => return Err(failure),
            }
            let now = self.platform.uptime_us();
            if exchange.phase != Phase::Due && now >= exchange.due_us {
                if exchange.phase == Phase::Acknowledged || exchange.attempts >= ATTEMPTS {
                    return Err(Errno::NoDevice.into());
                }
                exchange.phase = Phase::Due;
            } else if is_empty {
                return Err(Errno::TimedOut.into());
            }
            self.take_more(&mut pieces, end)?;
        }
    }

    /// Sends the datagram that is next.
    fn send_request(
        &mut self,
        exchange: &mut Exchange,
        request: &Request<'_>,
        room: &mut [u8],
        end: u64,
    ) -> Result<(), Failure<Errno>> {
        let used = request.write(exchange, room).ok_or(Errno::MessageSize)?;
        let sent = self.net_send(request.socket, room.get(..used).unwrap_or(&[]), None, end);
        let now = self.platform.uptime_us();
        match sent {
            // a refusal of what was sent before
            Ok(_) | Err(Failure::Error(Errno::NoDevice)) => {
                exchange.due_us = now.saturating_add(u64::from(exchange.interval_us) << exchange.attempts);
                exchange.attempts += 1;
                exchange.phase = Phase::Sent;
                Ok(())
            }
            Err(failure) => {
                exchange.due_us = now.saturating_add(AGAIN_US);
                Err(failure)
            }
        }
    }

    /// Takes a datagram. Returns the answer if it is complete, or if the buffer is full.
    fn take_for(
        &mut self,
        state: &mut CoapState,
        exchange: &mut Exchange,
        request: &Request<'_>,
        buffer: &mut [u8],
        received: Received,
    ) -> Result<Option<[u8; SIZE]>, Failure<Errno>> {
        let socket = request.socket;
        let bytes = buffer.get(exchange.got as usize..).and_then(|rest| rest.get(..received.count)).unwrap_or(&[]);
        let head = match parse(bytes) {
            Ok(head) => head,
            Err(malformed) => return self.reject(socket, None, malformed).map(|()| None),
        };
        let is_ours = head.id == exchange.id && exchange.phase != Phase::Due;
        let is_answer = head.is_answer() && head.token(bytes) == exchange.token.to_be_bytes();
        match (head.kind, head.code) {
            // a promise counts once: a server that repeats it does not hold the request for ever
            (Type::Acknowledgement, 0) if is_ours && exchange.phase == Phase::Sent => {
                exchange.phase = Phase::Acknowledged;
                exchange.due_us = self.platform.uptime_us().saturating_add(PROMISE_US);
            }
            (Type::Reset, 0) if is_ours => return Err(Errno::NoDevice.into()),
            (Type::Acknowledgement, _) if is_ours && is_answer => {
                return self.take_answer(state, exchange, request, buffer, received, &head);
            }
            (Type::Confirmable | Type::NonConfirmable, _) if is_answer => {
                if head.kind == Type::Confirmable {
                    let is_strange = Facts::read(&head, bytes).is_strange;
                    let kind = if is_strange { Type::Reset } else { Type::Acknowledgement };
                    self.tell_empty(socket, None, kind, head.id)?;
                }
                return self.take_answer(state, exchange, request, buffer, received, &head);
            }
            _ => self.leave(state, socket, None, &head, head.token(bytes))?,
        }
        Ok(None)
    }

    /// Takes the answer to a datagram. Returns nothing if another datagram has to be sent.
    fn take_answer(
        &mut self,
        state: &mut CoapState,
        exchange: &mut Exchange,
        request: &Request<'_>,
        buffer: &mut [u8],
        received: Received,
        head: &Head,
    ) -> Result<Option<[u8; SIZE]>, Failure<Errno>> {
        let got = exchange.got as usize;
        let bytes = buffer.get(got..).and_then(|rest| rest.get(..received.count)).unwrap_or(&[]);
        let facts = Facts::read(head, bytes);
        if facts.is_strange {
            return Err(Errno::Io.into());
        }
        if self.goes_on_sending(state, exchange, request, head, &facts)? {
            return Ok(None);
        }
        if received.length > received.count {
            return Err(Errno::MessageSize.into());
        }
        let at = request.at(exchange);
        let length = received.count - head.payload;
        let is_success = head.code < 128;
        let mut more = false;
        if is_success {
            more = check_block(exchange, at, length, facts.block2)?;
            let body = Body { of: exchange.target, etag: facts.etag };
            if at > 0 && state.bodies.last_of(body.of).is_some_and(|before| before != body) {
                return Err(Errno::Io.into());
            }
            state.bodies.forget(body.of);
            state.bodies.requested = body;
            if let Some(sequence) = facts.observe.filter(|_| request.observes && at == 0) {
                exchange.observation = self.observe(state, exchange, sequence)?;
            }
        }
        // an error in place of a block comes alone
        let kept = if is_success { got } else { 0 };
        buffer.copy_within(got + head.payload..got + received.count, kept);
        exchange.got = (kept + length) as u32;
        if more {
            let room = buffer.get_mut(kept + length..).unwrap_or(&mut []);
            if room.len() >= ROOM as usize + size(exchange.block2) {
                let before = *exchange;
                exchange.advance(state.next_id());
                if request.write(exchange, room).is_some() {
                    return Ok(None);
                }
                *exchange = before;
            }
        }
        let observation = if exchange.is_observed(state) { exchange.observation.into() } else { 0 };
        let flags = if more { MORE } else { 0 } | if observation != 0 { OBSERVED } else { 0 };
        let format = facts.format.unwrap_or(NO_FORMAT);
        let offset = if is_success { request.offset } else { 0 };
        Ok(Some(message([head.code.into(), format, NO_FORMAT, flags, observation, offset, 0, exchange.got])))
    }

    /// Begins an observation, and returns its number.
    fn observe(&mut self, state: &mut CoapState, exchange: &Exchange, sequence: u32) -> Result<u8, Failure<Errno>> {
        let time_s = self.uptime_s();
        let free = state.observations.iter().position(Option::is_none).ok_or(Errno::NoMemory)?;
        let Exchange { socket, token, target, .. } = *exchange;
        state.observations[free] = Some(Observation { socket, token, target, sequence, time_s });
        Ok(free as u8 + 1)
    }

    /// Looks whether the server wants the next block of the payload, or smaller ones. Returns true if it does.
    fn goes_on_sending(
        &mut self,
        state: &mut CoapState,
        exchange: &mut Exchange,
        request: &Request<'_>,
        head: &Head,
        facts: &Facts,
    ) -> Result<bool, Failure<Errno>> {
        let behind = request.behind(exchange);
        match (u32::from(head.code), facts.block1) {
            (CONTINUE, Some(block)) => {
                let is_this = block.number == exchange.sent >> (exchange.block1 + 4);
                let is_next = is_this && block.exponent <= exchange.block1 && behind.is_some_and(|behind| behind > 0);
                if !is_next {
                    return Err(Errno::Io.into());
                }
                exchange.sent += size(exchange.block1) as u32;
                exchange.block1 = block.exponent;
            }
            (CONTINUE, None) => return Err(Errno::Io.into()),
            (TOO_LARGE, Some(block)) => {
                let is_smaller = size(block.exponent) < size(exchange.block1).min(request.payload.len());
                if !is_smaller || exchange.sent != 0 || !request.has_payload(exchange) {
                    return Ok(false);
                }
                exchange.block1 = block.exponent;
            }
            _ => return Ok(false),
        }
        exchange.advance(state.next_id());
        Ok(true)
    }
}

/// Checks that a block of an answer is the one that was wanted, and takes its size. Returns true if the body goes on.
fn check_block(exchange: &mut Exchange, at: u32, length: usize, block: Option<Block>) -> Result<bool, Errno> {
    let Some(block) = block else {
        // the whole body
        return if at == 0 { Ok(false) } else { Err(Errno::Io) };
    };
    let is_whole = if block.more { length == block.size() } else { length <= block.size() };
    if block.offset() != at || block.exponent > exchange.block2 || !is_whole {
        return Err(Errno::Io);
    }
    exchange.block2 = block.exponent;
    Ok(block.more)
}

const _: () = assert!(HEADER + 4 + BLOCK < ROOM as usize);
