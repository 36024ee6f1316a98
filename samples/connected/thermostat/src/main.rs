// SPDX-License-Identifier: Apache-2.0
//! A thermostat that gets its target from an MQTT broker and reports the temperature. The crate minimq speaks MQTT over
//! TLS. The first argument is the broker's address with its port. The app ends when the room is warm.
#![no_std]
#![no_main]

use core::fmt::Write;
use core::net::SocketAddr;
use embedded_time::clock::Error as ClockError;
use embedded_time::fraction::Fraction;
use embedded_time::{Clock, Instant};
use heapless::String;
use minimq::broker::{Broker, IpBroker};
use minimq::types::TopicFilter;
use minimq::{ConfigBuilder, Minimq, Publication, QoS};
use wisp_guest::{argument, error, info, uptime, Delay, Errno, Error, Network};

/// Time between two readings, in milliseconds.
const PERIOD_MS: u32 = 100;

wisp_guest::main!(run);

/// The time since boot, as minimq wants it.
#[derive(Debug)]
struct Uptime;

impl Clock for Uptime {
    type T = u32;
    const SCALING_FACTOR: Fraction = Fraction::new(1, 1000);

    fn try_now(&self) -> Result<Instant<Self>, ClockError> {
        Ok(Instant::new(uptime().as_millis() as u32))
    }
}

/// A room that the heater warms. Temperatures are tenths of a degree.
struct Room {
    temperature: i32,
    target: Option<i32>,
}

impl Room {
    fn step(&mut self) -> bool {
        let heats = self.target.is_some_and(|target| self.temperature < target);
        self.temperature += if heats { 5 } else { 0 };
        heats
    }
}

/// Reads a temperature such as `21.5` in tenths of a degree.
fn tenths(text: &[u8]) -> Option<i32> {
    let text = core::str::from_utf8(text).ok()?;
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let (whole, rest): (i32, u8) = (whole.parse().ok()?, rest.parse().ok()?);
    (whole.abs() < 100 && rest < 10).then_some(whole * 10 + i32::from(rest))
}

fn shown(tenths: i32) -> String<8> {
    let mut text = String::new();
    let _ = write!(text, "{}.{}", tenths / 10, tenths % 10);
    text
}

/// Names the error for the log.
fn failed<E: core::fmt::Debug>(error: E) -> Error {
    error!("mqtt: {:?}", error);
    Error(Errno::Io)
}

fn run() -> Result<(), Error> {
    let mut arguments = [0; 96];
    let address = argument(1, &mut arguments).and_then(|text| text.parse::<SocketAddr>().ok());
    let Some(address) = address else {
        error!("expected the address of the broker as the first argument, such as 192.0.2.7:8883");
        return Err(Error(Errno::Invalid));
    };
    let mut broker = IpBroker::new(address.ip());
    broker.set_port(address.port());
    let mut buffer = [0; 512];
    let config = ConfigBuilder::new(broker, &mut buffer)
        .keepalive_interval(60)
        .client_id("thermostat")
        .map_err(failed)?;
    let mut mqtt = Minimq::new(Network::secure(), Uptime, config);
    let mut room = Room {
        temperature: 200,
        target: None,
    };
    let mut subscribed = false;
    let mut due = uptime();

    loop {
        while mqtt
            .poll(|_, topic, payload, _| {
                if let Some(target) = tenths(payload).filter(|_| topic == "thermostat/target") {
                    info!("target {}", shown(target));
                    room.target = Some(target);
                }
            })
            .map_err(failed)?
            .is_some()
        {}
        let client = mqtt.client();
        if client.is_connected() && !subscribed {
            info!("connected");
            client
                .subscribe(&[TopicFilter::new("thermostat/target")], &[])
                .map_err(failed)?;
            subscribed = true;
        }
        if uptime() >= due && subscribed && client.can_publish(QoS::AtLeastOnce) {
            let heats = room.step();
            let text = shown(room.temperature);
            let reading =
                Publication::new("thermostat/temperature", text.as_bytes()).qos(QoS::AtLeastOnce);
            client.publish(reading).map_err(failed)?;
            due = uptime() + core::time::Duration::from_millis(PERIOD_MS.into());
            if room.target.is_some() && !heats {
                break;
            }
        }
        Delay.ms(10);
    }
    while mqtt.client().pending_messages() {
        mqtt.poll(|_, _, _, _| ()).map_err(failed)?;
        Delay.ms(10);
    }
    info!("warm: {}", shown(room.temperature));
    Ok(())
}
