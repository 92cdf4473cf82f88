#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./dev bench [NAME...] [options]: builds the release preset and runs the benchmark (bench/run.c).
# docs/internals/bench.md says what its figures mean, docs/performance.md what they were. NAME may
# also be one of the programs bench/bench_NAME.c, which measure single parts.
set -eu
# shellcheck source=tools/lib.sh
. tools/lib.sh

need build
if [ $# -gt 0 ] && [ -e "bench/bench_$1.c" ]; then
    name=bench_$1
    shift
    build release "$name" >&2
    exec "build/release/bench/$name" "$@"
fi
case " $* " in *" callgrind "*) need bench ;; esac
build release peal floor bench >&2
commit=$(git rev-parse --short HEAD 2>/dev/null || true)
[ -z "$commit" ] || git diff --quiet HEAD -- src bench ':!bench/baselines' cmake CMakeLists.txt || commit=$commit+
exec build/release/bench/bench --commit "$commit" --baselines "$PWD/bench/baselines" "$@"
