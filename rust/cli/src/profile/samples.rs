// SPDX-License-Identifier: Apache-2.0
//! Samples of a device: where the app was found, as counts of functions in their chains of calls.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use wisp_host::profile::{Counter, HEAD, MAGIC, NODE, PLACE, ROOT};
use wisp_image::{Image, ImageId};

use super::report::{self, Row, Unit};
use super::{names, write, Counts, Function, Node, Output, Profiler};
use crate::failure::Failure;
use crate::input;
use crate::symbols::Symbols;

/// Functions that an image can have.
const FUNCTIONS: u32 = 1 << 16;
/// Places that are shown.
const SHOWN: usize = 10;

/// The samples of an app.
pub struct Samples {
    /// The image that ran.
    pub image: ImageId,
    ticks: u32,
    samples: u32,
    unknown: u32,
    cut: u32,
    /// For each node its meaning, the node it belongs to, and its count.
    nodes: Vec<[u32; NODE]>,
}

/// A place in the code with its samples.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Hot {
    /// Function and source line, as far as they are known.
    place: String,
    samples: u64,
}

/// The part of samples that is shown.
#[derive(Serialize)]
pub struct Report {
    image: String,
    /// Times that the device looked.
    ticks: u32,
    /// Times that it found the app with the processor.
    samples: u32,
    /// Those of which no function is known.
    unknown: u32,
    /// Those that are counted at a caller, or nowhere, for want of room.
    cut: u32,
    functions: Vec<Row>,
    places: Vec<Hot>,
}

impl Report {
    /// Returns the report for people.
    pub fn text(&self) -> String {
        let percent = f64::from(self.samples) * 100.0 / f64::from(self.ticks.max(1));
        let mut text =
            format!("the app had the processor in {} of {} samples ({percent:.1} %)\n", self.samples, self.ticks);
        if self.unknown > 0 {
            text += &format!("samples in no function: {} (the app began, or its place is not known)\n", self.unknown);
        }
        if self.cut > 0 {
            text += &format!(
                "samples that count for a function or a caller, for want of room: {} (CONFIG_WISP_PROFILE_NODES)\n",
                self.cut
            );
        }
        text += &report::table(&self.functions, Unit::Samples);
        if !self.places.is_empty() {
            text += &format!("{:>12}         place\n", "samples");
        }
        for Hot { place, samples } in &self.places {
            let percent = *samples as f64 * 100.0 / f64::from(self.samples.max(1));
            text += &format!("{samples:>12} {percent:>5.1}%  {place}\n");
        }
        text.trim_end().into()
    }
}

/// Describes a place by the innermost function and its line. Without lines, it is an offset.
fn described(symbols: &Symbols, function: Function, offset: u32) -> String {
    let place = symbols.describe_guest(function, offset).into_iter().next().unwrap_or_default();
    let place = place.strip_suffix(", inlined into").unwrap_or(&place);
    match place.split_once(", wasm offset") {
        Some((line, _)) if line.contains(" at ") => line.into(),
        _ => place.into(),
    }
}

impl Samples {
    /// Reads the samples that a device sent.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = input::read(path)?;
        Self::parse(&bytes)
            .ok_or_else(|| Failure::in_file(path, "expected samples that `west wisp profile` fetched, and as a whole"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let words: Vec<u32> =
            bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
        let (head, nodes) = words.split_at_checked(HEAD)?;
        let counter = |counter: Counter| head[counter as usize];
        let nodes: Vec<[u32; NODE]> = nodes.chunks_exact(NODE).map(|node| [node[0], node[1], node[2]]).collect();
        // a function belongs to one before it, and a place to a function
        let sound = |(index, &[what, parent, _]): (usize, &[u32; NODE])| {
            let below_function = nodes.get(parent as usize).is_some_and(|node| node[0] & PLACE == 0);
            let is_known = what & PLACE != 0 || what < FUNCTIONS;
            is_known && ((parent == ROOT && what & PLACE == 0) || ((parent as usize) < index && below_function))
        };
        let whole = head[0] == MAGIC && nodes.len() == counter(Counter::Nodes) as usize;
        (whole && nodes.iter().enumerate().all(sound)).then(|| Self {
            image: ImageId { wasm: head[1], code: head[2] },
            ticks: counter(Counter::Ticks),
            samples: counter(Counter::Samples),
            unknown: counter(Counter::Unknown),
            cut: counter(Counter::Cut),
            nodes,
        })
    }

    /// Returns the counts by function, with imported functions where the code calls them. Without the image, functions are
    /// numbered without the imported ones.
    fn counts(&self, code: Option<&Profiler>) -> Counts {
        let imported = code.map_or(0, |code| code.imported);
        let mut counts = Counts { nodes: vec![Node::default()], frames: Vec::new(), most: usize::MAX, names: 0 };
        let mut made = Vec::new();
        for &[what, parent, count] in &self.nodes {
            let parent = if parent == ROOT { 0 } else { made[parent as usize] };
            let node = match what & PLACE {
                0 => counts.child(parent, imported + what),
                _ => {
                    let op = code.and_then(|code| code.code.get((what & !PLACE) as usize / 2));
                    op.and_then(|op| op.calls).map_or(parent, |function| counts.child(parent, function))
                }
            };
            counts.nodes[node].ops += u64::from(count);
            made.push(node);
        }
        counts
    }

    /// Returns the places with most samples, a line for each source line.
    fn places(&self, symbols: &Symbols) -> Vec<Hot> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for &[what, parent, count] in self.nodes.iter().filter(|node| node[0] & PLACE != 0) {
            let function = self.nodes[parent as usize][0];
            *sums.entry(described(symbols, function, what & !PLACE)).or_default() += u64::from(count);
        }
        let mut places: Vec<_> = sums.into_iter().map(|(place, samples)| Hot { place, samples }).collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.samples));
        places.truncate(SHOWN);
        places
    }

    /// Writes the files that the user asked for, and returns what is shown.
    ///
    /// # Errors
    /// A file cannot be written, or the image is damaged or has fewer functions than the samples.
    pub fn finish(
        &self,
        image: Option<(&Path, &Image<'_>)>,
        symbols: &Symbols,
        files: Vec<Output>,
    ) -> Result<Report, Failure> {
        let damaged = |path: &Path, error: &dyn std::fmt::Display| Failure::in_file(path, error);
        let code =
            image.map(|(path, image)| Profiler::new(image).map_err(|error| damaged(path, &error))).transpose()?;
        let functions = self.nodes.iter().map(|node| node[0]).filter(|what| what & PLACE == 0);
        let functions = functions.map(|function| function + 1).max().unwrap_or(0);
        let names = match image {
            Some((path, image)) if (image.function_count() as u32) < functions => {
                return Err(damaged(path, &"has fewer functions than the samples"));
            }
            Some((_, image)) => names(image, symbols),
            None => (0..functions).map(|index| format!("function {index}")).collect(),
        };
        let counts = self.counts(code.as_ref());
        write(&counts, &names, Unit::Samples, files)?;
        let imported = code.map_or(0, |code| code.imported);
        Ok(Report {
            image: self.image.to_string(),
            ticks: self.ticks,
            samples: self.samples,
            unknown: self.unknown,
            cut: self.cut,
            functions: report::rows(&counts, &names, imported, Unit::Samples),
            places: self.places(symbols),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wisp_compiler::{compile, Options};
    use wisp_host::profile::Profile;

    const GUEST: &str = r#"(module
        (import "wisp:timer@1" "sleep_ms" (func $sleep (param i32) (result i32)))
        (func $hot (loop (br 0)))
        (func $start (export "_start") (drop (call $sleep (i32.const 1))) (call $hot)))"#;

    /// Returns the bytes of these samples.
    fn bytes(image: ImageId, samples: &[&[(u32, Option<u32>)]]) -> Vec<u8> {
        let mut words = vec![0; HEAD + 16 * NODE];
        let mut profile = Profile::begin(&mut words, image);
        samples.iter().for_each(|sample| profile.count(sample));
        profile.add(Counter::Ticks, 10);
        let length = profile.bytes();
        words.iter().flat_map(|word| word.to_le_bytes()).take(length).collect()
    }

    #[test]
    fn samples_get_names_and_those_within_a_call_of_the_host_count_for_it() {
        let wasm = wat::parse_str(GUEST).unwrap();
        let compiled = compile(&wasm, &Options::default()).unwrap();
        let image = Image::parse(&compiled.image).unwrap();
        let symbols = Symbols::of(&wasm, &compiled, &image);
        let profiler = Profiler::new(&image).unwrap();
        let at = |wanted: &dyn Fn(&super::super::Op) -> bool| 2 * profiler.code.iter().position(wanted).unwrap() as u32;
        let (call, hot) = (at(&|op| op.calls == Some(0)), at(&|op| op.begins == Some(1)));
        let bytes = bytes(
            image.id(),
            &[&[(0, Some(hot)), (1, Some(call + 8))], &[(0, Some(hot)), (1, Some(call + 8))], &[(1, Some(call))], &[]],
        );
        let samples = Samples::parse(&bytes).unwrap();
        let report = samples.finish(Some((Path::new("a"), &image)), &symbols, Vec::new()).unwrap();
        let rows: Vec<_> =
            report.functions.iter().map(|row| (&row.function[..], row.host, row.own, row.total)).collect();
        assert_eq!(rows, [("hot", false, 2, 2), ("wisp:timer@1.sleep_ms", true, 1, 1), ("start", false, 0, 3)]);
        assert!(report.places[0].place.starts_with("`hot`, wasm offset 0x"), "{:?}", report.places);
        assert_eq!(report.places[0].samples, 2);
        assert!(report.places[1].place.starts_with("`start`, wasm offset 0x"), "{:?}", report.places);
        let text = report.text();
        assert!(
            text.starts_with("the app had the processor in 4 of 10 samples (40.0 %)\nsamples in no function: 1 "),
            "{text}"
        );
        assert!(text.contains("           2  66.7%            2  hot\n"), "{text}");
        assert!(text.contains("           1  33.3%            1  wisp:timer@1.sleep_ms (host)\n"), "{text}");
        let counts = samples.counts(Some(&profiler));
        let svg = super::super::flame::svg(&counts, &names(&image, &symbols), Unit::Samples);
        assert!(svg.contains("<title>hot (2 samples, 66.7 %)</title>"), "{svg}");
    }

    #[test]
    fn without_the_image_functions_have_their_numbers() {
        let samples = Samples::parse(&bytes(ImageId { wasm: 1, code: 2 }, &[&[(7, None), (3, Some(6))]])).unwrap();
        let report = samples.finish(None, &Symbols::default(), Vec::new()).unwrap();
        assert_eq!((&report.functions[0].function[..], report.functions[0].own), ("function 7", 1));
        assert_eq!(report.functions.len(), 2);
    }

    #[test]
    fn damaged_samples_are_refused() {
        let whole = bytes(ImageId { wasm: 1, code: 2 }, &[&[(7, Some(2)), (3, Some(6))]]);
        assert!(Samples::parse(&whole).is_some());
        for length in 0..whole.len() {
            assert!(Samples::parse(&whole[..length]).is_none(), "{length}");
        }
        for bit in 0..8 * whole.len() {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Some(samples) = Samples::parse(&bytes) {
                samples.finish(None, &Symbols::default(), Vec::new()).unwrap();
            }
        }
    }
}
