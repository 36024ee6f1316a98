// SPDX-License-Identifier: Apache-2.0
//! Areas of flash: writes and erases are traced, and a file may keep the bytes.

use crate::eeprom::part;
use crate::error::Error;
use crate::led::hex;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use wisp_abi::Errno;
use wisp_host::platform::{Flash, FlashInfo};

/// The value of an erased byte.
const ERASED: u8 = 0xff;
/// The largest area.
const LARGEST: u32 = 64 << 20;

/// An area as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Bytes.
    size: u32,
    erase_block: u32,
    write_block: u32,
    /// Microseconds that the erase of a block takes.
    erase_us: u64,
    /// Keeps the bytes from one run to the next. A file that does not exist is made, with erased bytes.
    file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Config { size: 65536, erase_block: 4096, write_block: 4, erase_us: 0, file: None }
    }
}

/// Checks what the types of an area's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let Config { size, erase_block, write_block, .. } = *config;
    let wrong = if !write_block.is_power_of_two() || write_block > FlashInfo::PIECE {
        format!("write_block = {write_block}, expected a power of 2 up to {}", FlashInfo::PIECE)
    } else if erase_block == 0 || erase_block % write_block != 0 {
        format!("erase_block = {erase_block}, expected a multiple of the write block, {write_block}")
    } else if size == 0 || size % erase_block != 0 || size > LARGEST {
        format!("size = {size}, expected a multiple of the erase block, {erase_block}, up to {LARGEST}")
    } else {
        return Ok(());
    };
    Err(Error::at(text, None, format!("{key}: {wrong}")))
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// An area.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
    contents: Vec<u8>,
    /// The file that keeps the bytes, once the area was opened.
    file: Option<File>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let contents = vec![ERASED; config.size as usize];
        Device { label, config, contents, file: None }
    }

    /// Reads the bytes that the file keeps, or makes the file.
    fn load(&mut self) -> Result<(), String> {
        let (Some(path), None) = (&self.config.file, &self.file) else { return Ok(()) };
        let wrong = |what: &dyn std::fmt::Display| format!("flash {}: {}: {what}", self.label, path.display());
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(|error| wrong(&error))?;
        let length = file.metadata().map_err(|error| wrong(&error))?.len();
        if length == 0 {
            file.write_all(&self.contents).map_err(|error| {
                // An empty file is filled by the next run, where a short one would be refused.
                _ = file.set_len(0);
                wrong(&error)
            })?;
        } else if length == u64::from(self.config.size) {
            file.read_exact(&mut self.contents).map_err(|error| wrong(&error))?;
        } else {
            return Err(wrong(&format_args!("it has {length} bytes, expected {} as the area has", self.config.size)));
        }
        self.file = Some(file);
        Ok(())
    }

    /// Changes bytes, here and in the file.
    fn change(&mut self, offset: u32, length: usize, change: impl FnOnce(&mut [u8])) -> Result<(), Errno> {
        change(part(&mut self.contents, offset, length)?);
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(offset.into())).map_err(|_| Errno::Io)?;
            let start = offset as usize;
            file.write_all(&self.contents[start..start + length]).map_err(|_| Errno::Io)?;
        }
        Ok(())
    }
}

impl SimPlatform {
    fn flash(&mut self, flash: u32) -> Result<&mut Device, Errno> {
        self.devices.flash.get_mut(flash as usize).ok_or(Errno::BadHandle)
    }
}

impl Flash for SimPlatform {
    fn find_flash(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.flash.iter().position(|flash| flash.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_flash(&mut self, flash: u32) -> Result<(), Errno> {
        let loaded = self.flash(flash)?.load();
        loaded.map_err(|what| {
            self.trace("log", "err", &what, "");
            Errno::NoSuchDevice
        })
    }

    fn flash_info(&self, flash: u32) -> FlashInfo {
        let config = self.devices.flash.get(flash as usize).map(|flash| flash.config.clone()).unwrap_or_default();
        let Config { size, erase_block, write_block, .. } = config;
        FlashInfo { size, erase_block, write_block, erased: ERASED }
    }

    fn read_flash(&mut self, flash: u32, offset: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        self.tick();
        buffer.copy_from_slice(part(&mut self.flash(flash)?.contents, offset, buffer.len())?);
        Ok(())
    }

    /// Clears bits, as flash does. Bytes that were not erased are no error of the chip, but not what was written either.
    fn write_flash(&mut self, flash: u32, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
        let found = self.flash(flash)?;
        found.change(offset, bytes.len(), |part| part.iter_mut().zip(bytes).for_each(|(old, new)| *old &= new))?;
        let label = found.label.clone();
        self.trace("flash", &label, &format!("{offset:#x}: {}", hex(bytes)), "");
        self.tick();
        Ok(())
    }

    fn erase_flash(&mut self, flash: u32, offset: u32) -> Result<(), Errno> {
        let found = self.flash(flash)?;
        let (block, us) = (found.config.erase_block, found.config.erase_us);
        found.change(offset, block as usize, |part| part.fill(ERASED))?;
        let label = found.label.clone();
        self.trace("flash", &label, &format!("{offset:#x}: {block} erased"), "");
        self.tick();
        self.pass(us);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::{Flash, FlashInfo};

    #[test]
    fn bytes_are_written_once_and_erased_by_the_block() {
        let capture = Capture::new();
        let text = "[apps.a.flash.log]\nsize = 64\nerase_block = 32\nwrite_block = 2\nerase_us = 900\n";
        let mut board = Board::from_toml(text).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_flash(b"log"), app.find_flash(b"other")), (Some(0), None));
        app.open_flash(0).unwrap();
        let info = FlashInfo { size: 64, erase_block: 32, write_block: 2, erased: 0xff };
        assert_eq!(app.flash_info(0), info);
        app.write_flash(0, 30, &[0x0f, 1, 2, 3]).unwrap();
        app.write_flash(0, 30, &[0xf1, 1]).unwrap();
        let mut read = [0; 6];
        app.read_flash(0, 29, &mut read).unwrap();
        assert_eq!(read, [0xff, 1, 1, 2, 3, 0xff]);
        app.erase_flash(0, 0).unwrap();
        assert!(app.now_us() >= 900);
        app.read_flash(0, 29, &mut read).unwrap();
        assert_eq!(read, [0xff, 0xff, 0xff, 2, 3, 0xff]);
        assert_eq!(app.write_flash(0, 62, &[0; 4]), Err(Errno::Range));
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["flash log 0x1e: 0f010203", "flash log 0x1e: f101", "flash log 0x0: 32 erased"]);
    }

    #[test]
    fn a_file_keeps_the_bytes_and_one_of_another_size_is_refused() {
        let file = std::env::temp_dir().join(format!("wisp-flash-{}.bin", std::process::id()));
        let board = |size: u32| {
            let text = format!("[apps.a.flash.log]\nsize = {size}\nerase_block = 32\nfile = '{}'\n", file.display());
            Board::from_toml(&text).unwrap()
        };
        let mut app = board(64).platform("a");
        app.open_flash(0).unwrap();
        app.write_flash(0, 32, &[1, 2, 3, 4]).unwrap();
        app.write_flash(0, 0, &[5, 6, 7, 8]).unwrap();
        app.erase_flash(0, 0).unwrap();
        drop(app);
        let kept = std::fs::read(&file).unwrap();
        assert_eq!((kept.len(), &kept[..4], &kept[32..37]), (64, &[0xff; 4][..], &[1, 2, 3, 4, 0xff][..]));
        let mut app = board(64).platform("a");
        app.open_flash(0).unwrap();
        let mut read = [0; 4];
        app.read_flash(0, 32, &mut read).unwrap();
        assert_eq!(read, [1, 2, 3, 4]);
        let capture = Capture::new();
        let mut other = board(96);
        other.set_trace(capture.clone(), TraceFormat::Text);
        assert_eq!(other.platform("a").open_flash(0), Err(Errno::NoSuchDevice));
        assert!(capture.text().contains("64 bytes, expected 96"), "{}", capture.text());
        assert_eq!(std::fs::read(&file).unwrap(), kept);
        std::fs::remove_file(&file).unwrap();
    }

    /// Runs itself with a limit of the size of files, which fails as a full disk does.
    #[cfg(unix)]
    #[test]
    fn a_file_that_did_not_fit_is_filled_by_the_next_run() {
        const LIMITED: &str = "WISP_TEST_FLASH_FILE";
        let open = |file: &str| {
            let text = format!("[apps.a.flash.log]\nsize = 65536\nfile = '{file}'\n");
            Board::from_toml(&text).unwrap().platform("a").open_flash(0)
        };
        if let Ok(file) = std::env::var(LIMITED) {
            return assert_eq!(open(&file), Err(Errno::NoSuchDevice));
        }
        let file = std::env::temp_dir().join(format!("wisp-flash-full-{}.bin", std::process::id()));
        let limited = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg("flash::tests::a_file_that_did_not_fit_is_filled_by_the_next_run")
            .env(LIMITED, &file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&limited.stdout);
        assert!(limited.status.success() && said.contains("1 passed"), "{said}");
        open(&file.display().to_string()).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), [0xff; 65536]);
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn an_area_that_makes_no_sense_is_refused() {
        let wrong = [
            ("size = 0", "size = 0, expected a multiple"),
            ("size = 5000", "size = 5000, expected a multiple of the erase block, 4096"),
            ("size = 134217728", "up to 67108864"),
            ("erase_block = 0", "erase_block = 0"),
            ("erase_block = 6", "erase_block = 6, expected a multiple of the write block, 4"),
            ("write_block = 0", "write_block = 0, expected a power of 2"),
            ("write_block = 512", "write_block = 512, expected a power of 2 up to 256"),
        ];
        for (keys, expected) in wrong {
            let error = Board::from_toml(&format!("[apps.a.flash.x]\n{keys}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.flash.x"), "{error}");
        }
    }
}
