# gdb_test.py - coroutines as GDB shows them, in a process and in a core.
#
# Runs gdb -batch on gdb_program: started by GDB, attached to, as a core of the
# kernel's and as one of GDB's own gcore.  What a backtrace must say stands in
# the program's source.  Then installs the library and looks that GDB loads the
# script by itself, with a shared and with a static program.  CORTEN_BUILD names
# the build.
#
# SPDX-License-Identifier: MIT
import glob
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
LIMIT = 60
BUILD = os.environ["CORTEN_BUILD"]
PROGRAM = os.path.join(BUILD, "tests", "gdb_program")
SOURCE = "tests/gdb_program.c"
SCRIPT = f"source {BUILD}/corten-gdb.py"
STOP = ["break gdb_stop", "run"]
NAMES = {"in channel": "chan", "in read": "read", "ready one": "ready"}

skipped = []


def check(true, what):
    if not true:
        raise AssertionError(what)


def gdb(commands, *args, first=()):
    words = ["gdb", "-nx", "-batch"]
    for command in first:
        words += ["-iex", command]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words + list(args), text=True, timeout=LIMIT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if re.search(r"ptrace: Operation not permitted|could not be traced|"
                 r"Could not trace the inferior", done.stdout):
        print("gdb_test: GDB may not trace here", file=sys.stderr)
        sys.exit(SKIP)
    return done.stdout


def marked(function):
    """The line whose comment is the function's name."""
    lines = [number for number, line in enumerate(open(SOURCE), 1)
             if line.rstrip().endswith(f"/* {function} */")]
    check(len(lines) == 1, f"{SOURCE}: {function} stands {len(lines)} times")
    return lines[0]


def check_backtrace(text, prefix):
    """Its frames in the program are three, in functions and lines as marked,
    and the last of all is the first of the coroutine."""
    want = [(f"{prefix}_{depth}", marked(f"{prefix}_{depth}"))
            for depth in ("inner", "middle", "outer")]
    found = [(name, int(line)) for name, line in re.findall(
        r"^#\d+ .*?(\w+) \(.*\) at \S*/gdb_program\.c:(\d+)$", text, re.M)]
    check(found == want, f"wanted {want}, got {found} in:\n{text}")
    frames = re.findall(r"^#(\d+) +(?:0x\w+ in )?(\w+) \(", text, re.M)
    check(frames[0][0] == "1" and frames[-1][1] == "context_start" and
          "Backtrace stopped" not in text, text)
    # What the library's own frames have in registers is right, too.
    handles = set(re.findall(r"[( ]co=(0x\w+)|entry \(arg=arg@entry=(0x\w+)",
                             text))
    check(len({a or b for a, b in handles}) == 1 and len(handles) == 2, text)


def check_all(name, start, *args):
    """start are the commands after which there is something to see."""
    out = gdb([SCRIPT, *start, "info coroutines"], *args)
    rows = {row[3].strip(): row for row in re.findall(
        rf"^ +(\d+)  (\w+) +(.*) gdb_program\.c:{marked('spawned')} (.*)$",
        out, re.M)}
    check(set(rows) == {*NAMES, "in mutex", "fresh one"}, f"{name}: {out}")
    states = {key: row[1] for key, row in rows.items()}
    check(states == {"in channel": "waiting", "in read": "waiting",
                     "in mutex": "waiting", "ready one": "ready",
                     "fresh one": "ready"}, out)
    check(out.count("co_sem_wait < filler gdb_program.c:") == 20, out)
    check("not started: fresh" in rows["fresh one"][2], out)
    line = marked("read_inner")
    check(f"co_read < read_inner gdb_program.c:{line}" in out, out)
    for key, pattern in (("in channel", r"chan \d+"), ("in read", r"fd \d+ \d+"),
                         ("in mutex", f"mutex of {rows['ready one'][0]} \\d+")):
        check(re.match(pattern, rows[key][2]), out)
    check(re.search(r"^ +1  running +thread 1: .* root$", out, re.M), out)
    check("26 coroutines: 2 ready, 1 running, 23 waiting" in out, out)

    commands = ["echo begin\\n", "frame", "echo end\\n"]
    for row in rows.values():
        commands += [f"echo of {row[3]}:\\n", f"coroutine {row[0]} bt"]
    channel = rows["in channel"][0]
    commands += ["echo middle:\\n",
                 f"coroutine {channel} frame function chan_middle",
                 f"coroutine {channel} frame apply all -q -s print kept",
                 "echo root:\\n", "coroutine 1 bt",
                 "echo begin\\n", "frame", "echo end\\n"]
    out = gdb([SCRIPT, *start, *commands], *args)
    parts = dict(re.findall(r"^of (.*):\n((?:#.*\n)*)", out, re.M))
    for key, prefix in NAMES.items():
        check_backtrace(parts[key], prefix)
    check("context_first" in parts["fresh one"], out)
    frame = re.search(r"^middle:\n#\d+ .*chan_middle .*:(\d+)\n(?:.*\n)*"
                      r"\$1 = 42\n", out, re.M)
    check(frame and int(frame[1]) == marked("chan_middle"), out)
    check(re.search(r"^root:\n(#.*\n)*#\d+ .* root \(.*gdb_program\.c:"
                    rf"{marked('root')}\n(#.*\n)*#\d+ .*context_start ", out,
                    re.M), out)
    seen = re.findall(r"^begin\n(#.*)\n", out, re.M)
    check(len(seen) == 2 and seen[0] == seen[1],
          f"{name}: another frame is selected afterwards:\n{out}")


def test_process():
    check_all("process", STOP, PROGRAM)


def test_attach():
    process = subprocess.Popen([PROGRAM, "wait"], stdout=subprocess.PIPE,
                               text=True)
    try:
        check(process.stdout.readline() == "ready\n", "does not get ready")
        check_all("attached", [], "-p", str(process.pid))
        check(process.poll() is None, "it died")
    finally:
        process.kill()
        process.communicate()


def kernel_core(work):
    """The path of a core, or None when this machine writes none here."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    pattern = open("/proc/sys/kernel/core_pattern").read().strip()
    if pattern.startswith(("|", "/")) or hard == 0:
        skipped.append(f"no core to look at: core_pattern is {pattern}, the "
                       f"limit {hard}")
        return None
    subprocess.run([PROGRAM, "abort"], cwd=work, timeout=LIMIT,
                   preexec_fn=lambda: resource.setrlimit(
                       resource.RLIMIT_CORE, (hard, hard)))
    found = os.listdir(work)
    check(len(found) == 1, f"wanted a core, found {found}")
    return os.path.join(work, found[0])


def test_core():
    with tempfile.TemporaryDirectory() as work:
        core = kernel_core(work)
        if core is not None:
            check_all("core", [], PROGRAM, core)


def test_gcore():
    """Where GDB's own core lacks the stacks, the command says so."""
    with tempfile.TemporaryDirectory() as work:
        core = os.path.join(work, "core")
        out = gdb([*STOP, f"gcore {core}"], PROGRAM)
        check(os.path.exists(core), out)
        lacks = "Memory read failed" in out
        for command in ("info coroutines", "coroutine 2 bt"):
            out = gdb([SCRIPT, command], PROGRAM, core)
            if lacks:
                check("26 coroutines live, but their stacks are zeros" in out and
                      "gcore" in out and "kill -ABRT" in out and
                      "Traceback" not in out, out)
            else:  # guards by mprotect: it can read around them
                check("chan_inner" in out, out)


def test_errors():
    def says(text, *args, start=()):
        out = gdb([SCRIPT, *start, "info coroutines", "coroutine 1 bt"], *args)
        check(out.count(f"corten: {text}") == 2 and "Traceback" not in out,
              f"wanted {text!r} twice:\n{out}")

    says("no process and no core file", PROGRAM)
    says("the runtime is not up", PROGRAM, start=["break main", "run"])
    out = gdb([SCRIPT, *STOP, "coroutine", "coroutine x bt",
               "coroutine 99 bt"], PROGRAM)
    check(out.count("coroutine N COMMAND") == 2, out)
    check("corten: there is no coroutine 99" in out, out)
    with tempfile.TemporaryDirectory() as work:
        bare = os.path.join(work, "bare")
        subprocess.run(["strip", "-g", "-o", bare, PROGRAM], check=True)
        says("no debug information for struct co", bare, start=STOP)


def test_filter():
    out = gdb([SCRIPT, *STOP, "info coroutines 21 waiting",
               "echo split\\n", "info coroutines fresh",
               "echo split\\n", "info coroutines -group ready"], PROGRAM)
    first, second, third = out.split("split\n")
    check("in channel" in first and "in read" not in first, out)
    check("fresh one" in second and "waiting  " not in second, out)
    check("23 coroutines: 23 waiting" in first, out)
    line = f"ready_inner gdb_program.c:{marked('ready_inner')}"
    check(re.search(rf"^ +1  ready +co_yield_now < {line}$", third, re.M) and
          "waiting" not in third, out)


def build(work, *libraries):
    program = os.path.join(work, "program")
    subprocess.run(
        [*shlex.split(os.environ.get("CC", "cc")),
         *shlex.split(os.environ.get("CFLAGS", "")), "-O1", "-g", "-D_GNU_SOURCE",
         "-iquote", ".", SOURCE, "-Wl,--gc-sections", *libraries, "-lm",
         "-o", program], check=True)
    return program


def check_loaded(program, first):
    for trusted in (True, False):
        allow = [f"add-auto-load-safe-path {os.path.dirname(program)}"]
        out = gdb([*STOP, "info coroutines"], program,
                  first=first + (allow if trusted else []))
        check(("co_read < read_inner" in out) == trusted,
              f"trusted: {trusted}\n{out}")


def test_autoload():
    with tempfile.TemporaryDirectory() as work:
        work = os.path.realpath(work)
        subprocess.run(["cmake", "--install", BUILD], check=True,
                       stdout=subprocess.DEVNULL,
                       env={**os.environ, "DESTDIR": work})
        found = glob.glob(work + "/**/libcorten.so.*.*-gdb.py", recursive=True)
        check(len(found) == 1, f"installed: {found}")
        top, _, path = found[0].partition("/gdb/auto-load/")
        library = re.sub(r"-gdb\.py$", "", os.path.join(work, path))
        check(os.path.exists(library), f"no {library} beside {found[0]}")
        home = os.path.dirname(library)

        # GDB looks below its directory for the library's full path, to which
        # the scratch one is prepended here.
        scripts = os.path.join(work, "scripts")
        os.makedirs(scripts + os.path.dirname(work))
        os.symlink(top + "/gdb/auto-load", scripts + work)
        check_loaded(build(work, library, f"-Wl,-rpath,{home}"),
                     [f"set auto-load scripts-directory {scripts}"])
        check_loaded(build(work, os.path.join(home, "libcorten.a")), [])


def main():
    if shutil.which("gdb") is None:
        print("gdb_test: no gdb", file=sys.stderr)
        return SKIP
    if "sanitize" in os.environ.get("CFLAGS", ""):
        print("gdb_test: not with sanitizers, whose shadows no core can hold",
              file=sys.stderr)
        return SKIP
    for test in (test_process, test_attach, test_core, test_gcore, test_errors,
                 test_filter, test_autoload):
        print(f"  {test.__name__}", file=sys.stderr, flush=True)
        test()
    for text in skipped:
        print(f"gdb_test: {text}", file=sys.stderr)
    return SKIP if skipped else 0


sys.exit(main())
