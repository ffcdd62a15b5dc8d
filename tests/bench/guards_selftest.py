"""Takes the measures of callboard against itself, very small.

What is checked are counts: that nothing of those who behave is lost, and that
those who do not are cut off the way they are to be. No time is.

Usage: guards_selftest.py CALLBOARD
"""

import sys

sys.dont_write_bytecode = True

import os
import re
import subprocess
import time
import unittest

import guards
import held
import watched

PROGRAM = ""
CLEAN = ("lost", "misordered", "corrupt", "errors", "closed")


def bench():
    cores = sorted(os.sched_getaffinity(0))
    return guards.Bench(PROGRAM, PROGRAM, cores[:1], cores[1:2] or cores[:1])


class Guards(unittest.TestCase):
    def expect_clean(self, report):
        self.assertGreater(report["delivered"], 0)
        self.assertEqual({key: report[key] for key in CLEAN},
                         dict.fromkeys(CLEAN, 0), report["trouble"])

    def take(self, guard):
        sample = guard.take(bench())
        print("\n".join(guards.table(guard, [sample])), file=sys.stderr)
        return sample

    def test_slowloris(self):
        sample = self.take(guards.Slowloris(
            good=20, bad=40, rate=200, connect_rate=400, deadline_s=0.5,
            seconds=2, warm_up=0.1))
        for which in ("without", "with"):
            self.expect_clean(sample[which])
        self.assertEqual(sample["with"]["silent"], 40)
        self.assertEqual(sample["with"]["silent_cut"], 40)
        self.assertEqual(sample["told"], 40)

    def test_slow_reader(self):
        sample = self.take(guards.SlowReader(
            others=20, rate=200, seconds=2, warm_up=0.1))
        for which in ("without", "with"):
            self.expect_clean(sample[which])
        self.assertEqual(sample["with"]["stalled_cut"], 1)
        self.assertEqual(sample["cut_4002"], 1)
        # On a slow machine it is too late to hear it.
        for code in re.findall(r"closed it with (\d+)",
                               sample["with"]["stalled_end"]):
            self.assertEqual(code, "4002")

    def test_overload(self):
        guard = guards.Overload(
            subscribers=20, publishers=2, capacity_s=0.3, before_s=0.3,
            seconds=1, warm_up=0.1, recovery_s_max=5)
        sample = self.take(guard)
        self.assertGreater(sample["capacity_per_s"], 0)
        self.expect_clean(sample["before"])
        offered, asked = sample["offered"], sample["asked"]
        self.assertGreater(offered["delivered"], 0)
        for report in (offered, asked):
            self.assertEqual((report["misordered"], report["corrupt"]), (0, 0),
                             report["trouble"])
        # Each request has one answer or one error, on a living connection.
        self.assertGreater(asked["published"], 0)
        if asked["closed"] == 0:
            self.assertEqual(asked["lost"], 0)
        self.assertEqual(sum(asked["errors_by_code"].values()),
                         asked["errors"])


class Parts(unittest.TestCase):
    def test_who_has_nothing_to_do_is_not_stopped(self):
        with subprocess.Popen(["sleep", "60"]) as idle:
            core = min(os.sched_getaffinity(0))
            with held.Held(idle.pid, 0.1, core) as hold:
                time.sleep(0.1)
                self.assertLess(hold.used(), 0.1)
                with open(f"/proc/{idle.pid}/stat", encoding="ascii") as stat:
                    self.assertNotEqual(stat.read().split()[2], "T")
            idle.kill()

    def test_who_was_held_goes_on(self):
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            core = min(os.sched_getaffinity(0))
            with held.Held(busy.pid, 0.1, core):
                time.sleep(0.3)
            with open(f"/proc/{busy.pid}/stat", encoding="ascii") as stat:
                self.assertNotEqual(stat.read().split()[2], "T")
            busy.kill()

    def test_counters_that_have_grown(self):
        before = {"a_refused": 1, "b_refused": 2, "c": 1}
        after = {"a_refused": 1, "b_refused": 5, "c": 9, "d_refused": 1}
        self.assertEqual(watched.grown(before, after, "refus"),
                         {"b_refused": 3, "d_refused": 1})


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
