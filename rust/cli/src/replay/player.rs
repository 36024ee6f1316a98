// SPDX-License-Identifier: Apache-2.0
//! Gives an app what a recording has, in place of its board.

use std::cell::{Cell, RefCell};
use std::fmt::Write;

use wisp_engine::{AsContextMut, Func, HostCall, Image, Linker, RawTrap, Store, Tap, Trap, TrapCode, Val, ValType};

use wisp_image::{ImageId, ImportKind};

use super::{End, Item, Recording};

/// Plays a recording to an app.
pub struct Player {
    recording: Recording,
    /// Module and name of each imported function.
    imports: Vec<String>,
    /// The item that comes next.
    next: Cell<usize>,
    /// Calls of host functions so far.
    calls: Cell<usize>,
    /// Why the app left the recording.
    problem: RefCell<Option<String>>,
    /// The recording has nothing more, and does not have its end.
    over: Cell<bool>,
}

/// A place in a recording: the item that comes next, and the calls of host functions before it.
#[derive(Clone, Copy)]
pub struct Place(usize, usize);

/// The end of a replay.
pub enum Outcome {
    /// The replay ended as recorded.
    Same,
    /// The recording does not have the end of the run. All that it has was played.
    Over,
    /// The app did something else.
    Other(String),
}

/// Returns a call for people to read.
fn shown(name: &str, arguments: &[u32]) -> String {
    let mut text = format!("{name}(");
    for (index, argument) in arguments.iter().enumerate() {
        let _ = write!(text, "{}{argument}", if index == 0 { "" } else { ", " });
    }
    text + ")"
}

impl Player {
    /// Returns a player for an image with these imports.
    pub fn new(recording: Recording, imports: Vec<String>) -> Self {
        Self {
            recording,
            imports,
            next: Cell::new(0),
            calls: Cell::new(0),
            problem: RefCell::default(),
            over: Cell::new(false),
        }
    }

    /// Returns the place up to which the recording was played.
    pub fn place(&self) -> Place {
        Place(self.next.get(), self.calls.get())
    }

    /// Goes back to a place. What came after it is forgotten.
    pub fn go_to(&self, Place(next, calls): Place) {
        self.next.set(next);
        self.calls.set(calls);
        self.over.set(false);
        self.problem.take();
    }

    fn name(&self, import: u16) -> &str {
        self.imports.get(usize::from(import)).map_or("an unknown function", String::as_str)
    }

    fn fail(&self, problem: String) -> RawTrap {
        self.problem.borrow_mut().get_or_insert(problem);
        RawTrap::of(TrapCode::HostError)
    }

    fn take(&self) -> Option<&Item> {
        let item = self.recording.items.get(self.next.get());
        self.next.set(self.next.get() + 1);
        item
    }

    /// Says what an item is.
    fn describe(&self, item: &Item) -> String {
        match item {
            Item::Entry { .. } => "a call of the app by the host".into(),
            Item::HostCall(call) => format!("the call {}", shown(self.name(call.import), &call.arguments)),
            Item::LeftOut { import } => format!("a call of {}, which was not recorded", self.name(*import)),
            Item::End(_) => "the end of the run".into(),
        }
    }

    /// Calls the functions of the guest that the recording says were called. Returns how the last of them ended.
    pub fn run<T>(&self, store: &mut Store<'_, T>) -> Result<(), Trap> {
        while let Some(Item::Entry { function, arguments }) = self.recording.items.get(self.next.get()) {
            let called = Func::from_bits(*function).and_then(|func| Some((func, func.ty(&*store)?)));
            let Some((func, ty)) = called else {
                self.fail(format!("the recording has a call of function {function}, which this image does not have"));
                return Err(Trap::new(TrapCode::HostError));
            };
            let mut slots = arguments.iter().copied().map(u64::from);
            let mut value = |ty: &ValType| {
                let low = slots.next().unwrap_or_default();
                let high = if ty.slots() == 2 { slots.next().unwrap_or_default() } else { 0 };
                Val::from_bits(*ty, low | high << 32)
            };
            let params: Vec<Val> = ty.params.iter().map(&mut value).collect();
            let mut results: Vec<Val> = ty.results.iter().map(|&ty| Val::zero(ty)).collect();
            func.call(store.as_context_mut(), &params, &mut results)?;
        }
        Ok(())
    }

    /// Compares the end of the replay with that of the recording.
    pub fn outcome(&self, ended: Option<Trap>, image: ImageId) -> Outcome {
        let same_image = image == self.recording.image();
        if let Some(problem) = self.problem.borrow_mut().take() {
            return Outcome::Other(problem);
        }
        if self.over.get() {
            return Outcome::Over;
        }
        let words = |trap: u32| TrapCode::from_u32(trap).map_or("it returned".to_owned(), |code| format!("`{code}`"));
        let trap = ended.map_or(0, |trap| trap.code as u32);
        match self.recording.items.get(self.next.get()) {
            None => Outcome::Over,
            Some(Item::End(end)) if self.is_end(end, ended, same_image) => Outcome::Same,
            Some(Item::End(end)) if end.trap == trap => {
                Outcome::Other(format!("the app ended as recorded, with {}, but at another place", words(trap)))
            }
            Some(Item::End(end)) => Outcome::Other(format!(
                "the app ended with {} after host call {}, and the recording has the end {}",
                words(trap),
                self.calls.get(),
                words(end.trap)
            )),
            Some(item) => Outcome::Other(format!(
                "the app ended with {} after host call {}, and the recording goes on with {}",
                words(trap),
                self.calls.get(),
                self.describe(item)
            )),
        }
    }

    /// Returns the fuel for the replay. A run that was stopped from outside while it computed is stopped by its fuel.
    pub fn fuel(&self) -> Option<u64> {
        match self.recording.end().filter(is_stop) {
            Some(end) => Some(end.fuel),
            None => Some(self.recording.conditions.fuel),
        }
        .filter(|&fuel| fuel != u64::MAX)
    }

    /// Returns the number of host calls that were played.
    pub fn calls(&self) -> usize {
        self.calls.get()
    }

    /// Returns how the run has ended, of a replay that has ended in the same way.
    pub fn recorded<R>(&self, ended: Result<R, Trap>) -> Result<R, Trap> {
        let stop = self.recording.end().filter(is_stop).and_then(|end| TrapCode::from_u32(end.trap));
        ended.map_err(|trap| match stop {
            Some(code) if trap.code == TrapCode::OutOfFuel => Trap { code, ..trap },
            _ => trap,
        })
    }

    /// Says why a replay has not ended as recorded.
    pub fn explain(&self, outcome: Outcome) -> String {
        match outcome {
            Outcome::Same => String::new(),
            Outcome::Other(problem) => format!("the replay left the recording: {problem}"),
            Outcome::Over => format!(
                "the recording does not have the end of the run; all of it was replayed, up to host call {}",
                self.calls().min(self.recording.items.len())
            ),
        }
    }

    fn is_end(&self, end: &End, ended: Option<Trap>, same_image: bool) -> bool {
        let Some(trap) = ended else { return end.trap == 0 };
        if is_stop(end) && trap.code == TrapCode::OutOfFuel {
            return true;
        }
        let place =
            !same_image || trap.code == TrapCode::Exit || (trap.func, trap.offset) == (end.function, end.offset);
        end.trap == trap.code as u32 && place && trap.exit_status().unwrap_or_default() == end.status
    }
}

/// Returns true for the end of a run that somebody stopped.
fn is_stop(end: &End) -> bool {
    matches!(TrapCode::from_u32(end.trap), Some(TrapCode::Interrupted | TrapCode::DeadlineExceeded))
}

impl Tap for Player {
    fn host_call(&self, call: &mut HostCall<'_>) -> RawTrap {
        self.calls.set(self.calls.get() + 1);
        let number = self.calls.get();
        let arguments: Vec<u32> = (0..call.counts().0).map(|index| call.slot(index)).collect();
        let name = self.name(call.import());
        let Some(item) = self.take() else {
            self.over.set(true);
            return RawTrap::of(TrapCode::HostError);
        };
        let found = match item {
            Item::HostCall(found) if found.import == call.import() && found.arguments == arguments => found,
            Item::LeftOut { import } if *import == call.import() => {
                return self.fail(format!(
                    "host call {number} is {}, of an interface that the device does not record; the replay ends here",
                    shown(name, &arguments)
                ));
            }
            other => {
                return self.fail(format!(
                    "host call {number} is {}, and the recording has {} there; run the image that was recorded",
                    shown(name, &arguments),
                    self.describe(other)
                ));
            }
        };
        for (address, bytes) in &found.written {
            let place = call.memory().get_mut(*address as usize..).and_then(|rest| rest.get_mut(..bytes.len()));
            match place {
                Some(place) => place.copy_from_slice(bytes),
                None => {
                    return self.fail(format!("host call {number} wrote outside of the memory that the app has here"))
                }
            }
        }
        found.results.iter().enumerate().for_each(|(index, &bits)| call.set_result(index, bits));
        if found.trap == TrapCode::Exit as u32 {
            call.set_exit_status(found.status);
        }
        RawTrap::from_bits(found.trap)
    }

    fn entry(&self, _: u32, _: &mut dyn Iterator<Item = u32>) {
        let _ = self.take();
    }
}

/// Defines each imported function of an image as one that is never called, because a player takes its place.
pub fn define<T>(linker: &mut Linker<'_, T>, image: &Image<'_>) {
    for index in 0..image.import_count() {
        let Ok(import) = image.import(index) else { continue };
        let ImportKind::Function(ty) = import.kind else { continue };
        let Ok(ty) = image.ty(ty) else { continue };
        let (params, results): (Vec<_>, Vec<_>) = (ty.params().collect(), ty.results().collect());
        let (Some(module), Some(name)) = (import.module.text(), import.name.text()) else {
            continue;
        };
        linker.func_new(module, name, wisp_engine::FuncType::new(&params, &results), |_, _: &[Val], _: &mut [Val]| {
            Err(Trap::new(TrapCode::HostError))
        });
    }
}
