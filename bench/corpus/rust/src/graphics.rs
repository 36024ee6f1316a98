// SPDX-License-Identifier: Apache-2.0
//! A display of 64 by 48 pixels: shapes and text.

use embedded_graphics::mono_font::ascii::FONT_6X10;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{
    Circle, Line, PrimitiveStyle, PrimitiveStyleBuilder, Rectangle, Triangle,
};
use embedded_graphics::text::Text;

use crate::{mix, repeat};

pub const HEAP: usize = 0;
const SIZE: Size = Size::new(64, 48);

/// A bit for each pixel.
struct Display([u8; 384]);

impl OriginDimensions for Display {
    fn size(&self) -> Size {
        SIZE
    }
}

impl DrawTarget for Display {
    type Color = BinaryColor;
    type Error = core::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Self::Error> {
        for Pixel(point, color) in pixels {
            let Ok((x, y)) = <(u32, u32)>::try_from(point) else {
                continue;
            };
            if x >= SIZE.width || y >= SIZE.height {
                continue;
            }
            let (byte, bit) = (&mut self.0[(y * 8 + x / 8) as usize], 1 << (x % 8));
            *byte = if color.is_on() {
                *byte | bit
            } else {
                *byte & !bit
            };
        }
        Ok(())
    }
}

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut display = Display([0; 384]);
        draw(&mut display, round as i32).unwrap();
        mix(0, &display.0)
    })
}

fn draw(display: &mut Display, round: i32) -> Result<(), core::convert::Infallible> {
    let (thin, full) = (
        PrimitiveStyle::with_stroke(BinaryColor::On, 1),
        PrimitiveStyle::with_fill(BinaryColor::On),
    );
    let frame = PrimitiveStyleBuilder::new()
        .stroke_color(BinaryColor::On)
        .stroke_width(2)
        .build();
    Rectangle::new(Point::zero(), SIZE)
        .into_styled(frame)
        .draw(display)?;
    Circle::new(Point::new(36, 20 + round % 4), 22)
        .into_styled(thin)
        .draw(display)?;
    Triangle::new(Point::new(6, 44), Point::new(18, 24), Point::new(30, 44))
        .into_styled(full)
        .draw(display)?;
    Line::new(Point::new(2, 22), Point::new(61, 18))
        .into_styled(thin)
        .draw(display)?;
    let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
    Text::new("21.5 C", Point::new(5, 14), style).draw(display)?;
    Ok(())
}
