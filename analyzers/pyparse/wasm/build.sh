#!/bin/sh
# build.sh OUT.wasm: compiles tree-sitter's Python grammar and flatten.c to WebAssembly, with the zig that
# `pip install ziglang==0.17.1` brings (ZIG: how to call it). The result is committed as python.wasm;
# `make wasm-check` builds it anew and compares.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
library=$(go list -m -f '{{.Dir}}' github.com/tree-sitter/go-tree-sitter)
grammar=$(go list -m -f '{{.Dir}}' github.com/tree-sitter/tree-sitter-python)
# __CYGWIN__ keeps tree-sitter from including an endian.h that WASI does not have.
${ZIG:-python3 -m ziglang} cc -target wasm32-wasi -Os -mexec-model=reactor -D__CYGWIN__ -DNDEBUG -s \
	-I"$library/include" -I"$library/src" -I"$grammar/src" -o "$1" \
	"$library/src/lib.c" "$grammar/src/parser.c" "$grammar/src/scanner.c" ../flatten.c \
	-Wl,--export=st_parse,--export=st_setup,--export=st_symbol,--export=st_field,--export=st_free,--export=malloc,--export=free
rm -f "${1%.wasm}.lib"
