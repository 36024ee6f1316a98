// SPDX-License-Identifier: Apache-2.0
//! WIT packages, one per interface, for components that use the `wisp:*` interfaces.
//!
//! A handle is a resource of the interface, and a function with a handle is a method of it. Bytes are lists, and what
//! a host writes through pointers is the function's result. A function that takes addresses has no form in WIT.

mod shims;

pub use shims::{shim_imports, shims};

use super::{comment, takes_memory};
use crate::{Errno, ErrorSpace, Form, Function, Interface, Kind, Param, Record, Returns};
use core::fmt::{self, Write};

/// The words that WIT reserves and that an identifier escapes by `%`.
const RESERVED: [&str; 12] =
    ["as", "async", "export", "flags", "from", "import", "list", "own", "record", "resource", "stream", "type"];

/// A name of the description in kebab case.
struct Kebab<'a>(&'a str);

impl fmt::Display for Kebab<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if RESERVED.contains(&self.0) {
            f.write_char('%')?;
        }
        self.0.chars().try_for_each(|c| f.write_char(if c == '_' { '-' } else { c.to_ascii_lowercase() }))
    }
}

/// Returns an error as a case of WIT's enum: the name without the E, for example `acces` for `EACCES`.
fn case(errno: Errno) -> Kebab<'static> {
    Kebab(errno.name().trim_start_matches('E'))
}

/// Returns the version of an interface's package: 1.0.0 for a module that ends with `@1`.
fn version(interface: &Interface) -> &'static str {
    interface.module.rsplit('@').next().unwrap_or_default()
}

/// Returns the name of the interface's resource, if it has one: that of the parameters with its handles.
fn resource(interface: &Interface) -> Option<&'static str> {
    let mut params = interface.functions.iter().flat_map(|function| function.params);
    params.find(|param| param.kind == Kind::Handle).map(|param| param.name)
}

/// Writes an empty line before every item but the first.
struct Gap(bool);

impl Gap {
    fn next(&mut self, out: &mut impl Write) -> fmt::Result {
        if core::mem::replace(&mut self.0, true) {
            out.write_char('\n')?;
        }
        Ok(())
    }
}

/// Returns true if a function is a method of the interface's resource.
fn is_method(function: &Function) -> bool {
    function.params.first().is_some_and(|param| param.kind == Kind::Handle)
}

/// Returns true if a function is what happens when a handle is dropped.
fn is_drop(function: &Function) -> bool {
    function.name == "close" && is_method(function)
}

/// Returns true if an interface has a WIT package. WASI preview 1 has none, and neither has the network, whose functions
/// return bytes or a handle beside a record.
pub fn has_wit(interface: &Interface) -> bool {
    let is_network = interface.grant.is_some_and(|grant| grant.form == Form::Endpoints);
    interface.errors == ErrorSpace::Wisp && !is_network
}

/// Returns true if bytes are text that a component passes as a string.
fn is_text(param: &Param) -> bool {
    matches!(param.name, "label" | "key") || param.doc.starts_with("UTF-8 text")
}

/// Returns the results that the host writes through pointers.
fn outs(function: &'static Function) -> impl Iterator<Item = &'static Param> + Clone {
    function.params.iter().filter(|param| param.kind.is_out())
}

/// Returns true if the function fills a buffer, which becomes the list that it returns.
fn returns_list(function: &Function) -> bool {
    function.params.iter().any(|param| param.kind == Kind::Buffer)
}

/// Returns true if the function's type has errors.
fn can_fail(function: &Function) -> bool {
    !function.errors.is_empty()
}

/// Returns the record with this size.
fn record(interface: &Interface, size: u32) -> Option<&'static Record> {
    interface.records.iter().find(|record| record.size() == size)
}

/// Writes the package of one interface.
///
/// # Errors
/// Those of the writer.
pub fn wit(out: &mut impl Write, interface: &'static Interface) -> fmt::Result {
    let (ident, version) = (interface.ident, version(interface));
    writeln!(out, "// SPDX-License-Identifier: Apache-2.0")?;
    writeln!(
        out,
        "// Generated from rust/abi: do not edit. A component that imports it is lowered to `{}`.",
        interface.module
    )?;
    writeln!(out, "package wisp:{ident}@{version}.0.0;\n")?;
    comment(out, "/// ", interface.doc)?;
    constants(out, interface)?;
    writeln!(out, "interface {} {{", Kebab(ident))?;
    let mut gap = Gap(false);
    if interface.functions.iter().any(can_fail) {
        gap.next(out)?;
        errors(out)?;
    }
    for record in interface.records.iter().filter(|record| is_result(interface, record)) {
        gap.next(out)?;
        fields(out, record)?;
    }
    if let Some(name) = resource(interface) {
        gap.next(out)?;
        writeln!(
            out,
            "    /// The handle that `open` returns. Dropping it closes it.\n    resource {} {{",
            Kebab(name)
        )?;
        let mut gap = Gap(false);
        for function in interface.functions.iter().filter(|function| is_method(function) && !is_drop(function)) {
            gap.next(out)?;
            entry(out, interface, function, "        ")?;
        }
        writeln!(out, "    }}")?;
    }
    for function in interface.functions.iter().filter(|function| !is_method(function)) {
        gap.next(out)?;
        entry(out, interface, function, "    ")?;
    }
    writeln!(out, "}}\n\n/// A world with this interface.\nworld imports {{\n    import {};\n}}", Kebab(ident))
}

/// Returns true if a function returns the record.
fn is_result(interface: &Interface, record: &Record) -> bool {
    let mut params = interface.functions.iter().flat_map(|function| function.params);
    params.any(|param| param.kind == Kind::OutRecord(record.size()))
}

/// Writes the constants, which WIT does not have, as a part of the interface's comment.
fn constants(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    if interface.constants.is_empty() {
        return Ok(());
    }
    writeln!(out, "///\n/// Constants:")?;
    interface
        .constants
        .iter()
        .try_for_each(|constant| writeln!(out, "/// - `{}` = {}: {}", constant.name, constant.value, constant.doc))
}

fn errors(out: &mut impl Write) -> fmt::Result {
    writeln!(out, "    /// Why a call failed.\n    enum error-code {{")?;
    for errno in Errno::ALL {
        writeln!(out, "        /// `{}`: {}\n        {},", errno.name(), errno.meaning(), case(*errno))?;
    }
    writeln!(out, "    }}")
}

fn fields(out: &mut impl Write, record: &Record) -> fmt::Result {
    comment(out, "    /// ", record.doc)?;
    writeln!(out, "    record {} {{", Kebab(record.name))?;
    for field in record.fields {
        comment(out, "        /// ", field.doc)?;
        writeln!(out, "        {}: u{},", Kebab(field.name), field.bytes * 8)?;
    }
    writeln!(out, "    }}")
}

fn entry(
    out: &mut impl Write,
    interface: &'static Interface,
    function: &'static Function,
    indent: &str,
) -> fmt::Result {
    let line = |out: &mut _, text: &str| comment(out, if indent.len() > 4 { "        /// " } else { "    /// " }, text);
    if takes_memory(function) {
        return writeln!(out, "{indent}// `{}` takes addresses in linear memory, and has no form here.", function.name);
    }
    line(out, function.doc)?;
    for param in function.params.iter().filter(|param| param.kind != Kind::Handle && !param.kind.is_out()) {
        match param.kind {
            Kind::Buffer => writeln!(out, "{indent}/// - `length`: bytes that are returned at most")?,
            _ => writeln!(out, "{indent}/// - `{}`: {}", Kebab(param.name), param.doc)?,
        }
    }
    for param in outs(function) {
        writeln!(out, "{indent}/// - returns `{}`: {}", Kebab(param.name), param.doc)?;
    }
    if let (Returns::Value(doc) | Returns::U64(doc), false) = (function.returns, returns_list(function)) {
        writeln!(out, "{indent}/// - returns {doc}")?;
    }
    for (name, when) in function.errors.iter().filter(|(name, _)| *name != "EBADF" && *name != "EFAULT") {
        writeln!(out, "{indent}/// - error `{}`: {when}", Kebab(name.trim_start_matches('E')))?;
    }
    write!(out, "{indent}{}: func(", Kebab(function.name))?;
    params(out, function)?;
    out.write_str(")")?;
    result(out, interface, function)?;
    writeln!(out, ";")
}

fn params(out: &mut impl Write, function: &Function) -> fmt::Result {
    let mut separator = super::Separator::new();
    for param in function.params.iter().filter(|param| param.kind != Kind::Handle && !param.kind.is_out()) {
        separator.next(out)?;
        match param.kind {
            Kind::Buffer => write!(out, "length: u32")?,
            Kind::Bytes if is_text(param) => write!(out, "{}: string", Kebab(param.name))?,
            Kind::Bytes => write!(out, "{}: list<u8>", Kebab(param.name))?,
            Kind::U64 => write!(out, "{}: u64", Kebab(param.name))?,
            Kind::I64 => write!(out, "{}: s64", Kebab(param.name))?,
            _ => write!(out, "{}: u32", Kebab(param.name))?,
        }
    }
    Ok(())
}

/// Writes the result with its arrow.
fn result(out: &mut impl Write, interface: &Interface, function: &'static Function) -> fmt::Result {
    let count = outs(function).count();
    let nothing =
        count == 0 && !returns_list(function) && matches!(function.returns, Returns::Nothing | Returns::Never);
    match (can_fail(function), nothing) {
        (false, true) => return Ok(()),
        (true, true) => return out.write_str(" -> result<_, error-code>"),
        (true, false) => out.write_str(" -> result<")?,
        (false, false) => out.write_str(" -> ")?,
    }
    if count > 1 {
        out.write_str("tuple<")?;
    }
    let mut separator = super::Separator::new();
    for param in outs(function) {
        separator.next(out)?;
        match param.kind {
            Kind::OutI32 => out.write_str("s32")?,
            Kind::OutI64 => out.write_str("s64")?,
            Kind::OutU64 => out.write_str("u64")?,
            Kind::OutRecord(size) => {
                write!(out, "{}", Kebab(record(interface, size).map_or("", |record| record.name)))?
            }
            _ => out.write_str("u32")?,
        }
    }
    match function.returns {
        _ if count > 1 => out.write_str(">")?,
        _ if count == 1 => {}
        _ if returns_list(function) => out.write_str("list<u8>")?,
        Returns::Handle => write!(out, "{}", Kebab(resource(interface).unwrap_or_default()))?,
        Returns::U64(_) => out.write_str("u64")?,
        _ => out.write_str("u32")?,
    }
    if can_fail(function) {
        out.write_str(", error-code>")?;
    }
    Ok(())
}
