# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a step of a soak can do to lfad, and to whatever is around it. Each is a method of Actions that picks its own
arguments from the seed; what matters of it to the model is told to the model."""

import collections
import contextlib
import datetime
import os
import signal

import world
from model import NEVER, PREFIX, Violation, require
from virtual_time import SECOND
from world import IMAGE, MANAGER, PATH

DAY = 86400
WATCHDOGS_ARE_NEW = 1100000  # µs, after which lfad looks at them again
UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"
CODES = ("AUTH_ERROR", "BUSY", "NO_MEMORY", "CRITICAL_ERROR", "DEVICE_ERROR", "WRONG_STATE", "INVALID_PARAMETERS",
         "COMPONENT_WRONG_STATE", "ACTIVATION_FAILED", "NOT_SUPPORTED")
READABLE = ("name", "activation_capable", "activation_pending", "may_reset_cpu", "cpu_rendezvous", "current_version",
            "pending_version", "force_cpu_rendezvous", "auto_activate")
DECEIVING = {"current_version", "pending_version", "activation_pending"}
RAW = ("", "\\n", "0\\n", "1\\n", "2\\n", "-1\\n", "9.9\\n", "x\\n", "0.0\\n", "99999999999.1\\n", "\\xff\\xfe", "1.2")
LINGERING = {"system", "watchdog", "worker"}
OVERRIDES = ("version", "quarantine", "repeat", "hold", "freeze", "window", "interval", "inhibitor", "order")
SCAN_DAMAGE = ("garbage", "binary", "nothing", "exit-1", "right-and-exit-1", "right-and-garbage", "killed",
               "half-a-line", "long-line", "liar", "error", "strange")
ACTIVATE_DAMAGE = ("garbage", "nothing", "exit-1", "killed", "half-a-line", "error", "right-and-exit-1",
                   "right-and-garbage")


class Actions:
    """The world, the model, the random numbers, and what this step has done so far."""

    def __init__(self, a_world, model, random, note):
        self.world = a_world
        self.model = model
        self.random = random
        self.note = note
        self.version = 10
        self.images = {image["image"]: guid for guid, image in a_world.truth()[0].items()}
        self.inhibitors = []  # (descriptor or connection, restriction)
        self.gone = collections.deque(maxlen=50)  # connections: dbus-python wants them to outlive what they had to say
        self.requests = {}    # request-id -> (arguments, path)
        self.window = None
        self.config_is_bad = False
        self.unbound = False
        self.started_on_bad_disk = False
        self.causes = self.inherited = set()
        self.begin()
        for guid in self.images.values():
            self.notice_flags(guid)

    def begin(self):
        """A new step."""
        self.touched = set()
        self.deceived = False
        self.inherited = (self.causes - self.inherited) & LINGERING
        self.causes = set(self.inherited)
        self.faulty = False
        self.restaged = set()
        self.disturbed = False  # firmware, driver, disk or worker, or lfad's life, or somebody cancelled
        self.lived = True       # lfad did, from the beginning on
        self.model.damaged = False

    def linger(self, cause):
        """Of the next step, too: what lfad has read, or failed to, counts for a second."""
        self.causes.add(cause)
        self.inherited.discard(cause)

    def pick(self, items):
        return self.random.choice(list(items))

    def image(self):
        return self.pick(self.images)

    def some_images(self, least, most):
        return self.random.sample(sorted(self.images), min(len(self.images), self.random.randint(least, most)))

    def now(self):
        return self.world.time.monotonic()

    def chance(self, part):
        return self.random.random() < part

    # -- firmware and the driver

    def next_version(self):
        self.version += 1
        return f"{self.version}.{self.random.randrange(3)}"

    def stage(self, image=None):
        image = image or self.image()
        version = self.next_version()
        if self.chance(0.05):
            version = self.world.truth()[0][self.images[image]]["firmware"]["current-version"]  # the same once more
        self.note("stage", image, version)
        self.world.sim(["stage", image, version])
        self.restaged.add(self.images[image])
        self.model.lift_quarantine(self.images[image])
        return version

    def unstage(self):
        image = self.image()
        self.note("unstage", image)
        self.world.sim(["unstage", image])
        self.restaged.add(self.images[image])
        self.model.lift_quarantine(self.images[image])

    def firmware_fault(self, image=None):
        image = image or self.image()
        call = self.pick(("prime", "activate"))
        fault = self.pick((*[f"fail {call} {self.pick(CODES)} --times={self.random.randint(1, 3)}"] * 6,
                           f"fail cancel {self.pick(CODES)} --times=1",
                           f"fail info {self.pick(CODES)} --times=1",
                           f"fail inventory {self.pick(CODES)} --times=1",
                           f"busy {call} {self.random.randint(1, 30)}",
                           f"call-again {call} {self.random.randint(1, 5)}",
                           f"outcome activate no-change --image={image}",
                           *[f"outcome activate change-then-fail --image={image}"] * 2,
                           f"outcome activate change-then-busy --image={image}",
                           f"outcome activate degrade --image={image}",
                           *[f"outcome activate version={self.random.randint(1, 9)}.7 --image={image}"] * 2,
                           f"lost-prime {self.random.randint(1, 2)}",
                           f"slow {self.pick(('prime', 'activate', 'read', 'inventory'))} "
                           f"{self.random.randint(1, 20)}ms",
                           f"budget {call} 2ms"))
        self.note("fault", fault)
        self.disturbed = True
        self.world.sim(fault)

    def file_fault(self, image=None):
        attribute = self.pick(READABLE)
        image = image or self.image()
        read_error = self.pick(("EIO", "EBUSY", "EAGAIN", "ENODEV", "EACCES"))
        write_error = self.pick(("EBUSY", "EAGAIN", "ECANCELED", "EIO", "ENODEV", "EINVAL"))
        fault = self.pick((f"errno read {attribute} {read_error} --times=2",
                           f"errno open activate {self.pick(('EACCES', 'EROFS', 'ENOENT', 'EBUSY'))} --times=1",
                           f"errno write activate {write_error} --times={self.random.randint(1, 12)}",
                           f"errno write cancel {self.pick(('EINVAL', 'EIO'))} --times=1",
                           f"raw {attribute} '{self.pick(RAW)}' --image={image}",
                           f"missing {attribute} yes --image={image}"))
        self.note("fault", fault)
        self.world.sim(fault)
        self.causes.add("file")
        self.faulty = self.disturbed = True
        if "raw" in fault:
            self.deceived = True
            self.model.lift_quarantine(self.images[image])
        self.model.lift_quarantine(self.images[image])

    def clear_faults(self):
        """Firmware, its files, the disk and the worker are as they should be."""
        sim = self.world.sim
        self.world.stuck = False
        sim("release")
        for call in ("prime", "activate", "cancel", "info", "inventory"):
            sim(f"fail {call} none")
        for call in ("prime", "activate"):
            sim(f"busy {call} 0")
            sim(f"call-again {call} 0")
        for image in ("", *(f"--image={image}" for image in self.images)):
            with contextlib.suppress(world.WorldError):
                sim(f"outcome activate normal {image}")
        sim("lost-prime 0")
        for what in ("prime", "activate", "read", "inventory"):
            sim(f"slow {what} 0")
        sim("budget prime 20s")
        sim("budget activate 20s")
        if self.faulty:
            for attribute in READABLE:
                sim(f"errno read {attribute} none")
                for image in self.images:
                    sim(f"raw {attribute} none --image={image}")
                    sim(f"missing {attribute} no --image={image}")
            for operation in ("open", "write"):
                sim(f"errno {operation} activate none")
            sim("errno write cancel none")
        self.world.damage("none", "none")
        self.world.login1.release()
        for operation in ("write", "fsync", "rename", "fallocate", "create", "open", "truncate"):
            self.world.disk_fault(operation, "none")

    def behind_the_back(self):
        """Somebody else activates."""
        image, version = self.image(), self.next_version()
        self.note("set", image, version)
        self.disturbed = True
        self.world.sim(["set", image, "current-version", version])
        self.touched.add(self.images[image])
        self.world.sim("notify")

    def flag(self, image=None, good=False):
        """An image's property changes. The driver stores it when it is bound."""
        image = image or self.image()
        for name, kind, right in (("capable", "capable", 1), ("may-reset", "reset", 0)):
            value = right if good or self.chance(0.6) else 1 - right
            self.note("set", image, name, value)
            for item in self.model.active(kind):
                if item.guids == {self.images[image]}:
                    item.until = self.now()
            self.world.sim(["set", image, name, str(value)])
        self.disturbed = True
        self.world.sim("unbind")
        self.world.sim("bind")
        self.refresh()
        self.notice_flags(self.images[image])

    def notice_flags(self, guid):
        shown = self.world.truth()[0][guid]["directory"]
        if not shown["capable"]:
            self.model.restrict("capable", self.now(), [guid], overridable=False)
        if shown["may-reset"]:
            self.model.restrict("reset", self.now(), [guid], overridable=False)

    def unbind(self):
        self.note("unbind")
        self.world.sim("unbind")
        self.unbound = self.disturbed = True
        self.causes.add("unbound")
        self.deceived = True  # what a driver shows that goes away is nothing to go by

    def bind(self):
        self.note("bind")
        self.world.sim("bind")
        self.unbound = False

    def vanish(self):
        if UNNAMED not in self.images:
            return
        self.note("vanish and add", UNNAMED)
        self.disturbed = True
        self.world.sim(["vanish", UNNAMED, "--now"])
        if self.chance(0.7):
            self.refresh()
        self.world.sim(["add", UNNAMED, "4.0", "--now"])
        self.touched.add(UNNAMED)
        self.model.lift_quarantine(UNNAMED)
        for item in self.model.active():
            if item.kind in ("capable", "reset") and item.guids == {UNNAMED}:
                item.until = 0

    def events(self):
        count = self.pick((1, 3, 50))
        self.note("uevents", count)
        self.world.sim(f"uevent change --count={count}")

    def kernel_auto(self):
        image = self.image()
        self.note("auto", image)
        self.world.sim(["auto", image, "1"])
        self.causes.add("file")
        self.disturbed = True
        self.touched.add(self.images[image])  # the kernel may be faster

    # -- lfad's callers

    def attempt(self, what, call, *args, guid=None, **options):
        """A call that may be refused; its answer, or the error."""
        try:
            answer = call(*args, **options)
            self.note(what, "->", answer if isinstance(answer, str) else "ok")
            return answer
        except world.BusError as error:
            self.note(what, "->", error.name.removeprefix(PREFIX))
            self.check_refusal(error, guid)
            return error

    def ask(self, what, member, signature, *args, guid=None):
        """A method of the Manager."""
        return self.attempt(what, self.world.call, PATH, MANAGER, member, signature, *args, guid=guid)

    def check_refusal(self, error, guid=None):
        self.model.check_refusal(guid, error.name, error.message, self.causes)

    def refresh(self):
        return self.attempt("refresh", self.world.refresh)

    def options(self, image):
        """Of an activation, with their types."""
        options = {}
        if self.chance(0.3):
            options["request-id"] = f"soak-{len(self.requests)}-{self.random.randrange(10 ** 9)}"
        if self.chance(0.25):
            options["override"] = sorted(self.random.sample(OVERRIDES, self.random.randint(1, 4)))
            options["reason"] = "the soak wants it"
        if self.chance(0.1):
            options["unattended"] = True
        if self.chance(0.1):
            options["expected-pending-version"] = self.pick(("1.0", f"{self.version}.0", f"{self.version}.1"))
        return options

    def activate(self, image=None, **more):
        """Asks as root; the job's path, or the error."""
        image = image or self.image()
        options = {**self.options(image), **more}
        answer = self.ask(f"activate {image} {options}", "Activate", "sa{sv}", image, options, guid=self.images[image])
        if isinstance(answer, str):
            self.model.read_queued(self.world.job_id(answer))
            if "request-id" in options:
                self.requests[options["request-id"]] = (image, options, answer)
        elif self.chance(0.3):
            self.explain(image, options, answer)
        return answer

    def explain(self, image, options, error):
        """Explain tells what the call would be answered, from the same gates."""
        for _ in range(3):  # what lfad knows may be just being read
            before = self.now()
            try:
                verdict, gates = self.explanation(image, options)
            except world.BusError as second:
                self.check_refusal(second, self.images[image])
                return
            # A disk may be well again meanwhile, and a file whose faults are counted.
            known = set() if self.causes & {"disk", "file"} else {error.name}
            self.model.check_explanation(verdict, gates, known, self.world.time.wall())
            if "disk" in self.causes or not self.model.must_be_explained(error.name, verdict, self.now() - before):
                return
            self.refresh()
            error = self.ask(f"activate {image} once more", "Activate", "sa{sv}", image, options,
                             guid=self.images[image])
            if isinstance(error, str):
                self.model.read_queued(self.world.job_id(error))
                return
        raise Violation(f"explain: Explain allows what is refused with {error.name}: {verdict}")

    def explanation(self, image, options):
        """What Explain answers of an activation with these options: the verdict, and those of all gates."""
        options = {key: value for key, value in options.items() if key != "deadline"}
        return self.world.call(PATH, MANAGER, "Explain", "sa{sv}", image, options)

    def activate_plainly(self, image):
        """Without options, as most do."""
        return self.ask(f"activate {image}", "Activate", "sa{sv}", image, {}, guid=self.images[image])

    def ask_again(self):
        """The same request, the same job; another one under its name is refused."""
        if not self.requests:
            return
        name = self.pick(list(self.requests)[-20:])
        image, options, path = self.requests[name]
        is_other = self.chance(0.3)
        if is_other:
            other = {**options, "reason": "another one"}
            answer = self.ask(f"reuse {name}", "Activate", "sa{sv}", image, other)
        else:
            answer = self.ask(f"repeat {name}", "Activate", "sa{sv}", image, options)
        self.model.check_repeated(answer, path, name, is_other)

    def activate_pending(self):
        answer = self.ask("activate pending", "ActivatePending", "a{sv}",
                          self.pick(({}, {"unattended": True}, {"when-allowed": True})))
        return answer if isinstance(answer, list) else []

    def stranger(self):
        """Somebody whom polkit knows nothing of."""
        image = self.image()
        self.world.frozen = True
        try:
            self.attempt(f"activate {image} as nobody", self.world.activate_as, "nobody", image, interactive=False,
                         guid=self.images[image])
        finally:
            self.world.frozen = False

    def vanishing(self):
        """Asks and is gone before the answer."""
        connection = self.world.connect()
        inhibit = ("soak", "gone", "block", world.dbus.Array([], "s"), {})
        member, signature, args = self.pick((("Activate", "sa{sv}", (self.image(), {})),
                                             ("Activate", "sa{sv}", (self.image(), {"when-allowed": True})),
                                             ("ActivatePending", "a{sv}", ({},)), ("Refresh", "a{sv}", ({},)),
                                             ("GetHistory", "a{sv}", ({},)), ("Explain", "sa{sv}", (self.image(), {})),
                                             ("GetWatchdogs", "a{sv}", ({},)), ("Inhibit", "sssasa{sv}", inhibit)))
        self.note("a caller vanishes in", member, args)
        connection.call_async(world.NAME, PATH, MANAGER, member, signature, args, lambda *_: None, lambda *_: None)
        connection.flush()
        if self.chance(0.5):
            self.world.pause(0.01)
        connection.close()
        self.gone.append(connection)

    def reader(self):
        member, signature, args = self.pick((("GetHistory", "a{sv}", ({},)), ("GetPlan", "a{sv}", ({},)),
                                             ("ListInhibitors", "", ()), ("GetWatchdogs", "a{sv}", ({},)),
                                             ("Describe", "a{sv}", ({},)), ("Explain", "sa{sv}", (self.image(), {}))))
        self.ask(member, member, signature, *args)

    def cancel(self):
        self.disturbed = True
        jobs = [path for path, interfaces in self.world.images().items()
                if world.JOB in interfaces and interfaces[world.JOB]["State"] != "done"]
        if jobs:
            path = self.pick(jobs)
            self.attempt(f"cancel {path}", self.world.call, path, world.JOB, "Cancel", "a{sv}", {})
        else:
            image = self.image()
            path = self.world.image_path(self.images[image])
            self.attempt(f"cancel {image}", self.world.call, path, IMAGE, "Cancel", "a{sv}", {})

    # -- policy

    def hold(self):
        image = self.pick((None, None, *self.images))
        options = {"images": [image]} if image else {}
        span = self.pick((0, 0, 60, 3600))
        if span:
            options["until"] = world.dbus.UInt64(self.world.time.wall() + span * SECOND)
        answer = self.ask(f"hold {image} for {span} s", "Hold", "sa{sv}", "soak", options)
        if answer is None or answer == []:
            until = int(options.get("until", 0))
            for item in self.model.active("hold"):
                if item.guids == ({self.images[image]} if image else set()):
                    item.until = item.since  # in its place there is the new one
            item = self.model.restrict("hold", self.now(), [self.images[image]] if image else [],
                                       allows=lambda record: bool(until) and record["timestamp"] >= until)
            item.ends = until

    def unhold(self):
        before = self.now()
        holds = [item for item in self.model.active("hold") if not item.is_over]
        if not holds:
            return
        item = self.pick(holds)
        options = {"images": sorted(item.guids)} if item.guids else {}
        answer = self.ask(f"unhold {options}", "Unhold", "a{sv}", options)
        if not isinstance(answer, world.BusError):
            item.until = before
        elif not item.ends and "disk" not in self.causes:
            raise Violation(f"forget: a hold: {item}")
        else:
            item.is_over = True  # until the clock is set back

    def inhibit(self):
        mode = self.pick(("block", "block", "delay"))
        image = self.pick((None, *self.images))
        images = world.dbus.Array([image] if image else [], signature="s")
        answer = self.ask(f"inhibit {mode} {image}", "Inhibit", "sssasa{sv}", "soak", "it must", mode, images, {})
        if isinstance(answer, world.BusError) or answer is None:
            return
        descriptor = answer.take()
        restriction = self.model.restrict("inhibitor", self.now(), [self.images[image]] if image else []) \
            if mode == "block" else None
        self.inhibitors.append((descriptor, restriction))

    def hold_all(self):
        self.ask("hold all", "Hold", "sa{sv}", "soak", {})
        self.model.restrict("hold", self.now())

    def inhibit_all(self):
        descriptor = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "soak", "it must", "block",
                                     world.dbus.Array([], "s"), {}).take()
        self.inhibitors.append((descriptor, self.model.restrict("inhibitor", self.now())))

    def open_again(self, kind):
        """Takes away what was made by one of the above, or by host_stops() or watchdog()."""
        {"hold": self.unhold_all, "inhibitor": self.forget_clients, "system": self.host_stops,
         "watchdog": self.watchdog}[kind]()
        self.world.pause(3)  # what lfad has read counts a moment longer

    def release(self):
        if self.inhibitors:
            descriptor, restriction = self.inhibitors.pop(self.random.randrange(len(self.inhibitors)))
            self.note("release", restriction or "a delay")
            if restriction:
                restriction.until = self.now()
            os.close(descriptor)

    def clear_quarantine(self):
        image = self.image()
        self.model.lift_quarantine(self.images[image])
        self.attempt(f"clear quarantine of {image}", self.world.call, self.world.image_path(self.images[image]), IMAGE,
                     "ClearQuarantine", "a{sv}", {})

    def host_stops(self):
        """It prepares to, or does not any more."""
        active = self.model.active("system")
        name = self.pick(("PreparingForShutdown", "PreparingForSleep"))
        self.linger("system")  # what lfad has read of it counts a moment longer
        for item in active:
            item.until = self.now()
        self.note("the host", "goes on" if active else name)
        self.world.login1.preparing = dict.fromkeys(self.world.login1.preparing, False)
        if not active:
            self.world.login1.preparing[name] = True
            self.model.restrict("system", self.now(), overridable=False)

    def logind(self):
        """It answers as it should, or does not."""
        login1 = self.world.login1
        login1.lock_mode = self.pick(("fail", "enxio", "lie"))
        self.note("logind", login1.lock_mode)
        self.linger("system")

    def watchdog(self):
        """One that would bite, or none."""
        active = self.model.active("watchdog")
        if active:
            self.note("the watchdog is gone")
            self.linger("watchdog")  # lfad's last reading counts a moment longer
            for item in active:
                item.until = self.now()
            self.world.remove_sysfs("class/watchdog/watchdog1")
            return
        self.note("a watchdog that leaves no time")
        values = {"identity": "Other Watchdog", "state": "active", "timeout": 3, "pretimeout": 3, "max_timeout": 3}
        for name, value in values.items():
            self.world.put_sysfs(f"class/watchdog/watchdog1/{name}", f"{value}\n")
        self.model.restrict("watchdog", self.now() + WATCHDOGS_ARE_NEW, overridable=False)

    # -- configuration

    def write_configuration(self, bad=False):
        """A random policy; what it forbids, as the restrictions to be."""
        wall = self.world.time.wall()
        text = "[Daemon]\nHistoryMaxBytes=512K\n"
        after = self.random.randint(2, 5)
        text += f"[Policy]\nQuarantineAfter={after}\nMode={self.pick(('manual', 'manual', 'automatic'))}\n"
        text += f"InhibitDelayMaxSec={self.pick((0, 5, 30))}\n"
        forbids = []
        if self.chance(0.06):
            text += "MinimumIntervalSec=2min\n"
            self.causes.add("interval")
            forbids.append(("interval", (), lambda record: True, True))
        if self.chance(0.4):
            hour, hours = self.random.randrange(24), self.random.randint(1, 12)
            text += f"[Window w]\nOnCalendar=*-*-* {hour:02}:00\nDuration={hours}h\n"
            forbids.append(("window", (), lambda record: self.in_window(record["timestamp"], hour, hours), True))
        if self.chance(0.15):
            day = wall // SECOND // DAY + self.random.randint(-1, 1)
            text += f"[Freeze f]\nFrom={self.date(day)}\nUntil={self.date(day + 1)}\n"
            forbids.append(("freeze", (), lambda record: record["timestamp"] // SECOND // DAY != day, True))
        if self.chance(0.2):
            versions = {f"{self.version + 1}.0", f"{self.version + 2}.0"}
            text += f"[Image rmm]\nGuid={world.GUIDS['rmm']}\nForbidVersion={' '.join(versions)}\n"
            forbids.append(("version", [world.GUIDS["rmm"]], lambda record: record.get("to") not in versions, True))
        elif self.chance(0.2):
            text += f"[Image rmm]\nGuid={world.GUIDS['rmm']}\nAfter=bl31\n"
            forbids.append(("order", [world.GUIDS["rmm"]], lambda record: True, True))
        if bad:
            text += self.pick(("[Policy]\nNoSuchKey=1\n", "garbage\n", "[Daemon]\nPollSec=1h\n",
                               "[Window x]\nDuration=1h\n"))
        self.world.configure(text)
        return after, forbids

    @staticmethod
    def date(day):
        return datetime.datetime.fromtimestamp(day * DAY, datetime.timezone.utc).strftime("%Y-%m-%d")

    @staticmethod
    def in_window(usec, hour, hours):
        return (usec // SECOND - hour * 3600) % DAY < hours * 3600

    def adopt(self, after, forbids):
        """From now on this is the policy."""
        self.model.quarantine_after = after
        self.model.failures.clear()
        for kind, guids, allows, overridable in forbids:
            self.model.restrict(kind, self.now(), guids, allows=allows, overridable=overridable)

    def end_policy(self):
        """What the configuration forbade is not certain any more."""
        self.model.quarantine_after = 100
        for kind in ("window", "freeze", "version", "order", "interval", "config"):
            for item in self.model.active(kind):
                item.until = self.now()
                self.causes.add(kind)

    def reload(self, bad=None):
        bad = self.chance(0.3) if bad is None else bad
        before = self.model.quarantine_after, self.model.active()
        after, forbids = self.write_configuration(bad)
        if not bad:
            self.end_policy()
        answer = self.attempt(f"reload, {'bad' if bad else 'good'}", self.try_reload)
        if bad:
            self.model.require_error(answer, "ConfigInvalid")
            assert before[0] == self.model.quarantine_after
        elif not isinstance(answer, world.BusError):
            self.adopt(after, forbids)

    def try_reload(self):
        self.causes.add("config")
        self.world.reload()

    # -- time

    def let_pass(self):
        seconds = self.pick((1, 5, 30, 61, 120))
        self.note("pass", seconds)
        self.world.pause(seconds)

    def skip(self):
        """The host slept."""
        seconds = self.pick((600, 3600, 7200, DAY // 2, DAY, 3 * DAY))
        self.note("skip", seconds)
        self.disturbed = True  # whoever waits for something finds that it took as long
        self.causes |= {"watchdog", "system", "worker"}
        self.world.time.move(seconds * SECOND)
        self.world.pause(1)

    def set_clock(self):
        seconds = self.pick((-DAY, -3600, -60, -1, 1, 60, 3600, DAY))
        self.note("set the clock", seconds)
        self.world.time.set_wall(seconds * SECOND)
        self.causes |= {"window", "freeze", "hold", "interval"}

    # -- lfad's life

    def start(self):
        """With a configuration that is right, now and then with one that is not."""
        self.end_policy()
        bad = self.chance(0.1)
        after, forbids = self.write_configuration(bad)
        self.note("start, with a bad configuration" if bad else "start")
        self.started_on_bad_disk = "disk" in self.causes
        self.world.start_lfad()
        if bad:
            self.model.quarantine_after = 100
            self.model.restrict("config", self.now(), overridable=False)
        else:
            self.adopt(after, forbids)

    def free(self, after=3):
        """Nothing forbids an activation any more; QuarantineAfter=."""
        self.end_policy()
        self.world.configure(f"[Daemon]\nHistoryMaxBytes=512K\n[Policy]\nQuarantineAfter={after}\n"
                             "InhibitDelayMaxSec=5\n")
        self.attempt("reload, free", self.try_reload)
        self.adopt(after, [])
        self.forget_clients()
        for item in self.model.active("hold"):
            self.ask(f"unhold {item}", "Unhold", "a{sv}", {"images": sorted(item.guids)} if item.guids else {})
            item.until = self.now()
        if self.model.active("watchdog"):
            self.watchdog()
        if self.model.active("system"):
            self.host_stops()
        self.world.login1.lock_mode = "ok"
        for image in self.images:
            flags = self.model.active("capable") + self.model.active("reset")
            if any(self.images[image] in item.guids for item in flags):
                self.flag(image, good=True)
            self.world.sim(["unstage", image])
            self.restaged.add(self.images[image])
        self.refresh()
        self.world.pause(3)  # what lfad knows of the host counts for a moment

    def forget_clients(self):
        """Inhibitors end with the lfad that gave them, or are known to the next one; the soak lets go of them."""
        while self.inhibitors:
            self.release()

    def kill(self):
        self.note("kill -9 lfad")
        self.disturbed, self.lived = True, False
        for _, restriction in self.inhibitors:
            if restriction:
                restriction.until = self.now()
        self.world.kill("lfad")
        if self.chance(0.3):
            self.world.time.move(self.pick((1, 60, 3600)) * SECOND)
        self.start()
        self.forget_clients()

    def restart(self):
        self.note("restart lfad")
        self.disturbed, self.lived = True, False
        for _, restriction in self.inhibitors:
            if restriction:
                restriction.until = self.now()
        self.world.stuck = False
        self.world.sim("release")
        self.world.stop("lfad")
        self.start()
        self.forget_clients()

    def reboot(self):
        self.note("the host restarts")
        self.disturbed, self.lived = True, False
        for item in self.model.active():
            if item.kind in ("inhibitor", "window", "freeze", "version", "order", "interval", "config"):
                item.until = self.now()
        self.end_policy()
        self.world.stuck = False
        after, forbids = self.write_configuration()
        self.started_on_bad_disk = "disk" in self.causes
        self.world.kill("lfad")
        self.model.read_more()
        begun = [number for number, job in self.model.jobs.items() if job.started and not job.finished]
        self.world.restart_host()
        self.adopt(after, forbids)
        self.forget_clients()
        self.causes.add("hold")
        self.deceived = True  # what the boot loaded is not known
        for guid in self.images.values():
            self.model.lift_quarantine(guid)
        if "disk" not in self.causes:
            self.model.read_more()
            self.model.check_host_restarted(begun)
            for number in begun:
                self.check_self_hold(self.model.jobs[number].started)
        self.unhold_all()

    def unhold_all(self):
        """What lfad holds itself, and a person's hold of all images."""
        before = self.now()
        if not isinstance(self.ask("unhold all", "Unhold", "a{sv}", {}), world.BusError):
            for item in self.model.active("hold"):
                if not item.guids:
                    item.until = before

    def name_of(self, guid):
        return next(name for name, other in self.images.items() if other == guid)

    def check_self_hold(self, started):
        """The host restarted while that was being activated: that version is quarantined, and everything is held,
        until another one is seen pending for the image."""
        image, version = self.name_of(started["guid"]), started.get("to", "")
        self.clear_faults()
        released = [record for record in self.model.fresh if record["type"] in ("unhold", "quarantine-cleared")
                    and record["seq"] > started["seq"]]
        if not version or released:
            return
        shown = self.world.manager()
        require(shown["Held"] and shown["HoldReason"], "harm", "the host restarted, and nothing is held", started)
        for name in self.images:
            self.require_gate(name, "hold", "Held")
        self.world.sim(["stage", image, version])
        self.refresh()
        self.require_refused(image, "quarantine", "Quarantined")
        self.unhold_all()
        self.require_refused(image, "quarantine", "Quarantined")
        self.model.failures[(started["guid"], version)] = NEVER
        self.model.covered["HostRestarted"] += 1

    def require_gate(self, image, gate, error):
        """This gate refuses, and says so. Its whole verdict is what Explain tells."""
        _, gates = self.explanation(image, {})
        found = next(item for item in gates if item["gate"] == gate)
        require(found["answer"] in ("deny", "defer") and found["error"] == PREFIX + error, "harm",
                f"gate {gate} does not refuse {image} with {error}", found)

    def require_refused(self, image, gate, error, alone=False):
        """This gate refuses, and with it the call, without a write. alone: no other gate does."""
        self.require_gate(image, gate, error)
        stores = self.world.stores()
        answer = self.ask(f"activate {image}, as {gate} must refuse it", "Activate", "sa{sv}", image, {},
                          guid=self.images[image])
        require(isinstance(answer, world.BusError), "harm", f"{image} is activated, and gate {gate} refuses it")
        if alone:
            require(answer.name == PREFIX + error, "explain", f"refused with {answer}, not {error}")
        self.world.pause(2)
        require(self.world.stores() == stores, "harm", f"a write, and gate {gate} refuses it")
        self.model.covered[f"refused by {gate}"] += 1

    def kill_worker(self):
        pids = self.world.worker_pids()
        if pids:
            self.note("kill -9 a worker")
            self.disturbed = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pick(pids), signal.SIGKILL)

    def disk_fault(self):
        fault = self.pick((("write", "ENOSPC"), ("write", "EIO"), ("write", "short"), ("fsync", "EIO"),
                           ("rename", "EIO"), ("fallocate", "ENOSPC"), ("create", "ENOSPC")))
        words = [*fault, str(self.random.randrange(4)), *self.pick(((), ("1",), ("2",)))]
        self.note("disk", *words)
        self.causes.add("disk")
        self.disturbed = self.model.damaged = True
        self.world.disk_fault(*words)
        for guid in self.images.values():
            self.model.lift_quarantine(guid)

    def damage_worker(self):
        verb, modes = self.pick((("scan", SCAN_DAMAGE), ("activate", ACTIVATE_DAMAGE), ("watchdogs", SCAN_DAMAGE),
                                 ("set", SCAN_DAMAGE), ("cancel", SCAN_DAMAGE)))
        mode = self.pick(modes)
        self.note("worker", verb, mode)
        self.linger("worker")
        self.disturbed = True
        self.world.damage(verb, mode)
