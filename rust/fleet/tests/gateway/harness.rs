// SPDX-License-Identifier: Apache-2.0
//! A gateway with its configuration and its state folder, and images for its devices.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::device::Device;
use crate::server::Server;

/// Waits for something that comes in any case, however long it takes.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        match look() {
            Some(found) => return found,
            None => sleep(Duration::from_millis(10)),
        }
    }
}

/// Returns the program `wisp` that makes images: that of WISP_TOOL, or one that is built now.
fn wisp() -> &'static Path {
    static WISP: OnceLock<PathBuf> = OnceLock::new();
    WISP.get_or_init(|| {
        if let Some(path) = std::env::var_os("WISP_TOOL") {
            return path.into();
        }
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--locked", "-p", "wisp-cli", "--message-format=json-render-diagnostics"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(cargo.status.success(), "wisp cannot be built");
        let text = String::from_utf8(cargo.stdout).unwrap();
        let mut messages = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        messages.find_map(|message| message["executable"].as_str().map(PathBuf::from)).expect("cargo names the program")
    })
}

/// Returns an image that differs for each name and version.
pub fn image(name: &str, version: &str) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let (wasm, out) = (folder.path().join("app.wasm"), folder.path().join("app.wisp"));
    // several pieces of an upload
    let data = "0123456789abcdef".repeat(60);
    let text = format!(
        "(module (import \"wisp:log@1\" \"write\" (func (param i32 i32 i32))) (memory 1)
           (data (i32.const 0) \"{name} {version} {data}\") (func (export \"start\")))"
    );
    fs::write(&wasm, wat::parse_str(text).unwrap()).unwrap();
    let built = Command::new(wisp())
        .args(["build", "--quiet", "--name", name, "--version", version])
        .arg(&wasm)
        .arg("--output")
        .arg(&out)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    fs::read(out).unwrap()
}

/// Returns the program under test: that of WISP_FLEET, or the one that was built with the tests.
fn program() -> OsString {
    std::env::var_os("WISP_FLEET").unwrap_or_else(|| env!("CARGO_BIN_EXE_wisp-fleet").into())
}

/// Configuration and state folder, which gateways leave to each other.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// Writes a configuration for these devices. The gateway does everything often, so that tests end soon.
    pub fn new(server: &Server, devices: &[&Device]) -> Self {
        Self::with(server, devices, "")
    }

    /// Does what `new` does, with further lines of the table `pace`.
    pub fn with(server: &Server, devices: &[&Device], pace: &str) -> Self {
        let mut text = format!(
            "[server]\nurl = \"{}\"\n[pace]\npoll-seconds = 0.05\nretry-seconds = 0.02\nlook-seconds = 0.02\n\
             answer-seconds = 0.2\n{pace}\n",
            server.url()
        );
        for device in devices {
            text += &format!(
                "[[device]]\nname = \"{0}\"\naddress = \"{1}\"\ntoken = \"token-{0}\"\nattributes = {{ room = \"{0}-room\" }}\n{2}\n",
                device.name, device.address, device.more
            );
        }
        let place = Self { folder: TempDir::new().unwrap() };
        fs::write(place.path("gateway.toml"), text).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.args(["--json", "gateway", "--listen=127.0.0.1:0", "--config"]).arg(self.path("gateway.toml"));
        command.arg("--state").arg(self.path("state"));
        command
    }

    /// Starts a gateway, and returns when it listens.
    pub fn start(&self) -> Gateway {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut child = self.command().stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}\n{}", self.log()));
        let page = started["listen"].as_str().unwrap_or_else(|| panic!("{line}"));
        let page = page.strip_prefix("http://").unwrap().to_string();
        Gateway { child, page }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

/// A running gateway. It dies with this value.
pub struct Gateway {
    child: Child,
    page: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gateway {
    /// Returns the body of a document of the page.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.page).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        body.to_string()
    }

    /// Returns the address of the page.
    pub fn address(&self) -> String {
        format!("http://{}/", self.page)
    }

    /// Returns the line of a device.
    pub fn line(&self, name: &str) -> Value {
        let status: Value = serde_json::from_str(&self.get("/status")).unwrap();
        let found = status["devices"].as_array().unwrap().iter().find(|line| line["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {status}")).clone()
    }

    /// Returns what `wisp fleet status` writes.
    pub fn status(&self, more: &[&str]) -> String {
        let mut command = Command::new(program());
        let done =
            command.args(more).args(["fleet", "status", "--gateway"]).arg(format!("http://{}", self.page)).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Returns a counter.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}
