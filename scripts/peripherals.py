#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what host functions and user mode cost: doc/peripherals.md, doc/replay.md and doc/aot.md have the tables.

calls   instructions of each host function on a Cortex-M3 from a guest beside Zephyr's own call, from an interrupt
        to the guest, and while apps wait; QEMU with -icount, so that the figures are exact and repeatable
kept    the same functions in an app that is recorded, and what a core dump takes
flash   bytes of each interface: firmware with all of them against the same without that one
user    bytes of user mode, on a Cortex-M3, a Cortex-M33 and RV32; doc/aot.md has the table
"""

import argparse
import re
import selectors
import subprocess
import sys
import time

from devenv import REPO

sys.path.insert(0, str(REPO / "bench"))
# pylint: disable=wrong-import-position
from harness import boards, images, size
from harness.tools import OUTPUT, fail, read_toml, run, zephyr_environment

BOARD = boards.find("m3")
# Kconfig symbols of the interfaces: a file of options for each.
INTERFACES = sorted(path.suffix[1:].upper() for path in (REPO / "src" / "drivers").glob("Kconfig.*"))
# Those that are off by default, with the option of Zephyr's drivers.
OFF = {"CAN": "CAN", "DISPLAY": "DISPLAY", "EEPROM": "EEPROM", "FLASH": "FLASH_PAGE_LAYOUT", "HWINFO": "HWINFO", "INPUT": "INPUT",
       "LED": "LED", "STRIP": "LED_STRIP"}
# Those that need Zephyr's network, in the order in which a firmware gets them, and what they need of Zephyr.
NETWORK = ["NET", "NET_TLS", "MQTT", "COAP"]
STACK = ["NETWORKING=y", "NET_IPV4=y", "NET_IPV6=n", "NET_UDP=y", "NET_TCP=y", "NET_SOCKETS=y", "NET_LOOPBACK=y", "NET_DRIVERS=y",
         "NET_MAX_CONTEXTS=10", "ZVFS_OPEN_ADD_SIZE_WISP=14", "DNS_RESOLVER=y", "TEST_RANDOM_GENERATOR=y",
         "NET_SOCKETS_SOCKOPT_TLS=y", "NET_SOCKETS_ENABLE_DTLS=y", "MBEDTLS=y", "MBEDTLS_ENABLE_HEAP=y", "MBEDTLS_HEAP_SIZE=40000",
         "MBEDTLS_ECP_C=y", "MBEDTLS_ECP_DP_SECP256R1_ENABLED=y", "MBEDTLS_ECDH_C=y", "MBEDTLS_ECDSA_C=y", "MBEDTLS_DTLS=y",
         "MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED=y", "MBEDTLS_CIPHER_GCM_ENABLED=y", "MBEDTLS_SHA256=y"]
# What a firmware with native code gets step by step, and the boards whose memory is protected.
USER_MODE = (("`CONFIG_USERSPACE`", "USERSPACE"), ("user mode of native code", "WISP_NATIVE_USER_MODE"),
             ("user mode of interpreters", "WISP_INTERPRETER_USER_MODE"))
PROTECTED = ("m3", "m33", "rv32")
TIMEOUT = 120


def qemu_lines(elf):
    """What an image prints until it says that it is done."""
    with subprocess.Popen(BOARD.command(elf, []), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        lines, rest, end = [], b"", time.monotonic() + TIMEOUT
        selector = selectors.DefaultSelector()
        selector.register(process.stdout, selectors.EVENT_READ)
        while "bench done" not in lines and time.monotonic() < end:
            if not selector.select(timeout=1):
                continue
            chunk = process.stdout.read1(65536)
            if not chunk:
                break
            *whole, rest = (rest + chunk).split(b"\n")
            lines += [line.decode(errors="replace").strip() for line in whole]
        process.kill()
    failures = [line for line in lines if line.startswith("failed") or "FATAL" in line]
    if failures or "bench done" not in lines:
        fail(f"{elf}: " + "; ".join(failures or ["no end"]) + "\n" + "\n".join(lines[-20:]))
    return lines


def counted(tier, options):
    """Builds bench/calls for a tier and runs it: (instructions by kind and name, other numbers, instructions per cycle)."""
    folder = OUTPUT / f"calls-{tier}"
    env = zephyr_environment()
    if not (folder / "build.ninja").is_file():
        run(["cmake", "-GNinja", "-S", REPO / "bench" / "calls", "-B", folder, f"-DBOARD={BOARD.name}",
             f"-DEXTRA_ZEPHYR_MODULES={REPO}", *options], env=env, log=OUTPUT / f"calls-{tier}-cmake.log")
    run(["ninja", "-j2", "-C", folder], env=env, log=OUTPUT / f"calls-{tier}.log")
    two, spent, rest = [], {"guest": {}, "direct": {}, "dump": {}}, {}
    for line in qemu_lines(folder / "zephyr" / "zephyr.elf"):
        if match := re.fullmatch(r"calibration (\d+) (\d+)", line):
            two.append(tuple(int(n) for n in match.groups()))
        elif match := re.fullmatch(r"(guest|direct) (\d+) (\d+) (.+)", line):
            spent[match[1]][match[4]] = int(match[3]) / int(match[2])
        elif match := re.fullmatch(r"dump (\d+) (\d+)", line):
            spent["dump"][int(match[1])] = int(match[2])
        elif match := re.fullmatch(r"(edges|idle) (.+)", line):
            rest[match[1]] = [int(n) for n in re.findall(r"\d+", match[2])]
    (short, short_cycles), (long, long_cycles) = sorted(two)
    rate = (long - short) / (long_cycles - short_cycles)
    loop = spent["guest"].pop("loop")
    spent["guest"] = {name: cycles - loop for name, cycles in spent["guest"].items()}
    instructions = {kind: {name: round(cycles * rate) for name, cycles in found.items()} for kind, found in spent.items()}
    return instructions, rest, rate


def measured(tier, options):
    """As counted(): (instructions by call, Zephyr's own by call, the rest in words)."""
    instructions, rest, rate = counted(tier, options)
    edges, latency = rest["edges"]
    total, idle, app = rest["idle"]
    words = (f"{tier}: from the interrupt in which a pin changes to the guest's next host call "
             f"{round(latency * rate / edges):,} instructions, the mean of {edges}; in one second in which two apps wait "
             f"{idle / total:.2%} idle, {round((total - idle) * rate):,} instructions in all, "
             f"{round(app * rate):,} in the app's thread.")
    return instructions["guest"], instructions["direct"], words


def calls(_):
    """Prints the table of calls."""
    interpreted, direct, words = measured("interpreter", [])
    native, _, native_words = measured("native", ["-DCALLS_TIER=AOT_ONLY", "-DCONFIG_WISP_NATIVE=y"])
    print("| call | interpreter | native code | Zephyr's own call |\n|---|--:|--:|--:|")
    for name, guest in interpreted.items():
        own = f"{direct[name]:,}" if name in direct else ""
        print(f"| {name} | {guest:,} | {native[name]:,} | {own} |")
    print(f"\n{words}\n{native_words}")


def kept(_):
    """Prints the tables of calls that are recorded, and of core dumps."""
    plain, _, _ = counted("interpreter", [])
    folder = REPO / "bench" / "calls"
    recorded, _, _ = counted("kept", [f"-DEXTRA_CONF_FILE={folder / 'kept.conf'}",
                                      f"-DEXTRA_DTC_OVERLAY_FILE={folder / 'kept.overlay'}"])
    print("| call | not recorded | recorded |\n|---|--:|--:|")
    for name, instructions in plain["guest"].items():
        print(f"| {name} | {instructions:,} | {recorded['guest'][name]:,} |")
    print("\n| core dump, bytes | instructions |\n|--:|--:|")
    for length, instructions in recorded["dump"].items():
        print(f"| {length:,} | {instructions:,} |")


def flash(names):
    """Prints a table for the interfaces that are on by default, one for those that are off, and one for the network."""
    everything = read_toml(REPO / "bench" / "size" / "configurations.toml")["everything"]["kconfig"]
    off = [f"{option}=y" for name, driver in OFF.items() for option in (driver, f"WISP_{name}")]
    flash_of("everything", everything, [name for name in names if name not in OFF and name not in NETWORK])
    flash_of("everything-and-off", [*everything, *off], [name for name in names if name in OFF])
    if set(names) & set(NETWORK):
        flash_of_network([*everything, *STACK])


def flash_of(folder, kconfig, names):
    """Prints what each interface adds to a firmware with all that the options name."""
    if not names:
        return
    base = images.flash_and_ram(size.build(BOARD, folder, kconfig, True))
    print("| interface | flash | RAM |\n|---|---|---|")
    for name in names:
        changed = [option for option in kconfig if option != f"WISP_{name}=y"] + [f"WISP_{name}=n"]
        without = images.flash_and_ram(size.build(BOARD, f"{folder}-but-{name.lower()}", changed, True))
        print(f"| {name.lower()} | {base[0] - without[0]:,} | {base[1] - without[1]:,} |", flush=True)
    print(f"\nThe firmware with all of them: {base[0]:,} bytes of flash, {base[1]:,} of RAM.")


def flash_of_network(kconfig):
    """Prints what each interface of the network adds to a firmware that has Zephyr's network and the ones before it."""
    print("| interface | flash | RAM |\n|---|---|---|")
    before = None
    for count in range(len(NETWORK) + 1):
        options = [f"WISP_{name}={'y' if name in NETWORK[:count] else 'n'}" for name in NETWORK]
        found = images.flash_and_ram(size.build(BOARD, f"network-{count}", [*kconfig, *options], True))
        if before is not None:
            name = NETWORK[count - 1].lower()
            print(f"| {name} | {found[0] - before[0]:,} | {found[1] - before[1]:,} |", flush=True)
        before = found
    print(f"\nThe firmware with all of them: {before[0]:,} bytes of flash, {before[1]:,} of RAM.")


def user(_):
    """Prints what a firmware takes with each step to user mode. It has one app with stacks and sizes by default."""
    native = [*read_toml(REPO / "bench" / "size" / "configurations.toml")["gpio"]["kconfig"], "WISP_NATIVE=y", "STACK_SENTINEL=n"]
    rows = {title: "" for title, _ in USER_MODE}
    for board in map(boards.find, PROTECTED):
        before = None
        for count in range(len(USER_MODE) + 1):
            options = [f"{name}={'y' if n < count else 'n'}" for n, (_, name) in enumerate(USER_MODE)]
            found = images.flash_and_ram(size.build(board, f"user-{count}", [*native, *options], True))
            if before is not None:
                rows[USER_MODE[count - 1][0]] += f" {found[0] - before[0]:,} | {found[1] - before[1]:,} |"
            before = found
    print("| bytes |" + "".join(f" {boards.find(name).title}: flash | RAM |" for name in PROTECTED))
    print("|---|" + "--:|--:|" * len(PROTECTED))
    for title, row in rows.items():
        print(f"| {title} |{row}")


def main():
    """Runs what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("calls", "kept", "flash", "user"))
    parser.add_argument("interfaces", nargs="*", metavar="INTERFACE", help="for flash: these alone, as UART")
    args = parser.parse_args()
    names = [name.upper() for name in args.interfaces] or INTERFACES
    if not set(names) <= set(INTERFACES):
        parser.error("expected some of: " + " ".join(INTERFACES))
    {"calls": calls, "kept": kept, "flash": flash, "user": user}[args.what](names)


if __name__ == "__main__":
    main()
