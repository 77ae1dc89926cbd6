#!/usr/bin/env bash
# fuzz.sh TIME [PACKAGES...]: runs every fuzz target for TIME (10m, 5s), one after the other on one processor, and
# fails on the first crash. What a run found is written to testdata/fuzz of the package, as go test says. Each input that
# reaches new code is made smaller in 20 tries: with 5 seconds for each, nothing else was done in a run of 40.
set -euo pipefail
cd "$(dirname "$0")/.."
time=$1
shift
[ $# -gt 0 ] || set -- ./...
go=${GO:-go}

# DIR IMPORTPATH, then the targets in the folder's tests.
"$go" list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}} {{.ImportPath}}{{end}}' "$@" | while read -r dir package; do
	[ -n "$dir" ] || continue
	{ grep -hso '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go || true; } | sed 's/^func //' | while read -r target; do
		echo "fuzz: $package $target for $time"
		"$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x -parallel 1 "$package" </dev/null | tail -n 3
	done
done
