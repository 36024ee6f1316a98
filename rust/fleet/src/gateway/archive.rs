// SPDX-License-Identifier: Apache-2.0
//! Archives of SWUpdate (`.swu`): cpio in its `newc` form. Servers that were made for SWUpdate take nothing else, so an
//! image may come in one.

/// First bytes of an entry, without and with a sum of its bytes.
const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
/// Bytes of an entry's head: the magic and thirteen numbers of eight digits.
const HEAD: usize = 110;
/// Name of the entry at the end.
const END: &str = "TRAILER!!!";

/// Returns whether bytes begin as an archive does.
pub fn is_archive(bytes: &[u8]) -> bool {
    MAGICS.iter().any(|magic| bytes.starts_with(magic))
}

/// Returns a number of an entry's head.
fn number(head: &[u8], index: usize) -> Option<usize> {
    let digits = std::str::from_utf8(head.get(6 + 8 * index..14 + 8 * index)?).ok()?;
    usize::from_str_radix(digits, 16).ok()
}

/// Returns name and bytes of the first entry, and the rest of the archive.
fn entry(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let head = bytes.get(..HEAD).filter(|head| is_archive(head))?;
    let (size, name_size) = (number(head, 6)?, number(head, 11)?);
    let name_end = HEAD.checked_add(name_size)?;
    let name = std::str::from_utf8(bytes.get(HEAD..name_end.checked_sub(1)?)?).ok()?;
    let start = name_end.checked_next_multiple_of(4)?;
    let end = start.checked_add(size)?;
    let next = end.checked_next_multiple_of(4)?;
    Some((name, bytes.get(start..end)?, bytes.get(next..).unwrap_or_default()))
}

/// Returns the only image of an archive.
///
/// # Errors
/// The archive is damaged, or has another number of files that end with `.wisp`.
pub fn image(bytes: &[u8]) -> Result<&[u8], String> {
    let mut rest = bytes;
    let mut found = Vec::new();
    loop {
        let (name, content, more) = entry(rest).ok_or("the archive is damaged; build and publish it again")?;
        if name == END {
            break;
        }
        if name.ends_with(".wisp") {
            found.push(content);
        }
        rest = more;
    }
    match found[..] {
        [image] => Ok(image),
        _ => Err(format!("the archive has {} files that end with .wisp; expected one", found.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, content) in files.iter().chain([&(END, &b""[..])]) {
            let mut numbers = [0; 13];
            (numbers[6], numbers[11]) = (content.len(), name.len() + 1);
            out.extend_from_slice(b"070701");
            numbers.iter().for_each(|number| out.extend_from_slice(format!("{number:08X}").as_bytes()));
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            out.resize(out.len().next_multiple_of(4), 0);
            out.extend_from_slice(content);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out
    }

    #[test]
    fn the_only_image_of_an_archive_is_found() {
        let bytes = archive(&[("sw-description", b"software = {}"), ("lamp.wisp", b"WISP1"), ("notes", b"")]);
        assert!(is_archive(&bytes));
        assert_eq!(image(&bytes), Ok(&b"WISP1"[..]));
        assert!(!is_archive(b"WISP1"));
    }

    #[test]
    fn an_archive_without_image_or_with_two_is_refused() {
        assert_eq!(
            image(&archive(&[("a", b"x")])).unwrap_err(),
            "the archive has 0 files that end with .wisp; expected one"
        );
        let two = archive(&[("a.wisp", b"x"), ("b.wisp", b"y")]);
        assert_eq!(image(&two).unwrap_err(), "the archive has 2 files that end with .wisp; expected one");
    }

    #[test]
    fn an_archive_that_was_cut_short_or_changed_is_refused() {
        let bytes = archive(&[("lamp.wisp", b"WISP1")]);
        // behind the name of the last entry are zeros only
        for end in 0..bytes.len() - 4 {
            assert!(image(&bytes[..end]).is_err(), "{end}");
        }
        for at in 6..HEAD {
            let mut changed = bytes.clone();
            changed[at] = b'F';
            let _ = image(&changed);
            changed[at] = b'-';
            let _ = image(&changed);
        }
    }
}
