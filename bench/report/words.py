# words.py - what the page says in sentences.
#
# The defeats are looked for as carefully as the victories: whoever is better
# than corten in one of the figures, by more than the spread, stands in a list.
#
# SPDX-License-Identifier: MIT
from .figures import METRICS, beyond
from .scale import plain, shorten

NAMED_MAX = 5  # of those who are better in a figure
HEADLINES = [
    ("echo", "connections", 1, "cpu_us"), ("echo", "connections", 64, "cpu_us"),
    ("echo", "connections", 1000, "cpu_us"),
    ("echo", "connections", 10000, "cpu_us"),
    ("http", "connections", 64, "cpu_us"),
    ("http", "connections", 1000, "cpu_us"),
    ("echo", "connections", 1000, "memory"), ("echo", "idle", None, "memory"),
    ("http", "block", 5, "rps"), ("http", "block", 5, "cpu_us"),
    ("http", "compute", 100, "rps"), ("http", "mix", None, "p99_us"),
    ("http", "rate", None, "p99_us"), ("http", "rate", None, "p999_us"),
    ("echo", "size", 65536, "rps"), ("echo", "slow", None, "cpu_us"),
]


def headlines(figures):
    """(case, metric); the last place of the axis where none is named."""
    found = []
    for kind, axis, x, metric in HEADLINES:
        places = figures.axis(kind, axis)
        if x is None and places:
            found.append((places[-1][1], metric))
        found += [(case, metric) for at, case in places if x == at]
    return found


def better(figures, cast, case, metric):
    """Who beats corten there by more than the spread: [(times, title)]."""
    ours, found = cast.reference(), []
    for name in cast.others():
        if figures.results.contenders[name].kind == "corten":
            continue
        ratio = figures.ratio(name, ours, case, metric)
        if ratio is None:
            continue
        if beyond(ratio) == (1 if METRICS[metric].more_is_better else -1):
            found.append((ratio.median, cast.title(name)))
    return sorted(found, reverse=METRICS[metric].more_is_better)


def defeats(figures, cast):
    """[(what, "io_uring loop 0.91, libuv 0.95")], the strongest first."""
    if cast.reference() is None:
        return []
    found = []
    for case, metric in headlines(figures):
        names = better(figures, cast, case, metric)
        if names:
            who = ", ".join(f"{title} {ratio:.2f}"
                            for ratio, title in names[:NAMED_MAX])
            if len(names) > NAMED_MAX:
                who += f", and {len(names) - NAMED_MAX} more"
            found.append((f"{case.title}, {METRICS[metric].title}", who))
    return found


def against(figures, cast, name, kind, x, metric):
    case = figures.case(kind, "connections", x)
    if case is None or cast.reference() is None or name is None:
        return None
    return figures.ratio(name, cast.reference(), case, metric)


def cost(figures, cast):
    case = figures.case("echo", "connections", 64)
    ours = cast.reference()
    if case is None or ours is None:
        return None
    own = figures.figure(ours, case, "cpu_us")
    if own is None:
        return None
    words = "An echo at 64 connections costs corten " \
        f"{shorten(own.median)} µs of processor time"
    others = []
    for name in ("epoll", "threads", cast.pool, "go"):
        ratio = against(figures, cast, name, "echo", 64, "cpu_us")
        if ratio is not None:
            others.append(f"{cast.title(name)} {ratio.median:.2f} times that")
    return words + (": " + ", ".join(others) if others else "") + "."


def blocking(figures, cast):
    case = figures.case("http", "block", 5) or figures.case("echo", "block", 5)
    if case is None or cast.reference() is None:
        return None
    shown = []
    for name in (cast.reference(), "threads", cast.pool, "go"):
        figure = figures.figure(name, case, "rps") if name else None
        if figure is not None:
            shown.append(f"{cast.title(name)} {shorten(figure.median)}")
    if len(shown) < 2:
        return None
    return "With a handler that blocks 5 ms, requests/s: " + ", ".join(
        shown) + "."


def memory(figures, cast):
    places = figures.axis("echo", "idle")
    if not places or cast.reference() is None:
        return None
    x, case = places[-1]
    shown = []
    for name in (cast.reference(), "epoll", "threads", "go"):
        figure = figures.figure(name, case, "memory")
        if figure is not None:
            shown.append(f"{cast.title(name)} {plain(round(figure.median))}")
    if not shown:
        return None
    return f"Bytes in the process per connection, {plain(x)} of them silent: " \
        + ", ".join(shown) + "."


def short(figures, cast):
    """The page in three sentences."""
    found = [cost(figures, cast), blocking(figures, cast),
             memory(figures, cast)]
    return [sentence for sentence in found if sentence]


def settings(results):
    rounds = results.settings.get("rounds")
    seconds = results.settings.get("seconds")
    words = []
    if rounds is not None:
        words.append(f"{rounds} round{'' if rounds == '1' else 's'}")
    if seconds is not None:
        words.append(f"{seconds} s each")
    server, load = (results.settings.get("server_core"),
                    results.settings.get("load_core"))
    if server is not None and load is not None:
        words.append(f"server on core {server}, load on core {load}"
                     if server != load else
                     f"server and load both on core {server}")
    return ", ".join(words)
