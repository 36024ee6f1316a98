// SPDX-License-Identifier: Apache-2.0
//! Reference pages in Markdown, one per interface, and their index.

use super::signature;
use crate::{Errno, ErrorSpace, Function, Interface, Kind, Returns, WasiErrno, INTERFACES};
use core::fmt::{self, Write};

const RULES: &str = r#"# Guest ABI

What a guest may import, one page per import module. These pages, the host's glue, the Rust crate
`wisp-guest` and the C header `wisp.h` are generated from one description, `rust/abi`.

## Rules for every function

- Addresses and lengths are unsigned 32-bit offsets into the guest's linear memory. A range that
  does not lie wholly inside it, or whose end wraps past 2^32, is `EFAULT`, and nothing has happened.
- With length zero the pointer is not looked at, whatever its value.
- A buffer that the host writes must not overlap another buffer of the same call: `EINVAL`.
- Out-pointers may be unaligned. They are checked before the call has any effect and are written
  last, in parameter order, only on success. Numbers are little endian.
- A handle is an index into the calling app's own grant table for that interface. Anything not open
  is `EBADF`. There is no number by which an app can name what it was not granted.
- A blocking call may end by stopping the app. The guest then never sees it return.
- `wisp:*` functions return zero or more, or a negated error number. `wasi_snapshot_preview1`
  functions return zero or WASI's own error number.
- Signatures: `i` is i32, `I` i64, `*~` a pointer and its length.

A host runs the export `_start` of a guest.

"#;

/// Writes the index page with the rules and the error numbers.
///
/// # Errors
/// Those of the writer.
pub fn index(out: &mut impl Write) -> fmt::Result {
    out.write_str(RULES)?;
    writeln!(out, "## Interfaces\n\n| import module | page |\n|---|---|")?;
    for interface in INTERFACES {
        writeln!(out, "| `{}` | [{1}]({1}.md) |", interface.module, interface.ident)?;
    }
    writeln!(out, "\n## Errors of `wisp:*`\n\n| name | number | meaning |\n|---|---|---|")?;
    for errno in Errno::ALL {
        writeln!(out, "| `{}` | {} | {} |", errno.name(), errno.number(), errno.meaning())?;
    }
    writeln!(out, "\n## Errors of `wasi_snapshot_preview1`\n\n| name | number | meaning |\n|---|---|---|")?;
    for errno in WasiErrno::ALL {
        writeln!(out, "| `{}` | {} | {} |", errno.name(), errno.number(), errno.meaning())?;
    }
    Ok(())
}

/// Writes the page of one interface.
///
/// # Errors
/// Those of the writer.
pub fn page(out: &mut impl Write, interface: &Interface) -> fmt::Result {
    writeln!(out, "# `{}`\n\n{}\n", interface.module, interface.doc)?;
    if !interface.constants.is_empty() {
        writeln!(out, "| constant | value | meaning |\n|---|---|---|")?;
        for constant in interface.constants {
            writeln!(out, "| `{}` | {} | {} |", constant.name, constant.value, constant.doc)?;
        }
        writeln!(out)?;
    }
    for record in interface.records {
        writeln!(out, "## Record `{}`, {} bytes\n\n{}\n", record.name, record.size(), record.doc)?;
        writeln!(out, "| offset | field | type | meaning |\n|---|---|---|---|")?;
        let mut offset = 0;
        for field in record.fields {
            writeln!(out, "| {offset} | `{}` | u{} | {} |", field.name, field.bytes * 8, field.doc)?;
            offset += field.bytes;
        }
        writeln!(out)?;
    }
    for function in interface.functions {
        entry(out, interface, function)?;
    }
    Ok(())
}

fn entry(out: &mut impl Write, interface: &Interface, function: &Function) -> fmt::Result {
    write!(out, "## `{}` `", function.name)?;
    signature(out, function)?;
    writeln!(out, "`\n\n{}\n", function.doc)?;
    if !function.params.is_empty() {
        writeln!(out, "| parameter | type | meaning |\n|---|---|---|")?;
        for param in function.params {
            write!(out, "| `{}` | ", param.name)?;
            match param.kind {
                Kind::U32 => write!(out, "u32")?,
                Kind::U64 => write!(out, "u64")?,
                Kind::I64 => write!(out, "i64")?,
                Kind::Handle => write!(out, "handle")?,
                Kind::Bytes => write!(out, "pointer, length: read")?,
                Kind::Buffer => write!(out, "pointer, length: written")?,
                Kind::OutU32 => write!(out, "pointer to u32: written")?,
                Kind::OutU64 => write!(out, "pointer to u64: written")?,
                Kind::OutI32 => write!(out, "pointer to i32: written")?,
                Kind::OutI64 => write!(out, "pointer to i64: written")?,
                Kind::OutRecord(size) => write!(out, "pointer to {size} bytes: written")?,
                Kind::Address => write!(out, "address")?,
            }
            writeln!(out, " | {} |", param.doc)?;
        }
        writeln!(out)?;
    }
    match function.returns {
        Returns::Nothing => write!(out, "Returns 0")?,
        Returns::Value(doc) => write!(out, "Returns {doc}")?,
        Returns::Handle => write!(out, "Returns a handle")?,
        Returns::U64(doc) => return writeln!(out, "Returns {doc}, and cannot fail.\n"),
        Returns::Never => return writeln!(out, "Does not return.\n"),
    }
    let pointers = function
        .params
        .iter()
        .any(|param| param.kind.is_out() || matches!(param.kind, Kind::Bytes | Kind::Buffer | Kind::Address));
    if function.errors.is_empty() && !pointers {
        return writeln!(out, ".\n");
    }
    writeln!(out, " or an error:\n")?;
    for (name, when) in function.errors {
        writeln!(out, "- `{name}`: {when}")?;
    }
    let fault = match interface.errors {
        ErrorSpace::Wisp => Errno::Fault.name(),
        ErrorSpace::Wasi => WasiErrno::Fault.name(),
    };
    if pointers && !function.errors.iter().any(|(name, _)| *name == fault) {
        writeln!(out, "- `{fault}`: a pointer is outside linear memory")?;
    }
    writeln!(out)
}
