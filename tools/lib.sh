# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# tools/lib.sh: what the sub-commands of ./dev share: messages, packages, building, lists of files.
# Sourced with the root of the repository as working directory.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "dev: $*"
    exit 1
}

# The entries of tools/packages.txt for the given groups, one a line.
packages_of() {
    for group in "$@"; do
        sed -n "s/^$group:  *//p" tools/packages.txt
    done | tr -s ' ' '\n'
}

installed() {
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) in
    ii*) return 0 ;;
    *) return 1 ;;
    esac
}

# The version in the name of the package that `clang` stands for, now or once it is installed.
clang_version() {
    if command -v clang >/dev/null; then
        clang -dumpversion | cut -d. -f1
    else
        apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p'
    fi
}

# Prints the package of an entry when it is missing.
missing_of() {
    case $1 in
    */*)
        command -v "${1#*/}" >/dev/null || installed "${1%/*}" || echo "${1%/*}"
        ;;
    *CLANG*)
        package=$(echo "$1" | sed "s/CLANG/$(clang_version)/")
        # Older releases have the run-time inside of what clang depends on, and no such package.
        installed "$package" || ! apt-cache show "$package" >/dev/null 2>&1 || echo "$package"
        ;;
    *) installed "$1" || echo "$1" ;;
    esac
}

missing() {
    packages_of "$@" | while read -r entry; do
        missing_of "$entry"
    done | tr '\n' ' '
}

apt() {
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "not root and no sudo; as root, run: apt-get $*"
        sudo=sudo
    fi
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >>build/apt.log 2>&1
}

# Updates the package lists, at most once a run.
apt_update() {
    [ -z "${apt_updated:-}" ] || return 1
    say "updating the package lists"
    apt_updated=1
    apt update
}

# need GROUP...: installs the packages of these groups that are missing; no apt where none is.
need() {
    if ! command -v dpkg-query >/dev/null; then
        say "dev: not Debian or Ubuntu; these packages or their like must be there:" \
            "$(packages_of "$@" | tr '\n' ' ')"
        return 0
    fi
    [ -n "$(missing "$@")" ] || return 0
    mkdir -p build
    : >build/apt.log
    # The lists are missing in a new container; the names above depend on them, too.
    apt-cache show build-essential >/dev/null 2>&1 || apt_update || need_failed
    packages=$(missing "$@")
    say "installing: $packages"
    # shellcheck disable=SC2086 # a list of words
    apt install --no-install-recommends $packages && return 0
    # Out-of-date lists name files that the mirror no longer has.
    # shellcheck disable=SC2086
    apt_update && apt install --no-install-recommends $packages && return 0
    need_failed
}

need_failed() {
    tail -n 20 build/apt.log >&2
    die "apt-get failed, see build/apt.log"
}

# newer A B: A was written after B, or there is no B.
newer() {
    [ ! -e "$2" ] || [ -n "$(find "$1" -newer "$2")" ]
}

# build PRESET [TARGET...]: configures where that is due, and builds. One at a time in this tree.
build() {
    mkdir -p build
    build_in_turn "$@" 9>build/.lock
}

build_in_turn() {
    if ! flock -n 9; then
        say "another build is at work in this folder; waiting for it"
        flock 9
    fi
    build_alone "$@" 9>&-
}

build_alone() {
    preset=$1
    shift
    if newer CMakePresets.json "build/$preset/build.ninja"; then
        cmake --preset "$preset" || return 1
    fi
    [ $# -gt 0 ] || set -- all
    cmake --build "build/$preset" --parallel "$(nproc)" --target "$@"
}

# The dashboard's page, in build/dashboard, for the build to take in. A machine where it cannot be
# made gets a server without it.
dashboard() {
    made=build/dashboard/index.html
    [ -e "$made" ] && [ -z "$(find dashboard -name node_modules -prune -o -newer "$made" -print)" ] &&
        return 0
    (need dashboard) || return 0
    mkdir -p build
    say "building the dashboard"
    (cd dashboard && npm ci --no-audit --no-fund &&
        PEAL_DASHBOARD_OUT=../build/dashboard npm run build) >build/dashboard.log 2>&1 && return 0
    say "the dashboard was not built (see build/dashboard.log); the server is built without it"
    rm -rf build/dashboard
}

# Our C files: no build product, nothing of others.
c_files() {
    find src tests bench -type d \( -name node_modules -o -name vendor -o -name corpus \) -prune \
        -o -type f -name '*.[ch]' -print | sort
}

# The names of the fuzz targets.
fuzz_targets() {
    for file in tests/fuzz/fuzz_*.c; do
        if [ -e "$file" ]; then basename "$file" .c; fi
    done
}

# fuzz_one NAME SECONDS: runs a libFuzzer target over its corpus. What it finds goes to
# build/fuzz/new/NAME, what breaks it to build/fuzz/broken/NAME.
fuzz_one() {
    new=build/fuzz/new/$1
    broken=build/fuzz/broken/$1
    mkdir -p "$new" "$broken"
    dict=tests/fuzz/dict/$1.dict
    set -- "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -report_slow_units=60 \
        -verbosity=0 -print_final_stats=1 -artifact_prefix="$broken/" "$new" "tests/fuzz/corpus/$1"
    [ ! -e "$dict" ] || set -- "$@" "-dict=$dict"
    name=$1
    shift
    "build/fuzz/tests/$name" "$@"
}
