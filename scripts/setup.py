#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Brings this machine to where Wisp can be built and tested. Idempotent.

Looks first, then installs only what is missing: packages of the distribution (as root
or with sudo without a password; otherwise the command is printed), Python packages in a
virtual environment of the project, Rust targets by rustup where they can be had, and a
Zephyr workspace by west. Ends with exit code 0 even if no workspace can be had: the host
suites need none.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys

import devenv
from suites.cores import CORES, programs_of_32_bits

# tool -> package of Debian and Ubuntu that has it
HOST_TOOLS = {
    "cc": "gcc",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "gperf": "gperf",
    "dtc": "device-tree-compiler",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "git": "git",
    # Most of what two builds of one board compile is the same.
    "ccache": "ccache",
}
CROSS_TOOLS = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
}
# Further tools that SUITE=cores needs.
CORE_TOOLS = {
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "x86_64-linux-gnu-gcc": "gcc-x86-64-linux-gnu",
    "qemu-system-i386": "qemu-system-x86",
}
# bindgen loads libclang; C guests are compiled by clang and linked by lld
CLANG_PACKAGES = ["clang-19", "lld-19", "libclang-19-dev", "llvm-19"]
# The C library of guests, what clang's code calls where wasm has no instruction, and the C++ library.
WASI_PACKAGES = ["wasi-libc", "libclang-rt-{}-dev-wasm32", "libc++-{}-dev-wasm32", "libc++abi-{}-dev-wasm32"]
# The targets of Rust guests with std: modules, and components.
WASI_RUST_TARGETS = ["wasm32-wasip1", "wasm32-wasip2"]
RUST_PACKAGES = ["rustc-web", "cargo-web", "rust-web-src"]


def say(text):
    print(f"setup: {text}", flush=True)


def run(command, **options):
    """Runs a command with its output visible; True if it succeeded."""
    say("$ " + " ".join(str(part) for part in command))
    try:
        return subprocess.run([str(p) for p in command], check=False, **options).returncode == 0
    except OSError as error:
        say(f"cannot run {command[0]}: {error}")
        return False


def install_packages(packages):
    """Installs packages of the distribution; says how if this user may not."""
    if not packages:
        return True
    apt = shutil.which("apt-get")
    if not apt:
        say("missing, and there is no apt-get here; install the equivalents of: " + " ".join(packages))
        return False
    prefix = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if not sudo or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
            say("missing; please run: sudo apt-get install --no-install-recommends " + " ".join(packages))
            return False
        prefix = [sudo]
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    return run(prefix + [apt, "update", "-qq"], env=env) and run(
        prefix + [apt, "install", "-y", "-qq", "--no-install-recommends"] + packages, env=env)


def missing_packages():
    """Packages whose tools are absent."""
    packages = [p for tool, p in HOST_TOOLS.items() if not devenv.find_tool(tool)]
    if not devenv.find_sdk():
        packages += [p for tool, p in CROSS_TOOLS.items() if not devenv.find_tool(tool)]
    if not devenv.versioned("clang") or not devenv.versioned("wasm-ld"):
        packages += CLANG_PACKAGES
    done = subprocess.run([sys.executable, "-m", "ensurepip", "--version"], capture_output=True, check=False)
    if done.returncode != 0:
        packages.append("python3-venv")
    return packages


def rust():
    """Makes sure that some Rust can build for the boards and for wasm."""
    if not devenv.find_tool("cargo"):
        say("cargo is missing: install Rust from https://rustup.rs, then run this again")
        return False
    targets = list(devenv.RUST_TARGETS) + ["wasm32-unknown-unknown"]
    env, how = devenv.rust_environment(targets)
    # rustup knows within seconds whether it can reach its server
    if env is None and devenv.find_tool("rustup") and run(["rustup", "target", "add"] + targets):
        env, how = devenv.rust_environment(targets)
    if env is None:
        install_packages(RUST_PACKAGES)
        env, how = devenv.rust_environment(targets)
    say(f"Rust for the boards: {how}")
    guests_with_std()
    return env is not None


def guests_with_libc():
    """Adds the C and C++ libraries of guests; all else works without them."""
    if devenv.find_wasi(cpp=True)[0]:
        return
    version = devenv.output([devenv.versioned("clang") or "clang-19", "-dumpversion"]) or "19"
    if not install_packages([package.format(version.split(".")[0]) for package in WASI_PACKAGES]):
        say("C and C++ guests with a libc are left out: " + devenv.find_wasi(cpp=True)[1])


def other_cores():
    """Adds what the boards of SUITE=cores need; those that lack something are skipped there."""
    packages = [package for tool, package in CORE_TOOLS.items() if not devenv.find_tool(tool)]
    version = devenv.output(["gcc", "-dumpversion"])
    if version and platform.machine() == "x86_64" and programs_of_32_bits() is None:
        # gcc-multilib would remove the compilers for other processors
        packages += ["libc6-dev-i386", f"lib32gcc-{version.split('.')[0]}-dev"]
    install_packages(packages)
    rustc = devenv.find_tool("rustc")
    targets = sorted({target for _, target, *_ in CORES if not devenv.target_libraries(rustc, target)})
    if targets and devenv.find_tool("rustup"):
        run(["rustup", "target", "add", *targets])


def guests_with_std():
    """Adds the targets of Rust guests with std; all else works without them."""
    rustc = devenv.find_tool("rustc")
    missing = [target for target in WASI_RUST_TARGETS if not rustc or not devenv.target_libraries(rustc, target)]
    if not missing:
        return
    names = " and ".join(missing)
    if not devenv.find_tool("rustup"):
        say(f"Rust guests with std are left out: {names} come with rustup only")
    elif not run(["rustup", "target", "add", *missing]):
        say(f"Rust guests with std are left out: rustup could not add {names}")


def constraints(requirements):
    """A file with the versions of pinned requirements, without their hashes."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    pinned = [line.split(" ")[0] for line in lines if "==" in line]
    path = devenv.VENV / "wisp-constraints.txt"
    path.write_text("".join(f"{line}\n" for line in pinned), encoding="utf-8")
    return path


def venv(zephyr):
    """The virtual environment with west and what Zephyr's scripts import."""
    scripts = zephyr / "scripts" if zephyr else None
    # pinned by hashes, which pip then wants of all that it installs at once
    own = devenv.REPO / "scripts" / "requirements.txt"
    of_zephyr = [scripts / f"requirements-{part}.txt" for part in ("base", "build-test", "run-test")] if scripts else []
    wanted = [own] + of_zephyr
    stamp = devenv.VENV / "wisp.stamp"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in wanted)).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return True
    if not (devenv.VENV / "bin" / "python").exists() and not run([sys.executable, "-m", "venv", devenv.VENV]):
        return False
    pip = [devenv.VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # image tools of esp32c6_devkitc and rpi_pico
    tools = ["esptool>=5.0.2", "pyelftools"]
    if not run(pip + ["--require-hashes", "-r", own]):
        return False
    # and what is pinned stays as it is
    if of_zephyr and not run(pip + ["-c", constraints(own), *tools] + [f"-r{path}" for path in of_zephyr]):
        return False
    stamp.write_text(digest, encoding="utf-8")
    return True


def workspace():
    """A Zephyr workspace: the one that is there, or a new one by west."""
    zephyr = devenv.find_zephyr()
    if zephyr:
        return zephyr
    west = devenv.find_tool(str(devenv.VENV / "bin" / "west"), "west")
    if not west:
        return None
    top = devenv.BUILD / "workspace"
    if not (top / ".west").is_dir():
        branch = devenv.output(["git", "-C", str(devenv.REPO), "rev-parse", "--abbrev-ref", "HEAD"]) or "main"
        if not run([west, "init", "-m", devenv.REPO, "--mr", branch, top], timeout=300):
            shutil.rmtree(top, ignore_errors=True)
            return None
    say("west update fetches Zephyr and its modules, about 1 GB")
    if not run([west, "update", "--narrow", "-o=--depth=1"], cwd=top, timeout=3600):
        shutil.rmtree(top, ignore_errors=True)
        return None
    return devenv.find_zephyr()


def main():
    ready = True
    packages = missing_packages()
    if packages:
        ready &= install_packages(packages)
    guests_with_libc()
    ready &= rust()
    other_cores()
    zephyr = devenv.find_zephyr()
    if not zephyr:
        say("no Zephyr workspace in ZEPHYR_BASE, `west topdir` or ~/zephyrproject; trying to fetch one")
        venv(None)
        zephyr = workspace()
    if zephyr:
        ready &= venv(zephyr)
        say("Zephyr {}.{}.{} in {}".format(*devenv.zephyr_version(zephyr), zephyr))
    else:
        say("no Zephyr workspace can be had here: only the host suites will run")
    say("ready" if ready else "something is missing, see above; going on with what there is")


if __name__ == "__main__":
    main()
