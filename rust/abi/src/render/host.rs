// SPDX-License-Identifier: Apache-2.0
//! Host glue: per interface a trait that the implementation must match, functions that check
//! pointers, call the trait and write the results back, and a table of them for a linker.

use super::{takes_memory, Separator};
use crate::{ErrorSpace, Function, Interface, Kind, Returns};
use core::fmt::{self, Write};

/// Writes the trait, the glue and the table of one interface. The text expects `border`, `Memory`, `Reply`,
/// `Failure`, `Stop`, `Exit`, `Errno`, `WasiErrno`, `SlotFunction` and `Caller` in scope.
///
/// # Errors
/// Those of the writer, and one for a combination of buffers that the glue has no rule for.
pub fn rust_host(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    super::comment(out, "/// ", interface.doc)?;
    writeln!(out, "pub trait {}: border::Written {{", interface.host_trait)?;
    for function in interface.functions {
        method(out, interface, function)?;
    }
    writeln!(out, "}}\n")?;
    for function in interface.functions {
        glue(out, interface, function)?;
    }
    table(out, interface)?;
    by_name(out, interface)
}

/// Returns the table for a linker. What native code may call with values in registers is a closure there.
fn table(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    let (ident, host_trait) = (interface.ident, interface.host_trait);
    writeln!(out, "/// The functions of `{}`, for a linker.", interface.module)?;
    let count = interface.functions.len();
    writeln!(out, "pub const fn {ident}_functions<A: {host_trait}>() -> [SlotFunction<A>; {count}] {{\n    [")?;
    for function in interface.functions {
        let (name, kind) = (function.name, if by_slots(function) { "new" } else { "wrap" });
        write!(out, "        SlotFunction::{kind}({name:?}, \"")?;
        super::signature(out, function)?;
        if by_slots(function) {
            writeln!(out, "\", {ident}_{name}),")?;
            continue;
        }
        write!(out, "\", |mut caller: Caller<'_, A>")?;
        arguments(out, function, Argument::Typed)?;
        write!(out, "| -> u64 {{\n            {ident}_{name}(caller.data_mut()")?;
        arguments(out, function, Argument::Named)?;
        writeln!(out, ")\n        }}),")?;
    }
    writeln!(out, "    ]\n}}\n")
}

/// Calls by name with arguments as slots, for tests: what an engine does, without one.
fn by_name(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    let (ident, host_trait) = (interface.ident, interface.host_trait);
    writeln!(out, "/// Calls a function of `{}` by its name.", interface.module)?;
    writeln!(out, "///\n/// # Panics\n/// If there is no such function, or there are too few slots.")?;
    writeln!(out, "#[cfg(any(test, feature = \"by-name\"))]")?;
    writeln!(out, "pub fn {ident}_by_name<A: {host_trait}>(")?;
    writeln!(out, "    app: &mut A,\n    memory: &mut [u8],\n    name: &str,\n    slots: &[u32],")?;
    writeln!(out, ") -> Result<u64, Stop> {{")?;
    writeln!(out, "    let _ = (&memory, slots);\n    match name {{")?;
    for function in interface.functions {
        let name = function.name;
        if by_slots(function) {
            writeln!(out, "        {name:?} => {ident}_{name}(app, memory, border::first(slots)).outcome(),")?;
            continue;
        }
        write!(out, "        {name:?} => Ok({ident}_{name}(app")?;
        arguments(out, function, Argument::FromSlots)?;
        writeln!(out, ")),")?;
    }
    writeln!(out, "        _ => panic!(\"no function {{name}}\"),\n    }}\n}}\n")
}

#[derive(Clone, Copy)]
enum Argument {
    /// `, a0: u32`
    Typed,
    /// `, a0`
    Named,
    /// `, slots[0]`
    FromSlots,
}

/// Returns the wasm arguments `a0`, `a1`, ... in order, each after a comma.
fn arguments(out: &mut impl Write, function: &Function, form: Argument) -> fmt::Result {
    let (mut argument, mut slot) = (0, 0);
    for param in function.params {
        for letter in param.kind.letters().chars() {
            let wide = letter == 'I';
            match form {
                Argument::Typed => write!(out, ", a{argument}: {}", if wide { "u64" } else { "u32" })?,
                Argument::Named => write!(out, ", a{argument}")?,
                Argument::FromSlots if wide => {
                    write!(out, ", border::wide(slots[{slot}], slots[{}])", slot + 1)?;
                }
                Argument::FromSlots => write!(out, ", slots[{slot}]")?,
            }
            argument += 1;
            slot += if wide { 2 } else { 1 };
        }
    }
    Ok(())
}

/// Returns the slots as a pattern, `&[a0, a1, low2, high2]: &[u32; 4]`, and then takes 64 bits together.
fn slots(out: &mut impl Write, function: &Function) -> fmt::Result {
    let letters = || function.params.iter().flat_map(|param| param.kind.letters().chars()).enumerate();
    let mut separator = Separator::new();
    let mut count = 0;
    write!(out, "&[")?;
    for (argument, letter) in letters() {
        separator.next(out)?;
        match letter {
            'I' => write!(out, "low{argument}, high{argument}")?,
            _ => write!(out, "a{argument}")?,
        }
        count += if letter == 'I' { 2 } else { 1 };
    }
    write!(out, "]: &[u32; {count}]")
}

/// Writes the arguments of 64 bits.
fn wide(out: &mut impl Write, function: &Function) -> fmt::Result {
    let letters = function.params.iter().flat_map(|param| param.kind.letters().chars());
    for (argument, _) in letters.enumerate().filter(|(_, letter)| *letter == 'I') {
        writeln!(out, "    let a{argument} = border::wide(low{argument}, high{argument});")?;
    }
    Ok(())
}

/// Returns true if the function gets its arguments as slots: it may end the guest. Native code passes its values to
/// others in registers.
fn by_slots(function: &Function) -> bool {
    !matches!(function.returns, Returns::U64(_))
}

fn error_type(interface: &Interface) -> &'static str {
    match interface.errors {
        ErrorSpace::Wisp => "Errno",
        ErrorSpace::Wasi => "WasiErrno",
    }
}

fn method(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    super::comment(out, "    /// ", function.doc)?;
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

/// Returns the success type: the value, then what goes through out-pointers, as a tuple if there are several.
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
            Kind::OutI32 => write!(out, "i32")?,
            Kind::OutI64 => write!(out, "i64")?,
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
    let memory = if touches_memory(function) { "memory" } else { "_" };
    let (ident, name, host_trait) = (interface.ident, function.name, interface.host_trait);
    write!(out, "fn {ident}_{name}<A: {host_trait}>(app: &mut A")?;
    match function.returns {
        Returns::U64(_) => {
            arguments(out, function, Argument::Typed)?;
            write!(out, ") -> u64 {{\n    ")?;
            call(out, function)?;
            return writeln!(out, "\n}}\n");
        }
        Returns::Never => {
            write!(out, ", {memory}: &mut [u8], ")?;
            slots(out, function)?;
            writeln!(out, ") -> Exit {{")?;
            wide(out, function)?;
            write!(out, "    ")?;
            call(out, function)?;
            return writeln!(out, "\n}}\n");
        }
        _ => {}
    }
    write!(out, ", {memory}: &mut [u8], ")?;
    slots(out, function)?;
    let errors = error_type(interface);
    writeln!(out, ") -> Reply<{errors}> {{")?;
    wide(out, function)?;
    writeln!(out, "    Reply((|| -> Result<u32, Failure<{errors}>> {{")?;
    pointers(out, function)?;
    let binding = if result_count(function) == 0 { "" } else { "let value = " };
    if takes_memory(function) {
        write!(out, "        let mut view = Memory::new(memory);\n        let outcome = ")?;
        call(out, function)?;
        writeln!(out, ";\n        view.tell(app);\n        {binding}outcome?;")?;
    } else {
        write!(out, "        {binding}")?;
        call(out, function)?;
        writeln!(out, "?;")?;
    }
    store(out, function)?;
    writeln!(out, "    }})())\n}}\n")
}

/// Returns the index of the first wasm argument of each parameter.
fn argument_of(function: &Function, index: usize) -> usize {
    function.params[..index].iter().map(|param| param.kind.letters().len()).sum()
}

/// Checks out-pointers first and turns buffers into slices.
fn pointers(out: &mut impl Write, function: &Function) -> fmt::Result {
    for (i, param) in function.params.iter().enumerate() {
        let size = match param.kind {
            Kind::OutU32 | Kind::OutI32 => 4,
            Kind::OutU64 | Kind::OutI64 => 8,
            Kind::OutRecord(size) => size,
            _ => continue,
        };
        let first = argument_of(function, i);
        writeln!(out, "        let at_{} = border::place(memory, a{first}, {size})?;", param.name)?;
        writeln!(out, "        app.wrote(a{first}, {size});")?;
    }
    let of = |wanted: Kind| {
        let found = function.params.iter().enumerate().filter(move |(_, param)| param.kind == wanted);
        found.map(|(i, param)| (argument_of(function, i), param.name))
    };
    let (input, output) = (of(Kind::Bytes).next(), of(Kind::Buffer).next());
    if of(Kind::Buffer).nth(1).is_some() || (takes_memory(function) && (input.is_some() || output.is_some())) {
        return Err(fmt::Error);
    }
    if let (Some(_), Some((o, output))) = (input, output) {
        write!(out, "        let ([")?;
        for (_, name) in of(Kind::Bytes) {
            write!(out, "{name}, ")?;
        }
        write!(out, "], {output}) = border::bytes_and_buffer(memory, [")?;
        for (i, _) in of(Kind::Bytes) {
            write!(out, "(a{i}, a{}), ", i + 1)?;
        }
        writeln!(out, "], (a{o}, a{}))?;", o + 1)?;
        return writeln!(out, "        app.wrote(a{o}, a{});", o + 1);
    }
    for (i, param) in function.params.iter().enumerate() {
        let access = match param.kind {
            Kind::Bytes => "bytes",
            Kind::Buffer => "buffer",
            _ => continue,
        };
        let first = argument_of(function, i);
        writeln!(out, "        let {} = border::{access}(memory, a{first}, a{})?;", param.name, first + 1)?;
        if param.kind == Kind::Buffer {
            writeln!(out, "        app.wrote(a{first}, a{});", first + 1)?;
        }
    }
    Ok(())
}

fn call(out: &mut impl Write, function: &Function) -> fmt::Result {
    write!(out, "app.{}(", function.name)?;
    let mut separator = Separator::new();
    if takes_memory(function) {
        separator.next(out)?;
        write!(out, "&mut view")?;
    }
    for (i, param) in function.params.iter().enumerate() {
        let first = argument_of(function, i);
        if param.kind.is_out() {
            continue;
        }
        separator.next(out)?;
        match param.kind {
            Kind::Bytes | Kind::Buffer => write!(out, "{}", param.name)?,
            Kind::I64 => write!(out, "a{first} as i64")?,
            _ => write!(out, "a{first}")?,
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
