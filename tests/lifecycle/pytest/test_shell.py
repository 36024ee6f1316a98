# SPDX-License-Identifier: Apache-2.0
"""The shell's commands, typed on the console of the device."""

import asyncio
import re
import time

import pytest
from device import Device


def on(firmware, work):
    """Runs a coroutine that uses the device."""

    async def connected():
        async with Device(firmware.port) as device:
            return await work(device)

    return asyncio.run(asyncio.wait_for(connected(), 60))


def install(firmware, version, **options):
    on(firmware, lambda device: device.install(firmware.update(version), **options))


def test_every_command_says_what_it_did_or_what_to_do(firmware):
    shell = firmware.shell
    assert "no app is installed" in shell("wisp list")
    for command in ("info", "start", "stop", "restart", "confirm", "rollback", "uninstall"):
        assert "counter: no such app is installed" in shell(f"wisp {command} counter"), command
        assert f"{command} - " in shell(f"wisp {command}"), "without a name it shows how it is used"
    assert "the firmware carries no such image" in shell("wisp install counter")
    assert "no upload" in shell("wisp abort")
    assert "0 shown, 0 runs failed since boot" in shell("wisp log")
    assert "the firmware has no app of this name; see its devicetree" in shell("wisp stat nobody")
    help_text = shell("wisp")
    for command in ("abort", "confirm", "info", "install", "list", "log", "restart", "rollback", "start", "stat",
                    "stop", "storage", "uninstall"):
        assert command in help_text

    install(firmware, "3.0.0", stop_at=1000)
    assert "counter: upload of 3.0.0, " in shell("wisp list")
    assert shell("wisp abort") == ""

    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    listed = shell("wisp list")
    assert "counter" in listed and "1.0.0  running" in listed
    info = shell("wisp info counter")
    assert "running: 1.0.0, " in info and "crashes 0" in info
    assert re.search(r"arena [1-9]\d* of \d+, linear memory [1-9]", info), "while it runs: " + info
    assert "native stack" in shell("wisp stat counter")
    stat = shell("wisp stat")
    assert "in one piece" in stat and "erases: " in stat and "journal: " in stat

    assert "counter: the app has no update to confirm or roll back" in shell("wisp confirm counter")
    assert "counter: the app has no update to confirm or roll back" in shell("wisp rollback counter")
    assert "counter: the app is in that state already" in shell("wisp start counter")
    firmware.forget()
    assert shell("wisp restart counter") == ""
    firmware.wait_for("version 1 counts 1")
    assert shell("wisp stop counter") == ""
    assert "1.0.0  stopped" in shell("wisp list")
    assert "counter: the app is in that state already" in shell("wisp stop counter")
    assert shell("wisp start counter") == ""

    firmware.forget()
    install(firmware, "2.0.0")
    firmware.wait_for("counter: update rolled back")
    log = shell("wisp log counter")
    assert len(re.findall(r"counter: trap 1 \(unreachable\), image [\da-f]{8}:[\da-f]+, at \d+@0x", log)) == 3
    assert "3 shown" in log
    assert "0 shown, 3 runs failed since boot" in shell("wisp log watched")

    firmware.forget()
    install(firmware, "3.0.0")
    firmware.wait_for("version 3 counts 3")
    assert "update on trial, started 1 times" in shell("wisp list")
    shell("wisp rollback counter")
    firmware.wait_for("version 1 counts 1")
    firmware.forget()
    install(firmware, "3.0.0")
    firmware.wait_for("version 3 counts 3")
    shell("wisp confirm counter")
    assert "3.0.0  running" in shell("wisp list")
    assert "is running; stop it first" in shell("wisp args counter a b")
    shell("wisp stop counter")
    assert shell("wisp args counter") == ""
    assert shell("wisp args counter one two") == "" and shell("wisp env counter A=b") == ""
    assert "NAME=VALUE" in shell("wisp env counter =b")
    listed = shell("wisp args counter")
    assert "argument 1: one" in listed and "argument 2: two" in listed and "environment: A=b" in listed
    # another client may have set what could command the terminal
    on(firmware, lambda device: device.set_args("counter", ["\x1b[2J\u009b1m", "two"], ["A=\r\nb"]))
    listed = shell("wisp args counter")
    assert "argument 1: ?[2J??1m" in listed and "argument 2: two" in listed and "environment: A=??b" in listed
    assert shell("wisp reset counter") == "" and shell("wisp args counter") == ""
    assert "the firmware has no app of this name" in shell("wisp reset nobody")
    assert shell("wisp uninstall counter") == ""
    assert "no app is installed" in shell("wisp list")


def test_names_are_completed_with_the_tab_key(firmware):
    firmware.type("wisp info cou\t\n")
    firmware.wait_for("counter: no such app is installed", 10)
    firmware.type("wisp unins\twat\t\n")
    firmware.wait_for("watched: no such app is installed", 10)
    # two tabs show what there is
    firmware.forget()
    firmware.type("wisp stat \t\t")
    firmware.wait_for("counter *watched", 10)
    firmware.type("\x15")
    time.sleep(0.1)


def test_a_format_removes_the_apps_and_leaves_a_store_that_works(firmware):
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    firmware.forget()
    assert firmware.shell("wisp storage format") == ""
    firmware.wait_for("app storage formatted on request")
    assert "no app is installed" in firmware.shell("wisp list")
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    on(firmware, lambda device: device.format())
    assert on(firmware, lambda device: device.apps()) == []


def test_changed_bits_are_repaired_and_told(firmware):
    if not firmware.keeps_flash:
        pytest.skip("the simulated flash of this board is RAM")
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    firmware.power_off()
    image = firmware.update("1.0.0").read_bytes()
    flash = bytearray(firmware.flash.read_bytes())
    # a bit of the image, and one of the record that names the app
    flash[flash.index(image[1000:1100])] ^= 0x10
    flash[flash.index(b"\x07counter") + 1] ^= 0x04
    firmware.flash.write_bytes(flash)
    firmware.start()
    firmware.wait_for("app storage repaired: a part of its journal was damaged")
    firmware.wait_for("counter: a bit of its image had changed in flash; the image was repaired")
    firmware.wait_for("version 1 counts 1")
