# noise.py - which differences between two files of results are more than chance.
#
# All is judged by ratios (logarithms) between the medians of the rounds.  Three
# rounds say little of their noise, among two thousand figures some differ much by
# luck, and a machine drifts between runs more than within one.  Hence:
#
#   - What is common to the contenders that are not corten is the machine, not the
#     code: it is taken out first, and said.  Throughput and latency may follow
#     the machine or not (a rate, a handler that sleeps): of those as much of it is
#     taken out as makes the difference the smallest.
#   - The error of a difference comes from the rounds of the figure, drawn towards
#     what is usual for its metric, its case or its contender, whichever is the
#     worst; and is no less than what such figures differ by between the files.
#   - It has moved when it differs by 3 % at least, its rounds do not overlap (one
#     round each says nothing), and it differs by more of its errors than figures
#     of other contenders do: by five times the most of the middle one of them,
#     and by more than keep the false alarms of a whole comparison to one in
#     twenty by the normal distribution, whose tails are shorter.
#   - A small change of many figures shows in none of them.  So the middle change
#     of a contender is judged the same way: over an axis, and over all cases.
#
# SPDX-License-Identifier: MIT
import collections
import dataclasses
import math
from statistics import NormalDist, fmean, median

from .figures import METRICS, Figures

# What is compared, and what is added to each value, in its own unit: smaller
# differences are nobody's business, and zero has a logarithm.  The far tail is
# left out, since a run is too short to tell it twice alike.
FLOORS = {"rps": 1.0, "cpu_us": 0.02, "p50_us": 2.0, "p99_us": 5.0,
          "memory": 64.0, "switches": 0.1, "syscalls": 0.05}
BY_MACHINE = {"cpu_us"}
LEAST = math.log(1.03)
ALARMS = 0.05     # false ones, in a comparison of all
LEVELS = 3        # figures, axes, contenders
TAIL = 5.0        # beyond the most of the middle contender
GROUP_TAIL = 3.0  # less, since a middle of several has hardly any
LONGER = 1.75     # tails than a normal distribution's, even of its own
BELIEF = 4        # how many rounds the usual scatter counts for
MEDIAN = 1.25     # the error of a median over that of a mean
SIGMA = 1.4826    # of a normal distribution, over its median deviation
ENOUGH = 6        # figures that it takes to know what is usual
OTHERS_MIN = 3    # contenders that it takes to know the tail
GROUP_MIN = 4     # cases that make a middle


@dataclasses.dataclass
class Change:
    """Of one figure, or of several of a contender."""
    contender: str
    metric: str
    where: str         # the case, or which cases
    axis: str
    case: str          # its id, for one figure
    difference: float  # of the logarithms, the machine's taken out
    old: list          # logarithms of the rounds, for one figure
    new: list
    medians: tuple     # before and after, in the metric's unit
    error: float = 0.0
    limit: float = math.inf  # of difference / error
    moved: bool = False

    def size(self):
        """In units of its error."""
        if self.error > 0:
            return abs(self.difference) / self.error
        return math.inf if abs(self.difference) > LEAST else 0.0

    def factor(self):
        return math.exp(self.difference)

    def noise(self):
        """How far it might move by chance."""
        return math.exp(min(20.0, max(LEAST, self.limit * self.error
                                      if self.error > 0 else 0.0)))

    def better(self):
        return (self.difference > 0) == METRICS[self.metric].more_is_better


@dataclasses.dataclass
class Comparison:
    figures: list
    groups: list
    drift: dict    # metric -> the machine's factor, where it is known
    lost: list     # (contender, case, why): figures that became gaps
    failing: list  # (contender, case, how many): errors that were not there
    unlike: list   # cases that are asked otherwise now
    missing: int   # figures of the first that are not in the second
    blind: bool    # nothing to know the noise from

    def moved(self):
        return [c for c in self.groups + self.figures if c.moved]


def alike(case, other):
    return other is not None and (case.load, case.server) == (other.load,
                                                              other.server)


def wanted(case, metric):
    """An open loop has the rate that was asked for."""
    return not (case.axis == "rate" and metric == "rps")


def find_figures(old, new):
    """A Change for each figure that both have, and how many are missing."""
    found, missing = [], 0
    for name, case_id in old.results.runs:
        case, other = (side.results.cases.get(case_id) for side in (old, new))
        if not alike(case, other):
            continue
        for metric, floor in FLOORS.items():
            before = list(old.values(name, case, metric).values())
            after = list(new.values(name, other, metric).values())
            missing += bool(before) and not after
            if not before or not after or not wanted(case, metric):
                continue
            a, b = ([math.log(value + floor) for value in side]
                    for side in (before, after))
            found.append(Change(name, metric, case.title, case.axis, case_id,
                                median(b) - median(a), a, b,
                                (median(before), median(after))))
    return found, missing


def is_rival(figures, name):
    return figures.results.contenders[name].kind != "corten"


def take_out_drift(old, changes):
    """The middle change of those who are not corten, by metric."""
    drift = {}
    for metric in FLOORS:
        rivals = [c.difference for c in changes
                  if c.metric == metric and is_rival(old, c.contender)]
        if len(rivals) < ENOUGH:
            continue
        middle = median(rivals)
        drift[metric] = math.exp(middle)
        for c in changes:
            if c.metric == metric:
                shift = middle
                if metric not in BY_MACHINE:
                    low, high = sorted((0.0, middle))
                    shift = min(max(c.difference, low), high)
                c.difference -= shift
                c.old = [value + shift for value in c.old]
    return drift


def keys(change):
    """The groups that it is in, whose figures are as noisy as it."""
    return ((change.metric,), (change.metric, "case", change.case),
            (change.metric, "contender", change.contender))


def usual(changes, value):
    """{key: the middle value}, where there are enough of them."""
    groups = collections.defaultdict(list)
    for c in changes:
        of = value(c)
        if of is not None:
            for key in keys(c):
                groups[key].append(of)
    return {key: median(values) for key, values in groups.items()
            if len(values) >= ENOUGH}


def scatter(change):
    """The standard deviation of its rounds; None of one round each."""
    freedom = len(change.old) + len(change.new) - 2
    if freedom < 1:
        return None
    total = 0.0
    for side in change.old, change.new:
        mean = fmean(side)
        total += sum((value - mean) ** 2 for value in side)
    return math.sqrt(total / freedom)


def set_errors(changes):
    """False where nothing is known of the noise."""
    rounds = usual(changes, scatter)
    middles = usual(changes, lambda c: c.difference)
    between = usual(changes, lambda c: abs(
        c.difference - middles.get(keys(c)[2], 0.0)))
    known = False
    for c in changes:
        own, freedom = scatter(c), len(c.old) + len(c.new) - 2
        common = [rounds[key] for key in keys(c) if key in rounds]
        files = [SIGMA * between[key] for key in keys(c) if key in between]
        known = known or own is not None or bool(files)
        if own is None:
            c.error = max(files, default=0.0)
            continue
        prior = max(common, default=own)
        deviation = math.sqrt((freedom * own ** 2 + BELIEF * prior ** 2) /
                              (freedom + BELIEF))
        c.error = max(MEDIAN * deviation * math.sqrt(
            1 / len(c.old) + 1 / len(c.new)), max(files, default=0.0))
    return known


def set_limits(changes, by_metric):
    """How many errors are too many, from what the other contenders show."""
    least = NormalDist().inv_cdf(
        1 - ALARMS / LEVELS / 2 / max(1, len(changes)))
    most = collections.defaultdict(dict)
    for c in changes:
        of = most[c.metric if by_metric else ""]
        of[c.contender] = max(c.size(), of.get(c.contender, 0.0))
    limits = {}
    for metric, sizes in most.items():
        for name in sizes:
            others = [size for other, size in sizes.items() if other != name]
            limits[metric, name] = LONGER * least
            if len(others) >= OTHERS_MIN:
                limits[metric, name] = max(
                    limits[metric, name] if by_metric else least,
                    (TAIL if by_metric else GROUP_TAIL) * median(others))
    for c in changes:
        c.limit = limits[c.metric if by_metric else "", c.contender]


def apart(c):
    """Whether its rounds are; one round each says nothing."""
    if not c.case:
        return True
    return min(len(c.old), len(c.new)) > 1 and (
        min(c.new) > max(c.old) or min(c.old) > max(c.new))


def judge(changes):
    for c in changes:
        c.moved = abs(c.difference) > LEAST and c.size() > c.limit and apart(c)


def find_groups(changes, by_axis):
    """The middle change of a contender, and its error."""
    members, whole = collections.defaultdict(list), collections.Counter()
    for c in changes:
        members[c.contender, c.metric, c.axis if by_axis else ""].append(c)
        whole[c.contender, c.metric] += 1
    found = []
    for (name, metric, axis), cs in members.items():
        if len(cs) < GROUP_MIN or \
                (by_axis and len(cs) == whole[name, metric]):
            continue
        middle = median(c.difference for c in cs)
        spread = SIGMA * median(abs(c.difference - middle) for c in cs)
        error = math.sqrt(fmean(c.error ** 2 for c in cs))
        where = f"the middle of {len(cs)} cases" + (
            f" over {axis}" if axis else "")
        found.append(Change(name, metric, where, axis, "", middle, [], [], (),
                            MEDIAN * max(error, spread) / math.sqrt(len(cs))))
    return found


def compare(old_results, new_results):
    old, new = Figures(old_results), Figures(new_results)
    changes, missing = find_figures(old, new)
    drift = take_out_drift(old, changes)
    known = set_errors(changes)
    set_limits(changes, True)
    judge(changes)
    groups = []
    for by_axis in False, True:
        found = find_groups(changes, by_axis)
        set_limits(found, False)
        judge(found)
        groups += found
    return Comparison(changes, groups, drift, *find_failures(old, new),
                      missing, not known)


def find_failures(old, new):
    """What has no figure any more, and what is not asked alike."""
    lost, failing = [], []
    for name, case_id in old.results.runs:
        case = old.results.cases[case_id]
        why = new.results.gaps.get((name, case_id))
        if why is not None and (name, case_id) not in old.results.gaps:
            lost.append((name, case, why))
        if case_id in new.results.cases:
            errors, _ = new.errors(name, case)
            if errors and not old.errors(name, case)[0]:
                failing.append((name, case, errors))
    unlike = [case for case in old.results.cases.values()
              if case.id in new.results.cases and
              not alike(case, new.results.cases[case.id])]
    return lost, failing, unlike
