# http_node_test.py - undici and autocannon, clients for Node, and the HTTP
# server.
#
# npm puts them into the build directory, once; skips where there is no npm, no
# Node of the age that they need, or nowhere to get them from.
#
# SPDX-License-Identifier: MIT
import os
import shutil
import subprocess
import sys

from servers import Missing
from web import BUILD, WebServer, count, main, run

PACKAGES = "undici@6", "autocannon@8"
NODE_LEAST = 18, 17  # what undici 6 asks for
MODULES = os.path.join(BUILD, "tests/http_clients_node")
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "http_clients")


def install():
    """Whole or not at all."""
    if os.path.isdir(os.path.join(MODULES, "node_modules")):
        return
    version = run("node", "-p", "process.versions.node").decode().split(".")
    if (int(version[0]), int(version[1])) < NODE_LEAST:
        raise Missing("node of at least %d.%d" % NODE_LEAST)
    if shutil.which("npm") is None:
        raise Missing("npm")
    fresh = f"{MODULES}.{os.getpid()}"
    os.makedirs(fresh)
    try:
        done = subprocess.run(
            ["npm", "install", "--no-save", "--no-audit", "--no-fund",
             "--ignore-scripts", "--prefix", ".", *PACKAGES], cwd=fresh,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=200)
        if done.returncode != 0:
            print(done.stderr[-1000:])
            raise Missing("way to install " + " and ".join(PACKAGES))
        os.rename(fresh, MODULES)
    except subprocess.TimeoutExpired:
        raise Missing("npm that ends within 200 s") from None
    except OSError:
        if not os.path.isdir(MODULES):  # somebody else's
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def with_node(script, n):
    """The script looks for its packages where it stands."""
    install()
    place = os.path.join(MODULES, script)
    shutil.copyfile(os.path.join(SCRIPTS, script), place)
    with WebServer() as server:
        run("node", place, server.url, str(n))
        server.stop()


def test_undici():
    with_node("undici.js", max(count(2000), 50))


def test_autocannon():
    with_node("autocannon.js", max(count(20000), 1000))


if __name__ == "__main__":
    sys.exit(main([test_undici, test_autocannon]))
