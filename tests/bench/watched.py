"""What can be seen of a node from outside while it is under load."""

import json
import re
import subprocess
import threading
import time
import urllib.request

import contenders

SECONDS_MORE_MAX = 60
# A name with its labels, a value and, in milliseconds, when that was.
METRIC = re.compile(r'([^\s{]+(?:\{.*\})?) (\S+)(?: -?\d+)?')


def metrics(port):
    """Returns the node's metrics: {'name{label="value"}': sum over loops}."""
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=20) as answer:
        return parsed_metrics(answer.read().decode())


def parsed_metrics(text):
    found = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = METRIC.fullmatch(line)
        if not match:
            raise RuntimeError(f"'{line}' is no metric")
        name = re.sub(r'\bloop="\d+",?', "", match[1]).replace(",}", "}")
        name = name.removesuffix("{}")
        found[name] = found.get(name, 0) + float(match[2])
    return found


def grown(before, after, pattern):
    """Returns the counters that have grown and match: {name: by how much}."""
    return {name: value - before.get(name, 0)
            for name, value in sorted(after.items())
            if re.search(pattern, name) and value > before.get(name, 0)}


def anonymous_bytes(pid):
    """Returns a process's resident memory, exactly, without pages of files: a
    part of the program that is used for the first time is no growth."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
    raise OSError(f"process {pid} has no resident memory")


class Memory:
    """Looks at a process's resident memory while in a `with` statement."""

    def __init__(self, pid, every_s):
        self.pid = pid
        self.every_s = every_s
        self.samples = []
        self.problem = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _run(self):
        try:
            while not self.ended.wait(self.every_s):
                self.samples.append((time.time(), anonymous_bytes(self.pid)))
        except OSError as problem:
            self.problem = problem

    def during(self, report):
        """Returns what was seen in the measured time of a load's report.

        Raises RuntimeError if that is nothing, or not all that there was.
        """
        until = report["measured_until"]
        first = until - report["elapsed_s"]
        found = [size for at, size in self.samples if first <= at <= until]
        if self.problem or not found:
            raise RuntimeError("memory was not seen while it was measured: "
                               f"{self.problem or 'nobody looked'}")
        return found


class Load:
    """`callboard bench`, running."""

    def __init__(self, program, url, words, cores):
        mode, *rest = words
        self.process = subprocess.Popen(
            contenders.pinned([program, "bench", mode, url, "--json", "--quiet",
                               *map(str, rest)], cores),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def running(self):
        return self.process.poll() is None

    def stop(self):
        if self.running():
            self.process.kill()
        self.process.communicate()

    def report(self, seconds):
        """Waits for its end, `seconds` and some more. Returns its report."""
        out, problem = self.process.communicate(
            timeout=seconds + SECONDS_MORE_MAX)
        try:
            found = json.loads(out)
        except ValueError:
            raise RuntimeError("the load generator ended with "
                               f"{self.process.returncode}: {problem.strip()}"
                               ) from None
        if "failure" in found:
            raise RuntimeError(found["failure"])
        return found
