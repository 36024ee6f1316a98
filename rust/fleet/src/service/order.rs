// SPDX-License-Identifier: Apache-2.0
//! What a client asks for: target, manifest and options of the code.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;

/// Longest name of an app, in bytes.
const NAME_MAX: usize = wisp_image::format::NAME_MAX;

/// The way in which native code is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// The code reads the stop flag in loops and recursive functions
    #[default]
    Poll,
    /// The runtime rewrites the program counter of the thread
    Async,
}

impl Stop {
    /// Returns the word for it in options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Async => "async",
        }
    }
}

/// The options of a job, each as that of `wisp build` with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Order {
    /// Machine that the code is for, one of those at /v1/targets
    #[param(example = "cortex-m33")]
    pub target: String,
    /// Name of the app, 1 to 31 bytes
    #[param(example = "lamp")]
    pub name: String,
    /// Version of the app, as major.minor.patch
    #[serde(default = "first_version")]
    #[param(default = "0.1.0")]
    pub version: String,
    /// Rollback counter
    #[serde(default)]
    pub rollback: u32,
    /// Way in which the code is stopped
    #[serde(default)]
    #[param(inline)]
    pub stop: Stop,
    /// Optimise for size
    #[serde(default)]
    pub small: bool,
    /// Trap exactly where the specification has it
    #[serde(default)]
    pub strict: bool,
    /// Leave out where in a function a trap arises
    #[serde(default)]
    pub no_trap_sites: bool,
    /// Leave out the IR
    #[serde(default)]
    pub native_only: bool,
    /// Bytes of heap above the module's data that a trimmed memory keeps
    #[serde(default)]
    pub heap: u32,
    /// Back all memory that the module declares
    #[serde(default)]
    pub no_trim: bool,
}

fn first_version() -> String {
    "0.1.0".into()
}

impl Order {
    /// Checks what the compiler's command line would refuse, which is no fault of the module.
    pub fn check(&self) -> Result<(), Problem> {
        if self.name.is_empty() || self.name.len() > NAME_MAX || self.name.chars().any(char::is_control) {
            return Err(Problem::bad_query(format!(
                "the name has {} bytes; expected 1 to {NAME_MAX}, and no control characters",
                self.name.len()
            )));
        }
        let parts: Vec<&str> = self.version.split('.').collect();
        let number = |text: &str, max: u32| {
            text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|number| number <= max)
        };
        let sound = matches!(parts[..], [a, b, c] if number(a, 255) && number(b, 255) && number(c, 65535));
        sound.then_some(()).ok_or_else(|| {
            let version = self.version.escape_debug();
            Problem::bad_query(format!("the version is `{version}`; expected MAJOR.MINOR.PATCH, up to 255.255.65535"))
        })
    }

    /// Returns the arguments of `wisp` that make `output` of the module `input` with this C compiler.
    pub fn command(&self, input: &str, output: &str, compiler: &str) -> Vec<String> {
        let mut out = vec!["build".into(), input.into(), "--no-symbols".into(), format!("--output={output}")];
        // a value behind `=` is never taken for an option
        out.push(format!("--name={}", self.name));
        out.push(format!("--version={}", self.version));
        out.push(format!("--rollback={}", self.rollback));
        out.push(format!("--heap={}", self.heap));
        out.push(format!("--target={}", self.target));
        out.push(format!("--cc={compiler}"));
        out.push(format!("--stop={}", self.stop.word()));
        let flags = [
            (self.small, "--small"),
            (self.strict, "--strict"),
            (self.no_trap_sites, "--no-trap-sites"),
            (self.native_only, "--native-only"),
            (self.no_trim, "--no-trim"),
        ];
        out.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_string()));
        out
    }

    /// Returns the id of the job: 64 hexadecimal digits, the hash of module, compiler and options.
    pub fn id(&self, wasm_sha256: &str, compiler: &str) -> String {
        // an array of texts in JSON has one reading only, whatever the texts contain
        let parts = ("wisp-aot-job-1", wasm_sha256, compiler, self.command("", "", ""));
        sha256(&serde_json::to_vec(&parts).unwrap_or_default())
    }
}

/// Returns bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the SHA-256 of bytes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Returns the SHA-256 of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        serde_json::from_str(r#"{ "target": "cortex-m3", "name": "a" }"#).unwrap()
    }

    #[test]
    fn an_id_depends_on_module_compiler_and_each_option() {
        let base = order();
        let ids = [
            base.id("1", "gcc"),
            base.id("2", "gcc"),
            base.id("1", "clang"),
            Order { target: "cortex-m4".into(), ..base.clone() }.id("1", "gcc"),
            Order { name: "b".into(), ..base.clone() }.id("1", "gcc"),
            Order { version: "0.1.1".into(), ..base.clone() }.id("1", "gcc"),
            Order { rollback: 1, ..base.clone() }.id("1", "gcc"),
            Order { stop: Stop::Async, ..base.clone() }.id("1", "gcc"),
            Order { small: true, ..base.clone() }.id("1", "gcc"),
            Order { strict: true, ..base.clone() }.id("1", "gcc"),
            Order { no_trap_sites: true, ..base.clone() }.id("1", "gcc"),
            Order { native_only: true, ..base.clone() }.id("1", "gcc"),
            Order { heap: 1, ..base.clone() }.id("1", "gcc"),
            Order { no_trim: true, ..base.clone() }.id("1", "gcc"),
        ];
        let different: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
        assert_eq!(base.id("1", "gcc"), ids[0]);
        assert!(ids[0].len() == 64 && ids[0].bytes().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_a_value() {
        let command = Order { name: "--cc=sh".into(), ..order() }.command("in", "out", "gcc");
        assert!(command.contains(&"--name=--cc=sh".to_string()), "{command:?}");
        assert_eq!(command.iter().filter(|argument| argument.starts_with("--cc=")).count(), 1);
    }
}
