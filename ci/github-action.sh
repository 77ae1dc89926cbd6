#!/usr/bin/env bash
# github-action.sh: what action.yml runs. Its inputs come as VERB, PATHS, FAIL_ON, ARGS, SARIF, VERSION and PROGRAM.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case "$VERB" in
check | scan) ;;
*)
	echo "::error::verb is check or scan, not $VERB"
	exit 2
	;;
esac
program=${PROGRAM:-}
if [ -z "$program" ]; then
	[ -n "${VERSION:-}" ] || { echo "::error::give the release to install as version"; exit 2; }
	sh "$here/../scripts/install.sh" --version "$VERSION" --to "$RUNNER_TEMP/secure-torch" || exit 2
	program=$RUNNER_TEMP/secure-torch/secure-torch
fi
args=()
while IFS= read -r line; do [ -z "$line" ] || args+=("$line"); done <<<"${ARGS:-}"
paths=()
while IFS= read -r line; do [ -z "$line" ] || paths+=("$line"); done <<<"$PATHS"
"$program" "$VERB" --format sarif -o "$SARIF" --fail-on "$FAIL_ON" "${args[@]}" -- "${paths[@]}"
code=$?
# A second time for the log: what check finds as annotations, which need no permission to upload, and scan's in words.
# Results are cached, so that this costs little.
words=()
[ "$VERB" = scan ] || words=(--format github)
"$program" "$VERB" "${words[@]}" --fail-on "$FAIL_ON" "${args[@]}" -- "${paths[@]}"
printf 'sarif=%s\nexit-code=%d\n' "$SARIF" "$code" >>"$GITHUB_OUTPUT"
exit "$code"
