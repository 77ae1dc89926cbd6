#!/usr/bin/env bash
# check-generated.sh: regenerates everything that is generated and checked in, and fails where it changes.
set -euo pipefail
cd "$(dirname "$0")/.."
state() { git status --porcelain --untracked-files=all; git diff | cksum; }
before=$(state)
"${GO:-go}" generate ./...
if [ "$before" != "$(state)" ]; then
	echo "check: generated files are stale; run make generate and commit:" >&2
	git status --short >&2
	exit 1
fi
