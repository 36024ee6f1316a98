#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on what is promised, each as a test: `make test SUITE=holes` runs them by name."""

# Name, arguments of `cargo test` in rust/.
HOLES = [
    ("bits that change in the store", ["--locked", "-p", "wisp-storage", "--test", "flips"]),
    ("power cuts and weak bits", ["--locked", "-p", "wisp-storage", "--test", "power_cut"]),
    ("floors, foreign partitions", ["--locked", "-p", "wisp-storage", "--test", "behaviour"]),
]
