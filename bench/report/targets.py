# targets.py - what corten promises, and whether it holds.
#
# A promise holds when the median does.  Where nothing was measured that could
# tell, it says so rather than that it holds.
#
# SPDX-License-Identifier: MIT
import dataclasses

from .scale import shorten

HELD, MISSED, UNKNOWN = "held", "missed", "not measured"
BUSY_MAX = 10000  # connections for which the echo promises are made


@dataclasses.dataclass(frozen=True)
class Verdict:
    promise: str
    measured: str
    state: str
    near: bool = False  # the limit lies within the spread


def judge(promise, found, most=None, least=None, nothing="no such figures"):
    """found: [(where, figure)]; each median at most, or at least, so much.
    A figure that has a limit of its own brings it: (where, figure, limit)."""
    if not found:
        return Verdict(promise, nothing, UNKNOWN)
    misses, near, words = [], False, []
    for where, figure, *own in found:
        limit = own[0] if own else most if most is not None else least
        bad = figure.median > limit if most is not None or own else \
            figure.median < limit
        near = near or figure.low <= limit <= figure.high
        value = f"{figure.median:.2f}" if figure.median < 10 else \
            shorten(figure.median)
        words.append(f"{where}: {value}" if where else value)
        if bad:
            misses.append(where)
    return Verdict(promise, "; ".join(words), MISSED if misses else HELD, near)


class Targets:
    def __init__(self, figures, cast):
        self.figures, self.cast = figures, cast
        self.results = figures.results

    def ratios(self, name, other, cases, metric="cpu_us"):
        found = []
        for where, case in cases:
            if case is None or name is None or other is None:
                continue
            ratio = self.figures.ratio(name, other, case, metric)
            if ratio is not None:
                found.append((where, ratio))
        return found

    def connections(self, kind, xs=None):
        return [(f"{x:,.0f}", case)
                for x, case in self.figures.axis(kind, "connections")
                if x <= BUSY_MAX and (xs is None or x in xs)]

    def best_of_pools(self, case, metric, more_is_better):
        """Of the modes that were measured there, the strongest."""
        if case is None:
            return None
        found = [(self.figures.figure(name, case, metric), name)
                 for name in self.cast.names if name.startswith("pool")]
        found = [(figure.median, name) for figure, name in found if figure]
        if not found:
            return None
        return (max if more_is_better else min)(found)[1]

    def over_epoll(self, name, limit, one):
        found = [(where, ratio, one if where == "1" else limit)
                 for where, ratio in self.ratios(
                     name, "epoll", self.connections("echo"))]
        return found

    def rivals_above(self):
        """The thread pools, nginx and Go, over corten, at 64 and 512."""
        names = [name for name in self.cast.names if name.startswith("pool") or
                 name in ("nginx", "go")]
        found = []
        for where, case in self.connections("http", (64, 512)):
            ratios = [(ratio.median, self.cast.title(name), ratio)
                      for name in names for _, ratio in self.ratios(
                          name, "corten", [(where, case)])]
            if ratios:
                _, title, ratio = min(ratios, key=lambda r: r[0])
                found.append((f"{where} connections, the cheapest ({title})",
                              ratio))
        return found

    def blocking(self):
        case = self.figures.case("http", "block", 5) or \
            self.figures.case("echo", "block", 5)
        pool = self.best_of_pools(case, "rps", True)
        return [judge("a handler that blocks 5 ms, 1,000 clients: at least 10 "
                      "times the requests/s of a pool of 8 threads",
                      self.ratios("corten", pool, [("", case)], "rps"),
                      least=10),
                judge("the same: no more CPU per request than a thread per "
                      "connection",
                      self.ratios("corten", "threads", [("", case)]), most=1)]

    def computing(self):
        case = self.figures.case("http", "compute", 100) or \
            self.figures.case("echo", "compute", 100)
        mix = self.figures.case("http", "mix", 100) or \
            self.figures.case("echo", "mix", 100)
        pool = self.best_of_pools(case, "rps", True)
        light = self.best_of_pools(mix, "p99_us", False)
        return [judge("a handler that computes 100 µs: at least 0.97 of the "
                      "best pool's throughput",
                      self.ratios("corten", pool, [("", case)], "rps"),
                      least=0.97),
                judge("one request in ten computes 100 µs: 99 % of the others "
                      "no later than in the best pool",
                      self.ratios("corten", light, [("", mix)], "p99_us"),
                      most=1)]

    def memory(self):
        idle = self.figures.axis("echo", "idle")
        found = []
        if idle:
            x, case = idle[-1]
            figure = self.figures.figure("corten", case, "memory")
            if figure is not None:
                found = [(f"{x:,.0f}", figure)]
        return judge("idle echo connections: at most 4,700 bytes each", found,
                     most=4700)

    def verdicts(self):
        return [
            judge("echo of 64 bytes: at most 1.05 of the bare epoll loop's CPU "
                  "per request (1 connection: 1.10)",
                  self.over_epoll("corten", 1.05, 1.10)),
            judge("the same with hooks: at most 1.08 (1 connection: 1.10)",
                  self.over_epoll("corten_hook", 1.08, 1.10)),
            judge("HTTP, 64 and 512 connections: at most 1.08 of the epoll "
                  "loop's CPU per request",
                  self.ratios("corten", "epoll",
                              self.connections("http", (64, 512))), most=1.08),
            judge("the same: each mode of the thread pool, nginx and Go above "
                  "corten", self.rivals_above(), least=1),
            *self.blocking(), *self.computing(), self.memory(),
        ]
