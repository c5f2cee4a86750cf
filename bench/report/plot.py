# plot.py - axes and lines in SVG.
#
# A plot is drawn twice, for a wide window and for a phone, and page.css shows the
# one that fits: so letters have the same size in both.  In the wide one each line
# has its name at its end.
#
# SPDX-License-Identifier: MIT
import dataclasses

from .cast import Look
from .markup import tag

LETTER = 6.9  # the width of one, at the size that page.css gives labels


@dataclasses.dataclass(frozen=True)
class Frame:
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    labels: bool  # names at the ends of lines

    def x(self, share):
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share):
        return self.height - self.bottom - share * (
            self.height - self.top - self.bottom)


@dataclasses.dataclass(frozen=True)
class Point:
    x: float
    figure: object  # the median and its spread; None for a gap
    words: str      # what a pointer on it is told
    hollow: bool = False


@dataclasses.dataclass(frozen=True)
class Line:
    title: str
    look: Look
    points: list
    grey: bool


@dataclasses.dataclass(frozen=True)
class Axes:
    x: object
    y: object
    x_title: str
    y_title: str
    words: str  # the whole plot for those who do not see it


def wide(longest=20):
    return Frame(560, 350, 62, min(180, int(26 + longest * LETTER)), 34, 46,
                 True)


def narrow():
    return Frame(350, 290, 56, 22, 34, 46, False)


def mark(look, x, y, words, hollow=False):
    """A sign at a place, with its words for a pointer."""
    r = 4.2
    shapes = {
        "square": f"M{x - 3.7:.1f} {y - 3.7:.1f}h7.4v7.4h-7.4z",
        "diamond": f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z",
        "up": f"M{x:.1f} {y - 5:.1f}l5 8.6h-10z",
        "down": f"M{x:.1f} {y + 5:.1f}l5 -8.6h-10z",
        "bar": f"M{x - 1.5:.1f} {y - 5.5:.1f}h3v11h-3z",
        "cross": f"M{x - 4.2:.1f} {y - 4.2:.1f}l8.4 8.4m0 -8.4l-8.4 8.4",
    }
    name = f"mark {look.mark}" + (" hollow" if hollow else "")
    said = tag("title", words) if words else None
    if look.mark in shapes:
        return tag("g", said, tag("path", d=shapes[look.mark]), class_=name)
    if look.mark == "dot":
        r = 1.8
    return tag("g", said, tag("circle", cx=float(x), cy=float(y), r=r),
               class_=name)


def swatch(look):
    """The sign and a piece of the line, for a legend."""
    return tag("svg", tag("line", x1=1, y1=7, x2=25, y2=7, class_="line",
                          stroke_dasharray=look.dash),
               mark(look, 13, 7, None), viewBox="0 0 26 14", width=26,
               height=14, class_=f"swatch s-{look.slot}", aria_hidden="true")


def draw_x(frame, axes):
    """Ticks from the right; one that would touch the last is left out, but
    not the first."""
    placed, parts = [], []
    ticks = [(frame.x(axes.x.place(value)), label)
             for value, label in axes.x.ticks]
    order = [ticks[-1], ticks[0], *reversed(ticks[1:-1])] if ticks else []
    for x, label in order:
        half = len(label) * LETTER / 2 + 3
        parts.append(tag("line", x1=x, x2=x, y1=frame.y(0.0),
                         y2=frame.y(0.0) + 4, class_="tick"))
        if all(x + half <= low or x - half >= high for low, high in placed):
            placed.append((x - half, x + half))
            parts.append(tag("text", label, x=x, y=frame.y(0.0) + 17,
                             text_anchor="middle", class_="label"))
    title = axes.x_title + (f" ({axes.x.words})" if axes.x.words else "")
    parts.append(tag("text", title, x=frame.x(0.5), y=frame.height - 8.0,
                     text_anchor="middle", class_="title"))
    return parts


def draw_y(frame, axes):
    parts = []
    for value, label in axes.y.ticks:
        y = frame.y(axes.y.place(value))
        parts.append(tag("line", x1=frame.x(0.0), x2=frame.x(1.0), y1=y, y2=y,
                         class_="grid"))
        parts.append(tag("text", label, x=frame.left - 7.0, y=y + 4,
                         text_anchor="end", class_="label"))
    title = axes.y_title + (f" ({axes.y.words})" if axes.y.words else "")
    parts.append(tag("text", title, x=4, y=15, class_="title"))
    return parts


def pieces(points):
    """Runs of points without a gap between them."""
    found, run = [], []
    for point in points:
        if point.figure is None:
            found.append(run)
            run = []
        else:
            run.append(point)
    return [run for run in found + [run] if run]


def draw_line(frame, axes, line):
    def place(x, value):
        return (frame.x(axes.x.place(x)),
                frame.y(min(axes.y.place(value), 1.5)))

    parts = []
    for run in pieces(line.points):
        if len(run) > 1:
            steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in (
                place(p.x, p.figure.median) for p in run))
            parts.append(tag("polyline", points=steps, class_="line",
                             stroke_dasharray=line.look.dash))
        for p in run:
            x, y = place(p.x, p.figure.median)
            if not line.grey:
                parts.append(tag(
                    "line", x1=x, x2=x, y1=place(p.x, p.figure.low)[1],
                    y2=place(p.x, p.figure.high)[1], class_="spread"))
            parts.append(mark(line.look, x, y, p.words, p.hollow))
    return tag("g", parts, class_=f"s-{line.look.slot}")


def spread_out(places, least, low, high):
    """Moves places apart by at least that much, keeping their order."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    out = list(places)
    for _ in range(200):
        moved = False
        for a, b in zip(order, order[1:]):
            lack = least - (out[b] - out[a])
            if lack > 0.01:
                out[a], out[b] = out[a] - lack / 2, out[b] + lack / 2
                moved = True
        for n, i in enumerate(order):
            kept = min(max(out[i], low + n * least * 0.99),
                       high - (len(order) - 1 - n) * least * 0.99)
            moved = moved or abs(kept - out[i]) > 0.01
            out[i] = kept
        if not moved:
            break
    return out


def shorter(title, room):
    most = max(3, int(room / LETTER))
    return title if len(title) <= most else title[:most - 1].rstrip() + "…"


def draw_labels(frame, axes, lines):
    """Names beside the ends of lines, moved apart, with a hair to the end."""
    ends = []
    for line in lines:
        drawn = [p for p in line.points if p.figure is not None]
        if not line.grey and drawn:
            last = drawn[-1]
            ends.append((line, frame.x(axes.x.place(last.x)),
                         frame.y(min(axes.y.place(last.figure.median), 1.0)),
                         last is not line.points[-1]))
    ys = spread_out([y for _, _, y, _ in ends], 15, frame.top + 2,
                    frame.height - frame.bottom - 2)
    edge = frame.x(1.0)
    parts = []
    for (line, x, y, gap), label_y in zip(ends, ys):
        room = frame.right - 22 - (5 * LETTER if gap else 0)
        words = shorter(line.title, room) + (": gap" if gap else "")
        hair = None if gap else tag(
            "path", d=f"M{x + 6:.1f} {y:.1f}L{edge + 14:.1f} {label_y:.1f}",
            class_="hair")
        parts.append(tag("g", hair, tag("text", words, x=edge + 18,
                                        y=label_y + 4, class_="name gap"
                                        if gap else "name"),
                         class_=f"s-{line.look.slot}"))
    return parts


def draw(frame, axes, lines, name):
    """One plot; name is unique on the page."""
    clip = tag("clipPath", tag("rect", x=frame.left - 6, y=frame.top - 6,
                               width=frame.width - frame.left - frame.right + 12,
                               height=frame.height - frame.top -
                               frame.bottom + 12), id=name)
    order = sorted(lines, key=lambda line: (not line.grey,
                                            line.look.slot == "corten"))
    return tag(
        "svg", tag("title", axes.words), clip, draw_y(frame, axes),
        draw_x(frame, axes),
        tag("g", [draw_line(frame, axes, line) for line in order],
            clip_path=f"url(#{name})"),
        draw_labels(frame, axes, order) if frame.labels else None,
        viewBox=f"0 0 {frame.width} {frame.height}", role="img",
        class_="plot " + ("wide" if frame.labels else "narrow"))
