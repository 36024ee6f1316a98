#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The device's own client of a rollout server (CONFIG_WISP_DDI) on native_sim: updates that are kept, crash, break off, are
cancelled, and servers that lie. Ends with a line `N passed, N failed, N skipped`."""

import argparse
import asyncio
import base64
import hashlib
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
from http.server import BaseHTTPRequestHandler
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts" / "west_commands"), str(REPOSITORY / "tests" / "net_tls")]

import certificates
import device as west
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fleet import Images, end_with_parent
from rollouts import Listener

HERE = Path(__file__).resolve().parent
NAME, TOKEN = "lamp-1", "bH7XXAprK1ChnLfKSdtlsp7NOlPnZAYY"
ROOT = f"/DEFAULT/controller/v1/{NAME}"
# Of seconds, far more than anything takes.
LONGEST = 120
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Server:
    """A rollout server with one device: hawkBit's DDI as it is published. It lies if `rule` says so."""

    def __init__(self):
        self.lock = threading.Lock()
        self.actions, self.files, self.told, self.asked, self.polls = [], {}, [], [], 0
        self.attributes, self.cancel, self.next, self.port = None, None, 1, 0
        # Bytes of files that are given before the connection ends, and what is answered then.
        self.cut = None
        self.rule = None
        self.server = None
        # For TLS.
        self.context = None

    def start(self):
        handler = type("Bound", (Handler,), {"owner": self})
        self.server = Listener(("127.0.0.1", self.port), handler)
        self.port = self.server.server_address[1]
        if self.context is not None:
            # the handshake is part of the first read, in the thread of the request
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True,
                                                          do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"https://localhost:{self.port}" if self.context else f"http://127.0.0.1:{self.port}"

    def assign(self, images, change=None):
        """Gives the device an action with these apps, pairs of a name and the bytes of an image; its id.

        change: a function that may change the document.
        """
        with self.lock:
            number, self.next = str(self.next), self.next + 1
            chunks = []
            for name, image in images:
                sha = hashlib.sha256(image).hexdigest()
                self.files[sha] = image
                chunks.append({"part": "bApp", "name": name, "version": "any", "artifacts": [
                    {"filename": "notes.txt", "size": 3, "hashes": {"sha1": "0" * 40, "md5": "0" * 32}, "_links": {}},
                    {"filename": f"{name}.wisp", "size": len(image), "hashes": {"sha1": "0" * 40, "sha256": sha},
                     "_links": {"download-http": {"href": f"{self.url}{ROOT}/files/{sha}"},
                                "md5sum-http": {"href": f"{self.url}{ROOT}/files/{sha}.MD5SUM"}}}]})
            document = {"id": number, "deployment": {"download": "forced", "update": "forced", "chunks": chunks}}
            self.actions.append((number, change(document) if change else document))
            return number

    def document(self, path):
        """What is at a path, or None."""
        number, document = self.actions[-1] if self.actions else (None, None)
        if path == "":
            self.polls += 1
            links = {}
            if self.attributes is None:
                links["configData"] = {"href": f"{self.url}{ROOT}/configData"}
            if self.cancel is not None:
                links["cancelAction"] = {"href": f"{self.url}{ROOT}/cancelAction/{self.cancel}"}
            elif number is not None:
                links["deploymentBase"] = {"href": f"{self.url}{ROOT}/deploymentBase/{number}?c=-21"}
            return {"config": {"polling": {"sleep": "00:00:01"}}, "_links": links}
        if path == f"deploymentBase/{number}":
            return document
        if self.cancel is not None and path == f"cancelAction/{self.cancel}":
            return {"id": self.cancel, "cancelAction": {"stopId": self.cancel}}
        return None

    def take(self, path, body):
        """Takes what the device tells; whether it concerns something that is known."""
        if path == "configData":
            self.attributes = body["data"]
            return True
        number = self.actions[-1][0] if self.actions else None
        if path not in (f"deploymentBase/{number}/feedback", f"cancelAction/{self.cancel}/feedback"):
            return False
        status = body["status"]
        self.told.append((path, status["execution"], status["result"]["finished"], status["details"]))
        if status["execution"] == "closed":
            self.actions.pop()
            self.cancel = None
        elif status["execution"] == "rejected":
            self.cancel = None
        return True

    def wait(self, condition, what):
        """Waits until a condition of the server holds."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            with self.lock:
                if found := condition():
                    return found
            time.sleep(0.02)
        raise AssertionError(f"not seen: {what}; told: {self.told[-5:]}")

    def outcome(self, number):
        """Waits for the end of an action: (success or failure, details)."""
        path = f"deploymentBase/{number}/feedback"
        found = self.wait(lambda: [told for told in self.told if told[0] == path and told[1] == "closed"], f"end of {number}")
        return found[0][2], found[0][3]

    def progress(self, number, text):
        """Waits until the device told of an action that it goes on."""
        path = f"deploymentBase/{number}/feedback"
        self.wait(lambda: [told for told in self.told if told[0] == path and text in told[3][0]], f"{text} of {number}")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def path_of_device(self):
        path = self.path.partition("?")[0]
        if not path.startswith(ROOT) or self.headers["Authorization"] != f"TargetToken {TOKEN}":
            return None
        return path.removeprefix(ROOT).strip("/")

    def lies(self, path):
        """Answers as the rule says; whether it did."""
        return bool(self.owner.rule and self.owner.rule(self, path))

    def file(self, file):
        """Sends a file, or as much of it as the test lets it have."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        self.owner.asked.append(start)
        cut = self.owner.cut
        if cut is not None and start >= cut:
            return self.reply(503, b"later")
        if start >= len(file):
            return self.reply(416)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(file) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(file) - 1}/{len(file)}")
        self.end_headers()
        self.wfile.write(file[start:cut])
        self.close_connection = True

    def do_GET(self):
        path = self.path_of_device()
        if path is None:
            return self.reply(401)
        if self.lies(path):
            return None
        if path.startswith("files/"):
            file = self.owner.files.get(path.removeprefix("files/"))
            return self.reply(404) if file is None else self.file(file)
        with self.owner.lock:
            document = self.owner.document(path)
        return self.reply(404) if document is None else self.reply(200, json.dumps(document).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path_of_device()
        if path is None:
            return self.reply(401)
        if self.lies(path):
            return None
        with self.owner.lock:
            known = self.owner.take(path, body)
        return self.reply(200 if known else 410)

    do_PUT = do_POST


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
        number = self.server.assign([(app, self.images.get(app, "1.0.0")) for app in ("lamp", "fan")])
        assert self.server.outcome(number) == ("success", ["lamp 1.0.0: kept", "fan 1.0.0: kept"])
        self.server.progress(number, "lamp 1.0.0: on trial")
        assert self.device.apps() == {"lamp": ("1.0.0", False), "fan": ("1.0.0", False)}
        assert self.server.attributes["board"].startswith("native_sim"), self.server.attributes

    def test_the_server_is_told_versions_when_it_asks(self):
        self.server.attributes = None
        self.server.wait(lambda: self.server.attributes, "attributes")
        assert self.server.attributes["app.lamp"] == "1.0.0", self.server.attributes

    def test_an_update_that_crashes_is_rolled_back_and_a_failure(self):
        images = [("lamp", self.images.get("lamp", "2.0.0", "crashing")), ("fan", self.images.get("fan", "1.1.0"))]
        success, details = self.server.outcome(self.server.assign(images))
        assert success == "failure", details
        assert details[0].startswith("lamp 2.0.0: the update was rolled back: trap 1 (unreachable)"), details
        assert details[1] == "fan any: not installed, because lamp any failed", details
        assert self.device.apps() == {"lamp": ("1.0.0", False), "fan": ("1.0.0", False)}

    def test_a_download_that_breaks_off_goes_on_where_it_was(self):
        self.server.asked.clear()
        self.server.cut = 10000
        number = self.server.assign([("atlas", self.images.get("atlas", "1.0.0", "atlas"))])
        self.server.wait(lambda: self.server.asked[1:], "a second request")
        assert self.server.asked[:2] == [0, 10000], self.server.asked
        self.server.cut = None
        assert self.server.outcome(number) == ("success", ["atlas 1.0.0: kept"])

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
        seen = len(self.device.lines)
        self.device.type("wisp list")
        self.device.wait_for("lamp .*running", seen)
        time.sleep(0.5)
        assert not any("upload of" in line for line in self.device.lines[seen:]), self.device.lines[seen:]
        assert self.device.apps()["atlas"] == ("1.1.0", False)

    def test_a_wish_to_cancel_that_comes_too_late_is_rejected(self):
        self.server.told.clear()
        images = [("fan", self.images.get("fan", "1.3.0")), ("atlas", self.images.get("atlas", "2.0.0", "atlas"))]
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
            (reply(200, b"{", Content_Length="50"), "the answer broke off"),
            (reply(200, b"{}", Content_Length="-5"), "the answer broke off|cannot be read"),
            (reply(200, b"{}", X_Long="y" * 5000, Content_Length="2"), "cannot be read|broke off"),
            (lambda request: request.wfile.write(b"\0\xff" * 3000) and None, "the answer broke off"),
            (lambda request: setattr(request, "close_connection", True), "the server does not answer|broke off"),
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
        far = {"download-http": {"href": "http://192.0.2.1/lamp.wisp"}}
        cases = [
            (changed(size=-5), "lamp any: the artifact's size is none from 1 to 16777216"),
            (changed(size=1 << 40), "lamp any: the artifact's size is none from 1 to 16777216"),
            (changed(size=len(good) - 1), "the server sends more than the"),
            (changed(size=len(good) + 1), "the server has"),
            (changed(hashes={"sha1": "0" * 40}), "lamp any: the server names no SHA-256 for this artifact"),
            (changed(hashes={"sha256": "../../etc/passwd"}), "lamp any: the server names no SHA-256 for this artifact"),
            (changed(hashes={"sha256": "1" * 64}), "lamp 1.4.0: "),
            (changed(filename="lamp.swu"), "lamp any: the software module has 0 artifacts that end with .wisp; expected one"),
            (changed(_links={}), "lamp any: the server names no address for this artifact"),
            (changed(_links=far), "an address elsewhere needs https"),
            (changed(_links={"download-http": {"href": "/lamp.wisp"}}), "no address of HTTP"),
            (many, "the action has more than 4 software modules"),
            (lambda document: {"id": "9", "deployment": {"chunks": []}}, "the action has no software module"),
        ]
        for change, words in cases:
            success, details = self.server.outcome(self.server.assign([("lamp", good)], change))
            assert success == "failure" and words in details[0], (words, details)
        damaged = bytearray(good)
        damaged[len(good) // 2] ^= 1
        for image, words in [(bytes(damaged), "lamp 1.4.0: "), (b"not an image" * 100, "lamp any: this is no image for this firmware"),
                             (self.images.get("lamp", "0.9.0"), "lamp 0.9.0: ")]:
            success, details = self.server.outcome(self.server.assign([("lamp", image)]))
            assert success == "failure" and details[0].startswith(words), (words, details)
        assert self.device.apps() == {"lamp": ("1.0.0", False), "fan": ("1.3.0", False), "atlas": ("2.0.0", False)}
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
        self.device.wait_for("holding, the server is asked", seen, again="wisp ddi")
        assert self.device.apps()["fan"] == ("1.3.0", False)
        window("available")(self.server.actions[-1][1])
        assert self.server.outcome(number) == ("success", ["fan 1.4.0: kept"])

    def test_a_server_that_is_away_is_asked_again(self):
        self.server.stop()
        seen = len(self.device.lines)
        self.device.wait_for(r"wisp_ddi.*no connection", seen, again="wisp ddi poll")
        self.server.start()
        self.recovers()


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
        seen = len(self.device.lines)
        self.device.type(f"wisp ddi set server {self.server.url}")
        self.device.wait_for("wisp_ddi.*no connection by TLS", seen, again="wisp ddi poll")
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
