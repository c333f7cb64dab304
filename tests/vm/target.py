# SPDX-License-Identifier: LGPL-2.1-or-later
"""The processor that the virtual machine has: LFAD_VM_ARCH, by its name in Debian; else amd64. All that differs by it
stands here, but for how kernel and package come about: image.py and foreign.py."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Target:
    name: str  # Debian's
    tools: str  # what the names of its compiler and its like begin with
    qemu: tuple  # the program, its machine and the processor
    console: str
    arguments: tuple = ()  # the kernel's, beside those of all
    is_foreign: bool = False  # not what this host can run


_TARGETS = {target.name: target for target in (
    Target("amd64", "x86_64-linux-gnu", ("qemu-system-x86_64", "-machine", "q35", "-cpu", "max"), "ttyS0",
           ("tsc=reliable",)),
    # "max" has more, such as pointer authentication, which takes long to emulate.
    Target("arm64", "aarch64-linux-gnu", ("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57"), "ttyAMA0",
           is_foreign=True),
)}
TARGET = _TARGETS[os.environ.get("LFAD_VM_ARCH", "amd64")]
