#!/usr/bin/env bash
# debroot.sh SUITE PACKAGE DIR: unpacks a package of another Debian suite, with all that it needs down to libc, into DIR.
# Nothing is installed: no maintainer script runs, and the system's own apt lists and packages stay as they are.
# DIR/run PROGRAM … then starts a program of it. For tests with newer and older editors; nothing else may need it.
set -euo pipefail
suite=$1 package=$2
mkdir -p "$3"
dir=$(cd "$3" && pwd)
[ ! -x "$dir/run" ] || exit 0
command -v apt-get >/dev/null || { echo "debroot.sh: no apt-get here" >&2; exit 2; }

apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt"/{lists/partial,cache/archives/partial,etc/preferences.d,etc/apt.conf.d}
: >"$apt/status" # nothing counts as installed, so that everything is fetched
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -1) # the one this machine uses
[ -n "$mirror" ] || { echo "debroot.sh: no Debian mirror is configured here" >&2; exit 2; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
# The system's settings (a proxy), but for its hooks: those of Docker images empty the system's own package cache.
grep -rLs 'Post-Invoke' /etc/apt/apt.conf.d | xargs -r cp -t "$apt/etc/apt.conf.d"
echo "Dir::Etc::parts \"$apt/etc/apt.conf.d\";" >"$apt/apt.conf"
export APT_CONFIG=$apt/apt.conf
private=(-o Dir::State::status="$apt/status" -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache"
	-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts="$apt/etc/preferences.d"
	-o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Debug::NoLocking=1)
apt-get "${private[@]}" update -qq
apt-get "${private[@]}" install -y -qq --download-only "$package" >/dev/null

for deb in "$apt"/cache/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --exclude='./dev/*'
done
for deb in "$apt"/cache/archives/"$package"_*.deb; do
	echo "$package $(dpkg-deb -f "$deb" Version) of $suite" >"$dir/version"
done

# Its own loader and libraries, so that the system's libc need not be as new.
cat >"$dir/run" <<'RUN'
#!/bin/sh
root=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
program=$1
shift
if [ -d "$root/usr/share/nvim/runtime" ]; then
	VIMRUNTIME=$root/usr/share/nvim/runtime
	export VIMRUNTIME
fi
if [ -d "$root/usr/lib/helix/runtime" ]; then
	HELIX_RUNTIME=$root/usr/lib/helix/runtime
	export HELIX_RUNTIME
fi
libs=$(echo "$root"/usr/lib/*-linux-gnu)
for loader in "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.*; do
	[ -e "$loader" ] && exec "$loader" --library-path "$libs" "$root/usr/bin/$program" "$@"
done
echo "run: no loader in $root" >&2
exit 1
RUN
chmod +x "$dir/run"
