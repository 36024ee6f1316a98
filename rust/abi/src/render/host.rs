// SPDX-License-Identifier: Apache-2.0
//! Host glue: per interface a trait that the implementation must match, and functions that decode
//! slots, check pointers, call the trait and write the results back.

use super::{comment, signature, takes_memory, Separator};
use crate::{ErrorSpace, Function, Interface, Kind, Returns};
use core::fmt::{self, Write};

/// Writes the trait and the table of one interface. The text expects `border`, `Memory`, `Failure`,
/// `Stop`, `Exit`, `HostFunction`, `Errno` and `WasiErrno` in scope.
///
/// # Errors
/// Those of the writer; also for a combination of buffers that the glue has no rule for.
pub fn rust_host(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    comment(out, "/// ", interface.doc)?;
    writeln!(out, "pub trait {} {{", interface.host_trait)?;
    for function in interface.functions {
        method(out, interface, function)?;
    }
    writeln!(out, "}}\n")?;
    for function in interface.functions {
        glue(out, interface, function)?;
    }
    writeln!(out, "/// The functions of `{}`, for a linker.", interface.module)?;
    writeln!(
        out,
        "pub const fn {0}_functions<A: {1}>() -> [HostFunction<A>; {2}] {{\n    [",
        interface.ident,
        interface.host_trait,
        interface.functions.len()
    )?;
    for function in interface.functions {
        write!(
            out,
            "        HostFunction {{ module: {:?}, name: {:?}, signature: \"",
            interface.module, function.name
        )?;
        signature(out, function)?;
        writeln!(out, "\", call: {}_{}::<A> }},", interface.ident, function.name)?;
    }
    writeln!(out, "    ]\n}}\n")
}

fn error_type(interface: &Interface) -> &'static str {
    match interface.errors {
        ErrorSpace::Wisp => "Errno",
        ErrorSpace::Wasi => "WasiErrno",
    }
}

fn method(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    comment(out, "    /// ", function.doc)?;
    write!(out, "    fn {}(&mut self", function.name)?;
    if takes_memory(function) {
        write!(out, ", memory: &mut Memory<'_>")?;
    }
    for param in function.params.iter().filter(|param| !param.kind.is_out()) {
        let kind = match param.kind {
            Kind::U64 => "u64",
            Kind::I64 => "i64",
            Kind::Bytes => "&[u8]",
            Kind::Buffer => "&mut [u8]",
            _ => "u32",
        };
        write!(out, ", {}: {kind}", param.name)?;
    }
    match function.returns {
        Returns::Never => writeln!(out, ") -> Exit;"),
        Returns::U64(_) => writeln!(out, ") -> u64;"),
        _ => {
            write!(out, ") -> Result<")?;
            results(out, function)?;
            writeln!(out, ", Failure<{}>>;", error_type(interface))
        }
    }
}

/// The success type: the value, then what goes through out-pointers; a tuple if there are several.
fn results(out: &mut impl Write, function: &Function) -> fmt::Result {
    let count = result_count(function);
    if count != 1 {
        out.write_char('(')?;
    }
    let mut separator = Separator::new();
    if has_value(function) {
        separator.next(out)?;
        write!(out, "u32")?;
    }
    for param in function.params.iter().filter(|param| param.kind.is_out()) {
        separator.next(out)?;
        match param.kind {
            Kind::OutU64 => write!(out, "u64")?,
            Kind::OutRecord(size) => write!(out, "[u8; {size}]")?,
            _ => write!(out, "u32")?,
        }
    }
    if count != 1 {
        out.write_char(')')?;
    }
    Ok(())
}

fn touches_memory(function: &Function) -> bool {
    let kinds = |kind: Kind| kind.is_out() || matches!(kind, Kind::Bytes | Kind::Buffer | Kind::Address);
    function.params.iter().any(|param| kinds(param.kind))
}

fn has_value(function: &Function) -> bool {
    matches!(function.returns, Returns::Value(_) | Returns::Handle)
}

fn result_count(function: &Function) -> usize {
    usize::from(has_value(function)) + function.params.iter().filter(|param| param.kind.is_out()).count()
}

fn glue(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    writeln!(
        out,
        "fn {}_{}<A: {}>(app: &mut A, {}: &mut [u8], slots: &mut [u32]) -> Result<(), Stop> {{",
        interface.ident,
        function.name,
        interface.host_trait,
        if touches_memory(function) { "memory" } else { "_" }
    )?;
    let slots: usize = function.params.iter().map(|param| param.kind.slots()).sum();
    if slots > 0 {
        write!(out, "    let [")?;
        for slot in 0..slots {
            write!(out, "s{slot}, ")?;
        }
        writeln!(out, "..] = *slots else {{ return Err(Stop::Host) }};")?;
    }
    match function.returns {
        Returns::Never => {
            write!(out, "    Err(Stop::Exit(")?;
            call(out, function)?;
            writeln!(out, "))\n}}\n")
        }
        Returns::U64(_) => {
            write!(out, "    let value = ")?;
            call(out, function)?;
            writeln!(out, ";\n    border::reply_u64(slots, value)\n}}\n")
        }
        _ => {
            writeln!(out, "    let outcome = (|| -> Result<u32, Failure<{}>> {{", error_type(interface))?;
            pointers(out, function)?;
            let binding = if result_count(function) == 0 { "" } else { "let value = " };
            write!(out, "        {binding}")?;
            call(out, function)?;
            writeln!(out, "?;")?;
            store(out, function)?;
            writeln!(out, "    }})();\n    border::reply(slots, outcome)\n}}\n")
        }
    }
}

/// Index of the first slot of each parameter.
fn slot_of(function: &Function, index: usize) -> usize {
    function.params[..index].iter().map(|param| param.kind.slots()).sum()
}

/// Checks out-pointers first and turns buffers into slices.
fn pointers(out: &mut impl Write, function: &Function) -> fmt::Result {
    for (i, param) in function.params.iter().enumerate() {
        let size = match param.kind {
            Kind::OutU32 => 4,
            Kind::OutU64 => 8,
            Kind::OutRecord(size) => size,
            _ => continue,
        };
        let slot = slot_of(function, i);
        writeln!(out, "        let at_{} = border::place(memory, s{slot}, {size})?;", param.name)?;
    }
    let of = |wanted: Kind| {
        let mut found = function.params.iter().enumerate().filter(move |(_, param)| param.kind == wanted);
        (found.next(), found.next().is_some())
    };
    let ((input, more_inputs), (output, more_outputs)) = (of(Kind::Bytes), of(Kind::Buffer));
    let several = more_outputs || (more_inputs && output.is_some());
    let mixed = takes_memory(function) && (input.is_some() || output.is_some());
    if several || mixed {
        return Err(fmt::Error);
    }
    if let (Some((i, input)), Some((o, output))) = (input, output) {
        let (i, o) = (slot_of(function, i), slot_of(function, o));
        return writeln!(
            out,
            "        let ({}, {}) = border::bytes_and_buffer(memory, (s{i}, s{}), (s{o}, s{}))?;",
            input.name,
            output.name,
            i + 1,
            o + 1
        );
    }
    for (i, param) in function.params.iter().enumerate() {
        let access = match param.kind {
            Kind::Bytes => "bytes",
            Kind::Buffer => "buffer",
            _ => continue,
        };
        let slot = slot_of(function, i);
        writeln!(out, "        let {} = border::{access}(memory, s{slot}, s{})?;", param.name, slot + 1)?;
    }
    Ok(())
}

fn call(out: &mut impl Write, function: &Function) -> fmt::Result {
    write!(out, "app.{}(", function.name)?;
    let mut separator = Separator::new();
    if takes_memory(function) {
        separator.next(out)?;
        write!(out, "&mut Memory::new(memory)")?;
    }
    for (i, param) in function.params.iter().enumerate() {
        let slot = slot_of(function, i);
        if param.kind.is_out() {
            continue;
        }
        separator.next(out)?;
        match param.kind {
            Kind::Bytes | Kind::Buffer => write!(out, "{}", param.name)?,
            Kind::U64 => write!(out, "border::wide(s{slot}, s{})", slot + 1)?,
            Kind::I64 => write!(out, "border::wide(s{slot}, s{}) as i64", slot + 1)?,
            _ => write!(out, "s{slot}")?,
        }
    }
    out.write_char(')')
}

/// Writes what goes through out-pointers and yields the wasm result.
fn store(out: &mut impl Write, function: &Function) -> fmt::Result {
    let tuple = result_count(function) > 1;
    let outs = function.params.iter().filter(|param| param.kind.is_out());
    for (field, param) in (usize::from(has_value(function))..).zip(outs) {
        write!(out, "        border::put(memory, at_{}, &value", param.name)?;
        if tuple {
            write!(out, ".{field}")?;
        }
        match param.kind {
            Kind::OutRecord(_) => writeln!(out, ");")?,
            _ => writeln!(out, ".to_le_bytes());")?,
        }
    }
    match (has_value(function), tuple) {
        (true, false) => writeln!(out, "        Ok(value)"),
        (true, true) => writeln!(out, "        Ok(value.0)"),
        (false, _) => writeln!(out, "        Ok(0)"),
    }
}
