#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the example guests and the C library's test, runs them on the simulated board and compares
# what they say. Usage: guest/check.sh OUTPUT_DIRECTORY, with `wisp` on the PATH or in $WISP.
#
# $CLANG (clang, clang-19, ...) and $CARGO choose the tools; $GUEST_CARGO_FLAGS adds to cargo's arguments.

set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:?usage: guest/check.sh OUTPUT_DIRECTORY}
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)
wisp=${WISP:-wisp}
cargo=${CARGO:-cargo}
clang=${CLANG:-}
if [ -z "$clang" ]; then
	for candidate in clang clang-21 clang-20 clang-19 clang-18; do
		if command -v "$candidate" >/dev/null; then
			clang=$candidate
			break
		fi
	done
fi
passed=0
failed=0
skipped=0

# expect NAME EXPECTED ACTUAL
expect() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
		echo "ok    $1"
	else
		failed=$((failed + 1))
		printf 'FAIL  %s\nexpected:\n%s\ngot:\n%s\n' "$1" "$2" "$3"
	fi
}

# run NAME ARGUMENTS... : what the guest says, and its status if that is not 0
run() {
	"$wisp" run "$@" 2>&1 || echo "status $?"
}

rust_guest() {
	(cd "$here/examples/$1" && CARGO_TARGET_DIR="$out/target" \
		"$cargo" --config "$here/rust/wasm.toml" ${GUEST_CARGO_FLAGS:-} \
		build --quiet --release --target wasm32-unknown-unknown)
	cp "$out/target/wasm32-unknown-unknown/release/$1.wasm" "$out/$1.wasm"
}

c_guest() {
	name=$1
	shift
	"$clang" "@$here/c/compile.flags" -Wall -Wextra -Werror "-I$here/c/include" "-I$out" "$@" \
		"$here"/c/src/*.c "@$here/c/link.flags" -o "$out/$name.wasm"
}

(cd "$here/../rust" && "$cargo" run --quiet -p wisp-abi --features render --example abi -- \
	c-header "$out/wisp.h")

if [ -n "$clang" ]; then
	c_guest hello "$here/examples/hello/hello.c"
	expect "hello prints with stdio" "Hello from a C guest
1 squared is 1
2 squared is 4
3 squared is 9" "$(run "$out/hello.wasm")"
	c_guest stdio "$here/c/tests/stdio.c"
	expect "stdio.h and string.h do as C says" \
		"a line that is longer than the buffer of one call, which has sixty-four bytes
end" "$(run "$out/stdio.wasm")"
else
	skipped=$((skipped + 2))
	echo "skip  C guests: no clang found; set CLANG"
fi

rust_guest checksum
expect "crates from the registry compute what they do natively" \
	"sha256 255a541af955f07fda725cf64544cfb63c84ff5750164584318954966e85b8a8" \
	"$(run "$out/checksum.wasm" | sed 's/.*: sha256/sha256/')"

rust_guest blinky
expect "blinky toggles its pin every half second" "00.000,000 active
00.500,000 inactive
01.000,000 active
01.500,000 inactive
02.000,000 active
02.500,000 inactive" "$(run "$out/blinky.wasm" --board "$here/examples/blinky/board.toml" |
	sed -n 's/^\[00:00:\([^]]*\)\].*gpio led \([a-z]*\) .*/\1 \2/p' | sed 1d | sed 6q)"

rust_guest drivers
expect "driver crates from the registry run unchanged" "eeprom24x: byte ab
eeprom24x: Written page by page.
bmi160: chip id d1
bmi160: acceleration 16 -16 16384
both drivers work" "$(run "$out/drivers.wasm" --board "$here/examples/drivers/board.toml" |
	grep -v ' i2c ' | sed 's/.*drivers: //')"

expect "without a grant blinky is told what is missing" "1" \
	"$(run "$out/blinky.wasm" | grep -c 'led.*refused')"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
