# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was seen when the real drivers ran, beyond the statements: oopses, lost trees, stalls, the words of the log."""

import os
from errno import ECANCELED

from client import (Call, activate, directories, expect, inode, path, raw_write, read, result_of, same, text, until,
                    write)
from contract import (ALL, BL31, EVENTFUL, FROM_V1, FROM_V2, FROM_V2S, FROM_V3, OOPSING, REFUSED, RFC, RMM, SCP,
                      UNKNOWN, UNSERIALISED, WRITE_ONLY, files, since)
from suite import observed


# --- v1 and v1nv take the kernel down ---

def lost(case, writing):
    """The writer is in the kernel for good, the mutex with it, and the end of it all is orderly."""
    until(lambda: case.count("oopses") == 1, "the oops")
    second = Call(activate, SCP)
    case.blocked(SCP)
    expect(case.logged("Unable to handle kernel paging request"), "the kernel's line")
    same(text(RMM, "activation_capable"), "1", "readers go on")
    expect(writing.is_alive() and second.is_alive(), "neither returns")
    case.stop()
    expect(writing.result() < 0 and second.result() < 0, "they end with the simulator")


@observed("oops: the image may reset CPUs", OOPSING)
def oops_of_may_reset(case):
    case.start(oops=True)
    case.ctl("set bl31 may-reset 1")
    case.ctl("stage bl31 9.1")
    case.succeed(RMM)  # the flag is cached
    lost(case, Call(activate, BL31))


@observed("oops: the CANCEL is refused", OOPSING)
def oops_of_cancel(case):
    case.start(oops=True)
    case.offer(RMM)
    case.ctl("outcome activate change-then-fail")
    lost(case, Call(activate, RMM))


@observed("oops: PRIME takes too long", ["v1nv"])
def oops_of_prime(case):
    case.start(oops=True)
    case.offer(RMM)
    case.ctl("never prime")
    case.ctl("speed 1000")
    lost(case, Call(activate, RMM))


@observed("oops: a stale image", ["v1nv"])
def oops_of_stale(case):
    case.start(oops=True)
    case.ctl("cleanup-window 1000s --idle=1000s")
    case.ctl("vanish bl31")
    case.offer(RMM)
    same(activate(RMM), 1, "a success")
    lost(case, Call(activate, BL31))


@observed("oops: a notification", ["v1nv"])
def oops_of_notify(case):
    case.start("tfa-fvp", oops=True)
    case.ctl("notify")
    until(lambda: case.count("oopses") == 1, "the oops")
    writing = Call(activate, RMM)
    case.blocked(RMM)
    case.stop()
    expect(writing.result() < 0, "the writer ends with the simulator")


@observed("errnos of stale images with the worker idle", FROM_V1)
def errno_of_stale(case):
    case.start()
    case.ctl("cleanup-window 1000s --idle=1000s")
    case.ctl("vanish bl31")
    case.offer(RMM)
    same(activate(RMM), 1, "a success")
    before = case.count("smc-prime")
    lines = len(case.log())
    same(activate(BL31), -ECANCELED, "a stale image")
    same(case.count("smc-prime") - before, 0 if case.profile in ("v1nv", "nvnew") else 1, "calls of PRIME")
    if case.profile == "nvnew":
        same(len(case.log()), lines, "lines in the log")


@observed("the writer and the cleanup worker: deadlock", OOPSING)
def deadlock(case):
    case.start()
    case.ctl("cleanup-window 100ms")
    case.ctl("speed 0.01")
    case.ctl("vanish bl31")
    case.offer(RMM)
    same(activate(RMM), 1, "a success")
    stale = Call(activate, BL31)
    case.blocked(BL31)
    case.ctl("speed 1000")
    until(lambda: case.image(BL31)["directory"]["removing"], "the worker to begin")
    healthy = Call(activate, SCP)
    case.blocked(SCP)
    expect(stale.is_alive() and healthy.is_alive() and BL31 in directories(), "both wait, and the directory stays")
    same(text(RMM, "activation_capable"), "1", "readers go on")
    case.stop()
    expect(stale.result() < 0 and healthy.result() < 0, "they end with the simulator")


@observed("successes 2 ms apart corrupt the work queue", ["v1nv"])
def corruption(case):
    case.start(oops=True)
    case.offer(RMM)
    case.offer(SCP)
    case.ctl("speed 0.001")  # 10 ms are 10 s
    same(activate(RMM), 1, "the first")
    second = Call(activate, SCP)
    until(lambda: case.logged("list_add corruption"), "the corruption")
    reading = Call(read, RMM, "name")
    case.blocked(RMM)
    expect(second.is_alive() and reading.is_alive(), "nothing goes on")
    case.stop()
    expect(second.result() < 0 and reading.result() < 0, "they end with the simulator")


@observed("successes 2 ms apart corrupt the work queue", ["v1nv"])
def no_corruption(case):
    case.start(oops=True)
    case.offer(RMM)
    case.offer(SCP)
    same(activate(RMM), 1, "the first")
    case.ctl("speed 100000")
    case.settle()
    start = os.times().elapsed
    until(lambda: os.times().elapsed - start >= 0.02, "much simulated time")
    case.ctl("speed 1")
    same(activate(SCP), 1, "the second")


@observed("an endless ACTIVATE freezes all, then succeeds", ["v1nv"])
def freeze(case):
    case.start(oops=True)
    case.offer(RMM)
    case.ctl("never activate")
    case.ctl("speed 0.001")
    writing = case.begin(RMM, "activate")
    reads = [Call(read, SCP, name) for name in ("name", "current_version", "activation_pending")]
    case.blocked(SCP, len(reads))
    case.ctl("speed 1000")
    same(writing.result(), 1, "the write")
    expect(all(isinstance(reading.result(), bytes) for reading in reads), "the reads, afterwards")
    counters = case.counters()
    same(counters["stalls"], 1, "stalls")
    expect(counters["stall-largest-us"] >= 20e6, f"20 s: {counters['stall-largest-us']} us")
    same(text(RMM, "current_version"), "1.2", "current_version")
    same(case.logged("ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR")[:1],
         ["Arm LFA: ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR"], "log")


@observed("a failing round begins again for ever", ["v1nv"])
def failing_round(case):
    case.start()
    case.ctl("stage rmm 9.1")
    case.ctl("fail activate ACTIVATION_FAILED")
    case.ctl("notify")
    until(lambda: case.count("smc-activate") >= 5, "an endless round")
    same(len(case.logged("Firmware TF-RMM activation succeeded")) > 0, True, "success in the log")
    case.ctl("auto-cap 1")
    case.settle()
    same(case.image(RMM)["firmware"]["current-version"], "1.2", "firmware")


# --- lost trees ---

def is_lost(case, guid=RMM):
    same(case.logged(guid), [f"sysfs: cannot create duplicate filename '/firmware/lfa/{guid}'"], "log")


@observed("a success right after another loses the tree", UNSERIALISED)
def back_to_back(case):
    case.start()
    case.ctl("cleanup-window 1000s")
    case.offer(RMM)
    case.offer(SCP)
    same([activate(RMM), activate(SCP)], [1, 1], "both succeed")
    case.hurry()
    same(directories(), set(), "directories")
    is_lost(case)
    case.ctl("unbind")
    case.ctl("bind")
    same(directories(), {RMM, BL31, SCP, UNKNOWN}, "bound again")


@observed("a success after the worker keeps the tree", FROM_V1)
def one_after_the_other(case):
    case.start()
    before = {guid: inode(guid) for guid in directories()}
    for n in range(5):
        case.succeed(RMM, f"9.{n}")
    same({guid: inode(guid) for guid in directories()}, before, "the tree")


@observed("lose-tree: on demand, until another success", UNSERIALISED)
def on_demand(case):
    case.start()
    before = inode(RMM)
    case.ctl("lose-tree next 2")
    case.succeed(SCP, "9.1")
    same(directories(), {SCP, UNKNOWN}, "directories after losing two")
    is_lost(case)
    same(case.logged("succe")[-1], f"Arm LFA: {log_name(case, SCP)}: successfully activated", "log")
    case.succeed(SCP, "9.2")
    same(directories(), {RMM, BL31, SCP, UNKNOWN}, "after another success")
    expect(inode(RMM) != before, "made anew")
    case.ctl("lose-tree next")
    case.succeed(SCP, "9.3")
    same(directories(), set(), "directories after losing all")


@observed("lose-tree: refused where it cannot be", [*RFC, *OOPSING, "nvnew"])
def never(case):
    case.start()
    expect("never loses its tree" in case.refused("lose-tree next all"), "refused")


# --- what runs cost and mean ---

def stalls(case):
    counters = case.counters()
    return counters["stalls"], counters["stall-largest-us"], counters["stall-sum-us"]


@observed("shapes of stalls", FROM_V2S)
def shapes(case):
    case.start()
    case.ctl("slow activate 500ms")
    case.ctl("speed 50")
    case.succeed(RMM, "9.1")
    number, largest, total = stalls(case)
    expect(number == 1 and largest == total and largest >= 500e3, f"one long ACTIVATE is one stall: {stalls(case)}")
    case.ctl("reset-counters")
    case.ctl("budget activate 0")  # 41 calls may each be delayed by other work
    case.ctl("slow activate 20ms")
    case.ctl("call-again activate 40")
    case.succeed(RMM, "9.2")
    number, largest, total = stalls(case)
    expect(number == 41 and total >= 41 * 20e3 and largest < total, f"40 call-agains are 41 stalls: {stalls(case)}")
    case.ctl("reset-counters")
    write(RMM, "force_cpu_rendezvous", b"0")
    case.succeed(RMM, "9.3")
    same(stalls(case), (0, 0, 0), "without a rendezvous only the caller stops")


@observed("an error, and the firmware was replaced", FROM_V2S)
def replaced_nevertheless(case):
    for outcome, calls in (("change-then-fail", 1), ("change-then-busy", 2 if case.profile in since("v2bos") else 1)):
        case.start()
        case.offer(RMM)
        case.ctl(f"outcome activate {outcome}")
        same(activate(RMM), -ECANCELED, outcome)
        same(case.count("smc-activate"), calls, f"calls of ACTIVATE: {outcome}")
        same(text(RMM, "current_version"), "1.2", "current_version")
        same(case.image(RMM)["firmware"]["current-version"], "9.1", "firmware")
        case.stop()


@observed("success, and nothing was replaced", ALL)
def nothing_replaced(case):
    case.start()
    case.offer(RMM)
    case.ctl("outcome activate no-change")
    same(activate(RMM), 1, "the write")
    same(case.image(RMM)["firmware"]["current-version"], "1.2", "firmware")
    same(text(RMM, "activation_pending"), "1", "pending")


@observed("ECANCELED after a good PRIME", ALL)
def lost_prime(case):
    case.start("tfa")
    case.offer(RMM)
    case.ctl("lost-prime 1")
    same(activate(RMM), REFUSED[case.profile], "the write")
    same(case.image(RMM)["firmware"]["prime"], "complete", "prime state")
    same(case.count("smc-activate", "smc-cancel"), 0, "calls")
    same(write(RMM, "cancel"), 1, "cancel")


@observed("calls, long writes, writes in parts", ALL)
def calls_and_writes(case):
    case.start()
    before = case.calls()
    for name in files(case.profile):
        if name not in WRITE_ONLY:
            read(RMM, name)
    same(case.calls() - before, 1 if case.profile in RFC else 2, "calls for a whole directory")
    for n, (write_it, count) in enumerate(((lambda fd: raw_write(fd, b"1" * 8192), 4096),
                                           (lambda fd: result_of(os.writev, fd, [b"1", b"\n"]), 2))):
        case.offer(RMM, f"9.{n}")
        fd = os.open(path(RMM, "activate"), os.O_WRONLY)
        case.ctl("reset-counters")
        same(write_it(fd), count, "bytes taken")
        same(case.count("activate-stores"), 1, "runs")
        os.close(fd)
        case.settle()


@observed("the loser of two writers on one image", UNSERIALISED)
def two_writers_on_one_image(case):
    case.start()
    case.offer(RMM)
    case.ctl("call-again prime 1")
    case.ctl("speed 0.001")
    first = case.begin(RMM)
    same(activate(RMM), 1, "the second is faster")
    case.ctl("speed 1000")
    same(first.result(), -ECANCELED, "the first comes too late")


# --- the kernel's own activations ---

def notified(case, *commands):
    """The log lines of one round with the RMM opted in."""
    same(write(RMM, "auto_activate", b"1"), 1, "opting in")
    case.ctl("stage rmm 9.1")
    for command in commands:
        case.ctl(command)
    before = len(case.log())
    case.ctl("notify")
    case.settle()
    return case.log()[before:]


@observed("a round takes BUSY for nothing to do", FROM_V2)
def round_and_busy(case):
    case.start()
    same([line for _, line in notified(case, "busy prime 1") if "notified" in line], [], "log")
    same(case.count("smc-prime"), 1, "calls of PRIME")


@observed("a round ends at an image that may reset CPUs", FROM_V2)
def round_and_reset(case):
    case.start("tfa-fvp")
    same(write(BL31, "auto_activate", b"1"), 1, "opting in")
    lines = notified(case)
    same(lines[-1], (4, "Arm LFA: notified image activation failed: -22"), "log")
    same(case.count("smc-prime"), 0, "calls of PRIME")


@observed("the events of an endless round are bounded", FROM_V2)
def events_of_a_round(case):
    listener = case.listen()
    case.start("tfa-fvp")
    case.settle()
    listener.take()
    case.ctl("speed 0.01")
    same(write(RMM, "auto_activate", b"1"), 1, "opting in")
    case.ctl("notify")
    case.ctl("auto-cap 100")
    case.ctl("speed 1")
    case.settle()
    changes = [event for event in listener.take() if event["ACTION"] == "change"]
    expect(bool(changes) == (case.profile in EVENTFUL) and len(changes) <= 100, f"{len(changes)} changes")
    same(case.count("smc-activate"), 100, "activations")


# --- the log ---

def log_name(case, guid):
    """How newer versions name an image in the log."""
    return "TF-RMM" if guid == RMM else guid


def prefixed(case, line):
    return ("" if case.profile in RFC else "Arm LFA: ") + line


@observed("log: probing", ALL)
def log_of_probing(case):
    case.start()
    family = "Arm Live Firmware Activation (LFA): detected v1.0"
    lines = [(6, family if case.profile in RFC else "Arm LFA: Live Firmware Activation: detected v1.0")]
    if case.profile in FROM_V2:
        lines.append((6, "Arm LFA: registered LFA ACPI notification"))
    if case.profile == "v1nv":
        lines.append((6, "Arm LFA: Driver initialized"))
    same(case.log(), lines, "log")
    case.ctl("unbind")
    case.ctl("agent absent")
    case.refused("bind")
    if case.profile not in RFC:
        absent = [(3, "Arm LFA: Live Firmware activation: no firmware agent found")]
        same(case.log()[len(lines):], [] if case.profile in FROM_V3 else absent, "log without an agent")


def lines_of(case, act):
    before = len(case.log())
    act()
    case.settle()
    return case.log()[before:]


@observed("log: success and failures", ALL)
def log_of_runs(case):
    case.start()
    newer, old, v1nv = case.profile in FROM_V2S, case.profile in RFC, case.profile == "v1nv"
    case.offer(RMM)
    same(lines_of(case, lambda: activate(RMM)),
         [(6, prefixed(case, "TF-RMM: successfully activated" if newer else "Firmware activation succeeded"))],
         "success")

    failed = (3, f"Arm LFA: Firmware activation failed: {REFUSED[case.profile]}")
    case.ctl("fail prime AUTH_ERROR --times=1")
    case.offer(RMM)
    same(lines_of(case, lambda: activate(RMM)),
         [(3, "LFA_PRIME failed: -3"), failed] if old else
         [(3, "Arm LFA: Firmware prime failed: LFA_AUTH_ERROR")] if v1nv else
         [(3, "Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR")], "a refused PRIME")

    case.ctl("fail activate -12 --times=1")
    cancelled = (6, prefixed(case, f"Activation cancelled for image {'RMM' if old else 'TF-RMM'}"))
    lines = lines_of(case, lambda: activate(RMM))
    if case.profile in FROM_V2S:
        same(lines, [cancelled, (3, "Arm LFA: LFA_ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR")], "ACTIVATE")
    elif v1nv:
        same(lines.count((3, "Arm LFA: ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR")), 4, "once per CPU")
        same(lines[-1], (6, "Arm LFA: Firmware activation succeeded"), "the lie")
    elif old:
        same(lines[-2:], [(3, "LFA_ACTIVATE failed: -12"), failed], "ACTIVATE")
        same(cancelled in lines, case.profile != "rfc1", "the cancel")


@observed("log: cancel", FROM_V1)
def log_of_cancel(case):
    case.start()
    raw = "" if case.profile in since("v2s", "v2bos") else "(unknown)" if case.profile == "v1" else UNKNOWN
    refused = {"v1nv": "Firmware activation could not be cancelled: LFA_INVALID_PARAMETERS"}.get(
        case.profile, f"Activation not cancelled for image {raw}: LFA_INVALID_PARAMETERS")
    same(lines_of(case, lambda: write(UNKNOWN, "cancel")), [(3, f"Arm LFA: {refused}")], "refused")
    case.offer(UNKNOWN)
    case.ctl("lost-prime 1")
    activate(UNKNOWN)
    lines = lines_of(case, lambda: write(UNKNOWN, "cancel"))
    if case.profile == "v1nv":
        expect(lines[0][1].startswith("Arm LFA: Activation cancelled for image \\x"), f"escaped garbage: {lines}")
    else:
        same(lines, [(6, f"Arm LFA: Activation cancelled for image {raw}")], "cancelled")


@observed("log: an image without a name", FROM_V2S)
def log_of_unknown(case):
    case.start()
    case.offer(UNKNOWN)
    same(lines_of(case, lambda: activate(UNKNOWN))[-1], (6, f"Arm LFA: {UNKNOWN}: successfully activated"), "success")


@observed("log: a round", ["v1nv", *FROM_V2])
def log_of_a_round(case):
    case.start()
    case.ctl("stage rmm 9.1")
    if case.profile == "v1nv":
        lines = lines_of(case, lambda: case.ctl("notify"))
        same(lines, [(6, "Arm LFA: Firmware TF-RMM activation succeeded")], "log")
    else:
        same(notified(case), [(6, "Arm LFA: TF-RMM: automatic activation succeeded")], "log")
