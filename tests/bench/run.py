#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures lfad with the real bus, polkit and FUSE around it. Prints a table; judges nothing: machines differ, and a
figure is worth reading beside the ones of the same run."""

import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "world"))
import world  # noqa: E402 (its folder is not on the path before)

RUNS = 10
SETTLE = 1.0  # what lfad waits after the tree moved, by design
IDLE = 65


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


def start(made):
    times = []
    for _ in range(RUNS):
        made.stop("lfad")
        begin = time.monotonic()
        made.start("lfad")
        times.append(time.monotonic() - begin)
    row("start to READY", milliseconds(times), "a first scan of four images included")


def main():
    print(f"lfad, {RUNS} runs each\n")
    with world.World() as made:
        start(made)
        activation(made)
        uevent(made)
        idle(made)


if __name__ == "__main__":
    world.enter()
    main()
