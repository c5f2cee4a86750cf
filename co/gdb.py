# gdb.py - coroutines in GDB: `info coroutines` and `coroutine N COMMAND`.
#
# A coroutine that is switched away from has its registers in memory.  While
# COMMAND runs, an unwinder says that the selected thread's innermost frame was
# called by the place where the coroutine left: from there on GDB's own unwinders
# read exact frames.  Nothing is written, so a core file serves as well as a
# process.  The thread's own frame stays below, as number 0; backtraces hide it.
#
# Loaded by GDB itself: see co/README.md.  Knows the layouts of slab.c (where
# stacks lie) and context_*.S (what a switch saves); gdb_test.py compares.
#
# SPDX-License-Identifier: MIT
import bisect
import contextlib
import itertools
import os

import gdb
import gdb.unwinder

COLOURS, COLOUR_BYTES = 16, 64  # slab.c
SLAB_STACKS = 256  # slab.h
POST_START, POST_WAKE, POST_CLOSED = 2, 4, 32  # core.h
FOREVER = 2**63 - 1
WINDOW = 1536  # read below each struct co: the frames of most parked ones
FRAMES = 32  # looked at to find who waits
FIRST = "context_start", "context_first", "entry"  # the outermost frames

ZEROS = ("their stacks are zeros in this core.  GDB's own gcore leaves out "
         "mappings with guard pages; the kernel's cores are whole: ulimit -c "
         "unlimited, then kill -ABRT")


# ---- Reading -----------------------------------------------------------------


def read(address, size):
    try:
        return gdb.selected_inferior().read_memory(address, size).tobytes()
    except gdb.MemoryError:
        raise gdb.GdbError(f"corten: no memory at {address:#x}: is the core "
                           "cut off (ulimit -c), or without its anonymous "
                           "pages (/proc/PID/coredump_filter)?")


def word(data, at=0, size=8):
    return int.from_bytes(data[at:at + size], "little")


class Layout:
    """Where the fields of a struct are; look(data, "a.b") is a number."""

    def __init__(self, kind):
        self.size, self.places = kind.sizeof, {}
        self.add(kind, "", 0)

    def add(self, kind, prefix, base):
        for field in kind.fields():
            if not hasattr(field, "bitpos") or not field.name:
                continue
            at, inner = base + field.bitpos // 8, field.type.strip_typedefs()
            self.places[prefix + field.name] = at, inner.sizeof
            if inner.code == gdb.TYPE_CODE_STRUCT:
                self.add(inner, prefix + field.name + ".", at)

    def at(self, name):
        return self.places[name][0]

    def look(self, data, name):
        return word(data, *self.places[name])

    def signed(self, data, name):
        at, size = self.places[name]
        return int.from_bytes(data[at:at + size], "little", signed=True)


def scope(function):
    """The file that has a function of the library; its names are looked up
    there, since a program may have a struct wait, too."""
    found = gdb.lookup_global_symbol(function)
    if found is None or found.symtab is None:
        raise gdb.GdbError("corten: no debug information for struct co: is "
                           "this a program with corten, and the library built "
                           "with -g and not stripped?")
    return found.symtab.static_block()


def variable(function, name):
    symbol = gdb.lookup_symbol(name, scope(function))[0]
    return symbol.value()


class Code:
    """What stands at a pc, and whether it is the library's."""

    def __init__(self):
        co = os.path.dirname(gdb.lookup_global_symbol("slab_use")
                             .symtab.fullname())
        self.homes = co, os.path.join(os.path.dirname(co), "net")
        self.known = {}

    def describe(self, pc):
        """(is of the library, function, "file:line") of the call before pc."""
        if pc not in self.known:
            self.known[pc] = self.find(pc - 1)
        return self.known[pc]

    def find(self, pc):
        block, name = gdb.block_for_pc(pc), None
        line = gdb.find_pc_line(pc)
        ours = (line.symtab is not None and
                os.path.dirname(line.symtab.fullname()) in self.homes)
        while block is not None and block.superblock is not None:
            if block.function is not None:
                name = block.function.name
                if not ours:
                    break  # else go on: which function is it inlined into?
            block = block.superblock
        if name is None:
            name = gdb.format_address(pc).split("<")[-1].split("+")[0]
        where = ""
        if line.symtab is not None:
            where = f"{os.path.basename(line.symtab.filename)}:{line.line}"
        return ours, name, where


# ---- Saved registers -----------------------------------------------------------


def rotate(value, n):
    return (value >> n | value << 64 - n) & 2**64 - 1


def saved_x86_64(sp):
    names = "r15 r14 r13 r12 rbx rbp rip".split()
    data = read(sp, 64)
    found = {name: word(data, 8 + 8 * i) for i, name in enumerate(names)}
    found["rsp"] = sp + 64
    return found


def saved_aarch64(sp):
    names = ["x29", "x30"] + [f"x{n}" for n in range(19, 29)]
    data = read(sp, 176)
    found = {name: word(data, 8 * i) for i, name in enumerate(names)}
    for n in range(8, 16):  # of the vectors, the low halves
        found[f"v{n}"] = word(data, 96 + 8 * (n - 8))
    found["pc"], found["sp"] = found["x30"], sp + 176
    return found


# The C library may encrypt addresses in a jmp_buf.  The key follows from one
# whose value is known: the frame's, which context_ucontext.c keeps.


def jump_x86_64(data, frame):
    names = "rbx rbp r12 r13 r14 r15 rsp rip".split()
    found = {name: word(data, 8 * i) for i, name in enumerate(names)}
    if found["rbp"] != frame:
        key = rotate(found["rbp"], 17) ^ frame
        for name in "rbp", "rsp", "rip":
            found[name] = rotate(found[name], 17) ^ key
    return found


def jump_aarch64(data, frame):
    found = {f"x{19 + i}": word(data, 8 * i) for i in range(12)}
    key = word(data, 8 * 13) ^ frame
    found["x30"] ^= key
    found["pc"], found["sp"] = found["x30"], frame
    return found


CPUS = {  # architecture: (by context_<cpu>.S, by context_ucontext.c, sp, pc, fp)
    "i386:x86-64": (saved_x86_64, jump_x86_64, "rsp", "rip", "rbp"),
    "aarch64": (saved_aarch64, jump_aarch64, "sp", "pc", "x29"),
}


# ---- The runtime -----------------------------------------------------------------


class Slab:
    def __init__(self, value, index):
        self.base, self.stride = int(value["base"]), int(value["stride"])
        self.stacks, self.used = int(value["stacks"]), int(value["used"])
        self.index = index

    def stack(self, i, room):
        return (self.base + (i + 1) * self.stride - i % COLOURS * COLOUR_BYTES -
                room)


class Coroutine:
    def __init__(self, runtime, address, data, window):
        look = runtime.co.look
        self.address, self.data, self.window = address, data, window
        self.id, self.low = look(data, "id"), look(data, "stack.low")
        self.name = runtime.text(look(data, "name"))
        self.line = look(data, "line")
        self.wait = look(data, "wait")
        self.thread = runtime.running.get(address)
        if self.thread is not None:
            self.state = "running"
        elif look(data, "ended"):
            self.state = "ended"
        elif address in runtime.ready or self.wait == 0:
            self.state = "ready"
        else:
            self.state = "waiting"


class Runtime:
    """All there is to know at this stop; made anew for each command."""

    def __init__(self):
        if not gdb.selected_inferior().threads():
            raise gdb.GdbError("corten: no process and no core file")
        home = scope("slab_use")
        engine = scope("switch_enter")
        self.co = Layout(gdb.lookup_type("struct co", engine))
        self.wait = Layout(gdb.lookup_type("struct wait", scope("wait_expire")))
        self.sched = Layout(gdb.lookup_type("struct sched", engine))
        set_ = variable("sched_set_idlest", "sched_set")
        if int(set_["count"]) == 0:
            raise gdb.GdbError("corten: the runtime is not up")
        self.cpu = CPUS.get(gdb.selected_thread() and
                            gdb.newest_frame().architecture().name())
        if self.cpu is None:
            raise gdb.GdbError("corten: no backtraces on this architecture")
        table = variable("slab_use", "table")
        self.room = int(variable("slab_use", "room"))
        self.slabs = [Slab(table[k], k)
                      for k in range(int(variable("slab_use", "slabs")))]
        self.slabs.sort(key=lambda slab: slab.base)
        self.bases = [slab.base for slab in self.slabs]
        self.code, self.texts, self.ready = Code(), {}, set()
        self.living = int(set_["spawned_outside"])
        for k in range(int(set_["count"])):
            self.add_scheduler(int(set_["at"][k]))
        self.find_running()

    def add_scheduler(self, address):
        s, look = read(address, self.sched.size), self.sched.look
        self.living += look(s, "spawned") - look(s, "finished")
        ring, mask = look(s, "ring"), look(s, "ring_mask")
        head = look(s, "head")
        count = (look(s, "tail") - head) % 2**32
        places = read(ring, 8 * (mask + 1)) if count else b""
        self.ready.update(word(places, 8 * ((head + i) & mask))
                          for i in range(count))
        any_ = address + self.sched.at("any")
        link = look(s, "any.next")
        while link not in (any_, 0):
            self.ready.add(link - self.co.at("any"))
            link = word(read(link, 8))
        post = look(s, "inbox")
        while post != 0:
            data = read(post, 16)
            bits = word(data, 8, 4)
            if bits & (POST_START | POST_WAKE) and not bits & POST_CLOSED:
                self.ready.add(post - self.co.at("post"))
            post = word(data)

    def stack_find(self, address):
        k = bisect.bisect_right(self.bases, address) - 1
        if k < 0:
            return None
        slab = self.slabs[k]
        i = (address - slab.base) // slab.stride
        return slab.stack(i, self.room) if i < slab.used else None

    def find_running(self):
        """The threads that stand on a coroutine's stack, perhaps below the
        frames of a signal handler that has a stack of its own."""
        self.running = {}
        with selection_kept():
            for thread in gdb.selected_inferior().threads():
                thread.switch()
                frame = gdb.newest_frame()
                for _ in range(FRAMES):
                    co = self.stack_find(int(frame.read_register("sp")))
                    if co is not None:
                        self.running[co] = thread
                    if co is not None or frame.older() is None:
                        break
                    frame = frame.older()

    def text(self, address):
        if address not in self.texts:
            text = b""
            while address != 0 and b"\0" not in text:
                # Not across a page, since the next one may not be there.
                start = address + len(text)
                text += read(start, min(64, 4096 - start % 4096))
            self.texts[address] = text.split(b"\0")[0].decode(errors="replace")
        return self.texts[address]

    def all(self):
        """Each coroutine that lives, or has ended and is not joined."""
        look = self.co.look
        empty = True
        for slab in sorted(self.slabs, key=lambda slab: slab.index):
            for i in range(slab.used):
                address = slab.stack(i, self.room)
                data = read(address - WINDOW, WINDOW + self.co.size)
                window, data = data[:WINDOW], data[WINDOW:]
                empty = empty and look(data, "stack.low") == 0
                # Only of one that has a handle can `ended` be seen.
                if look(data, "sched") != 0 and not (
                        look(data, "ended") and look(data, "released")):
                    yield Coroutine(self, address, data, window)
        if empty and self.living > 0:
            raise gdb.GdbError(f"corten: {self.living} coroutines live, but "
                               + ZEROS)

    def registers(self, co):
        """By name, as they were when the coroutine switched away."""
        by_assembly, by_jump, sp, pc, _ = self.cpu
        saved = self.co.look(co.data, "context.sp")
        if "context.regs" not in self.co.places:
            found = by_assembly(saved)
        else:
            at, size = self.co.places["context.regs"]
            found = by_jump(co.data[at:at + size],
                            self.co.look(co.data, "context.frame"))
        if found[pc] == 0:
            raise gdb.GdbError(f"corten: coroutine {co.id} cannot be shown: "
                               + ZEROS)
        return found

    def callers(self, co):
        """The pcs of its frames by frame pointers, which is fast and, inside
        the library, right."""
        registers = self.registers(co)
        _, _, sp, pc, fp = self.cpu
        pc, fp = registers[pc], registers[fp]
        for _ in range(FRAMES):
            yield pc
            if not co.low <= fp <= co.address - 16:
                return
            if fp >= co.address - WINDOW:
                frame = co.window[fp - co.address + WINDOW:][:16]
            else:
                frame = read(fp, 16)
            fp, pc = word(frame), word(frame, 8)
            if pc == 0:
                return

    def where(self, co):
        if co.thread is not None:
            return self.where_running(co)
        if co.state == "ended":
            return "not joined"
        calls = []  # the library's, from the inside
        for pc in self.callers(co):
            ours, name, line = self.code.describe(pc)
            if not ours:
                calls.append(f"{name} {line}")
                return " < ".join(calls[-2:])
            if name in FIRST:
                break
            calls.append(name)
        if calls in ([], ["context_switch"]) and co.wait == 0:
            fn = self.co.look(co.data, "fn")
            return f"not started: {self.code.describe(fn + 1)[1]}"
        # One of the library's own: the call it is in, and what it is.
        public = [name for name in calls if name.startswith(("co_", "net_"))]
        return " < ".join(public[:1] + calls[-1:])

    def where_running(self, co):
        with selection_kept():
            co.thread.switch()
            frame = gdb.newest_frame()
            while frame is not None:
                ours, name, line = self.code.find(frame.pc())
                if not ours and line:
                    break
                frame = frame.older()
            else:
                name, line = gdb.newest_frame().name() or "?", ""
        return f"thread {co.thread.num}: {name} {line}"

    def born(self, co):
        file = self.text(self.co.look(co.data, "file"))
        return f"{os.path.basename(file)}:{co.line}"


# ---- The unwinder ------------------------------------------------------------------


@contextlib.contextmanager
def selection_kept():
    thread, frame = gdb.selected_thread(), None
    with contextlib.suppress(gdb.error):
        frame = gdb.selected_frame()
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            thread.switch()
        if frame is not None and frame.is_valid():
            frame.select()


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
    """List coroutines: info coroutines [COUNT] [TEXT]

Id, state, where it is (in which call of corten < called from where), where it
was spawned, name.  Only the first COUNT of those whose line contains TEXT, such
as a state, a function, a name."""

    def __init__(self):
        super().__init__("info coroutines", gdb.COMMAND_STATUS)

    def invoke(self, text, from_tty):
        words = text.split(None, 1)
        most = None
        if words and words[0].isdigit():
            most = int(words[0])
            text = words[1] if len(words) > 1 else ""
        runtime, states, shown = Runtime(), {}, 0
        gdb.write(f"{'Id':>8}  {'State':<8} {'Where':<50} Spawned at\n")
        for co in runtime.all():
            states[co.state] = states.get(co.state, 0) + 1
            if most is not None and shown == most:
                continue
            line = self.line(runtime, co)
            if text.strip() in line:
                gdb.write(line + "\n")
                shown += 1
        parts = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
        gdb.write(f"{sum(states.values())} coroutines: {parts}\n")

    @staticmethod
    def line(runtime, co):
        name = f" {co.name}" if co.name else ""
        return (f"{co.id:8}  {co.state:<8} {runtime.where(co):<50} "
                f"{runtime.born(co)}{name}")


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
                gdb.execute(command, from_tty)
                return
            with unwinder.showing(runtime.registers(co)):
                gdb.execute(command, from_tty)


unwinder = ParkedUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
Filter()
InfoCoroutines()
CoroutineCommand()
