# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 50 to 54 and 65: firmware notifies the kernel, which may activate by itself."""

from errno import EBUSY

from client import Call, activate, directories, expect, same, text, until, write
from contract import EVENTFUL, FROM_V2, RMM, SCP, SP1, UNKNOWN
from suite import statement


def opt_in(*guids):
    for guid in guids:
        same(write(guid, "auto_activate", b"1"), 1, "opting in")


def versions(case, *guids):
    return [case.image(guid)["firmware"]["current-version"] for guid in guids]


@statement(50, FROM_V2)
def nobody_opted_in(case):
    listener = case.listen()
    case.start()
    case.settle()
    listener.take()
    lines, before = len(case.log()), case.count("smc-inventory")
    renews = case.profile in ("nv3", "nvnew")
    case.ctl("stage rmm 9.1")
    case.ctl("notify")
    case.settle()
    same((listener.actions(), len(case.log()) - lines), ([], 0), "events and lines")
    same(case.count("smc-inventory") - before, 4 if renews else 0, "calls")
    same(text(RMM, "pending_version"), "9.1" if renews else "N/A", "pending_version without a pending read")
    same(versions(case, RMM), ["1.2"], "firmware")


@statement(51, ["v1nv"])
def everything_is_activated(case):
    case.start()
    case.ctl("stage rmm 9.1")
    case.ctl("stage scp 9.2")
    case.ctl("set 0509b633-5734-422f-a681-6096e932d93a capable 0")
    case.ctl("stage 0509b633-5734-422f-a681-6096e932d93a 9.3")
    case.ctl("notify")
    case.settle()
    same([text(guid, "current_version") for guid in (RMM, SCP, UNKNOWN)], ["9.1", "9.2", "4.0"], "versions")


@statement(52, FROM_V2)
def the_first_failure_ends_the_round(case):
    case.start()
    opt_in(RMM, SCP)
    for guid in (RMM, SCP, UNKNOWN):
        case.ctl(f"stage {guid} 9.1")
    case.ctl("fail activate ACTIVATION_FAILED --times=1")
    case.ctl("notify")
    case.settle()
    same(versions(case, RMM, SCP), ["1.2", "3.1"], "after the failure of the first")
    same(case.log()[-1], (4, "Arm LFA: notified image activation failed: -11"), "log")
    case.ctl("notify")
    case.settle()
    same(versions(case, RMM, SCP, UNKNOWN), ["9.1", "9.1", "4.0"], "after another notification")
    same(case.logged("automatic")[0], "Arm LFA: TF-RMM: automatic activation succeeded", "log")


@statement(52, ["nvnew"])
def userspace_is_busy_meanwhile(case):
    case.start()
    opt_in(RMM)
    case.offer(SCP)
    case.ctl("stage rmm 9.1")
    case.ctl("hang activate")
    case.ctl("notify")
    until(lambda: case.count("smc-prime"), "the kernel's own run")
    same(activate(SCP), -EBUSY, "userspace meanwhile")
    case.ctl("release")
    case.settle()
    same(activate(SCP), 1, "and later")


@statement(53, FROM_V2)
def opting_in_is_not_enough(case):
    case.start()
    case.offer(RMM)
    before = case.calls()
    opt_in(RMM)
    case.hurry()
    same(case.calls(), before, "calls")
    same(versions(case, RMM), ["1.2"], "before a notification")
    case.ctl("notify")
    case.settle()
    same(versions(case, RMM), ["9.1"], "after it")


@statement(54, ["v1nv", *FROM_V2])
def a_new_component(case):
    case.start()
    case.ctl("add sp1 1.0")
    case.ctl("notify")
    case.settle()
    same(SP1 in directories(), case.profile == "v1nv", "seen by a notification")
    case.succeed(RMM)
    expect(SP1 in directories(), "seen after a success")


@statement(65, FROM_V2)
def an_endless_round_ends_at_the_cap(case):
    listener = case.listen()
    case.start("tfa-fvp")
    case.settle()
    listener.take()
    opt_in(RMM)
    case.ctl("auto-cap 20")
    case.ctl("speed 0.2")
    case.ctl("notify")
    until(lambda: case.count("smc-activate") >= 2, "some activations")
    case.ctl("speed 100")
    case.settle()
    same(case.count("smc-activate"), 20, "activations")
    changes = listener.actions().count("change")
    expect(1 <= changes <= 20 if case.profile in EVENTFUL else changes == 0, f"{changes} changes")
    same(text(RMM, "activation_pending"), "1", "pending, still")


@statement(65, FROM_V2)
def opting_out_ends_it(case):
    case.start("tfa-fvp")
    opt_in(RMM)
    case.ctl("notify")
    until(lambda: case.count("smc-activate") >= 3, "an endless round")
    expect(not case.show()["idle"], "it goes on")
    same(write(RMM, "auto_activate", b"0"), 1, "opting out")
    case.settle()


@statement(65, ["nvnew"])
def unbinding_waits_for_its_end(case):
    case.start("tfa-fvp")
    opt_in(RMM)
    case.ctl("notify")
    until(lambda: case.count("smc-activate") >= 3, "an endless round")
    unbinding = Call(case.ctl, "unbind")
    until(lambda: case.show()["driver"] == "removing", "the removal")
    before = case.count("smc-activate")
    until(lambda: case.count("smc-activate") >= before + 3, "more activations")
    expect(unbinding.is_alive(), "the removal hangs")
    same(write(RMM, "auto_activate", b"0"), 1, "opting out")
    unbinding.result()
    same(case.show()["driver"], "unbound", "driver")
