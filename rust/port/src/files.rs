// SPDX-License-Identifier: Apache-2.0
//! Folders of a file system that apps are granted.

use crate::platform::Zephyr;
use wisp_host::platform::Files;

#[cfg(not(feature = "fs"))]
impl Files for Zephyr {}

#[cfg(feature = "fs")]
mod driver {
    use super::{Files, Zephyr};
    use crate::shim;
    use core::ffi::{c_char, CStr};
    use core::slice;
    use wisp_host::platform::{Descriptor, Entry, FileResult, FileType, Metadata, Opening};
    use wisp_host::{Path, WasiErrno};

    /// A path as the file system knows it.
    type Resolved = Path<{ shim::WISP_FS_PATH as usize }>;

    const _: () = {
        assert!(size_of::<Descriptor>() == shim::WISP_FS_DESCRIPTOR_WORDS as usize * size_of::<u64>());
        assert!(align_of::<Descriptor>() <= align_of::<u64>());
        assert!(shim::wisp_fs_error_WISP_FS_ACCESS == WasiErrno::Access as u32);
        assert!(shim::wisp_fs_error_WISP_FS_AGAIN == WasiErrno::Again as u32);
        assert!(shim::wisp_fs_error_WISP_FS_BAD_HANDLE == WasiErrno::BadHandle as u32);
        assert!(shim::wisp_fs_error_WISP_FS_BUSY == WasiErrno::Busy as u32);
        assert!(shim::wisp_fs_error_WISP_FS_QUOTA == WasiErrno::Quota as u32);
        assert!(shim::wisp_fs_error_WISP_FS_EXISTS == WasiErrno::Exists as u32);
        assert!(shim::wisp_fs_error_WISP_FS_TOO_BIG == WasiErrno::TooBig as u32);
        assert!(shim::wisp_fs_error_WISP_FS_INVALID == WasiErrno::Invalid as u32);
        assert!(shim::wisp_fs_error_WISP_FS_IO == WasiErrno::Io as u32);
        assert!(shim::wisp_fs_error_WISP_FS_IS_DIRECTORY == WasiErrno::IsDirectory as u32);
        assert!(shim::wisp_fs_error_WISP_FS_TOO_MANY_OPEN == WasiErrno::TooManyOpen as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NAME_TOO_LONG == WasiErrno::NameTooLong as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NO_ENTRY == WasiErrno::NoEntry as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NO_MEMORY == WasiErrno::NoMemory as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NO_SPACE == WasiErrno::NoSpace as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NOT_DIRECTORY == WasiErrno::NotDirectory as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NOT_EMPTY == WasiErrno::NotEmpty as u32);
        assert!(shim::wisp_fs_error_WISP_FS_NOT_SUPPORTED == WasiErrno::NotSupported as u32);
        assert!(shim::wisp_fs_error_WISP_FS_READ_ONLY == WasiErrno::ReadOnly as u32);
    };

    /// Translates an error number of the shims. They are those of WASI, and 0 is success.
    fn check(error: u32) -> FileResult<()> {
        match u16::try_from(error) {
            Ok(0) => Ok(()),
            Ok(number) => Err(WasiErrno::from_number(number).unwrap_or(WasiErrno::Io)),
            Err(_) => Err(WasiErrno::Io),
        }
    }

    fn kind(kind: u32) -> FileType {
        if kind == shim::wisp_fs_kind_WISP_FS_DIRECTORY {
            FileType::Directory
        } else {
            FileType::File
        }
    }

    /// Turns facts into those that a file system without times and numbers of files has.
    fn metadata(facts: shim::wisp_fs_facts) -> Metadata {
        let (kind, size) = (kind(facts.kind), facts.size);
        Metadata { kind, size, device: 0, inode: 0, links: 1, accessed: 0, modified: 0, changed: 0 }
    }

    /// Returns the path for C.
    fn text(path: &Resolved) -> *const c_char {
        path.with_nul().as_ptr().cast()
    }

    impl Zephyr {
        /// Follows a path of the guest's from an open directory, and tells the index of its folder.
        fn resolve(&self, object: u16, path: &[u8]) -> FileResult<(Resolved, u32)> {
            let mut place = shim::wisp_fs_place { path: core::ptr::null(), folder: 0, folder_length: 0 };
            // SAFETY: `app` is valid by the contract of `new`; the place is written before the shim returns success.
            check(unsafe { shim::wisp_shim_fs_directory(self.app, object.into(), &mut place) })?;
            // SAFETY: after success the path is a NUL-terminated string that does not change until the directory is
            // closed, which only this thread does.
            let directory = unsafe { CStr::from_ptr(place.path) }.to_bytes();
            Ok((Path::new(directory, place.folder_length as usize, path)?, place.folder))
        }

        /// Follows a path as [`Zephyr::resolve`] does, for what cannot be done to the folder itself.
        fn resolve_inside(&self, object: u16, path: &[u8]) -> FileResult<(Resolved, u32)> {
            let (path, folder) = self.resolve(object, path)?;
            if path.is_folder() {
                return Err(WasiErrno::Busy);
            }
            Ok((path, folder))
        }

        fn remove(&mut self, object: u16, path: &[u8], kind: u32) -> FileResult<()> {
            let (given, (path, folder)) = (path, self.resolve_inside(object, path)?);
            if path.is_directory() {
                // a slash at the end says that it is one
                self.metadata_at(object, given, false)?;
            }
            // SAFETY: `app` is valid by the contract of `new`; the path is NUL-terminated and only read.
            check(unsafe { shim::wisp_shim_fs_remove(self.app, folder, text(&path), kind) })
        }
    }

    /// Returns the flags of a `wisp_fs_how`.
    fn flags(how: Opening, is_directory: bool) -> u32 {
        let choices = [
            (how.read, shim::wisp_fs_how_WISP_FS_READ),
            (how.write, shim::wisp_fs_how_WISP_FS_WRITE),
            (how.create, shim::wisp_fs_how_WISP_FS_CREATE),
            (how.exclusive, shim::wisp_fs_how_WISP_FS_EXCLUSIVE),
            (how.truncate, shim::wisp_fs_how_WISP_FS_TRUNCATE),
            (how.directory || is_directory, shim::wisp_fs_how_WISP_FS_ONLY_DIRECTORY),
        ];
        choices.iter().filter(|(chosen, _)| *chosen).map(|(_, flag)| flag).sum()
    }

    impl Files for Zephyr {
        const FILES: bool = true;

        fn descriptors(&mut self) -> &mut [Descriptor] {
            let mut count = 0;
            // SAFETY: `app` is valid by the contract of `new`.
            let memory = unsafe { shim::wisp_shim_fs_descriptors(self.app, &mut count) };
            if memory.is_null() {
                return &mut [];
            }
            // SAFETY: the shim gives memory for `count` descriptors of the size asserted above, aligned for words of 64
            // bits, that is the app's own and lives as long as the program. Any bytes are a descriptor, and only the
            // app's thread, which borrows `self`, uses them.
            unsafe { slice::from_raw_parts_mut(memory.cast(), count) }
        }

        fn folders(&self) -> u16 {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_fs_folders(self.app) as u16 }
        }

        fn folder_name(&self, folder: u16) -> &[u8] {
            // SAFETY: `app` is valid by the contract of `new`; the shim returns a NUL-terminated string in flash.
            unsafe { CStr::from_ptr(shim::wisp_shim_fs_folder_name(self.app, folder.into())) }.to_bytes()
        }

        fn open(&mut self, object: u16, path: &[u8], how: Opening) -> FileResult<(u16, FileType)> {
            let (path, folder) = self.resolve(object, path)?;
            let how = flags(how, path.is_directory());
            let (mut opened, mut found) = (0, 0);
            // SAFETY: `app` is valid by the contract of `new`; the path is NUL-terminated and only read; the results are
            // written before the shim returns success.
            check(unsafe { shim::wisp_shim_fs_open(self.app, folder, text(&path), how, &mut opened, &mut found) })?;
            Ok((opened as u16, kind(found)))
        }

        fn close(&mut self, object: u16) -> FileResult<()> {
            // SAFETY: `app` is valid by the contract of `new`.
            check(unsafe { shim::wisp_shim_fs_close(self.app, object.into()) })
        }

        fn read(&mut self, object: u16, position: u64, buffer: &mut [u8]) -> FileResult<usize> {
            let (start, length) = (buffer.as_mut_ptr(), buffer.len());
            let mut done = 0;
            // SAFETY: `app` is valid by the contract of `new`; start and length are those of one exclusive slice.
            check(unsafe { shim::wisp_shim_fs_read(self.app, object.into(), position, start, length, &mut done) })?;
            Ok(done)
        }

        fn write(&mut self, object: u16, position: u64, bytes: &[u8]) -> FileResult<usize> {
            let (start, length) = (bytes.as_ptr(), bytes.len());
            let mut done = 0;
            // SAFETY: `app` is valid by the contract of `new`; start and length are those of one slice, only read.
            check(unsafe { shim::wisp_shim_fs_write(self.app, object.into(), position, start, length, &mut done) })?;
            Ok(done)
        }

        fn set_size(&mut self, object: u16, size: u64) -> FileResult<()> {
            // SAFETY: `app` is valid by the contract of `new`.
            check(unsafe { shim::wisp_shim_fs_resize(self.app, object.into(), size) })
        }

        fn sync(&mut self, object: u16) -> FileResult<()> {
            // SAFETY: `app` is valid by the contract of `new`.
            check(unsafe { shim::wisp_shim_fs_sync(self.app, object.into()) })
        }

        fn metadata(&mut self, object: u16) -> FileResult<Metadata> {
            let mut facts = shim::wisp_fs_facts { size: 0, kind: 0 };
            // SAFETY: `app` is valid by the contract of `new`; the facts are written before the shim returns success.
            check(unsafe { shim::wisp_shim_fs_object(self.app, object.into(), &mut facts) })?;
            Ok(metadata(facts))
        }

        fn metadata_at(&mut self, object: u16, path: &[u8], _follow: bool) -> FileResult<Metadata> {
            let (path, folder) = self.resolve(object, path)?;
            let mut facts = shim::wisp_fs_facts { size: 0, kind: 0 };
            // SAFETY: `app` is valid by the contract of `new`; the place is written before the shim returns success;
            // the path is NUL-terminated and only read.
            check(unsafe { shim::wisp_shim_fs_stat(self.app, folder, text(&path), &mut facts) })?;
            let found = metadata(facts);
            if path.is_directory() && found.kind != FileType::Directory {
                return Err(WasiErrno::NotDirectory);
            }
            Ok(found)
        }

        fn entry(&mut self, object: u16, index: u64, name: &mut [u8]) -> FileResult<Option<Entry>> {
            let (start, size) = (name.as_mut_ptr(), name.len());
            let (mut length, mut found) = (0, 0);
            // SAFETY: `app` is valid by the contract of `new`; start and size are those of one exclusive slice; the
            // results are written before the shim returns success.
            check(unsafe {
                shim::wisp_shim_fs_entry(self.app, object.into(), index, start, size, &mut length, &mut found)
            })?;
            Ok((length > 0).then(|| Entry { length, kind: kind(found), inode: 0 }))
        }

        fn create_directory(&mut self, object: u16, path: &[u8]) -> FileResult<()> {
            let (path, folder) = self.resolve(object, path)?;
            // SAFETY: `app` is valid by the contract of `new`; the path is NUL-terminated and only read.
            check(unsafe { shim::wisp_shim_fs_make_directory(self.app, folder, text(&path)) })
        }

        fn remove_directory(&mut self, object: u16, path: &[u8]) -> FileResult<()> {
            self.remove(object, path, shim::wisp_fs_kind_WISP_FS_DIRECTORY)
        }

        fn remove_file(&mut self, object: u16, path: &[u8]) -> FileResult<()> {
            self.remove(object, path, shim::wisp_fs_kind_WISP_FS_FILE)
        }

        fn rename(&mut self, object: u16, path: &[u8], to: u16, new: &[u8]) -> FileResult<()> {
            let ((path, folder), (new, other)) = (self.resolve_inside(object, path)?, self.resolve_inside(to, new)?);
            if folder != other {
                return Err(WasiErrno::CrossDevice);
            }
            // SAFETY: `app` is valid by the contract of `new`; both paths are NUL-terminated and only read.
            check(unsafe { shim::wisp_shim_fs_rename(self.app, folder, text(&path), text(&new)) })
        }
    }
}
