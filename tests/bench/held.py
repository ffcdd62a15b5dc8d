"""Holds a process to a share of a core, the way a container's quota does.

A control group would do it, but needs rights that a plain user, and most
containers, do not have. So it is done with signals: in each 10 ms the process
may use its share of CPU time, and is stopped for the rest of them once it has.
One that has little to do is never stopped.
"""

import os
import signal
import threading
import time

import machine

PERIOD_S = 0.01
# How often it is looked at what the process has used.
LOOK_S = 0.0005


class Held:
    """Holds a process while in a `with` statement."""

    def __init__(self, pid, share, core):
        self.pid = pid
        self.share = share
        self.core = core
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.began = self.used_before = 0

    def __enter__(self):
        self.began = time.monotonic()
        self.used_before = machine.process_cpu_seconds(self.pid)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def used(self):
        """Returns the share of a core that it has used so far."""
        return ((machine.process_cpu_seconds(self.pid) - self.used_before)
                / (time.monotonic() - self.began))

    def _run(self):
        prefer_this_thread(self.core)
        owed = 0
        try:
            while not self.ended.is_set():
                owed = self._hold_once(owed)
        except OSError:
            pass  # It has ended.
        finally:
            self._signal(signal.SIGCONT)

    def _hold_once(self, owed):
        """Holds it for a period. Returns what it used beyond its share."""
        allowed = PERIOD_S * self.share
        end = time.monotonic() + PERIOD_S
        before = machine.process_cpu_seconds(self.pid)
        stopped = False
        while (left := end - time.monotonic()) > 0:
            used = machine.process_cpu_seconds(self.pid) - before
            if used + owed >= allowed and not stopped:
                stopped = self._signal(signal.SIGSTOP)
            time.sleep(left if stopped else min(LOOK_S, left))
        if stopped:
            self._signal(signal.SIGCONT)
        used = machine.process_cpu_seconds(self.pid) - before
        return max(0, owed + used - allowed)

    def _signal(self, what):
        try:
            os.kill(self.pid, what)
        except ProcessLookupError:
            pass
        return True


def prefer_this_thread(core):
    """Keeps the calling thread on a core, in front of others if it may be."""
    os.sched_setaffinity(0, {core})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass  # It wakes up in time most of the time without that.
