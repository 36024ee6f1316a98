# SPDX-License-Identifier: Apache-2.0
"""What load, RAM and image take against the size of a module: a suite of generated modules of 4 KB to 1 MB.

A suite of workloads like guests.py, on a Cortex-M3. Its checksums are those of the smallest tier that ran, so that its runs
are compared with each other.
"""

from dataclasses import dataclass

from . import boards, guests, measure, results
from .render import number, table
from .tools import REPO, build_folder, fail, newer, run, versioned, write_if_changed, zephyr_environment

FILE = REPO / "bench" / "scaling.json"
PREFIX = "scaling-"
BOARD = boards.find("m3")
RUNS = (("wisp", "thumb", "interpreted"), ("wisp", "translated", "translated"))
# Bytes for the arena. The board has 4 MB of RAM.
ARENA = 2560 << 10
# Functions of each module.
COUNTS = (20, 80, 320, 1280, 5120)


@dataclass(frozen=True)
class Module:
    """A generated module with so many functions."""

    functions: int
    iterations: int = 1

    @property
    def name(self):
        """Its name in tables."""
        return f"functions_{self.functions}"


WORKLOADS = tuple(Module(count) for count in COUNTS)


def source(count):
    """A module in C: functions with a loop, a memory access and branches, and none like the other."""
    lines = ["typedef unsigned u;", "static u memory[64];", "typedef u function(u);"]
    for at in range(count):
        one, two, three = (at * factor % 99991 for factor in (7919, 104729, 1299709))
        lines.append(f"__attribute__((noinline)) static u f{at}(u x) {{ u y = x ^ {one}u; for (u i = 0; i < (x & 3); i++) "
                     f"{{ y = y * {two | 1}u + memory[(y >> 7) & 63]; if (y & {1 << at % 13}u) y ^= i << {at % 7 + 1}; }} "
                     f"memory[x & 63] = y; return y > {three}u ? y - {two}u : y + {three}u; }}")
    lines.append("static function *const all[] = {" + ",".join(f"f{at}" for at in range(count)) + "};")
    lines.append("__attribute__((export_name(\"run\"))) u run(u n) { u sum = 0; for (u i = 0; i < n; i++) "
                 f"for (u j = 0; j < {count}; j++) sum = sum * 3 + all[j](i + j); return sum; }}")
    return "\n".join(lines) + "\n"


def wasm(module):
    """Path of a module."""
    folder = build_folder("scaling")
    text, output = folder / f"{module.name}.c", folder / f"{module.name}.wasm"
    write_if_changed(text, source(module.functions))
    if newer(output, text):
        clang = versioned("clang")
        if not clang:
            fail("no clang was found to compile the modules to wasm")
        run([clang, "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,-z,stack-size=1024", "-Wl,--stack-first",
             "-Wl,--export=__heap_base", "-Wl,--strip-all", text, "-o", output])
    return output


def on(board):
    """Names of the modules on a board."""
    return tuple(module.name for module in WORKLOADS)


def features(board, runtime):
    """Cargo features of the engine's crate."""
    return ["large"]


def options(board, runtime):
    """Options of CMake."""
    return [f"-DBENCH_DEFINES=ARENA_SIZE={ARENA}"]


def present(board, runtime, tier):
    """The modules of an image."""
    return WORKLOADS


def table_of(kind, native=(), names=()):
    """Path of the C file with the table of modules."""
    made = guests.compiled([wasm(module) for module in WORKLOADS], "scaling-wisp", native)
    paths = dict(zip(WORKLOADS, made))
    lines, entries = guests.module_entries(WORKLOADS, paths)
    return guests.write_table("scaling", lines, entries, paths.values())


class Suite:
    """The modules, with the checksums of the runs before."""

    WORKLOADS, PREFIX = WORKLOADS, PREFIX
    on, features, options = staticmethod(on), staticmethod(features), staticmethod(options)
    present, table = staticmethod(present), staticmethod(table_of)

    def __init__(self):
        self.checks = None

    def expected(self, board):
        """Checksums of the first run, None before it."""
        return self.checks


def measure_all(timeout):
    """Measures and stores all runs; the number of modules that failed."""
    zephyr_environment()
    store, suite, failures = results.Store(FILE, ("native", "own")), Suite(), 0
    for runtime, tier, _ in RUNS:
        result = measure.measure(BOARD, runtime, tier, timeout=timeout, suite=suite)
        if suite.checks is None:
            suite.checks = {name: tuple(int(word, 16) for word in values.pop("check").split())
                            for name, values in result["workloads"].items()}
        for module in WORKLOADS:
            if module.name in result["workloads"]:
                result["workloads"][module.name]["wasm"] = wasm(module).stat().st_size
        failures += len(result["failures"])
        store.add(BOARD, runtime, tier, result, partial=False)
        store.save()
    print(text(store))
    return failures


def text(store):
    """The table: what each module takes, and that by byte of WebAssembly."""
    rows = []
    for module in WORKLOADS:
        found = [(store.run(BOARD, runtime, tier) or {"workloads": {}})["workloads"].get(module.name) for runtime, tier, _ in RUNS]
        size = next((values["wasm"] for values in found if values), None)
        if size is None:
            continue
        cells = [number(module.functions), number(size), number(found[0] and found[0]["module"])]
        for values in found:
            cells += ["-"] * 3 if not values else [
                f"{values['load']:,.0f} ({values['load'] / size:.1f})", number(values["heap"] - values["memory"]),
                number(values["stack"])]
        rows.append(cells)
    head = ["functions", "WebAssembly, bytes", "image, bytes"]
    for _, _, title in RUNS:
        head += [f"{title}: load (by byte)", "RAM without linear memory", "native stack"]
    return table(head, rows)
