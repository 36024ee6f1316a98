# SPDX-License-Identifier: Apache-2.0
"""Runs `west wisp ARGUMENTS` of this repository, without a workspace."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "west_commands"))

from wisp import Wisp

PARSER = argparse.ArgumentParser()
COMMAND = Wisp()
COMMAND.do_add_parser(PARSER.add_subparsers())
COMMAND.do_run(*PARSER.parse_known_args(["wisp", *sys.argv[1:]]))
