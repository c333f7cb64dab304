#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`./dev machine`: a shell on a machine with simulated firmware, on which systemd is PID 1 and the Debian package is
installed: systemctl, journalctl and all of README.md's steps work in it as on a server. All of it is gone when the shell
ends. What comes on standard input is run in it when that is no terminal."""

import os
import signal
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", name) for name in ("world", "container")]
import container  # noqa: E402  pylint: disable=wrong-import-position
import world  # noqa: E402  pylint: disable=wrong-import-position

BANNER = """
A machine of its own: systemd, D-Bus, polkit, the journal and the installed package are real; the kernel driver and its
firmware are simulated. README.md, "First steps", is a tour. To begin with:

  lfactl                                     what needs attention
  lfa-sim ctl stage rmm 2.0                  new firmware arrives, as from fwupd or a BMC
  lfactl refresh && lfactl explain rmm       lfad sees it; may it be activated now?
  lfactl activate rmm                        make it run
  journalctl -x -u lfad                      what happened, explained

Make firmware refuse: lfa-sim ctl fail prime LFA_AUTH_ERROR. All else: man lfactl, man lfad-operations. Leave with exit.
"""


def main():
    world.enter()
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for what runs in the shell
    with container.Container(control=True, strict=False) as box:
        interactive = sys.stdin.isatty()
        if interactive:
            print(BANNER, flush=True)
        return subprocess.run(box.shell_command(interactive), check=False).returncode


sys.exit(main())
