#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./dev check [--quick|--full]: all checks and tests, quickest first. One line for each, "ok   name"
# or "FAIL name" with the end of its output; the logs stay in build/check/. The last line is always
# "N passed, N failed". Where the tree has no order (stage 1) or does not build and pass its unit
# tests (stage 2), what follows would only repeat it, so the run ends there.
set -eu
# shellcheck source=tools/lib.sh
. tools/lib.sh

mode=normal
case ${1:-} in
'') ;;
--quick) mode=quick ;;
--full) mode=full ;;
*)
    say "usage: ./dev check [--quick|--full]"
    exit 64
    ;;
esac

logs=build/check
passed=0
failed=0
began=$(date +%s)
stage_began=

pass() {
    passed=$((passed + 1))
    echo "ok   $1"
}

fail() {
    failed=$((failed + 1))
    echo "FAIL $1"
}

stage() {
    end_stage
    stage_began=$(date +%s)
    echo "== $1"
}

end_stage() {
    [ -z "$stage_began" ] || echo "-- $(($(date +%s) - stage_began)) s"
    stage_began=
}

finish() {
    status=$?
    trap - EXIT
    end_stage
    # A script that broke off is no success, whatever had passed before.
    if [ "$status" -ne 0 ]; then fail "the check itself (exit $status)"; fi
    echo "$(($(date +%s) - began)) s in all"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

log_name() {
    echo "$logs/$(echo "$1" | tr -c 'A-Za-z0-9.\n-' _).log"
}

show() {
    tail -n 80 "$1" | sed 's/^/    /'
    echo "    (all of it: $1)"
}

# check NAME COMMAND...: one check; its output is shown when it fails.
check() {
    name=$1
    shift
    log=$(log_name "$name")
    if "$@" >"$log" 2>&1 </dev/null; then
        pass "$name"
    else
        fail "$name"
        show "$log"
        return 1
    fi
}

# tests PRESET NAME [CTEST OPTION...]: the CTest tests of a build, each a line of its own.
tests() {
    preset=$1
    name=$2
    shift 2
    xml=$PWD/$logs/$name.xml
    log=$(log_name "$name")
    rm -f "$xml"
    $no_aslr ctest --test-dir "build/$preset" --parallel "$(nproc)" --output-on-failure \
        --no-tests=error --output-junit "$xml" "$@" >"$log" 2>&1 </dev/null && ctest_ok=1 || ctest_ok=
    before=$failed
    # One <testcase name="..." ... status="run|fail|disabled|notrun"> a test.
    [ ! -e "$xml" ] || sed -n 's/.*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\2 \1/p' \
        "$xml" >"$xml.list"
    [ -e "$xml" ] || : >"$xml.list"
    while read -r status test; do
        case $status in
        run) pass "$name $test" ;;
        disabled) echo "skip $name $test" ;;
        *) fail "$name $test" ;;
        esac
    done <"$xml.list"
    [ -n "$ctest_ok" ] || [ "$failed" -gt "$before" ] || fail "$name: ctest"
    [ -n "$ctest_ok" ] || show "$log"
}
no_aslr=

# lines NAME COMMAND...: a test program that says "ok ..." and "not ok ..." (or FAIL) itself.
lines() {
    name=$1
    shift
    log=$(log_name "$name")
    "$@" >"$log" 2>&1 </dev/null && program_ok=1 || program_ok=
    before=$((passed + failed))
    failed_before=$failed
    sed -n -e 's/^ok  *\([0-9][0-9]*  *\)\{0,1\}\(- \)\{0,1\}/pass /p' \
        -e 's/^\(not ok\|FAIL\)  *\([0-9][0-9]*  *\)\{0,1\}\(- \)\{0,1\}/fail /p' "$log" >"$log.list"
    while read -r verdict test; do
        "$verdict" "$name $test"
    done <"$log.list"
    if [ -z "$program_ok" ] && [ "$failed" -eq "$failed_before" ]; then fail "$name: its exit code"; fi
    if [ "$((passed + failed))" -eq "$before" ]; then fail "$name: ran no test"; fi
    [ "$failed" -eq "$failed_before" ] || show "$log"
}

format_is_clean() {
    version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
    if [ "$version" -ne 14 ]; then
        echo "formatted by clang-format 14; this is $version, which would quarrel; not looked at"
        return 0
    fi
    c_files | xargs clang-format --dry-run -Werror
}

shell_scripts() {
    find dev .ci tools tests/tools clients/laravel/tests/run -type f | sort | while read -r file; do
        case $(head -n 1 "$file") in
        '#!'*sh | '# shellcheck shell='*) echo "$file" ;;
        esac
    done
}

shell_is_clean() {
    shell_scripts | xargs shellcheck -x
}

tree_has_order() {
    stage "1. order: layers, sizes, style"
    for tool in layers size style; do
        check "check-$tool" "tools/check-$tool" || true
    done
    for test in tests/tools/check-*.sh; do
        check "test of $(basename "$test" .sh)" sh "$test" || true
    done
    check clang-format format_is_clean || true
    check codespell codespell dev .ci tools src tests bench clients ./*.md docs || true
    check shellcheck shell_is_clean || true
    [ "$failed" -eq 0 ]
}

unit_tests_pass() {
    stage "2. build with ASan and UBSan, unit tests"
    check "build dev" build dev || return 1
    check "generated docs" tools/gen-docs --check build/dev/peal || true
    tests dev asan
    [ "$failed" -eq 0 ]
}

# RFC 6455 case by case, against ws_echo and the server, and our parsers against those of others.
conformance() {
    stage "2b. conformance and differential tests, with ASan and UBSan"
    lines conformance node tests/conformance/run.js build/dev/ws_echo build/dev/peal
    lines differential node tests/differential/run.js build/dev/tests/verdict
}

threads() {
    stage "3. ThreadSanitizer"
    check "build tsan" build tsan threads || return 0
    # Its shadow memory and a randomised address space do not go together on newer kernels.
    if setarch -R true 2>/dev/null; then no_aslr="setarch -R"; fi
    tests tsan tsan -L threads
    no_aslr=
}

# run-clang-tidy colours its output and repeats each command line; only the findings are of use.
tidy() {
    status=0
    run-clang-tidy -quiet -j "$(nproc)" -p build/dev "$PWD/(src|tests|bench)/" \
        >"$logs/tidy.txt" 2>&1 || status=$?
    escape=$(printf '\033')
    sed -e "s/$escape\[[0-9;]*m//g" -e '/^clang-tidy/d' -e '/warnings\{0,1\} generated\.$/d' \
        "$logs/tidy.txt"
    return "$status"
}

static() {
    stage "4. static analysis"
    check clang-tidy tidy || true
    check cppcheck cppcheck --project=build/dev/compile_commands.json -j "$(nproc)" --quiet \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=ctuuninitvar `# takes an output argument for an input` \
        --cppcheck-build-dir="$logs" || true
}

fuzz() {
    stage "5. fuzz targets, $1 s each"
    check "build fuzz" build fuzz fuzzers || return 0
    for target in $(fuzz_targets); do
        check "$target" fuzz_one "$target" "$1" || true
    done
}

# Only a build from nothing shows all warnings; later ones are right as far as they go.
build_quietly() {
    build "$1" 2>&1 | tee "$logs/warnings.txt"
    [ -e "build/$1/peal" ] && ! grep -E 'warning:|^FAILED:|^ninja: error' "$logs/warnings.txt"
}

node_packages() {
    newer tests/e2e/package-lock.json tests/e2e/node_modules/.package-lock.json || return 0
    (cd tests/e2e && npm ci --no-audit --no-fund)
}

php_packages() {
    newer tests/e2e/php/composer.json tests/e2e/php/vendor/autoload.php || return 0
    (cd tests/e2e/php && COMPOSER_ALLOW_SUPERUSER=1 composer install --no-interaction \
        --no-progress && touch vendor/autoload.php)
}

# end_to_end BINARY [OPTION]: the real program and real clients.
end_to_end() {
    [ -e tests/e2e/run.js ] || return 0
    if [ -e tests/e2e/package-lock.json ]; then check "npm packages" node_packages || return 0; fi
    if [ -e tests/e2e/php/composer.json ]; then check "composer packages" php_packages || return 0; fi
    lines e2e node tests/e2e/run.js "$@"
}

dashboard_is_built() {
    dashboard && [ -e build/dashboard/index.html ]
}

release() {
    stage "6. release build, end to end"
    check "build dashboard" dashboard_is_built || true
    check "build release" build_quietly release || return 0
    if [ "$mode" = full ]; then
        end_to_end build/release/peal --full
    else
        end_to_end build/release/peal
    fi
    check "benchmark, the short way" build/release/bench/bench --short --rounds 1 || true
    check "simulation, a thousand connections" build/release/bench/bench_simulation 1000 || true
}

packages() {
    stage "7. packages: made, installed, started"
    check "./dev package" sh tools/dev-package.sh || return 0
    lines packaging node tests/e2e/run.js build/release/peal --dir tests/packaging
}

# The Composer package in real Laravel applications, each major version that PHP here can run.
laravel() {
    stage "8. the Laravel package"
    lines laravel clients/laravel/tests/run
}

browser_packages() {
    newer tests/browser/package-lock.json tests/browser/node_modules/.package-lock.json || return 0
    (cd tests/browser && npm ci --no-audit --no-fund)
}

# People at Chromium: at the dashboard, and in the application that ./dev example laravel starts. The
# stage before has built the server and what the tests share with it.
browser() {
    stage "9. the dashboard and the example in a browser"
    check "npm packages of the browser tests" browser_packages || return 0
    lines dashboard node tests/e2e/run.js build/release/peal --dir tests/dashboard --jobs 2
    check "./dev example laravel --prepare" sh tools/dev-example.sh laravel --prepare || return 0
    lines browser node tests/e2e/run.js build/release/peal --dir tests/browser --jobs 2
}

memcheck() {
    stage "10. valgrind"
    check "build debuginfo" build debuginfo || return 0
    # "Possibly lost" is the stack of a thread that glibc has not yet taken back.
    for program in build/debuginfo/tests/*_test_*; do
        [ -x "$program" ] || continue
        check "valgrind $(basename "$program")" sh -c "cd tests && exec timeout 600 valgrind -q \
            --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 ../$program" || true
    done
}

coverage() {
    stage "11. coverage of the pure layers"
    check "build cov" build cov || return 0
    tests cov cov
    check "95 % of lines" gcovr --root . --filter 'src/(http|ws|pusher|hub|api)/' \
        --exclude-unreachable-branches --fail-under-line 95 --print-summary build/cov || true
    tail -n 12 "$(log_name "95 % of lines")"
}

second_compiler() {
    stage "12. clang"
    check "build clang" build clang || return 0
    tests clang clang
}

# Its figure is memory, which other work on the machine does not change.
soak() {
    stage "13. soak"
    check "memory does not grow over twenty minutes of coming and going" sh -c '
        build/release/bench/bench soak --json >build/check/soak.json && cat build/check/soak.json &&
            ! grep "\"met\":false" build/check/soak.json' || true
}

groups="build unit format fuzz check"
[ "$mode" != full ] || groups="$groups full"
# shellcheck disable=SC2086 # a list of words
need $groups
mkdir -p "$logs"
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
[ ! -e tests/tsan.supp ] || TSAN_OPTIONS=$TSAN_OPTIONS:suppressions=$PWD/tests/tsan.supp
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tree_has_order || exit 0
unit_tests_pass || exit 0
conformance
if [ "$mode" = quick ]; then
    stage "6. end to end, the short way"
    end_to_end --quick build/dev/peal
    exit 0
fi
threads
static
if [ "$mode" = full ]; then fuzz 60; else fuzz 5; fi
release
packages
laravel
browser
[ "$mode" = full ] || exit 0
memcheck
coverage
second_compiler
soak
