// SPDX-License-Identifier: Apache-2.0
//! Arbitrary tables of grants: what is not granted cannot be opened, what was not opened cannot be used.
//!
//! Two layers: the C function that searches the tables which devicetree becomes, with tables of any shape
//! between forbidden pages; and the host functions over boards with any number of grants under any names.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use arbitrary::{Result, Unstructured};
use wisp_abi::{Kind, Returns};
use wisp_engine::Val;

use crate::calls::{self, Answer};
use crate::guard::Guarded;
use crate::Outcome;

thread_local! {
    static MEMORY: RefCell<[Guarded; 3]> = RefCell::new([(); 3].map(|()| Guarded::new(64 << 10)));
}

mod c {
    extern "C" {
        /// Finds a grant: `wisp_grant_find` of src/app/grant_find.h, see build.rs.
        pub fn fuzz_grant_find(grants: *const u8, count: u32, size: usize, label: *const u8, length: usize) -> i32;
    }
}

/// Returns the interfaces that devices are granted for, with a device in a board file. A channel of messages has a
/// direction, which is not fuzzed here.
fn devices() -> impl Iterator<Item = (&'static str, &'static str)> {
    let idents = wisp_abi::INTERFACES.iter().filter(|interface| interface.has_handles()).map(|i| i.ident);
    idents.filter(|ident| *ident != "msg").map(|ident| match ident {
        "i2c" => (ident, "{ kind = \"eeprom\", address = 0x50 }"),
        "sensor" => (ident, "{ ambient_temp = [{ value = 20 }] }"),
        _ => (ident, "{}"),
    })
}

/// Returns a name without a NUL, mostly short and like others.
fn name(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = if u.ratio(1, 16)? { u.int_in_range(0..=200)? } else { u.int_in_range(0..=4usize)? };
    (0..length).map(|_| Ok(if u.ratio(1, 8)? { u.arbitrary::<u8>()?.max(1) } else { *u.choose(b"abAB-_0")? })).collect()
}

/// Returns a name that was given, or one like it, or another.
fn label(u: &mut Unstructured<'_>, names: &[Vec<u8>]) -> Result<Vec<u8>> {
    if names.is_empty() || u.ratio(1, 4)? {
        return name(u);
    }
    let mut label = u.choose(names)?.clone();
    match u.int_in_range(0..=5)? {
        0 => drop(label.pop()),
        1 => label.push(u.arbitrary()?),
        2 => label.push(0),
        _ => {}
    }
    Ok(label)
}

/// Searches a table as devicetree could make it. Returns whether something was found.
fn search(u: &mut Unstructured<'_>) -> Result<bool> {
    let names = (0..u.int_in_range(0..=32)?).map(|_| name(u)).collect::<Result<Vec<_>>>()?;
    let words = u.int_in_range(1..=6usize)?;
    MEMORY.with_borrow_mut(|[texts, tables, labels]| {
        // all names one after the other; the last ends at the forbidden page
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for name in &names {
            starts.push(bytes.len());
            bytes.extend_from_slice(name);
            bytes.push(0);
        }
        let texts = texts.at_end(&bytes);
        let mut table = Vec::new();
        for start in starts {
            table.extend((texts.as_ptr().addr() + start).to_ne_bytes());
            // what follows the name is the driver's business
            table.resize(table.len() + (words - 1) * size_of::<usize>(), 0xa5);
        }
        let table = tables.at_end(&table);
        let mut found_one = false;
        for _ in 0..4 {
            let wanted = label(u, &names)?;
            let place = labels.at_end(&wanted);
            let count = names.len() as u32;
            let size = words * size_of::<usize>();
            // SAFETY: the table has `count` entries of `size` bytes, each beginning with the address of a string;
            // the label has that length. The addresses were exposed by `addr` of mappings made by the system.
            let found = unsafe { c::fuzz_grant_find(table.as_ptr(), count, size, place.as_ptr(), place.len()) };
            let expected = names.iter().position(|name| *name == wanted).map_or(-1, |index| index as i32);
            assert_eq!(found, expected, "{wanted:?} in {names:?}");
            found_one |= found >= 0;
        }
        Ok(found_one)
    })
}

/// Names of grants by interface.
type Grants = BTreeMap<&'static str, Vec<Vec<u8>>>;

/// Returns a board with these grants for the app `a`, and grants of another app's that `a` shall not reach.
fn board(u: &mut Unstructured<'_>) -> Result<(String, Grants)> {
    let mut text = "[board]\nduration_ms = 1000000000\n[apps.b.gpio]\n\"secret\" = {}\n".to_string();
    let mut grants = Grants::new();
    for (ident, device) in devices() {
        let most = if u.ratio(1, 8)? { 32 } else { 4 };
        let mut names = BTreeSet::new();
        for _ in 0..u.int_in_range(0..=most)? {
            // board files are UTF-8
            names.insert(String::from_utf8_lossy(&name(u)?).into_owned());
        }
        let _ = writeln!(text, "[apps.a.{ident}]");
        for name in &names {
            let escaped: String = name.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
            let _ = writeln!(text, "\"{escaped}\" = {device}");
        }
        grants.insert(ident, names.into_iter().map(String::into_bytes).collect());
    }
    Ok((text, grants))
}

fn attack(u: &mut Unstructured<'_>) -> Result<bool> {
    let (text, grants) = board(u)?;
    let functions: Vec<_> = calls::functions().collect();
    let guarded: Vec<usize> = (0..functions.len())
        .filter(|&index| {
            let (interface, function) = functions[index];
            let handles =
                function.returns == Returns::Handle || function.params.iter().any(|param| param.kind == Kind::Handle);
            handles && interface.functions.iter().any(|function| function.returns == Returns::Handle)
        })
        .collect();
    calls::guest(&text, |guest| {
        let mut open: BTreeSet<(&str, u32)> = BTreeSet::new();
        let mut opened_one = false;
        while !u.is_empty() {
            let index = *u.choose(&guarded)?;
            let (interface, function) = functions[index];
            let none = Vec::new();
            let granted = grants.get(interface.ident).unwrap_or(&none);
            let wanted = if u.ratio(1, 16)? { b"secret".to_vec() } else { label(u, granted)? };
            let memory = guest.memory();
            memory[..wanted.len()].copy_from_slice(&wanted);
            calls::write_numbers(u, &mut memory[256..])?;
            let arguments = calls::arguments(u, function, &[(0, wanted.len() as u32)])?;
            let opens = function.returns == Returns::Handle;
            let mut slots = arguments.iter().copied();
            let mut asked = wanted.as_slice();
            let mut handle = None;
            for param in function.params {
                let slot = slots.next().map_or(0, |slot| slot.bits() as u32);
                match param.kind {
                    Kind::Bytes | Kind::Buffer => {
                        let length = slots.next().map_or(0, |slot| slot.bits() as u32);
                        let range = slot as usize..(slot as usize).saturating_add(length as usize);
                        // an empty name is one wherever it lies
                        asked = if length == 0 { b"" } else { memory.get(range).unwrap_or(b"\0outside") };
                    }
                    Kind::Handle => handle = handle.or(Some(slot)),
                    _ => {}
                }
            }
            let asked = asked.to_vec();
            let Answer::Result(result) = guest.call(index, &arguments) else { break };
            let succeeded = !calls::failed(interface, function, result);
            if opens && succeeded {
                assert!(granted.contains(&asked), "{} opened {asked:?}, granted are {granted:?}", interface.module);
                open.insert((interface.ident, result as u32));
                opened_one = true;
            }
            if let (Some(handle), false) = (handle, opens) {
                assert!(
                    !succeeded || open.contains(&(interface.ident, handle)),
                    "{} {} {:?}: handle {handle} was never opened",
                    interface.module,
                    function.name,
                    arguments.iter().map(|value: &Val| value.bits()).collect::<Vec<_>>()
                );
            }
        }
        Ok(opened_one)
    })
}

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let both = search(&mut u).and_then(|found| Ok((found, attack(&mut u)?)));
    match both {
        Ok((found, opened)) if found || opened => Outcome::Ran,
        Ok(_) => Outcome::Refused,
        Err(_) => Outcome::Rejected,
    }
}
