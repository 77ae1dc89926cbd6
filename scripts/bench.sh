#!/usr/bin/env bash
# bench.sh: scans of large files beside the peers that are installed, and the Go benchmarks, below the marker in docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/benchmarks.md
mkdir -p build
python3 scripts/bench.py bin/secure-torch build/bench | tee "$out"
{
	echo
	echo "## Start-up"
	echo
	echo '```'
	GODEBUG=inittrace=1 bin/secure-torch version 2>&1 | sort -k5 -n -r | sed -n 1,5p
	echo '```'
	echo
	echo "## Go benchmarks"
	echo
	echo '```'
	"${GO:-go}" test -run '^$' -bench . -benchmem -timeout 30m $("${GO:-go}" list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...) | grep -E '^(Benchmark|pkg:|cpu:)'
	echo '```'
} | tee -a "$out"
marker='<!-- Below: what `make bench` printed last. -->'
grep -qF "$marker" docs/benchmarks.md || printf '\n%s\n' "$marker" >>docs/benchmarks.md
# The file keeps what stands above the marker, which people wrote.
{ sed "/^$marker\$/q" docs/benchmarks.md; echo; cat "$out"; } >build/benchmarks.new
mv build/benchmarks.new docs/benchmarks.md
