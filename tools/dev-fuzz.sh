#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./dev fuzz [--seconds N] [NAME...]: runs the fuzz targets (all, or those named) N seconds each,
# from their corpus. New inputs stay in build/fuzz/new/; an input that breaks a target is copied
# into its corpus, where it is a test from then on: commit it together with the fix.
set -eu
# shellcheck source=tools/lib.sh
. tools/lib.sh

seconds=60
if [ "${1:-}" = --seconds ]; then
    seconds=${2:-}
    shift 2 || die "--seconds takes a number"
fi
case $seconds in
'' | *[!0-9]*) die "--seconds takes a number, not '$seconds'" ;;
esac

need build fuzz
build fuzz fuzzers >&2
[ $# -gt 0 ] || {
    # shellcheck disable=SC2046 # a list of words
    set -- $(fuzz_targets)
}
passed=0
failed=0
for target in "$@"; do
    [ -e "tests/fuzz/$target.c" ] || die "no fuzz target '$target'; there are: $(fuzz_targets | xargs)"
    echo "== $target, $seconds s"
    rm -rf "build/fuzz/broken/$target"
    if fuzz_one "$target" "$seconds"; then
        echo "ok   $target"
        passed=$((passed + 1))
        continue
    fi
    echo "FAIL $target"
    failed=$((failed + 1))
    for input in "build/fuzz/broken/$target"/*; do
        [ -e "$input" ] || continue
        cp "$input" "tests/fuzz/corpus/$target/"
        echo "     tests/fuzz/corpus/$target/$(basename "$input")"
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
