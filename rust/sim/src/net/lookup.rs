// SPDX-License-Identifier: Apache-2.0
//! Lookups of names by the workstation, which cannot be called off and so have a thread each.

use std::cell::OnceCell;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{channel, Receiver, TryRecvError};
use wisp_abi::Errno;
use wisp_host::platform::mapped;

type Answer = Result<Ipv6Addr, Errno>;

/// A lookup that was begun.
#[derive(Debug)]
pub(super) struct Lookup {
    name: Vec<u8>,
    answers: Receiver<Answer>,
    answer: OnceCell<Answer>,
}

/// Chooses an address as a device does: the first of IPv4, else the first.
fn choose(addresses: impl Iterator<Item = SocketAddr> + Clone) -> Answer {
    let v4 = addresses.clone().find(SocketAddr::is_ipv4);
    v4.or_else(|| addresses.clone().next()).map(|address| mapped(address.ip())).ok_or(Errno::NoEntry)
}

impl Lookup {
    /// Begins to look up a name, which the host has found to be one.
    pub(super) fn begin(name: &[u8]) -> Self {
        let (sender, answers) = channel();
        let text = String::from_utf8_lossy(name).into_owned();
        // if there is no thread, the channel is closed, which is an answer
        let _ = std::thread::Builder::new().spawn(move || {
            let found = (text.as_str(), 0).to_socket_addrs();
            // nobody listens once the app has ended
            let _ = sender.send(found.map_or(Err(Errno::NoEntry), choose));
        });
        Lookup { name: name.to_ascii_lowercase(), answers, answer: OnceCell::new() }
    }

    /// Returns true if this is the lookup of a name.
    pub(super) fn is_for(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Returns the answer once there is one.
    pub(super) fn answer(&self) -> Option<Answer> {
        let received = match self.answers.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Errno::Io)),
        };
        match (self.answer.get(), received) {
            (Some(answer), _) => Some(*answer),
            (None, Some(answer)) => Some(*self.answer.get_or_init(|| answer)),
            (None, None) => None,
        }
    }

    /// Returns true if there is an answer.
    pub(super) fn is_over(&self) -> bool {
        self.answer().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ipv4_address_is_chosen_and_else_the_first() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        let both = [at("2001:db8::1"), at("192.0.2.1"), at("192.0.2.2")];
        assert_eq!(choose(both.into_iter()), Ok("::ffff:192.0.2.1".parse().unwrap()));
        assert_eq!(choose(both[..1].iter().copied()), Ok("2001:db8::1".parse().unwrap()));
        assert_eq!(choose(both[..0].iter().copied()), Err(Errno::NoEntry));
    }
}
