# SPDX-License-Identifier: Apache-2.0
"""Does what doc/tutorial.md says, word for word."""

import os
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
TUTORIAL = REPOSITORY / "doc" / "tutorial.md"
BLOCK = re.compile(r"(?:<!-- (?P<remark>[^\n]*) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)```\n", re.DOTALL)
BETWEEN = "-- next block --"


def blocks():
    return [(match["remark"] or "", match["kind"], match["text"]) for match in BLOCK.finditer(
        TUTORIAL.read_text(encoding="utf-8"))]


def has(output, line):
    """Whether some line of the output has the parts of this one, which "..." stands between."""
    pattern = ".*".join(re.escape(part.strip()) for part in line.split("..."))
    return re.search(pattern, output) is not None


def test_the_tutorial_word_for_word(workspace, tools):
    # The workspace is there already; where its modules are is told, so that they need not be copied.
    script = ["set -e", "set -o pipefail"]
    expected = []
    steps = 0
    for remark, kind, text in blocks():
        if remark.startswith("file: "):
            path = workspace / remark.removeprefix("file: ")
            if path.name != "west.yml":
                path.write_text(text, encoding="utf-8")
        elif kind == "sh" and not remark.startswith("not run"):
            script += [text, f"echo '{BETWEEN}'"]
            steps += 1
        elif kind == "text":
            expected.append((steps - 1, text.splitlines()))
    zephyr = Path(os.environ["ZEPHYR_BASE"])
    # What the firmware builds of other tests set for cargo is not for programs of this machine.
    own = {key: value for key, value in os.environ.items()
           if key not in ("RUSTC", "RUSTC_BOOTSTRAP", "CARGO_UNSTABLE_BUILD_STD")}
    env = {**own, "WISP_TOOL": tools.tool,
           "ZEPHYR_MODULES": f"{REPOSITORY};{zephyr.parent / 'modules' / 'lib' / 'zcbor'}"}
    # Its children end with it: `timeout` is the leader of their group.
    with open(workspace / "output.txt", "w+", encoding="utf-8") as output:
        done = subprocess.run(["timeout", "--kill-after=5", "800", "bash", "-m", "-c", "\n".join(script)], cwd=workspace,
                              env=env, check=False, timeout=850, stdout=output, stderr=subprocess.STDOUT)
        output.seek(0)
        said = output.read()
    assert done.returncode == 0, said[-6000:]
    parts = said.split(BETWEEN)
    assert len(expected) == 5
    for step, lines in expected:
        for line in lines:
            assert has(parts[step], line), f"'{line}' is not in:\n{parts[step][-3000:]}"
