// SPDX-License-Identifier: Apache-2.0
//! Functions that are divided into parts, each a C function.
//!
//! Many passes of a C compiler take time that grows with the square of a function, so a function of more than
//! [`STRAIGHT`] or [`LOOPING`] operators becomes several C functions of at most [`PART`] bytes of C each. Its blocks
//! are written as labels and jumps, so that it can be cut between any two operators. A part returns the number of the
//! label where the function continues: the part in the upper half, its label in the lower one. A loop in the function
//! itself calls the part that the number names. For a tail call, a part leaves the arguments in the record and returns the
//! number of the call. The function itself makes it, behind the end of the record, so that a C compiler can make it a jump.
//!
//! Variables that several parts use lie in a record on the stack. A part copies those that it uses to variables of its
//! own, and copies those that it writes back when it is left. Other variables belong to one part: between the first and
//! the last place that names a temporary, control stays between these places.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use wasmparser::Operator;

use super::calls::Tails;
use crate::error::AotError;

/// Operators from which a function is divided if all its loops fit into parts.
pub const STRAIGHT: usize = 12_000;
/// Operators from which a function is divided in any case.
pub const LOOPING: usize = 32_000;
/// Bytes of C of a part, at most. An operator that takes more is a part of its own.
pub const PART: usize = 16_000;
/// Begins a line that jumps to one of many labels: the variable with its number, 0 for none, and the labels.
pub const FAR: &str = "far";
/// Operators of a loop that is certain to fit into a part together with what is cut off before it.
const LOOP: usize = 150;

/// Number that a part returns when the function returns.
const DONE: u32 = u32::MAX;
/// The number that a part returns for the first tail call. Those of labels are smaller.
pub const TAIL: u32 = 0xfffe_0000;
/// Tail calls of a function and parts of it, at most: of the former, the last number is [`DONE`].
const MOST: [usize; 2] = [(DONE - TAIL) as usize, (TAIL >> 16) as usize];

/// Returns the bytes of C of a part at most if a function is divided into parts. `wanted` are the bytes if all functions
/// are divided.
pub fn needed(operators: &[(Operator<'_>, u32)], wanted: Option<usize>) -> Option<usize> {
    if operators.len() <= STRAIGHT && wanted.is_none() {
        return None;
    }
    let divided = operators.len() > LOOPING || longest_loop(operators) <= LOOP;
    wanted.or(divided.then_some(PART))
}

/// Returns the number of operators of the longest loop.
fn longest_loop(operators: &[(Operator<'_>, u32)]) -> usize {
    let (mut open, mut longest) = (Vec::new(), 0);
    for (position, (operator, _)) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::If { .. } => open.push(None),
            Operator::Loop { .. } => open.push(Some(position)),
            Operator::End => {
                if let Some(Some(start)) = open.pop() {
                    longest = longest.max(position - start);
                }
            }
            _ => {}
        }
    }
    longest
}

/// A variable of a function.
pub struct Declaration {
    /// C type.
    pub ty: &'static str,
    /// Its name: `l` for locals, `t` for temporaries, `r` for arrays, each with a number.
    pub name: String,
    /// Text behind the name: a first value, or the length of an array.
    pub rest: String,
}

impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}{};", self.ty, self.name, self.rest)
    }
}

/// A place where a function can be cut.
#[derive(Clone, Copy)]
pub struct Seam {
    /// The line that an operator begins with.
    pub line: usize,
    /// Number of loops around it.
    pub loops: usize,
}

/// A translated function before it is divided.
pub struct Whole<'f> {
    /// Index of the function in the module.
    pub index: u32,
    /// Its declaration.
    pub prototype: &'f str,
    /// C types of its parameters.
    pub params: Vec<&'static str>,
    /// C types of its results.
    pub results: Vec<&'static str>,
    /// Declarations that each part has.
    pub preamble: &'f str,
    /// Says of which line of C the calls of the parts are, or empty.
    pub glue: &'f str,
    /// The line that raises a trap, empty if there is none.
    pub trap: &'f str,
    pub declarations: &'f [Declaration],
    pub lines: &'f [String],
    /// Bytes of C of a part, at most.
    pub part: usize,
    pub seams: &'f [Seam],
    pub tails: &'f Tails,
}

/// A function in parts.
pub struct Parts {
    /// The record and the declarations of the parts, for each file that has one of them.
    pub declarations: String,
    /// The function that calls the parts.
    pub main: String,
    /// The parts.
    pub parts: Vec<String>,
}

/// Returns a word of C with its place in a line.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = line.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_word(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        (start < at).then(|| (start, &line[start..at]))
    })
}

/// Returns true for a name that consists of one of some letters and a number.
fn is_name(word: &str, letters: &[u8]) -> bool {
    let bytes = word.as_bytes();
    bytes.len() > 1 && letters.contains(&bytes[0]) && bytes[1..].iter().all(u8::is_ascii_digit)
}

/// Returns the lines where parts begin, and whether one begins in a loop.
fn cuts(whole: &Whole<'_>) -> (Vec<usize>, bool) {
    let mut before = vec![0];
    for line in whole.lines {
        before.push(before[before.len() - 1] + line.len() + 1);
    }
    let (mut cuts, mut looping) = (vec![0], false);
    loop {
        let start = before[cuts[cuts.len() - 1]];
        if before[whole.lines.len()] - start <= whole.part {
            return (cuts, looping);
        }
        let first = whole.seams.partition_point(|seam| before[seam.line] < start + whole.part / 2);
        let end = whole.seams.partition_point(|seam| before[seam.line] <= start + whole.part);
        // the last of those in the fewest loops; none if one operator takes more
        let best = (first..end).min_by_key(|&at| (whole.seams[at].loops, std::cmp::Reverse(at)));
        let Some(seam) = whole.seams.get(best.unwrap_or(first)) else { return (cuts, looping) };
        looping |= seam.loops > 0;
        cuts.push(seam.line);
    }
}

/// The variables and labels that lines name.
#[derive(Default)]
struct Names<'f> {
    variables: BTreeSet<&'f str>,
    written: BTreeSet<&'f str>,
    labels: Vec<&'f str>,
    targets: BTreeSet<&'f str>,
    /// Labels that a line [`FAR`] names.
    far: BTreeSet<&'f str>,
}

impl<'f> Names<'f> {
    fn new(lines: &'f [String]) -> Self {
        let mut names = Self::default();
        for line in lines {
            let (mut jump, far) = (false, line.starts_with(FAR));
            for (at, word) in words(line) {
                let after = &line[at + word.len()..];
                if is_name(word, b"ltr") {
                    names.variables.insert(word);
                    if after.starts_with(" = ") || line[..at].ends_with('&') {
                        names.written.insert(word);
                    }
                } else if is_name(word, b"LEF") {
                    if far {
                        names.far.insert(word);
                    } else if jump {
                        names.targets.insert(word);
                    } else if after.starts_with(":;") {
                        names.labels.push(word);
                    }
                }
                jump = word == "goto";
            }
        }
        names
    }
}

/// Writes a line with its jumps to labels of other parts.
fn write_line<'f>(out: &mut String, line: &'f str, numbers: &BTreeMap<&'f str, u32>, own: &BTreeSet<&'f str>) {
    if line.starts_with(FAR) {
        let mut names = line.split(' ').skip(1);
        let number = names.next().unwrap_or_default();
        let labels: Vec<String> =
            names.map(|label| numbers.get(label).map_or_else(|| label.to_string(), u32::to_string)).collect();
        let _ = write!(out, "if ({number}) {{ static const u32 far[] = {{ {} }}; ", labels.join(","));
        let _ = writeln!(out, "to = far[{number} - 1]; goto out; }}");
        return;
    }
    let mut written = 0;
    for (at, _) in words(line).filter(|&(_, word)| word == "goto") {
        let Some((label, _)) = line[at + 5..].split_once(';') else { continue };
        let Some(number) = numbers.get(label).filter(|_| !own.contains(label)) else { continue };
        let _ = write!(out, "{}to = {number:#x}u; goto out;", &line[written..at]);
        written = at + 5 + label.len() + 1;
    }
    out.push_str(&line[written..]);
    out.push('\n');
}

/// Divides a function.
///
/// # Errors
/// There are more parts or tail calls than numbers.
pub fn divide(whole: &Whole<'_>) -> Result<Parts, AotError> {
    let (cuts, looping) = cuts(whole);
    let counts = [("tail calls", whole.tails.calls.len()), ("parts for a C compiler", cuts.len())];
    for ((what, count), most) in counts.into_iter().zip(MOST) {
        if count > most {
            return Err(AotError::FunctionTooLarge(whole.index, what, count, most));
        }
    }
    let end = |part: usize| cuts.get(part + 1).copied().unwrap_or(whole.lines.len());
    let names: Vec<Names<'_>> = (0..cuts.len()).map(|part| Names::new(&whole.lines[cuts[part]..end(part)])).collect();

    // labels that other parts jump to: the number of the part, and one from 1 on among those of the part
    let mut numbers = BTreeMap::new();
    let mut entries = vec![Vec::new(); cuts.len()];
    let mut jumps: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let far: BTreeSet<&str> = names.iter().flat_map(|names| names.far.iter().copied()).collect();
    for (part, names) in names.iter().enumerate() {
        for &target in &names.targets {
            jumps.entry(target).or_default().insert(part);
        }
    }
    for (part, names) in names.iter().enumerate() {
        for &label in &names.labels {
            let from_others = jumps.get(label).is_some_and(|from| from.iter().any(|&from| from != part));
            if from_others || far.contains(label) {
                entries[part].push(label);
                numbers.insert(label, (part as u32) << 16 | entries[part].len() as u32);
            }
        }
    }

    // the variables in the record
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    for names in &names {
        names.variables.iter().for_each(|&variable| *users.entry(variable).or_default() += 1);
    }
    let params: Vec<String> = (0..whole.params.len()).map(|param| format!("l{param}")).collect();
    let is_param = |name: &str| params.iter().any(|param| param == name);
    let types: BTreeMap<&str, &Declaration> =
        whole.declarations.iter().map(|declaration| (declaration.name.as_str(), declaration)).collect();
    let handed: BTreeSet<&str> = whole.tails.variables.values().flatten().map(String::as_str).collect();
    let shared = |name: &str| {
        let parts = users.get(name).copied().unwrap_or(0);
        parts > 0 && (is_param(name) || parts > 1 || handed.contains(name) || (looping && name.starts_with('l')))
    };

    let record = format!("frame{}", whole.index);
    let mut fields: Vec<(&'static str, &str)> =
        whole.params.iter().copied().zip(params.iter().map(String::as_str)).collect();
    fields.extend(whole.declarations.iter().map(|declaration| (declaration.ty, declaration.name.as_str())));
    fields.retain(|(_, name)| shared(name));
    match whole.results[..] {
        [result] => fields.push((result, "result")),
        // a record has a field
        _ if fields.is_empty() => fields.push(("u32", "result")),
        _ => {}
    }
    // no gaps
    fields.sort_by_key(|(ty, _)| !matches!(*ty, "u64" | "f64"));
    let (results, r) = if whole.results.len() > 1 { (", u64 *r", ", r") } else { ("", "") };
    let part_name = |part: usize| format!("fn{}_{part}", whole.index);
    let part_type = |part: usize| {
        format!("HID __attribute__((noinline)) u32 {}(ctx *c, {record} *restrict f, u32 at{results})", part_name(part))
    };

    let mut declarations = String::from("typedef struct {\n");
    for (ty, name) in &fields {
        let _ = writeln!(declarations, "{ty} {name};");
    }
    let _ = writeln!(declarations, "}} {record};");
    for part in 0..cuts.len() {
        let _ = writeln!(declarations, "{};", part_type(part));
    }

    let mut main = format!("{}\n{{\nu32 to = 0;\n", whole.prototype);
    // variables behind the end of the record: the result, and the arguments of tail calls
    let outlive: Vec<&(&str, &str)> = fields.iter().filter(|(_, name)| handed.contains(name)).collect();
    let result = if let [ty] = whole.results[..] { Some((ty, "result")) } else { None };
    for (ty, name) in outlive.iter().copied().chain(&result) {
        let _ = writeln!(main, "{ty} {name};");
    }
    let _ = writeln!(main, "{{\n{record} f = {{ 0 }};");
    for name in params.iter().filter(|name| shared(name)) {
        let _ = writeln!(main, "f.{name} = {name};");
    }
    let _ = writeln!(main, "while (to < {TAIL:#x}u) {{\nswitch (to >> 16) {{");
    for part in 0..cuts.len() {
        let _ = writeln!(main, "{}case {part}: to = {}(c, &f, to & 0xffff{r}); break;", whole.glue, part_name(part));
    }
    main.push_str("}\n}\n");
    for (_, name) in outlive.iter().copied().chain(&result) {
        let _ = writeln!(main, "{name} = f.{name};");
    }
    main.push_str("}\n");
    if !whole.tails.calls.is_empty() {
        let _ = writeln!(main, "switch (to - {TAIL:#x}u) {{");
        for (call, number) in &whole.tails.calls {
            let _ = match result {
                Some(_) => writeln!(main, "{}case {number}: return {call};", whole.glue),
                None => writeln!(main, "{}case {number}: {call}; return;", whole.glue),
            };
        }
        main.push_str("}\n");
    }
    main.push_str(if result.is_some() { "return result;\n}\n" } else { "}\n" });

    let mut parts = Vec::new();
    for (part, names) in names.iter().enumerate() {
        let mut out = format!("{}\n{{\n{}", part_type(part), whole.preamble);
        let _ = writeln!(out, "u32 to = {:#x}u;", ((part as u32) + 1) << 16);
        for &name in &names.variables {
            let param = params.iter().position(|param| param == name).map(|param| whole.params[param]);
            let Some(ty) = param.or_else(|| types.get(name).map(|declaration| declaration.ty)) else { continue };
            let _ = match (shared(name), types.get(name)) {
                (false, Some(declaration)) => writeln!(out, "{declaration}"),
                _ => writeln!(out, "{ty} {name} = f->{name};"),
            };
        }
        if !entries[part].is_empty() {
            out.push_str("switch (at) {\n");
            for (number, label) in (1..).zip(&entries[part]) {
                let _ = writeln!(out, "case {number}: goto {label};");
            }
            out.push_str("}\n");
        }
        let own: BTreeSet<&str> = names.labels.iter().copied().collect();
        for line in &whole.lines[cuts[part]..end(part)] {
            write_line(&mut out, line, &numbers, &own);
        }
        out.push_str("out:;\n");
        for name in names.written.iter().filter(|name| shared(name)) {
            let _ = writeln!(out, "f->{name} = {name};");
        }
        let _ = writeln!(out, "return to;\ndone: return {DONE:#x}u;\n{}}}", whole.trap);
        parts.push(out);
    }
    Ok(Parts { declarations, main, parts })
}
