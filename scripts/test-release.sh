#!/usr/bin/env bash
# test-release.sh [OS/ARCH …]: the archives of a release (without arguments all), built twice from two places (the same
# bytes) and looked into. The one for Linux on this machine's kind is installed by scripts/install.sh and used in a root
# that has nothing but busybox; the one for Linux on arm64 reads a source by QEMU, where Debian's can be fetched. A release that was
# changed on its way is refused. Everything is served from 127.0.0.1.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$(go env GOHOSTARCH)
export VERSION=0.0.1 SOURCE_DATE_EPOCH=1700000000
work=$(mktemp -d)
root_user=() # chroot and mount are root's
[ "$(id -u)" = 0 ] || root_user=(sudo)
served=
cleanup() {
	[ -z "$served" ] || kill "$served" 2>/dev/null || true
	"${root_user[@]}" umount "$work/root/proc" 2>/dev/null || true
	"${root_user[@]}" rm -rf "$work"
}
trap cleanup EXIT

echo "== twice the same bytes"
OUT=$work/v0.0.1 scripts/release.sh "$@" >"$work/sizes"
mkdir "$work/elsewhere"
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$work/elsewhere"
(cd "$work/elsewhere" && OUT=$work/again scripts/release.sh "$@" >/dev/null)
rm -rf "$work/elsewhere"
cmp "$work/v0.0.1/checksums.txt" "$work/again/checksums.txt"
cat "$work/sizes"
if [ $# = 0 ]; then
	echo "== what is in them"
	RELEASE_DIR=$work/v0.0.1 go test -count=1 -run '^TestRelease$' ./ci
fi

echo "== in a root that has nothing but busybox"
root=$work/root
mkdir -p "$root"/{bin,tmp,models,proc,dev}
(cd "$work" && apt-get download -qq busybox-static 2>/dev/null && dpkg-deb --fsys-tarfile busybox-static_*.deb | tar -x -C "$root")
busybox=$(cd "$root" && find . -path '*bin/busybox' -type f | head -n 1)
for applet in sh awk cat cp head mkdir mktemp mv rm sha256sum tar uname wget chmod gunzip gzip id; do
	ln -sf "/${busybox#./}" "$root/bin/$applet"
done
cp scripts/install.sh "$root/install.sh"
printf "cposix\nsystem\n(S'echo pwned'\ntR." >"$root/models/evil.pt"
python3 -c 'import pickle, sys; pickle.dump({"a": [1, 2]}, open(sys.argv[1], "wb"))' "$root/models/good.pkl"
"${root_user[@]}" mount -t proc proc "$root/proc" 2>/dev/null || "${root_user[@]}" mount --bind /proc "$root/proc"
: >"$root/dev/null"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 -m http.server --bind 127.0.0.1 --directory "$work" "$port" >/dev/null 2>&1 &
served=$!
for _ in $(seq 100); do python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break || sleep 0.1; done
inside() { "${root_user[@]}" chroot "$root" /bin/sh -c "PATH=/bin HOME=/tmp $1"; }
inside "sh /install.sh --version v0.0.1 --from http://127.0.0.1:$port/v0.0.1 --to /opt"
code=0
inside "/opt/secure-torch scan /models" >"$work/said" || code=$?
cat "$work/said"
[ "$code" = 1 ] || { echo "test-release: exit $code, want 1" >&2; exit 1; }
grep -q "would call posix.system('echo pwned') on load" "$work/said"
grep -q 'Verdict: NOT SAFE' "$work/said"

foreign=$work/v0.0.1/secure-torch_0.0.1_linux_arm64.tar.gz
if [ "$arch" = amd64 ] && [ -e "$foreign" ]; then
	echo "== the program for arm64, by QEMU"
	(cd "$work" && apt-get download -qq qemu-user-static 2>/dev/null && dpkg-deb --fsys-tarfile qemu-user-static_*.deb | tar -x ./usr/bin/qemu-aarch64-static) || echo "QEMU can't be fetched here: not run"
	if [ -e "$work/usr/bin/qemu-aarch64-static" ]; then
		tar -xzf "$foreign" -C "$work"
		arm() { "$work/usr/bin/qemu-aarch64-static" "$work/secure-torch_0.0.1_linux_arm64/secure-torch" "$@"; }
		arm version
		# Not scan: its worker is this program again, which the kernel would have to hand to QEMU.
		printf 'import torch\n\nmodel = torch.load("evil.pt")\n' >"$work/app.py"
		code=0
		arm check --no-resolve --fail-on medium "$work/app.py" >"$work/said" || code=$?
		cat "$work/said"
		[ "$code" = 1 ] || { echo "test-release: exit $code, want 1" >&2; exit 1; }
		grep -q ST101 "$work/said"
	fi
fi

echo "== a changed archive is refused"
printf x >>"$work/v0.0.1/secure-torch_0.0.1_linux_$arch.tar.gz"
if inside "sh /install.sh --version v0.0.1 --from http://127.0.0.1:$port/v0.0.1 --to /opt2" 2>"$work/refused"; then
	echo "test-release: a changed archive was installed" >&2
	exit 1
fi
grep 'is not what checksums.txt says' "$work/refused"
[ ! -e "$root/opt2" ]
echo "test-release: passed"
