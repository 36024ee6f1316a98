# SPDX-License-Identifier: Apache-2.0
"""The workloads: compiled to wasm, to Wisp images and for this machine (the checksums)."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .tools import (
    REPO,
    build_folder,
    fail,
    newer,
    run,
    rust_environment,
    versioned,
    write_if_changed,
    zephyr_environment,
)

SOURCES = REPO / "bench" / "workloads"

WASM_FLAGS = [
    "--target=wasm32", "-mcpu=mvp", "-mmutable-globals", "-msign-ext", "-O2", "-fno-builtin",
    "-nostdlib", "-Wl,--no-entry", "-Wl,-z,stack-size=1024", "-Wl,--initial-memory=65536",
    "-Wl,--max-memory=65536", "-Wl,--export=__heap_base", "-Wl,--export=__data_end",
    "-Wl,--strip-all",
]


@dataclass(frozen=True)
class Workload:
    """A workload: its name and the iterations that the longer run adds."""

    name: str
    iterations: int
    title: str
    # Counts in the geomean of the eleven.
    counts: bool = True
    # The C workload that this one is in Rust.
    rust: str = ""
    # No op, sequence or rule of the compiler was chosen by looking at it.
    held_out: bool = False

    @property
    def symbol(self):
        """Name of the native function."""
        return f"run_{self.name}"


WORKLOADS = (
    Workload("nop", 2, "an empty function", counts=False),
    Workload("bubble", 4, "bubble sort of 100 ints"),
    Workload("crc16", 4, "CRC-16 of 1 KiB, bitwise"),
    Workload("fib", 2, "fib(20), recursive"),
    Workload("matmul", 10, "16 x 16 integer matrices"),
    Workload("sieve", 4, "primes below 4096"),
    Workload("sha256", 4, "SHA-256 of 1 KiB"),
    Workload("fir_f32", 4, "32-tap filter of 64 f32 samples"),
    Workload("mandel_f64", 2, "12 x 12 points, f64"),
    Workload("hash64", 10, "1000 splitmix64 steps, i64"),
    Workload("vcall", 20, "bytecode VM: br_table, call_indirect"),
    Workload("hostcall", 20, "100 calls of a host function"),
    Workload("suite", 1, "all of the above in one module", counts=False),
    Workload("bubble_rust", 4, "bubble sort in Rust", counts=False, rust="bubble"),
    Workload("crc16_rust", 4, "CRC-16 in Rust", counts=False, rust="crc16"),
    Workload("quicksort", 4, "256 records sorted and found", counts=False, held_out=True),
    Workload("base64", 4, "768 bytes to base64 and back", counts=False, held_out=True),
    Workload("json", 10, "a JSON text of 300 bytes", counts=False, held_out=True),
    Workload("compress", 4, "1 KiB of log by LZ77 and back", counts=False, held_out=True),
    Workload("queens", 2, "seven queens", counts=False, held_out=True),
    Workload("control", 4, "PID controller, 256 steps, Q16", counts=False, held_out=True),
)

# What distinguishes this suite of workloads from others, as images.py and measure.py ask for it.
PREFIX = ""

RUST = SOURCES / "rust"
RUST_WASM_FLAGS = [
    "-C", "target-cpu=mvp", "-C", "target-feature=+mutable-globals,+sign-ext",
    "-C", "link-arg=-zstack-size=1024", "-C", "link-arg=--initial-memory=65536",
    "-C", "link-arg=--max-memory=65536", "-C", "link-arg=--export=__heap_base",
    "-C", "link-arg=--export=__data_end", "-C", "link-arg=--strip-all",
]

BY_NAME = {workload.name: workload for workload in WORKLOADS}


def rust_wasm(workload):
    """Path of a Rust workload's module."""
    output = build_folder("wasm") / f"{workload.name}.wasm"
    sources = [*RUST.glob("src/*.rs"), RUST / "Cargo.toml", Path(__file__)]
    if newer(output, *sources):
        target = "wasm32-unknown-unknown"
        folder = build_folder("cargo-wasm")
        env = rust_environment(target)
        # a distribution's rustc may come without the linker it would take
        linker = versioned("wasm-ld")
        flags = [*RUST_WASM_FLAGS, "-C", f"linker={linker}"] if linker else RUST_WASM_FLAGS
        env["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
        run(["cargo", "build", "--release", "--quiet", "--manifest-path", RUST / "Cargo.toml",
             "--target", target, "--target-dir", folder, "--features", workload.rust], env=env)
        output.write_bytes((folder / target / "release" / "bench_workloads.wasm").read_bytes())
    return output


def wasm(workload):
    """Path of the workload's module, compiled when its source is newer."""
    if workload.rust:
        return rust_wasm(workload)
    source = SOURCES / f"{workload.name}.c"
    output = build_folder("wasm") / f"{workload.name}.wasm"
    if newer(output, *SOURCES.glob("*.[ch]"), Path(__file__)):
        clang = versioned("clang")
        if not clang:
            fail("no clang was found to compile the workloads to wasm")
        parts = []
        if workload.name == "suite":
            for part in WORKLOADS:
                if part.counts:
                    parts.append(build_folder("wasm", "suite") / f"{part.name}.o")
                    run([clang, *(flag for flag in WASM_FLAGS if not flag.startswith("-Wl")),
                         f"-DRUN={part.symbol}", "-c", SOURCES / f"{part.name}.c",
                         "-o", parts[-1]])
        run([clang, *WASM_FLAGS, source, *parts, "-o", output])
    return output


def on(board):
    """Names of the workloads of a board's image; all of them if there are none."""
    return board.workloads


def features(board, runtime):
    """Cargo features of a runtime's crate, or of the native workloads', for this suite."""
    return ()


def options(board, runtime):
    """Options of CMake for this suite."""
    return []


def present(board, runtime, tier):
    """The workloads that an image has."""
    return [w for w in WORKLOADS if runtime != "native" or bool(w.rust) == (tier == "rust")]


def expected(board=None):
    """Checksums of every workload: {name: (run(1), run(1 + iterations))}, from this machine.

    All arithmetic of the workloads is defined bit by bit (wrapping integers, IEEE floats
    without contraction), so every correct runtime gives these.
    """
    folder = build_folder("host")
    program = folder / "checksums"
    source = folder / "checksums.c"
    in_c = [w for w in WORKLOADS if not w.rust]
    lines = ["#include <stdint.h>", "#include <stdio.h>",
             "uint32_t host_add(uint32_t a, uint32_t b) { return a * 5u + b; }"]
    lines += [f"uint32_t {w.symbol}(uint32_t);" for w in in_c]
    lines.append("int main(void) {")
    for w in in_c:
        lines.append(f'{w.symbol}(1); printf("{w.name} %u", {w.symbol}(1)); '
                     f'printf(" %u\\n", {w.symbol}({1 + w.iterations}));')
    lines.append("return 0; }")
    write_if_changed(source, "\n".join(lines) + "\n")
    sources = [SOURCES / f"{w.name}.c" for w in in_c]
    if newer(program, source, *sources):
        objects = []
        for w in in_c:
            objects.append(folder / f"{w.name}.o")
            run(["cc", "-O1", "-ffp-contract=off", f"-DRUN={w.symbol}", "-c",
                 SOURCES / f"{w.name}.c", "-o", objects[-1]])
        run(["cc", "-O1", source, *objects, "-o", program])
    done = subprocess.run([str(program)], capture_output=True, text=True, check=True)
    table = {}
    for line in done.stdout.splitlines():
        name, once, many = line.split()
        table[name] = (int(once), int(many))
    for w in WORKLOADS:
        if w.rust:
            table[w.name] = table[w.rust]
    return table


def image_compiler():
    """Path of the program that turns a module into an image, built from this tree."""
    folder = build_folder("cargo-host")
    run(["cargo", "build", "--quiet", "--manifest-path", REPO / "bench" / "image" / "Cargo.toml",
         "--target-dir", folder], rust="host")
    return folder / "debug" / "wisp-bench-image"


def images(workloads, native=()):
    """Paths of the workloads' Wisp images, made by this tree's compiler.

    native: () for the register IR alone, or (machine, "poll" or "async") for native code too.
    """
    return compiled([wasm(workload) for workload in workloads], "-".join(("wisp", *native)), native)


def compiled(modules, folder, native):
    """Paths of the images that this tree's compiler makes of modules, in a folder of the build's."""
    program = image_compiler()
    outputs = []
    for module in modules:
        output = build_folder(folder) / f"{module.stem}.wisp"
        if newer(output, program, module):
            run([program, module, output, *native], env=zephyr_environment())
        outputs.append(output)
    return outputs


def entry(workload, code, size):
    """A workload's entry of the table; without code, it is skipped."""
    if code is None:
        return f'\t{{ "{workload.name}" }},'
    return f'\t{{ "{workload.name}", {code}, {size}, {workload.iterations} }},'


def native_entries(rust, chosen):
    """Declarations and table entries of the functions for the board itself."""
    here = [w for w in WORKLOADS if bool(w.rust) == rust and w in chosen]
    lines = [f"uint32_t {w.symbol}(uint32_t n);" for w in here]
    return lines, [entry(w, f"(const void *){w.symbol}" if w in here else None, 0) for w in WORKLOADS]


def module_entries(workloads, paths):
    """The same for modules, {workload: path}, which assembly puts into flash."""
    lines = ["extern const uint8_t bench_images_start[], bench_images_end[];"]
    assembly = ['.section .rodata.bench_images, \\"a\\"', ".balign 8",
                ".global bench_images_start", "bench_images_start:"]
    entries = []
    for w in workloads:
        if w not in paths:
            entries.append(entry(w, None, 0))
            continue
        path = paths[w]
        size = path.stat().st_size
        lines.append(f"extern const uint8_t image_{w.name}[];")
        assembly += [".balign 8", f"image_{w.name}:", f'.incbin \\"{path}\\"']
        entries.append(entry(w, f"image_{w.name}", size))
    assembly += [".balign 8", ".global bench_images_end", "bench_images_end:", ".previous"]
    lines.append("__asm__(")
    lines += [f'\t"{part}\\n"' for part in assembly]
    lines.append(");")
    return lines, entries


def table(kind, native=(), names=()):
    """Path of the C file with the table of workloads: native-c, native-rust, wasm or wisp.

    Every table has all workloads, so that an index means the same everywhere; what a kind
    lacks, because it is in another language or not among `names`, has no code and is skipped.
    """
    chosen = [w for w in WORKLOADS if not names or w.name in names]
    paths = []
    if kind.startswith("native"):
        lines, entries = native_entries(kind == "native-rust", chosen)
    else:
        paths = images(chosen, native) if kind == "wisp" else [wasm(w) for w in chosen]
        lines, entries = module_entries(WORKLOADS, dict(zip(chosen, paths)))
    return write_table("-".join((kind, *native, *names)), lines, entries, paths)


def write_table(name, lines, entries, paths):
    """Path of the C file with a table of workloads, whose modules are in these paths."""
    text = ["/* Generated by scripts/bench.py. */", '#include "runtime.h"', *lines,
            "const struct bench_workload bench_workloads[] = {", *entries, "};",
            f"const unsigned int bench_workload_count = {len(entries)};"]
    path = build_folder("tables") / f"{name}.c"
    write_if_changed(path, "\n".join(text) + "\n")
    # What .incbin reads is no dependency that ninja knows.
    if any(module.stat().st_mtime > path.stat().st_mtime for module in paths):
        path.touch()
    return path
