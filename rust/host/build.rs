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
    let write = |name: &str, text: String| std::fs::write(directory.join(name), text).expect("OUT_DIR is writable");
    write("bindings.rs", text);
    write("platform.rs", platform());
    write("app.rs", app());
    write("testing.rs", testing());
}

/// Returns the trait of a whole board, which has a trait for each interface with a grant.
fn platform() -> String {
    let granted = wisp_abi::INTERFACES.iter().filter(|interface| interface.grant.is_some());
    let (mut text, mut bounds) = (String::new(), String::new());
    for interface in granted {
        let name = interface.platform_trait();
        text += &format!("pub use crate::{}::{name};\n", interface.ident);
        bounds += &format!(" + {name}");
    }
    let bounds = format!("Identity + Log + Stdio + Clock + Events + Lifecycle + Entropy + Files{bounds}");
    text += "/// All parts of a board that an app can use. An implementation names the type of each part.\n";
    text + &format!("pub trait Platform: {bounds} {{}}\nimpl<T: {bounds}> Platform for T {{}}\n")
}

/// Returns the handles that an app has, and the tables of host functions.
fn app() -> String {
    let (mut fields, mut values, mut releases) = (String::new(), String::new(), String::new());
    for ident in wisp_abi::INTERFACES.iter().filter(|interface| interface.has_handles()).map(|i| i.ident) {
        fields += &format!("    pub(crate) {ident}: Handles,\n");
        values += &format!("{ident}: Handles::new(), ");
        releases += &format!("        crate::{ident}::release(self);\n");
    }
    let (mut tables, mut names, mut present) = (String::new(), String::new(), String::new());
    for interface in wisp_abi::INTERFACES {
        let (ident, name) = (interface.ident, interface.ident.to_uppercase());
        let module = interface.module;
        tables += &format!("    /// `{module}`.\n    pub const {name}: Table<Self> = ");
        tables += &format!("Table {{ module: {module:?}, functions: &crate::bindings::{ident}_functions() }};\n");
        names += &format!("Self::{name}, ");
        if interface.grant.is_some() || ident == "event" {
            present += &format!("            #[cfg(feature = \"{ident}\")]\n            <$app>::{name},\n");
        }
    }
    format!(
        "/// The handles that an app has open, by interface.\n#[derive(Debug)]\npub(crate) struct Open {{\n{fields}}}\n\
         impl Open {{\n    const fn new() -> Self {{\n        Open {{ {values}}}\n    }}\n}}\n\
         impl<P: Platform> App<P> {{\n    fn release_grants(&mut self) {{\n{releases}    }}\n}}\n\
         impl<P: Platform + 'static> App<P> {{\n{tables}    /// All interfaces. An embedder that leaves some out saves \
         their code.\n    pub const ALL: &'static [Table<Self>] = &[{names}Self::ENV];\n}}\n\
         /// Lists the tables of an [`App`]: the given ones, and those of the optional interfaces that the calling \
         crate has\n/// a feature for.\n#[macro_export]\nmacro_rules! tables {{\n    ($app:ty: $($(#[$cfg:meta])* \
         $table:ident),* $(,)?) => {{\n        &[\n            $($(#[$cfg])* <$app>::$table,)*\n{present}        ]\n    \
         }};\n}}\n"
    )
}

/// Returns the names of the interfaces for unit tests.
fn testing() -> String {
    let line = |ident: &str| {
        let name = ident.to_uppercase();
        format!("#[allow(dead_code)]\npub(crate) const {name}: ByName = crate::bindings::{ident}_by_name;\n")
    };
    wisp_abi::INTERFACES.iter().map(|interface| line(interface.ident)).collect()
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
