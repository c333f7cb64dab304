# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program on a terminal of its own: what a person would see, and what a person would type."""

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

DEADLINE = 120


class Terminal:
    """Starts argv as the leader of a session whose terminal has so many columns. Close it, or use it in a with."""

    def __init__(self, argv, environment, columns=80, **more):
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.seen = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")  # a read may end within a character

        def take_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if "user" in more:
                os.setgroups([])
                os.setgid(more["user"].pw_gid)
                os.setuid(more["user"].pw_uid)

        if "user" in more:
            os.fchown(slave, more["user"].pw_uid, -1)
        self.slave = slave  # kept, so that what was set on the terminal can be looked at when the program has ended
        self.popen = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                      preexec_fn=take_terminal, env={**environment, "TERM": "xterm"})

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            self.seen += self.decoder.decode(os.read(self.master, 65536))
        return True

    def shows(self, pattern, seconds):
        """Whether the pattern was shown, or is within that time."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            if not self._read(max(0, end - time.monotonic())):
                return False
        return True

    def wait_for(self, pattern):
        """Until the pattern was shown. Returns all that was."""
        if not self.shows(pattern, DEADLINE):
            raise AssertionError(f"no {pattern!r} in {self.seen!r}")
        return self.seen

    def echoes(self):
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def wait_for_secrecy(self):
        """Until what is typed is not shown any more, as at a question for a password."""
        end = time.monotonic() + DEADLINE
        while self.echoes():
            if time.monotonic() > end:
                raise AssertionError(f"what is typed is still shown: {self.seen!r}")
            self._read(0.02)

    def finish(self):
        """Waits for the end. Returns the exit code, negative for a signal; all that was shown is in seen."""
        end = time.monotonic() + DEADLINE
        while self.popen.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"it did not end: {self.seen!r}")
            self._read(0.05)
        while self._read(0):
            pass
        return self.popen.returncode

    def close(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()
        os.close(self.master)
        os.close(self.slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
