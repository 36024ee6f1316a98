// SPDX-License-Identifier: Apache-2.0
//! Instructions before encoding: the op table's ops with symbolic labels and callees.

use wisp_image::ops::{opcode, Class, Operand, Sem};

/// Largest number of arguments that an instruction has besides its result.
pub const ARGS: usize = 5;

/// A slot of the frame, by index (not by byte offset).
pub type Slot = u32;

/// A jump target inside one function.
pub type Label = u32;

/// The destination of a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dst {
    /// No result.
    None,
    /// One slot.
    Narrow(Slot),
    /// Two slots.
    Wide(Slot),
    /// The accumulator only.
    Acc,
    /// One slot, which is the first source as well.
    Modified(Slot),
}

/// A source or another operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    /// No operand.
    None,
    /// A slot. `dies` is true if nothing reads the value again.
    Narrow { slot: Slot, dies: bool },
    /// Two slots.
    Wide { slot: Slot, dies: bool },
    /// The accumulator.
    Acc,
    /// An immediate of 16 bits.
    Imm(i16),
    /// An immediate of 32 bits.
    Imm32(u32),
    /// An immediate of 64 bits.
    Imm64(u64),
    /// A memory offset.
    Offset(u16),
    /// A jump target.
    Label(Label),
    /// The targets of a `br_table`: an index into the function's lists.
    Targets(u32),
    /// First slot of a callee's frame.
    Frame(Slot),
    /// A defined function.
    Callee(u32),
    /// An index or offset that takes one word, of this kind.
    Word(Operand, u16),
    /// The frame size of this function.
    FrameSize,
    /// First slot to clear, number of slots.
    Zero(Slot, u32),
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub struct Inst {
    /// Behaviour: the template that a back end expands.
    pub class: Class,
    /// Computation that it does.
    pub sem: Sem,
    /// Its result.
    pub dst: Dst,
    /// Its operands in the order of the form.
    pub args: [Arg; ARGS],
    /// Offset of its wasm instruction in the module.
    pub offset: u32,
}

/// An instruction or a place.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// Jumps to this label arrive here.
    Label(Label),
    /// An instruction.
    Inst(Inst),
}

/// The reach a branch or call needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Ahead, 16 bits, and for a call either way.
    Forward,
    /// Back, 16 bits.
    Backward,
    /// Either way, 32 bits.
    Far,
}

impl Inst {
    /// Returns true if it is the move of a slot to itself that marks a step of a debugger.
    pub fn is_step(&self) -> bool {
        let reads = matches!(self.args[0], Arg::Narrow { slot: 0, .. });
        self.sem == Sem::Mov && self.dst == Dst::Narrow(0) && reads
    }

    /// Returns the operands in order, padded with [`Operand::None`], and their number.
    pub fn form(&self, reach: Reach) -> ([Operand; ARGS + 1], usize) {
        let mut form = [Operand::None; ARGS + 1];
        let mut n = 0;
        let mut push = |operand| {
            form[n] = operand;
            n += 1;
        };
        match self.dst {
            Dst::None => {}
            Dst::Narrow(_) => push(Operand::Dst),
            Dst::Wide(_) => push(Operand::Dst64),
            Dst::Acc => push(Operand::DstAcc),
            Dst::Modified(_) => push(Operand::DstFirst),
        }
        for arg in self.args {
            push(match arg {
                Arg::None => break,
                Arg::Narrow { .. } => Operand::Slot,
                Arg::Wide { .. } => Operand::Slot64,
                Arg::Acc => Operand::Acc,
                Arg::Imm(_) => Operand::Imm16,
                Arg::Imm32(_) => Operand::Imm32,
                Arg::Imm64(_) => Operand::Imm64,
                Arg::Offset(_) => Operand::Offset,
                Arg::Label(_) => match reach {
                    Reach::Forward => Operand::Forward,
                    Reach::Backward => Operand::Back,
                    Reach::Far => Operand::Far,
                },
                Arg::Targets(_) => Operand::Targets,
                Arg::Frame(_) => Operand::Frame,
                Arg::Callee(_) => match reach {
                    Reach::Far => Operand::CalleeFar,
                    _ => Operand::Callee,
                },
                Arg::Word(kind, _) => kind,
                Arg::FrameSize => Operand::FrameSize,
                Arg::Zero(..) => Operand::Zero,
            });
        }
        (form, n)
    }

    /// Returns the opcode, if the table has this form.
    pub fn opcode(&self, reach: Reach) -> Option<u16> {
        let (form, n) = self.form(reach);
        opcode(self.class, self.sem, &form[..n])
    }

    /// Returns the number of words of its operands in the code, and of a table the first only.
    pub fn operand_words(&self, reach: Reach) -> usize {
        let (form, n) = self.form(reach);
        form[..n].iter().map(|operand| operand.words()).sum()
    }

    /// Returns true if the table has this form.
    pub fn exists(&self) -> bool {
        self.opcode(Reach::Forward).is_some()
    }

    /// Returns the jump target, if it is a branch with one.
    pub fn label(&self) -> Option<Label> {
        self.args.iter().find_map(|arg| match arg {
            Arg::Label(label) => Some(*label),
            _ => None,
        })
    }

    /// Returns the list of targets, if it is a `br_table`.
    pub fn targets(&self) -> Option<usize> {
        self.args.iter().find_map(|arg| match arg {
            Arg::Targets(list) => Some(*list as usize),
            _ => None,
        })
    }

    /// Returns the function of the module that it calls.
    pub fn callee(&self) -> Option<u32> {
        self.args.iter().find_map(|arg| match arg {
            Arg::Callee(callee) => Some(*callee),
            _ => None,
        })
    }

    /// Returns true if it may stop the function with a trap of its own. Running out of fuel is none.
    pub fn traps(&self) -> bool {
        use Class::*;
        match self.class {
            Load32 | Load64 | Store32 | Store64 | Div32 | Div64 | Un32Trap | Un64Trap | NarrowTrap | WidenTrap => true,
            Special => matches!(self.sem, Sem::Enter | Sem::Call | Sem::CallImport),
            _ => false,
        }
    }

    /// Returns the first slot and number of slots of the result.
    pub fn writes(&self) -> (Slot, u32) {
        match self.dst {
            Dst::Narrow(slot) | Dst::Modified(slot) => (slot, 1),
            Dst::Wide(slot) => (slot, 2),
            Dst::None | Dst::Acc => (0, 0),
        }
    }

    /// Returns true if a source lies in the `count` slots from `first`.
    pub fn reads(&self, first: Slot, count: u32) -> bool {
        self.args.iter().any(|arg| match *arg {
            Arg::Narrow { slot, .. } => overlap(slot, 1, first, count),
            Arg::Wide { slot, .. } => overlap(slot, 2, first, count),
            _ => false,
        })
    }

    /// Returns the first slot a call may overwrite, header included.
    pub fn clobbers_from(&self) -> Option<Slot> {
        self.args.iter().find_map(|arg| match *arg {
            Arg::Frame(slot) => Some(slot - wisp_image::format::FRAME_HEADER_SLOTS as u32),
            _ => None,
        })
    }
}

/// Returns true if two ranges of slots share one.
pub fn overlap(a: Slot, a_count: u32, b: Slot, b_count: u32) -> bool {
    a < b + b_count && b < a + a_count
}

/// Returns the condition that holds when this one does not, or `None` for what is no condition on integers of 32 bits.
pub fn inverse(sem: Sem) -> Option<Sem> {
    Some(match sem {
        Sem::I32Eq => Sem::I32Ne,
        Sem::I32Ne => Sem::I32Eq,
        Sem::I32LtS => Sem::I32GeS,
        Sem::I32GeS => Sem::I32LtS,
        Sem::I32LtU => Sem::I32GeU,
        Sem::I32GeU => Sem::I32LtU,
        _ => return None,
    })
}

/// Returns true if the operands may change places.
pub fn commutes(sem: Sem) -> bool {
    use Sem::*;
    matches!(sem, I32Add | I32Mul | I32And | I32Or | I32Xor | I32Eq | I32Ne)
        || matches!(sem, I64Add | I64Mul | I64And | I64Or | I64Xor | I64Eq | I64Ne)
}

/// Returns the bits of an immediate that count: shifts take theirs modulo the width, and back ends rely on it.
pub fn immediate_mask(sem: Sem) -> i16 {
    use Sem::*;
    match sem {
        I32Shl | I32ShrS | I32ShrU | I32Rotl | I32Rotr => 31,
        I64Shl | I64ShrS | I64ShrU | I64Rotl | I64Rotr | I64XorShrU => 63,
        _ => -1,
    }
}
