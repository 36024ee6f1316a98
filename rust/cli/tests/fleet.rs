// SPDX-License-Identifier: Apache-2.0
//! Verbs that another program has.
#![cfg(unix)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::page::{fits, patterns};
use common::Folder;

fn wisp(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wisp"));
    command.args(arguments).current_dir(folder.path("")).env("WISP_FLEET", "./other");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_verb_goes_to_the_other_program_with_all_arguments_and_comes_back_with_its_exit_code() {
    let folder = Folder::new();
    folder.write("other", "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n");
    std::fs::set_permissions(folder.path("other"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let told = |arguments| wisp(&folder, arguments);
    assert_eq!(
        told(&["publish", "a b", "--force", "--help"]),
        (Some(7), "<publish><a b><--force><--help>".into(), String::new())
    );
    assert_eq!(told(&["--json", "pull", "x"]), (Some(7), "<pull><--json><x>".into(), String::new()));
    assert_eq!(told(&["serve"]), (Some(7), "<serve>".into(), String::new()));
    assert_eq!(told(&["gateway", "--check"]), (Some(7), "<gateway><--check>".into(), String::new()));
    assert_eq!(told(&["fleet", "status"]), (Some(7), "<fleet><status>".into(), String::new()));
}

#[test]
fn a_program_that_is_missing_is_told_with_how_to_install_it() {
    let (code, out, err) = wisp(&Folder::new(), &["--json", "serve"]);
    let said =
        "`wisp serve` needs the program `./other`, which is not there; install it with `cargo install --locked --path \
                rust/fleet` in the sources of Wisp, or name it in WISP_FLEET";
    assert_eq!((code, err), (Some(1), format!("wisp: {said}\n")));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["error"], said);
    assert!(patterns("Registries").iter().any(|pattern| fits(pattern, said)), "doc/errors.md does not explain: {said}");
}
