# servers.py - starts servers that are this run's own, then a program that uses
# them.
#
#   servers.py SERVER... -- PROGRAM [ARGUMENT...]
#
# A server (mysql, mariadb, redis, nginx, postgres, relay) runs in a new folder,
# as a user of its own when root starts it, on a port that the kernel picked.
# The program finds the addresses in its environment (see each class).  Whatever
# becomes of the program or of this process, the servers end with it: the kernel
# kills them when their parent is gone, and a process that waits for the same
# removes the folder.  Exits as the program does; 77 when a server is not
# installed.
#
# The program may kill them and start them again, see servers_control.py; and set
# relays between them and itself that fail, see relay.py.
#
# SPDX-License-Identifier: MIT
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from servers_control import Control

LIMIT = 60  # seconds that a server may take to start
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Missing(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(family, address, question, answer):
    """Whether a server there says answer to question."""
    try:
        with socket.socket(family) as s:
            s.settimeout(LIMIT)
            s.connect(address)
            s.sendall(question)
            return answer in s.recv(4096)
    except OSError:
        return False


class Server:
    """What the kinds have in common; theirs are program, users, log,
    command(), ready() and environment()."""

    end = signal.SIGKILL
    arguments = None  # what it was started with

    def __init__(self, top):
        self.folder = os.path.join(top, type(self).__name__.lower())
        self.user = self.find_user()
        os.mkdir(self.folder)
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.process = None

    def find_user(self):
        """The one that its package made, if it made one."""
        if os.getuid() != 0:
            return None
        for name in self.users, "nobody":
            try:
                return pwd.getpwnam(name)
            except KeyError:
                pass
        raise Missing("a user that servers can run as")

    @classmethod
    def find_program(cls, name=None):
        path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
        found = shutil.which(name or cls.program, path=path)
        if not found:
            raise Missing(name or cls.program)
        return found

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content, mode=0o644):
        """A file of the server's own."""
        with open(self.path(name), "wb") as f:
            f.write(content)
        os.chmod(self.path(name), mode)
        if self.user:
            os.chown(self.path(name), self.user.pw_uid, self.user.pw_gid)
        return self.path(name)

    def certify(self):
        """Makes cert.pem and key.pem, for localhost."""
        subprocess.run(
            [self.find_program("openssl"), "req", "-x509", "-nodes", "-days",
             "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
             self.path("key.pem"), "-out", self.path("cert.pem")],
            check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.user:
            os.chown(self.path("key.pem"), self.user.pw_uid, self.user.pw_gid)

    def certify_late(self):
        """Makes old.pem and old_key.pem, the same but long over."""
        self.write("ca.conf", b"""
            [ca]
            default_ca = here
            [here]
            database = ca.index
            new_certs_dir = .
            rand_serial = yes
            default_md = sha256
            policy = any
            copy_extensions = copyall
            [any]
            commonName = supplied
            """)
        self.write("ca.index", b"")
        for command in (
                ["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                 "-addext", "basicConstraints=CA:TRUE", "-keyout",
                 "old_key.pem", "-out", "old.csr"],
                ["ca", "-batch", "-config", "ca.conf", "-selfsign", "-in",
                 "old.csr", "-keyfile", "old_key.pem", "-startdate",
                 "20200101000000Z", "-enddate", "20200102000000Z", "-notext",
                 "-out", "old.pem"]):
            subprocess.run(
                [self.find_program("openssl"), *command], cwd=self.folder,
                check=True, stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def become_server(self):
        """In the new process.  Last the death signal: a change of the user
        would undo it."""
        if self.user:
            os.setgroups([self.user.pw_gid])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)
        LIBC.prctl(PR_SET_PDEATHSIG, int(self.end))

    def spawn(self, *command):
        with open(self.path("log"), "ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, env={
                    "PATH": os.environ["PATH"], "HOME": self.folder},
                preexec_fn=self.become_server)

    def start(self):
        """Ports can be lost between the pick and the server's bind: then
        others."""
        limit = time.monotonic() + LIMIT
        for _ in range(5):
            self.arguments = self.command()
            if self.runs(limit):
                return self
        self.complain()

    def runs(self, limit):
        """Starts it as arguments say; whether it is ready before limit."""
        self.process = self.spawn(*self.arguments)
        while self.process.poll() is None and time.monotonic() < limit:
            if self.ready():
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def complain(self):
        with open(self.path("log"), errors="replace") as log:
            raise RuntimeError(f"{self.program} does not start:\n{log.read()}")

    def start_again(self):
        """As it was started before.  Somebody else may have its port for a
        moment."""
        limit = time.monotonic() + LIMIT
        while not self.runs(limit):
            if time.monotonic() > limit:
                self.complain()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self, sig=None):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig or self.end)
            self.process.wait()

    def control(self, verb):
        """A command of the program's."""
        if verb == "start":
            self.start_again()
        elif verb == "kill":
            self.stop(signal.SIGKILL)
        else:
            self.process.send_signal(
                {"freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}[verb])
        if verb == "freeze":  # its threads stop one after the other
            os.waitid(os.P_PID, self.process.pid,
                      os.WSTOPPED | os.WEXITED | os.WNOWAIT)


class Mysql(Server):
    """MYSQL_SOCKET, MYSQL_PORT, MYSQL_CERT; anyone may do everything."""

    program = "mariadbd"
    users = "mysql"

    def command(self):
        """Without grant tables and InnoDB an empty folder is enough."""
        self.port = free_port()
        self.certify()
        return [
            self.find_program(), "--no-defaults", "--datadir=.",
            "--tmpdir=" + self.folder, "--socket=" + self.path("socket"),
            "--pid-file=" + self.path("pid"), "--skip-grant-tables",
            "--skip-networking=0", "--bind-address=127.0.0.1",
            f"--port={self.port}", "--skip-name-resolve", "--innodb=OFF",
            "--default-storage-engine=Aria", "--ssl-cert=cert.pem",
            "--ssl-key=key.pem"]

    def ready(self):
        return answers(socket.AF_UNIX, self.path("socket"), b"", b"MariaDB")

    def environment(self):
        return {"MYSQL_PORT": str(self.port),
                "MYSQL_SOCKET": self.path("socket"),
                "MYSQL_CERT": self.path("cert.pem")}


class Mariadb(Mysql):
    """As Mysql; with users, of whom root is without a password and "me" has
    "pass word" for the database "test" alone, with InnoDB, and with another
    certificate that is long over, old.pem."""

    SIZES = ["--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M"]
    FIRST = b"""create database mysql;
use mysql;
set @auth_root_socket=NULL;
set @skip_auth_anonymous=1;
"""
    LAST = b"""
create database test;
flush privileges;
create user me@'%' identified by 'pass word';
grant all on test.* to me@'%';
grant process on *.* to me@'%';
"""

    def command(self):
        if not os.path.exists(self.path("data")):
            self.install()
            self.certify_late()
        self.port = free_port()
        self.certify()
        return [
            self.find_program(), "--no-defaults",
            "--datadir=" + self.path("data"),
            "--tmpdir=" + self.folder, "--socket=" + self.path("socket"),
            "--pid-file=" + self.path("pid"), "--bind-address=127.0.0.1",
            f"--port={self.port}", "--skip-name-resolve", *self.SIZES,
            "--innodb-flush-log-at-trx-commit=0", "--max-connections=100",
            f"--connect-timeout={LIMIT}",
            f"--ssl-cert={self.path('cert.pem')}",
            f"--ssl-key={self.path('key.pem')}"]

    def install(self):
        """As mariadb-install-db does, which needs more packages."""
        tables = self.FIRST
        for part in "mysql_system_tables", "mysql_system_tables_data":
            with open(f"/usr/share/mysql/{part}.sql", "rb") as f:
                tables += f.read()
        os.mkdir(self.path("data"))
        if self.user:
            os.chown(self.path("data"), self.user.pw_uid, self.user.pw_gid)
        done = subprocess.run(
            [self.find_program(), "--no-defaults", "--bootstrap",
             "--datadir=" + self.path("data"), *self.SIZES], cwd=self.folder,
            input=tables + self.LAST, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=self.become_server)
        if done.returncode != 0:
            raise RuntimeError(done.stdout.decode())


class Redis(Server):
    """REDIS_SOCKET, REDIS_PORT."""

    program = "redis-server"
    users = "redis"

    def command(self):
        self.port = free_port()
        return [self.find_program(), "--port", str(self.port), "--bind",
                "127.0.0.1", "--unixsocket", self.path("socket"),
                "--unixsocketperm", "666", "--save", "", "--appendonly", "no",
                "--dir", self.folder]

    def ready(self):
        return answers(socket.AF_UNIX, self.path("socket"), b"PING\r\n",
                       b"+PONG")

    def environment(self):
        return {"REDIS_PORT": str(self.port),
                "REDIS_SOCKET": self.path("socket")}


class Nginx(Server):
    """HTTP_PORT, HTTPS_PORT, HTTPS_CERT.  /small is a line, /large is 1 MiB,
    /slow 150,000 bytes that take a second."""

    program = "nginx"
    users = "www-data"

    def command(self):
        self.port, self.tls_port = free_port(), free_port()
        self.certify()
        self.write("small", b"a line\n")
        self.write("large", bytes(i * i >> 8 & 255 for i in range(65536)) * 16)
        self.write("slow", b"150,000 bytes.\n" * 10000)
        temporary = " ".join(
            f"{kind}_temp_path {self.folder};" for kind in
            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.write("conf", f"""
            daemon off; master_process off; pid pid; error_log stderr;
            events {{ worker_connections 1000; }}
            http {{ access_log off; {temporary} server {{
                listen 127.0.0.1:{self.port} backlog=1000;
                listen 127.0.0.1:{self.tls_port} ssl backlog=1000;
                ssl_certificate cert.pem; ssl_certificate_key key.pem;
                root {self.folder};
                location = /slow {{ limit_rate 100000; }} }} }}
            """.encode())
        return [self.find_program(), "-p", self.folder, "-e", "stderr", "-c",
                "conf"]

    def ready(self):
        return answers(socket.AF_INET, ("127.0.0.1", self.port),
                       b"GET /small HTTP/1.0\r\n\r\n", b"200 OK")

    def environment(self):
        return {"HTTP_PORT": str(self.port), "HTTPS_PORT": str(self.tls_port),
                "HTTPS_CERT": self.path("cert.pem")}


class Postgres(Server):
    """PQ_SOCKET (its folder), PQ_PORT; the user and database are "test"."""

    program = "postgres"
    users = "postgres"
    end = signal.SIGQUIT  # the one upon which it takes its children along

    @classmethod
    def find_program(cls, name=None):
        """Debian keeps it off the PATH, one of each version."""
        top = "/usr/lib/postgresql"
        versions = os.listdir(top) if os.path.isdir(top) else []
        for version in sorted(versions, key=float, reverse=True):
            found = os.path.join(top, version, "bin", name or cls.program)
            if os.access(found, os.X_OK):
                return found
        return super().find_program(name)

    def command(self):
        self.port = free_port()
        if not os.path.exists(self.path("data")):
            made = self.spawn(
                self.find_program("initdb"), "-D", "data", "-U", "test",
                "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8",
                "--no-instructions")
            if made.wait() != 0:
                return ["/bin/false"]  # what it said stands in the log
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder, "fsync": "off",
            "shared_buffers": "1MB", "autovacuum": "off",
            "wal_level": "minimal", "max_wal_senders": 0,
            "dynamic_shared_memory_type": "mmap"}
        return [self.find_program(), "-D", "data",
                *(f"--{name}={value}" for name, value in options.items())]

    def ready(self):
        try:
            with open(self.path("data/postmaster.pid")) as f:
                return f.read().split("\n")[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def environment(self):
        return {"PQ_PORT": str(self.port), "PQ_SOCKET": self.folder}


class Relay(Server):
    """RELAY, the socket by which relay.py takes commands."""

    program = "relay.py"

    def find_user(self):
        """Ours: no other one may need to be able to read the program."""
        return None

    @classmethod
    def find_program(cls, name=None):
        here = os.path.dirname(os.path.abspath(__file__))
        return os.path.join(here, name or cls.program)

    def command(self):
        return [sys.executable, self.find_program(), self.path("socket")]

    def ready(self):
        return answers(socket.AF_UNIX, self.path("socket"), b"ping\n", b"ok")

    def environment(self):
        return {"RELAY": self.path("socket")}


KINDS = {kind.__name__.lower(): kind
         for kind in (Mysql, Mariadb, Redis, Nginx, Postgres, Relay)}


class Folder:
    """A temporary folder that is gone afterwards even if this process is
    killed: a process outside its tree, which signals to the tree do not reach,
    sees the end of a pipe then."""

    def __enter__(self):
        self.name = tempfile.mkdtemp(prefix="corten-servers-")
        os.chmod(self.name, 0o755)
        end, self.held = os.pipe()
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                self.watch(end)
            os._exit(0)
        os.waitpid(child, 0)
        os.close(end)
        return self.name

    def watch(self, end):
        os.setsid()
        os.close(self.held)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in 0, 1, 2:
            os.dup2(null, fd)
        os.read(end, 1)
        for _ in range(100):  # while dying servers still write there
            shutil.rmtree(self.name, ignore_errors=True)
            if not os.path.exists(self.name):
                break
            time.sleep(0.05)
        os._exit(0)

    def __exit__(self, *error):
        shutil.rmtree(self.name, ignore_errors=True)
        os.close(self.held)


def run(names, command):
    servers = {}
    with Folder() as folder:
        try:
            path = os.path.join(folder, "control")
            environment = dict(os.environ, SERVERS=folder,
                               SERVERS_CONTROL=path)
            control = Control(path, servers)
            for name in names:
                servers[name] = KINDS[name](folder).start()
                environment.update(servers[name].environment())
            return control.serve_until_end(subprocess.Popen(
                command, env=environment, preexec_fn=lambda: LIBC.prctl(
                    PR_SET_PDEATHSIG, int(signal.SIGKILL))))
        finally:
            for server in servers.values():
                server.stop()


def main():
    at = sys.argv.index("--")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        status = run(sys.argv[1:at], sys.argv[at + 1:])
    except Missing as missing:
        print(f"skipped: there is no {missing}")
        return 77
    if status < 0:
        print(f"{sys.argv[at + 1]}: {signal.Signals(-status).name}",
              file=sys.stderr)
        return 128 - status
    return status


if __name__ == "__main__":
    sys.exit(main())
