# markdown.py - the table for the README.
#
# CPU per request and its ratio to corten's, requests/s when the handler blocks,
# and the memory of a connection, in at most 120 columns.
#
# SPDX-License-Identifier: MIT
import textwrap

from .cast import Cast
from .figures import Figures
from .scale import shorten

COLUMNS_MAX = 120
TITLE_MAX = 24
PLACES = [("echo", 64), ("echo", 1000), ("http", 64), ("http", 1000)]


def memory_case(figures):
    """The most idle connections, or else a thousand busy ones."""
    idle = figures.axis("echo", "idle")
    if idle:
        return idle[-1][1], f"{idle[-1][0]:,.0f} of them silent"
    return figures.case("echo", "connections", 1000), "1,000, all busy"


def safe(title):
    words = " ".join(title.replace("|", "/").replace("<", "(").split())
    return words if len(words) <= TITLE_MAX else words[:TITLE_MAX - 1] + "…"


class Table:
    def __init__(self, results):
        self.figures = Figures(results)
        self.cast = Cast(self.figures)
        self.cases = [self.figures.case(kind, "connections", x)
                      for kind, x in PLACES]
        self.block = self.figures.case("http", "block", 5) or \
            self.figures.case("echo", "block", 5)
        self.memory, self.memory_words = memory_case(self.figures)

    def cost(self, name, case):
        own = self.figures.figure(name, case, "cpu_us") if case else None
        if own is None:
            return "-"
        ours = self.cast.reference()
        ratio = self.figures.ratio(name, ours, case, "cpu_us") if ours else None
        if ratio is None:
            return f"{own.median:.1f}"
        return f"{own.median:.1f} ({ratio.median:.2f})"

    def whole(self, name, case, metric):
        figure = self.figures.figure(name, case, metric) if case else None
        return f"{figure.median:,.0f}" if figure else "-"

    def row(self, name):
        return [safe(self.cast.title(name)),
                *[self.cost(name, case) for case in self.cases],
                self.whole(name, self.block, "rps"),
                self.whole(name, self.memory, "memory")]

    def draw(self):
        heads = ["CPU µs per request", "echo 64", "echo 1,000", "HTTP 64",
                 "HTTP 1,000", "5 ms block: req/s", "idle bytes"]
        rows = [self.row(name) for name in self.cast.names]
        rows = [row for row in rows if any(cell != "-" for cell in row[1:])]
        widths = [max(len(row[n]) for row in [heads, *rows])
                  for n in range(len(heads))]
        if sum(widths) + 3 * len(widths) + 1 > COLUMNS_MAX:
            widths = [0] * len(heads)
        lines = [self.line(heads, widths),
                 "|" + "|".join("-" * (width + 1) + (":" if n else "-")
                                for n, width in enumerate(widths)) + "|"]
        lines += [self.line(row, widths) for row in rows]
        return "\n".join(lines) + "\n\n" + self.notes() + "\n"

    def notes(self):
        found = ["A dash: not measured, or its model cannot serve it."]
        if self.cast.reference():
            found.insert(0, "In brackets: over corten's.")
        if self.memory is not None:
            found.append("Idle bytes: memory of the process per connection, "
                         f"{self.memory_words}.")
        if self.block is not None:
            clients = self.block.connections()
            found.append("5 ms block: the handler blocks so long, "
                         f"{clients:,.0f} clients.")
        return textwrap.fill(" ".join(found), COLUMNS_MAX)

    @staticmethod
    def line(cells, widths):
        return "| " + " | ".join(
            cell.rjust(width) if n else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(cells, widths))) + " |"
