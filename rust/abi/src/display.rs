// SPDX-License-Identifier: Apache-2.0
//! `wisp:display@1`: displays.

use crate::{constant, field, param, ErrorSpace, Function, Grant, Interface, Kind, Param, Record, Returns};

/// Red, green and blue, a byte each.
pub const RGB_888: u32 = 1;
/// A bit: 0 is black.
pub const MONO01: u32 = 2;
/// A bit: 1 is black.
pub const MONO10: u32 = 4;
/// Blue, green, red and alpha, a byte each.
pub const ARGB_8888: u32 = 8;
/// 16 bits with red in the upper 5 and blue in the lower 5, lower byte first.
pub const RGB_565: u32 = 16;
/// The same 16 bits as in `RGB_565`, upper byte first.
pub const BGR_565: u32 = 32;
/// A byte: 0 is black.
pub const L_8: u32 = 64;
/// A byte as in `L_8`, then alpha.
pub const AL_88: u32 = 128;
/// A byte of single bits has 8 pixels of a column, otherwise of a row.
pub const VERTICAL: u32 = 1;
/// The first of the 8 pixels in a byte is its highest bit, otherwise its lowest.
pub const MSB_FIRST: u32 = 2;
/// The display is electronic paper. It keeps its picture without power.
pub const PAPER: u32 = 4;
/// Only rectangles that are as wide as the display can be written.
pub const FULL_ROWS: u32 = 16;
/// The largest number of displays that one app can be granted.
pub const MAX_DISPLAYS: u32 = 32;

const DISPLAY: Param = param("display", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const PART: (&str, &str) = ("EACCES", "the app was granted a part of the display only");
const CANNOT: (&str, &str) = ("ENOTSUP", "the driver cannot do that");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The record that `info` writes.
pub const INFO: Record = Record {
    name: "info",
    doc: "The area that was granted, and the form of its pixels.",
    fields: &[
        field("width", 4, "pixels in a row"),
        field("height", 4, "rows"),
        field("format", 4, "the form of a pixel, such as `RGB_565`"),
        field("layout", 4, "a sum of `VERTICAL`, `MSB_FIRST`, `PAPER` and `FULL_ROWS`"),
    ],
};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:display@1",
    ident: "display",
    host_trait: "DisplayV1",
    doc: "Displays with a driver in the firmware, granted by `displays` and `display-names` in the app's node. With \
          `display-areas`, an app gets a rectangle of a display. It writes nothing outside of it, and the pixel at 0, 0 is \
          the first one of the rectangle. A display, or a rectangle of one, belongs to the app that has it open. It \
          becomes black when the app opens it, closes it or ends. Electronic paper keeps its picture, and so does a display \
          whose driver takes only rectangles that are larger than what the firmware can send. The order of the two bytes of \
          `RGB_565` and `BGR_565` is that of Zephyr's sample. Some drivers take the other order under the same name.",
    grant: Grant::devices("displays", "display-names", "a display, or a rectangle of one"),
    errors: ErrorSpace::Wisp,
    constants: &[
        constant("RGB_888", RGB_888, "Red, green and blue, a byte each."),
        constant("MONO01", MONO01, "A bit: 0 is black."),
        constant("MONO10", MONO10, "A bit: 1 is black."),
        constant("ARGB_8888", ARGB_8888, "Blue, green, red and alpha, a byte each."),
        constant("RGB_565", RGB_565, "16 bits with red in the upper 5 and blue in the lower 5, lower byte first."),
        constant("BGR_565", BGR_565, "The same 16 bits as in `RGB_565`, upper byte first."),
        constant("L_8", L_8, "A byte: 0 is black."),
        constant("AL_88", AL_88, "A byte as in `L_8`, then alpha."),
        constant("VERTICAL", VERTICAL, "A byte of single bits has 8 pixels of a column, otherwise of a row."),
        constant("MSB_FIRST", MSB_FIRST, "The first of the 8 pixels in a byte is its highest bit, otherwise its lowest."),
        constant("PAPER", PAPER, "The display is electronic paper. It keeps its picture without power."),
        constant("FULL_ROWS", FULL_ROWS, "Only rectangles that are as wide as the display can be written."),
    ],
    records: &[INFO],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted display and switches it on. It is black at first, with the exceptions above. Again, it returns the same handle and \
                  leaves the picture as it is.",
            params: &[param("label", Kind::Bytes, "the display's name in `display-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such display was granted to the app"),
                ("ENODEV", "the driver is not ready"),
                ("EBUSY", "another app has the display open, or a rectangle of it that overlaps the granted one"),
                ("ERANGE", "the granted rectangle is empty, does not lie inside the display, or splits a byte of pixels"),
                ("ENOTSUP", "the pixels have a form that this interface does not know, or the size of the display splits a byte of them"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Makes the display black, with the exceptions above, and gives the handle back. If all of it was granted, it gets \
                  its full brightness again and is switched off.",
            params: &[DISPLAY],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "info",
            doc: "Returns the size and the form of the pixels.",
            params: &[DISPLAY, param("info", Kind::OutRecord(INFO.size()), "an `info`")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "write",
            doc: "Writes a rectangle of pixels. The rows lie one behind the other, each with `pitch` pixels, of which the first \
                  `width` are shown. Single bits are written by whole bytes, `L_8` by 4 pixels of a row, and with `FULL_ROWS` in the layout, the rectangle \
                  is as wide as the display. The call takes as long as the transfer.",
            params: &[
                DISPLAY,
                param("x", Kind::U32, "the first column, counted from 0"),
                param("y", Kind::U32, "the first row, counted from 0"),
                param("width", Kind::U32, "pixels in a row of the rectangle"),
                param("height", Kind::U32, "rows"),
                param("pitch", Kind::U32, "pixels from one row to the next in `pixels`, `width` or more"),
                param("pixels", Kind::Bytes, "all rows; pixels of 2 or 4 bytes lie at a multiple of their size"),
            ],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("ERANGE", "the rectangle does not lie inside what was granted"),
                ("EINVAL", "the pixels have another size or place than they may, or the rectangle splits a byte of them"),
                FAILED,
            ],
        },
        Function {
            name: "show",
            doc: "Switches the display on or off. It keeps its picture, and can be written meanwhile.",
            params: &[DISPLAY, param("on", Kind::U32, "0 to switch it off")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, PART, CANNOT, FAILED],
        },
        Function {
            name: "set_brightness",
            doc: "Sets the brightness.",
            params: &[DISPLAY, param("brightness", Kind::U32, "0 to 255")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ERANGE", "the value is above 255"), PART, CANNOT, FAILED],
        },
    ],
};

/// Returns the bits of a pixel in this form, or 0 for a form that the interface does not know.
pub const fn bits(format: u32) -> u32 {
    match format {
        MONO01 | MONO10 => 1,
        L_8 => 8,
        RGB_565 | BGR_565 | AL_88 => 16,
        RGB_888 => 24,
        ARGB_8888 => 32,
        _ => 0,
    }
}
