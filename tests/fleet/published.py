# SPDX-License-Identifier: Apache-2.0
"""Images on their way through a registry: published with their provenance, pulled again, and found by a line of a device's log."""

import json
import re
import subprocess

from devices import SAMPLE, Images
from servers import Registry

# The commit that each guest is said to come from.
COMMITS = {"counter": "c0" * 20, "crashing": "bad0" * 10}
INDEX = "application/vnd.oci.image.index.v1+json"


class Published(Images):
    """Images that a registry has. Each is published once and pulled each time that somebody wants it."""

    def __init__(self, arguments, folder):
        super().__init__(arguments.wisp, arguments.firmware, folder)
        self.program, self.registry = str(arguments.fleet), Registry(arguments.registry, folder)
        self.places = {}

    def run(self, *arguments):
        """Runs wisp-fleet; the object that it writes."""
        done = subprocess.run([self.program, *map(str, arguments), "--json"], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def get(self, app, version, guest="counter"):
        """Bytes of a signed image, as the registry has them now."""
        image = super().get(app, version, guest)
        key = (app, version, guest)
        if key not in self.places:
            # a build that crashes is another one of the same version
            place = f"{self.registry.host}/{guest}/{app}"
            made = self.run("publish", place, self.path(*key), "--wasm", self.folder / f"{guest}.wasm", "--facts",
                            self.path(*key).with_suffix(".json"), "--revision", COMMITS[guest])
            self.places[key] = f"{place}@{made['digest']}"
        pulled = self.folder / "pulled.wisp"
        self.run("pull", self.places[key], "--key", SAMPLE / "keys" / "development.pub.pem", "-o", pulled)
        assert pulled.read_bytes() == image, f"{self.places[key]} is another image"
        return image

    def commits(self, line):
        """The commits that the images named in a line of a device's log come from, by what the registry says."""
        start = re.search(r"image ([0-9a-f]{8}):", line)[1]
        found = set()
        for repository in self.ask("/v2/_catalog")["repositories"]:
            for tag in self.ask(f"/v2/{repository}/tags/list")["tags"]:
                index = self.ask(f"/v2/{repository}/manifests/{tag}")
                if not index.get("annotations", {}).get("wisp.app.wasm-sha256", "").startswith(start):
                    continue
                out = self.folder / "provenance.json"
                self.run("pull", f"{self.registry.host}/{repository}:{tag}", "--unverified", "-o", self.folder / "any.wisp",
                         "--provenance", out)
                materials = json.loads(out.read_text(encoding="utf-8"))["predicate"]["buildDefinition"]["resolvedDependencies"]
                found |= {material["digest"]["gitCommit"] for material in materials if "gitCommit" in material["digest"]}
        return found

    def ask(self, path):
        status, _, body = self.registry.ask("GET", path, None, {"Accept": INDEX})
        assert status == 200, (path, status)
        return json.loads(body)
