# http_fuzz_test.py - libFuzzer on the HTTP parser, for a bounded time.
#
# Builds tests/http_fuzz/ and the parser with clang's fuzzer and sanitizers and
# runs them from the corpus.  What it finds stays in a directory of its own:
# a file that fails is printed, and belongs into tests/http_corpus/ with the
# change that mends it.  CORTEN_TEST_SCALE scales the number of runs.
#
#   python3 tests/http_fuzz_test.py --merge   adds to the corpus what covers more
#
# SPDX-License-Identifier: MIT
import glob
import os
import shutil
import subprocess
import sys
import tempfile

RUNS = 200000
SECONDS = 60
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-iquote", ".",
         "-fsanitize=fuzzer,address,undefined",
         "-fno-sanitize-recover=undefined"]


def parser():
    """The files of the parser: those that include nothing above it."""
    return [path for path in sorted(glob.glob("net/http_*.c"))
            if os.path.basename(path)[5:-2] in
            ("parse", "start", "framing", "target", "chunked", "scan",
             "scan_x86" if os.uname().machine == "x86_64" else "scan_any")]


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    clang = shutil.which("clang") or shutil.which("clang-14")
    if clang is None:
        print("clang is not here")
        return 77
    scale = float(os.environ.get("CORTEN_TEST_SCALE") or 0.1)
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "fuzz")
        built = subprocess.run([clang, *FLAGS, "-o", program,
                                "tests/http_fuzz/http_fuzz.c", *parser()],
                               text=True, stderr=subprocess.PIPE)
        if built.returncode != 0:
            if "cannot find" in built.stderr or "fuzzer" in built.stderr:
                print(f"no libFuzzer here:\n{built.stderr}")
                return 77
            sys.exit(built.stderr)
        if "--merge" in sys.argv[1:]:
            return subprocess.run([program, "-merge=1", "tests/http_corpus",
                                   *sys.argv[2:]]).returncode
        found = os.path.join(directory, "found")
        os.mkdir(found)
        done = subprocess.run(
            [program, f"-runs={max(1000, int(RUNS * scale))}",
             f"-max_total_time={SECONDS}", "-max_len=512", "-timeout=10",
             "-dict=tests/http_fuzz/http.dict",
             f"-artifact_prefix={directory}/", found, "tests/http_corpus"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(done.stdout[-400:] if done.returncode == 0 else done.stdout)
        for path in glob.glob(os.path.join(directory, "*-*")):
            print(os.path.basename(path), open(path, "rb").read())
        if os.environ.get("CORTEN_FUZZ_KEEP"):
            shutil.copytree(found, os.environ["CORTEN_FUZZ_KEEP"],
                            dirs_exist_ok=True)
        return 1 if done.returncode else 0


sys.exit(main())
