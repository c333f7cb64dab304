#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Includes point downwards: a lower layer never includes a higher one, and core stays pure."""

import os
import re

import lint

EVERYTHING = {"util", "core", "kernel", "worker", "daemon", "bus", "ctl", "sim"}

# What a folder of src may include, besides itself and include/lfa.
MAY_INCLUDE = {
    "util": set(),
    "core": {"util"},
    "kernel": {"util", "core"},
    "worker": {"util", "core", "kernel"},
    "daemon": {"util", "core", "kernel", "worker"},
    "bus": {"util", "core", "kernel", "worker", "daemon"},
    "ctl": {"util", "core"},  # talks D-Bus only
    "sim": {"util", "core"},  # shares no code with what it is there to test
    "lfa": set(),
    "": {"util", "core", "kernel", "worker", "daemon", "bus"},  # lfad.c, which wires
}

# core: records in, verdicts out; no descriptor, no bus, no clock of its own.
NOT_PURE = re.compile(r"^(systemd/.*|libudev\.h|fcntl\.h|unistd\.h|poll\.h|pthread\.h|dirent\.h|sys/(?!types).*|"
                      r"gio/.*)$")


def layer_of(path):
    """The folder of src or include that a file belongs to; None for what is no part of a layer."""
    parts = path.split("/")
    if parts[0] in ("src", "include"):
        return parts[1] if len(parts) > 2 else ""
    return None


def target(root, path, name):
    """Where an include leads: a path in the tree, or None for the system's headers."""
    for base in (os.path.dirname(path), "src", "include"):
        candidate = os.path.normpath(os.path.join(base, name))
        if os.path.exists(os.path.join(root, candidate)):
            return candidate
    return None


def check(root):
    for path in lint.sources(root, ("src", "include")):
        layer = layer_of(path)
        if layer not in MAY_INCLUDE:
            yield lint.Violation(path, 1, f"'{layer}' is no known layer")
            continue
        for number, line in enumerate(lint.read(root, path).split("\n"), 1):
            match = re.match(r"\s*#\s*include\s*([\"<])([^\">]+)[\">]", line)
            if not match:
                continue
            quoted, name = match.group(1) == '"', match.group(2)
            if layer == "core" and NOT_PURE.match(name):
                yield lint.Violation(path, number, f"core is pure and may not include <{name}>")
            found = target(root, path, name)
            if found is None:
                if quoted and name != "config.h":
                    yield lint.Violation(path, number, f'"{name}" is not in this tree; use <> for the system\'s')
                continue
            other = layer_of(found)
            if other not in MAY_INCLUDE[layer] | {layer, "lfa"}:
                yield lint.Violation(path, number, f"{layer or 'main'} may not include {found}")


def plant(root):
    for layer in EVERYTHING:
        lint.write(root, f"src/{layer}/{layer}.h", "")
    lint.write(root, "include/lfa/enums.h", '#include "util/util.h"\n')  # 1
    lint.write(root, "src/util/a.c", '#include "util/util.h"\n#include "../core/core.h"\n')  # 2
    lint.write(root, "src/core/a.c", '#include <errno.h>\n#include "kernel/kernel.h"\n#include <fcntl.h>\n')  # 3, 4
    lint.write(root, "src/kernel/a.c", '#include "worker/worker.h"\n#include "lfa/enums.h"\n')  # 5
    lint.write(root, "src/daemon/a.c", '#include "bus/bus.h"\n#include "worker/worker.h"\n')  # 6
    lint.write(root, "src/ctl/a.c", '#include "kernel/kernel.h"\n#include "core/core.h"\n')  # 7
    lint.write(root, "src/sim/a.c", '#include "ctl/ctl.h"\n#include "config.h"\n')  # 8
    lint.write(root, "src/lfad.c", '#include "bus/bus.h"\n#include "sim/sim.h"\n#include "nowhere.h"\n')  # 9, 10
    return 10


lint.main(check, plant)
