#!/usr/bin/env bash
# bench.sh: secure-torch beside its peers, in one run on this machine; the figures go below the marker in docs/benchmarks.md.
# The peers are installed in a venv in .cache/bench, the Python packages that `check` reads in .cache/bench/packages.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/benchmarks.md
venv=.cache/bench
mkdir -p build
if ! cmp -s scripts/bench-requirements.txt $venv/installed; then
	python3 -m venv $venv
	$venv/bin/pip install -q --disable-pip-version-check -r scripts/bench-requirements.txt
	cp scripts/bench-requirements.txt $venv/installed
fi
python/install.sh
PATH="$PWD/$venv/bin:$PATH"
$venv/bin/python scripts/bench.py bin/secure-torch build/bench | tee "$out"
section() {
	printf '\n## %s\n\n```text\n' "$1"
	shift
	"$@"
	printf '```\n'
}
start_up() { GODEBUG=inittrace=1 bin/secure-torch version 2>&1 | sort -k5 -n -r | sed -n 1,5p; }
# BenchmarkSniff has a line for every format and kind of member: it is for those who change one.
go_benchmarks() {
	git grep -l '^func Benchmark' -- '*_test.go' | xargs -n 1 dirname | sort -u | sed 's,^,./,' |
		xargs "${GO:-go}" test -run '^$' -bench . -skip BenchmarkSniff -benchmem -p 1 -timeout 30m | grep -E '^(Benchmark|pkg:|cpu:|FAIL|panic)'
}
{
	section "Start-up: the five slowest packages to initialise" start_up
	section "st.load beside torch.load and safetensors" .cache/python/bin/python python/bench/bench.py
	section "Go benchmarks (the language server's beside ruff's server)" go_benchmarks
} | tee -a "$out"
marker='<!-- Below: what `make bench` printed last. -->'
grep -qF "$marker" docs/benchmarks.md || printf '\n%s\n' "$marker" >>docs/benchmarks.md
# The file keeps what stands above the marker, which people wrote.
{ sed "/^$marker\$/q" docs/benchmarks.md; echo; cat "$out"; } >build/benchmarks.new
mv build/benchmarks.new docs/benchmarks.md
"${GO:-go}" generate ./docs # the plots are of these tables
