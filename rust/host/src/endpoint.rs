// SPDX-License-Identifier: Apache-2.0
//! The text of a granted endpoint, such as `udp:192.0.2.0/24:5683`: how it is read, and what it grants.
//!
//! Addresses are [`Ipv6Addr`] throughout. The IPv4 address a.b.c.d is ::ffff:a.b.c.d.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::RangeInclusive;
use wisp_abi::net::MAX_NAME;

/// Transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
    /// Connections that TLS protects.
    Tls,
    /// Datagrams to one peer that DTLS protects.
    Dtls,
}

impl Protocol {
    /// Returns true if there are connections that carry a stream, false if there are datagrams.
    pub fn is_stream(self) -> bool {
        matches!(self, Protocol::Tcp | Protocol::Tls)
    }

    /// Returns true if a credential protects what is exchanged.
    pub fn is_secure(self) -> bool {
        matches!(self, Protocol::Tls | Protocol::Dtls)
    }

    /// Returns the name that entries have for the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
            Protocol::Tls => "tls",
            Protocol::Dtls => "dtls",
        }
    }
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address, with IPv4 as ::ffff:a.b.c.d.
    pub address: Ipv6Addr,
    /// The port.
    pub port: u16,
}

/// The hosts that an endpoint grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// All addresses that have these leading bits, of 128.
    Prefix(Ipv6Addr, u8),
    /// The address that was found for a name.
    Name(&'a [u8]),
}

/// One entry of `net-endpoints`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// The protocol.
    pub protocol: Protocol,
    /// True if peers may come to a port of the app, false if the app may go to a port of theirs.
    pub listens: bool,
    /// The peers.
    pub host: Host<'a>,
    /// The number of the credential of a secure protocol, else 0.
    pub tag: u16,
    first: u16,
    last: u16,
}

/// Fault in the text of an endpoint. Prints as what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointError {
    /// The parts are not there.
    Form,
    /// The protocol is unknown.
    Protocol,
    /// The address is none.
    Address,
    /// The length of the prefix is none.
    Prefix,
    /// The address has bits behind its prefix.
    Bits,
    /// The name is none.
    Name,
    /// A listener has a name.
    ListensToName,
    /// The address 0.0.0.0 or :: where a peer is expected.
    Anyone,
    /// The port is none.
    Port,
    /// A secure protocol has no credential, or another one has.
    Tag,
}

impl EndpointError {
    /// Returns what was expected.
    pub const fn expected(self) -> &'static str {
        match self {
            EndpointError::Form => "expected PROTOCOL:HOST:PORT, such as udp:192.0.2.0/24:5683 or tcp:[2001:db8::1]:80",
            EndpointError::Protocol => "expected udp, tcp, tls, dtls, udp-listen or tcp-listen before the first colon",
            EndpointError::Address => "expected an address such as 192.0.2.1, or [2001:db8::1] in brackets",
            EndpointError::Prefix => "expected a length of the prefix of 0 to 32 for IPv4 and 0 to 128 for IPv6",
            EndpointError::Bits => "expected only zero bits in the address behind its prefix",
            EndpointError::Name => {
                "expected a name of letters, digits, hyphens and dots whose last part begins with a letter"
            }
            EndpointError::ListensToName => "expected an address: who may connect cannot be said by a name",
            EndpointError::Anyone => "expected the address of a peer; 0.0.0.0/0 and [::/0] grant all peers",
            EndpointError::Port => "expected a port of 1 to 65535, or a range such as 5683-5690",
            EndpointError::Tag => {
                "expected #NUMBER behind the port of tls and dtls, such as #7 for the credential 7, and only there"
            }
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected())
    }
}

/// Returns the address as the other parts of the host want it: IPv4 addresses as ::ffff:a.b.c.d.
pub fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// Returns true for an IPv4 address.
pub fn is_ipv4(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

/// Returns true for the name of a host: parts of 1 to 63 letters, digits and inner hyphens between dots. The last part
/// begins with a letter, so that no library takes the name for an address.
pub fn is_name(text: &[u8]) -> bool {
    let is_part = |part: &[u8]| {
        (1..=63).contains(&part.len())
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && part.first() != Some(&b'-')
            && part.last() != Some(&b'-')
    };
    let last = text.rsplit(|byte| *byte == b'.').next().unwrap_or(text);
    (1..=MAX_NAME as usize).contains(&text.len())
        && text.split(|byte| *byte == b'.').all(is_part)
        && last.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Returns the address that a text is, without brackets. An IPv6 address that stands for an IPv4 address is none:
/// each address has one form.
pub fn address(text: &[u8]) -> Option<Ipv6Addr> {
    let text = core::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(address.to_ipv6_mapped());
    }
    text.parse::<Ipv6Addr>().ok().filter(|address| !is_ipv4(*address))
}

/// Returns true if a name may have this address. No name of another host has an address that leads back to the device,
/// to its link or to many hosts. Such an answer would give the app what no entry names.
pub fn may_be_named(name: &[u8], address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.octets();
    let barred = match address.to_ipv4_mapped() {
        Some(v4) => v4.is_multicast() || v4.is_broadcast() || v4.is_link_local() || v4.octets()[0] == 0,
        None => address.is_multicast() || address.is_unspecified() || (first == 0xfe && second & 0xc0 == 0x80),
    };
    let loopback = address.to_ipv4_mapped().map_or(address.is_loopback(), |v4| v4.is_loopback());
    !barred && (!loopback || name.eq_ignore_ascii_case(b"localhost"))
}

/// Reads a decimal number without sign and leading zeros.
fn number(text: &[u8]) -> Option<u16> {
    let plain = matches!(text, [b'0'] | [b'1'..=b'9', ..]) && text.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

fn ports(text: &[u8]) -> Option<RangeInclusive<u16>> {
    let (first, last) = match split(text, b'-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    (1 <= first && first <= last).then_some(first..=last)
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// Returns the leading bits that a prefix of this length has set, of 128.
fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn prefix(text: &[u8], bracketed: bool, listens: bool) -> Result<Host<'_>, EndpointError> {
    let (base, length) = match split(text, b'/') {
        Some((base, length)) => (base, Some(number(length).ok_or(EndpointError::Prefix)?)),
        None => (text, None),
    };
    let address = address(base).filter(|address| is_ipv4(*address) != bracketed).ok_or(EndpointError::Address)?;
    let most = if bracketed { 128 } else { 32 };
    let anyone = address.is_unspecified() || address == Ipv4Addr::UNSPECIFIED.to_ipv6_mapped();
    let length = match length {
        Some(length) => length,
        None if anyone && listens => 0,
        None if anyone => return Err(EndpointError::Anyone),
        None => most,
    };
    if length > most {
        return Err(EndpointError::Prefix);
    }
    // at most 128, as just checked
    let bits = (length + 128 - most) as u8;
    if u128::from(address) & !mask(bits) != 0 {
        return Err(EndpointError::Bits);
    }
    Ok(Host::Prefix(address, bits))
}

impl<'a> Endpoint<'a> {
    /// Reads the text of an endpoint.
    ///
    /// # Errors
    /// Returns the first part that is wrong. The text of [`EndpointError`] says what was expected there.
    pub fn parse(text: &'a [u8]) -> Result<Self, EndpointError> {
        let (scheme, rest) = split(text, b':').ok_or(EndpointError::Form)?;
        let (protocol, listens) = match scheme {
            b"udp" => (Protocol::Udp, false),
            b"tcp" => (Protocol::Tcp, false),
            b"tls" => (Protocol::Tls, false),
            b"dtls" => (Protocol::Dtls, false),
            b"udp-listen" => (Protocol::Udp, true),
            b"tcp-listen" => (Protocol::Tcp, true),
            _ => return Err(EndpointError::Protocol),
        };
        let (host, rest) = match rest.strip_prefix(b"[") {
            Some(rest) => {
                let (inner, rest) = split(rest, b']').ok_or(EndpointError::Form)?;
                (prefix(inner, true, listens)?, rest.strip_prefix(b":").ok_or(EndpointError::Form)?)
            }
            None => {
                let (host, rest) = split(rest, b':').ok_or(EndpointError::Form)?;
                (Self::host(host, listens)?, rest)
            }
        };
        let (rest, tag) = match split(rest, b'#') {
            Some((rest, tag)) => (rest, Some(number(tag).filter(|tag| *tag != 0).ok_or(EndpointError::Tag)?)),
            None => (rest, None),
        };
        let ports = ports(rest).ok_or(EndpointError::Port)?;
        if tag.is_some() != protocol.is_secure() {
            return Err(EndpointError::Tag);
        }
        let (tag, first, last) = (tag.unwrap_or(0), *ports.start(), *ports.end());
        Ok(Endpoint { protocol, listens, host, tag, first, last })
    }

    fn host(text: &'a [u8], listens: bool) -> Result<Host<'a>, EndpointError> {
        let last = text.split(|byte| *byte == b'.').next_back().unwrap_or(text);
        if text.contains(&b'/') || last.first().is_some_and(u8::is_ascii_digit) {
            return prefix(text, false, listens);
        }
        match is_name(text) {
            false => Err(EndpointError::Name),
            true if listens => Err(EndpointError::ListensToName),
            true => Ok(Host::Name(text)),
        }
    }

    /// Returns the first port that the endpoint grants.
    pub(crate) fn first_port(&self) -> u16 {
        self.first
    }

    /// Returns the port of an endpoint that grants one to listen to with TCP.
    pub(crate) fn listening_port(&self) -> Option<u16> {
        let is_one = self.listens && self.protocol == Protocol::Tcp && self.first == self.last;
        is_one.then_some(self.first)
    }

    /// Returns true if the endpoint grants this port.
    pub fn has_port(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Returns true if the endpoint's prefix has this address. A name has none.
    pub fn has_address(&self, address: Ipv6Addr) -> bool {
        match self.host {
            // IPv4 addresses are no part of ::/0
            Host::Prefix(base, length) => {
                is_ipv4(base) == is_ipv4(address) && (u128::from(base) ^ u128::from(address)) & mask(length) == 0
            }
            Host::Name(_) => false,
        }
    }

    /// Returns true if the endpoint grants this name.
    pub fn has_name(&self, name: &[u8]) -> bool {
        matches!(self.host, Host::Name(granted) if granted.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn at(text: &str) -> Ipv6Addr {
        address(text.as_bytes()).unwrap()
    }

    fn endpoint(text: &str) -> Endpoint<'_> {
        Endpoint::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_endpoint_has_its_protocol_direction_hosts_and_ports() {
        let found = endpoint("udp:192.0.2.0/24:5683");
        assert_eq!((found.protocol, found.listens), (Protocol::Udp, false));
        assert_eq!(found.host, Host::Prefix("::ffff:192.0.2.0".parse().unwrap(), 120));
        let found = endpoint("tcp-listen:0.0.0.0:80");
        assert_eq!((found.protocol, found.listens), (Protocol::Tcp, true));
        assert_eq!(found.host, Host::Prefix("::ffff:0.0.0.0".parse().unwrap(), 96));
        assert_eq!(endpoint("tcp:broker.example:1883").host, Host::Name(b"broker.example"));
        assert_eq!(endpoint("udp-listen:[::]:5683").host, Host::Prefix(Ipv6Addr::UNSPECIFIED, 0));
        let found = endpoint("tls:broker.example:8883#7");
        assert_eq!((found.protocol, found.host, found.tag), (Protocol::Tls, Host::Name(b"broker.example"), 7));
        assert_eq!(endpoint("dtls:[2001:db8::1]:5684#65535").tag, 65535);
        assert_eq!(endpoint("tcp:[2001:db8::/32]:1-65535").host, Host::Prefix("2001:db8::".parse().unwrap(), 32));
    }

    #[test]
    fn prefixes_have_the_addresses_with_their_bits_and_no_others() {
        for (text, inside, outside) in [
            ("udp:192.0.2.0/24:1", &["192.0.2.0", "192.0.2.255"][..], &["192.0.1.255", "192.0.3.0", "2001:db8::"][..]),
            ("udp:192.0.2.128/25:1", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127", "0.0.0.0"]),
            ("udp:192.0.2.7:1", &["192.0.2.7"], &["192.0.2.6", "192.0.2.8", "::c000:207"]),
            ("udp:0.0.0.0/0:1", &["0.0.0.0", "255.255.255.255", "127.0.0.1"], &["::", "::1", "2001:db8::1"]),
            ("udp:128.0.0.0/1:1", &["128.0.0.0", "255.0.0.0"], &["127.255.255.255", "8000::"]),
            ("udp:[2001:db8::/32]:1", &["2001:db8::", "2001:db8:ffff::1"], &["2001:db9::", "32.1.13.184"]),
            ("udp:[2001:db8::1]:1", &["2001:db8::1"], &["2001:db8::", "2001:db8::2"]),
            ("udp:[::/0]:1", &["::", "::1", "ff02::1"], &["0.0.0.0", "192.0.2.1"]),
            ("udp:[fe80::/10]:1", &["fe80::1", "febf::1"], &["fec0::1", "fe7f::1"]),
        ] {
            assert!(inside.iter().all(|address| endpoint(text).has_address(at(address))), "{text}");
            assert!(outside.iter().all(|address| !endpoint(text).has_address(at(address))), "{text}");
        }
    }

    #[test]
    fn ports_are_one_or_a_range_with_its_ends() {
        let one = endpoint("tcp:192.0.2.1:443");
        assert_eq!([442, 443, 444].map(|port| one.has_port(port)), [false, true, false]);
        let range = endpoint("tcp:192.0.2.1:5683-5690");
        assert_eq!([5682, 5683, 5690, 5691].map(|port| range.has_port(port)), [false, true, true, false]);
        assert!(endpoint("tcp:192.0.2.1:1-65535").has_port(65535));
    }

    #[test]
    fn names_are_compared_without_case_and_as_a_whole() {
        let found = endpoint("tcp:Broker.Example:1883");
        assert!(found.has_name(b"broker.example") && found.has_name(b"BROKER.EXAMPLE"));
        for other in ["broker.example.", "xbroker.example", "broker.example.org", "example", "broker", ""] {
            assert!(!found.has_name(other.as_bytes()), "{other}");
        }
        assert!(!found.has_address(at("192.0.2.1")));
    }

    #[test]
    fn a_malformed_endpoint_is_refused_with_what_was_expected() {
        use EndpointError::*;
        for (text, expected) in [
            ("", Form),
            ("udp", Form),
            ("udp:", Form),
            ("udp:192.0.2.1", Form),
            ("udp:[2001:db8::1", Form),
            ("udp:[2001:db8::1]", Form),
            ("udp:[2001:db8::1]80", Form),
            ("UDP:192.0.2.1:1", Protocol),
            ("icmp:192.0.2.1:1", Protocol),
            (":192.0.2.1:1", Protocol),
            (" udp:192.0.2.1:1", Protocol),
            ("http://broker.example:80", Protocol),
            ("udp:192.0.2:1", Address),
            ("udp:192.0.2.256:1", Address),
            ("udp:192.0.2.01:1", Address),
            ("udp:0x7f.1:1", Address),
            ("udp:2130706433:1", Address),
            ("udp:192.0.2.1.5:1", Address),
            ("udp:[192.0.2.1]:1", Address),
            ("udp:[::ffff:192.0.2.1]:1", Address),
            ("udp:[2001:db8::1%eth0]:1", Address),
            ("udp:[broker.example]:1", Address),
            ("udp:[]:1", Address),
            ("udp:/24:1", Address),
            ("udp:192.0.2.0/33:1", Prefix),
            ("udp:192.0.2.0/:1", Prefix),
            ("udp:192.0.2.0/-1:1", Prefix),
            ("udp:192.0.2.0/024:1", Prefix),
            ("udp:[2001:db8::/129]:1", Prefix),
            ("udp:192.0.2.0/65536:1", Prefix),
            ("udp:192.0.2.1/24:1", Bits),
            ("udp:[2001:db8::1/64]:1", Bits),
            ("udp:1.2.3.4/0:1", Bits),
            ("udp::1", Name),
            ("udp:*.example:1", Name),
            ("udp:-a.example:1", Name),
            ("udp:a-.example:1", Name),
            ("udp:a..example:1", Name),
            ("udp:example.:1", Name),
            ("udp:.example:1", Name),
            ("udp:a_b.example:1", Name),
            ("udp:b\u{fc}cher.example:1", Name),
            ("udp:a b:1", Name),
            ("udp:a\0b:1", Name),
            ("tcp-listen:broker.example:80", ListensToName),
            ("udp:0.0.0.0:1", Anyone),
            ("tcp:[::]:1", Anyone),
            ("udp:192.0.2.1:", Port),
            ("udp:192.0.2.1:0", Port),
            ("udp:192.0.2.1:65536", Port),
            ("udp:192.0.2.1:+1", Port),
            ("udp:192.0.2.1:01", Port),
            ("udp:192.0.2.1:1-", Port),
            ("udp:192.0.2.1:-1", Port),
            ("udp:192.0.2.1:2-1", Port),
            ("udp:192.0.2.1:0-1", Port),
            ("udp:192.0.2.1:1-2-3", Port),
            ("udp:192.0.2.1:*", Port),
            ("udp:192.0.2.1:1:2", Port),
            ("udp:2001:db8::1:80", Address),
            ("udp:192.0.2.1:80 ", Port),
            ("udp:192.0.2.1:\u{664}", Port),
            ("tls:192.0.2.1:443", Tag),
            ("dtls:192.0.2.1:443", Tag),
            ("tls:192.0.2.1:443#", Tag),
            ("tls:192.0.2.1:443#0", Tag),
            ("tls:192.0.2.1:443#07", Tag),
            ("tls:192.0.2.1:443#65536", Tag),
            ("tls:192.0.2.1:443#ca", Tag),
            ("tls:192.0.2.1:443#1#2", Tag),
            ("tls:192.0.2.1:#1", Port),
            ("tls:192.0.2.1#1:443", Address),
            ("tcp:192.0.2.1:443#1", Tag),
            ("udp-listen:0.0.0.0:443#1", Tag),
            ("tls-listen:0.0.0.0:443#1", Protocol),
        ] {
            assert_eq!(Endpoint::parse(text.as_bytes()), Err(expected), "{text}");
        }
        let long = "a".repeat(64);
        assert_eq!(Endpoint::parse(std::format!("udp:{long}:1").as_bytes()), Err(Name));
        let labels: Vec<String> = (0..64).map(|_| "abc".to_string()).collect();
        assert_eq!(Endpoint::parse(std::format!("udp:{}:1", labels.join(".")).as_bytes()), Err(Name), "255 bytes");
        assert!(EndpointError::Port.to_string().contains("1 to 65535"));
    }

    /// Reads every text that differs from a good one in one byte, or is cut short. There is no panic, and what is read
    /// has a port and grants no address of the other family.
    #[test]
    fn mutations_of_good_texts_are_read_without_a_panic_and_grant_no_more_than_a_family() {
        for text in
            ["udp:192.0.2.0/24:5683", "tls:[2001:db8::/32]:1-9#12", "tcp:broker.example:1883", "tcp-listen:0.0.0.0:80"]
        {
            for place in 0..text.len() {
                let _ = Endpoint::parse(&text.as_bytes()[..place]);
                for byte in 0..=255 {
                    let mut changed = text.as_bytes().to_vec();
                    changed[place] = byte;
                    let Ok(found) = Endpoint::parse(&changed) else { continue };
                    assert!(!found.has_port(0), "{changed:?}");
                    let families = [at("192.0.2.1"), at("2001:db8::1")].map(|address| found.has_address(address));
                    assert_ne!(families, [true, true], "{changed:?}");
                }
            }
        }
    }

    #[test]
    fn names_do_not_lead_back_to_the_device_or_to_many() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "169.254.1.1",
            "fe80::1",
        ] {
            assert!(!may_be_named(b"broker.example", at(text)), "{text}");
        }
        for text in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1"] {
            assert!(may_be_named(b"broker.example", at(text)), "{text}");
        }
        assert!(may_be_named(b"LocalHost", at("127.0.0.1")) && may_be_named(b"localhost", at("::1")));
        assert!(!may_be_named(b"localhost", at("224.0.0.1")) && !may_be_named(b"localhost.example", at("127.0.0.1")));
    }

    #[test]
    fn an_address_has_one_form() {
        assert_eq!(address(b"192.0.2.1"), Some("::ffff:192.0.2.1".parse().unwrap()));
        for text in ["::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1 ", "1", "localhost", "", "\u{ff11}.1.1.1"] {
            assert_eq!(address(text.as_bytes()), None, "{text}");
        }
    }
}
