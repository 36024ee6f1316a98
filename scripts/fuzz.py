#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes each target for some seconds with each seed, and tells how many executions that were.

With cargo-fuzz, libFuzzer drives the targets, under AddressSanitizer and with what it learns of
coverage; the compiler is nightly Rust where it is installed, else the stable one with its unstable
flags allowed. Without, they run as plain programs on pseudo-random bytes; memory is then guarded by
forbidden pages alone.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

import devenv

FUZZ = devenv.REPO / "rust" / "fuzz"
CORPUS = devenv.BUILD / "fuzz"


def targets():
    """Names of the targets: one file each."""
    return sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))


def cargo_fuzz():
    """`cargo fuzz` with a compiler that knows sanitizers, as (command, environment); None if it is not installed."""
    if not shutil.which("cargo-fuzz"):
        return None
    if devenv.output(["cargo", "+nightly", "fuzz", "--version"]):
        return ["cargo", "+nightly", "fuzz"], dict(os.environ)
    return ["cargo", "fuzz"], {**os.environ, "RUSTC_BOOTSTRAP": "1"}


def run(command, env=None):
    """Runs a command, shows its output, returns (exit code, output)."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    with subprocess.Popen([str(part) for part in command], cwd=FUZZ, env=env, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        text = ""
        for line in process.stdout:
            text += line
            # libFuzzer tells of each new input
            if not re.match(r"^#\d+\s+(NEW|REDUCE|RELOAD|pulse|INITED)", line):
                print(line, end="", flush=True)
    return process.returncode, text


def libfuzzer(tool, name, seconds, seed):
    """Executions under libFuzzer, or None if something was found."""
    command, env = tool
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    code, text = run([*command, "run", "--fuzz-dir", ".", "--target-dir", devenv.BUILD / "cargo" / "fuzz",
                      name, corpus, "--", f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=4096",
                      "-print_final_stats=1", "-verbosity=0"], env)
    match = re.findall(r"stat::number_of_executed_units:\s*(\d+)|Done (\d+) runs", text)
    return None if code != 0 or not match else max(int(a or b) for a, b in match)


def plain(name, seconds, seed):
    """Executions of the plain program, or None if something was found."""
    code, text = run(["cargo", "run", "--locked", "--release", "-q", "--bin", name, "--", "--seconds", seconds, "--seed", seed])
    match = re.search(r"^\w+: (\d+) executions", text, re.MULTILINE)
    return None if code != 0 or not match else int(match.group(1))


def seeds(text):
    """Numbers with commas between them. libFuzzer chooses one itself if it is given 0."""
    if not re.fullmatch(r"[1-9]\d{0,8}(,[1-9]\d{0,8})*", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected numbers from 1 to 999999999 with commas between them, as in 7,8,9")
    return [int(number) for number in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target and seed")
    parser.add_argument("--seed", type=seeds, default=[1], help="one, or several with commas between them, from 1 on", metavar="N[,N]")
    parser.add_argument("--plain", action="store_true", help="do not use cargo-fuzz")
    parser.add_argument("targets", nargs="*", help="default: all: " + " ".join(targets()))
    args = parser.parse_args()
    unknown = [name for name in args.targets if name not in targets()]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {' '.join(targets())}")
    tool = None if args.plain else cargo_fuzz()
    if not tool and not args.plain:
        print("cargo-fuzz is missing (cargo install cargo-fuzz): the targets run as plain programs")
    lines, failed = [], 0
    for seed in args.seed:
        for name in args.targets or targets():
            executions = libfuzzer(tool, name, args.seconds, seed) if tool else plain(name, args.seconds, seed)
            lines.append(f"  {name:14} seed {seed}: " + ("FAILED" if executions is None else f"{executions} executions"))
            failed += executions is None
    how = "libFuzzer, AddressSanitizer" if tool else "plain programs"
    print(f"\n{args.seconds} s each, {how}\n" + "\n".join(lines))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
