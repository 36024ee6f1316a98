// SPDX-License-Identifier: Apache-2.0
//! Pins: inputs follow their script, outputs are traced.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::{Edges, Gpio, Kind, PinMode};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Input,
    Output,
    #[default]
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Polarity {
    #[default]
    High,
    Low,
}

/// A pin as a board file describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Direction in which the app may use it.
    pub(crate) direction: Direction,
    /// Voltage of the active level: shown in traces.
    pub(crate) active: Polarity,
    /// Level of an input until the script says otherwise.
    pub(crate) initial: bool,
    /// Levels of an input over time.
    pub(crate) script: Vec<Spanned<Step>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Milliseconds since boot, with fractions.
    at_ms: f64,
    /// The logical level from then on.
    pub(crate) active: bool,
}

impl Step {
    pub(crate) fn at_us(&self) -> u64 {
        (self.at_ms * 1000.0).round() as u64
    }
}

/// Checks what the types of a pin's description leave open.
pub(crate) fn check(text: &str, key: &str, pin: &Config) -> Result<(), Error> {
    let key = format!("{key}.script");
    let mut last = 0.0;
    for step in &pin.script {
        let at = step.get_ref().at_ms;
        if !at.is_finite() || at < last {
            let message = format!("{key}: at_ms = {at}, expected a time not before {last}");
            return Err(Error::at(text, Some(step.span()), message));
        }
        last = at;
    }
    if let (Direction::Output, Some(step)) = (pin.direction, pin.script.first()) {
        let message = format!("{key}: an output has no script, expected direction \"input\" or \"any\"");
        return Err(Error::at(text, Some(step.span()), message));
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(config: &Config) -> Option<Signal> {
    Some(Signal::wire(
        std::iter::once((0, config.initial))
            .chain(config.script.iter().map(|step| (step.get_ref().at_us(), step.get_ref().active))),
    ))
}

impl Config {
    /// Returns the level of an input at a time.
    pub(crate) fn level(&self, now_us: u64) -> bool {
        let steps = self.script.iter().map(|step| step.get_ref());
        let past = steps.take_while(|step| step.at_us() <= now_us);
        past.last().map_or(self.initial, |step| step.active)
    }

    /// Gives an input a level until the script goes on.
    pub(crate) fn set(&mut self, now_us: u64, active: bool) {
        self.script.retain(|step| step.get_ref().at_us() > now_us);
        self.initial = active;
    }
}

#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
    mode: Option<PinMode>,
    driven: bool,
    edges: Edges,
    /// Edges up to here were queued, or happened before they were watched for.
    heard_us: u64,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, config, mode: None, driven: false, edges: Edges::None, heard_us: 0 }
    }

    /// Returns the next edge that is watched for: its time and the new level.
    pub(crate) fn next_edge(&self) -> Option<(u64, bool)> {
        let mut level = self.config.level(self.heard_us);
        for step in self.config.script.iter().map(|step| step.get_ref()) {
            let (time, active) = (step.at_us(), step.active);
            if time <= self.heard_us {
                continue;
            }
            let edge = std::mem::replace(&mut level, active) != active;
            if edge && self.edges.contain(active) {
                return Some((time, active));
            }
        }
        None
    }

    pub(crate) fn heard(&mut self, time_us: u64) {
        self.heard_us = time_us;
    }

    /// Gives the input a level. Returns true if that is an edge that is watched for.
    pub(crate) fn touch(&mut self, now_us: u64, active: bool) -> bool {
        let before = self.config.level(now_us);
        self.config.set(now_us, active);
        before != active && self.edges.contain(active)
    }
}

impl SimPlatform {
    fn pin(&mut self, pin: u32) -> Result<&mut Device, Errno> {
        self.devices.gpio.get_mut(pin as usize).ok_or(Errno::BadHandle)
    }

    fn drive(&mut self, index: u32, active: bool) -> Result<(), Errno> {
        let pin = self.pin(index)?;
        pin.driven = active;
        let pin = &self.devices.gpio[index as usize];
        let value = if active { "active" } else { "inactive" };
        let remark = if (pin.config.active == Polarity::High) == active { " (high)" } else { " (low)" };
        self.trace("gpio", &pin.label, value, remark);
        Ok(())
    }
}

impl Gpio for SimPlatform {
    fn find(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.gpio.iter().position(|pin| pin.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn configure(&mut self, pin: u32, mode: PinMode) -> Result<(), Errno> {
        let found = self.pin(pin)?;
        let allowed = match found.config.direction {
            Direction::Any => true,
            Direction::Input => mode == PinMode::Input,
            Direction::Output => mode != PinMode::Input,
        };
        if !allowed {
            return Err(Errno::Access);
        }
        found.mode = Some(mode);
        match mode {
            PinMode::Input => Ok(()),
            _ => self.drive(pin, mode == PinMode::OutputActive),
        }
    }

    fn set(&mut self, pin: u32, active: bool) -> Result<(), Errno> {
        self.drive(pin, active)
    }

    fn toggle(&mut self, pin: u32) -> Result<(), Errno> {
        let active = !self.pin(pin)?.driven;
        self.drive(pin, active)
    }

    fn is_active(&mut self, pin: u32) -> Result<bool, Errno> {
        self.tick();
        let now = self.now_us();
        let pin = self.pin(pin)?;
        if pin.mode != Some(PinMode::Input) {
            return Ok(pin.driven);
        }
        Ok(pin.config.level(now))
    }

    fn watch(&mut self, pin: u32, edges: Edges) -> Result<(), Errno> {
        let now = self.now_us();
        // What other pins told until now comes before what this one will.
        self.collect_events();
        let watched = self.pin(pin)?;
        watched.edges = edges;
        watched.heard_us = now;
        self.queue.retain(|kind| !matches!(kind, Kind::Edge { pin: of, .. } if of == pin));
        Ok(())
    }

    fn release(&mut self, pin: u32) -> Result<(), Errno> {
        self.pin(pin)?.mode = None;
        Ok(())
    }
}
