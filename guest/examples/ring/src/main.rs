// SPDX-License-Identifier: Apache-2.0
//! Adds a number to a ring of entries in flash with each run, and tells the newest and how many there are. The oldest
//! block is erased when the ring is full.
#![no_std]
#![no_main]

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use wisp_guest::{exit, info, Error, FlashArea, NorFlashArea};

wisp_guest::main!(ring);

fn ring() -> Result<(), Error> {
    let mut flash = NorFlashArea::<8, 16>::new(FlashArea::open("ring")?)?;
    let (newest, count) = add(&mut flash)?;
    info!("entry {newest} of {count}");
    let mut byte = [0];
    let beyond = flash.read(flash.capacity() as u32, &mut byte).map_err(|error| error.kind());
    let cut = flash.erase(0, 8).map_err(|error| error.kind());
    if (beyond, cut) != (Err(NorFlashErrorKind::OutOfBounds), Err(NorFlashErrorKind::NotAligned)) {
        exit(1);
    }
    Ok(())
}

/// Writes the number behind the newest entry, and returns it with the number of entries.
fn add<F: NorFlash>(flash: &mut F) -> Result<(u64, usize), F::Error> {
    let step = F::WRITE_SIZE as u32;
    let (mut newest, mut at, mut count) = (0, 0, 0);
    for offset in (0..flash.capacity() as u32).step_by(F::WRITE_SIZE) {
        let mut entry = [0; 8];
        flash.read(offset, &mut entry)?;
        let number = u64::from_le_bytes(entry);
        if number != u64::MAX {
            count += 1;
            if number > newest {
                (newest, at) = (number, offset + step);
            }
        }
    }
    at %= flash.capacity() as u32;
    if at % F::ERASE_SIZE as u32 == 0 {
        let mut entries = [0; 16];
        flash.read(at, &mut entries)?;
        count -= entries.chunks_exact(8).filter(|entry| **entry != [0xff; 8]).count();
        flash.erase(at, at + F::ERASE_SIZE as u32)?;
    }
    flash.write(at, &(newest + 1).to_le_bytes())?;
    Ok((newest + 1, count + 1))
}
