// SPDX-License-Identifier: Apache-2.0
//! `wisp.h`: the imports for C guests built with stock clang.

use super::{comment, Separator, Upper};
use crate::{Errno, ErrorSpace, Function, Interface, Kind, Param, Returns, WasiErrno, INTERFACES};
use core::fmt::{self, Write};

const HEAD: &str = r#"/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief The Wisp guest ABI for C. Generated from the ABI description: do not edit.
 *
 * wisp_* functions return zero or more, or a negated WISP_E* number; wisp_wasi_* functions return
 * zero or a WISP_WASI_E* number. Needs no libc; for clang and the wasm32 targets, as C99 and later or C++.
 */
#ifndef WISP_H_
#define WISP_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Index into the app's own grant table of one interface. */
typedef uint32_t wisp_handle_t;

#define WISP_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

"#;

const TAIL: &str = r#"#undef WISP_IMPORT

#ifdef __cplusplus
}
#endif

#endif /* WISP_H_ */
"#;

/// Writes the header.
///
/// # Errors
/// Those of the writer.
pub fn c_header(out: &mut impl Write) -> fmt::Result {
    out.write_str(HEAD)?;
    for errno in Errno::ALL {
        writeln!(out, "/** {} */\n#define WISP_{} {}", errno.meaning(), errno.name(), errno.number())?;
    }
    writeln!(out)?;
    for errno in WasiErrno::ALL {
        writeln!(out, "/** {} */\n#define WISP_WASI_E{} {}", errno.meaning(), Upper(errno.name()), errno.number())?;
    }
    writeln!(out)?;
    for interface in INTERFACES {
        writeln!(out, "/**\n * @defgroup wisp_{0} {1}", interface.ident, interface.module)?;
        comment(out, " * ", interface.doc)?;
        writeln!(out, " * @{{\n */\n")?;
        for constant in interface.constants {
            let (ident, name) = (Upper(interface.ident), constant.name);
            writeln!(out, "/** {} */\n#define WISP_{ident}_{name} {}u", constant.doc, constant.value)?;
        }
        if !interface.constants.is_empty() {
            writeln!(out)?;
        }
        for record in interface.records {
            writeln!(out, "/** {} */\nstruct wisp_{}_{} {{", record.doc, interface.ident, record.name)?;
            for field in record.fields {
                writeln!(out, "\t/** {} */\n\tuint{}_t {};", field.doc, field.bytes * 8, field.name)?;
            }
            writeln!(out, "}};\n")?;
        }
        for function in interface.functions {
            import(out, interface, function)?;
        }
        writeln!(out, "/** @}} */\n")?;
    }
    out.write_str(TAIL)
}

fn import(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    writeln!(out, "/**")?;
    comment(out, " * ", function.doc)?;
    writeln!(out, " *")?;
    for param in function.params {
        writeln!(out, " * @param {} {}", param.name, param.doc)?;
    }
    match function.returns {
        Returns::Nothing => writeln!(out, " * @retval 0 on success")?,
        Returns::Value(doc) | Returns::U64(doc) => writeln!(out, " * @return {doc}")?,
        Returns::Handle => writeln!(out, " * @return a handle")?,
        Returns::Never => {}
    }
    for (name, when) in function.errors {
        match interface.errors {
            ErrorSpace::Wisp => writeln!(out, " * @retval -WISP_{name} {when}")?,
            ErrorSpace::Wasi => writeln!(out, " * @retval WISP_WASI_E{} {when}", Upper(name))?,
        }
    }
    writeln!(out, " */")?;
    let never = if function.returns == Returns::Never { " __attribute__((noreturn))" } else { "" };
    writeln!(out, "WISP_IMPORT({:?}, {:?}){never}", interface.module, function.name)?;
    write!(out, "{} wisp_{}_{}(", result(function), interface.ident, function.name)?;
    if function.params.is_empty() {
        write!(out, "void")?;
    }
    params(out, function, false)?;
    writeln!(out, ");\n")?;
    // Strings are what C has instead of slices.
    if function.params.iter().any(|param| param.kind == Kind::Bytes) {
        string_variant(out, interface, function)?;
    }
    Ok(())
}

fn string_variant(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    let (ident, name) = (interface.ident, function.name);
    writeln!(out, "/** As wisp_{ident}_{name}(), with zero-terminated strings. */")?;
    write!(out, "static inline {} wisp_{ident}_{name}_str(", result(function))?;
    params(out, function, true)?;
    write!(out, ")\n{{\n\treturn wisp_{ident}_{name}(")?;
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params {
        separator.next(out)?;
        match kind {
            Kind::Bytes => write!(out, "{name}, __builtin_strlen({name})")?,
            Kind::Buffer => write!(out, "{name}, {name}_len")?,
            _ => write!(out, "{name}")?,
        }
    }
    writeln!(out, ");\n}}\n")
}

fn result(function: &Function) -> &'static str {
    match function.returns {
        Returns::Never => "void",
        Returns::U64(_) => "uint64_t",
        _ => "int32_t",
    }
}

fn params(out: &mut impl Write, function: &Function, strings: bool) -> fmt::Result {
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params {
        separator.next(out)?;
        match kind {
            Kind::U32 => write!(out, "uint32_t {name}")?,
            Kind::U64 => write!(out, "uint64_t {name}")?,
            Kind::I64 => write!(out, "int64_t {name}")?,
            Kind::Handle => write!(out, "wisp_handle_t {name}")?,
            Kind::Bytes if strings => write!(out, "const char *{name}")?,
            Kind::Bytes => write!(out, "const void *{name}, size_t {name}_len")?,
            Kind::Buffer => write!(out, "void *{name}, size_t {name}_len")?,
            Kind::OutU32 => write!(out, "uint32_t *{name}")?,
            Kind::OutU64 => write!(out, "uint64_t *{name}")?,
            Kind::OutI32 => write!(out, "int32_t *{name}")?,
            Kind::OutI64 => write!(out, "int64_t *{name}")?,
            Kind::OutRecord(_) | Kind::Address => write!(out, "void *{name}")?,
        }
    }
    Ok(())
}
