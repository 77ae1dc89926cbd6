#!/usr/bin/env bash
# install.sh: pytest-lsp, into a venv in .cache/pytest-lsp, where conformance_test.go looks for it.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.cache/pytest-lsp
[ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
cmp -s lsp/conformance/requirements.txt "$venv/requirements.txt" || {
	"$venv/bin/pip" install -q --disable-pip-version-check -r lsp/conformance/requirements.txt
	cp lsp/conformance/requirements.txt "$venv/requirements.txt"
}
