# SPDX-License-Identifier: LGPL-2.1-or-later
"""The virtual machine as hardware: QEMU, what it tells of itself (QMP), a disk that outlives a reset, and the line to
the agent in the guest. Nothing here knows of lfad."""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from target import TARGET

BOOT_SECONDS = 300  # the processors are emulated, and this machine may be busy with other things
MEMORY_MIB = 1024
DISK_MIB = 32
# Without a random layout what QEMU has translated of a program serves when it is started again: a fifth of the time.
KERNEL_ARGUMENTS = (f"console={TARGET.console}", "quiet", "norandmaps", "nokaslr", *TARGET.arguments,
                    "mitigations=off", "random.trust_cpu=on", "systemd.show_status=0")
NO_LOGIN = f"systemd.mask=serial-getty@{TARGET.console}.service"
_libc = ctypes.CDLL(None, use_errno=True)


class MachineError(Exception):
    """Something is not as it must be: it did not boot, was reset, a command failed, an awaited thing did not come."""


def end_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _prepare_qemu():
    """Its clock is the host's: while it waits for a processor nobody feeds the watchdog in it. So it goes before other
    tests, whose time it takes all the same."""
    end_with_parent()
    with contextlib.suppress(PermissionError):
        os.nice(-10)


class _Line:
    """One end of a socket that QEMU connects to, read as lines or bytes."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)
        self._socket = None
        self._data = b""

    def accept(self, seconds):
        self._listener.settimeout(seconds)
        self._socket, _ = self._listener.accept()
        self._listener.close()

    def close(self):
        self._listener.close()
        if self._socket:
            self._socket.close()

    def fileno(self):
        return self._socket.fileno()

    def send(self, data):
        self._socket.settimeout(60)
        self._socket.sendall(data)

    def fill(self):
        """Takes what has come, and waits when nothing has. False at the end."""
        data = self._socket.recv(65536)
        self._data += data
        return bool(data)

    def take_line(self):
        """The next line if it is there, else None."""
        line, newline, rest = self._data.partition(b"\n")
        if not newline:
            return None
        self._data = rest
        return line

    def take(self, size):
        if len(self._data) < size:
            return None
        data, self._data = self._data[:size], self._data[size:]
        return data


class Machine:
    """kernel, archive: what image.make() gave. to_terminal: the console is this process's terminal, with a shell."""

    def __init__(self, kernel, archive, to_terminal=False):
        self._kernel, self._archive = kernel, archive
        self._to_terminal = to_terminal
        self._qemu = self._agent = self._qmp = None
        self.dir = None
        self.events = []  # names of QMP's, since the last boot
        self.boot_id = None

    # -- life

    def __enter__(self):
        try:
            self._make_place()
            self._spawn()
            self.await_boot()
        except BaseException:
            if self.dir:
                sys.stderr.write(Machine.logs(self))
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _make_place(self):
        self.dir = tempfile.mkdtemp(prefix="lfad-vm-")
        disk = os.path.join(self.dir, "disk")
        with open(disk, "wb") as file:
            file.truncate(DISK_MIB * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", "-m0", disk], check=True, stdin=subprocess.DEVNULL)

    def command(self):
        """QEMU's. Emulated processors work everywhere and alike. A watchdog that bites resets the machine, which ends
        QEMU: boot_again() is what comes then."""
        console = "stdio,signal=off" if self._to_terminal else f"file,path={self.dir}/console.log"
        arguments = KERNEL_ARGUMENTS if self._to_terminal else (*KERNEL_ARGUMENTS, NO_LOGIN)
        return [*TARGET.qemu, "-accel", "tcg,thread=multi", "-smp", "2", "-m", str(MEMORY_MIB),
                "-nodefaults", "-no-user-config", "-display", "none",
                "-kernel", self._kernel, "-initrd", self._archive, "-append", " ".join(arguments),
                "-chardev", f"{console},id=console", "-serial", "chardev:console",
                "-drive", f"file={self.dir}/disk,format=raw,if=none,id=disk", "-device", "virtio-blk-pci,drive=disk",
                "-chardev", f"socket,id=agent,path={self.dir}/agent", "-device", "virtio-serial-pci",
                "-device", "virtserialport,chardev=agent,name=lfad-test",
                "-device", "i6300esb", "-action", "watchdog=reset,reboot=shutdown,panic=none",
                "-chardev", f"socket,id=qmp,path={self.dir}/qmp", "-mon", "chardev=qmp,mode=control"]

    def _connect(self, name):
        path = os.path.join(self.dir, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return _Line(path)

    def _spawn(self):
        self.events.clear()
        self._agent, self._qmp = self._connect("agent"), self._connect("qmp")
        with open(os.path.join(self.dir, "qemu.log"), "ab") as log:
            self._qemu = subprocess.Popen(self.command(), stdin=None if self._to_terminal else subprocess.DEVNULL,
                                          stdout=None if self._to_terminal else log, stderr=log,
                                          preexec_fn=_prepare_qemu)
        try:
            for line in (self._agent, self._qmp):
                line.accept(60)
        except TimeoutError:
            raise MachineError("QEMU did not come up") from None
        self._qmp.send(b'{"execute": "qmp_capabilities"}\n')

    def _end(self):
        if self._qemu:
            self._qemu.kill()
            self._qemu.wait(30)
        self._qemu = None
        for line in (self._agent, self._qmp):
            if line:
                line.close()
        self._agent = self._qmp = None

    def boot_again(self):
        """After a reset: what was not on the disk is gone."""
        self._qemu.wait(60)
        self._end()
        self._spawn()
        self.await_boot()

    def close(self):
        self._end()
        if self.dir:
            self._keep()
            shutil.rmtree(self.dir)
        self.dir = None

    def _keep(self):
        keep = os.environ.get("LFAD_KEEP_VM")
        if keep:
            target = os.path.join(keep, os.path.basename(self.dir))
            os.makedirs(target)
            self.keep_logs(target)
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(os.path.join(self.dir, "disk"), target)

    def keep_logs(self, folder):
        """Copies what QEMU and the guest's console said."""
        for name in ("console.log", "qemu.log"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(os.path.join(self.dir, name), folder)

    def wait(self):
        """Until QEMU ends by itself."""
        self._qemu.wait()

    def logs(self, lines=60):
        """The ends of what QEMU and the guest's console said."""
        text = ""
        for name in ("qemu.log", "console.log"):
            with contextlib.suppress(FileNotFoundError), open(os.path.join(self.dir, name), encoding="utf-8",
                                                              errors="replace") as file:
                text += f"--- {name}\n" + "".join(file.readlines()[-lines:])
        return text

    # -- what it says

    def _pump(self, deadline, what):
        """Waits for anything from QEMU or the guest, and takes it."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise MachineError(f"waited in vain for {what}")
        alive = [line.fill() for line in select.select([self._agent, self._qmp], [], [], left)[0]]
        while (text := self._qmp.take_line()) is not None:
            message = json.loads(text)
            if "event" in message:
                self.events.append(message["event"])
        if not all(alive):
            raise MachineError(f"QEMU ended while {what} was awaited: {' '.join(self.events)}")

    def _read_line(self, deadline, what):
        while (line := self._agent.take_line()) is None:
            self._pump(deadline, what)
        return line.decode()

    def _read(self, size, deadline, what):
        while (data := self._agent.take(size)) is None:
            self._pump(deadline, what)
        return data.decode(errors="replace")

    def await_event(self, name, seconds):
        """Until QEMU has told of it since the last boot."""
        deadline = time.monotonic() + seconds
        while name not in self.events:
            try:
                self._pump(deadline, f"QEMU's event {name}")
            except MachineError:
                if name not in self.events:
                    raise

    def await_boot(self):
        """Until the agent answers."""
        self.boot_id = self._read_line(time.monotonic() + BOOT_SECONDS, "the guest's agent").removeprefix("ready ")

    def ask(self, command, seconds):
        """Runs a command for the shell as root, and waits for its end: its exit code, its output, and its errors."""
        deadline = time.monotonic() + seconds
        data = command.encode()
        self._agent.send(b"%d\n" % len(data) + data)
        code, out, err = map(int, self._read_line(deadline, command).split())
        return code, self._read(out, deadline, command), self._read(err, deadline, command)
