# servers_control.py - what the program that servers.py runs may do to its servers.
#
# By the unix socket SERVERS_CONTROL it gives commands, a line each, and each is
# answered by the line "ok" or "error WHY":
#
#   kill SERVER    it is no more (-9), when that is answered
#   start SERVER   again, where it was and with the data that it had; answered
#                  when it is ready
#   freeze SERVER  it does nothing (SIGSTOP); the kernel accepts for it
#   thaw SERVER    it goes on
#
# tests/faults.h has the client's side for programs in C.
#
# SPDX-License-Identifier: MIT
import os
import select
import socket


class Control:
    """The socket at path, and the servers by their names."""

    def __init__(self, path, servers):
        self.servers = servers
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.peers = {}  # by descriptor

    def serve_until_end(self, process):
        with select.epoll() as epoll:
            end = os.pidfd_open(process.pid)
            epoll.register(end, select.EPOLLIN)
            epoll.register(self.listener, select.EPOLLIN)
            while True:
                ready = {fd for fd, _ in epoll.poll()}
                if end in ready:
                    os.close(end)
                    return process.wait()
                for fd in ready:
                    if fd == self.listener.fileno():
                        peer = self.listener.accept()[0]
                        self.peers[peer.fileno()] = peer
                        epoll.register(peer, select.EPOLLIN)
                    else:
                        self.obey(self.peers[fd])

    def obey(self, peer):
        """One line: who gives commands waits for each answer."""
        try:
            line, answer = peer.recv(4096).decode(), "ok"
        except OSError:
            line = ""
        if not line:
            del self.peers[peer.fileno()]
            peer.close()
            return
        try:
            verb, name = line.split()
            self.servers[name].control(verb)
        except (ValueError, KeyError, RuntimeError) as error:
            answer = f"error {error!r}".replace("\n", " ")
        try:
            peer.sendall(answer.encode() + b"\n")
        except OSError:
            pass  # who asked is gone
