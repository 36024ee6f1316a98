#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the Rust part of a firmware is made of as CycloneDX 1.5: crates, versions, licences, hashes.

`west spdx` does that for the C part. Without --features all crates that any configuration may link are listed.
"""

import argparse
import json
import subprocess
import sys
import uuid
from pathlib import Path

import tomllib

REPOSITORY = Path(__file__).resolve().parents[1]
FIRMWARE = REPOSITORY / "rust" / "staticlib" / "Cargo.toml"


class Failure(Exception):
    """What is said instead of a bill of materials."""


def metadata(manifest, target, features):
    """What cargo knows about a package and all that it depends on."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(manifest),
               "--filter-platform", target]
    command += ["--all-features"] if features is None else ["--no-default-features", "--features", features]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    return json.loads(done.stdout)


def checksums(manifest):
    """SHA-256 of the crates of the registry, as the lock file has them."""
    with open(manifest.with_name("Cargo.lock"), "rb") as file:
        packages = tomllib.load(file)["package"]
    return {(package["name"], package["version"]): package.get("checksum") for package in packages}


def reached(nodes, root):
    """Ids of what is linked: what the root needs, build scripts and tests apart."""
    found, pending = {}, [root]
    while pending:
        package = pending.pop()
        if package in found:
            continue
        needs = [edge["pkg"] for edge in nodes[package]["deps"]
                 if any(kind["kind"] is None for kind in edge["dep_kinds"])]
        found[package] = sorted(needs)
        pending += needs
    return found


def reference(package):
    """What a crate is called within the bill."""
    return f"{package['name']}@{package['version']}"


def component(package, checksum):
    """A crate as CycloneDX describes it."""
    made = {"type": "library", "bom-ref": reference(package), "name": package["name"], "version": package["version"]}
    if package["source"]:
        made["purl"] = f"pkg:cargo/{reference(package)}"
    if package.get("license"):
        # what cargo called "A/B" before expressions
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def bill(manifest, target, features):
    """The bill of materials."""
    known, sums = metadata(manifest, target, features), checksums(manifest)
    packages = {package["id"]: package for package in known["packages"]}
    root = known["resolve"]["root"]
    linked = reached({node["id"]: node for node in known["resolve"]["nodes"]}, root)
    # procedural macros run on the workstation and leave nothing of themselves in a firmware
    macros = {package for package in linked
              if any("proc-macro" in made["kind"] for made in packages[package]["targets"])}
    parts = {ref: component(packages[ref], sums.get((packages[ref]["name"], packages[ref]["version"])))
             for ref in sorted(set(linked) - reached_only_by(linked, root, macros))}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # the same for the same content
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(parts, sort_keys=True))}",
        "metadata": {"component": parts.pop(root)},
        "components": list(parts.values()),
        "dependencies": [{"ref": reference(packages[ref]),
                          "dependsOn": [reference(packages[need]) for need in linked[ref] if need in parts]}
                         for ref in [root, *parts]],
    }


def reached_only_by(linked, root, macros):
    """Procedural macros, and what nothing but them needs."""
    kept, pending = set(), [root]
    while pending:
        package = pending.pop()
        if package not in kept and package not in macros:
            kept.add(package)
            pending += linked[package]
    return set(linked) - kept


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="where to put it [default: standard output]")
    parser.add_argument("--manifest", type=Path, default=FIRMWARE, help="another package's Cargo.toml")
    parser.add_argument("--target", default="thumbv7m-none-eabi", help="Rust's name of it [default: %(default)s]")
    parser.add_argument("--features", help="those of the firmware's configuration, with commas between them")
    arguments = parser.parse_args()
    try:
        made = bill(arguments.manifest.resolve(), arguments.target, arguments.features)
    except Failure as error:
        sys.exit(f"sbom.py: {error}")
    text = json.dumps(made, indent=2) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
