#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Thousands of activations, with random faults, callers, reloads, crashes and clocks that jump, in virtual time. After
each step the four promises are asserted (model.py); at the end that lfad has not grown.

    soak.py [--seed=N, or LFAD_SEED=N] [--activations=N | --minutes=N | --steps=N] [--profile=NAME] [--firmware=NAME]

A seed is printed and makes the same choices again; what runs beside each other decides the rest. When a promise is
broken the steps that led there, and the world's logs, are printed, and kept with --keep. By ./dev soak."""

import argparse
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "world"))
# pylint: disable=wrong-import-position
import world  # noqa: E402 (its folder is not on the path before)
from actions import Actions  # noqa: E402
from model import RESULTS, Model, Violation, require  # noqa: E402
from soak_world import WATCHDOG_HAS, SoakWorld  # noqa: E402
from world import JOB, NAME  # noqa: E402

NOTES_SHOWN = 100
STEADY_PART = 0.4  # of all there is
WARM_UP = 0.3      # of the steps in which one lfad lives on
GROWTH_MAX = 1.15
GROWTH_KIB = 256   # below that a ratio says nothing
READINGS = 3       # of what is compared


class Soak:
    def __init__(self, a_world, seed, steady):
        self.world = a_world
        self.random = random.Random(seed)
        self.steady = steady  # lfad's life goes on: nothing that ends it
        self.notes = []
        self.model = Model(a_world.state_dir)
        self.actions = Actions(a_world, self.model, self.random, self.note)
        self.steps = 0
        self.share = 1
        self.began = 0  # the step
        self.before = None  # what only the simulator knows, at the beginning of the step

    def note(self, *words):
        self.notes.append(f"{self.world.time.monotonic() / 1e6:.3f} " + " ".join(str(word) for word in words))
        del self.notes[:-NOTES_SHOWN]

    # -- a step

    def step(self):
        self.steps += 1
        kind = self.choose()
        self.note(f"--- step {self.steps}: {kind.__name__}")
        actions = self.actions
        actions.begin()
        self.began = actions.now()
        self.model.forget_old(self.began - 10 ** 9)
        self.before = self.world.truth()
        self.free_a_little()
        kind(self)
        self.settle()
        self.check(self.before)

    def choose(self):
        chosen = self.random.choices([method for method, _ in self.KINDS], [weight for _, weight in self.KINDS])[0]
        if self.steps <= len(self.FIRST):
            chosen = self.FIRST[self.steps - 1]
        return Soak.refusals if self.steady and chosen is Soak.host_restarts else chosen

    def check_covered(self):
        """A soak that has not met these shows nothing."""
        missing = [what for what in self.COVERED if not self.model.covered[what]
                   and not (what == "HostRestarted" and self.steady)]
        require(not missing, "explain", f"this soak has never seen: {', '.join(missing)}")

    def activation(self):
        """The usual one, which may meet a fault of firmware."""
        actions = self.actions
        for image in actions.some_images(1, 3):
            if actions.chance(0.9):
                actions.stage(image)
                if actions.chance(0.8):  # else lfad may take what it has read for what it is asked for
                    actions.refresh()
            if actions.chance(0.6):
                actions.firmware_fault(image)
            if actions.chance(0.15):
                actions.file_fault(image)
            actions.activate(image)
            if actions.chance(0.7):
                self.wait_quiet(refresh=False)

    def batch(self):
        actions = self.actions
        for image in actions.some_images(0, 4):
            actions.stage(image)
        if actions.chance(0.4):
            actions.firmware_fault()
        actions.activate_pending()

    def in_flight(self):
        """Others do something while firmware is at it."""
        actions = self.actions
        image = actions.image()
        actions.stage(image)
        self.world.sim("hang activate")
        actions.note("hang")
        if actions.chance(0.3):
            actions.firmware_fault(image)
        stores = self.world.stores()
        path = actions.activate(image)
        if isinstance(path, str):
            self.wait_written(path, stores)
        self.world.stuck = True
        for _ in range(self.random.randint(1, 4)):
            self.random.choice(self.meanwhile())(actions)
        self.world.sim("release")
        self.world.stuck = False

    def meanwhile(self):
        calm = [Actions.activate, Actions.activate, Actions.cancel, Actions.cancel, Actions.reader, Actions.vanishing,
                Actions.hold, Actions.unhold, Actions.inhibit, Actions.release, Actions.reload, Actions.events,
                Actions.let_pass, Actions.set_clock, Actions.activate_pending, Actions.ask_again, Actions.kill_worker,
                Actions.disk_fault, Actions.clear_quarantine]
        return calm if self.steady else calm + [Actions.kill, Actions.kill, Actions.restart, Actions.reboot]

    def wait_written(self, path, stores):
        """Until a write is in the driver, or the job has ended without one. Each write's start is on disk by then."""
        def written():
            return self.world.stores() > stores or self.job_state(path) in ("done", "waiting", None)

        for _ in range(200):
            if written():
                break
            self.world.pause(0.1)
        counters, timeout, after = self.world.counters(), self.world.watchdog_timeout(), self.world.counters()
        writes = min(item["activate-stores"] - item["activate-returns"] for item in (counters, after))
        require(writes == 0 or timeout > WATCHDOG_HAS, "harm", f"a write, and the watchdog resets after {timeout} s")
        self.model.read_more()
        self.model.check_stores(self.before[1], counters)

    def job_state(self, path):
        try:
            return self.world.job(path)["State"]
        except world.BusError:
            return None

    def waiting(self):
        """Jobs that wait for their gates, which then change."""
        actions = self.actions
        self.random.choice((Actions.hold, Actions.inhibit, Actions.inhibit, Actions.reload))(actions)
        for image in actions.some_images(1, 2):
            actions.stage(image)
            more = {"when-allowed": True}
            if actions.chance(0.5):
                deadline = self.world.time.wall() + self.random.choice((30, 600, 86400)) * 10 ** 6
                more["deadline"] = world.dbus.UInt64(deadline)
            actions.activate(image, **more)
        others = [Actions.unhold, Actions.release, Actions.cancel, Actions.let_pass, Actions.skip, Actions.set_clock,
                  Actions.reload, Actions.unstage, Actions.stage, Actions.vanishing]
        if not self.steady:
            others += [Actions.kill, Actions.restart]
        for _ in range(self.random.randint(1, 4)):
            self.random.choice(others)(actions)

    def policy(self):
        actions = self.actions
        for _ in range(self.random.randint(1, 3)):
            self.random.choice((Actions.hold, Actions.unhold, Actions.unhold, Actions.inhibit, Actions.release,
                                Actions.release, Actions.reload, Actions.clear_quarantine, Actions.watchdog,
                                Actions.flag, Actions.host_stops, Actions.logind))(actions)
        if actions.chance(0.7):
            image = actions.image()
            actions.stage(image)
            actions.activate(image)

    def callers(self):
        actions = self.actions
        for _ in range(self.random.randint(2, 8)):
            self.random.choice((Actions.activate, Actions.vanishing, Actions.vanishing, Actions.reader,
                                Actions.ask_again, Actions.ask_again, Actions.cancel, Actions.stage, Actions.refresh,
                                Actions.activate_pending))(actions)

    def stranger(self):
        self.actions.stage()
        self.actions.stranger()

    def clocks(self):
        actions = self.actions
        actions.stage()
        for _ in range(self.random.randint(1, 3)):
            self.random.choice((Actions.let_pass, Actions.skip, Actions.set_clock))(actions)
        if actions.chance(0.5):
            actions.activate()

    def driver(self):
        actions = self.actions
        kind = self.random.randrange(6)
        if kind == 0:
            actions.unbind()
            actions.activate()
            actions.bind()
        elif kind == 1:
            actions.vanish()
        elif kind == 2:
            actions.events()
        elif kind == 3:
            actions.behind_the_back()
        elif kind == 4:
            actions.kernel_auto()
            actions.refresh()
        else:
            actions.unstage()
        if actions.chance(0.5):
            actions.activate()

    def removal(self):
        """The driver goes during an activation."""
        actions = self.actions
        image = actions.image()
        actions.stage(image)
        self.world.sim("never activate")
        stores = self.world.stores()
        path = actions.activate(image)
        if isinstance(path, str):
            self.wait_written(path, stores)
        self.world.stuck = True
        actions.unbind()
        self.world.stuck = False
        actions.let_pass()
        actions.bind()

    def bad_disk(self):
        actions = self.actions
        actions.stage()
        actions.disk_fault()
        actions.activate()
        if not self.steady and actions.chance(0.3):
            actions.kill()
        if actions.chance(0.5):
            actions.activate_pending()

    def bad_worker(self):
        actions = self.actions
        actions.damage_worker()
        actions.stage()
        if actions.chance(0.3):
            actions.refresh()
        actions.activate()

    def life(self):
        actions = self.actions
        if self.steady:
            return
        image = actions.image()
        actions.stage(image)
        if actions.chance(0.7):
            actions.activate(image, **self.random.choice(({}, {"when-allowed": True})))
        self.random.choice((Actions.kill, Actions.kill, Actions.restart, Actions.reboot))(actions)

    def failing(self):
        """One version goes wrong as often as is allowed, and no more."""
        actions, after = self.actions, self.random.randint(2, 3)
        actions.free(after)
        image = actions.image()
        guid, version = actions.images[image], actions.next_version()
        self.world.stage(image, version)
        actions.note("stage, and have it fail", image, version)
        self.model.lift_quarantine(guid)
        actions.disturbed = True
        for _ in range(after):
            require(self.model.failures[(guid, version)] < after, "lie", "another failure was counted")
            self.world.sim(f"fail {self.random.choice(('prime', 'activate'))} AUTH_ERROR --times=1")
            self.must_be_allowed(image)
            self.wait_quiet()
            self.model.read_more()
        require(self.model.failures[(guid, version)] == after, "lie",
                f"of {after} activations that went wrong {self.model.failures[(guid, version)]} are told of")
        actions.require_refused(image, "quarantine", "Quarantined", alone=True)
        require(self.world.image(image)["State"] == "quarantined", "explain", f"{image} is not shown as quarantined")
        self.model.covered["quarantine"] += 1

    def must_be_allowed(self, image):
        """Nothing is known that forbids it: lfad must take it, and begin."""
        begun = self.model.counts["started"]
        answer = self.actions.activate_plainly(image)
        require(isinstance(answer, str), "explain", f"{image} is refused with {answer}, and nothing forbids it")
        self.wait_quiet(refresh=False)
        self.model.read_more()
        require(self.model.counts["started"] > begun, "explain", f"{image} is not activated, and nothing forbids it")

    def host_restarts(self):
        """In the middle of an activation."""
        actions = self.actions
        actions.free()
        image = actions.image()
        actions.stage(image)
        actions.refresh()
        self.world.sim("hang activate")
        stores = self.world.stores()
        path = actions.activate_plainly(image)
        if isinstance(path, str):
            self.wait_written(path, stores)
        self.world.stuck = True
        actions.reboot()
        self.world.sim("release")
        self.world.stuck = False

    def refusals(self):
        """One gate after the other refuses, and then lets pass."""
        actions = self.actions
        actions.free()
        image = actions.image()
        self.world.stage(image, actions.next_version())
        for gate, error, close in (("hold", "Held", actions.hold_all), ("inhibitor", "Inhibited", actions.inhibit_all),
                                   ("system", "SystemStopping", actions.host_stops),
                                   ("watchdog", "WatchdogUnsafe", actions.watchdog)):
            close()
            self.world.pause(3)
            actions.require_refused(image, gate, error, alone=True)
            actions.open_again(gate)
        self.must_be_allowed(image)

    KINDS = ((activation, 40), (batch, 8), (in_flight, 15), (waiting, 10), (policy, 10), (callers, 8), (stranger, 1),
             (clocks, 5), (driver, 6), (removal, 1), (bad_disk, 5), (bad_worker, 5), (life, 5), (failing, 3),
             (refusals, 2), (host_restarts, 2))
    FIRST = (failing, refusals, host_restarts)  # so that the shortest soak has shown what these are for
    COVERED = ("quarantine", "HostRestarted", "undisturbed succeeded", "watchdog raised",
               *(f"refused by {gate}" for gate in ("quarantine", "hold", "inhibitor", "system", "watchdog")))

    # -- after it

    def settle(self):
        """All is well again with firmware, disk and worker, and nothing runs any more."""
        actions = self.actions
        actions.clear_faults()
        if actions.unbound:
            actions.bind()
        if actions.started_on_bad_disk:  # where the history cannot be opened at the start lfad activates nothing
            actions.restart()
            actions.started_on_bad_disk = False
        self.wait_quiet()

    def wait_quiet(self, refresh=True):
        for _ in range(600):
            if not self.world.running("lfad"):
                raise Violation(f"forget: lfad has ended by itself\n{self.world.log('lfad', 20)}")
            unfinished = self.unfinished()
            if unfinished is not None and all(state == "waiting" for state in unfinished.values()):
                if not refresh:
                    return
                try:
                    self.world.refresh()
                except world.BusError:
                    pass
                else:
                    self.waits = {self.world.job_id(path) for path in self.unfinished() or ()}
                    if all(state == "waiting" for state in (self.unfinished() or {}).values()):
                        return
            self.world.pause(0.5)
        raise Violation(f"harm: after 300 s something runs still: {self.unfinished()}")

    def unfinished(self):
        """path -> State of all jobs that have not ended; None where something is in the way of asking."""
        try:
            objects = self.world.images()
            activating = self.world.manager()["Activating"]
        except world.BusError:
            return None
        jobs = {path: interfaces[JOB]["State"] for path, interfaces in objects.items()
                if JOB in interfaces and interfaces[JOB]["State"] != "done"}
        return None if activating and not jobs else jobs

    def free_a_little(self):
        """What forbids activations is taken away again, else none would be left soon."""
        actions = self.actions
        if actions.chance(0.5):
            actions.release()
        if actions.chance(0.5):
            actions.unhold()
        for kind, remedy in (("watchdog", actions.watchdog), ("system", actions.host_stops),
                             ("config", lambda: actions.reload(False)),
                             ("window", lambda: actions.reload(False)), ("freeze", lambda: actions.reload(False))):
            if self.model.active(kind) and actions.chance(0.4):
                remedy()
        for item in self.model.active("capable") + self.model.active("reset"):
            if item.until is None and actions.chance(0.4):
                actions.flag(next(name for name, guid in actions.images.items() if guid in item.guids), good=True)
        if actions.chance(0.3):
            actions.clear_quarantine()

    def check(self, before):
        after = self.world.truth()
        self.model.read_more()
        if any(job.finished is None and number not in self.waits for number, job in self.model.jobs.items()):
            self.find_ends_on_a_healed_disk()
        self.model.check_ends(self.waits)
        self.model.check_stores(before[1], after[1])
        self.model.check_refused_jobs(self.began, self.actions.causes)
        if not self.actions.disturbed:
            self.model.check_undisturbed(self.world.profile, self.actions.restaged)
        self.model.check_firmware(before[0], after[0], self.actions.touched, self.actions.deceived)
        self.check_given_back()
        self.check_told()
        self.check_shown(after[0])
        self.model.fresh = []

    def find_ends_on_a_healed_disk(self):
        """An end that could not be written is kept for the next lfad."""
        require("disk" in self.actions.causes, "forget", "a job has no end",
                *[job for number, job in self.model.jobs.items() if job.finished is None and number not in self.waits])
        self.actions.restart()
        self.wait_quiet()
        self.model.read_more()

    def check_given_back(self):
        """What was taken for an activation."""
        kept = self.world.kept()
        require(not kept, "harm", "nothing runs, and this was not given back", *kept)
        if self.world.raised():
            self.model.covered["watchdog raised"] += 1

    def check_told(self):
        """What signals told of ends is what is on disk."""
        self.take_signals()
        if self.model.untold():  # the end is on disk first; what was sent by now comes before an answer
            self.world.manager()
            self.take_signals()
        self.model.check_told(self.actions.lived, self.actions.deceived)

    def take_signals(self):
        for item in self.world.signals("JobRemoved"):
            number, _, _, result = item.args
            self.model.tell(number, result)
        self.world.forget_signals()

    def check_shown(self, truth):
        """lfad shows what the driver shows."""
        objects = self.world.images()
        for guid, image in truth.items():
            directory = image.get("directory")
            path = self.world.image_path(guid)
            if not directory or directory["stale"]:
                continue
            require(path in objects, "lie", f"the driver shows {guid}, and lfad does not")
            shown = objects[path][world.IMAGE]
            version = self.world.attribute(guid, "current_version")
            if version == "0.0":  # firmware gives none
                version = ""
            require(shown["CurrentVersion"] == version, "lie", f"{guid}: {shown['CurrentVersion']}, not {version}")
            pending = self.world.attribute(guid, "activation_pending") == "1"
            require(shown["Pending"] == pending, "lie", f"{guid}: pending {shown['Pending']}, not {pending}")

    # -- what it takes

    def resources(self):
        """The things of each kind that may grow: the least of some readings, since a poll may come into one."""
        readings = []
        for _ in range(READINGS):
            readings.append(self.read_resources())
            self.world.pause(1)
        return {name: min(reading[name] for reading in readings) for name in readings[0]}

    def read_resources(self):
        """Of lfad and of the bus on its behalf, while no worker runs."""
        self.world.wait_for(self.world.time.idle, what="lfad to have nothing to do")
        pid = self.world.parts["lfad"].pid
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            dirty = int(re.search(r"Private_Dirty:\s+(\d+)", file.read()).group(1))
        stats = world.plain(self.world.bus().call_blocking(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats", "GetConnectionStats",
            "s", (NAME,)))
        objects = self.world.images()
        return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "private dirty KiB": dirty,
                "bus slots": self.world.time.bus_slots(),
                "match rules": stats["MatchRules"], "bus names": stats["BusNames"],
                "job objects": sum(1 for interfaces in objects.values() if JOB in interfaces)}

    def come_to_rest(self):
        """Nobody holds anything, nothing waits, and what is kept for a minute is gone."""
        actions = self.actions
        actions.begin()
        actions.forget_clients()
        for path in self.unfinished() or ():
            actions.attempt(f"cancel {path}", self.world.call, path, JOB, "Cancel", "a{sv}", {})
        self.world.pause(150)
        self.model.read_more()


def run(arguments, steady):
    """Steps until there were enough; the soak, and what lfad takes after the warm-up and at the end."""
    options = {"profile": arguments.profile, "firmware": arguments.firmware}
    began, early = time.monotonic(), None
    with SoakWorld(**options) as a_world:
        soak = Soak(a_world, arguments.seed + steady, steady)
        soak.share = 1 if arguments.part != "both" else STEADY_PART if steady else 1 - STEADY_PART
        try:
            soak.actions.start()
            while (part := progress(arguments, soak, began)) < 1 or (steady and early is None):
                if steady and early is None and part >= WARM_UP:
                    soak.come_to_rest()
                    early = soak.resources()
                soak.step()
            soak.come_to_rest()
            late = soak.resources()
            soak.check_covered()
        except (Violation, world.WorldError, world.BusError, AssertionError) as problem:
            if arguments.keep:
                os.environ["LFAD_KEEP_WORLD"] = os.path.abspath(arguments.keep)
            print(a_world.logs())
            print("\n".join(soak.notes[-NOTES_SHOWN:]))
            report(soak, began)
            print(f"soak: seed {arguments.seed}, {'steady' if steady else 'crashes'}, step {soak.steps}: {problem}")
            raise
    report(soak, began)
    return early, late


def progress(arguments, soak, began):
    if arguments.steps:
        return soak.steps / (arguments.steps * soak.share)
    if arguments.minutes:
        return (time.monotonic() - began) / (arguments.minutes * 60 * soak.share)
    return soak.model.counts["started"] / (arguments.activations * soak.share)


def report(soak, began):
    counts = soak.model.counts
    results = ", ".join(f"{counts[name]} {name}" for name in sorted(RESULTS))
    hours = (soak.world.time.monotonic() / 1e6 - began) / 3600
    print(f"soak: {soak.steps} steps, {counts['queued']} jobs, {counts['started']} activations ({results}) in "
          f"{time.monotonic() - began:.0f} s, {hours:.1f} h of virtual time")
    print("soak: met " + ", ".join(f"{what} {count}" for what, count in sorted(soak.model.covered.items())))
    for what, errors in (("jobs ended by", soak.model.errors), ("calls were refused by", soak.model.refusals)):
        print(f"soak: {what} " + ", ".join(f"{name} {count}" for name, count in errors.most_common() if name),
              flush=True)


def check_growth(early, late):
    """Compared in one life of one lfad; all that has a cap had reached it by the warm-up."""
    grown = []
    for name, value in late.items():
        print(f"soak: {name}: {early[name]} after the warm-up, {value} at the end ({value / max(early[name], 1):.2f})")
        slack = GROWTH_KIB if "KiB" in name else 0
        if value > max(early[name] * (GROWTH_MAX if slack else 1), early[name] + slack):
            grown.append(name)
    if grown:
        raise Violation(f"harm: lfad grows: {', '.join(grown)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("LFAD_SEED", "0")) or random.randrange(10 ** 6))
    parser.add_argument("--activations", type=int, default=1000)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--profile", default="nvnew")
    parser.add_argument("--firmware", default="versioned")
    parser.add_argument("--part", choices=("crashes", "steady", "both"), default="both")
    parser.add_argument("--keep", metavar="DIR", help="where the world is kept in which a promise was broken")
    arguments = parser.parse_args()
    world.enter()
    print(f"soak: LFAD_SEED={arguments.seed}, driver {arguments.profile}, firmware {arguments.firmware}", flush=True)
    try:
        if arguments.part != "steady":
            run(arguments, False)
        if arguments.part != "crashes":
            check_growth(*run(arguments, True))
    except (Violation, world.WorldError, world.BusError, AssertionError) as problem:
        sys.exit(f"soak: failed: {problem}")


if __name__ == "__main__":
    main()
