# SPDX-License-Identifier: Apache-2.0
"""Other people's programs: modules out of packages."""

import sys

import devenv

from suites.common import counted


def suite_programs():
    """Other people's programs: modules out of packages of npm, PyPI and crates.io, beside wasmi and node."""
    return counted([sys.executable, devenv.REPO / "scripts" / "packages.py"], devenv.REPO)
