// SPDX-License-Identifier: Apache-2.0
//! What the translator asks of an instruction set: about thirty emitters, and which register has which part.

use crate::out::Out;

/// A machine register, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reg(pub u8);

/// An operation on two integers. Counts of shifts and rotations are taken modulo the width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Bin {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Shl,
    ShrS,
    ShrU,
    Rotl,
    Rotr,
}

/// An operation on one integer of 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Un {
    Clz,
    Ctz,
    Extend8,
    Extend16,
}

/// A division: by what it is signed, and whether the rest is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Div {
    /// The operands are signed.
    pub signed: bool,
    /// The result is the remainder.
    pub rest: bool,
}

/// A relation of two integers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Cond {
    Eq,
    Ne,
    LtS,
    LtU,
    GeS,
    GeU,
}

/// The bytes that an access moves, and how a load extends them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Width {
    Byte,
    ByteSigned,
    Half,
    HalfSigned,
    Word,
}

impl Width {
    /// Returns the number of bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Byte | Self::ByteSigned => 1,
            Self::Half | Self::HalfSigned => 2,
            Self::Word => 4,
        }
    }
}

/// The use of a number, for [`Isa::plain`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Number {
    /// A part of a sum or a difference.
    Sum,
    /// An operand of an operation on single bits.
    Bits,
    /// A factor.
    Factor,
    /// The count of a shift.
    Shift,
    /// The count of a rotation.
    Rotation,
    /// The second operand of a comparison.
    Compare,
    /// The first operand of a difference.
    From,
}

impl Number {
    /// Returns the use of an operation's second number.
    pub fn of(op: Bin) -> Self {
        match op {
            Bin::Add | Bin::Sub => Self::Sum,
            Bin::Mul => Self::Factor,
            Bin::And | Bin::Or | Bin::Xor => Self::Bits,
            Bin::Shl | Bin::ShrS | Bin::ShrU => Self::Shift,
            Bin::Rotl | Bin::Rotr => Self::Rotation,
        }
    }
}

/// A source: a register or a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Val {
    Reg(Reg),
    Imm(u32),
}

/// The place of a slot's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a register.
    Reg(Reg),
    /// In the frame, at this byte offset.
    Slot(u32),
}

/// The number that is added to the base of an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Index {
    Reg(Reg),
    Imm(u32),
}

/// Which register has which part.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The accumulator and results, and with the second the first pair.
    pub wide: (Reg, Reg),
    /// The other pair. It overlaps with `temps` and `cache` or is none of them.
    pub other: (Reg, Reg),
    /// Scratch registers.
    pub temps: &'static [Reg],
    /// Registers for slots.
    pub pins: &'static [Reg],
    /// The address that several accesses have in common.
    pub cache: Reg,
    /// Slot 0 of the running function.
    pub frame: Reg,
    /// The instance.
    pub context: Reg,
    /// The first byte of linear memory.
    pub base: Reg,
    /// Bytes of linear memory less four.
    pub limit: Reg,
    /// Units of fuel in hand.
    pub fuel: Reg,
}

/// The registers that a function has saved on the native stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// A bit for each register but the return address.
    pub mask: u32,
    /// Words of stack that the function takes.
    pub words: u32,
}

/// An instruction set. Every function appends instructions. None of them uses a register that it is not given, but those
/// of `wide`, `other` and `link` where that is said.
pub trait Isa {
    /// The registers.
    const PLAN: Plan;
    /// The first of the eight registers that may have copies of slots.
    const HELD: u8;
    /// Bytes of the largest frame whose slots are reached.
    const FRAME: u32;
    /// A misaligned access of more than one byte may fault.
    const ALIGNED: bool;
    /// The outcome of [`Isa::rest`] stays known until the base changes.
    const RESTS: bool;
    /// Tests of alignment, and accesses for which [`Isa::spare`] says so, take a scratch register.
    const SPARE: bool;
    /// Offsets of an access that [`Index::Imm`] reaches.
    const REACH: u32;
    /// Bytes of code behind a short branch to a cold end after which that end should come.
    const ISLAND: u32;
    /// Bytes of a cold end at most.
    const COLD: u32;
    /// Bytes of IR up to the end of the flow within which short branches to cold ends are tried.
    const NEAR_END: u32;
    /// [`Isa::set`], [`Isa::select`] and moves of registers leave the outcome of a comparison alone.
    const SET_KEEPS: bool = false;
    /// The outcome of a comparison, which the instructions that follow directly may use.
    type Test: Copy;

    /// Writes `d = s`.
    fn mov(out: &mut Out<'_>, d: Reg, s: Reg);
    /// Writes `d = v`.
    fn imm(out: &mut Out<'_>, d: Reg, v: u32);
    /// Returns the register that always has this number, if there is one. It is none of [`Isa::PLAN`].
    fn constant(v: u32) -> Option<Reg>;
    /// Returns true if an operation with this number leaves its scratch register alone.
    fn plain(number: Number, v: u32) -> bool;
    /// Writes `d = x op y`. Returns true if [`Isa::on_flags`] may tell of `d`.
    fn bin(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, y: Reg, t: Reg) -> bool;
    /// Writes `d = x op v`, with a scratch register other than x. True as above.
    fn bin_imm(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, v: u32, t: Reg) -> bool;
    /// Writes `d = v - y`, with a scratch register other than y.
    fn sub_from(out: &mut Out<'_>, d: Reg, v: u32, y: Reg, t: Reg);
    /// Writes `d = op x`. Writes nothing and returns false if there is no such instruction.
    fn un(out: &mut Out<'_>, op: Un, d: Reg, x: Reg) -> bool;
    /// Writes `d = x / y` or the remainder, if neither traps. Writes nothing and returns false if there is no such
    /// instruction.
    fn div(out: &mut Out<'_>, op: Div, d: Reg, x: Reg, y: Reg, t: Reg) -> bool;

    /// Compares. The scratch register is other than x.
    fn compare(out: &mut Out<'_>, cond: Cond, x: Reg, y: Val, t: Reg) -> Self::Test;
    /// Returns a comparison with zero of what an operation before left in the flags.
    fn on_flags(cond: Cond) -> Option<Self::Test>;
    /// Returns the opposite.
    fn not(test: Self::Test) -> Self::Test;
    /// Branches to an offset if the test, or nothing, says so. `long` takes the form that reaches everything.
    fn branch(out: &mut Out<'_>, test: Option<Self::Test>, to: u32, long: bool);
    /// Returns true if a branch that is not `long` reaches so far.
    fn reaches(from: u32, to: u32, test: bool) -> bool;
    /// Guesses whether such a branch reaches over so many bytes of IR.
    fn near(ir: u32, test: bool) -> bool;
    /// Bytes of a long branch, without the test in front of it and a branch over it.
    const LONG: u32 = 4;
    /// Bytes of a short branch without a condition, and of one with a condition, without the test in front of it.
    const SHORT: [u32; 2];
    /// Lets the branch or the call at an offset go to another. It has one of the lengths above.
    fn aim(out: &mut Out<'_>, at: u32, to: u32, long: bool);
    /// Returns the bytes that a branch which is not `long` is shorter.
    fn shortens(test: Option<Self::Test>) -> u32;
    /// Writes `d = test ? 1 : 0`.
    fn set(out: &mut Out<'_>, test: Self::Test, d: Reg);
    /// Writes `d = test ? a : b`.
    fn select(out: &mut Out<'_>, test: Self::Test, d: Reg, a: Place, b: Place);
    /// Jumps to one of several targets by an index into a table, which follows directly. Each entry has 16 bits, for half
    /// the distance of a target that lies behind the table.
    fn table(out: &mut Out<'_>, index: Reg, t: Reg);
    /// Bytes from a table to what the distances in its entries count from.
    const TABLE: i32;

    /// Writes `d = [base + offset]`, of a slot, or of a global or field of the instance. Those lie below [`Isa::REACH`], and
    /// d may be their base.
    fn get(out: &mut Out<'_>, d: Reg, base: Reg, offset: u32);
    /// Writes `[base + offset] = s`.
    fn put(out: &mut Out<'_>, s: Reg, base: Reg, offset: u32);
    /// Returns true if [`Isa::put`] leaves the flags alone.
    fn keeps_flags(offset: u32) -> bool {
        let _ = offset;
        true
    }
    /// Loads two slots, or fields, that follow each other.
    fn get_pair(out: &mut Out<'_>, d: (Reg, Reg), base: Reg, offset: u32);
    /// Writes two slots, or fields, that follow each other.
    fn put_pair(out: &mut Out<'_>, s: (Reg, Reg), base: Reg, offset: u32);
    /// Loads.
    fn load(out: &mut Out<'_>, width: Width, d: Reg, base: Reg, index: Index);
    /// Stores. The scratch register is none of the others.
    fn store(out: &mut Out<'_>, width: Width, s: Reg, base: Reg, index: Index, t: Reg);
    /// Returns true if a store takes the scratch register.
    fn spare(width: Width, base: Reg, index: Index) -> bool {
        let _ = (width, base, index);
        false
    }

    /// Returns base and index by which the three functions that follow, and the access, reach an address, for instruction
    /// sets that are [`Isa::ALIGNED`]. A sum of two registers is in `into`, or in one that they leave alone.
    fn sum(out: &mut Out<'_>, base: Reg, index: Index, into: Option<Reg>) -> (Reg, Index) {
        let _ = (out, into);
        (base, index)
    }
    /// Finds what is left of an address, divided by `bytes`, for [`Isa::misaligned`].
    fn rest(out: &mut Out<'_>, base: Reg, index: Index, bytes: u32, t: Reg) {
        let _ = (out, base, index, bytes, t);
    }
    /// Tests whether that is not zero. `None` if every access works.
    fn misaligned() -> Option<Self::Test> {
        None
    }
    /// Loads or stores `r` by calling a function of the firmware, which changes no register of the plan but the scratch
    /// register. For a load that may be `r`. Returns the offset of the call.
    fn by_bytes(out: &mut Out<'_>, store: bool, r: Reg, at: (Reg, Index), t: Reg, to: u32) -> u32 {
        let _ = (store, r, at, t, to);
        out.at()
    }

    /// Writes `wide = wide op other`, of 64 bits: no shifts. `other` is lost. False, and nothing, for a multiplication
    /// without instructions.
    fn wide_bin(out: &mut Out<'_>, op: Bin) -> bool;
    /// Writes `wide = wide op n`, for shifts, and rotations to the right, by 1 to 63. `other` is lost.
    fn wide_shift(out: &mut Out<'_>, op: Bin, n: u32);
    /// Writes `wide = wide op other`, for shifts and rotations. `other` is lost. Writes nothing and returns false if a
    /// function of the firmware does it.
    fn wide_shift_by(out: &mut Out<'_>, op: Bin) -> bool;
    /// Compares `wide` and `other`, which are lost.
    fn wide_compare(out: &mut Out<'_>, cond: Cond) -> Self::Test;

    /// Begins a function: keeps these registers (a bit for each) and the return address.
    fn enter(out: &mut Out<'_>, mask: u32);
    /// Ends a function.
    fn leave(out: &mut Out<'_>, mask: u32);
    /// Returns what a function keeps whose code begins with these bytes. The registers lie lowest on the stack, in their
    /// order, and behind them the return address.
    fn kept_by(first: u32) -> Kept;
    /// Added to the address of a function's code by those that call it.
    const ENTRY: u32;
    /// Compares the stack pointer with a register: true if it is below.
    fn stack_below(out: &mut Out<'_>, limit: Reg) -> Self::Test;
    /// Calls an offset of the code.
    fn call(out: &mut Out<'_>, to: u32);
    /// Returns the offset that the call at an offset, whose bits are given, goes to.
    fn called(at: u32, bits: u32) -> u32;
    /// Jumps to an address of the firmware. Calls go here in its place. Returns the offset of the first instruction.
    fn trampoline(out: &mut Out<'_>, address: u32) -> u32;
    /// Jumps to an offset of the code as a stand-in does: the return address stays.
    fn jump(out: &mut Out<'_>, to: u32) {
        Self::branch(out, None, to, true);
    }
    /// Bytes that a number and such a jump take at most.
    const STAND_IN: u32;
    /// Bytes of code in which a call reaches every offset from every other.
    const CALLS: u32;
    /// Bytes that a trampoline takes at most.
    const TRAMPOLINE: u32;
}
