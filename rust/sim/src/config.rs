// SPDX-License-Identifier: Apache-2.0
//! The format of `board.toml`.

use crate::devices::AppConfig;
use crate::error::Error;
use crate::functions;
use crate::output::TraceFormat;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) board: BoardConfig,
    pub(crate) trace: TraceConfig,
    pub(crate) apps: BTreeMap<String, AppConfig>,
    /// Functions of the firmware's own.
    pub(crate) functions: functions::Modules<functions::Config>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BoardConfig {
    /// Sleeps take wall-clock time.
    pub(crate) realtime: bool,
    /// The app is stopped after this much time on its clock.
    pub(crate) duration_ms: Option<u64>,
    /// Seed of the random bytes.
    pub(crate) seed: u64,
    /// Wall-clock time at boot in seconds since 1970. Without it the board has no wall clock.
    pub(crate) unix_time: Option<u64>,
    /// Nanoseconds beside the seconds of `unix_time`, for the clock of the workstation.
    #[serde(skip)]
    pub(crate) unix_ns: u64,
    /// Highest level of log messages kept.
    pub(crate) log_level: LogLevel,
}

impl Default for BoardConfig {
    fn default() -> Self {
        BoardConfig {
            realtime: false,
            duration_ms: None,
            seed: 0,
            unix_time: None,
            unix_ns: 0,
            log_level: LogLevel::Info,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TraceConfig {
    pub(crate) format: TraceFormat,
    /// A path relative to the current directory. Without it, standard output is used.
    pub(crate) file: Option<PathBuf>,
}

/// Reads and checks a board file.
pub(crate) fn parse(text: &str) -> Result<Config, Error> {
    let config: Config = toml::from_str(text).map_err(|error| Error::of_toml(text, &error))?;
    for (app, grants) in &config.apps {
        grants.check(text, &format!("apps.{app}"))?;
    }
    functions::check(text, &config.functions, &mut config.apps.iter().map(|(app, grants)| (app, &grants.functions)))?;
    Ok(config)
}

/// Handles of every interface are bits of one word.
const MAX_GRANTS: usize = 32;

/// Checks the grants of one interface.
pub(crate) fn each<T>(
    text: &str,
    key: &str,
    grants: &BTreeMap<String, T>,
    check: fn(&str, &str, &T) -> Result<(), Error>,
) -> Result<(), Error> {
    if grants.len() > MAX_GRANTS {
        let message = format!("{key}: {} grants, expected at most {MAX_GRANTS}", grants.len());
        return Err(Error::at(text, None, message).under(text, key));
    }
    grants.iter().try_for_each(|(label, grant)| {
        let key = format!("{key}.{label}");
        check(text, &key, grant).map_err(|error| error.under(text, &key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        parse(text).expect_err(text)
    }

    #[test]
    fn an_empty_file_is_a_board_without_grants() {
        let config = parse("").unwrap();
        assert!(config.apps.is_empty());
        assert_eq!(config.board.log_level, LogLevel::Info);
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_the_choices() {
        let error = error("[board]\nrealtime = true\n\n[apps.blinky.gpio.led]\ndirektion = \"output\"\n");
        assert_eq!((error.line, error.column), (5, 1));
        assert_eq!(error.source_line, "direktion = \"output\"");
        assert!(error.message.contains("direktion") && error.message.contains("direction"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_shown_with_what_is_expected() {
        let error = error("[apps.a.gpio]\nled = { active = \"up\" }\n");
        assert_eq!(error.line, 2);
        assert!(error.message.contains("up") && error.message.contains("high"), "{error}");
        let shown = error.in_file("b.toml".as_ref()).to_string();
        assert!(shown.starts_with("b.toml:2:"), "{shown}");
    }

    #[test]
    fn a_wrong_type_is_told_in_words_of_the_file() {
        let message = |text: &str| error(text).message;
        let with = |value: &str| message(&format!("[board]\nduration_ms = {value}\n"));
        assert_eq!(with("\"3s\""), "invalid type: string \"3s\", expected a whole number of 0 or more");
        assert_eq!(with("-3"), "invalid value: integer `-3`, expected a whole number of 0 or more");
        assert_eq!(
            with("99999999999999999999"),
            "invalid type: integer `99999999999999999999`, expected a whole number of 0 or more"
        );
        assert_eq!(
            message("[apps.a.gpio]\nled = 13\n"),
            "invalid type: integer `13`, expected keys in { }, or a [table] of its own"
        );
        assert_eq!(
            message("[apps.a.sensor.s]\nambient_temp = 21\n"),
            "invalid type: integer `21`, expected a list in [ ]"
        );
        assert_eq!(
            message("[apps.a.kv]\ncontents = { k = [256] }\n"),
            "invalid value: integer `256`, expected a whole number from 0 to 255"
        );
    }

    #[test]
    fn a_value_out_of_range_has_the_line_of_its_device() {
        let text = "[board]\n\n[apps.a.i2c.store]\naddress = 0x100\n";
        let wrong = error(text);
        assert_eq!((wrong.line, wrong.column), (3, 13));
        assert_eq!(wrong.message, "apps.a.i2c.store: address = 0x100, expected a 7-bit address above 0");
        assert_eq!(error("[apps.a.pwm]\nfan = { period_us = 0 }\n").line, 2);
    }

    #[test]
    fn contents_begin_with_a_number_and_end_within_the_device() {
        let message = |text: &str| error(text).message;
        let expected = "at \"start\", expected a decimal or 0x number";
        assert!(message("[apps.a.i2c.r]\naddress = 1\ncontents = { start = [1] }\n").contains(expected));
        assert!(message("[apps.a.spi.r]\ncontents = { start = [1] }\n").contains(expected));
        let beyond = message("[apps.a.i2c.r]\naddress = 1\nsize = 4\ncontents = { 3 = [1, 2] }\n");
        assert_eq!(beyond, "apps.a.i2c.r: contents: 2 bytes at \"3\" are beyond the size, 4");
    }

    #[test]
    fn stored_values_need_a_size() {
        let wrong = error("[apps.a.kv]\ncontents = { k = [1] }\n");
        assert_eq!(wrong.line, 1);
        assert_eq!(wrong.message, "apps.a.kv: contents without a size, expected size = BYTES, which the app may store");
        assert!(parse("[apps.a.kv]\nsize = 64\ncontents = { k = [1] }\n").is_ok());
    }

    #[test]
    fn only_an_eeprom_has_pages() {
        assert!(parse("[apps.a.i2c.r]\naddress = 1\nsize = 10\n").is_ok());
        let eeprom = error("[apps.a.i2c.r]\nkind = \"eeprom\"\naddress = 1\nsize = 10\n");
        assert_eq!(eeprom.message, "apps.a.i2c.r: page = 8, expected a divisor of the size, 10");
    }

    #[test]
    fn a_script_must_go_forward() {
        let text =
            "[apps.a.gpio.button]\nscript = [\n  { at_ms = 5, active = true },\n  { at_ms = 4, active = false },\n]\n";
        let error = error(text);
        assert_eq!(error.line, 4);
        assert!(error.message.contains("apps.a.gpio.button.script") && error.message.contains("not before 5"));
        assert!(parse(&text.replace("at_ms = 4", "at_ms = nan")).is_err());
        assert!(parse(&text.replace("at_ms = 5", "at_ms = -1")).is_err());
    }

    #[test]
    fn an_output_has_no_script() {
        let text = "[apps.a.gpio.led]\ndirection = \"output\"\nscript = [{ at_ms = 1, active = true }]\n";
        assert_eq!(error(text).line, 3);
    }

    #[test]
    fn more_pins_than_handles_are_refused() {
        let pins: String = (0..33).map(|i| format!("[apps.a.gpio.p{i}]\n")).collect();
        assert!(error(&pins).message.contains("at most 32"));
    }
}
