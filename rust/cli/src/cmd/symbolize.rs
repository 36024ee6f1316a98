// SPDX-License-Identifier: Apache-2.0
//! `wisp symbolize`.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_image::ImageId;

use crate::exit;
use crate::failure::Failure;
use crate::output::{self, is_json};
use crate::symbols::Symbols;

/// Turn the traps in a device's log into names, wasm offsets and source lines
///
/// Reads a log from standard input and writes it to standard output. Behind each line that tells of a trap come
/// its frames, innermost first. Other lines pass unchanged.
#[derive(Args)]
pub struct Arguments {
    /// Symbols, as `wisp build` wrote them beside an image (may be given several times)
    #[arg(short, long, value_name = "FILE", required = true)]
    symbols: Vec<PathBuf>,
    /// Read this file instead of standard input, which - names as well
    log: Option<PathBuf>,
}

/// A trap as a log line reports it.
#[derive(PartialEq, Eq, Debug)]
struct Trap {
    id: ImageId,
    /// Function and code offset, innermost first.
    frames: Vec<(u32, u32)>,
    /// There were more frames than the device told.
    cut: bool,
}

/// Finds `trap N (WORDS), image WASM:CODE, at FUNCTION@OFFSET < FUNCTION@OFFSET ...` in a line: `None` if it
/// tells of no trap. Firmwares without messages leave ` (WORDS)` out.
fn trap(line: &str) -> Option<Trap> {
    let (_, line) = line.split_once("trap ")?;
    let digits = line.find(|c: char| !c.is_ascii_digit()).filter(|&digits| digits > 0)?;
    let line = line.get(digits..)?;
    let line = line.strip_prefix(" (").and_then(|line| line.split_once(')')).map_or(line, |(_, line)| line);
    let line = line.strip_prefix(", image ")?;
    let (id, places) = line.split_once(", at ").unwrap_or((line, ""));
    let (wasm, code) = id.split_once(':')?;
    let code = code.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    let id = ImageId { wasm: hexadecimal(wasm)?, code: hexadecimal(code)? };
    let mut frames = Vec::new();
    let mut cut = false;
    for place in places.split(" < ") {
        // what follows the last is the end of the line or a terminal's colours
        let place = place.split(|c: char| c.is_whitespace() || c == '\x1b').next().unwrap_or_default();
        cut |= place == "...";
        let Some((function, offset)) = place.split_once("@0x") else { continue };
        frames.push((function.parse().ok()?, hexadecimal(offset)?));
    }
    Some(Trap { id, frames, cut })
}

fn hexadecimal(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok()
}

/// Returns the lines of each frame, innermost first.
fn frames(trap: &Trap, symbols: &Symbols) -> Vec<Vec<String>> {
    let describe = |(depth, &(function, offset)): (usize, &(u32, u32))| {
        // where a caller goes on, its call is the op before
        symbols.describe(function, if depth == 0 { offset } else { offset.saturating_sub(1) })
    };
    trap.frames.iter().enumerate().map(describe).collect()
}

/// A trap as `--json` writes it.
#[derive(Serialize)]
struct Report {
    line: usize,
    image: String,
    /// False if none of the symbols are of this image.
    known: bool,
    frames: Vec<Vec<String>>,
    /// There were more frames than the device told.
    cut: bool,
}

fn json(trap: &Trap, line: usize, symbols: Option<&Symbols>) -> String {
    crate::output::line(&Report {
        line,
        image: trap.id.to_string(),
        known: symbols.is_some(),
        frames: symbols.map(|symbols| frames(trap, symbols)).unwrap_or_default(),
        cut: trap.cut,
    })
}

/// Returns the lines to show below a trap.
fn explain(trap: &Trap, symbols: &Symbols) -> String {
    let mut text = String::new();
    for (depth, lines) in frames(trap, symbols).into_iter().enumerate() {
        for (index, line) in lines.into_iter().enumerate() {
            match index {
                0 => text += &format!("  {depth}: {line}\n"),
                _ => text += &format!("     {line}\n"),
            }
        }
    }
    match (trap.frames.is_empty(), trap.cut) {
        (true, _) => text += "  it arose outside of the app's code\n",
        (_, true) => text += "  ... there are more callers, which the device has not told\n",
        _ => {}
    }
    text
}

/// Filters a log. The exit code says whether symbols were there for every trap.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut known = Vec::new();
    for path in &arguments.symbols {
        known.push((path, Symbols::open(path)?));
    }
    let stdin = std::io::stdin();
    let input: Box<dyn BufRead> = match arguments.log.as_ref().filter(|path| path.as_os_str() != "-") {
        Some(path) => Box::new(std::io::BufReader::new(crate::input::open(path)?)),
        None => Box::new(stdin.lock()),
    };
    let mut complete = true;
    for (number, line) in input.split(b'\n').enumerate() {
        let mut line = line.map_err(|error| Failure::new(format!("the log cannot be read: {error}")))?;
        if !is_json() {
            line.push(b'\n');
            // nobody reads on: a log may have no end
            if !output::pass(&line) {
                break;
            }
        }
        let Some(trap) = trap(&String::from_utf8_lossy(&line)) else { continue };
        if let Some((_, symbols)) = known.iter().find(|(_, symbols)| symbols.id() == trap.id) {
            let text = match is_json() {
                true => json(&trap, number + 1, Some(symbols)) + "\n",
                false => explain(&trap, symbols),
            };
            output::pass(text.as_bytes());
            continue;
        }
        if is_json() {
            output::say(&json(&trap, number + 1, None));
        }
        complete = false;
        let given: Vec<String> =
            known.iter().map(|(path, symbols)| format!("{} is of {}", path.display(), symbols.id())).collect();
        output::complain(format_args!(
            "wisp: line {}: the trap is in image {}, no symbols given are of that build ({}); take those that \
             `wisp build` wrote together with the image that runs there\n",
            number + 1,
            trap.id,
            given.join(", ")
        ));
    }
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ImageId = ImageId { wasm: 0x0012_34ab, code: 0x2f4 };

    fn with(frames: &[(u32, u32)], cut: bool) -> Option<Trap> {
        Some(Trap { id: ID, frames: frames.to_vec(), cut })
    }

    #[test]
    fn traps_are_found_behind_whatever_a_logger_writes_first() {
        let line = "[00:00:01.000,000] <err> wisp: bad: trap 2 (out of bounds memory access), image 001234ab:2f4, at \
                    5@0x1a2 < 2@0x40 < 0@0x1c";
        assert_eq!(trap(line), with(&[(5, 0x1a2), (2, 0x40), (0, 0x1c)], false));
        assert_eq!(trap(&format!("{line}\x1b[0m\r")), with(&[(5, 0x1a2), (2, 0x40), (0, 0x1c)], false));
        assert_eq!(trap(&format!("{line} < ...")), with(&[(5, 0x1a2), (2, 0x40), (0, 0x1c)], true));
        assert_eq!(trap("a: trap 10 (call stack exhausted), image 001234ab:2f4"), with(&[], false));
        assert_eq!(trap("a: trap 10 (call stack exhausted), image 001234ab:2f4\r"), with(&[], false));
        assert_eq!(trap("a: trap 8, image 001234ab:2f4, at 3@0x29a"), with(&[(3, 0x29a)], false));
        assert_eq!(trap("a: trap 10, image 001234ab:2f4"), with(&[], false));
    }

    #[test]
    fn other_lines_tell_of_no_trap() {
        for line in [
            "",
            "it is a trap ",
            "trap 3",
            "trap x (y), image 1:2, at 1@0x2",
            "trap 3 (y), image z:2, at 1@0x2",
            "trap 3 (y), image 1:2, at 1@0xg",
        ] {
            assert_eq!(trap(line), None, "{line}");
        }
    }
}
