# instructions.py [--update] [PROGRAM] - user-space instructions per operation.
#
# Time moves with the machine's mood, instruction counts do not: this runs
# bench/count under callgrind and compares with bench/instructions.json, which
# holds a set of counts per compiler.  Exits 1 when one has grown by more than
# 3 %; whoever means it runs this with --update and commits the file with the
# change.  Each operation runs n and 2n times, and the difference over n is the
# count, so that start and end cancel.  A compiler without counts is skipped.
#
# SPDX-License-Identifier: MIT
import json
import os
import re
import subprocess
import sys

GROWTH = 0.03
HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "instructions.json")
PROGRAM = os.path.join(HERE, "..", "build", "release", "bench", "count")


def compiler():
    """"gcc-12": who made the program, as the build directory remembers."""
    build = os.path.dirname(os.path.dirname(PROGRAM))
    cache = os.path.join(build, "CMakeCache.txt")
    name = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", open(cache).read(), re.M)
    version = subprocess.run([name.group(1), "--version"], text=True,
                             check=True, stdout=subprocess.PIPE).stdout
    kind = "clang" if "clang" in version.splitlines()[0] else "gcc"
    major = re.search(r" (\d+)\.\d+", version).group(1)
    machine = os.uname().machine
    return f"{kind}-{major}" + ("" if machine == "x86_64" else "-" + machine)


def collected(operation, n):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         PROGRAM, operation, str(n)], text=True, stderr=subprocess.PIPE)
    count = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not count:
        sys.exit(f"{PROGRAM} {operation} {n} failed under valgrind:\n"
                 f"{done.stderr}")
    return int(count.group(1))


def operations():
    """What the program can do, and how often is enough: it says so itself."""
    lines = subprocess.run([PROGRAM], text=True, check=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    return {name: int(n) for name, n in (line.split() for line in lines)}


def measure(operation, n):
    return round((collected(operation, 2 * n) - collected(operation, n)) / n, 1)


def main():
    global PROGRAM
    update = "--update" in sys.argv[1:]
    names = [word for word in sys.argv[1:] if word != "--update"]
    PROGRAM = os.path.abspath(names[0] if names else PROGRAM)
    table = json.load(open(TABLE)) if os.path.exists(TABLE) else {}
    key = compiler()
    if key not in table and not update:
        print(f"no counts for {key} in bench/instructions.json: skipped")
        return 0

    counts = {name: measure(name, n) for name, n in operations().items()}
    grown = 0
    for operation, count in counts.items():
        before = table.get(key, {}).get(operation)
        word = ""
        if before is None:
            word = "new"
        elif count > before * (1 + GROWTH):
            word = f"GROWN from {before}"
            grown = 1
        elif count < before * (1 - GROWTH):
            word = f"smaller than {before}: worth an --update"
        print(f"{operation:8} {count:8.1f} instructions  {word}".rstrip())
    if not update:
        return grown
    table[key] = counts
    with open(TABLE, "w") as out:
        json.dump(table, out, indent=4, sort_keys=True)
        out.write("\n")
    return 0


sys.exit(main())
