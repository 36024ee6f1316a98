// SPDX-License-Identifier: Apache-2.0
//! The interface between guests and the host, described once as constant data.
//!
//! Principles:
//! - One [`Interface`] is one wasm import module, versioned in its name, and one file here. The host
//!   glue, the Rust guest crate, `wisp.h` and the reference pages are generated from it.
//! - Functions take scalars and (pointer, length) pairs into the guest's linear memory; results
//!   beyond the first go through out-pointers. A guest needs no allocator.
//! - A published function never changes; a new version of an interface is a new module name.
//!
//! The rules every function obeys, whatever its interface:
//! - All addresses and lengths are unsigned 32-bit offsets into the guest's linear memory. A range
//!   that does not lie wholly inside it, or whose end wraps past 2^32, is `EFAULT`. Nothing has
//!   happened when a call returns `EFAULT`.
//! - With length zero the pointer is not looked at, whatever its value.
//! - A buffer the host writes must not overlap another buffer of the same call: `EINVAL`.
//! - Out-pointers may be unaligned, are checked before the call has any effect, and are written
//!   last, in parameter order, and only on success.
//! - A handle is an index into the calling app's own grant table for that interface. Anything not
//!   open is `EBADF`; there is no number by which an app can name what it was not granted.
//! - A blocking call may end by stopping the app; the guest then never sees it return.
#![no_std]
#![forbid(unsafe_code)]

pub mod adc;
pub mod ble;
pub mod can;
pub mod coap;
pub mod counter;
pub mod dac;
pub mod display;
pub mod eeprom;
pub mod event;
pub mod flash;
pub mod gpio;
pub mod hwinfo;
pub mod i2c;
pub mod input;
pub mod kv;
pub mod led;
pub mod lifecycle;
pub mod log;
pub mod mqtt;
pub mod msg;
pub mod net;
pub mod pwm;
#[cfg(feature = "render")]
pub mod render;
pub mod sensor;
pub mod spi;
pub mod strip;
pub mod timer;
pub mod uart;
pub mod wasi;

pub use wisp_contract::errno::{Errno, WasiErrno};

/// All interfaces, in the order of the reference pages.
pub const INTERFACES: &[Interface] = &[
    log::INTERFACE,
    timer::INTERFACE,
    event::INTERFACE,
    gpio::INTERFACE,
    i2c::INTERFACE,
    adc::INTERFACE,
    dac::INTERFACE,
    pwm::INTERFACE,
    spi::INTERFACE,
    uart::INTERFACE,
    sensor::INTERFACE,
    counter::INTERFACE,
    led::INTERFACE,
    strip::INTERFACE,
    display::INTERFACE,
    eeprom::INTERFACE,
    flash::INTERFACE,
    input::INTERFACE,
    can::INTERFACE,
    ble::INTERFACE,
    hwinfo::INTERFACE,
    kv::INTERFACE,
    msg::INTERFACE,
    net::INTERFACE,
    mqtt::INTERFACE,
    coap::INTERFACE,
    lifecycle::INTERFACE,
    wasi::INTERFACE,
];

/// Name of the export that a host calls to run a guest, as in WASI commands.
pub const ENTRY: &str = "_start";

/// Name of the export that sets up a guest without [`ENTRY`], a WASI reactor, before anything else of it runs.
pub const INITIALIZE: &str = "_initialize";

/// Name of the export that a host calls for each event of a reactor. Its parameters are the numbers of
/// [`event::EVENT`] behind its time: kind, source, value and lost events, an `i32` each.
pub const ON_EVENT: &str = "on_event";

/// One import module.
#[derive(Debug, Clone, Copy)]
pub struct Interface {
    /// Import module name as in the wasm binary, for example `wisp:gpio@1`.
    pub module: &'static str,
    /// Name of the interface in every layer: file, Rust module, C prefix.
    pub ident: &'static str,
    /// Name of the trait with the host's functions, for example `GpioV1`.
    pub host_trait: &'static str,
    /// The purpose of the interface, in Markdown.
    pub doc: &'static str,
    /// The grant that an app needs to use the interface.
    pub grant: Option<Grant>,
    /// Which error numbers its functions return.
    pub errors: ErrorSpace,
    /// Named values of parameters and results.
    pub constants: &'static [Constant],
    /// Layouts of what lies behind [`Kind::OutRecord`] and [`Kind::Address`].
    pub records: &'static [Record],
    /// The functions, in the order of the reference page.
    pub functions: &'static [Function],
}

/// The properties of an app's devicetree node that grant an interface.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// The property with the devices, or another one without which nothing is granted.
    pub property: &'static str,
    /// The property with the names of the devices, or one that completes the grant.
    pub beside: &'static str,
    /// The form of the grant.
    pub form: Form,
    /// Names what one grant gives to the app, in Markdown.
    pub what: &'static str,
}

/// The form of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Devices that apps open by name. The C table of grants is generated from the properties.
    Devices,
    /// The same, with a table that C code of its own makes.
    SpecialDevices,
    /// A limit: no devices, and nothing to open.
    Limit,
    /// Facts that the app may learn, each by a property: nothing to open.
    Facts,
    /// Lists of what the app may do, each by a property: nothing to open.
    Lists,
    /// Peers on the network. What an app opens is a socket of its own, not a grant.
    Endpoints,
}

impl Grant {
    const fn devices(property: &'static str, beside: &'static str, what: &'static str) -> Option<Self> {
        Some(Grant { property, beside, form: Form::Devices, what })
    }
}

/// The numbering of errors and the way they are returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorSpace {
    /// `i32` result: zero or more on success, a negative [`Errno`] on failure.
    Wisp,
    /// `i32` result: zero on success, a positive [`WasiErrno`] on failure.
    Wasi,
}

/// A named number of an interface.
#[derive(Debug, Clone, Copy)]
pub struct Constant {
    /// Upper-case name without the interface's prefix.
    pub name: &'static str,
    /// The value.
    pub value: u32,
    /// The meaning of the constant, in Markdown.
    pub doc: &'static str,
}

/// A record in linear memory: little-endian unsigned numbers one after the other, no padding.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Name in snake case, without the interface's prefix.
    pub name: &'static str,
    /// The purpose of the record, in Markdown.
    pub doc: &'static str,
    /// Its fields in order. 8-byte ones stand at multiples of eight.
    pub fields: &'static [Field],
}

/// A field of a record.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name in snake case.
    pub name: &'static str,
    /// 4 or 8.
    pub bytes: u32,
    /// Meaning and unit.
    pub doc: &'static str,
}

impl Record {
    /// Returns the bytes of the whole record.
    pub const fn size(&self) -> u32 {
        let (mut i, mut size) = (0, 0);
        while i < self.fields.len() {
            size += self.fields[i].bytes;
            i += 1;
        }
        size
    }
}

/// One imported function.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Import name.
    pub name: &'static str,
    /// The effect of the function, in Markdown.
    pub doc: &'static str,
    /// Parameters in order.
    pub params: &'static [Param],
    /// The meaning of the function's wasm result.
    pub returns: Returns,
    /// Errors beyond `EFAULT` for pointers: name and when.
    pub errors: &'static [(&'static str, &'static str)],
}

/// One parameter of a function. [`Kind::Bytes`] and [`Kind::Buffer`] are two wasm parameters.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Name in snake case.
    pub name: &'static str,
    /// The way the parameter is passed and checked.
    pub kind: Kind,
    /// Meaning and unit.
    pub doc: &'static str,
}

/// The way a parameter is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `i32`, unsigned.
    U32,
    /// `i64`, unsigned.
    U64,
    /// `i64`, signed.
    I64,
    /// `i32`: a handle that an `open` of the same interface returned.
    Handle,
    /// Two `i32`, pointer and length: bytes that the host reads.
    Bytes,
    /// Two `i32`, pointer and length: bytes that the host writes.
    Buffer,
    /// `i32` pointer to a little-endian `u32` that the host writes.
    OutU32,
    /// `i32` pointer to a little-endian `u64` that the host writes.
    OutU64,
    /// `i32` pointer to a little-endian `i32` that the host writes.
    OutI32,
    /// `i32` pointer to a little-endian `i64` that the host writes.
    OutI64,
    /// `i32` pointer to a record of this many bytes that the host writes.
    OutRecord(u32),
    /// `i32` address of something whose size follows from other parameters. The function gets the
    /// whole linear memory and checks each access itself.
    Address,
}

/// The meaning of a function's wasm result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// `i32`: zero or an error.
    Nothing,
    /// `i32`: a value of at most 2^31 - 1 or an error. Not for WASI.
    Value(&'static str),
    /// `i32`: a handle or an error. Not for WASI.
    Handle,
    /// `i64`: a value. The function cannot fail.
    U64(&'static str),
    /// No result: the function does not return to the guest.
    Never,
}

impl Kind {
    /// Returns the letters of this parameter in a signature: `i`, `I`, or `*~` for pointer and length.
    pub const fn letters(self) -> &'static str {
        match self {
            Kind::U64 | Kind::I64 => "I",
            Kind::Bytes | Kind::Buffer => "*~",
            _ => "i",
        }
    }

    /// Returns true if the host writes a single value through this pointer after the call.
    pub const fn is_out(self) -> bool {
        matches!(self, Kind::OutU32 | Kind::OutU64 | Kind::OutI32 | Kind::OutI64 | Kind::OutRecord(_))
    }
}

impl Returns {
    /// Returns the letter of the result in a signature, or empty for none.
    pub const fn letters(self) -> &'static str {
        match self {
            Returns::Nothing | Returns::Value(_) | Returns::Handle => "i",
            Returns::U64(_) => "I",
            Returns::Never => "",
        }
    }
}

impl Interface {
    /// Returns the name of the trait with which a board implements the interface, for example `Gpio`.
    pub fn platform_trait(&self) -> &'static str {
        self.host_trait.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('V')
    }

    /// Returns true if an app has handles of this interface, which are indices of its grants.
    pub fn has_handles(&self) -> bool {
        self.grant.is_some_and(|grant| matches!(grant.form, Form::Devices | Form::SpecialDevices))
    }

    /// Returns the function called `name`, if the interface has one.
    pub fn function(&self, name: &str) -> Option<&'static Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}

/// Returns the interface whose import module is `module`, if there is one.
pub fn interface(module: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.module == module)
}

const fn field(name: &'static str, bytes: u32, doc: &'static str) -> Field {
    Field { name, bytes, doc }
}

const fn constant(name: &'static str, value: u32, doc: &'static str) -> Constant {
    Constant { name, value, doc }
}

const fn param(name: &'static str, kind: Kind, doc: &'static str) -> Param {
    Param { name, kind, doc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_within_their_scope() {
        for (i, a) in INTERFACES.iter().enumerate() {
            assert!(INTERFACES[..i].iter().all(|b| b.module != a.module && b.ident != a.ident));
            for (j, f) in a.functions.iter().enumerate() {
                assert!(a.functions[..j].iter().all(|g| g.name != f.name), "{}", f.name);
                for (k, p) in f.params.iter().enumerate() {
                    assert!(f.params[..k].iter().all(|q| q.name != p.name), "{}", p.name);
                }
            }
        }
    }

    #[test]
    fn error_names_exist_in_the_error_space_of_their_interface() {
        for interface in INTERFACES {
            for function in interface.functions {
                for (name, when) in function.errors {
                    let known = match interface.errors {
                        ErrorSpace::Wisp => Errno::ALL.iter().any(|e| e.name() == *name),
                        ErrorSpace::Wasi => WasiErrno::ALL.iter().any(|e| e.name() == *name),
                    };
                    assert!(known, "{}.{}: {name}", interface.module, function.name);
                    assert!(!when.is_empty());
                }
            }
        }
    }

    #[test]
    fn wasi_functions_return_an_error_number_or_never_return() {
        let wasi = interface("wasi_snapshot_preview1").unwrap();
        for function in wasi.functions {
            assert!(matches!(function.returns, Returns::Nothing | Returns::Never));
        }
    }

    #[test]
    fn everything_is_documented() {
        for interface in INTERFACES {
            assert!(!interface.doc.is_empty());
            for function in interface.functions {
                assert!(function.doc.ends_with('.'), "{}", function.name);
                assert!(function.params.iter().all(|p| !p.doc.is_empty()), "{}", function.name);
            }
        }
    }

    #[test]
    fn records_are_aligned_as_c_lays_them_out() {
        for record in INTERFACES.iter().flat_map(|interface| interface.records) {
            let mut at = 0;
            for field in record.fields {
                assert!(field.bytes == 4 || field.bytes == 8, "{}.{}", record.name, field.name);
                assert_eq!(at % field.bytes, 0, "{}.{}", record.name, field.name);
                // bindings name the bytes of a whole record so
                assert_ne!(field.name, "size", "{}", record.name);
                at += field.bytes;
            }
            let widest = record.fields.iter().map(|field| field.bytes).max();
            assert_eq!(Some(at % widest.unwrap()), Some(0), "{}", record.name);
        }
    }

    #[test]
    fn lookups_find_what_is_described_and_nothing_else() {
        assert!(interface("wisp:log@1").unwrap().function("write").is_some());
        assert!(interface("wisp:log@1").unwrap().function("read").is_none());
        assert!(interface("wisp:log@2").is_none());
    }
}
