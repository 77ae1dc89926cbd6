#!/usr/bin/env bash
# The package in every Python that it supports, each in a venv of its own with numpy and without torch; then the whole
# suite with Debian 13's torch 2.6 (python/run-tests.sh runs it with the system's), and with the newest torch that Debian has;
# before them sentence-transformers with a real model, on the system's torch.
# A Python that is not there fails the run. PYTHONS names other ones, SUITES other releases of Debian. WHEEL names a wheel to
# test; otherwise one is built here, out of the source distribution.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=.cache/matrix
mkdir -p "$cache"
pins=$(grep -E '^(pytest|hypothesis)==' python/tests/requirements.txt)

find_python() { # a release's interpreter: on the PATH, or one that pyenv built
  command -v "python$1" && "python$1" -c '' 2>/dev/null && return
  ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python 2>/dev/null | sort -V | tail -1
}

if [ -z "${WHEEL:-}" ]; then
  rm -rf "$cache/dist"
  [ -x "$cache/build/bin/python" ] || "$(find_python 3.11 | tail -1)" -m venv "$cache/build"
  "$cache/build/bin/pip" install -q --disable-pip-version-check "$(grep '^hatchling==' python/tests/requirements.txt)"
  "$cache/build/bin/hatchling" build -t sdist -d "$cache/dist"
  "$cache/build/bin/pip" wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w "$cache/dist" "$cache"/dist/*.tar.gz
  WHEEL=$(ls "$cache"/dist/*.whl)
fi
echo "wheel: $(basename "$WHEEL")"

for version in ${PYTHONS-3.9 3.10 3.11 3.12 3.13}; do
  python=$(find_python "$version" | tail -1)
  [ -n "$python" ] || { echo "there is no Python $version: install it, or name those to test in PYTHONS" >&2; exit 1; }
  venv=$cache/$version
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
  # The newest pytest for Python 3.9 is not the pinned one.
  "$venv/bin/pip" install -q --disable-pip-version-check numpy pytest
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall "$WHEEL"
  echo "== $("$venv/bin/python" -VV), numpy $("$venv/bin/python" -c 'import numpy; print(numpy.__version__)')"
  "$venv/bin/python" -m pytest -p no:cacheprovider python/tests_plain
done

# In a venv of its own: it wants newer transformers than the one whose loading runs a payload, which the other tests want.
venv=$cache/sentence requirements=python/tests/requirements-sentence-transformers.txt
[ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv --system-site-packages "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -r "$requirements"
"$venv/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall "$WHEEL"
echo "== $(tr '\n' ' ' <"$requirements")"
"$venv/bin/python" -m pytest -p no:cacheprovider python/tests/test_sentence_transformers.py

# A release of Debian has one Python, which starts with that release's loader and libraries.
for suite in ${SUITES-trixie forky}; do
  root=$cache/$suite
  editors/tools/debroot.sh "$suite" python3-torch "$root"
  site=$cache/$suite-site own=$cache/$suite-own # apart: pip puts the scripts of one call into a folder
  rm -rf "$site" "$own"
  python=$(ls "$root"/usr/bin/python3.?? | tail -1)
  libs=$(echo "$root"/usr/lib/*-linux-gnu)
  for loader in "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.*; do
    [ ! -e "$loader" ] || break
  done
  # shellcheck disable=SC2086 # one word per pin
  "$cache/3.13/bin/pip" install -q --disable-pip-version-check --target "$site" --only-binary :all: \
    --python-version "${python##*python}" $pins safetensors joblib
  "$cache/3.13/bin/pip" install -q --disable-pip-version-check --no-deps --target "$own" "$WHEEL"
  # This interpreter can't start itself without its loader, and these start it; or they need packages that are not there.
  ignored=()
  for name in diffusers hostile huggingface others sandbox sentence_transformers; do ignored+=(--ignore "python/tests/test_$name.py"); done
  PYTHONHOME=$root/usr PYTHONPATH=$own:$site:$root/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 \
    "$loader" --library-path "$libs:$root/usr/lib:$libs/blas:$libs/lapack" "$python" -m pytest -p no:cacheprovider \
    "${ignored[@]}" "$@" python/tests
done
