# http_rfc_test.py - each test that http_rfc.txt names exists, ran and passed.
#
# The programs print the names of their tests and cases as they go; so this runs
# each of them once and looks for the names in what it printed.  CORTEN_BUILD
# names the build, as ctest gives it.
#
# SPDX-License-Identifier: MIT
import os
import re
import subprocess
import sys

LIST = "tests/http_rfc.txt"
BUILD = os.environ.get("CORTEN_BUILD", "build/dev")
OTHERS = {"client", "proxy", "registry", "tls"}
SECTIONS = {"2", "3", "4", "5", "6", "7", "9"}
failures = []


def fail(where, what):
    failures.append(f"{LIST}:{where}: {what}")


def run(program):
    """The names that a passing program printed."""
    done = subprocess.run([os.path.join(BUILD, "tests", program)], text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        fail(program, f"exits {done.returncode}:\n{done.stderr[-400:]}")
    return set(re.findall(r"^ +(\w+)$", done.stderr, re.M))


def rows():
    """(line number, section, the words of who)."""
    with open(LIST) as lines:
        for number, line in enumerate(lines, 1):
            parts = [part.strip() for part in line.split("|")]
            if not line.strip() or line.startswith("#"):
                continue
            if len(parts) != 3 or not re.fullmatch(r"[\d.]+", parts[0]):
                fail(number, "is not <section> | <what> | <who>")
            else:
                yield number, parts[0], parts[2].split()


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    printed, sections, count = {}, set(), 0
    for number, section, words in rows():
        program = None
        sections.add(section.split(".")[0])
        if not words:
            fail(number, "is covered by nobody")
        for word in words:
            if word.endswith("_test"):
                program = word
                if program not in printed:
                    printed[program] = run(program)
            elif word in OTHERS and program is None:
                continue
            elif program is None:
                fail(number, f"'{word}' is neither a test program nor one of "
                             f"{', '.join(sorted(OTHERS))}")
            elif word not in printed[program]:
                fail(number, f"{program} has no test '{word}'")
            else:
                count += 1
    for section in sorted(SECTIONS - sections):
        fail(0, f"section {section} is missing")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{count} references, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
