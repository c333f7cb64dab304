# SPDX-License-Identifier: LGPL-2.1-or-later
"""From a uevent of the driver to PropertiesChanged, with the settle time taken off that lfad waits by design."""

import json
import os
import subprocess

import world
from activation import SETTLE
from plain_tree import PlainTree
from table import Sample

RUNS = 10
GOAL = 5.0
PROGRAM = os.path.join(world.BUILD_DIR, "tests/bench/bench-clients")


class Listeners:
    """So many clients that listen to one object's PropertiesChanged."""

    def __init__(self, made, clients, path):
        self.process = subprocess.Popen([PROGRAM, "signals", str(clients), path], env=made.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            raise SystemExit("the listeners did not come up")

    def received(self):
        """Waits for the next signal: when the first and the last of the clients had it, in s."""
        times = json.loads(self.process.stdout.readline())
        return times["first"] / 1e6, times["last"] / 1e6

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def _delay(made, listeners, change):
    """One uevent, after a change; ms beyond the settle time."""
    change()
    made.sim("uevent change")
    sent = json.loads(made.sim("times --json"))["uevent"] / 1e6
    return (listeners.received()[1] - sent - SETTLE) * 1000


def run(made, table):
    tree, through_fuse = PlainTree(made), made.sysfs
    samples = {}
    for sysfs, change in ((tree.path, lambda number: tree.stage("1.2", f"9.{number}")),
                          (through_fuse, lambda number: made.sim(f"stage rmm 9.{number}"))):
        made.sysfs = sysfs
        made.start("lfad")
        made.recognise_nvnew()
        listeners = Listeners(made, 1, made.image_path("rmm"))
        delays = []
        for number in range(RUNS):
            delays.append(_delay(made, listeners, lambda: change(number + 1)))
        listeners.close()
        made.stop("lfad")
        samples[sysfs] = Sample(delays)
    made.sysfs = through_fuse
    ours, simulated = samples[tree.path], samples[through_fuse]
    table.row("uevent to PropertiesChanged, beyond settling", ours.text("ms"), [], None, f"< {GOAL:.0f} ms",
              ours.median < GOAL, lfad=ours.figures())
    table.row("the same, images read through lfa-sim", simulated.text("ms"), lfad=simulated.figures())
