#!/usr/bin/python3
"""`callboard top` in a terminal, of a node that answers and then hangs.

Usage: top_terminal.py [PROGRAM]; without one, CALLBOARD_PROGRAM says which.
"""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ["CALLBOARD_PROGRAM"]
SLOWNESS = float(os.environ.get("CALLBOARD_TEST_SLOWNESS", "1"))
PATIENCE_S = 10 * SLOWNESS
# `top` waits for an answer for 5 s.
AT_ONCE_S = 3 * SLOWNESS

ENTER = b"\x1b[?1049h"
LEAVE = b"\x1b[?1049l"
NUMBERS = ["uptimeMs", "loops", "residentBytes", "connecting", "connections",
           "disconnecting", "closed", "topics", "subscriptions", "outboxBytes",
           "framesIn", "framesOut", "bytesIn", "bytesOut", "publishes",
           "deliveries", "requests", "drops", "refused"]
NODE = {"name": "n1", "version": "1.2.3", "incarnation": "a",
        "draining": False, "store": "none", **dict.fromkeys(NUMBERS, 0)}


def usual_signals():
    # Whoever runs this may ignore them, which programs inherit.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Node:
    """Answers so many requests, and takes the others without a word."""

    def __init__(self, test, answers):
        self.answers = answers
        self.held = []
        self.hangs = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        test.addCleanup(self.end)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            self.held.append(peer)
            try:
                self.answer(peer)
            except OSError:  # nobody is there any more
                pass

    def answer(self, peer):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = peer.recv(4096)
            if not piece:
                return
            head += piece
        if self.answers == 0:
            self.hangs.set()
            return
        self.answers -= 1
        content = {"topics": []}
        if b"/api/node" in head:
            content = NODE
        elif b"/api/cluster" in head:
            content = {"enabled": False, "members": []}
        body = json.dumps(content).encode()
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(body), body))
        peer.close()

    def end(self):
        # Wakes who accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.held:
            peer.close()


class Top(unittest.TestCase):
    def start(self, answers):
        node = Node(self, answers)
        self.terminal, other = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        self.process = subprocess.Popen(
            [PROGRAM, "top", "--admin", node.url, "--interval", "100ms"],
            stdin=other, stdout=other, stderr=subprocess.PIPE,
            preexec_fn=usual_signals)
        os.close(other)
        self.addCleanup(self.end, self.process)
        return node

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def read(self, until):
        """Returns what is shown, up to a text or the end."""
        shown = b""
        end = time.monotonic() + PATIENCE_S
        while until not in shown:
            left = end - time.monotonic()
            self.assertGreater(left, 0, shown)
            if not select.select([self.terminal], [], [], left)[0]:
                continue
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:  # the program has ended
                break
            if not piece:
                break
            shown += piece
        return shown

    def expect_end(self, number):
        """Fails unless the signal ends it at once."""
        began = time.monotonic()
        self.process.send_signal(number)
        shown = self.read(LEAVE)
        self.assertTrue(shown.endswith(LEAVE), shown)
        code = self.process.wait(timeout=PATIENCE_S)
        self.assertLess(time.monotonic() - began, AT_ONCE_S)
        return code

    def test_signals_end_it_while_the_node_hangs(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                node = self.start(answers=3)
                self.assertIn(ENTER, self.read(b"node n1"))
                self.assertTrue(node.hangs.wait(PATIENCE_S))
                self.assertEqual(self.expect_end(number), 0)

    def test_signals_end_it_while_the_node_answers(self):
        self.start(answers=1_000_000)
        self.assertIn(ENTER, self.read(b"node n1"))
        self.assertEqual(self.expect_end(signal.SIGINT), 0)

    def test_before_the_first_answer_there_is_no_screen(self):
        node = self.start(answers=0)
        self.assertTrue(node.hangs.wait(PATIENCE_S))
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(timeout=PATIENCE_S), -signal.SIGINT)
        self.assertLess(time.monotonic() - began, AT_ONCE_S)
        self.assertEqual(self.read(ENTER), b"")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
