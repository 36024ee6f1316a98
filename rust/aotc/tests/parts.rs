// SPDX-License-Identifier: Apache-2.0
//! Functions that are divided into parts compute what the interpreter does, and parts are bounded in size.
#![cfg(all(target_arch = "x86_64", unix))]

mod common;

use std::fmt::Write;

use common::{clang, compiled, loaded};
use wisp_aotc::{add_section, compile, Compilation, Machine, Options};
use wisp_compiler::Compiled;
use wisp_engine::{Config, Engine, Linker, Store, TrapCode, Val};

/// Bytes of C that a part takes beside its lines, at most, in these tests: declarations, copies and its way in.
const AROUND: usize = 40_000;

/// The outcome of a call: its result, or the trap and its place.
type Outcome = Result<i64, (TrapCode, u32, u32)>;

/// Calls `f` with each argument in a store of its own.
fn outcomes(image: &[u8], native: bool, arguments: &[i32]) -> Vec<Outcome> {
    let engine = Engine::new(&Config::new().stack_size(1 << 20));
    let module = loaded(&engine, image, native);
    let call = |&argument: &i32| {
        let mut arena = vec![0u64; 1 << 18];
        let mut store = Store::new(&engine, &mut arena, ()).unwrap();
        let mut linker = Linker::new();
        linker.func_wrap("env", "add", |_: wisp_engine::Caller<'_, ()>, a: i32, b: i32| -> i32 { a.wrapping_add(b) });
        linker.func_wrap("env", "long", |_: wisp_engine::Caller<'_, ()>, a: i32| -> i64 { i64::from(a) << 20 });
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let mut result = [Val::I64(0)];
        let func = instance.get_func(&store, "f").unwrap();
        match func.call(&mut store, &[Val::I32(argument)], &mut result) {
            Ok(()) => match result[0] {
                Val::I64(value) => Ok(value),
                _ => unreachable!("f returns an i64"),
            },
            Err(trap) => Err((trap.code, trap.func, trap.offset)),
        }
    };
    arguments.iter().map(call).collect()
}

fn native(wasm: &[u8], compiled: &Compiled, options: &Options) -> Compilation {
    compile(wasm, compiled, &Machine::named("x86-64").unwrap(), options).unwrap()
}

/// Compares native code with the interpreter, and returns the outcomes.
fn same(wat: &str, options: &[Options], arguments: &[i32]) -> Vec<Outcome> {
    let (wasm, compiled) = compiled(wat);
    let expected = outcomes(&compiled.image, false, arguments);
    for options in options {
        let image = add_section(&compiled.image, &native(&wasm, &compiled, options)).unwrap();
        assert_eq!(outcomes(&image, true, arguments), expected, "{options:?}");
    }
    expected
}

/// Random numbers, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }
}

/// Writes functions of all kinds of operators. Locals: 0 to 5 are i32, 6 to 8 i64, 9 f64, and from 10 on counters of loops.
struct Writer {
    random: Random,
    out: String,
    /// By open label, the innermost last: it has a result.
    labels: Vec<bool>,
    loops: usize,
    left: usize,
}

impl Writer {
    const LOOPS: usize = 6;

    /// Writes an expression of type i32.
    fn value(&mut self, depth: usize) {
        let choice = if depth == 0 { self.random.below(2) } else { self.random.below(12) };
        self.left = self.left.saturating_sub(1);
        match choice {
            0 => drop(write!(self.out, "(i32.const {})", self.random.below(1 << 20))),
            1 => drop(write!(self.out, "(local.get {})", self.random.below(6))),
            2 => self.apply("i32.add", depth, 2),
            3 => self.apply("i32.xor", depth, 2),
            4 => self.apply("select", depth, 3),
            5 => self.apply("call $small", depth, 2),
            6 => self.apply("call $host", depth, 2),
            7 => {
                let offset = self.random.below(60_000);
                let _ = write!(self.out, "(i32.load offset={offset} (i32.and (i32.const 4095) ");
                self.value(depth - 1);
                self.out.push_str("))");
            }
            8 => {
                let _ = write!(self.out, "(i32.wrap_i64 (i64.mul (local.get {})", 6 + self.random.below(3));
                self.out.push_str("(i64.extend_i32_u ");
                self.value(depth - 1);
                self.out.push_str(")))");
            }
            9 => {
                let _ = write!(self.out, "(local.tee {} ", self.random.below(6));
                self.value(depth - 1);
                self.out.push(')');
            }
            10 => {
                self.out.push_str("(if (result i32) ");
                self.value(depth - 1);
                self.labels.push(true);
                for part in ["(then ", "(else "] {
                    self.out.push_str(part);
                    self.statement();
                    self.value(depth - 1);
                    self.out.push(')');
                }
                self.labels.pop();
                self.out.push(')');
            }
            _ => {
                self.out.push_str("(block (result i32) ");
                self.labels.push(true);
                self.value(depth - 1);
                self.statement();
                self.out.push_str("(br_if 0 ");
                self.value(depth - 1);
                self.value(depth - 1);
                self.out.push_str(") i32.add)");
                self.labels.pop();
            }
        }
    }

    fn apply(&mut self, operator: &str, depth: usize, operands: usize) {
        let _ = write!(self.out, "({operator} ");
        (0..operands).for_each(|_| self.value(depth - 1));
        self.out.push(')');
    }

    /// Writes a branch to an open block without a result, if there is one.
    fn branch(&mut self) {
        let plain: Vec<usize> =
            (0..self.labels.len()).filter(|&depth| !self.labels[self.labels.len() - 1 - depth]).collect();
        if plain.is_empty() {
            return;
        }
        let target = |writer: &mut Self| plain[writer.random.below(plain.len())];
        if self.random.below(3) == 0 {
            let targets: Vec<String> = (0..1 + self.random.below(9)).map(|_| target(self).to_string()).collect();
            let _ = write!(self.out, "(if (i32.eqz (i32.and (i32.const 3) ");
            self.value(1);
            // one label further out
            let targets: Vec<String> =
                targets.iter().map(|depth| (depth.parse::<usize>().unwrap() + 1).to_string()).collect();
            let _ = write!(self.out, ")) (then (br_table {} ", targets.join(" "));
            self.value(2);
            self.out.push_str(")))");
        } else {
            let target = target(self);
            let _ = write!(self.out, "(br_if {target} (i32.eqz (i32.and (i32.const 7) ");
            self.value(2);
            self.out.push_str(")))");
        }
    }

    /// Writes a tail call that is made rarely: of a function, of the host, through a table that is known, or through one
    /// that may change. The last elements are a function of another type, and null.
    fn tail_call(&mut self) {
        let _ =
            write!(self.out, "(if (i32.eq (i32.and (local.get 4) (i32.const 7)) (i32.const {}))", self.random.below(8));
        self.out.push_str("(then ");
        self.labels.push(false);
        let (call, arguments) = [
            ("return_call $tail", 2),
            ("return_call $wide", 3),
            ("return_call $long", 1),
            ("return_call_indirect $known (type $tail)", 2),
            ("return_call_indirect $open (type $wide)", 3),
        ][self.random.below(5)];
        let _ = write!(self.out, "({call} ");
        for argument in 0..arguments {
            match argument {
                0 => self.value(1),
                1 => drop(write!(self.out, "(local.get {})", 6 + self.random.below(3))),
                _ => self.out.push_str("(local.get 9)"),
            }
        }
        if call.contains("indirect") {
            self.out.push_str("(i32.and (i32.const 3) (local.get 2))");
        }
        self.labels.pop();
        self.out.push_str(")))");
    }

    /// Writes a statement.
    fn statement(&mut self) {
        if self.left == 0 || self.labels.len() > 24 {
            return;
        }
        self.left -= 1;
        match self.random.below(12) {
            0..=2 => {
                let _ = write!(self.out, "(local.set {} ", self.random.below(6));
                self.value(3);
                self.out.push(')');
            }
            3 => {
                let _ = write!(
                    self.out,
                    "(local.set {0} (i64.add (local.get {0}) (i64.extend_i32_s ",
                    6 + self.random.below(3)
                );
                self.value(2);
                self.out.push_str(")))");
            }
            4 => {
                let _ = write!(self.out, "(i32.store offset={} (i32.and (i32.const 4095)", self.random.below(60_000));
                self.value(2);
                self.out.push(')');
                self.value(2);
                self.out.push(')');
            }
            5 => {
                self.out.push_str("(local.set 9 (f64.add (f64.mul (local.get 9) (f64.const 0.5)) (f64.convert_i32_s ");
                self.value(2);
                self.out.push_str(")))");
            }
            6 => {
                // two results
                self.out.push_str("(local.set 1 (local.set 2 (call $both ");
                self.value(1);
                self.out.push_str(")))");
            }
            7 => self.branch(),
            8 => {
                self.out.push_str("(block ");
                self.labels.push(false);
                (0..3).for_each(|_| self.statement());
                self.labels.pop();
                self.out.push(')');
            }
            9 if self.loops < Self::LOOPS => {
                let counter = 10 + self.loops;
                self.loops += 1;
                let _ = write!(self.out, "(local.set {counter} (i32.const {}))", 2 + self.random.below(4));
                // branches to it pass the counter
                let _ = write!(self.out, "(loop (if (local.get {counter}) (then (local.set {counter} ");
                let _ = write!(self.out, "(i32.sub (local.get {counter}) (i32.const 1)))");
                self.labels.extend([false, false]);
                (0..6).for_each(|_| self.statement());
                self.out.push_str("(br 1))))");
                self.labels.truncate(self.labels.len() - 2);
                self.loops -= 1;
            }
            10 => {
                self.out.push_str("(if ");
                self.value(2);
                self.labels.push(false);
                self.out.push_str("(then ");
                (0..2).for_each(|_| self.statement());
                self.out.push_str(") (else ");
                (0..2).for_each(|_| self.statement());
                self.out.push_str("))");
                self.labels.pop();
            }
            _ => {
                // rarely a trap, or a return
                let text = ["(if (i32.eq (local.get 0) (i32.const 77)) (then (unreachable)))", "(drop (i32.div_u (local.get 1) (i32.or (local.get 2) (i32.const 16))))",
                    "(if (i32.eq (i32.and (local.get 3) (i32.const 4095)) (i32.const 9)) (then (return (i64.extend_i32_u (local.get 2)))))"];
                match self.random.below(4) {
                    3 => self.tail_call(),
                    kind => self.out.push_str(text[kind]),
                }
            }
        }
    }

    /// Returns a module whose function `f` has about so many statements and values.
    fn module(seed: u64, size: usize) -> String {
        let mut writer = Self { random: Random(seed), out: String::new(), labels: Vec::new(), loops: 0, left: size };
        while writer.left > 0 {
            writer.statement();
        }
        format!(
            "(module (import \"env\" \"add\" (func $host (param i32 i32) (result i32)))
            (import \"env\" \"long\" (func $long (param i32) (result i64))) (memory 1 1)
            (type $tail (func (param i32 i64) (result i64)))
            (type $wide (func (param i32 i64 f64) (result i64)))
            (table $known funcref (elem $tail $other $small))
            (table $open 4 4 funcref) (elem (table $open) (i32.const 0) func $wide $tail $wide)
            (func (export \"set\") (table.set $open (i32.const 3) (ref.null func)))
            (func $tail (type $tail) (i64.sub (i64.extend_i32_u (local.get 0)) (local.get 1)))
            (func $other (type $tail) (i64.mul (i64.extend_i32_u (local.get 0)) (local.get 1)))
            (func $wide (type $wide) (i64.add (local.get 1) (i64.xor (i64.reinterpret_f64 (local.get 2)) (i64.extend_i32_s (local.get 0)))))
            (func $small (param i32 i32) (result i32) (i32.sub (local.get 1) (i32.rotl (local.get 0) (i32.const 5))))
            (func $both (param i32) (result i32 i32) (local.get 0) (i32.add (local.get 0) (i32.const 3)))
            (func (export \"f\") (param i32) (result i64)
                (local i32 i32 i32 i32 i32 i64 i64 i64 f64 i32 i32 i32 i32 i32 i32)
                {}
                (i64.add (i64.add (i64.extend_i32_u (i32.add (i32.mul (local.get 0) (i32.const 3)) (local.get 1)))
                    (i64.xor (local.get 6) (i64.reinterpret_f64 (local.get 9))))
                    (i64.add (i64.extend_i32_u (i32.xor (local.get 4) (local.get 5))) (local.get 7)))))",
            writer.out
        )
    }
}

#[test]
fn functions_of_all_operators_compute_the_same_in_small_parts() {
    let arguments = [0, 1, 2, 3, 5, 77, -1, 1 << 20];
    let (mut traps, mut values) = (0, 0);
    for seed in 0..16 {
        let options = [60, 400, 3000].map(|part| {
            let strict = seed % 2 == 1;
            Options { part: Some(part), strict, optimize: "-O1".into(), assert_known: true, ..Options::default() }
        });
        let outcomes = same(&Writer::module(seed, 250), &options[seed as usize % 3..][..1], &arguments);
        traps += outcomes.iter().filter(|outcome| outcome.is_err()).count();
        values += outcomes.iter().flatten().collect::<std::collections::BTreeSet<_>>().len();
    }
    assert!(traps > 0 && values > 32, "{traps} traps, {values} values");
}

#[test]
fn tail_calls_of_divided_functions_take_no_stack() {
    // each way of making one, so often that any stack would end
    let tail = |table: &str, callee: &str, arguments: &str| match table {
        "" => format!("(return_call ${callee} {arguments})"),
        table => {
            format!("(return_call_indirect ${table} (type $t) {arguments} (i32.const {}))", u32::from(callee == "g"))
        }
    };
    for table in ["", "known", "open"] {
        let next = "(i32.sub (local.get 0) (i32.const 1)) (local.get 1) (i32.add (local.get 2) (i32.const 7))";
        let wat = format!(
            "(module (memory 1 1) (type $t (func (param i32 i64 i32) (result i64)))
            (table $known funcref (elem $f $g)) (table $open 2 2 funcref) (elem (table $open) (i32.const 0) func $f $g)
            (func (export \"set\") (table.set $open (i32.const 0) (table.get $open (i32.const 1))))
            (func (export \"f\") (param i32) (result i64) (call $f (local.get 0) (i64.const 0) (i32.const 1)))
            (func $f (type $t)
                (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
                (i32.store (i32.and (local.get 0) (i32.const 1020)) (local.get 2))
                (local.set 1 (i64.load32_u (i32.and (local.get 0) (i32.const 508)))) {})
            (func $g (type $t) (local.set 1 (i64.xor (local.get 1) (i64.const 5))) {}))",
            tail(table, "g", next),
            tail(table, "f", "(local.get 0) (local.get 1) (local.get 2)"),
        );
        let gcc = Options { part: Some(100), ..Options::default() };
        let clang = clang().map(|name| Options { compiler: Some(name.into()), ..gcc.clone() });
        let options: Vec<Options> = [Some(gcc), clang].into_iter().flatten().collect();
        let outcomes = same(&wat, &options, &[0, 1, 2, 1_000_000]);
        assert!(outcomes.iter().all(Result::is_ok), "{table}: {outcomes:?}");
    }
}

/// Compiles a module. Returns what came of it, and the C files.
fn generated(wat: &str) -> (Compilation, Vec<String>) {
    let folder = std::env::temp_dir().join(format!("wisp-parts-{}-{}", std::process::id(), wat.len()));
    let (wasm, compiled) = compiled(wat);
    let compilation = native(&wasm, &compiled, &Options { keep: Some(folder.clone()), ..Options::default() });
    let paths = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    let texts = sources.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    std::fs::remove_dir_all(&folder).unwrap();
    (compilation, texts)
}

/// Returns the sizes of the C functions that are parts, and the number of those.
fn part_sizes(wat: &str) -> (usize, usize) {
    let (compilation, texts) = generated(wat);
    assert!(compilation.notes.iter().any(|note| note.contains("compiled in parts")), "{:?}", compilation.notes);
    let (mut largest, mut count) = (0, 0);
    for text in texts {
        let bodies = text.split("\nHID __attribute__((noinline)) u32 fn").skip(1);
        let bodies: Vec<usize> = bodies.filter_map(|body| Some(body.split_once("\n{\n")?.1.len())).collect();
        count += bodies.len();
        largest = largest.max(bodies.into_iter().max().unwrap_or(0));
    }
    (largest, count)
}

fn function(locals: &str, body: &str) -> String {
    format!(
        "(module (memory 1 1) (func $g (param i32) (result i32) (i32.mul (local.get 0) (i32.const 7)))
        (func (export \"f\") (param i32) (result i64) (local i32 i32) {locals} {body} (i64.extend_i32_u (local.get 1))))"
    )
}

/// Accesses of memory, one after the other. That of number `wrong` is out of bounds if the argument is 3.
fn straight(count: usize) -> String {
    let access = |k: usize| {
        let offset = 4 * (k * 7 % 4000);
        match k % 4 {
            0 => format!("(i32.store offset={offset} (local.get 0) (i32.add (local.get 1) (i32.const {k})))"),
            1 => "(local.set 2 (i32.and (local.get 1) (i32.const 4092)))".to_string(),
            2 => format!("(local.set 1 (i32.add (local.get 1) (i32.load offset={offset} (local.get 2))))"),
            _ => format!("(local.set 1 (i32.xor (local.get 1) (i32.load offset={offset} (local.get 0))))"),
        }
    };
    function("", &(0..count).map(access).collect::<String>())
}

#[test]
fn huge_functions_of_each_kind_compute_the_same_and_their_parts_are_bounded() {
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|_| "(block ").collect();
        let close = |k: usize| {
            format!("(br_if {} (i32.eq (local.get 0) (i32.const {k}))) (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 5)) (i32.const {k}))))", k % 3)
        };
        let inner = format!(
            "{open}(local.set 2 (i32.const 1)) {}",
            (0..depth).map(|k| close(k.min(depth - 3))).collect::<String>()
        );
        // the last blocks have too few around them for a branch by two
        function("", &format!("(block (block (block {inner})))"))
    };
    let locals = |count: usize| {
        let step = |k: usize| {
            let (one, two) = (3 + k % count, 3 + k * 31 % count);
            format!("(local.set {one} (i32.add (local.get {two}) (i32.add (local.get 1) (i32.const {k})))) (local.set 1 (i32.xor (local.get 1) (local.get {one})))")
        };
        function(&format!("(local {})", "i32 ".repeat(count)), &(0..2 * count).map(step).collect::<String>())
    };
    let calls = |count: usize| {
        let call = |k: usize| {
            format!("(local.set 1 (i32.add (local.get 1) (call $g (i32.add (local.get 0) (i32.const {k})))))")
        };
        function("", &(0..count).map(call).collect::<String>())
    };
    // a loop around all of it
    let looping = |count: usize| {
        let step = |k: usize| format!("(local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 3)) (i32.const {k})))");
        let steps: String = (0..count).map(step).collect();
        function("", &format!("(loop $l (local.set 2 (i32.add (local.get 2) (i32.const 1))) {steps} (br_if $l (i32.lt_u (local.get 2) (i32.and (local.get 0) (i32.const 7)))))"))
    };
    let cases = [
        ("straight", straight(3600)),
        ("nested", nested(1700)),
        ("locals", locals(1000)),
        ("table", table(2300)),
        ("calls", calls(2000)),
        ("looping", looping(5500)),
    ];
    for (name, wat) in cases {
        let outcomes = same(
            &wat,
            &[Options { optimize: "-O1".into(), ..Options::default() }],
            &[0, 1, 3, 700, 1699, 2300, 2299, 65_000, -1],
        );
        assert!(outcomes.iter().flatten().count() > 1, "{name} {outcomes:?}");
        let (largest, count) = part_sizes(&wat);
        assert!(count > 4 && largest < AROUND, "{name}: {count} parts, the largest of {largest} bytes");
    }
}

#[test]
fn a_huge_table_of_few_targets_is_one_switch() {
    let target = |k: usize| (k * 13 + k / 7) % 3;
    let targets: String = (0..60_000).map(|k| format!("{} ", target(k))).collect();
    let wat = function(
        "",
        &format!(
            "(block (block (block (block (br_table {targets} 3 (local.get 0)))
        (local.set 1 (i32.const 1))) (local.set 1 (i32.add (local.get 1) (i32.const 10))))
        (local.set 1 (i32.add (local.get 1) (i32.const 100))))"
        ),
    );
    let (compilation, texts) = generated(&wat);
    let [text] = &texts[..] else { panic!("{} files", texts.len()) };
    let count = |word: &str| text.matches(word).count();
    assert_eq!((count("switch ("), count("case "), count("static const u8 cases")), (1, 3, 1));
    // a byte for each element, and little beside them
    assert!((60_000..61_000).contains(&compilation.code_size), "{} bytes", compilation.code_size);

    let arguments = [0, 1, 2, 7, 8, 59_999, 60_000, -1];
    let outcomes = same(&wat, &[Options::default()], &arguments);
    for (argument, outcome) in arguments.into_iter().zip(outcomes) {
        let expected = if (0..60_000).contains(&argument) { [111, 110, 100][target(argument as usize)] } else { 0 };
        assert_eq!(outcome, Ok(expected), "{argument}");
    }
}

/// Returns a module with a `br_table` of so many targets, all different.
fn table(count: usize) -> String {
    let open: String = (0..=count).map(|_| "(block ").collect();
    let targets: String = (0..=count).map(|k| format!("{k} ")).collect();
    let case = |k: usize| format!(") (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 3)) (i32.const {k})))");
    function("", &format!("{open} (br_table {targets} (local.get 0)) {})", (0..count).map(case).collect::<String>()))
}
