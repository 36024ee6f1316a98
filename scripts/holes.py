#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hostile images, clients and flash tried, as cargo test invocations by name: `scripts/test.py holes`."""

# Folder below rust/, arguments of `cargo test`, and what the tests keep true.
HOLES = [
    (".", ["-p", "wisp-image", "--features", "alloc,text", "--test", "rules"],
     "each rule of the verifier, for each op and each operand"),
    (".", ["-p", "wisp-compiler", "--test", "image"], "damaged images are refused, whatever they claim"),
    (".", ["-p", "wisp-engine", "--test", "holes", "--test", "hostile"],
     "references, constants, frames and the accumulator of others; stops in the verifier and at the start"),
    (".", ["-p", "wisp-host", "--lib", "is_to_stop"], "long host functions end soon after the app is to stop"),
    ("fuzz", ["--test", "some", "images"], "images with another meaning, and damaged ones, beside other instances"),
]


def suites():
    """The invocations as (folder, arguments)."""
    return [(folder, ["test", "--locked", *arguments]) for folder, arguments, _ in HOLES]
