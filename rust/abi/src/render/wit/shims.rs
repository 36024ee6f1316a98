// SPDX-License-Identifier: Apache-2.0
//! Shims in WebAssembly text: each takes the place of a function of a WIT package, with the parameters and results of
//! the canonical ABI, and calls the function of the import module.
//!
//! They use `$allocate`, `$take` and `$list` of `rust/component/shims`.
//!
//! A component's handle is one more than that of the import module: the canonical ABI gives no handle 0, and bindings may
//! rely on that.

use super::{can_fail, has_wit, is_drop, is_method, outs, record, resource, returns_list, Kebab};
use crate::render::takes_memory;
use crate::{event, Errno, Function, Interface, Kind, Returns, INTERFACES};
use core::fmt::{self, Write};

/// Returns the functions that shims call and take the place of.
fn functions() -> impl Iterator<Item = (&'static Interface, &'static Function)> {
    let all = INTERFACES.iter().filter(|interface| has_wit(interface));
    let all = all.flat_map(|interface| interface.functions.iter().map(move |function| (interface, function)));
    all.filter(|(_, function)| !takes_memory(function))
}

/// Writes the imports of the shims, under names like `$i2c.read`.
///
/// # Errors
/// Those of the writer.
pub fn shim_imports(out: &mut impl Write) -> fmt::Result {
    let all = INTERFACES.iter().filter(|interface| has_wit(interface));
    for (interface, function) in all.flat_map(|interface| interface.functions.iter().map(move |f| (interface, f))) {
        write!(out, "(import {:?} {:?} (func ${}.{}", interface.module, function.name, interface.ident, function.name)?;
        for letter in function.params.iter().flat_map(|param| param.kind.letters().chars()) {
            write!(out, " (param {})", if letter == 'I' { "i64" } else { "i32" })?;
        }
        match function.returns.letters() {
            "I" => write!(out, " (result i64)")?,
            "i" => write!(out, " (result i32)")?,
            _ => {}
        }
        writeln!(out, "))")?;
    }
    Ok(())
}

/// Writes the shims. It also writes `$code`, which returns the case of an error for a negative result, and
/// `$error_name`, which writes the error's name as a string.
///
/// # Errors
/// Those of the writer.
pub fn shims(out: &mut impl Write) -> fmt::Result {
    writeln!(out, "(func $code (param $result i32) (result i32)")?;
    for (case, errno) in Errno::ALL.iter().enumerate() {
        let number = errno.code();
        writeln!(out, "  (if (i32.eq (local.get $result) (i32.const {number})) (then (return (i32.const {case}))))")?;
    }
    let other = Errno::ALL.iter().position(|errno| *errno == Errno::Io).unwrap_or_default();
    writeln!(out, "  (i32.const {other}))")?;
    error_name(out)?;
    functions().try_for_each(|(interface, function)| shim(out, interface, function))
}

/// Writes `$error_name`. A name has at most 16 bytes, which are stored as two numbers and then shortened to the name.
fn error_name(out: &mut impl Write) -> fmt::Result {
    writeln!(out, "(func $error_name (param $entry i32) (param $result i32) (local $at i32) (local $length i32)")?;
    writeln!(out, "  (local.set $at (call $allocate (i32.const 1) (i32.const 16)))")?;
    let io = core::iter::once(&Errno::Io);
    for (index, errno) in io.chain(Errno::ALL.iter()).enumerate() {
        let mut bytes = [0; 16];
        bytes[..errno.name().len()].copy_from_slice(errno.name().as_bytes());
        let [low, high] = [0, 8].map(|at| u64::from_le_bytes(core::array::from_fn(|byte| bytes[at + byte])));
        // the first one is for numbers that are not in the list
        let condition = if index == 0 { "i32.const 1" } else { "i32.eq (local.get $result)" };
        write!(out, "  (if ({condition}")?;
        if index > 0 {
            write!(out, " (i32.const {})", errno.code())?;
        }
        writeln!(out, ") (then (i64.store (local.get $at) (i64.const {low}))")?;
        writeln!(out, "    (i64.store offset=8 (local.get $at) (i64.const {high}))")?;
        writeln!(out, "    (local.set $length (i32.const {}))))", errno.name().len())?;
    }
    writeln!(out, "  (call $first_string (local.get $entry) (local.get $at) (i32.const 16) (local.get $length)))")
}

/// Writes the name under which a shim is found.
fn export(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    let ident = interface.ident;
    write!(out, "(func (export \"wisp:{ident}/{ident} ")?;
    match resource(interface) {
        Some(name) if is_drop(function) => write!(out, "[resource-drop]{}\")", Kebab(name)),
        Some(name) if is_method(function) => write!(out, "[method]{}.{}\")", Kebab(name), Kebab(function.name)),
        _ => write!(out, "{}\")", Kebab(function.name)),
    }
}

/// Returns the offset of the payload in the function's result.
fn payload(interface: &Interface, function: &'static Function) -> u32 {
    let widest = outs(function).map(|param| match param.kind {
        Kind::OutU64 | Kind::OutI64 => 8,
        Kind::OutRecord(size) => {
            let fields = record(interface, size).map_or(&[][..], |record| record.fields);
            fields.iter().map(|field| field.bytes).max().unwrap_or(4)
        }
        _ => 4,
    });
    let handle = function.returns != Returns::Nothing || returns_list(function);
    widest.max().unwrap_or(if handle { 4 } else { 1 })
}

fn shim(out: &mut impl Write, interface: &'static Interface, function: &'static Function) -> fmt::Result {
    export(out, interface, function)?;
    for param in function.params.iter().filter(|param| !param.kind.is_out()) {
        let name = param.name;
        match param.kind {
            Kind::U64 | Kind::I64 => write!(out, " (param ${name} i64)")?,
            Kind::Bytes => write!(out, " (param ${name} i32) (param ${name}.length i32)")?,
            Kind::Buffer => write!(out, " (param ${name}.length i32)")?,
            _ => write!(out, " (param ${name} i32)")?,
        }
    }
    if is_drop(function) {
        write!(out, "\n  (drop ")?;
        call(out, interface, function, 0)?;
        return writeln!(out, "))");
    }
    let written = returns_list(function) || outs(function).next().is_some();
    match (can_fail(function) || written, function.returns) {
        (true, _) => body(out, interface, function),
        (false, Returns::Nothing) => {
            write!(out, "\n  (drop ")?;
            call(out, interface, function, 0)?;
            writeln!(out, "))")
        }
        (false, returns) => {
            match returns.letters() {
                "I" => write!(out, " (result i64)\n  ")?,
                "i" => write!(out, " (result i32)\n  ")?,
                _ => write!(out, "\n  ")?,
            }
            call(out, interface, function, 0)?;
            writeln!(out, ")")
        }
    }
}

/// Writes the rest of a shim whose result is written to memory: case, then payload.
fn body(out: &mut impl Write, interface: &'static Interface, function: &'static Function) -> fmt::Result {
    let at = payload(interface, function);
    writeln!(out, " (param $out i32) (local $result i32) (local $list i32)")?;
    let buffer = function.params.iter().find(|param| param.kind == Kind::Buffer).map(|param| param.name);
    if let Some(name) = buffer {
        writeln!(out, "  (local.set $list (call $take (local.get ${name}.length)))")?;
    }
    write!(out, "  (local.set $result ")?;
    call(out, interface, function, at)?;
    writeln!(out, ")")?;
    if let Some(name) = buffer {
        // without a length of its own, the host has filled the buffer
        let length = match function.returns {
            Returns::Value(_) => "$result",
            _ => return fill(out, name),
        };
        return writeln!(
            out,
            "  (call $list (local.get $out) (local.get $result) (local.get $list) (local.get ${name}.length) \
             (local.get {length})))"
        );
    }
    writeln!(out, "  (if (i32.lt_s (local.get $result) (i32.const 0))\n    (then")?;
    writeln!(out, "      (i32.store8 offset={at} (local.get $out) (call $code (local.get $result)))")?;
    writeln!(out, "      (i32.store8 (local.get $out) (i32.const 1)))\n    (else")?;
    match function.returns {
        Returns::Value(_) => writeln!(out, "      (i32.store offset=4 (local.get $out) (local.get $result))")?,
        Returns::Handle => {
            writeln!(out, "      (i32.store offset=4 (local.get $out) (i32.add (local.get $result) (i32.const 1)))")?;
        }
        _ => {}
    }
    if interface.ident == "event" {
        event_source(out, at)?;
    }
    writeln!(out, "      (i32.store8 (local.get $out) (i32.const 0)))))")
}

/// Writes the change of an event's source to a handle of the component, unless the source is the number of a timer.
fn event_source(out: &mut impl Write, at: u32) -> fmt::Result {
    let place = |name| -> u32 {
        let before = event::EVENT.fields.iter().take_while(|field| field.name != name);
        at + before.map(|field| field.bytes).sum::<u32>()
    };
    let (kind, source) = (place("kind"), place("source"));
    writeln!(out, "      (if (i32.ne (i32.load offset={kind} (local.get $out)) (i32.const {}))", event::TIMER)?;
    writeln!(out, "        (then (i32.store offset={source} (local.get $out)")?;
    writeln!(out, "          (i32.add (i32.load offset={source} (local.get $out)) (i32.const 1)))))")
}

fn fill(out: &mut impl Write, name: &str) -> fmt::Result {
    writeln!(
        out,
        "  (call $list (local.get $out) (local.get $result) (local.get $list) (local.get ${name}.length) \
         (local.get ${name}.length)))"
    )
}

/// Writes the call of the host's function, which writes results from `at` of the shim's result.
fn call(out: &mut impl Write, interface: &Interface, function: &Function, at: u32) -> fmt::Result {
    write!(out, "(call ${}.{}", interface.ident, function.name)?;
    let mut at = at;
    for param in function.params {
        let name = param.name;
        match param.kind {
            Kind::Handle => write!(out, " (i32.sub (local.get ${name}) (i32.const 1))")?,
            Kind::Bytes => write!(out, " (local.get ${name}) (local.get ${name}.length)")?,
            Kind::Buffer => write!(out, " (local.get $list) (local.get ${name}.length)")?,
            kind if kind.is_out() => {
                write!(out, " (i32.add (local.get $out) (i32.const {at}))")?;
                at += 4;
            }
            _ => write!(out, " (local.get ${name})")?,
        }
    }
    out.write_str(")")
}
