#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All tests of this tier on one machine, which is booted once, and reset once by the last of them."""

import importlib.util
import os
import sys
import unittest

import vm

FILES = ("test-driver.py", "test-stalls.py", "test-watchdogs.py", "test-reset.py")


def load_tests(loader, *_):
    suite = unittest.TestSuite()
    for name in FILES:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        spec = importlib.util.spec_from_file_location(name.removesuffix(".py").replace("-", "_"), path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        suite.addTests(loader.loadTestsFromModule(module))
    return suite


vm.main()
