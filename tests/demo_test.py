# demo_test.py [--update PICTURE] - the demo site works, and looks as it should.
#
# A headless Chromium looks at the page and presses its buttons; other clients
# ask what they can without one.  Leaves pictures in CORTEN_BUILD/demo, at two
# widths, light and dark; with --update makes the README's.
#
# SPDX-License-Identifier: MIT
import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

from browser import Browser
from servers import LIBC, PR_SET_PDEATHSIG, Missing

LIMIT = 60
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BUILD = os.environ["CORTEN_BUILD"]
PROGRAM = os.path.join(BUILD, "examples/demo")
PICTURES = os.path.join(BUILD, "demo")


def check(true, what):
    if not true:
        raise AssertionError(what)


class Demo:
    """It at work: port, url."""

    def __init__(self, port=0, descriptors=None):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE,
                                   (descriptors, descriptors))

        self.process = subprocess.Popen(
            [PROGRAM, f"127.0.0.1:{port}",
             os.path.join(ROOT, "examples/demo")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=prepare)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not found:
            self.process.kill()
            raise AssertionError(line + self.process.communicate()[1])
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def ask(self, method, path, **fields):
        """(status, fields, body)"""
        client = http.client.HTTPConnection("127.0.0.1", self.port,
                                            timeout=LIMIT)
        client.request(method, path, headers=fields)
        answer = client.getresponse()
        body = answer.read()
        client.close()
        return answer.status, answer.headers, body

    def events(self):
        """What comes over the long answer: first what stays, then samples."""
        client = http.client.HTTPConnection("127.0.0.1", self.port,
                                            timeout=LIMIT)
        client.request("GET", "/events")
        answer = client.getresponse()
        kind = answer.headers["Content-Type"]
        check(kind == "text/event-stream", f"{answer.status} {kind}")
        try:
            while True:
                line = answer.readline()
                check(line, "the events end")
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            client.close()

    def until(self, what, true):
        """Until a sample is as that function of it says; the sample."""
        end = time.monotonic() + LIMIT
        events = self.events()
        next(events)
        for now in events:
            if true(now):
                events.close()
                return now
            check(time.monotonic() < end, f"not {what}: {now}")

    def sample(self):
        return self.until("there", lambda s: True)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=LIMIT)
        check((self.process.returncode, out, err) == (0, "", ""),
              f"{self.process.returncode}, {out!r}, {err!r}")


# ---- Without a browser --------------------------------------------------------

def test_routes():
    with Demo() as demo:
        for path, kind in (("/", "text/html"), ("/demo.js", "javascript"),
                           ("/style.css", "text/css"),
                           ("/favicon.svg", "image/svg+xml"),
                           ("/now", "text/plain"), ("/hello", "text/plain"),
                           ("/metrics", "text/plain"),
                           ("/healthz", "text/plain"),
                           ("/debug/coroutines?form=grouped", "text/plain")):
            status, fields, body = demo.ask("GET", path)
            check(status == 200 and kind in fields["Content-Type"] and body,
                  f"{path}: {status} {fields['Content-Type']}")
        check(demo.ask("GET", "/none")[0] == 404, "404")
        check(demo.ask("GET", "/../demo.c")[0] in (400, 404), "outside")
        check(demo.ask("GET", "/%2e%2e/demo.c")[0] in (400, 404), "outside")
        check(demo.ask("HEAD", "/events")[2] == b"", "HEAD ends")
        check(re.search(rb"coroutines +[1-9]", demo.ask("GET", "/now")[2]),
              "/now shows no coroutines")
        events = demo.events()
        begin, sample = next(events), next(events)
        check(len(begin["times"]) > 100 and begin["schedulers"] > 0, begin)
        check(sample["requests"] > 10 and sample["resident"] > 1e5, sample)
        demo.stop()


def test_buttons():
    """For who has no script; a second press ends what the first began."""
    with Demo() as demo:
        status, fields, _ = demo.ask("POST", "/idle")
        check((status, fields["Location"]) == (303, "/"), status)
        now = demo.until("open", lambda s: s["idlers"]["state"] == "on")
        check(now["idlers"]["count"] == 1000 and now["idlers"]["note"] == "",
              now["idlers"])
        check(now["conns"] > 1000 and now["coroutines"] > 1000, now)
        check(50 < now["idlers"]["left"] <= 60, now["idlers"])
        now = demo.until("measured", lambda s: s["each"] > 0)
        check(1000 < now["each"] < 1000000, f"{now['each']} bytes each")
        check(demo.ask("POST", "/idle", **{"X-Script": "yes"})[0] == 204, "204")
        demo.until("closed", lambda s: s["idlers"]["state"] == "off" and
                   s["conns"] < 20)
        demo.ask("POST", "/load")
        now = demo.until("asked", lambda s: s["load"]["count"] == 64 and
                         s["requests"] > 3000)
        check(now["conns"] > 64, now)
        demo.ask("POST", "/load")
        demo.until("still", lambda s: s["load"]["state"] == "off")
        demo.stop()


def test_strangers():
    """Many press at once, and go on while it closes: there is never more than
    one crowd of each kind."""
    with Demo() as demo:
        most = 0
        for _ in range(5):
            crowd = [threading.Thread(target=demo.ask, args=("POST", path))
                     for path in ("/idle", "/load") for _ in range(10)]
            for thread in crowd:
                thread.start()
            for thread in crowd:
                thread.join()
            most = max(most, demo.sample()["conns"])
        check(most < 1000 + 64 + 60, f"{most} connections")
        for name in "idlers", "load":
            path = {"idlers": "/idle", "load": "/load"}[name]
            now = demo.until("at rest", lambda s: s[name]["state"] in
                             ("on", "off"))
            if now[name]["state"] == "on":
                demo.ask("POST", path)
            demo.until("off", lambda s: s[name]["state"] == "off")
        demo.until("gone", lambda s: s["conns"] < 20)
        demo.stop()


def test_viewers():
    """One more than it takes is told so, and gets its turn."""
    with Demo() as demo, Browser() as browser:
        others = [demo.events() for _ in range(100)]
        for events in others:
            next(events)
        check(demo.ask("GET", "/events")[0] == 503, "there is room for more")
        browser.open(demo.url)
        browser.until(SAYS.format("#state", "no answer"))
        for events in others:
            events.close()
        browser.until(SAYS.format("#state", "live"))


def test_descriptors():
    with Demo(descriptors=700) as demo:
        demo.ask("POST", "/idle")
        now = demo.until("open", lambda s: s["idlers"]["state"] == "on")
        check(now["idlers"]["count"] == 200 and
              "ulimit" in now["idlers"]["note"], now["idlers"])
        demo.stop()


def test_wrong():
    with Demo() as demo:
        for why, *words in (("Address already in use",
                             f"127.0.0.1:{demo.port}",
                             os.path.join(ROOT, "examples/demo")),
                            ("'8000' is no address", "8000", ROOT),
                            ("No such file", "127.0.0.1:0", ROOT + "/none")):
            done = subprocess.run([PROGRAM, *words], capture_output=True,
                                  text=True, timeout=LIMIT)
            check(done.returncode == 1 and why in done.stderr, done)


# ---- With one -----------------------------------------------------------------

NUMBER = "+document.querySelector('{} b').textContent.replaceAll(',', '')"
LINE = """(d => d.split("L").length > 5 && !d.includes("NaN"))(
    document.querySelector("#{} .line").getAttribute("d") || "")"""
PRESS = "document.querySelector('#{} button').click()"
SAYS = "document.querySelector('{}').textContent.includes({!r})"
WIDE = """[...document.querySelectorAll("body *")].filter(e =>
    !e.closest("pre, svg") && e.getBoundingClientRect().right >
    innerWidth + 0.5).map(e => e.tagName + "." + e.className).join(" ")"""
PAPER = "getComputedStyle(document.body).backgroundColor"


def look(browser):
    """The whole page at both widths, light and dark, into PICTURES."""
    papers = set()
    for width in 390, 1280:
        for dark in False, True:
            browser.size(width, 900, dark)
            height = browser.ask("document.documentElement.scrollHeight")
            browser.size(width, height, dark)
            browser.until(LINE.format("rps"))
            wide = browser.ask(WIDE)
            check(wide == "", f"wider than {width}: {wide}")
            check(browser.ask("document.documentElement.scrollWidth") <= width,
                  f"the page is wider than {width}")
            papers.add(browser.ask(PAPER))
            name = f"{width}-{'dark' if dark else 'light'}.png"
            path = os.path.join(PICTURES, name)
            browser.shot(path)
            check(os.path.getsize(path) > 20000, f"{name} is empty")
    check(len(papers) == 2, f"light and dark: {papers}")
    browser.size(1280, 900)


def hide(browser, hidden):
    """As if its tab were behind another one, or came to the front."""
    browser.ask("Object.defineProperty(document, 'hidden', { configurable: "
                f"true, value: {'true' if hidden else 'false'} }});"
                "document.dispatchEvent(new Event('visibilitychange'))")


def test_page():
    os.makedirs(PICTURES, exist_ok=True)
    with Demo() as demo, Browser() as browser:
        browser.size(1280, 900)
        browser.open(demo.url)
        browser.until(SAYS.format("#state", "live"))
        browser.until(NUMBER.format("#coroutines") + " > 0")
        for name in "rps", "coroutines", "switches", "memory":
            browser.until(LINE.format(name))

        browser.ask(PRESS.format("idle"))
        browser.until(NUMBER.format("#coroutines") + " > 1000")
        browser.until(SAYS.format("#idle .sub", "1,000 open"))
        browser.until(NUMBER.format("#memory") + " > 1000")
        check(browser.ask(SAYS.format("#idle button", "Close")), "the button")
        browser.ask(PRESS.format("load"))
        browser.until(NUMBER.format("#rps") + " > 100")
        browser.until(NUMBER.format("#switches") + " > 100")
        browser.until(SAYS.format("#load .sub", "64 clients"))
        for name in "server", "clients":
            browser.until(SAYS.format(f"#times .legend .{name}", "half in"))
            browser.until("document.querySelector('.plot ."
                          f"{name}').getAttribute('d').includes('V')")
        look(browser)
        if browser.ask(SAYS.format("#load button", "Stop")):
            browser.ask(PRESS.format("load"))
        browser.until(SAYS.format("#load button", "Ask"))
        browser.ask(PRESS.format("idle"))
        browser.until(NUMBER.format("#coroutines") + " < 100")
        check(browser.ask(SAYS.format("#idle button", "Open")), "the button")
        check(not browser.errors, browser.errors)

        # Nobody sees it, then somebody does.
        hide(browser, True)
        browser.until("source === null")
        demo.until("left", lambda s: s["conns"] < 4)
        hide(browser, False)
        browser.until("source !== null && recent.length > 0")

        # It says so when the server ends, and goes on with the next one.
        demo.stop()
        browser.until(SAYS.format("#state", "no answer"))
        with Demo(demo.port):
            browser.until(SAYS.format("#state", "live"))


def test_no_script():
    with Demo() as demo, Browser() as browser:
        browser.size(390, 844)
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.call("Page.navigate", url=demo.url)
        browser.until("document.querySelector('footer') !== null")
        check(browser.ask("document.querySelector('noscript .note') !== null "
                          "&& innerWidth === 390"), "nothing is said of it")
        check(browser.ask("getComputedStyle(document.querySelector('#state'))"
                          ".display === 'none'"), "it says connecting")
        browser.ask("document.querySelector('#idle').submit()")
        demo.until("open", lambda s: s["idlers"]["count"] == 1000)
        browser.until("document.querySelector('footer') !== null && "
                      "location.pathname === '/'")
        check(not browser.errors, browser.errors)


def update(path):
    """The picture that the README begins with."""
    with Demo() as demo, Browser() as browser:
        browser.size(1280, 900)
        browser.open(demo.url)
        time.sleep(10)
        browser.ask(PRESS.format("idle"))
        time.sleep(8)
        browser.ask(PRESS.format("load"))
        time.sleep(9)
        bottom = browser.ask("document.querySelector('.wide')"
                             ".getBoundingClientRect().bottom")
        browser.size(1280, int(bottom) + 14)
        browser.until(SAYS.format("#state", "live"))
        time.sleep(0.5)
        browser.shot(path)


def main():
    if not os.path.exists(PROGRAM):
        print("skipped: this build has no examples")
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.argv[1:2] == ["--update"]:
        update(sys.argv[2])
        return 0
    for test in (test_routes, test_buttons, test_strangers, test_viewers,
                 test_descriptors, test_wrong, test_page, test_no_script):
        begun = time.monotonic()
        try:
            test()
        except Missing as missing:
            print(f"  {test.__name__} is not tried: there is no {missing}",
                  flush=True)
            continue
        print(f"  {test.__name__}: {time.monotonic() - begun:.1f} s",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
