// SPDX-License-Identifier: Apache-2.0
//! What C, Python and the documentation have of the tables, written from them.
//!
//! With `WISP_GENERATE` set, the files are written instead of compared.

use std::path::{Path, PathBuf};

use wisp_contract::errno::Errno;
use wisp_contract::storage::{PortError, Row, StoreError, TrustError};
use wisp_contract::trap::TrapCode;

/// Columns of a line in C, of which a tab takes eight, and of the lines of a comment that has several.
const COLUMNS: usize = 100;
const COLUMNS_OF_SEVERAL: usize = 92;

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
    assert!(found == expected, "{name} differs from its table: WISP_GENERATE=1 cargo test -p wisp-contract writes it");
}

/// Compares the lines between two marks of a file, or writes them.
fn same_between(name: &str, begin: &str, end: &str, expected: &str) {
    let found = std::fs::read_to_string(file(name)).unwrap();
    let (before, rest) = found.split_once(begin).unwrap_or_else(|| panic!("{name} has no line {begin:?}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("{name} has no line {end:?}"));
    same(name, &format!("{before}{begin}{expected}{end}{after}"));
}

/// Returns a documentation comment of an enumerator in C.
fn comment(text: &str) -> String {
    let one = format!("\t/** {text} */\n");
    if one.len() + 6 <= COLUMNS {
        return one;
    }
    let mut lines = vec![String::from("\t *")];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.len() + 8 + word.len() > COLUMNS_OF_SEVERAL {
            lines.push(format!("\t * {word}"));
        } else {
            *last += &format!(" {word}");
        }
    }
    format!("\t/**\n{}\n\t */\n", lines.join("\n"))
}

#[test]
fn traps_in_c_are_those_of_the_table() {
    let mut text = String::from("\t/** No trap. */\n\tWISP_TRAP_NONE = 0,\n");
    for &code in TrapCode::ALL {
        if !code.c_name().is_empty() {
            text += &format!("{}\tWISP_TRAP_{} = {},\n", comment(code.meaning()), code.c_name(), code as u32);
        }
    }
    same_between("include/wisp/trap.h", "enum wisp_trap {\n", "};\n", &text);
}

#[test]
fn words_of_traps_in_a_devices_log_are_those_of_the_table() {
    let mut text = String::from("\t\t[WISP_TRAP_NONE] = \"none\",\n");
    for code in TrapCode::ALL.iter().filter(|code| !code.c_name().is_empty()) {
        text += &format!("\t\t[WISP_TRAP_{}] = \"{}\",\n", code.c_name(), code.words());
    }
    same_between("src/border/log.c", "static const char *const texts[] = {\n", "\t};\n", &text);
}

#[test]
fn the_page_on_traps_lists_all_of_them() {
    let mut text = String::from("\n| trap | words in the log | what happened |\n|--:|---|---|\n");
    for &code in TrapCode::ALL {
        let words = if code.words().is_empty() { code.text() } else { code.words() };
        text += &format!("| {} | {words} | {} |\n", code as u32, code.meaning());
    }
    same_between("doc/traps.md", "## All traps\n", "\n## Names in the log itself\n", &text);
}

/// Returns all errors of the app storage, ascending.
fn rows() -> impl Iterator<Item = Row> {
    let mut rows: Vec<_> = [StoreError::ROWS, TrustError::ROWS, PortError::ROWS].concat();
    rows.sort_by_key(|row| row.number);
    rows.into_iter()
}

#[test]
fn errors_of_the_app_storage_in_c_are_those_of_the_tables() {
    let mut text = String::from("\t/** Success. */\n\tWISP_STORE_OK = 0,\n");
    for row in rows() {
        text += &format!("{}\tWISP_STORE_{} = {},\n", comment(row.meaning), row.c_name, row.number);
    }
    same_between("include/wisp/storage.h", "enum wisp_store_error {\n", "};\n", &text);
}

#[test]
fn errors_of_the_app_storage_in_python_are_those_of_the_tables() {
    let mut text = String::from("{\n  \"OK\": {\"number\": 0, \"words\": \"\"}");
    for row in rows() {
        assert!(!row.desk.contains(['"', '\\']), "{} needs an escape", row.c_name);
        text += &format!(",\n  \"{}\": {{\"number\": {}, \"words\": \"{}\"}}", row.c_name, row.number, row.desk);
    }
    same("scripts/west_commands/store_errors.json", &(text + "\n}\n"));
}

#[test]
fn error_numbers_in_c_are_those_of_the_table() {
    let text: String =
        Errno::ALL.iter().map(|errno| format!("\tWISP_{} = {},\n", errno.name(), errno.number())).collect();
    same_between("src/border/shim.h", "enum wisp_errno {\n", "};\n", &text);
}
