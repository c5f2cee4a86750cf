# make.sh - a copy of the library whose calls of libc can be made to fail.
#
#   LD=... NM=... OBJCOPY=... sh make.sh calls.def directory object...
#
# Leaves fault.o, all objects in one, where the calls of calls.def that can fail
# have become fault_<name>(); and undefined.txt, the names that the library
# needs of others.  Only its own calls are renamed: a test and libc go on as
# ever.
#
# SPDX-License-Identifier: MIT
set -eu
calls=$1
to=$2
shift 2
sed -nE 's/^(FAILS|SPLIT|COUNTED)\((\w+).*/\2 fault_\2/p' "$calls" \
    >"$to/renamed.txt"
"$LD" -r -o "$to/fault.o" "$@"
"$NM" -u "$to/fault.o" | sed 's/.* //' | sort -u >"$to/undefined.txt"
"$OBJCOPY" --redefine-syms="$to/renamed.txt" "$to/fault.o"
