// SPDX-License-Identifier: Apache-2.0
//! `wisp:sensor@1`: sensors with a driver in the firmware.

use crate::{constant, param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of sensors that one app can be granted.
pub const MAX_SENSORS: u32 = 32;

const SENSOR: Param = param("sensor", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the sensor or its bus failed");

/// The quantities. A channel's number is its index here.
const CHANNELS: &[Constant] = &[
    constant("ACCEL_X", 0, "Acceleration along X, m/s^2."),
    constant("ACCEL_Y", 1, "Acceleration along Y, m/s^2."),
    constant("ACCEL_Z", 2, "Acceleration along Z, m/s^2."),
    constant("GYRO_X", 3, "Angular rate around X, rad/s."),
    constant("GYRO_Y", 4, "Angular rate around Y, rad/s."),
    constant("GYRO_Z", 5, "Angular rate around Z, rad/s."),
    constant("MAGN_X", 6, "Magnetic field along X, gauss."),
    constant("MAGN_Y", 7, "Magnetic field along Y, gauss."),
    constant("MAGN_Z", 8, "Magnetic field along Z, gauss."),
    constant("DIE_TEMP", 9, "Temperature of the chip, degrees Celsius."),
    constant("AMBIENT_TEMP", 10, "Temperature around the chip, degrees Celsius."),
    constant("PRESS", 11, "Pressure, kilopascal."),
    constant("PROX", 12, "Proximity, 1 if something is close."),
    constant("HUMIDITY", 13, "Relative humidity, percent."),
    constant("LIGHT", 14, "Light in the visible spectrum, lux."),
    constant("ALTITUDE", 15, "Altitude, metres."),
    constant("PM_2_5", 16, "Particles up to 2.5 micrometres, micrograms per cubic metre."),
    constant("PM_10", 17, "Particles up to 10 micrometres, micrograms per cubic metre."),
    constant("DISTANCE", 18, "Distance to the sensor, metres."),
    constant("CO2", 19, "Carbon dioxide, parts per million."),
    constant("VOC", 20, "Volatile organic compounds, parts per billion."),
    constant("VOLTAGE", 21, "Voltage, volts."),
    constant("CURRENT", 22, "Current, amperes."),
    constant("POWER", 23, "Power, watts."),
    constant("ROTATION", 24, "Angle of rotation, degrees."),
    constant("RPM", 25, "Revolutions per minute."),
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
