#!/usr/bin/env bash
# wheels.sh [OS/ARCH …]: a Python wheel for each system, and the source distribution, in dist/wheels. The same sources give
# the same bytes. OUT names another folder; with targets there is no source distribution.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mkdir -p "${OUT:-dist/wheels}" && cd "${OUT:-dist/wheels}" && pwd)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} TZ=UTC LC_ALL=C
export GOFLAGS=-buildvcs=false # what the folder's state is stands in the version
venv=${WHEELS_VENV:-$PWD/.cache/wheels}
wanted=$(cksum <scripts/wheels-requirements.txt)
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
	scripts/bootstrap.sh python
	/usr/bin/python3 -m venv "$venv"
	"$venv/bin/pip" install -q --disable-pip-version-check -r scripts/wheels-requirements.txt
	echo "$wanted" >"$venv/installed"
fi
build() { "$venv/bin/python" -m build --no-isolation --outdir "$out" "$@" . >/dev/null; }

targets=("$@")
rm -f "$out"/*.whl "$out"/*.tar.gz
if [ $# = 0 ]; then
	targets=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64)
	build --sdist
fi
for target in "${targets[@]}"; do
	# For Linux of this machine's kind not as a cross build: with the C grammar and libseccomp.
	if [ "$target" = "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" ] && [ "$(go env GOHOSTOS)" = linux ]; then
		build --wheel
	else
		GOOS=${target%/*} GOARCH=${target#*/} build --wheel
	fi
done
rm -rf "$out/go" # where the build hook put the programs
(cd "$out" && wc -c -- *.whl *.tar.gz 2>/dev/null || true)
