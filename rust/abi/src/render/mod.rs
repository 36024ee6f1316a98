// SPDX-License-Identifier: Apache-2.0
//! Generators: what derives from the description is made at build time, never written twice.
//!
//! Each takes any [`core::fmt::Write`], so that build scripts, tools and tests share them.

mod assemblyscript;
mod c;
mod guest;
mod host;
mod page;
mod wit;

pub use assemblyscript::assemblyscript;
pub use c::c_header;
pub use guest::rust_guest;
pub use host::rust_host;
pub use page::{index, page};
pub use wit::{has_wit, shim_imports, shims, wit};

use crate::{Function, Kind};
use core::fmt::{self, Write};

/// Returns the signature of a function as host function tables write it, for example `(i*~)i`.
///
/// # Errors
/// Those of the writer.
pub fn signature(out: &mut impl Write, function: &Function) -> fmt::Result {
    out.write_char('(')?;
    for param in function.params {
        out.write_str(param.kind.letters())?;
    }
    write!(out, "){}", function.returns.letters())
}

/// Writes `text` as comment lines that begin with `prefix`. An empty line stays an empty comment.
fn comment(out: &mut impl Write, prefix: &str, text: &str) -> fmt::Result {
    for line in text.lines() {
        writeln!(out, "{}", Trimmed(prefix, line))?;
    }
    Ok(())
}

struct Trimmed<'a>(&'a str, &'a str);

impl fmt::Display for Trimmed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() {
            f.write_str(self.0.trim_end())
        } else {
            write!(f, "{}{}", self.0, self.1)
        }
    }
}

/// A name in upper case.
struct Upper<'a>(&'a str);

impl fmt::Display for Upper<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| f.write_char(c.to_ascii_uppercase()))
    }
}

/// Writes ", " before every item but the first.
struct Separator(bool);

impl Separator {
    fn new() -> Self {
        Separator(false)
    }

    fn next(&mut self, out: &mut impl Write) -> fmt::Result {
        if core::mem::replace(&mut self.0, true) {
            out.write_str(", ")?;
        }
        Ok(())
    }
}

/// Returns true if the function gets the whole linear memory because a parameter is an address.
fn takes_memory(function: &Function) -> bool {
    function.params.iter().any(|param| param.kind == Kind::Address)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::INTERFACES;
    use std::string::String;

    #[test]
    fn signatures_name_every_slot_in_order() {
        let mut out = String::new();
        signature(&mut out, crate::log::INTERFACE.function("write").unwrap()).unwrap();
        assert_eq!(out, "(i*~)i");
        out.clear();
        signature(&mut out, crate::timer::INTERFACE.function("uptime_us").unwrap()).unwrap();
        assert_eq!(out, "()I");
        out.clear();
        signature(&mut out, crate::wasi::INTERFACE.function("proc_exit").unwrap()).unwrap();
        assert_eq!(out, "(i)");
    }

    #[test]
    fn every_function_appears_in_every_output() {
        let (mut header, mut guest, mut script) = (String::new(), String::new(), String::new());
        c_header(&mut header).unwrap();
        assemblyscript(&mut script).unwrap();
        rust_guest(&mut guest).unwrap();
        for interface in INTERFACES {
            let mut reference = String::new();
            let (mut host, mut packages) = (String::new(), String::new());
            page(&mut reference, interface).unwrap();
            rust_host(&mut host, interface).unwrap();
            wit(&mut packages, interface).unwrap();
            for f in interface.functions {
                let name = f.name;
                assert!(header.contains(&std::format!("wisp_{}_{name}(", interface.ident)), "{name}");
                assert!(script.contains(&std::format!("@external({:?}, {name:?})", interface.module)), "{name}");
                assert!(guest.contains(&std::format!("fn {name}(")), "{name}");
                assert!(reference.contains(&std::format!("## `{name}`")), "{name}");
                assert!(host.contains(&std::format!("fn {name}(&mut self")), "{name}");
                let kebab = name.replace('_', "-");
                let in_wit = packages.contains(&std::format!(" {kebab}: func(")) || name == "close";
                assert!(in_wit || takes_memory(f) || !has_wit(interface), "{name}");
            }
        }
    }
}
