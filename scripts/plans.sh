#!/usr/bin/env bash
# Holds the plans (which files a call reads) against what the libraries themselves open: Debian 13's torch and torchvision, in
# .cache/plans, with the newest of the libraries that internal/repo/plan has tables of. Arguments go to go test.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/plans
root=$cache/trixie site=$cache/site
editors/tools/debroot.sh trixie python3-torchvision "$root"
stamp=$site/requirements.txt
cmp -s scripts/plans-requirements.txt "$stamp" || {
	rm -rf "$site"
	[ -x "$cache/pip/bin/python" ] || python3 -m venv "$cache/pip"
	# Without what they ask for: torch and what Debian has beside it are there, the rest is listed.
	"$cache/pip/bin/pip" install -q --disable-pip-version-check --target "$site" --only-binary :all: --python-version 3.13 --no-deps \
		-r scripts/plans-requirements.txt
	cp scripts/plans-requirements.txt "$stamp"
}
cat >"$cache/python" <<RUN
#!/bin/sh
libs=\$(echo "$root"/usr/lib/*-linux-gnu)
export PYTHONHOME="$root/usr" PYTHONPATH="$site:$root/usr/lib/python3/dist-packages"
for loader in "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.*; do
	[ -e "\$loader" ] && exec "\$loader" --library-path "\$libs:$root/usr/lib:\$libs/blas:\$libs/lapack" "$root/usr/bin/python3.13" "\$@"
done
RUN
chmod +x "$cache/python"
PLAN_PYTHON=$cache/python go test -count=1 -timeout 30m -run TestLibraries -v "$@" ./internal/repo/plan
