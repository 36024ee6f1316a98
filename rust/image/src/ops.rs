// SPDX-License-Identifier: Apache-2.0
//! The op table of the register IR: the one description from which the encoder, the verifier, the
//! disassembler and every back end of the engine are made.
//!
//! An op is a [`Class`] (how it behaves), a [`Sem`] (what it computes) and a form (where its
//! operands come from). In the code it is a sequence of little-endian `u16` words: the opcode times
//! four, then the words of its operands in the order of the form. The factor of four lets a back end
//! index a table of handler addresses with the word as it stands.
//!
//! A *slot* is a `u32` of the frame; it is named by its byte offset from the frame pointer. A 64-bit
//! value takes two neighbouring slots, low half first. Every op that writes a 32-bit result leaves it
//! in the *accumulator* as well, where the op that follows directly (and only that one, and only if it
//! is no branch target) may read it.

mod families;
mod lookup;
mod sequences;

/// Defines the kinds of operands, and the list of them.
macro_rules! operands {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        /// The source or destination of one operand, and its encoding.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Operand {
            $($(#[$doc])+ $kind,)+
        }

        impl Operand {
            /// All kinds, each in the place of its number.
            pub const ALL: &[Self] = &[$(Self::$kind),+];
        }
    };
}

operands! {
    /// No operand, which pads packed descriptions.
    None,
    /// 32-bit result into a slot (and the accumulator). One word: slot offset.
    Dst,
    /// 64-bit result into two slots. One word: offset of the low slot.
    Dst64,
    /// 32-bit source slot. One word.
    Slot,
    /// 64-bit source, two slots. One word: offset of the low slot.
    Slot64,
    /// The result goes to the accumulator only. No word.
    DstAcc,
    /// The source is the accumulator. No word.
    Acc,
    /// Immediate, sign-extended from 16 bits. One word. That of a shift or rotation is below the width of
    /// its result: what it does with another is up to the back end.
    Imm16,
    /// Immediate of 32 bits. Two words, low first.
    Imm32,
    /// Immediate of 64 bits. Four words, low first.
    Imm64,
    /// Unsigned 16-bit offset added to a memory address. One word.
    Offset,
    /// Forward branch: bytes from the start of this op to the target. One word.
    Forward,
    /// Backward branch: bytes from the target to the start of this op. One word.
    Back,
    /// Far branch, signed, in bytes from the start of this op. Two words, low first.
    Far,
    /// `br_table`: a word `n`, then `n + 1` words like [`Operand::Forward`]. The last is the default.
    Targets,
    /// Call frame: slot offset of the callee's slot 0 in this frame. The two slots below it hold the
    /// saved instruction pointer and frame pointer. One word.
    Frame,
    /// Callee near: signed distance from the start of this op to the callee's entry, in units of two
    /// bytes. One word.
    Callee,
    /// Callee far: signed distance in bytes. Two words, low first.
    CalleeFar,
    /// Index of an imported function. One word.
    Import,
    /// Index of a function in the module's function index space. One word.
    Func,
    /// Byte offset of a 32-bit global in the instance's globals. One word.
    Global,
    /// Byte offset of a 64-bit global. One word.
    Global64,
    /// Index of an imported global of 32 bits, in the order of the imported globals. One word.
    GlobalImport,
    /// Index of an imported global of 64 bits. One word.
    GlobalImport64,
    /// Type index. One word.
    Type,
    /// Table index. One word.
    TableIndex,
    /// Element segment index. One word.
    Element,
    /// Data segment index. One word.
    Data,
    /// Frame size in bytes, a multiple of four: only in `enter`. One word.
    FrameSize,
    /// First slot to clear and number of slots to clear. Two words.
    Zero,
    /// 32-bit result into the slot that is the first source. One word.
    DstFirst,
}

impl Operand {
    /// Returns the number of `u16` words in the code. [`Operand::Targets`] counts its leading word only.
    pub const fn words(self) -> usize {
        use Operand::*;
        match self {
            None | DstAcc | Acc => 0,
            Imm32 | Far | CalleeFar | Zero => 2,
            Imm64 => 4,
            _ => 1,
        }
    }
}

/// The behaviour of an op: selects the template that a back end expands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Class {
    /// `d = f(x, y)`, 32-bit, which never traps.
    Bin32,
    /// `d = f(x, y)`, 32-bit, which may trap.
    Div32,
    /// `d = f(x)`, 32-bit result and source.
    Un32,
    /// `d = f(x) ? 1 : 0` over two 32-bit sources.
    Set32,
    /// Branch if `f(x, y)`, 32-bit sources.
    Br32,
    /// `d = f(x, y) ? a : b`, all 32-bit.
    Select32,
    /// `e = x != 0 ? a : b`, 64-bit values, 32-bit condition.
    Select64,
    /// `e = f(x, y)`, 64-bit, which never traps.
    Bin64,
    /// `e = f(x, y)`, 64-bit, which may trap.
    Div64,
    /// `e = f(x)`, 64-bit result and source.
    Un64,
    /// `d = f(x, y) ? 1 : 0` over two 64-bit sources.
    Set64,
    /// `d = f(t)`: 64-bit source, 32-bit result.
    Narrow,
    /// `e = f(s)`: 32-bit source, 64-bit result.
    Widen,
    /// Like [`Class::Un32`], but may trap.
    Un32Trap,
    /// Like [`Class::Un64`], but may trap.
    Un64Trap,
    /// Like [`Class::Narrow`], but may trap.
    NarrowTrap,
    /// Like [`Class::Widen`], but may trap.
    WidenTrap,
    /// `d = load(address)`, 32-bit result. Address: the sum of all sources (an [`Operand::Imm16`] among them),
    /// wrapping at 32 bits, plus the offset, which does not wrap.
    Load32,
    /// `e = load(address)`, 64-bit result.
    Load64,
    /// Store of a 32-bit value: the last operand. The others make the address, as for loads.
    Store32,
    /// Store of a 64-bit source.
    Store64,
    /// Two or three ops of the other classes with one opcode: the words of the first one's operands, then
    /// those of the next. [`Op::parts`] gives them.
    Sequence,
    /// Everything else: control, calls, globals, tables, bulk memory. One template each.
    Special,
}

macro_rules! sems {
    ($($(#[$doc:meta])* $variant:ident $name:literal)*) => {
        /// The computation of an op, named as in the WebAssembly text format if that has a counterpart.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Sem { $($(#[$doc])* $variant),* }

        impl Sem {
            /// Returns the mnemonic.
            pub const fn name(self) -> &'static str {
                match self { $(Sem::$variant => $name),* }
            }
        }
    };
}

sems! {
    I32Add "i32.add" I32Sub "i32.sub" I32Mul "i32.mul" I32And "i32.and" I32Or "i32.or" I32Xor "i32.xor"
    I32Shl "i32.shl" I32ShrS "i32.shr_s" I32ShrU "i32.shr_u" I32Rotl "i32.rotl" I32Rotr "i32.rotr"
    I32DivS "i32.div_s" I32DivU "i32.div_u" I32RemS "i32.rem_s" I32RemU "i32.rem_u"
    I32Clz "i32.clz" I32Ctz "i32.ctz" I32Popcnt "i32.popcnt" I32Extend8S "i32.extend8_s" I32Extend16S "i32.extend16_s"
    I32Eq "i32.eq" I32Ne "i32.ne" I32LtS "i32.lt_s" I32LtU "i32.lt_u" I32GeS "i32.ge_s" I32GeU "i32.ge_u"
    I64Add "i64.add" I64Sub "i64.sub" I64Mul "i64.mul" I64And "i64.and" I64Or "i64.or" I64Xor "i64.xor"
    I64Shl "i64.shl" I64ShrS "i64.shr_s" I64ShrU "i64.shr_u" I64Rotl "i64.rotl" I64Rotr "i64.rotr"
    I64DivS "i64.div_s" I64DivU "i64.div_u" I64RemS "i64.rem_s" I64RemU "i64.rem_u"

    /// `x ^ (x >> y)`
    I64XorShrU "i64.xor_shr_u"
    I64Clz "i64.clz" I64Ctz "i64.ctz" I64Popcnt "i64.popcnt"
    I64Extend8S "i64.extend8_s" I64Extend16S "i64.extend16_s" I64Extend32S "i64.extend32_s"
    I64Eq "i64.eq" I64Ne "i64.ne" I64LtS "i64.lt_s" I64LtU "i64.lt_u" I64GeS "i64.ge_s" I64GeU "i64.ge_u"
    I64Eqz "i64.eqz" I64ExtendI32S "i64.extend_i32_s" I64ExtendI32U "i64.extend_i32_u"
    F32Add "f32.add" F32Sub "f32.sub" F32Mul "f32.mul" F32Div "f32.div" F32Min "f32.min" F32Max "f32.max" F32Copysign "f32.copysign"
    F32Abs "f32.abs" F32Neg "f32.neg" F32Ceil "f32.ceil" F32Floor "f32.floor" F32Trunc "f32.trunc" F32Nearest "f32.nearest" F32Sqrt "f32.sqrt"
    F32Eq "f32.eq" F32Ne "f32.ne" F32Lt "f32.lt" F32Le "f32.le"
    F64Add "f64.add" F64Sub "f64.sub" F64Mul "f64.mul" F64Div "f64.div" F64Min "f64.min" F64Max "f64.max" F64Copysign "f64.copysign"
    F64Abs "f64.abs" F64Neg "f64.neg" F64Ceil "f64.ceil" F64Floor "f64.floor" F64Trunc "f64.trunc" F64Nearest "f64.nearest" F64Sqrt "f64.sqrt"
    F64Eq "f64.eq" F64Ne "f64.ne" F64Lt "f64.lt" F64Le "f64.le"
    I32TruncF32S "i32.trunc_f32_s" I32TruncF32U "i32.trunc_f32_u" I32TruncF64S "i32.trunc_f64_s" I32TruncF64U "i32.trunc_f64_u"
    I64TruncF32S "i64.trunc_f32_s" I64TruncF32U "i64.trunc_f32_u" I64TruncF64S "i64.trunc_f64_s" I64TruncF64U "i64.trunc_f64_u"
    I32TruncSatF32S "i32.trunc_sat_f32_s" I32TruncSatF32U "i32.trunc_sat_f32_u" I32TruncSatF64S "i32.trunc_sat_f64_s" I32TruncSatF64U "i32.trunc_sat_f64_u"
    I64TruncSatF32S "i64.trunc_sat_f32_s" I64TruncSatF32U "i64.trunc_sat_f32_u" I64TruncSatF64S "i64.trunc_sat_f64_s" I64TruncSatF64U "i64.trunc_sat_f64_u"
    F32ConvertI32S "f32.convert_i32_s" F32ConvertI32U "f32.convert_i32_u" F32ConvertI64S "f32.convert_i64_s" F32ConvertI64U "f32.convert_i64_u"
    F64ConvertI32S "f64.convert_i32_s" F64ConvertI32U "f64.convert_i32_u" F64ConvertI64S "f64.convert_i64_s" F64ConvertI64U "f64.convert_i64_u"
    F32DemoteF64 "f32.demote_f64" F64PromoteF32 "f64.promote_f32"
    Load "i32.load" Load8S "i32.load8_s" Load8U "i32.load8_u" Load16S "i32.load16_s" Load16U "i32.load16_u"
    Load64 "i64.load" Load64From8S "i64.load8_s" Load64From8U "i64.load8_u" Load64From16S "i64.load16_s" Load64From16U "i64.load16_u"
    Load64From32S "i64.load32_s" Load64From32U "i64.load32_u"
    Store "i32.store" Store8 "i32.store8" Store16 "i32.store16" Store64 "i64.store"
    Mov "mov" Mov64 "mov64" Const "const" Const64 "const64"
    /// Adds an offset of 32 bits to an address and traps when the sum needs more than 32 bits.
    AddressAdd "address.add"
    Br "br" BrTable "br_table" Unreachable "unreachable" Enter "enter"
    Return "return" Return32 "return32" Return64 "return64"
    Call "call" CallImport "call_import" CallIndirect "call_indirect"
    ReturnCall "return_call" ReturnCallImport "return_call_import" ReturnCallIndirect "return_call_indirect"
    GlobalGet "global.get" GlobalSet "global.set" GlobalGet64 "global.get64" GlobalSet64 "global.set64"
    GlobalGetFunc "global.get_func" GlobalSetFunc "global.set_func" GlobalGetExtern "global.get_extern" GlobalSetExtern "global.set_extern"
    RefFunc "ref.func"
    TableGet "table.get" TableSet "table.set" TableSize "table.size" TableGrow "table.grow" TableFill "table.fill"
    TableCopy "table.copy" TableInit "table.init" ElemDrop "elem.drop"
    MemorySize "memory.size" MemoryGrow "memory.grow" MemoryFill "memory.fill" MemoryCopy "memory.copy"
    MemoryInit "memory.init" DataDrop "data.drop"
}

/// Ops that share class and forms.
pub struct Family {
    /// Behaviour of all of them.
    pub class: Class,
    /// Computations, one or more ops for each.
    pub sems: &'static [Sem],
    /// The operand forms each of them has.
    pub forms: &'static [&'static [Operand]],
}

impl Family {
    const fn len(&self) -> usize {
        self.sems.len() * self.forms.len()
    }
}

/// One op of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Op {
    /// Behaviour of the op.
    pub class: Class,
    /// Computation that the op does.
    pub sem: Sem,
    /// Its operands, in the order in which they are encoded.
    pub form: &'static [Operand],
    /// For [`Class::Sequence`], the ops it consists of, else nothing.
    pub sequence: &'static [Simple],
}

/// An op as an element of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Simple {
    /// Behaviour of the op.
    pub class: Class,
    /// Computation that the op does.
    pub sem: Sem,
    /// Its operands.
    pub form: &'static [Operand],
}

impl Simple {
    /// Returns the element as an op of its own.
    pub const fn op(self) -> Op {
        Op { class: self.class, sem: self.sem, form: self.form, sequence: &[] }
    }
}

impl Op {
    /// Returns the ops that are executed: one, or those of a sequence.
    pub fn parts(&self) -> impl Iterator<Item = Op> + '_ {
        let itself = if self.sequence.is_empty() { Some(*self) } else { Option::None };
        itself.into_iter().chain(self.sequence.iter().map(|part| part.op()))
    }

    /// Returns the length in `u16` words, the opcode included. `br_table` adds its entries.
    pub const fn words(&self) -> usize {
        let mut n = 1;
        let mut i = 0;
        while i < self.form.len() {
            n += self.form[i].words();
            i += 1;
        }
        n
    }

    /// Returns true for the ops after which control never reaches the next op.
    pub const fn ends_flow(&self) -> bool {
        matches!(
            match self.sequence {
                [.., last] => last.sem,
                [] => self.sem,
            },
            Sem::Br
                | Sem::BrTable
                | Sem::Unreachable
                | Sem::Return
                | Sem::Return32
                | Sem::Return64
                | Sem::ReturnCall
                | Sem::ReturnCallImport
                | Sem::ReturnCallIndirect
        )
    }
}

pub use self::families::FAMILIES;
pub use self::lookup::{opcode, sequence_opcode};
pub use self::sequences::PARTS as SEQUENCE_PARTS;

/// Number of ops that are no sequences.
pub const SINGLE: usize = {
    let mut n = 0;
    let mut i = 0;
    while i < FAMILIES.len() {
        n += FAMILIES[i].len();
        i += 1;
    }
    n
};

/// Number of ops.
pub const COUNT: usize = SINGLE + sequences::COUNT;

/// Returns the op with this opcode.
pub const fn op(opcode: u16) -> Option<Op> {
    let mut index = opcode as usize;
    let mut i = 0;
    while i < FAMILIES.len() {
        let family = &FAMILIES[i];
        if index < family.len() {
            return Some(Op {
                class: family.class,
                sem: family.sems[index / family.forms.len()],
                form: family.forms[index % family.forms.len()],
                sequence: &[],
            });
        }
        index -= family.len();
        i += 1;
    }
    if index < sequences::COUNT {
        let sequence = sequences::SEQUENCES[index];
        let (class, sem) = (Class::Sequence, sequence[0].sem);
        return Some(Op { class, sem, form: sequences::form(index), sequence });
    }
    Option::None
}

/// All ops by opcode, for tables that are computed while this crate is compiled: there [`op`], which walks the
/// families, would take seconds. No program holds this table, as nothing reads it at run time.
pub(crate) const ALL: &[Op; COUNT] = &{
    let mut all = [Op { class: Class::Special, sem: Sem::Unreachable, form: &[], sequence: &[] }; COUNT];
    let mut n = 0;
    let mut i = 0;
    while i < FAMILIES.len() {
        let family = &FAMILIES[i];
        let mut k = 0;
        while k < family.len() {
            let forms = family.forms.len();
            all[n] =
                Op { class: family.class, sem: family.sems[k / forms], form: family.forms[k % forms], sequence: &[] };
            n += 1;
            k += 1;
        }
        i += 1;
    }
    while n < COUNT {
        let sequence = sequences::SEQUENCES[n - SINGLE];
        let (class, sem) = (Class::Sequence, sequence[0].sem);
        all[n] = Op { class, sem, form: sequences::form(n - SINGLE), sequence };
        n += 1;
    }
    all
};

/// Returns the first opcode with this meaning.
///
/// # Panics
/// If only sequences have it.
pub const fn first(sem: Sem) -> usize {
    let mut n = 0;
    while n < SINGLE {
        if ALL[n].sem as u8 == sem as u8 {
            return n;
        }
        n += 1;
    }
    panic!("no op has this meaning")
}

/// Bit of [`PACKED`]: control never reaches the next op.
pub const ENDS_FLOW: u32 = 1 << 31;
/// Bit of [`PACKED`]: a sequence. Then the entry holds the opcodes of its ops, ten bits each from the lowest, 0
/// where there are fewer.
pub const SEQUENCE: u32 = 1 << 30;

/// Packs the operand kinds of one op, five bits each from the lowest, as the verifier walks them.
const fn pack(form: &[Operand]) -> u32 {
    assert!(form.len() <= 6);
    let mut packed = 0;
    let mut i = form.len();
    while i > 0 {
        i -= 1;
        packed = packed << 5 | form[i] as u32;
    }
    packed
}

/// Returns the opcode of an op as an element of a sequence.
const fn opcode_of(wanted: &Simple) -> u32 {
    let mut base = 0;
    let mut i = 0;
    while i < FAMILIES.len() {
        let family = &FAMILIES[i];
        let mut s = 0;
        while family.class as u8 == wanted.class as u8 && s < family.sems.len() {
            let mut f = 0;
            while family.sems[s] as u8 == wanted.sem as u8 && f < family.forms.len() {
                if pack(family.forms[f]) == pack(wanted.form) {
                    return (base + s * family.forms.len() + f) as u32;
                }
                f += 1;
            }
            s += 1;
        }
        base += family.len();
        i += 1;
    }
    panic!("a sequence names an op that the table does not have")
}

/// For each opcode its operand kinds, five bits each from the lowest, or the ops of a sequence. With them stands
/// whether control never reaches the next op. Devices look it up with [`packed`], whose tables are half as large.
pub static PACKED: [u32; COUNT] = {
    assert!(SINGLE <= 1 << 10);
    let mut table = [0; COUNT];
    let mut n = 0;
    while n < COUNT {
        let op = &ALL[n];
        if op.sequence.is_empty() {
            table[n] = pack(op.form);
        } else {
            assert!(op.sequence.len() <= sequences::PARTS);
            let mut part = op.sequence.len();
            while part > 0 {
                part -= 1;
                table[n] = table[n] << 10 | opcode_of(&op.sequence[part]);
            }
            table[n] |= SEQUENCE;
        }
        if op.ends_flow() {
            table[n] |= ENDS_FLOW;
        }
        n += 1;
    }
    table
};

/// The different entries of [`PACKED`] without those of sequences, how many there are, and by opcode the place of its
/// entry among them.
const SHAPES: ([u32; SINGLE], usize, [u8; SINGLE]) = {
    let (mut shapes, mut count, mut places) = ([0; SINGLE], 0, [0; SINGLE]);
    let mut n = 0;
    while n < SINGLE {
        let mut place = 0;
        while place < count && shapes[place] != PACKED[n] {
            place += 1;
        }
        shapes[place] = PACKED[n];
        if place == count {
            count += 1;
        }
        assert!(place <= u8::MAX as usize);
        places[n] = place as u8;
        n += 1;
    }
    (shapes, count, places)
};

static PLACES: [u8; SINGLE] = SHAPES.2;
static FORMS: [u32; SHAPES.1] = *SHAPES.0.first_chunk().expect("there are so many");
static SEQUENCES: [u32; sequences::COUNT] = *PACKED.last_chunk().expect("they are the last ones");

/// Returns the entry of [`PACKED`] for an opcode, or `None` if there is no such op.
pub fn packed(opcode: usize) -> Option<u32> {
    match PLACES.get(opcode) {
        Some(&place) => FORMS.get(usize::from(place)).copied(),
        None => SEQUENCES.get(opcode - SINGLE).copied(),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_opcode_finds_its_way_back() {
        for n in 0..COUNT as u16 {
            let op = op(n).unwrap();
            assert_eq!(op, ALL[usize::from(n)]);
            let parts: Vec<_> = op.parts().map(|part| opcode(part.class, part.sem, part.form).unwrap()).collect();
            let found = if op.sequence.is_empty() { Some(parts[0]) } else { sequence_opcode(&parts) };
            assert_eq!(found, Some(n), "{:?} {:?}", op.sem, op.form);
        }
        assert!(op(COUNT as u16).is_none());
    }

    #[test]
    fn opcodes_fit_a_word_when_multiplied_by_four() {
        assert!(COUNT * 4 <= usize::from(u16::MAX));
    }

    #[test]
    fn packed_kinds_match_the_forms() {
        for n in 0..COUNT as u16 {
            let op = op(n).unwrap();
            let mut packed = packed(n.into()).unwrap();
            assert_eq!(packed, PACKED[usize::from(n)]);
            assert_eq!(packed & ENDS_FLOW != 0, op.ends_flow());
            packed &= !ENDS_FLOW;
            let opcodes = if packed & SEQUENCE == 0 {
                vec![packed]
            } else {
                let packed = packed & !SEQUENCE;
                [0, 10, 20]
                    .map(|n| packed >> n & 0x3ff)
                    .into_iter()
                    .filter(|&n| n != 0)
                    .map(|n| PACKED[n as usize])
                    .collect()
            };
            let mut kinds = op.form.iter();
            for mut part in opcodes {
                part &= !ENDS_FLOW;
                while part != 0 {
                    assert_eq!(part & 31, *kinds.next().unwrap() as u32);
                    part >>= 5;
                }
            }
            assert!(kinds.next().is_none());
        }
        assert_eq!(packed(COUNT), None);
    }

    #[test]
    fn a_sequence_traps_in_one_place_and_branches_last() {
        for sequence in sequences::SEQUENCES {
            let traps = |op: &&Simple| match op.class {
                Class::Load32 | Class::Load64 | Class::Store32 | Class::Store64 => true,
                Class::Div32 | Class::Div64 => true,
                Class::Un32Trap | Class::Un64Trap | Class::NarrowTrap | Class::WidenTrap => true,
                Class::Special => matches!(op.sem, Sem::Enter | Sem::Call | Sem::CallImport),
                _ => false,
            };
            assert!(sequence.iter().filter(traps).count() <= 1, "{sequence:?}");
            for (place, op) in sequence.iter().enumerate() {
                let leaves = op.class == Class::Br32
                    || matches!(
                        op.sem,
                        Sem::Br | Sem::BrTable | Sem::Call | Sem::Return | Sem::Return32 | Sem::Return64
                    );
                assert!(!leaves || place + 1 == sequence.len(), "{sequence:?}");
                assert!(op.sem != Sem::Enter || place == 0, "{sequence:?}");
                let known = leaves
                    || matches!(op.sem, Sem::Enter | Sem::Mov | Sem::Mov64 | Sem::Const | Sem::Const64)
                    || matches!(op.sem, Sem::GlobalGet | Sem::GlobalSet | Sem::CallImport);
                assert!(op.class != Class::Special || known, "{sequence:?}");
            }
        }
    }
}
