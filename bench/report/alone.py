# alone.py - plots of the page as files of their own, for a README.
#
# SPDX-License-Identifier: MIT
import os
import re

from .cast import Cast
from .figures import Figures
from .page import style
from .panels import Panels, Wish

PLOTS = {
    "connections": Wish("echo", "connections", "cpu_us", True),
    "blocking": Wish("http", "block", "rps", True),
}


def standalone(markup):
    """The plot of a panel, with the page's colours in it."""
    svg = re.search(r'<svg [^>]*class="plot wide".*?</svg>', str(markup),
                    re.S).group(0)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    head, body = svg.split(">", 1)
    return (f'{head} xmlns="http://www.w3.org/2000/svg" width="{box.group(1)}" '
            f'height="{box.group(2)}"><style>{style()}\n'
            "svg { background: var(--paper); font-family: sans-serif }</style>"
            f"{body}\n")


def write(results, folder):
    """The paths of those that there are figures for."""
    found = Figures(results)
    panels = Panels(found, Cast(found))
    paths = []
    os.makedirs(folder, exist_ok=True)
    for name, wish in PLOTS.items():
        panel = panels.draw(wish)
        if panel is None:
            continue
        paths.append(os.path.join(folder, f"{name}.svg"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(standalone(panel))
    return paths
