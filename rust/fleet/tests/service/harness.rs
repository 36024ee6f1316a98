// SPDX-License-Identifier: Apache-2.0
//! A server of its own for each test, and a client that can misbehave.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Tokens of the two clients that every server knows.
pub const ANNE: &str = "token-of-anne";
pub const BOB: &str = "token-of-bob";

/// Returns the program `wisp` that the tests compile with: that of WISP_TOOL, or one that is built now.
pub fn wisp() -> &'static Path {
    static WISP: OnceLock<PathBuf> = OnceLock::new();
    WISP.get_or_init(|| {
        if let Some(path) = std::env::var_os("WISP_TOOL") {
            return path.into();
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--locked", "-p", "wisp-cli", "--message-format=json-render-diagnostics"])
            .current_dir(folder)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(cargo.status.success(), "wisp cannot be built");
        let text = String::from_utf8(cargo.stdout).unwrap();
        let mut messages = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let path = messages.find_map(|message| message["executable"].as_str().map(PathBuf::from));
        path.expect("cargo names the program")
    })
}

/// A state folder, a token file, and a program in the place of `wisp`: all that servers leave to each other.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: TempDir::new().unwrap() };
        place.clients(&[("anne", ANNE, ""), ("bob", BOB, "")]);
        // Holds jobs whose name begins with `held` until the file `open` exists. A process of its own runs beside it.
        let (here, real) = (place.path("").display().to_string(), wisp().display().to_string());
        let script = format!(
            "#!/bin/sh\n\
             for argument in \"$@\"; do case \"$argument\" in --name=held*)\n\
               sleep 1000000 &\n\
               echo $$ $! > {here}/new && mv {here}/new {here}/pids\n\
               while [ ! -e {here}/open ]; do sleep 0.02; done\n\
               kill $! ;;\n\
             esac; done\n\
             exec {real} \"$@\"\n"
        );
        fs::write(place.path("wisp"), script).unwrap();
        fs::set_permissions(place.path("wisp"), fs::Permissions::from_mode(0o755)).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the token file: names, tokens, and further lines.
    pub fn clients(&self, clients: &[(&str, &str, &str)]) {
        let entry = |(name, token, more): &(&str, &str, &str)| {
            let hash: String = Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("[[client]]\nname = \"{name}\"\nsha256 = [\"{hash}\"]\n{more}\n")
        };
        fs::write(self.path("tokens.toml"), clients.iter().map(entry).collect::<String>()).unwrap();
    }

    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wisp-fleet"));
        command.args(["--json", "serve", "--listen=127.0.0.1:0"]);
        command.arg("--state").arg(self.path("state")).arg("--tokens").arg(self.path("tokens.toml"));
        command.arg("--wisp").arg(self.path("wisp")).args(more);
        command
    }

    pub fn serve(&self, more: &[&str]) -> Server {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut child = self.command(more).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}\n{}", self.log()));
        let address = started["listen"].as_str().unwrap().strip_prefix("http://").unwrap().to_string();
        Server { address, child }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Lets held jobs go on.
    pub fn open(&self) {
        fs::write(self.path("open"), "").unwrap();
    }

    /// Waits until a held job runs. Returns its processes.
    pub fn held(&self) -> Vec<u32> {
        until(|| fs::read_to_string(self.path("pids")).ok())
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }
}

/// Waits for something that comes in any case, however long it takes.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        match look() {
            Some(found) => return found,
            None => sleep(Duration::from_millis(20)),
        }
    }
}

/// Waits until a process has gone. One that nobody has waited for yet is gone as well.
pub fn gone(pid: u32) {
    until(|| match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Err(_) => Some(()),
        Ok(stat) => stat.rsplit(')').next().unwrap().trim().starts_with('Z').then_some(()),
    });
}

pub struct Server {
    pub address: String,
    pub child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Returns the last word of a problem's type. All members that a client relies on have to be there.
    pub fn problem(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        for member in ["title", "detail", "where", "expected", "remedy"] {
            assert!(json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {json}");
        }
        json["type"].as_str().unwrap().strip_prefix("urn:wisp:problem:").unwrap().to_string()
    }
}

/// Reads a response to its end. The server closes the connection.
pub fn read(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    // a server that refuses a body closes while it is sent
    let _ = stream.read_to_end(&mut bytes);
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head, body: bytes[at + 4..].to_vec() })
}

pub fn head(method: &str, path: &str, token: &str, length: Option<usize>) -> String {
    let length = length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    let token = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!("{method} {path} HTTP/1.1\r\nHost: service\r\nConnection: close\r\n{token}{length}\r\n")
}

impl Server {
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    pub fn request(&self, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(head(method, path, token, Some(body.len())).as_bytes()).unwrap();
        // refused before all of it was sent
        let _ = stream.write_all(body);
        read(&mut stream).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path, token, b"")
    }

    pub fn post(&self, token: &str, query: &str, wasm: &[u8]) -> Answer {
        self.request("POST", &format!("/v1/jobs?{query}"), token, wasm)
    }

    /// Posts a job that has to be admitted, and returns its id.
    pub fn submit(&self, token: &str, query: &str, wasm: &[u8]) -> String {
        let answer = self.post(token, query, wasm);
        assert!(matches!(answer.status, 200 | 202), "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_string()
    }

    /// Waits for the end of a job.
    pub fn ended(&self, token: &str, id: &str) -> Value {
        until(|| {
            let answer = self.get(&format!("/v1/jobs/{id}"), token);
            assert_eq!(answer.status, 200, "{answer:?}");
            let job = answer.json();
            matches!(job["state"].as_str(), Some("done" | "failed")).then_some(job)
        })
    }

    /// Waits for a job that has to succeed, and returns the image.
    pub fn image(&self, token: &str, id: &str) -> Vec<u8> {
        let job = self.ended(token, id);
        assert_eq!(job["state"], "done", "{job}");
        let answer = self.get(job["result"]["href"].as_str().unwrap(), token);
        assert_eq!(answer.status, 200, "{answer:?}");
        let hash: String = Sha256::digest(&answer.body).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(job["result"]["sha256"], hash);
        assert!(answer.head.contains(&format!("etag: \"{hash}\"")), "{}", answer.head);
        answer.body
    }

    /// Returns a counter.
    pub fn metric(&self, name: &str) -> u64 {
        let text = String::from_utf8(self.get("/metrics", "").body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end of the server.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// Returns a module that is different for each number.
pub fn module(number: u32) -> Vec<u8> {
    wat::parse_str(format!(
        "(module (memory 0) (func (export \"start\"))
           (func (export \"f\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const {number}))))"
    ))
    .unwrap()
}

/// Returns a module whose one function has so many operators that C compilers work on it for long.
pub fn heavy(rounds: u32) -> Vec<u8> {
    let round = |n: u32| {
        format!(
            "(if (i32.and (local.get 0) (i32.const {n})) (then
               (local.set 1 (i32.add (i32.load offset={n} (local.get 1)) (i32.rotl (local.get 0) (local.get 1))))
               (i32.store (local.get 0) (local.get 1)))
             (else (local.set 0 (i32.div_u (local.get 1) (local.get 0)))))"
        )
    };
    let body: String = (1..=rounds).map(round).collect();
    wat::parse_str(format!(
        "(module (memory 1) (func (export \"start\"))
           (func (export \"f\") (param i32 i32) (result i32) {body} (local.get 0)))"
    ))
    .unwrap()
}
