#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A shell on the console of this tier's machine, until it is switched off (`systemctl poweroff`). For developers."""

import image
import machine

with machine.Machine(*image.make(), to_terminal=True) as box:
    box.wait()
