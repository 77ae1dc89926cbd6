#!/usr/bin/env bash
# Holds signatures and SBOMs against the tools that others use for them: installs those into .cache/interop, then
# runs trust/interop. Arguments go to go test.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.cache/interop
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
stamp=$venv/requirements.txt
cmp -s scripts/interop-requirements.txt "$stamp" || {
	"$venv/bin/pip" install -q --disable-pip-version-check -r scripts/interop-requirements.txt
	cp scripts/interop-requirements.txt "$stamp"
}
INTEROP=$PWD/$venv go test -count=1 "$@" ./trust/interop
