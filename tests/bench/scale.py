# SPDX-License-Identifier: LGPL-2.1-or-later
"""How cost grows with the number of images, and with that of clients that listen."""

import os
import time

import calls
import start
import world
from plain_tree import PlainTree
from table import Sample, memory, processor
from uevent import Listeners

IMAGES = (10, 100, 1000)
SUBSCRIBERS = (1, 100, 1000)
ROUNDS = 5  # in turns: what else the machine does meets all sizes
STARTS, REFRESHES, CHANGES = 5, 9, 200
TOLERANCE = 0.1  # of what is called linear: measurements scatter


def _with_images(made, sysfs, count):
    """What lfad costs with so many of them, as plain files: all times in ms."""
    made.sysfs = sysfs
    starts = [start.start_lfad(made) for _ in range(STARTS)]
    ready, cost_of_start = (Sample([each[key] / 1000 for each in starts]) for key in ("ready", "processor"))
    made.start("lfad")
    if len(made.images()) < count:
        raise SystemExit(f"lfad shows fewer than {count} images")
    times, costs = [], []
    for _ in range(REFRESHES):
        before, begin = processor(made.pid("lfad")), time.monotonic()
        made.refresh()
        times.append((time.monotonic() - begin) * 1000)
        costs.append((processor(made.pid("lfad")) - before) * 1000)
    answers = calls.measure(made, "lfad", calls.managed_objects(), 1, 1.0)
    dirty = memory(made.pid("lfad"), "Private_Dirty")
    made.stop("lfad")
    return {"start to READY": (ready.median, "ms"), "start: processor": (cost_of_start.median, "ms"),
            "Refresh": (Sample(times).median, "ms"), "Refresh: processor": (Sample(costs).median, "ms"),
            "GetManagedObjects": (answers["median"] / 1000, "ms"),
            "GetManagedObjects: processor": (answers["cost"] / 1000, "ms"), "private dirty memory": (dirty, "KiB")}


def growth_row(table, what, counts, results, things):
    """results: a figure and its unit for each count. Linear: what the figure grows by from the second count to the
    last one is to what it grew by before as the counts' own growth is; so what is there whatever the count hides
    nothing. A figure that grows by less than the tolerance altogether does not grow, and what it grew by before is
    taken for no less than that."""
    (first, _), (middle, _), (last, unit) = results
    grows = last > middle * (1 + TOLERANCE)
    ratio = (last - middle) / max(middle - first, first * TOLERANCE) if grows else 0.0
    expected = (counts[-1] - counts[-2]) / (counts[-2] - counts[-3])
    table.row(f"{what}: {counts[-1]} {things}", f"{last:.2f} {unit}",
              [f"{count}: {value:.2f} {unit}" for count, (value, _) in zip(counts[:-1], results)], ratio,
              f"<= {expected:.1f} +{TOLERANCE:.0%}", ratio <= expected * (1 + TOLERANCE),
              **{str(count): value for count, (value, _) in zip(counts, results)})


def _images(made, table):
    through_fuse = made.sysfs
    trees = [PlainTree(made, count).path for count in IMAGES]
    rounds = []
    for _ in range(ROUNDS):
        rounds.append([_with_images(made, tree, count) for tree, count in zip(trees, IMAGES)])
    made.sysfs = through_fuse
    for what, (_, unit) in rounds[0][0].items():
        results = [(Sample([result[what][0] for result in of_count]).median, unit) for of_count in zip(*rounds)]
        growth_row(table, what, IMAGES, results, "images")


def _simulated_images(made, table):
    """That the simulator itself can show so many."""
    for number in range(IMAGES[-1] - len(os.listdir(world.TREE))):
        made.sim(f"add 00000000-0000-4000-8000-{number:012x} 1.0 --now")
    begin = time.monotonic()
    made.start("lfad")
    seconds = time.monotonic() - begin
    made.wait_for(lambda: len(made.images()) >= IMAGES[-1], 60, "lfad to show all of lfa-sim's images")
    table.row(f"start to READY: {IMAGES[-1]} images of lfa-sim's", f"{seconds * 1000:.0f} ms",
              ["a process woken for each access"], lfad=seconds * 1000)
    made.stop("lfad")


def _with_subscribers(made, tree, count):
    """Changes of one image that so many clients hear of, in ms: lfad's processor, and until the last one has it."""
    listeners = Listeners(made, count, made.image_path("rmm"))
    costs, delays = [], []
    for number in range(CHANGES):
        tree.stage("1.2", f"{count}.{number + 1}")
        before, begin = processor(made.pid("lfad")), time.monotonic()
        made.refresh()
        _, last = listeners.received()
        costs.append((processor(made.pid("lfad")) - before) * 1000)
        delays.append((last - begin) * 1000)
    listeners.close()
    return {"a change: processor": (Sample(costs).median, "ms"),
            "a change: the last one has it": (Sample(delays).median, "ms")}


def _subscribers(made, table):
    tree, through_fuse = PlainTree(made), made.sysfs
    made.sysfs = tree.path
    made.start("lfad")
    results = [_with_subscribers(made, tree, count) for count in SUBSCRIBERS]
    made.stop("lfad")
    made.sysfs = through_fuse
    for what in results[0]:
        growth_row(table, what, SUBSCRIBERS, [result[what] for result in results], "subscribers")
    table.remark("The ratio: growth in the last step by that in the step before; 0 where the last step is less than a "
                 "tenth of the figure. The bus, not lfad, hands a signal to each subscriber.")


def run(made, table):
    _images(made, table)
    _subscribers(made, table)
    _simulated_images(made, table)
