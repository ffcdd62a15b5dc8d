#!/usr/bin/python3
"""What a service manager hears: the datagrams of sd_notify(3).

Usage: service_notify.py [PROGRAM]; without one, CALLBOARD_PROGRAM says which.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ["CALLBOARD_PROGRAM"]
SLOWNESS = float(os.environ.get("CALLBOARD_TEST_SLOWNESS", "1"))
PATIENCE_S = 10 * SLOWNESS
# Longer than any test waits; no cluster takes a longer timeout.
FOREVER_S = min(6 * PATIENCE_S, 600)


class Manager:
    """Starts `callboard serve`, and listens to what it says."""

    def __init__(self, test, name, *, listens=True, listen="127.0.0.1:0",
                 words=()):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        test.addCleanup(self.socket.close)
        if listens:
            self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("CALLBOARD_")}
        environment["CALLBOARD_ADMIN"] = "none"
        environment["CALLBOARD_LOAD_HIGH"] = "0"
        self.log = tempfile.TemporaryFile(mode="w+")
        test.addCleanup(self.log.close)
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", listen, *words],
            env={**environment, "NOTIFY_SOCKET": name},
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        test.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def hear(self):
        """Returns the next message as {name: value}."""
        lines = self.socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=2 * PATIENCE_S)
        return self.process.returncode


def status_of(url):
    """Returns the status of the answer to a GET."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def to_join(seed, timeout_s):
    """Returns the words for a node that has another one to join."""
    host, port = seed.getsockname()
    return ["--cluster-listen", "127.0.0.1:0", "--join", f"{host}:{port}",
            "--cluster-timeout", f"{int(timeout_s * 1000)}ms"]


class ServiceNotify(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def expect_all_steps(self, manager):
        ready = manager.hear()
        self.assertEqual(ready["READY"], "1", manager.said())
        # Who hears that can connect at once.
        url = re.fullmatch(r"listening on (http://\S+/)", ready["STATUS"])[1]
        with urllib.request.urlopen(url + "health", timeout=PATIENCE_S) as answer:
            self.assertEqual(answer.status, 200)
        self.assertEqual(manager.stop(), 0, manager.said())
        self.assertEqual(manager.hear(), {"STOPPING": "1"})

    def expect_no_more(self, manager):
        manager.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            manager.hear()

    def test_path(self):
        manager = Manager(self, self.folder + "/notify")
        self.expect_all_steps(manager)
        self.expect_no_more(manager)

    def test_abstract_name(self):
        manager = Manager(self, "@" + self.folder)
        self.expect_all_steps(manager)
        self.expect_no_more(manager)

    def test_reload(self):
        manager = Manager(self, self.folder + "/notify")
        status = manager.hear()["STATUS"]
        before_us = time.monotonic_ns() // 1000
        manager.process.send_signal(signal.SIGHUP)
        reloading = manager.hear()
        self.assertEqual(reloading["RELOADING"], "1")
        self.assertLessEqual(before_us, int(reloading["MONOTONIC_USEC"]))
        self.assertLessEqual(int(reloading["MONOTONIC_USEC"]),
                             time.monotonic_ns() // 1000)
        self.assertEqual(manager.hear(), {"READY": "1", "STATUS": status})
        self.assertEqual(manager.stop(), 0, manager.said())
        self.assertEqual(manager.hear(), {"STOPPING": "1"})

    def seed(self):
        result = socket.socket()
        self.addCleanup(result.close)
        result.bind(("127.0.0.1", 0))
        return result

    def test_a_node_that_joins_others_is_ready_when_it_takes_clients(self):
        # Somebody is there, and says nothing.
        seed = self.seed()
        seed.listen()
        timeout_s = 4 * SLOWNESS
        manager = Manager(self, self.folder + "/notify",
                          words=to_join(seed, timeout_s))
        asks = manager.hear()
        self.assertEqual(asks, {"STATUS": "joining the cluster",
                                "EXTEND_TIMEOUT_USEC":
                                    str(int(2 * timeout_s * 1e6))},
                         manager.said())
        url = re.fullmatch(r"listening on (http://\S+/)\n",
                           manager.process.stdout.readline())[1]
        self.assertEqual(status_of(url + "ready"), 503)
        # This says nothing to who is told that it has yet to start.
        manager.process.send_signal(signal.SIGHUP)
        self.assertEqual(manager.hear(), {"READY": "1",
                                          "STATUS": "listening on " + url})
        self.assertEqual(status_of(url + "ready"), 200)
        self.assertEqual(manager.stop(), 0, manager.said())
        self.assertEqual(manager.hear(), {"STOPPING": "1"})

    def test_a_node_that_finds_nobody_is_ready_at_once(self):
        # Bound, so that nobody else is there, and refused.
        manager = Manager(self, self.folder + "/notify",
                          words=to_join(self.seed(), FOREVER_S))
        ready = manager.hear()
        if "READY" not in ready:
            ready = manager.hear()
        self.assertEqual(ready["READY"], "1", manager.said())
        self.assertEqual(manager.stop(), 0, manager.said())

    def test_a_node_that_ends_before_it_is_ready_says_so(self):
        seed = self.seed()
        seed.listen()
        manager = Manager(self, self.folder + "/notify",
                          words=to_join(seed, FOREVER_S))
        manager.hear()
        self.assertEqual(manager.stop(), 0, manager.said())
        self.assertEqual(manager.hear(), {"STOPPING": "1"})
        self.expect_no_more(manager)

    def test_nobody_listens(self):
        manager = Manager(self, self.folder + "/nobody", listens=False)
        line = manager.process.stdout.readline()
        self.assertIn("listening on http://", line, manager.said())
        self.assertEqual(manager.stop(), 0, manager.said())
        self.assertIn("the service manager cannot be told", manager.said())

    def test_who_cannot_start_says_nothing(self):
        first = Manager(self, self.folder + "/first")
        port = first.hear()["STATUS"].rstrip("/").rpartition(":")[2]
        second = Manager(self, self.folder + "/second",
                         listen=f"127.0.0.1:{port}")
        second.process.communicate(timeout=PATIENCE_S)
        self.assertEqual(second.process.returncode, 1, second.said())
        self.expect_no_more(second)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
