#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles guests to wasm. Called by wisp_add_app() in CMake, and useful by hand.

The flags that every guest is linked with are in guest/c/*.flags and guest/rust/wasm.toml;
this program only adds what depends on the machine, which linker there is and whether it
knows pages of one byte, and on the guest, as the size of its stack.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devenv import BUILD, REPO, find_tool, output, rust_environment, versioned

TARGET = "wasm32-unknown-unknown"


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


def build_rust(args):
    """Builds a cargo package for wasm and copies its module."""
    env = dict(os.environ)
    cargo, rustc = args.cargo, args.rustc
    if not cargo:
        # By hand: choose as CMake does.
        found, reason = rust_environment([TARGET])
        if found is None:
            sys.exit(f"guest.py: {reason}")
        env.update(found)
        rustc = found.get("RUSTC", find_tool("rustc"))
        beside = Path(rustc).parent / "cargo"
        cargo = str(beside) if beside.is_file() else "cargo"
    linker, has_page_size = wasm_linker(rustc)
    if not linker:
        no_linker()
    source = Path(args.source).resolve()
    folder = Path(args.target_dir).resolve()
    # What differs between guests goes to the last call of rustc only, so that all guests share the crates
    # below them, and core where that is built from source.
    # The same module, and so the same image, wherever the sources are.
    flags = [f"--remap-path-prefix={source}=/{source.name}"]
    if has_page_size and not args.grows:
        flags += ["-C", "link-arg=--page-size=1"]
    if args.stack:
        flags += ["-C", f"link-arg=-zstack-size={args.stack}"]
    if linker.endswith("rust-lld"):
        flags += ["-C", "linker-flavor=wasm-ld"]

    # --config files and the manifest are looked up from the package's own folder.
    command = [cargo, "--config", REPO / "guest" / "rust" / "wasm.toml",
               "--config", f"target.{TARGET}.linker={json.dumps(linker)}",
               "rustc", "--release", "--target", TARGET, *wasm_target(cargo, source, env),
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


def build_c(args):
    """Compiles C files and the guest library in one go."""
    clang = versioned("clang")
    if not clang:
        sys.exit("guest.py: clang was not found; C guests need it (package clang)")
    linker, has_page_size = wasm_linker()
    if not linker:
        no_linker()
    include = args.include
    if not include:
        include = BUILD / "guest"
        write_header("cargo", BUILD / "cargo" / "host", include)
    library = REPO / "guest" / "c"
    flags = []
    for name in ("compile.flags", "link.flags"):
        lines = (library / name).read_text(encoding="utf-8").splitlines()
        flags += [line for line in lines if line and not line.startswith("#")]
    if has_page_size and not args.grows:
        flags.append("-Wl,--page-size=1")
    if args.stack:
        flags.append(f"-Wl,-zstack-size={args.stack}")
    sources = [] if args.bare else sorted((library / "src").glob("*.c"))
    # The same module, and so the same image, wherever the sources are. The last that fits counts.
    places = {REPO: "wisp", include: "include", Path(args.sources[0]).resolve().parent: "."}
    flags += [f"-ffile-prefix-map={Path(place).resolve()}={name}" for place, name in places.items()]
    flags.append("-fdebug-compilation-dir=.")
    with tempfile.TemporaryDirectory() as folder:
        # lld goes by its name.
        alias = Path(folder) / "wasm-ld"
        alias.symlink_to(linker)
        module = Path(folder) / "module.wasm"
        run([clang, *flags, f"-fuse-ld={alias}", f"-I{library / 'include'}",
             f"-I{include}", *args.flag, "-o", module, *args.sources, *sources])
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

    c = commands.add_parser("c", help="build a C guest", allow_abbrev=False)
    c.add_argument("--include", help="folder of the generated wisp.h; made if not given")
    c.add_argument("--bare", action="store_true", help="link nothing of guest/c")
    c.add_argument("--flag", action="append", default=[], help="another flag for clang")
    c.add_argument("sources", nargs="+")

    for command in (rust, c):
        command.add_argument("-o", "--output", required=True, help="the module to write")
        command.add_argument("--stack", type=int, help="bytes for the guest's stack")
        command.add_argument("--grows", action="store_true", help="the guest grows its memory")
        command.add_argument("--verbose", action="store_true")

    args = parser.parse_args()
    {"tools": build_tools, "rust": build_rust, "c": build_c}[args.command](args)


if __name__ == "__main__":
    main()
