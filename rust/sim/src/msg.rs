// SPDX-License-Identifier: Apache-2.0
//! Channels of messages: what is published is traced, what is received follows a script.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::VecDeque;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::Msg;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Publish,
    Subscribe,
}

/// A channel as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    direction: Direction,
    /// Bytes of each message.
    size: u32,
    /// Messages that wait at most.
    #[serde(default = "four")]
    queue: u32,
    #[serde(default)]
    script: Vec<Spanned<Message>>,
}

fn four() -> u32 {
    4
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    at_ms: f64,
    bytes: Vec<u8>,
}

/// Checks what the types of a channel's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    if !(1..=1024).contains(&config.size) || !(1..=255).contains(&config.queue) {
        let message =
            format!("{key}: size = {}, queue = {}, expected 1 to 1024 and 1 to 255", config.size, config.queue);
        return Err(Error::at(text, None, message));
    }
    let mut last = 0.0;
    for step in &config.script {
        let Message { at_ms, bytes } = step.get_ref();
        let fits = bytes.len() == config.size as usize && config.direction == Direction::Subscribe;
        if !at_ms.is_finite() || *at_ms < last || !fits {
            let message = format!(
                "{key}.script: expected {} bytes at a time not before {last}, and direction = \"subscribe\"",
                config.size
            );
            return Err(Error::at(text, Some(step.span()), message));
        }
        last = *at_ms;
    }
    Ok(())
}

/// Returns no signal: waveform viewers show nothing of it.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    None
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
    open: bool,
    /// Steps of the script that are past.
    past: usize,
    waiting: VecDeque<Vec<u8>>,
    lost: u32,
    /// An event told of what is there.
    told: bool,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, config, open: false, past: 0, waiting: VecDeque::new(), lost: 0, told: false }
    }

    fn at_us(step: &Spanned<Message>) -> u64 {
        (step.get_ref().at_ms * 1000.0).round() as u64
    }

    /// Returns the time at which the next message arrives, if the channel is open.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.config.script.get(self.past).filter(|_| self.open).map(Self::at_us)
    }

    /// Takes the message of that time into the queue. Returns true if an event is due.
    pub(crate) fn arrive(&mut self) -> bool {
        let Some(step) = self.config.script.get(self.past) else { return false };
        self.past += 1;
        if self.waiting.len() >= self.config.queue as usize {
            self.lost += 1;
            return false;
        }
        self.waiting.push_back(step.get_ref().bytes.clone());
        !std::mem::replace(&mut self.told, true)
    }
}

impl SimPlatform {
    fn msg_channel(&mut self, channel: u32) -> Result<&mut Device, Errno> {
        self.devices.msg.get_mut(channel as usize).ok_or(Errno::BadHandle)
    }

    pub(crate) fn untold_msg(&mut self, channel: u32) {
        if let Ok(found) = self.msg_channel(channel) {
            found.told = false;
        }
    }
}

impl Msg for SimPlatform {
    fn find_msg(&self, label: &[u8], publish: bool) -> Option<u32> {
        let wanted = if publish { Direction::Publish } else { Direction::Subscribe };
        let found = |channel: &Device| channel.label.as_bytes() == label && channel.config.direction == wanted;
        u32::try_from(self.devices.msg.iter().position(found)?).ok()
    }

    fn publishes(&self, channel: u32) -> bool {
        self.devices.msg.get(channel as usize).is_some_and(|found| found.config.direction == Direction::Publish)
    }

    fn msg_size(&self, channel: u32) -> u32 {
        self.devices.msg.get(channel as usize).map_or(0, |found| found.config.size)
    }

    fn open_msg(&mut self, channel: u32) -> Result<(), Errno> {
        let now = self.now_us();
        self.queue.retain(|kind| kind != wisp_host::platform::Kind::Message(channel));
        let found = self.msg_channel(channel)?;
        found.open = true;
        found.told = false;
        found.waiting.clear();
        found.lost = 0;
        // What came before nobody hears.
        found.past = found.config.script.iter().filter(|step| Device::at_us(step) < now).count();
        Ok(())
    }

    fn close_msg(&mut self, channel: u32) {
        if let Ok(found) = self.msg_channel(channel) {
            found.open = false;
            found.waiting.clear();
        }
        self.queue.retain(|kind| kind != wisp_host::platform::Kind::Message(channel));
    }

    fn publish_msg(&mut self, channel: u32, message: &[u8]) -> Result<u32, Errno> {
        self.tick();
        let label = self.msg_channel(channel)?.label.clone();
        let shown: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        self.trace("msg", &label, &shown, "");
        Ok(0)
    }

    fn receive_msg(&mut self, channel: u32, message: &mut [u8]) -> Result<(), Errno> {
        self.tick();
        self.collect_events();
        let found = self.msg_channel(channel)?;
        let taken = found.waiting.pop_front();
        found.told = found.told && !found.waiting.is_empty();
        message.copy_from_slice(&taken.ok_or(Errno::Again)?);
        Ok(())
    }

    fn take_lost_msgs(&mut self, channel: u32) -> u32 {
        self.collect_events();
        self.msg_channel(channel).map_or(0, |found| std::mem::take(&mut found.lost))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::{Clock, Event, Events, Kind, Msg};

    const BOARD: &str = r#"
        [apps.a.msg.level]
        direction = "publish"
        size = 2
        [apps.a.msg.wish]
        direction = "subscribe"
        size = 1
        queue = 2
        script = [
          { at_ms = 1, bytes = [1] },
          { at_ms = 2, bytes = [2] },
          { at_ms = 2, bytes = [3] },
          { at_ms = 3, bytes = [4] },
          { at_ms = 9, bytes = [5] },
        ]
    "#;

    #[test]
    fn what_is_published_is_traced() {
        let capture = Capture::new();
        let mut board = Board::from_toml(BOARD).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        let mut app = board.platform("a");
        assert_eq!((app.find_msg(b"level", true), app.find_msg(b"level", false)), (Some(0), None));
        app.open_msg(0).unwrap();
        assert_eq!((app.msg_size(0), app.publish_msg(0, &[1, 0xab])), (2, Ok(0)));
        assert!(capture.text().contains("1,a,msg,level,01ab\n"), "{}", capture.text());
    }

    #[test]
    fn messages_arrive_at_their_time_and_a_full_queue_loses_the_newest() {
        let mut app = Board::from_toml(BOARD).unwrap().platform("a");
        app.sleep_us(1500).unwrap();
        app.open_msg(1).unwrap();
        let mut message = [0];
        assert_eq!(app.receive_msg(1, &mut message), Err(Errno::Again), "the first came before");
        let event = |time_us| Ok(Some(Event { time_us, kind: Kind::Message(1), lost: 0 }));
        assert_eq!(app.next_event(u64::MAX), event(2000));
        app.sleep_us(2000).unwrap();
        assert_eq!(app.next_event(0), Ok(None), "told once until the queue was empty");
        assert_eq!((app.receive_msg(1, &mut message), message), (Ok(()), [2]));
        assert_eq!((app.receive_msg(1, &mut message), message), (Ok(()), [3]));
        assert_eq!((app.take_lost_msgs(1), app.take_lost_msgs(1)), (1, 0));
        assert_eq!(app.next_event(u64::MAX), event(9000));
        app.close_msg(1);
        assert_eq!(app.next_event(20_000), Ok(None));
    }

    #[test]
    fn a_channel_that_is_opened_again_tells_nothing_of_what_it_held() {
        let mut app = Board::from_toml(BOARD).unwrap().platform("a");
        app.open_msg(1).unwrap();
        app.sleep_us(3500).unwrap();
        app.collect_events();
        app.open_msg(1).unwrap();
        assert_eq!(app.next_event(4000), Ok(None));
        let event = Event { time_us: 9000, kind: Kind::Message(1), lost: 0 };
        assert_eq!(app.next_event(u64::MAX), Ok(Some(event)));
    }

    #[test]
    fn a_channel_that_makes_no_sense_is_refused() {
        for (text, expected) in [
            ("direction = \"publish\"\nsize = 0", "1 to 1024"),
            ("direction = \"publish\"\nsize = 2\nqueue = 0", "1 to 255"),
            ("direction = \"publish\"\nsize = 1\nscript = [{ at_ms = 1, bytes = [1] }]", "subscribe"),
            ("direction = \"subscribe\"\nsize = 1\nscript = [{ at_ms = 1, bytes = [1, 2] }]", "expected 1 bytes"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.msg.x]\n{text}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.msg.x"), "{error}");
        }
    }
}
