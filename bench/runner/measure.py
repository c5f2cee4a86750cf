# measure.py - one run: a server of its own on one core, the load on another.
#
# SPDX-License-Identifier: MIT
import ctypes
import json
import os
import re
import select
import shutil
import signal
import subprocess
import time

from runner import contenders

LOAD = f"{contenders.BUILD}/bench/load"
START, STOP = 20, 20  # seconds that a server may take
REFUSED = 3           # its status when its model has no such service
LIBC = ctypes.CDLL(None)


class Gap(Exception):
    """Why there is no figure."""


class Server:
    def __init__(self, command, core):
        def become():
            LIBC.prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
            os.sched_setaffinity(0, {core})
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=become)
        try:
            self.addr = self.wait_for_address()
        except Gap:
            self.stop()
            raise

    def wait_for_address(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START)
        line = self.process.stdout.readline() if ready else ""
        if line.startswith("listening on "):
            return line.split()[-1]
        if ready:
            status = self.process.wait(STOP)
            said = self.process.stderr.read().strip().split("\n")[-1]
            if status == REFUSED:
                raise Gap(said.partition(": ")[2])
            raise Gap(f"does not start: {said}")
        raise Gap("does not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def cpu_ns(self):
        """Of it and its children, by the clocks of the processes, as
        clock_getcpuclockid(3) counts them: they know threads that ended."""
        total, pids = 0, [self.process.pid]
        while pids:
            pid = pids.pop()
            try:
                total += time.clock_gettime_ns(~pid << 3 | 2)
                with open(f"/proc/{pid}/task/{pid}/children") as f:
                    pids += [int(word) for word in f.read().split()]
            except OSError:
                pass  # it has ended
        return total


def pinned(command, core, limit):
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=limit,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}))


def by_load(server, contender, case, settings, count):
    """count: the system calls, too, which takes time of its own."""
    done = pinned(
        [LOAD, case.kind, server.addr, "--json", "--pid",
         str(server.process.pid), "--seconds", str(settings["seconds"]),
         "--warmup", str(settings["warmup"]), *case.load,
         *contender.load, *([] if count else ["--no-syscalls"])],
        settings["load_core"], settings["seconds"] + 120)
    try:
        result = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().split("\n")[-1]
        raise Gap(f"the load failed: {said}") from None
    if done.returncode != 0 or result["requests"] == 0:
        raise Gap(result.get("error") or "no request was answered")
    return result


TIMES = {"us": 1, "ms": 1e3, "s": 1e6}


def by_wrk(server, case, settings):
    """The same figures as far as wrk has them."""
    wrk = ["wrk", "-t1", f"-c{case.conns}", "--latency"]
    url = f"http://{server.addr}/greet/corten"
    pinned([*wrk, "-d1s", url], settings["load_core"], 60)
    begin = server.cpu_ns()
    seconds = max(1, round(settings["seconds"]))
    done = pinned([*wrk, f"-d{seconds}s", url], settings["load_core"], 60)
    time.sleep(0.01)
    cpu = server.cpu_ns() - begin
    requests = re.search(r"(\d+) requests in", done.stdout)
    if done.returncode != 0 or not requests or "Socket errors" in done.stdout:
        raise Gap("wrk failed")
    result = {"requests": int(requests.group(1)), "seconds": seconds}
    result["rps"] = float(re.search(r"Requests/sec:\s*([\d.]+)",
                                    done.stdout).group(1))
    for share, value, unit in re.findall(
            r"^\s+(50|90|99)%\s+([\d.]+)(us|ms|s)$", done.stdout, re.M):
        result[f"p{share}_us"] = float(value) * TIMES[unit]
    result["server"] = {"cpu_us": cpu / 1e3 / result["requests"]}
    return result


def has_wrk():
    return shutil.which("wrk") is not None


def measure(contender, case, tool, settings, count=True):
    """The result of one run; raises Gap."""
    command, why = contender.command(case)
    if command is None:
        raise Gap(why)
    if case.conns + 200 > settings["descriptors"]:
        raise Gap(f"only {settings['descriptors']} descriptors a process here")
    server = Server(command, settings["server_core"])
    try:
        if tool == "wrk":
            return by_wrk(server, case, settings)
        return by_load(server, contender, case, settings, count)
    except subprocess.TimeoutExpired:
        raise Gap("the load did not end") from None
    finally:
        server.stop()
