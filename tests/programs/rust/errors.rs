// SPDX-License-Identifier: Apache-2.0
// memory: 65536

use std::error::Error;
use std::fmt;

#[derive(Debug)]
enum Fault {
    Missing(String),
    Parse(std::num::ParseFloatError),
}
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Missing(key) => write!(f, "{key} is missing"),
            Fault::Parse(error) => write!(f, "bad number: {error}"),
        }
    }
}
impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Fault::Parse(error) => Some(error),
            Fault::Missing(_) => None,
        }
    }
}
impl From<std::num::ParseFloatError> for Fault {
    fn from(error: std::num::ParseFloatError) -> Self {
        Fault::Parse(error)
    }
}

fn get(text: &str, key: &str) -> Result<f64, Fault> {
    let line = text
        .lines()
        .find(|line| line.starts_with(key))
        .ok_or_else(|| Fault::Missing(key.into()))?;
    Ok(line[key.len() + 1..].trim().parse::<f64>()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = "speed=12.5\nlimit=abc\n";
    println!("{:?}", get(text, "speed"));
    for key in ["limit", "mass"] {
        match get(text, key) {
            Ok(value) => println!("{value}"),
            Err(error) => println!(
                "{error}; because of {:?}",
                error.source().map(ToString::to_string)
            ),
        }
    }
    let value = get(text, "speed")?;
    println!("{}", value * 2.0);
    get(text, "nothing").or_else(|_| Ok::<f64, Fault>(0.0))?;
    Ok(())
}
