# SPDX-License-Identifier: Apache-2.0
"""An app's life, led by a real SMP client over a serial line."""

import asyncio
import re
import socket
import subprocess
import time
from pathlib import Path

import images  # beside run.py
import pytest
from device import WORDS, Abort, Code, Device, DeviceError, Upload, manifest
from elftools.elf.elffile import ELFFile
from smpclient.requests.os_management import ResetWrite

# Of MCUmgr.
ACCESS_DENIED = 11
# Functions and data of CONFIG_WISP_CORE_DUMP, CONFIG_WISP_DEBUG, CONFIG_WISP_PROFILE, CONFIG_WISP_RECORD and
# CONFIG_WISP_TIMES, in C and in Rust.
INSIDE = re.compile(r"^wisp_(shim_|rust_)?(core|debug|kept|profile|record|times)_|^wisp_mgmt_(debug|kept|profile)$"
                    r"|wisp_host\d+(core_dump|profile|recording)|wisp_port\d+(core_dump|debug|host_time|profile|record)")


def on(firmware, work, own=b"the tests' client"[:16]):
    """Runs a coroutine that uses the device."""

    async def connected():
        async with Device(firmware.port, own=own) as device:
            return await work(device)

    return asyncio.run(asyncio.wait_for(connected(), 60))


def install(firmware, version):
    return on(firmware, lambda device: device.install(firmware.update(version)))


def refused(firmware, work, **client):
    """The code that the device refuses with."""
    with pytest.raises(DeviceError) as error:
        on(firmware, work, **client)
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


def test_an_app_that_was_stopped_stays_stopped_when_its_trial_ends(firmware):
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    install(firmware, "3.0.0")
    firmware.wait_for("version 3 counts 3")
    firmware.forget()
    on(firmware, lambda device: device.simple("stop", "counter"))
    firmware.wait_for("counter: update rolled back")
    # the same thread answers, when it has finished the trial
    app = on(firmware, lambda device: device.info("counter"))
    assert app.state == "stopped" and app.running["ver"] == 1
    assert not any("version 1 counts" in line for line in firmware.lines)
    on(firmware, lambda device: device.simple("start", "counter"))
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


def test_arguments_and_environment_are_set_and_what_does_not_fit_is_refused(firmware):
    def strings():
        found = on(firmware, lambda device: device.args("counter"))
        return found.args, found.env

    assert strings() == ([], [])
    on(firmware, lambda device: device.set_args("counter", ["--interval", "", "two words"], ["A=b"]))
    assert strings() == (["--interval", "", "two words"], ["A=b"])
    # the other list stays
    on(firmware, lambda device: device.set_args("counter", env=["C="]))
    assert strings() == (["--interval", "", "two words"], ["C="])
    # CONFIG_WISP_ARGS_SIZE is 64, ends of strings included
    on(firmware, lambda device: device.set_args("counter", ["x" * 31, "x" * 31]))
    long = ["x" * 31, "x" * 32]
    assert refused(firmware, lambda device: device.set_args("counter", long)) == Code.ARGS_SIZE
    assert refused(firmware, lambda device: device.set_args("counter", env=["=b"])) == Code.VARIABLE
    assert refused(firmware, lambda device: device.set_args("counter", env=["b"])) == Code.VARIABLE
    assert refused(firmware, lambda device: device.set_args("nobody", [])) == Code.NO_APP
    assert strings() == (["x" * 31, "x" * 31], ["C="])
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    assert refused(firmware, lambda device: device.set_args("counter", [])) == Code.RUNNING
    assert refused(firmware, lambda device: device.reset_args("counter")) == Code.RUNNING
    on(firmware, lambda device: device.simple("uninstall", "counter"))


def test_what_is_wrong_is_refused_with_a_reason(firmware, tmp_path):
    good = firmware.update("1.0.0").read_bytes()
    total = int.from_bytes(good[8:12], "little")

    def send(content):
        path = tmp_path / "image.wisp"
        path.write_bytes(content)
        return refused(firmware, lambda device: device.install(path))

    def refused_and_logged(content, code, words):
        firmware.forget()
        assert send(content) == code
        firmware.wait_for(f"upload refused: {words}")

    refused_and_logged(good[:total], Code.UNSIGNED, "the image is not signed; use wisp sign$")
    refused_and_logged(good[:-1] + bytes([good[-1] ^ 1]), Code.SIGNATURE,
                       "the image's signature is not that of its key; send it again, from whoever signed it$")
    damaged = bytearray(good)
    damaged[total - 9] ^= 1
    refused_and_logged(bytes(damaged), Code.TRAILER_HASH,
                       "the image is damaged: its hash differs from its trailer's; send it again$")
    name = good.index(b"counter")
    refused_and_logged(good[:name] + b"unknown" + good[name + 7:], Code.NO_APP,
                       "the firmware has no app of this name; see its devicetree$")
    assert refused(firmware, lambda device: device.simple("start", "counter")) == Code.NOT_FOUND
    assert refused(firmware, lambda device: device.abort()) == Code.NO_UPLOAD


def test_a_second_client_is_told_that_the_store_is_busy(firmware):
    on(firmware, lambda device: device.install(firmware.update("1.0.0"), stop_at=1000))
    assert refused(firmware, lambda device: device.install(firmware.update("3.0.0"))) == Code.BUSY
    assert install(firmware, "1.0.0") >= 1000
    firmware.wait_for("version 1 counts 1")


def test_an_upload_belongs_to_the_client_that_announced_it(firmware):
    path = firmware.update("1.0.0")
    image = path.read_bytes()
    on(firmware, lambda device: device.install(path, stop_at=1000))
    offset = len(image) // 2

    def piece(token):
        return lambda device: device.ask(Upload(off=offset, data=b"junk", tok=token))

    # pieces without a token, or with a guessed one, change nothing
    for token in (None, b"", bytes(8), bytes(7), bytes(9)):
        assert refused(firmware, piece(token)) == Code.NOT_OWNER
    # nor does the same announcement, an abort, or a piece of another client
    for other in (b"another client", None):
        client = {"own": other or b"short"}
        assert refused(firmware, lambda device: device.install(path), **client) == Code.BUSY
        assert refused(firmware, lambda device: device.abort(), **client) == Code.NOT_OWNER
    assert refused(firmware, lambda device: device.ask(Abort())) == Code.NOT_OWNER
    assert install(firmware, "1.0.0") >= 1000
    firmware.wait_for("version 1 counts 1")


def test_only_pieces_that_are_taken_keep_an_upload_alive(firmware):
    on(firmware, lambda device: device.install(firmware.update("1.0.0"), stop_at=1000))
    # CONFIG_WISP_MGMT_IDLE_SECONDS of firmware.conf
    end = time.monotonic() + 6
    while time.monotonic() < end:
        # what a client sends that wants to keep all others out
        on(firmware, lambda device: device.install(firmware.update("1.0.0"), stop_at=0))
        refused(firmware, lambda device: device.ask(Upload(off=0, data=b"x")))
        time.sleep(0.2)
    on(firmware, lambda device: device.install(firmware.update("3.0.0")), own=b"another client")
    firmware.wait_for("version 3 counts 3")


def test_a_lower_version_needs_a_mark(firmware, tools, tmp_path):
    def confirmed(path):
        firmware.forget()
        on(firmware, lambda device: device.install(path))
        firmware.wait_for("version 1 counts 1")
        # an app that was not there before has no trial
        if on(firmware, lambda device: device.info("counter")).candidate:
            firmware.wait_for("counter: update confirmed")

    newer = tmp_path / "newer.wisp"
    newer.write_bytes(of_version(firmware.update("1.0.0").read_bytes(), (1, 10, 0)))
    tools.sign(newer)
    confirmed(newer)
    older = firmware.update("1.0.0")
    assert refused(firmware, lambda device: device.install(older)) == Code.VERSION
    assert refused(firmware, lambda device: device.install(older, announce={"down": True})) == Code.VERSION
    # not even after the app was removed
    on(firmware, lambda device: device.simple("uninstall", "counter"))
    assert refused(firmware, lambda device: device.install(older)) == Code.VERSION
    marked = tmp_path / "marked.wisp"
    marked.write_bytes(older.read_bytes())
    tools.sign(marked, images.KEY, "--downgrade")
    confirmed(marked)
    assert on(firmware, lambda device: device.info("counter")).running["ver"] == 1


def of_version(image, version):
    """An image without its trailer, to be signed anew, with another version in its manifest."""
    image = image[:int.from_bytes(image[8:12], "little")]
    where = image.index(b"counter") - 33 + 64
    major, minor, patch = version
    return image[:where] + bytes((major, minor)) + patch.to_bytes(2, "little") + image[where + 4:]


def test_a_root_key_retires_keys_once_its_image_is_confirmed(firmware, tools, tmp_path):
    def signed(name, version, key, *options):
        path = tmp_path / name
        path.write_bytes(of_version(firmware.update("3.0.0").read_bytes(), version))
        tools.sign(path, key, *options)
        return path

    def retired():
        return on(firmware, lambda device: device.stat()).retired

    public = images.KEY.with_suffix(".pub.pem")
    # an app key whose file does not say so: the device refuses what wisp could not
    unmarked = tmp_path / "unmarked.pem"
    unmarked.write_text("".join(images.SPARE.read_text().partition("-----BEGIN")[1:]))
    stolen = signed("stolen.wisp", (3, 0, 1), unmarked, "--retire", public)
    assert refused(firmware, lambda device: device.install(stolen)) == Code.NOT_ROOT

    wanted = signed("retiring.wisp", (3, 0, 2), images.ROOT, "--retire", public)
    on(firmware, lambda device: device.install(wanted))
    firmware.wait_for("version 3 counts 1")
    assert retired() == 0
    on(firmware, lambda device: device.simple("rollback", "counter"))
    assert retired() == 0
    on(firmware, lambda device: device.install(wanted))
    firmware.forget()
    firmware.wait_for("version 3 counts 1")
    on(firmware, lambda device: device.simple("confirm", "counter"))
    assert retired() == 1
    of_retired = signed("retired.wisp", (3, 0, 3), images.KEY)
    assert refused(firmware, lambda device: device.install(of_retired)) == Code.RETIRED_KEY
    on(firmware, lambda device: device.install(signed("spare.wisp", (3, 0, 4), images.SPARE)))


def test_an_image_for_other_devices_is_refused(firmware, tools, tmp_path):
    def only(*conditions):
        path = tmp_path / "only.wisp"
        path.write_bytes(firmware.update("3.0.0").read_bytes())
        tools.sign(path, images.KEY, *[part for condition in conditions for part in ("--only", condition)])
        return path

    cases = [(["class=other"], "class"), (["board=nowhere"], "board"), (["class=tested", "vendor=*"], "vendor")]
    for conditions, kind in cases:
        firmware.forget()
        other = only(*conditions)
        assert refused(firmware, lambda device, path=other: device.install(path)) == Code.NOT_FOR_DEVICE
        firmware.wait_for(f"the image is for another {kind} than ")
    board = firmware.board.partition("/")[0]
    on(firmware, lambda device: device.install(only(f"board={board}*", "class=other", "class=tested")))


def test_attached_native_code_needs_a_compile_key_of_the_firmware(firmware, tools, tmp_path):
    image = tools.make("watched", "counter", "5.0.0", tmp_path)
    native = tmp_path / "native.wisp"
    subprocess.run([tools.tool, "build", str(tmp_path / "watched.wasm"), "-o", str(native), "--quiet", "--target", "x86-64"],
                   check=True, timeout=300)

    def attached(name, key):
        path = tmp_path / name
        subprocess.run([tools.tool, "attach", str(image), "--native", str(native), "--key", str(key), "-o", str(path)],
                       check=True, timeout=120, stdout=subprocess.DEVNULL)
        return path

    own = tmp_path / "own.pem"
    subprocess.run([tools.tool, "keygen", str(own), "--role", "compile"], check=True, timeout=120, stdout=subprocess.DEVNULL)
    foreign = attached("foreign.wisp", own)
    assert refused(firmware, lambda device: device.install(foreign)) == Code.UNKNOWN_COMPILE_KEY
    good = attached("good.wisp", images.COMPILE)
    changed = tmp_path / "changed.wisp"
    content = bytearray(good.read_bytes())
    content[image.stat().st_size + 100] ^= 1
    changed.write_bytes(content)
    assert refused(firmware, lambda device: device.install(changed)) == Code.BAD_ATTACHMENT
    on(firmware, lambda device: device.install(good))
    app = on(firmware, lambda device: device.info("counter"))
    assert 5 in [image["ver"] for image in (app.running, app.candidate) if image]


def test_nobody_resets_the_board_over_smp(firmware):
    async def reset(device):
        answer = await device.client.request(ResetWrite(), timeout_s=6)
        assert answer.rc == ACCESS_DENIED

    on(firmware, reset)
    assert on(firmware, lambda device: device.apps()) == []


def test_a_client_that_went_silent_is_replaced(firmware):
    on(firmware, lambda device: device.install(firmware.update("1.0.0"), stop_at=1000))
    assert refused(firmware, lambda device: device.install(firmware.update("3.0.0"))) == Code.BUSY
    # CONFIG_WISP_MGMT_IDLE_SECONDS of firmware.conf
    time.sleep(5)
    install(firmware, "3.0.0")
    firmware.wait_for("version 3 counts 3")


def test_what_is_not_there_or_not_granted_is_refused_before_anything_is_erased(firmware, tools, tmp_path):
    def figures():
        stat = on(firmware, lambda device: device.stat())
        return stat.free, stat.largest, stat.wear, stat.journal_wear

    before = figures()
    # the same image, but for one import
    image = firmware.update("1.0.0").read_bytes()
    path = tmp_path / "image.wisp"
    # without the trailer: an image whose hash is wrong is not signed
    image = image[:int.from_bytes(image[8:12], "little")]
    path.write_bytes(image.replace(b"wisp:timer@1", b"wisp:timer@9"))
    tools.sign(path)
    assert refused(firmware, lambda device: device.install(path)) == Code.NO_INTERFACE
    talker = tools.make("talker", "counter", "1.0.0", tmp_path)
    assert refused(firmware, lambda device: device.install(talker)) == Code.NOT_GRANTED
    large = {"frame": 1 << 20}
    good = firmware.update("1.0.0")
    assert refused(firmware, lambda device: device.install(good, announce=large)) == Code.TOO_LARGE
    assert refused(firmware, lambda device: device.abort()) == Code.NO_UPLOAD
    assert figures() == before

    # an announcement that hides it is found out by the signed image
    assert refused(firmware, lambda device: device.install(path, announce={"if": ""})) == Code.NO_INTERFACE
    assert refused(firmware, lambda device: device.install(talker, announce={"if": ""})) == Code.NOT_GRANTED
    assert on(firmware, lambda device: device.apps()) == []
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")


def test_native_code_for_another_machine_is_refused_and_the_app_runs_on(firmware, tools, tmp_path):
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    # this firmware runs IR only
    native = tools.make("watched", "counter", "9.0.0", tmp_path, "--target", "cortex-m3", "--native-only")
    assert manifest(native.read_bytes())["tgt"] == bytes([1, 1, 0])
    firmware.forget()
    assert refused(firmware, lambda device: device.install(native)) == Code.NO_NATIVE
    firmware.wait_for("counter: the image has native code only, which this firmware does not run")
    firmware.wait_for("counter: upload refused: the image has native code only, and none that runs on this device")
    assert refused(firmware, lambda device: device.abort()) == Code.NO_UPLOAD, "before anything was erased"
    # an announcement that hides it is found out by the signed image
    assert refused(firmware, lambda device: device.install(native, announce={"tgt": None})) == Code.NO_NATIVE
    app = on(firmware, lambda device: device.info("counter"))
    assert (app.state, app.candidate) == ("running", None)
    assert on(firmware, lambda device: device.usage("counter")).runs == 0, "its first run goes on"


def test_an_app_that_lacks_a_grant_waits_for_a_firmware_that_has_it(firmware, tools, tmp_path):
    image = tools.make("wanting", "watched", "1.0.0", tmp_path)
    on(firmware, lambda device: device.install(image))
    firmware.wait_for(r"watched: crashed \d+ times, and its node lacks a grant: not started again before the next boot")
    app = on(firmware, lambda device: device.info("watched"))
    assert (app.state, app.disabled) == ("waits: its node lacks a grant; see the log", False)
    if firmware.keeps_flash:
        # another firmware may have it: each boot tries again
        firmware.power_off()
        firmware.start()
        firmware.wait_for('watched: denied: node wisp-apps/watched has no grant for wisp:msg@1 "other"')


def test_an_image_is_refused_if_there_is_no_ram_for_it(firmware, tools, tmp_path):
    if not firmware.images_in_ram:
        pytest.skip("images of this firmware run in place")
    good = firmware.update("1.0.0")
    longer = tmp_path / "longer.wisp"
    longer.write_bytes(good.read_bytes().ljust(firmware.images_in_ram + 1, b"\0"))
    assert refused(firmware, lambda device: device.install(longer)) == Code.NO_RAM
    assert refused(firmware, lambda device: device.abort()) == Code.NO_UPLOAD
    # one that fits alone, but not beside the app that runs, which runs on
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    large = tools.make("large", "counter", "2.0.0", tmp_path)
    assert large.stat().st_size < firmware.images_in_ram < large.stat().st_size + good.stat().st_size
    assert refused(firmware, lambda device: device.install(large)) == Code.NO_RAM
    firmware.wait_for("app storage: no room for an image of [0-9]+ bytes")
    app = on(firmware, lambda device: device.info("counter"))
    assert (app.state, app.candidate) == ("running", None)


def test_an_app_without_room_in_ram_waits_and_starts_when_there_is_room(firmware, tools, tmp_path):
    if not firmware.images_in_ram:
        pytest.skip("images of this firmware run in place")
    large = tools.make("large", "counter", "1.0.0", tmp_path)
    wordy = tools.make("wordy", "watched", "1.0.0", tmp_path)
    assert firmware.images_in_ram < large.stat().st_size + wordy.stat().st_size
    on(firmware, lambda device: device.install(large))
    firmware.wait_for("the table's sum is 23800")
    on(firmware, lambda device: device.simple("confirm", "counter"))
    assert refused(firmware, lambda device: device.simple("stop", "counter")) == Code.ALREADY, "it has ended"
    on(firmware, lambda device: device.install(wordy))
    assert refused(firmware, lambda device: device.simple("start", "counter")) == Code.NO_RAM
    app = on(firmware, lambda device: device.info("counter"))
    assert (app.state, app.disabled) == ("waits: no RAM for its image; see the log", False)
    on(firmware, lambda device: device.simple("uninstall", "watched"))
    firmware.forget()
    on(firmware, lambda device: device.simple("start", "counter"))
    firmware.wait_for("the table's sum is 23800")


def test_every_error_has_words_and_its_number(firmware):
    header = (Path(__file__).resolve().parents[3] / "include" / "wisp" / "storage.h").read_text(encoding="utf-8")
    numbers = {name: int(number) for name, number in re.findall(r"WISP_STORE_(\w+) = (\d+),", header)}
    assert numbers == {code.name: int(code) for code in Code}
    assert set(WORDS) | {Code.OK} == set(Code)
    # whatever is wrong with an image, it is told in words
    good = firmware.update("1.0.0").read_bytes()
    for at in range(min(len(good), 600)):
        for bit in range(8):
            try:
                manifest(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1:])
            except DeviceError as error:
                assert " " in str(error)
    for length in range(200):
        with pytest.raises(DeviceError):
            manifest(good[:length])


def test_a_silent_app_is_restarted_and_disabled_in_the_end(firmware, tools, tmp_path):
    image = tools.make("watched", "watched", "1.0.0", tmp_path)
    on(firmware, lambda device: device.install(image))
    firmware.wait_for("watched: update confirmed")
    firmware.wait_for("watched: no heartbeat in 300 ms")
    firmware.wait_for("watched: crash 1, started again in 100 ms")
    firmware.wait_for("watched: disabled after 5 crashes")
    failures, total = on(firmware, lambda device: device.failures())
    assert total == 5 and len(failures) == 5
    assert {failure.name for failure in failures} == {"watched"}
    assert all(failure.what == "ended: no heartbeat in 300 ms" for failure in failures)
    assert sorted((failure.uptime for failure in failures), reverse=True) == [f.uptime for f in failures]
    usage = on(firmware, lambda device: device.usage("watched"))
    assert (usage.runs, usage.failures) == (5, 5)
    # threads of native_sim run on stacks of the host
    assert (usage.stack > 0) != firmware.native and usage.stack < usage.stack_size
    assert 0 < usage.memory <= usage.memory_size and usage.arena < usage.arena_size
    assert "disabled" in on(firmware, lambda device: device.info("watched")).state
    assert refused(firmware, lambda device: device.usage("nobody")) == Code.NO_APP


def test_garbage_on_the_line_does_no_harm(firmware):
    if firmware.udp:
        host, port = firmware.port.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            for garbage in (b"", b"\x00", b"\x02\x00\x00\x10\x00W\x00\x01", bytes(range(256)), b"\xff" * 400):
                line.sendto(garbage, (host, int(port)))
        install(firmware, "1.0.0")
        firmware.wait_for("counter: update confirmed")
        return
    with open(firmware.port, "wb", buffering=0) as port:
        port.write(b"\x06\x09AAAA====\n\x04\x14!!!!\n" + bytes(range(256)) + b"\n\x06\x09" + b"/" * 90 + b"\n")
        time.sleep(0.2)
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")


def test_everything_survives_a_power_cut(firmware):
    if not firmware.keeps_flash:
        pytest.skip("the simulated flash of this board is RAM")
    install(firmware, "1.0.0")
    firmware.wait_for("counter: update confirmed")
    firmware.power_off()
    firmware.start()
    firmware.wait_for("version 1 counts 1")

    # an upload goes on where its block began
    on(firmware, lambda device: device.install(firmware.update("3.0.0"), stop_at=4200))
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
    size = firmware.update("1.0.0").stat().st_size
    trips = []
    begin = time.monotonic()
    on(firmware, lambda device: device.install(firmware.update("1.0.0"), lambda done, total: trips.append(done)))
    seconds = time.monotonic() - begin
    # the last report comes when all is installed
    assert trips[-1] == size
    print(f"upload: {size} bytes in {len(trips) - 1} round trips, {size / (len(trips) - 1):.0f} bytes each; "
          f"{seconds:.2f} s with checks")


def test_a_firmware_without_debugger_dumps_and_recordings_has_no_code_of_them(request):
    with open(request.config.getoption("--firmware") / "zephyr" / "zephyr.elf", "rb") as file:
        names = [symbol.name for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols()]
    # functions in C and in Rust that every firmware has: the table is not stripped
    assert "wisp_shim_app_trap" in names
    assert any("wisp_port" in name for name in names)
    assert [name for name in names if INSIDE.search(name)] == []
