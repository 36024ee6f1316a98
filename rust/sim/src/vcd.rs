// SPDX-License-Identifier: Apache-2.0
//! The trace as a value change dump (IEEE 1364-2001, clause 18), for waveform viewers: pins as wires,
//! voltages and pulses as numbers, what went over buses and into the log as strings, which viewers
//! know by an extension (`s`). Scripted inputs are part of it.

use crate::config::Config;
use crate::functions;
use crate::output::Event;
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    /// 0 or 1.
    Wire,
    /// A number.
    Real,
    Text,
}

/// App, interface and label.
type Name = (String, String, String);

/// The variables that a board can show, and the script of its inputs.
#[derive(Debug, Default)]
pub(crate) struct Dump {
    variables: BTreeMap<Name, (usize, Type)>,
    /// Future values of inputs: time, variable, value. The last is next.
    inputs: Vec<(u64, usize, String)>,
    time_us: Option<u64>,
}

/// Returns a name as one word of the format.
fn word(name: &str) -> String {
    let word: String = name.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    if word.is_empty() {
        "_".into()
    } else {
        word
    }
}

/// Returns a variable's identifier: printable characters.
fn code(index: usize) -> String {
    const FIRST: u8 = b'!';
    const COUNT: usize = 94;
    let mut code = String::new();
    let mut rest = index;
    loop {
        code.push(char::from(FIRST + (rest % COUNT) as u8));
        rest /= COUNT;
        if rest == 0 {
            return code;
        }
        rest -= 1;
    }
}

/// A variable as the description of a device makes it.
#[derive(Debug)]
pub(crate) struct Signal {
    ty: Type,
    /// Its values over time as far as the board file gives them: microseconds and value.
    inputs: Vec<(u64, String)>,
}

impl Signal {
    /// Returns a wire with these levels over time.
    pub(crate) fn wire(levels: impl IntoIterator<Item = (u64, bool)>) -> Self {
        Signal { ty: Type::Wire, inputs: levels.into_iter().map(|(time, level)| (time, wire(level))).collect() }
    }

    /// Returns a number with these values over time.
    pub(crate) fn real(values: impl IntoIterator<Item = (u64, f64)>) -> Self {
        Signal { ty: Type::Real, inputs: values.into_iter().map(|(time, value)| (time, format!("r{value}"))).collect() }
    }

    /// Returns a text that is empty at first.
    pub(crate) fn text() -> Self {
        Signal { ty: Type::Text, inputs: Vec::new() }
    }
}

fn wire(active: bool) -> String {
    if active { "1" } else { "0" }.into()
}

/// Returns the text without white space, which ends a value.
fn text(value: &str) -> String {
    let mut shown = String::from("s");
    for c in value.chars() {
        if c.is_whitespace() || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(shown, "\\{byte:03o}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

impl Dump {
    /// Returns the variables of a board.
    pub(crate) fn new(config: &Config) -> Self {
        let mut dump = Dump::default();
        for (app, grants) in &config.apps {
            for (interface, label, signal) in grants.signals() {
                dump.add(app, interface, label, signal);
            }
            for (module, name, signal) in functions::signals(&config.functions) {
                dump.add(app, module, name, signal);
            }
            for level in ["err", "wrn", "inf", "dbg"] {
                dump.add(app, "log", level, Signal::text());
            }
        }
        dump.inputs.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
        dump
    }

    fn add(&mut self, app: &str, interface: &str, label: &str, signal: Signal) {
        let index = self.variables.len();
        self.variables.insert((app.into(), interface.into(), label.into()), (index, signal.ty));
        self.inputs.extend(signal.inputs.into_iter().map(|(time, value)| (time, index, value)));
    }

    /// Returns the declarations.
    pub(crate) fn header(&self) -> String {
        let mut out = String::from("$version wisp run $end\n$timescale 1us $end\n");
        let mut scope: Option<(&str, &str)> = None;
        for ((app, interface, label), (index, ty)) in &self.variables {
            if scope != Some((app, interface)) {
                out.push_str(if scope.is_some() { "$upscope $end\n$upscope $end\n" } else { "" });
                let _ = writeln!(out, "$scope module {} $end\n$scope module {} $end", word(app), word(interface));
                scope = Some((app, interface));
            }
            let (ty, bits) = match ty {
                Type::Wire => ("wire", 1),
                Type::Real => ("real", 64),
                Type::Text => ("string", 1),
            };
            let _ = writeln!(out, "$var {ty} {bits} {} {} $end", code(*index), word(label));
        }
        out.push_str(if scope.is_some() { "$upscope $end\n$upscope $end\n" } else { "" });
        out.push_str("$enddefinitions $end\n");
        out
    }

    fn change(&mut self, out: &mut String, time_us: u64, index: usize, value: &str) {
        // Apps have clocks of their own; a dump has one, which never goes back.
        let time = self.time_us.map_or(time_us, |last| last.max(time_us));
        if self.time_us != Some(time) {
            let _ = writeln!(out, "#{time}");
            self.time_us = Some(time);
        }
        let space = if value.starts_with(['r', 's']) { " " } else { "" };
        let _ = writeln!(out, "{value}{space}{}", code(index));
    }

    /// Returns the changes of inputs until an event, and the event itself.
    pub(crate) fn event(&mut self, event: &Event<'_>) -> String {
        let mut out = String::new();
        while self.inputs.last().is_some_and(|(time, ..)| *time <= event.time_us) {
            if let Some((time, index, value)) = self.inputs.pop() {
                self.change(&mut out, time, index, &value);
            }
        }
        let name = (event.app.to_string(), event.source.to_string(), event.name.to_string());
        let Some(&(index, ty)) = self.variables.get(&name) else {
            return out;
        };
        let value = match ty {
            Type::Wire => wire(event.value == "active"),
            Type::Real => format!("r{}", event.value),
            Type::Text => text(event.value),
        };
        self.change(&mut out, event.time_us, index, &value);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::{Clock, Gpio, Log, PinMode, Pwm};

    #[test]
    fn outputs_inputs_and_log_are_dumped_in_the_order_of_time() {
        let board = "[apps.a.gpio]\nled = {}\nkey = { script = [{ at_ms = 1, active = true }] }\n\
                     [apps.a.adc.rail]\ninitial_mv = 3300\nscript = [{ at_ms = 2, mv = 1.5 }]\n[apps.a.pwm.fan]\n";
        let capture = Capture::new();
        let mut board = Board::from_toml(board).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Vcd);
        let mut app = board.platform("a");
        let led = app.find(b"led").unwrap();
        app.configure(led, PinMode::OutputActive).unwrap();
        app.sleep_us(1_500).unwrap();
        app.set(led, false).unwrap();
        app.sleep_us(1_500).unwrap();
        app.set_pwm(0, 250).unwrap();
        app.line(wisp_abi::log::INFO, b"two words");
        let expected = "$version wisp run $end\n$timescale 1us $end\n\
            $scope module a $end\n$scope module adc $end\n$var real 64 # rail $end\n\
            $upscope $end\n$upscope $end\n\
            $scope module a $end\n$scope module gpio $end\n$var wire 1 ! key $end\n$var wire 1 \" led $end\n\
            $upscope $end\n$upscope $end\n\
            $scope module a $end\n$scope module log $end\n$var string 1 ( dbg $end\n$var string 1 % err $end\n\
            $var string 1 ' inf $end\n$var string 1 & wrn $end\n\
            $upscope $end\n$upscope $end\n\
            $scope module a $end\n$scope module pwm $end\n$var real 64 $ fan $end\n\
            $upscope $end\n$upscope $end\n\
            $enddefinitions $end\n\
            #0\nr0 $\nr3300 #\n0\"\n0!\n1\"\n#1000\n1!\n#1500\n0\"\n#2000\nr1.5 #\n#3000\nr250 $\nstwo\\040words '\n";
        assert_eq!(capture.text(), expected);
    }

    #[test]
    fn every_variable_has_a_code_of_its_own() {
        let codes: std::collections::BTreeSet<String> = (0..20_000).map(code).collect();
        assert_eq!(codes.len(), 20_000);
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_graphic())));
    }
}
