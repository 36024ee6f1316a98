// SPDX-License-Identifier: Apache-2.0
//! Folders of the workstation that an app was granted. `cap-std` keeps every path inside its folder.

use crate::platform::SimPlatform;
use cap_fs_ext::{
    DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, OpenOptionsSyncExt,
    SystemTimeSpec,
};
use cap_std::fs::{Dir, File, OpenOptions};
use cap_std::time::SystemTime;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wisp_abi::WasiErrno;
use wisp_host::platform::{Descriptor, Entry, FileResult, FileType, Files, Metadata, Opening, Time};

/// Descriptors that an app can have open, its streams and folders included.
const DESCRIPTORS: usize = 64;
/// Bytes that a file or a directory counts for beside its contents.
const ENTRY_COST: u64 = 64;

/// A folder as a board file grants it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderConfig {
    /// The folder of the workstation, relative to the current directory.
    pub(crate) path: PathBuf,
    /// Bytes of all files in it, 64 more for each file and directory.
    #[serde(default)]
    pub(crate) quota: Option<u64>,
}

/// A folder that was granted.
#[derive(Debug)]
struct Folder {
    name: String,
    dir: Dir,
    quota: Option<u64>,
}

/// An object that an app has open beside its folders.
#[derive(Debug)]
enum Object {
    File(File),
    Directory(Dir, Option<Listing>),
}

/// Entries of a directory: name, kind, number of the file.
type Listing = Vec<(String, FileType, u64)>;

/// The files of an app.
#[derive(Debug)]
pub(crate) struct Folders {
    /// Folders of the board file that were not opened yet.
    granted: BTreeMap<String, FolderConfig>,
    descriptors: [Descriptor; DESCRIPTORS],
    folders: Vec<Folder>,
    /// Entries of the folders, from the last time that their first was read.
    listings: Vec<Option<Listing>>,
    /// Each with the index of the folder that it lies in.
    objects: Vec<Option<(usize, Object)>>,
}

impl Folders {
    pub(crate) fn new(granted: BTreeMap<String, FolderConfig>) -> Self {
        Folders {
            granted,
            descriptors: [Descriptor::default(); DESCRIPTORS],
            folders: Vec::new(),
            listings: Vec::new(),
            objects: Vec::new(),
        }
    }

    /// Grants a folder of the workstation under a name.
    ///
    /// # Errors
    /// The path cannot be opened as a folder, or there are too many folders.
    pub(crate) fn add(&mut self, host: &Path, name: &str, quota: Option<u64>) -> io::Result<()> {
        if self.folders.len() + 3 >= DESCRIPTORS {
            return Err(io::Error::other(format!("more than {} folders", DESCRIPTORS - 3)));
        }
        let dir = Dir::open_ambient_dir(host, cap_std::ambient_authority())?;
        self.folders.push(Folder { name: name.into(), dir, quota });
        self.listings.push(None);
        Ok(())
    }

    /// Opens the folders of the board file.
    ///
    /// # Errors
    /// Returns the first error of [`Folders::add`], with the path that it is about.
    pub(crate) fn open_granted(&mut self) -> Result<(), (PathBuf, io::Error)> {
        for (name, FolderConfig { path, quota }) in std::mem::take(&mut self.granted) {
            self.add(&path, &name, quota).map_err(|error| (path, error))?;
        }
        Ok(())
    }

    /// Returns the directory that an object is, and the index of its folder.
    fn directory(&self, object: u16) -> FileResult<(&Dir, usize)> {
        let index = usize::from(object);
        if let Some(folder) = self.folders.get(index) {
            return Ok((&folder.dir, index));
        }
        match self.objects.get(index - self.folders.len()) {
            Some(Some((folder, Object::Directory(dir, _)))) => Ok((dir, *folder)),
            Some(Some(_)) => Err(WasiErrno::NotDirectory),
            _ => Err(WasiErrno::BadHandle),
        }
    }

    /// Returns the file that an object is, and the index of its folder.
    fn file(&mut self, object: u16) -> FileResult<(&mut File, usize)> {
        let index = usize::from(object).checked_sub(self.folders.len()).ok_or(WasiErrno::IsDirectory)?;
        match self.objects.get_mut(index) {
            Some(Some((folder, Object::File(file)))) => Ok((file, *folder)),
            Some(Some(_)) => Err(WasiErrno::IsDirectory),
            _ => Err(WasiErrno::BadHandle),
        }
    }

    /// Returns the entries of a directory from the last time that they were read.
    fn listing(&mut self, object: u16) -> FileResult<&mut Option<Listing>> {
        let index = usize::from(object);
        let folders = self.folders.len();
        if index < folders {
            return self.listings.get_mut(index).ok_or(WasiErrno::BadHandle);
        }
        match self.objects.get_mut(index - folders) {
            Some(Some((_, Object::Directory(_, listing)))) => Ok(listing),
            _ => Err(WasiErrno::BadHandle),
        }
    }

    fn insert(&mut self, folder: usize, object: Object) -> FileResult<u16> {
        let free = self.objects.iter().position(Option::is_none).unwrap_or_else(|| {
            self.objects.push(None);
            self.objects.len() - 1
        });
        self.objects[free] = Some((folder, object));
        u16::try_from(free + self.folders.len()).map_err(|_| WasiErrno::TooManyOpen)
    }

    /// Fails if `bytes` more do not fit into the quota of a folder.
    fn reserve(&self, folder: usize, bytes: u64) -> FileResult<()> {
        let Some(Folder { dir, quota: Some(quota), .. }) = self.folders.get(folder) else { return Ok(()) };
        if bytes == 0 {
            return Ok(());
        }
        let used = used(dir).and_then(|used| Ok(used.saturating_add(self.removed(folder)?))).map_err(number)?;
        if used.saturating_add(bytes) <= *quota {
            Ok(())
        } else {
            Err(WasiErrno::Quota)
        }
    }

    /// Returns the bytes that files of a folder count for which were removed and are still open.
    fn removed(&self, folder: usize) -> io::Result<u64> {
        let mut found = BTreeMap::new();
        for (of, object) in self.objects.iter().flatten() {
            if let (true, Object::File(file)) = (*of == folder, object) {
                let metadata = file.metadata()?;
                if metadata.nlink() == 0 {
                    found.insert((metadata.dev(), metadata.ino()), metadata.len().saturating_add(ENTRY_COST));
                }
            }
        }
        Ok(found.into_values().fold(0, u64::saturating_add))
    }

    /// Checks the quota before a path gets an entry with so many bytes. A path that cannot get one is left to the call
    /// to refuse, which knows why. With `follow`, a link without a target gets one.
    fn reserve_entry(&self, dir: &Dir, folder: usize, path: &str, bytes: u64, follow: bool) -> FileResult<()> {
        let parent = Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty());
        let found = if follow { dir.metadata(path) } else { dir.symlink_metadata(path) };
        let missing = found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if missing && parent.is_none_or(|parent| dir.is_dir(parent)) {
            self.reserve(folder, ENTRY_COST + bytes)
        } else {
            Ok(())
        }
    }

    /// Checks the quota before a file gets this long.
    fn reserve_size(&mut self, object: u16, size: u64) -> FileResult<()> {
        let (file, folder) = self.file(object)?;
        let present = file.metadata().map_err(number)?.len();
        self.reserve(folder, size.saturating_sub(present))
    }
}

/// Returns the bytes that a directory's contents count for.
fn used(dir: &Dir) -> io::Result<u64> {
    let mut total = 0u64;
    // The directories on the way. The app decides how many there are, so this is no recursion.
    let mut way = vec![dir.entries()?];
    while let Some(entries) = way.last_mut() {
        let Some(entry) = entries.next() else {
            way.pop();
            continue;
        };
        let entry = entry?;
        let metadata = entry.metadata()?;
        let inside = if metadata.is_dir() { 0 } else { metadata.len() };
        total = total.saturating_add(ENTRY_COST).saturating_add(inside);
        if metadata.is_dir() {
            way.push(entry.open_dir()?.entries()?);
        }
    }
    Ok(total)
}

/// Returns the error as WASI numbers it.
fn number(error: io::Error) -> WasiErrno {
    use io::ErrorKind as Kind;
    match error.kind() {
        // without a number of the system, it is cap-std that refuses to leave the folder
        Kind::PermissionDenied if error.raw_os_error().is_none() => WasiErrno::Perm,
        Kind::PermissionDenied => WasiErrno::Access,
        Kind::NotFound => WasiErrno::NoEntry,
        Kind::AlreadyExists => WasiErrno::Exists,
        Kind::NotADirectory => WasiErrno::NotDirectory,
        Kind::IsADirectory => WasiErrno::IsDirectory,
        Kind::DirectoryNotEmpty => WasiErrno::NotEmpty,
        Kind::InvalidInput => WasiErrno::Invalid,
        Kind::StorageFull => WasiErrno::NoSpace,
        Kind::QuotaExceeded => WasiErrno::Quota,
        Kind::ReadOnlyFilesystem => WasiErrno::ReadOnly,
        Kind::FileTooLarge => WasiErrno::TooBig,
        Kind::InvalidFilename => WasiErrno::NameTooLong,
        Kind::CrossesDevices => WasiErrno::CrossDevice,
        Kind::ResourceBusy => WasiErrno::Busy,
        Kind::Unsupported => WasiErrno::NotSupported,
        // the standard library has no stable name for "too many levels of symbolic links"
        _ if error.raw_os_error() == Some(if cfg!(target_os = "linux") { 40 } else { 62 }) => WasiErrno::Loop,
        _ => WasiErrno::Io,
    }
}

/// Returns a path of the guest's, which is UTF-8.
fn text(path: &[u8]) -> FileResult<&str> {
    std::str::from_utf8(path).map_err(|_| WasiErrno::BadSequence)
}

/// Reads the entries of a directory, sorted by name: the workstation's order differs from machine to machine.
fn entries(dir: &Dir) -> FileResult<Listing> {
    let mut entries = Vec::new();
    for entry in dir.entries().map_err(number)? {
        let entry = entry.map_err(number)?;
        let metadata = entry.metadata().map_err(number)?;
        // a name that is not UTF-8 has no path that the app could say
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, kind(metadata.file_type()), metadata.ino()));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn kind(found: cap_std::fs::FileType) -> FileType {
    if found.is_dir() {
        FileType::Directory
    } else if found.is_file() {
        FileType::File
    } else if found.is_symlink() {
        FileType::Link
    } else {
        FileType::Other
    }
}

fn metadata(found: io::Result<cap_std::fs::Metadata>) -> FileResult<Metadata> {
    let found = found.map_err(number)?;
    let since = |time: io::Result<SystemTime>| {
        let since = time.ok().and_then(|time| time.into_std().duration_since(std::time::UNIX_EPOCH).ok());
        since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    };
    let modified = since(found.modified());
    Ok(Metadata {
        kind: kind(found.file_type()),
        size: found.len(),
        device: found.dev(),
        inode: found.ino(),
        links: found.nlink(),
        accessed: since(found.accessed()),
        modified,
        changed: modified,
    })
}

fn time(time: Time) -> FileResult<Option<SystemTimeSpec>> {
    Ok(match time {
        Time::Keep => None,
        Time::Now => Some(SystemTimeSpec::SymbolicNow),
        Time::At(ns) => {
            let at = std::time::UNIX_EPOCH.checked_add(Duration::from_nanos(ns)).ok_or(WasiErrno::Overflow)?;
            Some(SystemTimeSpec::Absolute(SystemTime::from_std(at)))
        }
    })
}

impl Files for SimPlatform {
    const FILES: bool = true;

    fn descriptors(&mut self) -> &mut [Descriptor] {
        &mut self.files.descriptors
    }

    fn folders(&self) -> u16 {
        self.files.folders.len() as u16
    }

    fn folder_name(&self, folder: u16) -> &[u8] {
        self.files.folders.get(usize::from(folder)).map_or(&[], |folder| folder.name.as_bytes())
    }

    fn open(&mut self, object: u16, path: &[u8], how: Opening) -> FileResult<(u16, FileType)> {
        let (dir, folder) = self.files.directory(object)?;
        let path = text(path)?;
        let write = how.write || how.create || how.truncate;
        let mut options = OpenOptions::new();
        // a pipe is refused below, and its opening must not wait for the other end
        options.maybe_dir(true).nonblock(true).read(how.read || !write).write(write).truncate(how.truncate);
        options.create(how.create && !how.exclusive).create_new(how.create && how.exclusive);
        options.follow(if how.follow && !how.exclusive { FollowSymlinks::Yes } else { FollowSymlinks::No });
        if how.create {
            self.files.reserve_entry(dir, folder, path, 0, how.follow && !how.exclusive)?;
        }
        let file = dir.open_with(path, &options).map_err(number)?;
        let kind = kind(file.metadata().map_err(number)?.file_type());
        let object = match kind {
            FileType::Directory => Object::Directory(Dir::from_std_file(file.into_std()), None),
            _ if how.directory => return Err(WasiErrno::NotDirectory),
            // an app waits for no other program of the workstation
            FileType::Other => return Err(WasiErrno::Access),
            _ => Object::File(file),
        };
        Ok((self.files.insert(folder, object)?, kind))
    }

    fn close(&mut self, object: u16) -> FileResult<()> {
        let index = usize::from(object).checked_sub(self.files.folders.len()).ok_or(WasiErrno::BadHandle)?;
        let object = self.files.objects.get_mut(index).and_then(Option::take);
        object.map(|_| ()).ok_or(WasiErrno::BadHandle)
    }

    fn read(&mut self, object: u16, position: u64, buffer: &mut [u8]) -> FileResult<usize> {
        let (file, _) = self.files.file(object)?;
        match file.seek(SeekFrom::Start(position)) {
            // beyond the longest file that the file system can have
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(0),
            sought => sought.map_err(number)?,
        };
        let mut read = 0;
        while read < buffer.len() {
            match file.read(&mut buffer[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(number(error)),
            }
        }
        Ok(read)
    }

    fn write(&mut self, object: u16, position: u64, bytes: &[u8]) -> FileResult<usize> {
        let end = position.checked_add(bytes.len() as u64).filter(|end| i64::try_from(*end).is_ok());
        let end = end.ok_or(WasiErrno::TooBig)?;
        self.files.reserve_size(object, if bytes.is_empty() { 0 } else { end })?;
        let (file, _) = self.files.file(object)?;
        match file.seek(SeekFrom::Start(position)) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(WasiErrno::TooBig),
            sought => sought.map_err(number)?,
        };
        file.write_all(bytes).map_err(number)?;
        Ok(bytes.len())
    }

    fn set_size(&mut self, object: u16, size: u64) -> FileResult<()> {
        self.files.reserve_size(object, size)?;
        self.files.file(object)?.0.set_len(size).map_err(number)
    }

    fn sync(&mut self, object: u16) -> FileResult<()> {
        self.files.file(object)?.0.sync_all().map_err(number)
    }

    fn metadata(&mut self, object: u16) -> FileResult<Metadata> {
        match self.files.directory(object) {
            Ok((dir, _)) => metadata(dir.dir_metadata()),
            Err(_) => metadata(self.files.file(object)?.0.metadata()),
        }
    }

    fn metadata_at(&mut self, object: u16, path: &[u8], follow: bool) -> FileResult<Metadata> {
        let (dir, _) = self.files.directory(object)?;
        let path = text(path)?;
        metadata(if follow { dir.metadata(path) } else { dir.symlink_metadata(path) })
    }

    fn set_times(&mut self, object: u16, accessed: Time, modified: Time) -> FileResult<()> {
        let (accessed, modified) = (time(accessed)?, time(modified)?);
        if let Ok((dir, _)) = self.files.directory(object) {
            return dir.set_times(Path::new("."), accessed, modified).map_err(number);
        }
        let present = |time: SystemTimeSpec| match time {
            SystemTimeSpec::SymbolicNow => std::time::SystemTime::now(),
            SystemTimeSpec::Absolute(time) => time.into_std(),
        };
        let mut times = std::fs::FileTimes::new();
        times = accessed.map_or(times, |at| times.set_accessed(present(at)));
        times = modified.map_or(times, |at| times.set_modified(present(at)));
        let file = self.files.file(object)?.0.try_clone().map_err(number)?;
        file.into_std().set_times(times).map_err(number)
    }

    fn set_times_at(&mut self, object: u16, path: &[u8], follow: bool, atime: Time, mtime: Time) -> FileResult<()> {
        let (dir, _) = self.files.directory(object)?;
        let (path, accessed, modified) = (Path::new(text(path)?), time(atime)?, time(mtime)?);
        let set = if follow { DirExt::set_times } else { DirExt::set_symlink_times };
        set(dir, path, accessed, modified).map_err(number)
    }

    fn entry(&mut self, object: u16, index: u64, name: &mut [u8]) -> FileResult<Option<Entry>> {
        // the first entry, and the first look at a directory, read it anew
        if index == 0 || self.files.listing(object)?.is_none() {
            let entries = entries(self.files.directory(object)?.0)?;
            *self.files.listing(object)? = Some(entries);
        }
        let listing = self.files.listing(object)?.as_deref().unwrap_or_default();
        let found = usize::try_from(index).ok().and_then(|index| listing.get(index));
        Ok(found.map(|(text, kind, inode)| {
            let fits = text.len().min(name.len());
            name[..fits].copy_from_slice(&text.as_bytes()[..fits]);
            Entry { length: text.len(), kind: *kind, inode: *inode }
        }))
    }

    fn create_directory(&mut self, object: u16, path: &[u8]) -> FileResult<()> {
        let (dir, folder) = self.files.directory(object)?;
        let path = text(path)?;
        self.files.reserve_entry(dir, folder, path, 0, false)?;
        dir.create_dir(path).map_err(number)
    }

    fn remove_directory(&mut self, object: u16, path: &[u8]) -> FileResult<()> {
        self.files.directory(object)?.0.remove_dir(text(path)?).map_err(number)
    }

    fn remove_file(&mut self, object: u16, path: &[u8]) -> FileResult<()> {
        let (dir, _) = self.files.directory(object)?;
        let path = text(path)?;
        let result = dir.remove_file_or_symlink(path);
        // some systems say that a directory may not be removed, and mean that it is one
        let directory = || dir.symlink_metadata(path.trim_end_matches('/')).is_ok_and(|found| found.is_dir());
        result.map_err(|error| if directory() { WasiErrno::IsDirectory } else { number(error) })
    }

    fn rename(&mut self, object: u16, path: &[u8], to: u16, new: &[u8]) -> FileResult<()> {
        let ((from, folder), (to, other)) = (self.files.directory(object)?, self.files.directory(to)?);
        if folder != other {
            return Err(WasiErrno::CrossDevice);
        }
        from.rename(text(path)?, to, text(new)?).map_err(number)
    }

    fn link(&mut self, object: u16, path: &[u8], to: u16, new: &[u8]) -> FileResult<()> {
        let ((from, folder), (to, other)) = (self.files.directory(object)?, self.files.directory(to)?);
        if folder != other {
            return Err(WasiErrno::CrossDevice);
        }
        let (path, new) = (text(path)?, text(new)?);
        let length = from.symlink_metadata(path).map_err(number)?.len();
        self.files.reserve_entry(to, folder, new, length, false)?;
        from.hard_link(path, to, new).map_err(number)
    }

    fn symlink(&mut self, target: &[u8], object: u16, path: &[u8]) -> FileResult<()> {
        let (dir, folder) = self.files.directory(object)?;
        let (target, path) = (text(target)?, text(path)?);
        self.files.reserve_entry(dir, folder, path, target.len() as u64, false)?;
        DirExt::symlink(dir, Path::new(target), Path::new(path)).map_err(number)
    }

    fn read_link(&mut self, object: u16, path: &[u8], buffer: &mut [u8]) -> FileResult<usize> {
        let target = self.files.directory(object)?.0.read_link(text(path)?).map_err(number)?;
        let target = target.to_str().ok_or(WasiErrno::BadSequence)?.as_bytes();
        let fits = target.len().min(buffer.len());
        buffer[..fits].copy_from_slice(&target[..fits]);
        Ok(fits)
    }
}
