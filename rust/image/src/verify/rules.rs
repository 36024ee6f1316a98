// SPDX-License-Identifier: Apache-2.0
//! The rules in words, for `doc/ir.md`, which a test compares with them.

use crate::error::Rule;
use crate::ops::{Operand, Sem};

impl Operand {
    /// Returns the verifier's requirement of an operand of this kind, and the rules that the operand may break.
    pub const fn rule(self) -> (&'static str, &'static [Rule]) {
        match self {
            Self::None => ("", &[]),
            Self::Dst | Self::Slot | Self::DstFirst => ("the slot is a multiple of 4 and lies in the frame", &[Rule::SlotInFrame]),
            Self::Dst64 | Self::Slot64 => ("the slot is a multiple of 4; it and the next lie in the frame", &[Rule::SlotInFrame]),
            Self::DstAcc => ("nothing", &[]),
            Self::Acc => (
                "the op before, in the same sequence or in front of it, has a result Dst, DstFirst or DstAcc; no branch goes to \
                 an op that begins with reading it",
                &[Rule::Accumulator, Rule::BranchTarget],
            ),
            Self::Imm16 | Self::Imm32 | Self::Imm64 | Self::Offset => ("nothing: any value is right", &[]),
            Self::Forward => ("the target lies ahead, at the start of an op of the function", &[Rule::BranchTarget]),
            Self::Back => ("the target lies behind, at the start of an op of the function, not `enter`", &[Rule::BranchTarget]),
            Self::Far => ("the target is the start of an op of the function, not `enter`", &[Rule::BranchTarget]),
            Self::Targets => (
                "the entries end before the function does; each target is one of a forward branch",
                &[Rule::OperandsInFunction, Rule::BranchTarget],
            ),
            Self::Frame => (
                "a multiple of 4, above the two slots of the header, in the frame; arguments and results of the callee, \
                 counted from there, lie in the frame too",
                &[Rule::CallFrame],
            ),
            Self::Callee | Self::CalleeFar => ("the target is the entry of a defined function", &[Rule::CallTarget]),
            Self::Import => ("below the number of imported functions", &[Rule::Index]),
            Self::Func => ("below the number of functions", &[Rule::Index]),
            Self::Global | Self::Global64 => ("a defined global begins there, and has this width", &[Rule::Index, Rule::Type]),
            Self::GlobalImport | Self::GlobalImport64 => ("an imported global has this index and width", &[Rule::Index, Rule::Type]),
            Self::Type => (
                "below the number of types; parameters and results of that type lie in the frame, counted from Frame",
                &[Rule::Index, Rule::CallFrame],
            ),
            Self::TableIndex => ("below the number of tables", &[Rule::Index]),
            Self::Element => ("below the number of element segments", &[Rule::Index]),
            Self::Data => ("below the number of data segments", &[Rule::Index]),
            Self::FrameSize => (
                "a multiple of 4; the frame holds the parameters, the results, and at least two slots",
                &[Rule::FrameSize],
            ),
            Self::Zero => ("the first is a multiple of 4, and all of them lie in the frame", &[Rule::SlotInFrame]),
        }
    }
}

/// Returns the verifier's requirement of an op beside those of its operands, and its rule.
pub const fn of(sem: Sem) -> Option<(&'static str, Rule)> {
    Some(match sem {
        Sem::Enter => ("it is the first op of a function, and only that", Rule::EnterFirst),
        Sem::Return => ("the function has no result or several", Rule::Type),
        Sem::Return32 => ("the function has one result, of one slot", Rule::Type),
        Sem::Return64 => ("the function has one result, of two slots", Rule::Type),
        Sem::CallIndirect => ("the table holds functions", Rule::Type),
        Sem::ReturnCall => ("the type is that of the callee; its results are those of the function", Rule::Type),
        Sem::ReturnCallImport => ("the type is that of the import; its results are those of the function", Rule::Type),
        Sem::ReturnCallIndirect => {
            ("the table holds functions; the results of the type are those of the function", Rule::Type)
        }
        Sem::GlobalGet => ("the global is no reference", Rule::Type),
        Sem::GlobalGetFunc => ("the global is a function reference", Rule::Type),
        Sem::GlobalGetExtern => ("the global is a host reference", Rule::Type),
        Sem::GlobalSet => (
            "the global is no reference, and may be written: it is mutable, or this is the init function and the global \
             is defined here",
            Rule::Mutable,
        ),
        Sem::GlobalSet64 => ("the global may be written, as for `global.set`", Rule::Mutable),
        Sem::GlobalSetFunc => ("the global is a function reference, and may be written, as above", Rule::Mutable),
        Sem::GlobalSetExtern => ("the global is a host reference, and may be written, as above", Rule::Mutable),
        Sem::TableCopy => ("both tables have elements of the same type", Rule::Type),
        Sem::TableInit => ("segment and table have elements of the same type", Rule::Type),
        _ => return None,
    })
}

/// The verifier's requirements of the other sections: section, rule.
pub const SECTIONS: &[(&str, &str)] = &[
    ("header", "the section table and every section lie in the image; sections are aligned and occur once"),
    ("manifest", "the name is UTF-8; the flags of the memory do not contradict each other, nor the imports"),
    ("manifest", "the init function is a defined one, without parameters and results"),
    ("types", "every byte of a type is a value type; parameters and results lie in the section"),
    ("imports", "names are UTF-8; the type of a function exists; a table holds references; at most one memory"),
    ("functions", "code begins where the code before ends; the type exists; there are at most 65534, imports included"),
    ("globals", "they lie one behind the other and fill what the manifest states; a reference begins as null"),
    ("tables", "they hold references; the maximum is not below the minimum"),
    ("exports", "the name is UTF-8; the index exists in the space of its kind"),
    ("elements", "the type is a reference; the table of an active segment exists and has that type"),
    ("items", "null, a function that exists (in a segment of functions), or an imported global of the segment's type"),
    ("data", "the bytes lie in the section; an active segment has a memory"),
    ("code", "each function ends with an op that does not go on behind it"),
];
