"""The servers that are compared, and how each is started and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 15
# Debian puts servers where not everybody looks.
PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin",
                            "/usr/sbin"))
HERE = os.path.dirname(os.path.abspath(__file__))


class Contender:
    """A server, started anew for each sample.

    `command` is the argument vector, in which {port} stands for the port and
    {folder} for an empty folder of its own. `files` are written there first,
    by their names; the same stands for the same in them. `dialect` is what
    `bench_load` calls what it speaks; without one that is callboard's protocol.
    An `encrypted` one finds a certificate and its key in `cert.pem` and
    `key.pem` of its folder.
    """

    def __init__(self, name, command, needs=(), files=None, dialect=None,
                 encrypted=False):
        self.name = name
        self.command = command
        self.needs = needs
        self.files = files or {}
        self.dialect = dialect
        self.encrypted = encrypted

    def program(self):
        return shutil.which(self.command[0], path=PROGRAMS)

    def lacks(self):
        """Returns the first thing that it needs and that is not there."""
        if not self.program():
            return self.command[0]
        return next((path for path in self.needs
                     if not os.path.exists(path)), None)


MOSQUITTO_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
log_dest none
"""

# One process: neither a master beside the worker nor a daemon.
NGINX_CONF = """\
load_module {nchan};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {
  worker_connections 16384;
}
http {
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  nchan_max_reserved_memory 256M;
  nchan_message_buffer_length 8192;
  nchan_message_timeout 10s;
  server {
    listen 127.0.0.1:{port} backlog=4096;
    location ~ ^/topic/(.+)$ {
      nchan_pubsub websocket;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }
    location ~ ^/publish/(.+)$ {
      nchan_publisher websocket;
      nchan_channel_id $1;
    }
  }
}
"""


def foreign_contenders():
    """Returns the servers that speak something else."""
    nchan = next((path for path in (
        "/usr/lib/nginx/modules/ngx_nchan_module.so",
        "/usr/lib64/nginx/modules/ngx_nchan_module.so")
                  if os.path.exists(path)), "ngx_nchan_module.so")
    return [
        Contender("nats-server", [
            "nats-server", "--addr", "127.0.0.1", "--port", "{port}",
            "--log", "{folder}/log"], dialect="nats"),
        Contender("mosquitto", ["mosquitto", "-c", "{folder}/mosquitto.conf"],
                  files={"mosquitto.conf": MOSQUITTO_CONF}, dialect="mqtt"),
        Contender("nchan", ["nginx", "-p", "{folder}", "-c",
                            "{folder}/nginx.conf"], (nchan,),
                  {"nginx.conf": NGINX_CONF.replace("{nchan}", nchan)},
                  "nchan"),
        Contender("socket.io", ["node", os.path.join(HERE, "socketio.mjs"),
                                "{port}"],
                  (os.path.join(HERE, "node_modules", "socket.io"),),
                  dialect="socketio"),
    ]


def all_contenders(build, server):
    """Returns the contenders, the reference ones first."""
    modules = os.path.join(os.path.dirname(HERE), "e2e", "node_modules")
    baselines = os.path.join(build, "tests", "bench")
    bare = [os.path.join(baselines, "bench_bare"), "--port", "{port}"]

    beast = [os.path.join(baselines, "bench_beast"), "--port", "{port}"]
    files = ["{folder}/cert.pem", "{folder}/key.pem"]

    def callboard(name, loops, *more, encrypted=False):
        return Contender(name, [
            server, "serve", "--listen", "127.0.0.1:{port}", "--admin", "none",
            "--loops", str(loops), "--echo", "/echo", "--log-level", "warn", *more],
            encrypted=encrypted)

    return [
        Contender("bare", bare),
        Contender("bare-coalescing", bare + ["--coalesce"]),
        Contender("beast", beast),
        Contender("beast-tls", beast + ["--tls", *files], ("/usr/bin/openssl",),
                  encrypted=True),
        Contender("ws", ["node", os.path.join(HERE, "ws.mjs"), "{port}"],
                  (os.path.join(modules, "ws"),
                   os.path.join(modules, "@msgpack", "msgpack"))),
        *foreign_contenders(),
        callboard("callboard", 1),
        callboard("callboard-2-loops", 2),
        callboard("callboard-tls", 1, "--tls-cert", files[0], "--tls-key",
                  files[1], encrypted=True),
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(command, cores):
    """Returns the command so that it runs on these cores alone."""
    return ["taskset", "-c", ",".join(map(str, cores))] + command


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=localhost", "-days", "2", "-keyout", "key.pem",
                    "-out", "cert.pem"], cwd=folder, check=True,
                   capture_output=True)


class Running:
    """A started contender; use it in a `with` statement."""

    def __init__(self, contender, cores):
        self.contender = contender
        self.cores = cores
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="callboard-bench-")
        self.process = None

    def filled(self, text):
        return text.replace("{port}", str(self.port)).replace(
            "{folder}", self.folder.name)

    def __enter__(self):
        try:
            for name, text in self.contender.files.items():
                path = os.path.join(self.folder.name, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(self.filled(text))
            if self.contender.encrypted:
                make_certificate(self.folder.name)
            command = [self.contender.program(), *map(
                self.filled, self.contender.command[1:])]
            self.process = subprocess.Popen(
                pinned(command, self.cores), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.await_port()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def await_port(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            if self.process.poll() is not None:
                text = self.process.stderr.read().decode(errors="replace")
                raise RuntimeError(
                    f"{self.contender.name} ended with "
                    f"{self.process.returncode}: {text.strip()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{self.contender.name} does not listen") from None
                time.sleep(0.02)

    def stop(self):
        if self.process:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            self.process.stderr.close()
        self.folder.cleanup()
