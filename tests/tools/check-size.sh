#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/tools/check-size.sh: tools/check-size measures functions, files and headers, and its list of
# exceptions can only shrink.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/tools/expect.sh
. tests/tools/expect.sh
tool=tools/check-size

# function_of N TEXT: a function f of N + 3 lines.
function_of() {
    echo 'int f(int x)'
    echo '{'
    awk -v n="$1" -v text="$2" 'BEGIN { for (i = 0; i < n; i++) print text }'
    echo '}'
}

fresh() {
    new_tree
    put src/a/ok.h 'struct q { _Alignas(64) _Atomic(struct n *) _top; };'
    mkdir -p "$tree/tools"
    function_of 57 '    x++;' >"$tree/src/a/ok.c"
}

lines() {
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "extern int x" i ";" }'
}

except() {
    put tools/size-exceptions.txt '# a comment' "$1"
}

fresh && expect_clean 'a clean tree'
fresh && function_of 58 '    x++;' >"$tree/src/a/b.c" && expect_bad 'a function of 61 lines' \
    'src/a/b.c:f: function-lines 61, at most 60'
fresh && function_of 12 '    if (x) x++;' >"$tree/src/a/b.c" && expect_bad 'a complex function' \
    'src/a/b.c:f: complexity 13, at most 12'
fresh && function_of 11 '    if (x) x++;' >"$tree/src/a/b.c" && expect_clean 'complexity 12'
fresh && put src/a/b.c 'struct x {' && expect_bad 'what pmccabe cannot read' 'pmccabe: "src/a/b.c"'
fresh && lines 601 >"$tree/src/a/b.c" && expect_bad 'a file of 601 lines' \
    'src/a/b.c: lines 601, at most 600'
fresh && lines 201 >"$tree/src/a/b.h" && expect_bad 'a header of 201 lines' \
    'src/a/b.h: lines 201, at most 200'
fresh && mkdir "$tree/include" && lines 400 >"$tree/include/peal.h" &&
    expect_clean 'a public header of 400 lines'
fresh && mkdir "$tree/include" && lines 401 >"$tree/include/peal.h" &&
    expect_bad 'a public header of 401 lines' 'include/peal.h: lines 401, at most 400'
fresh && lines 601 >"$tree/src/a/b.c" && except 'lines src/a/b.c 700 one table, read as a whole' &&
    expect_clean 'an exception with its reason'
fresh && lines 701 >"$tree/src/a/b.c" && except 'lines src/a/b.c 700 one table, read as a whole' &&
    expect_bad 'an exception that is outgrown' 'src/a/b.c: lines 701, at most 700'
fresh && except 'lines src/a/ok.c 700 one table, read as a whole' &&
    expect_bad 'an exception that is no longer needed' 'no longer needed: lines src/a/ok.c'
fresh && function_of 58 '    x++;' >"$tree/src/a/b.c" && except 'function-lines src/a/b.c:f 61' &&
    expect_bad 'an exception without a reason' 'the reason in words'
done_testing
