# SPDX-License-Identifier: Apache-2.0
"""Programs as others write them: compiled by stock toolchains, run as apps, compared with what they print natively.

Each file of tests/programs/<toolchain> is one program. It is compiled twice: for wasm with the flags that the SDK
gives to apps, and for this machine by the toolchain's native compiler (AssemblyScript runs in node). Output and
status must be the same, interpreted and as native code of this machine. Comments at the top of a program tell more of it:

    memory: N         it must do with N bytes of linear memory
    args: WORDS       its arguments
    env: NAME=VALUE   a variable, may be repeated
    trap: WORDS       it ends with this trap, not with the native status
    stderr: WORDS     these are part of its messages
    stdout: TEXT      what it prints, instead of what it prints natively; one line each
    status: N         its status, instead of the native one
    refused: WORDS    it does not compile or link, and the message has these words
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import devenv

import guest

PROGRAMS = devenv.REPO / "tests" / "programs"
# Calls and rounds of loops after which a program counts as endless.
FUEL = 500_000_000
# Bytes of linear memory with which each program is tried, the smallest first.
SIZES = [16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20]


@dataclass
class Row:
    """A line of the table."""

    toolchain: str
    program: str
    result: str
    tier: str = ""
    wasm: int = 0
    image: int = 0
    memory: int = 0

    @property
    def failed(self):
        """Tells whether the program failed."""
        return self.result.startswith("FAILED")

    @property
    def skipped(self):
        """Tells whether something is missing to run the program."""
        return self.result.startswith("skipped")

    def cells(self):
        """The line's texts."""
        sizes = [f"{size:,}" if size else "" for size in (self.wasm, self.image, self.memory)]
        return [self.toolchain, self.program, self.tier, *sizes, self.result]


@dataclass
class Program:
    """A program and what its comments say."""

    path: Path
    words: dict = field(default_factory=dict)

    @classmethod
    def read(cls, path):
        """Reads the comments."""
        words = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(?://|/\*) (memory|args|env|trap|stderr|stdout|status|refused|title|line): ?(.*?)(?: \*/)?$", line)
            if match:
                words.setdefault(match.group(1), []).append(match.group(2))
            elif line and not re.match(r"//|/\*|\s|#!\[", line):
                break
        return cls(path, words)

    def first(self, word):
        """The first value of a word, or None."""
        return self.words.get(word, [None])[0]

    def all(self, word):
        """All values of a word."""
        return self.words.get(word, [])

    @property
    def arguments(self):
        """The program's arguments."""
        return shlex.split(self.first("args") or "")

    @property
    def variables(self):
        """The program's variables."""
        return dict(variable.split("=", 1) for variable in self.all("env"))


@dataclass
class Outcome:
    """How a process ended."""

    status: int
    out: str
    err: str


def run(command, env=None, cwd=None, seconds=None):
    """Runs a command to its end. One that fetches from a registry has some seconds, after which it counts as failed."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace",
                              env=env, cwd=cwd, check=False, timeout=seconds, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Outcome(-1, "", f"{command[0]} did not end within {seconds} s")
    return Outcome(done.returncode, done.stdout, done.stderr)


def is_installed(folder, pinned):
    """Tells whether a folder has what a file of pinned releases names; an older folder is removed."""
    stamp = folder / pinned.name
    if (folder / "complete").is_file() and stamp.is_file() and stamp.read_bytes() == pinned.read_bytes():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def mark_installed(folder, pinned):
    """Notes that a folder has what a file of pinned releases names."""
    shutil.copy(pinned, folder / pinned.name)
    (folder / "complete").touch()


class Toolchain:
    """What compiles the programs of one folder."""

    name = ""
    endings = ()
    # Programs print to the standard error output.
    prints_errors = False

    def missing(self):
        """What is missing to compile for wasm; empty if nothing is."""
        return ""

    def wasm(self, source, output):
        """Compiles for wasm with the SDK's flags."""
        raise NotImplementedError

    def native(self, program, folder):
        """The command that runs the program natively, or an Outcome that tells why there is none."""
        raise NotImplementedError


class C(Toolchain):
    """clang with wasi-libc; natively the machine's compiler."""

    name, endings, compiler = "c", (".c",), ("cc", "gcc", "clang")
    flags = ("-std=gnu17",)

    def missing(self):
        clang, why = devenv.find_wasi(cpp=self.name == "cpp")
        if clang and not devenv.find_tool(*self.compiler):
            return f"none of {', '.join(self.compiler)} is here to compare with"
        return "" if clang else why

    def wasm(self, source, output):
        include = devenv.BUILD / "guest"
        if not (include / "wisp.h").is_file():
            guest.write_header("cargo", devenv.BUILD / "cargo" / "host", include)
        return run([sys.executable, devenv.REPO / "scripts" / "guest.py", "c", "--include", include,
                    "--flag=-Wall", "--flag=-Wextra", "-o", output, source])

    def native(self, program, folder):
        # No contraction to fused operations: wasm has none.
        command = [devenv.find_tool(*self.compiler), *self.flags, "-O1", "-ffp-contract=off", "-w", program.path, "-o",
                   folder / "native", "-lm"]
        done = run(command)
        return [folder / "native"] if done.status == 0 else done


class Cpp(C):
    """clang with libc++; natively the machine's compiler."""

    name, endings, compiler = "cpp", (".cpp",), ("c++", "g++", "clang++")
    flags = ("-std=gnu++17",)


class Rust(Toolchain):
    """rustc for wasm32-wasip1, with std."""

    name, endings = "rust", (".rs",)
    target = guest.STD_TARGET

    def missing(self):
        rustc = devenv.find_tool("rustc")
        if not rustc or not devenv.target_libraries(rustc, self.target):
            return f"rustc with the target {self.target} (rustup target add {self.target})"
        return ""

    @staticmethod
    def settings(target):
        """Flags of apps with std, as guest/rust/wasm.toml has them."""
        text = (devenv.REPO / "guest" / "rust" / "wasm.toml").read_text(encoding="utf-8")
        section = text.split(f"[target.{target}]")[1].split("\n[")[0]
        section = re.sub(r"#.*", "", section)
        return re.findall(r'"([^"]+)"', section)

    def wasm(self, source, output):
        return run(["rustc", "--edition", "2021", "--target", self.target, *self.settings(self.target), "-Copt-level=s",
                    "-Clto=fat", "-Ccodegen-units=1", "-Cpanic=abort", "-Cdebuginfo=line-tables-only", "-o", output,
                    source])

    def native(self, program, folder):
        native = folder / "native"
        done = run(["rustc", "--edition", "2021", "-Copt-level=1", "-Cpanic=abort", "-Awarnings", "-o", native, program.path])
        return [native] if done.status == 0 else done


class Zig(Toolchain):
    """Zig's compiler out of PyPI."""

    name, endings = "zig", (".zig",)
    prints_errors = True

    def __init__(self):
        self.env = None

    def missing(self):
        pinned = PROGRAMS / "zig" / "requirements.txt"
        folder = devenv.BUILD / "programs" / "zig"
        if not is_installed(folder, pinned):
            done = run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--require-hashes", "--target", folder, "-r", pinned], seconds=900)
            if done.status != 0:
                return "pip cannot install it: " + " ".join(done.err.strip().splitlines()[-1:])
            mark_installed(folder, pinned)
        self.env = {**os.environ, "PYTHONPATH": str(folder)}
        return ""

    def build(self, source, output, *flags):
        """Runs Zig's compiler."""
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "ziglang", "build-exe", source, "--name", "program", *flags]
            done = run(command, self.env, folder)
            for name in ("program.wasm", "program"):
                if done.status == 0 and (Path(folder) / name).is_file():
                    shutil.copy(Path(folder) / name, output)
                    break
            return done

    def wasm(self, source, output):
        return self.build(source, output, "-target", "wasm32-wasi", "-O", "ReleaseSmall", "--stack", "8192")

    def native(self, program, folder):
        done = self.build(program.path, folder / "native", "-O", "ReleaseSafe")
        return [folder / "native"] if done.status == 0 else done


class AssemblyScript(Toolchain):
    """asc without options; natively the engine of node, with a host that this script has for it."""

    name, endings = "assemblyscript", (".ts",)

    def __init__(self):
        self.asc = None

    def missing(self):
        npm, node = devenv.find_tool(os.environ.get("NPM", "npm")), devenv.find_tool("node")
        if not npm or not node:
            return "npm and node"
        pinned = PROGRAMS / "assemblyscript" / "package-lock.json"
        folder = devenv.BUILD / "programs" / "assemblyscript"
        self.asc = folder / "node_modules" / ".bin" / "asc"
        if not is_installed(folder, pinned):
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", pinned.name):
                shutil.copy(pinned.parent / name, folder / name)
            # The lock file has the hashes.
            done = run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, seconds=600)
            if done.status != 0 or not self.asc.is_file():
                return "npm cannot install it: " + " ".join(done.err.strip().splitlines()[-1:])
            mark_installed(folder, pinned)
        return ""

    def wasm(self, source, output, *flags):
        return run([self.asc, source.name, "-o", output, *flags], cwd=source.parent)

    def native(self, program, folder):
        return ["node", PROGRAMS / "assemblyscript" / "host.mjs", folder / "program.wasm"]


TOOLCHAINS = [C, Cpp, Rust, Zig, AssemblyScript]


def wanted(program, toolchain, folder):
    """What the program must print and end with: (output, status), or an error as text."""
    native = toolchain.native(program, folder)
    if isinstance(native, Outcome):
        return f"it does not compile natively: {native.err}{native.out}"
    done = run([*native, *program.arguments], {**os.environ, **program.variables}, folder)
    printed = done.out + done.err if toolchain.prints_errors else done.out
    out = "".join(line + "\n" for line in program.all("stdout")) or printed
    return out, int(program.first("status") or done.status)


def messages(text):
    """What an app logged, without times and its name."""
    return re.sub(r"^\[[\d:.,]+\] <\w+> \w+: ", "", text, flags=re.MULTILINE)


def problem(program, toolchain, expected, done, tier="interpreter"):
    """What is wrong with a run; empty if nothing is."""
    out, status = expected
    # Messages of AssemblyScript are log lines.
    got = messages(done.out) if toolchain.name == "assemblyscript" else done.out
    if toolchain.prints_errors:
        got += done.err
    trap = program.first("trap")
    if trap and toolchain.prints_errors:
        # Behind its own output stands where it trapped.
        got = got[:len(out)]
    if got.rstrip("\n") != out.rstrip("\n"):
        return f"it printed:\n{got}\nexpected:\n{out}\nmessages:\n{done.err}"
    if trap and f"trap: {trap}" not in done.err:
        return f"expected the trap `{trap}`; it ended with {done.status}: {done.err}"
    if not trap and done.status != status:
        return f"it ended with {done.status}, expected {status}: {done.err}"
    for words in program.all("stderr"):
        # Native code tells where it trapped, and not who called.
        if tier == "native" and re.match(r"[1-9]\d*: ", words):
            continue
        if words not in messages(done.err + done.out):
            return f"expected `{words}` among its messages: {done.err}"
    return ""


def check(toolchain, program, wisp, folder):
    """Compiles one program, runs it in both tiers: its line of the table."""
    row = Row(toolchain.name, program.path.stem, "passed", "interpreter")
    module = folder / "program.wasm"
    built = toolchain.wasm(program.path, module)
    refused = program.first("refused")
    if refused:
        row.tier = ""
        row.result = "refused with words" if built.status != 0 and refused in built.err + built.out else (
            f"FAILED: expected the build to say `{refused}`; it ended with {built.status}: {built.err}{built.out}")
        return row
    if built.status != 0:
        row.result = f"FAILED: it does not compile: {built.err}{built.out}"
        return row
    row.wasm = module.stat().st_size
    image = folder / "program.wisp"
    made = run([wisp, "build", module, "-o", image, "--quiet", "--name", "program"])
    if made.status != 0:
        row.result = f"FAILED: {made.err}"
        return row
    row.image = image.stat().st_size
    expected = wanted(program, toolchain, folder)
    if isinstance(expected, str):
        row.result = f"FAILED: {expected}"
        return row
    variables = [f"--env={name}={value}" for name, value in program.variables.items()]
    most = int(program.first("memory") or SIZES[-1])

    def wrong_with(size, tier, option):
        done = run([wisp, "run", f"--max-memory={size}", option, *variables, module, "--", *program.arguments], seconds=900)
        return problem(program, toolchain, expected, done, tier)

    for size in SIZES:
        wrong = wrong_with(size, "interpreter", f"--fuel={FUEL}")
        if not wrong:
            row.memory = size
            break
    if wrong:
        row.result = f"FAILED: {wrong}"
    elif size > most:
        row.result = f"FAILED: it needs {size} bytes of linear memory, {most} must do"
    else:
        row.tier = "interpreter, native"
        wrong = wrong_with(size, "native", "--native")
        if wrong:
            row.result = f"FAILED: native: {wrong}"
    return row


# Languages in which each header of the SDK compiles.
STANDARDS = {"c": ["c99", "c11", "c17"], "c++": ["c++17", "c++20"]}


def check_headers():
    """Compiles each header of the SDK alone, in each language that it is for."""
    clang, why = devenv.find_wasi(cpp=True)
    if not clang:
        return [], why
    include = devenv.BUILD / "guest"
    guest.write_header("cargo", devenv.BUILD / "cargo" / "host", include)
    rows = []
    headers = [(include / "wisp.h", language) for language in STANDARDS]
    # The small libc is for C.
    tiny = devenv.REPO / "guest" / "c" / "tiny" / "include"
    headers += [(path, "c") for path in sorted(tiny.rglob("*.h"))]
    for header, language in headers:
        for standard in STANDARDS[language]:
            done = run([clang, "--target=wasm32", "-nostdlibinc", "-x", language, f"-std={standard}", "-fsyntax-only",
                        "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", include, "-I", tiny, "-include", header,
                        os.devnull])
            result = "passed" if done.status == 0 else f"FAILED: {done.err}"
            name = header.relative_to(tiny) if header.is_relative_to(tiny) else header.name
            rows.append(Row("header", f"{name} as {standard}", result))
            print(f"header: {name} as {standard}: {result}", flush=True)
    return rows, ""


def table(rows):
    """The table as Markdown."""
    head = ["toolchain or package", "program", "tier", "wasm, bytes", "image, bytes", "memory, bytes", "result"]
    lines = [head, ["---", "---", "---", "--:", "--:", "--:", "---"], *(row.cells() for row in rows)]
    return "".join("| " + " | ".join(cell.splitlines()[0] if cell else "" for cell in line) + " |\n" for line in lines)


def is_wanted(name, only):
    """Tells whether a toolchain, or a program as toolchain/name, is among those asked for; all are without names."""
    return not only or any(name == word or name.startswith(word + "/") or word.startswith(name + "/") for word in only)


def check_all(wisp, only=None):
    """Lines of the table for all programs of all toolchains; a toolchain that is missing has one line."""
    rows = []

    def skip(name, missing):
        rows.append(Row(name, "all", f"skipped: {missing}"))
        print(f"{name}: skipped: {missing}", flush=True)

    if is_wanted("headers", only):
        rows, missing = check_headers()
        if missing:
            skip("header", missing)
    for toolchain in (kind() for kind in TOOLCHAINS):
        if not is_wanted(toolchain.name, only):
            continue
        missing = toolchain.missing()
        if missing:
            skip(toolchain.name, missing)
            continue
        folder = PROGRAMS / toolchain.name
        for path in sorted(path for path in folder.iterdir() if path.suffix in toolchain.endings):
            if not is_wanted(f"{toolchain.name}/{path.stem}", only):
                continue
            with tempfile.TemporaryDirectory() as place:
                row = check(toolchain, Program.read(path), wisp, Path(place))
            rows.append(row)
            print(f"{row.toolchain}: {row.program}: {row.result}", flush=True)
    return rows


def firmware_module():
    """Compiles the guest in AssemblyScript of the firmware: (its path, what is missing for the firmware)."""
    for kind in (Cpp, Rust):
        missing = kind().missing()
        if missing:
            return None, f"{kind.name}: {missing}"
    toolchain = AssemblyScript()
    missing = toolchain.missing()
    if missing:
        return None, f"{toolchain.name}: {missing}"
    module = devenv.BUILD / "programs" / "in_assemblyscript.wasm"
    # asc gives a program 32 KB of stack, which is half of the RAM of the smaller board.
    built = toolchain.wasm(PROGRAMS / "firmware" / "guests" / "program.ts", module, "--stackSize", "4096")
    return (module, "") if built.status == 0 else (None, built.err + built.out)


def main():
    """By hand: programs.py WISP [TOOLCHAIN[/PROGRAM]...]"""
    rows = check_all(Path(sys.argv[1]).resolve(), sys.argv[2:])
    if not rows:
        sys.exit("programs: no program is called " + " or ".join(sys.argv[2:]))
    print(table(rows))
    sys.exit(any(row.failed for row in rows))


if __name__ == "__main__":
    main()
