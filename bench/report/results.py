# results.py - what a file of results holds.
#
# The file comes from bench/run.sh, perhaps an old one, perhaps one that was
# stopped half way: whatever is missing or odd in it is left out and noted, and
# only a file that is none of ours raises Bad, which says so in words.  Numbers
# that are none (NaN, infinities, negative ones, text) count as missing.
#
# SPDX-License-Identifier: MIT
import dataclasses
import json
import math

FORMAT = 1


class Bad(Exception):
    """Not a file of results: why, in words for whoever named it."""


@dataclasses.dataclass
class Contender:
    name: str
    title: str
    kind: str
    words: list
    version: str
    model: str
    better: str


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    kind: str
    axis: str
    x: float
    title: str
    load: tuple
    server: tuple

    def option(self, name, default=0.0):
        """The number behind an option of the load generator."""
        for word, value in zip(self.load, self.load[1:]):
            if word == name:
                return number(value) if number(value) is not None else default
        return default

    def connections(self):
        """All kinds of them, at the same time."""
        return (self.option("--conns", 64.0) + self.option("--idle") +
                self.option("--slow"))


def number(value):
    """A finite number that is not negative, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, (int, float)):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def finite(word):
    value = float(word)
    return value if math.isfinite(value) else None


def text(value, default=""):
    if isinstance(value, str):
        return value
    return default if value is None else json.dumps(value)


def words(value):
    return [text(word) for word in value] if isinstance(value, list) else []


def mapping(value):
    return value if isinstance(value, dict) else {}


def facts(value):
    """{name: text}, of those that there are."""
    return {name: text(fact) for name, fact in mapping(value).items()
            if text(fact)}


def entries(value):
    """The objects of a list, and how many of it were none."""
    whole = value if isinstance(value, list) else []
    good = [entry for entry in whole if isinstance(entry, dict)]
    return good, len(whole) - len(good)


class Results:
    """One file.  runs and wrk: (contender, case id) -> {round: result}."""

    def __init__(self, head):
        self.date = text(head.get("date"), "unknown date")
        self.command = text(head.get("command"), "unknown command")
        self.machine = facts(head.get("machine"))
        self.settings = facts(head.get("settings"))
        self.notes = []
        self.contenders = self.read_contenders(head.get("contenders"))
        self.cases = self.read_cases(head.get("cases"))
        self.runs, self.wrk = {}, {}
        self.read_runs(head.get("runs"))
        self.gaps = self.read_gaps(head.get("gaps"))
        self.skipped = [(text(entry.get("contender"), "?"),
                         text(entry.get("why"), "no reason given"))
                        for entry in entries(head.get("skipped"))[0]]

    def note(self, count, what):
        if count > 0:
            self.notes.append(f"{count} {what}")

    def read_contenders(self, value):
        found = {}
        for name, entry in mapping(value).items():
            entry = mapping(entry)
            found[name] = Contender(
                name, text(entry.get("title"), name) or name,
                text(entry.get("kind"), "field"), words(entry.get("words")),
                text(entry.get("version"), "unknown"),
                text(entry.get("model")), text(entry.get("better")))
        return found

    def read_cases(self, value):
        good, bad = entries(value)
        found = {}
        for entry in good:
            name, x = text(entry.get("id")), number(entry.get("x"))
            if not name or x is None:
                bad += 1
                continue
            found[name] = Case(
                name, text(entry.get("kind")), text(entry.get("axis")), x,
                text(entry.get("title"), name), tuple(words(entry.get("load"))),
                tuple(words(entry.get("server"))))
        self.note(bad, "cases of the file were left out: no id, or no place on "
                       "their axis")
        return found

    def read_runs(self, value):
        good, bad = entries(value)
        for order, entry in enumerate(good):
            contender, case = text(entry.get("contender")), text(
                entry.get("case"))
            result = mapping(entry.get("result"))
            if not contender or case not in self.cases or not result:
                bad += 1
                continue
            self.know(contender)
            turn = number(entry.get("round"))
            into = self.wrk if entry.get("tool") == "wrk" else self.runs
            into.setdefault((contender, case), {})[
                order if turn is None else int(turn)] = result
        self.note(bad, "runs of the file were left out: no contender, no case "
                       "or no result")

    def read_gaps(self, value):
        found = {}
        for entry in entries(value)[0]:
            contender, case = text(entry.get("contender")), text(
                entry.get("case"))
            if contender and case in self.cases:
                self.know(contender)
                found[contender, case] = text(entry.get("why"),
                                              "no reason given")
        return found

    def know(self, name):
        """Somebody whom the file forgot to introduce."""
        if name not in self.contenders:
            self.contenders[name] = Contender(name, name, "field", [],
                                              "unknown", "", "")


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            head = json.load(file, parse_constant=lambda word: None,
                             parse_float=finite)
    except OSError as error:
        raise Bad(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Bad(f"{path} is no JSON: {error}") from None
    if not isinstance(head, dict) or "format" not in head:
        raise Bad(f"{path} is no file of results: it has no format number")
    if head["format"] != FORMAT or isinstance(head["format"], bool):
        raise Bad(f"{path} has format {json.dumps(head['format'])}; "
                  f"this program reads format {FORMAT}")
    return Results(head)
