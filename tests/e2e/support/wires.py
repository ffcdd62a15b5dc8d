#!/usr/bin/python3
"""Wires between hosts, which lose and delay what they are told to.

  wires.py HOST…

makes an interface (TUN) for each host, `wire-HOST`, which others move to where
the host is, and hands IPv4 packets on: the nth host, from 1, is 10.90.0.n. Once
all are there it says so in a line. Each line of JSON that it then reads changes
the wire that leads from one host to another, and is answered by a line:

  {"from": "a", "to": "b", "loss": 0.05, "delayMs": 50}

Of ten packets a loss of 0.1 takes the tenth, and none by chance: what is sent
again comes. It ends with its input.
"""

import fcntl
import heapq
import itertools
import json
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000


class Wire:
    """The way from one host to another."""

    def __init__(self, out):
        self.out = out
        self.loss = 0.0
        self.delay_s = 0.0
        self.lost = 0.0

    def loses(self):
        self.lost += self.loss
        if self.lost < 1:
            return False
        self.lost -= 1
        return True


def interface(host):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", f"wire-{host}".encode(),
                                            IFF_TUN | IFF_NO_PI))
    return tun


def put(tun, packet):
    try:
        os.write(tun, packet)
    except OSError:
        pass  # the host's interface is down, or full


class Wires:
    """All wires between these hosts."""

    def __init__(self, hosts):
        self.hosts = hosts
        tuns = {host: interface(host) for host in hosts}
        self.names = {tun: host for host, tun in tuns.items()}
        self.wires = {(one, other): Wire(tuns[other]) for one in hosts
                      for other in hosts if one != other}
        # What is on its way: when it comes, in the order in which it went.
        self.delayed, self.number = [], itertools.count()
        self.commands = b""

    def obey(self, got):
        *lines, self.commands = (self.commands + got).split(b"\n")
        for line in lines:
            x = json.loads(line)
            wire = self.wires[x["from"], x["to"]]
            wire.loss, wire.lost = x["loss"], 0.0
            wire.delay_s = x["delayMs"] / 1000
            print("done", flush=True)

    def hand_on(self, tun):
        try:
            packet = os.read(tun, 65536)
        except OSError:
            return
        # By the last byte of the destination, if it is a host's at all.
        if packet[0] >> 4 != 4 or packet[16:19] != b"\x0a\x5a\x00":
            return
        to = packet[19] - 1
        wire = 0 <= to < len(self.hosts) and self.wires.get(
            (self.names[tun], self.hosts[to]))
        if not wire or wire.loses():
            return
        if wire.delay_s:
            heapq.heappush(self.delayed, (time.monotonic() + wire.delay_s,
                                          next(self.number), wire.out, packet))
        else:
            put(wire.out, packet)

    def run(self):
        while True:
            wait = None
            if self.delayed:
                wait = max(0, self.delayed[0][0] - time.monotonic())
            ready, _, _ = select.select([0, *self.names], [], [], wait)
            while self.delayed and self.delayed[0][0] <= time.monotonic():
                _, _, out, packet = heapq.heappop(self.delayed)
                put(out, packet)
            for tun in ready:
                if tun != 0:
                    self.hand_on(tun)
                elif got := os.read(0, 4096):
                    self.obey(got)
                else:
                    return


if __name__ == "__main__":
    all_wires = Wires(sys.argv[1:])
    print("ready", flush=True)
    all_wires.run()
