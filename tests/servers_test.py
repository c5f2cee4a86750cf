# servers_test.py - servers.py leaves nothing behind, however it ends.
#
# The hardest way with all kinds of servers that are installed.  Whether one of their
# processes is left is seen by the folder it works in.
#
# SPDX-License-Identifier: MIT
import glob
import os
import signal
import subprocess
import sys
import time

import servers

LIMIT = 60
PR_SET_CHILD_SUBREAPER = 36


def check(true, what):
    if not true:
        raise AssertionError(what)


def installed():
    names = []
    for name, kind in servers.KINDS.items():
        try:
            kind.find_program()
            names.append(name)
        except servers.Missing as missing:
            print(f"{name} is not tried: there is no {missing}")
    return names


def working_below(folder):
    """The processes that do."""
    found = []
    for link in glob.glob("/proc/[0-9]*/cwd"):
        try:
            if os.readlink(link).startswith(folder + "/"):
                found.append(int(link.split("/")[2]))
        except OSError:
            pass
    return found


def started(names, program):
    """The launcher, once its program waits for a line, and the folder."""
    launcher = subprocess.Popen(
        [sys.executable, servers.__file__, *names, "--", "sh", "-c",
         "echo $SERVERS; read go; " + program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    folder = launcher.stdout.readline().strip()
    check(os.path.isdir(folder), f"{folder!r} is the folder")
    check(len(working_below(folder)) >= len(names), "servers run")
    return launcher, folder


def reap():
    """Not every container has an init that does, for orphans."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def check_gone(folder):
    limit = time.monotonic() + LIMIT
    while os.path.exists(folder) or working_below(folder):
        check(time.monotonic() < limit,
              f"left: {folder} {working_below(folder)}")
        time.sleep(0.01)
        reap()


def ends(names, program, status):
    launcher, folder = started(names, program)
    launcher.stdin.close()
    check(launcher.wait(LIMIT) == status, launcher.returncode)
    check_gone(folder)


def is_ended(names, sig, status):
    launcher, folder = started(names, "exit 0")
    launcher.send_signal(sig)
    check(launcher.wait(LIMIT) == status, launcher.returncode)
    launcher.stdout.read()  # the program, which holds it, is gone as well
    check_gone(folder)


def main():
    names = installed()
    if not names:
        return 77
    servers.LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    ends(names[:1], "exit 3", 3)
    ends(names[:1], "kill -ABRT $$", 134)
    is_ended(names, signal.SIGKILL, -signal.SIGKILL)
    is_ended(names[:1], signal.SIGTERM, 143)
    return 0


sys.exit(main())
