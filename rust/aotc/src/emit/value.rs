// SPDX-License-Identifier: Apache-2.0
//! Values on the operand stack, and what is known about them.

use wisp_image::format::ValType;

use super::ranges::Range;

/// The facts that are known about a value. Two values with the same root differ by the difference of their
/// distances, modulo 2^32.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Node {
    /// Number of the value it was computed from by adding constants, or 0 for constants.
    pub root: u32,
    /// The constant that was added to the root.
    pub distance: i64,
    /// Lower and upper bound, as an unsigned number.
    pub min: u64,
    pub max: u64,
    /// Lower bits that are zero.
    pub zeros: u8,
    /// Its bits.
    pub constant: Option<u64>,
}

impl Node {
    /// Returns a value of which nothing is known.
    pub fn unknown(root: u32) -> Self {
        Self { root, distance: 0, min: 0, max: u64::MAX, zeros: 0, constant: None }
    }

    /// Returns the node of a constant, of which all is known.
    pub fn constant(bits: u64) -> Self {
        let zeros = bits.trailing_zeros().min(32) as u8;
        Self { root: 0, distance: 0, min: bits, max: bits, zeros, constant: Some(bits) }
    }

    /// Returns the value with an upper bound.
    pub fn at_most(self, max: u64) -> Self {
        Self { max, ..self }
    }

    /// Returns the value with bounds that an `i32` has.
    pub fn within(self, range: Range) -> Self {
        Self { min: range.0, max: range.1, ..self }
    }

    /// Returns the bounds of an `i32`.
    pub fn range(&self) -> Range {
        match self.constant {
            Some(bits) => (u64::from(bits as u32), u64::from(bits as u32)),
            None => (self.min.min(self.max32()), self.max32()),
        }
    }

    /// Returns the value with lower bits that are zero.
    pub fn with_zeros(self, zeros: u8) -> Self {
        Self { zeros: zeros.min(32), ..self }
    }

    /// Returns the upper bound of an `i32`.
    pub fn max32(&self) -> u64 {
        self.max.min(u64::from(u32::MAX))
    }
}

/// A value on the stack.
#[derive(Clone, Debug)]
pub struct Value {
    /// C expression without effect: a constant, a local or a temporary.
    pub text: String,
    pub ty: ValType,
    pub node: Node,
    /// The local it names.
    pub local: Option<u32>,
}

impl Value {
    /// Returns a constant.
    pub fn constant(ty: ValType, bits: u64) -> Self {
        let text = match ty {
            ValType::I64 => format!("{bits:#x}ull"),
            ValType::F32 => format!("asf32({bits:#x}u)"),
            ValType::F64 => format!("asf64({bits:#x}ull)"),
            _ => format!("{}u", bits as u32),
        };
        Self { text, ty, node: Node::constant(bits), local: None }
    }

    /// Returns an expression for its bits.
    pub fn bits(&self) -> String {
        match (self.ty, self.node.constant) {
            (ValType::F32, Some(bits)) => format!("{bits:#x}u"),
            (ValType::F64, Some(bits)) => format!("{bits:#x}ull"),
            (ValType::F32, None) => format!("asu32({})", self.text),
            (ValType::F64, None) => format!("asu64({})", self.text),
            _ => self.text.clone(),
        }
    }
}
