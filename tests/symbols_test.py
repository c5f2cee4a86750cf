# symbols_test.py [--update] - what the libraries export is what symbols.txt says.
#
# Looks at the shared and at the static library of each corten_library(): both
# export the same names, each with a prefix of its library, and neither more nor
# less than the checked-in list, so that nobody adds to or breaks the interface
# by accident.  With --update, writes the list.  Also: calls between functions of
# a library take no detour through its PLT, thread-locals none through
# __tls_get_addr(), and corten itself needs libc alone.  CORTEN_BUILD names the
# build, CORTEN_EXPORTS the libraries and their prefixes, as ctest gives them.
#
# SPDX-License-Identifier: MIT
import os
import re
import subprocess
import sys

LIST = "tests/symbols.txt"
HEAD = """\
# What the libraries export; symbols_test.py compares.  After a change that you
# mean: python3 tests/symbols_test.py --update, and commit this with it.
"""
BUILD = os.environ.get("CORTEN_BUILD", "build/dev")
EXPORTS = os.environ.get("CORTEN_EXPORTS", "corten:co_,net_ corten-hook:")
failures = []


def fail(text):
    failures.append(text)
    print(text, file=sys.stderr)


def output(*command):
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def defined(path, *options):
    lines = output("nm", "--defined-only", *options, path).splitlines()
    return {line.split()[2] for line in lines if len(line.split()) == 3}


def compare(library, listed, found, what):
    for word, names in (("exports, which is not in", found - listed),
                        ("no longer exports, which is in", listed - found)):
        if names:
            fail(f"{what} {word} {LIST}:\n  " + "\n  ".join(sorted(names)))


def check_prefixes(names, prefixes, what):
    wrong = sorted(name for name in names if not name.startswith(prefixes))
    if wrong:
        fail(f"{what} exports what begins with none of {', '.join(prefixes)} "
             f"(public headers alone make names visible):\n  " +
             "\n  ".join(wrong))


def check_calls(path, own):
    """Relocations that the dynamic linker resolves by a name of our own.
    Where a thread-local is, is looked up once, whoever asks."""
    relocations = "".join(
        line for line in output("readelf", "--relocs", "--wide",
                                path).splitlines(True) if "TPOFF" not in line)
    through = sorted({name for name in re.findall(r" ([a-z]\w+)(?:@\S+)? \+ 0",
                                                  relocations) if name in own})
    if through:
        fail(f"{path} calls itself through the dynamic linker:\n  " +
             "\n  ".join(through))
    if re.search(r"__tls_get_addr|TLSDESC|DTPMOD", relocations):
        fail(f"{path} has thread-locals that take a call to find: "
             "-ftls-model=initial-exec is missing")


def check_needs(path):
    dynamic = output("readelf", "--dynamic", "--wide", path)
    needs = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    other = {name for name in needs if not re.match(r"libc\.|ld-linux", name)}
    if other:
        fail(f"{path} needs more than libc: {', '.join(sorted(other))}")


def read_list():
    lists = {}
    for line in open(LIST) if os.path.exists(LIST) else ():
        words = line.split("#")[0].split()
        if words:
            lists.setdefault(words[0], set()).add(words[1])
    return lists


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    update = "--update" in sys.argv[1:]
    lists = read_list()
    for library, prefixes in (word.split(":") for word in EXPORTS.split()):
        shared = os.path.join(BUILD, f"lib{library}.so")
        static = os.path.join(BUILD, f"lib{library}.a")
        names = defined(shared, "--dynamic")
        if update:
            lists[library] = names
        compare(library, lists.get(library, set()), names, shared)
        compare(library, names, defined(static, "--extern-only"), static)
        check_prefixes(names, tuple(prefixes.split(",")), shared)
        check_calls(shared, names)
        if library == "corten":
            check_needs(shared)
        print(f"{library}: {len(names)} names")
    if update:
        with open(LIST, "w") as out:
            out.write(HEAD)
            for library in sorted(lists):
                for name in sorted(lists[library]):
                    out.write(f"{library} {name}\n")
    elif failures:
        print(f"When this is meant: CORTEN_BUILD={BUILD} python3 "
              "tests/symbols_test.py --update, look at the difference, and "
              f"commit {LIST}.", file=sys.stderr)
    return 1 if failures else 0


sys.exit(main())
