#!/usr/bin/env bash
# Runs everything there is to check about the Python package: the tests against a real torch, mypy, ruff.
# Arguments go to pytest. PYTHON names another interpreter that has torch.
set -euo pipefail
cd "$(dirname "$0")/.."
python/install.sh
venv=.cache/python
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check -q .
"$venv/bin/mypy"
"$venv/bin/python" -m pytest "$@"
