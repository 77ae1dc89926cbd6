#!/usr/bin/env bash
# fuzz.sh TIME [PACKAGES...]: runs every fuzz target for TIME (10m, 5s), one after the other, and fails on the first crash.
set -euo pipefail
cd "$(dirname "$0")/.."
time=$1
shift
packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(./...)
while read -r target package; do
	echo "fuzz: $package $target for $time"
	"${GO:-go}" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" | tail -n 3
done < <(
	"${GO:-go}" list -f '{{$p := .}}{{range .TestGoFiles}}{{$p.Dir}}/{{.}} {{$p.ImportPath}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$p.Dir}}/{{.}} {{$p.ImportPath}}{{"\n"}}{{end}}' "${packages[@]}" |
		while read -r file package; do
			[ -n "$file" ] && sed -n "s/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1 ${package//\//\\/}/p" "$file"
		done
)
