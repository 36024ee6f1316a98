// SPDX-License-Identifier: Apache-2.0
//! Compares random operations, with power cuts at random points and changed bits of the journal, with a model that has
//! neither flash nor cuts.

mod common;

use std::collections::HashMap;

use common::{image, observe, upload, Borrowed, Random, Seen, SimFlash, State, COARSE, CUTS, PAGES, SMALL};
use wisp_storage::{Geometry, Mounted, Store, StoreError};
use wisp_trust::sha256;

const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "a-name-as-long-as-names-may-be-.."];

/// The next operation.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Begin(usize, u64, usize, u32),
    Write(usize),
    Accept,
    Abort,
    Attempt(usize),
    Crashed(usize),
    Confirm(usize, bool),
    RollBack(usize),
    Uninstall(usize),
    Disable(usize, bool),
    Remount,
}

fn random_operation(random: &mut Random, block: usize, number: u64) -> Operation {
    let name = random.below(3) as usize;
    match random.below(24) {
        0..=3 => Operation::Begin(name, number, 1 + random.below(3 * block as u64) as usize, random.below(3) as u32),
        4..=11 => Operation::Write(1 + random.below(block as u64) as usize),
        12..=14 => Operation::Accept,
        15 => Operation::Abort,
        16 | 17 => Operation::Attempt(name),
        18 => Operation::Crashed(name),
        19 | 20 => Operation::Confirm(name, random.below(40) == 0),
        21 => Operation::RollBack(name),
        22 if random.below(3) == 0 => Operation::Uninstall(name),
        22 => Operation::Disable(name, random.below(2) == 0),
        _ => Operation::Remount,
    }
}

/// Returns the model: what the operation does to the state, without the question of space.
fn model(state: &State, contents: &HashMap<[u8; 32], u32>, received_all: bool, operation: Operation) -> Option<State> {
    let mut next = state.clone();
    let installed = |state: &State, name: usize| {
        state.apps.get(NAMES[name]).filter(|seen| seen.running.is_some() || seen.candidate.is_some()).cloned()
    };
    let mut put = |name: usize, seen: Seen| {
        next.apps.insert(NAMES[name].into(), seen);
    };
    match operation {
        Operation::Remount | Operation::Write(_) => {}
        Operation::Begin(name, number, length, rollback) => {
            let app = state.apps.get(NAMES[name]).cloned().unwrap_or_default();
            if state.upload.is_some() || app.candidate.is_some() || rollback < app.floor {
                return None;
            }
            next.upload = Some((NAMES[name].into(), sha256(&image(number, length))));
        }
        Operation::Accept => {
            let (name, hash) = next.upload.take().filter(|_| received_all)?;
            let app = next.apps.entry(name).or_default();
            *app = Seen { candidate: Some(hash), counters: (0, 0), disabled: false, ..app.clone() };
        }
        Operation::Abort => drop(next.upload.take()?),
        Operation::Attempt(name) => {
            let app = installed(state, name).filter(|app| app.candidate.is_some())?;
            put(name, Seen { counters: (app.counters.0.saturating_add(1), app.counters.1), ..app });
        }
        Operation::Crashed(name) => {
            let app = installed(state, name)?;
            put(name, Seen { counters: (app.counters.0, app.counters.1 + 1), ..app });
        }
        Operation::Confirm(name, retire) => {
            let app = installed(state, name).filter(|app| app.counters.0 != 0)?;
            let hash = app.candidate?;
            let floor = app.floor.max(contents[&hash]);
            let seen = Seen { running: Some(hash), candidate: None, floor, disabled: false, counters: (0, 0), ..app };
            put(name, seen);
            if retire && !next.retired.contains(&[7; 8]) {
                next.retired.push([7; 8]);
            }
        }
        Operation::RollBack(name) => {
            let app = installed(state, name).filter(|app| app.candidate.is_some())?;
            put(name, Seen { candidate: None, disabled: false, counters: (0, 0), ..app });
        }
        Operation::Uninstall(name) => {
            let app = installed(state, name)?;
            put(name, Seen { floor: app.floor, ..Seen::default() });
        }
        Operation::Disable(name, disabled) => {
            let app = installed(state, name)?;
            let counters = if app.candidate.is_some() { (app.counters.0, 0) } else { (0, 0) };
            put(name, Seen { disabled, counters, ..app });
        }
    }
    Some(next)
}

fn run(store: &mut Store<'_, SimFlash>, source: &[u8], operation: Operation) -> Result<(), StoreError> {
    let mut find = |name: usize| store.find(NAMES[name]);
    match operation {
        Operation::Remount => Ok(()),
        Operation::Begin(name, number, length, rollback) => {
            store.begin(&upload(NAMES[name], &image(number, length), rollback)).map(drop)
        }
        Operation::Write(piece) => {
            let at = store.progress()?.received as usize;
            let end = (at + piece).min(source.len());
            store.write(at as u32, &source[at..end]).map(drop)
        }
        Operation::Accept => store.accept(false).map(drop),
        Operation::Abort => store.abort(),
        Operation::Attempt(name) => find(name).and_then(|slot| store.attempt(slot)).map(drop),
        Operation::Crashed(name) => find(name).and_then(|slot| store.crashed(slot)).map(drop),
        Operation::Confirm(name, retire) => {
            let retires: &[u8] = if retire { &[7; 8] } else { &[] };
            find(name).and_then(|slot| store.confirm_and_retire(slot, retires))
        }
        Operation::RollBack(name) => find(name).and_then(|slot| store.roll_back(slot)),
        Operation::Uninstall(name) => find(name).and_then(|slot| store.uninstall(slot)),
        Operation::Disable(name, on) => find(name).and_then(|slot| store.set_disabled(slot, on)),
    }
}

/// Returns one device's life: (operations that took place, power cuts, cuts during recovery).
fn life(geometry: Geometry, seed: u64, steps: u64) -> (u64, u64, u64) {
    let mut random = Random::new(seed);
    let (mut done, mut cuts, mut recovery_cuts) = (0, 0, 0);
    let mut wear = vec![0; 512];
    let (mut store, how) = Store::mount(SimFlash::new(geometry), &mut wear).unwrap();
    assert_eq!(how, Mounted::Formatted);
    let stat = store.stat().unwrap();
    let journal = u64::from(geometry.size - stat.blocks * stat.erase_block);
    let mut state = State::default();
    let mut source: Vec<u8> = Vec::new();
    let mut contents = HashMap::new();
    for number in 0..steps {
        let operation = random_operation(&mut random, geometry.erase_block as usize, number);
        let received_all = store.progress().is_ok_and(|upload| upload.received == upload.image.length);
        let expected = model(&state, &contents, received_all, operation);
        if random.below(3) == 0 {
            let at = store.flash().operations + random.below(3);
            let kind = CUTS[random.below(CUTS.len() as u64) as usize];
            let flash = store.flash();
            *flash = flash.clone().cut_at(at, kind);
        }
        let result = run(&mut store, &source, operation);
        let mut cut = store.flash().dead;
        if cut || matches!(operation, Operation::Remount) {
            cuts += u64::from(cut);
            let mut flash = store.into_flash().powered();
            if random.below(4) == 0 {
                flash.memory[random.below(journal) as usize] ^= 1 << random.below(8);
            }
            if random.below(2) == 0 {
                let mut again = flash.clone().cut_at(random.below(9), CUTS[random.below(CUTS.len() as u64) as usize]);
                let mut wear = vec![0; 512];
                let dead = Store::mount(again.clone(), &mut wear).is_err();
                if dead {
                    recovery_cuts += 1;
                    again = replay_mount(again);
                    flash = again.powered();
                }
            }
            wear.fill(0);
            let how;
            (store, how) = Store::mount(flash, &mut wear).unwrap();
            assert_ne!(how, Mounted::Formatted, "a store is never lost");
        } else {
            let flash = store.flash();
            flash.cut = None;
            cut = false;
        }
        let seen = observe(&mut store);
        match (&expected, result) {
            (Some(expected), Ok(())) => {
                assert_eq!(seen, *expected, "seed {seed}, step {number}: {operation:?}");
                done += 1;
            }
            (_, Err(StoreError::NoSpace(..))) => assert_eq!(seen, state, "seed {seed}, step {number}: {operation:?}"),
            (expected, Err(_)) if cut => assert!(
                seen == state || Some(&seen) == expected.as_ref(),
                "seed {seed}, step {number}: {operation:?} was cut:\n{seen:#?}"
            ),
            (None, Err(_)) => assert_eq!(seen, state, "seed {seed}, step {number}: {operation:?}"),
            // bytes to write there are only with an upload, and an image may be the one that runs
            (Some(_), Err(StoreError::NoUpload | StoreError::Installed)) => assert_eq!(seen, state),
            (expected, result) => {
                panic!("seed {seed}, step {number}: {operation:?} gave {result:?}, the model {expected:?}")
            }
        }
        if let Operation::Begin(_, number, length, rollback) = operation {
            if seen.upload != state.upload {
                source = image(number, length);
                contents.insert(sha256(&source), rollback);
            }
        }
        state = seen;
    }
    let stat = store.stat().unwrap();
    let flash = store.into_flash();
    let first_data = (geometry.size / geometry.erase_block - stat.blocks) as usize;
    for (block, (counted, erased)) in wear.iter().zip(&flash.erases).enumerate() {
        if block >= first_data {
            assert!(counted >= erased, "block {block} was erased {erased} times, {counted} are counted");
        }
        let slack = (cuts + recovery_cuts) as u32;
        assert!(counted.abs_diff(*erased) <= slack, "block {block}: {erased} erases, {counted} counted");
    }
    (done, cuts, recovery_cuts)
}

/// Mounts until the cut, and keeps what is left on flash.
fn replay_mount(mut flash: SimFlash) -> SimFlash {
    let mut wear = vec![0; 512];
    assert!(Store::mount(Borrowed(&mut flash), &mut wear).is_err());
    flash
}

fn lives(name: &str, geometry: Geometry) {
    let mut sum = (0, 0, 0);
    for seed in 0..24 {
        let (done, cuts, recovery_cuts) = life(geometry, seed, 1500);
        sum = (sum.0 + done, sum.1 + cuts, sum.2 + recovery_cuts);
    }
    println!("{name}: {} operations took place, {} power cuts, {} more in recoveries", sum.0, sum.1, sum.2);
    assert!(sum.0 > 5000 && sum.1 > 500 && sum.2 > 10, "{sum:?}: the lives were too quiet");
}

#[test]
fn random_lives_on_small_blocks_match_the_model() {
    lives("512-byte blocks", SMALL);
}

#[test]
fn random_lives_on_pages_match_the_model() {
    lives("4096-byte blocks", PAGES);
}

#[test]
fn random_lives_on_coarse_writes_match_the_model() {
    lives("1024-byte blocks", COARSE);
}
