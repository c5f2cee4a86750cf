# deb_test.sh - the Debian packages install, work, and leave nothing behind.
#
# Builds them as the README says (the preset "deb"), into a directory of their
# own, and installs them into a root of their own by dpkg, so that the machine
# stays as it is.  A program is built against that root, run and looked into;
# then the packages are removed, and the root must be as empty as before.
#
# SPDX-License-Identifier: MIT
set -eu
: "${CORTEN_BUILD:?is set by ctest}" "${CC:=cc}"
for tool in dpkg dpkg-deb dpkg-shlibdeps cpack pkg-config file; do
    command -v $tool >/dev/null || { echo "no $tool" && exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() {
    echo "deb_test: $*" >&2
    exit 1
}
run() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2 && die "failed: $*"; }
}

run cmake --preset deb -B "$CORTEN_BUILD/deb"
run cmake --build "$CORTEN_BUILD/deb" -j2
run cpack --config "$CORTEN_BUILD/deb/CPackConfig.cmake" -B "$work/packages"
version=$(sed -n 's/^#define CO_VERSION_[A-Z]* \([0-9]*\)$/\1/p' co/version.h |
    paste -s -d .)
runtime=$(echo "$work"/packages/libcorten0_"$version"-*.deb)
dev=$(echo "$work"/packages/libcorten-dev_"$version"-*.deb)

case $(dpkg-deb -f "$runtime" Depends) in
*,* | '') die "libcorten0 needs more than libc, or nothing" ;;
libc6*) ;;
esac
case $(dpkg-deb -f "$dev" Depends) in
*"libcorten0 (= $(dpkg-deb -f "$runtime" Version))"*) ;;
*) die "libcorten-dev does not need its own libcorten0" ;;
esac
# Nobody's address is known here, debug information is meant to be there, the
# log of changes is not Debian's, and CPack's scripts call ldconfig themselves.
if command -v lintian >/dev/null; then
    run lintian --fail-on error --allow-root --suppress-tags "$(echo \
        bogus-mail-host,unstripped-binary-or-object,lacks-ldconfig-trigger, \
        debian-changelog-file-missing-or-wrong-name | tr -d ' ')" \
        "$runtime" "$dev"
fi

# A root that knows no other packages: so libc is not looked for.  The scripts
# run here, where ldconfig is one of our own.
root=$work/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" \
    "$root/var/log" "$work/bin"
: >"$root/var/lib/dpkg/status"
cat >"$work/bin/ldconfig" <<END
#!/bin/sh
echo called >>"$work/ldconfig"
END
chmod +x "$work/bin/ldconfig"
dpkg_here() {
    run env PATH="$work/bin:$PATH" dpkg --root="$root" \
        --log="$root/var/log/dpkg" --force-not-root --force-depends \
        --force-script-chrootless "$@"
}
files() {
    find "$root" -mindepth 1 -path "$root/var" -prune -o -print | sort
}
files >"$work/before"
dpkg_here -i "$runtime" "$dev"
[ -s "$work/ldconfig" ] || die "installing did not call ldconfig"

# Everything stands where Debian has it.
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
lib=$root/usr/lib/$triplet
for path in "$lib/libcorten.so.0" "$lib/libcorten.so" "$lib/libcorten.a" \
    "$lib/pkgconfig/corten.pc" "$lib/cmake/corten/corten-config.cmake" \
    "$root/usr/include/corten/net/net.h" \
    "$root/usr/share/doc/corten/reference.html" \
    "$root/usr/share/doc/libcorten0/copyright"; do
    [ -e "$path" ] || die "$path is missing"
done

cat >"$work/main.c" <<'END'
#include <corten/net/net.h>
#include <stdio.h>

static void root(void *arg)
{
    net_close(net_dial("127.0.0.1:1", CO_NOWAIT));
    puts(co_version());
    *(int *)arg = 0;
}

int main(void)
{
    int status = 1;

    return co_run(root, &status, NULL) < 0 ? 1 : status;
}
END
PKG_CONFIG_PATH=$lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # flags are words
run $CC "$work/main.c" $(pkg-config --cflags --libs corten) -o "$work/main"
[ "$(LD_LIBRARY_PATH=$lib "$work/main")" = "$version" ] ||
    die "a program built with the packages does not run"
if command -v gdb >/dev/null; then
    case $(gdb -batch -ex 'print sizeof(struct co) > 0' "$lib/libcorten.so.0" \
        2>&1) in
    *'$1 = 1'*) ;;
    *) die "GDB does not know struct co" ;;
    esac
fi

dpkg_here -P libcorten-dev libcorten0
files >"$work/after"
cmp "$work/before" "$work/after" ||
    die "left behind: $(comm -13 "$work/before" "$work/after")"
[ ! -s "$root/var/lib/dpkg/status" ] || die "dpkg still knows a package"
