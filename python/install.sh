#!/usr/bin/env bash
# Makes .cache/python, a venv that sees the torch of PYTHON (default: Debian's), with what the package's tests and
# benchmarks need, and the package itself with its binary, built anew.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch, numpy' 2>/dev/null || {
  echo "the tests need torch and numpy for $python: apt-get install python3-torch python3-numpy python3-venv" >&2
  exit 1
}
venv=.cache/python
[ -x "$venv/bin/python" ] || "$python" -m venv --system-site-packages "$venv"
stamp=$venv/requirements.txt
cmp -s python/tests/requirements.txt "$stamp" || {
  "$venv/bin/pip" install -q --disable-pip-version-check -r python/tests/requirements.txt
  cp python/tests/requirements.txt "$stamp"
}
"$venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
