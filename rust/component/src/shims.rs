// SPDX-License-Identifier: Apache-2.0
//! The shims: a core module that implements WASI 0.2 and the WIT packages of Wisp over the functions that Wisp's host
//! has.

use std::collections::BTreeSet;

use wasmparser::Operator;

use crate::facts::Facts;
use crate::plan::{Link, PREVIEW1};
use crate::Error;

/// The module, assembled from the folder `shims`.
static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shims.wasm"));

/// The import module that stands for the app in the shims.
pub const APP: &str = "app";

/// Takes the place of the drop of any resource that owns nothing.
const DROP: &str = "drop";

/// Makes a handle of a resource that the component defines, and reads one.
const SAME: &str = "same";

/// Calls `proc_exit(1)` if its parameter is not 0.
pub const END: &str = "end";

/// Makes an address for the host of address and length of what lies there, and an address of the app of one from the host.
/// They stay out of a component with one memory, in which both are the same.
pub const ABSOLUTE: &str = "absolute";
pub const LOCAL: &str = "local";

/// Read a word and a byte of the app's memory.
pub const WORD: &str = "word";
pub const BYTE: &str = "byte";

/// The globals that say where something lies in the app's memory.
pub const PER_PART: [&str; 2] = ["spare", "spare size"];

const RUN: &str = "wasi:cli/run";

/// Returns true for the name of the export with which a program begins.
pub fn is_run(name: &str) -> bool {
    name.split_once('@').is_some_and(|(name, version)| name == RUN && is_0_2(version))
}

/// The packages whose functions the shims implement.
const PACKAGES: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// The packages, and the resources of others, of which no handle exists: their methods are never called.
const WITHOUT_HANDLES: [(&str, &str); 4] = [
    ("wasi:filesystem/", "[method]"),
    ("wasi:gpio/", "[method]analog-in-out-pin."),
    ("wasi:gpio/", "[method]digital-in-out-pin."),
    ("wasi:sockets/", "[method]"),
];

/// The interface that defines pollables, and the drop of one.
const POLL: &str = "wasi:io/poll";
const DROP_POLLABLE: &str = "[resource-drop]pollable";

/// The packages in the folder `wit`.
pub const WISP: &str = "wisp:";

/// The packages with which a component gets handles of hardware. They have functions alone, so every resource of theirs is
/// that of a proposal.
const GRANTS: [&str; 2] = ["wisp:grants/", "wisp:pins/"];

/// The proposals with the versions that the shims implement: those in which the functions of the shims are the same. It is
/// empty for a package without a version.
const PROPOSALS: [(&str, &[&str]); 5] = [
    ("wasi:gpio/", &["0.2.0"]),
    ("wasi:i2c/", &["0.2.0-draft"]),
    ("wasi:keyvalue/", &["0.2.0-draft2", "0.2.0-draft"]),
    ("wasi:logging/", &["0.1.0-draft", ""]),
    ("wasi:spi/", &[""]),
];

/// The end of the names of the shims that take the place of others if a component has pollables of pins.
const WITH_PINS: &str = " with pins";

/// Returns the versions that the shims implement of the proposal with an interface, or `None` if it is none of them.
pub fn proposal(name: &str) -> Option<&'static [&'static str]> {
    PROPOSALS.iter().find(|(package, _)| name.starts_with(package)).map(|&(_, versions)| versions)
}

/// Returns true if the shims implement functions of the interface's package.
pub fn is_known(name: &str) -> bool {
    PACKAGES.iter().any(|package| name.starts_with(package))
}

/// Returns true for the version of an interface that the shims implement.
pub fn is_version(name: &str, version: &str) -> bool {
    if let Some(expected) = proposal(name) {
        return expected.contains(&version);
    }
    if !name.starts_with(WISP) {
        return is_0_2(version);
    }
    // a component may import any release that adds nothing it does not call
    let minor = version.strip_prefix("1.").unwrap_or_default();
    !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Returns true for the versions of WASI that the shims implement: 0.2 and its releases, not the drafts before them.
pub fn is_0_2(version: &str) -> bool {
    let patch = version.strip_prefix("0.2.");
    version == "0.2" || patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()))
}

/// Returns true for a function that makes a pollable of a pin. One that waits for the pin itself is always ready.
pub fn watches_pin(interface: &str, function: &str) -> bool {
    interface.starts_with("wasi:gpio/digital@")
        && function.starts_with("[method]digital-in-pin.watch-")
        && !function.ends_with("-for-ready")
}

/// The replacement of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shim {
    /// The function of the shims with this index.
    Func(u32),
    /// A trap, because no valid call is possible.
    Trap,
}

/// The shims as they are linked.
#[derive(Debug)]
pub struct Shims {
    pub facts: Facts<'static>,
    /// Their module, for sections that are copied whole.
    pub bytes: &'static [u8],
}

impl Shims {
    /// Reads the module.
    ///
    /// # Errors
    /// None: the crate's own build script made the module.
    pub fn read() -> Result<Self, Error> {
        Ok(Self { facts: Facts::of(MODULE)?, bytes: MODULE })
    }

    /// Returns what takes the place of a function of an interface in a component with pollables of pins.
    pub fn find_with_pins(&self, interface: &str, function: &str) -> Option<Shim> {
        let found = self.find(interface, function)?;
        let name = interface.split('@').next().unwrap_or_default();
        Some(self.facts.exported(&format!("{name} {function}{WITH_PINS}")).map_or(found, Shim::Func))
    }

    /// Returns what takes the place of a function of an interface, or `None` if nothing does.
    pub fn find(&self, interface: &str, function: &str) -> Option<Shim> {
        let (name, version) = interface.split_once('@').unwrap_or((interface, ""));
        if !is_version(name, version) {
            return None;
        }
        let holds_nothing = GRANTS.iter().any(|package| name.starts_with(package)) || proposal(name).is_some();
        // every interface that uses pollables has a name for their type
        let name = if function == DROP_POLLABLE && (is_known(name) || holds_nothing) { POLL } else { name };
        if let Some(func) = self.facts.exported(&format!("{name} {function}")) {
            return Some(Shim::Func(func));
        }
        if !is_known(name) && !holds_nothing {
            return None;
        }
        if function.starts_with("[resource-drop]") {
            return self.facts.exported(DROP).map(Shim::Func);
        }
        let never = |&(package, of): &(&str, &str)| name.starts_with(package) && function.starts_with(of);
        WITHOUT_HANDLES.iter().any(never).then_some(Shim::Trap)
    }

    /// Returns what takes the place of a function of preview 1 in a part of a composed component.
    pub fn preview1(&self, function: &str) -> Option<u32> {
        self.facts.exported(&format!("{PREVIEW1} {function}"))
    }

    /// Returns the functions that change addresses at the border to the host.
    pub fn border(&self) -> Vec<u32> {
        [ABSOLUTE, LOCAL].into_iter().filter_map(|name| self.facts.exported(name)).collect()
    }

    /// Returns what makes or reads a handle of a resource that the component defines.
    pub fn same(&self) -> Link {
        self.facts.exported(SAME).map_or(Link::Trap, Link::Shim)
    }

    /// Returns what drops a resource that owns nothing.
    pub fn nothing(&self) -> Link {
        self.facts.exported(DROP).map_or(Link::Trap, Link::Shim)
    }

    /// Returns the globals that functions read or write, in ascending order.
    ///
    /// # Errors
    /// None: the crate's own build script made the module.
    pub fn globals(&self, functions: &[u32]) -> Result<BTreeSet<u32>, Error> {
        let mut found = BTreeSet::new();
        for &func in functions {
            let Some(body) = (func as usize).checked_sub(self.facts.imported_funcs.len()) else { continue };
            for op in self.facts.bodies[body].get_operators_reader()? {
                if let Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } = op? {
                    found.insert(global_index);
                }
            }
        }
        Ok(found)
    }

    /// Returns the functions that are called from these, with them, in ascending order.
    ///
    /// # Errors
    /// None: the crate's own build script made the module.
    pub fn reachable(&self, mut wanted: Vec<u32>) -> Result<Vec<u32>, Error> {
        let mut found = Vec::new();
        while let Some(func) = wanted.pop() {
            if found.contains(&func) {
                continue;
            }
            found.push(func);
            let Some(body) = (func as usize).checked_sub(self.facts.imported_funcs.len()) else { continue };
            for op in self.facts.bodies[body].get_operators_reader()? {
                if let Operator::Call { function_index } = op? {
                    wanted.push(function_index);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wasmparser::ValType;
    use wit_parser::abi::{AbiVariant, WasmType};
    use wit_parser::Resolve;

    use super::*;

    #[test]
    fn a_shim_serves_every_version_of_wasi_0_2_and_no_other() {
        let shims = Shims::read().unwrap();
        let stdout = shims.facts.exported("wasi:cli/stdout get-stdout").map(Shim::Func);
        assert!(stdout.is_some());
        for version in ["0.2", "0.2.0", "0.2.6", "0.2.12"] {
            assert_eq!(shims.find(&format!("wasi:cli/stdout@{version}"), "get-stdout"), stdout, "{version}");
        }
        for version in ["0.3.0", "0.20.0", "0.2.", "0.2.0-rc-2023-11-10", "0.2.x"] {
            assert_eq!(shims.find(&format!("wasi:cli/stdout@{version}"), "get-stdout"), None, "{version}");
        }
        for other in ["wasi:cli/stdout", "acme:cli/stdout@0.2.0"] {
            assert_eq!(shims.find(other, "get-stdout"), None, "{other}");
        }
    }

    #[test]
    fn drops_do_nothing_but_for_pollables_and_methods_without_handles_trap() {
        let shims = Shims::read().unwrap();
        let drop = shims.facts.exported(DROP).map(Shim::Func);
        assert_eq!(shims.find("wasi:io/streams@0.2.0", "[resource-drop]output-stream"), drop);
        assert_eq!(shims.find("wasi:sockets/tcp@0.2.0", "[resource-drop]tcp-socket"), drop);
        let pollable = shims.find("wasi:io/poll@0.2.0", "[resource-drop]pollable");
        assert!(pollable.is_some() && pollable != drop);
        assert_eq!(shims.find("wasi:clocks/monotonic-clock@0.2.0", "[resource-drop]pollable"), pollable);
        assert_eq!(shims.find("acme:io/poll@0.2.0", "[resource-drop]pollable"), None);
        let read = "[method]descriptor.read-via-stream";
        assert_eq!(shims.find("wasi:filesystem/types@0.2.0", read), Some(Shim::Trap));
        assert_eq!(shims.find("wasi:io/streams@0.2.0", "[method]output-stream.splice"), None);
        assert_eq!(shims.find("wasi:http/types@0.2.0", "[resource-drop]fields"), None);
    }

    #[test]
    fn every_function_of_the_wit_packages_has_a_shim_with_the_types_of_the_canonical_abi() {
        let shims = Shims::read().unwrap();
        let names = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let expected = |types: &[WasmType]| {
            let name = |ty: &WasmType| if *ty == WasmType::I64 { "i64" } else { "i32" };
            types.iter().map(name).collect::<Vec<_>>().join(" ")
        };
        let mut count = 0;
        for interface in wisp_abi::INTERFACES.iter().filter(|interface| wisp_abi::render::has_wit(interface)) {
            let mut resolve = Resolve::default();
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").join(interface.ident);
            let (package, _) = resolve.push_dir(folder).unwrap();
            let module = format!("wisp:{0}/{0}@1.0.0", interface.ident);
            let id = resolve.packages[package].interfaces[interface.ident];
            for (name, function) in &resolve.interfaces[id].functions {
                let Some(Shim::Func(shim)) = shims.find(&module, name) else { panic!("{module} {name}") };
                let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
                let ty = shims.facts.type_of(shim).unwrap();
                assert_eq!(names(ty.params()), expected(&signature.params), "{module} {name}");
                assert_eq!(names(ty.results()), expected(&signature.results), "{module} {name}");
                count += 1;
            }
        }
        let all = wisp_abi::INTERFACES.iter().filter(|interface| wisp_abi::render::has_wit(interface));
        let functions = all.flat_map(|interface| interface.functions);
        let left_out = functions.clone().filter(|function| ["close", "transaction"].contains(&function.name));
        assert_eq!(count, functions.count() - left_out.count());
    }

    /// The functions of the proposals that nothing takes the place of.
    const LEFT_OUT: [&str; 5] = [
        "wasi:gpio/digital@0.2.0 [method]digital-in-pin.get-config",
        "wasi:gpio/digital@0.2.0 [method]digital-out-pin.get-config",
        "wasi:gpio/analog@0.2.0 [method]analog-in-pin.get-config",
        "wasi:gpio/analog@0.2.0 [method]analog-out-pin.get-config",
        "wasi:keyvalue/store@0.2.0-draft2 [method]bucket.list-keys",
    ];

    #[test]
    fn every_function_of_the_proposals_has_a_shim_with_the_types_of_the_canonical_abi_or_is_left_out() {
        let shims = Shims::read().unwrap();
        let mut resolve = Resolve::default();
        // those that others use first
        for folder in
            ["wasi-io", "wasi-gpio", "pins", "wasi-i2c", "grants", "wasi-spi", "wasi-logging", "wasi-keyvalue"]
        {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").join(folder);
            for file in std::fs::read_dir(path).unwrap() {
                resolve.push_file(file.unwrap().path()).unwrap();
            }
        }
        let core = |types: &[WasmType]| {
            let name = |ty: &WasmType| match ty {
                WasmType::I64 => "i64",
                WasmType::F32 => "f32",
                _ => "i32",
            };
            types.iter().map(name).collect::<Vec<_>>().join(" ")
        };
        let text = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let mut left_out = Vec::new();
        for (id, interface) in &resolve.interfaces {
            let module = resolve.id_of(id).unwrap();
            for (name, function) in &interface.functions {
                let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
                match shims.find(&module, name) {
                    Some(Shim::Func(shim)) => {
                        let ty = shims.facts.type_of(shim).unwrap();
                        assert_eq!(text(ty.params()), core(&signature.params), "{module} {name}");
                        assert_eq!(text(ty.results()), core(&signature.results), "{module} {name}");
                    }
                    Some(Shim::Trap) => assert!(name.contains("-in-out-pin."), "{module} {name}"),
                    None => left_out.push(format!("{module} {name}")),
                }
            }
        }
        left_out.sort();
        let mut expected = LEFT_OUT.to_vec();
        expected.sort_unstable();
        assert_eq!(left_out, expected);
    }

    #[test]
    fn a_component_with_pollables_of_pins_waits_for_events_and_another_does_not() {
        let shims = Shims::read().unwrap();
        let imports = |shim: Option<Shim>| -> Vec<&str> {
            let Some(Shim::Func(func)) = shim else { panic!("{shim:?}") };
            let reachable = shims.reachable(vec![func]).unwrap();
            reachable
                .iter()
                .filter_map(|&f| shims.facts.imported_funcs.get(f as usize).map(|&(from, ..)| from))
                .collect()
        };
        for name in ["poll", "[method]pollable.block", "[method]pollable.ready"] {
            let alone = imports(shims.find("wasi:io/poll@0.2.6", name));
            assert!(!alone.contains(&"wisp:event@1") && !alone.contains(&"wisp:gpio@1"), "{name}: {alone:?}");
            let with_pins = imports(shims.find_with_pins("wasi:io/poll@0.2.6", name));
            assert!(with_pins.contains(&"wisp:event@1") && with_pins.contains(&"wisp:gpio@1"), "{name}: {with_pins:?}");
        }
        assert!(watches_pin("wasi:gpio/digital@0.2.0", "[method]digital-in-pin.watch-rising-edge"));
        assert!(!watches_pin("wasi:gpio/digital@0.2.0", "[method]digital-in-pin.watch-for-ready"));
    }

    #[test]
    fn only_what_is_called_is_reachable() {
        let shims = Shims::read().unwrap();
        let exit = shims.facts.exported("wasi:cli/exit exit").unwrap();
        let names = |list: Vec<u32>| -> Vec<&str> {
            list.iter().filter_map(|&f| shims.facts.imported_funcs.get(f as usize).map(|&(_, name, _)| name)).collect()
        };
        assert_eq!(names(shims.reachable(vec![exit]).unwrap()), ["proc_exit"]);
        let block = shims.facts.exported("wasi:io/poll [method]pollable.block").unwrap();
        assert_eq!(names(shims.reachable(vec![block]).unwrap()), ["uptime_us", "sleep_us"]);
    }
}
