# SPDX-License-Identifier: LGPL-2.1-or-later
"""A world's lfad, lfad-worker and lfactl under valgrind's memcheck, when LFAD_VALGRIND is set (./dev test valgrind).

Each process writes a log of its own. What memcheck reports stands between two marks in it, and nothing else does, so
that a process that was killed, or whose exit status is another thing's, tells as well. Reported is what ASan cannot
see, too: the use of values that were never set, and their way into the kernel.

Of lfad's workers, each of which is a process of its own and takes most of a second under memcheck, the first of each
verb in a world runs so, and then every EVERYth."""

import os
import unittest

SLOWNESS = 20 if "LFAD_VALGRIND" in os.environ else 1  # what a deadline is multiplied by, at least
MARK = "lfad-memcheck-error"
EVERY = 5
# Programs that lfactl's users run: none of them is ours.
FOREIGN = ("/bin/*", "/usr/bin/*", "/sbin/*", "/usr/sbin/*")
WRAPPER = """#!/bin/sh
exec {command} {program} "$@"
"""
# By the shell's own means alone: each other program would take more time than the shell.
SAMPLED = """#!/bin/sh
seen={folder}/seen-$1
count=0
[ ! -e "$seen" ] || read -r count <"$seen"
echo $((count + 1)) >"$seen"
[ $((count % {every})) -ne 0 ] || exec {command} {program} "$@"
exec {program} "$@"
"""


def wanted():
    return SLOWNESS > 1


def cannot(why):
    """Of a test for something that a program cannot do under memcheck, which passes in all other runs."""
    return unittest.skipIf(wanted(), f"under memcheck {why}")


def folder(world_dir):
    return os.path.join(world_dir, "memcheck")


def make_folder(world_dir):
    """For the logs of whoever runs lfactl, too."""
    os.mkdir(folder(world_dir))
    os.chmod(folder(world_dir), 0o1777)


def command(world_dir, build_dir):
    """What stands before a program and its arguments. Lost for certain are only definite leaks: GLib and libsystemd
    keep what they will use again."""
    preload = os.path.join(build_dir, "tests/world/memcheck-openat2.so")
    return ["/usr/bin/env", f"LD_PRELOAD={preload}", "/usr/bin/valgrind", "--quiet", "--vgdb=no", "--tool=memcheck",
            f"--log-file={folder(world_dir)}/%p.log",
            f"--error-markers={MARK},{MARK}-end", "--leak-check=full", "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite", "--num-callers=30", "--child-silent-after-fork=yes",
            "--trace-children=yes", f"--trace-children-skip={','.join((*FOREIGN, worker(world_dir)))}"]


def _write(path, script):
    with open(path, "w", encoding="utf-8") as file:
        file.write(script)
    os.chmod(path, 0o755)


def wrap(program, world_dir, build_dir):
    """Puts a script of the program's name in its place, which runs it under memcheck."""
    real = os.path.join(folder(world_dir), os.path.basename(program))
    os.rename(program, real)
    _write(program, WRAPPER.format(command=" ".join(command(world_dir, build_dir)), program=real))


def worker(world_dir):
    """The script that stands for lfad-worker."""
    return os.path.join(folder(world_dir), "lfad-worker.sh")


def wrap_worker(program, world_dir, build_dir):
    """Makes that script."""
    _write(worker(world_dir), SAMPLED.format(folder=folder(world_dir), every=EVERY, program=program,
                                             command=" ".join(command(world_dir, build_dir))))


def runs(pid, program):
    """Whether the process is that program under memcheck: its own file is valgrind's then."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return program.encode() in file.read().split(b"\0")


def reports(world_dir, least):
    """What was reported, each with its log's name; and that fewer than so many processes ran under memcheck at all."""
    names = sorted(name for name in os.listdir(folder(world_dir)) if name.endswith(".log"))
    found = [f"memcheck: {len(names)} logs where at least {least} programs ran"] if len(names) < least else []
    for name in names:
        with open(os.path.join(folder(world_dir), name), encoding="utf-8", errors="replace") as file:
            parts = file.read().split(MARK + "\n")
        found += [f"memcheck {name}: {part.split(MARK + '-end')[0].strip()}" for part in parts[1:]]
    return found
