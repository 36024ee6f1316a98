#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a header with the certificates and keys of the tests, which are new in every build."""

import datetime
import ipaddress
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def issue(subject, authority, names, last_year):
    """Returns a certificate and its key. Without an authority, it is one itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, signer = (authority[0].subject, authority[1]) if authority else (name(subject), key)
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(issuer).public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(datetime.datetime(2020, 1, 1))
               .not_valid_after(datetime.datetime(last_year, 12, 31))
               .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256()), key


def array(identifier, data):
    rows = [", ".join(f"0x{byte:02x}" for byte in data[at:at + 16]) for at in range(0, len(data), 16)]
    return f"static const unsigned char {identifier}[] = {{\n\t" + ",\n\t".join(rows) + "\n};\n"


def main(folder):
    trusted = issue("Test authority", None, [], 2049)
    stranger = issue("Another authority", None, [], 2049)
    host = [x509.DNSName("good.example")]
    address = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    servers = {"host": issue("server", trusted, host, 2049), "address": issue("server", trusted, address, 2049),
               "expired": issue("server", trusted, host, 2021)}
    text = "/* SPDX-License-Identifier: Apache-2.0 */\n\n"
    for identifier, (certificate, _) in {"ca": trusted, "other_ca": stranger, **servers}.items():
        text += array(identifier, certificate.public_bytes(serialization.Encoding.DER))
    for identifier, (_, key) in servers.items():
        text += array(f"{identifier}_key", key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    Path(folder, "certificates.h").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
