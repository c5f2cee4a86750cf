# relay.py - a network between clients and servers that fails when it is told to.
#
#   relay.py SOCKET
#
# takes commands by the unix socket SOCKET, a line each, and answers each with a
# line: "ok", "ok NUMBER" or "error WHY".  servers.py starts it for programs that
# name the server "relay", after the others; RELAY is the socket then.  A rule is
# in force when it has been answered.
#
#   relay TO                    a new relay to the port or unix socket TO; its
#                               number is its port of 127.0.0.1
#   PORT WAY RULE [after BYTES] from now on, for the connections that the relay
#                               has and for those to come; each first lets so
#                               many bytes of the way pass as before
#   PORT passed WAY             how many bytes went that way so far
#   PORT open                   how many connections there are
#   ping                        nothing
#
# WAY is "up" (from client to server), "down" or "both".  RULE is one of
#
#   go       as they come; connections that were cut or reset are closed
#   slow N   N bytes a second, byte by byte up to 1,000
#   stall    none; the end of the connection does not get through, either
#   cut      the receiver sees the end, and the sender nothing
#   reset    the receiver's connection is reset, and the sender sees nothing
#
# tests/faults.h has the client's side for programs in C.
#
# SPDX-License-Identifier: MIT
import select
import socket
import struct
import sys
import time

BUFFER = 65536
SLICE = 0.001  # seconds between two writes of a slow way
UP, DOWN = 0, 1
WAYS = {"up": (UP,), "down": (DOWN,), "both": (UP, DOWN)}
RULES = {"go": 0, "slow": 1, "stall": 0, "cut": 0, "reset": 0}  # arguments


class Wrong(Exception):
    pass


def close_hard(s):
    """With a reset instead of an end."""
    if s.fileno() >= 0 and s.family == socket.AF_INET:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
    s.close()


class Rule:
    def __init__(self, name="go", rate=0, after=0):
        self.name, self.rate, self.after = name, rate, after


class Way:
    """One direction of a connection."""

    def __init__(self, source, target, rule):
        self.source, self.target = source, target
        self.data = bytearray()
        self.ended = False  # the source has
        self.done = False   # the target knows, or is gone
        self.passed = 0
        self.then = Rule()
        self.set(rule)

    def set(self, rule):
        """The rule before it holds until the fuse has burnt down."""
        self.now, self.then = self.then, rule
        self.fuse = rule.after
        self.due = 0

    def rule(self):
        return self.now if self.fuse > 0 else self.then

    def reads(self):
        name = self.rule().name
        return not (self.ended or self.done) and name in ("go", "slow") and \
            len(self.data) < BUFFER

    def may_write(self, now):
        """How many bytes."""
        rule, count = self.rule(), len(self.data)
        if self.done or rule.name not in ("go", "slow"):
            return 0
        if rule.name == "slow":
            if now < self.due:
                return 0
            count = min(count, max(1, int(rule.rate * SLICE)))
        return min(count, self.fuse) if self.fuse > 0 else count

    def read(self):
        try:
            more = self.source.recv(BUFFER)
        except BlockingIOError:
            return
        self.data += more
        self.ended = not more

    def write(self, now):
        count = self.may_write(now)
        if count == 0:
            return
        try:
            count = self.target.send(self.data[:count])
        except BlockingIOError:
            return
        rule = self.rule()
        if rule.name == "slow":
            self.due = now + max(SLICE, count / rule.rate)
        self.passed += count
        self.fuse = max(0, self.fuse - count)
        del self.data[:count]

    def end(self):
        """Whether the end of the stream, or a cut, is to be told now."""
        name = self.rule().name
        if self.done or name == "stall":
            return False
        return name in ("cut", "reset") or (self.ended and not self.data)


class Connection:
    def __init__(self, client, relay):
        self.client = client
        self.server = socket.socket(
            socket.AF_INET if isinstance(relay.to, tuple) else socket.AF_UNIX)
        for s in self.client, self.server:
            s.setblocking(False)
            if s.family == socket.AF_INET:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.gone = False
        self.failed = False  # one of its ways was cut or reset
        self.ways = [Way(self.client, self.server, relay.rules[UP]),
                     Way(self.server, self.client, relay.rules[DOWN])]
        try:
            self.server.connect(relay.to)
        except BlockingIOError:
            pass
        except OSError:
            self.abort()

    def abort(self):
        for s in self.client, self.server:
            close_hard(s)
        self.gone = True

    def set(self, which, rule):
        if self.failed and rule.name == "go":
            self.abort()
        else:
            self.ways[which].set(rule)

    def finish(self, way, other):
        """Tells the target, as the rule says."""
        name = way.rule().name
        way.done = True
        if name == "reset":
            close_hard(way.target)
            other.done = other.rule().name not in ("cut", "reset")
        else:
            way.target.shutdown(socket.SHUT_WR)
        self.failed = self.failed or name in ("cut", "reset")

    def step(self, now):
        up, down = self.ways
        try:
            for way, other in (up, down), (down, up):
                if way.reads():
                    way.read()
                way.write(now)
                if way.end():
                    self.finish(way, other)
        except OSError:  # one side is gone, and so is the other then
            self.abort()
        if not self.gone and up.done and down.done and not self.failed:
            self.abort()

    def wanted(self, now):
        """Pairs of what poll(2) is to look at."""
        for way in self.ways:
            if way.reads():
                yield way.source, select.POLLIN
            if way.may_write(now):
                yield way.target, select.POLLOUT

    def due(self, now):
        """Times at which there is something to do all the same."""
        return [way.due for way in self.ways
                if way.data and not way.done and way.due > now]


class Relay:
    def __init__(self, to):
        self.to = ("127.0.0.1", int(to)) if to.isdigit() else to
        self.rules = [Rule(), Rule()]
        self.connections = []
        self.passed = [0, 0]  # by connections that are gone
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1000)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]

    def step(self, now):
        try:
            while True:
                client = self.listener.accept()[0]
                self.connections.append(Connection(client, self))
        except OSError:
            pass  # that was all, or one that is gone already
        for connection in self.connections:
            if not connection.gone:
                connection.step(now)
        self.forget()

    def forget(self):
        for connection in self.connections:
            if connection.gone:
                for which in UP, DOWN:
                    self.passed[which] += connection.ways[which].passed
        self.connections = [c for c in self.connections if not c.gone]

    def command(self, words):
        if words == ["open"]:
            return len(self.connections)
        if words[0] == "passed":
            return sum(self.passed[which] + sum(
                c.ways[which].passed for c in self.connections)
                for which in WAYS[words[1]])
        self.set_rule(words)
        return None

    def set_rule(self, words):
        ways, name = WAYS[words[0]], words[1]
        arguments = [int(words[2 + i]) for i in range(RULES[name])]
        rest = words[2 + len(arguments):]
        after = 0
        if rest:
            _, after = rest.index("after"), int(rest[1])
        rule = Rule(name, *arguments, after=after)
        for which in ways:
            self.rules[which] = rule
            for connection in self.connections:
                if not connection.gone:
                    connection.set(which, rule)
        self.forget()


class Control:
    """One who gives commands."""

    def __init__(self, peer, relays):
        self.peer, self.relays = peer, relays
        self.text = b""
        self.gone = False

    def step(self):
        try:
            more = self.peer.recv(4096)
        except OSError:
            more = b""
        self.gone = not more
        self.text += more
        *lines, self.text = self.text.split(b"\n")
        for line in lines:
            self.answer(line.decode().split())

    def answer(self, words):
        try:
            number = self.obey(words)
            text = "ok" if number is None else f"ok {number}"
        except (Wrong, ValueError, KeyError, IndexError, OSError) as error:
            text = f"error {error!r} in {words}"
        try:
            self.peer.sendall(text.encode() + b"\n")
        except OSError:
            self.gone = True

    def obey(self, words):
        if words == ["ping"]:
            return None
        if words[0] == "relay":
            relay = Relay(words[1])
            self.relays[relay.port] = relay
            return relay.port
        if int(words[0]) not in self.relays:
            raise Wrong("no such relay")
        return self.relays[int(words[0])].command(words[1:])


def poll(listener, controls, relays):
    """Waits until there may be something to do; whose turn it is to speak."""
    now = time.monotonic()
    wanted = {listener.fileno(): select.POLLIN}
    times = []
    for control in controls:
        wanted[control.peer.fileno()] = select.POLLIN
    for relay in relays.values():
        wanted[relay.listener.fileno()] = select.POLLIN
        for connection in relay.connections:
            times += connection.due(now)
            for s, events in connection.wanted(now):
                wanted[s.fileno()] = wanted.get(s.fileno(), 0) | events
    poller = select.poll()
    for fd, events in wanted.items():
        poller.register(fd, events)
    left = None if not times else max(0, min(times) - now) * 1000
    return {fd for fd, _ in poller.poll(left)}


def serve(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(100)
    controls, relays = [], {}
    while True:
        ready = poll(listener, controls, relays)
        if listener.fileno() in ready:
            controls.append(Control(listener.accept()[0], relays))
        # What is under way first: a command takes effect behind it.
        for relay in relays.values():
            relay.step(time.monotonic())
        for control in controls:
            if control.peer.fileno() in ready:
                control.step()
            if control.gone:
                control.peer.close()
        controls = [c for c in controls if not c.gone]


if __name__ == "__main__":
    serve(sys.argv[1])
