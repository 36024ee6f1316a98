// SPDX-License-Identifier: Apache-2.0
//! Plays a tape.

use core::fmt::{Arguments, Display};
use core::ops::AddAssign;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use wisp_engine::{
    Config, Engine, Extern, FuncType, HostFunction, Image, Instance, InstantiateError, LinkProblem, Linker, Module,
    Name, Resolve, Store, Trap, TrapCode, Val,
};
use wisp_image::features::Feature;
use wisp_image::verify::{self, Rule};
use wisp_image::ImageError;

use crate::format::{expect, record, Cursor, HEADER, LARGE, MAGIC};
use crate::spectest;

/// Bytes of frames, but no more than an eighth of the arena: the deepest recursion that is meant to end is about 200 calls.
const STACK: usize = 256 << 10;
/// Calls from instance to instance that may nest.
const NATIVE_DEPTH: u32 = 64;
/// Elements that a growing table reserves.
const TABLE: u32 = 4096;
/// Backward branches and calls of one action: ends what should have ended long before.
const FUEL: u64 = 100_000_000;

/// Bytes of an arena that holds what the few actions need which grow a memory to 804 pages.
pub const LARGE_ARENA: usize = 96 << 20;

/// The tape is damaged: the offset in the records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged(pub usize);

/// Numbers of assertions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Held.
    pub passed: u32,
    /// Did not hold, or something around them went wrong.
    pub failed: u32,
    /// Not run here, with a reason.
    pub skipped: u32,
    /// Judged when the tape was made: modules that must not compile.
    pub desk: u32,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.desk += other.desk;
    }
}

/// An action of the tape.
#[derive(Clone, Copy, Debug)]
pub struct Place<'t> {
    /// Name of the file.
    pub file: &'t str,
    /// Line in it, from 1.
    pub line: u32,
    /// Offset of the flags of the action's record.
    pub flags: usize,
}

/// A receiver of the events of a play.
pub trait Observer {
    /// Notes that a file has been played.
    fn file(&mut self, name: &str, counts: Counts);
    /// Notes that an action did not do what it should.
    fn failure(&mut self, place: Place<'_>, what: Arguments<'_>);
    /// Returns the configuration of stores. The one given has all that the suite needs. An observer may add to it.
    fn config(&self, config: Config) -> Config {
        config
    }
    /// Lets a module that is about to be instantiated use native code, where there is some.
    ///
    /// # Errors
    /// Why it cannot.
    fn module(&mut self, _engine: &Engine, _module: &mut Module<'_>) -> Result<(), &'static str> {
        Ok(())
    }
    /// Notes that a store has been played: offset of its record, bytes of its largest memory and of its arena.
    fn store(&mut self, _record: usize, _memory: u32, _arena: usize) {}
    /// Notes that a store has been played: functions of its instances, and how many of them became machine code.
    fn functions(&mut self, _all: u32, _translated: u32) {}
}

/// Plays all files, in stores in this arena. Actions that need memories of tens of megabytes are skipped
/// unless `large` says that the arena has them.
///
/// # Errors
/// The tape cannot be read.
pub fn play(tape: &[u8], arena: &mut [u64], large: bool, observer: &mut dyn Observer) -> Result<Counts, Damaged> {
    let mut header = Cursor::new(tape);
    let sizes = (|| {
        let magic = header.u32()?;
        let sizes = (header.u32()? as usize, header.u32()? as usize);
        (magic == MAGIC).then_some(sizes)
    })();
    let (images, records) = sizes.ok_or(Damaged(0))?;
    let rest = tape.get(HEADER..).ok_or(Damaged(0))?;
    let images_bytes = rest.get(..images).ok_or(Damaged(0))?;
    let records = rest.get(images..).and_then(|rest| rest.get(..records)).ok_or(Damaged(0))?;
    let mut cursor = Cursor::new(records);
    let mut player = Player { images: images_bytes, arena, large, observer, file: "", counts: Counts::default() };
    let mut total = Counts::default();
    while let Some(kind) = cursor.peek() {
        player.counts = Counts::default();
        if kind != record::FILE || player.file(&mut cursor).is_none() {
            return Err(Damaged(cursor.at()));
        }
        player.observer.file(player.file, player.counts);
        total += player.counts;
    }
    Ok(total)
}

struct Player<'p, 't> {
    images: &'t [u8],
    arena: &'p mut [u64],
    large: bool,
    observer: &'p mut dyn Observer,
    file: &'t str,
    counts: Counts,
}

impl<'t> Player<'_, 't> {
    fn file(&mut self, cursor: &mut Cursor<'t>) -> Option<()> {
        cursor.u8()?;
        self.file = cursor.str()?;
        self.counts.desk = cursor.u32()?;
        self.counts.skipped = cursor.u32()?;
        while cursor.peek() == Some(record::STORE) {
            let at = cursor.at() + 1;
            cursor.u8()?;
            let memory = cursor.u32()?;
            let stack = STACK.min(self.arena.len()) as u32;
            let config = Config::new().stack_size(stack).native_depth(NATIVE_DEPTH).max_memory(memory);
            let engine = Engine::new(&self.observer.config(config.table_capacity(TABLE)));
            let mut store = Store::new(&engine, &mut *self.arena, ())?;
            let mut session = Session {
                exports: Exports(Vec::new()),
                instances: Vec::new(),
                images: self.images,
                large: self.large,
                observer: &mut *self.observer,
                place: Place { file: self.file, line: 0, flags: 0 },
                counts: &mut self.counts,
                largest: 0,
            };
            // A small arena may have no room for it, and then what imports it fails.
            if let Some(spectest) = spectest::externals(&mut store) {
                session.exports.add(spectest::MODULE, spectest);
            }
            while session.action(&engine, &mut store, cursor)? {}
            let instances = session.instances.iter().flatten();
            let sizes = instances.filter_map(|instance| Some(instance.memory(&store)?.data(&store).len()));
            let largest = sizes.max().unwrap_or(0).max(session.largest) as u32;
            let left = store.arena_left();
            #[cfg(feature = "translate")]
            {
                let figures = store.translated();
                self.observer.functions(figures.functions, figures.translated);
            }
            drop(store);
            let used = self.arena.len() * 8 - left;
            self.observer.store(at, largest, used);
        }
        Some(())
    }
}

/// Exports that modules may import.
struct Exports(Vec<(String, String, Extern)>);

impl Exports {
    fn add<const N: usize>(&mut self, module: &str, named: [(&str, Extern); N]) {
        self.0.extend(named.map(|(name, external)| (module.to_owned(), name.to_owned(), external)));
    }

    fn register(&mut self, store: &Store<'_, ()>, module: &str, instance: Instance) {
        // exports of the former instance must be gone
        self.0.retain(|export| export.0 != module);
        instance.for_each_export(store, |name, external| self.add(module, [(name, external)]));
    }
}

impl Resolve<()> for Exports {
    fn resolve(&self, _: Name<'_>, _: Name<'_>, _: FuncType<'_>) -> Option<HostFunction<()>> {
        None
    }

    fn external(&self, module: Name<'_>, name: Name<'_>) -> Option<Extern> {
        self.0.iter().find(|export| name == *export.1 && module == *export.0).map(|export| export.2)
    }
}

/// The result of an action.
enum Outcome {
    Values(Vec<Val>),
    Trap(Trap),
    NotInstantiated(InstantiateError),
    Missing(Feature),
    Refused(&'static str),
}

/// A store, and what the actions on it refer to.
struct Session<'s, 't> {
    exports: Exports,
    instances: Vec<Option<Instance>>,
    images: &'t [u8],
    large: bool,
    observer: &'s mut dyn Observer,
    place: Place<'t>,
    counts: &'s mut Counts,
    /// Bytes that the largest memory of a module began with.
    largest: usize,
}

impl<'t> Session<'_, 't> {
    /// Returns the next action, or false if it is not one of this store.
    fn action<'a>(&mut self, engine: &Engine, store: &mut Store<'a, ()>, cursor: &mut Cursor<'t>) -> Option<bool>
    where
        't: 'a,
    {
        match cursor.peek() {
            Some(record::INSTANTIATE | record::INVOKE | record::GET | record::REGISTER) => {}
            _ => return Some(false),
        }
        let kind = cursor.u8()?;
        if kind == record::REGISTER {
            let index = cursor.u16()?;
            let name = cursor.str()?;
            if let Some(instance) = *self.instances.get(usize::from(index))? {
                self.exports.register(store, name, instance);
            }
            return Some(true);
        }
        self.place.line = cursor.u32()?;
        self.place.flags = cursor.at();
        let skip = cursor.u8()? & LARGE != 0 && !self.large;
        store.set_fuel(Some(FUEL));
        let outcome = match kind {
            record::INSTANTIATE => {
                let (offset, length) = (cursor.u32()? as usize, cursor.u32()? as usize);
                let image = self.images.get(offset..)?.get(..length)?;
                let result = self.instantiate(engine, store, image);
                if cursor.peek() == Some(expect::NOTHING) {
                    self.instances.push(result.as_ref().ok().copied());
                }
                match result {
                    Ok(_) => Outcome::Values(Vec::new()),
                    Err(outcome) => outcome,
                }
            }
            kind => {
                let index = cursor.u16()?;
                let instance = self.instances.get(usize::from(index)).copied().flatten();
                let name = cursor.str()?;
                let mut arguments = Vec::new();
                if kind == record::INVOKE {
                    for _ in 0..cursor.u8()? {
                        arguments.push(cursor.val()?);
                    }
                }
                match instance {
                    _ if skip => Outcome::Refused("skipped"),
                    None => Outcome::Refused("there is no instance"),
                    Some(instance) if kind == record::GET => get(store, instance, name),
                    Some(instance) => invoke(store, instance, name, &arguments),
                }
            }
        };
        self.judge(cursor, outcome, skip)?;
        Some(true)
    }

    fn instantiate<'a>(
        &mut self,
        engine: &Engine,
        store: &mut Store<'a, ()>,
        image: &'t [u8],
    ) -> Result<Instance, Outcome>
    where
        't: 'a,
    {
        let words = Image::parse(image).and_then(|image| verify::scratch_words(&image));
        let mut scratch = vec![0; words.map_err(|_| Outcome::Refused("the image cannot be read"))?];
        let module = Module::new_in(engine, image, &mut scratch);
        let mut module = module.map_err(|error| match error {
            ImageError::Code(_, _, Rule::Built(feature)) => Outcome::Missing(feature),
            _ => Outcome::Refused("the verifier refused the image"),
        })?;
        self.observer.module(engine, &mut module).map_err(Outcome::Refused)?;
        let memory = module.image().manifest().ok().and_then(|manifest| manifest.memory);
        if let Some(memory) = memory.filter(|memory| !memory.imported) {
            self.largest = self.largest.max((memory.min as usize) << memory.page_size_log2);
        }
        let mut linker = Linker::from_table(&spectest::FUNCTIONS);
        linker.resolver(&self.exports).map_err(|_| Outcome::Refused("the linker is full"))?;
        linker.instantiate(store, &module).map_err(|error| match error {
            InstantiateError::Trap(trap) => Outcome::Trap(trap),
            error => Outcome::NotInstantiated(error),
        })
    }

    /// Compares with what the tape expects. `None` if it cannot be read.
    fn judge(&mut self, cursor: &mut Cursor<'t>, outcome: Outcome, skip: bool) -> Option<()> {
        let expected = cursor.u8()?;
        let values: &[Val] = match &outcome {
            Outcome::Values(values) => values,
            _ => &[],
        };
        let (held, number) = match expected {
            expect::NOTHING => (matches!(outcome, Outcome::Values(_)), 0),
            expect::VALUES => {
                let number = cursor.u8()?;
                let mut equal = matches!(outcome, Outcome::Values(_)) && values.len() == usize::from(number);
                for index in 0..usize::from(number) {
                    equal &= cursor.matches(values.get(index).copied())?;
                }
                (equal, number)
            }
            expect::TRAP => {
                let code = cursor.u8()?;
                (matches!(outcome, Outcome::Trap(trap) if trap.code as u8 == code), code)
            }
            expect::UNLINKABLE => {
                let problems = cursor.u8()?;
                let problem = match outcome {
                    Outcome::NotInstantiated(InstantiateError::Import(_, problem)) => Some(problem),
                    _ => None,
                };
                (problem.is_some_and(|problem: LinkProblem| problems >> problem as u8 & 1 == 1), problems)
            }
            expect::MISSING => {
                let bit = cursor.u8()?;
                (matches!(outcome, Outcome::Missing(feature) if feature as u8 == bit), bit)
            }
            _ => return None,
        };
        if skip {
            self.counts.skipped += u32::from(expected != expect::NOTHING);
        } else if !held {
            self.counts.failed += 1;
            let wanted: &dyn Display = match expected {
                expect::NOTHING => &"success",
                expect::VALUES => &"values",
                expect::TRAP => &"the trap",
                expect::MISSING => &"to be refused for lack of feature",
                _ => &"a link error of",
            };
            self.fail(format_args!("expected {wanted} {number}: {}", Shown(&outcome)));
        } else {
            self.counts.passed += u32::from(expected != expect::NOTHING);
        }
        Some(())
    }

    fn fail(&mut self, what: Arguments<'_>) {
        self.observer.failure(self.place, what);
    }
}

fn invoke(store: &mut Store<'_, ()>, instance: Instance, name: &str, arguments: &[Val]) -> Outcome {
    let Some(func) = instance.get_func(&*store, name) else { return Outcome::Refused("no such function") };
    let Some(results) = func.ty(&store).map(|ty| ty.results.len()) else { return Outcome::Refused("no type") };
    let mut results = vec![Val::I32(0); results];
    match func.call(store, arguments, &mut results) {
        Ok(()) => Outcome::Values(results),
        Err(trap) => Outcome::Trap(trap),
    }
}

fn get(store: &Store<'_, ()>, instance: Instance, name: &str) -> Outcome {
    match instance.get_global(store, name).and_then(|global| global.get(store)) {
        Some(value) => Outcome::Values(vec![value]),
        None => Outcome::Refused("no such global"),
    }
}

struct Shown<'o>(&'o Outcome);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Outcome::Values(values) => {
                f.write_str("it returned")?;
                values.iter().try_for_each(|value| write!(f, " {:#x}", value.bits()))
            }
            Outcome::Trap(Trap { code: TrapCode::OutOfFuel, .. }) => f.write_str("it did not end"),
            Outcome::Trap(trap) => write!(f, "it trapped with code {}", trap.code as u8),
            Outcome::NotInstantiated(InstantiateError::Import(index, problem)) => {
                write!(f, "import {index} was refused with problem {}", *problem as u8)
            }
            Outcome::NotInstantiated(InstantiateError::ArenaTooSmall(needed, left)) => {
                write!(f, "the arena is too small: {needed} bytes needed, {left} left")
            }
            Outcome::NotInstantiated(InstantiateError::MemoryLimit(needed, allowed)) => {
                write!(f, "the memory is too large: {needed} bytes needed, {allowed} allowed")
            }
            Outcome::NotInstantiated(_) => f.write_str("it was not instantiated"),
            Outcome::Missing(feature) => write!(f, "the engine is built without {}", feature.name()),
            Outcome::Refused(why) => f.write_str(why),
        }
    }
}
