# hook_libc_test.py - every function of libc stands in hook_libc.txt.
#
# So a libc that brings a new way to block is noticed: a name that is not in the
# table fails, and so does one that the table calls hooked and the library does
# not export, or the other way round.
#
# SPDX-License-Identifier: MIT
import os
import platform
import re
import subprocess
import sys

TABLE = "tests/hook_libc.txt"
CLASSES = ("hooked", "passed", "later", "not-blocking")
failures = []


def fail(text):
    failures.append(text)
    print(text, file=sys.stderr)


def exported(path):
    """Functions, but for those that are libc's among itself."""
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True,
                         text=True, stdout=subprocess.PIPE).stdout
    rows = (line.split() for line in out.splitlines())
    return {row[2].split("@")[0] for row in rows
            if len(row) == 3 and row[1] in "TtWwi"
            and "GLIBC_PRIVATE" not in row[2]}


def main():
    library = os.path.join(os.environ["CORTEN_BUILD"], "libcorten-hook.so")
    linked = subprocess.run(["ldd", library], text=True,
                            stdout=subprocess.PIPE).stdout
    libc = re.search(r"libc\.so\.6 => (\S+)", linked)
    if libc is None or platform.machine() != "x86_64":
        print("skipped: the table is that of glibc on x86-64")
        return 77
    table = {}
    for number, line in enumerate(open(TABLE), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in CLASSES or words[1] in table:
            fail(f"{TABLE}:{number}: not a class and a new name: {line!r}")
            continue
        table[words[1]] = words[0]
    names = exported(libc[1])
    for name in sorted(names - set(table)):
        fail(f"{name} of {libc[1]} is not in {TABLE}: may it block?")
    hooked = {name for name, kind in table.items() if kind == "hooked"}
    ours = {name for name in exported(library) if not name.startswith("co_")}
    for name in sorted(ours - hooked):
        fail(f"{name} is hooked, and {TABLE} does not say so")
    for name in sorted(hooked - ours):
        fail(f"{name} is hooked according to {TABLE}, but not by {library}")
    counts = ", ".join(f"{list(table.values()).count(kind)} {kind}"
                       for kind in CLASSES)
    print(f"{len(names)} functions of libc: {counts}")
    return 1 if failures else 0


sys.exit(main())
