// SPDX-License-Identifier: Apache-2.0
//! Writes the suite on a tape that targets play, see `wisp_tape`.
//!
//! A file becomes one store after the other, as few at a time as its modules refer to each other, so that a
//! target's arena holds them. Then the tape is played here, twice: once to see that all of it holds and how
//! large memories become, once in the memory of a target, to mark the actions that need more.

use std::collections::HashMap;
use std::fmt::Arguments;

use wast::core::{AbstractHeapType, HeapType, NanPattern, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{parse, ParseBuffer};
use wast::token::Id;
use wast::{Wast, WastDirective, WastExecute, WastInvoke, WastRet};
use wisp_engine::LinkProblem;
use wisp_tape::format::{expect, put_str, put_u32, put_val, record, value, LARGE, MAGIC};
use wisp_tape::{play, Counts, Observer, Place};

use crate::prepare::{prepare, Prepared, Tier};
use crate::runner::{is_assertion, trap_code};
use crate::skips::Directives;
use crate::translate::{Modules, Native, Translator};
use crate::{features, values, Case};

/// Limit of a memory, in bytes, on a machine with enough: the suite grows one to 804 pages.
const LARGE_MEMORY: u32 = 64 << 20;
/// Bytes of the arena here.
const ARENA: usize = 256 << 20;
/// Bytes of the smallest arena of a board in QEMU.
pub const SMALL_ARENA: usize = 15 << 20;

/// A tape, and what it holds.
pub struct Tape {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Counts of the play on this machine, by file.
    pub files: Vec<(String, Counts)>,
    /// Their sum.
    pub counts: Counts,
    /// Actions that need tens of megabytes of memory.
    pub large: usize,
    /// Bytes of the largest arena but those.
    pub arena: usize,
}

/// Makes the tape of these cases. With a translator, the images have native code as well. Here they are played
/// by the interpreter all the same. Actions that fail in an arena of so many bytes are marked to be skipped there.
///
/// # Errors
/// What cannot be written, or does not hold when it is played here.
pub fn tape(cases: &[Case], translator: Option<&Translator>, arena: usize) -> Result<Tape, String> {
    let mut writer = Writer::default();
    let at = |case: &Case, error| format!("{}: {error}", case.name());
    let skips = translator.map_or(&[][..], Translator::skips);
    if let Some(translator) = translator {
        let mut modules = Modules::default();
        for case in cases {
            with_directives(case, skips, |directives, _| modules.add(directives)).map_err(|error| at(case, error))?;
        }
        writer.native = translator.translate(&modules)?;
    }
    for case in cases {
        with_directives(case, skips, |directives, skips| writer.case(case, directives, skips))
            .and_then(|written| written)
            .map_err(|error| at(case, error))?;
    }
    writer.finish(arena)
}

/// Gives a function the directives that run, and the number of assertions among the others.
fn with_directives<R>(
    case: &Case,
    more_skips: &[Directives],
    then: impl FnOnce(&mut Vec<WastDirective<'_>>, usize) -> R,
) -> Result<R, String> {
    let mut lexer = Lexer::new(case.text());
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|error| error.to_string())?;
    let mut directives = parse::<Wast<'_>>(&buffer).map_err(|error| error.to_string())?.directives;
    let skipped = |directive: &WastDirective<'_>| {
        let line = directive.span().linecol_in(case.text()).0 + 1;
        case.skipped.is_some() || case.skip(line).is_some() || case.skip_of(more_skips, line).is_some()
    };
    let skips = directives.iter().filter(|directive| is_assertion(directive) && skipped(directive)).count();
    directives.retain(|directive| !skipped(directive));
    Ok(then(&mut directives, skips))
}

/// Makes the tape of an engine that is built without all the features it may be built without: the module that
/// needs none runs, the others are refused. Played here, where all are built in, the refusals fail.
///
/// # Errors
/// What does not compile, or does not hold when it is played here.
pub fn features_tape(translator: Option<&Translator>) -> Result<Tape, String> {
    let assemble = |text: &str| {
        let buffer = ParseBuffer::new(text).map_err(|error| error.to_string())?;
        let wasm = parse::<wast::Wat<'_>>(&buffer).and_then(|mut wat| wat.encode());
        wasm.map_err(|error| error.to_string())
    };
    let mut writer = Writer::default();
    let (base, result) = features::base();
    let mut modules = Modules::default();
    let mut compiled = |text: &str| modules.compile(&assemble(text)?);
    let base = compiled(base)?;
    let needing: Vec<_> = features::needing()
        .iter()
        .map(|&(feature, text)| compiled(text).map(|image| (feature, image)))
        .collect::<Result<_, String>>()?;
    if let Some(translator) = translator {
        writer.native = translator.translate(&modules)?;
    }
    writer.records.push(record::FILE);
    put_str(&mut writer.records, "wisp/without-features");
    put_u32(&mut writer.records, 0);
    put_u32(&mut writer.records, 0);
    writer.records.push(record::STORE);
    put_u32(&mut writer.records, 1 << 16);
    writer.instantiate(1, &base);
    writer.records.push(expect::NOTHING);
    writer.action(record::INVOKE, 1);
    writer.records.extend(0u16.to_le_bytes());
    put_str(&mut writer.records, "f");
    writer.records.extend([0, expect::VALUES, 1, value::I32]);
    writer.records.extend(result.to_le_bytes());
    for (line, (feature, image)) in (2..).zip(&needing) {
        writer.instantiate(line, image);
        writer.records.extend([expect::MISSING, *feature as u8]);
    }
    let bytes = writer.bytes();
    let mut seen = Seen::default();
    let counts = play(&bytes, &mut vec![0u64; SMALL_ARENA / 8], false, &mut seen).map_err(|at| format!("{at:?}"))?;
    if (counts.passed, counts.failed) != (1, needing.len() as u32) {
        return Err(format!("an engine with all features played it: {counts:?}, {:?}", seen.failures));
    }
    Ok(Tape { bytes, files: seen.files, counts, large: 0, arena: SMALL_ARENA })
}

#[derive(Default)]
struct Writer {
    /// Images with native code, by those without.
    native: Native,
    images: Vec<u8>,
    known: HashMap<Vec<u8>, (u32, u32)>,
    records: Vec<u8>,
}

/// The state of the tape for the store that is being filled.
#[derive(Default)]
struct Store {
    instances: u16,
    current: Option<u16>,
    named: HashMap<String, u16>,
    registered: bool,
}

impl Writer {
    fn image(&mut self, bytes: &[u8]) -> (u32, u32) {
        if let Some(&found) = self.known.get(bytes) {
            return found;
        }
        self.images.resize(self.images.len().next_multiple_of(8), 0);
        let whole = self.native.get(bytes).map_or(bytes, Vec::as_slice);
        let place = (self.images.len() as u32, whole.len() as u32);
        self.images.extend(whole);
        self.known.insert(bytes.to_vec(), place);
        place
    }

    fn case(&mut self, case: &Case, directives: &mut Vec<WastDirective<'_>>, skips: usize) -> Result<(), String> {
        let on_desk = directives.iter().filter(|directive| judged_on_desk(directive)).count();
        directives.retain(|directive| !judged_on_desk(directive));
        let prepared: Vec<Prepared> =
            directives.iter_mut().map(|directive| prepare(directive, Tier::Interpreter)).collect();

        self.records.push(record::FILE);
        put_str(&mut self.records, &case.name());
        put_u32(&mut self.records, on_desk as u32);
        put_u32(&mut self.records, skips as u32);
        let mut definitions: HashMap<String, usize> = HashMap::new();
        let mut last_definition = 0;
        let mut store: Option<Store> = None;
        for (index, directive) in directives.iter().enumerate() {
            let starts = matches!(directive, WastDirective::Module(_) | WastDirective::ModuleInstance { .. });
            let over = store.as_ref().is_none_or(|store| {
                let used = |name: &String| directives[index..].iter().any(|later| names(later, name));
                starts && !store.registered && !store.named.keys().any(used)
            });
            if over && !matches!(directive, WastDirective::ModuleDefinition(_)) {
                self.records.push(record::STORE);
                put_u32(&mut self.records, LARGE_MEMORY);
                store = Some(Store::default());
            }
            let line = (directive.span().linecol_in(case.text()).0 + 1) as u32;
            let image = |index: usize| match &prepared[index] {
                Prepared::Image(image) => Ok(image.as_slice()),
                _ => Err(format!("line {line}: the module does not compile")),
            };
            if let WastDirective::ModuleDefinition(module) = directive {
                last_definition = index;
                if let Some(name) = module.name() {
                    definitions.insert(name.name().into(), index);
                }
                continue;
            }
            let Some(store) = &mut store else { return Err("no store".into()) };
            let unknown = || format!("line {line}: an unknown instance");
            match directive {
                WastDirective::Module(module) => {
                    last_definition = index;
                    if let Some(name) = module.name() {
                        definitions.insert(name.name().into(), index);
                    }
                    self.instantiate(line, image(index)?);
                    self.records.push(expect::NOTHING);
                    store.add(module.name());
                }
                WastDirective::ModuleInstance { instance, module, .. } => {
                    let definition = match module {
                        Some(name) => *definitions.get(name.name()).ok_or_else(unknown)?,
                        None => last_definition,
                    };
                    self.instantiate(line, image(definition)?);
                    self.records.push(expect::NOTHING);
                    store.add(*instance);
                }
                WastDirective::Register { name, module, .. } => {
                    self.records.push(record::REGISTER);
                    let instance = store.instance(*module).ok_or_else(unknown)?;
                    self.records.extend(instance.to_le_bytes());
                    put_str(&mut self.records, name);
                    store.registered = true;
                }
                WastDirective::Invoke(invoke) => {
                    self.invoke(line, store, invoke)?;
                    self.records.push(expect::NOTHING);
                }
                WastDirective::AssertReturn { exec, results, .. } => {
                    self.execute(line, store, exec, image(index))?;
                    self.records.push(expect::VALUES);
                    self.records.push(results.len() as u8);
                    results.iter().try_for_each(|result| self.result(result))?;
                }
                WastDirective::AssertTrap { exec, message, .. } => {
                    self.execute(line, store, exec, image(index))?;
                    self.trap(message)?;
                }
                WastDirective::AssertExhaustion { call, message, .. } => {
                    self.invoke(line, store, call)?;
                    self.trap(message)?;
                }
                WastDirective::AssertUnlinkable { message, .. } => {
                    self.instantiate(line, image(index)?);
                    self.records.push(expect::UNLINKABLE);
                    let fitting = PROBLEMS.iter().filter(|problem| problem.text().starts_with(message));
                    self.records.push(fitting.fold(0, |bits, &problem| bits | 1 << problem as u8));
                }
                other => return Err(format!("line {line}: unknown directive {other:?}")),
            }
        }
        Ok(())
    }

    fn action(&mut self, kind: u8, line: u32) {
        self.records.push(kind);
        put_u32(&mut self.records, line);
        self.records.push(0);
    }

    fn instantiate(&mut self, line: u32, image: &[u8]) {
        let (offset, length) = self.image(image);
        self.action(record::INSTANTIATE, line);
        put_u32(&mut self.records, offset);
        put_u32(&mut self.records, length);
    }

    fn execute(
        &mut self,
        line: u32,
        store: &Store,
        exec: &WastExecute<'_>,
        image: Result<&[u8], String>,
    ) -> Result<(), String> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(line, store, invoke)?,
            WastExecute::Wat(_) => self.instantiate(line, image?),
            WastExecute::Get { module, global, .. } => {
                self.action(record::GET, line);
                let instance = store.instance(*module).ok_or_else(|| format!("line {line}: an unknown instance"))?;
                self.records.extend(instance.to_le_bytes());
                put_str(&mut self.records, global);
            }
        }
        Ok(())
    }

    fn invoke(&mut self, line: u32, store: &Store, invoke: &WastInvoke<'_>) -> Result<(), String> {
        self.action(record::INVOKE, line);
        let instance = store.instance(invoke.module).ok_or_else(|| format!("line {line}: an unknown instance"))?;
        self.records.extend(instance.to_le_bytes());
        put_str(&mut self.records, invoke.name);
        self.records.push(invoke.args.len() as u8);
        for argument in &invoke.args {
            let argument = values::argument(argument).ok_or("an argument of an unknown type")?;
            put_val(&mut self.records, argument);
        }
        Ok(())
    }

    fn trap(&mut self, message: &str) -> Result<(), String> {
        let code = trap_code(message).ok_or_else(|| format!("no trap is known as `{message}`"))?;
        self.records.extend([expect::TRAP, code as u8]);
        Ok(())
    }

    fn result(&mut self, result: &WastRet<'_>) -> Result<(), String> {
        match result {
            WastRet::Core(result) => self.core_result(result),
            _ => Err("a result of an unknown type".into()),
        }
    }

    fn core_result(&mut self, result: &WastRetCore<'_>) -> Result<(), String> {
        let mut exact = |tag: u8, bits: &[u8]| {
            self.records.push(tag);
            self.records.extend(bits);
        };
        match result {
            WastRetCore::I32(x) => exact(value::I32, &x.to_le_bytes()),
            WastRetCore::I64(x) => exact(value::I64, &x.to_le_bytes()),
            WastRetCore::F32(NanPattern::Value(x)) => exact(value::F32, &x.bits.to_le_bytes()),
            WastRetCore::F64(NanPattern::Value(x)) => exact(value::F64, &x.bits.to_le_bytes()),
            WastRetCore::F32(NanPattern::CanonicalNan) => exact(value::F32_CANONICAL, &[]),
            WastRetCore::F32(NanPattern::ArithmeticNan) => exact(value::F32_ARITHMETIC, &[]),
            WastRetCore::F64(NanPattern::CanonicalNan) => exact(value::F64_CANONICAL, &[]),
            WastRetCore::F64(NanPattern::ArithmeticNan) => exact(value::F64_ARITHMETIC, &[]),
            WastRetCore::RefNull(None) => exact(value::NULL, &[]),
            WastRetCore::RefNull(Some(HeapType::Abstract { ty: AbstractHeapType::Func, .. })) => {
                exact(value::NULL_FUNC, &[]);
            }
            WastRetCore::RefNull(Some(HeapType::Abstract { ty: AbstractHeapType::Extern, .. })) => {
                exact(value::NULL_EXTERN, &[]);
            }
            WastRetCore::RefExtern(Some(x)) => exact(value::EXTERN, &x.to_le_bytes()),
            WastRetCore::RefExtern(None) => exact(value::ANY_EXTERN, &[]),
            WastRetCore::RefFunc(None) => exact(value::ANY_FUNC, &[]),
            WastRetCore::Either(cases) => {
                exact(value::EITHER, &[cases.len() as u8]);
                cases.iter().try_for_each(|case| self.core_result(case))?;
            }
            other => return Err(format!("a result of an unknown type: {other:?}")),
        }
        Ok(())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let images = self.images.len().next_multiple_of(8);
        for word in [MAGIC, images as u32, self.records.len() as u32, 0] {
            put_u32(&mut bytes, word);
        }
        bytes.extend(&self.images);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(&self.records);
        bytes
    }

    fn finish(mut self, target: usize) -> Result<Tape, String> {
        let damaged = |error| format!("the tape cannot be read: {error:?}");
        let target = target.min(ARENA);
        let mut arena = vec![0u64; ARENA / 8];
        let mut seen = Seen::default();
        play(&self.bytes(), &mut arena, true, &mut seen).map_err(damaged)?;
        if let Some((_, failure)) = seen.failures.first() {
            return Err(format!("{failure}, and {} more", seen.failures.len() - 1));
        }
        // memories that take no more than they will need
        for &(at, memory, _) in &seen.stores {
            self.records[at..at + 4].copy_from_slice(&memory.to_le_bytes());
        }
        let mut small = Seen::default();
        play(&self.bytes(), &mut arena[..target / 8], true, &mut small).map_err(damaged)?;
        for &(flags, _) in &small.failures {
            self.records[flags] |= LARGE;
        }
        let mut last = Seen::default();
        let bytes = self.bytes();
        let counts = play(&bytes, &mut arena[..target / 8], false, &mut last).map_err(damaged)?;
        if let Some((_, failure)) = last.failures.first() {
            return Err(format!("in {target} bytes: {failure}"));
        }
        let arena = last.stores.iter().map(|store| store.2).max().unwrap_or(0);
        Ok(Tape { bytes, files: last.files, counts, large: small.failures.len(), arena })
    }
}

const PROBLEMS: [LinkProblem; 5] =
    [LinkProblem::Unknown, LinkProblem::Kind, LinkProblem::Signature, LinkProblem::Limits, LinkProblem::GlobalType];

/// Assertions about modules that do not compile: a target has no compiler.
fn judged_on_desk(directive: &WastDirective<'_>) -> bool {
    matches!(
        directive,
        WastDirective::AssertMalformed { .. }
            | WastDirective::AssertMalformedCustom { .. }
            | WastDirective::AssertInvalid { .. }
            | WastDirective::AssertInvalidCustom { .. }
    )
}

/// Returns true if the directive means the instance with this name.
fn names(directive: &WastDirective<'_>, name: &str) -> bool {
    let is = |id: &Option<Id<'_>>| id.is_some_and(|id| id.name() == name);
    match directive {
        WastDirective::Register { module, .. } => is(module),
        WastDirective::Invoke(invoke) | WastDirective::AssertExhaustion { call: invoke, .. } => is(&invoke.module),
        WastDirective::AssertReturn { exec, .. } | WastDirective::AssertTrap { exec, .. } => match exec {
            WastExecute::Invoke(invoke) => is(&invoke.module),
            WastExecute::Get { module, .. } => is(module),
            WastExecute::Wat(_) => false,
        },
        _ => false,
    }
}

impl Store {
    fn add(&mut self, name: Option<Id<'_>>) {
        if let Some(name) = name {
            self.named.insert(name.name().into(), self.instances);
        }
        self.current = Some(self.instances);
        self.instances += 1;
    }

    fn instance(&self, name: Option<Id<'_>>) -> Option<u16> {
        match name {
            Some(name) => self.named.get(name.name()).copied(),
            None => self.current,
        }
    }
}

/// The results of a play.
#[derive(Default)]
struct Seen {
    files: Vec<(String, Counts)>,
    failures: Vec<(usize, String)>,
    stores: Vec<(usize, u32, usize)>,
}

impl Observer for Seen {
    fn file(&mut self, name: &str, counts: Counts) {
        self.files.push((name.into(), counts));
    }

    fn failure(&mut self, place: Place<'_>, what: Arguments<'_>) {
        self.failures.push((place.flags, format!("{}:{}: {what}", place.file, place.line)));
    }

    fn store(&mut self, record: usize, memory: u32, arena: usize) {
        self.stores.push((record, memory, arena));
    }
}
