"""What the runner knows about the machine: its cores, and who uses them."""

import os
import time

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds(cores):
    """Returns how long the cores were not idle since boot, all together.

    Time that a hypervisor took away counts as used by somebody else.
    """
    total = 0
    names = {f"cpu{core}" for core in cores}
    with open("/proc/stat", encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[0] in names:
                user, nice, system, _idle, _iowait, irq, softirq, steal = map(
                    int, words[1:9])
                total += user + nice + system + irq + softirq + steal
    return total / CLOCK_TICKS


def process_cpu_seconds(pid):
    """Returns the CPU time of a process (see clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def wait_for_quiet(cores, seconds_max, share_max, say):
    """Waits until others use at most `share_max` of one core.

    Returns whether that came within `seconds_max`.
    """
    deadline = time.monotonic() + seconds_max
    told = False
    while True:
        start, before = time.monotonic(), busy_seconds(cores)
        time.sleep(1)
        share = (busy_seconds(cores) - before) / (time.monotonic() - start)
        if share <= share_max:
            return True
        if time.monotonic() > deadline:
            return False
        if not told:
            say(f"waiting for a quiet machine: others use {share:.0%} of a "
                f"core")
            told = True


class Foreign:
    """Measures which share of one core others use while something runs."""

    def __init__(self, cores):
        self.cores = cores
        self.start = time.monotonic()
        self.before = busy_seconds(cores)

    def share(self, own_seconds):
        """Returns the share, given the CPU time that was ours."""
        elapsed = time.monotonic() - self.start
        used = busy_seconds(self.cores) - self.before - own_seconds
        return max(0.0, used / elapsed)
