# gdb.py - coroutines in GDB: `info coroutines` and `coroutine N COMMAND`.
#
# A coroutine that is switched away from has its registers in memory.  While
# COMMAND runs, an unwinder says that the selected thread's innermost frame was
# called by the place where the coroutine left: from there on GDB's own unwinders
# read exact frames.  Nothing is written, so a core file serves as well as a
# process.  The thread's own frame stays below, as number 0; backtraces hide it.
#
# The last part of the script that GDB loads: see gdb_memory.py, and "In GDB" in
# co/README.md.
#
# SPDX-License-Identifier: MIT
import collections
import contextlib
import itertools

import gdb
import gdb.unwinder


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class ParkedUnwinder(gdb.unwinder.Unwinder):
    """Of one coroutine at a time, for as long as a command lasts."""

    def __init__(self):
        super().__init__("corten")
        self.enabled, self.host, self.registers = False, None, {}

    def is_host(self, frame):
        return self.host == (int(frame.read_register("sp")),
                             int(frame.read_register("pc")))

    def __call__(self, pending):
        if not self.enabled or not self.is_host(pending):
            return None
        # Frames must not seem to go down, wherever the two stacks lie.
        low = min(self.registers.get("rsp") or self.registers["sp"],
                  self.host[0]) - 1
        pointer = gdb.lookup_type("void").pointer()
        unwind = pending.create_unwind_info(FrameId(
            gdb.Value(low).cast(pointer),
            gdb.Value(self.host[1]).cast(pointer)))
        for name, value in self.registers.items():
            kind = pending.read_register(name).type
            unwind.add_saved_register(
                name, gdb.Value(value.to_bytes(kind.sizeof, "little"), kind))
        return unwind

    @contextlib.contextmanager
    def showing(self, registers):
        frame = gdb.newest_frame()
        self.host = (int(frame.read_register("sp")), int(frame.pc()))
        self.registers, self.enabled = registers, True
        gdb.invalidate_cached_frames()
        try:
            frame = gdb.newest_frame()
            while frame is not None and self.is_host(frame):
                frame = frame.older()
            if frame is None:
                raise gdb.GdbError("corten: GDB could not unwind")
            frame.select()
            yield
        finally:
            self.enabled = False
            gdb.invalidate_cached_frames()


class Filter:
    """Leaves the thread's own frame out of a coroutine's backtrace, and what the
    C library has outside of its first frame."""

    def __init__(self):
        self.name, self.priority, self.enabled = "corten", 0, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        if unwinder.enabled:
            frames = itertools.dropwhile(
                lambda frame: unwinder.is_host(frame.inferior_frame()), frames)
        for frame in frames:
            yield frame
            if frame.inferior_frame().name() == FIRST[0]:
                return


# ---- Commands ------------------------------------------------------------------------


class InfoCoroutines(gdb.Command):
    """List coroutines: info coroutines [-group] [COUNT] [TEXT]

Id, state, what it waits for and for how many seconds, where (the call of corten
< called from where), where it was spawned, name.  Only the first COUNT of those
whose line contains TEXT, such as a state, a function, a name.  With -group: how
many there are of each state and place."""

    def __init__(self):
        super().__init__("info coroutines", gdb.COMMAND_STATUS)

    def invoke(self, text, from_tty):
        words = text.split()
        group = words[:1] == ["-group"]
        words = words[1:] if group else words
        if words and words[0].startswith("-"):
            raise gdb.GdbError(f"info coroutines: no option {words[0]}; "
                               "there is -group")
        most = int(words.pop(0)) if words and words[0].isdigit() else None
        found = self.matches(Runtime(), " ".join(words), group)
        if group:
            self.write_groups(found, most)
            return
        gdb.write(f"{'Id':>8}  {'State':<8} {'Waits for':<16} {'Where':<44} "
                  "Spawned at\n")
        states = collections.Counter()
        for shown, (co, line) in enumerate(found):
            states[co.state] += 1
            if most is None or shown < most:
                gdb.write(line + "\n")
        parts = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
        gdb.write(f"{sum(states.values())} coroutines: {parts}\n")

    def matches(self, runtime, text, group):
        for co in runtime.all():
            if group:
                line = f"{co.state:<8} {runtime.where(co)}"
            else:
                line = self.line(runtime, co)
            if text in line:
                yield co, line

    @staticmethod
    def write_groups(found, most):
        counts = collections.Counter(line for _, line in found)
        for line, count in counts.most_common(most):
            gdb.write(f"{count:8}  {line}\n")

    @staticmethod
    def line(runtime, co):
        name = f" {co.name}" if co.name else ""
        return (f"{co.id:8}  {co.state:<8} {runtime.waits(co):<16} "
                f"{runtime.where(co):<44} {runtime.born(co)}{name}")


class CoroutineCommand(gdb.Command):
    """Run a GDB command in a coroutine: coroutine N COMMAND

    coroutine 17 bt
    coroutine 17 frame function handler
    coroutine 17 frame apply all info locals
    coroutine all bt 3

N is an id of "info coroutines".  Frames begin with 1: frame 0 is the selected
thread's, behind which the coroutine is shown.  Without COMMAND, what "info
coroutines" says of it."""

    def __init__(self):
        super().__init__("coroutine", gdb.COMMAND_STACK)

    def invoke(self, text, from_tty):
        words = text.split(None, 1)
        if words and words[0] == "apply":
            words = words[1].split(None, 1) if len(words) > 1 else []
        if not words or not (words[0] == "all" or words[0].isdigit()):
            raise gdb.GdbError("coroutine N COMMAND, or coroutine all COMMAND: "
                               "N is an id of 'info coroutines'")
        runtime = Runtime()
        command = words[1] if len(words) > 1 else None
        found = [co for co in runtime.all()
                 if words[0] == "all" or co.id == int(words[0])]
        if not found:
            raise gdb.GdbError(f"corten: there is no coroutine {words[0]}")
        for co in found:
            if words[0] == "all" or command is None:
                gdb.write(InfoCoroutines.line(runtime, co).strip() + "\n")
            if command is not None and co.state != "ended":
                self.run(runtime, co, command, from_tty)

    @staticmethod
    def run(runtime, co, command, from_tty):
        with selection_kept():
            if co.thread is not None:
                co.thread.switch()
                CoroutineCommand.execute(command, from_tty)
                return
            with unwinder.showing(runtime.registers(co)):
                CoroutineCommand.execute(command, from_tty)

    @staticmethod
    def execute(command, from_tty):
        try:
            gdb.execute(command, from_tty)
        except gdb.error as error:  # would be shown as one of this script
            raise gdb.GdbError(str(error)) from None


unwinder = ParkedUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
Filter()
InfoCoroutines()
CoroutineCommand()
