"""What a node does while it is offered several times what it can serve."""

import time
from dataclasses import dataclass
from statistics import median

from held import Held
from report import p99_us, scaled, time_text
from watched import Memory, grown, metrics

# Counters that tell of what was not served.
SHED = r"refus|shed|drop|overload|limited|unavailable"
# A connection that is ready has been sent one.
WELCOMES = r'^callboard_frames_out_total\{type="welcome"\}'


@dataclass
class Overload:
    """Publications come at several times the rate that the node can deliver.

    Beside them others ask it for something, a little: they are what has to go
    on. The node is held to a share of a core (see `held.py`), so that one core
    can make the load. What it can serve is found with a window first.
    """

    name: str = "overload"
    share: float = 0.2
    factor: float = 3
    subscribers: int = 100
    publishers: int = 10
    askers: int = 20
    asks: int = 200
    capacity_s: float = 3
    before_s: float = 3
    seconds: float = 60
    warm_up: float = 1
    probe_s: float = 0.5
    # How often memory is looked at.
    every_s: float = 1
    recovery_s_max: float = 30
    connect_s_max: float = 10
    # To reach.
    p99_ms_max: float = 250
    memory_factor_max: float = 1.1
    recovered_s_max: float = 5
    # Latency counts as the one before when it is less than this, whatever that
    # was: half of the time for which the node may be stopped.
    grain_us: float = 5000

    @property
    def title(self):
        return (f"a node held to {self.share:g} of a core is offered "
                f"{self.factor:g} x what it can serve, for {self.seconds:g} s")

    def quick(self):
        self.seconds = min(self.seconds, 10)
        self.capacity_s = self.before_s = 1

    # -- loads ----------------------------------------------------------------

    def publish(self, seconds, *pace):
        return ("fanout", "--subscribers", self.subscribers, "--publishers",
                self.publishers, "--duration", f"{seconds:g}s", "--warm-up",
                f"{min(self.warm_up, seconds):g}s", *pace)

    def ask(self, seconds):
        return ("echo", "--connections", self.askers, "--window", 64, "--rate",
                self.asks, "--duration", f"{seconds:g}s", "--warm-up",
                f"{min(self.warm_up, seconds / 2):g}s")

    # -- steps ----------------------------------------------------------------

    def take(self, bench):
        with bench.node() as node, Held(node.process.pid, self.share,
                                        bench.server_cores[0]):
            found = bench.run(node, self.publish(self.capacity_s, "--window",
                                                 16), self.capacity_s)
            capacity = found["published"] / found["elapsed_s"]
            before = bench.run(node, self.ask(self.before_s), self.before_s)
            if found["delivered"] == 0 or before["delivered"] == 0:
                raise RuntimeError("nothing came before it was overloaded")
            counted = metrics(node.port)
            sample = self.overload(bench, node, capacity, before)
            sample["shed"] = grown(counted, metrics(node.port), SHED)
        return {**sample, "capacity_per_s": capacity, "before": before}

    def overload(self, bench, node, capacity, before):
        offered = self.publish(self.seconds, "--rate",
                               f"{self.factor * capacity:.0f}")
        with Memory(node.process.pid, self.every_s) as memory, \
                self.ask_first(bench, node) as asking, \
                bench.start(node, offered) as load:
            time.sleep(self.seconds + self.warm_up)
            good = self.recover(bench, node, before)
            asked, offered = asking.report(0), load.report(0)
        sizes = memory.during(offered)
        # At first buffers become as large as they will be.
        sizes = sizes[len(sizes) // 10:]
        return {"offered": offered, "asked": asked, "memory": sizes,
                "memory_ratio": max(sizes) / min(sizes),
                "recovered_s": self.since(offered, good)}

    def ask_first(self, bench, node):
        """Begins to ask, and waits until all who do are connected: a node with
        too much to do may let nobody in."""
        counted = metrics(node.port)
        asking = bench.start(node, self.ask(self.seconds))
        try:
            self.await_welcomes(node, counted, asking)
        except BaseException:
            asking.stop()
            raise
        return asking

    def await_welcomes(self, node, counted, asking):
        deadline = time.monotonic() + self.connect_s_max
        while sum(grown(counted, metrics(node.port), WELCOMES).values()) \
                < self.askers:
            if time.monotonic() > deadline or not asking.running():
                raise RuntimeError("those who ask are not connected")
            time.sleep(0.02)

    def recover(self, bench, node, before):
        """Asks, on connections that are new, until it is as it was before.

        Returns the report of the first good time; None: there was none.
        """
        deadline = time.monotonic() + self.recovery_s_max
        latency_us = max(2 * p99_us(before), self.grain_us)
        while time.monotonic() < deadline:
            try:
                found = bench.run(node, self.ask(self.probe_s), self.probe_s)
            except RuntimeError:
                time.sleep(0.1)
                continue
            if (not any(found[key] for key in
                        ("lost", "unsent", "errors", "closed"))
                    and found["delivered"] > 0
                    and found["latency_p99_us"] <= latency_us):
                return found
        return None

    def since(self, offered, good):
        """Returns the seconds from the load's end to when it was good again."""
        if good is None:
            return self.recovery_s_max
        began = good["measured_until"] - good["elapsed_s"]
        return max(0, began - offered["measured_until"])

    # -- what came of it ------------------------------------------------------

    def verdict(self, samples):
        p99_ms = median(p99_us(x["asked"]) for x in samples) / 1e3
        memory = median(x["memory_ratio"] for x in samples)
        recovered = median(x["recovered_s"] for x in samples)
        admitted = min(x["asked"]["delivered"] for x in samples)
        delivered = min(x["offered"]["delivered"] for x in samples)
        return [
            (f"{admitted} requests were admitted at least, some wanted",
             admitted > 0),
            (f"{delivered} publications were delivered at least, some wanted",
             delivered > 0),
            (f"admitted requests' p99 is {p99_ms:.3g} ms, at most "
             f"{self.p99_ms_max:g} ms wanted", p99_ms <= self.p99_ms_max),
            (f"memory's largest is {memory:.2f} x its smallest, at most "
             f"{self.memory_factor_max:.2f} wanted",
             memory <= self.memory_factor_max),
            (f"recovered {recovered:.1f} s after the load, at most "
             f"{self.recovered_s_max:g} s wanted",
             recovered <= self.recovered_s_max)]

    def lines(self, samples):
        return [line for sample in samples for line in self.describe(sample)]

    def describe(self, sample):
        offered, asked = sample["offered"], sample["asked"]
        due = offered["published"] * self.subscribers
        admitted = offered["delivered"] / due if due else 0
        sent = offered["published"] / offered["elapsed_s"]
        errors = ", ".join(f"{code}: {count}" for code, count
                           in asked["errors_by_code"].items()) or "none"
        shed = ", ".join(f"{name} {value:.0f}" for name, value
                         in sample["shed"].items()) or "nothing counted"
        return [
            f"  can serve   {scaled(sample['capacity_per_s'])} publications/s "
            f"to {self.subscribers} subscribers",
            f"  offered     {scaled(self.factor * sample['capacity_per_s'])}/s, "
            f"of which it let {scaled(sent)}/s be sent",
            f"  delivered   {admitted:.0%} of these, p99 "
            f"{time_text(offered['latency_p99_us'] * 1e3)}, with "
            f"{offered['server_use']:.2f} of a core",
            f"  requests    {asked['delivered']} of {asked['published']} "
            f"admitted, p99 {time_text(asked['latency_p99_us'] * 1e3)} "
            f"(before: {time_text(sample['before']['latency_p99_us'] * 1e3)}); "
            f"errors {errors}; {asked['unsent']} found no room to be sent; "
            f"{asked['closed']} connections closed",
            f"  shed        {shed}",
            f"  memory      {max(sample['memory']) / 2**20:.1f} MiB at most"]
