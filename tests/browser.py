# browser.py - a headless Chromium that tests drive by its DevTools.
#
# The protocol runs over a pair of pipes (--remote-debugging-pipe): JSON, each
# message ends with a zero byte; so nothing but Python is needed, and no port.
#
# SPDX-License-Identifier: MIT
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from servers import LIBC, PR_SET_PDEATHSIG, Missing

LIMIT = 100  # seconds that one answer may take


class Browser:
    """One page; errors collects what it complains of."""

    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            raise Missing("chromium")
        self.folder = tempfile.mkdtemp(prefix="corten-browser-")
        theirs, self.write = os.pipe()
        self.read, out = os.pipe()

        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
            # Above both first, or one could be overwritten.
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate((theirs, out))]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        environment = dict(os.environ)
        environment.pop("LD_PRELOAD", None)  # what tests run under
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars", "--remote-debugging-pipe", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage",
             f"--user-data-dir={self.folder}/profile", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, close_fds=False, env=environment,
            preexec_fn=prepare, start_new_session=True)
        os.close(theirs)
        os.close(out)
        self.buffer, self.number, self.errors = b"", 0, []
        self.session = None
        pages = self.call("Target.getTargets")["targetInfos"]
        page = next(p for p in pages if p["type"] == "page")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=page["targetId"])["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network":
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.killpg(self.process.pid, signal.SIGKILL)  # its children, too
        self.process.wait()
        os.close(self.read)
        os.close(self.write)
        shutil.rmtree(self.folder, ignore_errors=True)

    def message(self):
        end = time.monotonic() + LIMIT
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.read], [], [], left)[0]:
                raise TimeoutError("the browser says nothing")
            piece = os.read(self.read, 1 << 20)
            if not piece:
                raise AssertionError("the browser ended")
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(line)

    def note(self, message):
        """What the page itself complains of."""
        method, what = message.get("method"), message.get("params")
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(what["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled":
            if what["type"] in ("error", "warning", "assert"):
                self.errors.append(json.dumps(what["args"])[:500])
        elif method == "Log.entryAdded":
            if what["entry"]["level"] in ("error", "warning"):
                self.errors.append(json.dumps(what["entry"])[:500])

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.write, json.dumps(request).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.number:
                break
            self.note(message)
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']}")
        return message["result"]

    def size(self, width, height, dark=False, scale=1):
        """Of the window, which may be narrower than any real one."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=scale, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def ask(self, expression):
        """What it is in the page."""
        done = self.call("Runtime.evaluate", expression=expression,
                         returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise AssertionError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def until(self, expression, seconds=LIMIT):
        """Waits for it to be true; returns it."""
        end = time.monotonic() + seconds
        while not (value := self.ask(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} after {seconds} s")
            time.sleep(0.02)
        return value

    def shot(self, path, whole=False):
        """A picture of the window, or of the whole page."""
        made = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(made["data"]))
