#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every step of an activation meets every fault: what is begun is never forgotten, never done twice, and whatever was
raised, locked or announced for it is taken back. The steps are those of lfad(8), WHAT A CRASH LEAVES; the number of
(step x fault) cases is printed. systemd and logind are stand-ins (tests/world), the disk fails on command
(tests/faultfs).

LFAD_STEPS names the steps that are run, LFAD_FAULTS the faults; without them it is all."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import login1
import systemd1
import world
from systemd1 import SECOND
from world import IMAGE, MANAGER, PATH

FAULTFS = os.path.join(world.BUILD_DIR, "tests/faultfs/faultfs")
MANUAL = os.path.join(world.SOURCE_DIR, "man/lfad.8.rst")
WATCHDOG = {"identity": "SBSA Generic Watchdog", "state": "active", "timeout": 10, "pretimeout": 0, "timeleft": 9,
            "max_timeout": 60}
OTHER = "11111111-2222-3333-4444-555555555555"  # an image that is not there: only remembered
LEARNED = {"guid": OTHER, "profile": "nv3", "samples": 5, "worst-usec": 7000, "worst-write-usec": 0}

PATIENCE_SEC = 4.5  # and a little more is lfad's with systemd and logind (src/daemon/bus-question.h)
CANCELLED, SUCCEEDED = ("cancelled", "DaemonRestarted"), ("succeeded", "")
RESTARTED = ("unknown", "HostRestarted")
# What becomes of a job that meets the fault before "started" is on disk, and after.
BEFORE = {"kill-lfad": CANCELLED, "restart-lfad": CANCELLED, "drop-bus": CANCELLED, "reboot": CANCELLED,
          "stop-polkitd": SUCCEEDED, "full-disk": ("refused", "DiskFull"), "broken-fsync": ("refused", "StateUnavailable")}
# A job that waits for gates, and may go on right after the fault.
WAITING = {**BEFORE, "kill-lfad": SUCCEEDED, "restart-lfad": SUCCEEDED, "drop-bus": SUCCEEDED}
AFTER = {**dict.fromkeys(BEFORE, SUCCEEDED), "reboot": RESTARTED}
# Of the steps in their order. "asked": there is no job yet, only what the caller may be told. An activation's worker runs
# only while it is "written".
RESULTS = {
    "asked": dict.fromkeys(BEFORE),
    "queued": BEFORE,
    "waiting": WAITING,
    "announced": BEFORE,
    "locked": BEFORE,
    "raised": BEFORE,
    "written": {**AFTER, "kill-worker": SUCCEEDED},
    "reported": AFTER,
    "ended": AFTER,
    "restored": dict.fromkeys(BEFORE, SUCCEEDED),
}


def chosen(variable, names):
    wanted = os.environ.get(variable, "").split()
    return [name for name in names if not wanted or name in wanted]


def steps_of_the_manual():
    with open(MANUAL, encoding="utf-8") as file:
        section = re.search(r"\nWHAT A CRASH LEAVES\n=+\n(.*?)\n[A-Z ]+\n=+\n", file.read(), re.S).group(1)
    return re.findall(r"^``([a-z]+)``$", section, re.M)


class CrashTest(world.TestCase):
    options = {"parts": ("dbus", "polkitd", "sim"), "profile": "nv3",
               "sysfs": {f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in WATCHDOG.items()}}
    version = 10

    def setUp(self):
        # The leak check at the exit of a process hangs now and then on a machine with much load (its tracer waits for a
        # thread that never stops); other tests end lfad with it in as many ways.
        if "ASAN_OPTIONS" in os.environ:
            os.environ["ASAN_OPTIONS"] += ":detect_leaks=0"
        super().setUp()
        self.state = os.path.join(self.world.dir, "disk")
        os.mkdir(self.state)
        # pylint: disable-next=consider-using-with
        self.faultfs = subprocess.Popen([FAULTFS, self.world.state_dir, self.state], stdin=subprocess.DEVNULL)
        self.world.wait_for(lambda: world.mounted_on(self.state), 10, "faultfs to be mounted")
        self.addCleanup(self.end_state)
        self.lease = os.path.join(self.world.runtime_dir, "watchdog.lease")
        self.pid1 = systemd1.Systemd1(self.world, runtime=10 * SECOND, config=10 * SECOND, hardware="watchdog0")
        self.login1 = login1.Login1(self.world.connect())
        self.addCleanup(lambda: self.login1.close())  # pylint: disable=unnecessary-lambda
        self.seed()
        self.start()
        self.world.stage("bl31", "9.9")

    def end_state(self):
        if self.world.running("lfad"):
            self.world.stop("lfad")
        subprocess.run(["umount", "--lazy", self.state], check=True)
        self.faultfs.wait(60)

    def seed(self):
        """What an earlier life left: a version in quarantine, and a blackout that was learned."""
        self.world.configure("[Daemon]\nSettleSec=100ms\n[Policy]\nInhibitDelayMaxSec=10min\n")
        self.quarantine = {"guid": world.GUIDS["bl31"], "to": "9.9", "failures": 3, "host-restarted": False,
                           "automatic-unknown": False, "job": 1, "boot-id": "0" * 32, "since": 1}
        with open(os.path.join(self.world.state_dir, "state.json"), "w", encoding="utf-8") as file:
            json.dump({"version": 1, "seq": 3, "holds": [], "quarantines": [self.quarantine], "learned": [LEARNED]}, file)

    def start(self):
        self.world.start("lfad", STATE_DIRECTORY=self.state)

    def inject(self, *words):
        with open(os.path.join(self.state, ".control"), "w", encoding="utf-8") as file:
            file.write(" ".join(words) + "\n")

    def shown(self):
        with open(os.path.join(self.world.sysfs_dir(), "class/watchdog/watchdog0/timeout"), encoding="ascii") as file:
            return int(file.read())

    # -- steps: enter_STEP brings a job there and keeps it there, leave_STEP lets it go on

    def activate(self):
        return self.world.activate("rmm", request_id=self.request_id, **self.terms)

    def enter_asked(self):
        self.agent = self.world.agent("hang")
        agent = self.agent.__enter__()
        self.addCleanup(self.agent.__exit__, None, None, None)
        self.caller = self.world.spawn_as("nobody", ["busctl", "call", world.NAME, PATH, MANAGER, "Activate", "sa{sv}",
                                                     "rmm", "0"], agent=agent)
        self.world.wait_for(lambda: agent.prompts, 10, "the prompt")

    def leave_asked(self):
        if self.world.running("dbus") and self.world.running("polkitd"):
            self.agent.thing.answer("ok")
        done = self.world.finish(self.caller)
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def enter_queued(self):
        self.world.stage("scp", self.next_version())
        self.world.sim("hang activate")
        first = self.world.activate("scp")
        self.world.wait_job_state(first, "activating")
        self.world.wait_for(lambda: self.world.stores() > self.stores, 10, "the write")
        self.others = 1
        return self.activate()

    def leave_queued(self):
        self.world.sim("release")

    def enter_waiting(self):
        self.block = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "test", "not now", "block", [], {}).take()
        self.terms = {"when_allowed": True}
        path = self.activate()
        self.world.wait_job_state(path, "waiting")
        return path

    def leave_waiting(self):
        os.close(self.block)

    def enter_announced(self):
        self.delay = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "test", "holds it up", "delay", [], {}).take()
        path = self.activate()
        self.world.wait_job_state(path, "guarding")
        return path

    def leave_announced(self):
        os.close(self.delay)

    def enter_locked(self):
        self.login1.lock_mode = "hang"
        path = self.activate()
        self.world.wait_for(lambda: self.login1.hanging, 10, "lfad to ask logind")
        return path

    def leave_locked(self):
        self.login1.release()

    def enter_raised(self):
        self.pid1.switch(hang="set")
        path = self.activate()
        self.world.wait_for(lambda: self.shown() == 22, 10, "the watchdog to be raised")
        self.assertTrue(os.path.exists(self.lease))
        return path

    def leave_raised(self):
        if self.world.running("dbus"):
            self.pid1.switch(hang=False)

    def enter_written(self):
        self.world.sim("hang activate")
        path = self.activate()
        self.world.wait_job_state(path, "activating")
        self.world.wait_for(lambda: self.world.stores() > self.stores, 10, "the write")
        return path

    def leave_written(self):
        self.world.sim("release")

    def freeze(self):
        """lfad does nothing more until leave_reported()."""
        lfad = self.world.parts["lfad"]
        lfad.send_signal(signal.SIGSTOP)

        def is_stopped():
            with open(f"/proc/{lfad.pid}/stat", encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[0] == "T"

        self.world.wait_for(is_stopped, 10, "lfad to be stopped")

    def enter_reported(self):
        """The write is over, and lfad does not know."""
        path = self.enter_written()
        self.freeze()
        self.world.sim("release")
        report = os.path.join(self.world.runtime_dir, f"job-{self.world.job_id(path)}.report")
        self.world.wait_for(lambda: os.path.exists(report), 10, "the report")
        return path

    def leave_reported(self):
        if self.world.running("lfad"):
            self.world.parts["lfad"].send_signal(signal.SIGCONT)

    def enter_ended(self):
        """The end is told, and not on disk."""
        path = self.enter_written()
        self.inject("write", "EIO")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.freeze()  # it tries again when it has read the tree
        self.inject("write", "none")
        return path

    leave_ended = leave_reported

    def enter_restored(self):
        path = self.enter_written()
        self.pid1.switch(hang="set")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.world.wait_for(lambda: self.shown() == 10, 10, "the watchdog to be put back")
        self.assertTrue(os.path.exists(self.lease))
        return path

    leave_restored = leave_raised

    # -- faults: fault_NAME makes it happen, then the step is left; heal makes the host whole again

    def fault_kill_lfad(self):
        self.world.kill("lfad")
        self.start()
        if self.request_id.startswith("written"):  # still guarded, by the new one
            self.world.wait_for(lambda: self.login1.locks, 10, "logind's lock to be taken again")
            self.assertEqual(self.shown(), 22)

    def fault_kill_worker(self):
        [pid] = self.world.worker_pids()
        os.kill(pid, signal.SIGKILL)

    def fault_restart_lfad(self):
        self.world.parts["lfad"].terminate()
        self.world.parts["lfad"].send_signal(signal.SIGCONT)
        self.world.wait_for(lambda: "STOPPING=1" in self.world.notified, 10, "lfad to begin to stop")

    def fault_drop_bus(self):
        self.runtime = self.pid1.runtime
        self.world.kill("dbus")
        self.world.parts["lfad"].send_signal(signal.SIGCONT)

    def fault_reboot(self):
        self.world.kill("lfad")
        for pid in self.world.worker_pids():
            os.kill(pid, signal.SIGKILL)
        self.pid1.stop()
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "10\n")
        self.pid1.start(runtime=10 * SECOND, hang=False)
        self.login1.release()
        self.world.restart_host(STATE_DIRECTORY=self.state)

    def fault_stop_polkitd(self):
        self.world.kill("polkitd")

    def fault_full_disk(self):
        self.inject("write", "ENOSPC")

    def fault_broken_fsync(self):
        self.inject("fsync", "EIO")

    def heal(self, fault):
        if fault == "restart-lfad":
            self.world.stop("lfad")
            self.start()
        elif fault == "drop-bus":
            self.world.wait_for(lambda: not self.world.running("lfad"), 60, "lfad to end without a bus")
            self.assertEqual(self.world.parts.pop("lfad").returncode, 1)
            self.new_bus()
            self.start()
        elif fault == "stop-polkitd":
            self.world.start("polkitd")
        elif fault in ("full-disk", "broken-fsync"):
            self.world.wait_for(lambda: self.world.manager()["CurrentJob"] == "/" and
                                not {self.world.image(image)["State"] for image in ("rmm", "scp")} &
                                {"scheduled", "activating"}, 20, "the jobs to end")
            self.inject("write", "none")
            self.inject("fsync", "none")
            self.world.stop("lfad")
            self.start()

    def new_bus(self):
        """systemd and logind outlive a bus: what was set in one is set still, what was taken of the other is gone."""
        self.login1.close()
        for part in ("systemd1", "polkitd"):
            if self.world.running(part):
                self.world.kill(part)
            self.world.parts.pop(part, None)
        self.world.forget_bus()
        self.world.start("dbus")
        self.world.start("polkitd")
        self.pid1.start(runtime=self.runtime, hang=False)
        self.login1 = login1.Login1(self.world.connect())

    # -- a case

    def next_version(self):
        CrashTest.version += 1
        return f"{CrashTest.version}.0"

    def run_case(self, step, fault):
        self.request_id = f"{step}-{fault}"
        self.others = 0
        self.terms = {}
        self.stores = self.world.stores()
        self.target = self.next_version()
        self.world.stage("rmm", self.target)
        seen = len(self.world.history_file())
        self.began = time.monotonic()
        path = getattr(self, "enter_" + step)()
        getattr(self, "fault_" + fault.replace("-", "_"))()
        getattr(self, "leave_" + step)()
        self.heal(fault)
        if path:
            self.check_job(path, *RESULTS[step][fault])
        else:
            self.assertEqual(len(self.world.history_file()), seen, "a call without a job leaves no record")
        self.check_host()
        self.check_memory(fault, RESULTS[step][fault])
        self.clean_up()

    def check_job(self, path, result, error):
        job = self.world.job_id(path)
        self.world.refresh()
        record = self.world.wait_record("finished", job)
        got = (record["result"], record.get("error", "").removeprefix(world.ERROR))
        # While it is being raised systemd is lost with the bus; and on a slow machine lfad's patience is over before
        # systemd or logind answers.
        late = {"raised": ("refused", "WatchdogUnsafe"), "locked": ("refused", "SystemNotReady")}
        may_be_late = time.monotonic() - self.began > PATIENCE_SEC or self.request_id == "raised-drop-bus"
        if not may_be_late or got != late.get(self.request_id.partition("-")[0]):
            self.assertEqual(got, (result, error), record)
        self.assertEqual(self.activate(), path, "the same request, the same job")
        self.world.refresh()
        started = self.world.history_file("started", job)
        types = [record["type"] for record in self.world.history_file(job=job) if record["type"] != "settled"]
        self.assertEqual(sorted(types), sorted(["queued", "finished"] + ["started"] * len(started)))
        self.assertLessEqual(len(started), 1)
        self.assertEqual(self.world.stores() - self.stores - self.others, len(started))
        for other in {record["job"] for record in self.world.history_file("queued")}:
            self.assertEqual(len(self.world.history_file("finished", other)), 1, f"job {other}")

    def check_host(self):
        self.world.wait_for(lambda: not os.path.exists(self.lease) and self.shown() == 10, 10,
                            "the watchdog as it was")
        self.assertEqual(self.pid1.runtime, 10 * SECOND)
        self.world.wait_for(lambda: not self.login1.locks, 10, "logind's lock to be let go")

    def check_memory(self, fault, result):
        with open(os.path.join(self.world.state_dir, "state.json"), encoding="utf-8") as file:
            state = json.load(file)
        self.assertIn(LEARNED, state["learned"])
        [old] = [item for item in state["quarantines"] if item["guid"] == world.GUIDS["bl31"]]
        self.assertEqual({**old, "since": 1}, self.quarantine)
        self.assertEqual(self.world.image("bl31")["State"], "quarantined")
        new = [item for item in state["quarantines"] if item["guid"] == world.GUIDS["rmm"]]
        restarted = fault == "reboot" and RESTARTED in (result, RESULTS["written"]["reboot"] if self.others else None)
        self.assertEqual(self.world.manager()["Held"], restarted)
        self.assertEqual([(item["to"], item["host-restarted"]) for item in new],
                         [(self.target, True)] if result == RESTARTED else [])

    def clean_up(self):
        """Nothing is left pending, held or in quarantine."""
        if self.world.manager()["Held"]:
            self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        for image in ("rmm", "scp"):
            try:
                self.world.call(self.world.image_path(image), IMAGE, "ClearQuarantine", "a{sv}", {})
            except world.BusError as error:
                self.assertEqual(error.name, world.ERROR + "NotQuarantined")
            if self.world.image(image)["Pending"]:
                self.world.sim(f"unstage {image}")
        self.world.refresh()

    def test_the_manual_has_these_steps(self):
        self.assertEqual(steps_of_the_manual(), list(RESULTS))

    def test_every_step_meets_every_fault(self):
        cases = 0
        for step in chosen("LFAD_STEPS", RESULTS):
            for fault in chosen("LFAD_FAULTS", RESULTS[step]):
                began = time.monotonic()
                with self.subTest(step=step, fault=fault):
                    self.run_case(step, fault)
                cases += 1
                sys.stderr.write(f"\n{step} x {fault}: {time.monotonic() - began:.1f} s")
        sys.stderr.write(f"\n{cases} cases (step x fault)\n")


world.main()
