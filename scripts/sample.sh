#!/usr/bin/env bash
# sample.sh: puts the sample project of testdata/sample together in build/sample, and checks it.
# It fails unless `check` finds what there is to find.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
sample=build/sample
rm -rf "$sample"
mkdir -p "$sample/models"
cp testdata/sample/app.py "$sample/"
"${GO:-go}" run ./internal/modeltest/assemble "$sample/models" testdata/sample/models.txtar

# A hub cache as huggingface_hub lays it out: refs, snapshots of links, blobs.
commit=0123456789abcdef0123456789abcdef01234567
repo=$sample/hub/models--acme--tiny-encoder
mkdir -p "$repo/refs" "$repo/blobs" "$repo/snapshots/$commit"
printf %s "$commit" >"$repo/refs/main"
blob=$(sha256sum "$sample/models/model.safetensors" | cut -d' ' -f1)
mv "$sample/models/model.safetensors" "$repo/blobs/$blob"
ln -s "../../blobs/$blob" "$repo/snapshots/$commit/model.safetensors"

color=never
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then color=always; fi # check writes into a pipe
cd "$sample"
export HF_HUB_CACHE=$PWD/hub
status=0
echo "\$ secure-torch check app.py"
"$root/bin/secure-torch" check --color="$color" app.py | tee check.txt || status=${PIPESTATUS[0]}
if [ "$status" != 1 ]; then
	echo "make run: check ended with exit code $status, and should have found the payload in evil.pt (1)" >&2
	exit 1
fi
grep -q "posix.system('echo pwned')" check.txt || { echo "make run: the call is not named" >&2; exit 1; }
echo
echo "Exit code 1, as it should be: evil.pt would run a command. Nothing was run."
