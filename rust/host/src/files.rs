// SPDX-License-Identifier: Apache-2.0
//! Files as a board offers them: folders that the app was granted, and what it opens in them.

use wisp_abi::wasi::filetype;
use wisp_abi::WasiErrno;

/// Result of a call of [`Files`]: WASI has error numbers for files that `wisp:*` does not need.
pub type FileResult<T> = Result<T, WasiErrno>;

/// Type of what has a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Something else.
    Other,
}

impl FileType {
    /// Returns the number of WASI's `filetype`.
    pub const fn number(self) -> u8 {
        match self {
            FileType::File => filetype::REGULAR_FILE,
            FileType::Directory => filetype::DIRECTORY,
            FileType::Link => filetype::SYMBOLIC_LINK,
            FileType::Other => filetype::UNKNOWN,
        }
    }
}

/// Facts that a board knows about a file. Times are nanoseconds since 1970, 0 where the file system keeps none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Type.
    pub kind: FileType,
    /// Bytes.
    pub size: u64,
    /// Number of the device.
    pub device: u64,
    /// Number that no other file of the device has, or 0 if the file system has no such numbers.
    pub inode: u64,
    /// Paths of the file.
    pub links: u64,
    /// Time of the last access.
    pub accessed: u64,
    /// Time of the last change of the contents.
    pub modified: u64,
    /// Time of the last change of anything.
    pub changed: u64,
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Bytes of the name. The buffer holds as many of them as fit.
    pub length: usize,
    /// Type.
    pub kind: FileType,
    /// Number of the file, 0 if it has none.
    pub inode: u64,
}

/// The choices with which a path is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opening {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Creates the file if there is none.
    pub create: bool,
    /// Fails if there is one.
    pub exclusive: bool,
    /// Makes the file empty.
    pub truncate: bool,
    /// Fails unless it is a directory.
    pub directory: bool,
    /// Follows a symbolic link at the end of the path.
    pub follow: bool,
}

/// A time to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Leaves the time as it is.
    Keep,
    /// The present.
    Now,
    /// Nanoseconds since 1970.
    At(u64),
}

/// One file descriptor of an app from number 0 on. Any bytes are a valid value, and zeros are a descriptor
/// that is not open, so that C can own the memory.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Descriptor {
    /// Position in a file, bytes.
    pub(crate) position: u64,
    /// Number of the board's object.
    pub(crate) object: u16,
    /// One of the constants below.
    pub(crate) kind: u8,
    /// `fdflags`, and the two bits below.
    pub(crate) flags: u8,
}

impl Descriptor {
    /// Not open.
    pub(crate) const CLOSED: u8 = 0;
    /// A standard stream: `object` is its original number.
    pub(crate) const STREAM: u8 = 1;
    /// A folder that the app was granted.
    pub(crate) const FOLDER: u8 = 2;
    /// A directory that the app opened.
    pub(crate) const DIRECTORY: u8 = 3;
    /// A file that the app opened.
    pub(crate) const FILE: u8 = 4;
    /// In `flags`: can be read.
    pub(crate) const READ: u8 = 0x40;
    /// In `flags`: can be written.
    pub(crate) const WRITE: u8 = 0x80;
}

/// The files of an app.
///
/// An object is what the board has open, by a number of the board's choice. The folders that the app was
/// granted are objects from 0 to [`Files::folders`] - 1 and are always open. A path is relative to the folder
/// or directory given with it, is not empty, and holds no NUL. It may hold `..` and symbolic links: the board
/// resolves them, and fails with [`WasiErrno::Perm`] where they lead out of the folder.
pub trait Files {
    /// True if the board may have files. If not, no code for them is compiled.
    const FILES: bool = false;

    /// Returns the memory for the app's descriptors, at least three and one for each folder, or none if it has no
    /// files.
    fn descriptors(&mut self) -> &mut [Descriptor] {
        &mut []
    }

    /// Returns the number of folders that the app was granted.
    fn folders(&self) -> u16 {
        0
    }

    /// Returns the name of a folder, by which the app knows it: often `/`.
    fn folder_name(&self, _folder: u16) -> &[u8] {
        &[]
    }

    /// Opens a path.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn open(&mut self, _object: u16, _path: &[u8], _how: Opening) -> FileResult<(u16, FileType)> {
        Err(WasiErrno::BadHandle)
    }

    /// Closes an object that [`Files::open`] returned.
    ///
    /// # Errors
    /// The error that the file system reports. The object is closed all the same.
    fn close(&mut self, _object: u16) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Reads from a place of a file: fewer bytes than asked for at its end only.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn read(&mut self, _object: u16, _position: u64, _buffer: &mut [u8]) -> FileResult<usize> {
        Err(WasiErrno::BadHandle)
    }

    /// Writes to a place of a file. A gap before it is filled with zeros.
    ///
    /// # Errors
    /// `dquot` beyond the quota, else what the file system says.
    fn write(&mut self, _object: u16, _position: u64, _bytes: &[u8]) -> FileResult<usize> {
        Err(WasiErrno::BadHandle)
    }

    /// Cuts a file or lengthens it with zeros.
    ///
    /// # Errors
    /// Returns the errors of [`Files::write`].
    fn set_size(&mut self, _object: u16, _size: u64) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Waits until a file is stored.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn sync(&mut self, _object: u16) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Describes an object.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn metadata(&mut self, _object: u16) -> FileResult<Metadata> {
        Err(WasiErrno::BadHandle)
    }

    /// Describes what has a path.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn metadata_at(&mut self, _object: u16, _path: &[u8], _follow: bool) -> FileResult<Metadata> {
        Err(WasiErrno::BadHandle)
    }

    /// Sets the times of the last access and the last change of an object.
    ///
    /// # Errors
    /// `notsup` if the file system keeps none.
    fn set_times(&mut self, _object: u16, _accessed: Time, _modified: Time) -> FileResult<()> {
        Err(WasiErrno::NotSupported)
    }

    /// Sets the times as [`Files::set_times`] does, of an object that a path names.
    ///
    /// # Errors
    /// As there.
    fn set_times_at(&mut self, _: u16, _path: &[u8], _follow: bool, _atime: Time, _mtime: Time) -> FileResult<()> {
        Err(WasiErrno::NotSupported)
    }

    /// Returns the entry of a directory with this number, without `.` and `..`, or `None` behind the last. Its name
    /// goes to `name`.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn entry(&mut self, _object: u16, _index: u64, _name: &mut [u8]) -> FileResult<Option<Entry>> {
        Err(WasiErrno::BadHandle)
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// Returns the errors of [`Files::write`].
    fn create_directory(&mut self, _object: u16, _path: &[u8]) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn remove_directory(&mut self, _object: u16, _path: &[u8]) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// The error that the file system reports.
    fn remove_file(&mut self, _object: u16, _path: &[u8]) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Moves a file or a directory.
    ///
    /// # Errors
    /// `xdev` between folders, else what the file system says.
    fn rename(&mut self, _object: u16, _path: &[u8], _to: u16, _new: &[u8]) -> FileResult<()> {
        Err(WasiErrno::BadHandle)
    }

    /// Gives a file a second path.
    ///
    /// # Errors
    /// `notsup` if the file system has no hard links, else what it says.
    fn link(&mut self, _object: u16, _path: &[u8], _to: u16, _new: &[u8]) -> FileResult<()> {
        Err(WasiErrno::NotSupported)
    }

    /// Creates a symbolic link.
    ///
    /// # Errors
    /// `notsup` if the file system has none, else what it says.
    fn symlink(&mut self, _target: &[u8], _object: u16, _path: &[u8]) -> FileResult<()> {
        Err(WasiErrno::NotSupported)
    }

    /// Reads a symbolic link, as much as fits into the buffer.
    ///
    /// # Errors
    /// `notsup` if the file system has none, else what it says.
    fn read_link(&mut self, _object: u16, _path: &[u8], _buffer: &mut [u8]) -> FileResult<usize> {
        Err(WasiErrno::NotSupported)
    }
}
