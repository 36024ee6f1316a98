// SPDX-License-Identifier: Apache-2.0
//! Names of functions, for images that carry them: what a device can say of a trap without its symbols.

use crate::format::Section;
use crate::reader::u32_at;
use crate::Image;

/// Longest name in bytes: what a line of a device's log has room for.
pub const NAME_MAX: usize = 40;

impl<'a> Image<'a> {
    /// Returns the name of a defined function, or `None` where the image carries none. Reads the section table.
    pub fn function_name(&self, defined: u32) -> Option<&'a str> {
        let (_, names) = self.sections().find(|&(kind, _)| kind == Section::NAMES)?;
        let entry = (defined as usize).checked_mul(4).filter(|_| (defined as usize) < self.function_count())?;
        let at = u32_at(names, entry).filter(|&at| at != 0)? as usize;
        let length = usize::from(*names.get(at)?);
        core::str::from_utf8(names.get(at + 1..)?.get(..length)?).ok()
    }
}

/// Returns the section for an image with this number of defined functions, from indices of those that have a name
/// and their names. Of a longer name than [`NAME_MAX`] the end is kept, which tells a method from another.
#[cfg(feature = "alloc")]
pub fn section<'n>(functions: usize, names: impl IntoIterator<Item = (u32, &'n str)>) -> alloc::vec::Vec<u8> {
    let mut out = alloc::vec![0; 4 * functions];
    for (defined, name) in names {
        let at = (out.len() as u32).to_le_bytes();
        let Some(entry) = out.get_mut(4 * defined as usize..).and_then(|rest| rest.get_mut(..4)) else { continue };
        if entry.iter().any(|&byte| byte != 0) || defined as usize >= functions {
            continue;
        }
        entry.copy_from_slice(&at);
        let start = (name.len().saturating_sub(NAME_MAX)..=name.len()).find(|&start| name.is_char_boundary(start));
        let kept = name.get(start.unwrap_or(0)..).unwrap_or_default();
        out.push(kept.len() as u8);
        out.extend(kept.as_bytes());
    }
    out
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use crate::format::{entry, Section};
    use crate::writer::Writer;
    use crate::Image;

    use super::{section, NAME_MAX};

    fn image(functions: usize, names: Vec<u8>) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.section(Section::Manifest, vec![0; crate::format::manifest::SIZE]);
        writer.section(Section::Functions, vec![0; functions * entry::FUNCTION]);
        writer.optional(Section::NAMES, names);
        writer.finish()
    }

    #[test]
    fn functions_have_the_names_they_were_given() {
        let bytes = image(3, section(3, [(0, "main"), (2, "motor::turn"), (3, "not there")]));
        let image = Image::parse(&bytes).unwrap();
        let names: Vec<_> = (0..5).map(|defined| image.function_name(defined)).collect();
        assert_eq!(names, [Some("main"), None, Some("motor::turn"), None, None]);
    }

    #[test]
    fn of_a_long_name_the_end_is_kept_whole_characters() {
        let long = "é".repeat(NAME_MAX) + "x";
        let bytes = image(1, section(1, [(0, long.as_str())]));
        let image = Image::parse(&bytes).unwrap();
        let name = image.function_name(0).unwrap();
        assert!(name.len() < NAME_MAX && long.ends_with(name) && name.starts_with('é'), "{name}");
    }

    #[test]
    fn an_image_without_names_or_with_damaged_ones_has_none() {
        for names in [vec![], vec![9], vec![4, 0, 0, 0], vec![4, 0, 0, 0, 9, b'a'], vec![4, 0, 0, 0, 1, 0xff]] {
            let bytes = image(1, names);
            assert_eq!(Image::parse(&bytes).unwrap().function_name(0), None);
        }
        let bytes = image(1, vec![255; 4]);
        assert_eq!(Image::parse(&bytes).unwrap().function_name(0), None);
    }
}
