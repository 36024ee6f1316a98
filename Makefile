# SPDX-License-Identifier: Apache-2.0
#
# make demo      a Rust app, compiled to WebAssembly, blinks an LED under Zephyr (or on a simulated board)
# make test      everything; make test SUITE=unit|spec|zephyr|boards|... runs a part
# make bench     measures Wisp and its peers under QEMU, renders doc/benchmarks.md
# make size      flash and RAM of configurations, by part; fails when over bench/budgets.toml
# make setup     what both need; they run it themselves
# make install   puts the `wisp` command on the PATH (cargo install)

PYTHON ?= python3
SUITE ?= all

.PHONY: all demo test bench size setup install fmt clean help

help all:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: setup
	@$(PYTHON) scripts/demo.py

test: setup
	@$(PYTHON) scripts/test.py $(SUITE)

bench: setup
	@$(PYTHON) scripts/bench.py
	@$(PYTHON) scripts/bench.py --flash --board m3 --runtime null --runtime wisp --runtime wasm3 --runtime wamr
	@$(PYTHON) scripts/bench.py --render

size: setup
	@$(PYTHON) scripts/bench.py --size
	@$(PYTHON) scripts/bench.py --check

setup:
	@$(PYTHON) scripts/setup.py

install:
	cargo install --locked --path rust/cli

fmt:
	cargo fmt --manifest-path rust/Cargo.toml --all

clean:
	rm -rf build
