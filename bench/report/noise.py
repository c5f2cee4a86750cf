# noise.py - which differences between two files of results are more than chance.
#
# Everything is judged by ratios (logarithms), between the medians of the rounds.
# With three rounds a figure's own spread says little, and among thousands of
# figures some differ by luck; so a figure has moved only when all of this holds:
#
#   - its rounds do not overlap with the earlier ones;
#   - its medians differ by more than K times their noise.  That is the greatest
#     of three: the scatter of its own rounds; the common scatter of this metric
#     (of all figures, of this case, of this contender); and what figures that
#     ought to be equal differ by between the two files, since a machine drifts
#     between runs more than within one.  K grows with the number of figures
#     compared, so that one false alarm comes in some twenty comparisons at most;
#   - and by 3 % at least.
#
# Before that, what is common to the contenders that are not corten is taken out:
# it is the machine that became slower or faster, not the code.  A metric that
# most of them move in by itself is therefore said apart.
#
# SPDX-License-Identifier: MIT
import collections
import dataclasses
import math
import statistics

from .figures import METRICS, Figures

# What is compared, and what is added to each value, in its own unit: smaller
# differences are nobody's business, and zero has a logarithm.  The far tail is
# left out, since a run is too short to tell it twice alike.
FLOORS = {"rps": 1.0, "cpu_us": 0.02, "p50_us": 2.0, "p99_us": 5.0,
          "memory": 64.0, "switches": 0.1, "syscalls": 0.05}
LEAST = math.log(1.03)
ALARMS = 0.05     # false ones, in a comparison of all
WIDER = 1.5       # rounds have longer tails than a normal distribution
COMMON_MIN = 8    # figures that it takes to know what is common to them
ROUNDS_MIN = 2    # to see a scatter


@dataclasses.dataclass
class Change:
    contender: str
    case: object
    metric: str
    old: list
    new: list
    difference: float  # of the logarithms, the machine's taken out
    own: float         # scatter of the rounds
    noise: float = 0.0
    moved: bool = False

    def factor(self):
        return math.exp(self.difference)

    def better(self):
        return (self.difference > 0) == METRICS[self.metric].more_is_better


@dataclasses.dataclass
class Comparison:
    changes: list
    drift: dict        # metric -> the machine's factor, where it is known
    lost: list         # (contender, case, why): figures that became gaps
    failing: list      # (contender, case, how many): errors that were not there
    unlike: list       # cases that are asked otherwise now
    missing: int       # figures of the first that are not in the second
    blind: bool = False  # nothing to know the noise from

    def moved(self):
        return [change for change in self.changes if change.moved]


def logs(values, metric):
    return [math.log(value + FLOORS[metric]) for value in values]


def scatter(old, new):
    """The standard deviation within both sets of rounds."""
    freedom = len(old) + len(new) - 2
    if freedom < 1:
        return 0.0
    total = sum((value - statistics.mean(side)) ** 2
                for side in (old, new) for value in side)
    return math.sqrt(total / freedom)


def wanted(case, metric):
    """An open loop has the rate that was asked for."""
    return not (case.axis == "rate" and metric == "rps")


def differences(old, new):
    """A Change for each figure that both have."""
    changes, missing = [], 0
    for name, case_id in old.results.runs:
        case = old.results.cases[case_id]
        other = new.results.cases.get(case_id)
        if other is None or (case.load, case.server) != (other.load,
                                                         other.server):
            continue
        for metric in FLOORS:
            before = list(old.values(name, case, metric).values())
            after = list(new.values(name, other, metric).values())
            missing += bool(before) and not after
            if not before or not after or not wanted(case, metric):
                continue
            a, b = logs(before, metric), logs(after, metric)
            changes.append(Change(name, case, metric, before, after,
                                  statistics.median(b) - statistics.median(a),
                                  scatter(a, b)))
    return changes, missing


def is_corten(figures, name):
    return figures.results.contenders[name].kind == "corten"


def take_out_drift(old, changes):
    """The median change of those who are not corten, by metric."""
    drift = {}
    for metric in FLOORS:
        others = [c.difference for c in changes if c.metric == metric and
                  not is_corten(old, c.contender)]
        if len(others) >= COMMON_MIN:
            middle = statistics.median(others)
            drift[metric] = math.exp(middle)
            for change in changes:
                if change.metric == metric:
                    change.difference -= middle
    return drift


def typical(values):
    """The root of the median square; enough of them, or 0."""
    return statistics.median(values) if len(values) >= COMMON_MIN else 0.0


def common_scatter(changes):
    """What rounds scatter by: by metric, with the case, with the contender.
    A median over few is low by chance, hence the factor for three rounds."""
    groups = collections.defaultdict(list)
    for c in changes:
        if len(c.old) + len(c.new) - 2 >= 1:
            for key in (), (c.case.id,), (c.contender, ""):
                groups[(c.metric, *key)].append(c.own)
    return {key: 1.1 * typical(values) for key, values in groups.items()}


def between_files(old, changes):
    """What figures differ by that ought to be equal: by metric."""
    found = {}
    for metric in FLOORS:
        all_of_it = [c for c in changes if c.metric == metric]
        others = [c for c in all_of_it if not is_corten(old, c.contender)]
        from_whom = others if len(others) >= COMMON_MIN else all_of_it
        if len(from_whom) >= COMMON_MIN:
            middle = statistics.median(c.difference for c in from_whom)
            found[metric] = 1.4826 * statistics.median(
                abs(c.difference - middle) for c in from_whom)
    return found


def overlap(change, shift):
    a, b = logs(change.old, change.metric), logs(change.new, change.metric)
    a = [value + shift for value in a]
    return min(b) <= max(a) and min(a) <= max(b)


def judge(old, changes, drift):
    common, between = common_scatter(changes), between_files(old, changes)
    sure = statistics.NormalDist().inv_cdf(1 - ALARMS / 2 / max(1, len(changes)))
    for c in changes:
        rounds = max([common.get((c.metric, *key), 0.0)
                      for key in ((), (c.case.id,), (c.contender, ""))] + [c.own])
        # A median's error is 1.25 times that of a mean.
        error = 1.25 * rounds * math.sqrt(1 / len(c.old) + 1 / len(c.new))
        c.noise = WIDER * sure * max(error, between.get(c.metric, 0.0))
        shift = math.log(drift.get(c.metric, 1.0))
        c.moved = c.noise > 0 and not overlap(c, shift) and \
            abs(c.difference) > max(c.noise, LEAST)
        if c.noise == 0:  # each round alike to the last digit, in both
            c.moved = rounds == 0 and len(c.old) + len(c.new) > 2 and \
                abs(c.difference) > LEAST
    return bool(common) or bool(between)


def compare(old_results, new_results):
    old, new = Figures(old_results), Figures(new_results)
    changes, missing = differences(old, new)
    drift = take_out_drift(old, changes)
    known = judge(old, changes, drift)
    lost, failing = [], []
    for name, case_id in old_results.runs:
        why = new_results.gaps.get((name, case_id))
        case = old_results.cases[case_id]
        if why is not None and (name, case_id) not in old_results.gaps:
            lost.append((name, case, why))
        if case_id in new_results.cases:
            errors, _ = new.errors(name, case)
            if errors and not old.errors(name, case)[0]:
                failing.append((name, case, errors))
    unlike = [case for case in old_results.cases.values()
              if case.id in new_results.cases and
              (case.load, case.server) != (new_results.cases[case.id].load,
                                           new_results.cases[case.id].server)]
    return Comparison(changes, drift, lost, failing, unlike, missing, not known)
