#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/tools/check-layers.sh: tools/check-layers passes a clean tree and names each kind of breach.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/tools/expect.sh
. tests/tools/expect.sh
tool=tools/check-layers

fresh() {
    new_tree
    put src/layers.txt 'base:' 'net: base' 'http: base' 'hub: base' 'server: base net http hub' \
        '!pure: http hub' '!lock: hub/directory base'
    put src/base/lock.h '#include <pthread.h>'
    put src/http/url.h '#include "base/span.h"' '#include <stdint.h>' '#include "http/url_priv.h"'
    put src/hub/directory.h '#include "base/lock.h"'
    put src/hub/directory_roster.c '  #  include "base/lock.h"'
    put src/server/conn.c '#include "http/url.h" /* why */' '#include <sys/socket.h>'
}

fresh && expect_clean 'a clean tree'
fresh && put src/http/a.c '#include "net/sock.h"' && expect_bad 'an arrow that is not there' \
    'src/http/a.c:1: no arrow from http to net'
fresh && put src/base/a.c '' '#include "server/conn.h"' && expect_bad 'an upward call' \
    'src/base/a.c:2: no arrow from base to server'
for header in sys/socket.h unistd.h time.h errno.h pthread.h openssl/evp.h uv.h; do
    fresh && put src/http/a.h "#include <$header>" && expect_bad "<$header> in a pure folder" \
        "src/http/a.h:1: a pure folder may not include: <$header>"
done
for header in lock rand clock log; do
    fresh && put src/hub/channel.c "#include \"base/$header.h\"" && expect_bad \
        "base/$header.h in a pure folder" "channel.c:1: a pure folder may not include: base/$header.h"
done
fresh && put src/hub/directory.c '#include "base/clock.h"' && expect_bad \
    'the locking file may lock, no more' 'a pure folder may not include: base/clock.h'
fresh && put src/http/a.c '#include "url.h"' && expect_bad 'an include without folder' \
    'write includes from src/'
fresh && put src/http/a.c '#include "../net/a.h"' && expect_bad 'a relative include' \
    'write includes from src/'
fresh && put src/server/a.c '#include "http/url_priv.h"' && expect_bad 'a private header' \
    'private to http'
fresh && put src/other/a.c '#include <stdint.h>' && expect_bad 'a folder without row' \
    'the folder has no row'
fresh && rm "$tree/src/layers.txt" && expect_bad 'no layers file' 'cannot be read'
done_testing
