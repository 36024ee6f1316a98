// SPDX-License-Identifier: Apache-2.0
//! What users of the app storage rely on, one thing a test.

mod common;

use common::{image, mounted, observe, upload, SimFlash, COARSE, PAGES, SMALL};
use wisp_storage::{Geometry, Mounted, Store, StoreError, Upload, Which, MAX_APPS, MAX_FLOORS, MAX_RETIRED};

fn put(store: &mut Store<'_, SimFlash>, name: &str, bytes: &[u8], rollback: u32) {
    assert_eq!(store.begin(&upload(name, bytes, rollback)), Ok(0));
    store.write(0, bytes).unwrap();
    let slot = store.accept(false).unwrap();
    store.attempt(slot).unwrap();
    store.confirm(slot).unwrap();
}

#[test]
fn an_upload_goes_on_after_a_reboot_at_the_start_of_its_block() {
    let bytes = image(1, 3000);
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    store.begin(&upload("app", &bytes, 0)).unwrap();
    store.write(0, &bytes[..1300]).unwrap();
    let flash = store.into_flash();
    let (mut store, _) = Store::mount(flash, &mut wear).unwrap();
    let at = store.begin(&upload("app", &bytes, 0)).unwrap();
    assert_eq!(at, 1024);
    assert_eq!(store.write(0, &bytes[..10]), Err(StoreError::Offset(1024)));
    store.write(at, &bytes[1024..]).unwrap();
    let slot = store.accept(false).unwrap();
    assert!(store.checked(slot, Which::Candidate).is_ok());
}

#[test]
fn an_upload_of_an_unknown_hash_gets_that_of_its_bytes_before_it_is_accepted() {
    let bytes = image(1, 3000);
    let unknown = Upload { hash: [0; 32], ..upload("app", &bytes, 0) };
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    assert_eq!(store.identify(), Err(StoreError::NoUpload));
    store.begin(&unknown).unwrap();
    store.write(0, &bytes[..2999]).unwrap();
    assert_eq!(store.identify(), Err(StoreError::Incomplete(2999)));
    store.write(2999, &bytes[2999..]).unwrap();
    assert_eq!(store.accept(false), Err(StoreError::Hash));
    store.identify().unwrap();
    let progress = store.complete().unwrap();
    assert_eq!(progress.image.hash, upload("app", &bytes, 0).hash);
    // the last block is written again after a reboot, of an upload that has its hash
    let (mut store, _) = Store::mount(store.into_flash(), &mut wear).unwrap();
    let at = store.begin(&upload("app", &bytes, 0)).unwrap();
    assert_eq!(at, 2560);
    store.write(at, &bytes[2560..]).unwrap();
    let slot = store.accept(false).unwrap();
    store.attempt(slot).unwrap();
    store.confirm(slot).unwrap();
    assert!(store.checked(slot, Which::Running).is_ok());
    // what is installed is known again
    store.begin(&unknown).unwrap();
    store.write(0, &bytes).unwrap();
    assert_eq!(store.identify(), Err(StoreError::Installed));
}

#[test]
fn a_second_upload_is_told_that_the_store_is_busy() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    store.begin(&upload("one", &image(1, 100), 0)).unwrap();
    assert_eq!(store.begin(&upload("two", &image(2, 100), 0)), Err(StoreError::Busy));
    assert_eq!(store.begin(&upload("one", &image(3, 100), 0)), Err(StoreError::Busy));
    store.abort().unwrap();
    assert_eq!(store.begin(&upload("two", &image(2, 100), 0)), Ok(0));
}

#[test]
fn an_upload_is_replaced_only_by_an_announcement_that_is_not_refused() {
    let bytes = image(1, 100);
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    assert_eq!(store.replace(&upload("one", &bytes, 0)), Err(StoreError::NoUpload));
    put(&mut store, "two", &image(2, 100), 7);
    store.begin(&upload("one", &bytes, 0)).unwrap();
    store.write(0, &bytes[..60]).unwrap();
    assert_eq!(store.replace(&upload("two", &image(3, 100), 6)), Err(StoreError::Rollback(6, 7)));
    assert_eq!(store.replace(&upload("two", &image(2, 100), 7)), Err(StoreError::Installed));
    assert_eq!(store.replace(&upload("two", &[], 7)), Err(StoreError::Length));
    // the upload that was not replaced goes on where it was
    assert_eq!(store.begin(&upload("one", &bytes, 0)), Ok(60));
    // the whole free space is enough, although the other upload has a part of it
    let all = store.stat().unwrap();
    let whole = image(4, (all.largest + 1) as usize * SMALL.erase_block as usize);
    assert_eq!(store.begin(&upload("two", &whole, 7)), Err(StoreError::Busy));
    assert_eq!(store.replace(&upload("two", &whole, 7)), Ok(()));
    assert_eq!(store.progress().unwrap().name.as_str(), "two");
    store.write(0, &whole).unwrap();
    let slot = store.accept(false).unwrap();
    assert!(store.checked(slot, Which::Candidate).is_ok());
}

#[test]
fn bytes_that_were_not_announced_are_refused() {
    let bytes = image(1, 600);
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    assert_eq!(store.write(0, &bytes), Err(StoreError::NoUpload));
    store.begin(&upload("app", &bytes, 0)).unwrap();
    assert_eq!(store.write(0, &image(1, 601)), Err(StoreError::Length));
    store.write(0, &image(2, 600)).unwrap();
    assert_eq!(store.accept(false), Err(StoreError::Hash));
    store.abort().unwrap();
    assert!(observe(&mut store).apps.is_empty());
}

#[test]
fn a_damaged_image_is_never_handed_out() {
    let bytes = image(1, 1500);
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    put(&mut store, "app", &bytes, 0);
    let slot = store.find("app").unwrap();
    let (reference, _) = store.checked(slot, Which::Running).unwrap();
    let at = store.address(&reference) as usize;
    for byte in [0, 700, 1499] {
        store.flash().memory[at + byte] ^= 0x11;
        assert_eq!(store.checked(slot, Which::Running), Err(StoreError::Hash));
        store.flash().memory[at + byte] ^= 0x11;
    }
    assert!(store.checked(slot, Which::Running).is_ok());
}

#[test]
fn damage_anywhere_in_the_journal_never_hands_out_a_wrong_image() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    for number in 0..6 {
        put(&mut store, "app", &image(number, 900), number as u32);
        put(&mut store, "two", &image(100 + number, 400), 0);
    }
    let good = store.into_flash();
    let blocks = (good.geometry.size / good.geometry.erase_block) as usize;
    let stat = Store::mount(good.clone(), &mut wear).unwrap().0.stat().unwrap();
    let journal = (blocks as u32 - stat.blocks) * good.geometry.erase_block;
    for at in 0..journal as usize {
        let mut flash = good.clone();
        flash.memory[at] ^= 1 << (at % 8);
        let Ok((mut store, _)) = Store::mount(flash, &mut wear) else { continue };
        let slots: Vec<_> = store.slots().collect();
        for slot in slots {
            let Ok(app) = store.app(slot) else { continue };
            if let Some((which, expected)) = app.current() {
                match store.checked(slot, which) {
                    Ok((reference, _)) => {
                        assert_eq!(reference.hash, expected.hash);
                        let at = store.address(&reference) as usize;
                        let bytes = &store.flash().memory[at..][..reference.length as usize];
                        let ours = (0..6).any(|n| bytes == image(n, 900) || bytes == image(100 + n, 400));
                        assert!(ours, "bytes that were never installed");
                    }
                    Err(error) => assert_eq!(error, StoreError::Hash),
                }
            }
        }
    }
}

#[test]
fn a_lower_rollback_counter_is_refused_also_after_uninstalling() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    put(&mut store, "app", &image(1, 100), 5);
    assert_eq!(store.begin(&upload("app", &image(2, 100), 4)), Err(StoreError::Rollback(4, 5)));
    let slot = store.find("app").unwrap();
    store.uninstall(slot).unwrap();
    assert_eq!(store.find("app"), Err(StoreError::NotFound));
    assert_eq!(store.begin(&upload("app", &image(2, 100), 4)), Err(StoreError::Rollback(4, 5)));
    assert_eq!(store.begin(&upload("app", &image(2, 100), 5)), Ok(0));
}

/// Returns an upload with a version, which may be marked as one that goes back.
fn of_version<'n>(name: &'n str, bytes: &[u8], version: (u8, u8, u16), downgrade: bool) -> Upload<'n> {
    let [low, high] = version.2.to_le_bytes();
    Upload { version: u32::from_le_bytes([version.0, version.1, low, high]), downgrade, ..upload(name, bytes, 0) }
}

fn put_version(store: &mut Store<'_, SimFlash>, number: u64, version: (u8, u8, u16), downgrade: bool) {
    let bytes = image(number, 100);
    assert_eq!(store.begin(&of_version("app", &bytes, version, downgrade)), Ok(0));
    store.write(0, &bytes).unwrap();
    let slot = store.accept(downgrade).unwrap();
    store.attempt(slot).unwrap();
    store.confirm(slot).unwrap();
}

#[test]
fn a_lower_version_is_refused_unless_it_is_marked() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    put_version(&mut store, 1, (1, 10, 300), false);
    let bytes = image(2, 100);
    for older in [(1, 10, 299), (1, 9, 400), (0, 255, 65535), (1, 9, 65535), (0, 11, 301)] {
        assert_eq!(store.begin(&of_version("app", &bytes, older, false)), Err(StoreError::Version), "{older:?}");
        // a false announcement gains nothing
        assert_eq!(store.begin(&of_version("app", &bytes, older, true)), Ok(0));
        store.write(0, &bytes).unwrap();
        assert_eq!(store.accept(false), Err(StoreError::Version));
        store.abort().unwrap();
    }
    for newer in [(1, 10, 300), (1, 10, 301), (1, 11, 0), (2, 0, 0)] {
        assert_eq!(store.begin(&of_version("app", &bytes, newer, false)), Ok(0), "{newer:?}");
        store.abort().unwrap();
    }
    put_version(&mut store, 3, (1, 2, 0), true);
    put_version(&mut store, 4, (1, 2, 1), false);
    assert_eq!(store.begin(&of_version("app", &bytes, (1, 2, 0), false)), Err(StoreError::Version));
}

#[test]
fn a_version_is_remembered_after_uninstalling_and_one_that_was_only_tried_is_not() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    put_version(&mut store, 1, (2, 0, 0), false);
    let bytes = image(2, 100);
    store.begin(&of_version("app", &bytes, (9, 0, 0), false)).unwrap();
    store.write(0, &bytes).unwrap();
    let slot = store.accept(false).unwrap();
    store.attempt(slot).unwrap();
    store.roll_back(slot).unwrap();
    put_version(&mut store, 3, (2, 0, 1), false);
    let slot = store.find("app").unwrap();
    store.uninstall(slot).unwrap();
    // many records, so that the journal's area changes
    for _ in 0..100 {
        store.begin(&upload("other", &bytes, 0)).unwrap();
        store.abort().unwrap();
    }
    let (mut store, _) = Store::mount(store.into_flash(), &mut wear).unwrap();
    assert_eq!(store.begin(&of_version("app", &bytes, (2, 0, 0), false)), Err(StoreError::Version));
    assert_eq!(store.begin(&of_version("app", &bytes, (2, 0, 1), false)), Ok(0));
}

/// Installs an image whose confirmation retires keys.
fn retire(store: &mut Store<'_, SimFlash>, number: u64, ids: &[u8]) -> Result<(), StoreError> {
    let bytes = image(number, 100);
    store.begin(&upload("app", &bytes, 0)).unwrap();
    store.write(0, &bytes).unwrap();
    let slot = store.accept(false).unwrap();
    store.attempt(slot).unwrap();
    assert_eq!(store.confirm_and_retire(slot, &[1; 72]), Err(StoreError::RetiredFull));
    let result = store.confirm_and_retire(slot, ids);
    if result.is_err() {
        store.roll_back(slot).unwrap();
    }
    result
}

#[test]
fn a_key_is_retired_by_the_confirmation_and_room_is_made_for_it() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    for id in 0..MAX_RETIRED as u8 {
        retire(&mut store, u64::from(id), &[id; 8]).unwrap();
        assert_eq!(store.retired().len(), usize::from(id) + 1);
    }
    assert_eq!(retire(&mut store, 20, &[20; 8]), Err(StoreError::RetiredFull));
    assert_eq!(retire(&mut store, 21, &[3; 8]), Ok(()), "a key that is retired takes no other place");
    store.forget_retired(|id| id[0] % 2 == 0).unwrap();
    let (mut store, _) = Store::mount(store.into_flash(), &mut wear).unwrap();
    assert_eq!(store.retired(), [[0; 8], [2; 8], [4; 8], [6; 8]]);
    assert_eq!(retire(&mut store, 22, &[20; 8]), Ok(()));
    let (store, _) = Store::mount(store.into_flash(), &mut wear).unwrap();
    assert_eq!(store.retired(), [[0; 8], [2; 8], [4; 8], [6; 8], [20; 8]]);
}

#[test]
fn a_counter_that_was_only_tried_does_not_forbid_going_back() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    put(&mut store, "app", &image(1, 100), 1);
    store.begin(&upload("app", &image(2, 100), 9)).unwrap();
    store.write(0, &image(2, 100)).unwrap();
    let slot = store.accept(false).unwrap();
    assert_eq!(store.confirm(slot), Err(StoreError::Untried));
    store.roll_back(slot).unwrap();
    assert_eq!(store.begin(&upload("app", &image(3, 100), 1)), Ok(0));
}

#[test]
fn what_is_installed_or_on_trial_is_not_uploaded_again() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    put(&mut store, "app", &image(1, 100), 0);
    assert_eq!(store.begin(&upload("app", &image(1, 100), 0)), Err(StoreError::Installed));
    store.begin(&upload("app", &image(2, 100), 0)).unwrap();
    store.write(0, &image(2, 100)).unwrap();
    store.accept(false).unwrap();
    assert_eq!(store.begin(&upload("app", &image(3, 100), 0)), Err(StoreError::Pending));
}

#[test]
fn full_stores_say_what_is_missing() {
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(SMALL), &mut wear).unwrap();
    let stat = store.stat().unwrap();
    let all = stat.blocks * stat.erase_block;
    let too_much = image(1, all as usize + 1);
    assert_eq!(store.begin(&upload("big", &too_much, 0)), Err(StoreError::NoSpace(stat.blocks + 1, stat.blocks)));
    for index in 0..MAX_APPS {
        put(&mut store, &format!("app{index}"), &image(index as u64, 10), 0);
    }
    assert_eq!(store.begin(&upload("more", &image(9, 10), 0)), Err(StoreError::NoSlot));
    assert_eq!(store.begin(&upload("", &image(9, 10), 0)), Err(StoreError::Name));
    assert_eq!(store.begin(&upload(&"x".repeat(32), &image(9, 10), 0)), Err(StoreError::Name));
    let slot = store.find("app3").unwrap();
    store.uninstall(slot).unwrap();
    assert_eq!(store.begin(&upload("more", &image(9, 10), 0)), Ok(0));
}

#[test]
fn the_space_of_replaced_images_is_used_again_for_ever_and_wear_is_spread() {
    for geometry in [SMALL, PAGES, COARSE] {
        let block = geometry.erase_block as usize;
        let mut wear = vec![0; 512];
        let (mut store, _) = Store::mount(SimFlash::new(geometry), &mut wear).unwrap();
        put(&mut store, "still", &image(0, 2 * block), 0);
        for number in 1..1500 {
            put(&mut store, "busy", &image(number, 1 + (number as usize % 3) * block), 0);
        }
        let stat = store.stat().unwrap();
        let sum: u32 = store.flash().erases.iter().skip(wear_first(geometry, stat.blocks)).sum();
        let average = sum / (stat.blocks - 2);
        println!(
            "{block}-byte blocks: erases {} to {} a block, {average} on average, journal {}",
            stat.wear.0, stat.wear.1, stat.journal_wear
        );
        assert!(stat.wear.1 <= 2 * average, "{stat:?}, average {average}");
        assert!(stat.journal_wear <= 3 * average, "{stat:?}, average {average}");
        assert_eq!(observe(&mut store).apps.len(), 2);
    }
}

fn wear_first(geometry: Geometry, blocks: u32) -> usize {
    (geometry.size / geometry.erase_block - blocks) as usize
}

#[test]
fn a_foreign_partition_is_left_alone_until_it_is_formatted() {
    let mut flash = SimFlash::new(SMALL);
    for (at, byte) in flash.memory.iter_mut().enumerate() {
        *byte = (at * 31) as u8;
    }
    let mut wear = vec![0; 512];
    assert_eq!(Store::mount(flash.clone(), &mut wear).map(drop), Err(StoreError::Foreign));
    let mut store = Store::format(flash, &mut wear).unwrap();
    assert!(observe(&mut store).apps.is_empty());
    assert_eq!(mounted(store.into_flash()).2, Mounted::Clean);
}

#[test]
fn an_erased_partition_becomes_an_empty_store_and_so_does_ram_that_was_never_written() {
    for geometry in [SMALL, PAGES, COARSE] {
        let (state, flash, how) = mounted(SimFlash::new(geometry));
        assert_eq!(how, Mounted::Formatted);
        assert!(state.apps.is_empty());
        assert_eq!(mounted(flash).2, Mounted::Clean);
        let mut zeros = SimFlash::new(geometry);
        zeros.memory.fill(0);
        assert_eq!(mounted(zeros).2, Mounted::Formatted);
        // one byte of something else is something
        let mut other = SimFlash::new(geometry);
        *other.memory.last_mut().unwrap() ^= 0x3c;
        assert_eq!(Store::mount(other, &mut [0; 512]).map(drop), Err(StoreError::Foreign));
    }
}

#[test]
fn a_store_of_another_format_or_size_is_refused_and_formatted_on_request() {
    // the header of version 1: kind, length, CRC-32, magic, version, sizes, sequence number
    let mut old = SimFlash::new(SMALL);
    old.memory[..4].copy_from_slice(&[1, 0, 24, 0]);
    old.memory[8..12].copy_from_slice(b"WSTO");
    old.memory[12..16].copy_from_slice(&[1, 0, 0, 0]);
    old.memory.last_mut().into_iter().for_each(|byte| *byte = 0);
    let mut wear = vec![0; 512];
    assert_eq!(Store::mount(old.clone(), &mut wear).map(drop), Err(StoreError::Format(1)));
    drop(Store::format(old, &mut wear).unwrap());

    let (mut store, _) = Store::mount(SimFlash::new(PAGES), &mut wear).unwrap();
    put(&mut store, "app", &image(1, 100), 5);
    let mut larger = SimFlash::new(Geometry { size: 2 * PAGES.size, ..PAGES });
    let memory = store.into_flash().memory;
    larger.memory[..memory.len()].copy_from_slice(&memory);
    assert_eq!(Store::mount(larger, &mut wear).map(drop), Err(StoreError::Foreign));
}

#[test]
fn rollback_counters_of_uninstalled_apps_are_kept_beyond_the_places() {
    let geometry = Geometry { size: 64 * 4096, ..PAGES };
    let mut wear = vec![0; 512];
    let (mut store, _) = Store::mount(SimFlash::new(geometry), &mut wear).unwrap();
    let name = |number: usize| format!("app{number}");
    let names = MAX_APPS + MAX_FLOORS;
    for number in 0..names {
        put(&mut store, &name(number), &image(number as u64, 100), 5 + number as u32);
        let slot = store.find(&name(number)).unwrap();
        store.uninstall(slot).unwrap();
    }
    // one more would have to forget one
    let more = upload("more", &[1; 100], 0);
    assert_eq!(store.begin(&more), Err(StoreError::FloorsFull));
    let (mut store, _) = Store::mount(store.into_flash().powered(), &mut wear).unwrap();
    for number in 0..names {
        let floor = 5 + number as u32;
        let bytes = image(100 + number as u64, 100);
        assert_eq!(store.begin(&upload(&name(number), &bytes, floor - 1)), Err(StoreError::Rollback(floor - 1, floor)));
    }
    // an app that comes back takes its counter with it, and gives its place in the list to another
    put(&mut store, &name(0), &image(200, 100), 5);
    assert_eq!(store.begin(&upload(&name(1), &image(201, 100), 5)), Err(StoreError::Rollback(5, 6)));
    let slot = store.find(&name(0)).unwrap();
    assert_eq!(store.app(slot).unwrap().floor, 5);
    store.uninstall(slot).unwrap();
    assert_eq!(store.begin(&more), Err(StoreError::FloorsFull));
    // names that never had a counter cost nothing
    let (mut store, _) = Store::mount(SimFlash::new(geometry), &mut wear).unwrap();
    for number in 0..40 {
        put(&mut store, &name(number), &image(number as u64, 100), 0);
        let slot = store.find(&name(number)).unwrap();
        store.uninstall(slot).unwrap();
    }
}

#[test]
fn partitions_that_cannot_hold_a_store_are_refused() {
    let mut wear = vec![0; 512];
    let mut mount = |geometry| Store::mount(SimFlash::new(geometry), &mut wear).map(drop);
    for wrong in [
        Geometry { size: 6 * 512, ..SMALL },
        Geometry { size: 24 * 512 + 1, ..SMALL },
        Geometry { write_block: 3, ..SMALL },
        Geometry { write_block: 128, ..PAGES },
    ] {
        assert_eq!(mount(wrong), Err(StoreError::Geometry), "{wrong:?}");
    }
    assert_eq!(Store::mount(SimFlash::new(PAGES), &mut [0; 15]).map(drop), Err(StoreError::WearTable(16)));
}
