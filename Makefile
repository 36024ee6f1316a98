# SPDX-License-Identifier: Apache-2.0
#
# make demo      a Rust app, compiled to WebAssembly, blinks an LED under Zephyr (or on a simulated board)
# make test      everything; make test SUITE=unit|spec|zephyr|boards|... runs a part
# make setup     what both need; they run it themselves
# make install   puts the `wisp` command on the PATH (cargo install)

PYTHON ?= python3
SUITE ?= all

.PHONY: all demo test setup install fmt clean help

help all:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: setup
	@$(PYTHON) scripts/demo.py

test: setup
	@$(PYTHON) scripts/test.py $(SUITE)

setup:
	@$(PYTHON) scripts/setup.py

install:
	cargo install --locked --path rust/cli

fmt:
	cargo fmt --manifest-path rust/Cargo.toml --all

clean:
	rm -rf build
