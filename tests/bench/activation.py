# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lfad adds to a write of `activate`: before the first byte, and altogether. Nobody delays activations here, and
there is no watchdog to be raised. The first byte is timed with systemd and logind, which every host has and lfad asks,
as the stand-ins of the component tests; and without them, where the bus answers at once that they are not there."""

import json
import os
import signal
import tempfile
import time

import login1
import systemd1
import world
from plain_tree import PlainTree
from table import Sample

RUNS, SIMULATED_RUNS = 12, 6
WRITE = 0.5
SETTLE = 1.0  # what lfad waits after the tree moved, by design
FIRST_BYTE_GOAL, RATIO_GOAL = 10.0, 1.05
RECORD = b"x" * 300 + b"\n"  # about what a record of the history takes


def let_settle(made):
    """Not luck: the gate 'settle' would make the next activation wait that long. What is known of the images is then
    too old to judge a call by, so that it is read again."""
    made.refresh()
    time.sleep(SETTLE + 0.2)


def _activate(made):
    """s from the call until its end was told."""
    begin = time.monotonic()
    job = made.wait_job(made.activate("rmm"))
    if job["Result"] != "succeeded":
        raise SystemExit(f"an activation {job['Result']}: {job['Message']}")
    return made.signals("JobRemoved")[-1].time - begin


def _bare_write(path):
    """What an administrator's echo does; s."""
    begin = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        file.write(b"1")
    return time.monotonic() - begin


def _first_byte(made, tree):
    """One activation: s from its call until the worker's own stamp right before write(2), which its report tells. lfad
    removes the report when it has it, so it is stopped as long as the write is under way, which is after all that is
    measured here."""
    tree.entered.clear()
    tree.may_end.clear()
    begin = time.time()  # the report's clock; what sets it in these few ms shows as one sample far off
    job = made.activate("rmm")
    report = os.path.join(made.runtime_dir, f"job-{made.job_id(job)}.report")
    made.wait_for(tree.entered.is_set, 30, "the worker to open activate")
    os.kill(made.pid("lfad"), signal.SIGSTOP)
    try:
        tree.may_end.set()
        made.wait_for(lambda: os.path.exists(report), 30, "the worker's report")
        with open(report, encoding="utf-8") as file:
            stamp = json.load(file)["write-timestamp"] / 1e6
    finally:
        os.kill(made.pid("lfad"), signal.SIGCONT)
    ended = made.wait_job(job)
    if ended["Result"] != "succeeded":
        raise SystemExit(f"an activation {ended['Result']}: {ended['Message']}")
    return stamp - begin


def _first_bytes(made, tree, version):
    """s of each of the runs, which stage this version and those after it."""
    times = []
    for run in range(RUNS):
        tree.stage(f"{version + run}.1", f"{version + run}.2")
        let_settle(made)
        times.append(_first_byte(made, tree))
    return times


def _on_plain_files(made):
    """s until the first byte, alone on the bus and with those who are asked; activations and bare writes in turns."""
    tree, through_fuse = PlainTree(made), made.sysfs
    made.sysfs = tree.path
    tree.answer_writes(0)
    made.start("lfad")
    alone = _first_bytes(made, tree, 100)
    tree.seconds = WRITE
    whole, bare = [], []
    for run in range(RUNS):
        tree.stage(f"{run}.1", f"{run}.2")
        let_settle(made)
        whole.append(_activate(made))
        tree.stage(f"{run}.3", f"{run}.4")
        bare.append(_bare_write(os.path.join(tree.root, world.GUIDS["rmm"], "activate")))
    tree.seconds = 0
    logind, systemd = login1.Login1(made.connect()), systemd1.Systemd1(made)
    asked = _first_bytes(made, tree, 200)
    if len(logind.taken) != RUNS or not systemd.asked:
        raise SystemExit("lfad did not ask logind for its lock each time, or systemd for nothing")
    made.stop("lfad")
    systemd.stop()
    logind.close()
    made.sysfs = through_fuse
    return alone, asked, whole, bare


def _through_simulator(made):
    """The same, with another image for the bare write."""
    made.start("lfad")
    made.sim(f"slow activate {WRITE * 1000:.0f}ms")
    first, whole, bare = [], [], []
    for run in range(SIMULATED_RUNS):
        made.sim(f"stage rmm 2.{run + 1}")
        let_settle(made)
        begin = time.monotonic()
        whole.append(_activate(made))
        first.append(json.loads(made.sim("times --json"))["activate-entry"] / 1e6 - begin)
        made.sim(f"stage scp 4.{run + 1}")
        bare.append(_bare_write(os.path.join(world.TREE, world.GUIDS["scp"], "activate")))
    made.stop("lfad")
    return first, whole, bare


def _fdatasync():
    """s to append a record and have it on the disk that the build folder is on."""
    times = []
    with tempfile.NamedTemporaryFile(dir=world.BUILD_DIR) as file:
        for _ in range(50):
            begin = time.monotonic()
            os.write(file.fileno(), RECORD)
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - begin)
    return times


def _milliseconds(values):
    return Sample([value * 1000 for value in values])


def run(made, table):
    alone, asked, whole, bare = (_milliseconds(values) for values in _on_plain_files(made))
    for first, asks in ((asked, "logind and systemd stand-ins asked"), (alone, "no logind, no systemd")):
        table.row("Activate: call to first byte in sysfs", first.text("ms"), [asks], None,
                  f"< {FIRST_BYTE_GOAL:.0f} ms", first.median < FIRST_BYTE_GOAL, lfad=first.figures())
    table.remark("The end is the worker's own stamp right before write(2). The stand-ins are in Python, slower than "
                 "the real ones; lfad asks them for a lock and for what they know of the host.")
    sync = _milliseconds(_fdatasync())
    table.row("apart: one record and its fdatasync on this disk", sync.text("ms"), fdatasync=sync.figures())
    table.remark("Two records are on disk before the first byte, a third before the end; here they are in memory.")
    ratio = whole.median / bare.median
    table.row(f"a whole activation of {WRITE * 1000:.0f} ms", whole.text("ms", 1),
              [f"bare write {bare.text('ms', 1)}"], ratio, f"< {RATIO_GOAL}", ratio < RATIO_GOAL,
              lfad=whole.figures(), bare=bare.figures())
    first, whole, bare = (_milliseconds(values) for values in _through_simulator(made))
    table.row("through lfa-sim: call to first byte", first.text("ms"), lfad=first.figures())
    table.row("through lfa-sim: a whole activation", whole.text("ms", 1), [f"bare write {bare.text('ms', 1)}"],
              whole.median / bare.median, lfad=whole.figures(), bare=bare.figures())
    table.remark("Else sysfs is plain files, which cost what the kernel's cost; lfa-sim's wake up a process each.")
