# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests by what they are about: a statement's number, or something observed. Each is a function of a Case."""

import collections

Test = collections.namedtuple("Test", "function profiles model")

statements = collections.defaultdict(list)  # number -> tests
observations = {}                           # title -> tests; rows behind the statements


def statement(number, profiles):
    """A test of a numbered statement through the mounted file system."""
    def register(function):
        statements[number].append(Test(function, list(profiles), None))
        return function
    return register


def model(number, profiles, program, name):
    """What the file system cannot show of a statement: `name` is the test of the model that does, in `program`. It comes
    on top of a test through files, never in its place."""
    statements[number].append(Test(None, list(profiles), (program, name)))


def observed(title, profiles):
    """A test of something that was seen on the real drivers."""
    def register(function):
        observations.setdefault(title, []).append(Test(function, list(profiles), None))
        return function
    return register
