# SPDX-License-Identifier: LGPL-2.1-or-later
"""What services cost that do nothing, all of them running: memory, and how often they wake up."""

import contextlib
import os
import subprocess
import sys
import time

import world
from peers import BOLT, FWUPD, HOSTNAMED, HOSTNAMED_PATIENCE, PEERS, UPOWER
from table import memory

IDLE = 130  # two polls of lfad's, and perhaps a third at an edge
LOOK = 0.2  # how often is looked
BURST = 1.0  # what a burst takes at most, from its first wake-up: what comes later is another one
SWITCHES = "voluntary_ctxt_switches:"
POLL = 60
# A poll: its timer; and of each of two readings (images, watchdogs) the worker's start, output, end of output, end.
WAKEUPS_OF_POLL = 1 + 2 * 4
RESTLESS = "import time\nwhile True:\n    time.sleep(0.4)"  # must not pass
AFTER_START = 10  # fwupd looks around for some seconds


def _switches(pid):
    """How often each of its threads went to sleep, by thread."""
    counts = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, StopIteration):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as lines:
                counts[thread] = next(int(line.split()[1]) for line in lines if line.startswith(SWITCHES))
    return counts


class Watch:
    """Counts the wake-ups of a process, and the bursts they come in. A thread that ends takes its last ones along."""

    def __init__(self, name, process):
        self.name, self.process = name, process
        self.begin = self.last_look = time.monotonic()
        self.seen = _switches(process.pid)
        self.wakeups = self.bursts = 0
        self.burst_begin = 0.0

    def look(self):
        if self.process.poll() is not None:
            return
        counts, now = _switches(self.process.pid), time.monotonic()
        new = sum(count - self.seen.get(thread, 0) for thread, count in counts.items())
        if new:
            self.wakeups += new
            if now - self.burst_begin > BURST:
                self.bursts += 1
                self.burst_begin = now
        self.seen, self.last_look = counts, now

    def seconds(self):
        return self.last_look - self.begin

    def polls_only(self):
        """Whether it woke up no more often than it polls (one more at an edge), and for no more than a poll takes."""
        return self.bursts <= IDLE // POLL + 1 and self.by_burst() <= WAKEUPS_OF_POLL

    def by_burst(self):
        return self.wakeups / max(self.bursts, 1)

    def text(self):
        ended = "" if self.seconds() > IDLE - 2 else f", then it ended by itself after {self.seconds():.0f} s"
        return f"{self.name} {self.wakeups * 60 / self.seconds():.1f}{ended}"


def _memory_rows(table, services):
    ours = services["lfad"]
    for key, title in (("Private_Dirty", "idle: private dirty memory"), ("Pss", "idle: PSS")):
        figures = {part: values[key] for part, values in services.items()}
        others = sorted(value for part, value in figures.items() if part != "lfad")
        below_all = key == "Private_Dirty"
        table.row(title, f"{ours[key]} KiB",
                  [f"{part} {value} KiB" for part, value in figures.items() if part != "lfad"],
                  ours[key] / others[0], "< all" if below_all else "least two",
                  ours[key] < others[0 if below_all else 1], **figures)
    table.remark("The ratio is to the peer that has least. lfad's is the greater of two: after its start, and after "
                 f"{IDLE} s.")


def _watch(watches):
    while watches[0].seconds() < IDLE:
        time.sleep(LOOK)
        for watch in watches:
            watch.look()


def _wakeup_rows(table, watches):
    ours, polls = watches[0], IDLE // POLL
    table.row("idle: wake-ups a minute", f"{ours.wakeups * 60 / ours.seconds():.1f}",
              [watch.text() for watch in watches[1:]],
              **{watch.name: watch.wakeups * 60 / watch.seconds() for watch in watches})
    table.row(f"idle: moments in {IDLE} s at which it woke up", str(ours.bursts),
              [f"{watch.name}: {watch.bursts}" for watch in watches[1:]], None, f"<= {polls} + 1",
              ours.bursts <= polls + 1, **{watch.name: watch.bursts for watch in watches})
    table.row("idle: wake-ups at each of them", f"{ours.by_burst():.1f}", [], None, f"<= {WAKEUPS_OF_POLL}",
              ours.by_burst() <= WAKEUPS_OF_POLL, lfad=ours.by_burst())
    if watches[-1].polls_only():
        raise SystemExit("a process that wakes up each 0.4 s passes for one that polls: nothing of this is of use")
    table.remark("A wake-up: a voluntary context switch of a thread. A moment is over 1 s after it began; one more "
                 "than there are polls may lie at an edge.")
    table.remark("Those of one poll of lfad's are at most its timer, and of each of two readings (images, watchdogs) "
                 "the worker's start, output, end of output and end.")
    table.remark(f"hostnamed ends after {HOSTNAMED_PATIENCE} s without a call. \"each 0.4 s\" is a process that must "
                 "not pass, and does not.")


def run(made, table):
    for peer in (FWUPD, UPOWER, BOLT):
        made.start_peer(peer)
    time.sleep(AFTER_START)
    made.start("lfad")
    made.start_peer(HOSTNAMED)
    for peer in PEERS:  # each has answered once
        made.bus().call_blocking(peer.bus_name, peer.path, world.PROPERTIES, "GetAll", "s", (peer.interface,))
    made.images()
    time.sleep(2)
    pids = {part: made.pid(part) for part in ("lfad", *(peer.name for peer in PEERS))}
    figures = {part: {key: memory(pid, key) for key in ("Private_Dirty", "Pss")} for part, pid in pids.items()}
    with subprocess.Popen([sys.executable, "-c", RESTLESS], stdin=subprocess.DEVNULL) as restless:
        watches = [*(Watch(part, made.parts[part]) for part in pids), Watch("each 0.4 s", restless)]
        _watch(watches)
        restless.kill()
    figures["lfad"] = {key: max(value, memory(pids["lfad"], key)) for key, value in figures["lfad"].items()}
    _memory_rows(table, figures)
    _wakeup_rows(table, watches)
    made.parts.pop(HOSTNAMED.name).wait()
    for part in ("lfad", UPOWER.name, BOLT.name, FWUPD.name):
        made.stop(part)
