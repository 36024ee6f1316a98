// SPDX-License-Identifier: Apache-2.0
//! The handles that a part passes to the host and gets from it: a part may pass only those that it got or was lent.

use wasm_encoder::{BlockType, Instruction};
use wasmtime_environ::component::{ComponentTypesBuilder, InterfaceType, TypeFuncIndex};

use crate::Error;

/// Flat values of parameters, above which they are passed in memory.
const FLAT_PARAMS: u32 = 16;

// The code that checks handles calls functions by these numbers. `Linker::checked` makes the list that they count in.
/// Calls the imported function itself.
const IMPORT: u32 = 0;
/// Traps unless a table owns a handle or was lent it.
pub const HOLDS: u32 = 1;
/// Takes a handle away from the table that owns it.
pub const GAVE: u32 = 2;
/// Gives a handle to a table.
pub const GOT: u32 = 3;
/// Reads a word of the part's memory.
pub const WORD: u32 = 4;
/// Reads a byte of the part's memory.
pub const BYTE: u32 = 5;

/// A way in which a handle is a parameter.
#[derive(Debug, Clone, Copy)]
enum Use {
    Lent,
    Given,
    /// The parameter and the next one are address and length of a list of lent handles.
    List,
}

/// A handle in a result.
#[derive(Debug)]
struct Got {
    offset: u32,
    /// Offset and number of the case of each variant around it.
    cases: Vec<(u32, u32)>,
    table: u32,
}

/// The handles in parameters and results of an imported function.
#[derive(Debug, Default)]
pub struct Passed {
    /// Index of the core function's parameter, and number of the table.
    params: Vec<(u32, Use, u32)>,
    results: Vec<Got>,
    /// The result is returned itself, and not in memory.
    direct: bool,
}

impl Passed {
    /// Finds the handles of a function. Those in lists of its result are left out, so that a use of one traps.
    ///
    /// # Errors
    /// A parameter has handles in a place that nothing checks: within another value, or in memory, because the parameters are
    /// more than 16 values.
    pub fn of(types: &ComponentTypesBuilder, func: TypeFuncIndex, name: &str) -> Result<Self, Error> {
        let mut passed = Self::default();
        let mut index = 0;
        for ty in &types[types[func].params].types {
            match ty {
                InterfaceType::Own(table) => passed.params.push((index, Use::Given, table.as_u32())),
                InterfaceType::Borrow(table) => passed.params.push((index, Use::Lent, table.as_u32())),
                InterfaceType::List(list) if matches!(types[*list].element, InterfaceType::Borrow(_)) => {
                    if let InterfaceType::Borrow(table) = types[*list].element {
                        passed.params.push((index, Use::List, table.as_u32()));
                    }
                }
                other if has_handle(types, other) => {
                    return Err(Error::unsupported(format!(
                        "it passes a handle within another value to `{name}`; pass the handle as a parameter of its own"
                    )));
                }
                _ => {}
            }
            index += u32::from(types.canonical_abi(ty).flat_count.unwrap_or(u8::MAX));
        }
        if index > FLAT_PARAMS && !passed.params.is_empty() {
            return Err(Error::unsupported(format!(
                "it passes a handle to `{name}` among more than {FLAT_PARAMS} values; pass fewer values"
            )));
        }
        let results = &types[types[func].results].types;
        fields(types, results, 0, &[], &mut passed.results);
        // a result of one flat value is returned itself, and a handle within a variant is never the only one
        passed.direct =
            !passed.results.is_empty() && matches!(&results[..], [ty] if types.canonical_abi(ty).flat_count == Some(1));
        Ok(passed)
    }

    /// Returns true for a function without handles.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty() && self.results.is_empty()
    }

    /// Returns the code of a function that checks handles and calls the import, which has this many parameters. The first
    /// variable behind the parameters is a number of 32 bits.
    pub fn code(&self, params: u32) -> Vec<Instruction<'static>> {
        let mut code = Vec::new();
        let scratch = params;
        for &(param, used, table) in &self.params {
            let table = Instruction::I32Const(table as i32);
            match used {
                Use::Lent => code.extend([Instruction::LocalGet(param), table, Instruction::Call(HOLDS)]),
                Use::Given => code.extend([Instruction::LocalGet(param), table, Instruction::Call(GAVE)]),
                Use::List => code.extend([
                    Instruction::I32Const(0),
                    Instruction::LocalSet(scratch),
                    Instruction::Block(BlockType::Empty),
                    Instruction::Loop(BlockType::Empty),
                    Instruction::LocalGet(scratch),
                    Instruction::LocalGet(param + 1),
                    Instruction::I32GeU,
                    Instruction::BrIf(1),
                    Instruction::LocalGet(param),
                    Instruction::LocalGet(scratch),
                    Instruction::I32Const(2),
                    Instruction::I32Shl,
                    Instruction::I32Add,
                    Instruction::Call(WORD),
                    table,
                    Instruction::Call(HOLDS),
                    Instruction::LocalGet(scratch),
                    Instruction::I32Const(1),
                    Instruction::I32Add,
                    Instruction::LocalSet(scratch),
                    Instruction::Br(0),
                    Instruction::End,
                    Instruction::End,
                ]),
            }
        }
        code.extend((0..params).map(Instruction::LocalGet));
        code.push(Instruction::Call(IMPORT));
        if self.direct {
            code.push(Instruction::LocalSet(scratch));
        }
        for Got { offset, cases, table } in &self.results {
            for &(offset, case) in cases {
                code.extend(in_result(params, offset, BYTE));
                code.extend([
                    Instruction::I32Const(case as i32),
                    Instruction::I32Eq,
                    Instruction::If(BlockType::Empty),
                ]);
            }
            match self.direct {
                true => code.push(Instruction::LocalGet(scratch)),
                false => code.extend(in_result(params, *offset, WORD)),
            }
            code.extend([Instruction::I32Const(*table as i32), Instruction::Call(GOT)]);
            code.extend(cases.iter().map(|_| Instruction::End));
        }
        if self.direct {
            code.push(Instruction::LocalGet(scratch));
        }
        code.push(Instruction::End);
        code
    }
}

/// Returns code that reads a number of a result in memory, whose address is the last parameter.
fn in_result(params: u32, offset: u32, read: u32) -> [Instruction<'static>; 4] {
    let address = Instruction::LocalGet(params - 1);
    [address, Instruction::I32Const(offset as i32), Instruction::I32Add, Instruction::Call(read)]
}

/// Returns true if a value of this type has a handle in it.
fn has_handle(types: &ComponentTypesBuilder, ty: &InterfaceType) -> bool {
    let any = |found: Option<&InterfaceType>| found.is_some_and(|ty| has_handle(types, ty));
    match ty {
        InterfaceType::Own(_) | InterfaceType::Borrow(_) => true,
        InterfaceType::Record(record) => types[*record].fields.iter().any(|field| has_handle(types, &field.ty)),
        InterfaceType::Tuple(tuple) => types[*tuple].types.iter().any(|ty| has_handle(types, ty)),
        InterfaceType::Variant(variant) => types[*variant].cases.values().any(|ty| any(ty.as_ref())),
        InterfaceType::List(list) => has_handle(types, &types[*list].element),
        InterfaceType::Option(option) => has_handle(types, &types[*option].ty),
        InterfaceType::Result(result) => any(types[*result].ok.as_ref()) || any(types[*result].err.as_ref()),
        _ => false,
    }
}

/// Finds the handles in values that lie behind each other.
fn fields<'t>(
    types: &ComponentTypesBuilder,
    fields: impl IntoIterator<Item = &'t InterfaceType>,
    offset: u32,
    cases: &[(u32, u32)],
    found: &mut Vec<Got>,
) {
    let mut next = 0;
    for ty in fields {
        let at = types.canonical_abi(ty).next_field32(&mut next);
        value(types, ty, offset + at, cases, found);
    }
}

/// Finds the handles in a value at an offset.
fn value(types: &ComponentTypesBuilder, ty: &InterfaceType, offset: u32, cases: &[(u32, u32)], found: &mut Vec<Got>) {
    let mut case = |number: u32, payload: u32, ty: Option<&InterfaceType>| {
        if let Some(ty) = ty {
            value(types, ty, offset + payload, &[cases, &[(offset, number)]].concat(), found);
        }
    };
    match ty {
        InterfaceType::Own(table) => found.push(Got { offset, cases: cases.to_vec(), table: table.as_u32() }),
        InterfaceType::Record(record) => {
            fields(types, types[*record].fields.iter().map(|field| &field.ty), offset, cases, found);
        }
        InterfaceType::Tuple(tuple) => fields(types, &types[*tuple].types, offset, cases, found),
        InterfaceType::Option(option) => case(1, types[*option].info.payload_offset32, Some(&types[*option].ty)),
        InterfaceType::Result(result) => {
            let result = &types[*result];
            case(0, result.info.payload_offset32, result.ok.as_ref());
            case(1, result.info.payload_offset32, result.err.as_ref());
        }
        InterfaceType::Variant(variant) => {
            let variant = &types[*variant];
            for (number, ty) in (0..).zip(variant.cases.values()) {
                case(number, variant.info.payload_offset32, ty.as_ref());
            }
        }
        _ => {}
    }
}
