#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the apps of samples/connected against real servers on the loopback interface.

The thermostat and the lamp speak MQTT over TLS with mosquitto, and the sensor and the station CoAP with aiocoap. The rules
come over HTTPS from Python's server. Mosquitto is the one of the PATH, or that of Debian, whose packages are unpacked below the build folder.
aiocoap comes from PyPI, pinned by hash. What cannot be had counts as skipped. The certificates are new in every run.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import devenv

BUILD = devenv.BUILD / "network"
SAMPLE = devenv.REPO / "samples" / "connected"
AIOCOAP = ("aiocoap==0.4.17", "sha256:9f8f5f09e8f2666b635d7f9c45db5d1d0e38d41479b2d83878678a9cdb5a8f3c")
# The ports of the servers, as samples/connected has them, and the broker's for this script.
BROKER, COAP, HTTPS, PLAIN = 18883, 15683, 18443, 18830
# The ports of the station: its server, the relay in front of that, and its own.
STATION = (15687, 15685, 15684)
PATIENCE = 120

Row = namedtuple("Row", "interface board server what outcome")


def packages_of_debian(names, folder):
    """Unpacks Debian packages, with those that they need and this machine lacks. Returns the root, or None."""
    root = folder / "root"
    done = folder / "done"
    if done.is_file():
        return root
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    closure = subprocess.run(
        ["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
         "--no-replaces", "--no-enhances", *names], capture_output=True, text=True, check=False).stdout
    wanted = {line for line in closure.splitlines() if line and not line.startswith((" ", "<", "|"))}
    present = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n"], capture_output=True,
                             text=True, check=False).stdout
    present = {line.split()[1] for line in present.splitlines() if line.startswith("ii")}
    missing = sorted(name for name in wanted - present if name in names or name.startswith("lib"))
    fetched = subprocess.run(["apt-get", "download", "-q", *missing], cwd=folder, capture_output=True, check=False)
    if fetched.returncode != 0:
        return None
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    done.touch()
    return root


def mosquitto():
    """Returns the commands of mosquitto, its client for publishing and that for subscribing, or None."""
    names = ("mosquitto", "mosquitto_pub", "mosquitto_sub")
    found = [shutil.which(name) for name in names]
    if all(found):
        return dict(zip(names, found)), dict(os.environ)
    root = packages_of_debian(["mosquitto", "mosquitto-clients"], BUILD / "debian")
    if root is None:
        return None
    libraries = sorted({str(path.parent) for path in root.rglob("*.so*")})
    paths = {name: next(iter(root.glob(f"usr/*bin/{name}")), None) for name in names}
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
    if None in paths.values():
        return None
    return paths, environment


def aiocoap():
    """Returns the folder of aiocoap, or None where PyPI is not reached."""
    return devenv.pinned(BUILD / "aiocoap", *AIOCOAP)


def serve_coap(port):
    """Keeps one resource, `readings`, until the process is ended. Prints what is put there."""
    from aiocoap import Context, Message, resource
    from aiocoap.numbers.codes import CHANGED

    class Readings(resource.Resource):
        """The last reading."""

        last = b""

        async def render_put(self, request):
            """Takes a reading."""
            self.last = request.payload
            print("put", request.payload.decode(), flush=True)
            return Message(code=CHANGED)

        async def render_get(self, _request):
            """Returns the last reading."""
            return Message(payload=self.last)

    async def run():
        site = resource.Site()
        site.add_resource(["readings"], Readings())
        await Context.create_server_context(site, bind=("127.0.0.1", port))
        print("ready", flush=True)
        await asyncio.get_running_loop().create_future()

    asyncio.run(run())


def make_certificates(folder):
    """Writes the authority, and the certificates of the brokers."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    sys.path.insert(0, str(devenv.REPO / "tests" / "net_tls"))
    import certificates

    # The workstation as itself, and as a guest of QEMU sees it.
    here = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "10.0.2.2")]
    trusted = certificates.issue("Test authority", None, [], 2049)
    stranger = certificates.issue("Another authority", None, [], 2049)
    pem = serialization.Encoding.PEM
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.pem").write_bytes(trusted[0].public_bytes(pem))
    for name, (certificate, key) in {
            "broker": certificates.issue("broker", trusted, here, 2049),
            "wrong_name": certificates.issue("broker", trusted, [x509.DNSName("other.example")], 2049),
            "expired": certificates.issue("broker", trusted, here, 2021),
            "stranger": certificates.issue("broker", stranger, here, 2049)}.items():
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        (folder / f"{name}.key").write_bytes(key.private_bytes(
            pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))


def wait_for_port(port):
    """Waits until a server listens."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"no server at port {port}")


@contextlib.contextmanager
def process(command, **options):
    """Runs a program and ends it at the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          **options) as running:
        try:
            yield running
        finally:
            running.terminate()


@contextlib.contextmanager
def broker(paths, environment, certificates, name):
    """Runs mosquitto with a listener that has the certificate of this name, and one for this script."""
    text = (f"allow_anonymous true\nlog_type all\nlistener {PLAIN} 127.0.0.1\nlistener {BROKER} 127.0.0.1\n"
            f"cafile {certificates}/ca.pem\ncertfile {certificates}/{name}.pem\nkeyfile {certificates}/{name}.key\n")
    if os.geteuid() == 0:
        # As root, mosquitto becomes another user, who cannot read the keys.
        text += "user root\n"
    path = BUILD / "mosquitto.conf"
    path.write_text(text, encoding="utf-8")
    log = (BUILD / "mosquitto.log").open("w")
    with log, subprocess.Popen([paths["mosquitto"], "-c", path], env=environment, stdout=log, stderr=log) as running:
        try:
            wait_for_port(BROKER)
            yield
        finally:
            running.terminate()


@contextlib.contextmanager
def coap_peer(folder, *command):
    """Runs a script with aiocoap. Yields a file with what it prints."""
    path = BUILD / "aiocoap.log"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    with path.open("w") as log, subprocess.Popen([sys.executable, *command], env=environment, stdout=log,
                                                 stderr=log) as running:
        try:
            end = time.monotonic() + PATIENCE
            while "ready" not in path.read_text(encoding="utf-8"):
                if running.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"aiocoap did not start, see {path}")
                time.sleep(0.05)
            yield path
        finally:
            running.terminate()


def module(name):
    """Builds an app of the sample."""
    folder = BUILD / "cargo"
    subprocess.run(["cargo", "build", "-q", "--locked", "--release", "--target", "wasm32-unknown-unknown",
                    "--target-dir", folder], cwd=SAMPLE / name, check=True)
    return folder / "wasm32-unknown-unknown" / "release" / f"{name}.wasm"


class Desk:
    """`wisp run` on this machine."""

    name = "wisp run"

    def __init__(self, wisp, certificates):
        self.wisp = wisp
        self.certificates = certificates
        self.modules = {name: module(name) for name in ("thermostat", "lamp", "rules", "sensor", "station")}

    def run(self, app):
        """Runs an app. Returns its output and whether it ended with success."""
        done = subprocess.run([self.wisp, "run", self.modules[app], "--board", SAMPLE / "board.toml"],
                              cwd=self.certificates, capture_output=True, text=True, errors="replace", timeout=PATIENCE,
                              check=False)
        return done.stdout + done.stderr, done.returncode == 0


class Firmware:
    """A firmware, in which all apps begin at once."""

    def __init__(self, environment, certificates):
        build = BUILD / self.name
        command = ["west", "build", "-b", self.board, "-d", build, SAMPLE, "--",
                   f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", f"-DWISP_BROKER_CA={certificates}/ca.pem"]
        done = subprocess.run(command, cwd=devenv.find_zephyr(), env=environment, capture_output=True, text=True,
                              errors="replace", check=False)
        if done.returncode != 0:
            raise RuntimeError(f"samples/connected cannot be built for {self.name}:\n{done.stdout}{done.stderr}")
        self.folder = build / "zephyr"
        self.environment = environment

    def run(self, app):
        """Runs the firmware until an app of it has ended. Returns its output and whether that was with success."""
        output = ""
        with process(self.command()) as running:
            alarm = threading.Timer(PATIENCE, running.terminate)
            alarm.start()
            try:
                for line in running.stdout:
                    output += line
                    if f"{app}: exited with status " in line:
                        return output, f"{app}: exited with status 0" in line
            finally:
                alarm.cancel()
        return output, False


class NativeSim(Firmware):
    """A firmware for native_sim, over the sockets of this machine."""

    name, board = "native_sim", "native_sim/native/64"

    def command(self):
        """Returns the command that runs the firmware."""
        return [self.folder / "zephyr.exe"]


class Qemu(Firmware):
    """A firmware for a Cortex-M3, over Zephyr's network stack and the user network of QEMU."""

    name, board = "mps2_an385", "mps2/an385"

    @staticmethod
    def emulator(environment):
        """Returns the path of QEMU, or None."""
        folders = os.pathsep.join(filter(None, [environment.get("QEMU_BIN_PATH"), environment["PATH"]]))
        return shutil.which("qemu-system-arm", path=folders)

    def command(self):
        """Returns the command that runs the firmware."""
        return [self.emulator(self.environment), "-cpu", "cortex-m3", "-M", "mps2-an385",
                "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic",
                f"user,model=lan9118,hostfwd=udp:127.0.0.1:{STATION[2]}-10.0.2.15:{STATION[2]}",
                "-kernel", self.folder / "zephyr.elf"]


def check_thermostat(board, paths, environment):
    """The broker sets a target, and the thermostat reports temperatures up to it."""
    publish = [paths["mosquitto_pub"], "-p", str(PLAIN), "-r", "-t", "thermostat/target", "-m", "22.0"]
    subprocess.run(publish, env=environment, check=True)
    subscribe = [paths["mosquitto_sub"], "-p", str(PLAIN), "-t", "thermostat/temperature", "-W", str(PATIENCE), "-C", "4"]
    with process(subscribe, env=environment) as subscriber:
        output, succeeded = board.run("thermostat")
        heard = subscriber.communicate(timeout=PATIENCE)[0].split() if succeeded else []
    right = succeeded and "warm: 22.0" in output and heard and heard == sorted(heard) and heard[-1] <= "22.0"
    return "passed" if right else f"FAILED: {heard}\n{output}"


def check_refusal(board, reasons):
    """The thermostat refuses a broker that has the wrong certificate."""
    output, succeeded = board.run("thermostat")
    right = not succeeded and any(words in output for words in reasons) and "thermostat: connected" not in output
    return "passed" if right else f"FAILED\n{output}"


def wait_for_log(words):
    """Waits until mosquitto has logged something."""
    end = time.monotonic() + PATIENCE
    while not re.search(words, (BUILD / "mosquitto.log").read_text(encoding="utf-8")):
        if time.monotonic() > end:
            raise RuntimeError(f"mosquitto did not log {words!r}")
        time.sleep(0.05)


def check_lamp(board, paths, environment, last):
    """The broker switches the lamp, which stays connected while it waits. Its will is published if it ends without a word."""
    def publish(text):
        command = [paths["mosquitto_pub"], "-p", str(PLAIN), "-q", "1", "-t", "lamp/switch", "-m", text]
        subprocess.run(command, env=environment, check=True)

    # -R: without what the broker has kept
    subscribe = [paths["mosquitto_sub"], "-p", str(PLAIN), "-R", "-t", "lamp/state", "-W", str(PATIENCE)]
    heard = []
    with process(subscribe, env=environment) as subscriber, ThreadPoolExecutor(1) as pool:
        wait_for_log("Sending SUBACK")
        running = pool.submit(board.run, "lamp")
        for word, answer in (("off", "on"), ("on", last), ("gone", None)):
            if word == "gone" and last == "end":
                break
            heard.append(subscriber.stdout.readline().strip())
            if heard[-1] != word:
                break
            if word == "on":
                wait_for_log("Received PINGREQ from lamp")
            if answer is not None:
                publish(answer)
        if heard[-1:] == [""]:
            publish("end")
        output, succeeded = running.result()
    expected = ["off", "on"] + (["gone"] if last == "crash" else [])
    right = succeeded and heard == expected and "the broker has message 2" in output
    if right and last == "end":
        wait_for_log("Received DISCONNECT from lamp")
    return "passed" if right else f"FAILED: {heard}\n{output}"


class Rules(BaseHTTPRequestHandler):
    """Serves a file with rules."""

    FILE = b"# what is switched on\nabove 25 fan\nabove 30 alarm\n"

    def do_GET(self):  # pylint: disable=invalid-name
        """Answers a request."""
        found = self.path == "/rules"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(self.FILE) if found else 0))
        self.end_headers()
        self.wfile.write(self.FILE if found else b"")

    def log_message(self, *_):
        """Is silent."""


@contextlib.contextmanager
def https_server(certificates, name):
    """Runs Python's server for HTTPS with the certificate of this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    with HTTPServer(("127.0.0.1", HTTPS), Rules, bind_and_activate=False) as server:
        server.allow_reuse_address = True
        server.server_bind()
        server.server_activate()
        server.handle_error = lambda *_: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def check_rules(board, reasons):
    """The app pulls the rules, or refuses the server for one of the reasons."""
    output, succeeded = board.run("rules")
    pulled = all(words in output for words in ("at 26: fan", "at 31: fan", "at 31: alarm", "2 rules"))
    if reasons:
        right = not succeeded and any(words in output for words in reasons) and "at 26" not in output
    else:
        right = succeeded and pulled and "at 20" not in output and "at 26: alarm" not in output
    return "passed" if right else f"FAILED\n{output}"


def check_sensor(board, log):
    """The sensor puts five readings and gets the last one back."""
    before = log.read_text(encoding="utf-8").count("put ")
    output, succeeded = board.run("sensor")
    readings = [line.split()[1] for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("put ")][before:]
    right = succeeded and readings == ["20.5", "21.5", "22.5", "23.5", "24.5"] and "the server has 24.5" in output
    return "passed" if right else f"FAILED: {readings}\n{output}"


def check_station(board, log):
    """The station asks aiocoap and is asked by it, while datagrams are lost."""
    output, succeeded = board.run("station")
    answers = log.read_text(encoding="utf-8").splitlines()
    told = (answers[0].removeprefix("ready, "), "the server has the log: 2.04", "target 20.0", "target 21.5", "target end")
    found = [output.find(f"station: {words}") for words in told]
    fine = [line for line in answers if line.startswith("ok ")]
    right = succeeded and -1 not in found and found == sorted(found) and len(fine) == 9
    return "passed" if right else f"FAILED: {answers}\n{output}"


# What is refused, the certificate's name here, and what the logs of boards and workstation say.
REFUSALS = (("wrong name refused", "wrong_name", ("not valid for name", "is for another name")),
            ("expired refused", "expired", ("certificate expired", "has expired")),
            ("wrong authority refused", "stranger", ("UnknownIssuer", "is not of an authority")))


def boards(wisp, certificates):
    """Returns what the apps can run on here."""
    environment = devenv.environment()
    found = [Desk(wisp, certificates)]
    if environment is not None:
        found.append(NativeSim(environment, certificates))
        if Qemu.emulator(environment):
            found.append(Qemu(environment, certificates))
    return found


def check_all(wisp):
    """Runs everything that can be run. Returns the rows of the table."""
    rows = []
    certificates = BUILD / "certificates"
    make_certificates(certificates)
    found = mosquitto()
    cases = ["publish and subscribe"] + [name for name, _, _ in REFUSALS]
    lamp = {"end": "switched by the host's client", "crash": "the will of the host's client"}
    for board in boards(wisp, certificates):
        if found is None:
            rows += [Row("MQTT over TLS", board.name, "mosquitto", case, "skipped: neither installed nor had from Debian")
                     for case in [*cases, *lamp.values()]]
        else:
            with broker(*found, certificates, "broker"):
                outcomes = [check_thermostat(board, *found)]
            for _, name, reasons in REFUSALS:
                with broker(*found, certificates, name):
                    outcomes.append(check_refusal(board, reasons))
            for last in lamp:
                with broker(*found, certificates, "broker"):
                    outcomes.append(check_lamp(board, *found, last))
            rows += [Row("MQTT over TLS", board.name, "mosquitto", *pair) for pair in zip([*cases, *lamp.values()], outcomes)]
        for case, name, reasons in (("a file is pulled", "broker", ()), *REFUSALS):
            with https_server(certificates, name):
                rows.append(Row("HTTPS", board.name, "Python", case, check_rules(board, reasons)))
        folder = aiocoap()
        outcomes = ["skipped: PyPI is not reached"] * 2
        if folder is not None:
            with coap_peer(folder, __file__, "--coap-server") as log:
                outcomes[0] = check_sensor(board, log)
            ports = [str(port) for port in STATION]
            with coap_peer(folder, Path(__file__).with_name("coap_station.py"), *ports) as log:
                outcomes[1] = check_station(board, log)
        exchanges = ("put and get", "blocks, notifications and resources of the app, with losses")
        rows += [Row("CoAP over UDP", board.name, "aiocoap", *pair) for pair in zip(exchanges, outcomes)]
    of_desk = [row for row in rows if row.board == Desk.name]
    missing = [board for board in (NativeSim, Qemu) if board.name not in {row.board for row in rows}]
    outcome = "skipped: no Zephyr workspace can be had here" if len(missing) == 2 else "skipped: there is no qemu-system-arm"
    return rows + [row._replace(board=board.name, outcome=outcome) for board in missing for row in of_desk]


def table(rows):
    """Returns the rows as Markdown, with the first line of each outcome."""
    lines = ["| interface | board | server | what | outcome |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join([*row[:-1], row.outcome.splitlines()[0]]) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cases_of(folder):
    """Maps each app of a test's folder to the cases that start it."""
    found = {}
    for source in sorted((devenv.REPO / folder / "src").glob("*.c")):
        text = source.read_text(encoding="utf-8")
        bodies = dict(re.findall(r"^static [^(\n]*?(\w+)\([^)]*\)\n\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))
        for case, body in re.findall(r"^ZTEST\(\w+, (\w+)\)\n\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            helpers = "".join(bodies.get(name, "") for name in re.findall(r"(\w+)\(", body))
            for app in re.findall(r'"(\w+)"', body + helpers):
                found.setdefault(app, set()).add(case.removeprefix("test_"))
    return found


def abuse_table(report):
    """Returns the table of abuse in doc/network.md with the outcomes of a report of twister."""
    outcomes = {}
    for suite in json.loads(report.read_text(encoding="utf-8"))["testsuites"]:
        for case in suite.get("testcases", []):
            key = suite["platform"], case["identifier"].split(".")[-1].removeprefix("test_")
            outcomes[key] = case.get("status")
    boards_of_report = sorted({board for board, _ in outcomes})
    text = (devenv.REPO / "doc" / "network.md").read_text(encoding="utf-8")
    section = text.split("\n## Abuse\n")[1].split("\n## ")[0]
    lines = ["| who does what | board | outcome |", "|---|---|---|"]
    for row in [line for line in section.splitlines() if line.startswith("| ")][1:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        folder, *apps = re.findall(r"[\w/]+", cells[-1]) or [None]
        cases = {case for app in apps for case in cases_of(folder).get(app, {f"a test of {app}"})}
        for board in boards_of_report:
            known = {outcomes.get((board, case), f"none of {case}") for case in cases}
            lines.append(f"| {cells[0]} | {board} | {', '.join(sorted(known)) or 'not tested'} |")
    return "\n".join(lines) + "\n"


def main():
    """Prints the table, and details of what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wisp", type=Path, help="the wisp tool")
    parser.add_argument("--coap-server", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--https-server", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.coap_server:
        serve_coap(COAP)
        return 0
    if options.https_server:
        with https_server(Path.cwd(), "broker"):
            threading.Event().wait()
    rows = check_all(options.wisp.resolve())
    failed = [row for row in rows if row.outcome.startswith("FAILED")]
    for row in failed:
        print(f"{row.interface}, {row.board}, {row.what}: {row.outcome}")
    print(table(rows))
    skipped = sum(row.outcome.startswith("skipped") for row in rows)
    print(f"{len(rows) - len(failed) - skipped} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
