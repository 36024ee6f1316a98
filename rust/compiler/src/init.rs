// SPDX-License-Identifier: Apache-2.0
//! What happens at instantiation: constant initialisers become entries of the image, the rest becomes a
//! function that the engine runs, so that it needs no evaluator of constant expressions.

use alloc::vec::Vec;

use wasmparser::{ConstExpr, DataKind, ElementItems, ElementKind, Operator};
use wisp_image::format::{segment, ITEM_GLOBAL};
use wisp_image::ops::{Operand, Sem};

use crate::control::Callee;
use crate::data::{self, Run, Wanted};
use crate::error::{CompileError, ErrorKind};
use crate::function::Function;
use crate::inst::{Arg, Dst};
use crate::module::{val_type, FuncType, Module};
use crate::parse::Translated;
use crate::prescan::Prescan;

/// A segment's place in the image.
#[derive(Clone)]
pub struct Segment {
    /// One of [`segment`].
    pub mode: u8,
    /// Constant offset of an active segment.
    pub offset: u32,
}

/// Instantiation, worked out.
pub struct Init {
    /// Initial bits of the defined globals.
    pub globals: Vec<u64>,
    /// Element segments.
    pub elements: Vec<Segment>,
    /// Items of each element segment.
    pub items: Vec<Vec<u32>>,
    /// Data segments of the module.
    pub data: Vec<Wanted>,
    /// Data segments of the image, made of those.
    pub runs: Vec<Run>,
    /// Function that does the rest.
    pub function: Option<Translated>,
}

/// Returns the value of an expression that needs no code.
fn constant(expr: &ConstExpr<'_>) -> Option<u64> {
    let mut operators = expr.get_operators_reader().into_iter();
    let value = match operators.next()?.ok()? {
        Operator::I32Const { value } => u64::from(value as u32),
        Operator::I64Const { value } => value as u64,
        Operator::F32Const { value } => u64::from(value.bits()),
        Operator::F64Const { value } => value.bits(),
        Operator::RefNull { .. } => 0,
        _ => return None,
    };
    matches!(operators.next(), Some(Ok(Operator::End))).then_some(value)
}

/// Splits instantiation into what the image states and what code does.
pub fn plan(module: &Module<'_>) -> Result<Init, CompileError> {
    let mut code = Function::new(module, &[], &[], &[], &Prescan::default(), 0);
    let empty = code.items.len();
    let mut init = Init {
        globals: Vec::new(),
        elements: Vec::new(),
        items: Vec::new(),
        data: Vec::new(),
        runs: Vec::new(),
        function: None,
    };
    let imported = module.globals.len() - module.global_inits.len();
    for (position, expr) in module.global_inits.iter().enumerate() {
        let value = constant(expr);
        init.globals.push(value.unwrap_or(0));
        if value.is_none() {
            code.expression(expr)?;
            code.global_set((imported + position) as u32);
        }
    }
    for element in &module.elements {
        init.items.push(items(&element.items)?);
    }
    let element_offset = |kind: &ElementKind<'_>| match kind {
        ElementKind::Active { offset_expr, .. } => constant(offset_expr),
        _ => Some(0),
    };
    let data_offset = |kind: &DataKind<'_>| match kind {
        DataKind::Active { offset_expr, .. } => constant(offset_expr),
        DataKind::Passive => Some(0),
    };
    // segments take effect in order: one that needs code takes the others along
    let by_code = module.elements.iter().any(|e| element_offset(&e.kind).is_none())
        || module.data.iter().any(|d| data_offset(&d.kind).is_none());
    for (index, element) in module.elements.iter().enumerate() {
        let mode = match element.kind {
            ElementKind::Active { .. } if !by_code => segment::ACTIVE,
            ElementKind::Active { .. } | ElementKind::Passive => segment::PASSIVE,
            ElementKind::Declared => segment::DECLARED,
        };
        let offset = element_offset(&element.kind).unwrap_or(0) as u32;
        init.elements.push(Segment { mode, offset });
        if let (ElementKind::Active { table_index, offset_expr }, true) = (&element.kind, by_code) {
            let segment = Arg::Word(Operand::Element, index as u16);
            let table = Arg::Word(Operand::TableIndex, table_index.unwrap_or(0) as u16);
            code.expression(offset_expr)?;
            code.operator(&Operator::I32Const { value: 0 });
            code.operator(&Operator::I32Const { value: init.items[index].len() as i32 });
            code.bulk(Sem::TableInit, &[segment, table], 3, false);
            code.special(Sem::ElemDrop, Dst::None, &[segment]);
        }
    }
    for (index, data) in module.data.iter().enumerate() {
        let mode = match data.kind {
            DataKind::Active { .. } if !by_code => segment::ACTIVE,
            _ => segment::PASSIVE,
        };
        init.data.push(Wanted { mode, offset: data_offset(&data.kind).unwrap_or(0) as u32 });
        if let (DataKind::Active { offset_expr, .. }, true) = (&data.kind, by_code) {
            let segment = Arg::Word(Operand::Data, index as u16);
            code.expression(offset_expr)?;
            code.operator(&Operator::I32Const { value: 0 });
            code.operator(&Operator::I32Const { value: data.data.len() as i32 });
            code.bulk(Sem::MemoryInit, &[segment], 3, false);
            code.special(Sem::DataDrop, Dst::None, &[segment]);
        }
    }
    init.runs = data::plan(module, &init.data)?;
    if let Some(start) = module.start {
        code.call(Callee::Function(start), &FuncType::default());
    }
    if code.items.len() > empty {
        code.close();
        init.function = Some(Translated::new(code, 0)?);
    }
    Ok(init)
}

impl Function<'_> {
    /// Translates a constant expression. Its value is on the stack afterwards.
    fn expression(&mut self, expr: &ConstExpr<'_>) -> Result<(), CompileError> {
        for operator in expr.get_operators_reader() {
            match operator? {
                Operator::End => break,
                operator => {
                    self.operator(&operator);
                }
            }
        }
        Ok(())
    }
}

/// Items of an element segment, encoded.
fn items(items: &ElementItems<'_>) -> Result<Vec<u32>, CompileError> {
    let mut out = Vec::new();
    match items {
        ElementItems::Functions(functions) => {
            for function in functions.clone() {
                out.push(function? + 1);
            }
        }
        ElementItems::Expressions(_, expressions) => {
            for expr in expressions.clone() {
                let expr = expr?;
                let first = expr.get_operators_reader().into_iter().next();
                out.push(match first {
                    Some(Ok(Operator::RefFunc { function_index })) => function_index + 1,
                    Some(Ok(Operator::RefNull { .. })) => 0,
                    // the validator has seen that this is an imported global
                    Some(Ok(Operator::GlobalGet { global_index })) => ITEM_GLOBAL | global_index,
                    _ => return Err(ErrorKind::Invalid("element expression of an unknown kind".into()).into()),
                });
            }
        }
    }
    Ok(out)
}

/// Returns the type of an element segment's items.
pub fn element_type(items: &ElementItems<'_>) -> Result<wisp_image::format::ValType, CompileError> {
    Ok(match items {
        ElementItems::Functions(_) => wisp_image::format::ValType::FuncRef,
        ElementItems::Expressions(ty, _) => val_type(wasmparser::ValType::Ref(*ty))?,
    })
}
