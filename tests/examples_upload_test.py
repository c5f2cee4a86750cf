# examples_upload_test.py - examples/upload: curl and a browser leave files and a
# name there, and other people's pages do not.
#
# SPDX-License-Identifier: MIT
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

from browser import Browser
from servers import Missing
from web import BUILD, LIMIT, check, die_with_parent, launcher, run

PROGRAM = os.path.join(BUILD, "examples/upload")


class Upload:
    """The example, and the folder that it fills."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        while not self.start():
            pass
        return self

    def start(self):
        """False: somebody else was faster to take the port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [*launcher(), PROGRAM, f"127.0.0.1:{self.port}", self.folder.name],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent)
        self.url = f"http://127.0.0.1:{self.port}"
        while self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.01)
        said = self.process.communicate()[1]
        check("Address already in use" in said, said)
        return False

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()

    def files(self):
        """Names and bytes."""
        found = {}
        for name in os.listdir(self.folder.name):
            with open(os.path.join(self.folder.name, name), "rb") as file:
                found[name] = file.read()
        return found


def curl(*words):
    return run("curl", "-sS", "--noproxy", "*", *words).decode()


def test_curl():
    data = os.urandom(300000)
    with Upload() as upload, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data")
        with open(path, "wb") as out:
            out.write(data)
        status = ["-o", "/dev/null", "-w", "%{http_code}"]
        for _ in range(2):
            said = curl(*status, "-F", f"file=@{path}", "-F",
                        f"file=@{path};filename=../.<b>/x y", "-F", "other=",
                        upload.url + "/files")
            check(said == "303", said)
        check(upload.files() == {"1-data": data, "2-data": data,
                                 "1-x_y": data, "2-x_y": data}, "files")
        check(curl(*status, "-d", "a=b", upload.url + "/files") == "303", "")
        check(curl(*status, "-F", f"file=@{path}", "-H",
                   "Origin: http://other.example",
                   upload.url + "/files") == "403", "another's form")
        check(len(upload.files()) == 4, "nothing more")

        jar = os.path.join(folder, "jar")
        keep = ["-b", jar, "-c", jar]
        hello = lambda: re.search("<h1>(.*)</h1>",
                                  curl(*keep, upload.url))[1]
        check(hello() == "Hello, whoever you are", hello())
        said = curl(*keep, *status, "-d", "user=%3Cb%3E+%26+%C3%A4",
                    upload.url + "/user")
        check(said == "303", said)
        check(hello() == "Hello, &#60;b&#62; &#38; \u00e4", hello())
        with open(jar) as file:
            text = file.read()
        with open(jar, "w") as file:
            file.write(text.replace("user\t", "user\tA"))
        check(hello() == "Hello, whoever you are", "a changed cookie")
        with open(jar, "w") as file:
            file.write(text)
        check("&#60;b" in hello(), "the right one again")
        curl(*keep, "-d", "forget=", upload.url + "/user")
        check(hello() == "Hello, whoever you are", "forgotten")
        for wrong in "", "user=", "user=" + "x" * 101, "user=%zz":
            check(curl(*status, "-d", wrong, upload.url + "/user") == "400",
                  wrong)
        upload.process.terminate()
        check(upload.process.wait(LIMIT) == 0, "its status")


def send(browser, form, before=""):
    """Fills a form and waits for the page that answers."""
    browser.ask(f"window.old = true; {before}; document.forms[{form}]"
                ".querySelector('button').click()")
    browser.until("window.old === undefined && "
                  "document.readyState === 'complete'")


def says(browser):
    return browser.ask("document.body.innerText")


def choose(browser, files):
    chosen = browser.call("Runtime.evaluate",
                          expression="document.querySelector('[type=file]')")
    browser.call("DOM.setFileInputFiles", files=files,
                 objectId=chosen["result"]["objectId"])


def test_browser():
    data = os.urandom(3000000)
    with Upload() as upload, Browser() as browser, \
            tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'na"me \u00e4\\.bin')
        with open(path, "wb") as out:
            out.write(data)
        browser.open(upload.url)
        check("Hello, whoever you are" in says(browser), says(browser))
        send(browser, 0, "document.forms[0].user.value = '<i>J\\u00f6rg & co'")
        check("Hello, <i>J\u00f6rg & co" in says(browser), says(browser))
        # A script of the page's could not read the cookie.
        check(browser.ask("document.cookie") == "", "HttpOnly")
        choose(browser, [path, path])
        send(browser, 1)
        check(", 3000000 bytes" in says(browser), says(browser))
        check(sorted(upload.files().values()) == [data, data], upload.files())
        names = sorted(upload.files())
        check([name[:2] for name in names] == ["1-", "2-"], names)
        check(all(re.fullmatch(r"[1-9]-[A-Za-z0-9._-]+", name)
                  for name in names), names)
        # Where no file was chosen there is none.
        send(browser, 1)
        check("J\u00f6rg" in says(browser), says(browser))
        check(len(upload.files()) == 2, upload.files())
        check(not browser.errors, browser.errors)

        # The same page under another name is somebody else's.
        browser.open(f"http://localhost:{upload.port}")
        check("Hello, whoever you are" in says(browser), says(browser))
        send(browser, 0, f"document.forms[0].action = '{upload.url}/user';"
                         "document.forms[0].user.value = 'them'")
        check("403 Forbidden" in says(browser), says(browser))
        browser.open(upload.url)
        check("J\u00f6rg" in says(browser), says(browser))


def main():
    if not os.path.exists(PROGRAM):
        print("skipped: this build has no examples/upload")
        return 77
    for test in test_curl, test_browser:
        begun = time.monotonic()
        try:
            test()
        except Missing as missing:
            print(f"  {test.__name__} is not tried: there is no {missing}")
            continue
        print(f"  {test.__name__}: {time.monotonic() - begun:.1f} s",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
