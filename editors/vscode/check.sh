#!/usr/bin/env bash
# check.sh [install]: types, lint, bundle and unit tests of the extension, with the packages of package-lock.json.
set -euo pipefail
cd "$(dirname "$0")"
have=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/') || true
[ "${have:-0}" -ge 20 ] || { echo "check.sh: Node.js 20 or later, and npm, are needed for the VS Code extension (found: ${have:-none})" >&2; exit 2; }
want=$(cksum <package-lock.json)
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$want" ]; then
	npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	echo "$want" >node_modules/.installed
fi
[ "${1:-}" != install ] || exit 0
npm run --silent compile
npm test --silent
