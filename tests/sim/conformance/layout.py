# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 1 to 7: which files there are, and how they behave as files."""

import os
import select
import stat
from errno import EACCES

from client import LFA, directories, expect, open_errno, path, same, until
from contract import (ALL, BL31, MODES, N_FILES, RFC, RMM, SCP, SP1, UNKNOWN, VERA_A, VERA_B, WRITE_ONLY, files)
from suite import statement

VANISH_ALL = [RMM, BL31, SCP, UNKNOWN]


def bind_shows(case, there):
    """Binding ends in an empty folder, or is refused and there is none."""
    if there:
        case.ctl("bind")
        same(os.listdir(LFA), [], "an empty folder")
    else:
        expect("No such device" in case.refused("bind"), "ENODEV at probe")
        expect(not os.path.exists(LFA), "no folder")


@statement(1, ALL)
def no_components(case):
    case.start()
    for guid in VANISH_ALL:
        case.ctl(f"vanish {guid}")
    case.ctl("unbind")
    bind_shows(case, case.profile in RFC)


@statement(1, ALL)
def no_agent(case):
    case.start()
    case.ctl("unbind")
    case.ctl("agent absent")
    bind_shows(case, False)


@statement(1, ALL)
def the_count_fails(case):
    case.start()
    case.ctl("unbind")
    case.ctl("fail info DEVICE_ERROR --times=1")
    bind_shows(case, case.profile in RFC)


@statement(2, ALL)
def names_of_directories(case):
    case.start("vera")
    same(directories(), {RMM, SCP, VERA_A, VERA_B}, "Vera's images")
    case.stop()
    case.start()
    same(directories(), {RMM, BL31, SCP, UNKNOWN}, "images")
    expect(all(stat.S_ISDIR(os.stat(f"{LFA}/{name}").st_mode) for name in directories()), "folders only")


@statement(3, ALL)
def number_of_files(case):
    case.start()
    for guid in directories():
        entries = list(os.scandir(f"{LFA}/{guid}"))
        same(len(entries), N_FILES[case.profile], "number of files")
        same({entry.name for entry in entries}, set(files(case.profile)), "files")
        expect(all(entry.is_file() for entry in entries), "no folder in an image's")
        expect(not os.path.exists(path(guid, "uevent")), "no uevent file")


@statement(4, ALL)
def modes_and_sizes(case):
    case.start()
    same(stat.S_IMODE(os.stat(f"{LFA}/{RMM}").st_mode), 0o755, "mode of a directory")
    for name in files(case.profile):
        status = os.stat(path(RMM, name))
        same((name, oct(stat.S_IMODE(status.st_mode))), (name, oct(MODES[name])), "mode")
        same((status.st_size, status.st_uid, status.st_gid), (4096, 0, 0), f"size and owner of {name}")


@statement(5, ALL)
def the_mode_binds_root(case):
    case.start()
    for name in files(case.profile):
        for flags, needed in ((os.O_RDONLY, 0o444), (os.O_WRONLY, 0o200), (os.O_RDWR, 0o644)):
            allowed = MODES[name] & needed == needed
            same(open_errno(path(RMM, name), flags), 0 if allowed else -EACCES, f"open {name} {flags}")


@statement(6, ALL)
def reads_end_and_begin_anew(case):
    case.start()
    for name in set(files(case.profile)) - set(WRITE_ONLY):
        fd = os.open(path(SCP, name), os.O_RDONLY)
        first = os.read(fd, 4096)
        expect(first.endswith(b"\n") and first.count(b"\n") == 1, f"{name} is one line")
        same(os.read(fd, 4096), b"", f"second read of {name}")
        os.close(fd)
    fd = os.open(path(RMM, "activation_pending"), os.O_RDONLY)
    same(os.read(fd, 64), b"0\n", "before staging")
    case.ctl("stage rmm 9.1")
    same(os.pread(fd, 64, 0), b"1\n", "pread at 0")
    case.ctl("unstage rmm")
    os.lseek(fd, 0, os.SEEK_SET)
    same(os.read(fd, 64), b"0\n", "after lseek")
    os.close(fd)


@statement(7, ALL)
def poll_tells_of_no_change(case):
    case.start()
    fd = os.open(path(RMM, "activation_pending"), os.O_RDONLY)
    poll = select.poll()
    ready = select.POLLIN | select.POLLOUT
    poll.register(fd, ready | select.POLLPRI)
    same(poll.poll(0), [(fd, ready | select.POLLPRI | select.POLLERR)], "a descriptor never read")
    os.read(fd, 64)
    same(poll.poll(0), [(fd, ready)], "after a read")
    case.ctl("stage rmm 9.1")
    case.succeed(RMM, "9.2")
    same(poll.poll(0), [(fd, ready)], "after changes")
    os.close(fd)


@statement(7, ALL)
def inotify_sees_nothing(case):
    case.start()
    mtime = os.stat(LFA).st_mtime_ns
    watch = case.watch(LFA, f"{LFA}/{RMM}", path(RMM, "activation_pending"), path(RMM, "activation_capable"))
    case.ctl("add sp1 1.0 --now")
    case.ctl("vanish scp --now")
    case.ctl("set rmm capable 0")
    case.ctl("stage rmm 9.1")
    until(lambda: SP1 in directories() and SCP not in directories(), "the change of the tree")
    same(watch.events(), b"", "inotify events")
    same(os.stat(LFA).st_mtime_ns, mtime, "mtime of the folder")
