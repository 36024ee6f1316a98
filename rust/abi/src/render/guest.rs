// SPDX-License-Identifier: Apache-2.0
//! Bindings for Rust guests: per interface a module of functions over slices and `Result`.

use super::{comment, Separator};
use crate::{ErrorSpace, Function, Interface, Kind, Param, Returns, INTERFACES};
use core::fmt::{self, Write};

/// Writes the bindings of all interfaces. The text expects `crate::Errno` and `crate::WasiErrno`.
///
/// # Errors
/// Those of the writer.
pub fn rust_guest(out: &mut impl Write) -> fmt::Result {
    for interface in INTERFACES {
        comment(out, "/// ", interface.doc)?;
        writeln!(out, "pub mod {} {{", interface.ident)?;
        for constant in interface.constants {
            writeln!(out, "    /// {}", constant.doc)?;
            writeln!(out, "    pub const {}: u32 = {};", constant.name, constant.value)?;
        }
        for record in interface.records {
            let name = super::Upper(record.name);
            writeln!(out, "    /// Bytes of a record `{}`: {}", record.name, record.doc)?;
            writeln!(out, "    pub const {name}_SIZE: usize = {};", record.size())?;
        }
        imports(out, interface)?;
        for function in interface.functions {
            wrapper(out, interface, function)?;
        }
        writeln!(out, "}}\n")?;
    }
    Ok(())
}

fn imports(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    writeln!(out, "    #[cfg(target_arch = \"wasm32\")]\n    mod imports {{")?;
    writeln!(out, "        #[link(wasm_import_module = {:?})]", interface.module)?;
    writeln!(out, "        extern \"C\" {{")?;
    for function in interface.functions {
        write!(out, "            pub fn {}(", function.name)?;
        raw_params(out, function)?;
        writeln!(out, "){};", raw_result(function))?;
    }
    writeln!(out, "        }}\n    }}")?;
    writeln!(out, "    /// Off wasm there is no host: every call fails, so that a guest's other code can be tested.")?;
    writeln!(out, "    #[cfg(not(target_arch = \"wasm32\"))]\n    #[allow(unused_variables)]\n    mod imports {{")?;
    for function in interface.functions {
        write!(out, "        pub unsafe fn {}(", function.name)?;
        raw_params(out, function)?;
        let body = match (function.returns, interface.errors) {
            (Returns::Never, _) => "panic!(\"the app ended\")",
            (Returns::U64(_), _) => "0",
            (_, ErrorSpace::Wisp) => "crate::Errno::NoSys.code()",
            (_, ErrorSpace::Wasi) => "crate::WasiErrno::NoSys as i32",
        };
        writeln!(out, "){} {{ {body} }}", raw_result(function))?;
    }
    writeln!(out, "    }}")
}

fn raw_params(out: &mut impl Write, function: &Function) -> fmt::Result {
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params {
        separator.next(out)?;
        match kind {
            Kind::U32 | Kind::Handle => write!(out, "{name}: u32")?,
            Kind::U64 => write!(out, "{name}: u64")?,
            Kind::I64 => write!(out, "{name}: i64")?,
            Kind::Bytes => write!(out, "{name}: *const u8, {name}_len: usize")?,
            Kind::Buffer => write!(out, "{name}: *mut u8, {name}_len: usize")?,
            Kind::OutU32 => write!(out, "{name}: *mut u32")?,
            Kind::OutU64 => write!(out, "{name}: *mut u64")?,
            Kind::OutI32 => write!(out, "{name}: *mut i32")?,
            Kind::OutI64 => write!(out, "{name}: *mut i64")?,
            Kind::OutRecord(size) => write!(out, "{name}: *mut [u8; {size}]")?,
            Kind::Address => write!(out, "{name}: *mut u8")?,
        }
    }
    Ok(())
}

fn raw_result(function: &Function) -> &'static str {
    match function.returns {
        Returns::Never => " -> !",
        Returns::U64(_) => " -> u64",
        _ => " -> i32",
    }
}

fn out_type(out: &mut impl Write, kind: Kind) -> fmt::Result {
    match kind {
        Kind::OutU64 => write!(out, "u64"),
        Kind::OutI32 => write!(out, "i32"),
        Kind::OutI64 => write!(out, "i64"),
        Kind::OutRecord(size) => write!(out, "[u8; {size}]"),
        _ => write!(out, "u32"),
    }
}

fn wrapper(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    let raw = super::takes_memory(function);
    let fallible = !matches!(function.returns, Returns::Never | Returns::U64(_));
    comment(out, "    /// ", function.doc)?;
    comment_params(out, function)?;
    if fallible {
        writeln!(out, "    ///\n    /// # Errors")?;
        if function.errors.is_empty() {
            writeln!(out, "    /// None but `EFAULT`, which a Rust slice does not cause.")?;
        }
        for (name, when) in function.errors {
            writeln!(out, "    /// - `{name}`: {when}")?;
        }
    }
    if raw {
        writeln!(out, "    ///\n    /// # Safety")?;
        writeln!(
            out,
            "    /// The addresses must be those of live objects of the sizes described, which the host may write."
        )?;
    }
    write!(out, "    pub {}fn {}(", if raw { "unsafe " } else { "" }, function.name)?;
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params.iter().filter(|param| !param.kind.is_out()) {
        separator.next(out)?;
        match kind {
            Kind::U64 => write!(out, "{name}: u64")?,
            Kind::I64 => write!(out, "{name}: i64")?,
            Kind::Bytes => write!(out, "{name}: &[u8]")?,
            Kind::Buffer => write!(out, "{name}: &mut [u8]")?,
            Kind::Address => write!(out, "{name}: *mut u8")?,
            _ => write!(out, "{name}: u32")?,
        }
    }
    write!(out, ")")?;
    match function.returns {
        Returns::Never => write!(out, " -> !")?,
        Returns::U64(_) => write!(out, " -> u64")?,
        _ => {
            write!(out, " -> Result<")?;
            result_type(out, function)?;
            write!(out, ", {}>", error_type(interface))?;
        }
    }
    writeln!(out, " {{")?;
    body(out, interface, function, fallible)?;
    writeln!(out, "    }}")
}

fn comment_params(out: &mut impl Write, function: &Function) -> fmt::Result {
    if !function.params.is_empty() {
        writeln!(out, "    ///")?;
    }
    for param in function.params {
        let passed = if param.kind.is_out() { "returned: " } else { "" };
        writeln!(out, "    /// - `{}`: {passed}{}", param.name, param.doc)?;
    }
    if let Returns::Value(doc) | Returns::U64(doc) = function.returns {
        writeln!(out, "    ///\n    /// Returns {doc}.")?;
    }
    Ok(())
}

fn error_type(interface: &Interface) -> &'static str {
    match interface.errors {
        ErrorSpace::Wisp => "crate::Errno",
        ErrorSpace::Wasi => "crate::WasiErrno",
    }
}

fn has_value(function: &Function) -> bool {
    matches!(function.returns, Returns::Value(_) | Returns::Handle)
}

fn outs(function: &Function) -> impl Iterator<Item = &'static Param> + '_ {
    function.params.iter().filter(|param| param.kind.is_out())
}

fn result_type(out: &mut impl Write, function: &Function) -> fmt::Result {
    let count = usize::from(has_value(function)) + outs(function).count();
    if count != 1 {
        write!(out, "(")?;
    }
    let mut separator = Separator::new();
    if has_value(function) {
        separator.next(out)?;
        write!(out, "u32")?;
    }
    for param in outs(function) {
        separator.next(out)?;
        out_type(out, param.kind)?;
    }
    if count != 1 {
        write!(out, ")")?;
    }
    Ok(())
}

fn body(out: &mut impl Write, interface: &Interface, function: &Function, fallible: bool) -> fmt::Result {
    for param in outs(function) {
        write!(out, "        let mut {}: ", param.name)?;
        out_type(out, param.kind)?;
        match param.kind {
            Kind::OutRecord(size) => writeln!(out, " = [0; {size}];")?,
            _ => writeln!(out, " = 0;")?,
        }
    }
    writeln!(
        out,
        "        // SAFETY: every pointer is that of a live object and goes with its size; the host keeps none."
    )?;
    let binding = if fallible { "let result = " } else { "" };
    write!(out, "        {binding}unsafe {{ imports::{}(", function.name)?;
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params {
        separator.next(out)?;
        match kind {
            Kind::Bytes => write!(out, "{name}.as_ptr(), {name}.len()")?,
            Kind::Buffer => write!(out, "{name}.as_mut_ptr(), {name}.len()")?,
            kind if kind.is_out() => write!(out, "&mut {name}")?,
            _ => write!(out, "{name}")?,
        }
    }
    writeln!(out, ") }}{}", if fallible { ";" } else { "" })?;
    if !fallible {
        return Ok(());
    }
    match interface.errors {
        ErrorSpace::Wisp => {
            writeln!(
                out,
                "        if result < 0 {{\n            return Err(crate::Errno::from_code(result));\n        }}"
            )?;
        }
        ErrorSpace::Wasi => {
            writeln!(out, "        if result != 0 {{")?;
            writeln!(out, "            let number = result as u16;")?;
            writeln!(
                out,
                "            return Err(crate::WasiErrno::from_number(number).unwrap_or(crate::WasiErrno::Io));\n        }}"
            )?;
        }
    }
    let count = usize::from(has_value(function)) + outs(function).count();
    write!(out, "        Ok")?;
    write!(out, "{}", if count == 1 { "(" } else { "((" })?;
    let mut separator = Separator::new();
    if has_value(function) {
        separator.next(out)?;
        write!(out, "result as u32")?;
    }
    for param in outs(function) {
        separator.next(out)?;
        write!(out, "{}", param.name)?;
    }
    writeln!(out, "{}", if count == 1 { ")" } else { "))" })
}
