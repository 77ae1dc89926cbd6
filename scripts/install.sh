#!/bin/sh
# install.sh --version vX.Y.Z [--to FOLDER] [--from URL]: installs a release of secure-torch, after its archive was held
# against checksums.txt; where cosign is installed, checksums.txt is held against its signature first. Needs tar, sha256sum
# or shasum, and curl or wget. Nothing else is asked for, run or changed.
set -eu
version='' to=${HOME:-.}/.local/bin from=''
while [ $# -gt 0 ]; do
	[ $# -gt 1 ] || { echo "usage: install.sh --version vX.Y.Z [--to FOLDER] [--from URL]" >&2 && exit 2; }
	case $1 in
	--version) version=$2 ;;
	--to) to=$2 ;;
	--from) from=$2 ;;
	*)
		echo "install.sh: unknown: $1" >&2
		exit 2
		;;
	esac
	shift 2
done
fail() {
	echo "install.sh: $1" >&2
	exit 1
}
[ -n "$version" ] || fail 'give a release: --version v0.1.0'
number=${version#v}
[ -n "$from" ] || from=https://github.com/secure-torch/secure-torch/releases/download/v$number

case $(uname -s) in
Linux) os=linux ;;
Darwin) os=darwin ;;
*) fail "no archive for $(uname -s): on Windows unpack the zip of the release" ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
*) fail "no archive for $(uname -m)" ;;
esac
name=secure-torch_${number}_${os}_$arch

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
get() {
	if command -v curl >/dev/null 2>&1; then
		curl -fsSL --proto '=https,http' -o "$dir/$1" "$from/$1" || fail "$from/$1 could not be fetched"
	else
		wget -q -O "$dir/$1" "$from/$1" || fail "$from/$1 could not be fetched"
	fi
}
get checksums.txt
get "$name.tar.gz"

if command -v cosign >/dev/null 2>&1; then
	get checksums.txt.sigstore.json
	cosign verify-blob --bundle "$dir/checksums.txt.sigstore.json" \
		--certificate-identity "https://github.com/secure-torch/secure-torch/.github/workflows/release.yml@refs/tags/v$number" \
		--certificate-oidc-issuer https://token.actions.githubusercontent.com "$dir/checksums.txt" >/dev/null || fail 'checksums.txt is not signed by the release workflow'
fi
want=$(awk -v name="$name.tar.gz" '$2 == name { print $1 }' "$dir/checksums.txt")
[ "${#want}" = 64 ] || fail "checksums.txt has no line for $name.tar.gz"
if command -v sha256sum >/dev/null 2>&1; then
	have=$(sha256sum "$dir/$name.tar.gz")
else
	have=$(shasum -a 256 "$dir/$name.tar.gz")
fi
have=${have%% *}
[ "$have" = "$want" ] || fail "$name.tar.gz is not what checksums.txt says: $have, not $want"

tar -xzf "$dir/$name.tar.gz" -C "$dir"
mkdir -p "$to"
# Beside its place first: a program that runs is replaced, not written over.
cp "$dir/$name/secure-torch" "$to/.secure-torch.new"
chmod 755 "$to/.secure-torch.new"
mv -f "$to/.secure-torch.new" "$to/secure-torch"
echo "$to/secure-torch $("$to/secure-torch" version | head -n 1)"
case :$PATH: in
*":$to:"*) ;;
*) echo "note: $to is not in PATH" ;;
esac
