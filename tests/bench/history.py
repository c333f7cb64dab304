# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a long history costs lfad, which keeps none of it in memory."""

import contextlib
import json
import os
import time

import start
import world
from plain_tree import PlainTree
from scale import growth_row
from table import Sample, memory, processor

RECORDS = (1000, 10_000, 100_000)
ROUNDS = 3  # in turns: what else the machine does meets all lengths
STARTS = 3
OLDEST = 9  # readings of the oldest page
POLL = 10  # the shortest; with it lfad gives back what it does not need
PAGE = 256


def _write(path, records):
    """As many as real jobs leave: three records each."""
    boot = "0" * 32
    with open(path, "w", encoding="utf-8") as file:
        for seq in range(1, records + 1):
            job = seq - (seq - 1) % 3
            record = {"job": job, "guid": world.GUIDS["rmm"], "from": "1.2", "to": "2.0"}
            if seq == job:
                record |= {"uid": 0, "pid": 812, "unit": "fleet.service", "reason": "ticket",
                           "request-id": f"id-{seq}"}
            elif seq == job + 2:
                record |= {"verdict-row": 3, "errno": 0, "attempts": 1, "version-after": "2.0", "pending-after": 0,
                           "result": "succeeded", "message": "Version 2.0 runs, was 1.2.", "uid": 0,
                           "write-usec": 500000}
            record |= {"seq": seq, "type": ("queued", "started", "finished")[seq - job], "timestamp": 10 ** 15 + seq,
                       "monotonic": seq, "boot-id": boot}
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def _idle_memory(made):
    """Private memory in KiB after a poll."""
    time.sleep(POLL + 3)
    return memory(made.pid("lfad"), "Private_Dirty")


def _read_pages(made):
    """Every page of the history, newest first, as 'lfactl history --json' asks for them: ms of lfad's processor that
    all of them took."""
    before, had = 0, processor(made.pid("lfad"))
    while True:
        page = _read_page(made, before)
        if len(page) < PAGE:
            return (processor(made.pid("lfad")) - had) * 1000
        before = page[0]["seq"]


def _read_page(made, before):
    return made.call(world.PATH, world.MANAGER, "GetHistory", "a{sv}", {"before": world.dbus.UInt64(before)})


def _read_oldest(made):
    """ms that the oldest whole page takes, and ms of lfad's processor."""
    had, begin = processor(made.pid("lfad")), time.monotonic()
    if len(_read_page(made, PAGE + 1)) != PAGE:
        raise SystemExit("the oldest page of the history is not there")
    return (time.monotonic() - begin) * 1000, (processor(made.pid("lfad")) - had) * 1000


@contextlib.contextmanager
def _history(made, path):
    """lfad finds this history, and nothing else, in its state folder."""
    for entry in os.scandir(made.state_dir):
        os.unlink(entry.path)
    os.rename(path, os.path.join(made.state_dir, "history.jsonl"))
    yield
    os.rename(os.path.join(made.state_dir, "history.jsonl"), path)


def _time(made):
    """ms, each a list of what was measured."""
    starts = [start.start_lfad(made) for _ in range(STARTS)]
    made.start("lfad")
    all_pages = _read_pages(made)
    oldest, cost_of_oldest = zip(*(_read_oldest(made) for _ in range(OLDEST)))
    made.stop("lfad")
    return {"start to READY": [each["ready"] / 1000 for each in starts],
            "start: processor": [each["processor"] / 1000 for each in starts],
            "a page of 256, the oldest": oldest, "the oldest page: processor": cost_of_oldest,
            "all pages: processor": [all_pages]}


def _weigh(made):
    """KiB; it does not depend on what else the machine does."""
    made.start("lfad")
    dirty = _idle_memory(made)
    _read_pages(made)
    after = _idle_memory(made)
    made.stop("lfad")
    return {"idle: private dirty memory": (dirty, "KiB"), "private dirty memory after all pages": (after, "KiB")}


def _with_records(made, paths, measure):
    """What was measured with each of the histories."""
    results = []
    for path in paths:
        with _history(made, path):
            results.append(measure(made))
    return results


def run(made, table):
    through_fuse = made.sysfs
    made.sysfs = PlainTree(made).path
    made.configure(f"[Daemon]\nPollSec={POLL}\nHistoryMaxBytes=1G\n")
    paths = [os.path.join(made.dir, f"history-{count}") for count in RECORDS]
    for path, count in zip(paths, RECORDS):
        _write(path, count)
    rounds = [_with_records(made, paths, _time) for _ in range(ROUNDS)]
    weights = _with_records(made, paths, _weigh)
    made.sysfs = through_fuse
    for what in rounds[0][0]:
        times = [Sample([value for result in of_count for value in result[what]]) for of_count in zip(*rounds)]
        growth_row(table, what, RECORDS, [(sample.median, "ms") for sample in times], "records")
    for what in weights[0]:
        growth_row(table, what, RECORDS, [weight[what] for weight in weights], "records")
