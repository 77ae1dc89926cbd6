#!/usr/bin/env bash
# install.sh: JupyterLab and jupyterlab-lsp, into .cache/jupyterlab.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv=$root/.cache/jupyterlab
cmp -s "$here/requirements.txt" "$venv/installed" && exit 0
"$root/scripts/bootstrap.sh" python
/usr/bin/python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/requirements.txt" "$venv/installed"
