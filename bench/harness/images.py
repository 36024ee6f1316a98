# SPDX-License-Identifier: Apache-2.0
"""Builds the Zephyr image of one runtime for one board."""

import functools
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

from . import guests
from .tools import OUTPUT, REPO, build_folder, devenv, fail, run, zephyr_environment

# runtime: (kind of workload table, tiers). "native" is what the others are compared with.
RUNTIMES = {
    "native": ("native", ("gcc", "clang", "rust")),
    "null": ("wasm", ("none",)),
    "wisp": ("wisp", ()),
    "wasm3": ("wasm", ("default",)),
    "wamr": ("wasm", ("fast", "classic")),
    "wasmi": ("wasm", ("default",)),
}

# Where the sources of the C runtimes lie inside a checkout or a crate.
SOURCE_FOLDERS = {"wasm3": ("source", "wasm3/source"), "wamr": (".", "wasm-micro-runtime")}
SOURCE_MARKS = {"wasm3": "wasm3.h", "wamr": "core/iwasm/include/wasm_export.h"}


def tiers(board, runtime):
    """The variants of a runtime on a board; Wisp's are the back ends that its engine has."""
    if runtime not in RUNTIMES:
        fail(f"no runtime {runtime!r}; known: {', '.join(RUNTIMES)}")
    return RUNTIMES[runtime][1] or (*board.back_ends, "aot", "aot-poll")


def unsupported(board, runtime):
    """Why a runtime cannot be measured on a board, or None."""
    if runtime == "wasmi" and board.short == "m0plus":
        return "wasmi needs atomic operations that ARMv6-M lacks"
    if runtime == "wamr" and board.short == "rv32" \
            and not (peer_source("wamr") / "core" / "version.h").is_file():
        return "this version of WAMR knows no RISC-V"
    return None


def peer_source(runtime):
    """Folder with a C runtime's sources.

    WISP_BENCH_WASM3 or WISP_BENCH_WAMR names a checkout; otherwise cargo brings the sources
    of the crate that bench/peers/Cargo.toml names.
    """
    named = os.environ.get(f"WISP_BENCH_{runtime.upper()}")
    if named:
        roots = [Path(named)]
    else:
        roots = [crate_folder(f"{runtime}-sys")]
    for root in roots:
        for folder in SOURCE_FOLDERS[runtime]:
            if (root / folder / SOURCE_MARKS[runtime]).is_file():
                return (root / folder).resolve()
    fail(f"no sources of {runtime} in {', '.join(map(str, roots))}")
    return None


def peer_commit(runtime):
    """Where a C runtime's sources come from: a checkout's commit or a crate. None for the others."""
    if runtime not in SOURCE_FOLDERS:
        return None
    folder = peer_source(runtime)
    if not os.environ.get(f"WISP_BENCH_{runtime.upper()}"):
        return f"crate {runtime}-sys"
    return devenv.output(["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"]) or "a checkout"


def crate_folder(name, manifest="bench/peers/Cargo.toml"):
    """Where cargo has unpacked a crate that a manifest names."""
    folders = crate_folders(REPO / manifest)
    if name not in folders:
        fail(f"cargo does not know {name}")
    return folders[name]


@functools.cache
def crate_folders(manifest):
    """{crate: the folder where cargo has unpacked it} of a manifest's lock file."""
    text = run(["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", manifest], rust="host")
    return {package["name"]: Path(package["manifest_path"]).parent
            for package in json.loads(text[text.index("{"):])["packages"]}


def build(board, runtime, tier, optimize="speed", suite=guests):
    """Builds the image of a suite of workloads, incrementally. Returns the ELF file's path."""
    kind, known = RUNTIMES[runtime][0], tiers(board, runtime)
    if runtime == "wisp" and board.translates:
        # measured where it is asked for: the pages do not have it
        known = (*known, "translated")
    if runtime == "native" and suite is not guests:
        known = ("own",)
    if tier not in known:
        fail(f"{runtime} has no tier {tier!r}; known: {', '.join(known)}")
    native = ()
    if tier.startswith("aot"):
        native = (board.machine, "poll" if tier == "aot-poll" else "async")
    if runtime == "native":
        kind = "native-rust" if tier == "rust" else "native-c"
    table = suite.table(kind, native, suite.on(board))
    name = f"{suite.PREFIX}{runtime}-{tier}" + ("" if optimize == "speed" else f"-{optimize}")
    folder = build_folder(board.short) / name
    env = zephyr_environment()
    env.setdefault("CCACHE_NOHASHDIR", "1")
    options = [f"-DBOARD={board.name}", f"-DBOARD_ROOT={REPO}", f"-DBENCH_RUNTIME={runtime}",
               f"-DBENCH_TIER={tier}", f"-DBENCH_IMAGES={table}"]
    features = list(suite.features(board, runtime))
    options += suite.options(board, runtime)
    if optimize == "size":
        options += ["-DCONFIG_SIZE_OPTIMIZATIONS=y", "-DCONFIG_SPEED_OPTIMIZATIONS=n"]
    if runtime == "wisp" and tier == "loop":
        features.append("interp-loop")
    if tier == "threaded":
        features.append("threaded-code")
    if tier == "translated":
        # the engine alone writes code to its arena, which memory protection would not let run
        features.append("translate")
        options.append("-DCONFIG_ARM_MPU=n")
    if native:
        features.append("native")
    if features:
        options.append(f"-DBENCH_FEATURES={','.join(features)}")
    if runtime in SOURCE_FOLDERS:
        options.append(f"-DBENCH_SOURCE={peer_source(runtime)}")
    if runtime == "native" and tier in ("gcc", "clang"):
        options.append(f"-DBENCH_WORKLOADS={';'.join(w.name for w in guests.WORKLOADS if not w.rust)}")
        clang = devenv.versioned("clang")
        if clang:
            options.append(f"-DBENCH_CLANG={clang}")
    stamp = folder / "bench-options.txt"
    wanted = "\n".join(options)
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted \
            or not (folder / "build.ninja").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        run(["cmake", "-GNinja", "-S", REPO / "bench", "-B", folder, *options], env=env,
            log=OUTPUT / f"{board.short}-{name}-cmake.log")
        stamp.write_text(wanted, encoding="utf-8")
    run(["ninja", "-j2", "-C", folder], env=env, log=OUTPUT / f"{board.short}-{name}.log")
    return folder / "zephyr" / "zephyr.elf"


def tool_for(elf, name):
    """A binutils program of the compiler that built an ELF file."""
    cache = (elf.parent.parent / "CMakeCache.txt").read_text(encoding="utf-8")
    for line in cache.splitlines():
        if line.startswith(f"CMAKE_{name.upper()}:"):
            return line.split("=", 1)[1]
    fail(f"{elf}: no {name} in the build's cache")
    return None


def symbols(elf):
    """{name: (address, size)} of an ELF file's symbols."""
    text = subprocess.run([tool_for(elf, "nm"), "-S", str(elf)], capture_output=True,
                          text=True, check=True).stdout
    table = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 4:
            table[parts[3]] = (int(parts[0], 16), int(parts[1], 16))
        elif len(parts) == 3:
            table[parts[2]] = (int(parts[0], 16), 0)
    return table


def flash_and_ram(elf):
    """Bytes of flash and of RAM that the image takes, workloads left out."""
    text = subprocess.run([tool_for(elf, "objdump"), "-h", str(elf)], capture_output=True,
                          text=True, check=True).stdout.splitlines()
    flash = ram = 0
    for header, flags in itertools.pairwise(text):
        parts = header.split()
        if len(parts) == 7 and parts[0].isdigit() and "ALLOC" in flags:
            size, address = int(parts[2], 16), int(parts[3], 16)
            load = int(parts[4], 16)
            loaded = "LOAD" in flags and "CONTENTS" in flags
            if loaded:
                flash += size
            if "READONLY" not in flags or load != address:
                ram += size
    names = symbols(elf)
    if "bench_images_start" in names:
        flash -= names["bench_images_end"][0] - names["bench_images_start"][0]
    return flash, ram
