// SPDX-License-Identifier: Apache-2.0
//! The devices of a board, by interface. Each interface has a file with its `Config`, which is the description in
//! a board file, its `Device` and the functions `check` and `signal`.

use crate::config::each;
use crate::error::Error;
use crate::files::FolderConfig;
use crate::functions::{Answers, Modules};
use crate::kv::KvConfig;
use crate::net::NetConfig;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::BTreeMap;

macro_rules! interfaces {
    ($($interface:ident)*) => {
        /// One app in a board file.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct AppConfig {
            pub(crate) args: Vec<String>,
            pub(crate) env: BTreeMap<String, String>,
            /// Folders of the workstation, by the names that the app has for them.
            pub(crate) folders: BTreeMap<String, FolderConfig>,
            pub(crate) ble: crate::ble::Config,
            pub(crate) hwinfo: crate::hwinfo::Config,
            pub(crate) kv: KvConfig,
            pub(crate) net: NetConfig,
            /// Results of the firmware's functions, for this app.
            pub(crate) functions: Modules<Answers>,
            $(pub(crate) $interface: BTreeMap<String, crate::$interface::Config>,)*
        }

        impl AppConfig {
            /// Checks what the types of the descriptions leave open. `key` is the path of the app in the file.
            pub(crate) fn check(&self, text: &str, key: &str) -> Result<(), Error> {
                crate::ble::check(text, &format!("{key}.ble"), &self.ble)?;
                crate::hwinfo::check(text, &format!("{key}.hwinfo"), &self.hwinfo)?;
                crate::kv::check(text, &format!("{key}.kv"), &self.kv)?;
                $(each(
                    text,
                    &format!(concat!("{}.", stringify!($interface)), key),
                    &self.$interface,
                    crate::$interface::check,
                )?;)*
                crate::net::check(text, &format!("{key}.net"), &self.net)
            }

            /// Returns what a waveform viewer shows: interface, label and signal.
            pub(crate) fn signals(&self) -> Vec<(&'static str, &str, Signal)> {
                let mut signals = Vec::new();
                $(for (label, config) in &self.$interface {
                    let signal = crate::$interface::signal(config);
                    signals.extend(signal.map(|signal| (stringify!($interface), label.as_str(), signal)));
                })*
                signals
            }
        }

        /// The devices that an app was granted.
        #[derive(Debug)]
        pub(crate) struct Devices {
            $(pub(crate) $interface: Vec<crate::$interface::Device>,)*
        }

        impl Devices {
            /// Takes the descriptions out of an app's part of the board file.
            pub(crate) fn new(app: &mut AppConfig) -> Self {
                Devices {
                    $($interface: std::mem::take(&mut app.$interface)
                        .into_iter()
                        .map(crate::$interface::Device::new)
                        .collect(),)*
                }
            }
        }

        /// Names of the interfaces, for a test.
        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($interface)),*];
    };
}

interfaces!(gpio adc pwm dac i2c spi uart sensor counter led strip display eeprom flash input can msg);

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn every_interface_whose_devices_are_granted_is_simulated() {
        for interface in wisp_abi::INTERFACES.iter().filter(|interface| interface.has_handles()) {
            assert!(NAMES.contains(&interface.ident), "rust/sim does not simulate {}", interface.module);
        }
    }
}
