# cast.py - who is drawn, in which colour and with which mark.
#
# A contender has one look on the whole page.  Six or seven lines are what an eye
# can follow: these are the ones that were measured over the whole range of the
# axes, of the modes of the thread pool the best.  All others are thin and grey.
# page.css has the colours, which people who see fewer of them can tell apart;
# marks and dashes tell them apart without any.
#
# SPDX-License-Identifier: MIT
import dataclasses
import statistics

FOCUS_MAX = 6
POOL = "pool"


@dataclasses.dataclass(frozen=True)
class Look:
    slot: str  # the class of page.css
    mark: str
    dash: str = None


KNOWN = {
    "corten": Look("corten", "circle"),
    "corten_hook": Look("hook", "square"),
    "corten_http": Look("whole", "diamond"),
    "epoll": Look("epoll", "bar", "7 4"),
    "threads": Look("threads", "up"),
    POOL: Look("pool", "down"),
    "go": Look("go", "cross"),
}
SPARE = [Look("spare1", "diamond"), Look("spare2", "square"),
         Look("spare3", "up"), Look("spare4", "circle", "2 3"),
         Look("spare5", "down")]
GREY = Look("grey", "dot")


class Cast:
    def __init__(self, figures):
        self.figures = figures
        self.results = figures.results
        self.names = list(self.results.contenders)
        self.pool = self.best_pool()
        self.looks = {}
        spare = iter(SPARE)
        for name in self.chosen():
            key = POOL if name == self.pool else name
            self.looks[name] = KNOWN.get(key) or next(spare, GREY)

    def best_pool(self):
        """The mode with the most cases, of those the one that costs least."""
        modes = [name for name in self.names if name.startswith(POOL)]
        return min(modes, default=None, key=lambda name: (
            -self.figures.measured(name), self.mean_cost(name)))

    def mean_cost(self, name):
        found = [self.figures.figure(name, case, "cpu_us")
                 for case in self.results.cases.values()
                 if case.axis == "connections"]
        return statistics.mean([f.median for f in found if f] or [float("inf")])

    def chosen(self):
        names = [self.pool if key == POOL else key for key in KNOWN]
        names = [name for name in names if name in self.names]
        others = [name for name in self.names
                  if name not in names and not name.startswith(POOL)]
        others.sort(key=lambda name: -self.figures.measured(name))
        return names + others[:max(0, FOCUS_MAX - len(names))]

    def look(self, name):
        return self.looks.get(name, GREY)

    def in_focus(self, name):
        return self.look(name) is not GREY

    def title(self, name):
        found = self.results.contenders.get(name)
        return found.title if found else name

    def reference(self):
        """Who the others are compared with."""
        if "corten" in self.names:
            return "corten"
        return next((name for name in self.names
                     if self.results.contenders[name].kind == "corten"), None)

    def others(self):
        return [name for name in self.names if name != self.reference()]
