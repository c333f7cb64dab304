# SPDX-License-Identifier: LGPL-2.1-or-later
"""From the making of the process to READY=1, which lfad says when it has its bus name, after its first reading of all
images; and to the bus name, which is all that the peers tell."""

import os

import world
from peers import BOLT, FWUPD, HOSTNAMED, UPOWER
from plain_tree import PlainTree
from table import Sample, run_json

RUNS = 25
SLOW_RUNS = 5  # of fwupd, which takes a second
GOAL = 15.0
PROGRAM = os.path.join(world.BUILD_DIR, "tests/bench/bench-start")


def start_lfad(made):
    """One start, in us: see bench-start.c."""
    return run_json([PROGRAM, world.NAME, "ready", *made.lfad_command()],
                    {**made.environment, **made.lfad_environment()})


def _start_peer(made, peer):
    return run_json([PROGRAM, peer.bus_name, "name", peer.program], made.environment)


def _milliseconds(results, key):
    return Sample([result[key] / 1000 for result in results])


def run(made, table):
    through_fuse, plain = made.sysfs, PlainTree(made).path
    of_lfad = {through_fuse: [], plain: []}
    of_peers = {peer: [] for peer in (HOSTNAMED, BOLT, UPOWER, FWUPD)}
    for number in range(RUNS):
        for sysfs, results in of_lfad.items():
            made.sysfs = sysfs
            results.append(start_lfad(made))
        for peer, results in of_peers.items():
            if peer is not FWUPD or number < SLOW_RUNS:
                results.append(_start_peer(made, peer))
    made.sysfs = through_fuse
    ours, simulated = _milliseconds(of_lfad[plain], "ready"), _milliseconds(of_lfad[through_fuse], "ready")
    names = {peer: _milliseconds(results, "name") for peer, results in of_peers.items()}
    table.row("start to READY", ours.text("ms"),
              [f"{peer.name} {sample.text('ms')}" for peer, sample in names.items()],
              ours.median / names[HOSTNAMED].median, f"< {GOAL:.0f} ms", ours.median < GOAL, lfad=ours.figures(),
              **{peer.name: sample.figures() for peer, sample in names.items()})
    table.row("start to READY, images read through lfa-sim", simulated.text("ms"), lfad=simulated.figures())
    cost = _milliseconds(of_lfad[plain], "processor")
    costs = {peer: _milliseconds(results, "processor") for peer, results in of_peers.items()}
    table.row("start: the process' processor", cost.text("ms"),
              [f"{peer.name} {sample.text('ms')}" for peer, sample in costs.items()],
              cost.median / costs[HOSTNAMED].median, lfad=cost.figures(),
              **{peer.name: sample.figures() for peer, sample in costs.items()})
    table.remark("Without lfa-sim the same images are plain files, which cost what the kernel's cost; the peers are "
                 "timed to their bus names. The ratio is to hostnamed.")
