#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`./dev shell`: bash inside the demo's world. lfactl, busctl and lfa-sim work in it as on a real machine, and all
of it is gone when the shell ends."""

import os
import signal
import subprocess
import sys

from gi.repository import GLib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../world"))
import world  # noqa: E402  pylint: disable=wrong-import-position

BANNER = """
A machine with simulated firmware: /sys/firmware/lfa, the real lfad, dbus-daemon and polkitd. Five things to try:

  lfactl list                                          what runs, and what is pending
  lfa-sim ctl stage rmm 2.0 && lfactl refresh          new firmware arrives
  setpriv --reuid=nobody --regid=nogroup --clear-groups lfactl activate rmm      polkit says no
  lfactl activate rmm && lfactl history                activate it, and see what was recorded
  lfa-sim ctl fail prime LFA_AUTH_ERROR                make firmware refuse; then stage bl31 3.0 and activate it

Also: busctl introspect org.arm.LFA1 /org/arm/LFA1; lfactl monitor; lfad's log: less "$LFAD_LOG". Leave with exit.
"""


def main():
    world.enter()
    with world.World() as the_world:
        rc_file = os.path.join(the_world.dir, "bashrc")
        with open(rc_file, "w", encoding="utf-8") as file:
            file.write("PS1='(lfad world) \\w # '\n")
        log = next(name for name in os.listdir(the_world.log_dir) if name.endswith("-lfad.log"))
        environment = {**the_world.environment, "LFAD_LOG": os.path.join(the_world.log_dir, log),
                       "TERM": os.environ.get("TERM", "dumb"), "HOME": os.environ.get("HOME", "/root")}
        if "NO_COLOR" not in os.environ:
            del environment["NO_COLOR"]
        interactive = sys.stdin.isatty()
        if interactive:
            print(BANNER, flush=True)
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for what runs in the shell
        argv = ["bash", "--noprofile", "--rcfile", rc_file] + (["-i"] if interactive else [])
        with subprocess.Popen(argv, env=environment) as shell:
            # The main loop goes on beside the shell: it reads what lfad tells the service manager.
            loop = GLib.MainLoop()
            ended = []
            GLib.child_watch_add(GLib.PRIORITY_DEFAULT, shell.pid,
                                 lambda _, status: (ended.append(os.waitstatus_to_exitcode(status)), loop.quit()))
            loop.run()
            shell.returncode = ended[0]
    return shell.returncode


sys.exit(main())
