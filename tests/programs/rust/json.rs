// SPDX-License-Identifier: Apache-2.0
// memory: 65536

use std::collections::BTreeMap;

#[derive(Debug, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn skip(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }
    fn expect(&mut self, what: &str) -> Result<(), String> {
        match self.bytes[self.at..].starts_with(what.as_bytes()) {
            true => Ok(self.at += what.len()),
            false => Err(format!("expected `{what}` at {}", self.at)),
        }
    }
    fn text(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let start = self.at;
        while *self.bytes.get(self.at).ok_or("no end of string")? != b'"' {
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(self.bytes[start..self.at - 1].to_vec()).map_err(|e| e.to_string())
    }
    fn value(&mut self) -> Result<Json, String> {
        self.skip();
        match self.bytes.get(self.at) {
            Some(b'n') => self.expect("null").map(|()| Json::Null),
            Some(b't') => self.expect("true").map(|()| Json::Bool(true)),
            Some(b'f') => self.expect("false").map(|()| Json::Bool(false)),
            Some(b'"') => self.text().map(Json::Text),
            Some(&open @ (b'[' | b'{')) => {
                self.at += 1;
                let (mut list, mut map) = (Vec::new(), BTreeMap::new());
                let close = if open == b'[' { "]" } else { "}" };
                loop {
                    self.skip();
                    if self.expect(close).is_ok() {
                        break;
                    }
                    if !(list.is_empty() && map.is_empty()) {
                        self.expect(",")?;
                        self.skip();
                    }
                    if open == b'{' {
                        let key = self.text()?;
                        self.skip();
                        self.expect(":")?;
                        map.insert(key, self.value()?);
                    } else {
                        list.push(self.value()?);
                    }
                }
                Ok(if open == b'[' {
                    Json::List(list)
                } else {
                    Json::Map(map)
                })
            }
            Some(_) => {
                let start = self.at;
                while self
                    .bytes
                    .get(self.at)
                    .is_some_and(|b| b"+-.eE0123456789".contains(b))
                {
                    self.at += 1;
                }
                let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap();
                text.parse()
                    .map(Json::Number)
                    .map_err(|e| format!("{e} at {start}"))
            }
            None => Err("empty".into()),
        }
    }
}

fn main() {
    for text in [
        r#"{"a": [1, -2.5e3, null], "b": {"c": "d"}, "e": true}"#,
        "[[], {}]",
        "[1 2]",
        "{\"x\": nul}",
        "",
        "x",
    ] {
        println!(
            "{:?}",
            Parser {
                bytes: text.as_bytes(),
                at: 0
            }
            .value()
        );
    }
}
