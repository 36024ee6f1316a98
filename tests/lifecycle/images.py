# SPDX-License-Identifier: Apache-2.0
"""Makes the images that the tests install beside those of the sample."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
KEY = REPOSITORY / "samples" / "updatable_app" / "keys" / "development.pem"
# Keys that the tested firmware knows beside that one.
SPARE = HERE / "keys" / "spare.pem"
ROOT = HERE / "keys" / "root.pem"
COMPILE = HERE / "keys" / "compile.pem"


class Tools:
    """The host tools that a build of the sample has made."""

    def __init__(self, build, tool):
        self.build = Path(build)
        self.tool = str(tool)

    def sign(self, image, key=KEY, *options):
        """Signs an image in place."""
        subprocess.run([self.tool, "sign", str(image), "--key", str(key), *map(str, options)], check=True,
                       timeout=120, stdout=subprocess.DEVNULL)

    def make(self, guest, name, version, folder, *flags):
        """Compiles tests/lifecycle/guests/<guest>.c; path of the signed image of the app, built with these flags."""
        wasm, image = Path(folder) / f"{guest}.wasm", Path(folder) / f"{guest}-{version}.wisp"
        subprocess.run([sys.executable, str(REPOSITORY / "scripts" / "guest.py"), "c", "--libc", "tiny", "--stack", "256",
                        "--output",
                        str(wasm), "--include", str(self.build / "wisp" / "include"),
                        str(HERE / "guests" / f"{guest}.c")], check=True, timeout=300)
        subprocess.run([self.tool, "build", str(wasm), "-o", str(image), "--quiet", "--name", name, "--version",
                        version, *flags], check=True, timeout=300)
        self.sign(image)
        return image
