// SPDX-License-Identifier: Apache-2.0
//! Lists of interfaces outside Rust code, written from the descriptions.
//!
//! With `WISP_GENERATE` set, the files are written instead of compared.

use std::path::{Path, PathBuf};

use wisp_abi::{Form, Grant, Interface, INTERFACES};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Compares a file with its text, or writes it.
fn same(name: &str, expected: &str) {
    let path = file(name);
    if std::env::var_os("WISP_GENERATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{name} differs from rust/abi: WISP_GENERATE=1 cargo test -p wisp-abi --features render writes it"
    );
}

/// Compares the lines between two marks of a file, or writes them.
fn same_between(name: &str, begin: &str, end: &str, expected: &str) {
    let found = std::fs::read_to_string(file(name)).unwrap();
    let (before, rest) = found.split_once(begin).unwrap_or_else(|| panic!("{name} has no line {begin:?}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("{name} has no line {end:?}"));
    same(name, &format!("{before}{begin}{expected}{end}{after}"));
}

/// Interfaces that need a grant, with it.
fn granted() -> impl Iterator<Item = (&'static Interface, Grant)> {
    INTERFACES.iter().filter_map(|interface| Some((interface, interface.grant?)))
}

#[test]
fn the_tables_of_grants_in_c_are_those_of_the_descriptions() {
    let devices: Vec<_> = granted().filter(|(_, grant)| grant.form == Form::Devices).collect();
    let mut text = String::from(
        "/* SPDX-License-Identifier: Apache-2.0 */\n\n\
         /*\n * Interfaces whose grants are lists of devices. Written from rust/abi by its test generated.rs.\n */\n\n\
         #ifndef WISP_APP_GRANT_LISTS_H_\n#define WISP_APP_GRANT_LISTS_H_\n\n",
    );
    for (interface, _) in &devices {
        let ident = interface.ident;
        text += &format!("#ifdef CONFIG_WISP_{}\n#include \"drivers/{ident}.h\"\n#endif\n", ident.to_uppercase());
    }
    text += "\n/* clang-format off */\n";
    text += "/* X(table, option, property, property of the names, ...) */\n#define WISP_GRANT_LISTS(X, ...)";
    for (interface, grant) in &devices {
        let [property, names] = [grant.property, grant.beside].map(|name| name.replace('-', "_"));
        let option = interface.ident.to_uppercase();
        text += &format!(" \\\n\tX({}, CONFIG_WISP_{option}, {property}, {names}, __VA_ARGS__)", interface.ident);
    }
    text += "\n/* clang-format on */\n\n#endif /* WISP_APP_GRANT_LISTS_H_ */\n";
    same("src/app/grant_lists.h", &text);
}

/// Interfaces that a firmware can leave out.
fn optional() -> impl Iterator<Item = &'static str> {
    INTERFACES.iter().filter(|interface| interface.grant.is_some() || interface.ident == "event").map(|i| i.ident)
}

#[test]
fn features_of_the_port_are_those_of_the_descriptions() {
    let names: Vec<_> = optional().map(|ident| format!("\"{ident}\"")).collect();
    let mut text = format!("interfaces = [{}]\n", names.join(", "));
    optional().for_each(|ident| text += &format!("{ident} = []\n"));
    let begin = "# One for each interface that a firmware can leave out, from rust/abi.\n";
    same_between("rust/port/Cargo.toml", begin, "# End of the interfaces.\n", &text);
    let text: String = optional().map(|ident| format!("{ident} = [\"wisp-port/{ident}\"]\n")).collect();
    same_between("rust/staticlib/Cargo.toml", begin, "# End of the interfaces.\n", &text);
}

#[test]
fn the_page_on_peripherals_lists_all_grants() {
    let mut text = String::from("\n| interface | devicetree properties | what is granted |\n|---|---|---|\n");
    for (interface, grant) in granted() {
        text += &format!("| `{}` | `{}`, `{}` | {} |\n", interface.module, grant.property, grant.beside, grant.what);
    }
    text += "| files of `wasi_snapshot_preview1` | a child node for each folder | a folder of the firmware's file system, with a \
             quota or read-only ([wasi.md](wasi.md#files)) |\n";
    let free = INTERFACES.iter().filter(|interface| interface.grant.is_none() && interface.module.starts_with("wisp:"));
    let names: Vec<_> = free.map(|interface| format!("`{}`", interface.module)).collect();
    text += &format!("| {} | none needed | time, waiting for events, log, state of the app |\n", names.join(", "));
    same_between("doc/peripherals.md", "the libraries for guests.\n", "\n## Ownership\n", &text);
}

#[test]
fn every_grant_has_its_properties_in_the_devicetree_binding() {
    let binding = std::fs::read_to_string(file("dts/bindings/wisp/wisp,apps.yaml")).unwrap();
    for (interface, grant) in granted() {
        for property in [grant.property, grant.beside] {
            assert!(binding.contains(&format!("\n    {property}:\n")), "{}: {property}", interface.module);
        }
    }
}

#[test]
fn every_grant_has_an_option_of_its_own_that_names_the_import_module() {
    for (interface, _) in granted() {
        let name = format!("src/drivers/Kconfig.{}", interface.ident);
        let text = std::fs::read_to_string(file(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(&format!("config WISP_{}\n", interface.ident.to_uppercase())), "{name}");
        assert!(text.contains(interface.module), "{name} does not name {}", interface.module);
    }
}

#[cfg(feature = "render")]
#[test]
fn the_reference_pages_are_those_of_the_descriptions() {
    use wisp_abi::render;
    let page = |name: &str, body: &dyn Fn(&mut String) -> std::fmt::Result| {
        let mut text = String::from(
            "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Written from rust/abi by its test generated.rs. -->\n",
        );
        body(&mut text).unwrap();
        same(&format!("doc/abi/{name}.md"), &text);
    };
    page("README", &|text| render::index(text));
    INTERFACES.iter().for_each(|interface| page(interface.ident, &|text| render::page(text, interface)));
}
