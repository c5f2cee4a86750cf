# gdb_memory.py - what gdb.py reads: structs by their debug information, the code
# at an address, the registers that a switch has saved.
#
# CMakeLists.txt joins gdb_memory.py, gdb_runtime.py and gdb.py to one script.
# Knows what context_*.S and context_ucontext.c save; gdb_test.py compares.
#
# SPDX-License-Identifier: MIT
import contextlib
import os

import gdb

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
