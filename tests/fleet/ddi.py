#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The device's own client of a rollout server (CONFIG_WISP_DDI) on native_sim: updates that are kept, crash, break off, are
cancelled, and servers that lie. Ends with a line `N passed, N failed, N skipped`."""

import argparse
import asyncio
import base64
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import tty
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts" / "west_commands"), str(REPOSITORY / "tests" / "net_tls")]

import certificates
import device as west
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ddi_server import LONGEST, NAME, TOKEN, Server
from devices import Images, end_with_parent

HERE = Path(__file__).resolve().parent
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Device:
    """A native_sim device with a shell."""

    def __init__(self, program, folder):
        self.program, self.flash = program, folder / "flash.bin"
        self.process, self.open, self.lines, self.port, self.reader = None, [], [], None, None

    def start(self):
        """Powers on; returns when the shell is there."""
        seen = len(self.lines)
        self.process = subprocess.Popen([str(self.program), f"--flash={self.flash}"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                        preexec_fn=end_with_parent)  # noqa: PLW1509 (it is one system call)
        threading.Thread(target=self.read_log, args=(self.process.stdout,), daemon=True).start()
        ports = [self.wait_for(rf"{name} connected to pseudotty: (\S+)", seen)[1] for name in ("uart", "uart_1")]
        self.open = [os.open(port, os.O_RDWR | os.O_NOCTTY) for port in ports]
        for number in self.open:
            tty.setraw(number)
        self.port = ports[1]
        self.reader = threading.Thread(target=self.read_console, args=(self.open[0],), daemon=True)
        self.reader.start()
        self.type("wisp stat")
        self.wait_for("blocks of", seen, again="wisp stat")

    def read_log(self, stream):
        self.lines.extend(COLOURS.sub("", line.rstrip()) for line in stream)

    def read_console(self, number):
        rest = ""
        while True:
            try:
                data = os.read(number, 4096)
            except OSError:
                return
            *found, rest = re.split(r"[\r\n]+", rest + data.decode(errors="replace"))
            self.lines.extend(COLOURS.sub("", line) for line in found)

    def type(self, command):
        """Types on the console, not faster than its buffer of 64 bytes is read."""
        data = (command + "\n").encode()
        for at in range(0, len(data), 32):
            os.write(self.open[0], data[at:at + 32])
            time.sleep(0.03)

    def wait_for(self, pattern, seen=0, again=None):
        """Waits until a line from a number of lines on matches; the match."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            for line in self.lines[seen:]:
                if found := re.search(pattern, line):
                    return found
            time.sleep(0.1)
            if again is not None:
                self.type(again)
                time.sleep(0.5)
        raise AssertionError(f"'{pattern}' is not in the log:\n" + "\n".join(self.lines[-60:]))

    def cut_power(self):
        """Ends it at once."""
        self.process.kill()
        self.process.wait()
        # it ends with the port, whose number may be used again
        self.reader.join()
        for number in self.open:
            os.close(number)

    def apps(self):
        """What the device itself says of its apps, when all of them run: name -> (version, whether an update is on trial)."""
        async def ask():
            async with west.Device(str(self.port)) as smp:
                return await smp.apps()
        end = time.monotonic() + LONGEST
        while True:
            found = asyncio.run(ask())
            if all(app.state == "running" for app in found) or time.monotonic() > end:
                return {app.name: (version(app.running), app.candidate is not None) for app in found
                        if app.running or app.candidate}
            time.sleep(0.2)


def version(image):
    return image and f"{image['ver'] & 0xff}.{image['ver'] >> 8 & 0xff}.{image['ver'] >> 16}"


class Tests:
    """The tests, in order, on one device."""

    def __init__(self, arguments, folder):
        self.images = Images(arguments.wisp, arguments.firmware, folder)
        self.server = Server()
        self.server.start()
        self.device = Device(arguments.firmware / "zephyr" / "zephyr.exe", folder)
        self.device.start()
        for key, value in (("server", self.server.url), ("device", NAME), ("token", TOKEN)):
            self.device.type(f"wisp ddi set {key} {value}")
            time.sleep(0.3)

    def test_one_action_installs_two_apps_that_confirm_themselves(self):
        self.server.odd = True
        number = self.server.assign([(app, self.images.get(app, "1.0.0")) for app in ("lamp", "fan")])
        assert self.server.outcome(number) == ("success", ["fan 1.0.0: kept", "lamp 1.0.0: kept"])
        self.server.odd = False
        self.server.progress(number, "lamp 1.0.0: on trial")
        assert self.device.apps() == {"lamp": ("1.0.0", False), "fan": ("1.0.0", False)}
        assert self.server.attributes["board"].startswith("native_sim"), self.server.attributes

    def test_the_server_is_told_versions_when_it_asks(self):
        self.server.attributes = None
        self.server.wait(lambda: self.server.attributes, "attributes")
        assert self.server.attributes["app.lamp"] == "1.0.0", self.server.attributes

    def test_an_update_that_crashes_is_rolled_back_and_a_failure(self):
        images = [("lamp", self.images.get("lamp", "1.1.0")), ("fan", self.images.get("fan", "2.0.0", "crashing"))]
        success, details = self.server.outcome(self.server.assign(images))
        assert success == "failure", details
        assert details[0].startswith("fan 2.0.0: the update was rolled back: trap 1 (unreachable)"), details
        assert details[1] == "lamp any: not installed, because fan any failed", details
        assert self.device.apps() == {"lamp": ("1.0.0", False), "fan": ("1.0.0", False)}

    def test_a_download_that_breaks_off_goes_on_where_it_was(self):
        self.server.asked.clear()
        self.server.cut = 10000
        number = self.server.assign([("atlas", self.images.get("atlas", "1.0.0", "atlas"))])
        self.server.wait(lambda: self.server.asked[1:], "a second request")
        assert self.server.asked[:2] == [0, 10000], self.server.asked
        self.server.cut, self.server.split = None, True
        assert self.server.outcome(number) == ("success", ["atlas 1.0.0: kept"])
        assert self.server.asked[-1] == 10000, self.server.asked
        self.server.split = False

    def test_a_download_in_short_pieces_goes_on(self):
        self.server.asked.clear()
        image = self.images.get("atlas", "1.0.1", "atlas")
        # more of them than the times that the client asks in vain
        self.server.piece = len(image) // 8 + 1
        assert self.server.outcome(self.server.assign([("atlas", image)])) == ("success", ["atlas 1.0.1: kept"])
        assert self.server.asked == [self.server.piece * number for number in range(8)], self.server.asked
        self.server.piece = None

    def test_an_action_that_the_server_changes_is_begun_anew(self):
        self.server.asked.clear()
        self.server.cut = 10000
        number = self.server.assign([("atlas", self.images.get("atlas", "1.0.2", "atlas"))])
        self.server.wait(lambda: self.server.asked[1:], "a second request")
        seen = len(self.device.lines)
        with self.server.lock:
            self.server.actions[-1][1]["deployment"]["chunks"] = self.server.chunks([("lamp", self.images.get("lamp", "1.0.1"))])
        assert self.server.outcome(number) == ("success", ["lamp 1.0.1: kept"])
        self.device.wait_for(f"wisp_ddi.*the server changed action {number}", seen)
        self.server.cut = None
        self.no_upload()

    def test_a_download_goes_on_after_a_power_cut(self):
        self.server.asked.clear()
        self.server.cut = 10000
        number = self.server.assign([("atlas", self.images.get("atlas", "1.1.0", "atlas"))])
        self.server.wait(lambda: self.server.asked[1:], "a second request")
        self.device.cut_power()
        before = len(self.server.asked)
        self.server.cut = None
        self.device.start()
        assert self.server.outcome(number) == ("success", ["atlas 1.1.0: kept"])
        # at the beginning of the erase block that was being written
        assert self.server.asked[before] == 8192, self.server.asked

    def test_a_trial_goes_on_after_a_power_cut(self):
        number = self.server.assign([("fan", self.images.get("fan", "1.2.0"))])
        self.server.progress(number, "fan 1.2.0: on trial")
        self.device.cut_power()
        self.device.start()
        assert self.server.outcome(number) == ("success", ["fan 1.2.0: kept"])

    def test_an_action_is_cancelled_while_it_is_downloaded(self):
        self.server.asked.clear()
        self.server.cut = 10000
        number = self.server.assign([("atlas", self.images.get("atlas", "2.0.0", "atlas"))])
        self.server.wait(lambda: self.server.asked[1:], "a second request")
        self.server.cancel = number
        self.device.type("wisp ddi poll")
        told = self.server.wait(lambda: [told for told in self.server.told if told[0].startswith("cancelAction")], "the end")
        assert told[-1][1:] == ("closed", "success", ["what the action did was undone"]), told
        self.server.cut = None
        self.no_upload()
        assert self.device.apps()["atlas"] == ("1.1.0", False)

    def no_upload(self):
        """Checks that the app storage has no upload."""
        seen = len(self.device.lines)
        self.device.type("wisp list")
        self.device.wait_for("lamp .*running", seen)
        time.sleep(0.5)
        assert not any("upload of" in line for line in self.device.lines[seen:]), self.device.lines[seen:]

    def test_an_action_is_cancelled_after_a_power_cut(self):
        self.server.asked.clear()
        self.server.told.clear()
        self.server.cut = 10000
        number = self.server.assign([("atlas", self.images.get("atlas", "2.0.0", "atlas"))])
        self.server.wait(lambda: self.server.asked[1:], "a second request")
        self.device.cut_power()
        self.server.cancel = number
        self.device.start()
        told = self.server.wait(lambda: [told for told in self.server.told if told[0].startswith("cancelAction")], "the end")
        assert told[-1][1:] == ("closed", "success", ["what the action did was undone"]), told
        self.server.cut = None
        self.no_upload()

    def test_a_wish_to_cancel_that_comes_too_late_is_rejected(self):
        self.server.told.clear()
        images = [("1 fan", self.images.get("fan", "1.3.0")), ("2 atlas", self.images.get("atlas", "2.0.0", "atlas"))]
        self.server.cut = 10000
        number = self.server.assign(images)
        self.server.asked.clear()
        self.server.wait(lambda: 10000 in self.server.asked, "the second app")
        self.server.cancel = number
        self.device.type("wisp ddi poll")
        self.server.wait(lambda: [told for told in self.server.told if told[1] == "rejected"], "the rejection")
        self.server.cut = None
        self.device.type("wisp ddi poll")
        assert self.server.outcome(number) == ("success", ["fan 1.3.0: kept", "atlas 2.0.0: kept"])

    def test_answers_that_are_none_lead_to_a_line_and_another_try(self):
        def reply(status, body=b"", **headers):
            return lambda request: request.reply(status, body, **headers)
        document = json.dumps({"config": {"polling": {"sleep": "00:00:01"}},
                               "_links": {"deploymentBase": {"href": "http://192.0.2.1/deploymentBase/9"}}}).encode()
        cases = [
            (reply(200, b'{"config": "' + b"x" * 100000 + b'"}'), "the answer is longer than"),
            (reply(200, b"<html>a proxy</html>"), "answer to a poll cannot be read"),
            (reply(200, b"{}"), "answer to a poll cannot be read"),
            (reply(200, b"[" * 4000), "answer to a poll cannot be read"),
            (reply(200, b'{"config":' * 300), "answer to a poll cannot be read"),
            (reply(200, document), "leads away from"),
            (reply(200, document.replace(b"/9", b"/a%0d%0ab")), "has no id"),
            (reply(302, Location="http://127.0.0.1:9/"), "redirects are not followed"),
            (reply(401), "is the token of this device"),
            (reply(500, b"{}"), "the server answers 500"),
            (reply(416), "the server answers 416"),
            (reply(200, b"{", Content_Length="50"), "the answer broke off"),
            (reply(200, b"{}", Content_Length="-5"), "the answer broke off|cannot be read"),
            (reply(200, b"{}", X_Long="y" * 5000, Content_Length="2"), "cannot be read|broke off"),
            (lambda request: request.wfile.write(b"\0\xff" * 3000) and None, "the answer broke off"),
            (lambda request: setattr(request, "close_connection", True), "the server does not answer|broke off"),
            (reply(200, document.replace(b"/deployment", b"/\x1b[31m/deployment")), r"192\.0\.2\.1/\?\[31m/.* leads away from"),
            (lambda request: request.wfile.write(b"\r\n") and None, "the answer broke off"),
            (lambda request: request.for_ever(200, None, b"X-More: 1\r\n"), "the answer broke off"),
            (lambda request: request.for_ever(200, b"{"), "the answer broke off"),
            (lambda request: request.for_ever(404, b"{", b" " * 10000, 0), "the server answers 404"),
        ]
        for lie, words in cases:
            seen = len(self.device.lines)

            def rule(request, path, lie=lie):
                if path:
                    return False
                lie(request)
                request.close_connection = True
                return True
            self.server.rule = rule
            self.device.wait_for(rf"wisp_ddi.*({words})", seen, again="wisp ddi poll")
        self.recovers()

    def recovers(self):
        """Checks that the client asks again when the server is as it should be."""
        self.server.rule = None
        polls = self.server.polls
        self.device.type("wisp ddi poll")
        self.server.wait(lambda: self.server.polls > polls, "another poll")

    def hurried(self, number):
        """Waits for the end of an action, with the server asked again at once after each failure; its outcome."""
        path, end = f"deploymentBase/{number}/feedback", time.monotonic() + LONGEST
        while time.monotonic() < end and not any(told[0] == path and told[1] == "closed" for told in self.server.told):
            self.device.type("wisp ddi poll")
            time.sleep(0.3)
        return self.server.outcome(number)

    def test_answers_to_feedback_that_have_no_end_are_not_waited_for(self):
        self.server.endless = True
        assert self.server.outcome(self.server.assign([("lamp", self.images.get("lamp", "1.3.0"))])) == (
            "success", ["lamp 1.3.0: kept"])
        self.recovers()
        self.server.endless = False

    def test_actions_that_are_none_fail_with_a_reason(self):
        good = self.images.get("lamp", "1.4.0")

        def changed(**values):
            def change(document):
                document["deployment"]["chunks"][0]["artifacts"][1].update(values)
                return document
            return change

        def many(document):
            chunk = document["deployment"]["chunks"][0]
            document["deployment"]["chunks"] = [{**chunk, "artifacts": chunk["artifacts"][1:]}] * 5
            return document
        def five_files(document):
            chunk = document["deployment"]["chunks"][0]
            chunk["artifacts"] = chunk["artifacts"] * 3
            return document

        def named(name):
            def change(document):
                document["deployment"]["chunks"][0]["name"] = name
                return document
            return change
        far = {"download-http": {"href": "http://192.0.2.1/lamp.wisp"}}
        cases = [
            (changed(size=-5), "lamp any: the artifact's size is not from 1 to 16777216"),
            (changed(size=1 << 40), "lamp any: the artifact's size is not from 1 to 16777216"),
            (changed(size=len(good) - 1), "the server sends more than the"),
            (changed(size=len(good) + 1), "the server has"),
            (changed(hashes={"sha1": "0" * 40}), "lamp any: the server names no SHA-256 for this artifact"),
            (changed(hashes={"sha256": "../../etc/passwd"}), "lamp any: the server names no SHA-256 for this artifact"),
            (changed(hashes={"sha256": "1" * 64}), "lamp 1.4.0: "),
            (changed(filename="lamp.swu"), "lamp any: the software module has 0 artifacts that end with .wisp; expected one"),
            (changed(_links={}), "lamp any: the server names no address for this artifact"),
            (changed(_links=far), "an address elsewhere needs https"),
            (changed(_links={"download-http": {"href": "/lamp.wisp"}}), "this is no HTTP address"),
            (five_files, "the server's action cannot be read: error"),
            (named(None), "the server's action cannot be read: error"),
            (named("x" * 10000), "the answer is longer than"),
            (many, "the action has more than 4 software modules"),
            (lambda document: {"id": "9", "deployment": {"chunks": []}}, "the action has no software module"),
        ]
        for change, words in cases:
            success, details = self.hurried(self.server.assign([("lamp", good)], change))
            assert success == "failure" and words in details[0], (words, details)
        damaged = bytearray(good)
        damaged[len(good) // 2] ^= 1
        for image, words in [(bytes(damaged), "lamp 1.4.0: "), (b"not an image" * 100, "lamp any: this is no image for this firmware"),
                             (self.images.get("lamp", "0.9.0"), "lamp 0.9.0: ")]:
            success, details = self.server.outcome(self.server.assign([("lamp", image)]))
            assert success == "failure" and details[0].startswith(words), (words, details)
        assert self.device.apps() == {"lamp": ("1.3.0", False), "fan": ("1.3.0", False), "atlas": ("2.0.0", False)}
        success, details = self.server.outcome(self.server.assign([("lamp", good)]))
        assert (success, details) == ("success", ["lamp 1.4.0: kept"])

    def test_nothing_is_installed_outside_of_a_window(self):
        def window(word):
            def change(document):
                document["deployment"].update({"update": "skip" if word == "unavailable" else "forced",
                                               "maintenanceWindow": word})
                return document
            return change
        number = self.server.assign([("fan", self.images.get("fan", "1.4.0"))], window("unavailable"))
        seen = len(self.device.lines)
        self.device.wait_for("holding, next poll", seen, again="wisp ddi")
        assert self.device.apps()["fan"] == ("1.3.0", False)
        window("available")(self.server.actions[-1][1])
        assert self.server.outcome(number) == ("success", ["fan 1.4.0: kept"])

    def test_a_server_that_is_away_is_asked_again(self):
        self.server.stop()
        seen = len(self.device.lines)
        self.device.wait_for(r"wisp_ddi.*no connection", seen, again="wisp ddi poll")
        self.server.start()
        self.recovers()

    def test_a_trial_is_ended_while_the_server_is_away(self):
        images = [("1 lamp", self.images.get("lamp", "1.5.0")), ("2 fan", self.images.get("fan", "1.4.1", "silent"))]
        number = self.server.assign(images)
        self.server.progress(number, "fan 1.4.1: on trial")
        self.server.stop()
        self.device.cut_power()
        seen = len(self.device.lines)
        self.device.start()
        self.device.wait_for("did not confirm itself within 12 seconds", seen)
        # the server does not name the action any more, and still takes its outcome
        self.server.rule = lambda request, path: path == "" and not request.reply(
            200, b'{"config": {"polling": {"sleep": "00:00:01"}}}')
        self.server.start()
        reason = "fan 1.4.1: the update did not confirm itself within 12 seconds, so it was rolled back"
        assert self.server.outcome(number) == ("failure", [reason])
        self.recovers()
        assert self.device.apps()["fan"] == ("1.4.0", False)

    def test_a_server_without_the_right_certificate_gets_no_request(self):
        authority, stranger = (certificates.issue(subject, None, [], 2049) for subject in ("authority", "stranger"))
        name = [x509.DNSName("localhost")]
        server, self.server = self.server, Server()
        contexts = [context_of(*certificates.issue("server", issuer, name, 2049)) for issuer in (stranger, authority)]
        self.server.context = contexts[0]
        self.server.start()
        data = base64.b64encode(authority[0].public_bytes(Encoding.DER)).decode()
        for at in range(0, len(data), 120):
            seen = len(self.device.lines)
            self.device.type(f"cred buf {data[at:at + 120]}")
            self.device.wait_for("Stored", seen)
        self.device.type("cred add 87 CA DEFAULT BIN")

        def held(document):
            document["deployment"]["update"] = "skip"
            return document
        server.assign([("lamp", self.images.get("lamp", "1.9.0"))], held)
        seen = len(self.device.lines)
        self.device.wait_for("holding, next poll", seen, again="wisp ddi")
        seen = len(self.device.lines)
        self.device.type(f"wisp ddi set server {self.server.url}")
        self.device.wait_for("wisp_ddi.*no connection by TLS", seen, again="wisp ddi poll")
        # an action of one server is none of another one's
        self.device.wait_for("forgotten: the server or the device's id was changed", seen)
        server.actions.clear()
        assert self.server.polls == 0
        self.server.stop()
        self.server.context = contexts[1]
        self.server.start()
        number = self.server.assign([("fan", self.images.get("fan", "1.5.0"))])
        self.device.type("wisp ddi poll")
        assert self.server.outcome(number) == ("success", ["fan 1.5.0: kept"])
        self.device.type(f"wisp ddi set server {server.url}")
        self.server = server
        self.recovers()

    def test_an_update_module_of_mender_tells_how_a_trial_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            west = REPOSITORY / "tests" / "inside" / "west_wisp.py"
            (folder / "mender.conf").write_text(f"WISP_WEST='{sys.executable} {west}'\nWISP_BOARD='--port {self.device.port}'\n")
            (folder / "files").mkdir()

            def module(*arguments):
                done = subprocess.run([str(REPOSITORY / "rust" / "fleet" / "mender" / "wisp-app"), *arguments], cwd=folder, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                      env={**os.environ, "WISP_CONFIGURATION": str(folder / "mender.conf")})
                return done.returncode, done.stdout

            for question in ("SupportsRollback", "NeedsArtifactReboot"):
                assert module(question) == (0, "No\n")
            # states in which the module has nothing to do, and one that the protocol may get
            for state in ("Download", "ArtifactCommit", "ArtifactFailure", "Cleanup", "Later"):
                assert module(state, str(folder)) == (0, "")
            code, words = module("ArtifactInstall", str(folder))
            assert code == 1 and "no file that ends with .wisp" in words, words
            image = folder / "files" / "fan.wisp"
            image.write_bytes(self.images.get("fan", "1.6.0"))
            code, words = module("ArtifactInstall", str(folder))
            assert code == 0 and "installing fan.wisp" in words, words
            assert self.device.apps()["fan"] == ("1.6.0", False)
            image.write_bytes(self.images.get("fan", "1.7.0", "crashing"))
            code, words = module("ArtifactInstall", str(folder))
            assert code == 1 and "rolled back" in words, words
            assert self.device.apps()["fan"] == ("1.6.0", False)


def context_of(certificate, key):
    """What a server needs for TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM))
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def run(arguments, folder):
    tests = Tests(arguments, folder)
    passed = failed = 0
    try:
        for name in [name for name in vars(Tests) if name.startswith("test_")]:
            if arguments.only and arguments.only not in name:
                continue
            try:
                getattr(tests, name)()
                passed += 1
                print(f"PASS {name}", flush=True)
            except (AssertionError, OSError, KeyError, IndexError, west.DeviceError):
                failed += 1
                print(f"FAIL {name}", flush=True)
                traceback.print_exc()
                told = [line for line in tests.device.lines if "counts" not in line]
                print("\n".join(told[-60:]), file=sys.stderr, flush=True)
                # the others would fail by what is left
                break
    finally:
        if arguments.log:
            Path(arguments.log).write_text("\n".join(tests.device.lines), encoding="utf-8")
        tests.device.process.kill()
        tests.device.process.wait()
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firmware", type=Path, required=True, help="build folder of samples/updatable_app with the client")
    parser.add_argument("--wisp", required=True, help="the program wisp")
    parser.add_argument("--only", help="part of the name of a test")
    parser.add_argument("--log", help="file for the log of the device")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        passed, failed = run(arguments, Path(folder))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
