#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./dev bench [NAME [args]]: builds the release preset and runs bench/bench_NAME.c, or all of them.
set -eu
# shellcheck source=tools/lib.sh
. tools/lib.sh

names() {
    for file in bench/bench_*.c; do
        if [ -e "$file" ]; then basename "$file" .c | sed 's/^bench_//'; fi
    done
}

run() {
    name=$1
    shift
    say "== $name"
    "build/release/bench/bench_$name" "$@"
}

[ -n "$(names)" ] || die "there is no benchmark yet (bench/bench_NAME.c)"
[ $# -eq 0 ] || [ -e "bench/bench_$1.c" ] || die "no benchmark '$1'; there are: $(names | xargs)"
need build
build release >&2
if [ $# -gt 0 ]; then
    run "$@"
    exit
fi
for bench in $(names); do
    run "$bench"
done
