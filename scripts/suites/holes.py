# SPDX-License-Identifier: Apache-2.0
"""Runs, by name, the tests that keep out what hostile images, clients, keys and flash have tried."""

from typing import NamedTuple

from suites.common import RUST, Count, cargo


class Hole(NamedTuple):
    """An attack, and the tests that keep it out."""

    attack: str
    # Arguments of `cargo test`.
    arguments: list
    # Below rust/.
    folder: str = "."


HOLES = [
    Hole("an image breaks a rule of the verifier, for each op and each operand",
         ["-p", "wisp-image", "--features", "alloc,text", "--test", "rules"]),
    Hole("an image takes more work to verify than its size allows",
         ["-p", "wisp-image", "--features", "alloc,text", "--test", "budget"]),
    Hole("an image is damaged, whatever it claims", ["-p", "wisp-compiler", "--test", "image"]),
    Hole("an image uses references, constants, frames or accumulators of others, or never ends its start",
         ["-p", "wisp-engine", "--test", "holes", "--test", "hostile"]),
    Hole("an app goes on in a long host function after it was told to stop",
         ["-p", "wisp-host", "--lib", "is_to_stop"]),
    Hole("arrays of a host call lie over each other", ["-p", "wisp-host", "--lib", "lie_over"]),
    Hole("a read overwrites the vectors that say how much it reads",
         ["-p", "wisp-sim", "--test", "files", "a_vector_that_a_read_overwrites"]),
    Hole("an app goes beyond the quota of a folder of the workstation, or beyond the stack of the command",
         ["-p", "wisp-sim", "--test", "files", "--", "counts", "cost_no_stack"]),
    Hole("an app calls host functions with any arguments", ["-p", "wisp-sim", "--test", "hostile"]),
    Hole("an image has another meaning, or is damaged, beside other instances", ["--test", "some", "images"], "fuzz"),
    Hole("a client touches an upload of the shell, of the firmware or of another client", ["--test", "uploads"], "fuzz"),
    Hole("a stop comes at any time, also too late", ["--test", "interleavings"], "fuzz"),
    Hole("a bit of flash changes and loses an app, a floor or a retired key",
         ["-p", "wisp-storage", "--test", "flips"]),
    Hole("the power is cut twice, and weak bits stay", ["-p", "wisp-storage", "--test", "power_cut"]),
    Hole("a rollback floor is pushed out, a foreign partition is formatted",
         ["-p", "wisp-storage", "--test", "behaviour"]),
    Hole("a stolen app key retires the others, or junk takes their places",
         ["-p", "wisp-trust", "--features", "sign,text", "--test", "roles"]),
    Hole("a signed image or its signature is changed",
         ["-p", "wisp-trust", "--features", "sign,text", "--test", "images", "--test", "vectors"]),
    Hole("native code is attached to another image, or signed by a key of another role",
         ["-p", "wisp-trust", "--features", "sign,text", "--test", "attachments"]),
    Hole("translated code of an access leaves the memory, or loads the program counter",
         ["-p", "wisp-translate", "--test", "module"]),
    Hole("translated code of an image with another meaning touches what its instance does not have",
         ["--test", "some", "translated"], "fuzz"),
    Hole("a management request is forged, changed, repeated or sent to another device",
         ["-p", "wisp-trust", "--features", "sign,text", "--test", "requests"]),
    Hole("text of an app commands the terminal that shows the log", ["-p", "wisp-host", "--lib", "line::"]),
    Hole("an app fills the settings that all share", ["-p", "wisp-host", "-p", "wisp-sim", "--lib", "kv::"]),
    Hole("a key is used in another role", ["-p", "wisp-cli", "--test", "sign"]),
]


def select_holes():
    """What attacks found: images, references, stops, host calls, keys, requests, uploads, flash."""
    total, rows = Count(), []
    for hole in HOLES:
        count = cargo(["test", "--locked", *hole.arguments], RUST / hole.folder)
        rows.append((hole.attack, "cargo test " + " ".join(hole.arguments), str(count)))
        total += count
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print("\n" + "\n".join(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows))
    return total
