// SPDX-License-Identifier: Apache-2.0
//! The power is cut at every write and erase of every operation, in five ways, and again at every write and
//! erase of the recovery: the state is the one before or the one after the operation, and the operation can
//! then be carried out.

mod common;

use common::{image, mounted, observe, upload, SimFlash, State, COARSE, CUTS, PAGES, SMALL};
use wisp_storage::{Geometry, Store, StoreError};

/// Bytes of which a failed test shows only the number.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// One call of the store's interface.
#[derive(Clone, Debug)]
enum Operation {
    Begin(&'static str, Bytes, u32),
    /// The upload's bytes up to an offset, in pieces of a length.
    Write(Bytes, usize, usize),
    /// What is missing of the upload's bytes, then their acceptance.
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

/// The lives of three apps, with everything that can happen to them.
fn lives(block: usize, round: u64) -> Vec<Operation> {
    use Operation::*;
    let base = 10 * round;
    let given_up = Bytes(image(base + 4, block));
    let mut list = install("alpha", base + 1, 2 * block + 100, 700);
    list.extend([Attempt("alpha"), Confirm("alpha", Vec::new()), Manual("alpha", true)]);
    list.extend(install("beta", base + 2, block, 333));
    list.extend([
        Attempt("beta"),
        Crashed("beta"),
        Attempt("beta"),
        Confirm("beta", vec![1; 8]),
        Manual("alpha", false),
    ]);
    list.extend(install("alpha", base + 3, 3 * block - 1, 1000));
    list.extend([Attempt("alpha"), Crashed("alpha"), Crashed("alpha"), RollBack("alpha")]);
    list.push(Begin("gamma", given_up.clone(), 100));
    list.push(Write(given_up, 100, 9));
    list.push(Abort);
    list.extend(install("alpha", base + 5, block + 1, 2000));
    list.extend([
        Attempt("alpha"),
        Crashed("alpha"),
        Disable("alpha", true),
        Confirm("alpha", [[2; 8], [3; 8]].concat()),
    ]);
    list.extend(install("gamma", base + 6, 17, 17));
    list.extend([RollBack("gamma"), Uninstall("beta"), Crashed("alpha"), Disable("alpha", true)]);
    list.extend(install("beta", base + 7, 2 * block, block));
    list.extend([Attempt("beta"), Confirm("beta", Vec::new()), Disable("alpha", false), Uninstall("alpha")]);
    list
}

/// Carries an operation out on a store that was cut off; one whose effect is there already is left out.
fn carry_on(flash: SimFlash, operation: &Operation, before: &State, after: &State, state: &State) -> SimFlash {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(flash, &mut wear).unwrap();
    if state == before {
        run(&mut store, operation).expect("the operation can be repeated");
    }
    assert_eq!(observe(&mut store), *after, "{operation:?} carried on");
    store.into_flash()
}

/// Cuts every operation of the list at every point; the number of points.
fn cut_everywhere(geometry: Geometry, list: &[Operation]) -> (u64, u64) {
    let (mut points, mut recovery_points) = (0, 0);
    let (mut before, mut flash, _) = mounted(SimFlash::new(geometry));
    for operation in list {
        let mut wear = vec![0; 512];
        let (mut store, _) = Store::mount(flash.clone().powered(), &mut wear).unwrap();
        run(&mut store, operation).unwrap_or_else(|error| panic!("{operation:?}: {error:?}"));
        let after = observe(&mut store);
        let done = store.into_flash();
        for cut in CUTS {
            for at in 0..done.operations {
                points += 1;
                let mut wear = vec![0; 512];
                let (mut store, _) = Store::mount(flash.clone().powered().cut_at(at, cut), &mut wear).unwrap();
                assert!(run(&mut store, operation).is_err(), "the power was cut");
                let dead = store.into_flash();
                assert!(dead.dead);
                let (state, recovered, _) = mounted(dead.clone().powered());
                assert!(state == before || state == after, "{operation:?} cut at {at}, {cut:?}:\n{state:#?}");
                let written_in_recovery = recovered.operations;
                carry_on(recovered.powered(), operation, &before, &after, &state);

                for second in CUTS {
                    for at in 0..written_in_recovery {
                        recovery_points += 1;
                        let mut wear = vec![0; 512];
                        let again = dead.clone().powered().cut_at(at, second);
                        let mut off = again.clone();
                        assert!(Store::mount(Borrowed(&mut off), &mut wear).is_err(), "the power was cut");
                        let (again, recovered, _) = mounted(off.powered());
                        assert_eq!(again, state, "{operation:?}: recovery cut at {at}, {second:?}");
                        carry_on(recovered.powered(), operation, &before, &after, &again);
                    }
                }
            }
        }
        flash = done.powered();
        before = after;
    }
    (points, recovery_points)
}

/// The simulated flash, kept by the test when mounting fails.
struct Borrowed<'f>(&'f mut SimFlash);

impl wisp_storage::Flash for Borrowed<'_> {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), wisp_storage::FlashError> {
        self.0.read(at, out)
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), wisp_storage::FlashError> {
        self.0.write(at, bytes)
    }
    fn erase_block(&mut self, at: u32) -> Result<(), wisp_storage::FlashError> {
        self.0.erase_block(at)
    }
}

/// Three times the lives, so that both journal areas are entered and left at many places.
fn long(block: usize) -> Vec<Operation> {
    (0..3).flat_map(|round| lives(block, round)).collect()
}

fn prove(name: &str, geometry: Geometry) {
    let list = long(geometry.erase_block as usize);
    let (points, recovery_points) = cut_everywhere(geometry, &list);
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
