#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`./dev demo`: the whole story in a few seconds, told with the real programs, and verified as it is told.

Only the firmware and its driver are simulated. Every command is shown and really run; what comes over the bus
meanwhile is shown between its lines, with its time. Ends with 0 only if everything that is told was seen.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../world"))
import world  # noqa: E402  pylint: disable=wrong-import-position

COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ
BOLD, DIM, RED, GREEN, YELLOW, BLUE = "1", "2", "31", "32", "33", "36"
RMM = world.GUIDS["rmm"]
VERSION_FILE = f"{world.TREE}/{RMM}/current_version"


def paint(text, colour):
    return f"\x1b[{colour}m{text}\x1b[0m" if COLOURED and text else text


def say(text=""):
    print(text, flush=True)


def title(text):
    say("\n" + paint(text, BOLD))


class NotSeen(Exception):
    """Something that the story tells did not happen."""


class Story:
    def __init__(self, the_world):
        self.world = the_world
        self.begin = time.monotonic()
        self.shown = len(self.world.signals())
        self.checks = 0

    def check(self, condition, what):
        """Proof of what was just told, taken from the bus, sysfs or the disk."""
        if not condition:
            raise NotSeen(what)
        self.checks += 1
        say(paint("  ✓ ", GREEN) + what)

    def show_signals(self):
        signals = self.world.signals()
        for item in signals[self.shown:]:
            text = self.describe(item)
            if text:
                say(paint(f"  ⚡ {item.time - self.begin:6.3f} s  {text}", BLUE))
        self.shown = len(signals)

    @staticmethod
    def describe(item):
        # the object manager tells of others
        path = item.args[0] if item.member in ("InterfacesAdded", "InterfacesRemoved") else item.path
        subject = path.removeprefix(world.PATH).lstrip("/")
        for alias, guid in world.GUIDS.items():
            subject = subject.replace(guid.replace("-", "_"), alias)
        if item.member == "PropertiesChanged":
            changed = ", ".join(f"{key}={'yes' if value is True else 'no' if value is False else value or '-'}"
                                for key, value in sorted(item.args[1].items())
                                if not key.endswith("Timestamp") and not isinstance(value, (list, dict)))
            return f"{subject or 'manager'}: {changed}" if changed else None
        if item.member == "JobNew":
            return f"JobNew: job {item.args[0]}"
        if item.member == "JobRemoved":
            return f"JobRemoved: job {item.args[0]}, {item.args[3]}"
        return f"{item.member} {subject}"

    def run(self, *argv, user=None):
        """Shows a command, runs it, and shows its output and the bus's signals as they come."""
        prompt = "nobody$ " if user else "# "
        say("  " + paint(prompt + " ".join(word if " " not in word else f"'{word}'" for word in argv), YELLOW))
        process = self.world.spawn_as(user, list(argv))
        printed = 0

        def ended():
            nonlocal printed
            over = process.poll() is not None
            text = self.world.said(process)
            self.show_signals()
            complete = len(text) if over else text.rfind("\n") + 1
            for line in text[printed:complete].splitlines():
                say("    " + line)
            printed = max(printed, complete)
            return over

        self.world.wait_for(ended, 30, " ".join(argv))
        return self.world.finish(process)

    def wait(self, predicate, what):
        try:
            self.world.wait_for(predicate, 10, what)
        except world.WorldError as error:
            raise NotSeen(what) from error
        self.show_signals()


def tell(story):
    here = story.world

    title("1. What firmware runs here, and can any of it be replaced without a reboot?")
    done = story.run("lfactl", "list")
    story.check(done.returncode == 0 and "2.10" in done.stdout, "lfactl lists the images")
    story.check(here.image("rmm")["CurrentVersion"] == "1.2" == here.attribute("rmm", "current_version"),
                "the bus and sysfs agree: RMM 1.2 runs")

    title("2. A new RMM is staged, as fwupd or a BMC would do it. The driver tells nobody; lfad finds it.")
    story.run("lfa-sim", "ctl", "stage", "rmm", "2.0")
    done = story.run("lfactl", "refresh")
    story.wait(lambda: here.image("rmm")["PendingVersion"] == "2.0", "RMM 2.0 to be pending on the bus")
    story.check(done.returncode == 0 and "2.0" in here.changed(here.image_path("rmm"), "PendingVersion"),
                "RMM 2.0 is pending, and a signal said so")

    title("3. An unprivileged user tries to activate it. The real polkitd is asked: not without a password.")
    done = story.run("lfactl", "activate", "rmm", "--no-ask-password", user="nobody")
    story.check(done.returncode == 6, "nobody is not authorised (lfactl exits with 6)")
    story.check(here.history_file("queued") == [] and here.attribute("rmm", "current_version") == "1.2",
                "and nothing has happened")

    title("4. The administrator does it: one write to the driver, watched, recorded before and after.")
    story.run("cat", VERSION_FILE)
    here.sim("slow activate 300ms")
    done = story.run("lfactl", "activate", "rmm", "--reason=the demo")
    story.run("cat", VERSION_FILE)
    story.check(done.returncode == 0, "lfactl says it succeeded")
    story.check(here.attribute("rmm", "current_version") == "2.0", "the simulated firmware says 2.0")
    story.check(here.image("rmm")["CurrentVersion"] == "2.0" and not here.image("rmm")["Pending"],
                "the bus says 2.0, and nothing is pending any more")
    story.check([item.args[3] for item in here.signals("JobRemoved")] == ["succeeded"] and here.signals("JobNew"),
                "the job was announced, and so was its end")
    story.check(here.stores() == 1, "the driver saw exactly one write")

    title("5. lfad never forgets.")
    done = story.run("lfactl", "history")
    story.check(done.returncode == 0 and "2.0" in done.stdout, "the history tells it")
    records = here.history_file()
    story.check([item["type"] for item in records if item.get("job")] == ["queued", "started", "finished"],
                "on disk: queued before the answer, started before the write, finished with the proof")


def main():
    world.enter()
    say(paint("Arm Live Firmware Activation in a world of its own", BOLD))
    say("Real: lfad, lfactl, dbus-daemon, polkitd. Simulated: the kernel driver and its firmware (lfa-sim).")
    say("Nothing here touches this machine's own firmware, bus or mounts.")
    begin = time.monotonic()
    try:
        with world.World() as the_world:
            story = Story(the_world)
            try:
                tell(story)
            except BaseException:
                sys.stderr.write(the_world.logs())
                raise
    except NotSeen as error:
        say(paint(f"\n  ✗ not seen: {error}", RED))
        sys.exit(1)
    except (world.WorldError, world.BusError) as error:
        say(paint(f"\n  ✗ {error}", RED))
        sys.exit(1)
    say(paint(f"\nAll of it verified: {story.checks} checks in {time.monotonic() - begin:.1f} s.", BOLD)
        + " Try it yourself: ./dev machine")


main()
