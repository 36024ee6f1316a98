#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles guests to wasm. Called by wisp_add_app() in CMake, and useful by hand.

The flags of a guest are its own, where it has them (.cargo/config.toml, compile.flags and
link.flags), else those in guest/c/*.flags and guest/rust/wasm.toml. This program only adds what
depends on the machine: where wasi-libc is, which linker there is and whether it knows pages of
one byte. It says when a stack that it is asked for overrides that of the guest's settings.
"""

import argparse
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devenv import BUILD, REPO, find_tool, find_wasi, output, rust_environment, target_libraries, versioned

TARGET = "wasm32-unknown-unknown"
# What Rust guests with std are built for.
STD_TARGET = "wasm32-wasip1"


def run(command, **options):
    """Runs a command; ends the program with its exit code if it fails."""
    done = subprocess.run([str(part) for part in command], check=False, **options)
    if done.returncode != 0:
        sys.exit(done.returncode)


def copy_if_changed(source, destination):
    """Copies a file unless the destination has the same content."""
    source, destination = Path(source), Path(destination)
    if destination.is_file() and destination.read_bytes() == source.read_bytes():
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, destination)


class Locked:
    """Holds a lock on a folder that several builds share."""

    def __init__(self, folder):
        self.path = Path(folder) / "wisp.lock"

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "w", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def rust_lld(rustc):
    """The linker that comes with a rustc, or None."""
    sysroot = output([rustc, "--print", "sysroot"])
    host = output([rustc, "-vV"]) or ""
    triple = next((line.split()[1] for line in host.splitlines() if line.startswith("host:")), "")
    path = Path(sysroot or "") / "lib" / "rustlib" / triple / "bin" / "rust-lld"
    return str(path) if path.is_file() else None


def wasm_linker(rustc=None):
    """A wasm linker and whether it has --page-size: (path, flag); (None, False) if there is none."""
    candidates = []
    for compiler in (rustc, find_tool("rustc")):
        if compiler:
            candidates.append(rust_lld(compiler))
    candidates.append(versioned("wasm-ld"))
    found = [linker for linker in candidates if linker]
    for linker in found:
        flavor = ["-flavor", "wasm"] if linker.endswith("rust-lld") else []
        text = output([linker, *flavor, "--help"]) or ""
        if "--page-size" in text:
            return linker, True
    return (found[0], False) if found else (None, False)


def no_linker():
    sys.exit("guest.py: no linker for wasm was found: install lld, or Rust with rustup")


def wasm_target(cargo, source, env):
    """What of a package becomes the module, as arguments for cargo: its binary, or its library of crate-type cdylib."""
    command = [cargo, "metadata", "--no-deps", "--format-version", "1"]
    done = subprocess.run(command, cwd=source, check=False, stdout=subprocess.PIPE, text=True, env=env)
    if done.returncode != 0:
        sys.exit(done.returncode)
    found = []
    for package in json.loads(done.stdout)["packages"]:
        if Path(package["manifest_path"]).parent != source:
            continue
        for target in package["targets"]:
            if "bin" in target["kind"]:
                found.append(["--bin", target["name"]])
            elif "cdylib" in target["crate_types"]:
                found.append(["--lib"])
    if len(found) != 1:
        names = ", ".join(" ".join(target) for target in found) or "none"
        sys.exit(f"guest.py: {source}: expected one binary, or one library of crate-type cdylib; found {names}")
    return found[0]


def own_rust_settings(source):
    """The target that a package's own .cargo/config.toml builds for; None if it has no such file or target."""
    for name in ("config.toml", "config"):
        path = Path(source) / ".cargo" / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            found = re.search(r"^\s*\[build\][^\[]*?^\s*target\s*=\s*[\"'](wasm32[\w-]+)[\"']", text, re.MULTILINE)
            return found.group(1) if found else None
    return None


def build_rust(args):
    """Builds a cargo package for wasm and copies its module."""
    source = Path(args.source).resolve()
    own = own_rust_settings(source)
    target = own or TARGET
    env = dict(os.environ)
    cargo, rustc = args.cargo, args.rustc
    if not cargo:
        # By hand: choose as CMake does.
        found, reason = rust_environment([target])
        if found is None:
            sys.exit(f"guest.py: {reason}")
        env.update(found)
        rustc = found.get("RUSTC", find_tool("rustc"))
        beside = Path(rustc).parent / "cargo"
        cargo = str(beside) if beside.is_file() else "cargo"
    if target != TARGET and not target_libraries(rustc, target):
        sys.exit(f"guest.py: {source} is built for {target}, which {rustc} lacks: rustup target add {target}")
    linker, has_page_size = wasm_linker(rustc)
    if not linker:
        no_linker()
    folder = Path(args.target_dir).resolve()
    # What differs between guests goes to the last call of rustc only, so that all guests share the crates
    # below them, and core where that is built from source.
    # The same module, and so the same image, wherever the sources are.
    flags = [f"--remap-path-prefix={source}=/{source.name}"]
    # --config files and the manifest are looked up from the package's own folder.
    settings = [] if own else ["--config", REPO / "guest" / "rust" / "wasm.toml"]
    if target == TARGET:
        settings += ["--config", f"target.{target}.linker={json.dumps(linker)}"]
        if has_page_size and not args.grows and not own:
            flags += ["-C", "link-arg=--page-size=1"]
        if linker.endswith("rust-lld"):
            flags += ["-C", "linker-flavor=wasm-ld"]
    if args.stack:
        # Of several sizes the last counts, and the flags of settings come after those of this call.
        settings += ["--config", f'target.{target}.rustflags=["-C", "link-arg=-zstack-size={args.stack}"]']
        if own:
            print(f"guest.py: the stack of {args.stack} bytes overrides that of {source / '.cargo' / 'config.toml'}")
    command = [cargo, *settings,
               "rustc", "--release", "--target", target, *wasm_target(cargo, source, env),
               "--target-dir", folder, "--message-format", "json-render-diagnostics"]
    if not args.verbose:
        command.append("--quiet")
    command += ["--", *flags]
    with Locked(folder):
        done = subprocess.run([str(part) for part in command], cwd=source, check=False,
                              stdout=subprocess.PIPE, text=True, env=env)
        if done.returncode != 0:
            sys.exit(done.returncode)
        modules = []
        for line in done.stdout.splitlines():
            message = json.loads(line)
            if message.get("reason") == "compiler-artifact":
                modules += [name for name in message["filenames"] if name.endswith(".wasm")]
        if len(modules) != 1:
            sys.exit(f"guest.py: {args.source}: expected one wasm module, cargo made {modules}")
        copy_if_changed(modules[0], args.output)


def flags_in(path):
    """The arguments of a response file; none where there is no such file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if line and not line.startswith("#")]


def settings_of(sources):
    """The folder whose compile.flags and link.flags count: the guest's own, else guest/c."""
    own = Path(sources[0]).resolve().parent
    return own if (own / "compile.flags").is_file() and (own / "link.flags").is_file() else REPO / "guest" / "c"


def defines(clang, objects, names):
    """Tells whether one of the objects defines one of the names."""
    nm = output([clang, "-print-prog-name=llvm-nm"])
    if not nm or not find_tool(nm):
        nm = versioned("llvm-nm")
    if not nm:
        sys.exit("guest.py: llvm-nm was not found; it comes with LLVM (package llvm-19) or a wasi-sdk")
    found = output([nm, "--defined-only", "--format=just-symbols", *(str(path) for path in objects)]) or ""
    return not names.isdisjoint(found.splitlines())


# What clang calls main(), by its parameters.
MAIN = {"main", "__main_void", "__main_argc_argv", "__original_main"}
CPP = (".cpp", ".cc", ".cxx")


def with_tiny(args):
    """The compiler, its flags and the link's for a guest with guest/c/tiny: (clang, compile, link, more sources)."""
    if any(str(source).endswith(CPP) for source in args.sources):
        sys.exit("guest.py: guest/c/tiny is for C only; a guest in C++ needs wasi-libc (--libc wasi, LIBC wasi)")
    clang = versioned("clang")
    if not clang:
        sys.exit("guest.py: clang was not found; C guests need it (package clang)")
    linker, has_page_size = wasm_linker()
    if not linker:
        no_linker()
    library = REPO / "guest" / "c" / "tiny"
    # lld goes by its name.
    alias = Path(args.folder) / "wasm-ld"
    alias.symlink_to(linker)
    link = [*flags_in(library / "link.flags"), f"-fuse-ld={alias}"]
    if has_page_size and not args.grows:
        link.append("-Wl,--page-size=1")
    sources = [] if args.bare else sorted((library / "src").glob("*.c"))
    return clang, [*flags_in(library / "compile.flags"), f"-I{library / 'include'}"], link, sources


def with_wasi(args):
    """As with_tiny(), for a guest with wasi-libc and libc++."""
    cpp = any(str(source).endswith(CPP) for source in args.sources)
    clang, found = find_wasi(cpp)
    if not clang:
        hint = "" if cpp else "; a guest that needs little of libc can do with guest/c/tiny (--libc tiny, LIBC tiny)"
        sys.exit(f"guest.py: {found}{hint}")
    absent = REPO / "guest" / "c" / "absent"
    return clang, [*found, "-idirafter", absent], found, []


def build_c(args):
    """Compiles and links C and C++ files, with objects among them."""
    include = args.include
    if not include:
        include = BUILD / "guest"
        write_header("cargo", BUILD / "cargo" / "host", include)
    settings = settings_of(args.sources)
    with tempfile.TemporaryDirectory() as folder:
        args.folder = Path(folder)
        clang, compiling, linking, library = (with_tiny if args.libc == "tiny" else with_wasi)(args)
        # The same module, and so the same image, wherever the sources are. The last that fits counts.
        places = {REPO: "wisp", include: "include", Path(args.sources[0]).resolve().parent: "."}
        compiling = [*compiling, *flags_in(settings / "compile.flags"), f"-I{include}",
                     *(f"-ffile-prefix-map={Path(place).resolve()}={name}" for place, name in places.items()),
                     "-fdebug-compilation-dir=.", *args.flag]
        own = settings / "include"
        if own.is_dir() and settings != REPO / "guest" / "c":
            compiling.append(f"-I{own}")
        objects = []
        for source in [*args.sources, *library]:
            if str(source).endswith(".o"):
                objects.append(source)
                continue
            objects.append(args.folder / f"{len(objects)}.o")
            more = flags_in(settings / "cpp.flags") if str(source).endswith(CPP) else []
            run([clang, *compiling, *more, "-c", source, "-o", objects[-1]])
        entry = []
        if args.libc != "tiny":
            if args.reactor:
                entry = ["-mexec-model=reactor"]
            elif not defines(clang, objects, MAIN):
                entry = ["-nostartfiles", "-Wl,--no-entry"]
        if args.stack and settings != REPO / "guest" / "c":
            print(f"guest.py: the stack of {args.stack} bytes overrides that of {settings / 'link.flags'}")
        # The last size of the stack counts.
        stack = [f"-Wl,-zstack-size={args.stack}"] if args.stack else []
        if args.libc == "tiny" and settings == REPO / "guest" / "c":
            link = [*flags_in(settings / "link.flags"), *linking, *stack]
        else:
            link = [*linking, *flags_in(settings / "link.flags"), *stack]
        if any(str(source).endswith(CPP) for source in args.sources):
            link += ["-lc++", "-lc++abi"]
        module = args.folder / "module.wasm"
        run([clang, *entry, *objects, *link, *args.flag, "-Wno-unused-command-line-argument", "-o", module])
        copy_if_changed(module, args.output)


def write_header(cargo, target_dir, include):
    """Writes the C header of the guest ABI into a folder."""
    header = Path(include) / "wisp.h"
    header.parent.mkdir(parents=True, exist_ok=True)
    run([cargo, "run", "--locked", "--release", "--quiet", "-p", "wisp-abi", "--features", "render", "--example", "abi",
         "--manifest-path", REPO / "rust" / "Cargo.toml", "--target-dir", target_dir, "--", "c-header", header])


def build_tools(args):
    """Builds the `wisp` program and writes the C header of the guest ABI."""
    with Locked(args.target_dir):
        if "WISP_TOOL" not in os.environ:
            run([args.cargo, "build", "--locked", "--release", "--quiet", "-p", "wisp-cli", "--manifest-path",
                 REPO / "rust" / "Cargo.toml", "--target-dir", args.target_dir])
        write_header(args.cargo, args.target_dir, args.include)


def check(args):
    """Refuses sources that are not there, and an output in the place of one."""
    if args.command == "rust" and not (Path(args.source) / "Cargo.toml").is_file():
        sys.exit(f"guest.py: {args.source} has no Cargo.toml; give the folder of a Cargo package")
    sources = args.sources if args.command == "c" else []
    for source in sources:
        if not Path(source).is_file():
            sys.exit(f"guest.py: {source} does not exist, or is no file; give the C or C++ files of the guest")
        if Path(source).resolve() == Path(args.output).resolve():
            sys.exit(f"guest.py: {source} is a source and is not replaced; give --output another file")


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)

    tools = commands.add_parser("tools", help="build the host tools", allow_abbrev=False)
    tools.add_argument("--cargo", default="cargo")
    tools.add_argument("--target-dir", required=True)
    tools.add_argument("--include", required=True, help="folder for the guest's wisp.h")

    rust = commands.add_parser("rust", help="build a Rust guest", allow_abbrev=False)
    rust.add_argument("--cargo", help="cargo to use as the environment has it")
    rust.add_argument("--rustc", help="the compiler that this cargo will use")
    rust.add_argument("source", help="folder of the package")
    rust.add_argument("--target-dir", default=BUILD / "cargo" / "guest")

    c = commands.add_parser("c", help="build a guest in C or C++", allow_abbrev=False)
    c.add_argument("--include", help="folder of the generated wisp.h; made if not given")
    c.add_argument("--libc", choices=["wasi", "tiny"], default="wasi", help="wasi-libc, or guest/c/tiny")
    c.add_argument("--reactor", action="store_true", help="export _initialize in place of _start")
    c.add_argument("--bare", action="store_true", help="link nothing of guest/c/tiny")
    c.add_argument("--flag", action="append", default=[], help="another flag for clang")
    c.add_argument("sources", nargs="+")

    for command in (rust, c):
        command.add_argument("-o", "--output", required=True, help="the module to write")
        command.add_argument("--stack", type=int, help="bytes for the guest's stack")
        command.add_argument("--grows", action="store_true", help="the guest grows its memory")
        command.add_argument("--verbose", action="store_true")

    args = parser.parse_args()
    if args.command != "tools":
        check(args)
    try:
        {"tools": build_tools, "rust": build_rust, "c": build_c}[args.command](args)
    except OSError as error:
        sys.exit(f"guest.py: {error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
