// SPDX-License-Identifier: Apache-2.0
//! Paths that guests give, resolved for file systems that know neither `..` nor links.

use crate::files::FileResult;
use wisp_abi::WasiErrno;

/// A path in a folder that the app was granted, as the file system knows it, in at most `SIZE` bytes with
/// its NUL.
#[derive(Debug, Clone, Copy)]
pub struct Path<const SIZE: usize> {
    bytes: [u8; SIZE],
    length: usize,
    /// Bytes of the granted folder's own path.
    folder: usize,
    directory: bool,
}

impl<const SIZE: usize> Path<SIZE> {
    /// Follows a guest's path from a directory.
    ///
    /// The first `folder` bytes of `directory` are the path of the granted folder, and neither ends with a
    /// slash. Names are not looked up: `a/../b` is `b` even if there is no `a`.
    ///
    /// # Errors
    /// - `perm` if the path is absolute or leads out of the folder,
    /// - `inval` if a name holds a backslash or a control character,
    /// - `nametoolong` if the result does not fit.
    pub fn new(directory: &[u8], folder: usize, path: &[u8]) -> FileResult<Self> {
        let mut resolved = Path { bytes: [0; SIZE], length: 0, folder, directory: false };
        resolved.push(directory)?;
        if path.first() == Some(&b'/') {
            return Err(WasiErrno::Perm);
        }
        for name in path.split(|byte| *byte == b'/') {
            resolved.directory = matches!(name, b"" | b"." | b"..");
            match name {
                b"" | b"." => {}
                b".." => resolved.pop()?,
                _ if name.iter().any(|byte| *byte == b'\\' || *byte < b' ') => return Err(WasiErrno::Invalid),
                _ => {
                    resolved.push(b"/")?;
                    resolved.push(name)?;
                }
            }
        }
        Ok(resolved)
    }

    /// Returns the path and its NUL.
    pub fn with_nul(&self) -> &[u8] {
        self.bytes.get(..=self.length).unwrap_or(b"\0")
    }

    /// Returns true if this is the granted folder itself.
    pub fn is_folder(&self) -> bool {
        self.length == self.folder
    }

    /// Returns true if the guest's path can only be that of a directory: it ends with a slash, `.` or `..`.
    pub fn is_directory(&self) -> bool {
        self.directory
    }

    fn push(&mut self, bytes: &[u8]) -> FileResult<()> {
        let end = self.length + bytes.len();
        if end >= SIZE {
            return Err(WasiErrno::NameTooLong);
        }
        self.bytes.get_mut(self.length..end).ok_or(WasiErrno::NameTooLong)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    /// Drops the last name.
    fn pop(&mut self) -> FileResult<()> {
        let names = self.bytes.get(self.folder..self.length).unwrap_or_default();
        let slash = names.iter().rposition(|byte| *byte == b'/').ok_or(WasiErrno::Perm)?;
        let length = self.folder + slash;
        self.bytes.get_mut(length..self.length).unwrap_or_default().fill(0);
        self.length = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const FOLDER: &[u8] = b"/lfs/app";

    fn resolve(directory: &str, path: &str) -> FileResult<Vec<u8>> {
        let resolved = Path::<32>::new(directory.as_bytes(), FOLDER.len(), path.as_bytes())?;
        let bytes = resolved.with_nul();
        assert_eq!(bytes.iter().position(|byte| *byte == 0), Some(bytes.len() - 1));
        Ok(bytes[..bytes.len() - 1].to_vec())
    }

    #[test]
    fn names_are_appended_and_dots_are_resolved() {
        for (directory, path, expected) in [
            ("/lfs/app", "a", "/lfs/app/a"),
            ("/lfs/app", "a/b//c/", "/lfs/app/a/b/c"),
            ("/lfs/app", ".", "/lfs/app"),
            ("/lfs/app", "a/..", "/lfs/app"),
            ("/lfs/app/a/b", "../c", "/lfs/app/a/c"),
            ("/lfs/app/a/b", "../..", "/lfs/app"),
            ("/lfs/app", "..a/.b.", "/lfs/app/..a/.b."),
        ] {
            assert_eq!(resolve(directory, path).as_deref(), Ok(expected.as_bytes()), "{directory} {path}");
        }
    }

    #[test]
    fn what_leads_out_of_the_folder_is_refused() {
        for (directory, path) in [
            ("/lfs/app", ".."),
            ("/lfs/app", "../app/a"),
            ("/lfs/app", "../application"),
            ("/lfs/app", "a/../../app"),
            ("/lfs/app/a", "../../b"),
            ("/lfs/app", "/lfs/app/a"),
            ("/lfs/app", "/"),
        ] {
            assert_eq!(resolve(directory, path), Err(WasiErrno::Perm), "{directory} {path}");
        }
    }

    #[test]
    fn names_that_file_systems_read_differently_are_refused() {
        assert_eq!(resolve("/lfs/app", "a\\..\\..\\b"), Err(WasiErrno::Invalid));
        assert_eq!(resolve("/lfs/app", "a\nb"), Err(WasiErrno::Invalid));
    }

    #[test]
    fn a_path_needs_room_for_its_nul() {
        let longest = "x".repeat(32 - 1 - FOLDER.len() - 1);
        assert_eq!(resolve("/lfs/app", &longest).map(|path| path.len()), Ok(31));
        assert_eq!(resolve("/lfs/app", &(longest + "x")), Err(WasiErrno::NameTooLong));
    }

    #[test]
    fn no_path_of_few_characters_leaves_the_folder() {
        let letters = [b'/', b'.', b'a'];
        for number in 0..3usize.pow(8) {
            let path: Vec<u8> = (0..8).map(|digit| letters[number / 3usize.pow(digit) % 3]).collect();
            if let Ok(resolved) = Path::<64>::new(b"/lfs/app/d", FOLDER.len(), &path) {
                let bytes = resolved.with_nul();
                assert!(bytes.starts_with(FOLDER), "{path:?}");
                let names = bytes[FOLDER.len()..bytes.len() - 1].split(|byte| *byte == b'/');
                assert!(names.skip(1).all(|name| !matches!(name, b"" | b"." | b"..")), "{path:?}");
            }
        }
    }

    #[test]
    fn a_path_tells_whether_it_is_that_of_a_directory_or_of_the_folder() {
        let is = |path: &str| {
            let resolved = Path::<32>::new(FOLDER, FOLDER.len(), path.as_bytes()).unwrap();
            (resolved.is_directory(), resolved.is_folder())
        };
        assert_eq!(is("a"), (false, false));
        assert_eq!(is("a/"), (true, false));
        assert_eq!(is("a/.."), (true, true));
        assert_eq!(is("."), (true, true));
    }
}
