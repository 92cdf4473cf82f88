#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./dev example laravel [options]: the application in examples/laravel with all that it needs: Peal, a
# queue worker, PHP's web server, built assets. Prints "example ready url=http://..." on a line of its
# own and runs until Ctrl-C, or until one of them ends. Each child has a process group of its own, so
# that its children go with it and Ctrl-C reaches this script only.
# shellcheck disable=SC2317 # what the trap calls
set -eu
# shellcheck source=tools/lib.sh
. tools/lib.sh

usage() {
    cat >&2 <<'END'
usage: ./dev example laravel [options]
  --host ADDRESS   where to listen (default 127.0.0.1; 0.0.0.0: for phones in the same network)
  --port PORT      the web server's port (default 8000); 0: free ports for it and for Peal
  --fresh          begin with a new database
  --no-worker      without the queue worker: queued events wait until you start one
  --prepare        install and build only
  --peal FILE      this program instead of one built from here
END
    exit 64
}

app=examples/laravel
host=127.0.0.1
port=8000
fresh=
worker=yes
prepare=
peal=
[ "${1:-}" = laravel ] || usage
shift
while [ $# -gt 0 ]; do
    case $1 in
    --host | --port | --peal)
        [ $# -gt 1 ] || usage
        case $1 in
        --host) host=$2 ;;
        --port) port=$2 ;;
        --peal) peal=$(realpath "$2") ;;
        esac
        shift
        ;;
    --fresh) fresh=yes ;;
    --no-worker) worker= ;;
    --prepare) prepare=yes ;;
    *) usage ;;
    esac
    shift
done

artisan() {
    (cd "$app" && exec php artisan --no-interaction "$@")
}

# random BYTES: as hexadecimal digits.
random() {
    od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'
}

install_packages() {
    if newer "$app/composer.json" "$app/vendor/autoload.php"; then
        say "installing Laravel with composer"
        (cd "$app" && COMPOSER_ALLOW_SUPERUSER=1 composer install --no-interaction --no-progress \
            --quiet && touch vendor/autoload.php)
    fi
    if newer "$app/package-lock.json" "$app/node_modules/.package-lock.json"; then
        say "installing Echo, pusher-js and Vite with npm"
        (cd "$app" && npm ci --no-audit --no-fund --silent)
    fi
}

build_assets() {
    if newer "$app/resources" "$app/public/build/app.js" ||
        newer "$app/package-lock.json" "$app/public/build/app.js"; then
        say "bundling the pages with Vite"
        (cd "$app" && npm run --silent build -- --logLevel warn)
    fi
    # Compiled before anybody asks: the web server's processes would write the same files at once.
    stamp=$app/storage/framework/views/.compiled
    if newer "$app/resources/views" "$stamp"; then
        artisan view:cache >&2
        touch "$stamp"
    fi
}

write_env() {
    [ ! -e "$app/.env" ] || return 0
    say "writing $app/.env, with new keys"
    sed "s/^PUSHER_APP_SECRET=.*/PUSHER_APP_SECRET=$(random 24)/" "$app/.env.example" >"$app/.env"
    artisan key:generate --quiet
}

write_database() {
    database=${DB_DATABASE:-$PWD/$app/database/database.sqlite}
    [ -z "$fresh" ] || rm -f "$database" "$database-wal" "$database-shm"
    if [ -s "$database" ]; then
        artisan migrate --force --quiet
    else
        : >"$database"
        artisan migrate --force --quiet --seed
    fi
}

# start NAME COMMAND...: in the background, in a process group of its own. The name is for people.
start() {
    name=$1
    shift
    (cd "$app" && exec setsid "$@") &
    children="$! $children"
    echo "$name" >"$run/name.$!"
}

# Which of them have ended, by name.
ended() {
    for child in $children; do
        kill -0 "$child" 2>/dev/null || cat "$run/name.$child"
    done | paste -s -d , - | sed 's/,/, /g'
}

all_alive() {
    for child in $children; do
        kill -0 "$child" 2>/dev/null || return 1
    done
}

any_alive() {
    for child in $children; do
        ! kill -0 "$child" 2>/dev/null || return 0
    done
    return 1
}

# signal NAME: to all children with their process groups, last started first.
signal() {
    for child in $children; do
        kill -s "$1" -- "-$child" 2>/dev/null || kill -s "$1" "$child" 2>/dev/null || true
    done
}

# Ends the children. The queue worker finishes its job; nobody gets more than 10 seconds.
stop() {
    trap '' INT TERM HUP
    signal TERM
    tries=100
    while any_alive && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    signal KILL
    rm -rf "$run"
}

# waits_for FILE PATTERN: sets `line` to the one that matches, once it is there. Not in a subshell: only
# the parent of a child that has ended sees that it has.
waits_for() {
    until line=$(grep -m 1 "$2" "$1" 2>/dev/null); do
        if ! all_alive; then
            cat "$1" >&2
            die "the example did not start. Does something else listen on its ports (./dev serve)? End it, or" \
                "take free ones: ./dev example laravel --port 0"
        fi
        sleep 0.1
    done
}

start_peal() {
    peal_port=$(sed -n 's/^PUSHER_PORT=//p' "$app/.env")
    admin=127.0.0.1:9601
    if [ "$port" = 0 ]; then
        peal_port=0
        admin=127.0.0.1:0
    fi
    start "Peal (websockets:serve)" env WEBSOCKETS_PEAL_BINARY="$peal" WEBSOCKETS_ADMIN="$admin" \
        php artisan websockets:serve --host="$host" --port="$peal_port" >"$run/peal"
    waits_for "$run/peal" '^peal ready '
    PUSHER_PORT=$(echo "$line" | sed 's/.* port=\([0-9]*\) .*/\1/')
    WEBSOCKETS_ADMIN=$(echo "$line" | sed 's/.* admin=\([^ ]*\) .*/\1/')
    export PUSHER_PORT WEBSOCKETS_ADMIN
}

start_web() {
    start "the web server" env PHP_CLI_SERVER_WORKERS=4 php -S "$host:$port" -t public server.php 2>"$run/web"
    waits_for "$run/web" ' started$'
    url=$(echo "$line" | sed 's/.*(\(http:[^)]*\)).*/\1/')
}

need example >&2
if [ -z "$peal" ]; then
    need build >&2
    build release >&2
    peal=$PWD/build/release/peal
fi
install_packages
write_env
build_assets
[ -z "$prepare" ] || exit 0
write_database

children=
run=$(mktemp -d)
trap stop EXIT
trap 'exit 0' INT TERM HUP
start_peal
start_web
if [ -n "$worker" ]; then
    start "the queue worker" php artisan queue:work --sleep=0.2 --tries=10 --backoff=1 >&2
else
    say "queued events wait. Start a worker with:" \
        "(cd $app && PUSHER_PORT=$PUSHER_PORT php artisan queue:work --sleep=0.2)"
fi
say "Log in as one person here and as another in a private window. Ctrl-C ends all."
echo "example ready url=$url"
while all_alive; do
    sleep 1 &
    wait $!
done
die "a part of the example has ended: $(ended)"
