# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold after each step of a soak, decided without lfad: from what was done to it, what the simulator knows,
and what is on disk. Each check is named after the promise that it is about (CONTRIBUTING.md): harm, lie, forget,
explain."""

import collections
import json
import os
import re

NEVER = 2 ** 64 - 1
PREFIX = "org.arm.LFA1.Error."
RESULTS = {"succeeded", "unverified", "failed", "cancelled", "refused", "unknown"}
STORES_A_JOB_MAX = 10  # the worker repeats a write only while the driver is busy, ever more rarely, for a second
FILES = ("history.jsonl.3", "history.jsonl.2", "history.jsonl.1", "history.jsonl")
SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STANDARD_ERRORS = {"org.freedesktop.DBus.Error." + name for name in (
    "AccessDenied", "InteractiveAuthorizationRequired", "InvalidArgs", "LimitsExceeded", "UnknownObject")}
# What may have passed by itself while it was asked once more.
PASSING = {"OutsideWindow", "Frozen", "IntervalNotOver", "Held", "SystemNotReady"}
BOOT_ID = re.compile(rb',"boot-id":"\w+"')  # a host that restarts is one whose records are of another boot all at once
# Which restriction makes a refusal by this error true.
CAUSES = {"Held": {"hold"}, "Inhibited": {"inhibitor"}, "OutsideWindow": {"window"}, "Frozen": {"freeze", "window"},
          "WatchdogUnsafe": {"watchdog", "worker"}, "ConfigInvalid": {"config"}, "DiskFull": {"disk"},
          "StateUnavailable": {"disk"}, "NotCapable": {"capable", "file"}, "NeedsCpuReset": {"reset", "file"},
          "VersionForbidden": {"version", "file"}, "NoDriver": {"unbound"}, "TreeLost": {"lost", "unbound", "file"},
          "IntervalNotOver": {"interval"}, "SystemStopping": {"system"}, "SystemNotReady": {"system"},
          "KernelAutoActivate": {"file", "worker"},
          "SettingNotApplied": {"file", "worker"}, "OrderPending": {"order"}}


def _error_names():
    with open(os.path.join(SOURCE_DIR, "include/lfa/error-names.h"), encoding="utf-8") as file:
        return STANDARD_ERRORS | {PREFIX + name for name in re.findall(r'X\([A-Z_]+, "(\w+)"', file.read())}


ERROR_NAMES = _error_names()


class Violation(Exception):
    """A promise was broken."""


def require(holds, promise, text, *details):
    if not holds:
        raise Violation(f"{promise}: {text}" + "".join(f"\n    {detail}" for detail in details))


class Restriction:
    """Something that forbids activations from its beginning to its end; a gate's name says what may pass it over.

    Its times are lfad's CLOCK_MONOTONIC: after the call that made it was answered, and before the one that ended it
    was made, so that in between it holds for certain. allows(record): whether it lets this one start all the same."""

    def __init__(self, kind, since, guids=(), allows=None, overridable=True):
        self.kind = kind
        self.guids = set(guids)  # none: all images
        self.since = since
        self.until = None
        self.allows = allows or (lambda record: False)
        self.overridable = overridable
        self.ends = 0  # a hold's own, by the clock on the wall
        self.is_over = False

    def concerns(self, guid):
        return not self.guids or guid in self.guids

    def __repr__(self):
        return f"{self.kind} {sorted(self.guids)} {self.since}..{self.until}"


class Job:
    def __init__(self, queued):
        self.queued = queued
        self.started = self.finished = None
        self.settled = []

    def __repr__(self):
        return " ".join(json.dumps(record) for record in (self.queued, self.started, self.finished) if record)


class Model:
    def __init__(self, folder):
        self.folder = folder
        self.records = {}  # seq -> line
        self.jobs = {}
        self.restrictions = []
        self.seen_lines = {}
        self.fresh = []  # records since the last step
        self.told = collections.defaultdict(list)  # job -> what JobRemoved said of it
        self.damaged = False  # in this step, the history
        self.torn = set()  # lines that ended in the middle; what is written next to one spoils it
        self.covered = collections.Counter()  # what a soak must have shown
        self.failures = collections.Counter()  # (guid, to) -> since it was lifted
        self.quarantine_after = 3
        self.counts = collections.Counter()
        self.errors = collections.Counter()  # of jobs; and of calls that were refused
        self.refusals = collections.Counter()

    # -- restrictions

    def restrict(self, kind, since, guids=(), **options):
        restriction = Restriction(kind, since, guids, **options)
        self.restrictions.append(restriction)
        return restriction

    def active(self, kind=None):
        return [item for item in self.restrictions if item.until is None and kind in (None, item.kind)]

    def forget_old(self, before):
        self.restrictions = [item for item in self.restrictions if item.until is None or item.until > before]

    def lift_quarantine(self, guid):
        """Perhaps: from now on nothing is asserted of what went wrong before."""
        for key in [key for key in self.failures if key[0] == guid]:
            del self.failures[key]

    # -- records

    def read(self):
        """Takes what is new on disk. Torn lines are passed over, as lfad does."""
        fresh, lines, torn = [], {}, set()
        for name in FILES:
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                continue
            with open(path, "rb") as file:
                *whole, rest = BOOT_ID.sub(b"", file.read()).split(b"\n")
            if rest.strip(b"\0"):
                torn.add(rest)
            for line in whole:
                lines[line] = True
                if line not in self.seen_lines:
                    fresh += self._parse(line)
        self.seen_lines = lines
        self.torn |= torn
        for record in sorted(fresh, key=lambda item: item["seq"]):
            self._take(record)
        self.fresh = fresh

    def _parse(self, line):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or "type" not in record or "seq" not in record:
            require(self.damaged or any(line.startswith(rest) for rest in self.torn), "forget",
                    "a line of the history is no record, and nothing had damaged it", line)
            return []
        seq = record["seq"]
        require(seq not in self.records, "forget", f"number {seq} was given twice", self.records.get(seq), line)
        self.records[seq] = line
        return [record]

    def _take(self, record):
        kind, job = record["type"], self.jobs.get(record.get("job"))
        self.counts[kind] += 1
        if kind == "queued":
            require(record["job"] == record["seq"], "forget", "a job's number is not its record's", record)
            self.jobs[record["job"]] = Job(record)
        elif kind == "started":
            require(job and not job.started and not job.finished, "forget", "a start out of its place", record, job)
            job.started = record
            self._check_start(job)
        elif kind == "finished":
            require(job and not job.finished, "forget", "an end out of its place", record, job)
            job.finished = record
            self._check_end(job)
        elif kind == "settled" and job:
            job.settled.append(record)
            self.lift_quarantine(record.get("guid"))
        elif kind in ("quarantine-cleared", "external"):
            self.lift_quarantine(record.get("guid"))

    def _check_start(self, job):
        record, guid = job.started, job.queued["guid"]
        overrides = set(job.queued.get("override", ()))
        at = record["monotonic"]
        for item in self.restrictions:
            if not item.concerns(guid) or at < item.since or (item.until is not None and at > item.until):
                continue
            newer_hold = item.kind == "hold" and item.since > job.queued["monotonic"]
            if item.overridable and item.kind in overrides and not newer_hold:
                continue
            require(item.allows(record), "harm", f"an activation began although there was {item}", job)
        failures = self.failures[(guid, record.get("to"))]
        require(failures < self.quarantine_after or "quarantine" in overrides, "harm",
                f"an activation began although {failures} went wrong", job)

    def _check_end(self, job):
        record = job.finished
        self.counts[record["result"]] += 1
        self.errors[record.get("error", "").removeprefix(PREFIX)] += 1
        require(record["result"] in RESULTS, "explain", "an end without a result", record)
        require(record.get("message"), "explain", "an end without a message", record)
        if record["result"] in ("failed", "cancelled", "refused", "unknown"):
            name = record.get("error", "")
            require(name in ERROR_NAMES, "explain", f"an end by {name}, which is no error's name", record)
        if job.started and record["result"] in ("failed", "unknown"):
            self.failures[(record["guid"], record.get("to"))] += 1

    # -- after each step

    def check_ends(self, waiting):
        """Nothing runs any more: what was begun has ended, but for those that wait."""
        for number, job in self.jobs.items():
            if job.finished is None:
                require(number in waiting and not job.started, "forget", "a job has no end", job)
        for number in waiting:
            require(number in self.jobs, "forget", f"job {number} waits and was never recorded")
        self._forget_jobs()

    def _forget_jobs(self):
        for number in sorted(self.jobs)[:-400]:
            if self.jobs[number].finished:
                del self.jobs[number]
        for seq in sorted(self.records)[:-4000]:
            del self.records[seq]

    def check_stores(self, before, after):
        """What the driver saw of writes was all on disk before."""
        stores = after["activate-stores"] - before["activate-stores"]
        allowed = 0
        for record in self.fresh:
            if record["type"] == "started":
                end = self.jobs[record["job"]].finished
                allowed += end.get("attempts", STORES_A_JOB_MAX) if end else STORES_A_JOB_MAX
        require(stores <= allowed, "harm", f"{stores} writes, {allowed} are explained by records", *self.fresh)

    def check_firmware(self, before, after, touched, deceived):
        """What is told of each activation, against what firmware really runs. touched: images that the step itself
        changed; deceived: the driver showed other versions than firmware's."""
        started = collections.defaultdict(list)
        for record in self.fresh:
            if record["type"] == "started":
                started[record["guid"]].append(self.jobs[record["job"]])
        for guid, image in after.items():
            if guid in touched or "firmware" not in image or "firmware" not in before.get(guid, {}):
                continue
            old, new = before[guid]["firmware"]["current-version"], image["firmware"]["current-version"]
            jobs = started.get(guid, [])
            if not jobs:
                require(old == new, "harm", f"{guid} runs {new}, not {old}, and no activation was begun")
            elif not deceived:
                shown = before[guid].get("directory", {}).get("current-version")
                # What the driver shows is what it has read last: another one was run and it did not look.
                self._check_claims(jobs, old if shown == old else None, new)

    @staticmethod
    def _check_claims(jobs, runs, new):
        """Each end of one image's jobs, in their order. runs: what firmware ran before; None: cannot be told, which a
        success ends and what leaves the old or the new firmware begins."""
        unexpected = None
        for job in sorted(jobs, key=lambda job: job.started["seq"]):
            end = job.finished
            if end is None:
                return
            result, error = end["result"], end.get("error", "").removeprefix(PREFIX)
            wanted = job.started.get("to", "")
            if result == "succeeded":
                require(runs is None or wanted != runs, "lie", f"succeeded, and firmware ran {runs} before", job)
                runs, unexpected = wanted or None, None
            elif error == "UnexpectedVersion":
                runs, unexpected = None, wanted
            elif result not in ("failed", "refused", "cancelled"):
                runs, unexpected = None, None
        require(runs in (None, new), "lie", f"firmware runs {new}, not {runs}", *jobs)
        require(unexpected != new, "lie", f"an unexpected version, and firmware runs {new}", *jobs)

    def check_undisturbed(self, profile, restaged):
        """Nothing went wrong in this step but what lfad did itself: what was begun must have succeeded, and be proven
        where versions can prove it. restaged: images for which firmware got another version in it."""
        for record in self.fresh:
            if record["type"] != "started" or not self.jobs[record["job"]].finished:
                continue
            job = self.jobs[record["job"]]
            old, new, result = record.get("from", ""), record.get("to", ""), job.finished["result"]
            allowed = {"succeeded"}
            if not (old and new) or old == new:
                allowed.add("unverified")
                if profile.startswith("v1"):  # its success means nothing
                    allowed |= {"unknown", "failed"}
            if record["guid"] in restaged and job.finished.get("error") == PREFIX + "VersionChanged":
                continue
            require(result in allowed, "lie", f"{result}, and nothing was wrong with firmware, driver or lfad", job)
            self.covered[f"undisturbed {result}"] += 1

    def tell(self, number, result):
        """JobRemoved."""
        self.told[number].append(result)

    def untold(self):
        """Jobs that have ended in this step without a signal."""
        return [record["job"] for record in self.fresh
                if record["type"] == "finished" and not self.told.get(record["job"])]

    def check_told(self, lived, deceived):
        """One signal for each end, and it says what is on disk. lived: lfad did, and we were connected, throughout."""
        for record in self.fresh:
            if record["type"] != "finished":
                continue
            told = self.told.get(record["job"], [])
            require(len(told) <= 1, "lie", f"an end was told {len(told)} times", record)
            require(told or not lived, "explain", "an end was not told", record)
            require(not told or deceived or told[0] == record["result"], "lie", f"{told} was told", record)
        for number in sorted(self.told)[:-400]:
            del self.told[number]

    def check_refused_jobs(self, since, causes):
        """What has ended refused had a reason, in this step, which began then."""
        for record in self.fresh:
            needed = CAUSES.get(record.get("error", "").removeprefix(PREFIX))
            if record["type"] != "finished" or record["result"] != "refused" or not needed:
                continue
            present = {item.kind for item in self.restrictions
                       if item.concerns(record["guid"]) and (item.until is None or item.until >= since)} | set(causes)
            require(present & needed, "explain", f"refused, and there was only {sorted(present)}", record)

    def check_refusal(self, guid, error, message, causes):
        """A call was refused: by a named error, with a text, and for a reason that there is. causes: what the step
        knows beyond the restrictions."""
        require(message, "explain", f"{error} without a text")
        require(error in ERROR_NAMES, "explain", f"{error} is no error's name", message)
        self.refusals[error.removeprefix(PREFIX)] += 1
        needed = CAUSES.get(error.removeprefix(PREFIX))
        if needed is None:
            return
        present = {item.kind for item in self.active() if item.concerns(guid)} | set(causes)
        require(present & needed, "explain", f"refused with {error}, and there is only {sorted(present)}", message)

    @staticmethod
    def must_be_explained(error, verdict, elapsed):
        """Whether it is wrong that a call was refused by this error, and Explain allows it so many µs later."""
        name = error.removeprefix(PREFIX)
        return verdict["answer"] == "allow" and name != "KernelBusy" and (name not in PASSING or elapsed < 10 ** 6)

    def check_host_restarted(self, begun):
        """The host restarted while these jobs, their numbers, had begun and not ended; lfad has started since."""
        for number in begun:
            end = self.jobs[number].finished
            require(end, "forget", "lfad started again and has forgotten a job that had begun", self.jobs[number])
            require(end["result"] == "unknown" and end["error"] == PREFIX + "HostRestarted", "lie",
                    "the host restarted in the middle of it", self.jobs[number])

    def read_queued(self, number):
        """A job's path was answered: its record is on disk."""
        self.read_more()
        require(number in self.jobs, "forget", f"job {number} was answered and is not on disk")

    def read_more(self):
        """Like read(), in the middle of a step."""
        fresh = self.fresh
        self.read()
        self.fresh = fresh + self.fresh

    @staticmethod
    def check_explanation(verdict, gates, known, wall):
        """The gates' own words, after a call was refused. known: the error of it that a gate must know."""
        for gate in gates:
            if gate["answer"] == "allow":
                continue
            require(gate["error"] and gate["text"], "explain", "a gate refuses and does not say why", gate)
            require(gate["answer"] in ("wait", "defer", "deny"), "explain", "a gate answers strangely", gate)
            require(gate["not-before"] > 0, "explain", "a gate refuses and does not say from when it may not", gate)
            if gate["answer"] == "deny":
                require(gate["not-before"] == NEVER, "explain", "what is denied has no time", gate)
            elif gate["not-before"] != NEVER and gate["answer"] == "defer":
                require(gate["not-before"] > wall - 60 * 10 ** 6, "explain", f"may pass since {wall}", gate)
        refusals = {gate["error"] for gate in gates if gate["answer"] != "allow"}
        if verdict["answer"] == "allow":
            require(not {error for error in refusals if error != PREFIX + "KernelBusy"}, "lie",
                    "allowed, and a gate refuses", *gates)
        elif verdict["error"] != PREFIX + "KernelBusy":
            for error in known:
                require(error in refusals or error.removeprefix(PREFIX) not in CAUSES, "explain",
                        f"refused with {error}, which no gate knows", *gates)

    @staticmethod
    def check_repeated(answer, path, name, other):
        """The same request was made again, or another one (other) under its name."""
        if isinstance(answer, str):
            require(not other, "lie", f"another request is taken for {name}")
            require(answer == path, "forget", f"request {name} was {path} and is {answer}")
        else:
            error = answer.name.removeprefix(PREFIX)
            require(error in ("RequestIdReused", "Starting", "ShuttingDown", "KernelBusy", "NoSuchImage"), "forget",
                    f"request {name} was {path} and is refused with {error}")

    @staticmethod
    def require_error(answer, error):
        require(getattr(answer, "name", "") == PREFIX + error, "lie", f"{error} was due, not {answer}")
