// SPDX-License-Identifier: Apache-2.0
//! The arms of the portable back end: an expression `match opcode { .. }` over what `rust/engine/src/exec/interpreter/loop_.rs`
//! has in scope.

use std::fmt::Write;

use wisp_image::ops::{op, Class, Op, Operand, Sem, COUNT};

/// The operands of an op as Rust expressions.
struct Operands<'o> {
    op: &'o Op,
    wide_immediates: bool,
    /// Index of its first operand's word.
    base: usize,
    /// Words from its start to the next op, or `None` if another op of a sequence follows.
    length: Option<usize>,
}

impl Operands<'_> {
    /// Returns the index of an operand's first word.
    fn word(&self, operand: usize) -> usize {
        self.base + self.op.form[..operand].iter().map(|o| o.words()).sum::<usize>()
    }

    /// Returns an expression for the value of a source operand.
    fn value(&self, operand: usize) -> String {
        let n = self.word(operand);
        match self.op.form[operand] {
            Operand::Slot | Operand::DstFirst => format!("get32(ip, fp, {n})"),
            Operand::Slot64 => format!("get64(ip, fp, {n})"),
            Operand::Acc => "acc".into(),
            Operand::Imm16 if self.wide_immediates => format!("imm64(ip, {n})"),
            Operand::Imm16 => format!("imm32(ip, {n})"),
            Operand::Imm32 => format!("long(ip, {n}) as u32"),
            Operand::Imm64 => {
                format!("u64::from(long(ip, {n}) as u32) | u64::from(long(ip, {}) as u32) << 32", n + 2)
            }
            Operand::Global | Operand::Global64 => format!("ctx.globals.byte_add(usize::from(word(ip, {n})))"),
            Operand::GlobalImport | Operand::GlobalImport64 => format!("cold::imported_global(ctx, word(ip, {n}))"),
            Operand::Forward => format!("ip.byte_add(usize::from(word(ip, {n})))"),
            Operand::Back => format!("ip.byte_sub(usize::from(word(ip, {n})))"),
            Operand::Callee => format!("ip.offset(word(ip, {n}) as i16 as isize)"),
            Operand::Far | Operand::CalleeFar => format!("ip.byte_offset(long(ip, {n}) as isize)"),
            _ => format!("word(ip, {n})"),
        }
    }

    /// Returns a statement that writes a value into the result operand, which is the first.
    fn result(&self, value: &str) -> String {
        match self.op.form[0] {
            Operand::Dst if value == "acc" => format!("set32(ip, fp, {}, acc);", self.base),
            Operand::Dst | Operand::DstFirst => format!("acc = {value}; set32(ip, fp, {}, acc);", self.base),
            Operand::DstAcc => format!("acc = {value};"),
            Operand::Dst64 => format!("let result = {value}; set64(ip, fp, {}, result);", self.base),
            other => panic!("{:?} {:?}: no result", self.op.sem, other),
        }
    }

    fn next(&self) -> String {
        self.length.map_or(String::new(), |words| format!("ip = ip.add({words});"))
    }

    /// Returns the two sources of an operation, as operands.
    fn pair(&self) -> (usize, usize) {
        match self.op.form[0] {
            Operand::DstFirst => (0, 1),
            _ => (1, 2),
        }
    }
}

/// Returns the Rust function of an op: `ops::i32_add` for `i32.add`.
fn function(op: &Op) -> String {
    format!("ops::{}", op.sem.name().replace('.', "_"))
}

/// Returns the name of the access function and binary logarithm of its width.
fn access(sem: Sem) -> (&'static str, usize) {
    match sem {
        Sem::Load => ("load_i32", 2),
        Sem::Load8S => ("load_i32_8_s", 0),
        Sem::Load8U => ("load_i32_8_u", 0),
        Sem::Load16S => ("load_i32_16_s", 1),
        Sem::Load16U => ("load_i32_16_u", 1),
        Sem::Load64 => ("load_i64", 3),
        Sem::Load64From8S => ("load_i64_8_s", 0),
        Sem::Load64From8U => ("load_i64_8_u", 0),
        Sem::Load64From16S => ("load_i64_16_s", 1),
        Sem::Load64From16U => ("load_i64_16_u", 1),
        Sem::Load64From32S => ("load_i64_32_s", 2),
        Sem::Load64From32U => ("load_i64_32_u", 2),
        Sem::Store => ("store_i32", 2),
        Sem::Store8 => ("store_i32_8", 0),
        Sem::Store16 => ("store_i32_16", 1),
        Sem::Store64 => ("store_i64", 3),
        other => panic!("{other:?} is no access"),
    }
}

/// Statements that compute `address` from the operands `from..to`, or stop.
fn address(operands: &Operands<'_>, from: usize, to: usize, log2: usize) -> String {
    let mut base = Vec::new();
    let mut offset = "0".to_string();
    for operand in from..to {
        match operands.op.form[operand] {
            Operand::Offset => offset = operands.value(operand),
            _ => base.push(operands.value(operand)),
        }
    }
    let base = match &base[..] {
        [] => "0".into(),
        [one] => one.clone(),
        [one, two] => format!("{one}.wrapping_add({two})"),
        _ => panic!("{:?}: too many address operands", operands.op.sem),
    };
    format!(
        "let base = {base}; let offset = {offset}; \
         let Some(address) = effective::<{log2}>(ctx, base, offset) else {{ refuse!(base, offset, {}) }};",
        1 << log2
    )
}

fn branch(operands: &Operands<'_>, target: usize) -> String {
    let fuel = match operands.op.form[target] {
        Operand::Forward => "",
        _ => "take_fuel!();",
    };
    format!("{fuel} ip = {};", operands.value(target))
}

fn arm(op: &Op) -> String {
    let parts: Vec<_> = op.parts().collect();
    let mut base = 1;
    let mut text = String::new();
    for (place, one) in parts.iter().enumerate() {
        let last = place + 1 == parts.len();
        let body = part(one, base, last.then_some(op.words()));
        text.push_str(&if last { body } else { format!("{{ {body} }} ") });
        base += one.words() - 1;
    }
    text
}

/// Returns one of the ops of an arm. Its operands begin at the word `base`. `length` is as in
/// [`Operands`].
fn part(op: &Op, base: usize, length: Option<usize>) -> String {
    let wide_immediates = matches!(op.class, Class::Bin64 | Class::Set64) || op.sem == Sem::Const64;
    let operands = Operands { op, wide_immediates, base, length };
    let value = |operand| operands.value(operand);
    let f = function(op);
    let next = operands.next();
    let traps = |call: String| {
        format!("let value = match {call} {{ Ok(value) => value, Err(code) => break 'run crate::vm::trap::RawTrap::of(code) }};")
    };
    match op.class {
        Class::Bin32 | Class::Bin64 => {
            let (x, y) = operands.pair();
            format!("{} {next}", operands.result(&format!("{f}({}, {})", value(x), value(y))))
        }
        Class::Set32 | Class::Set64 => {
            format!("{} {next}", operands.result(&format!("u32::from({f}({}, {}))", value(1), value(2))))
        }
        Class::Un32 | Class::Un64 | Class::Narrow | Class::Widen => {
            format!("{} {next}", operands.result(&format!("{f}({})", value(1))))
        }
        Class::Div32 | Class::Div64 => {
            format!("{} {} {next}", traps(format!("{f}({}, {})", value(1), value(2))), operands.result("value"))
        }
        Class::Un32Trap | Class::Un64Trap | Class::NarrowTrap | Class::WidenTrap => {
            format!("{} {} {next}", traps(format!("{f}({})", value(1))), operands.result("value"))
        }
        Class::Br32 => {
            format!("if {f}({}, {}) {{ {} }} else {{ {next} }}", value(0), value(1), branch(&operands, 2))
        }
        Class::Select32 => {
            let select = format!("if {f}({}, {}) {{ {} }} else {{ {} }}", value(1), value(2), value(3), value(4));
            format!("{} {next}", operands.result(&select))
        }
        Class::Select64 => {
            let select = format!("if {} != 0 {{ {} }} else {{ {} }}", value(1), value(2), value(3));
            format!("{} {next}", operands.result(&select))
        }
        Class::Load32 | Class::Load64 => {
            let (name, log2) = access(op.sem);
            let address = address(&operands, 1, op.form.len(), log2);
            format!("{address} {} {next}", operands.result(&format!("{name}(memory, address)")))
        }
        Class::Store32 | Class::Store64 => {
            let (name, log2) = access(op.sem);
            let last = op.form.len() - 1;
            let address = address(&operands, 0, last, log2);
            format!("{address} {name}(memory, address, {}); {next}", value(last))
        }
        Class::Special => special(op, &operands),
        Class::Sequence => panic!("a sequence in a sequence"),
    }
}

fn special(op: &Op, operands: &Operands<'_>) -> String {
    let value = |operand| operands.value(operand);
    let next = operands.next();
    let first = op.form.first().copied().unwrap_or(Operand::None);
    let frame = format!("let frame = fp.add(usize::from(word(ip, {})));", operands.base);
    // where a call returns to
    let after = operands.length.unwrap_or_else(|| op.words());
    match op.sem {
        Sem::Unreachable => "break 'run crate::vm::trap::RawTrap::of(crate::vm::trap::TrapCode::Unreachable);".into(),
        Sem::Enter => {
            let clear = match op.form.len() {
                1 => "",
                _ => "cold::clear(fp, word(ip, 2), word(ip, 3));",
            };
            format!(
                "if ctx.stack_limit.addr() - fp.addr() < usize::from(word(ip, 1)) {{ \
                 break 'run crate::vm::trap::RawTrap::of(crate::vm::trap::TrapCode::StackOverflow); }} take_fuel!(); {clear} {next}"
            )
        }
        Sem::Br => branch(operands, 0),
        Sem::BrTable => {
            let n = operands.word(1);
            format!(
                "let index = ({}).min(u32::from(word(ip, {n}))) as usize; \
                 ip = ip.byte_add(usize::from(word(ip, {} + index)));",
                value(0),
                n + 1
            )
        }
        Sem::Return => "leave!();".into(),
        Sem::Return32 => format!("let bits = {}; fp.cast::<u32>().write(bits); leave!();", value(0)),
        Sem::Return64 => format!(
            "let bits = {}; fp.cast::<u32>().write(bits as u32); \
             fp.cast::<u32>().add(1).write((bits >> 32) as u32); leave!();",
            value(0)
        ),
        Sem::Call => format!("{frame} push(ctx, frame, ip.add({after}), fp); ip = {}; fp = frame;", value(1)),
        Sem::CallImport => format!("{frame} {} {next}", import_call(&value(1))),
        Sem::CallIndirect => format!(
            "{frame} let entry = cold::indirect(ctx, {}, {}, {}); \
             if entry.is_null() {{ outside!(cold::call_pending(ctx, frame)); {next} }} else {{ \
             push(ctx, frame, ip.add({after}), fp); ip = entry; fp = frame; }}",
            value(2),
            value(3),
            value(1)
        ),
        Sem::ReturnCall => format!("cold::move_arguments(ctx, ip, fp); ip = {};", value(2)),
        Sem::ReturnCallImport => {
            format!("{frame} {} cold::move_results(ctx, ip, fp); leave!();", import_call(&value(2)))
        }
        Sem::ReturnCallIndirect => format!(
            "let entry = cold::indirect(ctx, {}, {}, {}); if entry.is_null() {{ {frame} \
             outside!(cold::call_pending(ctx, frame)); cold::move_results(ctx, ip, fp); leave!(); }} else {{ \
             cold::move_arguments(ctx, ip, fp); ip = entry; }}",
            value(2),
            value(3),
            value(1)
        ),
        Sem::Mov | Sem::Mov64 | Sem::Const | Sem::Const64 => format!("{} {next}", operands.result(&value(1))),
        Sem::GlobalGet => format!("{} {next}", operands.result(&format!("(*{}).get()", value(1)))),
        Sem::GlobalSet => format!("(*{}).set({}); {next}", value(0), value(1)),
        Sem::GlobalGetFunc | Sem::GlobalGetExtern => format!(
            "let bits = (*{}).get(); let code = cold::receive(ctx, {}, bits); if !code.is_none() {{ break 'run code; }} {} {next}",
            value(1),
            reference(op.sem),
            operands.result("bits")
        ),
        Sem::GlobalSetFunc | Sem::GlobalSetExtern => format!(
            "let bits = {}; let code = cold::give(ctx, {}, bits); if !code.is_none() {{ break 'run code; }} (*{}).set(bits); {next}",
            value(1),
            reference(op.sem),
            value(0)
        ),
        Sem::GlobalGet64 => {
            let get =
                format!("{{ let low = {}; u64::from((*low).get()) | u64::from((*low.add(1)).get()) << 32 }}", value(1));
            format!("{} {next}", operands.result(&get))
        }
        Sem::GlobalSet64 => format!(
            "let low = {}; let bits = {}; (*low).set(bits as u32); (*low.add(1)).set((bits >> 32) as u32); {next}",
            value(0),
            value(1)
        ),
        _ => {
            let name = op.sem.name().replace('.', "_");
            let acc = match first {
                Operand::Dst => "acc = get32(ip, fp, 1);",
                _ => "",
            };
            format!("let code = cold::{name}(ctx, ip, fp); if !code.is_none() {{ break 'run code; }} {acc} {next}")
        }
    }
}

/// Returns the type of the global that an op is for.
fn reference(sem: Sem) -> &'static str {
    match sem {
        Sem::GlobalGetFunc | Sem::GlobalSetFunc => "wisp_image::format::ValType::FuncRef",
        _ => "wisp_image::format::ValType::ExternRef",
    }
}

fn import_call(index: &str) -> String {
    format!(
        "let import = (*ctx.imports.add(usize::from({index}))).get(); \
         outside!((import.function)(core::ptr::from_ref(ctx).cast_mut(), frame.cast(), import.env));"
    )
}

/// Returns the match, with the arms of these opcodes.
pub fn arms(opcodes: &[u16], built: &dyn Fn(u16) -> bool) -> String {
    let mut text = String::from("match opcode!() {\n");
    for &opcode in opcodes {
        let op = op(opcode).expect("below COUNT");
        writeln!(text, "// {} {:?}\n{opcode} => {{ {} }}", op.sem.name(), op.form, arm(&op)).expect("a string grows");
    }
    // an image that nobody verified may have ops of features that are not built in
    text.push_str(if (0..COUNT as u16).all(built) {
        "_ => unreachable_unchecked(),\n}\n"
    } else {
        "_ => break 'run crate::vm::trap::RawTrap::of(crate::vm::trap::TrapCode::Unreachable),\n}\n"
    });
    text
}
