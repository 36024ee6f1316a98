#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rollouts of gooseBit, which others wrote, to a native_sim device behind `wisp gateway`: one that is kept, and one that
crashes. Ends with a line `N passed, N failed, N skipped`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

from devices import Device, Gateway, Images, end_with_parent
from servers import free_port

HERE = Path(__file__).resolve().parent


def archive(files):
    """An archive of SWUpdate: cpio in its form newc."""
    out = b""
    for name, content in [*files, ("TRAILER!!!", b"")]:
        numbers = [0, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    return out


class Goosebit:
    """The server."""

    def __init__(self, python, folder):
        self.port = free_port()
        settings = {"TENANT": "DEFAULT", "POLL_TIME": "00:00:01", "DB_URI": f"sqlite:///{folder / 'goosebit.sqlite3'}",
                    "ARTIFACTS_DIR": str(folder / "artifacts"), "DEVICE_AUTH__ENABLE": "true", "DEVICE_AUTH__MODE": "setup"}
        env = {**os.environ, **{f"GOOSEBIT_{name}": value for name, value in settings.items()}}
        self.log = folder / "goosebit.log"
        with open(self.log, "wb") as log:
            command = [str(python), str(HERE / "goosebit_server.py"), str(self.port)]
            self.process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log,
                                            preexec_fn=end_with_parent)  # noqa: PLW1509 (it is one system call)
        self.url, self.token = f"http://127.0.0.1:{self.port}", None
        while self.process.poll() is None:
            try:
                form = b"username=tester@example.org&password=secret"
                self.token = self.ask("POST", "/setup", form, "application/x-www-form-urlencoded")["access_token"]
                return
            except urllib.error.URLError:
                time.sleep(0.1)
        raise RuntimeError("gooseBit ended: " + self.log.read_text(encoding="utf-8", errors="replace"))

    def ask(self, method, path, body=None, kind="application/json"):
        """Sends a request; the JSON of the answer."""
        request = urllib.request.Request(self.url + path, body, {"Content-Type": kind}, method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def roll_out(self, version, image):
        """Publishes an image in an archive and starts a rollout of it to all devices; its id."""
        description = f'software = {{ version = "{version}"; hardware-compatibility: [ "default" ]; }};'
        content = archive([("sw-description", description.encode()), ("counter.wisp", image)])
        head = f'--X\r\nContent-Disposition: form-data; name="file"; filename="counter-{version}.swu"\r\n\r\n'
        body = head.encode() + content + b"\r\n--X--\r\n"
        software = self.ask("PUT", "/api/v1/software", body, "multipart/form-data; boundary=X")["id"]
        rollout = {"name": version, "feed": "default", "software_id": software}
        return self.ask("PUT", "/api/v1/rollouts", json.dumps(rollout).encode())["id"]

    def outcome(self, rollout):
        """Waits for the end of a rollout to one device: (successes, failures)."""
        while True:
            found = next(row for row in self.ask("GET", "/api/v1/rollouts")["rollouts"] if row["id"] == rollout)
            counts = found["success_count"], found["failure_count"]
            if any(counts):
                return counts
            time.sleep(0.1)


def run(arguments, server, device, gateway, folder):
    images = Images(arguments.wisp, arguments.firmware, folder)
    device.start()
    gateway.start()
    kept = server.outcome(server.roll_out("1.0.0", images.get("counter", "1.0.0")))
    assert kept == (1, 0), kept
    log = server.ask("GET", f"/api/v1/devices/{device.name}/log")["log"]
    assert "counter 1.0.0: kept" in log, log
    failed = server.outcome(server.roll_out("2.0.0", images.get("counter", "2.0.0", "crashing")))
    assert failed == (0, 1), failed
    log = server.ask("GET", f"/api/v1/devices/{device.name}/log")["log"]
    assert "counter 2.0.0: the update was rolled back: trap 1 (unreachable)" in log, log


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=Path, required=True, help="a Python with goosebit")
    parser.add_argument("--firmware", type=Path, required=True, help="build folder of samples/updatable_app")
    parser.add_argument("--wisp", required=True, help="the program wisp")
    parser.add_argument("--fleet", required=True, help="the program wisp-fleet")
    arguments = parser.parse_args()
    passed, processes = False, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            server = Goosebit(arguments.server, folder)
            device = Device("device-1", arguments.firmware / "zephyr" / "zephyr.exe", folder)
            gateway = Gateway(arguments.fleet, folder, server.url, [device])
            processes = [server, device, gateway]
            run(arguments, server, device, gateway, folder)
            passed = True
        except (AssertionError, OSError, RuntimeError, KeyError, subprocess.CalledProcessError):
            traceback.print_exc()
            for log in folder.glob("*.log"):
                print(f"{log.name}:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}", file=sys.stderr)
        finally:
            for process in (owner.process for owner in processes if owner.process):
                process.kill()
                process.wait()
    print("1 passed, 0 failed, 0 skipped" if passed else "0 passed, 1 failed, 0 skipped")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
