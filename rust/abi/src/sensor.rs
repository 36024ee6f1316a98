// SPDX-License-Identifier: Apache-2.0
//! `wisp:sensor@1`: sensors with a driver in the firmware.

use crate::{param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of sensors that one app can be granted.
pub const MAX_SENSORS: u32 = 32;

const SENSOR: Param = param("sensor", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the sensor or its bus failed");

const fn channel(name: &'static str, value: u32, doc: &'static str) -> Constant {
    Constant { name, value, doc }
}

/// The quantities. A channel's number is its index here.
const CHANNELS: &[Constant] = &[
    channel("ACCEL_X", 0, "Acceleration along X, m/s^2."),
    channel("ACCEL_Y", 1, "Acceleration along Y, m/s^2."),
    channel("ACCEL_Z", 2, "Acceleration along Z, m/s^2."),
    channel("GYRO_X", 3, "Angular rate around X, rad/s."),
    channel("GYRO_Y", 4, "Angular rate around Y, rad/s."),
    channel("GYRO_Z", 5, "Angular rate around Z, rad/s."),
    channel("MAGN_X", 6, "Magnetic field along X, gauss."),
    channel("MAGN_Y", 7, "Magnetic field along Y, gauss."),
    channel("MAGN_Z", 8, "Magnetic field along Z, gauss."),
    channel("DIE_TEMP", 9, "Temperature of the chip, degrees Celsius."),
    channel("AMBIENT_TEMP", 10, "Temperature around the chip, degrees Celsius."),
    channel("PRESS", 11, "Pressure, kilopascal."),
    channel("PROX", 12, "Proximity, 1 if something is close."),
    channel("HUMIDITY", 13, "Relative humidity, percent."),
    channel("LIGHT", 14, "Light in the visible spectrum, lux."),
    channel("ALTITUDE", 15, "Altitude, metres."),
    channel("PM_2_5", 16, "Particles up to 2.5 micrometres, micrograms per cubic metre."),
    channel("PM_10", 17, "Particles up to 10 micrometres, micrograms per cubic metre."),
    channel("DISTANCE", 18, "Distance to the sensor, metres."),
    channel("CO2", 19, "Carbon dioxide, parts per million."),
    channel("VOC", 20, "Volatile organic compounds, parts per billion."),
    channel("VOLTAGE", 21, "Voltage, volts."),
    channel("CURRENT", 22, "Current, amperes."),
    channel("POWER", 23, "Power, watts."),
    channel("ROTATION", 24, "Angle of rotation, degrees."),
    channel("RPM", 25, "Revolutions per minute."),
];

/// The number of channels.
pub const CHANNEL_COUNT: u32 = CHANNELS.len() as u32;

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:sensor@1",
    ident: "sensor",
    host_trait: "SensorV1",
    doc: "Sensors that have a driver in the firmware, granted by `sensors` and `sensor-names` in the app's node: \
          the app gets quantities, and no access to the bus. A value is the quantity times a million, in the unit of \
          its channel.",
    grant: Grant::devices("sensors", "sensor-names", "a sensor with a driver in the firmware"),
    errors: ErrorSpace::Wisp,
    constants: CHANNELS,
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted sensor. A second call returns the same handle.",
            params: &[param("label", Kind::Bytes, "the sensor's name in `sensor-names`")],
            returns: Returns::Handle,
            errors: &[("EACCES", "no such sensor was granted to the app"), ("ENODEV", "the sensor is not ready")],
        },
        Function {
            name: "close",
            doc: "Gives the handle back.",
            params: &[SENSOR],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "fetch",
            doc: "Takes a sample of all channels. Apps that share a sensor share its last sample.",
            params: &[SENSOR],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "get",
            doc: "One channel of the last sample.",
            params: &[
                SENSOR,
                param("channel", Kind::U32, "one of the constants"),
                param("value", Kind::OutI64, "the quantity times 1000000"),
            ],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "the channel is none of the constants"),
                ("ENOTSUP", "the sensor does not have this channel"),
                FAILED,
            ],
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::CHANNELS;

    #[test]
    fn channels_are_numbered_in_their_order() {
        assert!(CHANNELS.iter().zip(0..).all(|(channel, number)| channel.value == number));
    }
}
