#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signs an image whatever it holds: signed.py IMAGE SECRET_KEY. `wisp sign` refuses what a device would refuse."""

import hashlib
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization

# doc/image-format.md
LENGTH, MAGIC = 8, 0x5457
HASH, KEY_ID, SIGNATURE = 1, 2, 3


def main():
    path, key = map(Path, sys.argv[1:])
    image = path.read_bytes()
    content = image[:struct.unpack_from("<I", image, LENGTH)[0]]
    secret = serialization.load_pem_private_key(key.read_bytes(), None)
    public = secret.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    records = [(HASH, hashlib.sha256(content).digest()), (KEY_ID, hashlib.sha256(public).digest()[:8]),
               (SIGNATURE, secret.sign(content))]
    body = b"".join(struct.pack("<HH", tag, len(value)) + value for tag, value in records)
    path.write_bytes(content + struct.pack("<HH", MAGIC, 4 + len(body)) + body)


if __name__ == "__main__":
    main()
