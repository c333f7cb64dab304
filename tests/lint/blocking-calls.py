#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing blocks lfad's loop: no synchronous bus call, no name service, no sleep, no wait, no file call outside the
two files that keep its records. What is allowed nevertheless is listed here, each with its reason."""

import lint

# Never, in any file of the loop.
BUS = (r"sd_bus_call|sd_bus_call_method|sd_bus_call_methodv|sd_bus_get_property\w*|sd_bus_set_property\w*|"
       r"sd_bus_query_sender_\w+|sd_bus_get_name_\w+|sd_bus_list_names|sd_bus_flush|sd_bus_wait|"
       r"sd_bus_request_name|sd_bus_release_name|sd_bus_add_match|sd_bus_match_signal|sd_bus_process")
NAMES = r"getpw(nam|uid|ent)(_r)?|getgr(nam|gid|ent)(_r)?|getaddrinfo|gethostbyname|getgrouplist|initgroups"
WAITS = r"sleep|usleep|nanosleep|clock_nanosleep|g_usleep|waitpid|waitid|wait|system|popen|poll|ppoll|select|lockf"
LOCK = r"flock"
# Only where the table below says so.
FILES = (r"f?open(at|dir|64)?|open_by_handle_at|creat|p?readv?|pread64|p?writev?|pwrite64|fread|fwrite|fgets|getline|"
         r"fprintf|fsync|fdatasync|sync|syncfs|rename(at2?)?|link(at)?|unlink(at)?|mkdir(at)?|truncate|ftruncate|"
         r"(posix_)?fallocate|f?stat(at|fs|vfs|x)?|lstat|access|faccessat|readlink(at)?|scandir|readdir|"
         r"g_file_\w+|g_dir_\w+|g_mkdir\w*|g_key_file_load_from_\w+|"
         r"file_read|file_replace|write_all|"  # util/file-io.h
         r"sd_(pid|peer|pidfd)_get_\w+|"  # they read /proc
         r"config_files_load")  # util/config-files.h
# Never: reading sysfs may sleep behind an activation, which is why lfad-worker exists.
SYSFS = r"attr_(read|read_bool|open_write|write_byte)|image_read\w*|tree_(open|read)|profile_detect\w*"

# (file, function or *, why this does not block the loop, or may)
ALLOWED = [
    ("src/daemon/inhibitor-files.c", "*", "FIFOs that do not block and small files, on the tmpfs of the runtime folder"),
    ("src/daemon/inventory.c", "*", "the inventory's file, on the tmpfs of the runtime folder"),
    ("src/daemon/history.c", "*", "the records: append and fdatasync, bounded reads from the tail"),
    ("src/daemon/history-files.c", "*", "the records' files: opened, and renamed when one is large enough"),
    ("src/daemon/history-query.c", "*", "bounded reads of the records, for clients"),
    ("src/daemon/history-visit.c", "*", "bounded reads of the records, block by block"),
    ("src/daemon/state.c", "*", "the state file: atomic replace"),
    ("src/daemon/activation-lock.c", "*", "lock file and reports, small files on the tmpfs of the runtime folder"),
    ("src/daemon/end-file.c", "*", "small files on the tmpfs of the runtime folder, where the history takes nothing"),
    ("src/daemon/watchdog-lease.c", "*", "a small file on the tmpfs of the runtime folder, before systemd is told"),
    ("src/daemon/config.c", "config_files_load", "at start, and when an administrator asks for it: a few bounded files"),
    ("src/daemon/wall-timer.c", "read", "a timer's descriptor that does not block"),
    ("src/daemon/zone-watch.c", "stat", "/etc/localtime, which the loop has read before, once a reading"),
    ("src/daemon/worker-process.c", "read", "a pipe that does not block"),
    ("src/bus/requester.c", "*", "two files of procfs, which answers from memory; neither a disk nor sysfs"),
    ("src/bus/service.c", "sd_bus_match_signal", "org.freedesktop.DBus.Local is matched here, the bus is not asked"),
    ("src/lfad.c", "g_mkdir_with_parents", "the runtime folder on its tmpfs, before the loop runs"),
]


def allowed(path, name):
    return any(path == file and call in ("*", name) for file, call, _ in ALLOWED)


def check(root):
    paths = [path for path in lint.sources(root, ("src/daemon", "src/bus", "src"))
             if path.startswith(("src/daemon/", "src/bus/")) or path == "src/lfad.c"]
    used = set()
    for path in paths:
        text = lint.read(root, path)
        for kind, pattern in (("synchronous bus call", BUS), ("name service", NAMES), ("wait", WAITS),
                              ("file call", FILES), ("read of sysfs", SYSFS), ("lock that waits", LOCK)):
            for number, name, rest in lint.calls(text, pattern):
                if kind == "lock that waits" and ("LOCK_NB" in rest or "LOCK_UN" in rest):
                    continue
                if name == "fprintf" and rest.lstrip().startswith(("stderr", "stdout")):
                    continue
                used |= {(path, name), (path, "*")}
                # "*" covers the file calls; anything else has to be named
                if allowed(path, name) if kind == "file call" else (path, name) in {row[:2] for row in ALLOWED}:
                    continue
                yield lint.Violation(path, number, f"{name}() is a {kind}: it blocks the loop")
    for file, call, reason in ALLOWED:
        if not reason:
            yield lint.Violation(file, 1, f"{call} is allowed without a reason")
        if file in paths and (file, call) not in used:
            yield lint.Violation(file, 1, f"{call} is in the list of the allowed, and not used")


def plant(root):
    ALLOWED[:] = [("src/daemon/history.c", "*", "records"), ("src/daemon/state.c", "*", "state")]
    lint.write(root, "src/daemon/history.c", "int r = open(p, 0);\nfdatasync(fd);\nsleep(1);\n")  # 1: sleep
    lint.write(root, "src/bus/manager.c", "/* sd_bus_call( in a comment */\n"
               "r = sd_bus_call(bus, m, 0, NULL, NULL);\n"  # 2
               "r = sd_bus_call_async(bus, NULL, m, f, u, 0);\n"
               "log_info(\"open(\");\n"
               "r = sd_bus_query_sender_creds(m, 0, &c);\n")  # 3
    lint.write(root, "src/lfad.c", "p = getpwnam(\"root\");\n"  # 4
               "flock(fd, LOCK_EX);\n"  # 5
               "flock(fd, LOCK_EX | LOCK_NB);\n"
               "ops->open(ops);\n"
               "r = openat(dirfd, name, 0);\n"  # 6
               "waitpid(pid, NULL, 0);\n"  # 7
               "r = tree_read(path, &tree);\n"  # 8
               "n = file_read(AT_FDCWD, path, text, sizeof(text));\n")  # 9
    lint.write(root, "src/daemon/state.c", "int nothing;\n")  # 10: allowed and not used
    lint.write(root, "src/worker/worker.c", "open(p, 0);\n")
    return 10


lint.main(check, plant)
