// SPDX-License-Identifier: Apache-2.0
//! Runs the C compiler of the target: compiles, links at two addresses, compares.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;

use crate::calls::{self, Call};
use crate::elf::{self, Linked};
use crate::emit::{Kind, Unit, HUGE};
use crate::error::AotError;
use crate::target::Machine;
use crate::Options;

/// Least major version of gcc.
const GCC: u32 = 8;
/// Two addresses with as few bits in common as their alignment allows.
const BASES: [&str; 2] = ["0x10000", "0x2a5a5a40"];

/// Flags that hold for every target: no library, no assumption about types or rounding, nothing behind the
/// program's back.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    "-w",
    "-ffreestanding",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-strict-aliasing",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-stack-protector",
    "-fno-common",
    "-ffunction-sections",
];

/// For gcc: no calls of memcpy where a loop copies, not in memcpy itself either. clang does so anyway.
const GCC_FLAGS: &[&str] = &["-fno-tree-loop-distribute-patterns"];

/// For gcc on Thumb-1, where position independent code reaches the cases of a switch through a function of 14
/// instructions: comparisons up to this many of them. Not where small code is wanted.
const GCC_SWITCHES: &str = "--param=case-values-threshold=32";

/// For gcc and functions that are huge: its other levels take time and memory that grow with the square of the size.
const GCC_HUGE: &str = "-O1";
/// For gcc and files of parts: functions stay in the order of the file, so that parts of a function stay with it. Without
/// a pass that takes time for each of the many labels where a part begins: it is left out only if both things that it
/// does are.
const GCC_PARTS: &[&str] = &["-fno-toplevel-reorder", "-fno-tree-pre", "-fno-code-hoisting"];
/// Keeps each call that is none of WebAssembly's tail calls on the stack.
const NO_SIBLING_CALLS: &str = "-fno-optimize-sibling-calls";

/// For the callers of a trap: lines and frames of calls, which change no instruction, and every call of the module kept
/// as a call of its own.
const CALLERS: &[&str] = &[
    "-g",
    "-gdwarf-4",
    "-gz=none",
    "-fno-crossjumping",
    "-fno-tree-tail-merge",
    "-fno-ipa-icf",
    "-fno-partial-inlining",
];

/// Stands in the text of modules with tail calls.
pub const TAIL_CALLS: &str = "/* tail calls */";

/// Code that is linked and position independent.
pub struct Built {
    /// The image, and where things are in it. Addresses count from its start.
    pub code: Vec<u8>,
    /// Symbols: offset in the code.
    pub symbols: BTreeMap<String, u32>,
    /// Frames in bytes, by C function.
    pub frames: BTreeMap<String, u32>,
    /// The calls that may be on the stack at a trap, if callers are wanted.
    pub calls: Vec<Call>,
}

/// A folder of its own that is removed with it.
struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    fn new(options: &Options) -> Result<Self, AotError> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let (path, keep) = match &options.keep {
            Some(path) => (path.clone(), true),
            None => {
                let number = COUNTER.fetch_add(1, Ordering::Relaxed);
                (std::env::temp_dir().join(format!("wisp-aotc-{}-{number}", std::process::id())), false)
            }
        };
        let made = fs::create_dir_all(&path).and_then(|()| path.canonicalize());
        let path = made.map_err(|error| AotError::File(path.clone(), error))?;
        Ok(Self { path, keep })
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, AotError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| AotError::File(path.clone(), error))?;
        Ok(path)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, AotError> {
        let path = self.path.join(name);
        fs::read(&path).map_err(|error| AotError::File(path, error))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Returns the compiler for a machine: the one asked for, that of the Zephyr SDK, or one on the path.
pub fn compiler(machine: &Machine, options: &Options) -> String {
    if let Some(compiler) = &options.compiler {
        return compiler.clone();
    }
    for prefix in machine.compilers {
        let name = format!("{prefix}gcc");
        if let Some(sdk) = std::env::var_os("ZEPHYR_SDK_INSTALL_DIR") {
            let folder = prefix.trim_end_matches('-');
            for root in [Path::new(&sdk).to_path_buf(), Path::new(&sdk).join("gnu")] {
                let path = root.join(folder).join("bin").join(&name);
                if path.is_file() {
                    return path.to_string_lossy().into_owned();
                }
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        if std::env::split_paths(&path).any(|folder| folder.join(&name).is_file()) {
            return name;
        }
    }
    format!("{}gcc", machine.compilers.last().unwrap_or(&""))
}

fn run(command: &mut Command) -> Result<String, AotError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| AotError::CompilerMissing(name, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    if let Some(symbol) = message.split("undefined reference to `").nth(1).and_then(|rest| rest.split('\'').next()) {
        return Err(AotError::Undefined(symbol.into()));
    }
    let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
    let name = command.get_program().to_string_lossy();
    Err(AotError::CompilerFailed(format!("{name} {}", arguments.join(" ")), message))
}

/// Checks the version of a compiler, and returns true for clang. Asked once for each compiler.
pub fn is_clang(compiler: &str) -> Result<bool, AotError> {
    static KNOWN: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().ok().and_then(|known| known.get(compiler).copied());
    if let Some(clang) = known {
        return Ok(clang);
    }
    let version = run(Command::new(compiler).arg("-dumpversion"))?;
    let major = version.trim().split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major < GCC => return Err(AotError::CompilerTooOld(version.trim().into(), GCC)),
        _ => {}
    }
    let clang = run(Command::new(compiler).arg("--version"))?.contains("clang");
    if let Ok(mut known) = KNOWN.lock() {
        known.insert(compiler.into(), clang);
    }
    Ok(clang)
}

/// Returns the macros that a compiler predefines with these flags.
pub fn macros(compiler: &str, flags: &[String]) -> Result<BTreeMap<String, String>, AotError> {
    let text = run(Command::new(compiler).args(flags).args(["-dM", "-E", "-x", "c", "/dev/null"]))?;
    let defined = text.lines().filter_map(|line| line.strip_prefix("#define "));
    Ok(defined.map(|line| line.split_once(' ').unwrap_or((line, ""))).map(|(n, v)| (n.into(), v.into())).collect())
}

/// Returns a linker script with the sections as they have to be: code and constants in one, nothing else. `wanted` are
/// the symbols that keep what they need.
fn script(wanted: &[String]) -> String {
    let mut out = String::new();
    for symbol in wanted {
        out.push_str(&format!("EXTERN({symbol})\n"));
    }
    out.push_str(
        "SECTIONS {
  . = WISP_BASE;
  .image : ALIGN(8) {
    wisp_image = .;
    *(.text .text.*) *(.rodata .rodata.* .srodata .srodata.*) *(.glue_7 .glue_7t .v4_bx .vfp11_veneer)
    . = ALIGN(8);
  }
  .writable : { *(.data .data.* .bss .bss.* COMMON .sdata .sdata.* .sbss .sbss.* .tdata* .tbss*) }
  .indirect : { *(.got .got.* .igot .igot.* .plt .plt.* .iplt .rel.* .rela.*) }
  ASSERT(SIZEOF(.writable) == 0, \"native code with writable data\")
  ASSERT(SIZEOF(.indirect) == 0, \"native code with indirections\")
  /DISCARD/ : { *(.ARM.exidx*) *(.ARM.extab*) *(.comment) *(.eh_frame*) *(.note*) *(.init_array*) *(.dyn*) *(.gnu.hash) *(.hash) *(.interp) }
}
",
    );
    out
}

/// Flags of the compiler for the files of a module.
fn flags<'a>(machine: &'a Machine, options: &'a Options, clang: bool, tail_calls: bool) -> Vec<&'a str> {
    let mut flags: Vec<&str> = machine.flags.iter().map(String::as_str).collect();
    if machine.target.arch == wisp_image::native::Arch::RiscV32 {
        flags.push("-mcmodel=medany");
        flags.push("-msmall-data-limit=0");
    }
    flags.extend(FLAGS);
    flags.extend(if clang { &[][..] } else { GCC_FLAGS });
    flags.push(&options.optimize);
    if machine.thumb1() && !clang && options.optimize != "-Os" {
        flags.push(GCC_SWITCHES);
    }
    if options.strict && !clang {
        flags.push("-fsignaling-nans");
    }
    if options.callers {
        flags.extend(CALLERS);
    }
    if options.strict && !tail_calls {
        // endless recursion is to exhaust the stack, not to become an endless loop
        flags.push(NO_SIBLING_CALLS);
    }
    flags
}

/// Compiles a file, and returns the path of the object file and the compiler's list of frames.
fn compile(
    scratch: &Scratch,
    compiler: &str,
    flags: &[&str],
    name: &str,
    text: &str,
) -> Result<(PathBuf, String), AotError> {
    let source = scratch.write(&format!("{name}.c"), text)?;
    let object = format!("{name}.o");
    let compile = Command::new(compiler)
        .current_dir(&scratch.path)
        .args(flags)
        .args(["-fstack-usage", "-c", "-o", &object])
        .arg(&source)
        .output();
    let compile = compile.map_err(|error| AotError::CompilerMissing(compiler.into(), error))?;
    if !compile.status.success() {
        let message = String::from_utf8_lossy(&compile.stderr).into_owned();
        return Err(AotError::CompilerFailed(format!("{compiler} {} {name}.c", flags.join(" ")), message));
    }
    let usage = scratch.read(&format!("{name}.su"))?;
    Ok((scratch.path.join(object), String::from_utf8_lossy(&usage).into_owned()))
}

/// Compiles and links. `wanted` are the functions that have to be in the result.
/// Before it begins, `tell` gets a sentence on each thing that is done in another way than the options ask for.
pub fn build(
    machine: &Machine,
    options: &Options,
    units: &[Unit],
    wanted: &[String],
    tell: &mut dyn FnMut(&str),
) -> Result<Built, AotError> {
    let compiler = compiler(machine, options);
    let clang = is_clang(&compiler)?;
    let scratch = Scratch::new(options)?;
    let layout = scratch.write("image.ld", &script(wanted))?;
    let tail_calls = units.iter().any(|unit| unit.text.contains(TAIL_CALLS));
    let flags = flags(machine, options, clang, tail_calls);
    let lowers = |unit: &&Unit| unit.kind == Kind::Huge && !clang && matches!(options.optimize.as_str(), "-O2" | "-O3");
    let lowered = units.iter().filter(lowers).count();
    if lowered > 0 {
        tell(&format!(
            "functions of more than {HUGE} operators, {lowered} of them, are compiled with less optimisation, which may take \
             many seconds for each; split them up, or compile with clang (--cc)",
        ));
    }
    let (mut objects, mut frames) = (Vec::new(), BTreeMap::<String, u32>::new());
    for (number, unit) in units.iter().enumerate() {
        let name = if number == 0 { "module".into() } else { format!("module{number}") };
        let mut flags = flags.clone();
        if unit.kind == Kind::Parts && !clang {
            flags.extend(GCC_PARTS);
        }
        if lowers(&unit) {
            flags.push(GCC_HUGE);
            // -O1 leaves this out, and without it a tail call takes stack
            if !flags.contains(&NO_SIBLING_CALLS) {
                flags.push("-foptimize-sibling-calls");
            }
        }
        let (object, usage) = compile(&scratch, &compiler, &flags, &name, &unit.text)?;
        objects.push(object);
        // operators that the compiler did not inline are in several files
        for (name, size) in frames_of(&usage)? {
            let most = frames.entry(name).or_default();
            *most = size.max(*most);
        }
    }
    let mut linked: Vec<Linked> = Vec::new();
    let mut calls = Vec::new();
    for (number, base) in BASES.iter().enumerate() {
        let out = scratch.path.join(format!("image{number}.elf"));
        let mut link = Command::new(&compiler);
        link.args(&machine.flags).args(["-nostdlib", "-nostartfiles", "-static"]);
        if machine.target.arch == wisp_image::native::Arch::X86_64 {
            link.arg("-no-pie");
        }
        link.arg("-T").arg(&layout).args(&objects).args(["-lgcc", "-Wl,--build-id=none", "-Wl,--gc-sections"]);
        link.args(["-Wl,--no-warn-rwx-segments", "-Wl,-e,0"]).arg(format!("-Wl,--defsym=WISP_BASE={base}"));
        run(link.arg("-o").arg(&out))?;
        let bytes = scratch.read(&format!("image{number}.elf"))?;
        let image = elf::read(&bytes, ".image").ok_or(AotError::Linked("the section .image is missing"))?;
        if options.callers && number == 0 {
            calls = calls::read(&bytes, image.address, machine)?;
            calls.iter_mut().for_each(|call| call.returns -= image.address);
        }
        linked.push(image);
    }
    let (Some(second), Some(first)) = (linked.pop(), linked.pop()) else {
        return Err(AotError::Linked("it was linked once only"));
    };
    same(&first, &second)?;
    let symbols = first.symbols.iter().filter_map(|(name, &value)| {
        let offset = value.checked_sub(first.address)?;
        (offset <= first.bytes.len() as u64).then_some((name.clone(), offset as u32))
    });
    Ok(Built { symbols: symbols.collect(), code: first.bytes, frames, calls })
}

/// Returns the proof that code does not depend on its address.
fn same(first: &Linked, second: &Linked) -> Result<(), AotError> {
    if first.bytes.len() != second.bytes.len() {
        return Err(AotError::Linked("its size depends on its address"));
    }
    let Some(at) = first.bytes.iter().zip(&second.bytes).position(|(a, b)| a != b) else { return Ok(()) };
    let place = first.symbols.iter().filter(|(_, &value)| value >= first.address && value <= first.address + at as u64);
    let name = place.max_by_key(|(_, &value)| value).map_or("before any symbol", |(name, _)| name.as_str());
    Err(AotError::Position(at as u32, name.into()))
}

/// Reads the compiler's list of frames. Parts it split off count for the function they come from.
///
/// # Errors
/// A line is not one of the compiler's: how much stack the code takes would be guessed.
fn frames_of(usage: &str) -> Result<BTreeMap<String, u32>, AotError> {
    let wrong = || AotError::internal("the compiler's list of stack frames cannot be read");
    let mut out = BTreeMap::new();
    for line in usage.lines() {
        let mut fields = line.split('\t');
        let (Some(place), Some(size)) = (fields.next(), fields.next()) else { return Err(wrong()) };
        let name = place.rsplit(':').next().unwrap_or(place);
        let name = name.split('.').next().unwrap_or(name);
        *out.entry(name.to_string()).or_insert(0) += size.parse::<u32>().map_err(|_| wrong())?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_split_functions_add_up() {
        let usage = "module.c:1:2:f1\t16\tstatic\nmodule.c:1:2:f1.part.0\t24\tstatic\nmodule.c:9:2:w2\t8\tstatic\n";
        assert_eq!(frames_of(usage).unwrap(), BTreeMap::from([("f1".into(), 40), ("w2".into(), 8)]));
    }

    #[test]
    fn parts_are_compiled_without_the_pass_that_takes_long() {
        // gcc runs the pass as long as one of the things that it does is wanted
        let passes = |flags: &[&str]| {
            let words = ["-O2", "-xc", "-c", "/dev/null", "-o/dev/null", "-fdump-passes"];
            let output = Command::new("gcc").args(words).args(flags).output().ok()?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            text.lines()
                .find_map(|line| line.trim().strip_prefix("tree-pre ")?.split_whitespace().last().map(String::from))
        };
        let Some(usual) = passes(&[]) else {
            eprintln!("SKIPPED: there is no gcc here that lists its passes");
            return;
        };
        assert_eq!((usual.as_str(), passes(GCC_PARTS).as_deref()), ("ON", Some("OFF")));
    }

    #[test]
    fn a_frame_of_unknown_size_is_an_error() {
        for wrong in ["module.c:1:2:f1\n", "module.c:1:2:f1\tmany\tstatic\n"] {
            let error = frames_of(wrong).unwrap_err();
            assert!(error.is_internal() && error.to_string().contains("please report"), "{error}");
        }
    }

    #[test]
    fn code_that_differs_between_addresses_is_refused() {
        let linked = |byte| Linked {
            bytes: vec![0, byte, 2],
            address: 16,
            symbols: BTreeMap::from([("f1".to_string(), 16), ("f2".to_string(), 18)]),
        };
        assert!(same(&linked(1), &linked(1)).is_ok());
        let error = same(&linked(1), &linked(5)).unwrap_err().to_string();
        assert!(error.contains("0x1") && error.contains("f1"), "{error}");
    }
}
