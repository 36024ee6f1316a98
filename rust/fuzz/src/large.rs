// SPDX-License-Identifier: Apache-2.0
//! Modules of 50 KB to 2 MB, valid by construction: calls, branches and tables over more than 64 KiB of code, deep
//! nesting, huge tables, large frames. All of them compile and pass the verifier, and what they compute is what
//! wasmi computes.

use arbitrary::Unstructured;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction as I, MemArg, MemArgTarget, MemorySection,
    MemoryType, Module, TableSection, TableType, TypeSection, ValType,
};
use wisp_compiler::{compile, Options};

use crate::driver::Random;
use crate::{differential, host, Outcome};

/// Functions that are exported and called.
const EXPORTS: u32 = 6;
/// Calls that one of those makes, directly or not.
const CALLS: i32 = 40;
/// Bytes of memory that accesses reach without an offset.
const MASK: i32 = 0xfff8;
/// Imported functions.
const IMPORTED: u32 = 1;
/// Elements of the table.
const TABLE: u32 = 64;
/// Entries of a `br_table`, at most: the limit of validators.
const ENTRIES_MAX: u64 = 65_520;

/// The sizes and contents of a module.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of code, about.
    pub bytes: usize,
    /// Statements of a function, about.
    pub statements: u32,
    /// Of a hundred blocks, those with a `br_table`.
    pub tables: u32,
    /// Entries of a table, at most.
    pub entries: u64,
    /// Locals of a function, at most.
    pub locals: u32,
    /// Blocks in one another, at most.
    pub nesting: u32,
}

impl Shape {
    fn choose(u: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            bytes: 50_000 << u.int_in_range(0..=5)?,
            statements: *u.choose(&[8, 40, 300, 3000, 20_000])?,
            tables: *u.choose(&[0, 5, 40])?,
            entries: *u.choose(&[8, 300, 9000, ENTRIES_MAX])?,
            locals: *u.choose(&[6, 40, 1000, 6000])?,
            nesting: *u.choose(&[3, 50, 3000])?,
        })
    }
}

/// The types of functions: parameters, results.
const TYPES: [(&[ValType], &[ValType]); 5] = [
    (&[ValType::I32], &[ValType::I32]),
    (&[ValType::I32, ValType::I64], &[ValType::I64]),
    (&[ValType::F64, ValType::I32], &[ValType::F64]),
    (&[ValType::I32, ValType::I64, ValType::I32, ValType::I32], &[ValType::I32, ValType::I64]),
    (&[], &[]),
];
/// The type of exported functions.
const EXPORTED: u32 = TYPES.len() as u32;
/// The type of the imported function.
const HOST: u32 = EXPORTED + 1;

struct Body<'r> {
    random: &'r mut Random,
    shape: Shape,
    /// Type of each function of the module.
    types: &'r [usize],
    code: Function,
    /// Locals by type: first, number.
    i32s: (u32, u32),
    i64s: (u32, u32),
    f64s: (u32, u32),
    /// Blocks around this place.
    depth: u32,
    /// Statements left.
    left: u32,
}

impl Body<'_> {
    fn draw(&mut self, below: u64) -> u64 {
        self.random.draw() % below.max(1)
    }

    fn emit(&mut self, instruction: I<'_>) {
        self.code.instruction(&instruction);
    }

    fn local(&mut self, (first, count): (u32, u32)) -> u32 {
        first + self.draw(u64::from(count)) as u32
    }

    fn number(&mut self) -> i32 {
        let bits = self.random.draw() as i32;
        match self.draw(4) {
            0 => bits,
            1 => bits % 40_000,
            _ => bits % 100,
        }
    }

    /// Pushes an i32.
    fn i32(&mut self) {
        match self.draw(12) {
            0..=1 => {
                let number = self.number();
                self.emit(I::I32Const(number));
            }
            2 => self.emit(I::GlobalGet(2)),
            3 => {
                let local = self.local(self.i64s);
                self.emit(I::LocalGet(local));
                self.emit(I::I32WrapI64);
            }
            _ => {
                let local = self.local(self.i32s);
                self.emit(I::LocalGet(local));
            }
        }
    }

    /// Pushes an i64.
    fn i64(&mut self) {
        match self.draw(8) {
            0 => {
                let number = self.random.draw() as i64;
                self.emit(I::I64Const(number));
            }
            1 => self.emit(I::GlobalGet(1)),
            2 => {
                self.i32();
                self.emit(I::I64ExtendI32S);
            }
            _ => {
                let local = self.local(self.i64s);
                self.emit(I::LocalGet(local));
            }
        }
    }

    /// Pushes an f64 that is no NaN where its sources are none.
    fn f64(&mut self) {
        if self.draw(4) == 0 {
            self.i32();
            self.emit(I::F64ConvertI32S);
        } else {
            let local = self.local(self.f64s);
            self.emit(I::LocalGet(local));
        }
    }

    fn push(&mut self, ty: ValType) {
        match ty {
            ValType::I32 => self.i32(),
            ValType::I64 => self.i64(),
            _ => self.f64(),
        }
    }

    fn set(&mut self, ty: ValType) {
        let locals = match ty {
            ValType::I32 => self.i32s,
            ValType::I64 => self.i64s,
            _ => self.f64s,
        };
        let local = self.local(locals);
        self.emit(I::LocalSet(local));
    }

    fn address(&mut self) -> MemArg {
        self.i32();
        self.emit(I::I32Const(MASK));
        self.emit(I::I32And);
        let offset = if self.draw(16) == 0 { 70_000 } else { self.draw(100) };
        MemArg { offset, align: 0, target: MemArgTarget::Memory(0), ordering: None }
    }

    fn call(&mut self) {
        let count = self.types.len() as u64;
        let function = self.draw(count) as usize;
        let ty = self.types[function];
        for &ty in TYPES[ty].0 {
            self.push(ty);
        }
        if self.draw(6) == 0 {
            self.i32();
            self.emit(I::I32Const(TABLE as i32 - 1));
            self.emit(I::I32And);
            // the table holds functions of all types in turn
            self.emit(I::I32Const(TYPES.len() as i32));
            self.emit(I::I32DivU);
            self.emit(I::I32Const(TYPES.len() as i32));
            self.emit(I::I32Mul);
            self.emit(I::I32Const(ty as i32));
            self.emit(I::I32Add);
            self.emit(I::CallIndirect { type_index: ty as u32, table_index: 0 });
        } else {
            self.emit(I::Call(IMPORTED + function as u32));
        }
        for &ty in TYPES[ty].1.iter().rev() {
            self.set(ty);
        }
    }

    fn statement(&mut self) {
        match self.draw(24) {
            0..=8 => {
                self.i32();
                self.i32();
                let operators =
                    [I::I32Add, I::I32Sub, I::I32Mul, I::I32Xor, I::I32And, I::I32Or, I::I32Shl, I::I32Rotl, I::I32LtS];
                let at = self.draw(operators.len() as u64) as usize;
                self.emit(operators[at].clone());
                self.set(ValType::I32);
            }
            9..=11 => {
                self.i64();
                self.i64();
                let operators = [I::I64Add, I::I64Sub, I::I64Mul, I::I64Xor, I::I64ShrU];
                let at = self.draw(operators.len() as u64) as usize;
                self.emit(operators[at].clone());
                self.set(ValType::I64);
            }
            12 => {
                self.f64();
                self.f64();
                self.emit(I::F64Add);
                // infinities would make NaNs, whose bits may differ
                self.emit(I::I32TruncSatF64S);
                self.emit(I::F64ConvertI32S);
                self.set(ValType::F64);
            }
            13..=14 => {
                let to = self.address();
                self.i32();
                let instruction = if self.draw(2) == 0 { I::I32Store(to) } else { I::I32Store8(to) };
                self.emit(instruction);
            }
            15 => {
                let to = self.address();
                self.i64();
                self.emit(I::I64Store(to));
            }
            16..=17 => {
                let from = self.address();
                let instruction = if self.draw(2) == 0 { I::I32Load(from) } else { I::I32Load8U(from) };
                self.emit(instruction);
                self.set(ValType::I32);
            }
            18 => {
                self.i32();
                self.i32();
                self.i32();
                self.emit(I::Select);
                self.set(ValType::I32);
            }
            19 => {
                self.i32();
                self.i32();
                self.emit(I::Call(0));
                self.emit(I::GlobalSet(2));
            }
            20 => {
                self.i64();
                self.emit(I::GlobalSet(1));
            }
            21 => {
                // a deep operand stack
                let values = self.draw(100) as u32 + 1;
                (0..values).for_each(|_| self.i32());
                (1..values).for_each(|_| self.emit(I::I32Xor));
                self.set(ValType::I32);
            }
            _ => self.call(),
        }
    }

    fn some(&mut self, count: u64) {
        let count = (self.draw(count) as u32 + 1).min(self.left);
        self.left -= count;
        (0..count).for_each(|_| self.statement());
    }

    fn open(&mut self, instruction: I<'_>) {
        self.emit(instruction);
        self.depth += 1;
    }

    fn end(&mut self) {
        self.emit(I::End);
        self.depth -= 1;
    }

    /// Pushes the condition of a branch.
    fn condition(&mut self) {
        self.i32();
        self.i32();
        let instruction = if self.draw(2) == 0 { I::I32LtU } else { I::I32Ne };
        self.emit(instruction);
    }

    fn block(&mut self, size: u64) {
        let empty = BlockType::Empty;
        if self.draw(100) < u64::from(self.shape.tables) {
            return self.table(size);
        }
        match self.draw(4) {
            0 => {
                self.open(I::Block(empty));
                self.condition();
                self.emit(I::BrIf(0));
                self.some(size);
                self.end();
            }
            1 => {
                // three rounds
                self.emit(I::I32Const(3));
                let counter = self.i32s.0 + self.i32s.1;
                self.emit(I::LocalSet(counter));
                self.open(I::Loop(empty));
                self.some(size);
                self.emit(I::LocalGet(counter));
                self.emit(I::I32Const(1));
                self.emit(I::I32Sub);
                self.emit(I::LocalTee(counter));
                self.emit(I::BrIf(0));
                self.end();
            }
            2 => {
                self.condition();
                self.open(I::If(empty));
                self.some(size);
                self.emit(I::Else);
                self.some(size);
                self.end();
            }
            _ => {
                let nesting = self.draw(u64::from(self.shape.nesting)) as u32 + 1;
                (0..nesting).for_each(|_| self.open(I::Block(empty)));
                self.condition();
                let out = self.draw(u64::from(nesting)) as u32;
                self.emit(I::BrIf(out));
                self.some(size);
                (0..nesting).for_each(|_| self.end());
            }
        }
    }

    /// Writes blocks, a table that leaves one of them, and code behind each.
    fn table(&mut self, size: u64) {
        let blocks = self.draw(30) as u32 + 1;
        (0..blocks).for_each(|_| self.open(I::Block(BlockType::Empty)));
        let entries = self.draw(self.shape.entries) + 1;
        let targets: Vec<u32> = (0..entries).map(|_| self.draw(u64::from(blocks)) as u32).collect();
        self.i32();
        if self.draw(2) == 0 {
            self.emit(I::I32Const((entries.next_power_of_two() - 1) as i32));
            self.emit(I::I32And);
        }
        let default = self.draw(u64::from(blocks)) as u32;
        self.emit(I::BrTable(targets.into(), default));
        for _ in 0..blocks {
            self.end();
            self.some(size / u64::from(blocks) + 1);
        }
    }

    /// Writes the result of a function that has had its share of calls.
    fn results(&mut self, ty: usize) {
        TYPES[ty].1.iter().for_each(|&ty| self.push(ty));
    }
}

/// Returns a function of this type.
fn function(random: &mut Random, shape: Shape, types: &[usize], ty: usize) -> Function {
    let params = TYPES[ty].0;
    let mut count = || 1 + (random.draw() % u64::from(shape.locals)) as u32 / 2;
    let (i32s, i64s, f64s) = (count(), count(), count() / 8 + 1);
    let first = params.len() as u32;
    let code = Function::new([(i32s + 1, ValType::I32), (i64s, ValType::I64), (f64s, ValType::F64)]);
    let left = 1 + random.draw() % u64::from(shape.statements);
    let mut body = Body {
        random,
        shape,
        types,
        code,
        i32s: (first, i32s),
        i64s: (first + i32s + 1, i64s),
        f64s: (first + i32s + 1 + i64s, f64s),
        depth: 0,
        left: left as u32,
    };
    // every call takes from the same account
    body.emit(I::GlobalGet(0));
    body.emit(I::I32Eqz);
    body.open(I::If(BlockType::Empty));
    body.results(ty);
    body.emit(I::Return);
    body.end();
    body.emit(I::GlobalGet(0));
    body.emit(I::I32Const(1));
    body.emit(I::I32Sub);
    body.emit(I::GlobalSet(0));
    for (index, &ty) in params.iter().enumerate() {
        body.emit(I::LocalGet(index as u32));
        body.set(ty);
    }
    while body.left > 0 {
        let size = u64::from(body.left);
        if body.draw(3) == 0 {
            body.block(size);
        } else {
            body.some(size / 2 + 1);
        }
    }
    body.results(ty);
    // a tail call in place of the result
    let same: Vec<u32> = (0..types.len() as u32).filter(|&other| types[other as usize] == ty).take(50).collect();
    if body.draw(4) == 0 && !same.is_empty() {
        TYPES[ty].1.iter().for_each(|_| body.emit(I::Drop));
        params.iter().for_each(|&ty| body.push(ty));
        let callee = same[body.draw(same.len() as u64) as usize];
        body.emit(I::ReturnCall(IMPORTED + callee));
    }
    body.emit(I::End);
    body.code
}

/// Returns a module of this shape.
pub fn module(shape: Shape, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut types = TypeSection::new();
    for (params, results) in TYPES {
        types.ty().function(params.iter().copied(), results.iter().copied());
    }
    types.ty().function([ValType::I32, ValType::I64], [ValType::I32, ValType::I64]);
    types.ty().function([ValType::I32; 2], [ValType::I32]);
    // how many functions make the size is known when they are made: their types are drawn before
    let kinds: Vec<usize> = (0..20_000).map(|_| (random.draw() % TYPES.len() as u64) as usize).collect();
    let mut count = (shape.bytes / (40 + 12 * shape.statements as usize)).clamp(2 * TYPES.len(), kinds.len());
    // one of each type at the beginning, for the table
    let kind = |index: usize| if index < TYPES.len() { index } else { kinds[index] };
    let known: Vec<usize> = (0..count).map(kind).collect();
    let mut bodies = Vec::new();
    let mut bytes = 0;
    while bytes < shape.bytes && bodies.len() < kinds.len() || bodies.len() < count {
        let body = function(&mut random, shape, &known, kind(bodies.len()));
        bytes += body.byte_len();
        bodies.push(body);
    }
    count = bodies.len();

    let mut imports = ImportSection::new();
    imports.import(host::MODULE, "ii", EntityType::Function(HOST));
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for (index, body) in bodies.iter().enumerate() {
        functions.function(kind(index) as u32);
        code.function(body);
    }
    let mut exports = ExportSection::new();
    for number in 0..EXPORTS {
        let callee = (random.draw() % count as u64) as usize;
        let mut body = Function::new([]);
        body.instruction(&I::I32Const(CALLS)).instruction(&I::GlobalSet(0));
        for ty in TYPES[kind(callee)].0 {
            match ty {
                ValType::I32 => body.instruction(&I::LocalGet(0)),
                ValType::I64 => body.instruction(&I::LocalGet(1)),
                _ => body.instruction(&I::LocalGet(0)).instruction(&I::F64ConvertI32S),
            };
        }
        body.instruction(&I::Call(IMPORTED + callee as u32));
        for ty in TYPES[kind(callee)].1.iter().rev() {
            match ty {
                ValType::I32 => body.instruction(&I::GlobalSet(2)),
                ValType::I64 => body.instruction(&I::GlobalSet(1)),
                _ => body.instruction(&I::I64TruncSatF64S).instruction(&I::GlobalSet(1)),
            };
        }
        body.instruction(&I::GlobalGet(2)).instruction(&I::GlobalGet(1)).instruction(&I::End);
        functions.function(EXPORTED);
        code.function(&body);
        exports.export(&format!("e{number}"), ExportKind::Func, IMPORTED + count as u32 + number);
    }
    exports.export("memory", ExportKind::Memory, 0);
    let mut tables = TableSection::new();
    let size = u64::from(TABLE) + TYPES.len() as u64;
    tables.table(TableType {
        element_type: wasm_encoder::RefType::FUNCREF,
        minimum: size,
        maximum: Some(size),
        table64: false,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 3, maximum: Some(3), memory64: false, shared: false, page_size_log2: None });
    let mut globals = GlobalSection::new();
    for ty in [ValType::I32, ValType::I64, ValType::I32] {
        let zero = if ty == ValType::I64 { ConstExpr::i64_const(0) } else { ConstExpr::i32_const(0) };
        globals.global(GlobalType { val_type: ty, mutable: true, shared: false }, &zero);
    }
    let mut elements = ElementSection::new();
    let by_type: Vec<Vec<u32>> = (0..TYPES.len())
        .map(|ty| (0..count as u32).filter(|&index| kind(index as usize) == ty).map(|index| IMPORTED + index).collect())
        .collect();
    let items: Vec<u32> = (0..size as usize)
        .map(|index| {
            let same = &by_type[index % TYPES.len()];
            same[(random.draw() % same.len() as u64) as usize]
        })
        .collect();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(items.into()));
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories);
    module.section(&globals).section(&exports).section(&elements).section(&code);
    module.finish()
}

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let Ok(shape) = Shape::choose(&mut u) else { return Outcome::Rejected };
    let Ok(seed) = u.arbitrary() else { return Outcome::Rejected };
    check(shape, seed)
}

/// Compiles, verifies and runs the module of a shape and a seed.
pub fn check(shape: Shape, seed: u64) -> Outcome {
    let wasm = module(shape, seed);
    let mut values = Random::new(seed);
    let bytes: Vec<u8> = (0..64).flat_map(|_| values.draw().to_le_bytes()).collect();
    let compiled = compile(&wasm, &Options { trim: false, ..Options::default() });
    let compiled = compiled.unwrap_or_else(|error| panic!("a valid module was refused: {error}"));
    differential::compare_module(&mut Unstructured::new(&bytes), &wasm, &compiled, None).unwrap_or(Outcome::Rejected)
}
