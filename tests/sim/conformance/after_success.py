# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 40 to 49: the refresh that follows a success, and what it leaves behind."""

import os
from errno import ENODEV, ENOENT

from client import LFA, Call, activate, directories, expect, inode, open_errno, path, read, result_of, same, text, write
from contract import ALL, BL31, FROM_V1, FROM_V2, FROM_V2S, RFC, RMM, SCP, SP1, UNKNOWN, since
from suite import statement

FLAGS = ["activation_capable", "may_reset_cpu", "cpu_rendezvous"]


def leave_stale(case, guid, *options):
    """A success that leaves the image's directory stale, for as long as nobody hurries."""
    case.ctl("cleanup-window 1000s " + " ".join(options))
    case.offer(RMM)
    case.ctl(f"vanish {guid}")
    same(activate(RMM), 1, "a success")
    expect(guid in directories(), "the stale directory is still there")


@statement(40, FROM_V1)
def new_directories_come_first(case):
    case.start()
    case.ctl("add sp1 1.0")
    case.offer(RMM)
    expect(SP1 not in directories(), "unseen so far")
    same(activate(RMM), 1, "a success")
    same(text(SP1, "current_version"), "1.0", "of the new image, as soon as the write has returned")


@statement(40, RFC)
def directories_of_the_rfc_never_change(case):
    case.start()
    before = directories()
    case.ctl("add sp1 1.0")
    case.ctl("vanish scp")
    case.succeed(RMM)
    same(directories(), before, "directories")


@statement(41, FROM_V1)
def stale_directories_go_later(case):
    case.start()
    leave_stale(case, SCP)
    case.hurry()
    expect(SCP not in directories(), "gone")
    case.ctl("cleanup-window default")
    case.ctl("vanish bl31")
    case.succeed(RMM, "9.2")
    expect(BL31 not in directories(), "gone by the driver's own habit")


@statement(41, FROM_V1)
def they_are_gone_before_three_milliseconds(case):
    case.start()
    case.offer(RMM)
    case.ctl("vanish scp")
    case.ctl("speed 0.01")
    same(activate(RMM), 1, "a success")
    case.after("1400us")
    same(open_errno(path(SCP, "name")), -ENOENT, "its files")
    case.after("1400us")
    expect(SCP not in directories(), "gone")


@statement(41, FROM_V1)
def files_go_first(case):
    case.start()
    case.ctl("hang read")
    reading = Call(read, SCP, "activation_pending")
    case.blocked(SCP)
    case.ctl("vanish scp --now")
    expect(os.path.isdir(f"{LFA}/{SCP}"), "the directory, while somebody sits in a read")
    same(open_errno(path(SCP, "name")), -ENOENT, "its files")
    case.ctl("release")
    reading.result()
    case.settle()
    expect(not os.path.exists(f"{LFA}/{SCP}"), "gone after the read")


@statement(42, FROM_V1)
def values_of_a_stale_directory(case):
    case.start()
    same([text(BL31, name) for name in FLAGS], ["1", "0", "1"], "healthy")
    case.ctl("set bl31 may-reset 1")
    leave_stale(case, BL31)
    same([text(BL31, name) for name in FLAGS], ["0", "0", "0"], "stale")
    same(text(BL31, "current_version"), "0.0", "current_version")
    before = case.calls()
    if case.profile in FROM_V2S:
        same(text(BL31, "pending_version"), "N/A", "pending_version")
        same(case.calls() - before, 0 if case.profile == "nvnew" else 1, "calls for it")
    same(read(BL31, "activation_pending"), -ENOENT if case.profile == "nvnew" else b"0\n", "activation_pending")


@statement(43, FROM_V1)
def descriptors_of_what_is_gone(case):
    case.start()
    folder = os.open(f"{LFA}/{SCP}", os.O_RDONLY | os.O_DIRECTORY)
    reading, unread = (os.open(path(SCP, "name"), os.O_RDONLY) for _ in range(2))
    writing = os.open(path(SCP, "activate"), os.O_WRONLY)
    os.read(reading, 64)
    case.ctl("vanish scp")
    case.succeed(RMM)
    same(open_errno(path(SCP, "name")), -ENOENT, "open")
    same(result_of(os.pread, reading, 64, 0), -ENODEV, "a descriptor that was read")
    same(result_of(os.read, unread, 64), -ENODEV, "one that was not")
    same(result_of(os.write, writing, b"1"), -ENODEV, "one for writing")
    same(open_errno("name", dir_fd=folder), -ENOENT, "openat")
    same(os.listdir(folder), [], "readdir ends")
    same(case.count("activate-stores"), 1, "stores that reached the driver")
    for fd in (folder, reading, unread, writing):
        os.close(fd)


def set_policy(case, guid):
    write(guid, "force_cpu_rendezvous", b"0")
    if case.profile in FROM_V2:
        write(guid, "auto_activate", b"1")


def policy(case, guid):
    return text(guid, "force_cpu_rendezvous") + (text(guid, "auto_activate") if case.profile in FROM_V2 else "")


@statement(44, FROM_V1)
def survivors_and_returners(case):
    case.start()
    inodes = inode(RMM), inode(SCP)
    set_policy(case, RMM)
    set_policy(case, SCP)
    mine, default = policy(case, RMM), policy(case, BL31)
    expect(mine != default, "settings differ from the defaults")
    case.ctl("vanish scp")
    case.succeed(RMM, "9.1")
    expect(SCP not in directories(), "vanished")
    case.ctl("add scp 3.1")
    case.succeed(RMM, "9.2")
    same((inode(RMM), policy(case, RMM)), (inodes[0], mine), "the survivor")
    expect(inode(SCP) != inodes[1], "the returner has a new inode")
    same(policy(case, SCP), default, "the returner's settings")


@statement(45, FROM_V1)
def renumbering(case):
    case.start()
    case.ctl("vanish rmm")
    case.succeed(UNKNOWN, "4.1")
    same(directories(), {BL31, SCP, UNKNOWN}, "directories")
    same([text(guid, "current_version") for guid in (BL31, SCP, UNKNOWN)], ["2.10", "3.1", "4.1"], "versions")
    case.offer(BL31, "2.11")
    same([text(guid, "activation_pending") for guid in (BL31, SCP, UNKNOWN)], ["1", "0", "0"], "pending")
    case.succeed(SCP, "3.2")
    same([text(guid, "current_version") for guid in (BL31, SCP, UNKNOWN)], ["2.10", "3.2", "4.1"], "versions")


@statement(46, FROM_V1)
def a_failed_refresh(case):
    listener = case.listen()
    case.start()
    case.settle()
    before = {(guid, name): read(guid, name) for guid in directories() for name in FLAGS + ["current_version"]}
    listener.take()
    case.ctl("vanish scp")
    case.ctl("add sp1 1.0")
    case.offer(RMM)
    case.ctl("fail info DEVICE_ERROR --times=1")
    same(activate(RMM), 1, "the write")
    case.settle()
    same({(guid, name): read(guid, name) for guid, name in before}, before, "values")
    expect(SCP in directories() and SP1 not in directories(), "the tree is as it was")
    same(listener.actions(), [], "events")
    lines = [line for _, line in case.log()][-2:]
    same(lines[0], "Arm LFA: Error getting number of LFA components", "log")
    expect("succe" in lines[1], "success in the log")


@statement(47, FROM_V1)
def an_image_that_does_not_answer(case):
    case.start()
    case.offer(RMM)
    case.ctl("fail inventory DEVICE_ERROR --times=1 --image=scp")
    same(activate(RMM), 1, "the write")
    case.settle()
    same(directories(), {RMM, BL31, UNKNOWN}, "directories")


@statement(48, FROM_V1)
def zeros_during_a_refresh(case):
    case.start()
    case.ctl("refresh-time 1000s")
    case.offer(RMM)
    writing = case.begin(RMM, "info")
    same([text(SCP, name) for name in ("activation_capable", "current_version")], ["0", "0.0"], "in the middle")
    case.ctl("speed 100000")
    same(writing.result(), 1, "the write")
    same([text(SCP, name) for name in ("activation_capable", "current_version")], ["1", "3.1"], "afterwards")


@statement(49, ALL)
def the_fvp_stays_pending(case):
    case.start("tfa-fvp")
    same(text(RMM, "activation_pending"), "1", "before")
    same(activate(RMM), 1, "a success")
    same(text(RMM, "activation_pending"), "1", "right after it")
    if case.profile in FROM_V1:
        same(text(RMM, "current_version"), "0.0", "current_version")
    if case.profile in since("v2s"):
        same(text(RMM, "pending_version"), "N/A", "pending_version")
