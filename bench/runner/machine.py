# machine.py - what was measured on: for the page, and for picking cores.
#
# SPDX-License-Identifier: MIT
import os
import platform
import re
import resource
import subprocess


def first_match(path, pattern):
    try:
        with open(path) as f:
            found = re.search(pattern, f.read(), re.M)
    except OSError:
        found = None
    return found.group(1).strip() if found else "unknown"


def output(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL)
        return done.stdout.strip()
    except OSError:
        return ""


def version():
    numbers = re.findall(r"#define CO_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)",
                         open("co/version.h").read())
    return ".".join(numbers)


def describe():
    kib = first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(kib) / 2**20) if kib.isdigit() else 0,
        "kernel": f"{platform.system()} {platform.release()}",
        "system": first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "compiler": "gcc " + output("gcc", "-dumpfullversion"),
        "corten": version() + (
            " " + output("git", "rev-parse", "--short", "HEAD")).rstrip(),
    }


def pick_cores():
    """The server's and the load's, different where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def raise_limit():
    """As many descriptors as this user may have; how many that are."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
