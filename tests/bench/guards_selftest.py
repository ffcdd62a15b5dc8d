"""Takes the measures of callboard against itself, very small.

What is checked are counts: that nothing of those who behave is lost, and that
those who do not are cut off the way they are to be. No time is. What is missed
is checked with reports that are made up.

Usage: guards_selftest.py CALLBOARD
"""

import sys

sys.dont_write_bytecode = True

import os
import re
import subprocess
import time
import unittest

import cluster
import guards
import held
import watched

PROGRAM = ""
CLEAN = ("lost", "misordered", "corrupt", "errors", "closed")


def bench(*more):
    cores = sorted(os.sched_getaffinity(0))
    return guards.Bench(PROGRAM, PROGRAM, cores[:1], cores[1:2] or cores[:1],
                        list(more))


class Guards(unittest.TestCase):
    def expect_clean(self, report):
        self.assertGreater(report["delivered"], 0)
        self.assertEqual({key: report[key] for key in CLEAN},
                         dict.fromkeys(CLEAN, 0), report["trouble"])

    def take(self, guard, *more):
        sample = guard.take(bench(*more))
        print("\n".join(guards.table(guard, [sample],
                                     guard.verdict([sample]))),
              file=sys.stderr)
        return sample

    def test_slowloris(self):
        sample = self.take(guards.Slowloris(
            good=20, bad=40, rate=200, connect_rate=400, deadline_s=0.5,
            seconds=6, warm_up=0.1))
        for which in ("without", "with"):
            self.expect_clean(sample[which])
        self.assertEqual(sample["with"]["silent"], 40)
        self.assertEqual(sample["with"]["silent_cut"], 40)
        self.assertEqual(sample["told"], 40)

    def test_slow_reader(self):
        sample = self.take(guards.SlowReader(
            others=20, rate=200, seconds=6, warm_up=0.1))
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
            seconds=1, warm_up=0.1, every_s=0.1, recovery_s_max=5)
        # A slow machine would have it refuse those who ask before, too.
        sample = self.take(guard, "--load-high", "0")
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


    def test_cluster_latency(self):
        sample = self.take(cluster.AddedLatency(topics=6, seconds=0.5,
                                                warm_up=0.1))
        for which in ("without", "with"):
            self.assertEqual(len(sample[which]), 6)
            self.assertGreater(min(map(len, sample[which].values())), 0)

    def test_cluster_frames(self):
        sample = self.take(cluster.LinkFrames(
            subscribers=50, publications=5, pause_s=0.01))
        self.assertEqual(sample["one"]["deliveries"], 1)
        self.assertEqual(sample["all"]["deliveries"], 50)
        for which in ("one", "all"):
            self.assertEqual(sample[which]["frames"], 1)


def run_of(**values):
    """Returns a report of the load generator in which nothing is wrong."""
    return {**dict.fromkeys((*CLEAN, "unsent", "silent_cut_max_s"), 0),
            "delivered": 1000, "latency_p50_us": 50, "latency_p99_us": 100,
            "memory_growth_bytes": 0, "silent_cut": 40, "errors_by_code": {},
            **values}


NOTHING_CAME = {"delivered": 0, "latency_p50_us": 0, "latency_p99_us": 0}


class Verdicts(unittest.TestCase):
    def missed(self, guard, sample):
        return [text for text, ok in guard.verdict([sample]) if not ok]

    def pair(self, without=None, beside=None, **more):
        return {"without": run_of(**(without or {})),
                "with": run_of(**(beside or {})), "cut_4002": 1, **more}

    def test_what_is_as_it_should_be_is_reached(self):
        for guard in (guards.Slowloris(bad=40), guards.SlowReader()):
            self.assertEqual(self.missed(guard, self.pair()), [])
        self.assertEqual(self.missed(guards.Overload(), self.overload()), [])

    def test_a_pair_of_which_nothing_came_is_missed(self):
        for guard in (guards.Slowloris(bad=40), guards.SlowReader()):
            for nothing in ({"without": NOTHING_CAME},
                            {"beside": NOTHING_CAME},
                            {"without": NOTHING_CAME, "beside": NOTHING_CAME}):
                missed = self.missed(guard, self.pair(**nothing))
                self.assertEqual(len(missed), 2, missed)

    def test_a_pair_is_missed_by_p99_and_by_each_loss(self):
        guard = guards.SlowReader()
        for beside in ({"latency_p99_us": 151}, {"lost": 1}, {"unsent": 1},
                       {"misordered": 1}, {"corrupt": 1}, {"errors": 1},
                       {"closed": 1}):
            with self.subTest(**beside):
                missed = self.missed(guard, self.pair(beside=beside))
                self.assertEqual(len(missed), 1, missed)
        self.assertEqual(self.missed(guard, self.pair(
            beside={"latency_p99_us": 150})), [])

    def test_what_another_node_costs_too_much_is_missed(self):
        def latency(without_us, with_us):
            return {"without": {"a": [without_us], "b": [without_us]},
                    "with": {"a": [with_us - 100], "b": [with_us + 100]}}
        guard = cluster.AddedLatency()
        self.assertEqual(self.missed(guard, latency(200, 1200)), [])
        self.assertEqual(len(self.missed(guard, latency(200, 1300))), 1)
        guard = cluster.LinkFrames()
        for frames in (0, 2, 10_000):
            self.assertEqual(len(self.missed(guard, {"all": {
                "frames": frames}})), 1)
        self.assertEqual(self.missed(guard, {"all": {"frames": 1}}), [])

    def overload(self, offered=None, asked=None, **more):
        return {"offered": run_of(**(offered or {})),
                "asked": run_of(**(asked or {})), "memory_ratio": 1,
                "recovered_s": 0, **more}

    def test_an_overload_in_which_nothing_came_is_missed(self):
        guard = guards.Overload()
        self.assertEqual(len(self.missed(guard, self.overload(
            offered=NOTHING_CAME))), 1)
        # Nor is there a p99 of it.
        self.assertEqual(len(self.missed(guard, self.overload(
            asked=NOTHING_CAME))), 2)

    def test_memory_that_was_not_seen_is_an_error(self):
        report = {"measured_until": time.time() + 10, "elapsed_s": 20}
        with subprocess.Popen(["sleep", "60"]) as seen:
            with watched.Memory(seen.pid, 0.01) as memory:
                while not memory.samples:
                    time.sleep(0.01)
            self.assertGreater(memory.during(report)[0], 0)
            with self.assertRaisesRegex(RuntimeError, "nobody looked"):
                memory.during({**report, "elapsed_s": 1})
            seen.kill()
        # It is no more, so it cannot be looked at.
        with watched.Memory(seen.pid, 0.01) as memory:
            memory.thread.join()
        memory.samples.append((time.time(), 1))
        with self.assertRaisesRegex(RuntimeError, str(seen.pid)):
            memory.during(report)


class Parts(unittest.TestCase):
    def test_metrics_are_read_with_and_without_their_time(self):
        self.assertEqual(watched.parsed_metrics(
            '# TYPE a counter\n'
            'a{loop="0",of="x y"} 1 1795300300926\n'
            'a{loop="1",of="x y"} 2 1795300300926\n'
            'b{loop="0"} 3\n'
            'b{loop="1"} 4\n'
            'c 0.5 1795300300926\n'
            'd +Inf\n'), {'a{of="x y"}': 3, 'b': 7, 'c': 0.5,
                          'd': float("inf")})
        with self.assertRaises(RuntimeError):
            watched.parsed_metrics("a 1 2 3")

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
