# SPDX-License-Identifier: Apache-2.0
"""An app's life, led by a real SMP client over a serial line."""

import asyncio
import time

import pytest
from device import Code, Device, DeviceError


def on(firmware, work):
    """Runs a coroutine that uses the device."""

    async def connected():
        async with Device(firmware.port) as device:
            return await work(device)

    return asyncio.run(asyncio.wait_for(connected(), 60))


def install(firmware, version):
    return on(firmware, lambda device: device.install(firmware.update(version)))


def refused(firmware, work):
    """The code that the device refuses with."""
    with pytest.raises(DeviceError) as error:
        on(firmware, work)
    return error.value.code


def test_updates_are_tried_rolled_back_and_confirmed(firmware):
    install(firmware, "1.0.0")
    firmware.wait_for("version 1 counts 3")
    firmware.wait_for("counter: update confirmed")

    # version 2 crashes until its starts are used up; version 1 is back by itself
    firmware.forget()
    install(firmware, "2.0.0")
    firmware.wait_for("version 2 is about to crash")
    firmware.wait_for("update not confirmed in 3 starts")
    firmware.wait_for("counter: update rolled back")
    firmware.wait_for("version 1 counts 1")

    # version 3 is confirmed from outside
    firmware.forget()
    install(firmware, "3.0.0")
    firmware.wait_for("version 3 counts 3")
    on(firmware, lambda device: device.simple("confirm", "counter"))
    app = on(firmware, lambda device: device.info("counter"))
    assert app.state == "running"
    assert app.running["ver"] == 3 and app.candidate is None
    assert [entry.name for entry in on(firmware, lambda device: device.apps())] == ["counter"]


def test_an_update_that_says_nothing_is_rolled_back_in_time(firmware):
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    install(firmware, "3.0.0")
    firmware.wait_for("update not confirmed in 10 s")
    firmware.forget()
    firmware.wait_for("version 1 counts 1")


def test_apps_are_started_and_stopped(firmware):
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    on(firmware, lambda device: device.simple("stop", "counter"))
    assert on(firmware, lambda device: device.info("counter")).state == "stopped"
    assert refused(firmware, lambda device: device.simple("stop", "counter")) == Code.ALREADY
    on(firmware, lambda device: device.simple("start", "counter"))
    assert on(firmware, lambda device: device.info("counter")).state == "running"
    before = on(firmware, lambda device: device.stat())
    on(firmware, lambda device: device.simple("uninstall", "counter"))
    assert refused(firmware, lambda device: device.info("counter")) == Code.NOT_FOUND
    after = on(firmware, lambda device: device.stat())
    assert after.free > before.free and after.free == after.blocks


def test_what_is_wrong_is_refused_with_a_reason(firmware, tmp_path):
    good = firmware.update("1.0.0").read_bytes()
    total = int.from_bytes(good[8:12], "little")

    def send(content):
        path = tmp_path / "image.wisp"
        path.write_bytes(content)
        return refused(firmware, lambda device: device.install(path))

    assert send(good[:total]) == Code.UNSIGNED
    assert send(good[:-1] + bytes([good[-1] ^ 1])) == Code.SIGNATURE
    damaged = bytearray(good)
    damaged[total - 9] ^= 1
    assert send(bytes(damaged)) == Code.TRAILER_HASH
    name = good.index(b"counter")
    assert send(good[:name] + b"unknown" + good[name + 7:]) == Code.NO_APP
    assert refused(firmware, lambda device: device.simple("start", "counter")) == Code.NOT_FOUND
    assert refused(firmware, lambda device: device.abort()) == Code.NO_UPLOAD


def test_a_second_client_is_told_that_the_store_is_busy(firmware):
    on(firmware, lambda device: device.install(firmware.update("1.0.0"), stop_at=1000))
    assert refused(firmware, lambda device: device.install(firmware.update("3.0.0"))) == Code.BUSY
    assert install(firmware, "1.0.0") >= 1000
    firmware.wait_for("version 1 counts 1")


def test_garbage_on_the_line_does_no_harm(firmware):
    with open(firmware.port, "wb", buffering=0) as port:
        port.write(b"\x06\x09AAAA====\n\x04\x14!!!!\n" + bytes(range(256)) + b"\n\x06\x09" + b"/" * 90 + b"\n")
        time.sleep(0.2)
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")


def test_everything_survives_a_power_cut(firmware):
    if not firmware.native:
        pytest.skip("the simulated flash of this board is RAM")
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    firmware.power_off()
    firmware.start()
    firmware.wait_for("version 1 counts 1")

    # an upload goes on where its block began
    on(firmware, lambda device: device.install(firmware.update("3.0.0"), stop_at=4500))
    firmware.power_off()
    firmware.start()
    assert install(firmware, "3.0.0") == 4096
    firmware.wait_for("version 3 counts 3")

    # an update that takes the device down is rolled back by the count of its starts
    for _ in range(2):
        firmware.power_off()
        firmware.start()
        firmware.wait_for("version 3 counts 3")
    firmware.power_off()
    firmware.start()
    firmware.wait_for("update not confirmed in 3 starts")
    firmware.wait_for("version 1 counts 1")


def test_upload_throughput_is_shown(firmware):
    path = firmware.update("1.0.0")
    begin = time.monotonic()
    install(firmware, "1.0.0")
    seconds = time.monotonic() - begin
    print(f"{path.stat().st_size} bytes in {seconds:.2f} s: {path.stat().st_size / seconds:.0f} bytes/s")
