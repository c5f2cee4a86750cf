# bench_compare_test.py - bench/compare finds what moved, and does not cry wolf.
#
# SPDX-License-Identifier: MIT
import copy
import json
import os
import subprocess
import sys
import tempfile

import bench_results

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAIRS = int(4 + 36 * float(os.environ.get("CORTEN_TEST_SCALE") or 0))
ALARMS = 1 + PAIRS // 20  # false ones that may be: one in twenty is promised


def check(true, what):
    if not true:
        raise AssertionError(what)


def write(folder, name, value):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
    return path


def compare(folder, old, new, *options):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "bench/compare"),
         write(folder, "old.json", old), write(folder, "new.json", new),
         *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check("Traceback" not in done.stderr, done.stderr)
    return done


def moved(folder, old, new):
    done = compare(folder, old, new)
    check(done.returncode == 1, f"nothing moved:\n{done.stdout}{done.stderr}")
    return done.stdout


def runs_of(name, value):
    return {**value, "gaps": [], "runs": [
        run for run in value["runs"] if run["contender"] == name]}


def uneven(name, case):
    """Each contender is a little faster or slower today."""
    return 1 + 0.01 * (len(name) % 5 - 2)


def alarms(folder, *pairs):
    found = []
    for old, new in pairs:
        done = compare(folder, old, new)
        check(done.returncode in (0, 1), done.stderr)
        if done.returncode == 1:
            found.append(done.stdout)
    return found


def test_same(folder):
    seeds = [(seed, seed + 1000) for seed in range(PAIRS)]
    for what, make in [
            ("3 rounds", lambda n: bench_results.make(n)),
            ("5 rounds", lambda n: bench_results.make(n, 5)),
            ("1 round", lambda n: bench_results.make(n, 1)),
            ("wild", lambda n: bench_results.make(n, 3, None, 8)),
            ("uneven", lambda n: bench_results.make(
                n, 3, uneven if n >= 1000 else None)),
            ("corten alone", lambda n: runs_of(
                "corten", bench_results.make(n)))]:
        found = alarms(folder, *[(make(a), make(b)) for a, b in seeds])
        check(len(found) <= ALARMS, f"{what}: {len(found)} false alarms in "
              f"{PAIRS} pairs:\n" + "\n".join(found))
    same = bench_results.make(1)
    check(compare(folder, same, same).returncode == 0,
          "a file moved from itself")


def test_one_figure(folder):
    def slower(name, case):
        return 1.5 if (name, case["id"]) == ("corten", "echo.size64") else 1
    said = moved(folder, bench_results.make(1), bench_results.make(2, 3, slower))
    check("corten, echo, size 64: CPU per request" in said and
          "WORSE" in said, said)
    check("libuv" not in said, said)
    said = moved(folder, bench_results.make(2, 3, slower), bench_results.make(1))
    check("better" in said and "WORSE" not in said, said)


def test_small_change_everywhere(folder):
    said = moved(folder, bench_results.make(3), bench_results.make(
        4, 3, lambda name, case: 1.08 if name == "corten" else 1))
    check("corten, the middle of" in said, said)
    check("libuv" not in said and "Go" not in said, said)


def test_other_machine(folder):
    done = compare(folder, bench_results.make(5),
                   bench_results.make(6, 3, lambda name, case: 2))
    check(done.returncode == 0, "a slower machine counts:\n" + done.stdout)
    check("The machine: CPU per request" in done.stdout, done.stdout)
    said = moved(folder, bench_results.make(5), bench_results.make(
        6, 3, lambda name, case: 0.6 * (1.25 if name == "corten" else 1)))
    check("corten, the middle of" in said and "WORSE" in said and
          "better" not in said, said)


def test_failures(folder):
    old, new = bench_results.make(7), bench_results.make(7)
    new["runs"] = [run for run in new["runs"] if (
        run["contender"], run["case"]) != ("go", "echo.size64")]
    new["gaps"].append({"contender": "go", "case": "echo.size64",
                        "why": "it died"})
    check("now a gap: it died" in moved(folder, old, new), "a lost figure")

    new = copy.deepcopy(old)
    new["runs"][0]["result"]["errors"] = 3
    check("3 requests failed" in moved(folder, old, new), "new errors")

    new = copy.deepcopy(old)
    for case in new["cases"]:
        if case["id"] == "echo.size64":
            case["load"] = ["--conns", "65"]
    done = compare(folder, old, new)
    check(done.returncode == 0 and "asked otherwise" in done.stdout, done.stdout)

    new["settings"]["seconds"] = 2
    check("Beware: seconds was 0.7, now 2." in compare(
        folder, old, new).stdout, "other settings")


def test_wrong_input(folder):
    good = bench_results.make(8, 1)
    none = {**good, "runs": [], "gaps": []}
    lonely = {**good, "runs": good["runs"][:3]}
    for old, new, word in [
            ("{", good, "is no JSON"), (good, [], "no format number"),
            (good, {**good, "format": 2}, "has format 2"),
            (good, none, "no figure in common"),
            (lonely, lonely, "one round each")]:
        done = compare(folder, old, new)
        check(done.returncode == 2 and word in done.stderr,
              f"{word}: {done.returncode} {done.stderr}")
    done = subprocess.run([sys.executable, os.path.join(ROOT, "bench/compare"),
                           "/nonexistent", "/nonexistent"], text=True,
                          stderr=subprocess.PIPE)
    check(done.returncode == 2 and "No such file" in done.stderr, done.stderr)
    check(os.access(os.path.join(ROOT, "bench/compare"), os.X_OK),
          "bench/compare is no program")


def main():
    tests = [value for name, value in globals().items()
             if name.startswith("test_")]
    with tempfile.TemporaryDirectory() as folder:
        for test in tests:
            test(folder)
            print(f"{test.__name__}: good", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
