#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes images that a device has to refuse: altered.py KIND IN OUT.

Offsets are those of rust/image/src/native.rs.
"""

import struct
import sys
from pathlib import Path

ABI_VERSION, HELPERS, TARGET, WASM_HASH = 4, 6, 8, 16
RISCV32 = 2


def main():
    kind, source, target = sys.argv[1:]
    image = bytearray(Path(source).read_bytes())
    at = image.index(b"WNAT")
    if kind == "version":
        struct.pack_into("<H", image, at + ABI_VERSION, 77)
    elif kind == "helpers":
        struct.pack_into("<H", image, at + HELPERS, 999)
    elif kind == "target":
        # the other one of RISC-V and everything else, with all extensions
        image[at + TARGET] = 1 if image[at + TARGET] == RISCV32 else RISCV32
        image[at + TARGET + 1] = 7
        image[at + TARGET + 2] = 0
    elif kind == "hash":
        image[at + WASM_HASH] ^= 1
    else:
        sys.exit(f"no such kind: {kind}")
    Path(target).write_bytes(image)


if __name__ == "__main__":
    main()
