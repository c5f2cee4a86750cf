# context_matrix_test.sh - contexts under other compilers and other options.
#
# Runs context_test and context_fp_test with each back end, built by gcc and by
# clang with -O0 to -O3 and LTO; then those for aarch64, cross-built, under
# qemu-user.  Skips with a word what it has no tool for.  The number of rounds
# is small here, as there are many builds.
#
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CORTEN_TEST_SCALE:=0.01}"
export CORTEN_TEST_SCALE

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
skipped=
failed=0
builds=0

have() { command -v "$1" >"$scratch/path"; }

skip() {
    echo "skipped: $1"
    skipped=yes
}

# check BACK-END LAUNCHER COMPILER OPTION...
check() {
    what=$* back_end=$1 launcher=$2
    shift 2
    case $back_end in
    ucontext) file=co/context_ucontext.c define=-DCO_CONTEXT_UCONTEXT ;;
    *) file=co/context_$back_end.S define= ;;
    esac
    for name in context context_fp; do
        builds=$((builds + 1))
        # The define is one word or none; so is the launcher.
        if ! "$@" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $define \
            -U_FORTIFY_SOURCE -iquote . -o "$scratch/test" \
            "tests/${name}_test.c" co/context_make.c "$file" -lm \
            >"$scratch/log" 2>&1 || ! $launcher "$scratch/test" \
            >"$scratch/log" 2>&1; then
            echo "FAILED: ${name}_test, $what"
            cat "$scratch/log"
            failed=1
        fi
    done
}

check_levels() { # BACK-END LAUNCHER COMPILER OPTION...
    for level in -O0 -O1 -O2 -O3; do
        check "$@" $level
    done
}

machine=$(uname -m)
for compiler in gcc clang; do
    if ! have $compiler; then
        skip "$compiler is not here"
        continue
    fi
    # clang needs a linker that knows its kind of object.
    lto=
    for option in '-flto' '-flto -fuse-ld=lld'; do
        echo 'int main(void) { return 0; }' >"$scratch/empty.c"
        if [ -z "$lto" ] && $compiler $option -o "$scratch/empty" \
            "$scratch/empty.c" >"$scratch/log" 2>&1; then
            lto=$option
        fi
    done
    [ -n "$lto" ] || skip "$compiler cannot link with -flto"
    for back_end in "$machine" ucontext; do
        if [ "$back_end" != ucontext ] &&
            [ ! -e "co/context_$back_end.S" ]; then
            skip "no assembly for $machine"
            continue
        fi
        check_levels "$back_end" '' $compiler
        [ -z "$lto" ] || check "$back_end" '' $compiler -O2 $lto
    done
done

if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
    for back_end in aarch64 ucontext; do
        check_levels $back_end qemu-aarch64 aarch64-linux-gnu-gcc -static
        check $back_end qemu-aarch64 aarch64-linux-gnu-gcc -static -O2 -flto
    done
else
    skip 'aarch64 needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user'
fi

echo "$builds builds"
[ $failed -eq 0 ] || exit 1
[ -z "$skipped" ] || exit 77
