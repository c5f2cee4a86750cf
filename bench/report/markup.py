# markup.py - elements of HTML and SVG.
#
# tag() makes one; its children are escaped unless they were made by it, so that
# no name in a file of results can become an element.  What comes out is XML, too.
#
# SPDX-License-Identifier: MIT
import html

VOID = {"meta", "br", "hr", "col", "line", "circle", "path", "rect", "use"}


class Markup(str):
    """Text that is escaped already."""


def escape(value):
    if isinstance(value, Markup):
        return value
    # Control characters are not allowed in XML, not even escaped.
    kept = "".join(c if c >= " " and not 0xd800 <= ord(c) <= 0xdfff
                   and c not in "\ufffe\uffff" else " " for c in str(value))
    return Markup(html.escape(kept))


def join(parts, between=""):
    return Markup(escape(between).join(escape(part) for part in parts))


def flatten(children):
    for child in children:
        if isinstance(child, (list, tuple)):
            yield from flatten(child)
        elif child is not None:
            yield child


def tag(name, /, *children, **attributes):
    """An attribute that is None is left out; class_ and stroke_width become
    class and stroke-width."""
    words = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        if isinstance(value, float):
            value = f"{value:.1f}"
        words.append(f'{key.rstrip("_").replace("_", "-")}="{escape(value)}"')
    if name in VOID:
        return Markup(f"<{' '.join(words)}/>")
    return Markup(f"<{' '.join(words)}>{join(flatten(children))}</{name}>")
