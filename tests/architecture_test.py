# architecture_test.py - the promises that the tree makes about its own shape.
#
# Includes point down (layers.txt says what is below what), public headers stand
# alone, private ones say so, each source has its test, files are short and laid
# out by clang-format.  Looks at the text only, so it needs no build; ctest
# passes the compilers and the list of public headers.
#
# SPDX-License-Identifier: MIT
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys

LINES_MAX = 400
SYSTEM_DIRECTORY = "/usr/include/net"
failures = []


def fail(where, what):
    failures.append(f"{where}: {what}")


def stem(path):
    return os.path.splitext(path)[0]


class Layers:
    """The table: rows from the bottom up, and the tests that differ."""

    def __init__(self, path):
        self.rows = []  # (layer, is a hub, patterns, "only" headers or None)
        self.tested = []  # (pattern, test)
        with open(path) as table:
            for number, line in enumerate(table, 1):
                words = line.split("#")[0].split()
                if words and words[0] == "tested":
                    at = words.index("by")
                    self.tested += [(self.full(name), test)
                                    for name in words[1:at]
                                    for test in words[at + 1:]]
                elif words:
                    self.add_row(f"{path}:{number}", words)

    def add_row(self, where, words):
        layer, names, only = words[0], words[1:], None
        if "only" in names:
            at = names.index("only")
            names, only = names[:at], names[at + 1:]
        if not layer.rstrip("*").isdigit():
            fail(where, f"'{layer}' is no layer")
            return
        self.rows.append((int(layer.rstrip("*")), layer.endswith("*"),
                          [self.full(name) for name in names], only))

    @staticmethod
    def full(name):
        return name if "/" in name else "co/" + name

    def row(self, path):
        """The row of a file; an exact name goes before a pattern."""
        for index, row in enumerate(self.rows):
            if stem(path) in row[2]:
                return index
        for index, row in enumerate(self.rows):
            if any(fnmatch.fnmatch(stem(path), name) for name in row[2]):
                return index
        return None

    def allowed(self, source, target):
        low, high = self.row(target), self.row(source)
        if low == high:
            return True
        layer, hub, _, only = self.rows[high]
        if only is not None:
            return target in only
        if layer == self.rows[low][0] and (hub or self.rows[low][1]):
            return True
        return low < high

    def test_names(self, path):
        names = [test for pattern, test in self.tested
                 if fnmatch.fnmatch(stem(path), pattern)]
        return names or [os.path.basename(stem(path))]


def check_includes(layers, files):
    for path in files:
        if layers.row(path) is None:
            fail(path, "is missing from tests/layers.txt: say there which "
                       "layer it belongs to")
            continue
        for number, line in enumerate(open(path), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not match:
                continue
            target = match.group(1)
            if not os.path.exists(target):
                fail(f"{path}:{number}",
                     f'"{target}" is not a path from the root of the tree')
            elif layers.row(target) is None:
                fail(f"{path}:{number}", f"{target} is not in layers.txt")
            elif not layers.allowed(path, target):
                fail(f"{path}:{number}",
                     f"{target} stands above it, or beside it out of order "
                     "(tests/layers.txt)")


def check_headers(public):
    """Examples use only public ones; the others say that they are private."""
    for path in glob.glob("co/*.h") + glob.glob("net/*.h"):
        if path not in public and "Private to " not in open(path).read():
            fail(path, "is installed by no library in CMakeLists.txt and does "
                       "not say 'Private to co/' (or net/)")
    for path in glob.glob("net/*.h"):
        if os.path.exists(f"{SYSTEM_DIRECTORY}/{os.path.basename(path)}"):
            fail(path, f"hides the one in {SYSTEM_DIRECTORY}")
    for path in glob.glob("examples/*.c"):
        for target in re.findall(r'#include "([^"]+)"', open(path).read()):
            if target not in public and not target.startswith("examples/"):
                fail(path, f"an example includes {target}, which is private")


def check_alone(public):
    system = [word for path in os.environ.get("CORTEN_INCLUDES", "").split()
              for word in ("-isystem", path)]
    compilers = [(os.environ.get("CC", "cc"), "c", ["c11"]),
                 (os.environ.get("CXX", "c++"), "c++", ["c++17", "c++20"])]
    for header in public:
        for compiler, language, standards in compilers:
            for standard in standards:
                done = subprocess.run(
                    [compiler, f"-std={standard}", "-x", language, "-iquote",
                     ".", "-Wall", "-Wextra", "-pedantic", "-Werror",
                     "-fsyntax-only", *system, "-"],
                    input=f'#include "{header}"\n', text=True,
                    stderr=subprocess.PIPE)
                if done.returncode != 0:
                    fail(header, f"does not compile alone as {standard} with "
                                 f"{compiler}:\n{done.stderr}")


def check_sources(layers, files):
    for path in files:
        lines = sum(1 for _ in open(path))
        if lines > LINES_MAX:
            fail(path, f"has {lines} lines; {LINES_MAX} is the most")
        if "SPDX-License-Identifier: MIT" not in open(path).read():
            fail(path, "does not name its license in the head comment")
        if not path.endswith(".c"):
            continue
        for name in layers.test_names(path):
            if not glob.glob(f"tests/{name}_test.*"):
                fail(path, f"has no test: tests/{name}_test.c, or a line "
                           "'tested' in tests/layers.txt")


def check_clock(files):
    """Deadlines stand on the monotonic clock: nothing asks for the time of day,
    nor waits by it.  pthread_cond_timedwait() does unless it is told."""
    by_day = re.compile(r"\b(CLOCK_REALTIME\w*|gettimeofday|ftime|time\(|"
                        r"sem_timedwait|pthread_mutex_timedlock|"
                        r"pthread_rwlock_timed\w+|mq_timed\w+)")
    for path in files:
        if "/hook_" in path:
            continue  # what the program asks for
        if path in ("net/http_date.c", "net/http_sign.c"):
            continue  # the date that HTTP sends, and when a cookie expires
        text = open(path).read()
        for number, line in enumerate(text.splitlines(), 1):
            match = by_day.search(line)
            if match:
                fail(f"{path}:{number}", f"{match.group(1)}: the time of day "
                                         "jumps when somebody sets the clock")
        if "pthread_cond_timedwait" in text and \
                "pthread_condattr_setclock(&attr, CLOCK_MONOTONIC)" not in text:
            fail(path, "pthread_cond_timedwait() by the time of day")


def check_layout():
    tool = shutil.which("clang-format")
    files = [path for kind in ("co", "net", "tests", "bench", "examples")
             for path in sorted(glob.glob(f"{kind}/*.[ch]"))]
    if tool is None or not files:
        print("clang-format is not here: layout not checked")
        return
    done = subprocess.run([tool, "--dry-run"] + files, text=True,
                          stderr=subprocess.PIPE)
    for path in sorted(set(re.findall(r"^([^:\s]+):\d+:\d+: warning",
                                      done.stderr, re.M))):
        fail(path, "clang-format would lay it out differently")


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    public = os.environ.get("CORTEN_PUBLIC_HEADERS",
                            "co/co.h co/embed.h co/inside.h net/net.h")
    public = [path for path in public.split() if os.path.exists(path)]
    files = sorted(path for kind in ("co", "net")
                   for path in glob.glob(f"{kind}/*.[chS]"))
    layers = Layers("tests/layers.txt")
    check_includes(layers, files)
    check_headers(public)
    check_alone(public)
    check_sources(layers, files)
    check_clock(files)
    check_layout()
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{len(files)} files, {len(public)} public headers, "
          f"{len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
