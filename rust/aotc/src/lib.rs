// SPDX-License-Identifier: Apache-2.0
//! Ahead-of-time compilation: from a validated module to a native section of a Wisp image.
//!
//! Principles
//! 1. The C compiler that builds the firmware builds the code: every architecture it knows can be reached,
//!    and calling conventions agree. What is generated is plain C11 for gcc and clang.
//! 2. The result needs no loader: one block of code and constants without relocations that runs where it
//!    lies. Every build proves it by linking at two addresses and comparing the bytes.
//! 3. No check that the sandbox needs is dropped. A check is left out only where what it would find is
//!    known: from the range of an address, or because it was made before.
//! 4. Nothing of the C library: what code cannot compute alone it asks of the runtime, through the record
//!    and the helpers described in [`wisp_image::native`].
//!
//! Not here: validation and the IR (`wisp-compiler`), loading and running (`wisp-engine`).
#![deny(unsafe_code)]

mod calls;
mod elf;
mod emit;
mod error;
mod graph;
mod module;
mod section;
pub mod target;
mod toolchain;

#[cfg(unix)]
#[allow(unsafe_code)]
pub mod desk;

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use wisp_compiler::Compiled;
use wisp_image::format::{Section, TAG_HASH};
use wisp_image::native;
use wisp_image::writer::{append_trailer, Writer};
use wisp_image::Image;

pub use error::AotError;
pub use target::Machine;

use emit::Plan;

/// Choices for making native code.
#[derive(Clone, Debug)]
pub struct Options {
    /// Traps come exactly where the specification has them: every access is checked on its own, and all
    /// stores before it are done. Otherwise a check may come early in its basic block.
    pub strict: bool,
    /// Look at the stop flag in loops and recursive functions. Without, the runtime must be able to stop the
    /// code from outside, by rewriting the program counter of the thread it preempted.
    pub poll: bool,
    /// Tell where in a function a trap arose. This costs 4 to 8 bytes for each place that may trap. Without, only
    /// the function is known.
    pub sites: bool,
    /// Tell from where a function was called when it traps, for which the code keeps every call apart. Needs gcc.
    pub callers: bool,
    /// True if the code ends its process where an access that is taken to be aligned is not, or where one that needs no
    /// check is outside of memory. For tests: it shows on a workstation that what is known of addresses is right.
    pub assert_known: bool,
    /// Bytes of C of the parts that all functions are divided into, not only those that are too large for a C compiler as
    /// a whole. For tests: small functions then have many parts.
    pub part: Option<usize>,
    /// Optimisation flag of the compiler.
    pub optimize: String,
    /// C compiler, instead of the one the target suggests.
    pub compiler: Option<String>,
    /// Keep the generated files in this folder.
    pub keep: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict: false,
            poll: true,
            sites: true,
            callers: false,
            assert_known: false,
            part: None,
            optimize: "-O2".into(),
            compiler: None,
            keep: None,
        }
    }
}

/// A native section.
pub struct Compilation {
    /// The section.
    pub section: Vec<u8>,
    /// Its kind.
    pub kind: u16,
    /// Bytes of machine code.
    pub code_size: usize,
    /// Bytes of native stack from one check to the next.
    pub stack: u32,
    /// Sentences on what was done in another way than the options ask for.
    pub notes: Vec<String>,
}

const NO_SITES: &str = "there are more places that may trap than a native section can hold: traps of its code name \
                        their function only";

const NO_CALLERS: &str = "clang does not say enough about its code: traps name no callers; compile with gcc (--cc)";

/// Compiles a module to a native section for an image made from it.
///
/// # Errors
/// The image was made from another module, the compiler is missing, too old or fails, or the module exceeds
/// a limit.
pub fn compile(
    wasm: &[u8],
    compiled: &Compiled,
    machine: &Machine,
    options: &Options,
) -> Result<Compilation, AotError> {
    compile_and_tell(wasm, compiled, machine, options, |_| {})
}

/// Compiles as [`compile`] does. `tell` gets each of the notes as soon as it is known, those on what takes long before
/// that begins.
///
/// # Errors
/// See [`compile`].
pub fn compile_and_tell(
    wasm: &[u8],
    compiled: &Compiled,
    machine: &Machine,
    options: &Options,
    mut tell: impl FnMut(&str),
) -> Result<Compilation, AotError> {
    let image = Image::parse(&compiled.image)?;
    let manifest = image.manifest()?;
    let hash: [u8; 32] = Sha256::digest(wasm).into();
    if *manifest.wasm_hash != hash {
        return Err(AotError::OtherModule);
    }
    // the code is that which the image was made from
    let adapted = match manifest.memory {
        Some(memory) if memory.trimmed && memory.grows => wisp_compiler::adapt(wasm),
        _ => None,
    };
    let wasm = adapted.as_deref().unwrap_or(wasm);
    let module = module::read(wasm, &image)?;
    let graph = graph::Graph::new(&module);
    let places = section::Places::new(&compiled.source_map, image.section(Section::Code));
    let generate = |options| {
        let plan = Plan::new(&module, options, manifest.memory, graph.recursive());
        let generated = emit::generate(&plan, machine).map_err(|error| error.named(wasm))?;
        let sites = section::Sites::new(&generated, module.imported_functions, &places)?;
        Ok((plan, generated, sites))
    };
    let mut notes = Vec::new();
    let mut tell = |note: &str| {
        tell(note);
        notes.push(note.to_string());
    };
    let without_callers = Options { callers: false, ..options.clone() };
    let clang = options.callers && toolchain::is_clang(&toolchain::compiler(machine, options))?;
    let options = if clang { &without_callers } else { options };
    if clang {
        tell(NO_CALLERS);
    }
    let fewer = Options { sites: false, ..options.clone() };
    let (plan, generated, sites) = match generate(options) {
        Err(AotError::TrapSites(..) | AotError::FunctionTooLarge(..)) if options.sites => {
            tell(NO_SITES);
            generate(&fewer)?
        }
        result => result?,
    };
    let mut wanted = Vec::new();
    for (defined, &(host, address)) in generated.wanted.iter().enumerate() {
        let index = module.imported_functions as usize + defined;
        wanted.extend(host.then(|| format!("w{index}")));
        wanted.extend(address.then(|| format!("fn{index}")));
    }
    let called = generated.imports.iter().enumerate().filter(|(_, &called)| called);
    wanted.extend(called.map(|(index, _)| format!("import{index}")));
    if generated.divided > 0 {
        tell(&format!(
            "functions that are too large for a C compiler as a whole, {} of them, are compiled in parts, which is \
             slower where they jump from one part to another; split them up",
            generated.divided
        ));
    }
    let built = toolchain::build(machine, options, &generated.units, &wanted, &mut tell)?;
    let section = section::assemble(&plan, machine, &image, &generated, &built, &graph, &places, &sites)?;
    let stack = native::Native::parse(&section).map_err(|_| AotError::Linked("its header is wrong"))?.stack();
    Ok(Compilation { kind: machine.target.section(), code_size: built.code.len(), stack, section, notes })
}

/// Returns the image with a native section more, in place of one for the same target. The trailer is made anew: a
/// signed image has to be signed again.
///
/// # Errors
/// The image cannot be read.
pub fn add_section(image: &[u8], compilation: &Compilation) -> Result<Vec<u8>, AotError> {
    let parsed = Image::parse(image)?;
    let mut writer = Writer::of(&parsed, |kind| kind != compilation.kind);
    writer.optional(compilation.kind, compilation.section.clone());
    Ok(with_hash(writer))
}

/// Returns the image without its IR: it runs only where one of its native sections does.
///
/// # Errors
/// The image cannot be read.
pub fn without_ir(image: &[u8]) -> Result<Vec<u8>, AotError> {
    let parsed = Image::parse(image)?;
    Ok(with_hash(Writer::of(&parsed, |kind| kind != Section::Code as u16)))
}

fn with_hash(writer: Writer) -> Vec<u8> {
    let mut image = writer.finish();
    let hash = Sha256::digest(&image);
    append_trailer(&mut image, &[(TAG_HASH, &hash)]);
    image
}
