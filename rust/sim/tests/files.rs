// SPDX-License-Identifier: Apache-2.0
//! Files through WASI's functions, in folders of the workstation.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use wisp_host::bindings::by_name;
use wisp_host::App;
use wisp_sim::{Board, Capture, SimPlatform, TraceFormat};

const SUCCESS: u64 = 0;
const BADF: u64 = 8;
const DQUOT: u64 = 19;
const EXIST: u64 = 20;
const FBIG: u64 = 22;
const INVAL: u64 = 28;
const ISDIR: u64 = 31;
const LOOP: u64 = 32;
const MFILE: u64 = 33;
const NOENT: u64 = 44;
const NOTDIR: u64 = 54;
const NOTEMPTY: u64 = 55;
const PERM: u64 = 63;
const XDEV: u64 = 75;

const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const CREAT: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCL: u32 = 4;

/// An app with a folder `/` of the workstation, which is gone after the test.
struct Desk {
    path: PathBuf,
    app: App<SimPlatform>,
    memory: Vec<u8>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl Desk {
    /// Makes a folder. Beside it lies a file `secret`, which the app must never see.
    fn new(quota: Option<u64>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("wisp-files-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(path.join("granted")).unwrap();
        std::fs::write(path.join("secret"), "secret").unwrap();
        let mut desk = Desk::of(&path.join("granted"), quota);
        desk.path = path;
        desk
    }

    /// Grants a folder that is there and stays.
    fn of(granted: &Path, quota: Option<u64>) -> Self {
        let quota = quota.map_or(String::new(), |bytes| format!("quota = {bytes}\n"));
        let mut board =
            Board::from_toml(&format!("[apps.a.folders.\"/\"]\npath = {:?}\n{quota}", granted.to_str().unwrap()))
                .unwrap();
        board.set_trace(Capture::new(), TraceFormat::Off);
        let mut platform = board.platform("a");
        platform.open_folders().unwrap();
        Desk { path: PathBuf::new(), app: App::new(platform), memory: vec![0; 4096] }
    }

    fn host(&self, name: &str) -> PathBuf {
        self.path.join("granted").join(name)
    }

    fn call(&mut self, name: &str, slots: &[u32]) -> u64 {
        by_name(&mut self.app, &mut self.memory, "wasi_snapshot_preview1", name, slots).unwrap()
    }

    /// Puts a path at an address.
    fn put(&mut self, at: usize, path: &str) -> [u32; 2] {
        self.memory[at..at + path.len()].copy_from_slice(path.as_bytes());
        [at as u32, path.len() as u32]
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.memory[at..at + 4].try_into().unwrap())
    }

    fn open_at(&mut self, fd: u32, path: &str, oflags: u32, rights: u64) -> Result<u32, u64> {
        let [at, length] = self.put(100, path);
        let slots = [fd, 1, at, length, oflags, rights as u32, (rights >> 32) as u32, 0, 0, 0, 16];
        match self.call("path_open", &slots) {
            SUCCESS => Ok(self.u32(16)),
            error => Err(error),
        }
    }

    fn open(&mut self, path: &str, oflags: u32, rights: u64) -> Result<u32, u64> {
        self.open_at(3, path, oflags, rights)
    }

    fn write(&mut self, fd: u32, text: &str) -> u64 {
        let [at, length] = self.put(1000, text);
        self.memory[32..36].copy_from_slice(&at.to_le_bytes());
        self.memory[36..40].copy_from_slice(&length.to_le_bytes());
        self.call("fd_write", &[fd, 32, 1, 16])
    }

    fn read(&mut self, fd: u32) -> Result<String, u64> {
        self.memory[32..40].copy_from_slice(&[0xd0, 0x07, 0, 0, 100, 0, 0, 0]);
        match self.call("fd_read", &[fd, 32, 1, 16]) {
            SUCCESS => Ok(String::from_utf8(self.memory[2000..2000 + self.u32(16) as usize].to_vec()).unwrap()),
            error => Err(error),
        }
    }

    fn on_path(&mut self, function: &str, path: &str) -> u64 {
        let [at, length] = self.put(100, path);
        self.call(function, &[3, at, length])
    }
}

#[test]
fn the_folder_is_found_as_libraries_look_for_it() {
    let mut desk = Desk::new(None);
    assert_eq!(desk.call("fd_prestat_get", &[3, 64]), SUCCESS);
    assert_eq!((desk.u32(64), desk.u32(68)), (0, 1));
    assert_eq!(desk.call("fd_prestat_dir_name", &[3, 80, 1]), SUCCESS);
    assert_eq!(desk.memory[80], b'/');
    assert_eq!(desk.call("fd_prestat_get", &[4, 64]), BADF);
    assert_eq!(desk.call("fd_fdstat_get", &[3, 64]), SUCCESS);
    assert_eq!(desk.memory[64], 3);
}

#[test]
fn what_is_written_can_be_read_at_its_place() {
    let mut desk = Desk::new(None);
    let fd = desk.open("a", CREAT | EXCL, READ | WRITE).unwrap();
    assert_eq!(desk.write(fd, "hello world"), SUCCESS);
    assert_eq!(desk.read(fd).as_deref(), Ok(""));
    assert_eq!(desk.call("fd_seek", &[fd, -5i32 as u32, u32::MAX, 2, 16]), SUCCESS);
    assert_eq!((desk.u32(16), desk.read(fd).as_deref()), (6, Ok("world")));
    assert_eq!(desk.call("fd_seek", &[fd, -1i32 as u32, u32::MAX, 0, 16]), INVAL);
    assert_eq!(desk.call("fd_tell", &[fd, 16]), SUCCESS);
    assert_eq!(desk.u32(16), 11);
    assert_eq!(desk.call("fd_filestat_set_size", &[fd, 4, 0]), SUCCESS);
    assert_eq!(desk.call("fd_close", &[fd]), SUCCESS);
    assert_eq!(std::fs::read(desk.host("a")).unwrap(), b"hell");
    assert_eq!(desk.open("a", CREAT | EXCL, READ), Err(EXIST));
    let fd = desk.open("a", 0, READ).unwrap();
    assert_eq!(desk.write(fd, "no"), BADF);
    assert_eq!(desk.read(fd).as_deref(), Ok("hell"));
}

#[test]
fn a_vector_that_a_read_overwrites_makes_the_read_no_longer() {
    let mut desk = Desk::new(None);
    // the first vector's buffer is the second vector, which becomes one of 1,000 bytes at 2,000
    let second = [2000u32.to_le_bytes(), 1000u32.to_le_bytes()].concat();
    std::fs::write(desk.host("a"), [&second[..], &[7; 1000]].concat()).unwrap();
    let fd = desk.open("a", 0, READ).unwrap();
    for (at, word) in (32..).step_by(4).zip([40u32, 8, 3000, 4]) {
        desk.memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    assert_eq!(desk.call("fd_read", &[fd, 32, 2, 16]), SUCCESS);
    assert_eq!(desk.u32(16), 12);
    assert_eq!(desk.memory[1999..2006], [0, 7, 7, 7, 7, 0, 0]);
    assert_eq!(desk.memory[3000..3004], [0; 4]);
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let mut desk = Desk::new(None);
    std::fs::create_dir(desk.host("inner")).unwrap();
    let absolute = desk.path.join("secret");
    for path in ["../secret", "inner/../../secret", "/secret", absolute.to_str().unwrap(), "..", "inner/../.."] {
        assert_eq!(desk.open(path, 0, READ), Err(PERM), "{path}");
    }
    assert_eq!(desk.open("../new", CREAT, WRITE), Err(PERM));
    assert!(!desk.path.join("new").exists());
    assert_eq!(desk.on_path("path_create_directory", "../new"), PERM);
    assert_eq!(desk.on_path("path_unlink_file", "../secret"), PERM);
    for path in ["../secret", "x"] {
        std::fs::write(desk.host("x"), "x").unwrap();
        let ([from, length], [to, size]) = (desk.put(100, path), desk.put(300, "../moved"));
        assert_eq!(desk.call("path_rename", &[3, from, length, 3, to, size]), PERM, "{path}");
    }
    // a folder inside is no way out either
    let inner = desk.open("inner", DIRECTORY, READ).unwrap();
    assert_eq!(desk.open_at(inner, "../x", 0, READ), Err(PERM));
    assert_eq!(desk.open("inner/../x", 0, READ).map(|_| ()), Ok(()));
    assert!(desk.path.join("secret").exists());
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    let mut desk = Desk::new(None);
    for (link, target) in [("up", "../secret"), ("root", "/etc/passwd"), ("dir", "..")] {
        std::os::unix::fs::symlink(target, desk.host(link)).unwrap();
    }
    std::os::unix::fs::symlink("self", desk.host("self")).unwrap();
    assert_eq!(desk.open("up", 0, READ), Err(PERM));
    assert_eq!(desk.open("root", 0, READ), Err(PERM));
    assert_eq!(desk.open("dir/secret", 0, READ), Err(PERM));
    assert_eq!(desk.open("self", 0, READ), Err(LOOP));
    // the app can make no such link for itself
    let ([target, length], [path, size]) = (desk.put(100, "/etc/passwd"), desk.put(300, "mine"));
    assert_eq!(desk.call("path_symlink", &[target, length, 3, path, size]), PERM);
}

#[test]
fn a_quota_bounds_files_and_their_number() {
    let mut desk = Desk::new(Some(200));
    let fd = desk.open("a", CREAT, READ | WRITE).unwrap();
    assert_eq!(desk.write(fd, &"x".repeat(130)), SUCCESS);
    assert_eq!(desk.write(fd, "1234567"), DQUOT);
    assert_eq!(desk.write(fd, "123456"), SUCCESS, "64 for the file and 136 in it");
    assert_eq!(desk.open("b", CREAT, WRITE), Err(DQUOT));
    assert_eq!(desk.on_path("path_create_directory", "d"), DQUOT);
    assert_eq!(desk.call("fd_filestat_set_size", &[fd, 137, 0]), DQUOT);
    assert_eq!(desk.call("fd_pwrite", &[fd, 32, 1, 1_000_000, 0, 16]), DQUOT);
    // what is there can be written again, and what was removed makes room
    assert_eq!(desk.call("fd_pwrite", &[fd, 32, 1, 0, 0, 16]), SUCCESS);
    assert_eq!(desk.call("fd_filestat_set_size", &[fd, 10, 0]), SUCCESS);
    let fd = desk.open("b", CREAT, WRITE).unwrap();
    assert_eq!(desk.call("fd_close", &[fd]), SUCCESS);
    assert_eq!(desk.on_path("path_unlink_file", "b"), SUCCESS);
    assert_eq!(desk.on_path("path_create_directory", "d"), SUCCESS);
}

#[test]
fn a_quota_hides_no_other_reason() {
    let mut desk = Desk::new(Some(70));
    assert_eq!(desk.on_path("path_create_directory", "d"), SUCCESS);
    assert_eq!(desk.on_path("path_create_directory", "d"), EXIST);
    assert_eq!(desk.on_path("path_create_directory", "no/x"), NOENT);
    assert_eq!(desk.open("no/x", CREAT, WRITE), Err(NOENT));
    assert_eq!(desk.open("x", CREAT, WRITE), Err(DQUOT));
    let ([from, length], [to, other]) = (desk.put(100, "missing"), desk.put(200, "d"));
    assert_eq!(desk.call("path_link", &[3, 0, from, length, 3, to, other]), NOENT);
    assert_eq!(desk.call("path_symlink", &[from, length, 3, to, other]), EXIST);
}

#[test]
fn a_hard_link_counts_with_what_it_links() {
    let mut desk = Desk::new(Some(400));
    std::fs::write(desk.host("a"), "x".repeat(200)).unwrap();
    let ([from, length], [to, other]) = (desk.put(100, "a"), desk.put(200, "b"));
    assert_eq!(desk.call("path_link", &[3, 0, from, length, 3, to, other]), DQUOT);
    std::fs::write(desk.host("a"), "x".repeat(100)).unwrap();
    assert_eq!(desk.call("path_link", &[3, 0, from, length, 3, to, other]), SUCCESS);
}

#[test]
fn a_file_that_was_removed_counts_while_it_is_open() {
    let mut desk = Desk::new(Some(200));
    let fd = desk.open("a", CREAT, READ | WRITE).unwrap();
    assert_eq!(desk.write(fd, &"x".repeat(136)), SUCCESS);
    assert_eq!(desk.on_path("path_unlink_file", "a"), SUCCESS);
    assert_eq!(desk.open("b", CREAT, WRITE), Err(DQUOT));
    assert_eq!(desk.write(fd, "x"), DQUOT);
    assert_eq!(desk.call("fd_close", &[fd]), SUCCESS);
    assert!(desk.open("b", CREAT, WRITE).is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_a_link_makes_counts() {
    let mut desk = Desk::new(Some(140));
    let ([target, length], [path, size]) = (desk.put(100, "file"), desk.put(300, "link"));
    assert_eq!(desk.call("path_symlink", &[target, length, 3, path, size]), SUCCESS);
    // 68 bytes for the link, and 64 for what it makes
    std::fs::write(desk.host("other"), "").unwrap();
    assert_eq!(desk.open("link", CREAT, WRITE), Err(DQUOT));
    std::fs::remove_file(desk.host("other")).unwrap();
    assert!(desk.open("link", CREAT, WRITE).is_ok());
    assert!(desk.host("file").exists());
}

#[test]
fn places_beyond_every_file_are_told_as_on_a_device() {
    let mut desk = Desk::new(None);
    let fd = desk.open("a", CREAT, READ | WRITE).unwrap();
    assert_eq!(desk.write(fd, "text"), SUCCESS);
    for high in [1 << 31, u32::MAX] {
        assert_eq!(desk.call("fd_pread", &[fd, 32, 1, 0, high, 16]), INVAL);
        assert_eq!(desk.call("fd_pwrite", &[fd, 32, 1, 0, high, 16]), INVAL);
        assert_eq!(desk.call("fd_filestat_set_size", &[fd, 0, high]), INVAL);
    }
    let last = (1 << 31) - 1;
    assert_eq!(desk.call("fd_pread", &[fd, 32, 1, u32::MAX, last, 16]), SUCCESS);
    assert_eq!(desk.u32(16), 0, "behind the end");
    assert_eq!(desk.call("fd_pwrite", &[fd, 32, 1, u32::MAX, last, 16]), FBIG);
    assert_eq!(desk.call("fd_seek", &[fd, u32::MAX, last, 0, 16]), SUCCESS);
    assert_eq!(desk.read(fd).as_deref(), Ok(""));
    assert_eq!(desk.write(fd, "x"), FBIG);
    assert_eq!(std::fs::read(desk.host("a")).unwrap(), b"text");
}

#[test]
fn directories_in_each_other_cost_no_stack() {
    let mut desk = Desk::new(None);
    let mut fd = 3;
    for _ in 0..400 {
        let [at, length] = desk.put(100, "d");
        assert_eq!(desk.call("path_create_directory", &[fd, at, length]), SUCCESS);
        let inner = desk.open_at(fd, "d", DIRECTORY, READ).unwrap();
        assert!(fd == 3 || desk.call("fd_close", &[fd]) == SUCCESS);
        fd = inner;
    }
    let name = desk.host("");
    let counts = move || {
        let mut other = Desk::of(&name, Some(400 * 64 + 63));
        assert_eq!(other.open("x", CREAT, WRITE), Err(DQUOT));
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(counts).unwrap().join().unwrap();
}

#[test]
fn only_the_right_to_write_opens_for_writing() {
    let mut desk = Desk::new(None);
    std::fs::write(desk.host("a"), "text").unwrap();
    const ALLOCATE_AND_SET_SIZE: u64 = 1 << 8 | 1 << 22;
    let fd = desk.open("a", 0, READ | ALLOCATE_AND_SET_SIZE).unwrap();
    assert_eq!(desk.read(fd).unwrap(), "text");
    assert_eq!(desk.write(fd, "x"), BADF);
    assert!(desk.open(".", 0, READ | ALLOCATE_AND_SET_SIZE).is_ok());
}

#[test]
fn the_flags_that_a_file_was_opened_with_can_be_set_again() {
    const APPEND_AND_SYNC: u32 = 1 | 16;
    let mut desk = Desk::new(None);
    let fd = desk.open("a", CREAT, WRITE).unwrap();
    assert_eq!(desk.call("fd_fdstat_set_flags", &[fd, APPEND_AND_SYNC]), SUCCESS);
    assert_eq!(desk.call("fd_fdstat_get", &[fd, 64]), SUCCESS);
    assert_eq!(desk.memory[66], APPEND_AND_SYNC as u8);
    assert_eq!(desk.write(fd, "x"), SUCCESS);
    assert_eq!(std::fs::read(desk.host("a")).unwrap(), b"x");
}

#[test]
fn a_slash_at_the_end_names_a_directory() {
    let mut desk = Desk::new(None);
    std::fs::write(desk.host("f"), "").unwrap();
    std::fs::create_dir(desk.host("d")).unwrap();
    for (from, to, expected) in [("f", "g/", NOTDIR), ("f/", "g", NOTDIR), ("d", "e/", SUCCESS), ("f", "g", SUCCESS)] {
        let ([from, length], [to, other]) = (desk.put(100, from), desk.put(200, to));
        assert_eq!(desk.call("path_rename", &[3, from, length, 3, to, other]), expected);
    }
    assert_eq!(desk.on_path("path_unlink_file", "g/"), NOTDIR);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let mut desk = Desk::new(None);
    let made = std::process::Command::new("mkfifo").arg(desk.host("pipe")).status().unwrap();
    assert!(made.success());
    const ACCES: u64 = 2;
    assert_eq!(desk.open("pipe", 0, READ), Err(ACCES));
}

#[test]
fn a_listing_can_begin_anywhere() {
    let mut desk = Desk::new(None);
    for name in ["a", "b"] {
        std::fs::write(desk.host(name), "").unwrap();
    }
    let fd = desk.open(".", DIRECTORY, READ).unwrap();
    assert_eq!(desk.call("fd_readdir", &[fd, 2000, 100, 3, 0, 16]), SUCCESS);
    assert_eq!((desk.u32(16), desk.u32(2000), desk.memory[2024]), (25, 4, b'b'));
}

#[test]
fn directories_are_made_listed_and_removed() {
    let mut desk = Desk::new(None);
    assert_eq!(desk.on_path("path_create_directory", "d"), SUCCESS);
    assert_eq!(desk.on_path("path_create_directory", "d"), EXIST);
    for name in ["d/bb", "d/a"] {
        std::fs::write(desk.host(name), "").unwrap();
    }
    let fd = desk.open("d", DIRECTORY, READ).unwrap();
    assert_eq!(desk.call("fd_readdir", &[fd, 2000, 1000, 0, 0, 16]), SUCCESS);
    let mut at = 2000;
    let mut names = Vec::new();
    while at < 2000 + desk.u32(16) as usize {
        let length = desk.u32(at + 16) as usize;
        names.push((String::from_utf8(desk.memory[at + 24..at + 24 + length].to_vec()).unwrap(), desk.memory[at + 20]));
        at += 24 + length;
    }
    let expected = [(".", 3), ("..", 3), ("a", 4), ("bb", 4)];
    assert!(names.iter().map(|(name, kind)| (name.as_str(), *kind)).eq(expected), "{names:?}");
    // a small buffer is filled, and the cookie goes on behind the last whole entry
    assert_eq!(desk.call("fd_readdir", &[fd, 2000, 30, 2, 0, 16]), SUCCESS);
    assert_eq!((desk.u32(16), desk.u32(2000), desk.memory[2024]), (30, 3, b'a'));
    assert_eq!(desk.call("fd_readdir", &[fd, 2000, 100, 3, 0, 16]), SUCCESS);
    assert_eq!((desk.u32(16), desk.u32(2000), &desk.memory[2024..2026]), (26, 4, &b"bb"[..]));
    assert_eq!(desk.call("fd_readdir", &[fd, 2000, 100, 9, 0, 16]), SUCCESS);
    assert_eq!(desk.u32(16), 0);
    assert_eq!(desk.read(fd), Err(ISDIR));
    assert_eq!(desk.on_path("path_remove_directory", "d"), NOTEMPTY);
    assert_eq!(desk.on_path("path_unlink_file", "d"), ISDIR);
    assert_eq!(desk.on_path("path_remove_directory", "d/a"), NOTDIR);
    assert_eq!(desk.on_path("path_unlink_file", "d/a"), SUCCESS);
    assert_eq!(desk.on_path("path_unlink_file", "d/a"), NOENT);
    assert_eq!(desk.open("d", 0, WRITE), Err(ISDIR));
    assert_eq!(desk.open("d/bb", DIRECTORY, READ), Err(NOTDIR));
}

#[test]
fn descriptors_run_out_and_are_free_again_after_the_run() {
    let mut desk = Desk::new(None);
    std::fs::write(desk.host("a"), "a").unwrap();
    let opened = (0..100).map_while(|_| desk.open("a", 0, READ).ok()).count();
    assert_eq!(opened, 60);
    assert_eq!(desk.open("a", 0, READ), Err(MFILE));
    assert_eq!(desk.call("fd_close", &[7]), SUCCESS);
    assert_eq!(desk.open("a", 0, READ), Ok(7), "the lowest that is free");
    desk.app.release();
    assert_eq!(desk.open("a", 0, READ), Ok(4));
}

#[test]
fn folders_are_apart() {
    let mut desk = Desk::new(None);
    let other = desk.path.join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(desk.host("a"), "a").unwrap();
    desk.app.platform_mut().add_folder(Path::new(&other), "/other").unwrap();
    let ([from, length], [to, size]) = (desk.put(100, "a"), desk.put(300, "b"));
    assert_eq!(desk.call("path_rename", &[3, from, length, 4, to, size]), XDEV);
    assert_eq!(desk.call("path_rename", &[3, from, length, 3, to, size]), SUCCESS);
    assert!(desk.host("b").exists());
}

/// Returns the bytes of all files of a folder, and 64 more for each entry.
fn used(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let inside = |entry: &std::fs::DirEntry| match entry.metadata().unwrap() {
        found if found.is_dir() => used(&entry.path()),
        found => found.len(),
    };
    entries.map(|entry| 64 + inside(&entry)).sum()
}

#[test]
fn an_app_that_does_anything_to_files_stays_in_its_folder_and_its_quota() {
    const QUOTA: u64 = 1000;
    const PATHS: [&str; 12] =
        ["a", "b", "d", "d/a", "d/d", "l", "l/a", "d/../b", ".", "..", "../secret", "d/../../secret"];
    let mut state = 7u64;
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let (mut succeeded, mut over) = (0, 0);
    for _ in 0..30 {
        let mut desk = Desk::new(Some(QUOTA));
        for _ in 0..200 {
            let (path, other) = (PATHS[below(PATHS.len())], PATHS[below(PATHS.len())]);
            let ([at, length], [to, size]) = (desk.put(100, path), desk.put(200, other));
            let (fd, open) = (below(9) as u32, 4 + below(5) as u32);
            let directory = if below(4) == 0 { fd } else { 3 };
            let numbers = [0, 1, 500, 1 << 20, u32::MAX];
            let (low, high) = (numbers[below(5)], [0, 0, 0, 1 << 31, (1 << 31) - 1][below(5)]);
            let result = match below(14) {
                0..=2 => {
                    desk.open_at(directory, path, below(16) as u32, READ | WRITE).map_or_else(|error| error, |_| 0)
                }
                3 | 4 => desk.write(open, &"x".repeat(below(600))),
                5 => desk.call("fd_pwrite", &[open, 32, 1, low, high, 16]),
                6 => desk.call("fd_filestat_set_size", &[open, low, high]),
                7 => desk.call("path_create_directory", &[directory, at, length]),
                8 => desk.call("path_symlink", &[at, length, directory, to, size]),
                9 => desk.call("path_link", &[3, 0, at, length, directory, to, size]),
                10 => desk.call("path_rename", &[3, at, length, directory, to, size]),
                11 => desk.call(["path_unlink_file", "path_remove_directory"][below(2)], &[directory, at, length]),
                12 => desk.call("fd_renumber", &[open, 4 + below(5) as u32]),
                _ => desk.call("fd_close", &[open]),
            };
            succeeded += u32::from(result == SUCCESS);
            over += u32::from(result == DQUOT);
            assert!(used(&desk.host("")) <= QUOTA);
        }
        assert_eq!(std::fs::read(desk.path.join("secret")).unwrap(), b"secret");
        assert_eq!(std::fs::read_dir(&desk.path).unwrap().count(), 2);
    }
    // were all to succeed, or to be refused, this would be no test
    assert!(succeeded > 200 && over > 40, "{succeeded} {over}");
}
