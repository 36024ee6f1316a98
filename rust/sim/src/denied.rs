// SPDX-License-Identifier: Apache-2.0
//! What the trace says of an app that asks for something which its board does not grant.

use wisp_abi::net::MAX_NAME;
use wisp_abi::Form;

/// Returns a name as a key of a board file, in quotes where it needs them.
fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.into(),
        false => format!("\"{name}\""),
    }
}

/// Returns the entry of `endpoints` that would have a name or an address.
fn entry(host: &str) -> String {
    match host.contains(':') {
        true => format!("tcp:[{host}]:PORT"),
        false => format!("tcp:{host}:PORT"),
    }
}

/// Returns true if the text begins as an entry of `endpoints` does, and not as an address of IPv6 does.
fn is_entry(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    text.contains(':') && matches!(scheme, "udp" | "tcp" | "tls" | "dtls" | "udp-listen" | "tcp-listen")
}

/// Returns the message: what was refused, and what the board file has to say for it. `file` is empty without a board.
pub(crate) fn message(interface: &str, label: &[u8], app: &str, file: &str) -> String {
    // The guest chose it: it may be long and hold anything.
    let shown = String::from_utf8_lossy(label);
    let label: String = shown.chars().take(MAX_NAME as usize).flat_map(char::escape_debug).collect();
    let grant = wisp_abi::interface(interface).and_then(|interface| interface.grant);
    let form = grant.map_or(Form::Devices, |grant| grant.form);
    let is_property = grant.is_some_and(|grant| grant.property == label);
    let name = interface.trim_start_matches("wisp:");
    let table = format!("[apps.{}.{}", key(app), name.split('@').next().unwrap_or(name));
    let what = if is_property { interface.into() } else { format!("{interface} \"{label}\"") };
    if file.is_empty() {
        return format!("{what} refused: this board grants nothing; run with --board board.toml");
    }
    match form {
        Form::Limit => format!("{what} refused: grant it with size = BYTES in {table}] of {file}"),
        Form::Facts => {
            let key = label.trim_start_matches("hwinfo-").replace('-', "_");
            format!("{what} refused: grant it with {key} in {table}] of {file}")
        }
        Form::Lists => match label.strip_prefix("ble-").map(|key| key.replace('-', "_")) {
            Some(key) => format!("{interface} refused: set {key} in {table}] of {file}"),
            None => format!("{what} refused: add it to advertise in {table}] of {file}"),
        },
        Form::Endpoints if is_property => {
            format!("{what} refused: the app has no network; list its peers in endpoints in {table}] of {file}")
        }
        Form::Endpoints if is_entry(&label) => format!("{what} refused: add it to endpoints in {table}] of {file}"),
        Form::Endpoints => {
            format!("{what} refused: add an entry such as \"{}\" to endpoints in {table}] of {file}", entry(&label))
        }
        _ => {
            let direction =
                if matches!(name.split('@').next(), Some("gpio" | "msg")) { ", in this direction" } else { "" };
            format!("{what} refused: grant it with {table}.{}] in {file}{direction}", key(&label))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Board;

    fn told(interface: &str, label: &str) -> String {
        message(interface, label.as_bytes(), "a", "b.toml")
    }

    #[test]
    fn the_message_says_what_a_board_file_takes() {
        for (interface, label, expected, board) in [
            (
                "wisp:kv@1",
                "kv-size",
                "wisp:kv@1 refused: grant it with size = BYTES in [apps.a.kv] of b.toml",
                "[apps.a.kv]\nsize = 64",
            ),
            (
                "wisp:hwinfo@1",
                "hwinfo-reset-cause",
                "wisp:hwinfo@1 \"hwinfo-reset-cause\" refused: grant it with reset_cause in [apps.a.hwinfo] of b.toml",
                "[apps.a.hwinfo]\nreset_cause = [\"watchdog\"]",
            ),
            (
                "wisp:ble@1",
                "ble-min-interval-ms",
                "wisp:ble@1 refused: set min_interval_ms in [apps.a.ble] of b.toml",
                "[apps.a.ble]\nmin_interval_ms = 20",
            ),
            (
                "wisp:ble@1",
                "service:181a",
                "wisp:ble@1 \"service:181a\" refused: add it to advertise in [apps.a.ble] of b.toml",
                "[apps.a.ble]\nadvertise = [\"service:181a\"]",
            ),
            (
                "wisp:net@1",
                "net-endpoints",
                "wisp:net@1 refused: the app has no network; list its peers in endpoints in [apps.a.net] of b.toml",
                "[apps.a.net]\nendpoints = [\"udp:192.0.2.1:9\"]",
            ),
            (
                "wisp:net@1",
                "udp:192.0.2.1:9",
                "wisp:net@1 \"udp:192.0.2.1:9\" refused: add it to endpoints in [apps.a.net] of b.toml",
                "[apps.a.net]\nendpoints = [\"udp:192.0.2.1:9\"]",
            ),
            (
                "wisp:net@1",
                "broker.example",
                "wisp:net@1 \"broker.example\" refused: add an entry such as \"tcp:broker.example:PORT\" to endpoints in \
                 [apps.a.net] of b.toml",
                "[apps.a.net]\nendpoints = [\"tcp:broker.example:1883\"]",
            ),
            (
                "wisp:net@1",
                "2001:db8::1",
                "wisp:net@1 \"2001:db8::1\" refused: add an entry such as \"tcp:[2001:db8::1]:PORT\" to endpoints in \
                 [apps.a.net] of b.toml",
                "[apps.a.net]\nendpoints = [\"tcp:[2001:db8::1]:1883\"]",
            ),
            (
                "wisp:gpio@1",
                "led",
                "wisp:gpio@1 \"led\" refused: grant it with [apps.a.gpio.led] in b.toml, in this direction",
                "[apps.a.gpio.led]",
            ),
            (
                "wisp:i2c@1",
                "my store",
                "wisp:i2c@1 \"my store\" refused: grant it with [apps.a.i2c.\"my store\"] in b.toml",
                "[apps.a.i2c.\"my store\"]\naddress = 0x57",
            ),
        ] {
            assert_eq!(told(interface, label), expected);
            assert!(Board::from_toml(board).is_ok(), "{board}");
        }
        assert!(message("wisp:pwm@1", b"fan", "my.app", "b.toml").contains("[apps.\"my.app\".pwm.fan]"));
    }

    #[test]
    fn a_label_is_shown_without_what_a_terminal_obeys_and_not_without_end() {
        let message = told("wisp:gpio@1", &format!("\u{1b}[2J\n\u{202e}{}", "x".repeat(1000)));
        assert!(!message.contains(['\u{1b}', '\n', '\u{202e}']) && message.len() < 1000, "{message}");
    }
}
