// SPDX-License-Identifier: Apache-2.0
//! The messages that `doc/errors.md` explains.

const PAGE: &str = include_str!("../../../../doc/errors.md");

/// Returns the patterns of a section of the page: the first column, words in angle brackets stand for anything.
pub fn patterns(section: &str) -> Vec<&'static str> {
    let start = PAGE.find(&format!("## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let text = &PAGE[start + 3..];
    let text = text.find("\n## ").map_or(text, |end| &text[..end]);
    // a message may hold backticks, so it stands between two of them
    let cell = |line: &'static str| line.strip_prefix("| `` ")?.split_once(" `` |").map(|(pattern, _)| pattern);
    let found: Vec<_> = text.lines().filter_map(cell).collect();
    assert!(!found.is_empty(), "{section}");
    found
}

/// Returns the literal parts of a pattern.
pub fn parts(pattern: &str) -> Vec<String> {
    pattern.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest).to_string()).collect()
}

pub fn fits(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    parts(pattern).iter().all(|part| match rest.split_once(part.as_str()) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}
