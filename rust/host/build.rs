// SPDX-License-Identifier: Apache-2.0
//! Generates traits and glue from the ABI description, so that a host function which does not match
//! its description does not compile.

use std::fmt::Write;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let directory = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut text = String::new();
    for interface in wisp_abi::INTERFACES {
        wisp_abi::render::rust_host(&mut text, interface)
            .unwrap_or_else(|_| panic!("{}: a combination of buffers without a rule", interface.module));
    }
    dispatcher(&mut text).expect("a String takes any text");
    std::fs::write(directory.join("bindings.rs"), text).expect("OUT_DIR is writable");
}

/// Calls of any described function by its name, for tests with hostile arguments.
fn dispatcher(out: &mut String) -> std::fmt::Result {
    writeln!(out, "/// Calls a described function by its module and name, with its arguments as slots.")?;
    writeln!(out, "///\n/// # Panics\n/// If there is no such function, or there are too few slots.")?;
    writeln!(out, "///\n/// # Errors\n/// The end of the guest that the call asked for.")?;
    writeln!(out, "#[cfg(any(test, feature = \"by-name\"))]")?;
    let traits: Vec<&str> = wisp_abi::INTERFACES.iter().map(|interface| interface.host_trait).collect();
    writeln!(out, "pub fn by_name<A: {}>(", traits.join(" + "))?;
    writeln!(out, "    app: &mut A,\n    memory: &mut [u8],\n    module: &str,\n    name: &str,\n    slots: &[u32],")?;
    writeln!(out, ") -> Result<u64, Stop> {{\n    match module {{")?;
    for interface in wisp_abi::INTERFACES {
        let (module, ident) = (interface.module, interface.ident);
        writeln!(out, "        {module:?} => {ident}_by_name(app, memory, name, slots),")?;
    }
    writeln!(out, "        _ => panic!(\"no interface {{module}}\"),\n    }}\n}}")
}
