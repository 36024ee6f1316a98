# SPDX-License-Identifier: Apache-2.0
"""`west wisp` in a workspace whose manifest imports this repository's."""

import importlib.util
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
# A module that exports (func $add (param i32 i32) (result i32)).
ADD = bytes.fromhex("0061736d01000000 010701 60027f7f017f 03020100 070701 03616464 0000 0a0901 0700 200020016a0b")


# Verbs that another program carries out, which is not built for these tests.
FLEET = ("publish", "pull", "compile", "serve", "gateway", "fleet")
# `west wisp` has these for an app on a device, and the plain command for files.
OWN = {"debug"}


def west(folder, *arguments, code=0, **variables):
    """Runs west; what it said."""
    env = {key: value for key, value in os.environ.items() if key not in ("ZEPHYR_BASE", "WISP_PORT")}
    env.update(variables)
    done = subprocess.run([sys.executable, "-m", "west", *arguments], cwd=folder, env=env, check=False, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == code, done.stdout
    return done.stdout


def agrees(verb, said):
    """Checks that JSON has the members that doc/cli.md names for a verb."""
    page = (REPOSITORY / "doc" / "cli.md").read_text(encoding="utf-8")
    section = page.split(f"### `west wisp {verb}`\n")[1].split("\n#")[0]
    value = json.loads(said)
    assert sorted(value) == sorted(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)), said
    return value


def test_the_manifest_brings_zephyr_its_modules_and_the_command(workspace):
    listed = west(workspace, "list", "-f", "{name} {path} {revision}")
    for line in ("zephyr zephyr 929bf410a2c956f4976f75e6cb27602f5cae700f", "wisp modules/lib/wisp", "zephyr-lang-rust modules/lang/rust", "zcbor "):
        assert line in listed, listed
    assert re.search(r"wisp: +build, sign and install WebAssembly apps", west(workspace, "help"))
    text = west(workspace, "wisp", "--help")
    for verb in ("new", "build", "run", "inspect", "keygen", "sign", "verify", "push", "list", "info", "start", "stop",
                 "restart", "confirm", "rollback", "uninstall", "stat", "log", "abort"):
        assert re.search(rf"^ +{verb}\b", text, re.MULTILINE), f"{verb}: {text}"


def test_verbs_of_the_host_are_those_of_the_plain_command(workspace, tools):
    tool = {"WISP_TOOL": tools.tool}
    (workspace / "add.wasm").write_bytes(ADD)
    for verb in re.findall(r"^  (\w+) ", subprocess.run([tools.tool, "--help"], check=True, timeout=60, text=True,
                                                        stdout=subprocess.PIPE).stdout, re.MULTILINE):
        if verb in FLEET:
            said = west(workspace, "wisp", verb, "--help", code=1, WISP_FLEET="nowhere/wisp-fleet", **tool)
            assert f"`wisp {verb}` needs the program `nowhere/wisp-fleet`" in said
        elif verb not in OWN | {"help"}:
            assert "Usage: wisp" in west(workspace, "wisp", verb, "--help", **tool), verb
    west(workspace, "wisp", "build", "add.wasm", "-o", "add.wisp", "--name", "add", "--version", "1.2.3", **tool)
    assert west(workspace, "wisp", "run", "add.wisp", "--invoke", "add", "40", "2", **tool).strip() == "42"
    west(workspace, "wisp", "keygen", "key.pem", **tool)
    west(workspace, "wisp", "sign", "add.wisp", "--key", "key.pem", **tool)
    west(workspace, "wisp", "verify", "add.wisp", "--key", "key.pub.pem", **tool)
    assert "add" in west(workspace, "wisp", "inspect", "add.wisp", **tool)


def test_an_app_is_begun_in_the_workspace(workspace, tools):
    tool = {"WISP_TOOL": tools.tool}
    said = west(workspace, "wisp", "new", "lamp", "--lang", "rust", "--sdk", "modules/lib/wisp/guest", **tool)
    assert "lamp/README.md says how to build and run it" in said
    assert 'path = "../modules/lib/wisp/guest/rust"' in (workspace / "lamp" / "Cargo.toml").read_text()
    west(workspace, "wisp", "new", "heater", "--lang", "c", **tool)
    for name in ("app.c", "Makefile", "include/wisp.h", "board.toml"):
        assert (workspace / "heater" / name).is_file(), name
    said = west(workspace, "wisp", "new", "lamp", "--lang", "c", code=1, **tool)
    assert "lamp: is there already; choose another name or remove it" in said
    said = west(workspace, "wisp", "new", "My-Lamp", "--lang", "c", code=2, **tool)
    assert "expected a lower-case letter" in said
    said = west(workspace, "wisp", "new", "lamp2", "--lang", "rust", "--sdk", "nowhere", code=1, **tool)
    assert "give --sdk the directory `guest` of Wisp's sources" in said


def test_verbs_of_a_device_say_what_is_missing(workspace, tools):
    said = west(workspace, "wisp", "list", code=1)
    assert "Give its serial port or IP address with --port, or in WISP_PORT" in said
    said = west(workspace, "wisp", "list", "--port", "/dev/nowhere", code=1)
    assert said.startswith("west wisp: /dev/nowhere: there is no such serial port; those of this machine: "), said
    said = west(workspace, "wisp", "nonsense", code=2, WISP_TOOL=tools.tool)
    assert "nonsense" in said
    said = west(workspace, "wisp", "push", "nowhere.wisp", "--port", "/dev/nowhere", code=1)
    assert said == "west wisp: nowhere.wisp: cannot be read: No such file or directory\n"
    (workspace / "add.wasm").write_bytes(ADD)
    said = west(workspace, "wisp", "push", "add.wasm", "--port", "/dev/nowhere", "--json", code=1)
    sentence = "add.wasm: this is a wasm module; make an image of it with wisp build"
    assert sorted(said.splitlines()) == sorted([json.dumps({"error": sentence}), "west wisp: " + sentence])
    said = west(workspace, "wisp", "stop", "lamp", "--port", "/dev/nowhere", "--management-key", "add.wasm", code=1)
    assert said == "west wisp: add.wasm: expected an Ed25519 secret key in PEM; wisp keygen --role management makes one\n"
    # nobody at the other end
    _, silent = pty.openpty()
    said = west(workspace, "wisp", "list", "--timeout", "0.3", "--port", os.ttyname(silent), code=1)
    assert said == (f"west wisp: {os.ttyname(silent)}: no answer within 0.3 s; does the device run, is this its port for "
                    "MCUmgr, and does nobody else use it?\n")
    if importlib.util.find_spec("bleak") is None:
        said = west(workspace, "wisp", "list", "--port", "ble:lamp", code=1)
        assert "Bluetooth needs bleak: pip install 'smpclient[ble]'" in said


def test_a_wrong_port_is_told_at_once_and_not_after_the_timeout(workspace):
    (workspace / "notes.txt").write_text("", encoding="utf-8")
    for port, sentence in (
            (str(workspace / "notes.txt"), "this is no serial port"),
            ("ttyACM0.invalid", "no host has this name"),
            ("127.0.0.1:99999", "'99999' is no port of UDP, expected 1 to 65535"),
            ("127.0.0.1:smp", "'smp' is no port of UDP, expected 1 to 65535"),
            ("[::1]:0", "'0' is no port of UDP, expected 1 to 65535")):
        said = west(workspace, "wisp", "list", "--timeout", "500", "--port", port, code=1)
        assert said.startswith(f"west wisp: {port}: {sentence}"), said
    for time in ("0", "-1", "nan", "soon"):
        said = west(workspace, "wisp", "list", "--port", "127.0.0.1", f"--timeout={time}", code=2)
        assert f"argument --timeout: '{time}': expected a number of seconds above 0" in said, said


def test_usage_errors_are_json_if_that_is_asked_for(workspace):
    said = west(workspace, "wisp", "info", "--json", code=2)
    sentence = "the following arguments are required: name"
    assert json.dumps({"error": sentence}) in said.splitlines(), said
    assert said.rstrip().endswith(f"error: {sentence}"), said


def test_a_tool_that_cannot_be_started_is_named(workspace):
    for verb, arguments in (("build", ["a.wasm"]), ("push", ["--from", "registry.example/a:1", "--port", "127.0.0.1"])):
        for tool, reason in (("./nowhere", "No such file or directory"), (str(workspace), "Permission denied")):
            said = west(workspace, "wisp", verb, *arguments, code=1, WISP_TOOL=tool)
            assert said == f"west wisp: WISP_TOOL={tool} cannot be started: {reason}; name the wisp program there, or unset it\n"


def test_the_first_use_says_that_it_builds(workspace, tmp_path):
    # a cargo that makes nothing
    cargo = tmp_path / "cargo"
    cargo.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    cargo.chmod(0o755)
    path = f"{tmp_path}:{os.path.dirname(sys.executable)}:/usr/bin:/bin"
    said = west(workspace, "wisp", "inspect", "x", code=1, PATH=path, CARGO_TARGET_DIR=str(tmp_path))
    assert said.startswith("west wisp: building the wisp command from ") and said.count("\n") == 1, said


def test_a_device_is_led_with_west(workspace, firmware):
    port = {"WISP_PORT": str(firmware.port)}
    said = west(workspace, "wisp", "push", "--wait", str(firmware.update("1.0.0")), **port)
    assert said == "counter 1.0.0: installed, confirmed\n"
    firmware.wait_for("counter: update confirmed")
    assert re.search(r"counter +1\.0\.0 +running", west(workspace, "wisp", "list", **port))
    assert re.search(r"arena [1-9]\d* of \d+, linear memory [1-9]", west(workspace, "wisp", "info", "counter", **port))
    west(workspace, "wisp", "restart", "counter", **port)
    west(workspace, "wisp", "stop", "counter", **port)
    said = west(workspace, "wisp", "stop", "counter", code=1, **port)
    assert "the app is in that state already" in said
    assert "0 runs failed since boot" in west(workspace, "wisp", "log", **port)
    # what is true of each verb's JSON stands in doc/cli.md
    for verb, *rest in (["list"], ["info", "counter"], ["log"], ["stat"], ["start", "counter"]):
        agrees(verb if verb != "start" else "start, stop, restart, confirm, rollback, uninstall",
               west(workspace, "wisp", verb, *rest, "--json", **port))
    # an update that crashes, then one that a person confirms
    said = west(workspace, "wisp", "push", "--wait", str(firmware.update("2.0.0")), code=1, **port)
    assert re.search(r"west wisp: \S+: counter: the update was rolled back: trap 1 \(unreachable\), image ", said), said
    log = west(workspace, "wisp", "log", **port)
    assert re.search(r"s  counter: trap 1 \(unreachable\), image [\da-f]{8}:[\da-f]+, at \d+@0x", log), log
    said = west(workspace, "wisp", "push", "--confirm", "--json", str(firmware.update("3.0.0")), **port)
    pushed = agrees("push", said)
    assert (pushed["name"], pushed["version"], pushed["state"]) == ("counter", "3.0.0", "confirmed")
    flipped = workspace / "flipped.wisp"
    image = bytearray(firmware.update("3.0.0").read_bytes())
    image[int.from_bytes(image[8:12], "little") - 9] ^= 1
    flipped.write_bytes(image)
    said = west(workspace, "wisp", "push", str(flipped), code=1, **port)
    assert "the image is damaged: its hash differs from its trailer's; build or copy it again" in said
    assert "blocks of" in west(workspace, "wisp", "stat", **port)
    west(workspace, "wisp", "stop", "counter", **port)
    said = west(workspace, "wisp", "args", "counter", "--env", "ROOM=the hall", "--", "-v", "two words", **port)
    assert said == "arguments: -v 'two words'\nenvironment: 'ROOM=the hall'\n"
    said = west(workspace, "wisp", "args", "counter", "--env", "ROOM=a\x1b[2Jb\u009b", **port)
    assert said.endswith("environment: 'ROOM=a\\x1b[2Jb\\x9b'\n"), said
    west(workspace, "wisp", "args", "counter", "--env", "ROOM=the hall", **port)
    strings = agrees("args", west(workspace, "wisp", "args", "counter", "--no-args", "--json", **port))
    assert strings == {"name": "counter", "args": [], "env": ["ROOM=the hall"]}
    assert west(workspace, "wisp", "args", "counter", "--reset", **port) == "arguments: none\nenvironment: empty\n"
    west(workspace, "wisp", "uninstall", "counter", **port)
    assert west(workspace, "wisp", "list", **port) == ""
