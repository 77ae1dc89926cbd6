#!/usr/bin/env bash
# bootstrap.sh WHAT...: installs what the Makefile's targets need and this machine lacks, and says so.
#   build    a C compiler's headers: libseccomp-dev
#   lint     luacheck
#   editors  Emacs with Eglot and lsp-mode, Vim with ALE
#   test     Neovim; torch, numpy and venv for /usr/bin/python3
#   python   what makes a venv of /usr/bin/python3
#   hub      PyPI's huggingface_hub, in a venv in .cache/hub, for the tests of the fake hub
# It does nothing, quickly, where everything is there. Debian and Ubuntu only: elsewhere it says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
want() { missing+=("$1"); }

for what in "$@"; do
	case "$what" in
	build)
		[ -e /usr/include/seccomp.h ] || want libseccomp-dev
		command -v cc >/dev/null || want gcc
		command -v pkg-config >/dev/null || want pkg-config
		;;
	test)
		command -v nvim >/dev/null || want neovim
		command -v openssl >/dev/null || want openssl
		/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || want python3-venv
		/usr/bin/python3 -c 'import numpy' 2>/dev/null || want python3-numpy
		/usr/bin/python3 -c 'import torch' 2>/dev/null || want python3-torch
		;;
	hub | python) /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || want python3-venv ;;
	editors)
		command -v emacs >/dev/null || want emacs-nox
		[ -e /usr/share/doc/elpa-eglot ] || want elpa-eglot
		[ -e /usr/share/doc/elpa-lsp-mode ] || want elpa-lsp-mode
		command -v vim.nox >/dev/null || want vim-nox
		[ -e /usr/share/doc/vim-ale ] || want vim-ale
		;;
	lint) command -v luacheck >/dev/null || want lua-check ;;
	*) echo "bootstrap.sh: unknown: $what" >&2; exit 2 ;;
	esac
done

if [ ${#missing[@]} -gt 0 ]; then
	if ! command -v apt-get >/dev/null; then
		echo "bootstrap.sh: please install (no apt-get here): ${missing[*]}" >&2
		exit 2
	fi
	sudo=()
	[ "$(id -u)" = 0 ] || sudo=(sudo)
	echo "bootstrap.sh: installing with apt-get: ${missing[*]}"
	"${sudo[@]}" apt-get update -qq
	DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

hub=.cache/hub huggingface_hub=huggingface_hub==2.4.0
if [[ " $* " == *" hub "* ]] && [ "$(cat $hub/installed 2>/dev/null)" != $huggingface_hub ]; then
	/usr/bin/python3 -m venv $hub
	$hub/bin/pip install -q --disable-pip-version-check $huggingface_hub
	echo $huggingface_hub >$hub/installed
fi
