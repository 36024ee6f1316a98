// SPDX-License-Identifier: Apache-2.0
//! Draws a frame and a word on an SSD1306 display, with unchanged crates from the registry.
#![no_std]
#![no_main]

use embedded_graphics::mono_font::{ascii::FONT_6X10, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use ssd1306::mode::DisplayConfig;
use ssd1306::{rotation::DisplayRotation, size::DisplaySize128x32, I2CDisplayInterface, Ssd1306};
use wisp_guest::{exit, info, Error, I2cDevice};

wisp_guest::main!(display);

fn display() -> Result<(), Error> {
    if draw(I2cDevice::open("oled")?).is_none() {
        exit(2);
    }
    info!("ssd1306: drawn");
    Ok(())
}

fn draw(device: I2cDevice) -> Option<()> {
    let interface = I2CDisplayInterface::new(device);
    let mut display =
        Ssd1306::new(interface, DisplaySize128x32, DisplayRotation::Rotate0).into_buffered_graphics_mode();
    display.init().ok()?;
    let frame = Rectangle::new(Point::zero(), Size::new(128, 32));
    frame.into_styled(PrimitiveStyle::with_stroke(BinaryColor::On, 1)).draw(&mut display).ok()?;
    let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
    Text::with_baseline("Wisp", Point::new(52, 11), style, Baseline::Top).draw(&mut display).ok()?;
    display.flush().ok()
}
