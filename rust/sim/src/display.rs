// SPDX-License-Identifier: Apache-2.0
//! Displays: writes are traced, and another thread can look at the picture.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wisp_abi::{display, Errno};
use wisp_host::platform::{Display, DisplayInfo, Rectangle};

/// The largest number of columns or rows.
const LARGEST: u32 = 4096;
/// The brightness that a display has until an app sets it.
const FULL: u8 = 255;
/// Red, green and blue.
const RGB: usize = 3;

/// A display as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    width: u32,
    height: u32,
    format: Format,
    /// Single bits: a byte has 8 pixels of a row, not of a column.
    horizontal: bool,
    /// Single bits: the first of 8 pixels is the highest bit.
    msb_first: bool,
    /// The app was granted a part of the display.
    part: bool,
    /// Gets the picture when the app closes the display or ends, as a portable pixmap (PPM).
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Rgb888,
    Mono01,
    Mono10,
    Argb8888,
    Rgb565,
    Bgr565,
    L8,
    Al88,
}

impl Format {
    /// Returns the number of the format in the interface.
    fn number(self) -> u32 {
        match self {
            Format::Rgb888 => display::RGB_888,
            Format::Mono01 => display::MONO01,
            Format::Mono10 => display::MONO10,
            Format::Argb8888 => display::ARGB_8888,
            Format::Rgb565 => display::RGB_565,
            Format::Bgr565 => display::BGR_565,
            Format::L8 => display::L_8,
            Format::Al88 => display::AL_88,
        }
    }

    fn is_mono(self) -> bool {
        matches!(self, Format::Mono01 | Format::Mono10)
    }

    /// Returns how many columns and rows are written at least.
    fn tile(self, horizontal: bool) -> [u32; 2] {
        match self {
            Format::Mono01 | Format::Mono10 if horizontal => [8, 1],
            Format::Mono01 | Format::Mono10 => [1, 8],
            Format::L8 => [4, 1],
            _ => [1, 1],
        }
    }

    /// Returns red, green and blue of a pixel of whole bytes.
    fn rgb(self, pixel: &[u8]) -> [u8; RGB] {
        match (self, pixel) {
            (Format::Rgb888, &[red, green, blue]) | (Format::Argb8888, &[blue, green, red, _]) => [red, green, blue],
            (Format::Rgb565, &[low, high]) | (Format::Bgr565, &[high, low]) => {
                let bits = u16::from_be_bytes([high, low]);
                let scaled = |value: u16, largest: u16| (u32::from(value & largest) * 255 / u32::from(largest)) as u8;
                [scaled(bits >> 11, 31), scaled(bits >> 5, 63), scaled(bits, 31)]
            }
            (_, &[light, ..]) => [light; RGB],
            (_, &[]) => [0; RGB],
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            width: 128,
            height: 64,
            format: Format::Rgb565,
            horizontal: false,
            msb_first: false,
            part: false,
            file: None,
        }
    }
}

/// Checks what the types of a display's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let [columns, rows] = config.format.tile(config.horizontal);
    for (name, size, step) in [("width", config.width, columns), ("height", config.height, rows)] {
        if !(1..=LARGEST).contains(&size) || size % step != 0 {
            let multiple = if step == 1 {
                String::new()
            } else {
                format!(", a multiple of {step} as so many are written at a time")
            };
            let message = format!("{key}: {name} = {size}, expected 1 to {LARGEST} pixels{multiple}");
            return Err(Error::at(text, None, message));
        }
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// The picture that a display shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// False while the display is switched off.
    pub on: bool,
    /// 0 to 255.
    pub brightness: u8,
    /// Red, green and blue of each pixel, row by row from the top, also while the display is switched off.
    pub rgb: Vec<u8>,
    /// Grows with every change.
    pub version: u64,
}

impl Frame {
    /// Returns the picture as a binary portable pixmap (PPM, `P6`).
    pub fn ppm(&self) -> Vec<u8> {
        let header = format!("P6\n{} {}\n255\n", self.width, self.height);
        [header.as_bytes(), &self.rgb].concat()
    }

    fn set(&mut self, x: u32, y: u32, color: [u8; RGB]) {
        let at = (y as usize * self.width as usize + x as usize) * RGB;
        if let Some(pixel) = self.rgb.get_mut(at..at + RGB) {
            pixel.copy_from_slice(&color);
        }
    }
}

/// A picture without its pixels.
#[derive(Debug, Serialize)]
pub(crate) struct Picture {
    on: bool,
    brightness: u8,
    version: u64,
}

/// A display of an app, at which any thread can look while the app runs.
#[derive(Debug, Clone)]
pub struct Screen {
    label: String,
    frame: Arc<Mutex<Frame>>,
}

impl Screen {
    /// Returns the name by which the app opens the display.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns what the display shows now.
    pub fn frame(&self) -> Frame {
        self.locked().clone()
    }

    /// Describes what the display shows now, without its pixels.
    pub(crate) fn picture(&self) -> Picture {
        let Frame { on, brightness, version, .. } = *self.locked();
        Picture { on, brightness, version }
    }

    fn locked(&self) -> MutexGuard<'_, Frame> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A display.
#[derive(Debug)]
pub(crate) struct Device {
    screen: Screen,
    config: Config,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let (width, height) = (config.width, config.height);
        // Both are `LARGEST` at most.
        let rgb = vec![0; width as usize * height as usize * RGB];
        let frame = Frame { width, height, on: false, brightness: FULL, rgb, version: 0 };
        Device { screen: Screen { label, frame: Arc::new(Mutex::new(frame)) }, config }
    }

    /// Changes the picture.
    fn change(&self, change: impl FnOnce(&mut Frame)) {
        let mut frame = self.screen.locked();
        change(&mut frame);
        frame.version += 1;
    }

    /// Sets the pixels of a rectangle, as the host has checked it.
    fn draw(&self, to: Rectangle, pixels: &[u8]) {
        let Config { format, horizontal, msb_first, .. } = self.config;
        self.change(|frame| {
            if !format.is_mono() {
                let size = display::bits(format.number()) as usize / 8;
                let places = (to.y..to.y + to.height).flat_map(|y| (to.x..to.x + to.width).map(move |x| (x, y)));
                places.zip(pixels.chunks_exact(size)).for_each(|((x, y), pixel)| frame.set(x, y, format.rgb(pixel)));
                return;
            }
            let [columns, rows] = format.tile(horizontal);
            let bands = (to.y..to.y + to.height).step_by(rows as usize);
            let tiles = bands.flat_map(|y| (to.x..to.x + to.width).step_by(columns as usize).map(move |x| (x, y)));
            for ((x, y), byte) in tiles.zip(pixels) {
                for at in 0..8 {
                    let is_set = byte >> (if msb_first { 7 - at } else { at }) & 1 != 0;
                    let light = if is_set == (format == Format::Mono01) { 255 } else { 0 };
                    let (right, down) = if horizontal { (at, 0) } else { (0, at) };
                    frame.set(x + right, y + down, [light; RGB]);
                }
            }
        });
    }
}

/// Returns a number that differs for different pixels (FNV-1a with 32 bits).
fn digest(pixels: &[u8]) -> u32 {
    pixels.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl SimPlatform {
    fn display(&self, display: u32) -> Result<&Device, Errno> {
        self.devices.display.get(display as usize).ok_or(Errno::BadHandle)
    }

    /// Returns the app's displays, which may be looked at while it runs.
    pub fn screens(&self) -> Vec<Screen> {
        self.devices.display.iter().map(|display| display.screen.clone()).collect()
    }

    fn trace_display(&self, display: u32, value: &str) -> Result<(), Errno> {
        self.trace("display", &self.display(display)?.screen.label, value, "");
        Ok(())
    }

    /// Writes the picture to the file that the board file names.
    fn keep_picture(&self, device: &Device) {
        let Some(file) = &device.config.file else { return };
        if let Err(error) = std::fs::write(file, device.screen.frame().ppm()) {
            let what = format!("display {}: {} cannot be written: {error}", device.screen.label, file.display());
            self.trace("log", "wrn", &what, "");
        }
    }
}

impl Display for SimPlatform {
    fn find_display(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.display.iter().position(|display| display.screen.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_display(&mut self, display: u32) -> Result<(), Errno> {
        self.display(display)?.change(|frame| frame.on = true);
        self.trace_display(display, "on")
    }

    fn close_display(&mut self, display: u32) -> Result<(), Errno> {
        let device = self.display(display)?;
        self.keep_picture(device);
        device.change(|frame| {
            frame.rgb.fill(0);
            frame.on = device.config.part;
            frame.brightness = FULL;
        });
        self.trace_display(display, if device.config.part { "black" } else { "off" })
    }

    fn display_info(&self, display: u32) -> DisplayInfo {
        let Ok(device) = self.display(display) else {
            return DisplayInfo { width: 0, height: 0, format: 0, layout: 0 };
        };
        let Config { width, height, format, horizontal, msb_first, .. } = device.config;
        let vertical = if format.is_mono() && !horizontal { display::VERTICAL } else { 0 };
        let order = if format.is_mono() && msb_first { display::MSB_FIRST } else { 0 };
        DisplayInfo { width, height, format: format.number(), layout: vertical | order }
    }

    fn write_display(&mut self, display: u32, to: Rectangle, pixels: &[u8]) -> Result<(), Errno> {
        self.display(display)?.draw(to, pixels);
        let Rectangle { x, y, width, height, .. } = to;
        self.trace_display(display, &format!("{width}x{height} at {x},{y}: {:08x}", digest(pixels)))?;
        self.tick();
        Ok(())
    }

    fn show_display(&mut self, display: u32, on: bool) -> Result<(), Errno> {
        let device = self.display(display)?;
        if device.config.part {
            return Err(Errno::Access);
        }
        device.change(|frame| frame.on = on);
        self.trace_display(display, if on { "on" } else { "off" })
    }

    fn set_display_brightness(&mut self, display: u32, brightness: u8) -> Result<(), Errno> {
        let device = self.display(display)?;
        if device.config.part {
            return Err(Errno::Access);
        }
        device.change(|frame| frame.brightness = brightness);
        self.trace_display(display, &format!("brightness {brightness}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, SimPlatform, TraceFormat};
    use wisp_abi::{display, Errno};
    use wisp_host::platform::{Display, Rectangle};

    fn at(x: u32, y: u32, width: u32, height: u32) -> Rectangle {
        Rectangle { x, y, width, height, is_last: true }
    }

    /// Returns the first byte of each pixel, row by row.
    fn reds(app: &SimPlatform) -> Vec<u8> {
        app.screens()[0].frame().rgb.chunks_exact(3).map(|pixel| pixel[0]).collect()
    }

    fn platform(keys: &str) -> SimPlatform {
        Board::from_toml(&format!("[apps.a.display.view]\nwidth = 8\nheight = 8\n{keys}\n")).unwrap().platform("a")
    }

    #[test]
    fn a_picture_is_seen_while_it_is_drawn_and_all_changes_are_traced() {
        let capture = Capture::new();
        let mut board = Board::from_toml("[apps.a.display.view]\nwidth = 3\nheight = 2\n").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_display(b"view"), app.find_display(b"other")), (Some(0), None));
        let screen = app.screens()[0].clone();
        assert_eq!((screen.label(), screen.frame().on), ("view", false));
        app.open_display(0).unwrap();
        app.write_display(0, at(1, 1, 2, 1), &[0, 0xf8, 0xff, 0x07]).unwrap();
        app.set_display_brightness(0, 9).unwrap();
        let frame = screen.frame();
        assert_eq!((frame.width, frame.height, frame.on, frame.brightness, frame.version), (3, 2, true, 9, 3));
        assert_eq!(frame.rgb, [&[0; 12][..], &[255, 0, 0, 0, 255, 255]].concat());
        app.show_display(0, false).unwrap();
        assert!(!screen.frame().on);
        app.close_display(0).unwrap();
        assert_eq!((screen.frame().rgb, screen.frame().brightness), (vec![0; 18], 255));
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        let expected = ["on", "2x1 at 1,1: 4818230b", "brightness 9", "off", "off"];
        assert_eq!(lines, expected.map(|line| format!("display view {line}")));
    }

    #[test]
    fn every_form_of_a_pixel_gives_its_color() {
        let colors: [(&str, u32, &[u8]); 6] = [
            ("rgb888", display::RGB_888, &[255, 130, 0]),
            ("argb8888", display::ARGB_8888, &[0, 130, 255, 7]),
            ("rgb565", display::RGB_565, &[0x00, 0xfc]),
            ("bgr565", display::BGR_565, &[0xfc, 0x00]),
            ("l8", display::L_8, &[200]),
            ("al88", display::AL_88, &[200, 1]),
        ];
        for (name, number, pixel) in colors {
            let mut app = platform(&format!("format = \"{name}\""));
            assert_eq!((app.display_info(0).format, app.display_info(0).layout), (number, 0));
            app.write_display(0, at(1, 0, 1, 1), pixel).unwrap();
            let expected = match name {
                "l8" | "al88" => [200, 200, 200],
                "rgb565" | "bgr565" => [255, 129, 0],
                _ => [255, 130, 0],
            };
            assert_eq!(app.screens()[0].frame().rgb[..6], [&[0; 3][..], &expected].concat(), "{name}");
        }
    }

    #[test]
    fn single_bits_follow_the_order_that_the_board_file_says() {
        let lit = |keys: &str, byte: u8| {
            let mut app = platform(keys);
            let to = if keys.contains("horizontal") { at(0, 1, 8, 1) } else { at(1, 0, 1, 8) };
            app.write_display(0, to, &[byte]).unwrap();
            let reds = reds(&app);
            assert_eq!(reds.iter().filter(|red| **red == 255).count(), 2, "{keys}");
            reds.iter().position(|red| *red == 255).unwrap()
        };
        assert_eq!(lit("format = \"mono01\"", 0b0000_1100), 2 * 8 + 1);
        assert_eq!(lit("format = \"mono10\"", 0b1111_0011), 2 * 8 + 1);
        assert_eq!(lit("format = \"mono01\"\nmsb_first = true", 0b0000_1100), 4 * 8 + 1);
        assert_eq!(lit("format = \"mono01\"\nhorizontal = true", 0b0000_1100), 8 + 2);
        assert_eq!(lit("format = \"mono01\"\nhorizontal = true\nmsb_first = true", 0b0000_1100), 8 + 4);
    }

    #[test]
    fn a_part_cannot_be_switched_off_and_stays_on() {
        let mut app = platform("part = true");
        app.open_display(0).unwrap();
        assert_eq!(app.show_display(0, false), Err(Errno::Access));
        assert_eq!(app.set_display_brightness(0, 1), Err(Errno::Access));
        app.close_display(0).unwrap();
        assert!(app.screens()[0].frame().on);
    }

    #[test]
    fn the_last_picture_is_written_to_a_file_and_a_failure_is_told() {
        let file = std::env::temp_dir().join(format!("wisp-display-{}.ppm", std::process::id()));
        let text =
            |file: &str| format!("[apps.a.display.view]\nwidth = 1\nheight = 2\nformat = \"al88\"\nfile = '{file}'\n");
        let mut app = Board::from_toml(&text(&file.display().to_string())).unwrap().platform("a");
        app.write_display(0, at(0, 1, 1, 1), &[7, 255]).unwrap();
        app.close_display(0).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"P6\n1 2\n255\n\0\0\0\x07\x07\x07");
        std::fs::remove_file(&file).unwrap();
        let capture = Capture::new();
        let mut board = Board::from_toml(&text("/")).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        board.platform("a").close_display(0).unwrap();
        assert!(capture.text().contains("display view: / cannot be written"), "{}", capture.text());
    }

    #[test]
    fn a_display_that_makes_no_sense_is_refused() {
        let wrong = [
            ("width = 0", "width = 0, expected 1 to 4096"),
            ("height = 4097", "height = 4097, expected"),
            ("height = 12\nformat = \"mono01\"", "a multiple of 8"),
            ("width = 12\nformat = \"mono10\"\nhorizontal = true", "a multiple of 8"),
            ("width = 6\nformat = \"l8\"", "a multiple of 4"),
            ("format = \"rgb\"", "rgb565"),
        ];
        for (keys, expected) in wrong {
            let error = Board::from_toml(&format!("[apps.a.display.x]\n{keys}\n")).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
