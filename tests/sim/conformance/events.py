# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 55 to 61: what a udev monitor hears."""

import re

from client import activate, directories, expect, same, write
from contract import ALL, DEVICES, EVENTFUL, FROM_V3, PROFILES, RMM, SCP, UNKNOWN, settings
from suite import statement


def without_changes(events):
    return [event for event in events if event["ACTION"] != "change"]


@statement(55, ALL)
def nothing_below_the_folder(case):
    listener = case.listen()
    case.start()
    case.ctl("add sp1 1.0")
    case.ctl("vanish scp")
    case.succeed(RMM)
    case.ctl("unbind")
    case.ctl("bind")
    case.settle()
    case.stop()
    listener.take()
    same([event for event in listener.seen if "firmware" in event["DEVPATH"]], [], "events of images")
    same(bool(listener.seen), case.profile in DEVICES, "events at all")


@statement(56, ALL)
def add_and_bind(case):
    listener = case.listen()
    case.start()
    case.settle()
    events = without_changes(listener.take())
    if case.profile not in DEVICES:
        same(events, [], "events")
        return
    subsystem, devpath, driver = DEVICES[case.profile]
    same([event["ACTION"] for event in events], ["add", "bind"], "actions")
    same({event["SUBSYSTEM"] for event in events}, {subsystem}, "SUBSYSTEM")
    expect(all(event["DEVPATH"].startswith(devpath) for event in events), "DEVPATH")
    expect("DRIVER" not in events[0], "add carries no DRIVER")
    expect("DRIVER" in events[1] and (driver is None or events[1]["DRIVER"] == driver), "bind carries it")
    same(any(event["SUBSYSTEM"] == "arm_smccc" for event in events), case.profile in FROM_V3, "on arm_smccc")


@statement(57, PROFILES)
def one_change_after_probe(case):
    due = 1 if case.profile == "nvnew" else 0
    listener = case.listen()
    case.start()
    case.settle()
    same(listener.actions().count("change"), due, "changes after probe")
    case.ctl("unbind")
    listener.take()
    case.ctl("bind --change-first")
    case.settle()
    events = listener.take()
    same([event["ACTION"] for event in events],
         (["change"] if due else []) + (["bind"] if case.profile in DEVICES else []), "and before bind")
    expect(all("DRIVER" in event for event in events), "DRIVER from the first change on")


@statement(58, PROFILES)
def one_change_after_a_success(case):
    due = ["change"] if case.profile in EVENTFUL else []
    listener = case.listen()
    case.start()
    case.settle()
    listener.take()
    case.ctl("cleanup-window 1000s")
    case.ctl("vanish scp")
    case.offer(RMM)
    same(activate(RMM), 1, "a success")
    same(listener.actions(), [], "before the stale directory is gone")
    case.hurry()
    same(listener.actions(), due, "afterwards")
    if due:
        expect(SCP not in directories(), "it is gone")


def successes(case, *guids):
    """One right after the other."""
    for guid in guids:
        case.offer(guid)
    same([activate(guid) for guid in guids], [1] * len(guids), "successes")


@statement(58, ["nvnew"])
def quick_successes_share_a_change(case):
    """Only nvnew can show it, and only before the worker has begun: afterwards it answers EBUSY."""
    listener = case.listen()
    case.start()
    case.settle()
    listener.take()
    case.ctl("cleanup-window 1000s --idle=1000s")
    successes(case, RMM, SCP, UNKNOWN)
    same(listener.actions(), [], "before the worker")
    case.hurry()
    same(listener.actions(), ["change"], "of three successes")


@statement(58, ["v2bos"])
def quick_successes_lose_the_tree(case):
    """Hence v2bos cannot be made to share a change here; on the real one it is chance."""
    listener = case.listen()
    case.start()
    case.settle()
    listener.take()
    case.ctl("cleanup-window 1000s")
    successes(case, RMM, SCP)
    case.hurry()
    expect(listener.actions() in (["change"], ["change"] * 2), "one or two of two successes")
    same(directories(), set(), "directories")


@statement(58, EVENTFUL)
def successes_apart_share_nothing(case):
    listener = case.listen()
    case.start()
    case.settle()
    listener.take()
    for n in range(3):
        case.succeed(RMM, f"9.{n}")
    same(listener.actions(), ["change"] * 3, "one each")


@statement(59, ALL)
def no_change_for_anything_else(case):
    listener = case.listen()
    case.start("tfa")
    case.settle()
    listener.take()
    expect(activate(RMM) < 0, "a failure")
    case.offer(RMM)
    case.ctl("fail activate ACTIVATION_FAILED --times=1")
    activate(RMM)
    write(RMM, "cancel")
    for name in settings(case.profile):
        write(RMM, name, b"1")
        write(RMM, name, b"0")
    case.ctl("unstage rmm")
    case.offer(RMM)
    case.ctl("fail info DEVICE_ERROR --times=1")
    case.hurry()
    same(activate(RMM), 1, "a success whose refresh fails, where there is one")
    case.hurry()
    same(listener.actions(), [], "events")


@statement(60, EVENTFUL)
def no_image_in_the_change(case):
    listener = case.listen()
    case.start()
    case.settle()
    case.succeed(RMM)
    changes = [event for event in listener.take() if event["ACTION"] == "change"]
    for event in changes:
        same(set(event) - {"MODALIAS"}, {"ACTION", "DEVPATH", "SUBSYSTEM", "DRIVER", "SEQNUM"}, "variables")
        expect(not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", repr(event)), "no GUID")
    expect(changes, "a change")


@statement(61, FROM_V3)
def the_name_varies(case):
    for options, devpath, modalias in (
            ([], "/devices/arm-smccc-lfa-0", "arm_smccc:arm-smccc-lfa"),
            (["--device-suffix=7"], "/devices/arm-smccc-lfa-7", "arm_smccc:arm-smccc-lfa"),
            (["--device-suffix=none"], "/devices/arm-smccc-lfa", "arm_smccc:fC40002E0")):
        listener = case.listen()
        case.start("versioned", *options)
        case.ctl("uevent change")
        case.stop()
        events = listener.take()
        same({(event["DEVPATH"], event["MODALIAS"]) for event in events}, {(devpath, modalias)}, "names")
