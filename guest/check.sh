#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the example guests and the C library's test, runs them on the simulated board and compares
# what they say. Usage: guest/check.sh OUTPUT_DIRECTORY, with `wisp` on the PATH or in $WISP.
#
# $CLANG (clang, clang-19, ...), $CARGO and $NPM choose the tools; $GUEST_CARGO_FLAGS adds to cargo's
# arguments, $GUEST_CARGO and $GUEST_ENV (NAME=value...) are for guests alone, as where their target is not
# installed; $GUEST_TARGET_DIR is cargo's folder for them, where others share it. Without npm or its registry,
# what is in AssemblyScript is skipped.

# GUEST_ENV and GUEST_CARGO_FLAGS hold several words. The $ of one pattern is the shell's, of another sed's.
# shellcheck disable=SC2086,SC2016
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:?usage: guest/check.sh OUTPUT_DIRECTORY}
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)
wisp=${WISP:-wisp}
target=${GUEST_TARGET_DIR:-$out/target}
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

# run NAME ARGUMENTS... : what the guest says, and its status if that is not 0; one that never ends is stopped
run() {
	timeout 60 "$wisp" run "$@" 2>&1 || echo "status $?"
}

# rust_guest NAME [DIRECTORY]
rust_guest() {
	(cd "${2:-$here/examples/$1}" && CARGO_TARGET_DIR="$target" \
		env ${GUEST_ENV:-} "${GUEST_CARGO:-$cargo}" --config "$here/rust/wasm.toml" ${GUEST_CARGO_FLAGS:-} \
		build --quiet --release --target wasm32-unknown-unknown)
	cp "$target/wasm32-unknown-unknown/release/$1.wasm" "$out/$1.wasm"
}

# c_guest NAME SOURCE... : with the small libc
c_guest() {
	name=$1
	shift
	python3 "$here/../scripts/guest.py" c --libc tiny --include "$out" --flag=-Wall --flag=-Wextra --flag=-Werror \
		-o "$out/$name.wasm" "$@"
}

(cd "$here/../rust" && "$cargo" run --quiet -p wisp-abi --features render --example abi -- \
	c-header "$out/wisp.h")

if [ -n "$clang" ]; then
	c_guest hello "$here/examples/hello/hello.c"
	expect "hello prints with stdio" "Hello from a C guest
1 squared is 1
2 squared is 4
3 squared is 9" "$(run "$out/hello.wasm")"
	c_guest stdio "$here/c/tiny/tests/stdio.c"
	expect "stdio.h and string.h do as C says" \
		"a line that is longer than the buffer of one call, which has sixty-four bytes
end" "$(run "$out/stdio.wasm")"
	expect "the small stdio.h refuses at compile time what it does not print" "1" \
		"$(c_guest floats "$here/c/tiny/tests/floats.c" 2>&1 |
			grep -c "error: .*the small stdio prints no floating point")"
	c_guest late "$here/c/tiny/tests/late.c"
	expect "and ends a guest whose format only shows it as it runs" "1" \
		"$(run "$out/late.wasm" | grep -c "small stdio, link with wasi-libc: %.1f")"
else
	skipped=$((skipped + 4))
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
bmi160 on SPI: chip id d1
bmi160 on SPI: acceleration 16 -16 16384
ads1x1x: input 1 at 4660 steps
all drivers work" "$(run "$out/drivers.wasm" --board "$here/examples/drivers/board.toml" |
	grep -v ' i2c \| spi ' | sed 's/.*drivers: //')"

rust_guest display
expect "a display driver and a graphics crate run unchanged" "ssd1306: drawn" \
	"$(run "$out/display.wasm" --board "$here/examples/display/board.toml" |
		grep -v ' i2c ' | sed 's/.*display: //')"

# The pixels of a PPM of 16 x 8, black as a dot, and the first letter of their color or # for white.
picture() {
	tail -c 384 "$1" | od -An -v -tx1 -w3 |
		sed 's/ 00 00 00/./; s/ ff 00 00/r/; s/ 00 ff 00/g/; s/ ff ff ff/#/' | tr -d '\n' | fold -w16
	echo
}

rust_guest screen
expect "a graphics crate draws on displays of the firmware" "drawn
gggggggggggggggg
g..............g
g.rrrrrrrrrrrrrr
g..............g
g..rr..........g
g..rr..........g
g..............g
gggggggggggggggg
################
#..............#
#.##############
#..............#
#..##..........#
#..##..........#
#..............#
################" "$(cd "$out" && run "$out/screen.wasm" --board "$here/examples/screen/board.toml" |
	grep -v ' display ' | sed 's/.*screen: //' && picture panel.ppm && picture oled.ppm)"

rust_guest ring
rm -f "$out/ring.bin"
expect "an area of flash keeps its bytes from run to run" "entry 1 of 1
entry 2 of 2
entry 3 of 3
entry 4 of 4
entry 5 of 5
entry 6 of 6
entry 7 of 5
entry 8 of 6" "$(cd "$out" && for _ in 1 2 3 4 5 6 7 8; do
	run "$out/ring.wasm" --board "$here/examples/ring/board.toml" | sed -n 's/.*ring: entry/entry/p; /status/p'
done)"

bridge="$here/../samples/uart_bridge/guest"
rust_guest uart_bridge "$bridge"
expect "a serial port reaches the one device behind it" \
	'ok\n48 65 6c 6c 6f \n? w REGISTER BYTE... or r REGISTER COUNT\n' \
	"$(run "$out/uart_bridge.wasm" --board "$bridge/board.toml" |
		sed -n 's/.*uart host //p' | tr -d '\n')"

logger="$here/../samples/sensor_logger/guest"
rust_guest sensor_logger "$logger"
expect "means are stored" "0 records so far
record 1: 3840 mV, 80.0 %
record 2: 3792 mV, 78.8 %" "$(run "$out/sensor_logger.wasm" --board "$logger/board.toml" --duration 10500 |
	grep -v ' i2c \| kv ' | sed 's/.*sensor_logger: //')"

# A waveform viewer's file: the pin's changes at their times.
run "$out/blinky.wasm" --board "$here/examples/blinky/board.toml" --trace vcd --trace-file "$out/blinky.vcd" \
	--duration 1200 >/dev/null
expect "a trace can be a value change dump" "\$var wire 1 ! led \$end
#0 #500000 #1000000" "$(grep ' led ' "$out/blinky.vcd")
$(grep '^#' "$out/blinky.vcd" | tr '\n' ' ' | cut -d' ' -f1-3)"

expect "without a grant blinky is told what is missing" "1" \
	"$(run "$out/blinky.wasm" | grep -c 'led.*refused')"

# What `wisp new` makes builds with its language's own tools, and blinks.
blinks() {
	expect "a new app in $1 blinks" "active inactive active" "$(run "$2" --board "$3/board.toml" |
		sed -n 's/.*gpio led \([a-z]*\) .*/\1/p' | sed 1d | sed 3q | tr '\n' ' ' | sed 's/ $//')"
}

# new LANGUAGE NAME OPTION...
new() {
	lang=$1
	app=$2
	shift 2
	rm -rf "${out:?}/$app"
	(cd "$out" && "$wisp" new "$app" --lang "$lang" "$@" >/dev/null)
	expect "a new app in $app names no folder of this machine" "" \
		"$(grep -rl -e "$here" -e "$out" "$out/$app" || true)"
	expect "README.md of a new app in $app names the three commands" "3" \
		"$(sed -n '/^```sh/,/^```$/p' "$out/$app/README.md" | grep -c "$app\|^make\|^cargo build\|^npm run")"
}

new rust new_rust
(cd "$out/new_rust" && CARGO_TARGET_DIR="$target" env ${GUEST_ENV:-} "${GUEST_CARGO:-$cargo}" \
	${GUEST_CARGO_FLAGS:-} build --quiet --release)
blinks rust "$target/wasm32-unknown-unknown/release/new_rust.wasm" "$out/new_rust"

new rust new_std --std
if [ -n "${GUEST_STD:-}" ]; then
	(cd "$out/new_std" && CARGO_TARGET_DIR="$target" "$cargo" build --quiet --release)
	blinks "rust with std" "$target/wasm32-wasip1/release/new_std.wasm" "$out/new_std"
else
	skipped=$((skipped + 1))
	echo "skip  Rust with std: the target wasm32-wasip1 is not installed"
fi

# make test SUITE=components builds it, because its bindings take long to compile
new rust new_component --component

new c new_c
new cpp new_cpp
if [ -n "${GUEST_LIBC:-}" ]; then
	for language in c cpp; do
		make --silent -C "$out/new_$language"
		blinks "$language" "$out/new_$language/new_$language.wasm" "$out/new_$language"
		# The workstation and the device build the same guest.
		python3 "$here/../scripts/guest.py" c -o "$out/device.wasm" "$out/new_$language"/app.*
		"$wisp" build "$out/device.wasm" -o "$out/device.wisp" --name app --quiet
		"$wisp" build "$out/new_$language/new_$language.wasm" -o "$out/desk.wisp" --name app --quiet
		expect "workstation and device give a new app in $language the same memory" \
			"$("$wisp" inspect "$out/desk.wisp" | grep 'linear memory')" \
			"$("$wisp" inspect "$out/device.wisp" | grep 'linear memory')"
	done
else
	skipped=$((skipped + 4))
	echo "skip  C and C++ with a libc: wasi-libc or libc++ for wasm is not installed"
fi

# A guest's own stack is kept, and another one that is asked for is said.
memory() {
	"$wisp" build "$1" -o "$out/own.wisp" --name own --quiet
	"$wisp" inspect "$out/own.wisp" | sed -n 's/^ *linear memory: \([0-9]*\) bytes.*/\1/p'
}
plain=$(memory "$target/wasm32-unknown-unknown/release/new_rust.wasm")
sed -i '1,/stack-size=4096/s/stack-size=4096/stack-size=5120/' "$out/new_rust/.cargo/config.toml"
python3 "$here/../scripts/guest.py" rust "$out/new_rust" --target-dir "$target" -o "$out/own.wasm"
expect "a Rust guest is built with its own settings" "$((plain + 1024))" "$(memory "$out/own.wasm")"
expect "a stack that overrides a guest's own is said" "1" "$(
	python3 "$here/../scripts/guest.py" rust "$out/new_rust" --target-dir "$target" --stack 3072 -o "$out/own.wasm" |
		grep -c 'the stack of 3072 bytes overrides that of .*config.toml')"

new assemblyscript new_assemblyscript
new zig new_zig
npm=${NPM:-npm}
if (cd "$out/new_assemblyscript" && "$npm" install --silent --no-audit --no-fund >npm.log 2>&1); then
	asc="$out/new_assemblyscript/node_modules/.bin/asc"
	(cd "$out/new_assemblyscript" && "$asc" assembly/index.ts --target release)
	blinks assemblyscript "$out/new_assemblyscript/new_assemblyscript.wasm" "$out/new_assemblyscript"
	rm -rf "$out/button"
	cp -r "$here/examples/button" "$out/button"
	cp "$out/new_assemblyscript/assembly/wisp.ts" "$out/button/assembly/wisp.ts"
	(cd "$out/button" && "$asc" assembly/index.ts --target release)
	expect "a guest in AssemblyScript counts what it is told" "presses: 5 presses: 6 presses: 7" \
		"$(run "$out/button/button.wasm" --board "$here/examples/button/board.toml" |
			sed -n 's/.*button: \(presses: .\)/\1/p' | tr '\n' ' ' | sed 's/ $//')"
else
	skipped=$((skipped + 2))
	echo "skip  AssemblyScript: $npm cannot install its compiler"
	cat "$out/new_assemblyscript/npm.log"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
