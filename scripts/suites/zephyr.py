# SPDX-License-Identifier: Apache-2.0
"""Suites of Zephyr firmwares, and views of one concern across workstation and boards."""

import re
import sys

import devenv
import network

from suites.common import BUILD_PLATFORMS, OPTIONS, RUN_PLATFORMS, RUST, Count, cargo, counted, stream, twister
from suites.desk import build_wisp, spec, suite_guests


def suite_zephyr():
    """Twister suites and samples on the boards that run here."""
    # A firmware takes a minute of both processors: those whose tests also run elsewhere run with BOARDS=all only.
    excluded = ["lifecycle", "measurement", "programs", "translate",
                *([] if OPTIONS["all_boards"] else ["extended"])]
    return twister("zephyr", ["tests", "samples"], RUN_PLATFORMS,
                   ["-x=CONFIG_MINIMAL_LIBC=y", *(f"--exclude-tag={tag}" for tag in excluded)]) + lint_rust_firmware() + refuse_old_zephyr()


def refuse_old_zephyr():
    """CMake refuses a Zephyr that is older than the oldest one that Wisp is built with, in words, and takes later ones."""
    outcomes = []
    for version in ("3.7.0", "4.2.99", "4.3.0", "4.4.0", "10.0.0"):
        major, minor, patch = version.split(".")
        code, text = stream(["cmake", f"-DKERNEL_VERSION_MAJOR={major}", f"-DKERNEL_VERSION_MINOR={minor}",
                             f"-DKERNEL_PATCHLEVEL={patch}", "-P", "cmake/zephyr.cmake"], devenv.REPO)
        is_old = [int(part) for part in version.split(".")] < [4, 3, 0]
        outcomes.append((code != 0) == is_old and (f"this is Zephyr {version}, and" in " ".join(text.split())) == is_old)
    return Count(passed=outcomes.count(True), failed=outcomes.count(False))


def lint_rust_firmware():
    """Runs clippy over the crate `wisp` and a sample that uses it, which needs a configured build of Zephyr."""
    env, zephyr = devenv.environment(), devenv.find_zephyr()
    if env is None or not (zephyr.parent / "modules" / "lang" / "rust").is_dir():
        print("lints of firmware in Rust: skipped, there is no workspace with zephyr-lang-rust")
        return Count(skipped=1)
    if devenv.output(["cargo", "clippy", "--version"]) is None:
        print("lints of firmware in Rust: skipped, clippy is not installed")
        return Count(skipped=1)
    build = devenv.BUILD / "lint_rust_firmware"
    sample = ["west", "build", "-b", "qemu_cortex_m3", "-d", build, devenv.REPO / "samples" / "rust_firmware_apps",
              "-t", "clippy", "--", f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", "-DCONFIG_MINIMAL_LIBC=y"]
    crate = ["cargo", "clippy", "--release", "--locked", "-q", "--config", build / "rust" / "sample-cargo-config.toml",
             "--", "-D", "warnings"]
    clean = stream(sample, zephyr, env)[0] == 0 and stream(crate, RUST / "wisp", env)[0] == 0
    return Count(passed=1) if clean else Count(failed=1)


PERIPHERAL_SAMPLES = ["samples/blinky", "samples/sensor_logger", "samples/thermostat", "samples/uart_bridge"]


def suite_boards():
    """Samples, only built, for the boards that QEMU does not have: one for each board."""
    samples = [*PERIPHERAL_SAMPLES, "samples/updatable_app", "samples/updatable_firmware"]
    # The default library would be compiled for each build folder; Espressif's port needs it.
    return (twister("boards_minimal_libc", samples, BUILD_PLATFORMS[:2], ["--build-only", "-x=CONFIG_MINIMAL_LIBC=y"])
            + twister("boards", samples, BUILD_PLATFORMS[2:], ["--build-only"]))


def suite_budgets():
    """Instructions and bytes on a Cortex-M3 within bench/budgets.toml; the core goes from op to op without calls."""
    if devenv.environment() is None:
        print("budgets: skipped, no Zephyr workspace can be had here")
        return Count(skipped=1)
    bench = [sys.executable, devenv.REPO / "scripts" / "bench.py", "--board", "m3",
             "--results", devenv.BUILD / "bench" / "budgets.json"]
    for measurement in (["--runtime", "wisp:thumb"], ["--size", "--configuration", "default"]):
        code, _ = stream([*bench, *measurement], devenv.REPO)
        if code != 0:
            return Count(failed=1)
    code, text = stream([*bench, "--check"], devenv.REPO)
    match = re.findall(r"^(\d+) budgets checked, (\d+) exceeded$", text, re.MULTILINE)
    if not match:
        return Count(failed=1)
    checked, exceeded = (int(n) for n in match[-1])
    return Count(passed=checked - exceeded, failed=exceeded or int(code != 0))


def suite_lifecycle():
    """An app's life: messages, heartbeats, a real SMP client, a soak on targets."""
    if devenv.environment() is None:
        print("lifecycle: skipped, no Zephyr workspace can be had here")
        return Count(skipped=1)
    count = twister("messages", ["tests/messages"], ["native_sim/native/64", "qemu_cortex_m3"],
                     ["-x=CONFIG_MINIMAL_LIBC=y"])
    return count + counted([sys.executable, devenv.REPO / "tests" / "lifecycle" / "run.py"], devenv.REPO)


def select_limits():
    """Limits: the engine's tests on the workstation; each limit, the bounds of stops on boards."""
    return (cargo(["test", "--locked", "-p", "wisp-engine", "--test", "limits"])
            + twister("limits", ["tests/limits"], RUN_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"],
                      all_boards=True))


def select_aot():
    """Native code: the translator, the official suite on it, signatures, loader and stop on every board."""
    return (cargo(["test", "--locked", "-p", "wisp-aotc", "-p", "wisp-trust", "--features", "wisp-trust/sign"])
            + cargo(["test", "--locked", "--target-dir", RUST / "target", "--test", "some", "native"], RUST / "fuzz")
            + spec(["--tier", "native"])
            + twister("aot", ["tests/aot", "tests/native_minimal", "tests/user_mode"], RUN_PLATFORMS,
                      ["-x=CONFIG_MINIMAL_LIBC=y"], all_boards=True))


def select_peripherals():
    """Peripherals under grant: host functions, the simulated board, Zephyr's emulated devices."""
    return (cargo(["test", "--locked", "-p", "wisp-abi", "-p", "wisp-host", "-p", "wisp-sim", "--features",
                   "wisp-abi/render"])
            + suite_guests()
            + twister("peripherals", ["tests/peripherals", "tests/devices", "tests/ble", "tests/kv", *PERIPHERAL_SAMPLES],
                      RUN_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"], all_boards=True)
            + suite_boards())


def select_network():
    """Sockets of apps: grants, the workstation's sockets, Zephyr's stack over the loopback interface, real servers."""
    count = (cargo(["test", "--locked", "-p", "wisp-host", "-p", "wisp-sim", "--lib", "net"])
             + cargo(["test", "--locked", "-p", "wisp-host", "--lib", "endpoint"])
             + twister("network", ["tests/net", "tests/net_tls"], RUN_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"],
                       all_boards=True)
             + run_servers())
    report = devenv.BUILD / "twister" / "network" / "twister.json"
    if report.is_file():
        print(network.abuse_table(report))
    return count


def run_servers():
    """Runs apps against real servers, and prints the table of them."""
    tool = build_wisp()
    return counted([sys.executable, "scripts/network.py", "--wisp", tool], devenv.REPO) if tool else Count(failed=1)


def run_rp2040(*tests):
    """Runs tests of scripts/rp2040.py."""
    python = devenv.VENV / "bin" / "python"
    return counted([python if python.exists() else sys.executable, devenv.REPO / "scripts" / "rp2040.py", *tests],
                   devenv.REPO)


def suite_rp2040():
    """blinky and every form of every op on an emulated Raspberry Pi Pico."""
    return run_rp2040("part")


def select_rp2040():
    """An emulated Raspberry Pi Pico: the engine, hello, blinky, peripherals, an app's life with flash and power cuts."""
    return run_rp2040()
