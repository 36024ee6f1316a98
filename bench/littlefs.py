#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes of a real module: littlefs, from a Zephyr workspace, as wasm, as IR and as native code.

Compiles littlefs with clang -Os to a wasm module that exports its whole interface, has
`wisp build --small` make native code of it for the machines of the boards, and compiles the same
sources with the same compilers for comparison. Prints a table in Markdown. Nothing is run.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "scripts"))
import devenv

SOURCES = ("lfs.c", "lfs_util.c")
# littlefs asks for no library but the string functions; the guest has those of guest/c/tiny.
DEFINES = ["-DLFS_NO_MALLOC", "-DLFS_NO_DEBUG", "-DLFS_NO_WARN", "-DLFS_NO_ERROR", "-DLFS_NO_ASSERT"]
# What guest/c/tiny lacks of string.h.
STRINGS_H = """#include <stddef.h>
#include_next <string.h>
size_t strspn(const char *text, const char *set);
size_t strcspn(const char *text, const char *set);
"""
STRINGS_C = """#include <string.h>
static size_t span(const char *text, const char *set, int inside)
{
	size_t n = 0;
	for (; text[n]; n++) {
		const char *c = set;
		while (*c && *c != text[n])
			c++;
		if ((*c != 0) != inside)
			break;
	}
	return n;
}
size_t strspn(const char *text, const char *set) { return span(text, set, 1); }
size_t strcspn(const char *text, const char *set) { return span(text, set, 0); }
"""
MACHINES = {
    "cortex-m0plus": ("arm-none-eabi-", "-mcpu=cortex-m0plus -mthumb"),
    "cortex-m3": ("arm-none-eabi-", "-mcpu=cortex-m3 -mthumb"),
    "rv32imac": ("riscv64-unknown-elf-", "-march=rv32imac -mabi=ilp32"),
}


def run(command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def interface(header):
    """Names of the functions that lfs.h declares."""
    text = Path(header).read_text(encoding="utf-8")
    # not there without malloc, or only in builds that read old formats
    absent = {"lfs_file_open", "lfs_migrate"}
    return sorted(set(re.findall(r"^(?:int|lfs_\w+) (lfs_\w+)\(", text, re.MULTILINE)) - absent)


def build_wasm(source, out):
    """The module with all functions of the interface, as guests are compiled."""
    clang = devenv.versioned("clang") or sys.exit("clang is needed")
    names = interface(source / "lfs.h")
    guest = REPO / "guest" / "c"
    flags, link = ([flag for folder in (guest, guest / "tiny") for flag in (folder / name).read_text(encoding="utf-8").split()]
                   for name in ("compile.flags", "link.flags"))
    headers = out / "include"
    headers.mkdir(parents=True, exist_ok=True)
    # what littlefs includes and never uses with these definitions
    for name in ("stdlib.h", "assert.h", "stdio.h", "inttypes.h"):
        (headers / name).write_text("#include <stdint.h>\n", encoding="ascii")
    (headers / "string.h").write_text(STRINGS_H, encoding="ascii")
    strings = out / "strings.c"
    strings.write_text(STRINGS_C, encoding="ascii")
    wasm = out / "littlefs.wasm"
    run([clang, *flags, *DEFINES, "-w", "-isystem", headers, "-isystem", guest / "tiny" / "include",
         *(source / name for name in SOURCES), guest / "tiny" / "src" / "string.c", strings, *link, "-g0", "-Wl,--strip-all",
         *(f"-Wl,--export={name}" for name in names), "-o", wasm])
    return wasm, len(names)


def native_size(source, out, prefix, flags):
    """Bytes of code and constants that the board's compiler makes of the same sources at -Os."""
    total = 0
    for name in SOURCES:
        code = out / (name + ".o")
        run([prefix + "gcc", "-Os", "-w", "-ffreestanding", "-ffunction-sections", *flags.split(), *DEFINES,
             "-isystem", out / "include", "-isystem", REPO / "guest" / "c" / "tiny" / "include", "-c", source / name, "-o", code])
        total += int(run([prefix + "size", code]).splitlines()[1].split()[0])
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="littlefs [default: modules/fs/littlefs of the workspace]")
    parser.add_argument("--wisp", type=Path, default=REPO / "rust" / "target" / "release" / "wisp")
    parser.add_argument("--out", type=Path, default=devenv.BUILD / "littlefs")
    arguments = parser.parse_args()
    source = arguments.source or Path(devenv.find_zephyr() or "").parent / "modules" / "fs" / "littlefs"
    if not (source / "lfs.c").is_file():
        sys.exit(f"{source} has no lfs.c; fetch the module (west update littlefs) or give --source")
    wasm, functions = build_wasm(source, arguments.out)
    size = wasm.stat().st_size
    image = arguments.out / "littlefs.wisp"
    print(run([arguments.wisp, "build", wasm, "-o", image]), end="")
    print(f"\nlittlefs, {functions} exported functions, clang -Os: {size} bytes of wasm, "
          f"{image.stat().st_size} bytes of image with IR\n")
    print("| machine | image, native code only | of it code | to wasm | without trap sites | to wasm | gcc -Os of the C sources |")
    print("|---|---|---|---|---|---|---|")
    for machine, (prefix, flags) in MACHINES.items():
        row = []
        for more in ([], ["--no-trap-sites"]):
            text = run([arguments.wisp, "build", wasm, "-o", image, "--target", machine, "--small", "--stop=async",
                        "--native-only", *more])
            code = int(re.search(r"(\d+) of them code;", text).group(1))
            row.append((image.stat().st_size, code))
        print(f"| {machine} | {row[0][0]} | {row[0][1]} | {row[0][0] / size:.2f} | {row[1][0]} | "
              f"{row[1][0] / size:.2f} | {native_size(source, arguments.out, prefix, flags)} |")


if __name__ == "__main__":
    main()
