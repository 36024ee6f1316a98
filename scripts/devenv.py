#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds what a Wisp build needs on this machine and describes it as an environment.

Everything is looked for in the order in which a user would expect it: what the
environment names, what is installed in the usual way, what a distribution
packages. Nothing is downloaded here; scripts/setup.py does that.

As a program, prints the environment for a shell: eval "$(scripts/devenv.py)".
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("WISP_BUILD_DIR", REPO / "build"))
VENV = Path(os.environ.get("WISP_VENV", BUILD / "venv"))
TOOLCHAIN = BUILD / "toolchain"

# Each board of the test command, the Rust target its code is compiled for, and
# the cross compiler family.
RUST_TARGETS = {
    "thumbv6m-none-eabi": "arm",
    "thumbv7m-none-eabi": "arm",
    "thumbv7em-none-eabihf": "arm",
    "thumbv8m.main-none-eabi": "arm",
    "thumbv8m.main-none-eabihf": "arm",
    "riscv32imac-unknown-none-elf": "riscv",
    "x86_64-unknown-none": "host",
}

# Prefixes of the compilers that make native code, as in rust/aotc/src/target.rs.
NATIVE_PREFIXES = {
    "arm": ("arm-zephyr-eabi-", "arm-none-eabi-"),
    "riscv": ("riscv64-zephyr-elf-", "riscv32-unknown-elf-", "riscv64-unknown-elf-"),
}

# What stands in for a C library that packaged compilers do not bring along: none. The condition never holds,
# as no option has that name; an empty line would leave gcc's own `-lc` in force.
PICOLIBC_SPECS = """\
*lib:
%{wisp-nothing:}

"""

# Zephyr compiles through ccache where it finds it. Build folders differ in names only, so objects are
# looked up by what they are compiled from, not by where. Nothing is preprocessed for a look-up: each
# firmware has an autoconf.h of its own, so that few objects are found, and the others cost half as much again.
CCACHE = {
    "CCACHE_BASEDIR": "/",
    "CCACHE_DEPEND": "1",
    "CCACHE_NOHASHDIR": "1",
    "CCACHE_IGNOREOPTIONS": "-fmacro-prefix-map=*",
}


def output(command, env=None):
    """Standard output of a command, stripped; None if it fails or is absent."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def find_tool(*names):
    """Path of the first of the names on the PATH, or None."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    return None


def all_versions(name):
    """Paths of a tool that may carry a version suffix, as clang-19: the plain one, then newer before older."""
    plain = find_tool(name)
    found = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for path in glob.glob(os.path.join(folder, name + "-[0-9]*")):
            match = re.fullmatch(re.escape(name) + r"-(\d+)", os.path.basename(path))
            if match and os.access(path, os.X_OK):
                found.append((int(match.group(1)), path))
    return ([plain] if plain else []) + [path for _, path in sorted(found, reverse=True)]


def versioned(name):
    """A tool that may carry a version suffix: the plain one or the newest."""
    return next(iter(all_versions(name)), None)


# Where packages put the C library of WASI: each folder has include and lib/<target>.
WASI_SYSROOTS = ("/opt/wasi-sdk/share/wasi-sysroot", "/usr/share/wasi-sysroot", "/usr/wasm32-wasi", "/usr",
                 "/opt/homebrew/share/wasi-sysroot", "/usr/local/share/wasi-sysroot")
# The newer name comes first: later releases warn about the older one.
WASI_TARGETS = ("wasm32-wasip1", "wasm32-wasi")


def find_wasi(cpp=False):
    """Finds a clang that has wasi-libc, and libc++ if asked: (clang, flags), or (None, what is missing)."""
    sdk = os.environ.get("WASI_SDK_PATH", "/opt/wasi-sdk")
    bundled = os.path.join(sdk, "bin", "clang")
    if os.access(bundled, os.X_OK):
        clangs, sysroots = [bundled], [os.path.join(sdk, "share", "wasi-sysroot")]
    elif os.environ.get("WASI_SDK_PATH"):
        return None, f"WASI_SDK_PATH is {sdk}, and there is no bin/clang in it"
    else:
        named = os.environ.get("WASI_SYSROOT")
        clangs, sysroots = all_versions("clang"), [named] if named else WASI_SYSROOTS
    if not clangs:
        return None, "clang was not found: run `make setup`, or install the package clang-19"
    for sysroot in sysroots:
        for target in WASI_TARGETS:
            libraries = os.path.join(sysroot, "lib", target)
            if not os.path.isfile(os.path.join(libraries, "libc.a")):
                continue
            if cpp and not os.path.isfile(os.path.join(libraries, "libc++.a")):
                return None, ("libc++ for wasm was not found: run `make setup`, or install the packages "
                              "libc++-19-dev-wasm32 and libc++abi-19-dev-wasm32")
            flags = [f"--target={target}", f"--sysroot={sysroot}"]
            if sysroot == "/usr":
                # Headers of this machine's own libc lie beside.
                headers = f"{sysroot}/include/{target}"
                flags += ["-nostdlibinc", *(["-isystem", f"{headers}/c++/v1"] if cpp else []), "-isystem", headers]
            for clang in clangs:
                builtins = output([clang, *flags, "-print-libgcc-file-name"])
                if builtins and os.path.isfile(builtins):
                    return clang, flags
            return None, (f"{clangs[0]} lacks its runtime library for wasm: run `make setup`, or install the package "
                          "libclang-rt-19-dev-wasm32, where 19 is the version of clang")
    return None, ("wasi-libc was not found: run `make setup`, install the package wasi-libc, or name a wasi-sdk "
                  "in WASI_SDK_PATH")


def find_zephyr():
    """The Zephyr tree (a folder with its VERSION file), or None."""
    candidates = [os.environ.get("ZEPHYR_BASE")]
    west = find_tool(str(VENV / "bin" / "west"), "west")
    if west:
        top = output([west, "topdir"])
        if top:
            candidates.append(os.path.join(top, "zephyr"))
    candidates.append(os.path.expanduser("~/zephyrproject/zephyr"))
    candidates.append(str(BUILD / "workspace" / "zephyr"))
    for candidate in candidates:
        if candidate and os.path.isfile(os.path.join(candidate, "VERSION")):
            return Path(candidate).resolve()
    return None


def zephyr_version(zephyr):
    """The tree's version as (major, minor, patch)."""
    text = (Path(zephyr) / "VERSION").read_text(encoding="utf-8")
    numbers = [re.search(rf"{key}\s*=\s*(\d+)", text) for key in
               ("VERSION_MAJOR", "VERSION_MINOR", "PATCHLEVEL")]
    return tuple(int(number.group(1)) if number else 0 for number in numbers)


def find_sdk():
    """The Zephyr SDK's folder, or None."""
    named = os.environ.get("ZEPHYR_SDK_INSTALL_DIR")
    candidates = [named] if named else []
    for root in ("~", "~/.local", "~/.local/opt", "~/bin", "/opt", "/usr/local"):
        candidates += sorted(glob.glob(os.path.expanduser(root) + "/zephyr-sdk-*"), reverse=True)
    for candidate in candidates:
        if os.path.isfile(os.path.join(candidate, "sdk_version")):
            return Path(candidate)
    return None


def clang_resource_dir():
    """Where clang keeps its own headers, or None."""
    clang = versioned("clang")
    path = output([clang, "-print-resource-dir"]) if clang else None
    return Path(path) if path and os.path.isdir(path) else None


def link(target, path):
    """Makes path a symbolic link to target; replaces what is there if it differs."""
    path = Path(path)
    if path.is_symlink() and os.readlink(path) == str(target):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another command in the same checkout may make it at the same time.
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.symlink_to(target)
    made.replace(path)


def write_if_changed(path, text):
    """Writes a file unless it already holds the text, so that builds stay fresh."""
    path = Path(path)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def wrap_tools(gcc, prefix, wrapper):
    """Links the tools beside gcc under a new prefix, gcc itself to the wrapper."""
    old = gcc[: -len("gcc")]
    for tool in glob.glob(old + "*"):
        if not tool.endswith("-gcc"):
            link(tool, TOOLCHAIN / "bin" / (prefix + tool[len(old):]))
    link(wrapper, TOOLCHAIN / "bin" / (prefix + "gcc"))
    return str(TOOLCHAIN / "bin" / prefix)


def distro_toolchain(zephyr):
    """Builds the wisp-distro variant's folder; returns its environment, or None.

    Zephyr reads everything of an out-of-tree toolchain from TOOLCHAIN_ROOT, also the
    compiler and linker descriptions that it ships itself: those are linked in.
    """
    arm = find_tool("arm-none-eabi-gcc")
    riscv = find_tool("riscv64-unknown-elf-gcc")
    if not arm and not riscv:
        return None
    cmake = Path(zephyr) / "cmake"
    for folder in ("compiler", "linker", "bintools"):
        link(cmake / folder, TOOLCHAIN / "cmake" / folder)
    for variant in sorted((cmake / "toolchain").iterdir()):
        link(variant, TOOLCHAIN / "cmake" / "toolchain" / variant.name)
    own = REPO / "scripts" / "toolchain"
    for name in ("generic.cmake", "target.cmake"):
        link(own / name, TOOLCHAIN / "cmake" / "toolchain" / "wisp-distro" / name)
    env = {"ZEPHYR_TOOLCHAIN_VARIANT": "wisp-distro", "TOOLCHAIN_ROOT": str(TOOLCHAIN)}
    write_if_changed(TOOLCHAIN / "specs" / "picolibc.specs", PICOLIBC_SPECS)
    if arm:
        env["WISP_ARM_GCC"] = arm
        env["WISP_DISTRO_ARM_PREFIX"] = wrap_tools(arm, "arm-wisp-eabi-", own / "arm-gcc")
    if riscv:
        env["WISP_RV64_GCC"] = riscv
        env["WISP_DISTRO_RISCV_PREFIX"] = wrap_tools(riscv, "riscv32-wisp-elf-", own / "rv32-gcc")
    # Compilers for Linux also make code that runs without Linux.
    for name, compiler in (("ARM64", "aarch64-linux-gnu-gcc"), ("X86", "x86_64-linux-gnu-gcc")):
        path = find_tool(compiler)
        if path:
            prefix = compiler.replace("linux-gnu-gcc", "wisp-elf-")
            env[f"WISP_DISTRO_{name}_PREFIX"] = wrap_tools(path, prefix, own / "linux-gcc")
    env["WISP_DISTRO_FIRST_PREFIX"] = env.get(
        "WISP_DISTRO_ARM_PREFIX", env.get("WISP_DISTRO_RISCV_PREFIX"))
    return env


def emulators(qemu):
    """Links the emulators beside this one into a folder with one that packages lack; returns the folder."""
    folder = TOOLCHAIN / "qemu"
    for tool in glob.glob(qemu[: -len("arm")] + "*"):
        link(tool, folder / os.path.basename(tool))
    link(REPO / "scripts" / "toolchain" / "qemu-xilinx", folder / "qemu-system-xilinx-aarch64")
    return str(folder)


def pinned(folder, package, *hashes):
    """Installs a package of PyPI, with its version, into a folder; the folder, or None where PyPI is not reached.

    The file that comes has to have one of the hashes. The package's requirements are not installed.
    """
    pin = " ".join([package, *(f"--hash={value}" for value in hashes)]) + "\n"
    done = folder / "done"
    if not (done.is_file() and done.read_text(encoding="utf-8") == pin):
        folder.mkdir(parents=True, exist_ok=True)
        requirements = folder / "requirements.txt"
        requirements.write_text(pin, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "--upgrade", "--target", folder,
                   "-r", requirements]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        done.write_text(pin, encoding="utf-8")
    return folder


def bindgen_prelude():
    """Arguments that let libclang parse a distribution's ARM headers; None if not needed.

    gcc's arm_acle.h is written in gcc's builtins. clang has its own, which must be
    read first so that its include guard hides gcc's.
    """
    resources = clang_resource_dir()
    header = resources / "include" / "arm_acle.h" if resources else None
    if not header or not header.is_file():
        return None
    prelude = TOOLCHAIN / "acle_if_arm.h"
    write_if_changed(prelude, (
        "/* Generated: clang's arm_acle.h in place of gcc's, which clang cannot parse. */\n"
        "#if defined(__arm__) || defined(__thumb__)\n"
        "#define _GCC_ARM_ACLE_H 1\n"
        f'#include "{header}"\n'
        "#endif\n"))
    return f"-include {prelude}"


def has_libclang():
    """True if libclang is where bindgen looks for it."""
    folders = ("/usr/lib/llvm-*/lib", "/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/local/lib")
    return "LIBCLANG_PATH" in os.environ or any(glob.glob(f"{folder}/libclang*.so*") for folder in folders)


def target_libraries(rustc, target):
    """True if this compiler has the target's standard library installed."""
    sysroot = output([rustc, "--print", "sysroot"])
    return bool(sysroot and glob.glob(f"{sysroot}/lib/rustlib/{target}/lib/libcore-*.rlib"))


def library_sources(rustc):
    """True if this compiler can build the standard library from source."""
    sysroot = output([rustc, "--print", "sysroot"])
    return bool(sysroot and os.path.isdir(f"{sysroot}/lib/rustlib/src/rust/library/core"))


def rust_environment(targets):
    """The Rust to use for firmware: (environment, description), or (None, reason).

    An installed target is used as it is. Without one, a compiler that has the library
    sources builds core and alloc itself; that is what distributions package.
    """
    rustcs = []
    for rustc in (os.environ.get("RUSTC"), find_tool("rustc"), "/usr/bin/rustc"):
        if rustc and rustc not in rustcs and os.access(rustc, os.X_OK):
            rustcs.append(rustc)
    for rustc in rustcs:
        if all(target_libraries(rustc, target) for target in targets):
            return {}, f"{output([rustc, '--version'])} with installed targets"
    for rustc in rustcs:
        if library_sources(rustc):
            env = {
                "RUSTC": rustc,
                "RUSTC_BOOTSTRAP": "1",
                "CARGO_UNSTABLE_BUILD_STD": "core,alloc",
            }
            return env, f"{output([rustc, '--version'])}, building core and alloc from source"
    return None, ("no Rust compiler here can build for the boards: "
                  "rustup target add " + " ".join(targets) + ", or install rust-src")


def cross_compiler(target):
    """A compiler for native code of a target, as `wisp build --target` looks for it; None if there is none."""
    family = "riscv" if target.startswith("rv") else "arm"
    return find_tool(*(f"{prefix}gcc" for prefix in NATIVE_PREFIXES[family]))


def environment():
    """Environment for Zephyr builds on this machine; None when there is no Zephyr."""
    zephyr = find_zephyr()
    if not zephyr:
        return None
    env = dict(os.environ)
    env["ZEPHYR_BASE"] = str(zephyr)
    env.pop("CROSS_COMPILE", None)
    if (VENV / "bin").is_dir():
        env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env['PATH']}"
        env["VIRTUAL_ENV"] = str(VENV)
    if "ZEPHYR_TOOLCHAIN_VARIANT" not in env and not find_sdk():
        env.update(distro_toolchain(zephyr) or {})
    if "BINDGEN_EXTRA_CLANG_ARGS" not in env and not find_sdk():
        prelude = bindgen_prelude()
        if prelude:
            env["BINDGEN_EXTRA_CLANG_ARGS"] = prelude
    qemu = find_tool("qemu-system-arm")
    if qemu and "QEMU_BIN_PATH" not in env and not find_sdk():
        env["QEMU_BIN_PATH"] = emulators(qemu)
    # For zephyr-lang-rust, which takes the Rust it finds; Wisp's own CMake chooses by itself.
    env.update(rust_environment(list(RUST_TARGETS))[0] or {})
    env.setdefault("WISP_CARGO_TARGET_ROOT", str(BUILD / "cargo"))
    env.update({name: value for name, value in CCACHE.items() if name not in os.environ})
    return env


def main():
    env = environment()
    if env is None:
        sys.exit("devenv: no Zephyr workspace found; run 'make setup'")
    for key in sorted(env):
        if os.environ.get(key) != env[key]:
            print(f"export {key}={shlex.quote(env[key])}")
    if os.environ.get("CROSS_COMPILE"):
        print("unset CROSS_COMPILE")


if __name__ == "__main__":
    main()
