#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures lfad with the real bus, polkit and FUSE around it. Prints a table; judges nothing: machines differ, and a
figure is worth reading beside the ones of the same run."""

import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "world"))
import world  # noqa: E402 (its folder is not on the path before)

RUNS = 10
SETTLE = 1.0  # what lfad waits after the tree moved, by design
IDLE = 65
SOME_RECORDS, MANY_RECORDS = 1000, 100_000
POLL = 10  # the shortest


def row(what, value, remark=""):
    print(f"{what:<58} {value:>14}  {remark}", flush=True)


def milliseconds(values):
    return f"{statistics.median(values) * 1000:.2f} ms"


def let_settle(made):
    """Not luck: the gate 'settle' would make the next activation wait that long."""
    time.sleep(SETTLE + 0.2)
    made.refresh()


def activation(made):
    """From the call of Activate to the driver's entry, to the reply, and what the rest adds to a write of 500 ms."""
    to_store, to_reply, ratios = [], [], []
    made.sim("slow activate 500ms")
    for run in range(RUNS):
        made.stage("rmm", f"2.{run + 1}")
        let_settle(made)
        begin = time.monotonic()
        path = made.activate("rmm")
        to_reply.append(time.monotonic() - begin)
        job = made.wait_job(path)
        end = next(item.time for item in made.signals("JobRemoved") if item.args[1] == path)
        times = world.json.loads(made.sim("times --json"))
        to_store.append(times["activate-entry"] / 1e6 - begin)
        write = (times["activate-return"] - times["activate-entry"]) / 1e6
        ratios.append((end - begin) / write)
        if job["Result"] != "succeeded":
            raise SystemExit(f"an activation {job['Result']}: {job['Message']}")
    row("Activate: call to reply (queued on disk)", milliseconds(to_reply), f"median of {RUNS}")
    row("Activate: call to the first byte in sysfs", milliseconds(to_store), f"worst {max(to_store) * 1000:.2f} ms")
    row("Activate to JobRemoved / the bare 500 ms write", f"{statistics.median(ratios):.3f}")


def uevent(made):
    """From the uevent to PropertiesChanged, with the settle time taken off."""
    image, delays = made.image_path("scp"), []
    for run in range(RUNS):
        let_settle(made)
        before = len(made.signals("PropertiesChanged", image))
        made.sim(f"stage scp 9.{run + 1}")
        made.sim("uevent change")
        sent = world.json.loads(made.sim("times --json"))["uevent"] / 1e6
        made.wait_for(lambda: len(made.signals("PropertiesChanged", image)) > before, 10, "the change of scp")
        delays.append(made.signals("PropertiesChanged", image)[before].time - sent - SETTLE)
    row("uevent to PropertiesChanged, beyond the settle time", milliseconds(delays),
        f"worst {max(delays) * 1000:.2f} ms")


def status(pid, name, file="status"):
    with open(f"/proc/{pid}/{file}", encoding="utf-8") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def idle(made):
    pid = made.parts["lfad"].pid
    row("idle: PSS", f"{status(pid, 'Pss', 'smaps_rollup')} kB", "proportional share of libraries")
    row("idle: private dirty", f"{status(pid, 'Private_Dirty', 'smaps_rollup')} kB")
    before = status(pid, "voluntary_ctxt_switches")
    time.sleep(IDLE)
    woken = status(pid, "voluntary_ctxt_switches") - before
    row(f"idle: times the daemon slept again in {IDLE} s", woken, "one poll is among them: start, output, end of the worker")


def write_history(made, records):
    """As many as real jobs leave: three records each."""
    boot = "0" * 32
    with open(os.path.join(made.state_dir, "history.jsonl"), "w", encoding="utf-8") as file:
        for seq in range(1, records + 1):
            job = seq - (seq - 1) % 3
            record = {"job": job, "guid": world.GUIDS["rmm"], "from": "1.2", "to": "2.0"}
            if seq == job:
                record |= {"uid": 0, "pid": 812, "unit": "fleet.service", "reason": "ticket", "request-id": f"id-{seq}"}
            elif seq == job + 2:
                record |= {"verdict-row": 3, "errno": 0, "attempts": 1, "version-after": "2.0", "pending-after": 0,
                           "result": "succeeded", "message": "Version 2.0 runs, was 1.2.", "uid": 0, "write-usec": 500000}
            record |= {"seq": seq, "type": ("queued", "started", "finished")[seq - job], "timestamp": 10 ** 15 + seq,
                       "monotonic": seq, "boot-id": boot}
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def idle_memory(made):
    """Private memory in kB after a poll, with which lfad gives back what it does not need."""
    time.sleep(POLL + 3)
    return status(made.parts["lfad"].pid, "Private_Dirty", "smaps_rollup")


def memory_after_start(made, records):
    """Private memory of an idle lfad, in kB, and how long its start takes with so many records."""
    made.stop("lfad")
    write_history(made, records)
    begin = time.monotonic()
    made.start("lfad")
    seconds = time.monotonic() - begin
    return idle_memory(made), seconds


def read_all(made):
    """Every page of the history, as 'lfactl history --json' asks for them."""
    before, count, begin = 0, 0, time.monotonic()
    while True:
        page = made.call(world.PATH, world.MANAGER, "GetHistory", "a{sv}", {"before": world.dbus.UInt64(before)})
        count += len(page)
        if len(page) < 256:
            return count, time.monotonic() - begin
        before = page[0]["seq"]


def history(made):
    """What a long history costs lfad that does nothing."""
    made.configure(f"[Daemon]\nPollSec={POLL}\nHistoryMaxBytes=1G\n")
    bare, _ = memory_after_start(made, 0)
    some, _ = memory_after_start(made, SOME_RECORDS)
    full, seconds = memory_after_start(made, MANY_RECORDS)
    row("idle: private dirty without records", f"{bare} kB")
    row(f"idle: private dirty with {SOME_RECORDS} records", f"{some} kB", "256 request ids are remembered")
    row(f"idle: private dirty with {MANY_RECORDS} records", f"{full} kB", f"ratio to {SOME_RECORDS}: {full / some:.3f}")
    row(f"start to READY with {MANY_RECORDS} records", f"{seconds * 1000:.2f} ms")
    count, seconds = read_all(made)
    after = idle_memory(made)
    row(f"idle: private dirty after {count} were read", f"{after} kB", f"ratio to {SOME_RECORDS}: {after / some:.3f}")
    row("GetHistory: a page of 256 records", f"{seconds / (count / 256) * 1000:.2f} ms", "mean over all, page by page")


def start(made):
    times = []
    for _ in range(RUNS):
        made.stop("lfad")
        begin = time.monotonic()
        made.start("lfad")
        times.append(time.monotonic() - begin)
    row("start to READY", milliseconds(times), "a first scan of four images included")


def schedule():
    """What needs no world."""
    subprocess.run([os.path.join(world.BUILD_DIR, "tests/bench/bench-schedule")], check=True)


def main():
    print(f"lfad, {RUNS} runs each\n", flush=True)
    schedule()
    with world.World() as made:
        start(made)
        activation(made)
        uevent(made)
        idle(made)
        history(made)


if __name__ == "__main__":
    world.enter()
    main()
