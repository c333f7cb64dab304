#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures lfad with the real bus, polkit and FUSE around it, beside other services of Debian and beside a bare write.

usage: run.py [PART...]

Without PART all parts. Prints a table and writes it to bench.json in the build folder. Each part has a world of its
own; the figures of a row were taken in turns, so that whatever else the machine does meets them all."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "world")]
import world  # noqa: E402 (its folder is not on the path before)
import activation  # noqa: E402
import calls  # noqa: E402
import history  # noqa: E402
import idle  # noqa: E402
import peers  # noqa: E402
import scale  # noqa: E402
import start  # noqa: E402
import table  # noqa: E402
import uevent  # noqa: E402


def schedule(_, rows):
    """What windows and freezes cost, which needs no world: see bench-schedule.c."""
    done = subprocess.run([os.path.join(world.BUILD_DIR, "tests/bench/bench-schedule")], stdout=subprocess.PIPE,
                          check=True)
    for line in done.stdout.decode().splitlines():
        what, value, remark = line.split("\t")
        rows.row(what, value, [remark])


PARTS = {
    "idle": ("what it costs to do nothing, all services running", idle.run),
    "calls": ("GetManagedObjects of four images, beside the peers' GetAll", calls.run),
    "start": ("start to READY", start.run),
    "activation": ("Activate", activation.run),
    "uevent": ("uevents", uevent.run),
    "scale": ("many images, many subscribers", scale.run),
    "history": ("a long history", history.run),
    "schedule": ("windows and freezes", schedule),
}


def main(wanted):
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        raise SystemExit(f"there is no part '{unknown[0]}'; there are: {' '.join(PARTS)}")
    for program in (world.LFAD, world.WORKER):  # what was linked just now counts as dirty memory until it is on disk
        with open(program, "rb") as file:
            os.fsync(file.fileno())
    rows = table.Table()
    rows.head(os.environ.get("LFAD_BENCH_BUILD", "unknown"))
    for part in wanted or PARTS:
        title, run = PARTS[part]
        rows.part(f"{part}: {title}")
        with peers.BenchWorld() as made:
            run(made, rows)
    rows.finish(os.path.join(world.BUILD_DIR, "bench.json"))


if __name__ == "__main__":
    world.enter()
    main(sys.argv[1:])
