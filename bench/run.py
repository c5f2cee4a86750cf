# run.py - measures the contenders in turns, and writes what came of it.
#
# Contenders take turns within a case, each run with a server of its own, and who
# goes first changes: the machine's speed drifts by more than what is looked for.
# Begun by run.sh, which builds and explains the options.
#
# SPDX-License-Identifier: MIT
import argparse
import collections
import datetime
import json
import os
import statistics
import subprocess
import sys
import time

from runner import cases, contenders, machine, measure

Job = collections.namedtuple("Job", "case tool names")
WRK = ("http.c64",)
HANDLING = 0.5  # seconds of a run besides what it measures, at first


def parse(argv):
    p = argparse.ArgumentParser(
        prog="sh bench/run.sh",
        description="Measures corten and its contenders; writes a JSON file and "
                    "a page of plots into bench/results/.")
    p.add_argument("names", nargs="*", metavar="NAME",
                   help="contenders, cases or axes: these alone")
    p.add_argument("--quick", action="store_true", help="some 2 minutes")
    p.add_argument("--all", action="store_true",
                   help="every contender in every case: hours")
    p.add_argument("--list", action="store_true", help="the names that there are")
    p.add_argument("--rounds", type=int, help="runs of each; 3, quick 1")
    p.add_argument("--seconds", type=float, help="of a run; 0.5, quick 0.4")
    p.add_argument("-o", metavar="FILE", help="the JSON file")
    args = p.parse_args(argv)
    if args.rounds is not None and not 1 <= args.rounds <= 1000:
        p.error(f"--rounds {args.rounds}: from 1 to 1,000")
    if args.seconds is not None and not 0.05 <= args.seconds <= 600:
        p.error(f"--seconds {args.seconds}: from 0.05 to 600")
    known = {*contenders.BY_NAME, *cases.BY_NAME, *cases.AXES, "pool"}
    for name in args.names:
        if name not in known:
            p.error(f"there is no '{name}'; --list says what there is")
    return args


def list_names():
    for c in contenders.ALL:
        print(f"{c.name:22} {c.why_not() or c.model}")
    for axis in cases.AXES:
        print(f"\n{axis}")
        for case in cases.ALL:
            if case.axis == axis:
                print(f"  {case.id:20} {case.title}")


def picked_contenders(args):
    """Names, of those that were asked for by name, or else of the set."""
    asked = [n for n in args.names
             if n in contenders.BY_NAME or n == "pool"]
    if asked:
        return [c.name for c in contenders.ALL
                if c.name in asked or
                ("pool" in asked and c in contenders.POOL)]
    if args.quick:
        return contenders.QUICK
    return [c.name for c in contenders.ALL]


def picked_cases(args):
    asked = [n for n in args.names if n in cases.BY_NAME or n in cases.AXES]
    if asked:
        return [c for c in cases.ALL if c.id in asked or c.axis in asked]
    if args.quick:
        return [c for c in cases.ALL if c.quick]
    return cases.ALL


def make_jobs(args, there):
    """What to do: first what everybody does, since the best mode of the pool
    comes from that."""
    thorough = args.all or any(n in contenders.BY_NAME or n == "pool"
                               for n in args.names) or args.quick
    jobs = []
    for case in sorted(picked_cases(args), key=lambda c: not c.everybody):
        names = there
        if not (thorough or case.everybody):
            names = [n for n in contenders.THOROUGH if n in there or n == "pool"]
        jobs.append(Job(case, "load", names))
        if case.id in WRK and measure.has_wrk():
            jobs.append(Job(case, "wrk", [
                n for n in names if n in contenders.THOROUGH or n == "nginx"]))
    return jobs


class Results:
    def __init__(self, args, settings, there, skipped):
        self.settings = settings
        self.runs = []
        self.gaps = {}
        own = machine.version()
        self.head = {
            "format": 1,
            "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
            "command": " ".join(["sh bench/run.sh", *sys.argv[1:]]),
            "machine": machine.describe(),
            "settings": settings,
            "contenders": {
                c.name: {"title": c.title, "kind": c.kind,
                         "words": [c.program, *c.options], "model": c.model,
                         "better": c.better, "version": c.said_version(own)}
                for c in contenders.ALL if c.name in there},
            "cases": [dict(id=c.id, kind=c.kind, axis=c.axis, x=c.x,
                           title=c.title, load=c.load, server=c.server)
                      for c in picked_cases(args)],
            "skipped": [{"contender": name, "why": why}
                        for name, why in skipped.items()],
        }

    def write(self, path):
        gaps = [{"contender": name, "case": case, "why": why}
                for (name, case), why in self.gaps.items()]
        with open(path + ".part", "w") as f:
            json.dump({**self.head, "runs": self.runs, "gaps": gaps}, f,
                      indent=1)
            f.write("\n")
        os.replace(path + ".part", path)

    def best_pool(self):
        """The mode that took the least processor time, in the cases that all
        modes are measured in."""
        cost = collections.defaultdict(list)
        for run in self.runs:
            if (run["contender"].startswith("pool-") and run["tool"] == "load"
                    and cases.BY_NAME[run["case"]].everybody):
                cost[run["contender"]].append(run["result"]["server"]["cpu_us"])
        if not cost:
            return "pool-lt-lt-reactor"
        return min(cost, key=lambda name: statistics.mean(cost[name]))


class Progress:
    def __init__(self, jobs, settings):
        self.left = sum(len(j.names) for j in jobs) * settings["rounds"]
        self.total, self.done = self.left, 0
        self.guess = settings["seconds"] + settings["warmup"] + HANDLING
        self.begin = time.monotonic()

    def step(self, text):
        self.done += 1
        mean = self.guess
        if self.done > 20:
            mean = (time.monotonic() - self.begin) / self.done
        minutes = (self.total - self.done) * mean / 60
        print(f"[{self.done:4}/{self.total}] {text}; {minutes:.0f} min left",
              flush=True)


def run_job(job, results, progress):
    best = results.best_pool()
    names = [best if n == "pool" else n for n in job.names]
    for number in range(results.settings["rounds"]):
        turn = number % len(names) if names else 0
        for name in names[turn:] + names[:turn]:
            said = results.gaps.get((name, job.case.id))
            if said is None:
                try:
                    result = measure.measure(contenders.BY_NAME[name], job.case,
                                             job.tool, results.settings,
                                             number == 0)
                    results.runs.append(
                        {"contender": name, "case": job.case.id,
                         "round": number, "tool": job.tool, "result": result})
                    said = (f"{result['server']['cpu_us']:.1f} us, "
                            f"{result['rps']:,.0f}/s")
                except measure.Gap as gap:
                    said = str(gap)
                    if job.tool == "load":
                        results.gaps[name, job.case.id] = said
            progress.step(f"{job.case.title}, {name}: {said}")


def main():
    args = parse(sys.argv[1:])
    if args.list:
        list_names()
        return 0
    server_core, load_core = machine.pick_cores()
    settings = {"seconds": args.seconds or (0.4 if args.quick else 0.5),
                "warmup": 0.1,
                "rounds": args.rounds or (1 if args.quick else 3),
                "server_core": server_core, "load_core": load_core,
                "descriptors": machine.raise_limit()}
    picked = picked_contenders(args)
    skipped = {n: why for n in picked
               if (why := contenders.BY_NAME[n].why_not()) is not None}
    there = [n for n in picked if n not in skipped]
    for name, why in skipped.items():
        print(f"left out: {name}: {why}")
    jobs = make_jobs(args, there)
    results = Results(args, settings, there, skipped)
    path = args.o or ("bench/results/" + results.head["date"].replace(
        " ", "-").replace(":", "") + ".json")
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    progress = Progress(jobs, settings)
    try:
        for job in jobs:
            run_job(job, results, progress)
            results.write(path)
    except KeyboardInterrupt:
        print("\nstopped; what was measured so far is kept")
    results.write(path)
    page = os.path.splitext(path)[0] + ".html"
    subprocess.run([sys.executable, "bench/report.py", path, "-o", page],
                   check=True)
    print(f"{path}\n{page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
