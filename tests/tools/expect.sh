# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# tests/tools/expect.sh: small trees to try the checkers of tools/ on. Sourced; $tool is the checker.

tree=
broken=0
trap 'rm -rf "$tree"' EXIT

# An empty tree in $tree.
new_tree() {
    rm -rf "$tree"
    tree=$(mktemp -d)
}

# put FILE LINE...: writes a file of the tree.
put() {
    file=$tree/$1
    shift
    mkdir -p "${file%/*}"
    printf '%s\n' "$@" >"$file"
}

expect_clean() {
    if output=$("${tool:?}" "$tree" 2>&1) && [ -z "$output" ]; then
        echo "ok   $1"
        return
    fi
    broken=1
    echo "FAIL $1: $output"
}

# expect_bad WHAT TEXT: the checker fails, and says TEXT and nothing about other lines.
expect_bad() {
    if output=$("${tool:?}" "$tree" 2>&1); then
        broken=1
        echo "FAIL $1: passed"
        return
    fi
    case $output in
    *"
"*) ;;
    *"$2"*)
        echo "ok   $1"
        return
        ;;
    esac
    broken=1
    echo "FAIL $1: expected '$2', got: $output"
}

done_testing() {
    exit "$broken"
}
