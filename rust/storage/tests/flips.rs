// SPDX-License-Identifier: Apache-2.0
//! Bits of the partition change at rest, or while the app storage is open: in the journal, in images, in what is free. One
//! bit anywhere loses nothing; what more damage does is reported, and never runs.
//!
//! One bit in 331 is tried, spread evenly over the partition. `WISP_ONE_IN=1 cargo test --release` tries all of them.

mod common;

use common::{image, mounted, observe, one_in, upload, Random, SimFlash, State, COARSE, FINE, PAGES, SMALL};
use wisp_storage::{Geometry, Mounted, Slot, Store, StoreError, Which};
use wisp_trust::sha256;

fn install(store: &mut Store<'_, SimFlash>, name: &str, bytes: &[u8], rollback: u32) -> Slot {
    store.begin(&upload(name, bytes, rollback)).unwrap();
    store.write(0, bytes).unwrap();
    store.accept(false).unwrap()
}

fn keep(store: &mut Store<'_, SimFlash>, name: &str, bytes: &[u8], rollback: u32, retires: &[u8]) -> Slot {
    let slot = install(store, name, bytes, rollback);
    store.attempt(slot).unwrap();
    store.confirm_and_retire(slot, retires).unwrap();
    slot
}

/// Makes a store with two apps (one of them with an update on trial), an app that was uninstalled, a retired key and an
/// upload. `fill` leaves no room.
fn lived_in(geometry: Geometry, fill: bool) -> SimFlash {
    let block = geometry.erase_block as usize;
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(geometry), &mut wear).unwrap();
    keep(&mut store, "lamp", &image(1, block + 100), 1, &[]);
    keep(&mut store, "gone", &image(2, 50), 9, &[]);
    let gone = store.find("gone").unwrap();
    store.uninstall(gone).unwrap();
    keep(&mut store, "lamp", &image(3, block + 7), 5, &[9; 8]);
    let pump = keep(&mut store, "pump", &image(4, 300), 2, &[]);
    store.crashed(pump).unwrap();
    install(&mut store, "pump", &image(5, block), 3);
    store.attempt(pump).unwrap();
    if fill {
        let stat = store.stat().unwrap();
        keep(&mut store, "rest", &image(6, (stat.largest * stat.erase_block) as usize), 0, &[]);
    } else {
        let bytes = image(7, 2 * block);
        store.begin(&upload("next", &bytes, 0)).unwrap();
        store.write(0, &bytes[..block + 9]).unwrap();
    }
    store.into_flash()
}

/// Counts of the consequences of changed bits.
#[derive(Default, Debug)]
struct Counts {
    not_noticed: u32,
    repaired: u32,
    image_repaired: u32,
    image_reported: u32,
    refused: u32,
    lost: u32,
}

/// Looks at a store without expecting that its images are whole: (state, images repaired, images damaged).
fn look(store: &mut Store<'_, SimFlash>) -> (State, u32, u32) {
    let (mut repaired, mut damaged) = (0, 0);
    let slots: Vec<_> = store.slots().collect();
    for slot in slots {
        for which in [Which::Running, Which::Candidate] {
            match store.checked(slot, which) {
                Ok((image, was_repaired)) => {
                    repaired += u32::from(was_repaired);
                    let at = store.address(&image) as usize;
                    assert_eq!(sha256(&store.flash().memory[at..][..image.length as usize]), image.hash);
                }
                Err(StoreError::Hash) => damaged += 1,
                Err(error) => assert_eq!(error, StoreError::NotFound),
            }
        }
    }
    let state = if damaged == 0 { observe(store) } else { State::default() };
    (state, repaired, damaged)
}

fn count(counts: &mut Counts, good: &State, flash: SimFlash) {
    let mut wear = vec![0; 512];
    let (mut store, how) = match Store::mount(flash.powered(), &mut wear) {
        Ok(mounted) => mounted,
        Err(StoreError::Damaged | StoreError::Foreign | StoreError::Format(_)) => {
            counts.refused += 1;
            return;
        }
        Err(error) => panic!("{error:?}"),
    };
    let (state, repaired, damaged) = look(&mut store);
    let place = if damaged != 0 {
        &mut counts.image_reported
    } else if state != *good || how == Mounted::Formatted {
        &mut counts.lost
    } else if repaired != 0 {
        &mut counts.image_repaired
    } else if how != Mounted::Clean {
        &mut counts.repaired
    } else {
        &mut counts.not_noticed
    };
    *place += 1;
}

/// Changes one bit in `stride` of a partition, one at a time.
fn one_bit(geometry: Geometry, fill: bool, stride: usize) -> Counts {
    let (good, flash, _) = mounted(lived_in(geometry, fill));
    let mut counts = Counts::default();
    for bit in (0..8 * flash.memory.len()).step_by(stride) {
        let mut flash = flash.clone();
        flash.memory[bit / 8] ^= 1 << (bit % 8);
        count(&mut counts, &good, flash);
    }
    counts
}

const GEOMETRIES: [(&str, Geometry); 4] =
    [("512-byte blocks", SMALL), ("4096-byte blocks", PAGES), ("1024-byte blocks", COARSE), ("256-byte blocks", FINE)];

/// Changes bits of a partition with room, and of a full one.
fn each_bit(geometry: Geometry) {
    let stride = one_in(331) as usize;
    let counts = one_bit(geometry, false, stride);
    println!("one bit in {stride}: {counts:?}");
    assert_eq!((counts.lost, counts.refused, counts.image_reported), (0, 0, 0), "{counts:?}");
    assert!(counts.repaired > 50 && counts.image_repaired > 10, "{counts:?}");
    // most bits of a full partition are those of images
    let stride = one_in(3 * 331) as usize;
    let counts = one_bit(geometry, true, stride);
    println!("one bit in {stride}, no room: {counts:?}");
    assert_eq!((counts.lost, counts.refused), (0, 0), "{counts:?}");
    assert!(counts.image_reported > 10, "{counts:?}");
}

#[test]
fn a_bit_that_changes_in_blocks_of_512_bytes_loses_nothing() {
    each_bit(SMALL);
}

#[test]
fn a_bit_that_changes_in_blocks_of_4_kib_loses_nothing() {
    each_bit(PAGES);
}

#[test]
fn a_bit_that_changes_in_blocks_that_erase_to_zero_loses_nothing() {
    each_bit(COARSE);
}

#[test]
fn a_bit_that_changes_in_blocks_of_256_bytes_written_by_64_loses_nothing() {
    each_bit(FINE);
}

type Operation = fn(&mut Store<'_, SimFlash>) -> Result<(), StoreError>;

/// Operations on the apps of [`lived_in`], each of which writes a record. The first one after a mount writes the
/// journal anew.
const LATER: [Operation; 3] = [
    |store| store.find("lamp").and_then(|lamp| store.crashed(lamp).map(drop)),
    |store| store.find("pump").and_then(|pump| store.confirm_and_retire(pump, &[8; 8])),
    |store| store.find("lamp").and_then(|lamp| store.set_manual(lamp, true)),
];

/// Changes a bit of an open app storage in front of one of the operations. Returns what is found at the next boot.
fn disturbed(flash: SimFlash, bit: Option<usize>, moment: usize) -> (State, Mounted) {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(flash, &mut wear).unwrap();
    for (index, operation) in LATER.iter().enumerate() {
        if let Some(bit) = bit.filter(|_| index == moment) {
            store.flash().memory[bit / 8] ^= 1 << (bit % 8);
        }
        operation(&mut store).unwrap_or_else(|error| panic!("{bit:?} in front of operation {moment}: {error:?}"));
    }
    let (state, _, how) = mounted(store.into_flash().powered());
    (state, how)
}

#[test]
fn a_bit_that_changes_while_the_app_storage_is_open_loses_nothing() {
    let stride = one_in(331) as usize;
    for (name, geometry) in GEOMETRIES {
        let (_, flash, _) = mounted(lived_in(geometry, false));
        let (good, _) = disturbed(flash.clone(), None, 0);
        let mut repaired = 0;
        for (number, bit) in (0..8 * flash.memory.len()).step_by(stride).enumerate() {
            let (state, how) = disturbed(flash.clone(), Some(bit), number % LATER.len());
            assert_eq!(state, good, "{name}: bit {bit} in front of operation {}", number % LATER.len());
            repaired += u32::from(how != Mounted::Clean);
        }
        println!("{name}, one bit in {stride}: {repaired} times the journal was repaired");
        assert!(repaired > 20, "{repaired}");
    }
}

#[test]
fn several_bits_at_random_places_lose_nothing_without_a_word() {
    for (name, geometry) in GEOMETRIES {
        let (good, flash, _) = mounted(lived_in(geometry, false));
        for bits in [2, 8, 64, 512] {
            let mut random = Random::new(bits);
            let mut counts = Counts::default();
            for _ in 0..40 {
                let mut flash = flash.clone();
                for _ in 0..bits {
                    let at = random.below(flash.memory.len() as u64) as usize;
                    flash.memory[at] ^= 1 << random.below(8);
                }
                count(&mut counts, &good, flash);
            }
            println!("{name}, {bits} bits: {counts:?}");
            assert_eq!(counts.lost, 0, "{counts:?}");
        }
    }
}

/// Offsets of the two copies of the journal's records, by a pattern in one of them.
fn copies(flash: &SimFlash, pattern: &[u8]) -> Vec<usize> {
    let found: Vec<_> =
        (0..flash.memory.len() - pattern.len()).filter(|at| flash.memory[*at..].starts_with(pattern)).collect();
    assert!(found.len() >= 2, "the record is there twice");
    found
}

#[test]
fn damage_to_both_copies_is_refused_and_a_format_keeps_floors_and_keys() {
    let (good, mut flash, _) = mounted(lived_in(PAGES, false));
    let (floor, retired) = (good.apps["lamp"].floor, good.retired.clone());
    // the record of an app that has others behind it
    for at in copies(&flash, b"\x04pump") {
        for byte in &mut flash.memory[at..at + 20] {
            *byte ^= 0x55;
        }
    }
    let images = flash.memory.clone();
    let mut wear = vec![0; 512];
    assert_eq!(Store::mount(flash.clone().powered(), &mut wear).map(drop), Err(StoreError::Damaged));
    let mut refused = flash.clone();
    assert!(Store::mount(common::Borrowed(&mut refused), &mut wear).is_err());
    assert_eq!(refused.memory, images, "nothing is written to a store that is refused");

    let mut store = Store::format(flash, &mut wear).unwrap();
    assert_eq!(store.retired(), retired);
    assert_eq!(store.begin(&upload("lamp", &image(50, 10), floor - 1)), Err(StoreError::Rollback(floor - 1, floor)));
    assert_eq!(store.begin(&upload("gone", &image(50, 10), 8)), Err(StoreError::Rollback(8, 9)));
    assert_eq!(store.begin(&upload("lamp", &image(50, 10), floor)), Ok(0));
    let stat = store.stat().unwrap();
    assert_eq!(stat.free + 1, stat.blocks);
    assert_eq!(mounted(store.into_flash()).2, Mounted::Clean);
}

#[test]
fn a_format_of_a_whole_store_removes_the_apps_and_keeps_floors_and_keys() {
    let (good, flash, _) = mounted(lived_in(SMALL, false));
    let mut wear = vec![0; 512];
    let mut store = Store::format(flash, &mut wear).unwrap();
    let state = observe(&mut store);
    assert_eq!(state.retired, good.retired);
    assert_eq!(state.upload, None);
    assert!(state.apps.values().all(|app| app.running.is_none() && app.candidate.is_none()));
    for (name, app) in &good.apps {
        assert_eq!(state.apps[name].floor, app.floor, "{name}");
    }
}

#[test]
fn an_image_that_cannot_be_repaired_is_reported_and_the_others_run() {
    let (_, mut flash, _) = mounted(lived_in(PAGES, false));
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(flash.clone(), &mut wear).unwrap();
    let lamp = store.find("lamp").unwrap();
    let (reference, _) = store.checked(lamp, Which::Running).unwrap();
    let at = store.address(&reference) as usize;
    flash.memory[at + 10] ^= 3;
    let (mut store, how) = Store::mount(flash, &mut wear).unwrap();
    assert_eq!(how, Mounted::Clean);
    assert_eq!(store.checked(lamp, Which::Running), Err(StoreError::Hash));
    let pump = store.find("pump").unwrap();
    assert!(store.checked(pump, Which::Running).is_ok() && store.checked(pump, Which::Candidate).is_ok());
}
