// SPDX-License-Identifier: Apache-2.0
//! Runs the directives of a file.

use std::collections::HashMap;

use wast::lexer::Lexer;
use wast::parser::{parse, ParseBuffer};
use wast::token::Id;
use wast::{Wast, WastDirective, WastExecute, WastInvoke, WastRet};
use wisp_compiler::ErrorKind;
use wisp_engine::{Config, Engine, Extern, Instance, InstantiateError, Linker, Module, Store, Trap, TrapCode, Val};

use crate::prepare::{prepare, Prepared, Tier};
use crate::spectest::SpecTest;
use crate::{values, Case, FileReport};

/// Bytes of the arena that all modules of a file share. The system backs what is touched.
const ARENA: usize = 1 << 30;
/// Bytes of frames: the deepest recursion that is meant to end is about 200 calls.
const STACK: u32 = 256 << 10;
/// Calls from instance to instance that may nest.
const NATIVE_DEPTH: u32 = 64;
/// Bytes that a growing memory reserves.
const MEMORY: u32 = 4 << 20;
/// Files that grow theirs to up to 804 pages, and what they reserve.
const LARGE: [&str; 3] = ["memory_grow.wast", "call.wast", "call_indirect.wast"];
const LARGE_MEMORY: u32 = 64 << 20;
/// Elements that a growing table reserves.
const TABLE: u32 = 4096;
/// Backward branches and calls of one directive: ends what should have ended long before.
const FUEL: u64 = 100_000_000;

/// Runs a file in a store of its own.
pub fn run(case: &Case, tier: Tier) -> FileReport {
    let mut report = FileReport::default();
    let mut lexer = Lexer::new(case.text());
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer);
    let buffer = match buffer {
        Ok(buffer) => buffer,
        Err(error) => {
            report.fail(0, error.to_string());
            return report;
        }
    };
    let mut directives = match parse::<Wast<'_>>(&buffer) {
        Ok(wast) => wast.directives,
        Err(error) => {
            report.fail(0, error.to_string());
            return report;
        }
    };
    let prepared: Vec<Prepared> = directives.iter_mut().map(|directive| prepare(directive, tier)).collect();
    let mut arena = vec![0u64; ARENA / 8];
    let memory = if LARGE.contains(&case.file.as_str()) { LARGE_MEMORY } else { MEMORY };
    let Some(mut runner) = Runner::new(&mut arena, &prepared, memory) else {
        report.fail(0, "no store fits the arena".into());
        return report;
    };
    for (index, directive) in directives.iter().enumerate() {
        let line = directive.span().linecol_in(case.text()).0 + 1;
        if case.skip(line).is_some() {
            report.counts.skipped += usize::from(is_assertion(directive));
            continue;
        }
        match runner.directive(index, directive) {
            Err(message) => report.fail(line, message),
            Ok(Kind::Assertion) => report.counts.passed += 1,
            Ok(Kind::Action) => {}
        }
    }
    report
}

pub(crate) fn is_assertion(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
    )
}

/// The kind of a directive that succeeded.
enum Kind {
    Assertion,
    Action,
}

/// The end of an action.
enum Outcome {
    Values(Vec<Val>),
    Trap(Trap),
    NotInstantiated(InstantiateError),
}

impl Outcome {
    fn describe(&self) -> String {
        match self {
            Self::Values(values) => format!("it returned {values:x?}"),
            Self::Trap(trap) => format!("it trapped: {trap}"),
            Self::NotInstantiated(error) => format!("it was not instantiated: {error}"),
        }
    }
}

struct Runner<'r> {
    prepared: &'r [Prepared],
    engine: Engine,
    store: Store<'r, ()>,
    spectest: SpecTest,
    linker: Linker<'static, ()>,
    registered: HashMap<String, Instance>,
    named: HashMap<String, Instance>,
    definitions: HashMap<String, usize>,
    last_definition: Option<usize>,
    current: Option<Instance>,
}

impl<'r> Runner<'r> {
    fn new(arena: &'r mut [u64], prepared: &'r [Prepared], memory: u32) -> Option<Self> {
        let config = Config::new().stack_size(STACK).native_depth(NATIVE_DEPTH).max_memory(memory);
        let engine = Engine::new(&config.table_capacity(TABLE));
        let mut store = Store::new(&engine, arena, ())?;
        let spectest = SpecTest::new(&mut store)?;
        Some(Self {
            prepared,
            engine,
            store,
            linker: spectest.linker(),
            spectest,
            registered: HashMap::new(),
            named: HashMap::new(),
            definitions: HashMap::new(),
            last_definition: None,
            current: None,
        })
    }

    fn directive(&mut self, index: usize, directive: &WastDirective<'_>) -> Result<Kind, String> {
        match directive {
            WastDirective::Module(module) => self.define(index, module.name()).map(|()| Kind::Action),
            WastDirective::ModuleDefinition(module) => {
                self.module(index)?;
                self.last_definition = Some(index);
                if let Some(name) = module.name() {
                    self.definitions.insert(name.name().into(), index);
                }
                Ok(Kind::Action)
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let definition = match module {
                    Some(name) => self.definitions.get(name.name()).copied(),
                    None => self.last_definition,
                };
                self.define(definition.ok_or("unknown module definition")?, *instance).map(|()| Kind::Action)
            }
            WastDirective::Register { name, module, .. } => self.register(name, *module).map(|()| Kind::Action),
            WastDirective::Invoke(invoke) => match self.invoke(invoke)? {
                Outcome::Values(_) => Ok(Kind::Action),
                other => Err(other.describe()),
            },
            WastDirective::AssertReturn { exec, results, .. } => {
                let outcome = self.execute(index, exec)?;
                expect_values(outcome, results)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let outcome = self.execute(index, exec)?;
                expect_trap(outcome, message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let outcome = self.invoke(call)?;
                expect_trap(outcome, message)
            }
            WastDirective::AssertUnlinkable { message, .. } => match self.instantiate(index)? {
                Err(InstantiateError::Import(_, problem)) if problem.text().starts_with(message) => Ok(Kind::Assertion),
                Err(error) => Err(format!("expected `{message}`: {error}")),
                Ok(_) => Err(format!("expected `{message}`: it was instantiated")),
            },
            WastDirective::AssertInvalid { message, .. } | WastDirective::AssertMalformed { message, .. } => match self
                .prepared
                .get(index)
            {
                Some(Prepared::Text(_)) => Ok(Kind::Assertion),
                Some(Prepared::Rejected(error)) if matches!(error.kind, ErrorKind::Invalid(_)) => Ok(Kind::Assertion),
                Some(Prepared::Rejected(error)) => Err(format!("expected `{message}`: {error}")),
                _ => Err(format!("expected `{message}`: it was accepted")),
            },
            other => Err(format!("unknown directive: {other:?}")),
        }
    }

    fn module(&self, index: usize) -> Result<Module<'r>, String> {
        match self.prepared.get(index) {
            Some(Prepared::Image(image)) => {
                Module::new(&self.engine, image).map_err(|error| format!("the image was refused: {error}"))
            }
            Some(Prepared::Native(loaded)) => match loaded.module(&self.engine) {
                Ok(Ok(module)) => Ok(module),
                Ok(Err(refusal)) => Err(format!("the native code was refused: {refusal}")),
                Err(error) => Err(format!("the image was refused: {error}")),
            },
            Some(Prepared::NotNative(error)) => Err(format!("no native code: {error}")),
            Some(Prepared::Text(error)) => Err(format!("the text was refused: {error}")),
            Some(Prepared::Rejected(error)) => Err(format!("the module was refused: {error}")),
            Some(Prepared::None) | None => Err("no module".into()),
        }
    }

    fn instantiate(&mut self, index: usize) -> Result<Result<Instance, InstantiateError>, String> {
        let module = self.module(index)?;
        self.store.set_fuel(Some(FUEL));
        Ok(self.linker.instantiate(&mut self.store, &module))
    }

    /// Instantiates a module that the following directives mean.
    fn define(&mut self, index: usize, name: Option<Id<'_>>) -> Result<(), String> {
        self.current = None;
        self.last_definition = Some(index);
        let instance = self.instantiate(index)?.map_err(|error| error.to_string())?;
        self.current = Some(instance);
        if let Some(name) = name {
            self.named.insert(name.name().into(), instance);
            self.definitions.insert(name.name().into(), index);
        }
        Ok(())
    }

    fn instance(&self, name: Option<Id<'_>>) -> Result<Instance, String> {
        let instance = match name {
            Some(name) => self.named.get(name.name()).copied(),
            None => self.current,
        };
        instance.ok_or_else(|| "no instance: its module failed before".into())
    }

    fn register(&mut self, name: &str, module: Option<Id<'_>>) -> Result<(), String> {
        let instance = self.instance(module)?;
        if self.registered.insert(name.into(), instance).is_some() {
            // exports of the former instance must be gone
            self.linker = self.spectest.linker();
            for (name, instance) in &self.registered {
                self.linker.instance(&self.store, name, *instance);
            }
        } else {
            self.linker.instance(&self.store, name, instance);
        }
        Ok(())
    }

    fn execute(&mut self, index: usize, exec: &WastExecute<'_>) -> Result<Outcome, String> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Wat(_) => Ok(match self.instantiate(index)? {
                Ok(_) => Outcome::Values(Vec::new()),
                Err(InstantiateError::Trap(trap)) => Outcome::Trap(trap),
                Err(error) => Outcome::NotInstantiated(error),
            }),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(*module)?;
                match instance.get_export(&self.store, global) {
                    Some(Extern::Global(found)) => {
                        let value = found.get(&self.store).ok_or("the global has no value")?;
                        Ok(Outcome::Values(vec![value]))
                    }
                    _ => Err(format!("no exported global `{global}`")),
                }
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome, String> {
        let instance = self.instance(invoke.module)?;
        let func = instance.get_func(&self.store, invoke.name);
        let func = func.ok_or_else(|| format!("no exported function `{}`", invoke.name))?;
        let arguments: Option<Vec<Val>> = invoke.args.iter().map(values::argument).collect();
        let arguments = arguments.ok_or("an argument of an unknown type")?;
        let results = func.ty(&self.store).ok_or("the function has no type")?.results.len();
        let mut results = vec![Val::I32(0); results];
        self.store.set_fuel(Some(FUEL));
        Ok(match func.call(&mut self.store, &arguments, &mut results) {
            Ok(()) => Outcome::Values(results),
            Err(trap) => Outcome::Trap(trap),
        })
    }
}

fn expect_values(outcome: Outcome, expected: &[WastRet<'_>]) -> Result<Kind, String> {
    let Outcome::Values(values) = &outcome else {
        return Err(format!("expected {expected:x?}: {}", outcome.describe()));
    };
    let equal = values.len() == expected.len();
    if equal && expected.iter().zip(values).all(|(expected, &value)| values::matches(expected, value)) {
        Ok(Kind::Assertion)
    } else {
        Err(format!("expected {expected:x?}: {}", outcome.describe()))
    }
}

/// Returns the trap the suite means by a message.
pub(crate) fn trap_code(message: &str) -> Option<TrapCode> {
    const CODES: &[(&str, TrapCode)] = &[
        ("unreachable", TrapCode::Unreachable),
        ("out of bounds memory access", TrapCode::MemoryOutOfBounds),
        ("out of bounds table access", TrapCode::TableOutOfBounds),
        ("undefined", TrapCode::TableOutOfBounds),
        ("uninitialized", TrapCode::IndirectCallToNull),
        ("indirect call type mismatch", TrapCode::BadSignature),
        ("integer overflow", TrapCode::IntegerOverflow),
        ("integer divide by zero", TrapCode::IntegerDivisionByZero),
        ("invalid conversion to integer", TrapCode::BadConversionToInteger),
        ("call stack exhausted", TrapCode::StackOverflow),
    ];
    CODES.iter().find(|code| message.starts_with(code.0)).map(|code| code.1)
}

fn expect_trap(outcome: Outcome, message: &str) -> Result<Kind, String> {
    let code = trap_code(message).ok_or_else(|| format!("no trap is known as `{message}`"))?;
    match outcome {
        Outcome::Trap(trap) if trap.code == code => Ok(Kind::Assertion),
        other => Err(format!("expected a trap, `{message}`: {}", other.describe())),
    }
}
