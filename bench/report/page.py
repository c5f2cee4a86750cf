# page.py - all of it on one page, which loads nothing and needs no script.
#
# SPDX-License-Identifier: MIT
import os
import shlex

from . import tables, words
from .cast import Cast
from .figures import Figures
from .markup import Markup, tag
from .panels import Panels, Wish, both_kinds, grid, say
from .targets import HELD, MISSED, Targets

KINDS_OF = {"corten": "corten", "limit": "The limit",
            "classic": "Threads and processes", "field": "The field"}
KERNEL = ["cpu_us", "syscalls", "switches", "threads"]


def section(name, title, text, *content):
    content = [part for part in content if part is not None]
    if not content:
        return None
    return tag("section", tag("h2", title), tag("p", text, class_="lead"),
               content, id=name)


def style():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "page.css"), encoding="utf-8") as file:
        return file.read()


class Page:
    def __init__(self, results):
        self.results = results
        self.figures = Figures(results)
        self.cast = Cast(self.figures)
        self.panels = Panels(self.figures, self.cast)

    def grid(self, wishes):
        return grid([self.panels.draw(wish) for wish in wishes])

    # ---- The beginning -----------------------------------------------------

    def header(self):
        r, m = self.results, self.results.machine
        facts = [r.date, m.get("cpu"), m.get("kernel"), words.settings(r)]
        return tag("header",
                   tag("h1", "corten and its contenders"),
                   tag("p", "The same echo and the same small HTTP service, "
                       "written for each way of waiting for many connections. "
                       "One core serves, another asks; medians with their "
                       "spread."),
                   tag("p", " · ".join(str(f) for f in facts if f),
                       class_="facts"))

    def short(self):
        said = [tag("li", line) for line in words.short(self.figures,
                                                        self.cast)]
        lost = [tag("li", tag("span", what + ": "), who) for what, who in
                words.defeats(self.figures, self.cast)]
        parts = [tag("ul", said) if said else None]
        if self.cast.reference() is None:
            parts.append(tag("p", "corten itself was not measured in this run: "
                             "there is nothing to compare with."))
        elif lost:
            parts.append(tag("div", tag("h3", "Where others beat corten"),
                             tag("p", self.beyond_what() + "; each number is "
                                 "theirs over corten's."),
                             tag("ul", lost), class_="defeats"))
        return section("short", "In short", "Less CPU per request, less memory "
                       "and less latency are better; more requests/s are "
                       "better.", *parts)

    def beyond_what(self):
        rounds = max(len(turns) for turns in self.results.runs.values())
        return "By more than the spread of the rounds" if rounds > 1 else \
            "There was one round, so nothing is known of the spread; by 5 % " \
            "and more"

    def promises(self):
        if self.cast.reference() != "corten":
            return None
        rows = []
        for v in Targets(self.figures, self.cast).verdicts():
            state = v.state + (", within the spread" if v.near else "")
            rows.append(tables.row(v.promise, [
                tag("td", v.measured, class_="words"),
                tag("td", tag("span", state, class_="state " + {
                    HELD: "held", MISSED: "missed"}.get(v.state, "unknown")))]))
        return section("promises", "What corten promises, and what came out",
                       "Ratios of two contenders are taken round by round. "
                       "A promise holds when each of its medians does.",
                       tables.scroll(tables.head("promise", "measured", ""),
                                     tag("tbody", rows), class_="promises"))

    # ---- The plots -----------------------------------------------------------

    def computing(self):
        found = [self.panels.draw(wish)
                 for wish in both_kinds("compute", "rps", True)]
        found += [self.panels.mix(kind, case) for kind in ("echo", "http")
                  for _, case in self.figures.axis(kind, "mix")]
        return grid(found)

    def latency(self):
        found = [self.panels.percentiles(kind, x, case)
                 for kind in ("echo", "http")
                 for x, case in self.figures.axis(kind, "rate")]
        return section(
            "latency", "Latency at a fixed rate",
            "Requests leave at fixed times whether or not the last one is "
            "answered, and latency counts from that time: a server that stalls "
            "cannot hide it. Down is better.", grid(found))

    def memory(self):
        wishes = [Wish(kind, "connections", "memory", only=1000)
                  for kind in ("echo", "http")]
        for kind in ("echo", "http"):
            idle = self.figures.axis(kind, "idle")
            if idle:
                wishes.append(Wish(kind, "idle", "memory", only=idle[-1][0]))
        return section(
            "memory", "Memory per connection",
            "What the process grew by, over the connections; what the kernel "
            "keeps (sockets, stacks of threads, page tables) is not in it. "
            "Shorter is better.", self.grid(wishes))

    def kernel(self):
        found = []
        for kind, x in ("echo", 64), ("echo", 1000), ("http", 64):
            case = self.figures.case(kind, "connections", x)
            if case and any(self.figures.figure(name, case, "cpu_us")
                            for name in self.cast.names):
                names = self.panels.names("connections", [(x, case)])
                found.append(tag("details", tag("summary", case.title),
                                 tables.of_metrics(self.figures, self.cast,
                                                   names, case, KERNEL, say),
                                 open=None if found else "open"))
        return section("kernel", "What each asks of the kernel",
                       "System calls and context switches per request, and "
                       "threads.", *found)

    def plots(self):
        return [
            section("throughput", "Throughput over connections",
                    "Each connection sends 64 bytes, or a request, and waits "
                    "for the answer. Up is better.",
                    self.grid(both_kinds("connections", "rps"))),
            section("cpu", "CPU per request over connections",
                    "From the process's own accounts, so that a busy machine "
                    "changes little. On a log axis the same distance is the "
                    "same ratio. Down is better.",
                    self.grid(both_kinds("connections", "cpu_us", True))),
            section("speedup", "Speed-up of corten over each",
                    "How much processor time a contender takes for a request, "
                    "in units of corten's. Beyond the rule corten is cheaper. "
                    "Blue bars are contenders that are cheaper than corten, "
                    "pale ones cannot be told from it by these rounds.",
                    grid([self.panels.speed_up(kind, x)
                          for kind in ("echo", "http") for x in (64, 1000)])),
            section("block", "A handler that blocks",
                    "It waits for a database, say, 1,000 clients at a time. A "
                    "model without a thread or a coroutine per request runs "
                    "out of somebody to wait.",
                    self.grid([*both_kinds("block", "rps", True),
                               *both_kinds("block", "cpu_us", True)])),
            section("compute", "A handler that computes",
                    "This is the weak side of coroutines: whoever computes "
                    "holds up the others of its thread. The second plot has "
                    "the short requests while one in ten computes.",
                    self.computing()),
            self.latency(),
            self.memory(),
            section("size", "Message size", "Longer messages: more of the time "
                    "goes into copying, which is the same for all.",
                    self.grid([*both_kinds("size", "rps", True),
                               *both_kinds("size", "cpu_us", True)])),
            section("company", "Silent and slow company",
                    "64 connections are busy, beside others that are silent, "
                    "or that send and take a byte at a time. Down is better.",
                    self.grid([*both_kinds("idle", "cpu_us", True),
                               *both_kinds("slow", "cpu_us", True)])),
            section("pipeline", "Pipelines and short connections",
                    "Several requests in flight on a connection; and clients "
                    "that go and come again.",
                    self.grid([*both_kinds("depth", "cpu_us", True),
                               *both_kinds("churn", "rps")])),
            self.kernel(),
        ]

    # ---- The end ---------------------------------------------------------

    def wrk(self):
        """What wrk says of the same cases."""
        rows = []
        for name, case_id in self.results.wrk:
            case = self.results.cases[case_id]
            cells = []
            for metric in "rps", "cpu_us", "p99_us":
                for tool in "load", "wrk":
                    figure = self.figures.figure(name, case, metric, tool)
                    cells.append(tag("td", "–") if figure is None else
                                 tables.cell(say(metric, figure)))
            rows.append(tables.row(f"{self.cast.title(name)}, {case.title}",
                                   cells))
        if not rows:
            return None
        return section("wrk", "The same, asked by wrk",
                       "A second load generator, so that nobody need trust "
                       "ours; wrk has its own loop, so it may load a server "
                       "otherwise.",
                       tables.scroll(
                           tables.head("", "requests/s", "by wrk", "CPU, µs",
                                       "by wrk", "99 % within", "by wrk"),
                           tag("tbody", rows)))

    def contenders(self):
        parts = []
        kinds = list(KINDS_OF) + sorted({
            c.kind for c in self.results.contenders.values()} - set(KINDS_OF))
        for kind in kinds:
            found = [c for c in self.results.contenders.values()
                     if c.kind == kind]
            if found:
                parts.append(tag("h3", KINDS_OF.get(kind, kind)))
                parts += [tag("dl", [self.contender(c) for c in found])]
        if self.results.skipped:
            parts.append(tag("h3", "Not here"))
            parts.append(tag("ul", [
                tag("li", tag("b", self.cast.title(name)), ": ", why)
                for name, why in self.results.skipped]))
        return section("contenders", "The contenders",
                       "What each is, and what it does better than corten.",
                       *parts)

    def contender(self, c):
        version = f" {c.version}" if c.version not in ("", "unknown") else ""
        return [tag("dt", c.title, tag("small", version)),
                tag("dd", tag("p", c.model, class_="model"),
                    tag("p", c.better) if c.better else None,
                    tag("code", shlex.join(c.words)) if c.words else None)]

    def commands(self):
        rows = [tables.row(case.title, [
            tag("td", tag("code", " ".join(["load", case.kind, "ADDRESS",
                                            *case.load]))),
            tag("td", tag("code", " ".join(case.server)))])
            for case in self.results.cases.values()]
        return tag("details", tag("summary", "What each case asks for"),
                   tables.scroll(tables.head("case", "load generator",
                                             "options of the server"),
                                 tag("tbody", rows), class_="commands"))

    def measured(self):
        r = self.results
        facts = [("command", tag("code", r.command)), ("date", r.date)]
        facts += [(key.replace("_", " "), value)
                  for key, value in [*r.machine.items(), *r.settings.items()]]
        return section(
            "how", "How it was measured",
            "Contenders take turns within a case, each run with a server of "
            "its own, and whoever goes first changes. Every byte of every "
            "answer is checked. A figure is the median over the rounds; the "
            "spread is the middle half of them, or all where there are three "
            "or fewer.",
            tag("dl", [[tag("dt", key), tag("dd", value)]
                       for key, value in facts], class_="facts"),
            tag("ul", [tag("li", note) for note in r.notes])
            if r.notes else None,
            self.commands() if r.cases else None)

    def draw(self):
        sections = [part for part in (
            self.short(), self.promises(), *self.plots(), self.wrk(),
            self.contenders(), self.measured()) if part is not None]
        return "<!DOCTYPE html>\n" + tag(
            "html",
            tag("head", tag("meta", charset="utf-8"),
                tag("meta", name="viewport",
                    content="width=device-width, initial-scale=1"),
                tag("meta", name="color-scheme", content="light dark"),
                tag("title", f"corten: benchmarks, {self.results.date}"),
                tag("style", Markup("\n" + style()))),
            tag("body", self.header(), tag("main", sections)), lang="en") + "\n"



