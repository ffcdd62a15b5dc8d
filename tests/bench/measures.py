"""What is measured, and what callboard is to reach."""

from dataclasses import dataclass

BASELINES = ("bare", "bare-coalescing", "beast", "ws")
# Servers that speak something else, and only publish and subscribe.
FOREIGN = ("nats-server", "mosquitto", "nchan", "socket.io")


@dataclass(frozen=True)
class Measure:
    """One row of the comparison."""

    name: str
    title: str
    # Words for the load generator; the URL is put behind the first.
    load: tuple
    # Callboard is to reach `factor` times what `against` does.
    factor: float = 0
    against: str = ""
    # For memory: at most so many bytes.
    bytes_max: float = 0
    contenders: tuple = BASELINES + ("callboard",)
    # Which contender it is about.
    judged: str = "callboard"
    # Server and load share all cores, rather than having one each.
    together: bool = False

    @property
    def is_memory(self):
        return self.load[0] == "idle"

    @property
    def unit(self):
        if self.is_memory:
            return "bytes each"
        return "round trips/s" if self.load[0] == "echo" else "deliveries/s"


def fanout(count, window):
    return Measure(
        f"fanout-{count // 1000}k-w{window}",
        f"fan-out to {count:,}, window {window}, 128 bytes",
        ("fanout", "--subscribers", str(count), "--window", str(window),
         "--payload", "128"),
        *((0.95, "bare") if window == 1 else (0.7, "bare-coalescing")),
        contenders=BASELINES + FOREIGN + ("callboard",))


def echo(window):
    return Measure(
        f"echo-w{window}",
        f"WebSocket echo, 100 connections, window {window}, 64 bytes",
        ("echo", "--websocket-echo", "/echo", "--connections", "100",
         "--window", str(window), "--payload", "64"),
        0.9, "bare-coalescing")


def request(window, factor):
    return Measure(
        f"request-w{window}",
        f"requests to callboard.echo, 100 connections, window {window}, "
        f"64 bytes",
        ("echo", "--connections", "100", "--window", str(window),
         "--payload", "64"),
        factor, "bare-coalescing")


def encrypted(measure):
    return Measure(
        f"tls-{measure.name}", f"TLS: {measure.title}", measure.load, 0.9,
        "beast-tls", contenders=("beast-tls", "callboard-tls"),
        judged="callboard-tls")


ROOMS = ("rooms", "--rooms", "100", "--members", "10", "--window", "1",
         "--payload", "128")
LOOPS = ("callboard", "callboard-2-loops")


def idle(name, topics, title, bytes_max):
    return Measure(
        name, f"10,000 idle connections, {title}: resident memory",
        ("idle", "--connections", "10000", "--topics", str(topics)),
        bytes_max=bytes_max)


ALL = [
    fanout(1000, 1),
    fanout(10000, 1),
    fanout(1000, 16),
    fanout(10000, 16),
    Measure("rooms-w1", "100 rooms of 10, everyone talks, window 1, 128 bytes",
            ROOMS, 0.75, "bare-coalescing",
            contenders=BASELINES + FOREIGN + ("callboard",)),
    echo(1),
    echo(16),
    request(1, 0.75),
    request(16, 0.4),
    encrypted(fanout(1000, 1)),
    encrypted(fanout(1000, 16)),
    encrypted(echo(1)),
    encrypted(echo(16)),
    idle("idle", 1, "all in one topic", 3 * 1024),
    idle("idle-own", 10000, "a topic each", 3 * 1024),
    Measure("loops-fanout", "two loops against one, fan-out to 1,000, "
            "window 16, load on the same cores",
            fanout(1000, 16).load, contenders=LOOPS, together=True),
    Measure("loops-rooms", "two loops against one, 100 rooms of 10, "
            "window 1, load on the same cores",
            ROOMS, contenders=LOOPS, together=True),
]
