# SPDX-License-Identifier: Apache-2.0
"""Attacks that once went through, as tests of crates: `make test SUITE=holes` runs them by name."""

# What is attacked, and the arguments of `cargo test` in rust/.
HOLES = [
    ("keys: a stolen app key retires nothing, junk takes no place, root keys stay",
     ["-p", "wisp-trust", "--features", "sign,text", "--test", "roles"]),
    ("signatures: no bit of a signed image changes unnoticed, signatures have one form",
     ["-p", "wisp-trust", "--features", "sign,text", "--test", "images", "--test", "vectors"]),
    ("replay: lower versions and counters, also after an app was uninstalled; retirement with the confirmation",
     ["-p", "wisp-storage", "--test", "behaviour"]),
    ("log: what a terminal may obey is escaped", ["-p", "wisp-host", "--lib", "line::"]),
    ("stored values: a quota counts what entries take", ["-p", "wisp-host", "-p", "wisp-sim", "--lib", "kv::"]),
    ("key files: roles, on the command line", ["-p", "wisp-cli", "--test", "sign"]),
]
