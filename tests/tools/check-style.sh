#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/tools/check-style.sh: tools/check-style passes a clean tree and names each kind of breach.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/tools/expect.sh
. tests/tools/expect.sh
tool=tools/check-style
spdx='/* SPDX-License-Identifier: MIT */'
column100=$(awk 'BEGIN { for (i = 0; i < 33; i++) s = s "/**"; print s "/" }')

# c NAME LINE...: a C file that begins as it should.
c() {
    name=$1
    shift
    put "$name" "$spdx" "$@"
}

fresh() {
    new_tree
    c src/base/mem.c 'void *mem_alloc(size_t n) { return malloc(n); }'
    c src/ws/decoder.h 'struct dec { int _state; /* and so on */ };'
    c src/ws/decoder.c 'int f(struct dec *d) { return d->_state; }' "$column100" \
        '/* malloc() and free() in a comment, d->_other' ' * "and" d->_another */' \
        'char *s = "free(x) ->_third";' 'x->free(y); mem_free(y); curl_slist_free_all(z);'
    c src/ws/decoder_of_frames.c 'int h(struct dec *d) { return d->_state; }'
    c src/ws/mask_priv.h 'struct mask { int _key; };'
    c src/ws/encoder.c 'int g(struct mask *m) { return m->_key; } /* TO''DO(#12): more */' \
        '/* ä column counts once, not its bytes: äääääääääääääääääääääääääääääääääääääääääääääääää */'
    put dev '#!/bin/sh' '# SPDX-License-Identifier: MIT'
    put docs/a.md 'see https://example.com/wo''rks/ and ./wo''rk/ here'
    put tests/e2e/package-lock.json '"integrity": "sha512-x"'
}

fresh && expect_clean 'a clean tree'
fresh && put examples/a/app/User.php '<?php' && expect_clean 'an example, to be copied'
fresh && put examples/a/storage/logs/a.log 'in /''work/main' && expect_clean 'what an example writes'
fresh && put examples/a/app/User.php '<?php ' && expect_bad 'an example with white space at the end' \
    'at the end: examples/a/app/User.php:1'
fresh && c src/a/b.c "$(printf '\tint x;')" && expect_bad 'a tab' 'tab: src/a/b.c:2'
fresh && c src/a/b.c 'int x; ' && expect_bad 'white space at the end' 'at the end: src/a/b.c:2'
fresh && c src/a/b.c "/$column100" && expect_bad '101 columns' '100 columns: src/a/b.c:2'
fresh && c src/a/b.c '/* TO''DO: more */' && expect_bad 'a to-do without number' 'src/a/b.c:2'
fresh && put src/a/b.c 'int x;' && expect_bad 'a C file without SPDX line' 'no SPDX line: src/a/b.c'
fresh && put tests/e2e/run.js '1;' && expect_bad 'a JavaScript file without SPDX line' \
    'no SPDX line: tests/e2e/run.js'
for call in 'malloc(1)' 'calloc (1, 1)' 'realloc(p, 2)' 'free(p)' 'strdup("x")'; do
    fresh && c src/a/b.c "    p = $call;" && expect_bad "$call" \
        'only base/mem.c allocates: src/a/b.c:2'
done
fresh && c src/ws/encoder.c 'd->_state = 1;' && expect_bad 'a field of another module' \
    'field _state of another module: src/ws/encoder.c:2'
fresh && c src/ws/decoders.c 'd->_state = 1;' && expect_bad 'a field of a module with a like name' \
    'field _state of another module: src/ws/decoders.c:2'
fresh && c tests/unit/ws/test_decoder.c '(void)d._state;' && expect_bad 'a field used by a test' \
    'field _state of another module: tests/unit/ws/test_decoder.c:2'
fresh && c src/hub/a.c 'm->_key;' && expect_bad 'a field of a private header of another folder' \
    'field _key of another module: src/hub/a.c:2'
fresh && put docs/b.md 'cd /''work/main' && expect_bad 'a path of a machine' 'machine: docs/b.md:1'
fresh && put tests/e2e/package-lock.json '  "resol''ved": "https://host/x.tgz"' &&
    expect_bad 'a lock file with addresses' 'registry: tests/e2e/package-lock.json:1'
done_testing
