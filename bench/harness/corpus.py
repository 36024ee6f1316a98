# SPDX-License-Identifier: Apache-2.0
"""The corpus: real programs out of crates of the registry, as bench/corpus/corpus.toml has them.

A suite of workloads like guests.py: the same functions, which images.py and measure.py call. Native code of the board
is the reference and says what is right, so that it is measured first.
"""

import re
from dataclasses import dataclass, field

from . import boards, guests, images, results
from .tools import REPO, build_folder, devenv, fail, newer, read_toml, run, rust_environment, write_if_changed

FOLDER = REPO / "bench" / "corpus"
LIST = FOLDER / "corpus.toml"
FILE = REPO / "bench" / "corpus.json"
RUST, C = FOLDER / "rust", FOLDER / "c"
PREFIX = "corpus-"
BOARDS = tuple(boards.find(name) for name in ("m3", "m0plus", "rv32"))
# Bytes of a program's stack in linear memory, unless the list names more: what Rust's and C's guests have by default.
STACK = 4096
# Bytes for the arena of Wisp and the heap of its peers. The boards have 4 MB of RAM.
ARENA, HEAP = 1536 << 10, 2 << 20
# Bytes of a peer's own stack, and the slots of a function's stack for which wasm3 is built.
PEER_STACK, PEER_SLOTS = 8192, 2000


@dataclass(frozen=True)
class Program:
    """A program: what it is made of, and the iterations that the longer run adds."""

    name: str
    title: str
    kind: str
    crate: str
    in_c: bool
    never_tune: bool
    stack: int = STACK
    # Why boards cannot have it.
    without: dict = field(default_factory=dict, hash=False)
    sources: tuple = ()
    include: tuple = ()
    flags: tuple = ()
    iterations: int = 2

    @property
    def symbol(self):
        """Name of the native function."""
        return f"run_{self.name}"


def read():
    """The programs of the list, sorted by name."""
    listed = read_toml(LIST)
    never = listed["never_tune_on"]
    found = []
    for language in ("rust", "c"):
        for name, entry in listed[language].items():
            values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
            found.append(Program(name=name, in_c=language == "c", never_tune=name in never, **values))
    return tuple(sorted(found, key=lambda program: program.name))


WORKLOADS = read()
BY_NAME = {program.name: program for program in WORKLOADS}


def on(board):
    """Names of the programs that a board can have."""
    return tuple(program.name for program in WORKLOADS if board.short not in program.without)


def features(board, runtime):
    """Cargo features: of the native programs in Rust, or of the engine's crate."""
    if runtime == "native":
        return [name for name in on(board) if not BY_NAME[name].in_c]
    return ["large"] if runtime == "wisp" else []


def options(board, runtime):
    """Options of CMake: memory for programs of this size, and the sources of those in C."""
    if runtime == "native":
        return [f"-DBENCH_PARTS={parts(board)}"]
    if runtime == "wisp":
        return [f"-DBENCH_DEFINES=ARENA_SIZE={ARENA}"]
    return [f"-DBENCH_DEFINES=GUEST_STACK={PEER_STACK}", f"-DCONFIG_BENCH_HEAP_SIZE={HEAP}", "-DBENCH_BULK_MEMORY=ON",
            f"-DBENCH_STACK_HEIGHT={PEER_SLOTS}"]


def present(board, runtime, tier):
    """The programs that an image has: all, so that an index means the same everywhere."""
    return WORKLOADS


def missing():
    """Why the programs cannot be had here; None if they can."""
    target = "wasm32-unknown-unknown"
    if devenv.rust_environment([target])[0] is None:
        return f"there is no Rust for {target}"
    clang, why = devenv.find_wasi()
    if clang is None:
        return why
    for folder in (RUST, C):
        fetched = devenv.output(["cargo", "fetch", "--locked", "--manifest-path", str(folder / "Cargo.toml")])
        if fetched is None:
            return "cargo cannot fetch the crates: no registry is reached"
    return None


def place(text):
    """Path of a file or folder of a crate, CRATE/PATH."""
    crate, _, path = text.partition("/")
    return images.crate_folder(crate, "bench/corpus/c/Cargo.toml") / path


def c_sources(program):
    """Paths of a program's sources in C, and its flags."""
    folders = [C, C / "include", *(place(folder) for folder in program.include)]
    return [C / f"{program.name}.c", *(place(source) for source in program.sources)], \
        [*(f"-I{folder}" for folder in folders), *program.flags]


def parts(board):
    """Path of the CMake code that names the native sources in C."""
    lines = []
    for name in on(board):
        if BY_NAME[name].in_c:
            sources, flags = c_sources(BY_NAME[name])
            words = " ".join(f"[[{flag}]]" for flag in flags)
            lines += [f"bench_native_source({name} [[{source}]] {words})" for source in sources]
    path = build_folder("tables") / f"corpus-{board.short}.cmake"
    write_if_changed(path, "\n".join(lines) + "\n")
    return path


def rust_wasm(program):
    """Path of the module of a program in Rust."""
    output = build_folder("corpus") / f"{program.name}.wasm"
    if newer(output, *RUST.glob("src/*.rs"), *RUST.glob("*.rs"), *RUST.glob("Cargo.*"), LIST):
        target = "wasm32-unknown-unknown"
        env = rust_environment(target)
        flags = ["-C", f"link-arg=-zstack-size={program.stack}", "-C", "link-arg=--stack-first", "-C",
                 "link-arg=--export=__heap_base", "-C", "link-arg=--export=__data_end", "-C", "link-arg=--strip-all"]
        env["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
        folder = build_folder("cargo-corpus")
        run(["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", RUST / "Cargo.toml",
             "--target", target, "--target-dir", folder, "--no-default-features", "--features", program.name], env=env)
        output.write_bytes((folder / target / "release" / "bench_corpus.wasm").read_bytes())
    return output


def c_wasm(program):
    """Path of the module of a program in C."""
    output = build_folder("corpus") / f"{program.name}.wasm"
    sources, flags = c_sources(program)
    if newer(output, *C.glob("*.[ch]"), LIST):
        clang, wasi = devenv.find_wasi()
        if clang is None:
            fail(wasi)
        run([clang, *wasi, "-O2", "-w", "-mbulk-memory", "-mnontrapping-fptoint", "-ffunction-sections", "-fdata-sections",
             "-fvisibility=hidden", "-nostartfiles", *flags, *sources, "-Wl,--no-entry", "-Wl,--gc-sections",
             f"-Wl,-zstack-size={program.stack}", "-Wl,--stack-first", "-Wl,--export=__heap_base",
             "-Wl,--export=__data_end", "-Wl,--strip-all", "-o", output])
    return output


def wasm(program):
    """Path of a program's module, compiled when what it is made of is newer."""
    return c_wasm(program) if program.in_c else rust_wasm(program)


def table(kind, native=(), names=()):
    """Path of the C file with the table of programs: native-c, wasm or wisp. What is not among `names` is skipped."""
    chosen = [program for program in WORKLOADS if program.name in names]
    paths = {}
    if kind.startswith("native"):
        lines = [f"uint32_t {program.symbol}(uint32_t n);" for program in chosen]
        entries = [guests.entry(w, f"(const void *){w.symbol}" if w in chosen else None, 0) for w in WORKLOADS]
    else:
        modules = [wasm(program) for program in chosen]
        made = guests.compiled(modules, f"corpus-{'-'.join(('wisp', *native))}", native) if kind == "wisp" else modules
        paths = dict(zip(chosen, made))
        lines, entries = guests.module_entries(WORKLOADS, paths)
    return guests.write_table("-".join(("corpus", kind, *native)), lines, entries, paths.values())


class Store(results.Store):
    """The measured results of the corpus: bench/corpus.json unless another file is named, which begins as a copy."""

    def __init__(self, path=None):
        super().__init__(path or FILE, ("native", "own"))
        if path and not self.path.is_file():
            self.runs, self.sizes = results.Store(FILE, self.reference).runs, {}

    def expected(self, board):
        """{program: checksums of (run(1), run(1 + iterations))} of native code on a board."""
        stored = self.run(board, *self.reference) or {"workloads": {}}
        return {name: tuple(int(word, 16) for word in values["check"].split())
                for name, values in stored["workloads"].items()}


class Suite:
    """The corpus with the results that say what is right."""

    WORKLOADS, PREFIX = WORKLOADS, PREFIX
    on, features, options = staticmethod(on), staticmethod(features), staticmethod(options)
    present, table = staticmethod(present), staticmethod(table)

    def __init__(self, store):
        self.store = store

    def expected(self, board):
        """Checksums of each program, from native code of the board."""
        return self.store.expected(board)


def locked(manifest):
    """{crate: its versions} of the lock file beside a manifest."""
    text = (manifest.parent / "Cargo.lock").read_text(encoding="utf-8")
    found = {}
    for name, version in re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "[0-9a-f]{64}"', text):
        found.setdefault(name, []).append(version)
    return found


def version(program):
    """The version of a program's crate that is locked, with the hash of its sources."""
    versions = locked((C if program.in_c else RUST) / "Cargo.toml").get(program.crate, [])
    if len(versions) != 1:
        fail(f"{program.name}: expected one version of {program.crate} in the lock file, found {versions}")
    return versions[0]
