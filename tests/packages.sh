# packages.sh PACKAGE... - installs the Debian packages that are missing.
#
# Looks first, so that a machine which has everything needs neither a network
# nor rights, and one without dpkg is taken to have what it needs.  Services that
# come with packages are not started: a policy says no for as long as it takes,
# unless the machine has one of its own.
#
# SPDX-License-Identifier: MIT
set -eu

command -v dpkg-query >/dev/null || exit 0
missing=
for package in "$@"; do
    case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
    *' installed') ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$root rm -f $policy' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
    $root chmod 755 $policy
fi
# The list is split into words on purpose.
if ! { $root apt-get update -qq &&
    $root apt-get install -y -qq --no-install-recommends $missing \
        >/dev/null; }; then
    echo "could not install:$missing" >&2
    exit 1
fi
