#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Publishes apps in Debian's registry, reads them with the client oras, and the other way round; then lets the registry
lie. Ends with a line `N passed, N failed, N skipped`."""

import argparse
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import oras.client
from servers import Liar, Registry

REPOSITORY = Path(__file__).resolve().parents[2]
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE = "application/vnd.wisp.image.v1"
TOOLS = argparse.Namespace()


def section(kind, body):
    return bytes([kind, len(body)]) + body


def module(number):
    """A module that exports `_start`, which drops a number; its producers section names rustc 1.95.0."""
    producers = b"\x09producers\x01\x0cprocessed-by\x01\x05rustc\x061.95.0"
    code = bytes([1, 5, 0, 0x41, number, 0x1a, 0x0b])
    return (b"\0asm\1\0\0\0" + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(7, b"\1\6_start\0\0")
            + section(10, code) + section(0, producers))


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Fleet(unittest.TestCase):
    """A registry for all tests, a folder and a repository for each."""

    @classmethod
    def setUpClass(cls):
        cls.base = Path(tempfile.mkdtemp())
        cls.registry = Registry(TOOLS.registry, cls.base)

    @classmethod
    def tearDownClass(cls):
        cls.registry.stop()
        shutil.rmtree(cls.base)

    def setUp(self):
        self.folder = self.base / self.id().rsplit(".", 1)[1]
        self.folder.mkdir()
        # nobody's own credentials
        self.environment = {**os.environ, "WISP_FLEET": TOOLS.fleet, "DOCKER_CONFIG": str(self.folder)}
        self.name = f"{self.registry.host}/apps/{self.folder.name}"
        self.wisp("keygen", "app.pem")

    def run_wisp(self, *arguments, input=None):
        return subprocess.run([TOOLS.wisp, *map(str, arguments)], cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, input=input, check=False)

    def wisp(self, *arguments, **more):
        done = self.run_wisp(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def report(self, *arguments, **more):
        return json.loads(self.wisp("--json", *arguments, **more))

    def refused(self, said, *arguments, **more):
        """Runs a command that fails with a message of these parts."""
        done = self.run_wisp(*arguments, **more)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertTrue(done.stderr.startswith("wisp: "), done.stderr)
        for part in [said] if isinstance(said, str) else said:
            self.assertIn(part, done.stderr)
        return done.stderr

    def image(self, file="lamp.wisp", number=1, version="1.0.0", sign=True, options=()):
        """Builds and signs an image of the app lamp."""
        (self.folder / f"{number}.wasm").write_bytes(module(number))
        facts = self.wisp("build", f"{number}.wasm", "--name", "lamp", "--version", version, "-o", file, "--json", *options)
        (self.folder / "facts.json").write_text(facts, encoding="utf-8")
        if sign:
            self.wisp("sign", file, "--key", "app.pem")
        return (self.folder / file).read_bytes()

    def tags(self):
        status, _, body = self.registry.ask("GET", f"/v2/apps/{self.folder.name}/tags/list")
        return json.loads(body)["tags"] if status == 200 else []

    def stored(self, version):
        """A document of the repository, by tag or digest: (its digest, its JSON)."""
        accept = {"Accept": f"{INDEX}, {MANIFEST}"}
        status, _, body = self.registry.ask("GET", f"/v2/apps/{self.folder.name}/manifests/{version}", None, accept)
        self.assertEqual(status, 200, version)
        return digest(body), json.loads(body)


class Exchange(Fleet):
    """Publishes and pulls, with oras at the other end too."""

    def test_what_was_published_is_pulled_with_all_that_belongs_to_it(self):
        image = self.image()
        made = self.report("publish", self.name, "lamp.wisp", "--wasm", "1.wasm", "--facts", "facts.json", "--source",
                           "https://example.org/lamp", "--revision", "0123abcd")
        self.assertEqual((made["version"], made["portable"], made["targets"]), ("1.0.0", True, []))
        got = self.report("pull", self.name + ":1.0.0", "--key", "app.pub.pem", "-o", "got.wisp", "--wasm", "got.wasm",
                          "--sbom", "got.cdx.json", "--provenance", "got.intoto.json")
        self.assertEqual((self.folder / "got.wisp").read_bytes(), image)
        self.assertEqual((self.folder / "got.wasm").read_bytes(), module(1))
        self.assertEqual((got["digest"], got["key"], got["verified"]), (made["digest"], made["key"], True))
        bill = json.loads((self.folder / "got.cdx.json").read_text(encoding="utf-8"))
        self.assertEqual([part["name"] for part in bill["components"]], ["1.wasm", "lamp.wisp", "rustc"])
        provenance = json.loads((self.folder / "got.intoto.json").read_text(encoding="utf-8"))["predicate"]
        self.assertEqual(provenance["buildDefinition"]["externalParameters"]["builds"][0]["arguments"][:2],
                         ["build", "1.wasm"])
        self.assertEqual(provenance["buildDefinition"]["resolvedDependencies"][1]["digest"], {"gitCommit": "0123abcd"})

    def test_oras_reads_what_was_published(self):
        image = self.image(options=["--target", "x86-64"])
        made = self.report("publish", self.name, "lamp.wisp", "--wasm", "1.wasm")
        client = oras.client.OrasClient(insecure=True)
        index = client.get_manifest(self.name + ":1.0.0", allowed_media_type=[INDEX])
        self.assertEqual(index["artifactType"], "application/vnd.wisp.app.v1")
        platforms = [(entry["platform"]["architecture"], entry["platform"]["os"], entry["platform"].get("variant"))
                     for entry in index["manifests"]]
        self.assertEqual(platforms, [("wasm", "wisp", None), ("amd64", "wisp", "x86-64"), ("wasm", "wasip1", None)])
        # one file for the two forms of the image
        for entry in index["manifests"][:2]:
            out = self.folder / entry["digest"][-8:]
            files = client.pull(f"{self.name}@{entry['digest']}", outdir=str(out))
            self.assertEqual([Path(file).name for file in files], ["lamp.wisp"])
            self.assertEqual(Path(files[0]).read_bytes(), image)
        files = client.pull(f"{self.name}@{index['manifests'][2]['digest']}", outdir=str(self.folder / "wasm"))
        self.assertEqual(Path(files[0]).read_bytes(), module(1))
        # attachments, under the tag that OCI gives them in a registry without the referrers API
        list_ = client.get_manifest(f"{self.name}:{made['digest'].replace(':', '-')}", allowed_media_type=[INDEX])
        types = [entry["artifactType"] for entry in list_["manifests"]]
        self.assertEqual(types, ["application/vnd.cyclonedx+json", "application/vnd.in-toto+json"])
        for entry in list_["manifests"]:
            attachment = client.get_manifest(f"{self.name}@{entry['digest']}")
            self.assertEqual(attachment["subject"]["digest"], made["digest"])

    def test_an_image_that_oras_pushed_is_pulled(self):
        image = self.image()
        (self.folder / "config.json").write_text("{}", encoding="utf-8")
        client = oras.client.OrasClient(insecure=True)
        client.push(target=self.name + ":by-oras", files=[f"{self.folder}/lamp.wisp:{IMAGE}"], disable_path_validation=True,
                    manifest_config=f"{self.folder}/config.json:application/vnd.wasm.config.v0+json")
        self.wisp("pull", self.name + ":by-oras", "--key", "app.pub.pem", "-o", "got.wisp")
        self.assertEqual((self.folder / "got.wisp").read_bytes(), image)

    def test_a_machine_gets_the_code_that_it_runs(self):
        self.image()
        native = self.image("x86.wisp", options=["--target", "x86-64", "--native-only"])
        made = self.report("publish", self.name, "lamp.wisp", "x86.wisp")
        self.assertEqual(made["targets"], ["x86-64"])
        got = self.report("pull", self.name + ":1.0.0", "--key", "app.pub.pem", "--target", "x86-64", "-o", "got.wisp")
        self.assertEqual((got["target"], (self.folder / "got.wisp").read_bytes()), ("x86-64", native))
        self.refused("there is no native code that cortex-m3 runs, but x86-64, portable IR; leave --target out for IR",
                     "pull", self.name + ":1.0.0", "--unverified", "--target", "cortex-m3")

    def test_an_app_is_pulled_by_its_digest_whatever_the_tags_are(self):
        image = self.image()
        first = self.report("publish", self.name + ":stable", "lamp.wisp")
        self.image(number=2, version="1.1.0")
        second = self.report("publish", self.name + ":stable", "lamp.wisp")
        self.assertEqual(self.stored("stable")[0], second["digest"])
        self.wisp("pull", f"{self.name}@{first['digest']}", "--key", "app.pub.pem", "-o", "got.wisp")
        self.assertEqual((self.folder / "got.wisp").read_bytes(), image)

    def test_publishing_again_changes_nothing(self):
        self.image()
        first = self.report("publish", self.name, "lamp.wisp")
        tags = self.tags()
        second = self.report("publish", self.name, "lamp.wisp")
        self.assertGreater(first["sent"], 0)
        self.assertEqual((second["sent"], second["unchanged"]), (0, True))
        self.assertEqual((second["digest"], self.tags()), (first["digest"], tags))

    def test_a_registry_with_the_referrers_api_gets_no_list(self):
        self.image()
        lists = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}

        def rule(method, path, status, headers, body):
            if "/referrers/" in path:
                return 200, {"content-type": INDEX}, json.dumps(lists).encode()
            if method == "PUT" and "/manifests/sha256:" in path:
                stored = self.stored(path.rsplit("/", 1)[1])[1]
                if "subject" in stored:
                    lists["manifests"].append({"mediaType": MANIFEST, "digest": path.rsplit("/", 1)[1], "size": 1,
                                               "artifactType": stored["artifactType"]})
                    return status, {**headers, "oci-subject": stored["subject"]["digest"]}, body
            return None

        with Liar(self.registry, rule) as server:
            name = f"{server.host}/apps/{self.folder.name}"
            self.wisp("publish", name, "lamp.wisp")
            self.assertEqual([tag for tag in self.tags() if tag.startswith("sha256-")], [])
            self.wisp("pull", name + ":1.0.0", "--key", "app.pub.pem", "--sbom", "bill.json")
            self.assertEqual(json.loads((self.folder / "bill.json").read_text(encoding="utf-8"))["bomFormat"], "CycloneDX")

    def test_west_pulls_the_image_that_it_pushes(self):
        image = self.image()
        self.wisp("publish", self.name, "lamp.wisp")
        script = ("import sys, types, argparse, pathlib; w = types.ModuleType('west'); c = types.ModuleType('west.commands')\n"
                  "c.WestCommand = object; sys.modules.update({'west': w, 'west.commands': c}); import wisp\n"
                  "a = argparse.Namespace(reference=sys.argv[1], key=[pathlib.Path('app.pub.pem')], root_key=[], compile_key=[],"
                  " target=None, plain_http=False)\n"
                  "path, reason = wisp.pull(a, pathlib.Path('.')); print(reason or path)")
        environment = {**self.environment, "WISP_TOOL": TOOLS.wisp,
                       "PYTHONPATH": str(REPOSITORY / "scripts" / "west_commands"), "PYTHONDONTWRITEBYTECODE": "1"}
        def west(reference):
            return subprocess.run([sys.executable, "-c", script, reference], cwd=self.folder, env=environment, text=True,
                                  capture_output=True, check=True).stdout.strip()
        self.assertEqual(west(self.name + ":1.0.0"), "app.wisp")
        self.assertEqual((self.folder / "app.wisp").read_bytes(), image)
        self.assertEqual(west(self.name + ":2.0.0"),
                         f"{self.name}:2.0.0: the registry has no such thing; there are the tags 1.0.0")


class Versions(Fleet):
    """One version has one content."""

    def test_a_version_is_replaced_only_by_force_and_its_content_stays(self):
        first_image = self.image()
        first = self.report("publish", self.name, "lamp.wisp")
        self.image(number=2)
        self.refused(["this version has other content in the registry (" + first["digest"], "--force"], "publish",
                     self.name, "lamp.wisp")
        self.assertEqual(self.stored("1.0.0")[0], first["digest"])
        second = self.report("publish", self.name, "lamp.wisp", "--force")
        self.assertEqual(self.stored("1.0.0")[0], second["digest"])
        self.wisp("pull", f"{self.name}@{first['digest']}", "--key", "app.pub.pem", "-o", "got.wisp")
        self.assertEqual((self.folder / "got.wisp").read_bytes(), first_image)

    def test_of_two_publishers_at_once_at_most_one_succeeds(self):
        for round_ in range(4):
            version = f"2.0.{round_}"
            self.image("a.wisp", 10 + round_, version)
            self.image("b.wisp", 20 + round_, version)
            both = [subprocess.Popen([TOOLS.wisp, "publish", "--json", self.name, file], cwd=self.folder, text=True,
                                     env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    for file in ("a.wisp", "b.wisp")]
            told = [process.communicate() for process in both]
            good = [json.loads(out)["digest"] for process, (out, _) in zip(both, told, strict=True)
                    if process.returncode == 0]
            self.assertLessEqual(len(good), 1)
            if good:
                self.assertEqual(self.stored(version)[0], good[0])
            for process, (_, err) in zip(both, told, strict=True):
                if process.returncode:
                    self.assertRegex(err, "somebody else publishes other content of this version|this version has other content")

    def test_a_publisher_stops_when_another_one_has_begun(self):
        """The other one has left its tag between the first look of this one and its own tag."""
        self.image()
        other = "1.0.0-sha256." + "0" * 64
        put = []

        def rule(method, path, *_):
            if method == "PUT" and "/manifests/1.0.0-sha256." in path and not put:
                put.append(path)
                index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
                self.registry.ask("PUT", f"/v2/apps/{self.folder.name}/manifests/{other}", index, {"Content-Type": INDEX})

        with Liar(self.registry, rule) as server:
            name = f"{server.host}/apps/{self.folder.name}"
            self.refused(f"the registry has the tag {other}", "publish", name, "lamp.wisp")
            self.assertNotIn("1.0.0", self.tags())
            self.wisp("publish", name, "lamp.wisp", "--force")
            self.assertIn("1.0.0", self.tags())

    def test_images_of_different_apps_are_refused_before_a_request(self):
        self.image("a.wisp", 1)
        self.image("b.wisp", 2)
        self.refused("publish one version of one app at a time", "publish", "localhost:1/lamp", "a.wisp", "b.wisp")
        self.refused("the images were made from another module", "publish", "localhost:1/lamp", "a.wisp", "--wasm", "2.wasm")
        self.refused("the report of another build", "publish", "localhost:1/lamp", "a.wisp", "--facts", "facts.json")
        self.refused("the images are of version 1.0.0", "publish", "localhost:1/lamp:1.0.1", "a.wisp")
        (self.folder / "bill.json").write_text("{}", encoding="utf-8")
        self.refused("no member `bomFormat`", "publish", "localhost:1/lamp", "a.wisp", "--sbom", "bill.json")


class Refusals(Fleet):
    """What goes wrong: users, registries, attackers. A file that was there stays as it is."""

    def setUp(self):
        super().setUp()
        self.content = self.image()
        (self.folder / "old.wisp").write_bytes(b"old")

    def tearDown(self):
        self.assertEqual((self.folder / "old.wisp").read_bytes(), b"old")
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".tmp")], [])

    def pull_refused(self, said, reference, *more):
        return self.refused(said, "pull", reference, "--key", "app.pub.pem", "-o", "old.wisp", *more)

    def lied(self, said, rule):
        """Publishes honestly, and pulls from a liar."""
        if "1.0.0" not in self.tags():
            self.wisp("publish", self.name, "lamp.wisp")
        with Liar(self.registry, rule) as server:
            return self.pull_refused(said, f"{server.host}/apps/{self.folder.name}:1.0.0")

    def test_references_that_name_nothing(self):
        self.pull_refused("`lamp` is no reference: it names no registry", "lamp")
        self.pull_refused("say which version", self.name)
        self.pull_refused("no app was published under this name", self.name + ":1.0.0")
        self.wisp("publish", self.name, "lamp.wisp")
        self.pull_refused("the registry has no such thing; there are the tags 1.0.0", self.name + ":9.9.9")
        self.pull_refused("the registry has no such thing", self.name + "@sha256:" + "0" * 64)
        self.pull_refused("localhost:1 cannot be reached: ", "localhost:1/apps/lamp:1.0.0")
        self.refused("the digest follows from the content", "publish", self.name + "@sha256:" + "0" * 64, "lamp.wisp")

    def test_images_that_nobody_signed_and_keys_that_nobody_knows(self):
        self.image("unsigned.wisp", sign=False)
        self.refused("the image is not signed, and devices refuse it", "publish", self.name, "unsigned.wisp")
        self.wisp("publish", self.name, "unsigned.wisp", "--unsigned")
        self.pull_refused("is not signed", self.name + ":1.0.0")
        self.wisp("pull", self.name + ":1.0.0", "--unverified", "-o", "got.wisp")
        self.wisp("publish", self.name, "lamp.wisp", "--force")
        self.wisp("keygen", "other.pem")
        self.refused("key", "pull", self.name + ":1.0.0", "--key", "other.pub.pem", "-o", "old.wisp")
        (self.folder / "half.wisp").write_bytes(self.content[:-40])
        self.refused("half.wisp: ", "publish", self.name, "half.wisp")
        self.refused("1.wasm: this is a raw wasm module, not a Wisp image", "publish", self.name, "1.wasm")

    def test_artifacts_of_other_tools(self):
        (self.folder / "text").write_text("hello", encoding="utf-8")
        client = oras.client.OrasClient(insecure=True)
        client.push(target=self.name + ":text", files=[f"{self.folder}/text:text/plain"], disable_path_validation=True)
        self.pull_refused("this artifact has the files [text/plain], expected one of the type", self.name + ":text")
        client.push(target=self.name + ":wasm", files=[f"{self.folder}/1.wasm:application/wasm"], disable_path_validation=True)
        self.pull_refused("this is a WebAssembly module, not an image", self.name + ":wasm")
        client.push(target=self.name + ":fake", files=[f"{self.folder}/text:{IMAGE}"], disable_path_validation=True)
        self.pull_refused(":fake: ", self.name + ":fake")

    def test_content_with_another_digest(self):
        def rule(method, path, status, headers, body):
            if method == "GET" and "/blobs/" in path:
                return status, headers, body[:-1] + bytes([body[-1] ^ 1])
            return None

        said = ["the registry sent other content: its digest is sha256:", "expected " + digest(self.content)]
        self.lied(said, rule)

        def documents(method, path, status, headers, body):
            if method == "GET" and "/manifests/sha256:" in path:
                return status, headers, body.replace(b"lamp", b"dump")
            return None

        self.lied("the registry sent other content", documents)

    def test_content_that_is_cut_short_or_does_not_end(self):
        def cut(method, path, status, headers, body):
            return (status, headers, body[:10]) if method == "GET" and "/blobs/" in path else None

        def broken(method, path, status, headers, body):
            return (status, {**headers, "x-length": len(body)}, body[:10]) if method == "GET" and "/blobs/" in path else None

        def endless(method, path, status, headers, body):
            return (status, headers, body + bytes(1 << 20)) if method == "GET" and "/blobs/" in path else None

        self.lied(f"cut short: {len(self.content)} bytes expected, 10 received; try again", cut)
        self.lied("the download broke off after 10 bytes", broken)
        self.lied(f"the registry sends more than the {len(self.content)} bytes that were expected", endless)

    def test_an_old_image_under_the_tag_of_a_new_one(self):
        old = self.report("publish", self.name, "lamp.wisp")["digest"]
        self.image(number=2, version="1.1.0")
        self.wisp("publish", self.name, "lamp.wisp")

        def rule(method, path, *_):
            if method == "GET" and path.endswith("/manifests/1.1.0"):
                return self.registry.ask("GET", path.replace("1.1.0", old), None, {"Accept": INDEX})
            return None

        with Liar(self.registry, rule) as server:
            self.pull_refused("the tag is 1.1.0, but the image is of version 1.0.0",
                              f"{server.host}/apps/{self.folder.name}:1.1.0")

    def test_an_index_that_passes_an_image_off(self):
        self.wisp("publish", self.name, "lamp.wisp")
        index = self.stored("1.0.0")[1]
        index["annotations"]["wisp.app.rollback"] = "7"
        self.registry.ask("PUT", f"/v2/apps/{self.folder.name}/manifests/edge", json.dumps(index), {"Content-Type": INDEX})
        self.pull_refused("wisp.app.rollback is 0 in the image, and 7 in the registry", self.name + ":edge")

    def test_registries_that_fail(self):
        def failing(method, path, *_):
            return (500, {}, b"\x1b[2Jout of cheese") if "/manifests/" in path else None

        said = self.lied("the registry failed with 500:  [2Jout of cheese; try again later", failing)
        self.assertNotIn("\x1b", said)
        self.lied("the registry forbids this to nobody in particular", lambda _, path, *__: (403, {}, b"")
                  if "/manifests/" in path else None)
        self.lied("the registry has too many requests", lambda _, path, *__: (429, {}, b"") if "/manifests/" in path else None)
        self.lied("the registry's manifest is damaged", lambda method, path, *__: (200, {"content-type": "text/html"}, b"<html>")
                  if "/manifests/" in path else None)
        self.lied("the registry has lost this content", lambda method, path, *__: (404, {}, b"")
                  if method == "GET" and "/blobs/" in path else None)
        with Liar(self.registry, lambda method, *_: (507, {}, b"full") if method == "POST" else None) as server:
            self.image(number=9)
            self.refused("the registry failed with 507: full; try again later", "publish", f"{server.host}/apps/full",
                         "lamp.wisp")

    def test_credentials(self):
        with Liar(self.registry, user="ann:secret") as server:
            name = f"{server.host}/apps/{self.folder.name}"
            self.refused(f"the registry wants to know who asks; run `docker login {server.host}`", "publish", name, "lamp.wisp")
            login = ["--username", "ann", "--password-stdin"]
            self.refused("the registry refuses the password of `ann`", "publish", name, "lamp.wisp", *login, input="wrong\n")
            self.refused("standard input has no password", "publish", name, "lamp.wisp", *login, input="")
            self.wisp("publish", name, "lamp.wisp", *login, input="secret\n")
            self.pull_refused("the registry wants to know who asks", name + ":1.0.0")
            config = {"auths": {server.host: {"auth": base64.b64encode(b"ann:secret").decode()}}}
            (self.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
            self.wisp("pull", name + ":1.0.0", "--key", "app.pub.pem", "-o", "got.wisp")
            self.assertEqual((self.folder / "got.wisp").read_bytes(), self.content)
            (self.folder / "config.json").write_text("{", encoding="utf-8")
            self.pull_refused("the file is not the JSON that docker writes; log in again", name + ":1.0.0")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wisp", required=True, help="the program wisp")
    parser.add_argument("--fleet", required=True, help="the program wisp-fleet")
    parser.add_argument("--registry", required=True, help="the program docker-registry")
    parser.add_argument("names", nargs="*", help="tests to run [default: all]")
    parser.parse_args(namespace=TOOLS)
    program = unittest.main(argv=[sys.argv[0], "-v", *TOOLS.names], exit=False, verbosity=2)
    result = program.result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
