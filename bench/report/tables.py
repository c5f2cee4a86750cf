# tables.py - the numbers below a plot, and why some are missing.
#
# Each cell has the median, and small below it the spread.
#
# SPDX-License-Identifier: MIT
from .figures import METRICS
from .markup import tag
from .scale import plain


def scroll(*rows, class_=None):
    """A table that is wider than a phone scrolls by itself."""
    return tag("div", tag("table", rows, class_=class_), class_="scroll",
               tabindex=0)


def head(*cells):
    return tag("thead", tag("tr", [tag("th", cell, scope="col")
                                   for cell in cells]))


def row(title, cells, ours=False):
    return tag("tr", tag("th", title, scope="row"), cells,
               class_="ours" if ours else None)


def cell(words):
    """"4.56 µs (4.41 to 4.80)" with the spread on a line of its own."""
    median, _, spread = words.partition(" (")
    if not spread:
        return tag("td", median)
    return tag("td", median, tag("small", spread.rstrip(")")))


def figure_cell(figures, name, case, metric, say):
    figure = figures.figure(name, case, metric)
    if figure is None:
        return tag("td", "–", class_="none", title="not measured in this run")
    errors, first = figures.errors(name, case)
    found = cell(say(metric, figure))
    if errors:
        words = f"{errors:,} failed" + (f": {first}" if first else "")
        return tag("td", say(metric, figure), tag("small", words),
                   class_="failed")
    return found


def merged(figures, name, wanted, say):
    """The cells of a row; neighbours that miss for one reason are one gap."""
    found, n = [], 0
    while n < len(wanted):
        case, metric = wanted[n]
        if figures.figure(name, case, metric) is not None or \
                figures.why(name, case) is None:
            found.append(figure_cell(figures, name, case, metric, say))
            n += 1
            continue
        why, first = figures.why(name, case), n
        while n < len(wanted) and figures.why(name, wanted[n][0]) == why and \
                figures.figure(name, *wanted[n]) is None:
            n += 1
        found.append(tag("td", "gap", tag("small", why), class_="why",
                         colspan=n - first if n - first > 1 else None))
    return found


def over_places(figures, cast, names, places, metric, say, axis):
    """A column for each place on an axis."""
    cases = [case for _, case in places]
    rows = [row(cast.title(name),
                merged(figures, name, [(case, metric) for case in cases], say),
                name == cast.reference())
            for name in names]
    unit = METRICS[metric].unit
    caption = METRICS[metric].title + (f", {unit}" if unit else "") + \
        f"; columns: {axis}"
    return scroll(tag("caption", caption),
                  head("", *[plain(x) for x, _ in places]),
                  tag("tbody", rows))


def of_metrics(figures, cast, names, case, metrics, say):
    """One case, a column for each metric."""
    rows = [row(cast.title(name),
                merged(figures, name, [(case, metric) for metric in metrics],
                       say), name == cast.reference())
            for name in names]
    return scroll(tag("caption", case.title),
                  head("", *[METRICS[metric].title for metric in metrics]),
                  tag("tbody", rows))


def ratio_words(figure):
    if figure.rounds == 1:
        return f"{figure.median:.2f}"
    return f"{figure.median:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def ratios(figures, cast, case, ours):
    rows = []
    for name in cast.names:
        ratio = figures.ratio(name, ours, case, "cpu_us")
        if ratio is None:
            why = figures.why(name, case)
            if why is not None:
                rows.append(row(cast.title(name), [
                    tag("td", "gap", tag("small", why), class_="why",
                        colspan=2)]))
            continue
        own = figures.figure(name, case, "cpu_us")
        rows.append(row(cast.title(name), [
            cell(f"{own.median:.2f}" if own.rounds == 1 else
                 f"{own.median:.2f} ({own.low:.2f} to {own.high:.2f})"),
            cell(ratio_words(ratio))], name == ours))
    return scroll(tag("caption", case.title),
                  head("", "CPU per request, µs", "over corten's"),
                  tag("tbody", rows))


def gaps(figures, cast, names, places, metric):
    """A list of them: who, where, why; same reasons together."""
    found, served = {}, set()
    for name in names:
        for x, case in places:
            if figures.figure(name, case, metric) is not None:
                served.add(name)
                continue
            why = figures.why(name, case)
            if why is not None:
                found.setdefault((why, name), []).append(x)
    if not found:
        return None
    reasons = {}
    for (why, name), xs in found.items():
        at = "" if name not in served else \
            " at " + ", ".join(plain(x) for x in xs)
        reasons.setdefault(why, []).append(cast.title(name) + at)
    items = [tag("li", tag("b", "; ".join(names)), ": ", why)
             for why, names in reasons.items()]
    return tag("div", tag("p", "Gaps, and why:"), tag("ul", items),
               class_="gaps")
