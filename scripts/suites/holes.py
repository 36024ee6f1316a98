# SPDX-License-Identifier: Apache-2.0
"""Runs, by name, the tests that keep out what hostile images, clients, keys and flash have tried."""

from suites.common import RUST, Count, cargo

# What the tests keep true, the folder below rust/, and the arguments of `cargo test`.
HOLES = [
    ("each rule of the verifier holds, for each op and each operand",
     ".", ["-p", "wisp-image", "--features", "alloc,text", "--test", "rules"]),
    ("damaged images are refused, whatever they claim", ".", ["-p", "wisp-compiler", "--test", "image"]),
    ("references, constants, frames and accumulators of others are out of reach; verifier and start can be stopped",
     ".", ["-p", "wisp-engine", "--test", "holes", "--test", "hostile"]),
    ("long host functions end soon after the app is told to stop",
     ".", ["-p", "wisp-host", "--lib", "is_to_stop"]),
    ("images with another meaning, and damaged ones, leave other instances alone",
     "fuzz", ["--test", "some", "images"]),
    ("no changed bit in flash loses an app, a floor or a retired key",
     ".", ["-p", "wisp-storage", "--test", "flips"]),
    ("power cuts and weak bits leave the old or the new state", ".", ["-p", "wisp-storage", "--test", "power_cut"]),
    ("floors outlive their apps, foreign partitions are not formatted",
     ".", ["-p", "wisp-storage", "--test", "behaviour"]),
    ("a stolen app key retires nothing, junk takes no place, root keys stay",
     ".", ["-p", "wisp-trust", "--features", "sign,text", "--test", "roles"]),
    ("no bit of a signed image changes unnoticed, signatures have one form",
     ".", ["-p", "wisp-trust", "--features", "sign,text", "--test", "images", "--test", "vectors"]),
    ("text for a log has nothing in it that a terminal obeys", ".", ["-p", "wisp-host", "--lib", "line::"]),
    ("a quota of stored values counts what entries take", ".", ["-p", "wisp-host", "-p", "wisp-sim", "--lib", "kv::"]),
    ("key files have roles", ".", ["-p", "wisp-cli", "--test", "sign"]),
]


def select_holes():
    """What attacks found: images, references, stops, keys, uploads, flash."""
    return sum((cargo(["test", "--locked", *arguments], RUST / folder) for _, folder, arguments in HOLES), Count())
