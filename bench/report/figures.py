# figures.py - medians, spreads and ratios.
#
# A figure is the median over the rounds.  Its spread is the middle half of them
# (the quartiles), or all of them where there are three or fewer.  A ratio of two
# contenders is taken within each round, since the machine's speed drifts between
# rounds, and the median of those is shown.
#
# SPDX-License-Identifier: MIT
import dataclasses
import statistics

from .results import mapping, number

MEMORY_CONNECTIONS = 100  # with fewer, the program's own memory hides theirs
ONE_ROUND = 0.05
ORIGINS = {"compute": 0, "block": 0, "idle": 0, "slow": 0, "depth": 1}
PERCENTILES = ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"]


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    title: str
    unit: str
    more_is_better: bool
    read: object  # a function of a result and its case


@dataclasses.dataclass(frozen=True)
class Figure:
    median: float
    low: float
    high: float
    rounds: int


def summary(values):
    """The figure that these values make, or None when there are none."""
    values = sorted(values)
    if not values:
        return None
    low, high = values[0], values[-1]
    if len(values) > 3:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(statistics.median(values), low, high, len(values))


def beyond(ratio):
    """1 when a ratio is above one by more than its spread, -1 when below, 0
    when that cannot be told.  One round has no spread: 5 % stand for it."""
    low, high = ratio.low, ratio.high
    if ratio.rounds == 1:
        low, high = low * (1 - ONE_ROUND), high * (1 + ONE_ROUND)
    return (low > 1) - (high < 1)


def of_server(name):
    return lambda result, case: number(mapping(result.get("server")).get(name))


def of_heavy(name):
    return lambda result, case: number(mapping(result.get("heavy")).get(name))


def of_result(name):
    return lambda result, case: number(result.get(name))


def bytes_a_connection(result, case):
    server = mapping(result.get("server"))
    full, empty = number(server.get("rss")), number(server.get("rss_idle"))
    if full is None or empty is None:
        return None
    if case.connections() < MEMORY_CONNECTIONS:
        return None
    return max(0.0, full - empty) / case.connections()


METRICS = {m.name: m for m in [
    Metric("rps", "throughput", "requests/s", True, of_result("rps")),
    Metric("cpu_us", "CPU per request", "µs", False, of_server("cpu_us")),
    Metric("p50_us", "median latency", "µs", False, of_result("p50_us")),
    Metric("p90_us", "90 % within", "µs", False, of_result("p90_us")),
    Metric("p99_us", "99 % within", "µs", False, of_result("p99_us")),
    Metric("p999_us", "99.9 % within", "µs", False, of_result("p999_us")),
    Metric("max_us", "all within", "µs", False, of_result("max_us")),
    Metric("heavy_p99_us", "99 % of the heavy ones within", "µs", False,
           of_heavy("p99_us")),
    Metric("memory", "memory per connection", "bytes", False,
           bytes_a_connection),
    Metric("threads", "threads", "", False, of_server("threads")),
    Metric("switches", "context switches per request", "", False,
           of_server("switches")),
    Metric("syscalls", "system calls per request", "", False,
           of_server("syscalls")),
]}


def answered(result):
    """Whether there was a request to measure; a file may not say how many."""
    return number(result.get("requests")) != 0


class Figures:
    """What can be asked of a file of results."""

    def __init__(self, results):
        self.results = results

    def values(self, contender, case, metric, tool="load"):
        """{round: value}"""
        runs = self.results.wrk if tool == "wrk" else self.results.runs
        found = {}
        for turn, result in runs.get((contender, case.id), {}).items():
            value = METRICS[metric].read(result, case)
            if value is not None and answered(result):
                found[turn] = value
        return found

    def figure(self, contender, case, metric, tool="load"):
        return summary(self.values(contender, case, metric, tool).values())

    def ratio(self, contender, other, case, metric):
        """contender / other, round by round."""
        ours = self.values(contender, case, metric)
        theirs = self.values(other, case, metric)
        return summary([ours[turn] / theirs[turn] for turn in ours
                        if theirs.get(turn, 0) > 0])

    def why(self, contender, case):
        """Why there is no figure; None when it was not asked for."""
        found = self.results.gaps.get((contender, case.id))
        if found is not None:
            return found
        runs = self.results.runs.get((contender, case.id))
        if not runs:
            return None
        if not any(answered(result) for result in runs.values()):
            return "no request was answered"
        return "the runs do not have this figure"

    def errors(self, contender, case):
        """How many requests failed in all rounds, and how the first did."""
        total, first = 0, ""
        for result in self.results.runs.get((contender, case.id), {}).values():
            total += int(number(result.get("errors")) or 0)
            first = first or (result.get("error") or "")
        return total, str(first)

    def limited_by_load(self, contender, case):
        """Whether in most rounds the load generator was the limit."""
        runs = self.results.runs.get((contender, case.id), {}).values()
        slow = sum(result.get("limit") == "load" for result in runs)
        return 2 * slow > len(runs)

    def case(self, kind, axis, x):
        for case in self.results.cases.values():
            if (case.kind, case.axis, case.x) == (kind, axis, x):
                return case
        return None

    def axis(self, kind, axis):
        """The cases on an axis in order.  The one without the burden, which
        is on the axis of connections, stands before them."""
        found = sorted((case for case in self.results.cases.values()
                        if (case.kind, case.axis) == (kind, axis)),
                       key=lambda case: case.x)
        found = [(case.x, case) for case in found]
        origin = ORIGINS.get(axis)
        if found and origin is not None and found[0][0] > origin:
            conns = found[0][1].option("--conns", 64.0)
            first = self.case(kind, "connections", conns)
            if first is not None:
                found.insert(0, (origin, first))
        return found

    def on_axis(self, contender, axis, places):
        """Whether it was asked for anything on that axis itself."""
        return any((contender, case.id) in table for _, case in places
                   if case.axis == axis
                   for table in (self.results.runs, self.results.gaps))

    def measured(self, contender):
        """In how many cases there are runs of it."""
        return sum(name == contender for name, _ in self.results.runs)
