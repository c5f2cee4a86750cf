# bench_results.py - makes files of results as bench/run.sh writes them.
#
# Seeded, so that a failure can be had again.  The figures have the noise that was
# seen on real machines: a few per cent, sometimes much more, and tails.
#
# SPDX-License-Identifier: MIT
import math
import random

EVIL = "a <b>&\"nginx'"  # a title that must not become an element
CONTENDERS = [  # name, title, kind, microseconds an echo, bytes a connection
    ("corten", "corten", "corten", 5.2, 4283),
    ("corten_hook", "corten with hooks", "corten", 5.4, 8400),
    ("epoll", "epoll loop", "limit", 5.0, 140),
    ("threads", "thread per connection", "classic", 8.2, 12584),
    ("pool-lt-lt-reactor", "pool lt lt reactor", "classic", 5.7, 900),
    ("pool-et-et-proactor", "pool et et proactor", "classic", 6.3, 900),
    ("go", "Go", "field", 6.8, 7606),
    ("nginx", EVIL, "field", 7.9, 528),
    ("libuv", "libuv", "field", 4.7, 4555),
    ("hopeless", "only gaps", "field", 1.0, 1),
]
AXES = {  # kind, places, load words, server words
    "connections": ("both", [1, 64, 512, 1000, 10000], "--conns", None),
    "size": ("echo", [64, 4096, 65536], "--size", None),
    "compute": ("http", [10, 100, 1000], "--heavy", "--compute"),
    "mix": ("http", [100], "--heavy", "--compute"),
    "block": ("http", [1, 5, 50], "--heavy", "--block"),
    "idle": ("echo", [1000, 9000], "--idle", None),
    "slow": ("echo", [200], "--slow", None),
    "rate": ("http", [5000, 20000], "--rate", None),
    "depth": ("echo", [4, 16], "--depth", None),
    "churn": ("http", [1, 10], "--churn", None),
}


def cases():
    for axis, (kinds, places, load, server) in AXES.items():
        for kind in ("echo", "http") if kinds == "both" else (kinds,):
            for x in places:
                conns = 1000 if axis == "block" else 64
                words = [load, str(x)] if axis == "connections" else \
                    ["--conns", str(conns), load, "1" if server else str(x)]
                yield {"id": f"{kind}.{axis}{x}", "kind": kind, "axis": axis,
                       "x": x, "title": f"{kind}, {axis} {x:,}", "load": words,
                       "server": [server, str(x)] if server else []}


def why_not(name, case):
    if name == "hopeless":
        return "it never answers"
    if name == "nginx" and case["kind"] == "echo":
        return "it speaks no echo"
    if name in ("epoll", "libuv", "nginx") and case["axis"] == "block":
        return "a handler that blocks stops <all> connections"
    return None


def noise(rnd, sigma, burst=4):
    wide = burst if rnd.random() < 0.05 else 1
    return math.exp(rnd.gauss(0, sigma * wide))


def result(rnd, contender, case, factor):
    name, _, _, us, memory = contender
    x, axis = case["x"], case["axis"]
    conns = x if axis == "connections" else 64 + (x if axis == "idle" else 0)
    if axis == "block":
        conns = 1000
    cpu = us * (1 + 0.05 * math.log10(conns)) * noise(rnd, 0.02) * factor
    cpu += {"size": x / 2000, "compute": x, "mix": 10}.get(axis, 0)
    rps = 1e6 / cpu * noise(rnd, 0.01)
    if axis == "block":
        rps = min(rps, (8 if "pool" in name else 1000) * 1000 / x)
    if axis == "rate":
        rps = x
    half = conns * 1e6 / rps * noise(rnd, 0.05)
    late = half * 3 * noise(rnd, 0.1)
    heavy = {"requests": 9, "p50_us": half, "p99_us": late, "p999_us": late,
             "max_us": 2 * late} if axis in ("mix", "compute") else None
    return {
        "requests": int(rps * 0.7), "seconds": 0.7, "rps": rps, "errors": 0,
        "error": "", "p50_us": half, "p90_us": half * 2, "p99_us": late,
        "p999_us": late * 2, "max_us": late * 5, "heavy": heavy, "slow": 0,
        "load_cpu": 0.9, "limit": "load" if name == "epoll" else "server",
        "server": {"cpu_us": cpu, "busy": 0.9, "rss": 2e6 + memory * conns *
                   noise(rnd, 0.005), "rss_idle": 2e6, "threads": 1,
                   "switches": 0.002 * noise(rnd, 0.3),
                   "syscalls": 2.02 * noise(rnd, 0.002)}}


def make(seed, rounds=3, change=None, burst=4):
    """change(contender, case) is a factor on the processor time; burst says
    how wild the machine is from time to time, over all rounds of a figure."""
    rnd = random.Random(seed)
    found = {
        "format": 1, "date": "2026-11-21 16:10", "command": "sh bench/run.sh",
        "machine": {"cpu": "Some <CPU> & Co", "cores": 2, "memory_gib": 24,
                    "kernel": "Linux 6.18.5", "corten": "0.1.0"},
        "settings": {"seconds": 0.7, "rounds": rounds, "server_core": 0,
                     "load_core": 1},
        "contenders": {}, "cases": list(cases()), "runs": [], "gaps": [],
        "skipped": [{"contender": "h2o",
                     "why": "not installed: apt-get install h2o"}]}
    for c in CONTENDERS:
        found["contenders"][c[0]] = {
            "title": c[1], "kind": c[2], "words": ["bench/servers/" + c[0]],
            "version": "1.0", "model": f"how {c[0]} waits",
            "better": f"what {c[0]} does better"}
        for case in found["cases"]:
            why = why_not(c[0], case)
            if why is not None:
                found["gaps"].append({"contender": c[0], "case": case["id"],
                                      "why": why})
                continue
            drift = noise(rnd, 0.01, burst)
            for turn in range(rounds):
                factor = change(c[0], case) if change else 1
                found["runs"].append({
                    "contender": c[0], "case": case["id"], "round": turn,
                    "tool": "load",
                    "result": result(rnd, c, case, factor * drift)})
                if case["id"] == "http.connections64":
                    found["runs"].append({
                        "contender": c[0], "case": case["id"], "round": turn,
                        "tool": "wrk", "result": {
                            "requests": 9, "seconds": 1, "rps": 150000.0,
                            "p99_us": 900.0, "server": {"cpu_us": 6.0}}})
    return found
