// SPDX-License-Identifier: Apache-2.0
//! Requests of others, and their answers.

use super::packet::{exponent_within, option, size, Block, Head, Type, Writer, TOKEN};
use super::{copied, hash, largest_block, message, CoapState, Facts, SIZE};
use crate::endpoint::{Peer, Protocol};
use crate::net::{may_receive, Received, Socket};
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::coap::{BAD_REQUEST, MORE, NOT_FOUND, NO_FORMAT, REPEATED, ROOM, TOO_LARGE};
use wisp_abi::Errno;

/// 4.02: an option that must be understood is not.
const BAD_OPTION: u8 = 130;
/// 5.05: this is no proxy.
const NO_PROXY: u8 = 165;
/// Seconds within which an identifier is not used for another message: RFC 7252 section 4.8.2.
const LIFETIME_S: u32 = 247;
/// The numbers of requests that came before.
const REMEMBERED: usize = 4;

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    pub socket: u32,
    /// The peer that asked. `None` is the one of a connected socket.
    peer: Option<Peer>,
    token: [u8; TOKEN],
    token_length: u8,
    id: u16,
    is_confirmable: bool,
    block1: Option<Block>,
    block2: Option<Block>,
}

impl Served {
    pub fn new(socket: u32, peer: Option<Peer>, head: &Head, token: &[u8]) -> Self {
        let mut bytes = [0; TOKEN];
        let token_length = copied(&mut bytes, token).len() as u8;
        let is_confirmable = head.kind == Type::Confirmable;
        Served { socket, peer, token: bytes, token_length, id: head.id, is_confirmable, block1: None, block2: None }
    }

    fn token(&self) -> &[u8] {
        self.token.get(..usize::from(self.token_length)).unwrap_or(&[])
    }

    /// Begins the answer to a request that is confirmable. To another one, `id` is the answer's identifier.
    fn begin<'b>(&self, id: Option<u16>, code: u8, buffer: &'b mut [u8]) -> Writer<'b> {
        let (kind, id) = id.map_or((Type::Acknowledgement, self.id), |id| (Type::NonConfirmable, id));
        Writer::new(buffer, kind, code, id, self.token())
    }
}

/// The answer of an app.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub code: u8,
    pub format: u32,
    /// The whole body.
    pub body: &'a [u8],
}

/// The last requests, by numbers that stand for them, and the seconds of uptime at which they came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen([(u32, u32); REMEMBERED]);

impl Seen {
    pub const fn new() -> Self {
        Seen([(0, 0); REMEMBERED])
    }

    /// Notes a request. Returns true if it came before.
    fn note(&mut self, number: u32, now_s: u32) -> bool {
        let found = self.0.iter().any(|(seen, at)| *seen == number && now_s.wrapping_sub(*at) <= LIFETIME_S);
        if !found {
            self.0.rotate_right(1);
            self.0[0] = (number, now_s);
        }
        found
    }
}

/// Writes the target of a request to the beginning of its bytes, and returns its length. The options in front of those
/// that are read are no longer needed. `None` is a part that contains a separator.
fn gather_target(head: &Head, bytes: &mut [u8]) -> Option<usize> {
    let (mut used, mut options, mut has_path, mut has_query) = (0, head.options(), false, false);
    while let Some((number, value)) = options.next(bytes) {
        let (separator, others) = match (number, has_path, has_query) {
            (option::URI_PATH, false, _) => (None, &b"/?"[..]),
            (option::URI_PATH, true, _) => (Some(b'/'), &b"/?"[..]),
            (option::URI_QUERY, _, false) => (Some(b'?'), &b"&"[..]),
            (option::URI_QUERY, _, true) => (Some(b'&'), &b"&"[..]),
            _ => continue,
        };
        has_path |= number == option::URI_PATH;
        has_query |= number == option::URI_QUERY;
        if bytes.get(value.clone())?.iter().any(|byte| others.contains(byte)) {
            return None;
        }
        // each option has a byte in front of its value, so that the text stays behind what is read
        if let Some(separator) = separator {
            *bytes.get_mut(used)? = separator;
            used += 1;
        }
        let length = value.len();
        bytes.copy_within(value, used);
        used += length;
    }
    Some(used)
}

impl<P: Platform> App<P> {
    /// Takes a request for the app, or answers it if the app cannot have it.
    pub(super) fn take_request(
        &mut self,
        state: &mut CoapState,
        mut served: Served,
        head: &Head,
        bytes: &mut [u8],
        received: Received,
    ) -> Result<Option<[u8; SIZE]>, Failure<Errno>> {
        let facts = Facts::read(head, bytes);
        (served.block1, served.block2) = (facts.block1, facts.block2);
        let is_cut = received.length > received.count;
        let refusal = match facts {
            Facts { is_for_proxy: true, .. } => Some(NO_PROXY),
            Facts { is_strange: true, .. } => Some(BAD_OPTION),
            _ if is_cut => Some(TOO_LARGE as u8),
            _ => None,
        };
        let target = if refusal.is_none() { gather_target(head, bytes) } else { None };
        let Some(target) = target else {
            // the size of a block that has room
            let fitting = exponent_within(received.count.saturating_sub(ROOM as usize)).filter(|_| is_cut);
            served.block1 = fitting.and_then(|exponent| Block::at(0, exponent, false));
            self.refuse(&served, refusal.unwrap_or(NOT_FOUND as u8))?;
            return Ok(None);
        };
        let length = received.count - head.payload;
        bytes.copy_within(head.payload.., target);
        let mut number = hash(u32::from(head.id) | served.socket << 16, &received.peer.address.octets());
        number = hash(number, &received.peer.port.to_be_bytes());
        let now_s = self.uptime_s();
        let repeated = state.seen.note(number, now_s);
        let block = facts.block1.unwrap_or(Block { number: 0, more: false, exponent: 0 });
        let flags = if repeated { REPEATED } else { 0 } | if block.more { MORE } else { 0 };
        state.served = Some(served);
        let [format, accept] = [facts.format, facts.accept].map(|format| format.unwrap_or(NO_FORMAT));
        let fields = [head.code.into(), format, accept, flags, 0, block.offset(), target as u32, length as u32];
        Ok(Some(message(fields)))
    }

    /// Answers a request that the app does not see. One that needs no answer gets none.
    fn refuse(&mut self, served: &Served, code: u8) -> Result<(), Failure<Errno>> {
        let mut bytes = [0; 24];
        let mut writer = served.begin(None, code, &mut bytes);
        writer.block(option::BLOCK1, served.block1);
        match writer.finish(&[]) {
            Some(used) if served.is_confirmable => {
                self.tell(served.socket, served.peer, bytes.get(..used).unwrap_or(&[]))
            }
            _ => Ok(()),
        }
    }

    /// Returns the identifier of a message that the app begins. Without random numbers, the first one is 1.
    fn new_id(&mut self, state: &mut CoapState) -> u16 {
        let mut random = [0; 2];
        if state.last_id == 0 && self.platform.fill(&mut random).is_ok() {
            state.begin_ids(random);
        }
        state.next_id()
    }

    /// Answers a request with a body, of which the block is sent that was asked for.
    pub(super) fn answer(
        &mut self,
        state: &mut CoapState,
        found: Socket,
        served: &Served,
        Answer { code, format, body }: Answer<'_>,
        buffer: &mut [u8],
        end: u64,
    ) -> Result<(), Failure<Errno>> {
        if let Some(peer) = served.peer.filter(|peer| !may_receive(&self.platform, found.local_port, *peer)) {
            return Err(self.net_denied(Protocol::Udp, peer).into());
        }
        let largest = largest_block(found, buffer.len())?;
        let exponent = served.block2.map_or(largest, |block| block.exponent.min(largest));
        let at = served.block2.map_or(0, Block::offset);
        let rest = body.get(at as usize..).filter(|rest| at == 0 || !rest.is_empty());
        let id = if served.is_confirmable { None } else { Some(self.new_id(state)) };
        let mut writer = served.begin(id, if rest.is_some() { code } else { BAD_REQUEST as u8 }, buffer);
        let rest = rest.unwrap_or(&[]);
        let has_more = rest.len() > size(exponent);
        let piece = rest.get(..size(exponent)).unwrap_or(rest);
        let is_block = !rest.is_empty() && (has_more || at > 0 || served.block2.is_some());
        if is_block && body.len() > size(exponent) {
            writer.option(option::ETAG, &hash(0, body).to_be_bytes());
        }
        if format != NO_FORMAT && !rest.is_empty() {
            writer.number(option::FORMAT, format);
        }
        if is_block {
            let block = Block::at(at, exponent, has_more).ok_or(Errno::MessageSize)?;
            writer.block(option::BLOCK2, Some(block));
        }
        writer.block(option::BLOCK1, served.block1);
        let used = writer.finish(piece).ok_or(Errno::MessageSize)?;
        self.net_send(served.socket, buffer.get(..used).unwrap_or(&[]), served.peer, end)?;
        Ok(())
    }
}
