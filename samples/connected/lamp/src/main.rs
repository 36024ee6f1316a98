// SPDX-License-Identifier: Apache-2.0
//! A lamp that an MQTT broker switches. The host speaks MQTT, over TLS. The first argument is the broker's address with its
//! port. The message `end` ends the app, and `crash` ends it without a word, so that the broker publishes its will.
#![no_std]
#![no_main]

use core::net::SocketAddr;
use core::time::Duration;
use wisp_guest::{
    argument, error, info, next_event, warn, Errno, Error, MqttClient, MqttOptions, MqttPacket,
    MqttQuality, MqttWill, TcpStream,
};

/// Longest wait for the broker.
const PATIENCE: Duration = Duration::from_secs(20);
const STATE: &str = "lamp/state";
const SWITCH: &str = "lamp/switch";

wisp_guest::main!(run);

/// Tells everybody whether the lamp is lit.
fn tell(broker: &mut MqttClient, state: &str) -> Result<(), Error> {
    let payload = state.as_bytes();
    let id = broker.publish(STATE, payload, MqttQuality::AtLeastOnce, true, PATIENCE)?;
    info!("{}, message {}", state, id);
    Ok(())
}

fn connect(address: SocketAddr) -> Result<MqttClient, Error> {
    let options = MqttOptions {
        client: "lamp",
        will: Some(MqttWill {
            topic: STATE,
            payload: b"gone",
            quality: MqttQuality::AtLeastOnce,
            retain: true,
        }),
        keep_alive: 2,
        ..MqttOptions::default()
    };
    let mut broker = MqttClient::connect(
        TcpStream::connect_tls(address, PATIENCE)?,
        &options,
        PATIENCE,
    )?;
    info!("connected");
    broker.subscribe(SWITCH, MqttQuality::AtLeastOnce, PATIENCE)?;
    tell(&mut broker, "off")?;
    broker.watch(true)?;
    Ok(broker)
}

/// Takes all that has come. Returns the last word of the broker, if there was one.
fn obey(broker: &mut MqttClient) -> Result<Option<bool>, Error> {
    loop {
        match broker.receive(Duration::ZERO) {
            Ok(MqttPacket::Message(message)) => {
                let mut buffer = [0; 64];
                let (_, payload) = match broker.read_whole(message, &mut buffer, PATIENCE) {
                    Err(Error(Errno::MessageSize)) => {
                        warn!("a message of {} bytes", message.payload_length);
                        continue;
                    }
                    read => read?,
                };
                match payload {
                    b"on" => tell(broker, "on")?,
                    b"off" => tell(broker, "off")?,
                    b"end" => return Ok(Some(true)),
                    b"crash" => return Ok(Some(false)),
                    _ => warn!("{} bytes that are no command", payload.len()),
                }
            }
            Ok(MqttPacket::Published(id)) => info!("the broker has message {}", id),
            Ok(_) => {}
            Err(Error(Errno::TimedOut)) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

fn run() -> Result<(), Error> {
    let mut arguments = [0; 96];
    let address = argument(1, &mut arguments).and_then(|text| text.parse::<SocketAddr>().ok());
    let Some(address) = address else {
        error!("expected the address of the broker as the first argument, such as 192.0.2.7:8883");
        return Err(Error(Errno::Invalid));
    };
    let mut broker = connect(address)?;
    loop {
        match obey(&mut broker)? {
            None => {
                next_event();
            }
            Some(true) => return broker.disconnect(PATIENCE),
            Some(false) => return Ok(()),
        }
    }
}
