#!/usr/bin/env bash
# Runs everything there is to check about the Python package: the tests against a real torch, mypy, ruff.
# Installs what it needs into .cache/python (a venv that sees the system's torch), and the package with its binary.
# Arguments go to pytest. PYTHON names another interpreter that has torch.
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
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check -q .
"$venv/bin/mypy"
"$venv/bin/python" -m pytest "$@"
