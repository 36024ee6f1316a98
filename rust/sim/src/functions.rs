// SPDX-License-Identifier: Apache-2.0
//! Functions of a firmware's own, stubbed: a board file gives their types and what they return. Calls are traced.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::{Spanned, Value};
use wisp_engine::{Caller, FuncType, Linker, Trap, TrapCode, Val, ValType};
use wisp_host::App;

/// Functions by module and name.
pub(crate) type Modules<T> = BTreeMap<String, BTreeMap<String, T>>;

/// A function as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Its type in the letters of `WISP_HOST_FUNCTION_DEFINE()`.
    signature: Spanned<String>,
    /// Results of its calls, as [`answers`] reads them.
    returns: Option<Spanned<Value>>,
}

/// Results of a function for one app, in place of those for all.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answers {
    returns: Spanned<Value>,
}

/// A parameter, or an address and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Value,
    Bytes,
}

#[derive(Debug, Clone)]
struct Signature {
    parameters: Vec<Parameter>,
    params: Vec<ValType>,
    results: Vec<ValType>,
}

impl Signature {
    /// Reads the letters. Returns `None` if they are no signature.
    fn read(text: &str) -> Option<Self> {
        let (params, results) = text.strip_prefix('(')?.split_once(')')?;
        let mut signature = Signature { parameters: Vec::new(), params: Vec::new(), results: Vec::new() };
        let mut letters = params.bytes();
        while let Some(first) = letters.next() {
            if first == b'*' {
                (letters.next()? == b'~').then_some(())?;
                signature.params.extend([ValType::I32, ValType::I32]);
                signature.parameters.push(Parameter::Bytes);
            } else {
                signature.params.push(ValType::from_letter(first)?);
                signature.parameters.push(Parameter::Value);
            }
        }
        signature.results = results.bytes().map(ValType::from_letter).collect::<Option<_>>()?;
        Some(signature)
    }
}

/// Returns a value of a type out of a board file, if it fits.
fn value(found: &Value, ty: ValType) -> Option<Val> {
    Some(match (found, ty) {
        (Value::Integer(x), ValType::I32) => {
            Val::I32(i32::try_from(*x).or_else(|_| u32::try_from(*x).map(|x| x as i32)).ok()?)
        }
        (Value::Integer(x), ValType::I64) => Val::I64(*x),
        (Value::Integer(x), ValType::F32) => Val::from(*x as f32),
        (Value::Integer(x), ValType::F64) => Val::from(*x as f64),
        (Value::Float(x), ValType::F32) if x.is_finite() && !(*x as f32).is_finite() => return None,
        (Value::Float(x), ValType::F32) => Val::from(*x as f32),
        (Value::Float(x), ValType::F64) => Val::from(*x),
        _ => return None,
    })
}

/// Returns the results of one call out of a board file: a value, or a list if there are several.
fn results(found: &Value, types: &[ValType]) -> Option<Vec<Val>> {
    match (types, found) {
        ([ty], _) => value(found, *ty).map(|value| vec![value]),
        (_, Value::Array(list)) if list.len() == types.len() => {
            list.iter().zip(types).map(|(found, ty)| value(found, *ty)).collect()
        }
        _ => None,
    }
}

/// Returns the results of each call out of a board file. A single entry need not stand in a list.
fn answers(found: &Value, types: &[ValType]) -> Option<Vec<Vec<Val>>> {
    if let Some(only) = results(found, types) {
        return Some(vec![only]);
    }
    let list = found.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(|found| results(found, types)).collect()
}

/// Says what the results of a call look like in a board file.
fn expected(types: &[ValType]) -> String {
    let names: Vec<_> = types.iter().map(|ty| ty.name()).collect();
    match names.as_slice() {
        [one] => format!("{} {one}, or a list of one for each call", if one.starts_with('i') { "an" } else { "a" }),
        _ => format!("[{}], or a list of such lists", names.join(", ")),
    }
}

struct Place<'t> {
    text: &'t str,
    key: String,
}

impl Place<'_> {
    fn error(&self, span: Option<Range<usize>>, message: &str) -> Error {
        Error::at(self.text, span, format!("{}: {message}", self.key))
    }

    fn signature(&self, config: &Config) -> Result<Signature, Error> {
        let found = &config.signature;
        let wrong = || {
            self.error(
                Some(found.span()),
                &format!(
                    "signature = \"{}\", expected the letters of the parameters in brackets and those of the results, such \
                     as \"(*~i)i\"; i, I, f and F are i32, i64, f32 and f64, and *~ is an address and a length",
                    found.get_ref().escape_debug()
                ),
            )
        };
        Signature::read(found.get_ref()).ok_or_else(wrong)
    }

    fn answers(&self, returns: Option<&Spanned<Value>>, types: &[ValType]) -> Result<Vec<Vec<Val>>, Error> {
        match (returns, types) {
            (None, []) => Ok(Vec::new()),
            (None, _) => Err(self.error(None, &format!("returns is missing, expected {}", expected(types)))),
            (Some(found), []) => {
                Err(self.error(Some(found.span()), "by its signature it returns nothing; leave returns out"))
            }
            (Some(found), _) => answers(found.get_ref(), types).ok_or_else(|| {
                let shown = self.text.get(found.span()).unwrap_or_default();
                self.error(Some(found.span()), &format!("returns = {shown}, expected {}", expected(types)))
            }),
        }
    }
}

/// Returns true if the trace calls an interface of Wisp so: `log` or `gpio`, without `wisp:` and version.
fn is_traced(module: &str) -> bool {
    wisp_abi::INTERFACES.iter().any(|interface| {
        let short = interface.module.strip_prefix("wisp:").and_then(|name| name.split('@').next());
        short == Some(module)
    })
}

/// Checks what the types of the descriptions leave open.
pub(crate) fn check(
    text: &str,
    functions: &Modules<Config>,
    apps: &mut dyn Iterator<Item = (&String, &Modules<Answers>)>,
) -> Result<(), Error> {
    for (module, names) in functions {
        for (name, config) in names {
            let place = Place { text, key: format!("functions.\"{module}\".{name}") };
            if wisp_abi::INTERFACES.iter().any(|interface| interface.module == module) {
                let message = "an interface of Wisp, which the board simulates; describe what it grants under [apps]";
                return Err(place.error(Some(config.signature.span()), message));
            }
            if is_traced(module) {
                let message = "the trace has a source of this name; a firmware's module has a name of its own, as in \
                               \"acme:lamp@1\"";
                return Err(place.error(Some(config.signature.span()), message));
            }
            place.answers(config.returns.as_ref(), &place.signature(config)?.results)?;
        }
    }
    for (app, modules) in apps {
        for (module, name, answers) in each(modules) {
            let place = Place { text, key: format!("apps.{app}.functions.\"{module}\".{name}") };
            let Some(config) = functions.get(module).and_then(|names| names.get(name)) else {
                let message = format!("no such function, expected one of [functions.\"{module}\"] with its signature");
                return Err(place.error(Some(answers.returns.span()), &message));
            };
            place.answers(Some(&answers.returns), &place.signature(config)?.results)?;
        }
    }
    Ok(())
}

fn each<T>(modules: &Modules<T>) -> impl Iterator<Item = (&str, &str, &T)> {
    modules
        .iter()
        .flat_map(|(module, names)| names.iter().map(move |(name, item)| (module.as_str(), name.as_str(), item)))
}

/// Returns the signals that a waveform viewer shows: module, name and signal.
pub(crate) fn signals(functions: &Modules<Config>) -> impl Iterator<Item = (&str, &str, Signal)> {
    each(functions).map(|(module, name, _)| (module, name, Signal::text()))
}

/// A function of the firmware, as an app calls it.
#[derive(Debug)]
pub(crate) struct Function {
    module: String,
    name: String,
    signature: Signature,
    /// The results of each call. The last ones stay.
    answers: Vec<Vec<Val>>,
    calls: usize,
}

impl Function {
    /// Returns the functions that a checked board file describes, with the answers for one app.
    pub(crate) fn all(functions: &Modules<Config>, own: &Modules<Answers>) -> Vec<Function> {
        let function = |(module, name, config): (&str, &str, &Config)| {
            let signature = Signature::read(config.signature.get_ref())?;
            let own = own.get(module).and_then(|names| names.get(name)).map(|answers| &answers.returns);
            let answers = match own.or(config.returns.as_ref()) {
                Some(returns) => answers(returns.get_ref(), &signature.results)?,
                None => Vec::new(),
            };
            Some(Function { module: module.into(), name: name.into(), signature, answers, calls: 0 })
        };
        each(functions).filter_map(function).collect()
    }

    fn answer(&mut self) -> &[Val] {
        let last = self.answers.len().saturating_sub(1);
        let answer = self.answers.get(self.calls.min(last));
        self.calls = self.calls.saturating_add(1);
        answer.map_or(&[], Vec::as_slice)
    }

    /// Shows the arguments of a call.
    ///
    /// # Errors
    /// An address and a length that are no range of the guest's memory.
    fn shown(&self, memory: &[u8], arguments: &[Val]) -> Result<String, Trap> {
        let mut values = arguments.iter().copied();
        let mut texts = Vec::new();
        for parameter in &self.signature.parameters {
            let first = values.next().unwrap_or(Val::I32(0));
            texts.push(match parameter {
                Parameter::Value => number(first),
                Parameter::Bytes => {
                    let length = values.next().unwrap_or(Val::I32(0)).bits() as usize;
                    let bytes = memory.get(first.bits() as usize..).and_then(|bytes| bytes.get(..length));
                    quoted(bytes.ok_or(Trap::new(TrapCode::MemoryOutOfBounds))?)
                }
            });
        }
        Ok(format!("({})", texts.join(", ")))
    }
}

/// Bytes of a range that are shown.
const BYTES_SHOWN: usize = 64;

fn quoted(bytes: &[u8]) -> String {
    let shown = bytes.get(..BYTES_SHOWN).unwrap_or(bytes);
    let left_out =
        if shown.len() < bytes.len() { format!(" and {} more", bytes.len() - shown.len()) } else { String::new() };
    match std::str::from_utf8(shown) {
        Ok(text) => format!("{text:?}{left_out}"),
        Err(_) => format!("\"{}\"{left_out}", shown.escape_ascii()),
    }
}

fn number(value: Val) -> String {
    match value {
        Val::I32(x) => x.to_string(),
        Val::I64(x) => x.to_string(),
        Val::F32(x) => f32::from_bits(x).to_string(),
        Val::F64(x) => f64::from_bits(x).to_string(),
        Val::FuncRef(_) | Val::ExternRef(_) => "reference".into(),
    }
}

impl SimPlatform {
    /// Returns module, name and type of each function of the firmware that the board describes.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &str, FuncType<'_>)> {
        self.functions.iter().map(|Function { module, name, signature, .. }| {
            (&**module, &**name, FuncType::new(&signature.params, &signature.results))
        })
    }

    /// Defines these functions for the app that this is the part of.
    pub fn define_functions(&self, linker: &mut Linker<'_, App<Self>>) {
        for (index, (module, name, ty)) in self.functions().enumerate() {
            let call = move |mut caller: Caller<'_, App<Self>>, arguments: &[Val], results: &mut [Val]| {
                let (memory, app) = caller.memory_and_data_mut();
                app.platform_mut().call_function(index, memory, arguments, results)
            };
            linker.func_new(module, name, ty, call);
        }
    }

    fn call_function(
        &mut self,
        index: usize,
        memory: &[u8],
        arguments: &[Val],
        results: &mut [Val],
    ) -> Result<(), Trap> {
        self.tick();
        let Some(function) = self.functions.get_mut(index) else { return Ok(()) };
        let mut shown = function.shown(memory, arguments)?;
        for (result, answer) in results.iter_mut().zip(function.answer()) {
            *result = *answer;
        }
        if !results.is_empty() {
            let values: Vec<_> = results.iter().copied().map(number).collect();
            shown += &format!(" -> {}", values.join(", "));
        }
        let (module, name) = (function.module.clone(), function.name.clone());
        self.trace(&module, &name, &shown, "");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};

    const BOARD: &str = "[functions.\"acme:lamp@1\"]\n\
        set = { signature = \"(*~i)i\", returns = [0, 0xffffffff, -34] }\n\
        fade = { signature = \"(iIfF)\" }\n\
        both = { signature = \"()Fi\", returns = [1, 2] }\n\
        turns = { signature = \"()iI\", returns = [[1, 2], [3, 4]] }\n\
        [apps.visitor.functions.\"acme:lamp@1\"]\nset = { returns = -13 }\n";

    /// Returns the results of calls of a function, and the lines of the trace.
    fn called(app: &str, name: &str, arguments: &[&[Val]]) -> (Vec<Result<Vec<Val>, TrapCode>>, Vec<String>) {
        let capture = Capture::new();
        let mut board = Board::from_toml(BOARD).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        let mut app = board.platform(app);
        let index = app.functions.iter().position(|function| function.name == name).unwrap();
        let types = app.functions[index].signature.results.clone();
        let mut call = |arguments: &&[Val]| {
            let mut results: Vec<Val> = types.iter().map(|&ty| Val::zero(ty)).collect();
            let called = app.call_function(index, b"hall\n\xff", arguments, &mut results);
            called.map(|()| results).map_err(|trap| trap.code)
        };
        let results = arguments.iter().map(&mut call).collect();
        (results, capture.text().lines().skip(1).map(String::from).collect())
    }

    fn set(at: i32, length: i32, percent: i32) -> [Val; 3] {
        [Val::I32(at), Val::I32(length), Val::I32(percent)]
    }

    #[test]
    fn answers_follow_each_other_and_the_last_one_stays() {
        let arguments = set(0, 4, 20);
        let (results, trace) = called("evening", "set", &[&arguments[..]; 4]);
        assert_eq!(results, [0, -1, -34, -34].map(|result| Ok(vec![Val::I32(result)])));
        assert_eq!(trace[0], r#"1,evening,acme:lamp@1,set,"(""hall"", 20) -> 0""#);
        assert_eq!(trace[3], r#"4,evening,acme:lamp@1,set,"(""hall"", 20) -> -34""#);
        assert_eq!(called("visitor", "set", &[&arguments]).0, [Ok(vec![Val::I32(-13)])]);
    }

    #[test]
    fn every_type_is_shown_and_returned() {
        let arguments = [Val::I32(-1), Val::I64(1 << 40), Val::from(0.5f32), Val::from(-2.25)];
        let (results, trace) = called("a", "fade", &[&arguments]);
        assert_eq!(results, [Ok(vec![])]);
        assert_eq!(trace, [r#"1,a,acme:lamp@1,fade,"(-1, 1099511627776, 0.5, -2.25)""#]);
        assert_eq!(called("a", "both", &[&[][..]; 2]).0, [(); 2].map(|()| Ok(vec![Val::from(1.0), Val::I32(2)])));
        let turns = [(1, 2), (3, 4)].map(|(one, two)| Ok(vec![Val::I32(one), Val::I64(two)]));
        let (results, trace) = called("a", "turns", &[&[][..]; 2]);
        assert_eq!((results, trace[1].as_str()), (turns.to_vec(), r#"2,a,acme:lamp@1,turns,"() -> 3, 4""#));
    }

    #[test]
    fn a_range_is_shown_escaped_and_one_outside_of_memory_traps() {
        let (inside, outside, around) = (set(4, 2, 0), set(4, 3, 0), set(-1, 2, 0));
        let (results, trace) = called("a", "set", &[&inside, &outside, &around, &inside]);
        let traps = Err(TrapCode::MemoryOutOfBounds);
        assert_eq!(results, [Ok(vec![Val::I32(0)]), traps.clone(), traps, Ok(vec![Val::I32(-1)])]);
        assert_eq!(trace[0], r#"1,a,acme:lamp@1,set,"(""\n\xff"", 0) -> 0""#);
        assert_eq!(quoted(&[b'a'; 66]), format!("\"{}\" and 2 more", "a".repeat(64)));
    }

    #[test]
    fn what_a_board_file_gets_wrong_is_told_with_what_is_expected() {
        let function = |text: &str| format!("[functions.\"a:b\"]\nf = {{ {text} }}\n");
        for (board, line, expected) in [
            (
                function("signature = \"(*i)i\", returns = 0"),
                2,
                "functions.\"a:b\".f: signature = \"(*i)i\", expected the letters",
            ),
            (function("signature = \"ii\""), 2, "such as \"(*~i)i\""),
            (function("signature = \"(i)*~\""), 2, "*~ is an address and a length"),
            (function("signature = 1"), 2, "invalid type: integer `1`, expected a string"),
            (function("returns = 1"), 2, "missing field `signature`"),
            (
                function("signature = \"()\", result = 1"),
                2,
                "unknown field `result`, expected `signature` or `returns`",
            ),
            (function("signature = \"()i\""), 0, "functions.\"a:b\".f: returns is missing, expected an i32, or a list"),
            (function("signature = \"()\", returns = 0"), 2, "by its signature it returns nothing; leave returns out"),
            (
                function("signature = \"()i\", returns = 4294967296"),
                2,
                "returns = 4294967296, expected an i32, or a list",
            ),
            (function("signature = \"()i\", returns = 0.5"), 2, "returns = 0.5, expected an i32"),
            (function("signature = \"()f\", returns = [\"a\"]"), 2, "returns = [\"a\"], expected a f32"),
            (function("signature = \"()i\", returns = []"), 2, "returns = [], expected an i32"),
            (
                function("signature = \"()iI\", returns = [[1], [2, 3]]"),
                2,
                "expected [i32, i64], or a list of such lists",
            ),
            ("[functions.\"wisp:gpio@1\"]\nopen = { signature = \"()\" }\n".into(), 2, "an interface of Wisp"),
            (function("signature = \"()f\", returns = 1e39"), 2, ", expected a f32"),
            ("[functions.log]\nerr = { signature = \"()\" }\n".into(), 2, "the trace has a source of this name"),
            (
                "[apps.c.functions.\"a:b\"]\nf = { returns = 1 }\n".into(),
                2,
                "apps.c.functions.\"a:b\".f: no such function",
            ),
            (
                function("signature = \"()\"") + "[apps.c.functions.\"a:b\"]\nf = { returns = 1 }\n",
                4,
                "returns nothing",
            ),
            ("functions = 1".into(), 1, "invalid type"),
        ] {
            let error = Board::from_toml(&board).unwrap_err();
            assert!(error.message.contains(expected) && error.line == line, "{board}{error}");
        }
    }

    #[test]
    fn calls_are_texts_in_a_dump() {
        let capture = Capture::new();
        let mut board = Board::from_toml(BOARD).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Vcd);
        board.platform("visitor").call_function(2, b"hall", &set(0, 4, 1), &mut [Val::I32(0)]).unwrap();
        let text = capture.text();
        let code =
            text.lines().find_map(|line| line.strip_prefix("$var string 1 ")?.strip_suffix(" set $end")).unwrap();
        assert!(text.ends_with(&format!("#1\ns(\"hall\",\\0401)\\040->\\040-13 {code}\n")), "{text}");
    }
}
