#!/usr/bin/env bash
# release.sh [OS/ARCH …]: what a release holds, in dist/release: an archive for each system, the program's own bill of
# materials beside it, checksums.txt over all of it, and sizes.txt. The same sources give the same bytes: dates are the
# last commit's, and paths of this machine are in none of it. OUT names another folder, VERSION another version.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:-$(git describe --tags --always 2>/dev/null)}
version=${version#v}
out=$(mkdir -p "${OUT:-dist/release}" && cd "${OUT:-dist/release}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} TZ=UTC LC_ALL=C
targets=("$@")
[ $# -gt 0 ] || targets=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64)
most=$((25 << 20)) # of an archive, in bytes
go=${GO:-go}

# build OS ARCH FILE. Linux of this machine's kind is static, with libseccomp; what is built for another machine has no
# cgo: there the sandbox writes its filter itself, and the Python grammar is WebAssembly (docs/adr/0001).
build() {
	local link="-s -w -buildid= -X main.version=$version" tags=osusergo,netgo,grpcnotrace
	if [ "$1" = linux ]; then # the executable of the scan role, which the next build embeds (docs/adr/0005)
		CGO_ENABLED=0 GOOS=linux GOARCH=$2 $go build -trimpath -buildvcs=false -tags scanworker,noasm,nounsafe -ldflags '-s -w -buildid=' -o "sandbox/twin/scan-worker-$2" ./internal/worker/guest
		tags=$tags,embedworker
	fi
	if [ "$1/$2" = "linux/$($go env GOHOSTARCH)" ] && [ "$($go env GOHOSTOS)" = linux ]; then
		$go build -trimpath -buildvcs=false -tags $tags -ldflags "$link -linkmode external -extldflags '-static -Wl,--build-id=none'" -o "$3" ./cmd/secure-torch
	else
		CGO_ENABLED=0 GOOS=$1 GOARCH=$2 $go build -trimpath -buildvcs=false -tags $tags -ldflags "$link" -o "$3" ./cmd/secure-torch
	fi
}

rm -f "$out"/*
printf '%-48s %12s %12s\n' archive bytes unpacked >"$work/sizes.txt"
for target in "${targets[@]}"; do
	os=${target%/*} arch=${target#*/}
	name=secure-torch_${version}_${os}_$arch
	mkdir -p "$work/$name"
	program=$work/$name/secure-torch
	[ "$os" != windows ] || program=$program.exe
	build "$os" "$arch" "$program"
	cp LICENSE NOTICE README.md CHANGELOG.md "$work/$name/"
	chmod 644 "$work/$name"/*
	chmod 755 "$program"
	find "$work/$name" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	if [ "$os" = windows ]; then
		archive=$name.zip
		python3 scripts/zipfolder.py "$work/$name" "$out/$archive"
	else
		archive=$name.tar.gz
		tar --sort=name --owner=0 --group=0 --numeric-owner --format=ustar -C "$work" -c "$name" | gzip -9n >"$out/$archive"
	fi
	$go run -C tools ./licences sbom "$program" >"$out/$name.cdx.json"
	size=$(stat -c %s "$out/$archive")
	printf '%-48s %12d %12d\n' "$archive" "$size" "$(stat -c %s "$program")" >>"$work/sizes.txt"
	[ "$size" -le "$most" ] || { echo "release.sh: $archive has $size bytes, more than $most" >&2; exit 1; }
done
(cd "$out" && sha256sum -- * >checksums.txt)
cp "$work/sizes.txt" "$out/sizes.txt"
cat "$out/sizes.txt"
