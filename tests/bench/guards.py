"""What it costs those who behave that others do not.

Each measure is callboard against itself: the same load without and with what
disturbs it, one after the other on the same node.
"""

import math
from dataclasses import dataclass, field
from statistics import median

import cluster
import contenders
from overload import Overload
from report import outcome, p99_us, time_text
from watched import Load, Memory, grown, metrics

FACTOR_MAX = 1.5
# How much later than its deadline a connection may be cut off.
LATE_S_MAX = 0.5
# The policy `disconnect` closes with 4002, and counts that.
CUT_4002 = r'callboard_drops_total\{policy="disconnect"\}'


@dataclass
class Bench:
    """The programs and the cores that they have."""

    server: str
    load: str
    server_cores: list
    load_cores: list
    # More words for `callboard serve`.
    more: list = field(default_factory=list)

    def node(self, *words):
        """Returns a node, to be started by a `with` statement."""
        command = [self.server, "serve", "--listen", "127.0.0.1:{port}",
                   "--admin", "none", "--loops", "1", "--log-level", "error",
                   *words, *self.more]
        return contenders.Running(
            contenders.Contender("callboard", command), self.server_cores)

    def start(self, node, words):
        """Begins to load a node, until the `with` statement's end."""
        return Load(self.load, f"ws://127.0.0.1:{node.port}/ws",
                    [*words, "--server-pid", node.process.pid],
                    self.load_cores)

    def run(self, node, words, seconds):
        """Loads a node. Returns the load's report."""
        with self.start(node, words) as load:
            return load.report(seconds)


def times(seconds, warm_up):
    return "--duration", f"{seconds:g}s", "--warm-up", f"{warm_up:g}s"


def troubled(report):
    return report["delivered"] == 0 or any(report[key] for key in (
        "lost", "unsent", "misordered", "corrupt", "errors", "closed"))


def p99_ratio(samples):
    """Returns the p99 with what disturbs by that without; infinity where one
    of them is of nothing."""
    without, beside = (median(p99_us(sample[which]) for sample in samples)
                       for which in ("without", "with"))
    return beside / without if 0 < without < math.inf else math.inf


def pair_lines(samples):
    """Returns a table of the runs without and with what disturbs."""
    lines = [f"  {'':<10}{'p50':>10}{'p99':>10}{'server CPU':>12}"]
    for which in ("without", "with"):
        runs = [sample[which] for sample in samples]
        row = [median(run["latency_p50_us"] for run in runs) * 1e3,
               median(map(p99_us, runs)) * 1e3]
        row.append(median(run["server_ns_each"] for run in runs))
        lines.append(f"  {which:<10}{time_text(row[0]):>10}"
                     f"{time_text(row[1]):>10}{time_text(row[2]):>12}"
                     + ("   with losses or errors"
                        if any(map(troubled, runs)) else ""))
    return lines


def pair_verdict(samples):
    """Returns what a pair has to keep to: nothing lost, and the p99."""
    ratio = p99_ratio(samples)
    lost = sum(troubled(sample[which]) for sample in samples
               for which in ("without", "with"))
    return [
        (f"p99 is {ratio:.2f} x that without, at most {FACTOR_MAX:.2f} wanted",
         ratio <= FACTOR_MAX),
        (f"{lost} runs with losses or errors, or in which nothing came, none "
         "wanted", lost == 0)]


@dataclass
class Slowloris:
    """Connections that say nothing after TCP connect, until the deadline."""

    name: str = "slowloris"
    good: int = 1000
    bad: int = 5000
    rate: int = 5000
    connect_rate: int = 2000
    deadline_s: float = 5
    seconds: float = 9
    warm_up: float = 1

    @property
    def title(self):
        return (f"{self.good:,} connections ask {self.rate:,} times a second, "
                f"without and with {self.bad:,} that say nothing")

    def quick(self):
        self.deadline_s, self.seconds = 2, 5.5

    def take(self, bench):
        words = ("echo", "--connections", self.good, "--window", 4, "--rate",
                 self.rate, "--connect-rate", self.connect_rate,
                 *times(self.seconds, self.warm_up))
        with bench.node("--request-timeout",
                        f"{self.deadline_s * 1000:.0f}ms") as node:
            without = bench.run(node, words, self.seconds)
            before = metrics(node.port)
            beside = bench.run(node, (*words, "--silent", self.bad),
                               self.seconds)
            told = grown(before, metrics(node.port), 'status="408"')
        return {"without": without, "with": beside,
                "told": int(sum(told.values()))}

    def verdict(self, samples):
        runs = [sample["with"] for sample in samples]
        cut = min(run["silent_cut"] for run in runs)
        last = max(run["silent_cut_max_s"] for run in runs)
        return [
            *pair_verdict(samples),
            (f"{cut} of {self.bad} were cut off, all wanted", cut == self.bad),
            (f"the last one after {last:.2f} s, at most "
             f"{self.deadline_s + LATE_S_MAX:g} s wanted",
             last <= self.deadline_s + LATE_S_MAX)]

    def lines(self, samples):
        runs = [sample["with"] for sample in samples]
        cut = [median(run[f"silent_cut_{key}_s"] for run in runs)
               for key in ("min", "p50", "max")]
        told = median(sample["told"] for sample in samples)
        return [*pair_lines(samples),
                f"  cut off after {cut[0]:.2f} s, {cut[1]:.2f} s (median), "
                f"{cut[2]:.2f} s; the deadline is {self.deadline_s:g} s; "
                f"{told:.0f} were answered 408"]


@dataclass
class SlowReader:
    """One of many subscribers stops reading, until it is cut off."""

    name: str = "slow-reader"
    others: int = 999
    rate: int = 20
    payload: int = 1024
    outbox_kib: int = 64
    seconds: float = 15
    warm_up: float = 1
    # How often memory is looked at.
    every_s: float = 0.5

    @property
    def title(self):
        return (f"{self.others:,} subscribers get {self.rate} events a second "
                f"each, without and with one more that stops reading")

    def quick(self):
        self.seconds = 10

    def run(self, bench, node, words):
        with Memory(node.process.pid, self.every_s) as memory:
            report = bench.run(node, words, self.seconds)
        sizes = memory.during(report)
        report["memory_growth_bytes"] = max(sizes) - sizes[0]
        return report

    def take(self, bench):
        words = ("fanout", "--subscribers", self.others, "--rate", self.rate,
                 "--payload", self.payload,
                 *times(self.seconds, self.warm_up))
        with bench.node("--outbox-bytes-max", f"{self.outbox_kib}KiB") as node:
            without = self.run(bench, node, words)
            before = metrics(node.port)
            beside = self.run(bench, node, (*words, "--stalled", 1))
            cut = grown(before, metrics(node.port), CUT_4002)
        return {"without": without, "with": beside,
                "cut_4002": int(sum(cut.values()))}

    def grown_kib(self, samples, which):
        return median(sample[which]["memory_growth_bytes"]
                      for sample in samples) / 1024

    def verdict(self, samples):
        cut = [sample["cut_4002"] for sample in samples]
        growth = self.grown_kib(samples, "with")
        growth -= self.grown_kib(samples, "without")
        return [
            *pair_verdict(samples),
            (f"{sum(cut)} of {len(cut)} were closed with 4002, all wanted",
             all(x == 1 for x in cut)),
            (f"memory grew by {growth:.0f} KiB more than without, at most "
             f"{self.outbox_kib} KiB wanted", growth <= self.outbox_kib)]

    def lines(self, samples):
        ends = {sample["with"]["stalled_end"] for sample in samples}
        return [*pair_lines(samples),
                f"  memory grew by {self.grown_kib(samples, 'without'):.0f} "
                f"KiB without, {self.grown_kib(samples, 'with'):.0f} KiB with",
                "  what the slow reader heard at last: "
                + " / ".join(sorted(ends))]


def all_guards():
    return [Slowloris(), SlowReader(), Overload(), *cluster.measures()]


def table(guard, samples, verdict):
    """Returns the lines of one measure."""
    return [guard.title, *guard.lines(samples),
            *(f"  {text}: {outcome(ok)}" for text, ok in verdict)]
