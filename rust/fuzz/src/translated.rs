// SPDX-License-Identifier: Apache-2.0
//! Images that pass the verifier, some with another meaning than what was compiled, as machine code. Both emitters
//! translate them into a buffer of any size. The code for RISC-V then runs in a [processor](crate::riscv) that refuses
//! every access which is not one of the instance: linear memory, frames, globals, and what the function itself keeps on
//! the native stack. What helpers of the firmware return is random, and so is what loads return.

use std::cell::Cell;
use std::ops::Range;

use arbitrary::{Result, Unstructured};
use wisp_compiler::{compile, Options};
use wisp_image::format::external;
use wisp_image::ops::Operand;
use wisp_image::{disassemble, verify, Image, TypeRef};
use wisp_translate::isa::Isa;
use wisp_translate::riscv::Riscv;
use wisp_translate::thumb2::Thumb2;
use wisp_translate::{calling, locate, scratch_words, translate_all, Env, Helper, Layout};

use crate::riscv::{Bus, Hart};
use crate::{instances, modules, Outcome};

/// Largest buffer for code.
const ROOM: u32 = 256 << 10;
const CODE: u32 = 0x1000_0000;
const MEMORY: u32 = 0x2000_0000;
const FRAMES: u32 = 0x3000_0000;
/// Bytes of the frame stack.
const FRAMES_SIZE: u32 = 4096;
const RECORD: u32 = 0x4000_0000;
const GLOBALS: u32 = 0x5000_0000;
/// Pointers to imported globals, and these.
const POINTERS: u32 = 0x5100_0000;
const IMPORTED: u32 = 0x5200_0000;
const STACK: u32 = 0x6000_0000;
/// Bytes of the native stack, and how many of them functions leave for helpers.
const STACK_SIZE: u32 = 4096;
const RESERVE: u32 = 512;
const HELPERS: u32 = 0x7000_0000;
/// The address that the outermost function returns to.
const END: u32 = 0x7800_0000;
const LAYOUT: Layout = Layout { stack_limit: 40, floor: 44, globals: 48, imported_globals: 52 };
/// Instructions of a run.
const STEPS: u32 = 20_000;

const RA: usize = 1;
const SP: usize = 2;
/// The registers of an access by bytes: return address, address, value.
const BY_BYTES: [usize; 3] = [5, 6, 31];

/// Pseudo-random numbers (xorshift64*), most of which are near a border.
struct Random {
    state: u64,
    memory: u32,
}

impl Random {
    fn next(&mut self) -> u32 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    fn value(&mut self) -> u32 {
        let (kind, number) = (self.next() % 8, self.next());
        match kind {
            0 => number % 64,
            1 => self.memory.wrapping_sub(number % 24),
            2 => (number % 24).wrapping_neg(),
            3 | 4 => number % self.memory.max(1),
            5 => (1u32 << (number % 32)).wrapping_add(self.next() % 16).wrapping_sub(8),
            6 => 0,
            _ => number,
        }
    }
}

/// The memory that the code may touch.
struct World<'w> {
    code: &'w [u8],
    frames: Vec<u32>,
    stack: Vec<u32>,
    memory: u32,
    globals: u32,
    imported: u32,
    random: Random,
}

/// Returns the index of the word at an address, if it lies in a piece.
fn word(at: u32, bytes: u32, piece: Range<u32>) -> Option<usize> {
    (bytes == 4 && at.is_multiple_of(4) && piece.contains(&at)).then(|| ((at - piece.start) / 4) as usize)
}

impl World<'_> {
    fn is_data(&self, at: u32, bytes: u32) -> bool {
        let within = |start: u32, size: u32| {
            let offset = at.wrapping_sub(start);
            u64::from(offset) + u64::from(bytes) <= u64::from(size)
        };
        let global = within(GLOBALS, self.globals) || within(IMPORTED, 8 * self.imported);
        at.is_multiple_of(bytes) && (within(MEMORY, self.memory) || global && bytes == 4)
    }

    /// Writes random results to a frame.
    fn results(&mut self, frame: u32, slots: usize) {
        for slot in 0..slots as u32 {
            let value = self.random.value();
            self.store(frame.wrapping_add(4 * slot), 4, value);
        }
    }
}

impl Bus for World<'_> {
    fn fetch(&mut self, at: u32) -> u32 {
        let half = |at: u32| {
            let offset = at.wrapping_sub(CODE) as usize;
            let bytes = self.code.get(offset..).and_then(|rest| rest.first_chunk());
            u32::from(u16::from_le_bytes(*bytes.unwrap_or_else(|| panic!("control goes to {at:#x}, which is no code"))))
        };
        assert!(at.is_multiple_of(2), "control goes to {at:#x}");
        let first = half(at);
        if first & 3 == 3 {
            first | half(at + 2) << 16
        } else {
            first
        }
    }

    fn load(&mut self, at: u32, bytes: u32) -> u32 {
        if let Some(slot) = word(at, bytes, FRAMES..FRAMES + FRAMES_SIZE) {
            return self.frames[slot];
        }
        if let Some(place) = word(at, bytes, STACK..STACK + STACK_SIZE) {
            return self.stack[place];
        }
        if let Some(number) = word(at, bytes, POINTERS..POINTERS + 4 * self.imported) {
            return IMPORTED + 8 * number as u32;
        }
        // an entry of a table of branches
        if bytes == 2 && (CODE..CODE + self.code.len() as u32 - 1).contains(&at) {
            let at = (at - CODE) as usize;
            return u32::from(u16::from_le_bytes([self.code[at], self.code[at + 1]]));
        }
        match at.wrapping_sub(RECORD) {
            40 if bytes == 4 => return FRAMES + FRAMES_SIZE,
            44 if bytes == 4 => return STACK + RESERVE,
            48 if bytes == 4 => return GLOBALS,
            52 if bytes == 4 => return POINTERS,
            _ => {}
        }
        assert!(self.is_data(at, bytes), "the code loads {bytes} bytes at {at:#x}");
        self.random.value() & (u32::MAX >> (32 - 8 * bytes))
    }

    fn store(&mut self, at: u32, bytes: u32, value: u32) {
        if let Some(slot) = word(at, bytes, FRAMES..FRAMES + FRAMES_SIZE) {
            self.frames[slot] = value;
        } else if let Some(place) = word(at, bytes, STACK..STACK + STACK_SIZE) {
            self.stack[place] = value;
        } else {
            assert!(self.is_data(at, bytes), "the code stores {bytes} bytes at {at:#x}");
        }
    }
}

/// Returns the bytes of linear memory that exist from the start.
fn memory_of(image: &Image<'_>) -> (u32, bool) {
    image.memory().ok().flatten().map_or((0, false), |memory| {
        let declared = u64::from(memory.min) << memory.page_size_log2;
        let least = if memory.trimmed { declared.min(u64::from(memory.backed)) } else { declared };
        (u32::try_from(least).unwrap_or(u32::MAX), memory.imported)
    })
}

/// An image whose functions have code.
struct Machine<'m> {
    env: Env<'m>,
    begins: Vec<Option<u32>>,
    code: &'m [u8],
}

impl Machine<'_> {
    fn ty(&self, index: usize) -> Option<TypeRef<'_>> {
        self.env.image.ty(self.env.image.functions().get(index).ok()?.ty).ok()
    }

    /// Runs a function until it returns, or leaves for the interpreter. Returns the number of instructions.
    fn run(&self, index: usize, begin: u32, random: Random, memory: u32) -> u32 {
        let image = self.env.image;
        let globals = image.globals().flatten().map(|global| global.offset + 4 * global.ty.slots() as u32).max();
        let mut world = World {
            code: self.code,
            frames: Vec::new(),
            stack: vec![0; STACK_SIZE as usize / 4],
            memory,
            globals: globals.unwrap_or(0),
            imported: image.imports_of(external::GLOBAL) as u32,
            random,
        };
        world.frames = (0..FRAMES_SIZE / 4).map(|_| world.random.value()).collect();
        let plan = &Riscv::PLAN;
        let mut hart = Hart { x: [0; 32], pc: CODE + begin + Riscv::ENTRY };
        (1..32).for_each(|register| hart.x[register] = world.random.value());
        let slots = world.random.next() % 64;
        for (register, value) in [
            (usize::from(plan.frame.0), FRAMES + 8 + 4 * slots),
            (usize::from(plan.context.0), RECORD),
            (usize::from(plan.base.0), MEMORY),
            (usize::from(plan.limit.0), memory.wrapping_sub(4)),
            (usize::from(plan.fuel.0), world.random.next() % 50),
            (RA, END),
            (SP, STACK + STACK_SIZE - 64),
        ] {
            hart.x[register] = value;
        }
        let before = hart.clone();
        let params = self.ty(index).map_or(0, TypeRef::param_slots);
        assert!(params < 800, "arguments take more than the frame stack of this test");
        let mut refills = 0;
        for step in 0..STEPS {
            if hart.pc == END {
                let kept = plan.pins.iter().chain([&plan.frame, &plan.context, &plan.base, &plan.limit]);
                for register in kept.map(|register| usize::from(register.0)).chain([SP]) {
                    assert_eq!(hart.x[register], before.x[register], "x{register} is not what it was");
                }
                return step;
            }
            match hart.pc.checked_sub(HELPERS).filter(|offset| offset % 16 == 0 && *offset < 16 * Helper::COUNT as u32)
            {
                None => hart.step(&mut world),
                Some(offset) => {
                    if !self.help(&mut hart, &mut world, offset / 16, &mut refills) {
                        return step;
                    }
                }
            }
        }
        STEPS
    }

    /// Does what a helper does, with results of its own. Returns false if the interpreter goes on.
    fn help(&self, hart: &mut Hart, world: &mut World<'_>, helper: u32, refills: &mut u32) -> bool {
        let (plan, image) = (&Riscv::PLAN, self.env.image);
        let is = |other: Helper| helper == other as u32;
        let frame = hart.x[usize::from(plan.frame.0)];
        assert!(
            frame.is_multiple_of(4) && (FRAMES + 8..FRAMES + FRAMES_SIZE).contains(&frame),
            "a frame at {frame:#x}"
        );
        assert_eq!(hart.x[usize::from(plan.context.0)], RECORD, "the instance");
        assert!(hart.x[SP].is_multiple_of(16) && hart.x[SP] >= STACK, "the native stack");
        let [returns, address, value] = BY_BYTES;
        for (access, bytes, stores) in [
            (Helper::LoadHalf, 2, false),
            (Helper::LoadHalfSigned, 2, false),
            (Helper::LoadWord, 4, false),
            (Helper::StoreHalf, 2, true),
            (Helper::StoreWord, 4, true),
        ] {
            if is(access) {
                for at in hart.x[address]..hart.x[address].saturating_add(bytes) {
                    if stores {
                        world.store(at, 1, 0)
                    } else {
                        _ = world.load(at, 1);
                    }
                }
                hart.x[value] = if stores { hart.x[value] } else { world.random.value() };
                hart.pc = hart.x[returns];
                return true;
            }
        }
        let site = self.site(hart.x[RA].wrapping_sub(CODE));
        assert!(site.is_some(), "nobody knows of the call that returns to {:#x}", hart.x[RA]);
        if is(Helper::Deopt) || is(Helper::Overflow) {
            return false;
        }
        if is(Helper::Refill) {
            *refills += 1;
            hart.x[usize::from(plan.fuel.0)] = 30;
        }
        let [first, second] = [0, 1].map(|n| hart.x[usize::from(plan.temps[n].0)]);
        // all others may change
        let kept = |register: usize| plan.pins.iter().any(|pin| usize::from(pin.0) == register);
        for register in (5..32)
            .filter(|&register| (register < 8 || (10..18).contains(&register) || register > 27) && !kept(register))
        {
            hart.x[register] = world.random.value();
        }
        if is(Helper::Import) {
            let ty = image.imported_function_type(first as usize).expect("the import exists");
            world.results(frame + second, ty.result_slots());
        } else if is(Helper::Indirect) {
            let ty = image.ty(second as u16).expect("the type exists");
            assert!(
                (second >> 16) < (image.imports_of(external::TABLE) + image.table_count()) as u32,
                "table {}",
                second >> 16
            );
            world.results(frame, ty.result_slots());
        } else if is(Helper::Interpret) {
            let found = (0..image.function_count()).find(|&n| image.function(n).is_ok_and(|it| it.code == first));
            let ty = found.and_then(|index| self.ty(index)).expect("a function begins there");
            world.results(frame, ty.result_slots());
        } else if is(Helper::Escape) {
            let code = image.section(wisp_image::format::Section::Code);
            let op = disassemble::ops(code, first as usize, code.len()).next().expect("an op begins there");
            let slot = op
                .bytes
                .get(2..)
                .and_then(|rest| rest.first_chunk())
                .map_or(0, |bytes| u16::from_le_bytes(*bytes).into());
            let kind = op.op.parts().next().and_then(|part| part.form.first().copied());
            match kind {
                Some(Operand::Dst | Operand::DstFirst) => {
                    let result = hart.x[usize::from(plan.wide.0 .0)];
                    world.store(frame + slot, 4, result);
                }
                Some(Operand::Dst64) => world.results(frame + slot, 2),
                _ => {}
            }
        }
        hart.pc = hart.x[RA];
        *refills < 20
    }

    /// Finds the place of the call that returns to an offset of the code.
    fn site(&self, returns: u32) -> Option<()> {
        let (index, begin) = calling(self.begins.len(), |index| self.begins[index], returns)?;
        let mut scratch = vec![0xa5a5_a5a5; scratch_words(self.env.image).ok()?];
        let (site, _) = locate::<Riscv>(&self.env, index, &mut scratch, begin, returns).ok()?;
        let functions = self.env.image.functions();
        let start = functions.get(index).ok()?.code;
        let end = functions.get(index + 1).map_or(u32::MAX, |next| next.code);
        (start..end).contains(&site.op).then_some(())
    }
}

fn translate<'e, I: Isa>(env: &Env<'e>, room: u32) -> (Vec<u8>, Vec<Option<u32>>) {
    let mut scratch = vec![0x5a5a_5a5a; scratch_words(env.image).expect("the image was verified")];
    let mut code = vec![0; room as usize];
    let outcome = translate_all::<I>(env, &mut scratch, &mut &mut code[..], u32::MAX);
    assert!(outcome.bytes <= room, "{} bytes in a buffer of {room}", outcome.bytes);
    code.truncate(outcome.bytes as usize);
    let begins: Vec<_> = env.functions.iter().map(|entry| entry.get().checked_sub(1)).collect();
    assert_eq!(begins.iter().flatten().count(), outcome.translated as usize);
    assert!(begins.iter().flatten().is_sorted() && begins.iter().flatten().all(|&begin| begin < outcome.bytes));
    (code, begins)
}

/// Returns an image: of a random module, or of one that has something of everything. As it is, or changed.
fn image(u: &mut Unstructured<'_>) -> Result<Option<Vec<u8>>> {
    let mut image = if u.ratio(1, 3)? {
        instances::hostile()
    } else {
        let module = modules::module(u, modules::Imports::Known)?;
        match compile(&module, &Options::default()) {
            Ok(compiled) => compiled.image,
            Err(_) => return Ok(None),
        }
    };
    if u.ratio(2, 3)? {
        instances::change(u, &mut image)?;
    }
    Ok(Some(image))
}

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let seed = u.arbitrary::<u64>().unwrap_or(0) | 1;
    let small = u.ratio(1, 8).unwrap_or(false);
    let Ok(Some(bytes)) = image(&mut u) else { return Outcome::Rejected };
    let Ok(image) = Image::parse(&bytes) else { return Outcome::Refused };
    let words = verify::scratch_words(&image).unwrap_or(0);
    if verify::verify(&image, &mut vec![0; words]).is_err() {
        return Outcome::Refused;
    }
    let (least, imported) = memory_of(&image);
    let mut random = Random { state: seed, memory: least };
    let room = if small { (random.next() % 4096) & !1 } else { ROOM };
    let helpers = std::array::from_fn(|n| HELPERS + 16 * n as u32);
    let env = Env {
        image: &image,
        layout: LAYOUT,
        memory: if imported { 0 } else { least },
        fuel: true,
        helpers: &helpers,
        trampolines: &[const { Cell::new(0) }; Helper::COUNT],
        functions: &vec![Cell::new(0); image.function_count()],
        go_on: &|| true,
    };
    translate::<Thumb2>(&env, room);
    let (trampolines, functions) =
        ([const { Cell::new(0) }; Helper::COUNT], vec![Cell::new(0); image.function_count()]);
    let env = Env { trampolines: &trampolines, functions: &functions, ..env };
    let (code, begins) = translate::<Riscv>(&env, room);
    // a memory grows
    let memory = least.saturating_add(if random.next().is_multiple_of(4) { (random.next() % 100_000) & !7 } else { 0 });
    let machine = Machine { env, begins, code: &code };
    let mut steps = 0;
    for (index, begin) in machine.begins.iter().enumerate().filter_map(|(index, begin)| Some((index, (*begin)?))) {
        for _ in 0..2 {
            let random = Random { state: u64::from(random.next()) << 32 | 1, memory };
            steps += machine.run(index, begin, random, memory);
        }
    }
    if steps == 0 {
        Outcome::Refused
    } else {
        Outcome::Ran
    }
}
