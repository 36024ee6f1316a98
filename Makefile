# SPDX-License-Identifier: Apache-2.0
#
# make demo      an app blinks an LED under Zephyr (or on a simulated board); others crash, and are updated and rolled back
# make test      the suites, each application on the boards that it depends on; SUITE=unit|spec|zephyr|... a part; BOARDS=all
#                SUITE=quick for every change: unit tests, the official suite on the workstation, a Cortex-M3 and RV32
# make spec      the official WebAssembly suite, on the workstation and on the targets
# make fuzz      each fuzz target for SECONDS=60 with each seed of SEED=1,2,3, tells the executions
# make miri      tests of image, engine, compiler and app storage under Miri where it is installed, else under AddressSanitizer
# make soak      several apps for simulated hours, with crashes, updates and power cuts: HOURS=24 CUTS=40
# make fleet     a rollout to DEVICES=8 simulated devices behind the gateway: crashes, power cuts, restarts
# make bench     measures Wisp and its peers under QEMU, renders doc/benchmarks.md
# make study     the programs and boards of arXiv 2512.00035 with Wisp and its peers, renders doc/study.md
# make size      flash and RAM of configurations, by part; fails when over bench/budgets.toml
# make boards-report  builds a sample for the boards of bench/boards.txt, renders doc/boards.md; an hour or more
# make doc       renders crates, C headers and a book of doc/ into build/doc; warnings are errors
# make setup     what both need; they run it themselves
# make install   puts the `wisp` command on the PATH (cargo install)

PYTHON ?= python3
SUITE ?= all
BOARDS ?= integration
SECONDS ?= 60
SEED ?= 1
HOURS ?= 24
CUTS ?= 40
DEVICES ?= 8

.PHONY: all demo test spec soak fleet fuzz miri bench study size boards-report doc setup install fmt clean help

help all:
	@sed -n -e 's/^# \(make .*\)/\1/p' -e 's/^#\( \{15,\}.*\)/\1/p' Makefile

demo: setup
	@$(PYTHON) scripts/demo.py

test: setup
	@$(PYTHON) scripts/test.py --boards $(BOARDS) $(SUITE)

spec: setup
	@$(PYTHON) scripts/test.py spec targets

fuzz:
	@$(PYTHON) scripts/fuzz.py --seconds $(SECONDS) --seed $(SEED)

miri:
	@$(PYTHON) scripts/miri.py

soak: setup
	@$(PYTHON) tests/lifecycle/run.py --soak $(HOURS) --cuts $(CUTS)

fleet: setup
	@DEVICES=$(DEVICES) $(PYTHON) scripts/test.py rollout

bench: setup
	@$(PYTHON) scripts/bench.py
	@$(PYTHON) scripts/bench.py --corpus
	@$(PYTHON) scripts/bench.py --scaling
	@$(PYTHON) scripts/bench.py --flash --board m3 --runtime null --runtime wisp --runtime wasm3 --runtime wamr
	@$(PYTHON) scripts/bench.py --render

study: setup
	@$(PYTHON) scripts/bench.py --study
	@$(PYTHON) scripts/bench.py --render

size: setup
	@$(PYTHON) scripts/bench.py --size
	@$(PYTHON) scripts/bench.py --check

boards-report: setup
	@$(PYTHON) scripts/boards_report.py

doc:
	@$(PYTHON) scripts/doc.py

setup:
	@$(PYTHON) scripts/setup.py

install:
	cargo install --locked --path rust/cli

fmt:
	cargo fmt --manifest-path rust/Cargo.toml --all

clean:
	rm -rf build
