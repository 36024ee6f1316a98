// SPDX-License-Identifier: Apache-2.0
//! The power is cut at every write and erase of every operation, in eight ways, and again at writes and
//! erases of the recovery: the state is the one before or the one after the operation, and the operation can
//! then be carried out. What the cut left weak may read otherwise at each boot after that, and changes nothing.
//!
//! Of the second cuts, one in 251 is tried, spread evenly. `WISP_ONE_IN=1 cargo test --release` tries all of them.

mod common;

use common::{image, mounted, observe, one_in, upload, Borrowed, Random, SimFlash, State, COARSE, CUTS, PAGES, SMALL};
use wisp_storage::{Geometry, Store, StoreError, Upload};

/// Bytes of which a failed test shows only the number.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// One call of the app storage's interface.
#[derive(Clone, Debug)]
enum Operation {
    Begin(&'static str, Bytes, u32),
    /// The same by a sender that does not know the hash.
    BeginUnknown(&'static str, Bytes, u32),
    /// The upload's bytes up to an offset, in pieces of a length.
    Write(Bytes, usize, usize),
    /// Writes the bytes that the upload still lacks, then takes their hash.
    Identify(Bytes),
    /// Writes the bytes that the upload still lacks, then accepts it.
    Accept(Bytes),
    Abort,
    Attempt(&'static str),
    Crashed(&'static str),
    /// Confirms an update that retires these keys.
    Confirm(&'static str, Vec<u8>),
    RollBack(&'static str),
    Uninstall(&'static str),
    Disable(&'static str, bool),
    Manual(&'static str, bool),
}

fn write(store: &mut Store<'_, SimFlash>, bytes: &[u8], end: usize, piece: usize) -> Result<(), StoreError> {
    let mut offset = store.progress()?.received as usize;
    while offset < end {
        let next = (offset + piece).min(end);
        assert_eq!(store.write(offset as u32, &bytes[offset..next])?, next as u32);
        offset = next;
    }
    Ok(())
}

fn run(store: &mut Store<'_, SimFlash>, operation: &Operation) -> Result<(), StoreError> {
    match operation {
        Operation::Begin(name, bytes, rollback) => store.begin(&upload(name, &bytes.0, *rollback)).map(drop),
        Operation::Write(bytes, end, piece) => write(store, &bytes.0, *end, *piece),
        Operation::BeginUnknown(name, bytes, rollback) => {
            store.begin(&Upload { hash: [0; 32], ..upload(name, &bytes.0, *rollback) }).map(drop)
        }
        Operation::Identify(bytes) => {
            write(store, &bytes.0, bytes.0.len(), 500)?;
            store.identify()
        }
        Operation::Accept(bytes) => {
            write(store, &bytes.0, bytes.0.len(), 500)?;
            store.accept(false).map(drop)
        }
        Operation::Abort => store.abort(),
        Operation::Attempt(name) => store.find(name).and_then(|slot| store.attempt(slot)).map(drop),
        Operation::Crashed(name) => store.find(name).and_then(|slot| store.crashed(slot)).map(drop),
        Operation::Confirm(name, retires) => store.find(name).and_then(|slot| store.confirm_and_retire(slot, retires)),
        Operation::RollBack(name) => store.find(name).and_then(|slot| store.roll_back(slot)),
        Operation::Uninstall(name) => store.find(name).and_then(|slot| store.uninstall(slot)),
        Operation::Disable(name, on) => store.find(name).and_then(|slot| store.set_disabled(slot, *on)),
        Operation::Manual(name, on) => store.find(name).and_then(|slot| store.set_manual(slot, *on)),
    }
}

fn install(name: &'static str, number: u64, length: usize, piece: usize) -> Vec<Operation> {
    let bytes = Bytes(image(number, length));
    let mut list = vec![Operation::Begin(name, bytes.clone(), number as u32)];
    for end in [length / 3, length / 2 + 1, length] {
        list.push(Operation::Write(bytes.clone(), end, piece));
    }
    list.push(Operation::Accept(bytes));
    list
}

/// Returns the lives of three apps, with everything that can happen to them.
fn lives(block: usize) -> Vec<Operation> {
    use Operation::*;
    let given_up = Bytes(image(4, block));
    let mut list = install("alpha", 1, 2 * block + 100, 700);
    list.extend([Attempt("alpha"), Confirm("alpha", Vec::new()), Manual("alpha", true)]);
    list.extend(install("beta", 2, block, 333));
    list.extend([
        Attempt("beta"),
        Crashed("beta"),
        Attempt("beta"),
        Confirm("beta", vec![1; 8]),
        Manual("alpha", false),
    ]);
    list.extend(install("alpha", 3, 3 * block - 1, 1000));
    list.extend([Attempt("alpha"), Crashed("alpha"), Crashed("alpha"), RollBack("alpha")]);
    list.push(Begin("gamma", given_up.clone(), 100));
    list.push(Write(given_up, 100, 9));
    list.push(Abort);
    list.extend(install("alpha", 5, block + 1, 2000));
    list.extend([
        Attempt("alpha"),
        Crashed("alpha"),
        Disable("alpha", true),
        Confirm("alpha", [[2; 8], [3; 8]].concat()),
    ]);
    list.extend(install("gamma", 6, 17, 17));
    list.extend([RollBack("gamma"), Uninstall("beta"), Crashed("alpha"), Disable("alpha", true)]);
    list.extend(install("beta", 7, 2 * block, block));
    list.extend([Attempt("beta"), Confirm("beta", Vec::new()), Disable("alpha", false), Uninstall("alpha")]);
    let unknown = Bytes(image(8, block + 50));
    list.push(BeginUnknown("alpha", unknown.clone(), 8));
    list.push(Write(unknown.clone(), block + 20, 300));
    list.push(Identify(unknown.clone()));
    list.push(Accept(unknown));
    list
}

/// Carries an operation out on a store that was cut off. One whose effect is there already is left out. Then boots
/// twice more, and changes one bit of the journal in between.
fn carry_on(flash: SimFlash, operation: &Operation, before: &State, after: &State, random: &mut Random) {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(flash.powered(), &mut wear).unwrap();
    let state = observe(&mut store);
    assert!(state == *before || state == *after, "{operation:?} was cut:\n{state:#?}");
    if state == *before {
        run(&mut store, operation).expect("the operation can be repeated");
    }
    assert_eq!(observe(&mut store), *after, "{operation:?} carried on");
    let stat = store.stat().unwrap();
    let flash = store.into_flash();
    let journal = u64::from(flash.geometry.size - stat.blocks * stat.erase_block);
    let (state, mut flash, _) = mounted(flash.powered());
    assert_eq!(state, *after, "{operation:?} carried on, and booted");
    flash.memory[random.below(journal) as usize] ^= 1 << random.below(8);
    let (state, _, _) = mounted(flash.powered());
    assert_eq!(state, *after, "{operation:?} carried on, with a bit changed");
}

/// Cuts every operation of the list at every point, and one in `stride` of the points of each recovery. Returns the
/// number of points.
fn cut_everywhere(geometry: Geometry, list: &[Operation], stride: u64) -> (u64, u64) {
    let mut random = Random::new(u64::from(geometry.erase_block));
    let (mut points, mut recovery_points, mut candidates) = (0, 0, 0);
    let (mut before, flash, _) = mounted(SimFlash::new(geometry));
    let mut flash = flash.powered();
    // the first operation after a boot takes another way than those that follow: every other one is led up to
    let mut lead: Option<(SimFlash, &Operation)> = None;
    for operation in list {
        let from = lead.as_ref().map_or(&flash, |(earlier, _)| earlier).clone();
        let first = lead.as_ref().map(|(_, first)| *first);
        let mut wear = vec![0; 512];
        let (mut store, _) = Store::mount(from.clone(), &mut wear).unwrap();
        first.into_iter().for_each(|first| run(&mut store, first).unwrap());
        let begin = store.flash().operations;
        run(&mut store, operation).unwrap_or_else(|error| panic!("{operation:?}: {error:?}"));
        let after = observe(&mut store);
        let done = store.into_flash();
        for cut in CUTS {
            for at in begin..done.operations {
                points += 1;
                let mut wear = vec![0; 512];
                let (mut store, _) = Store::mount(from.clone(), &mut wear).unwrap();
                first.into_iter().for_each(|first| run(&mut store, first).unwrap());
                let flash = store.flash();
                *flash = flash.clone().cut_at(at, cut);
                assert!(run(&mut store, operation).is_err(), "the power was cut");
                let dead = store.into_flash();
                assert!(dead.dead);
                let (state, recovered, _) = mounted(dead.clone().powered());
                assert!(state == before || state == after, "{operation:?} cut at {at}, {cut:?}:\n{state:#?}");
                let written_in_recovery = recovered.operations;
                carry_on(recovered, operation, &before, &after, &mut random);

                for second in CUTS {
                    for at in 0..written_in_recovery {
                        candidates += 1;
                        if candidates % stride != 0 {
                            continue;
                        }
                        recovery_points += 1;
                        let mut wear = vec![0; 512];
                        let mut off = dead.clone().powered().cut_at(at, second);
                        assert!(Store::mount(Borrowed(&mut off), &mut wear).is_err(), "the power was cut");
                        carry_on(off, operation, &before, &after, &mut random);
                    }
                }
            }
        }
        lead = if lead.is_none() { Some((flash, operation)) } else { None };
        flash = done.powered();
        before = after;
    }
    (points, recovery_points)
}

/// Of so many second cuts, one is tried.
const STRIDE: u64 = 251;

fn prove(name: &str, geometry: Geometry) {
    let list = lives(geometry.erase_block as usize);
    let (points, recovery_points) = cut_everywhere(geometry, &list, one_in(STRIDE));
    println!("{name}: {} operations, {points} cut points, {recovery_points} in recoveries", list.len());
    assert!(points > 1000 && recovery_points > 1000, "the list covers too little");
}

#[test]
fn small_blocks_written_by_the_byte() {
    prove("512-byte blocks", SMALL);
}

#[test]
fn pages_of_4_kib_written_by_8_bytes() {
    prove("4096-byte blocks", PAGES);
}

#[test]
fn blocks_written_by_32_bytes_that_erase_to_zero() {
    prove("1024-byte blocks", COARSE);
}

#[test]
fn the_first_format_may_be_cut_anywhere() {
    for geometry in [SMALL, PAGES, COARSE] {
        let (_, done, how) = mounted(SimFlash::new(geometry));
        assert_eq!(how, wisp_storage::Mounted::Formatted);
        for cut in CUTS {
            for at in 0..done.operations {
                let mut flash = SimFlash::new(geometry).cut_at(at, cut);
                let mut wear = vec![0; 512];
                assert!(Store::mount(Borrowed(&mut flash), &mut wear).is_err());
                assert_eq!(mounted(flash.powered()).0, State::default());
            }
        }
    }
}
