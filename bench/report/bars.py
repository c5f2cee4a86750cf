# bars.py - horizontal bars, one a contender, from zero.
#
# A whisker shows the spread, the number stands at the end, and a rule where the
# other side of the comparison is.  Bars that would leave all others too short to
# read are cut, and say so by their number and a torn end.
#
# SPDX-License-Identifier: MIT
import dataclasses

from .cast import Look
from .markup import tag
from .plot import LETTER, shorter
from .scale import Linear, plain

ROW = 21
CUT = 3.0  # times the second highest


@dataclasses.dataclass(frozen=True)
class Bar:
    title: str
    look: Look
    figure: object  # None for a gap
    label: str      # the number, or why there is none
    words: str
    tone: str = ""  # a class of page.css, besides the look's


def axis_of(bars, rule, label):
    values = sorted(b.figure.high for b in bars if b.figure is not None)
    top = values[-1] if values else 1.0
    if len(values) > 2 and top > CUT * values[-2] > 0:
        top = 1.2 * values[-2]
    return Linear([top, rule or 0.0], label)


def draw_bar(bar, at, place, edge):
    mid = at + ROW / 2
    start = place(0)
    if bar.figure is None:
        return tag("g", tag("title", bar.words),
                   tag("text", bar.label, x=start + 6, y=mid + 4,
                       class_="gap"))
    end = min(place(bar.figure.median), edge)
    cut = place(bar.figure.median) > edge
    parts = [tag("title", bar.words),
             tag("rect", x=start, y=at + 3.5, width=max(1.0, end - start),
                 height=ROW - 7, class_="bar")]
    high = min(place(bar.figure.high), edge)
    low = min(place(bar.figure.low), edge)
    if cut:
        parts.append(tag("path", d=f"M{end - 9:.1f} {at + ROW - 2}l5 -{ROW - 4}"
                                   f"h4l-5 {ROW - 4}z", class_="torn"))
    elif bar.figure.rounds > 1:
        parts.append(tag("line", x1=low, x2=high, y1=mid, y2=mid,
                         class_="spread"))
    parts.append(tag("text", bar.label, x=max(end, high) + 5, y=mid + 4,
                     class_="value"))
    return tag("g", parts, class_=f"s-{bar.look.slot} {bar.tone}".rstrip())


def draw(width, bars, title, words, rule=None, label=plain):
    """rule: where to draw the line that says "as much as"; label: of ticks."""
    name_room = 200 if width > 400 else 146
    number_room = 12 + LETTER * max([len(b.label) for b in bars
                                    if b.figure is not None], default=4)
    top, edge = 40, width - number_room
    height = top + ROW * len(bars) + 8
    axis = axis_of(bars, rule, label)

    def place(value):
        return name_room + axis.place(value) * (edge - name_room)

    parts = [tag("title", words), tag("text", title, x=4, y=15, class_="title")]
    last = None
    for value, words in axis.ticks:
        x = place(value)
        parts.append(tag("line", x1=x, x2=x, y1=top - 4, y2=height - 4,
                         class_="grid"))
        if last is None or x - last > (len(words) + 2) * LETTER:
            parts.append(tag("text", words, x=x, y=top - 9,
                             text_anchor="middle", class_="label"))
            last = x
    for n, bar in enumerate(bars):
        at = top + ROW * n
        parts.append(tag("text", tag("title", bar.title),
                         shorter(bar.title, name_room - 12),
                         x=name_room - 8, y=at + ROW / 2 + 4,
                         text_anchor="end",
                         class_="name strong" if bar.tone == "ours" else
                         "name"))
        parts.append(draw_bar(bar, at, place, edge))
    if rule is not None:
        parts.append(tag("line", x1=place(rule), x2=place(rule), y1=top - 4,
                         y2=height - 4, class_="rule"))
    return tag("svg", parts, viewBox=f"0 0 {width} {height}", role="img",
               class_="plot " + ("wide" if width > 400 else "narrow"))
