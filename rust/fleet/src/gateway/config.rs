// SPDX-License-Identifier: Apache-2.0
//! The configuration: a server, and the devices that the gateway speaks for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::failure::Failure;

/// UDP port of SMP.
const SMP_PORT: u16 = 1337;
/// Speed of a serial port, in bits per second.
const BAUD: u32 = 115_200;
/// Longest name of a device, in bytes: what hawkBit takes.
const NAME_MAX: usize = 256;
/// Largest number of attributes of a device: that of hawkBit, less those that the gateway adds.
const ATTRIBUTES_MAX: usize = 64;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    server: Server,
    #[serde(default)]
    pace: Times,
    #[serde(default)]
    device: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Server {
    url: String,
    #[serde(default = "tenant")]
    tenant: String,
    gateway_token: Option<String>,
    #[serde(default)]
    plain_http: bool,
}

fn tenant() -> String {
    "DEFAULT".into()
}

/// Times in seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Times {
    poll_seconds: Option<f64>,
    retry_seconds: f64,
    look_seconds: f64,
    answer_seconds: f64,
    trial_seconds: f64,
}

impl Default for Times {
    fn default() -> Self {
        Self { poll_seconds: None, retry_seconds: 5.0, look_seconds: 2.0, answer_seconds: 1.0, trial_seconds: 3600.0 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Line {
    name: String,
    address: String,
    token: Option<String>,
    baud: Option<u32>,
    management_key: Option<PathBuf>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Way to a device.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Address {
    /// UDP: host and port.
    Udp(String, u16),
    /// A serial port: path and bits per second.
    Serial(String, u32),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Udp(host, port) => write!(f, "{host}:{port}"),
            Self::Serial(path, _) => f.write_str(path),
        }
    }
}

impl Address {
    fn parse(text: &str, baud: Option<u32>) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Serial(text.into(), baud.unwrap_or(BAUD)));
        }
        if baud.is_some() {
            return Err("`baud` is for a serial port, whose address begins with `/`".into());
        }
        let wrong =
            || format!("`{text}` is no address; expected HOST, HOST:PORT, [IPv6]:PORT or a path such as /dev/ttyACM0");
        let (host, port) = match text.rsplit_once(':') {
            // an IPv6 address without a port has colons of its own
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (text, SMP_PORT),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']' | '@');
        if host.is_empty() || host.contains(bad) || port == 0 {
            return Err(wrong());
        }
        Ok(Self::Udp(host.into(), port))
    }
}

/// A device that the gateway speaks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its name on the server (`controllerId`).
    pub name: String,
    /// Way to it.
    pub address: Address,
    /// Value of the header `Authorization`.
    pub authorization: String,
    /// Secret key that signs requests to the device.
    pub management_key: Option<[u8; 32]>,
    /// Attributes for the server.
    pub attributes: BTreeMap<String, String>,
}

/// Times between tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Time between two polls, or `None` for that of the server.
    pub poll: Option<Duration>,
    /// Wait after a first failure.
    pub retry: Duration,
    /// Time between two looks at an update on trial.
    pub look: Duration,
    /// Wait for an answer of a device before the request is sent again.
    pub answer: Duration,
    /// Time after which a trial that nobody decided is ended.
    pub trial: Duration,
}

/// The configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Address of the server, without the tenant.
    pub url: Url,
    /// The tenant, part of each path.
    pub tenant: String,
    /// HTTP without TLS is allowed.
    pub plain_http: bool,
    /// Times.
    pub pace: Pace,
    /// The devices.
    pub devices: Vec<Device>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read or is not in order.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::in_file(path, format_args!("the configuration cannot be read: {error}")))?;
        let file = toml::from_str(&text).map_err(|error| {
            // its whole text has the line, which may have a token
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Failure::in_file(path, format_args!("line {line}: {}", error.message()))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::of(file, folder).map_err(|words| Failure::in_file(path, words))
    }

    fn of(file: File, folder: &Path) -> Result<Self, String> {
        let url = base(&file.server)?;
        if file.device.is_empty() {
            return Err("there is no device to speak for; add a table [[device]]".into());
        }
        let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        let mut devices = Vec::new();
        for line in file.device {
            let name = line.name.clone();
            let device = device(line, &file.server, folder).map_err(|words| format!("device `{name}`: {words}"))?;
            if !names.insert(device.name.clone()) {
                return Err(format!("the device `{name}` is there twice; give each a name of its own"));
            }
            if !addresses.insert(device.address.clone()) {
                return Err(format!("device `{name}`: another device has the address {} already", device.address));
            }
            devices.push(device);
        }
        Ok(Self {
            url,
            tenant: file.server.tenant,
            plain_http: file.server.plain_http,
            pace: pace(&file.pace)?,
            devices,
        })
    }
}

/// Returns the server's address with a slash at its end.
fn base(server: &Server) -> Result<Url, String> {
    let wrong = || format!("server: `{}` is no address of a server; expected https://HOST", server.url);
    let mut url = Url::parse(&server.url).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "server: the address has a user name or a password, which would be shown; give tokens instead".into()
        );
    }
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong());
    }
    if url.scheme() == "http" && !is_near(&url) && !server.plain_http {
        return Err(format!(
            "server: {url}: tokens would be readable on their way; use an address with https, or set `plain-http = true` on \
             a network that you trust"
        ));
    }
    if server.tenant.is_empty() || server.tenant.contains(['/', '?', '#', '%']) {
        return Err(format!("server: `{}` is no tenant; hawkBit has one named DEFAULT", server.tenant));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Returns whether an address is on this machine.
pub fn is_near(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

fn pace(times: &Times) -> Result<Pace, String> {
    let time = |name: &str, seconds: f64| match seconds {
        // NaN is in no range
        0.01..=86400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("pace: `{name}` is {seconds}; expected 0.01 to 86400 seconds")),
    };
    Ok(Pace {
        poll: times.poll_seconds.map(|seconds| time("poll-seconds", seconds)).transpose()?,
        retry: time("retry-seconds", times.retry_seconds)?,
        look: time("look-seconds", times.look_seconds)?,
        answer: time("answer-seconds", times.answer_seconds)?,
        trial: time("trial-seconds", times.trial_seconds)?,
    })
}

fn device(line: Line, server: &Server, folder: &Path) -> Result<Device, String> {
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if line.name.is_empty() || line.name.len() > NAME_MAX || line.name.contains(char::is_control) || is_dots(&line.name)
    {
        return Err(format!("the name is empty, too long or not printable; expected at most {NAME_MAX} bytes"));
    }
    if line.attributes.len() > ATTRIBUTES_MAX {
        return Err(format!("it has {} attributes; at most {ATTRIBUTES_MAX} are allowed", line.attributes.len()));
    }
    let (scheme, token) = match (&line.token, &server.gateway_token) {
        (Some(token), _) => ("TargetToken", token),
        (None, Some(token)) => ("GatewayToken", token),
        (None, None) => return Err("it has no `token`, and the server has no `gateway-token` for all devices".into()),
    };
    if !visible(token) {
        return Err("its token is empty, or has a character that a header cannot hold".into());
    }
    let key = line.management_key.map(|path| management_key(&folder.join(path))).transpose()?;
    Ok(Device {
        address: Address::parse(&line.address, line.baud)?,
        name: line.name,
        authorization: format!("{scheme} {token}"),
        management_key: key,
        attributes: line.attributes,
    })
}

/// Returns whether a path would read a name as a folder.
fn is_dots(name: &str) -> bool {
    matches!(name, "." | "..")
}

/// Reads a secret key that signs requests.
fn management_key(path: &Path) -> Result<[u8; 32], String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let pem = text.find("-----BEGIN").and_then(|start| text.get(start..)).unwrap_or(&text);
    let pair = ed25519_compact::KeyPair::from_pem(pem).map_err(|_| {
        format!("{}: expected an Ed25519 secret key in PEM; `wisp keygen --role management` makes one", path.display())
    })?;
    Ok(*pair.sk.seed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let file = toml::from_str(text).map_err(|error| error.to_string())?;
        Config::of(file, Path::new("/nowhere"))
    }

    const SERVER: &str = "[server]\nurl = \"https://rollout.example/base\"\n";

    fn with(device: &str) -> String {
        format!("{SERVER}[[device]]\nname = \"lamp\"\ntoken = \"t\"\n{device}\n")
    }

    #[test]
    fn addresses_are_hosts_with_or_without_port_and_serial_ports() {
        for (text, address) in [
            ("192.0.2.1", Address::Udp("192.0.2.1".into(), 1337)),
            ("lamp.local:99", Address::Udp("lamp.local".into(), 99)),
            ("2001:db8::1", Address::Udp("2001:db8::1".into(), 1337)),
            ("[2001:db8::1]:99", Address::Udp("2001:db8::1".into(), 99)),
            ("[::1]", Address::Udp("::1".into(), 1337)),
            ("/dev/ttyACM0", Address::Serial("/dev/ttyACM0".into(), 115_200)),
        ] {
            assert_eq!(read(&with(&format!("address = \"{text}\""))).unwrap().devices[0].address, address, "{text}");
        }
        for text in ["", ":1337", "lamp:", "lamp:x", "lamp:70000", "lamp:0", "a b", "http://lamp"] {
            let error = read(&with(&format!("address = \"{text}\""))).unwrap_err();
            assert!(error.contains("is no address; expected HOST"), "{text}: {error}");
        }
    }

    #[test]
    fn the_token_of_a_device_comes_before_that_of_the_gateway() {
        let text = "[server]\nurl = \"http://127.0.0.1:8080\"\ngateway-token = \"g\"\n\
                    [[device]]\nname = \"a\"\naddress = \"a\"\n[[device]]\nname = \"b\"\naddress = \"b\"\ntoken = \"t\"\n";
        let config = read(text).unwrap();
        let headers: Vec<&str> = config.devices.iter().map(|device| &*device.authorization).collect();
        assert_eq!(headers, ["GatewayToken g", "TargetToken t"]);
        assert_eq!((config.url.as_str(), &*config.tenant), ("http://127.0.0.1:8080/", "DEFAULT"));
        assert_eq!(read(&with("address = \"a\"")).unwrap().url.as_str(), "https://rollout.example/base/");
    }

    #[test]
    fn a_mistake_is_told_by_its_line_without_the_token_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        for (line, place) in [("token = bH7Xsecret", "line 5: "), ("tokn = \"bH7Xsecret\"", "line 5: ")] {
            std::fs::write(&path, format!("{SERVER}[[device]]\nname = \"lamp\"\n{line}\n")).unwrap();
            let words = Config::read(&path).unwrap_err().to_string();
            assert!(words.contains(place) && !words.contains("bH7X"), "{words}");
        }
        std::fs::write(&path, "[server]\nurl = \"https://:bH7Xsecret@rollout.example\"\n").unwrap();
        let words = Config::read(&path).unwrap_err().to_string();
        assert!(words.contains("give tokens instead") && !words.contains("bH7X"), "{words}");
    }

    #[test]
    fn a_configuration_that_is_not_in_order_is_refused_in_words() {
        let device = |more: &str| with(&format!("address = \"a\"\n{more}"));
        for (text, words) in [
            (SERVER.into(), "there is no device"),
            (String::new(), "missing field `server`"),
            (device("").replace("https", "http"), "tokens would be readable"),
            (device("").replace("https", "ftp"), "is no address of a server"),
            (device("").replace("https://rollout.example/base", "nonsense"), "is no address of a server"),
            (device("").replace("[server]", "[server]\ntenant = \"a/b\""), "is no tenant"),
            (device("color = 1"), "unknown field `color`"),
            (device("baud = 9600"), "`baud` is for a serial port"),
            (device("management-key = \"none.pem\""), "/nowhere/none.pem: cannot be read"),
            (device("").replace("token = \"t\"", ""), "it has no `token`"),
            (device("").replace("\"t\"", "\"t\\n\""), "a header cannot hold"),
            (device("").replace("lamp", ""), "the name is empty"),
            (device("").replace("lamp", ".."), "the name is empty"),
            (device("[[device]]\nname = \"lamp\"\naddress = \"b\"\ntoken = \"t\""), "there twice"),
            (device("[[device]]\nname = \"b\"\naddress = \"a:1337\"\ntoken = \"t\""), "has the address a:1337 already"),
            (device("[pace]\nretry-seconds = 0"), "expected 0.01 to 86400 seconds"),
            (device("[pace]\nlook-seconds = nan"), "expected 0.01 to 86400 seconds"),
        ] {
            let error = read(&text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(error.contains(words), "{error}");
        }
    }
}
