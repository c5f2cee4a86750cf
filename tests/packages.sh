# packages.sh PACKAGE... - installs the Debian packages that are missing.
#
# Looks first, so that a machine which has everything needs neither a network
# nor rights, and one without dpkg is taken to have what it needs.
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
# The list is split into words on purpose.
if ! { $root apt-get update -qq &&
    $root apt-get install -y -qq --no-install-recommends $missing \
        >/dev/null; }; then
    echo "could not install:$missing" >&2
    exit 1
fi
