// SPDX-License-Identifier: Apache-2.0
//! The grants that the imports of an app or a component need, as `wisp inspect` shows them (doc/cli.md).

use serde::Serialize;
use wisp_abi::{render, Interface, INTERFACES};

/// An interface that an image imports, and what it needs.
#[derive(Serialize)]
pub struct Need {
    /// The import module, for example `wisp:i2c@1`.
    pub module: String,
    /// The interface of the folder `wit` with the same functions, or null for modules that have none.
    pub wit: Option<String>,
    /// Properties of the app's node that grant the interface, or empty if it needs no grant.
    pub grant: Vec<&'static str>,
}

/// Returns the properties that grant an interface.
fn properties(interface: &Interface) -> Vec<&'static str> {
    interface.grant.map_or_else(Vec::new, |grant| vec![grant.property, grant.beside])
}

impl Need {
    /// Returns what an import module needs.
    pub fn of(module: &str) -> Self {
        let interface = wisp_abi::interface(module);
        let wit = interface.filter(|interface| render::has_wit(interface)).map(|interface| {
            let version = module.rsplit('@').next().unwrap_or_default();
            format!("wisp:{0}/{0}@{version}.0.0", interface.ident)
        });
        Self { module: module.into(), wit, grant: interface.map_or_else(Vec::new, properties) }
    }

    /// Returns the grant in words: the properties, or that none is needed.
    pub fn text(&self) -> String {
        if self.grant.is_empty() {
            "no grant".into()
        } else {
            self.grant.join(", ")
        }
    }
}

/// The interfaces of proposals and those that give their handles, with the interfaces of the ABI that they are lowered to.
const LOWERED: [(&str, &[&str]); 9] = [
    ("wasi:gpio/analog", &["adc", "pwm"]),
    ("wasi:gpio/digital", &["gpio"]),
    ("wasi:i2c/i2c", &["i2c"]),
    ("wasi:keyvalue/store", &["kv"]),
    ("wasi:spi/spi", &["spi"]),
    ("wisp:grants/i2c", &["i2c"]),
    ("wisp:pins/analog-in", &["adc"]),
    ("wisp:pins/analog-out", &["pwm"]),
    ("wisp:pins/digital", &["gpio"]),
];

/// Returns the properties that grant an interface of a component, by its name in WIT.
pub fn of_wit(name: &str) -> Vec<&'static str> {
    let name = name.split('@').next().unwrap_or_default();
    let own = name.strip_prefix("wisp:").and_then(|path| path.split_once('/'));
    let own = own.filter(|(package, interface)| package == interface).map(|(_, interface)| interface);
    let lowered = LOWERED.iter().find(|(from, _)| *from == name).map_or(&[][..], |(_, to)| to);
    let known = |ident: &&str| INTERFACES.iter().find(|known| known.ident == *ident);
    own.as_slice().iter().chain(lowered).filter_map(known).flat_map(properties).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_need_the_properties_of_what_they_are_lowered_to() {
        for name in ["wisp:i2c/i2c@1.0.0", "wasi:i2c/i2c@0.2.0-draft", "wisp:grants/i2c@1.0.0"] {
            assert_eq!(of_wit(name), ["i2c-devices", "i2c-names"], "{name}");
        }
        for name in ["wasi:gpio/digital@0.2.0", "wisp:pins/digital@1.0.0", "wisp:gpio/gpio@1.0.0"] {
            assert_eq!(of_wit(name), ["gpios", "gpio-names"], "{name}");
        }
        assert_eq!(of_wit("wasi:keyvalue/store@0.2.0-draft"), ["kv-size", "kv-erases-per-hour"]);
        assert_eq!(of_wit("wasi:spi/spi"), ["spi-devices", "spi-names"]);
        assert_eq!(of_wit("wasi:gpio/analog@0.2.0"), ["io-channels", "io-channel-names", "pwms", "pwm-names"]);
        assert_eq!(of_wit("wasi:keyvalue/store@0.2.0-draft2"), ["kv-size", "kv-erases-per-hour"]);
        for name in [
            "wasi:logging/logging@0.1.0-draft",
            "wasi:gpio/delay@0.2.0",
            "wisp:timer/timer@1.0.0",
            "wasi:i2c/delay@0.2.0-draft",
            "wasi:cli/stdout@0.2.0",
            "acme:i2c/i2c",
            "i2c",
            "",
        ] {
            assert!(of_wit(name).is_empty(), "{name}");
        }
        let need = Need::of("wisp:gpio@1");
        assert_eq!((need.wit.as_deref(), need.text().as_str()), (Some("wisp:gpio/gpio@1.0.0"), "gpios, gpio-names"));
        let need = Need::of("wasi_snapshot_preview1");
        assert_eq!((need.wit.as_deref(), need.text().as_str()), (None, "no grant"));
    }
}
