// SPDX-License-Identifier: Apache-2.0
//! The network: sockets of the workstation, within what the board file grants.

mod lookup;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::rate::Rate;
use lookup::Lookup;
use serde::Deserialize;
use socket::Slot;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use tls::{CredentialConfig, Secure};
use toml::Spanned;
use wisp_abi::net::{MAX_ENDPOINTS, MAX_SOCKETS};
use wisp_abi::Errno;
use wisp_host::platform::{
    mapped, may_enter, may_receive, proved, Clock, Endpoint, Kind, Net, Peer, Protocol, Received, Socket, Stage, Waited,
};
use wisp_host::Failure;

/// Time between two looks at the sockets while an app waits.
pub(crate) const POLL_US: u64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Link {
    Up,
    Down,
}

/// An app's network as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NetConfig {
    /// Peers and ports. An empty list grants nothing.
    endpoints: Vec<Spanned<String>>,
    /// Sockets that may be open.
    sockets: u32,
    /// Bytes of received datagrams that may wait in a socket.
    queue_size: u32,
    /// 0 for no limit.
    bytes_per_hour: u32,
    /// With `down`, nothing is ever answered.
    link: Link,
    /// Addresses of names. Other names are looked up by the workstation.
    names: BTreeMap<String, Spanned<IpAddr>>,
    /// Files with keys and certificates, by the numbers that entries have for them.
    credentials: BTreeMap<String, CredentialConfig>,
}

impl Default for NetConfig {
    fn default() -> Self {
        NetConfig {
            endpoints: Vec::new(),
            sockets: 2,
            queue_size: 1536,
            bytes_per_hour: 0,
            link: Link::Up,
            names: BTreeMap::new(),
            credentials: BTreeMap::new(),
        }
    }
}

impl NetConfig {
    /// Returns true if the app exchanges something with real peers, which needs real time.
    pub(crate) fn is_real(&self) -> bool {
        !self.endpoints.is_empty() && self.link == Link::Up
    }
}

/// Checks what the types of the description leave open.
pub(crate) fn check(text: &str, key: &str, config: &NetConfig) -> Result<(), Error> {
    if config.endpoints.len() > MAX_ENDPOINTS as usize {
        let message = format!("{key}.endpoints: {} entries, expected at most {MAX_ENDPOINTS}", config.endpoints.len());
        return Err(Error::at(text, config.endpoints.last().map(Spanned::span), message));
    }
    for entry in &config.endpoints {
        let wrong = |what: String| {
            let message = format!("{key}.endpoints: {:?}: {what}", entry.get_ref());
            Err(Error::at(text, Some(entry.span()), message))
        };
        match Endpoint::parse(entry.get_ref().as_bytes()) {
            Err(expected) => return wrong(expected.to_string()),
            Ok(Endpoint { tag, .. }) if tag != 0 && !config.credentials.contains_key(&tag.to_string()) => {
                return wrong(format!(
                    "no credential {tag}, expected {tag} = {{ ca = \"FILE\" }} in [{key}.credentials]"
                ));
            }
            Ok(_) => {}
        }
    }
    for (tag, credential) in &config.credentials {
        if let Err(what) = credential.load() {
            let message = format!("{key}.credentials.{tag}: {what}");
            return Err(Error::at(text, None, message).under(text, &format!("{key}.credentials")));
        }
    }
    for (name, value, range) in
        [("sockets", config.sockets, 1..=MAX_SOCKETS), ("queue_size", config.queue_size, 64..=65_536)]
    {
        if !range.contains(&value) {
            let message = format!("{key}.{name} = {value}, expected {} to {}", range.start(), range.end());
            return Err(Error::at(text, None, message));
        }
    }
    Ok(())
}

/// The network of one app.
#[derive(Debug)]
pub(crate) struct Network {
    endpoints: Vec<String>,
    resolved: Vec<Option<Ipv6Addr>>,
    sockets: Vec<Option<Slot>>,
    lookup: Option<Lookup>,
    names: BTreeMap<String, Ipv6Addr>,
    credentials: BTreeMap<String, Arc<rustls::ClientConfig>>,
    queue_size: usize,
    rate: Rate,
    link: Link,
}

impl Network {
    pub(crate) fn new(config: NetConfig) -> Self {
        let names = config.names.into_iter().map(|(name, found)| (name.to_lowercase(), mapped(found.into_inner())));
        // those that cannot be read were refused with the board file, unless they have changed since
        let load = |(tag, config): (String, CredentialConfig)| Some((tag, config.load().ok()?));
        Network {
            credentials: config.credentials.into_iter().filter_map(load).collect(),
            resolved: vec![None; config.endpoints.len()],
            endpoints: config.endpoints.into_iter().map(Spanned::into_inner).collect(),
            sockets: (0..config.sockets).map(|_| None).collect(),
            lookup: None,
            names: names.collect(),
            queue_size: config.queue_size as usize,
            rate: Rate::new(config.bytes_per_hour.into()),
            link: config.link,
        }
    }

    fn slot(&mut self, socket: u32) -> Result<&mut Slot, Errno> {
        self.sockets.get_mut(socket as usize).and_then(Option::as_mut).ok_or(Errno::BadHandle)
    }

    fn free(&self) -> Result<usize, Errno> {
        self.sockets.iter().position(Option::is_none).ok_or(Errno::NoMemory)
    }

    /// Returns true if sockets must be looked at while the app waits for an event.
    pub(crate) fn is_watched(&self) -> bool {
        self.link == Link::Up && self.sockets.iter().flatten().any(|slot| slot.watched != 0)
    }
}

impl SimPlatform {
    /// Takes in what has come for a socket, if its peer is granted.
    fn pump(&mut self, socket: u32) {
        let Some(mut slot) = self.net.sockets.get_mut(socket as usize).and_then(Option::take) else { return };
        let (protocol, port, now) = (slot.protocol, slot.local_port, self.now_us());
        let may = |peer: Peer| match protocol.is_stream() {
            false => may_receive(self, port, peer),
            true => may_enter(self, protocol, port, peer.address),
        };
        slot.pump(now, self.net.queue_size, &may);
        self.net.sockets[socket as usize] = Some(slot);
    }

    /// Queues events of watched sockets that became ready.
    pub(crate) fn collect_net_events(&mut self) {
        for socket in 0..self.net.sockets.len() as u32 {
            let due = match self.net.slot(socket) {
                Ok(slot) if slot.watched != 0 => {
                    self.pump(socket);
                    self.net.slot(socket).map_or(0, Slot::tell)
                }
                _ => 0,
            };
            if due != 0 {
                let now = self.now_us();
                self.queue.push(now, Kind::Net { socket, readiness: due });
            }
        }
    }

    /// Tries until there is a result or the time is over.
    fn try_until<T>(
        &mut self,
        until_us: u64,
        mut attempt: impl FnMut(&mut Self) -> Result<Option<T>, Errno>,
    ) -> Waited<T> {
        self.tick();
        loop {
            if let Some(result) = attempt(self)? {
                return Ok(Some(result));
            }
            let Some(left) = until_us.checked_sub(self.now_us()).filter(|left| *left > 0) else {
                return Ok(None);
            };
            let step = if self.net.link == Link::Up { left.min(POLL_US) } else { left };
            self.sleep_us(step).map_err(Failure::interrupted)?;
        }
    }

    /// Returns the same for one socket, after what has come for it was taken in.
    fn try_socket<T>(
        &mut self,
        socket: u32,
        until_us: u64,
        mut attempt: impl FnMut(&mut Slot) -> Result<Option<T>, Errno>,
    ) -> Waited<T> {
        self.net.slot(socket)?.told = 0;
        self.try_until(until_us, |app| {
            app.pump(socket);
            attempt(app.net.slot(socket)?)
        })
    }

    fn trace_net(&mut self, protocol: Protocol, what: &str, peer: Peer) {
        self.trace("net", protocol.name(), &format!("{what} {}", socket::std_address(peer)), "");
    }

    /// Returns the TLS of a connection that begins, if its entry asks for it.
    fn secure(&self, entry: Option<u32>, peer: Peer) -> Result<Option<Secure>, Errno> {
        let Some((tag, name)) = entry.and_then(|entry| proved(self, entry)) else { return Ok(None) };
        let config = self.net.credentials.get(&tag.to_string()).ok_or(Errno::NoEntry)?;
        Secure::new(config.clone(), name, peer).map(Some)
    }

    /// Logs why a connection could not be made secure.
    fn report_net_fault(&mut self, socket: u32, peer: Peer) {
        let Ok(Some(reason)) = self.net.slot(socket).map(|slot| slot.reason.take()) else { return };
        let message = format!("wisp:net@1 \"tls:{}\" failed: {reason}", socket::std_address(peer));
        self.trace("log", "wrn", &message, "");
    }
}

impl Net for SimPlatform {
    fn net_endpoint(&self, index: u32) -> Option<&[u8]> {
        self.net.endpoints.get(index as usize).map(|text| text.as_bytes())
    }

    fn net_resolved(&self, index: u32) -> Option<Ipv6Addr> {
        self.net.resolved.get(index as usize).copied().flatten()
    }

    fn set_net_resolved(&mut self, index: u32, address: Ipv6Addr) {
        if let Some(place) = self.net.resolved.get_mut(index as usize) {
            *place = Some(address);
        }
    }

    fn has_net_bytes(&mut self) -> bool {
        let now = self.now_us();
        self.net.rate.has_some(now)
    }

    fn use_net_bytes(&mut self, bytes: u32) {
        self.net.rate.spend(bytes.into());
    }

    fn is_looking_up(&self, name: &[u8]) -> bool {
        self.net.lookup.as_ref().is_some_and(|lookup| lookup.is_for(name))
    }

    fn look_up(&mut self, name: &[u8], until_us: u64) -> Waited<Ipv6Addr> {
        if self.net.link == Link::Up {
            let known = self.net.names.get(&String::from_utf8_lossy(name).to_lowercase());
            if let Some(address) = known.copied() {
                return Ok(Some(address));
            }
            let begun = self.net.lookup.take().unwrap_or_else(|| Lookup::begin(name));
            let other = !begun.is_for(name) && !begun.is_over();
            self.net.lookup = Some(if other || begun.is_for(name) { begun } else { Lookup::begin(name) });
            if other {
                return Err(Errno::Busy.into());
            }
        }
        let found = self.try_until(until_us, |app| match &app.net.lookup {
            Some(lookup) => lookup.answer().transpose(),
            None => Ok(None),
        });
        if !matches!(found, Ok(None)) {
            self.net.lookup = None;
        }
        found
    }

    fn open_net(&mut self, protocol: Protocol) -> Result<u32, Errno> {
        if protocol == Protocol::Dtls {
            return Err(Errno::NotSupported);
        }
        let free = self.net.free()?;
        self.net.sockets[free] = Some(Slot::new(protocol));
        Ok(free as u32)
    }

    fn net_socket(&self, socket: u32) -> Option<Socket> {
        let slot = self.net.sockets.get(socket as usize)?.as_ref()?;
        Some(Socket { protocol: slot.protocol, stage: slot.stage, local_port: slot.local_port })
    }

    fn bind_net(&mut self, socket: u32, ipv4: bool, port: u16) -> Result<(), Errno> {
        let down = self.net.link == Link::Down;
        let slot = self.net.slot(socket)?;
        slot.bind(ipv4, port, down)?;
        let (protocol, any) = (slot.protocol, socket::unspecified(ipv4));
        self.trace_net(protocol, "bind", Peer { address: any, port });
        Ok(())
    }

    fn connect_net(&mut self, socket: u32, peer: Peer, entry: Option<u32>, until_us: u64) -> Waited<()> {
        let down = self.net.link == Link::Down;
        let secure = self.secure(entry, peer)?;
        let slot = self.net.slot(socket)?;
        if slot.stage == Stage::Open {
            slot.connect(peer, secure, down)?;
            let protocol = slot.protocol;
            self.trace_net(protocol, "connect", peer);
        }
        let connected = self.try_socket(socket, until_us, Slot::connected);
        self.report_net_fault(socket, peer);
        connected
    }

    fn accept_net(&mut self, socket: u32, until_us: u64) -> Waited<(u32, Peer)> {
        let free = self.net.free()?;
        let Some((slot, peer)) = self.try_socket(socket, until_us, |slot| Ok(slot.accept()))? else {
            return Ok(None);
        };
        self.net.sockets[free] = Some(slot);
        self.trace_net(Protocol::Tcp, "accept", peer);
        Ok(Some((free as u32, peer)))
    }

    fn send_net(&mut self, socket: u32, bytes: &[u8], to: Option<Peer>, until_us: u64) -> Waited<usize> {
        let down = self.net.link == Link::Down;
        self.try_socket(socket, until_us, |slot| slot.send(bytes, to, down))
    }

    fn receive_net(&mut self, socket: u32, buffer: &mut [u8], until_us: u64) -> Waited<Received> {
        self.try_socket(socket, until_us, |slot| slot.receive(buffer))
    }

    fn watch_net(&mut self, socket: u32, readiness: u32) -> Result<(), Errno> {
        self.collect_events();
        self.queue.retain(|kind| !matches!(kind, Kind::Net { socket: source, .. } if source == socket));
        let slot = self.net.slot(socket)?;
        (slot.watched, slot.told) = (readiness, 0);
        Ok(())
    }

    fn net_ready(&mut self, socket: u32) -> u32 {
        self.tick();
        self.pump(socket);
        self.net.slot(socket).map_or(0, Slot::ready)
    }

    fn take_net_lost(&mut self, socket: u32) -> u32 {
        self.pump(socket);
        self.net.slot(socket).map_or(0, |slot| std::mem::take(&mut slot.lost))
    }

    fn shut_down_net(&mut self, socket: u32) -> Result<(), Errno> {
        self.net.slot(socket)?.shut_down()
    }

    fn close_net(&mut self, socket: u32) {
        self.queue.retain(|kind| !matches!(kind, Kind::Net { socket: source, .. } if source == socket));
        if let Some(mut slot) = self.net.sockets.get_mut(socket as usize).and_then(Option::take) {
            slot.end();
        }
    }

    fn release_net(&mut self) {
        (0..self.net.sockets.len() as u32).for_each(|socket| self.close_net(socket));
        self.net.resolved.fill(None);
        self.net.lookup = None;
    }
}
