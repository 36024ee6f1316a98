# SPDX-License-Identifier: Apache-2.0
"""Holds the suites of the test command, by what they need."""
