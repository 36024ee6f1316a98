// SPDX-License-Identifier: Apache-2.0
//! Arithmetic: what each operator is in C, and what is known about its result.

use wasmparser::Operator;
use wisp_image::format::ValType;

use super::ranges::{moved, Test};
use super::value::{Node, Value};
use super::{Emitter, Trap};
use crate::error::AotError;

use ValType::{F32, F64, I32, I64};

/// Returns the result type and form over `{a}` of an operator with one operand.
fn unary(operator: &Operator<'_>) -> Option<(ValType, &'static str)> {
    Some(match operator {
        Operator::I32Eqz | Operator::I64Eqz => (I32, "{a} == 0"),
        Operator::I32Clz => (I32, "i32_clz({a})"),
        Operator::I32Ctz => (I32, "i32_ctz({a})"),
        Operator::I32Popcnt => (I32, "i32_popcnt({a})"),
        Operator::I64Clz => (I64, "i64_clz({a})"),
        Operator::I64Ctz => (I64, "i64_ctz({a})"),
        Operator::I64Popcnt => (I64, "i64_popcnt({a})"),
        Operator::I32Extend8S => (I32, "(u32)(i32)(i8){a}"),
        Operator::I32Extend16S => (I32, "(u32)(i32)(i16){a}"),
        Operator::I64Extend8S => (I64, "(u64)(i64)(i8){a}"),
        Operator::I64Extend16S => (I64, "(u64)(i64)(i16){a}"),
        Operator::I64Extend32S | Operator::I64ExtendI32S => (I64, "(u64)(i64)(i32){a}"),
        Operator::I64ExtendI32U => (I64, "(u64){a}"),
        Operator::I32WrapI64 => (I32, "(u32){a}"),
        Operator::F32Abs => (F32, "f32_abs({a})"),
        Operator::F32Neg => (F32, "f32_neg({a})"),
        Operator::F32Ceil => (F32, "f32_ceil({a})"),
        Operator::F32Floor => (F32, "f32_floor({a})"),
        Operator::F32Trunc => (F32, "f32_trunc({a})"),
        Operator::F32Nearest => (F32, "f32_nearest({a})"),
        Operator::F32Sqrt => (F32, "f32_sqrt(c, {a})"),
        Operator::F64Abs => (F64, "f64_abs({a})"),
        Operator::F64Neg => (F64, "f64_neg({a})"),
        Operator::F64Ceil => (F64, "f64_ceil({a})"),
        Operator::F64Floor => (F64, "f64_floor({a})"),
        Operator::F64Trunc => (F64, "f64_trunc({a})"),
        Operator::F64Nearest => (F64, "f64_nearest({a})"),
        Operator::F64Sqrt => (F64, "f64_sqrt(c, {a})"),
        Operator::F32ConvertI32S => (F32, "f32_convert_i32_s(c, {a})"),
        Operator::F32ConvertI32U => (F32, "f32_convert_i32_u(c, {a})"),
        Operator::F32ConvertI64S => (F32, "f32_convert_i64_s(c, {a})"),
        Operator::F32ConvertI64U => (F32, "f32_convert_i64_u(c, {a})"),
        Operator::F64ConvertI32S => (F64, "f64_convert_i32_s(c, {a})"),
        Operator::F64ConvertI32U => (F64, "f64_convert_i32_u(c, {a})"),
        Operator::F64ConvertI64S => (F64, "f64_convert_i64_s(c, {a})"),
        Operator::F64ConvertI64U => (F64, "f64_convert_i64_u(c, {a})"),
        Operator::F32DemoteF64 => (F32, "f32_demote_f64(c, {a})"),
        Operator::F64PromoteF32 => (F64, "f64_promote_f32(c, {a})"),
        Operator::I32ReinterpretF32 => (I32, "asu32({a})"),
        Operator::I64ReinterpretF64 => (I64, "asu64({a})"),
        Operator::F32ReinterpretI32 => (F32, "asf32({a})"),
        Operator::F64ReinterpretI64 => (F64, "asf64({a})"),
        Operator::I32TruncSatF32S => (I32, "i32_trunc_sat_f32_s({a})"),
        Operator::I32TruncSatF32U => (I32, "i32_trunc_sat_f32_u({a})"),
        Operator::I32TruncSatF64S => (I32, "i32_trunc_sat_f64_s({a})"),
        Operator::I32TruncSatF64U => (I32, "i32_trunc_sat_f64_u({a})"),
        Operator::I64TruncSatF32S => (I64, "i64_trunc_sat_f32_s({a})"),
        Operator::I64TruncSatF32U => (I64, "i64_trunc_sat_f32_u({a})"),
        Operator::I64TruncSatF64S => (I64, "i64_trunc_sat_f64_s({a})"),
        Operator::I64TruncSatF64U => (I64, "i64_trunc_sat_f64_u({a})"),
        _ => return None,
    })
}

/// Returns the result type and form over `{a}` and `{b}` of an operator with two operands that cannot trap.
fn binary(operator: &Operator<'_>) -> Option<(ValType, &'static str)> {
    Some(match operator {
        Operator::I32Add => (I32, "{a} + {b}"),
        Operator::I32Sub => (I32, "{a} - {b}"),
        Operator::I32Mul => (I32, "{a} * {b}"),
        Operator::I32And => (I32, "{a} & {b}"),
        Operator::I32Or => (I32, "{a} | {b}"),
        Operator::I32Xor => (I32, "{a} ^ {b}"),
        Operator::I32Shl => (I32, "{a} << ({b} & 31)"),
        Operator::I32ShrS => (I32, "(u32)((i32){a} >> ({b} & 31))"),
        Operator::I32ShrU => (I32, "{a} >> ({b} & 31)"),
        Operator::I32Rotl => (I32, "i32_rotl({a}, {b})"),
        Operator::I32Rotr => (I32, "i32_rotr({a}, {b})"),
        Operator::I64Add => (I64, "{a} + {b}"),
        Operator::I64Sub => (I64, "{a} - {b}"),
        Operator::I64Mul => (I64, "{a} * {b}"),
        Operator::I64And => (I64, "{a} & {b}"),
        Operator::I64Or => (I64, "{a} | {b}"),
        Operator::I64Xor => (I64, "{a} ^ {b}"),
        Operator::I64Shl => (I64, "{a} << ({b} & 63)"),
        Operator::I64ShrS => (I64, "(u64)((i64){a} >> ({b} & 63))"),
        Operator::I64ShrU => (I64, "{a} >> ({b} & 63)"),
        Operator::I64Rotl => (I64, "i64_rotl({a}, {b})"),
        Operator::I64Rotr => (I64, "i64_rotr({a}, {b})"),
        Operator::I32Eq | Operator::I64Eq => (I32, "{a} == {b}"),
        Operator::I32Ne | Operator::I64Ne => (I32, "{a} != {b}"),
        Operator::I32LtU | Operator::I64LtU => (I32, "{a} < {b}"),
        Operator::I32GtU | Operator::I64GtU => (I32, "{a} > {b}"),
        Operator::I32LeU | Operator::I64LeU => (I32, "{a} <= {b}"),
        Operator::I32GeU | Operator::I64GeU => (I32, "{a} >= {b}"),
        Operator::I32LtS => (I32, "(i32){a} < (i32){b}"),
        Operator::I32GtS => (I32, "(i32){a} > (i32){b}"),
        Operator::I32LeS => (I32, "(i32){a} <= (i32){b}"),
        Operator::I32GeS => (I32, "(i32){a} >= (i32){b}"),
        Operator::I64LtS => (I32, "(i64){a} < (i64){b}"),
        Operator::I64GtS => (I32, "(i64){a} > (i64){b}"),
        Operator::I64LeS => (I32, "(i64){a} <= (i64){b}"),
        Operator::I64GeS => (I32, "(i64){a} >= (i64){b}"),
        Operator::F32Add => (F32, "f32_add(c, {a}, {b})"),
        Operator::F32Sub => (F32, "f32_sub(c, {a}, {b})"),
        Operator::F32Mul => (F32, "f32_mul(c, {a}, {b})"),
        Operator::F32Div => (F32, "f32_div(c, {a}, {b})"),
        Operator::F32Min => (F32, "f32_min({a}, {b})"),
        Operator::F32Max => (F32, "f32_max({a}, {b})"),
        Operator::F32Copysign => (F32, "f32_copysign({a}, {b})"),
        Operator::F64Add => (F64, "f64_add(c, {a}, {b})"),
        Operator::F64Sub => (F64, "f64_sub(c, {a}, {b})"),
        Operator::F64Mul => (F64, "f64_mul(c, {a}, {b})"),
        Operator::F64Div => (F64, "f64_div(c, {a}, {b})"),
        Operator::F64Min => (F64, "f64_min({a}, {b})"),
        Operator::F64Max => (F64, "f64_max({a}, {b})"),
        Operator::F64Copysign => (F64, "f64_copysign({a}, {b})"),
        Operator::F32Eq => (I32, "f32_eq(c, {a}, {b})"),
        Operator::F32Ne => (I32, "!f32_eq(c, {a}, {b})"),
        Operator::F32Lt => (I32, "f32_lt(c, {a}, {b})"),
        Operator::F32Gt => (I32, "f32_lt(c, {b}, {a})"),
        Operator::F32Le => (I32, "f32_le(c, {a}, {b})"),
        Operator::F32Ge => (I32, "f32_le(c, {b}, {a})"),
        Operator::F64Eq => (I32, "f64_eq(c, {a}, {b})"),
        Operator::F64Ne => (I32, "!f64_eq(c, {a}, {b})"),
        Operator::F64Lt => (I32, "f64_lt(c, {a}, {b})"),
        Operator::F64Gt => (I32, "f64_lt(c, {b}, {a})"),
        Operator::F64Le => (I32, "f64_le(c, {a}, {b})"),
        Operator::F64Ge => (I32, "f64_le(c, {b}, {a})"),
        _ => return None,
    })
}

/// Returns the result type, function and whether it is signed of a division.
fn division(operator: &Operator<'_>) -> Option<(ValType, &'static str, bool)> {
    Some(match operator {
        Operator::I32DivS => (I32, "i32_div_s", true),
        Operator::I32DivU => (I32, "i32_div_u", false),
        Operator::I32RemS => (I32, "i32_rem_s", false),
        Operator::I32RemU => (I32, "i32_rem_u", false),
        Operator::I64DivS => (I64, "i64_div_s", true),
        Operator::I64DivU => (I64, "i64_div_u", false),
        Operator::I64RemS => (I64, "i64_rem_s", false),
        Operator::I64RemU => (I64, "i64_rem_u", false),
        _ => return None,
    })
}

/// Returns the result type and function of a conversion that may trap.
fn truncation(operator: &Operator<'_>) -> Option<(ValType, &'static str)> {
    Some(match operator {
        Operator::I32TruncF32S => (I32, "i32_trunc_f32_s"),
        Operator::I32TruncF32U => (I32, "i32_trunc_f32_u"),
        Operator::I32TruncF64S => (I32, "i32_trunc_f64_s"),
        Operator::I32TruncF64U => (I32, "i32_trunc_f64_u"),
        Operator::I64TruncF32S => (I64, "i64_trunc_f32_s"),
        Operator::I64TruncF32U => (I64, "i64_trunc_f32_u"),
        Operator::I64TruncF64S => (I64, "i64_trunc_f64_s"),
        Operator::I64TruncF64U => (I64, "i64_trunc_f64_u"),
        _ => return None,
    })
}

/// Returns true if the form gives 0 or 1.
fn is_test(form: &str) -> bool {
    ["==", "!=", " < ", " > ", "<=", ">=", "_eq(", "_lt(", "_le("].iter().any(|test| form.contains(test))
}

impl<'a> Emitter<'_, '_, 'a> {
    /// Translates constants and arithmetic.
    pub(super) fn numeric(&mut self, operator: &Operator<'a>) -> Result<(), AotError> {
        match operator {
            Operator::I32Const { value } => self.stack.push(Value::constant(I32, u64::from(*value as u32))),
            Operator::I64Const { value } => self.stack.push(Value::constant(I64, *value as u64)),
            Operator::F32Const { value } => self.stack.push(Value::constant(F32, value.bits().into())),
            Operator::F64Const { value } => self.stack.push(Value::constant(F64, value.bits())),
            _ => {
                if let Some((ty, form)) = unary(operator) {
                    let a = self.pop();
                    let node = self.unary_node(operator, &a);
                    self.push_node(ty, &form.replace("{a}", &a.text), node);
                    if matches!(operator, Operator::I32Eqz) {
                        self.tests.insert(node.root, self.test_of(a.node).negated());
                    }
                } else if let Some((ty, form)) = binary(operator) {
                    let (b, a) = (self.pop(), self.pop());
                    let mut node = self.binary_node(operator, &a, &b);
                    if is_test(form) {
                        node.max = 1;
                    }
                    self.push_node(ty, &form.replace("{a}", &a.text).replace("{b}", &b.text), node);
                    self.tests.extend(Test::of(operator, a.node, b.node).map(|test| (node.root, test)));
                } else if let Some((ty, function, signed)) = division(operator) {
                    self.divide(ty, function, signed);
                } else if let Some((ty, function)) = truncation(operator) {
                    let a = self.pop();
                    let (result, code) = (self.variable(ty), self.variable(I32));
                    self.push_line(format!("{code} = {function}({}, &{result});", a.text));
                    let (nan, large) = (self.trap(Trap::Conversion), self.trap(Trap::Overflow));
                    self.push_line(format!("if (UNLIKELY({code})) {{ if ({code} == 9) {nan} {large} }}"));
                    let node = self.fresh();
                    self.stack.push(Value { text: result, ty, node, local: None });
                } else {
                    return Err(AotError::Wasm(format!("operator {operator:?} is not supported")));
                }
            }
        }
        Ok(())
    }

    fn divide(&mut self, ty: ValType, function: &str, signed: bool) {
        let (b, a) = (self.pop(), self.pop());
        let (least, ones) = match ty {
            I64 => ("0x8000000000000000ull", u64::MAX),
            _ => ("0x80000000u", u64::from(u32::MAX)),
        };
        if b.node.constant.is_none_or(|b| b == 0) {
            self.trap_if(&format!("{} == 0", b.text), Trap::DivisionByZero);
        }
        if signed && b.node.constant.is_none_or(|b| b == ones) {
            self.trap_if(&format!("{} == {least} && !~{}", a.text, b.text), Trap::Overflow);
        }
        let mut node = self.fresh();
        let x = self.facts.at(a.node);
        match (b.node.constant, function) {
            (Some(b @ 1..), "i32_rem_u") => node = node.within((0, x.max32().min(b - 1))),
            (Some(b @ 1..), "i64_rem_u") => node.max = x.max.min(b - 1),
            (Some(b @ 1..), "i32_div_u") => node = node.within((x.range().0 / b, x.max32() / b)),
            (Some(b @ 1..), "i64_div_u") => node.max = x.max / b,
            _ => {}
        }
        self.push_node(ty, &format!("{function}(c, {}, {})", a.text, b.text), node);
    }

    fn unary_node(&mut self, operator: &Operator<'a>, a: &Value) -> Node {
        let node = self.fresh();
        let x = self.facts.at(a.node);
        match operator {
            Operator::I32Eqz | Operator::I64Eqz => node.at_most(1),
            Operator::I32Clz | Operator::I32Ctz | Operator::I32Popcnt => node.at_most(32),
            Operator::I64Clz | Operator::I64Ctz | Operator::I64Popcnt => node.at_most(64),
            Operator::I64ExtendI32U => node.within(x.range()),
            Operator::I64ExtendI32S if x.max32() <= i32::MAX as u64 => node.within(x.range()),
            Operator::I32WrapI64 if x.max <= u64::from(u32::MAX) => node.within((x.min, x.max)),
            // what the sign does not change is the same value
            Operator::I32Extend8S if x.max32() <= i8::MAX as u64 => x,
            Operator::I32Extend16S if x.max32() <= i16::MAX as u64 => x,
            _ => node,
        }
    }

    fn binary_node(&mut self, operator: &Operator<'a>, a: &Value, b: &Value) -> Node {
        let fresh = self.fresh();
        let (x, y) = (self.facts.at(a.node), self.facts.at(b.node));
        let zeros = x.zeros.min(y.zeros);
        let (low, high) = (x.range(), y.range());
        let fits =
            |least: u64, most: u64| if most <= u64::from(u32::MAX) { fresh.within((least, most)) } else { fresh };
        match operator {
            Operator::I32Add => match (x.constant, y.constant) {
                (None, Some(constant)) => add(x, constant as u32),
                (Some(constant), None) => add(y, constant as u32),
                _ => fits(low.0 + high.0, low.1 + high.1).with_zeros(zeros),
            },
            Operator::I32Sub => match y.constant {
                Some(constant) if x.constant.is_none() => add(x, (constant as u32).wrapping_neg()),
                _ if low.0 >= high.1 => fits(low.0 - high.1, low.1 - high.0).with_zeros(zeros),
                _ => fresh.with_zeros(zeros),
            },
            // disjoint bits: an addition
            Operator::I32Or => match (x.constant, y.constant) {
                (None, Some(constant)) if constant < 1 << x.zeros => add(x, constant as u32),
                _ => fits(low.0.max(high.0), ones(low.1 | high.1)).with_zeros(zeros),
            },
            Operator::I32Xor => fits(0, ones(low.1 | high.1)).with_zeros(zeros),
            Operator::I32And => fits(0, low.1.min(high.1)).with_zeros(x.zeros.max(y.zeros)),
            Operator::I64And => fresh.at_most(x.max.min(y.max)),
            Operator::I32Shl => match y.constant {
                Some(by) => {
                    let by = by as u32 & 31;
                    fits(low.0 << by, low.1 << by).with_zeros(x.zeros.saturating_add(by as u8))
                }
                None => fresh.with_zeros(x.zeros),
            },
            Operator::I32ShrU => shifted(fresh, low, y.constant),
            Operator::I32ShrS if low.1 <= i32::MAX as u64 => shifted(fresh, low, y.constant),
            Operator::I64ShrU => fresh.at_most(x.max >> (y.constant.unwrap_or(0) & 63)),
            Operator::I32Mul => match low.1.checked_mul(high.1) {
                Some(most) => fits(low.0 * high.0, most),
                None => fresh,
            }
            .with_zeros(x.zeros.saturating_add(y.zeros)),
            _ => fresh,
        }
    }
}

/// Returns a value that is one of a range, shifted right.
fn shifted(node: Node, range: (u64, u64), by: Option<u64>) -> Node {
    match by {
        Some(by) => node.within((range.0 >> (by & 31), range.1 >> (by & 31))),
        None => node.within((0, range.1)),
    }
}

/// Returns all ones up to the highest bit.
fn ones(value: u64) -> u64 {
    value.checked_add(1).and_then(u64::checked_next_power_of_two).map_or(u64::MAX, |power| power - 1)
}

/// Returns a value plus a constant.
fn add(node: Node, constant: u32) -> Node {
    let sum = Node {
        root: node.root,
        distance: node.distance + i64::from(constant as i32),
        zeros: node.zeros.min(constant.trailing_zeros() as u8),
        ..Node::unknown(node.root)
    };
    match moved(node.range(), i64::from(constant as i32)) {
        Some(range) => sum.within(range),
        None => sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_with_constants_keep_their_root_and_bounds() {
        let base = Node::unknown(3).at_most(100).with_zeros(2);
        let sum = add(base, 8);
        assert_eq!((sum.root, sum.distance, sum.max, sum.zeros), (3, 8, 108, 2));
        let back = add(sum, (-12i32) as u32);
        assert_eq!((back.distance, back.max), (-4, u64::MAX));
    }

    #[test]
    fn a_bound_of_ones_holds_every_combination_of_bits() {
        assert_eq!((ones(0), ones(1), ones(5), ones(255), ones(256)), (0, 1, 7, 255, 511));
    }
}
