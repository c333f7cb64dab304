# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 8 to 16: what attributes show, and when that changes."""

import os
import re

from client import directories, expect, path, read, same, text
from contract import (ALL, BL31, FROM_V1, FROM_V2S, KNOWN_NAMES, RFC, RMM, SCP, UNKNOWN, UNKNOWN_NAME, V1,
                      WRITE_ONLY, files, settings)
from suite import statement

FLAGS = ["activation_capable", "may_reset_cpu", "cpu_rendezvous"]


def readable(profile):
    return [name for name in files(profile) if name not in WRITE_ONLY]


def without_firmware(case, guid=RMM):
    """All values that need no firmware call."""
    return {name: read(guid, name) for name in readable(case.profile)
            if name not in ("activation_pending", "pending_version")}


@statement(8, ALL)
def booleans(case):
    case.start()
    for guid in directories():
        for name in set(readable(case.profile)) - {"name", "current_version", "pending_version"}:
            expect(read(guid, name) in (b"0\n", b"1\n"), f"{name} of {guid} is a boolean")
    same([text(guid, "cpu_rendezvous") for guid in (RMM, BL31)], ["0", "1"], "cpu_rendezvous is the inverted flag")


@statement(8, FROM_V1)
def versions(case):
    case.start()
    case.ctl("set rmm current-version 2.3")
    case.ctl("set scp current-version 4294967295.4294967295")
    case.succeed(UNKNOWN)
    same([text(guid, "current_version") for guid in (RMM, SCP)], ["2.3", "4294967295.4294967295"], "versions")


@statement(9, FROM_V1)
def no_current_version(case):
    case.start("tfa")
    same({text(guid, "current_version") for guid in directories()}, {"0.0"}, "versions of TF-A")


@statement(10, ALL)
def known_names(case):
    case.start("tfa")
    for guid, name in KNOWN_NAMES[case.profile].items():
        same(read(guid, "name"), name + b"\n", "name")


@statement(10, ALL)
def unknown_names(case):
    case.start()
    if case.profile != "v1nv":
        same(read(UNKNOWN, "name"), UNKNOWN_NAME[case.profile] + b"\n", "name of an unknown image")
        return
    for guid in (UNKNOWN, BL31):  # what lay on the stack
        garbage = read(guid, "name")
        expect(not garbage.isascii() and not garbage.startswith(b"TF-A"), "garbage for a name")


@statement(11, ALL)
def pending_is_fresh(case):
    case.start()
    before = without_firmware(case)
    same(text(RMM, "activation_pending"), "0", "at first")
    case.ctl("stage rmm 9.1")
    same(text(RMM, "activation_pending"), "1", "staged")
    same(text(SCP, "activation_pending"), "0", "of another image")
    case.ctl("unstage rmm")
    same(text(RMM, "activation_pending"), "0", "unstaged")
    same(without_firmware(case), before, "other values")


def change_flags(case):
    for field in ("capable 0", "may-reset 1", "rendezvous-optional 0", "current-version 8.8"):
        case.ctl(f"set scp {field}")


@statement(12, FROM_V1)
def flags_wait_for_a_success(case):
    case.start()
    before = without_firmware(case, SCP)
    change_flags(case)
    same(text(SCP, "activation_pending"), "0", "pending")
    same(without_firmware(case, SCP), before, "cached values")
    case.succeed(RMM)
    same([text(SCP, name) for name in FLAGS + ["current_version"]], ["0", "1", "1", "8.8"], "after a success")


@statement(12, RFC)
def flags_follow_a_pending_read(case):
    case.start()
    before = without_firmware(case, SCP)
    change_flags(case)
    same(without_firmware(case, SCP), before, "cached values")
    same(text(SCP, "activation_pending"), "0", "pending")
    same([text(SCP, name) for name in FLAGS], ["0", "1", "1"], "after a pending read")


@statement(12, RFC)
def flags_follow_a_success(case):
    case.start()
    change_flags(case)
    case.succeed(RMM)
    same([text(SCP, name) for name in FLAGS], ["0", "1", "1"], "after a success")


@statement(13, FROM_V2S)
def pending_version_needs_the_stored_bit(case):
    case.start()
    case.ctl("stage rmm 9.1")
    same(text(RMM, "pending_version"), "N/A", "before pending was read")
    same(text(RMM, "activation_pending"), "1", "pending")
    same(text(RMM, "pending_version"), "9.1", "afterwards")
    case.ctl("stage rmm 9.2")
    same(text(RMM, "pending_version"), "9.2", "with a stale bit")


@statement(14, FROM_V2S)
def pending_without_a_version(case):
    case.start("tfa")
    case.offer(RMM)
    same(text(RMM, "pending_version"), "N/A", "pending_version of TF-A")


@statement(14, V1)
def pending_version_is_arbitrary(case):
    case.start()
    case.offer(RMM)
    shown = text(RMM, "pending_version")
    expect(re.fullmatch(r"\d+\.\d+", shown) and shown != "9.1", f"an arbitrary version: {shown}")
    case.ctl("unstage rmm")
    expect(re.fullmatch(r"\d+\.\d+", text(RMM, "pending_version")), "an arbitrary version of nothing")


@statement(15, ALL)
def a_failing_call_is_silent(case):
    case.start()
    case.offer(RMM)
    case.ctl("unstage rmm")
    case.ctl("fail inventory DEVICE_ERROR --times=1")
    same(text(RMM, "activation_pending"), "1", "the last value")
    same(text(RMM, "activation_pending"), "0", "the next read")
    same(case.logged("DEVICE_ERROR"), [], "nothing in the log")


@statement(15, FROM_V2S)
def a_failing_call_gives_no_version(case):
    case.start()
    case.offer(RMM)
    case.ctl("fail inventory DEVICE_ERROR --times=1")
    same(text(RMM, "pending_version"), "N/A", "pending_version")


@statement(16, ALL)
def calls_a_read_costs(case):
    case.start()
    for name in readable(case.profile):
        before = case.calls()
        read(RMM, name)
        same(case.calls() - before, 1 if name in ("activation_pending", "pending_version") else 0, f"calls for {name}")
    for name in settings(case.profile):
        before = case.calls()
        same(read(RMM, name)[1:], b"\n", name)
        same(case.calls(), before, f"calls for {name}")
    same(text(BL31, "activation_pending"), "0", "pending of BL31")


@statement(16, ALL)
def a_small_read_costs_no_more(case):
    case.start()
    fd = os.open(path(RMM, "activation_pending"), os.O_RDONLY)
    before = case.calls()
    same([os.read(fd, 1) for _ in range(3)], [b"0", b"\n", b""], "byte by byte")
    same(case.calls() - before, 1, "calls")
    os.close(fd)
