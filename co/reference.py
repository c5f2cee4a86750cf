# reference.py [-o FILE] HEADER... - the public headers as one page of HTML.
#
# The headers are the reference already; this adds links, an index, and a check.
# It reads them as people do: a comment speaks for the declarations below it, up
# to the next empty line; one that begins with "---- Title ----" starts a section
# and may introduce it; one at the end of a declaration speaks for that.  Lines
# that are indented within a comment stay as they are.
#
# Prints a warning, and exits 1, for each public name that no comment speaks for,
# and for each that a comment mentions and no header declares.  Names that end in
# "_" are not public.
#
# SPDX-License-Identifier: MIT
import argparse
import html
import os
import re
import sys

STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }
pre { background: #f4f4f4; padding: .6em .8em; overflow-x: auto; line-height: 1.35 }
a { color: #04c; text-decoration: none } a:hover { text-decoration: underline }
.note { color: #666 } .tag { background: #e6eefb; border-radius: 3px; padding: 0 .25em }
.index { columns: 3; list-style: none; padding: 0 } h2 { border-bottom: 1px solid #ccc }
"""
TOKEN = re.compile(r"""
    (?P<blank>\n[ \t]*\n)
  | (?P<space>\s+)
  | (?P<cplusplus>\#ifdef\ __cplusplus\n.*?\#endif)
  | (?P<comment>/\*.*?\*/)
  | (?P<define>\#define(?:\\\n|[^\n])*)
  | (?P<directive>\#(?:\\\n|[^\n])*)
  | (?P<code>[^;{}/#]+|[{};]|/)
""", re.S | re.X)
WORD = re.compile(r"\b[A-Za-z_]\w*(?![\w.]*[.][ch]\b)")  # no name of a file
TAG = re.compile(r"\[(?:any|co|waits)\]")


class Group:
    """What one comment speaks for: source text, and the names that it makes."""

    def __init__(self, comment):
        self.comment = comment  # plain text, or "" for none
        self.source = ""
        self.names = []  # (name, has a comment)


class Section:
    def __init__(self, title, text):
        self.title, self.text, self.parts = title, text, []


def plain(comment):
    """The text of a comment, without its stars."""
    lines = comment[2:-2].split("\n")
    lines = [lines[0].lstrip()] + [re.sub(r"^ \* ?", "", line)
                                   for line in lines[1:]]
    return "\n".join(line.rstrip() for line in lines).strip("\n ")


def names_of(source):
    """What a declaration or #define makes."""
    code = re.sub(r"/\*.*?\*/", " ", source, flags=re.S)
    code = re.sub(r"__attribute__\s*\(\(.*?\)\)\s*(?=;)", "", code, flags=re.S)
    define = re.match(r"\s*#define\s+(\w+)", code)
    body = re.search(r"\{(.*)\}", code, re.S)
    tagged = re.match(r"\s*(?:struct|enum|union)\s+(\w+)\s*[;{]", code)
    if define:
        names = [define.group(1)]
    elif re.match(r"\s*enum\b", code):
        names = re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.group(1).strip())
        names += [tagged.group(1)] if tagged else []
    elif tagged:
        names = [tagged.group(1)]
    elif "static inline" in code or "(" in code:
        names = re.findall(r"(\w+)\s*\(", code)[:1]
    else:  # a variable
        names = re.findall(r"(\w+)\s*(?:\[[^]]*\])?\s*;", code)[:1]
    return [name for name in names if not name.endswith(("_", "_H"))]


class Header:
    """A header as its title and its sections."""

    def __init__(self, path):
        self.path = path
        self.sections = []
        self.group, self.depth, self.item = None, 0, ""
        self.item_done = False
        for match in TOKEN.finditer(open(path).read()):
            self.take(match.lastgroup, match.group())
        self.end_group()
        head = self.sections.pop(0)
        self.title, _, rest = head.text.partition("\n")
        head.title, head.text = "", re.sub(r"SPDX-License.*", "", rest).strip("\n")
        self.sections.insert(0, head)

    def take(self, kind, text):
        if self.item and not self.item_done:  # inside a declaration
            self.item += text
            self.depth += {"{": 1, "}": -1}.get(text, 0)
            self.item_done = text == ";" and self.depth == 0
        elif kind == "comment":
            self.take_comment(text)
        elif kind == "space" and "\n" not in text:
            self.item += text if self.item else ""
        else:
            self.end_item()
            if kind == "blank":
                self.end_group()
            elif kind in ("define", "code"):
                self.item, self.item_done = text, kind == "define"

    def take_comment(self, text):
        words = plain(text)
        section = re.match(r"---- (.*?) -+\s*", words)
        if self.item:  # behind a declaration, on its line
            self.item += text
            self.end_item(commented=True)
        elif not self.sections:
            self.sections.append(Section("", words))
        elif section:
            self.end_group()
            self.sections.append(Section(section.group(1),
                                         words[section.end():].strip("\n")))
        elif words.startswith("clang-format "):
            pass
        else:
            self.end_group()
            self.group = Group(words)

    def end_item(self, commented=False):
        names = names_of(self.item) if self.item else []
        if names:
            if self.group is None:
                self.group = Group("")
            inside = re.search(r"\{.*/\*.*\}", self.item, re.S)
            known = commented or inside or self.group.comment != ""
            self.group.names += [(name, known) for name in names]
            self.group.source += self.item.rstrip() + "\n"
        self.item, self.item_done, self.depth = "", False, 0

    def end_group(self):
        """A comment without declarations is a paragraph of its own."""
        self.end_item()
        if self.group is not None:
            self.sections[-1].parts.append(self.group)
        self.group = None

    def groups(self):
        return [part for section in self.sections for part in section.parts]

    def texts(self):
        yield self.title
        for section in self.sections:
            yield section.text
            for part in section.parts:
                yield part.comment
                yield from re.findall(r"/\*.*?\*/", part.source, re.S)


class Page:
    def __init__(self, headers):
        self.headers = headers
        self.names = {name for header in headers for group in header.groups()
                      for name, _ in group.names}
        self.defined = set()
        self.out = []

    def links(self, text):
        """Of the names without "_", such as co, only the struct is meant."""
        def link(match):
            before, name = match.groups(default="")
            if name not in self.names or not (before or "_" in name):
                return before + name
            return f'{before}<a href="#{name}">{name}</a>'

        text = html.escape(text, quote=False)
        text = re.sub(r"(struct )?\b([A-Za-z_]\w*)", link, text)
        return TAG.sub(lambda m: f'<span class="tag">{m.group()}</span>', text)

    def text(self, text):
        for block in re.split(r"\n\s*\n", text):
            lines = block.split("\n")
            while lines and lines != [""]:
                shaped = lines[0].startswith("  ")
                end = next((i for i, line in enumerate(lines)
                            if line.startswith("  ") != shaped), len(lines))
                part = self.links("\n".join(lines[:end]))
                self.out.append(f"<pre>{part}</pre>" if shaped
                                else f"<p>{part}</p>")
                lines = lines[end:]

    def source(self, group):
        """The declarations, with an anchor where a name is defined: a forward
        declaration leaves that to the definition, if there is one."""
        parts = re.split(r"(/\*.*?\*/)", group.source.rstrip(), flags=re.S)
        code = "".join(f'<span class="note">{self.links(part)}</span>'
                       if part.startswith("/*") else self.links(part)
                       for part in parts)
        for name, _ in group.names:
            if name not in self.defined:
                self.defined.add(name)
                code = code.replace(f'<a href="#{name}">',
                                    f'<a id="{name}" href="#{name}">', 1)
        self.out.append(f"<pre>{code}</pre>")

    @staticmethod
    def place(header, section):
        return header.path + "-" + re.sub(r"\W+", "-", section.title.lower())

    def html(self, title):
        out = self.out
        out.append(f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
                   f"<title>{title}</title><style>{STYLE}</style></head><body>"
                   f"<h1>{title}</h1>\n<ul>")
        for header in self.headers:
            titles = [f'<a href="#{self.place(header, section)}">'
                      f"{html.escape(section.title)}</a>"
                      for section in header.sections if section.title]
            out.append(f'<li><a href="#{header.path}">{header.path}</a> ' +
                       ", ".join(titles) + "</li>")
        out.append('<li><a href="#index">All names</a></li></ul>')
        for header in self.headers:
            what = header.title.partition(" - ")[2]
            out.append(f'<h1 id="{header.path}">&lt;corten/{header.path}&gt;</h1>'
                       f"<p>{self.links(what)}</p>")
            for section in header.sections:
                if section.title:
                    out.append(f'<h2 id="{self.place(header, section)}">'
                               f"{html.escape(section.title)}</h2>")
                self.text(section.text)
                for group in section.parts:
                    if group.names:
                        self.source(group)
                    self.text(group.comment)
        out.append('<h1 id="index">All names</h1><ul class="index">')
        out += [f'<li><a href="#{name}">{name}</a></li>'
                for name in sorted(self.names, key=str.lower)]
        out.append("</ul></body></html>")
        return "\n".join(out) + "\n"


def warnings(headers, names):
    spoken = {name for header in headers for group in header.groups()
              for name, known in group.names if known}
    prefixes = {name.partition("_")[0] for name in names}
    for header in headers:
        for group in header.groups():
            for name, _ in group.names:
                if name not in spoken:
                    spoken.add(name)
                    yield f"{header.path}: no comment speaks for {name}"
        for word in sorted({word for text in header.texts()
                            for word in WORD.findall(text)}):
            if (word.partition("_")[0] in prefixes and "_" in word[:-1] and
                    not word.endswith("_") and word not in names):
                yield f"{header.path}: speaks of {word}, which nobody declares"


def main():
    parser = argparse.ArgumentParser(description="see the top of this file")
    parser.add_argument("-o", "--output")
    parser.add_argument("--title", default="corten: reference")
    parser.add_argument("headers", nargs="+")
    arguments = parser.parse_args()
    headers = [Header(os.path.relpath(path)) for path in arguments.headers]
    page = Page(headers)
    text = page.html(html.escape(arguments.title))
    found = list(warnings(headers, page.names))
    for warning in found:
        print(f"warning: {warning}", file=sys.stderr)
    if arguments.output and not found:
        with open(arguments.output, "w") as out:
            out.write(text)
    print(f"{len(headers)} headers, {len(page.names)} names, "
          f"{len(found)} warnings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
