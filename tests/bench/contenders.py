"""The servers that are compared, and how each is started and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 15


class Contender:
    """A server that speaks the protocol, started anew for each sample.

    `command` is the argument vector, in which {port} stands for the port.
    """

    def __init__(self, name, command, needs=()):
        self.name = name
        self.command = command
        self.needs = needs

    def lacks(self):
        """Returns the first thing that it needs and that is not there."""
        if not shutil.which(self.command[0]):
            return self.command[0]
        return next((path for path in self.needs
                     if not os.path.exists(path)), None)


def all_contenders(build, server):
    """Returns the contenders, the reference ones first."""
    here = os.path.dirname(os.path.abspath(__file__))
    modules = os.path.join(os.path.dirname(here), "e2e", "node_modules")
    baselines = os.path.join(build, "tests", "bench")
    bare = [os.path.join(baselines, "bench_bare"), "--port", "{port}"]

    def callboard(name, loops):
        return Contender(name, [
            server, "serve", "--listen", "127.0.0.1:{port}", "--loops",
            str(loops), "--echo", "/echo", "--log-level", "warn"])

    return [
        Contender("bare", bare),
        Contender("bare-coalescing", bare + ["--coalesce"]),
        Contender("beast", [os.path.join(baselines, "bench_beast"),
                            "--port", "{port}"]),
        Contender("ws", ["node", os.path.join(here, "ws.mjs"), "{port}"],
                  (os.path.join(modules, "ws"),
                   os.path.join(modules, "@msgpack", "msgpack"))),
        callboard("callboard", 1),
        callboard("callboard-2-loops", 2),
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(command, cores):
    """Returns the command so that it runs on these cores alone."""
    return ["taskset", "-c", ",".join(map(str, cores))] + command


class Running:
    """A started contender; use it in a `with` statement."""

    def __init__(self, contender, cores):
        self.contender = contender
        self.cores = cores
        self.port = free_port()
        self.process = None

    def __enter__(self):
        command = [word.format(port=self.port)
                   for word in self.contender.command]
        self.process = subprocess.Popen(
            pinned(command, self.cores), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
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
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()
