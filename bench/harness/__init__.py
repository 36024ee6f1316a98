# SPDX-License-Identifier: Apache-2.0
"""Builds, runs and reports the benchmarks; scripts/bench.py is the command."""
