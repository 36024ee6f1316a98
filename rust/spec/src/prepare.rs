// SPDX-License-Identifier: Apache-2.0
//! Makes images of all modules of a file, before anything runs.

use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, Wat};
use wisp_aotc::desk::Loaded;
use wisp_aotc::AotError;
use wisp_compiler::{compile, CompileError, Compiled, Options};

/// The outcome of preparing the module of a directive.
pub enum Prepared {
    /// The directive has none.
    None,
    /// The text is not well formed: the assembler of the suite refuses it.
    Text(String),
    /// The compiler refuses it.
    Rejected(CompileError),
    /// The image.
    Image(Vec<u8>),
    /// The image and its native code.
    Native(Box<Loaded>),
    /// The module could not be compiled to native code.
    NotNative(AotError),
}

/// The tier that runs the modules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// The interpreter.
    Interpreter,
    /// Native code for this machine, with checks as strict as the specification has them.
    Native,
}

/// The last step of preparing a module that compiles, which gets its wasm.
pub type Finish<'f> = &'f mut dyn FnMut(&[u8], Compiled) -> Prepared;

fn image(wasm: &[u8], finish: Finish<'_>) -> Prepared {
    // the suite looks at the declared size of memories
    match compile(wasm, &Options { name: "spec", trim: false, ..Options::default() }) {
        Ok(compiled) => finish(wasm, compiled),
        Err(error) => Prepared::Rejected(error),
    }
}

/// Returns the options with which the suite is compiled to native code: traps where the specification has them.
pub fn native_options() -> wisp_aotc::Options {
    wisp_aotc::Options { strict: true, ..wisp_aotc::Options::default() }
}

fn on_desk(wasm: &[u8], compiled: Compiled, tier: Tier) -> Prepared {
    if tier == Tier::Interpreter {
        return Prepared::Image(compiled.image);
    }
    match Loaded::compile(wasm, &compiled, &wisp_aotc::Options { assert_known: true, ..native_options() }) {
        Ok(loaded) => Prepared::Native(Box::new(loaded)),
        Err(error) => Prepared::NotNative(error),
    }
}

fn quoted(module: &mut QuoteWat<'_>, finish: Finish<'_>) -> Prepared {
    let text = match module.to_test() {
        Err(error) => return Prepared::Text(error.to_string()),
        Ok(QuoteWatTest::Binary(wasm)) => return image(&wasm, finish),
        Ok(QuoteWatTest::Text(text)) => text,
    };
    let assemble = || {
        let text = std::str::from_utf8(&text).map_err(|error| error.to_string())?;
        let buffer = wast::parser::ParseBuffer::new(text).map_err(|error| error.to_string())?;
        let mut wat = wast::parser::parse::<Wat<'_>>(&buffer).map_err(|error| error.to_string())?;
        wat.encode().map_err(|error| error.to_string())
    };
    match assemble() {
        Ok(wasm) => image(&wasm, finish),
        Err(error) => Prepared::Text(error),
    }
}

fn plain(module: &mut Wat<'_>, finish: Finish<'_>) -> Prepared {
    match module.encode() {
        Ok(wasm) => image(&wasm, finish),
        Err(error) => Prepared::Text(error.to_string()),
    }
}

/// Returns the module of a directive, compiled for this machine.
pub fn prepare(directive: &mut WastDirective<'_>, tier: Tier) -> Prepared {
    prepare_with(directive, &mut |wasm, compiled| on_desk(wasm, compiled, tier))
}

/// Returns the module of a directive, compiled and finished.
pub fn prepare_with(directive: &mut WastDirective<'_>, finish: Finish<'_>) -> Prepared {
    match directive {
        WastDirective::Module(module)
        | WastDirective::ModuleDefinition(module)
        | WastDirective::AssertMalformed { module, .. }
        | WastDirective::AssertMalformedCustom { module, .. }
        | WastDirective::AssertInvalid { module, .. }
        | WastDirective::AssertInvalidCustom { module, .. } => quoted(module, finish),
        WastDirective::AssertUnlinkable { module, .. }
        | WastDirective::AssertTrap { exec: WastExecute::Wat(module), .. }
        | WastDirective::AssertReturn { exec: WastExecute::Wat(module), .. } => plain(module, finish),
        _ => Prepared::None,
    }
}
