# scale.py - from values to places on an axis, and the ticks of it.
#
# place() is 0 at the axis' start and 1 at its end.  Linear axes start at zero,
# so that twice as long is twice as much.
#
# SPDX-License-Identifier: MIT
import math


def shorten(value):
    """Three digits that count, thousands apart: 12,345  123  4.56  0.012"""
    if value == 0:
        return "0"
    if value >= 99.95:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:.{min(digits, 4)}f}"


def plain(value):
    """A tick: 0.5  20  5,000"""
    return f"{value:,.10g}"


def duration(us):
    """Microseconds in the unit that fits."""
    for unit, size in ("s", 1e6), ("ms", 1e3), ("µs", 1):
        if us >= size:
            return f"{shorten(us / size)} {unit}"
    return f"{shorten(us)} µs"


def tick_duration(us):
    for unit, size in ("s", 1e6), ("ms", 1e3):
        if us >= size:
            return f"{plain(us / size)} {unit}"
    return f"{plain(us)} µs"


class Linear:
    """From zero to a round number above the highest value."""
    words = ""

    def __init__(self, values, label=plain):
        highest = max([value for value in values if value > 0], default=1.0)
        rough = highest / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * n for n in (1, 2, 2.5, 5, 10)
                    if power * n >= rough * 0.999)
        count = math.ceil(highest / step - 1e-9)
        self.top = step * count
        self.ticks = [(step * n, label(step * n)) for n in range(count + 1)]

    def place(self, value):
        return value / self.top


class Log:
    """Around the values; they are above zero."""
    words = "log scale"

    def __init__(self, values, label=plain, ticks=None):
        values = [value for value in values if value > 0] or [1.0]
        self.low, self.high = min(values), max(values)
        if ticks is None:
            self.low, self.high = self.low / 1.15, self.high * 1.15
        if self.high / self.low < 1.5:
            self.low, self.high = self.low / 1.3, self.high * 1.3
        self.ticks = [(value, label(value))
                      for value in ticks or self.round_ones()]

    def round_ones(self):
        """Some of each power of ten: the fewer, the more powers there are."""
        first = math.floor(math.log10(self.low))
        last = math.ceil(math.log10(self.high))
        span = self.high / self.low
        steps = next(steps for most, steps in (
            (4, (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)), (20, (1, 2, 3, 5, 7)),
            (300, (1, 2, 5)), (math.inf, (1,))) if span < most)
        found = [n * 10.0 ** power for power in range(first, last + 1)
                 for n in steps]
        found = [value for value in found if self.low <= value <= self.high]
        return found if len(found) > 1 else [self.low, self.high]

    def place(self, value):
        return (math.log(max(value, self.low) / self.low) /
                math.log(self.high / self.low))


class Steps:
    """A place for each value, equally far apart."""
    words = "evenly spaced"

    def __init__(self, values, label=plain, labels=None):
        self.values = list(values)
        labels = labels or [label(value) for value in self.values]
        self.ticks = list(zip(self.values, labels))
        self.margin = 0.06

    def place(self, value):
        if len(self.values) == 1:
            return 0.5
        share = self.values.index(value) / (len(self.values) - 1)
        return self.margin + share * (1 - 2 * self.margin)
