// SPDX-License-Identifier: Apache-2.0
//! The WIT packages in the folder `wit`: they are those of the descriptions in `rust/abi`, they are sound, and a
//! component that imports them can be lowered.
//!
//! With `WISP_GENERATE` set, the files are written instead of compared.

use std::path::{Path, PathBuf};

use wisp_abi::{render, Interface, INTERFACES};
use wit_parser::{Resolve, WorldItem};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn text(interface: &'static Interface) -> String {
    let mut text = String::new();
    render::wit(&mut text, interface).unwrap();
    text
}

fn packages() -> impl Iterator<Item = &'static Interface> {
    INTERFACES.iter().filter(|interface| render::has_wit(interface))
}

#[test]
fn the_packages_are_those_of_the_descriptions() {
    for interface in packages() {
        let path = folder().join(interface.ident).join(format!("{}.wit", interface.ident));
        let expected = text(interface);
        if std::env::var_os("WISP_GENERATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &expected).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        let path = path.display();
        assert!(
            found == expected,
            "{path} differs from rust/abi: WISP_GENERATE=1 cargo test -p wisp-component writes it"
        );
    }
}

#[test]
fn every_package_can_be_read_and_has_a_world_with_its_interface() {
    for interface in packages() {
        let mut resolve = Resolve::default();
        let package = resolve.push_str(interface.ident, &text(interface)).unwrap();
        let version = interface.module.rsplit('@').next().unwrap();
        let name = &resolve.packages[package].name;
        assert_eq!(name.to_string(), format!("wisp:{}@{version}.0.0", interface.ident));
        let world = &resolve.worlds[resolve.packages[package].worlds["imports"]];
        let item = world.imports.values().next().unwrap();
        let WorldItem::Interface { id, .. } = item else { panic!("{item:?}") };
        assert_eq!(resolve.interfaces[*id].name.as_deref(), Some(interface.ident));
    }
}
