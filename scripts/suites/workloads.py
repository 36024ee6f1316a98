# SPDX-License-Identifier: Apache-2.0
"""Writes compiled programs as cases in the format of the official suite: they run where the suite runs.

The programs are the workloads of the benchmark, in C and Rust, with the checksums that this machine's
compiler arrives at, and a Rust guest with crates from the registry.
"""

import os
import subprocess
import sys

import devenv

import guest
from suites.common import stream

sys.path.insert(0, str(devenv.REPO / "bench"))

from harness import guests

CRATES = devenv.REPO / "tests" / "crates"
# What the crates compute on a workstation: `cargo run` in tests/crates prints it.
CRATES_CHECKSUM = 0xE620D7D1

# What the programs import: the host function of the workloads, what the guest tells, the guest's log.
IMPORTS = """\
(module (func (export "host_add") (param i32 i32) (result i32)
  (i32.add (i32.mul (local.get 0) (i32.const 5)) (local.get 1))))
(register "env")
(module $test (global $told (mut i32) (i32.const 0))
  (func (export "checksum") (param i32) (global.set $told (local.get 0)))
  (func (export "told") (result i32) (global.get $told)))
(register "test" $test)
(module (func (export "write") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "max_level") (result i32) (i32.const 0)))
(register "wisp:log@1")
"""


def binary(path):
    """A module in the text format, from its file."""
    return '(module binary "' + "".join(f"\\{byte:02x}" for byte in path.read_bytes()) + '")\n'


def crates_wasm():
    """The guest with crates from the registry; None if it cannot be built."""
    found, reason = devenv.rust_environment([guest.TARGET])
    if found is None:
        print(f"workloads: {reason}")
        return None
    rustc = found.get("RUSTC", devenv.find_tool("rustc"))
    linker, _ = guest.wasm_linker(rustc)
    beside = os.path.join(os.path.dirname(rustc), "cargo")
    folder = devenv.BUILD / "cargo" / "guest"
    env = {**os.environ, **found, "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": linker or "wasm-ld"}
    code, _ = stream([beside if os.path.isfile(beside) else "cargo", "--config",
                      devenv.REPO / "guest" / "rust" / "wasm.toml", "build", "-q", "--release", "--locked",
                      "--target", guest.TARGET, "--target-dir", folder, "--bin", "crates"], CRATES, env)
    return folder / guest.TARGET / "release" / "crates.wasm" if code == 0 else None


def write():
    """Writes the cases; their path, or None if a program cannot be built."""
    try:
        expected = guests.expected()
        modules = [(workload, guests.wasm(workload)) for workload in guests.WORKLOADS]
    except (SystemExit, OSError, subprocess.SubprocessError) as error:
        print(f"workloads: {error}")
        return None
    crates = crates_wasm()
    if not crates:
        return None
    parts = [IMPORTS]
    for workload, wasm in modules:
        once, many = expected[workload.name]
        parts.append(f";; {workload.name}: {workload.title}\n" + binary(wasm))
        for count, checksum in ((1, once), (1 + workload.iterations, many)):
            parts.append(f'(assert_return (invoke "run" (i32.const {count})) (i32.const {checksum}))\n')
    parts.append(f';; crates from the registry\n{binary(crates)}(invoke "_start")\n'
                 f'(assert_return (invoke $test "told") (i32.const {CRATES_CHECKSUM:#x}))\n')
    path = devenv.BUILD / "spec" / "workloads.wast"
    devenv.write_if_changed(path, "".join(parts))
    return path
