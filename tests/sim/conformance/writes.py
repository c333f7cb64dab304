# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 17 to 39: what writes do, how long they take, what they meet."""

import os
import signal
import time
from errno import EAGAIN, EBUSY, ECANCELED, EINVAL, ENOENT

from client import Call, activate, expect, path, raw_write, read, same, text, write
from contract import (ALL, BL31, CANCEL_IDLE, FALSE_SUCCESS, FROM_RFC2, FROM_V1, FROM_V2S, LOCKED, MAY_RESET,
                      PRIME_BUSY, REFUSED, RFC, RMM, SCP, SP1, UNSERIALISED, V1, settings, since)
from suite import model, statement

SPEEDS = [1000, 100, 20, 4]  # how fast 30 s may pass, until a busy machine no longer spoils the upper bound


# --- what starts a run ---

@statement(17, ALL)
def any_byte_activates(case):
    case.start()
    for n, data in enumerate((b"0", b"\n", b"no", b"x", b"1" * 4096)):
        case.offer(RMM, f"9.{n}")
        before = case.count("smc-activate")
        same(write(RMM, "activate", data), len(data), f"a write of {data[:4]!r}")
        same(case.count("smc-activate") - before, 1, "activations")
        case.settle()


@statement(17, ALL)
def no_byte_does_not(case):
    case.start()
    case.offer(RMM)
    before = case.calls()
    same(write(RMM, "activate", b""), 0, "an empty write")
    same((case.calls() - before, case.count("activate-stores")), (0, 0), "calls and stores")
    same(text(RMM, "activation_pending"), "1", "pending")


@statement(18, ALL)
def two_writes_are_two(case):
    case.start()
    case.offer(RMM)
    fd = os.open(path(RMM, "activate"), os.O_WRONLY)
    same(os.write(fd, b"1"), 1, "the first")
    case.settle()
    same(-raw_write(fd, b"\n"), -REFUSED[case.profile], "the second, of what is not pending any more")
    os.close(fd)
    same(case.count("smc-prime"), 2, "calls of PRIME")


@statement(19, ALL)
def not_pending_is_for_firmware_to_refuse(case):
    case.start()
    same(text(RMM, "activation_pending"), "0", "pending")
    same(activate(RMM), REFUSED[case.profile], "not pending")
    same(case.count("smc-prime"), 1, "calls of PRIME")


@statement(19, ALL)
def not_capable_is_for_firmware_to_refuse(case):
    case.start("tfa-fvp")
    guid = "05d0e189-53dc-1347-8d2b-500a4b7a3e38"  # BL32 has no activator
    same(text(guid, "activation_capable"), "0", "capable")
    same(activate(guid), REFUSED[case.profile], "not capable")
    same(case.count("smc-prime"), 1, "calls of PRIME")


@statement(20, ALL)
def may_reset_cpu(case):
    case.start("tfa-fvp")
    same([text(BL31, name) for name in ("may_reset_cpu", "activation_pending")], ["1", "1"], "BL31 on the FVP")
    same(activate(BL31), MAY_RESET[case.profile], "an image that may reset CPUs")
    same(case.count("smc-prime", "smc-activate", "smc-cancel"), 0, "calls")
    same(case.log()[-1], (3, ("" if case.profile in RFC else "Arm LFA: ") +
                          "CPU reset not supported by kernel driver"), "log")


# --- budgets and pauses ---

@statement(21, FROM_V2S)
def prime_pauses(case):
    case.start()
    case.offer(RMM)
    case.ctl("call-again prime 3")
    same(activate(RMM), 1, "a PRIME that comes back three times")
    same(case.count("smc-prime"), 4, "calls of PRIME")
    expect(case.elapsed() >= 0.03, f"three pauses of 10 ms: {case.elapsed()} s")
    case.settle()
    case.ctl("speed 1000")
    case.offer(RMM)
    case.ctl("slow prime 100s")
    same(activate(RMM), 1, "one call may take any time")
    expect(case.elapsed() >= 100, f"the call's time: {case.elapsed()} s")


def time_out(case, command, seconds, below):
    """An endless call ends after so many simulated seconds, and before the next plausible budget."""
    for speed in SPEEDS:
        case.offer(RMM)
        case.ctl(command)
        case.ctl(f"speed {speed}")
        case.ctl("reset-counters")
        same(activate(RMM), -ECANCELED, "a time-out")
        case.ctl("speed 1")
        expect(case.elapsed() >= seconds, f"a budget of {seconds} s: {case.elapsed()} s")
        same(case.count("smc-cancel"), 1, "calls of CANCEL")
        if case.elapsed() < below:
            return
    raise AssertionError(f"a budget of {seconds} s, below {below} s: {case.elapsed()} s")


@statement(22, ["v1nv", *FROM_V2S])
def prime_never_ends(case):
    case.start()
    time_out(case, "never prime", *((20, 29) if case.profile == "v1nv" else (30, 60)))
    same(case.logged("LFA_PRIME for image TF-RMM timed out")[:1], ["Arm LFA: LFA_PRIME for image TF-RMM timed out"],
         "log")


@statement(23, FROM_V2S)
def activate_never_ends(case):
    case.start()
    time_out(case, "never activate", 10, 19)
    failed = case.logged("LFA_ACTIVATE")
    same(failed[0], "Arm LFA: LFA_ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR", "log")


model(22, ["v1nv", *FROM_V2S], "test-sim-driver-runs", "statement_22_budgets_of_prime_to_the_microsecond")
model(23, FROM_V2S, "test-sim-driver-runs", "statement_23_an_endless_activate_ends_after_ten_seconds")
model(21, FROM_V2S, "test-sim-driver-runs", "statement_21_each_call_again_of_prime_pauses_ten_milliseconds")


@statement(24, ["v1nv", *FROM_V2S])
def activate_is_busy(case):
    retries = case.profile == "v1nv" or case.profile in since("v2bos")
    case.start()
    case.offer(RMM)
    case.ctl("busy activate 3")
    same(activate(RMM), 1 if retries else -ECANCELED, "ACTIVATE that is BUSY three times")
    same(case.count("smc-activate"), 4 if retries else 1, "calls of ACTIVATE")


@statement(25, ALL)
def prime_is_busy(case):
    case.start()
    case.offer(RMM)
    case.ctl("busy prime 1")
    same(activate(RMM), PRIME_BUSY[case.profile], "PRIME that is BUSY")
    same(case.count("smc-prime", "smc-activate"), 1, "calls")


# --- refusals ---

@statement(26, ALL)
def a_refused_activate(case):
    case.start()
    case.offer(RMM)
    case.ctl("fail activate ACTIVATION_FAILED --times=1")
    lies = case.profile in FALSE_SUCCESS
    same(activate(RMM), 1 if lies else REFUSED[case.profile], "a refused ACTIVATE")
    same(case.count("smc-cancel"), 0 if case.profile == "rfc1" else 1, "calls of CANCEL")
    same(bool(case.logged("activation succeeded")), lies, "success in the log")
    same(text(RMM, "activation_pending"), "1", "pending")


@statement(26, FALSE_SUCCESS)
def a_refused_activate_and_a_refused_cancel(case):
    case.start()
    case.offer(RMM)
    case.ctl("outcome activate change-then-fail")
    same(activate(RMM), -ECANCELED, "both refused")


@statement(27, ALL)
def a_refused_prime(case):
    case.start()
    case.offer(RMM)
    case.ctl("fail prime AUTH_ERROR --times=1")
    same(activate(RMM), REFUSED[case.profile], "a refused PRIME")
    same(case.count("smc-prime", "smc-cancel"), 1, "PRIME, and no CANCEL")


@statement(27, FROM_V2S)
def a_later_prime_refused(case):
    case.start()
    case.offer(RMM)
    case.ctl("speed 0.001")
    case.ctl("call-again prime 1")
    writing = case.begin(RMM)
    case.ctl("fail prime NO_MEMORY --times=1")
    case.ctl("speed 1000")
    same(writing.result(), -ECANCELED, "a refused second PRIME")
    same(case.count("smc-cancel"), 1 if case.profile == "nvnew" else 0, "calls of CANCEL")


@statement(28, ALL)
def tfa_keeps_the_slot(case):
    case.start("tfa")
    case.offer(RMM)
    case.offer(SP1)
    case.ctl("fail prime AUTH_ERROR --times=1 --image=rmm")
    same(activate(RMM), REFUSED[case.profile], "a refused PRIME")
    same(activate(SP1), REFUSED[case.profile], "another image")
    same(case.count("smc-cancel"), 0, "calls of CANCEL")
    same(write(RMM, "cancel"), 1, "cancel of the first")
    same(activate(SP1), 1, "another image, after that")


@statement(29, ALL)
def tfa_wants_pending_read(case):
    case.start("tfa")
    case.ctl("stage rmm 9.1")
    same(activate(RMM), REFUSED[case.profile], "without a read")
    same(text(RMM, "activation_pending"), "1", "pending")
    same(activate(RMM), 1, "after a read")


# --- the writer ---

@statement(30, ALL)
def the_whole_count_in_spite_of_signals(case):
    case.start()
    case.offer(RMM)
    case.ctl("slow prime 20ms")
    case.ctl("slow activate 20ms")
    case.ctl("reset-counters")
    fd = os.open(path(RMM, "activate"), os.O_WRONLY)
    hits = []
    old = signal.signal(signal.SIGALRM, lambda *_: hits.append(1))  # without SA_RESTART
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        count = raw_write(fd, b"12345")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        os.close(fd)
    same(count, 5, "write(2)")
    expect(hits, "signals came")
    same(case.count("activate-stores"), 1, "stores")


@statement(31, ALL)
def a_killed_writer_stays(case):
    case.start()
    case.offer(RMM)
    case.ctl("hang activate")
    pid = case.child(RMM)
    case.entered()
    os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        same(os.waitpid(pid, os.WNOHANG), (0, 0), "the process is still in the kernel")
        time.sleep(0.001)
    case.ctl("release")
    expect(os.WIFSIGNALED(case.reap(pid)), "it ends by the signal")
    case.settle()
    same(text(RMM, "activation_pending"), "0", "the activation took effect")
    same(case.image(RMM)["firmware"]["current-version"], "9.1", "firmware")


@statement(31, ["v1nv", *FROM_V2S])
def its_pauses_become_a_spin(case):
    """200 pauses of 10 ms (v1nv: 150 us) at a fiftieth of real time."""
    case.start()
    case.offer(RMM)
    case.ctl("call-again prime 200")
    case.ctl("speed 0.02")
    pid = case.child(RMM)
    case.entered()
    os.kill(pid, signal.SIGKILL)
    case.ctl("wait activate-done --timeout=60s")
    case.reap(pid)
    if case.profile in FROM_V2S:
        expect(case.elapsed() < 1, f"no 2 s of pauses: {case.elapsed()} s")
    else:
        expect(case.elapsed() >= 200 * 100e-6, f"pauses as ever: {case.elapsed()} s")


@statement(31, FROM_V2S)
def a_run_bounded_by_time_keeps_its_length(case):
    case.start()
    case.offer(RMM)
    case.ctl("never prime")
    case.ctl("speed 1000")
    pid = case.child(RMM)
    case.entered()
    os.kill(pid, signal.SIGKILL)
    case.ctl("wait activate-done --timeout=60s")
    case.reap(pid)
    expect(case.elapsed() >= 30, f"the whole budget: {case.elapsed()} s")


# --- two at once ---

SECOND = {"nvnew": -EBUSY, "nvrfc": -EAGAIN}


@statement(32, ["nvrfc", "nvnew"])
def a_second_activate_is_refused(case):
    case.start()
    for guid in (RMM, SCP):
        case.offer(guid)
    case.ctl("never prime")
    writing = case.begin(RMM)
    for guid in (SCP, RMM):
        same(activate(guid), SECOND[case.profile], "a second activate")
    case.ctl("call-again prime 0")
    same(writing.result(), 1, "the first")
    case.settle()
    same(activate(SCP), 1, "the second, later")


@statement(32, V1)
def a_second_activate_waits(case):
    case.start()
    for guid in (RMM, SCP):
        case.offer(guid)
    case.ctl("never prime --image=rmm")
    writing = case.begin(RMM)
    second = Call(activate, SCP)
    case.blocked(SCP)
    expect(second.is_alive(), "it waits")
    same(case.image(SCP)["firmware"]["prime"], "none", "prime state of the second")
    case.ctl("call-again prime 0 --image=rmm")
    same([writing.result(), second.result()], [1, 1], "both")


@statement(32, ["rfc1", "rfc2", *UNSERIALISED])
def a_second_activate_reaches_firmware(case):
    case.start()
    for guid in (RMM, SCP):
        case.offer(guid)
    case.ctl("never prime --image=rmm")
    writing = case.begin(RMM)
    same(activate(SCP), 1, "the second, in the middle of the first")
    case.ctl("call-again prime 0 --image=rmm")
    same(writing.result(), 1, "the first")


@statement(33, ["nvnew"])
def busy_in_the_cleanup_window(case):
    case.start()
    case.offer(SCP)
    case.ctl("vanish bl31")
    case.ctl("cleanup-window 1000s")
    case.offer(RMM)
    same(activate(RMM), 1, "the first")
    same(activate(SCP), -EBUSY, "in the window")
    same(case.log()[-1][1], "Arm LFA: TF-RMM: successfully activated", "EBUSY leaves no line")
    case.hurry()
    same(activate(SCP), 1, "after it")


@statement(33, ["nvnew"])
def the_window_is_over_before_five_milliseconds(case):
    case.start()
    case.offer(SCP)
    case.offer(RMM)
    case.ctl("vanish bl31")
    case.ctl("speed 0.01")
    same(activate(RMM), 1, "the first")
    for _ in range(2):  # the files go, then their directory
        case.after("2ms")
    same(activate(SCP), 1, "after it")


@statement(33, ["nvnew"])
def no_window_without_a_removal(case):
    case.start()
    for guid in (RMM, SCP):
        case.offer(guid)
        same(activate(guid), 1, "one right after the other")


# --- cancel ---

@statement(34, ALL)
def nothing_to_cancel(case):
    case.start("tfa")
    same(write(RMM, "cancel"), CANCEL_IDLE[case.profile], "with nothing primed")
    same(case.count("smc-cancel"), 1, "calls")
    same(write(RMM, "cancel", b""), 0, "an empty write")
    same(case.count("smc-cancel"), 1, "calls")


@statement(34, FROM_V1)
def cancel_of_a_stale_image(case):
    case.start()
    case.ctl("cleanup-window 1000s")
    case.ctl("vanish scp")
    case.offer(RMM)
    same(activate(RMM), 1, "a success")
    lines = len(case.log())
    same(write(SCP, "cancel"), -ENOENT if case.profile == "nvnew" else -EINVAL, "of a stale image")
    same(len(case.log()) - lines, 0 if case.profile == "nvnew" else 1, "lines in the log")


@statement(35, ALL)
def cancel_between_two_primes(case):
    case.start("tfa")
    case.offer(RMM)
    case.ctl("never prime")
    writing = case.begin(RMM)
    same(write(RMM, "cancel"), 1, "cancel")
    case.ctl("call-again prime 0")
    same(writing.result(), 1, "firmware starts over")


@statement(35, ALL)
def cancel_between_two_primes_of_strict_firmware(case):
    case.start("tfa")
    case.offer(RMM)
    case.ctl("never prime")
    writing = case.begin(RMM)
    same(write(RMM, "cancel"), 1, "cancel")
    case.ctl("fail prime WRONG_STATE")
    same(writing.result(), REFUSED[case.profile], "firmware refuses to start over")


@statement(35, FROM_V2S)
def cancel_between_two_activates(case):
    case.start("tfa")
    case.offer(RMM)
    case.ctl("never activate")
    writing = case.begin(RMM, "activate")
    same(write(RMM, "cancel"), 1, "cancel")
    same(writing.result(), -ECANCELED, "the run")
    same(case.count("smc-cancel"), 2, "calls of CANCEL")
    expect(case.logged("LFA_COMPONENT_WRONG_STATE"), "the reason in the log")


# --- what blocks ---

@statement(36, LOCKED)
def pending_reads_and_cancel_wait(case):
    case.start()
    case.offer(RMM)
    writing = case.begin_hanging(RMM)
    calls = [Call(read, SCP, "activation_pending"), Call(read, SCP, "pending_version"), Call(write, SCP, "cancel")]
    case.blocked(SCP, len(calls))
    for name in ("name", "current_version", "activation_capable", "force_cpu_rendezvous", "auto_activate"):
        expect(isinstance(read(SCP, name), bytes), f"{name} is read meanwhile")
    same(write(SCP, "auto_activate", b"1"), 1, "a setting is written meanwhile")
    expect(all(call.is_alive() for call in calls), "they wait")
    case.ctl("release")
    same([call.result() for call in calls], [b"0\n", b"N/A\n", -EINVAL], "afterwards")
    same(writing.result(), 1, "the run")


@statement(36, ["v2s"])
def nothing_waits_without_the_lock(case):
    case.start()
    case.offer(RMM)
    writing = case.begin_hanging(RMM)
    same(read(SCP, "activation_pending"), b"0\n", "pending")
    same(write(SCP, "cancel"), -EINVAL, "cancel")
    expect(writing.is_alive(), "the run goes on")
    case.ctl("release")
    same(writing.result(), 1, "the run")


# --- settings ---

SPELLINGS = {b"Y": "1", b"N": "0", b"on": "1", b"off": "0", b"1foo": "1", b"0x": "0", b"yes\n": "1", b"f": "0",
             b"oN": "1", b"OFF\n": "0", b"t": "1", b"2": None, b"\n": None, b"x": None, b"o": None, b"-1": None,
             b" 1": None}


@statement(37, FROM_RFC2)
def spellings(case):
    case.start()
    for name in settings(case.profile):
        for data, value in SPELLINGS.items():
            before = text(RMM, name)
            same(write(RMM, name, data), -EINVAL if value is None else len(data), f"{data!r} to {name}")
            same(text(RMM, name), value or before, f"{name} after {data!r}")


@statement(38, FROM_RFC2)
def defaults(case):
    case.start()
    for guid in (RMM, BL31, SCP):
        same([text(guid, name) for name in settings(case.profile)], ["1", "0"][:len(settings(case.profile))], guid)


def rendezvous(case, guid, force):
    """(calls of ACTIVATE by CPUs, with skip) of one activation."""
    if case.profile in FROM_RFC2:
        same(write(guid, "force_cpu_rendezvous", force), 1, "force_cpu_rendezvous")
    case.ctl("reset-counters")
    case.succeed(guid)
    return case.count("smc-activate-cpus"), case.count("smc-activate-skip")


@statement(39, ALL)
def skip(case):
    case.start()
    cpus, skips = rendezvous(case, RMM, b"1")
    expect(cpus > 1 and skips == 0, f"with force each CPU calls: {cpus}")
    same(rendezvous(case, BL31, b"0"), (cpus, 0), "an image that wants a rendezvous")
    same(rendezvous(case, RMM, b"0"), (1, 1) if case.profile in FROM_RFC2 else (cpus, 0), "without force")
