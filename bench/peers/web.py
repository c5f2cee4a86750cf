#!/usr/bin/python3
# web.py - starts a web server as a contender: becomes the one whose name it is
# called by, in a temporary folder, on a port of the kernel's choice.
#
#   nginx http ADDRESS          likewise lighttpd, h2o
#   nginx files ADDRESS FOLDER  serves the files there, in full packets; or, as
#   nginx parts ADDRESS FOLDER  each head in one of its own
#
# One worker, no access log, connections that may ask as often as they like, and
# the cheapest answer that the server can give: of as many bytes as the others',
# for two paths, /greet/corten and what `load --same` asks for, with no parameter
# to look for.  The folder goes with the server.  Files are served as the manual
# says it is fastest.
#
# SPDX-License-Identifier: MIT
import os
import shutil
import socket
import sys
import tempfile
import time

START = 10  # seconds
NAME = "A" * 16

NGINX_BEGIN = """
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 19000; multi_accept on; }
http {
    access_log off;
    server_tokens off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path tmp;
    proxy_temp_path tmp;
    fastcgi_temp_path tmp;
    uwsgi_temp_path tmp;
    scgi_temp_path tmp;
"""
NGINX = NGINX_BEGIN + """
    server {
        listen 127.0.0.1:@PORT@ backlog=4096;
        location = /greet/@NAME@ {
            default_type "text/plain; charset=utf-8";
            return 200 "hello, @NAME@\\n";
        }
        location /greet/ {
            default_type "text/plain; charset=utf-8";
            return 200 "hello, corten\\n";
        }
    }
}
"""
NGINX_FILES = NGINX_BEGIN + """
    sendfile on;
    tcp_nopush @NOPUSH@;
    open_file_cache max=10000;
    types { }
    default_type application/octet-stream;
    server {
        listen 127.0.0.1:@PORT@ backlog=4096;
        root @FILES@;
    }
}
"""
LIGHTTPD = """
server.document-root = "@FOLDER@"
server.bind = "127.0.0.1"
server.port = @PORT@
server.listen-backlog = 4096
server.max-fds = 20000
server.max-connections = 10000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.tag = ""
server.network-backend = "writev"
mimetype.assign = ("" => "text/plain; charset=utf-8")
static-file.etags = "disable"
"""
H2O = """
num-threads: 1
max-connections: 19000
http1-request-timeout: 600
access-log: /dev/null
error-log: /dev/null
server-name: ""
listen: { host: 127.0.0.1, port: @PORT@ }
hosts:
  default:
    paths:
      /: { file.dir: "@FOLDER@", file.etag: OFF,
           file.mime.setdefaulttype: "text/plain; charset=utf-8" }
"""
KINDS = {
    "nginx": (NGINX, ["/usr/sbin/nginx", "-p", "@FOLDER@", "-e", "stderr",
                      "-c", "@FOLDER@/conf"]),
    "lighttpd": (LIGHTTPD, ["/usr/sbin/lighttpd", "-D", "-f", "@FOLDER@/conf"]),
    "h2o": (H2O, ["/usr/bin/h2o", "-c", "@FOLDER@/conf"]),
}


def refuse(name, status, why):
    print(f"{name}: {why}", file=sys.stderr)
    sys.exit(status)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def announce(port):
    """Says where, once somebody listens there."""
    limit = time.monotonic() + START
    while time.monotonic() < limit:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
            continue
        print(f"listening on 127.0.0.1:{port}", flush=True)
        return


def watch(folder, end):
    """Removes the folder when the server has gone, however it went."""
    os.setsid()
    for fd in 0, 1, 2:
        os.close(fd)
    os.read(end, 1)
    shutil.rmtree(folder, ignore_errors=True)


def main():
    name = os.path.basename(sys.argv[0])
    words = sys.argv[1:]
    if name not in KINDS or len(words) < 2:
        refuse(name, 2, f"usage: {'|'.join(KINDS)} http ADDRESS, "
               "nginx files ADDRESS FOLDER")
    files = words[2] if words[0] in ("files", "parts") and len(words) > 2 else ""
    if words[0] != "http" and not (files and name == "nginx"):
        refuse(name, 3, f"it speaks no {words[0]}")
    if any(option in words for option in ("--compute", "--block")):
        refuse(name, 3, "it runs no handler of ours")
    conf, command = KINDS[name]
    conf = NGINX_FILES if files else conf
    port = int(words[1].rpartition(":")[2]) or free_port()
    folder = tempfile.mkdtemp(prefix=f"corten-{name}-")
    os.chmod(folder, 0o755)
    os.mkdir(f"{folder}/greet")
    for who in "corten", NAME:
        write(f"{folder}/greet/{who}", f"hello, {who}\n")
    fill = {"@PORT@": str(port), "@FOLDER@": folder, "@NAME@": NAME,
            "@FILES@": files,
            "@NOPUSH@": "on" if words[0] == "files" else "off"}
    for key, value in fill.items():
        conf = conf.replace(key, value)
        command = [word.replace(key, value) for word in command]
    write(f"{folder}/conf", conf)
    end, held = os.pipe()
    os.set_inheritable(held, True)  # the server's: closed when it ends
    if os.fork() == 0:
        os.close(held)
        announce(port)
        if os.fork() == 0:
            watch(folder, end)
        os._exit(0)
    os.close(end)
    sys.stdout.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.execv(command[0], command)


main()
