# panels.py - which plots there are, and what is in each.
#
# A panel is one plot with its legend, its gaps and its numbers.  Where an axis
# has one place only (a short run, a part of the cases), bars stand for lines.
#
# SPDX-License-Identifier: MIT
import dataclasses

from . import bars, figures, plot, tables
from .figures import METRICS, PERCENTILES
from .markup import join, tag
from .scale import Linear, Log, Steps, duration, plain, shorten, tick_duration

OVER = {"idle": " beside silent connections", "slow": " beside slow clients",
        "depth": " in pipelines", "churn": " on short connections"}
KINDS = {"echo": "Echo", "http": "HTTP"}
X_TITLES = {
    "connections": "connections", "size": "bytes a message",
    "compute": "µs that the handler computes",
    "block": "ms that the handler blocks", "idle": "silent connections besides",
    "slow": "slow clients besides", "depth": "requests sent at once",
    "churn": "requests before a client reconnects", "rate": "requests/s",
    "mix": "µs that one request in ten computes",
}
CLIP = 2.5  # thin lines leave the plot above that many times the others


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a panel shall show."""
    kind: str
    axis: str
    metric: str
    log: bool = False
    only: float = None  # one place on the axis: bars


def say(metric, figure):
    """A figure in words: 4.56 µs (4.41 to 4.80)"""
    unit = METRICS[metric].unit
    show = shorten
    if is_latency(metric):
        show, unit = duration, ""
    elif metric == "threads":
        show = "{:,.0f}".format
    low, high = show(figure.low), show(figure.high)
    words = f"{show(figure.median)} {unit}".rstrip()
    return words if low == high else f"{words} ({low} to {high})"


def is_latency(metric):
    return metric in PERCENTILES or metric == "heavy_p99_us"


def heading_of(case):
    """Its title, as a heading begins."""
    if case.title.lower().startswith("http"):
        return "HTTP" + case.title[4:]
    return case.title[:1].upper() + case.title[1:]


class Panels:
    """Draws wishes."""

    def __init__(self, figures, cast):
        self.figures, self.cast, self.count = figures, cast, 0

    def name(self):
        self.count += 1
        return f"plot{self.count}"

    def panel(self, heading, drawings, extra, table):
        return tag("figure", tag("figcaption", heading), drawings, extra,
                   tag("details", tag("summary", "Numbers"), table))

    def names(self, axis, places):
        """Who was asked for any of these."""
        return [name for name in self.cast.names
                if self.figures.on_axis(name, axis, places)]

    def numbers(self, names, places, metric, axis):
        return tables.over_places(self.figures, self.cast, names, places,
                                  metric, say, axis)

    # ---- Lines -----------------------------------------------------------

    def points(self, name, places, metric):
        found = []
        for x, case in places:
            figure = self.figures.figure(name, case, metric)
            if figure is None and self.figures.why(name, case) is None:
                continue  # not asked for: no gap
            limited = metric == "rps" and figure is not None and \
                self.figures.limited_by_load(name, case)
            words = ""
            if figure is not None:
                words = f"{self.cast.title(name)}, {case.title}: " + \
                    say(metric, figure)
                if limited:
                    words += "; the load generator was the limit"
            found.append(plot.Point(x, figure, words, limited))
        return found

    def lines(self, names, places, metric):
        found = []
        for name in names:
            points = self.points(name, places, metric)
            grey = not self.cast.in_focus(name)
            drawn = sum(p.figure is not None for p in points)
            if drawn > grey:  # a grey point alone is no line
                found.append(plot.Line(self.cast.title(name),
                                       self.cast.look(name), points, grey))
        return found

    def scale(self, lines, log, label):
        def values(of):
            return [p.figure.high for line in of for p in line.points
                    if p.figure is not None]
        if log:
            return Log(values(lines) + [
                p.figure.low for line in lines for p in line.points
                if p.figure is not None], label), 0
        colours = values([line for line in lines if not line.grey])
        everything = values(lines)
        most = CLIP * max(colours, default=0)
        if not colours or max(everything) <= most:
            return Linear(everything, label), 0
        off = sum(any(p.figure is not None and p.figure.median > most
                      for p in line.points) for line in lines)
        return Linear([v for v in everything if v <= most], label), off

    def legend(self, lines):
        entries = [tag("li", plot.swatch(line.look), line.title)
                   for line in lines if not line.grey]
        grey = [line.title for line in lines if line.grey]
        if grey:
            entries.append(tag(
                "li", plot.swatch(self.cast.look(None)),
                f"{len(grey)} other{'s' if len(grey) > 1 else ''}, named in the "
                "numbers", class_="others", title=", ".join(grey)))
        return tag("ul", entries, class_="legend" +
                   (" has-others" if grey else ""))

    def below(self, lines, names, places, metric, off):
        parts = [self.legend(lines)]
        notes = []
        if any(p.hollow for line in lines for p in line.points):
            notes.append("Hollow marks: the load generator was the limit, so "
                         "the server could have done more.")
        if off:
            notes.append(f"{off} thin line{'s leave' if off > 1 else ' leaves'}"
                         " the plot at the top: the numbers have them.")
        if notes:
            parts.append(tag("p", " ".join(notes), class_="note"))
        parts.append(tables.gaps(self.figures, self.cast, names, places, metric))
        return parts

    def draw_lines(self, heading, wish, places):
        metric = METRICS[wish.metric]
        names = self.names(wish.axis, places)
        lines = self.lines(names, places, wish.metric)
        label = tick_duration if is_latency(wish.metric) else plain
        y, off = self.scale(lines, wish.log, label)
        xs = [x for x, _ in places]
        x = Log(xs, ticks=xs) if wish.axis in ("connections", "size") \
            else Steps(xs)
        y_title = metric.title if label is tick_duration else \
            f"{metric.title}, {metric.unit}".rstrip(", ") \
            if metric.name != "rps" else metric.unit
        axes = plot.Axes(x, y, X_TITLES.get(wish.axis, wish.axis), y_title,
                         f"{heading}: {metric.title}")
        drawings = self.both(axes, lines)
        return self.panel(heading, drawings,
                          self.below(lines, names, places, wish.metric, off),
                          self.numbers(names, places, wish.metric, axes.x_title))

    def both(self, axes, lines):
        longest = max([len(line.title) for line in lines if not line.grey],
                      default=4)
        return [plot.draw(frame, axes, lines, self.name())
                for frame in (plot.wide(longest), plot.narrow())]

    # ---- Bars ------------------------------------------------------------

    def draw_bars(self, heading, wish, case, table=None):
        metric, places = METRICS[wish.metric], [(case.x, case)]
        names, found = self.names(case.axis, places), []
        for name in names:
            figure = self.figures.figure(name, case, wish.metric)
            why = self.figures.why(name, case)
            if figure is None and why is None:
                continue
            title = self.cast.title(name)
            if figure is None:
                label, words = f"gap: {why}", f"{title}: {why}"
            else:
                label = (duration if is_latency(wish.metric) else shorten)(
                    figure.median)
                words = f"{title}: {say(wish.metric, figure)}"
            found.append(bars.Bar(title, self.cast.look(name), figure, label,
                                  words, "ours" if name ==
                                  self.cast.reference() else ""))
        sign = -1 if metric.more_is_better else 1
        found.sort(key=lambda b: (b.figure is None, sign * b.figure.median
                                  if b.figure else 0))
        title, ticks = f"{metric.title}, {metric.unit}".rstrip(", "), plain
        if is_latency(wish.metric):
            title, ticks = metric.title, tick_duration
        drawings = [bars.draw(width, self.fit(found, width), title,
                              f"{heading}: {title}", label=ticks)
                    for width in (560, 350)]
        if table is None:
            table = self.numbers(names, places, wish.metric,
                                 X_TITLES.get(case.axis, case.axis))
        cut = any(bar.figure is None and len(bar.label) > 28 for bar in found)
        gaps = tables.gaps(self.figures, self.cast, names, places,
                           wish.metric) if cut else None
        return self.panel(heading, drawings, gaps, table)

    @staticmethod
    def fit(found, width):
        """The word why beside a gap, as far as there is room; the list below
        the plot has it whole."""
        room = width - (210 if width > 400 else 156)
        return [dataclasses.replace(bar, label=plot.shorter(bar.label, room))
                if bar.figure is None else bar for bar in found]

    # ---- What the page asks for -------------------------------------------

    def draw(self, wish):
        """The panel, or None when nothing of it was measured."""
        places = self.figures.axis(wish.kind, wish.axis)
        if wish.only is not None:
            places = [(x, case) for x, case in places if x == wish.only]
        if not any(self.figures.figure(name, case, wish.metric)
                   for name in self.cast.names for _, case in places):
            return None
        if len(places) == 1:
            case = places[0][1]
            return self.draw_bars(heading_of(case), wish, case)
        heading = KINDS.get(wish.kind, wish.kind) + ": " + \
            METRICS[wish.metric].title + OVER.get(wish.axis, "")
        return self.draw_lines(heading, wish, places)

    def mix(self, kind, case):
        """The short requests while others compute; the numbers have both."""
        wish = Wish(kind, "mix", "p99_us")
        names = self.names("mix", [(case.x, case)])
        if not any(self.figures.figure(name, case, "p99_us")
                   for name in self.cast.names):
            return None
        return self.draw_bars(
            heading_of(case) + ": the others", wish, case,
            tables.of_metrics(self.figures, self.cast, names, case, [
                "p50_us", "p99_us", "p999_us", "heavy_p99_us", "rps"], say))

    def percentiles(self, kind, x, case):
        """Latency at a fixed rate: from the median to the slowest request."""
        labels = ["50 %", "90 %", "99 %", "99.9 %", "all"]
        lines, names = [], self.names("rate", [(x, case)])
        for name in names:
            points = []
            for metric in PERCENTILES:
                figure = self.figures.figure(name, case, metric)
                if figure is not None:
                    points.append(plot.Point(
                        metric, figure, f"{self.cast.title(name)}, "
                        f"{METRICS[metric].title} {say(metric, figure)}"))
            if points:
                lines.append(plot.Line(self.cast.title(name),
                                       self.cast.look(name), points,
                                       not self.cast.in_focus(name)))
        if not lines:
            return None
        y, _ = self.scale(lines, True, tick_duration)
        heading = f"{KINDS.get(kind, kind)}, {plain(x)} requests/s, " \
            f"{plain(case.connections())} connections"
        axes = plot.Axes(Steps(PERCENTILES, labels=labels), y,
                         "share of the requests", "answered within", heading)
        table = tables.of_metrics(self.figures, self.cast, names, case,
                                  PERCENTILES + ["rps"], say)
        return self.panel(heading, self.both(axes, lines),
                          self.below(lines, names, [(x, case)], "p50_us", 0),
                          table)

    def speed_up(self, kind, x):
        """CPU per request of each contender over corten's."""
        case = self.figures.case(kind, "connections", x)
        ours = self.cast.reference()
        if case is None or ours is None or \
                self.figures.figure(ours, case, "cpu_us") is None:
            return None
        found = []
        for name in self.cast.others():
            ratio = self.figures.ratio(name, ours, case, "cpu_us")
            if ratio is None:
                continue
            tone = {1: "more", 0: "same", -1: "less"}[figures.beyond(ratio)]
            title = self.cast.title(name)
            found.append(bars.Bar(
                title, self.cast.look(None), ratio, f"{ratio.median:.2f}",
                f"{title}: {ratio.median:.2f} of corten's CPU per request "
                f"({ratio.low:.2f} to {ratio.high:.2f})", tone))
        if not found:
            return None
        found.sort(key=lambda b: -b.figure.median)
        heading = f"{KINDS[kind]}, {plain(x)} connections"
        drawings = [bars.draw(width, found, "its CPU per request over corten's",
                              f"{heading}: CPU per request over corten's", 1.0)
                    for width in (560, 350)]
        return self.panel(
            heading, drawings,
            tables.gaps(self.figures, self.cast,
                        self.names("connections", [(x, case)]), [(x, case)],
                        "cpu_us"),
            tables.ratios(self.figures, self.cast, case, ours))


def both_kinds(axis, metric, log=False):
    return [Wish(kind, axis, metric, log) for kind in KINDS]


def grid(panels):
    """Those that there are, side by side where there is room."""
    panels = [panel for panel in panels if panel is not None]
    return tag("div", join(panels), class_="grid") if panels else None
