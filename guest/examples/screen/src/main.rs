// SPDX-License-Identifier: Apache-2.0
//! Draws on two displays that have a driver in the firmware, one with colors and one with single bits.
#![no_std]
#![no_main]

use embedded_graphics::pixelcolor::{BinaryColor, Rgb565};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};
use wisp_guest::{info, BinaryScreen, ColorScreen, Display, Error};

wisp_guest::main!(screen);

fn screen() -> Result<(), Error> {
    let mut panel = ColorScreen::new(Display::open("panel")?)?;
    draw(&mut panel, Rgb565::GREEN, Rgb565::RED)?;
    let mut oled = BinaryScreen::<16>::new(Display::open("oled")?)?;
    draw(&mut oled, BinaryColor::On, BinaryColor::On)?;
    oled.flush()?;
    info!("drawn");
    Ok(())
}

/// Draws a frame, and a line that goes beyond the end of the display.
fn draw<D: DrawTarget>(target: &mut D, frame: D::Color, line: D::Color) -> Result<(), D::Error> {
    let area = target.bounding_box();
    Rectangle::new(Point::new(0, 0), area.size).into_styled(PrimitiveStyle::with_stroke(frame, 1)).draw(target)?;
    Line::new(Point::new(2, 2), Point::new(30, 2)).into_styled(PrimitiveStyle::with_stroke(line, 1)).draw(target)?;
    target.fill_solid(&Rectangle::new(Point::new(3, 4), Size::new(2, 2)), line)
}
