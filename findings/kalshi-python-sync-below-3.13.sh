#!/usr/bin/env bash
# kalshi-python-sync (PyPI), installed with a Python below 3.13. Tried with CPython 3.11 and cryptography 50.0.2.
#
# Expected by most: `pip install kalshi-python-sync` installs the current release (3.34.0 in November 2026), or fails if that does
#   not support this Python; and Kalshi's own SDK signs with every kind of key that Kalshi registers, Ed25519 included.
# Seen: pip silently installs 3.2.0, the newest release that does not ask for Python 3.13. It refuses an Ed25519 key.
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 from 3.9 to 3.12 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 - <<'PY' || exit 1
import sys
if not (3, 9) <= sys.version_info[:2] < (3, 13):
    sys.exit(f"needs Python 3.9 to 3.12, this is {sys.version.split()[0]}")
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kalshi-python-sync cryptography==50.0.2
seen=$("$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from kalshi_python_sync.auth import KalshiAuth

print("installed", version("kalshi-python-sync"))
pem = Ed25519PrivateKey.generate().private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
try:
    KalshiAuth("a952bcbe-ec3b-4b5b-b8f9-11dae589608c", pem.decode())
    print("signs with Ed25519")
except ValueError as error:
    print("refuses Ed25519:", error)
PY
)
echo "$seen"
expected="installed 3.2.0
refuses Ed25519: Private key must be an RSA key"
if [ "$seen" != "$expected" ]; then
  echo "changed: expected
$expected" >&2
  exit 1
fi
