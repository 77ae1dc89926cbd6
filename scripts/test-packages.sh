#!/usr/bin/env bash
# test-packages.sh: the wheels and the extensions of a release. All wheels are built, the one for this machine twice and
# from two places (the same bytes), and are looked into; it is installed in a new environment (beside torch, where there is one) and used. The extensions for all platforms are packed and looked into. They stay in dist.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
here=$(go env GOHOSTOS)/$(go env GOHOSTARCH)

echo "== wheels"
scripts/wheels.sh
WHEELS_DIR=$PWD/dist/wheels go test -count=1 -v -run '^TestWheels$' ./ci

echo "== twice the same bytes, from elsewhere"
mkdir "$work/elsewhere"
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$work/elsewhere"
(cd "$work/elsewhere" && OUT=$work/again WHEELS_VENV=$OLDPWD/.cache/wheels scripts/wheels.sh "$here" >/dev/null)
wheel=$(cd "$work/again" && echo *.whl)
cmp "dist/wheels/$wheel" "$work/again/$wheel"

echo "== installed and used"
printf "cposix\nsystem\n(S'echo pwned'\ntR." >"$work/evil.pt"
/usr/bin/python3 -m venv --system-site-packages "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-index "dist/wheels/$wheel"
cd "$work"
venv/bin/secure-torch version
code=0
venv/bin/secure-torch scan --no-cache evil.pt || code=$?
[ "$code" = 1 ]
venv/bin/python - <<'PY'
import pickle

import secure_torch as st

with open("good.pkl", "wb") as f:
    pickle.dump({"w": [1.0, 2.0]}, f)
assert st.load("good.pkl") == {"w": [1.0, 2.0]}
try:
    import torch
except ImportError:
    print("no torch here: tensors were not loaded")
else:
    torch.save({"w": torch.arange(6.0)}, "good.pt")
    assert torch.equal(st.load("good.pt")["w"], torch.arange(6.0))
try:
    st.load("evil.pt")
except st.UnsafeModelError as refused:
    print("refused:", refused)
else:
    raise SystemExit("evil.pt was loaded")
PY
cd - >/dev/null

echo "== extensions"
rm -rf dist/vscode
make -s vscode TARGETS=all
VSIX_DIR=$PWD/dist/vscode go test -count=1 -v -run '^TestExtensions$' ./ci
