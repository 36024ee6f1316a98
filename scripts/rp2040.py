#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs firmwares of rpi_pico in an emulated RP2040: npm's rp2040js, with the corrections in tests/rp2040/chip.mjs.

The engine on bare metal (every form of every op, interpreted and translated, and the official suite), tests/translate,
tests/aot, samples/hello, samples/blinky, samples with peripherals and an app that uses each of them, an app's life in
samples/updatable_app with its flash and power cuts, and a new firmware for samples/updatable_firmware. Ends with
N passed, N failed, N skipped. Skipped where there is no Node.js, or where npm reaches no registry. Names of tests choose
some of them, `part` those that are part of `make test`. `demo` shows samples/blinky.
"""

import itertools
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import devenv
from rp2040_device import Device, PowerCut, client, whole
from rp2040_firmware import OUT, PATIENCE, Firmwares, emulator
from suites import bare
from suites.desk import build_spec
from suites.targets import make_tape

# The chip's RAM.
RAM = 264 << 10
START = 0x20000000
# Its flash, as the Pico has it, and what the linker of rust/bare takes of it.
FLASH, FLASH_SIZE, PROGRAM_SIZE = 0x10000000, 2 << 20, 256 << 10
CHIP = bare.Board("rp2040", "RP2040", "thumbv6m-none-eabi", "cortex-m0plus", (), tape=(0, 0), heap=(0, 0), stack=0,
                  arena=(0, 0), features=("rp2040",))
# Cases of each op, and random frames of each case: a fifteenth of what boards in QEMU do.
CASES = "cases=2:6"


def run_bare(command, regions, chip=CHIP, tape=()):
    """Runs rust/bare on the chip, with a tape and its address in the flash: (exit code, its text)."""
    program = bare.build(chip)
    assert program, "rust/bare could not be built"
    words = " ".join(["wisp-bare", *command, *(f"{name}={at}:{size}" for name, (at, size) in regions.items())])
    done = subprocess.run([str(part) for part in ("node", OUT / "bare.mjs", program, RAM, words, *tape)], check=False,
                          capture_output=True, text=True, timeout=PATIENCE)
    report = json.loads(done.stderr.strip().splitlines()[-1])
    assert not report["faults"] and not report["halted"], report
    return done.returncode, done.stdout


def console(uf2, seconds, pattern, *parts):
    """Runs a firmware with parts at its pins until its console matches: (its output, what the emulator says at the end)."""
    done = subprocess.run(["node", OUT / "console.mjs", uf2, str(seconds), pattern, *parts], check=True, timeout=PATIENCE,
                          capture_output=True, text=True)
    output, _, report = done.stdout.rstrip().rpartition("\n")
    return output, json.loads(report)


def test_emulator(_):
    """Misaligned accesses and undefined instructions end in HardFault, and sums with carry overflow, as on a Cortex-M0+."""
    done = subprocess.run(["node", OUT / "align.mjs"], check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout


def test_forms(_):
    """Every form of every op does what it should, in the chip's RAM."""
    regions = {"heap": (START + 0x2000, 0x8000), "stack": (START + RAM, 0), "arena": (START + 0x10000, 0x2000)}
    code, text = run_bare(["forms", CASES], regions)
    match = re.search(r"^forms: (\d+) ops, (\d+) failed$", text, re.MULTILINE)
    assert code == 0 and match and int(match[1]) >= 300 and match[2] == "0", text[-2000:]


def test_translated(_):
    """Every form of every op and random programs do the same as translated code, in the chip's RAM."""
    regions = {"heap": (START + 0x2000, 0x8000), "stack": (START + RAM, 0), "arena": (START + 0x10000, 0x20000)}
    chip = replace(CHIP, features=(*CHIP.features, "translate"))
    code, text = run_bare(["forms", CASES, f"translate={0x10000}"], regions, chip)
    ops = re.search(r"^forms: (\d+) ops, (\d+) failed$", text, re.MULTILINE)
    programs = re.search(r"^programs: (\d+) checked, (\d+) translated, (\d+) failed$", text, re.MULTILINE)
    assert code == 0 and ops and int(ops[1]) >= 300 and ops[2] == "0", text[-2000:]
    assert programs and int(programs[1]) >= 400 and programs[1] == programs[2] and programs[3] == "0", text[-2000:]


def test_spec(_):
    """The official suite in the chip's flash and RAM. What takes more memory is left out."""
    heap, stack = 0x8000, 0x8000
    arena = RAM - 0x2000 - heap - stack
    tape = make_tape("rp2040", ["--arena", arena]) if build_spec() else None
    room = FLASH_SIZE - PROGRAM_SIZE
    assert tape and tape.stat().st_size <= room, f"the tape has {tape and tape.stat().st_size} bytes, and the flash {room}"
    at = FLASH + PROGRAM_SIZE
    regions = {"heap": (START + 0x2000, heap), "arena": (START + 0x2000 + heap, arena), "stack": (START + RAM, 0),
               "tape": (at, tape.stat().st_size)}
    code, text = run_bare(["play", "native=0"], regions, tape=(tape, at))
    match = re.search(r"^suite: (\d+) passed, 0 failed, (\d+) skipped", text, re.MULTILINE)
    assert code == 0 and match, text[-3000:]
    print(match[0])


def test_translate(firmwares):
    """tests/translate: apps run translated and interpreted, with traps, stops and faults."""
    output, report = console(firmwares.uf2("tests/translate"), 120, "PROJECT EXECUTION (SUCCESSFUL|FAILED)")
    assert "PROJECT EXECUTION SUCCESSFUL" in output, output[-4000:]
    assert not report["halted"], report


def test_aot(firmwares):
    """tests/aot: signed native code runs, traps and is stopped."""
    output, report = console(firmwares.uf2("tests/aot"), 120, "PROJECT EXECUTION (SUCCESSFUL|FAILED)")
    assert "PROJECT EXECUTION SUCCESSFUL" in output, output[-4000:]
    assert not report["faults"] and not report["halted"], report


def test_hello(firmwares):
    """A C guest prints, and nothing faults."""
    output, report = console(firmwares.uf2("samples/hello"), 5, "bytes of the arena used")
    assert "3 squared is 9" in output and report["matched"], output
    assert not report["faults"] and not report["halted"], report


def test_blinky(firmwares):
    """A Rust guest toggles pin 25."""
    output, report = console(firmwares.uf2("samples/blinky"), 10, "blinky: blink 6")
    assert report["matched"], output
    assert report["changes"] >= 5 and not report["faults"], report


def with_parts(firmwares, application, seconds, pattern="$^"):
    """Runs a firmware with its parts of parts.mjs: (its output, what the parts saw)."""
    name = Path(application).name
    output, report = console(firmwares.uf2(application), seconds, pattern, name)
    assert not report["faults"] and not report["halted"], report
    return output, report["parts"]


def test_thermostat(firmwares):
    """A C guest keeps a room warm: an analog input, a PWM output and a button."""
    output, seen = with_parts(firmwares, "samples/thermostat", 8)
    said = re.findall(r"thermostat: (.*?)\x1b", output)
    assert said[0] == "17 C, heater at 100 %", output
    assert [line.split(",")[0] for line in said] == ["17 C", "18 C", "19 C", "set to 21 C", "20 C"], output
    # Half a degree below the wanted temperature, a quarter of the power keeps the room warm.
    assert 20.4 < seen["temperature"] < 20.6 and 0.2 < seen["pwm"]["pulse"] / seen["pwm"]["period"] < 0.3, seen
    check_output(seen)


def test_uart_bridge(firmwares):
    """A Rust guest lets a serial port reach an EEPROM, also while the EEPROM does not answer."""
    output, seen = with_parts(firmwares, "samples/uart_bridge", 2)
    assert "device 57 at the serial port" in output, output
    assert seen["heard"] == ["ok", "error EIO", "48 65 6c 6c 6f", "? w REGISTER BYTE... or r REGISTER COUNT"], seen
    assert seen["eeprom"] == {"addresses": [0x57], "unanswered": 1, "bytes": [*b"Hello", 255, 255, 255]}, seen
    assert abs(seen["baud"] - 115200) < 100, seen


def check_output(seen):
    """Compares the registers of the PWM output at pin 25 with what the pin did: 20 ms a period, at 125 MHz / 255."""
    count = 255 * 8
    assert seen["pwm"]["csr"] == 1 and seen["pwm"]["div"] == 255 << 4, seen
    assert seen["pwm"]["period"] == 20_000_000 // count, seen
    assert seen["pin"] == {"period": count * seen["pwm"]["period"], "high": count * seen["pwm"]["pulse"]}, seen


def test_peripherals(firmwares):
    """tests/rp2040/peripherals: GPIO, I2C, SPI, ADC, PWM, the second UART and a timer have the right values on both sides."""
    output, seen = with_parts(firmwares, "tests/rp2040/peripherals", 5, "all were used")
    *said, timer, last = re.findall(r"chip: (.*?)(?:\x1b|$)", output)
    assert said == ["gpio: 0 1, 5 edges", "i2c: 0, busy -5, 0, deadbeef, absent -5", "spi: 0, same",
                    "adc: 0=0 1000=805664 2048=1650000 4095=3299194", "pwm: period 20000000, 0",
                    "uart: revo spmuj xof nworb kciuq eht"], output
    assert last == "all were used" and 0 <= int(re.fullmatch(r"timer: 10 ticks in (\d+) us", timer)[1]) - 100_000 <= 200, output
    assert seen["eeprom"] == {"addresses": [0x57, 0x20], "unanswered": 2, "bytes": [*b"\xde\xad\xbe\xef", 255, 255, 255, 255]}, seen
    # Mode 3, and 125 MHz / 126 is the fastest clock of at most 1 MHz.
    assert (seen["selected"], seen["transferred"], seen["unselected"]) == (1, 20, 0), seen
    assert seen["modes"] == [3] and seen["clocks"] == [125_000_000 // 126], seen
    check_output(seen)
    assert seen["pwm"]["pulse"] == seen["pwm"]["period"] // 4, seen
    assert abs(seen["baud"] - 115200) < 100, seen
    # The first time is when the pin became an output. A tick of the kernel has 100 us.
    apart = [later - earlier for earlier, later in itertools.pairwise(seen["ticks"][1:])]
    assert len(apart) == 9 and all(abs(time - 10_000) <= 100 for time in apart), seen


def test_life(firmwares):
    """An app is installed, updated, rolled back and confirmed over SMP, and is there after a restart."""
    uf2 = firmwares.uf2("samples/updatable_app", flash=True)
    folder = uf2.parents[1]
    flash = OUT / "flash.bin"
    flash.unlink(missing_ok=True)
    updates = {version: folder / "wisp" / "updates" / f"counter-{version}.wisp" for version in ("1.0.0", "2.0.0", "3.0.0")}
    device = Device(uf2, flash)
    device.wait_for("app storage formatted")
    client(device, lambda d: d.install(updates["1.0.0"]))
    device.wait_for("version 1 counts 3")
    device.wait_for("counter: update confirmed")
    client(device, lambda d: d.install(updates["2.0.0"]))
    device.wait_for("version 2 is about to crash")
    device.wait_for("counter: update rolled back")
    whole(device.off())

    device = Device(uf2, flash)
    device.wait_for("app storage ready")
    device.wait_for("version 1 counts 1")
    client(device, lambda d: d.install(updates["3.0.0"]))
    device.wait_for("version 3 counts 3")
    client(device, lambda d: d.simple("confirm", "counter"))
    whole(device.off())

    device = Device(uf2, flash)
    device.wait_for("version 3 counts 1")
    whole(device.off())


def test_cuts(firmwares):
    """The power is cut in the middle of an update: the app that ran before or the update runs after it."""
    uf2 = firmwares.uf2("samples/updatable_app", flash=True)
    flash = OUT / "flash.bin"
    flash.unlink(missing_ok=True)
    updates = uf2.parents[1] / "wisp" / "updates"
    device = Device(uf2, flash)
    device.wait_for("app storage formatted")
    client(device, lambda d: d.install(updates / "counter-1.0.0.wisp"))
    device.wait_for("counter: update confirmed")
    whole(device.off())
    before = flash.read_bytes()
    for cut in [(2, "part"), (14, "nothing"), (26, "all")]:
        flash.write_bytes(before)
        device = Device(uf2, flash, cut)
        try:
            device.wait_for("version 1 counts 1")
            client(device, lambda d: d.install(updates / "counter-3.0.0.wisp"))
            device.wait_for("version 3 counts 3")
        except PowerCut:
            pass
        report = device.off()
        assert report["cut"], f"the update took {report['operations']} flash operations, none was cut at {cut}"
        whole(report)
        device = Device(uf2, flash)
        device.wait_for("app storage (ready|recovered)")
        device.wait_for("version [13] counts 1")
        client(device, lambda d: d.stat())
        whole(device.off())


class Slots:
    """samples/updatable_firmware behind MCUboot, in a file that is the chip's flash."""

    def __init__(self, folder):
        self.application = folder / "updatable_firmware"
        config = (self.application / "zephyr" / ".config").read_text(encoding="utf-8")
        # where MCUboot's first slot begins, as the board's partitions have it, and the bytes of a slot
        self.first, self.size = (int(re.search(rf"^CONFIG_FLASH_LOAD_{name}=(\w+)$", config, re.MULTILINE)[1], 16)
                                 for name in ("OFFSET", "SIZE"))
        self.elves = [folder / "mcuboot" / "zephyr" / "zephyr.elf", self.application / "zephyr" / "zephyr.elf"]
        self.flash = OUT / "flash.bin"
        memory = bytearray(b"\xff" * (2 << 20))
        for at, part in [(0, self.elves[0].with_suffix(".bin").read_bytes()), (self.first, self.signed("1.0.0", "--pad", "--confirm"))]:
            memory[at:at + len(part)] = part
        self.flash.write_bytes(memory)

    def signed(self, version, *options):
        """The firmware, signed as this version with the key of MCUboot's repository."""
        mcuboot = devenv.find_zephyr().parent / "bootloader" / "mcuboot"
        path = OUT / f"firmware-{version}.bin"
        subprocess.run([str(part) for part in (
            sys.executable, mcuboot / "scripts" / "imgtool.py", "sign", "--key", mcuboot / "root-ec-p256.pem", "--align", "1",
            "--header-size", "0x200", "--slot-size", hex(self.size), "--version", version, *options,
            self.elves[1].with_suffix(".bin"), path)], check=True, timeout=PATIENCE)
        return path.read_bytes()

    def on(self):
        """Switches the chip on."""
        return Device(None, self.flash, elves=self.elves)

    def restart(self, device):
        """Asks the firmware for a reset, and lets the chip begin anew."""
        from smpclient.requests.os_management import ResetWrite

        try:
            client(device, lambda d: d.ask(ResetWrite()))
        except PowerCut:
            # the chip was gone before its answer was read to the end
            pass
        device.process.wait(timeout=PATIENCE)
        report = device.off()
        whole(report)
        assert report["reset"], report
        return self.on()


async def upload_firmware(connection, image):
    """Uploads a firmware into MCUboot's second slot, to be tried after the next reset."""
    from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite

    async for _ in connection.client.upload(image, first_timeout_s=PATIENCE, subsequent_timeout_s=PATIENCE):
        pass
    states = await connection.ask(ImageStatesRead())
    await connection.ask(ImageStatesWrite(hash=states.images[1].hash))


async def confirm_firmware(connection):
    """Keeps the firmware that runs."""
    from smpclient.requests.image_management import ImageStatesWrite

    await connection.ask(ImageStatesWrite(confirm=True))


def test_firmware(firmwares):
    """MCUboot exchanges the firmware for one that came over the SMP link of the apps, back, and for good; an app stays."""
    slots = Slots(firmwares.with_mcuboot("samples/updatable_firmware"))
    device = slots.on()
    device.wait_for(r"firmware 1\.0\.0[^,]")
    device.wait_for("app storage formatted")
    client(device, lambda d: d.install(slots.application / "wisp" / "updates" / "counter-1.0.0.wisp"))
    device.wait_for("counter: update confirmed")

    update = slots.signed("2.0.0")
    client(device, lambda d: upload_firmware(d, update))
    device = slots.restart(device)
    device.wait_for(r"firmware 2\.0\.0, on trial")
    device.wait_for("version 1 counts 1")
    # It is not confirmed, and goes with the next reset.
    device = slots.restart(device)
    device.wait_for(r"firmware 1\.0\.0[^,]")
    device.wait_for("version 1 counts 1")
    client(device, lambda d: upload_firmware(d, update))
    device = slots.restart(device)
    device.wait_for(r"firmware 2\.0\.0, on trial")
    client(device, confirm_firmware)
    device = slots.restart(device)
    device.wait_for(r"firmware 2\.0\.0[^,]")
    device.wait_for("version 1 counts 1")
    whole(device.off())


TESTS_IN_ORDER = [test_emulator, test_forms, test_translated, test_spec, test_translate, test_aot, test_hello, test_blinky,
                  test_thermostat, test_uart_bridge, test_peripherals, test_life, test_cuts, test_firmware]
# What `make test` runs: at most 3 minutes of processor time.
PART = [test_emulator, test_forms, test_blinky]


def demo():
    """Shows samples/blinky."""
    reason, env = emulator(), devenv.environment()
    if reason or env is None:
        sys.exit(f"demo: {reason or 'no Zephyr workspace can be had here'}")
    try:
        uf2 = Firmwares(env).uf2("samples/blinky")
    except AssertionError:
        sys.exit("demo: the build failed, see above")
    output, report = console(uf2, 20, "blinky: blink 6")
    print(output)
    if not report["matched"]:
        sys.exit("demo: the app did not blink")
    print(f"\ndemo: done. Pin 25 of an emulated RP2040 changed {report['changes']} times in {report['seconds']:.1f} s "
          f"of the chip's time, {report['instructions']} instructions.")


def passes(test, firmwares):
    """Runs a test, says how it went and how long it took."""
    begin = time.monotonic()
    try:
        test(firmwares)
        outcome = "passed"
    except Exception as error:  # noqa: BLE001 (whatever a client or the emulator raises, the other tests still run)
        outcome = "failed"
        print(f"{test.__name__}: {type(error).__name__}: {error}")
    print(f"{test.__name__}: {outcome} ({time.monotonic() - begin:.0f} s): {test.__doc__}", flush=True)
    return outcome == "passed"


def main():
    if sys.argv[1:] == ["demo"]:
        demo()
        return
    names = {test.__name__.removeprefix("test_"): test for test in TESTS_IN_ORDER}
    unknown = [name for name in sys.argv[1:] if name not in names and sys.argv[1:] != ["part"]]
    if unknown:
        sys.exit(f"rp2040: no test '{unknown[0]}'; expected part, demo or some of: {' '.join(names)}")
    chosen = PART if sys.argv[1:] == ["part"] else [names[name] for name in sys.argv[1:]] or TESTS_IN_ORDER
    reason, env = emulator(), devenv.environment()
    if env is None:
        reason = "no Zephyr workspace can be had here"
    if reason:
        print(f"rp2040: skipped, {reason}")
        print(f"0 passed, 0 failed, {len(chosen)} skipped")
        return
    firmwares = Firmwares(env)
    outcomes = [passes(test, firmwares) for test in chosen]
    print(f"{outcomes.count(True)} passed, {outcomes.count(False)} failed, 0 skipped")
    sys.exit(0 if all(outcomes) else 1)


if __name__ == "__main__":
    main()
