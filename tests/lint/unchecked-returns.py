#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No function's error is dropped in silence: the result of what returns a negative errno, or -1, is used, or the call
says "(void)" and so that this is meant.

What counts: each function of the project that returns int (by its convention an error), and those of the libraries that
are named here."""

import re

import lint

# By whole name. What is not here returns nothing or no error, or its errors are none that a caller could meet:
# json_object_object_add() and g_*() fail when there is no memory, clock_gettime(), sigaction(), sigprocmask() and pthread_attr_*() when
# called wrongly, fuse_reply_*() when the caller of the file system is gone.
LIBRARY = re.compile(r"""
    sd_(bus|event|notify|journal|listen|booted|id128)\w* | udev_monitor_(enable|filter|set)\w* |
    (f|fd|sync|syncfs)?sync | fdatasync | f?truncate | (posix_)?fallocate | (un)?link(at)? | rename(at2?)? | mkdir(at)? |
    rmdir | f?ch(mod|own)(at)? | fcntl | ioctl | p?write(v|64)? | p?read(v|64)? | send(to|msg)? | recv(from|msg)? |
    pipe2? | socket(pair)? | bind | connect | listen | accept4? | [sg]etsockopt | flock | lseek | dup[23]? | u?mount2? |
    pthread_(create|setschedparam) | posix_spawnp? | wait(id|pid)? | kill | setr?e?s?[ug]id | setgroups |
    timerfd_\w+ | epoll_\w+ | mlock(all)? | prctl | poll | v?asprintf | fclose | fflush | fseek | eventfd_write
    """, re.VERBOSE)
NO_ERROR = re.compile(r"sd_\w+_(un)?ref|sd_bus_(error_free|error_move|slot_set_floating|(flush_)?close(_unref)?)|"
                      r"sd_event_source_disable_unref|sd_id128_to_string|"
                      # of the project: these return their argument, or a value to return in turn
                      r"safe_close|log_event_errno")
DEFINITION = re.compile(r"^(?:_\w+_(?:\([^)]*\))?\s+)?(?:static\s+)?(?:inline\s+)?(?:int|ssize_t)\s+(\w+)\(", re.MULTILINE)
CALL = re.compile(r"[;{}]\s+|[):]\n\s*|\b(?:else|do)\s+")  # a label and a condition are ends of lines
VOID = re.compile(r"^(?:static\s+)?void\s+(\w+)\(", re.MULTILINE)
NAME = re.compile(r"(\w+)\s*\(")


def statements(text):
    """(offset, name) of each call that is a whole statement."""
    for match in CALL.finditer(text):
        call = NAME.match(text, match.end())
        if not call or text.endswith("(void)", 0, match.start() + 1):
            continue
        end, depth = call.end(), 1
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        if text[end:end + 200].lstrip().startswith(";"):
            yield match.end(), call.group(1)


def functions(root, path, definition=DEFINITION):
    return set(definition.findall(lint.code_only(lint.read(root, path))))


def check(root):
    # The kernel has a mark of its own for this, __must_check, and its compiler looks.
    sources = [path for path in lint.sources(root) if not path.startswith("tests/vm/module/")]
    public = {name for path in sources if path.endswith(".h") for name in functions(root, path)}
    # Two programs may have functions of one name.
    public -= {name for path in sources if path.endswith(".h") for name in functions(root, path, VOID)}
    for path in sources:
        own = (public - functions(root, path, VOID)) | functions(root, path)
        text = lint.code_only(lint.read(root, path))
        for offset, name in statements(text):
            if (name in own or LIBRARY.fullmatch(name)) and not NO_ERROR.fullmatch(name):
                yield lint.Violation(path, text.count("\n", 0, offset) + 1,
                                     f"the result of {name}() is not used; say (void) if that is meant")


def plant(root):
    lint.write(root, "src/x.c", """static int own(void) {
        return 0;
}

int main(void) {
        int r = own(), all[] = {
                own(),
                own(),
        };
        own();
        (void) own();
        if (r)
                fsync(r);
        else
                sd_event_unref(r);
        for (;;) {
                sd_notify(0, "x");
        }
        return own() +
               own();
}
""")
    return 3


lint.main(check, plant)
