#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds sentences that a stranger stumbles over, as far as a program can: prose.py [FILE...].

In pages and comments: sentences of more than 30 words, and clauses that a semicolon chains. In
documentation comments of Rust also a first word that says nothing of what the item is (What, Where,
Whether, ...), and functions whose comment does not start with a verb, such as Returns. Tables, code
and quoted output are left out. The counts at the end can be compared between trees.
"""

import re
import sys
from pathlib import Path

import devenv

WORDS = 30
# A documentation comment starts with what the item is or does.
VAGUE = re.compile(r"^(What|Where|Who|Whether|Most|As|That|How)\b")
# A function's comment starts with a verb in the third person.
FUNCTION = re.compile(r"(pub(\([^)]*\))? )?((default|const|async|unsafe|extern \"C\") )*fn ")
VERB = re.compile(r"[A-Z][a-z]+s\b(?!:)")
NO_VERBS = re.compile(r"(As|Bytes|Its|This|Ops|Those|Units|Lines|Words|Slots)\b")
EMPTY = re.compile(r"^(Asks the host|What it returns|See there)\.?$")
# Ends of sentences, but not the dots of abbreviations and numbers.
ENDS = re.compile(r"(?:(?<=[.!?:])|(?<=[.!?:]\*\*))(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)\s+(?=[\"'`*\[(]*[A-Z0-9])")


def plain(text):
    """Returns the text with each piece of code and each link's target as one word."""
    text = re.sub(r"`[^`]*`", "X", text)
    text = re.sub(r"\]\([^)\s]*\)", "]", text)
    return re.sub(r"<[^>\s]+>", "X", text)


def paragraphs(text):
    """Yields (line number, text) of each paragraph and list item of a page, without code, tables and headings."""
    lines, start, fenced = [], 1, False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        bare = line.strip()
        fence = bare.startswith(("```", "~~~"))
        fenced ^= fence
        item = re.match(r"([-*]|\d+\.)\s+", bare)
        if fenced or fence or not bare or item or bare.startswith(("|", "#", "<!--", "* * *")):
            if lines:
                yield start, " ".join(lines)
            lines = []
            if item and not fenced:
                lines, start = [bare[item.end():]], number
            continue
        if not lines:
            start = number
        lines.append(bare)


def sentences(paragraph):
    """Returns the sentences of a paragraph."""
    return [sentence for sentence in ENDS.split(plain(paragraph)) if sentence.strip()]


def chained(line, paragraph):
    """Yields (line, problem) of the sentences of a paragraph."""
    for sentence in sentences(paragraph):
        words = len(sentence.split())
        if words > WORDS:
            yield line, f"a sentence of {words} words: {sentence[:60]}..."
        if ";" in sentence:
            yield line, f"a semicolon chains clauses: {sentence[:60]}..."


def page(text):
    """Yields (line, problem) of a page in Markdown."""
    for line, paragraph in paragraphs(text):
        yield from chained(line, paragraph)


def comments(text, mark):
    """Yields (line, text, code behind it) of each documentation comment whose lines begin with the mark."""
    lines, start, attributes = [], 0, ""
    for number, line in enumerate([*text.splitlines(), ""], 1):
        bare = line.strip()
        if bare.startswith(mark) and not bare.startswith(mark + "/"):
            if not lines:
                start = number
            lines.append(bare[len(mark):].strip())
        elif lines and (bare.startswith("#[") or (attributes and not attributes.endswith("]"))):
            attributes += bare
        elif lines:
            yield start, lines, attributes + bare
            lines, attributes = [], ""


def source(text):
    """Yields (line, problem) of the documentation comments of a Rust file."""
    for line, lines, code in comments(text, "///"):
        first = lines[0]
        if VAGUE.match(first):
            yield line, f"a comment that does not start with what the item does: {first[:60]}"
        if EMPTY.match(first):
            yield line, f"a comment that says nothing: {first}"
        # comments of the service's interface become titles of its documentation
        function = FUNCTION.match(code.rpartition("]")[2]) and re.match(r"[^#]", first) and "utoipa" not in code
        if function and (not VERB.match(first) or NO_VERBS.match(first)):
            yield line, f"a function's comment that does not start with a verb, such as Returns: {first[:60]}"
        for _, paragraph in paragraphs("\n".join(lines)):
            yield from chained(line, paragraph)


def header(text):
    """Yields (line, problem) of the comments of a C file."""
    for comment in re.finditer(r'"(?:\\.|[^"\\\n])*"|/\*(.*?)\*/', text, re.DOTALL):
        if comment.group(1) is None:
            continue
        lines = [line.strip().lstrip("*").strip() for line in comment.group(1).splitlines()]
        for _, paragraph in paragraphs("\n".join(re.sub(r"^@\w+", "-", line) for line in lines)):
            yield from chained(text.count("\n", 0, comment.start()) + 1, paragraph)


def problems(name, text):
    """Yields the problems of one file as lines of text."""
    # Fragments of the changelog are gathered, and read again, at a release.
    if name.startswith("changelog/"):
        return
    checks = {".md": page, ".rs": source, ".c": header, ".h": header}
    check = checks.get(Path(name).suffix)
    for line, problem in check(text) if check else ():
        yield f"{name}:{line}: {problem}"


def main():
    names = sys.argv[1:]
    if not names:
        listed = devenv.output(["git", "-C", str(devenv.REPO), "ls-files"])
        names = [str(devenv.REPO / name) for name in (listed or "").splitlines()]
    found = 0
    for name in names:
        if not name.endswith((".md", ".rs", ".c", ".h")):
            continue
        path = Path(name)
        short = path.relative_to(devenv.REPO) if path.is_relative_to(devenv.REPO) else path
        for problem in problems(str(short), path.read_text(encoding="utf-8")):
            print(problem)
            found += 1
    print(f"prose: {found} problems")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
