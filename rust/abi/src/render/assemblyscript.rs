// SPDX-License-Identifier: Apache-2.0
//! `wisp.ts`: the imports for AssemblyScript guests.

use super::{comment, Separator};
use crate::{Errno, ErrorSpace, Function, Interface, Kind, Param, Returns, WasiErrno, INTERFACES};
use core::fmt::{self, Write};

/// Strings are UTF-16 in AssemblyScript, and what cuts one allocates: so lengths are counted here.
const HEAD: &str = r#"// SPDX-License-Identifier: Apache-2.0
// The Wisp guest ABI for AssemblyScript. Generated from the ABI description: do not edit.
//
// Functions return zero or more, or a negated number of `Errno`; those of `wasi` zero or a number of
// `WasiErrno`. Pointers are addresses in linear memory, as `changetype<usize>(buffer)` and
// `memory.data(size)` give them. Functions ending in `_str` take a string, of which they pass at most
// the first 128 bytes of its UTF-8; they allocate nothing.

const TEXT: usize = memory.data(128);

/** Puts the UTF-8 of a string into `TEXT`; the number of bytes. */
function utf8(text: string): u32 {
  let bytes: u32 = 0;
  let units = 0;
  while (units < text.length) {
    const unit = text.charCodeAt(units);
    const pair = (unit & 0xfc00) == 0xd800 && units + 1 < text.length;
    const size: u32 = unit < 0x80 ? 1 : unit < 0x800 ? 2 : pair ? 4 : 3;
    if (bytes + size > 128) break;
    bytes += size;
    units += pair ? 2 : 1;
  }
  String.UTF8.encodeUnsafe(changetype<usize>(text), units, TEXT);
  return bytes;
}

/** What failed assertions and thrown errors end in: `--use abort=assembly/wisp/abort`. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  if (message) log.write_str(log.ERROR, message);
  unreachable();
}
"#;

/// Writes the bindings.
///
/// # Errors
/// Those of the writer.
pub fn assemblyscript(out: &mut impl Write) -> fmt::Result {
    out.write_str(HEAD)?;
    writeln!(out, "\n/** Errors of `wisp:*`, returned negated. */\nexport namespace Errno {{")?;
    for errno in Errno::ALL {
        writeln!(out, "  /** {} */\n  export const {}: i32 = {};", errno.meaning(), errno.name(), errno.number())?;
    }
    writeln!(out, "}}\n\n/** Errors of WASI. */\nexport namespace WasiErrno {{")?;
    for errno in WasiErrno::ALL {
        let name = super::Upper(errno.name());
        writeln!(out, "  /** {} */\n  export const E{name}: i32 = {};", errno.meaning(), errno.number())?;
    }
    writeln!(out, "}}")?;
    for interface in INTERFACES {
        writeln!(out, "\n/**")?;
        comment(out, " * ", interface.doc)?;
        writeln!(out, " */\nexport namespace {} {{", interface.ident)?;
        for constant in interface.constants {
            writeln!(out, "  /** {} */\n  export const {}: u32 = {};", constant.doc, constant.name, constant.value)?;
        }
        for record in interface.records {
            let name = super::Upper(record.name);
            writeln!(out, "  /** Bytes of a record `{}`: {} */", record.name, record.doc)?;
            writeln!(out, "  export const {name}_SIZE: u32 = {};", record.size())?;
            let mut at = 0;
            for field in record.fields {
                let field_name = super::Upper(field.name);
                writeln!(out, "  /** Where in it {} bytes are: {}. */", field.bytes, field.doc)?;
                writeln!(out, "  export const {name}_{field_name}: u32 = {at};")?;
                at += field.bytes;
            }
        }
        for function in interface.functions {
            import(out, interface, function)?;
        }
        writeln!(out, "}}")?;
    }
    Ok(())
}

fn import(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    writeln!(out, "  /**")?;
    comment(out, "   * ", function.doc)?;
    for param in function.params {
        writeln!(out, "   * @param {} {}", param.name, param.doc)?;
    }
    match function.returns {
        Returns::Nothing => writeln!(out, "   * @returns 0")?,
        Returns::Value(doc) | Returns::U64(doc) => writeln!(out, "   * @returns {doc}")?,
        Returns::Handle => writeln!(out, "   * @returns a handle")?,
        Returns::Never => {}
    }
    for (name, when) in function.errors {
        match interface.errors {
            ErrorSpace::Wisp => writeln!(out, "   * `-Errno.{name}`: {when}")?,
            ErrorSpace::Wasi => writeln!(out, "   * `WasiErrno.E{}`: {when}", super::Upper(name))?,
        }
    }
    writeln!(out, "   */\n  // @ts-ignore: decorator")?;
    writeln!(out, "  @external({:?}, {:?})", interface.module, function.name)?;
    write!(out, "  export declare function {}(", function.name)?;
    params(out, function, false)?;
    writeln!(out, "): {};", result(function))?;
    // One string has room; two would overwrite each other.
    let strings = function.params.iter().filter(|param| param.kind == Kind::Bytes).count();
    if strings == 1 {
        string_variant(out, function)?;
    }
    Ok(())
}

fn string_variant(out: &mut impl Write, function: &Function) -> fmt::Result {
    let name = function.name;
    writeln!(out, "  /** As `{name}`, with a string. */")?;
    write!(out, "  export function {name}_str(")?;
    params(out, function, true)?;
    write!(out, "): {} {{\n    return {name}(", result(function))?;
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params {
        separator.next(out)?;
        match kind {
            Kind::Bytes => write!(out, "TEXT, utf8({name})")?,
            Kind::Buffer => write!(out, "{name}, {name}_length")?,
            _ => write!(out, "{name}")?,
        }
    }
    writeln!(out, ");\n  }}")
}

fn result(function: &Function) -> &'static str {
    match function.returns {
        Returns::Never => "void",
        Returns::U64(_) => "u64",
        _ => "i32",
    }
}

fn params(out: &mut impl Write, function: &Function, strings: bool) -> fmt::Result {
    let mut separator = Separator::new();
    for Param { name, kind, .. } in function.params {
        separator.next(out)?;
        match kind {
            Kind::U32 | Kind::Handle => write!(out, "{name}: u32")?,
            Kind::U64 => write!(out, "{name}: u64")?,
            Kind::I64 => write!(out, "{name}: i64")?,
            Kind::Bytes if strings => write!(out, "{name}: string")?,
            Kind::Bytes | Kind::Buffer => write!(out, "{name}: usize, {name}_length: u32")?,
            _ => write!(out, "{name}: usize")?,
        }
    }
    Ok(())
}
