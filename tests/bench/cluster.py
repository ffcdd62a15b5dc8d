"""What it costs that a publication goes to another node.

Like guards.py, callboard against itself: one node against three, and one
subscriber at another node against very many.
"""

import contextlib
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from statistics import median

import contenders
from report import time_text
from talker import Talker
from watched import metrics

START_SECONDS_MAX = 20
SETTLE_SECONDS_MAX = 30
MEMBERS = "callboard_cluster_members"
FRAMES = "callboard_cluster_sent_frames_total"
BATCHES = "callboard_cluster_sent_batches_total"
DELIVERIES = "callboard_deliveries_total"


def await_true(condition, what, seconds_max):
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds_max} s")
        time.sleep(0.05)


def is_ready(node):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{node.port}/ready",
                               timeout=20).close()
        return True
    except urllib.error.HTTPError:
        return False


@contextlib.contextmanager
def cluster(bench, *words, count=3):
    """Starts nodes of one cluster; it is whole, and they take clients, when it
    is entered."""
    places = [f"127.0.0.1:{contenders.free_port()}" for _ in range(count)]
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(bench.node(
            "--node-name", f"node{number}", "--cluster-listen", place,
            "--join", ",".join(places), *words))
            for number, place in enumerate(places)]
        await_true(lambda: all(metrics(node.port).get(MEMBERS) == count
                               for node in nodes), "a whole cluster",
                   START_SECONDS_MAX)
        await_true(lambda: all(map(is_ready, nodes)), "nodes that are ready",
                   START_SECONDS_MAX)
        yield nodes


def publish_until_known(publisher, subscriber, topics):
    """Publishes until all subscriptions are known where their owners are."""
    for number, topic in enumerate(topics):
        mark = f"known {number};"
        publisher.publish(topic, mark)
        subscriber.await_bytes(mark.encode())


@dataclass
class AddedLatency:
    """Publications at one node for a subscriber at another one.

    They take turns with such at a node alone, so both see the same machine.
    """

    name: str = "cluster-latency"
    rate: int = 200
    topics: int = 24
    seconds: float = 15
    warm_up: float = 1
    # To reach.
    added_ms_max: float = 1

    @property
    def title(self):
        return (f"{self.rate} publications a second, from one of three nodes "
                f"to another, against one node")

    def quick(self):
        self.seconds = 3

    def take(self, bench):
        with bench.node() as alone, cluster(bench) as nodes:
            ways = {"without": (alone.port, alone.port),
                    "with": (nodes[0].port, nodes[1].port)}
            # Their owners are at all three.
            topics = [f"latency/{number}" for number in range(self.topics)]
            pairs = {}
            with contextlib.ExitStack() as stack:
                for which, ports in ways.items():
                    pairs[which] = [stack.enter_context(contextlib.closing(
                        Talker(port))) for port in ports]
                    for topic in topics:
                        pairs[which][1].subscribe(topic)
                    publish_until_known(*pairs[which], topics)
                return self.measure(pairs, topics)

    def measure(self, pairs, topics):
        """Returns the latencies by topic, in microseconds, at least one of
        each."""
        found = {which: {topic: [] for topic in topics} for which in pairs}
        due = begin = time.monotonic()
        number = 0
        while (due < begin + self.warm_up + self.seconds
               or not all(took for each in found.values()
                          for took in each.values())):
            # Once all topics at the one, then all at the other.
            which = ("without", "with")[number // len(topics) % 2]
            topic = topics[number % len(topics)]
            publisher, subscriber = pairs[which]
            time.sleep(max(0, due - time.monotonic()))
            mark = f"{number:08};".ljust(128, "x")
            sent = time.perf_counter()
            publisher.publish(topic, mark)
            subscriber.await_bytes(mark[:9].encode())
            took = time.perf_counter() - sent
            if due > begin + self.warm_up:
                found[which][topic].append(took * 1e6)
            number += 1
            due = max(due + 1 / self.rate, time.monotonic())
        return found

    @staticmethod
    def p50s_us(samples, which):
        """Returns the median of all, and those of the topics, in order."""
        all_of = [took for sample in samples for topic in sample[which].values()
                  for took in topic]
        topics = [[took for sample in samples for took in sample[which][topic]]
                  for topic in samples[0][which]]
        return median(all_of), sorted(median(one) for one in topics if one)

    def verdict(self, samples):
        with_us, without_us = (self.p50s_us(samples, which)[0]
                               for which in ("with", "without"))
        added_ms = (with_us - without_us) / 1e3
        return [(f"{added_ms:.3g} ms more at p50 ({with_us / without_us:.2f} x "
                 f"that of one node), at most {self.added_ms_max:g} ms wanted",
                 added_ms <= self.added_ms_max)]

    def lines(self, samples):
        found = []
        for which in ("without", "with"):
            p50, topics = self.p50s_us(samples, which)
            found.append(f"  {which:<10}{time_text(p50 * 1e3):>10} at p50; of "
                         f"topics from {time_text(topics[0] * 1e3)} to "
                         f"{time_text(topics[-1] * 1e3)}")
        return found


@dataclass
class LinkFrames:
    """What goes between nodes for a publication and subscribers of one of them.

    It goes to its topic's owner, and from there once to each node that has
    subscribers: as often for one of them as for very many. Publisher, owner and
    subscribers are each at a node of their own.
    """

    name: str = "cluster-frames"
    subscribers: int = 10_000
    publications: int = 20
    pause_s: float = 0.05
    # What goes between nodes is counted with each sign of life.
    heartbeat_ms: int = 100

    @property
    def title(self):
        return (f"frames from a topic's owner to the node of its subscribers, "
                f"for 1 and for {self.subscribers:,} of them")

    def quick(self):
        self.subscribers = min(self.subscribers, 1000)

    def take(self, bench):
        # Nobody of the crowd is refused because the machine is slow.
        with cluster(bench, "--cluster-heartbeat", f"{self.heartbeat_ms}ms",
                     "--load-high", "0") as nodes, \
                contextlib.ExitStack() as stack:
            def talker(node):
                return stack.enter_context(contextlib.closing(
                    Talker(node.port)))

            publisher, subscriber = talker(nodes[0]), talker(nodes[1])
            topic = self.topic_of_third(nodes, publisher, subscriber)
            one = self.count(nodes, publisher, topic, 1)
            for _ in range(self.subscribers - 1):
                talker(nodes[1]).subscribe(topic)
            return {"one": one, "all": self.count(nodes, publisher, topic,
                                                  self.subscribers)}

    def topic_of_third(self, nodes, publisher, subscriber):
        """Returns a topic that is the third node's: that sends its events."""
        for number in range(100):
            topic = f"frames/{number}"
            subscriber.subscribe(topic)
            publish_until_known(publisher, subscriber, [topic])
            if self.count(nodes, publisher, topic, 1)["frames"] > 0:
                return topic
        raise RuntimeError("of 100 topics none is the third node's")

    def settled(self, nodes):
        """Returns the nodes' metrics, once they have counted all."""
        found = [[metrics(node.port) for node in nodes]]

        def still():
            time.sleep(5 * self.heartbeat_ms / 1e3)
            found.append([metrics(node.port) for node in nodes])
            return all(one.get(name) == other.get(name)
                       for one, other in zip(*found[-2:])
                       for name in (FRAMES, BATCHES, DELIVERIES))

        await_true(still, "counters that stand still", SETTLE_SECONDS_MAX)
        return found[-1]

    def count(self, nodes, publisher, topic, subscribers):
        """Publishes, until all is delivered. Returns what the third node sent
        and the second one delivered for a publication."""
        before = self.settled(nodes)
        for number in range(self.publications):
            publisher.publish(topic, f"{number};")
            time.sleep(self.pause_s)
        due = before[1].get(DELIVERIES, 0) + self.publications * subscribers
        await_true(lambda: metrics(nodes[1].port).get(DELIVERIES, 0) >= due,
                   "all deliveries", SETTLE_SECONDS_MAX)
        after = self.settled(nodes)
        return {name: (after[node].get(metric, 0) - before[node].get(metric, 0))
                / self.publications
                for name, node, metric in (("frames", 2, FRAMES),
                                           ("batches", 2, BATCHES),
                                           ("deliveries", 1, DELIVERIES))}

    def verdict(self, samples):
        frames = max(sample["all"]["frames"] for sample in samples)
        return [(f"{frames:g} frames for a publication and "
                 f"{self.subscribers:,} subscribers, 1 wanted", frames == 1)]

    def lines(self, samples):
        return [f"  {sample[which]['frames']:g} frames in "
                f"{sample[which]['batches']:g} messages for "
                f"{sample[which]['deliveries']:,.0f} deliveries"
                for sample in samples for which in ("one", "all")]


def measures():
    return [AddedLatency(), LinkFrames()]
