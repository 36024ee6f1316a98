# SPDX-License-Identifier: Apache-2.0
"""Suites that need no Zephyr: unit tests, fuzzing, the official suite, guests."""

import os

import devenv

import guest
from suites.common import RUST, Count, cargo, count_of, counted, stream
from suites.corpus import check_corpus

# Where firmware builds compile the `wisp` program: what both depend on is compiled once.
HOST_TOOLS = devenv.BUILD / "cargo" / "host"
WISP_SPEC = HOST_TOOLS / "release" / "wisp-spec"
# What the official suite printed on the workstation.
DESK_LOG = devenv.BUILD / "spec" / "desk.log"
# Logs that this run of the test command has written.
KEPT = set()


def suite_unit():
    """Unit and integration tests of the host crates; the list of the benchmark's real programs."""
    return cargo(["test", "--locked", "--workspace", "--exclude", "wisp-spec", "--exclude", "wisp-port"]) + check_corpus()


def build_spec():
    """Builds the program of the official suite, in release: it executes tens of thousands of assertions."""
    return stream(["cargo", "build", "--locked", "--release", "-q", "-p", "wisp-spec",
                   "--target-dir", HOST_TOOLS], RUST)[0] == 0


def build_wisp():
    """Builds the command `wisp` in release; its path, or None."""
    built = stream(["cargo", "build", "--locked", "--release", "-q", "-p", "wisp-cli", "--target-dir", HOST_TOOLS], RUST)
    return HOST_TOOLS / "release" / "wisp" if built[0] == 0 else None


def spec(arguments, keep=None):
    """Runs the official suite on the workstation."""
    if not build_spec():
        return Count(failed=1)
    code, text = stream([WISP_SPEC, *arguments], RUST)
    if keep:
        devenv.write_if_changed(keep, text)
        KEPT.add(keep)
    return count_of(code, text)


def desk_log():
    """The official suite's log of this run of the test command; None if it does not pass."""
    return DESK_LOG if DESK_LOG in KEPT or not spec([], DESK_LOG).failed else None


def suite_fuzz():
    """A fixed number of seeded runs of each fuzz target; all orders of interrupts in event queue and stop path."""
    # what the crates of both workspaces depend on is compiled once
    return cargo(["test", "--locked", "--target-dir", RUST / "target"], RUST / "fuzz")


def suite_spec():
    """The official suite on the workstation, in the interpreter."""
    return spec([], DESK_LOG)


def suite_guests():
    """Guests of examples, samples and templates: built with stock tools, run on the simulated board."""
    found, reason = devenv.rust_environment([guest.TARGET])
    if found is None:
        print(f"guests: skipped, {reason}")
        return Count(skipped=1)
    rustc = found.get("RUSTC", devenv.find_tool("rustc"))
    tool = build_wisp()
    linker, _ = guest.wasm_linker(rustc)
    if not tool or not linker:
        print("guests: no `wisp`, or no linker for wasm (lld, or a rustup toolchain)")
        return Count(failed=1)
    found["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"] = linker
    beside = os.path.join(os.path.dirname(rustc), "cargo")
    env = {**os.environ, "WISP": str(tool),
           "GUEST_ENV": " ".join(f"{name}={value}" for name, value in found.items()),
           "GUEST_CARGO": beside if os.path.isfile(beside) else "cargo",
           "GUEST_TARGET_DIR": str(devenv.BUILD / "cargo" / "guest"),
           "GUEST_STD": "yes" if devenv.target_libraries(devenv.find_tool("rustc"), guest.STD_TARGET) else "",
           "GUEST_LIBC": "yes" if devenv.find_wasi(cpp=True)[0] else ""}
    return counted(["sh", devenv.REPO / "guest" / "check.sh", devenv.BUILD / "guests"], devenv.REPO, env)
