# gdb_runtime.py - the coroutines of the process, found by their stacks.
#
# Reads each struct co, and the frames below it, in one piece: a list of 100,000
# takes some seconds.  Knows where slab.c puts stacks, and the bits of core.h;
# gdb_test.py compares.
#
# SPDX-License-Identifier: MIT
import bisect
import os

import gdb

COLOURS, COLOUR_BYTES = 16, 64  # slab.c
POST_START, POST_WAKE, POST_CLOSED = 2, 4, 32  # core.h
WINDOW = 1536  # read below each struct co: the frames of most parked ones
FRAMES = 32  # looked at to find who waits
FIRST = "context_start", "context_first", "entry"  # the outermost frames
PUBLIC = "co_", "net_", "hook_"
CALLS = {"sleep": "co_sleep_until", "chan": "co_chan_recv",
         "select": "co_select", "cond": "co_cond_wait", "sem": "co_sem_wait",
         "group": "co_group_wait", "join": "co_join", "mutex": "co_mutex_lock",
         "offload": "co_offload", "dump": "co_dump"}


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
        self.name = "".join(c if c.isprintable() else "?"
                            for c in runtime.text(look(data, "name")))
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
        self.mutex = Layout(gdb.lookup_type("struct co_mutex", engine))
        self.kinds = {}
        if "kind" in self.wait.places:
            kinds = gdb.lookup_type("enum wait_kind", scope("wait_expire"))
            self.kinds = {field.enumval: field.name[len("WAIT_"):].lower()
                          for field in kinds.fields()}
        self.code, self.texts, self.ready, self.now = Code(), {}, set(), 0
        self.living = int(set_["spawned_outside"])
        for k in range(int(set_["count"])):
            self.add_scheduler(int(set_["at"][k]))
        self.find_running()

    def add_scheduler(self, address):
        s, look = read(address, self.sched.size), self.sched.look
        self.living += look(s, "spawned") - look(s, "finished")
        self.now = max(self.now, look(s, "now"))
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

    def ticket(self, co):
        """Of one that waits, and its kind."""
        at = co.wait - co.address + WINDOW
        if 0 <= at <= WINDOW - self.wait.size:
            ticket = co.window[at:at + self.wait.size]
        else:
            ticket = read(co.wait, self.wait.size)
        kind = self.wait.look(ticket, "kind")
        return ticket, self.kinds.get(kind, str(kind))

    def waits(self, co):
        """What for, and for how long, in a few characters."""
        if co.state != "waiting" or not self.kinds:
            return ""
        ticket, what = self.ticket(co)
        if what == "fd":
            what += f" {self.wait.look(ticket, 'link.index')}"
        elif what == "mutex":
            what += self.owner(self.wait.look(ticket, "queue"))
        since = (self.now - self.co.look(co.data, "since")) / 1e9
        return f"{what} {max(since, 0):.0f}s"

    def owner(self, mutex):
        """Of a mutex, which begins with its queue; bit 0 says: waited for."""
        word_ = word(read(mutex + self.mutex.at("owner"), 8)) & ~1
        if word_ == 0 or self.stack_find(word_) != word_:
            return ""
        co = read(word_, self.co.size)
        return f" of {self.co.look(co, 'id')}"

    def call(self, co, name):
        """The public call that this function of ours belongs to: a call in
        tail position leaves no frame, but the wait knows its kind."""
        if (name.startswith(PUBLIC) or co.state != "waiting" or
                not self.kinds):
            return name
        ticket, kind = self.ticket(co)
        if (kind == "chan" and self.wait.look(ticket, "queue") !=
                self.wait.look(ticket, "guard")):
            return "co_chan_send"
        return CALLS.get(kind, name)

    def where(self, co):
        if co.thread is not None:
            return self.where_running(co)
        if co.state == "ended":
            return "not joined"
        calls = []  # the library's, from the inside
        for pc in self.callers(co):
            ours, name, line = self.code.describe(pc)
            if not ours:
                calls = [self.call(co, last) for last in calls[-1:]]
                return " < ".join(calls + [f"{name} {line}"])
            if name in FIRST:
                break
            calls.append(name)
        fn = self.code.describe(self.co.look(co.data, "fn") + 1)[1]
        if calls in ([], ["context_switch"]) and co.wait == 0:
            return f"not started: {fn}"
        # One of the library's own, or whose function has ended in a jump.
        public = [name for name in calls if name.startswith(("co_", "net_"))
                  and not name.startswith("co_sys_")]
        inner = public or [self.call(co, name) for name in calls[:1]]
        return " < ".join(inner[:1] + [fn])

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
