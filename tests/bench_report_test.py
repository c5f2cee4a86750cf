# bench_report_test.py - the page of a file of results is whole: well-formed, with
# every plot and every contender, loading nothing; whatever is wrong in the file is
# left out, or said in words.  With chromium, it also fits a phone and a desk.
#
# SPDX-License-Identifier: MIT
import copy
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
import zlib

import bench_results

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "bench"))
sys.dont_write_bytecode = True

from report import figures, markdown, page, results  # noqa: E402

SECTIONS = ["short", "promises", "throughput", "cpu", "speedup", "block",
            "compute", "latency", "memory", "size", "company", "pipeline",
            "kernel", "wrk", "contenders", "how"]
PLOTS = 23
BROKEN = int(200 * float(os.environ.get("CORTEN_TEST_SCALE") or 0.1))
BROWSER = 100   # seconds that one look may take
ORANGE = (0xc2, 0x41, 0x0c)  # corten's colour in page.css


def check(true, what):
    if not true:
        raise AssertionError(what)


def program(*words):
    done = subprocess.run([sys.executable, os.path.join(
        ROOT, "bench/report.py"), *words], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check("Traceback" not in done.stderr, done.stderr)
    return done


def write(folder, name, value):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
    return path


def parse(text):
    """The page is XML but for its first line."""
    check(text.startswith("<!DOCTYPE html>\n"), "no doctype")
    return ElementTree.fromstring(text.split("\n", 1)[1])


def plots(tree):
    return [svg for svg in tree.iter("svg")
            if "plot" in svg.get("class").split()]


def check_page(text):
    """What holds for any page."""
    tree = parse(text)
    for element in tree.iter():
        for name, value in element.attrib.items():
            check(name not in ("src", "href", "srcset") and
                  "//" not in value, f"<{element.tag} {name}={value}> loads")
            check(not re.search(r"\b(nan|inf|None)\b", value),
                  f"<{element.tag} {name}={value}>")
        check(element.tag not in ("script", "link", "img", "iframe", "object"),
              f"<{element.tag}>")
    style = tree.find("head/style").text
    check("@import" not in style and "url(" not in style, "the style loads")
    words = " ".join(tree.find("body").itertext())
    check(not re.search(r"\b(nan|inf|None|Infinity)\b", words, re.I),
          "a number that is none")
    for svg in plots(tree):
        marks = [e for e in svg.iter() if e.tag in ("circle", "path", "rect")
                 and not (e.get("class") or "").startswith("hair")]
        check(len(marks) > 0, "a plot without anything in it")
    names = [e.get("id") for e in tree.iter() if e.get("id")]
    check(len(names) == len(set(names)), "an id twice")
    return tree


def draw(value):
    return page.Page(results.Results(copy.deepcopy(value))).draw()


def test_page(folder):
    path = write(folder, "good.json", bench_results.make(1))
    out = os.path.join(folder, "out.html")
    done = program(path, "-o", out)
    check(done.returncode == 0, done.stderr)
    text = open(out, encoding="utf-8").read()
    tree = check_page(text)
    found = [e.get("id") for e in tree.iter("section")]
    check(found == SECTIONS, f"sections: {found}")
    wide = [svg for svg in plots(tree) if "wide" in svg.get("class")]
    check(len(wide) == len(plots(tree)) / 2 == PLOTS, f"{len(wide)} plots")

    check("<b>&" not in text, "a title became an element")
    tables = " ".join(" ".join(t.itertext()) for t in tree.iter("table"))
    for _, title, _, _, _ in bench_results.CONTENDERS:
        check(title in tables, f"{title} is in no table")
    words = " ".join(tree.find("body").itertext())
    for said in ("a handler that blocks stops <all> connections",
                 "apt-get install h2o", "Some <CPU> & Co", "sh bench/run.sh",
                 "what libuv does better", "it never answers", "log scale",
                 "Hollow marks", "Where others beat corten", "libuv 0.9"):
        check(said in words, f"the page does not say: {said}")
    check(program(path).returncode == 0 and
          open(os.path.join(folder, "good.html"), encoding="utf-8").read() ==
          text, "beside the file is another page")


def test_markdown(folder):
    value = bench_results.make(1)
    value["contenders"]["go"]["title"] = "a title that | is far too long " * 3
    done = program("--markdown", write(folder, "t.json", value))
    check(done.returncode == 0, done.stderr)
    lines = done.stdout.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    check(max(len(line) for line in lines) <= 120, "too wide")
    check(len(rows) == 2 + len(bench_results.CONTENDERS) - 1, done.stdout)
    check(all(row.count("|") == 8 for row in rows), done.stdout)
    check("<b>" not in done.stdout, "a title became an element")
    corten = next(row for row in rows if row.startswith("| corten  "))
    check(corten.count("(1.00)") == 4, corten)


def test_little(folder):
    """Single rounds, no requests, one contender, nothing at all."""
    check_page(draw(bench_results.make(2, 1)))
    whole = bench_results.make(3)
    silent = copy.deepcopy(whole)
    for run in silent["runs"]:
        run["result"].update(requests=0, rps=0)
        run["result"]["server"]["cpu_us"] = None
    tree = check_page(draw(silent))
    check(not plots(tree), "plots of no requests")
    alone = {**whole, "contenders": {}, "runs": [
        run for run in whole["runs"] if run["contender"] == "libuv"]}
    words = " ".join(check_page(draw(alone)).itertext())
    check("corten itself was not measured" in words, "no word about corten")
    failing = copy.deepcopy(whole)
    failing["runs"][0]["result"].update(errors=7, error="it said <b>")
    check("7 failed: it said <b>" in " ".join(
        check_page(draw(failing)).itertext()), "failures are not shown")
    for empty in {"format": 1}, {**whole, "runs": []}, {**whole, "cases": []}:
        check_page(draw(empty))
        markdown.Table(results.Results(empty)).draw()


def test_numbers(folder):
    for value in None, True, "", "nan", "-1", -0.1, 1e400, float("nan"), [], \
            10**400:
        check(results.number(value) is None, f"{value} is a number")
    for value in 0, 1.5, "7", 1e300:
        check(results.number(value) == float(value), f"{value} is none")
    few, many = figures.summary([3, 1, 2]), figures.summary([1, 2, 3, 4, 100])
    check((few.low, few.median, few.high) == (1, 2, 3), f"{few}")
    check((many.low, many.median, many.high) == (2, 3, 4), f"{many}")
    for low, high, rounds, sign in [(1.1, 1.2, 3, 1), (0.9, 1.1, 3, 0),
                                    (0.8, 0.9, 3, -1), (1.04, 1.04, 1, 0),
                                    (1.1, 1.1, 1, 1)]:
        found = figures.beyond(figures.Figure(low, low, high, rounds))
        check(found == sign, f"{low} to {high}, {rounds} rounds: {found}")


JUNK = [None, "", "x<y>&\x01", -1, 0, 1e400, float("nan"), [], {}, True, 10**400,
        [[]], {"x": 1}, 1e-300, 1e300]


def broken(rnd, value):
    """With a few of its parts replaced or taken away."""
    value = copy.deepcopy(value)
    for _ in range(rnd.randint(1, 30)):
        at = value
        while True:
            keys = list(at) if isinstance(at, dict) else range(len(at))
            key = rnd.choice(list(keys)) if len(keys) > 0 else None
            if key is None or key == "format":
                break
            if not isinstance(at[key], (dict, list)) or rnd.random() < 0.05:
                if rnd.random() < 0.3:
                    del at[key]
                else:
                    at[key] = rnd.choice(JUNK)
                break
            at = at[key]
    return value


def test_broken(folder):
    """One page a seed; the text goes through JSON, as a file would."""
    whole = bench_results.make(4, 2)
    keep = {run["case"] for run in whole["runs"]}
    for seed in range(BROKEN):
        rnd = random.Random(seed)
        some = set(rnd.sample(sorted(keep), 6))
        small = {**whole, "runs": [r for r in whole["runs"]
                                   if r["case"] in some]}
        path = write(folder, "broken.json", broken(rnd, small))
        try:
            found = results.load(path)
            check_page(page.Page(found).draw())
            markdown.Table(found).draw()
        except Exception:
            print(f"with seed {seed}:", file=sys.stderr)
            raise


def test_wrong_files(folder):
    for value, word in [("", "is no JSON"), ("\xff\xfe", "is no JSON"),
                        ("[" * 100000, "is no JSON"),
                        ([], "no format number"), ({}, "no format number"),
                        ({"format": 2}, "has format 2"),
                        ({"format": True}, "has format true")]:
        path = write(folder, "wrong.json", value)
        for words in [path], ["--markdown", path]:
            done = program(*words)
            check(done.returncode == 2 and word in done.stderr,
                  f"{str(value)[:20]}: {done.returncode} {done.stderr}")
    done = program(os.path.join(folder, "nothing.json"))
    check(done.returncode == 2 and "No such file" in done.stderr, done.stderr)
    done = program(write(folder, "t.json", {"format": 1}), "-o", "/nothing/x")
    check(done.returncode == 2 and "No such file" in done.stderr, done.stderr)


# ---- With a browser ----------------------------------------------------------

MEASURE = """<script>
document.querySelectorAll("details").forEach(d => d.open = true);
const wide = [], small = [];
for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect();
    const scrolls = e.parentElement.closest(".scroll, svg");
    if (!scrolls && r.right > innerWidth + 0.5)
        wide.push(e.tagName + "." + e.getAttribute("class"));
}
let drawn = 0;
for (const e of document.querySelectorAll("svg.plot")) {
    const r = e.getBoundingClientRect();
    if (r.width === 0)
        continue;
    drawn++;
    for (const t of e.querySelectorAll("text")) {
        const box = t.getBoundingClientRect();
        if (box.right > r.right + 1 || box.left < r.left - 1)
            small.push(t.textContent);
    }
}
parent.postMessage(JSON.stringify({width: innerWidth, drawn, small, wide,
    page: document.documentElement.scrollWidth}), "*");
</script>"""


# A window is never as narrow as a phone; a frame in it can be.
FRAME = """<!DOCTYPE html><title>nothing</title><script>
onmessage = e => document.title = e.data;
</script><iframe src="measured.html" width="{}" height="3000"
style="border: 0"></iframe>"""


def browse(folder, *words):
    return subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
         "--hide-scrollbars", f"--user-data-dir={folder}/profile", *words],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        timeout=BROWSER).stdout


def count_pixels(path, colour):
    """How many pixels of a screenshot are of that colour, or nearly."""
    data, at, packed = open(path, "rb").read(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, _, _, sort = struct.unpack(">IIBB", data[at + 8:at + 18])
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    step = {2: 3, 6: 4}[sort]
    raw, length = zlib.decompress(packed), width * step + 1
    above, found = bytearray(length - 1), 0
    for start in range(0, len(raw), length):
        row = unfilter(raw[start], raw[start + 1:start + length], above, step)
        found += sum(all(abs(row[x + i] - colour[i]) < 6 for i in range(3))
                     for x in range(0, len(row), step) if row[x] > 180)
        above = row
    return found


def unfilter(kind, row, above, step):
    row = bytearray(row)
    for x in range(len(row)):
        left, up = row[x - step] if x >= step else 0, above[x]
        if kind == 1:
            row[x] = (row[x] + left) & 255
        elif kind == 2:
            row[x] = (row[x] + up) & 255
        elif kind == 3:
            row[x] = (row[x] + ((left + up) >> 1)) & 255
        elif kind == 4:
            corner = above[x - step] if x >= step else 0
            guess = left + up - corner
            row[x] = (row[x] + min((left, up, corner), key=lambda v: abs(
                guess - v))) & 255
    return row


def test_browser(folder):
    if shutil.which("chromium") is None:
        print("chromium is not here: the page was not looked at")
        return
    text = draw(bench_results.make(1))
    plain = write(folder, "plain.html", text)
    write(folder, "measured.html",
          text.replace("</body>", MEASURE + "</body>"))
    for width in 390, 1280:
        size = f"--window-size={width},3000"
        frame = write(folder, "frame.html", FRAME.format(width))
        dom = browse(folder, "--window-size=1400,3000", "--dump-dom",
                     "--virtual-time-budget=20000", f"file://{frame}")
        found = json.loads(re.search(r"<title>(\{.*?\})</title>",
                                     dom).group(1))
        check(found["width"] == width, f"the window has {found['width']} px")
        check(found["page"] <= width and not found["wide"],
              f"wider than {width} px: {found['page']}, {found['wide'][:5]}")
        check(found["drawn"] == PLOTS, f"{found['drawn']} plots at {width} px")
        check(not found["small"], f"cut off at {width}: {found['small'][:5]}")
        shot = os.path.join(folder, "shot.png")
        browse(folder, size, f"--screenshot={shot}", f"file://{plain}")
        pixels = count_pixels(shot, ORANGE)
        check(pixels > 6 * width + 500, f"{pixels} pixels at {width} px")


def main():
    tests = [value for name, value in globals().items()
             if name.startswith("test_")]
    with tempfile.TemporaryDirectory() as folder:
        for test in tests:
            test(folder)
            print(f"{test.__name__}: good", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
