# bench_run_test.py - bench/run.py measures what it is asked to, and says what it
# could not.
#
# Two contenders in short runs: every figure that the page needs is there, a case
# that an event loop cannot serve is a gap with its reason, and names that there
# are not, are refused in words.  Stopped by SIGINT, it keeps what it has.
#
# SPDX-License-Identifier: MIT
import json
import os
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

BUILD = os.environ.get("CORTEN_BUILD", "build/dev")
LIMIT = 240
ENV = dict(os.environ, CORTEN_BENCH_BUILD=BUILD)


def command(*words):
    return [sys.executable, "bench/run.py", *words]


def check(condition, what):
    if not condition:
        raise SystemExit(f"bench_run_test: {what}")


def refuses(word, *words):
    done = subprocess.run(command(*words), text=True, env=ENV, timeout=LIMIT,
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    check(done.returncode == 2 and word in done.stderr,
          f"{words}: {done.returncode}, {done.stderr!r}")


def measures(folder):
    path = f"{folder}/some.json"
    done = subprocess.run(
        command("--rounds", "2", "--seconds", "0.1", "-o", path, "corten",
                "epoll", "echo.c64", "http.c64", "http.block5", "http.mix100"),
        text=True, env=ENV, timeout=LIMIT, stdout=subprocess.PIPE)
    check(done.returncode == 0, f"failed:\n{done.stdout}")
    check("min left" in done.stdout, "shows no progress")
    results = json.load(open(path))
    check(set(results["contenders"]) == {"corten", "epoll"}, "contenders")
    runs = {(r["contender"], r["case"], r["round"], r["tool"]): r["result"]
            for r in results["runs"]}
    for name in "corten", "epoll":
        for case in "echo.c64", "http.c64", "http.mix100":
            for number in 0, 1:
                result = runs[name, case, number, "load"]
                check(result["requests"] > 0 and result["errors"] == 0 and
                      result["server"]["cpu_us"] > 0 and
                      result["server"]["rss"] > 0 and
                      result["p99_us"] >= result["p50_us"] > 0,
                      f"{name} in {case}: {result}")
    check(runs["corten", "http.mix100", 0, "load"]["heavy"]["requests"] > 0,
          "the heavy requests are not told apart")
    check(runs["corten", "http.block5", 0, "load"]["p50_us"] >= 5000,
          "a handler that blocks 5 ms answers sooner")
    check([(g["contender"], g["case"]) for g in results["gaps"]] ==
          [("epoll", "http.block5")], f"gaps: {results['gaps']}")
    check("stops all connections" in results["gaps"][0]["why"], "no reason")
    page = open(f"{folder}/some.html").read()
    check("<svg" in page and "corten" in page, "no page")
    subprocess.run([sys.executable, "bench/report.py", "--svg", folder, path],
                   check=True, stdout=subprocess.DEVNULL, timeout=LIMIT)
    for plot in "connections.svg", "blocking.svg":
        root = xml.etree.ElementTree.parse(f"{folder}/{plot}").getroot()
        check(root.tag == "{http://www.w3.org/2000/svg}svg" and
              "corten" in "".join(root.itertext()), f"{plot} is no plot")


def stops(folder):
    path = f"{folder}/stopped.json"
    process = subprocess.Popen(
        command("--rounds", "900", "--seconds", "0.1", "-o", path, "corten",
                "echo.c1"), text=True, env=ENV, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=LIMIT)[0]
    check(process.returncode == 0 and "is kept" in said, f"stopped: {said!r}")
    check(len(json.load(open(path))["runs"]) >= 2, "nothing was kept")


def main():
    if not os.path.exists(f"{BUILD}/bench/load"):
        print("skipped: the benchmarks are not built")
        return 77
    refuses("there is no 'nobody'", "nobody")
    refuses("--rounds 0", "--rounds", "0")
    refuses("--seconds", "--seconds", "1e9")
    with tempfile.TemporaryDirectory() as folder:
        measures(folder)
        stops(folder)
    return 0


sys.exit(main())
