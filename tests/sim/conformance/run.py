#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every statement of the contract against every driver version, as a client of the mounted simulator meets it.

    run.py --sim=PROGRAM [--models=FOLDER] [--only=NUMBER|TITLE] [--profile=NAME]

Prints a table, statement by version:  ok: shown through the file system; -: not about that version; FAIL: a test
failed; NONE: it has no test. The rows behind the statements are things seen on the real drivers that no statement
tells. A driver version that only the simulator or only the suite has is an error. Workers share the cells, each in
mount and network namespaces of its own, and each test has a simulator of its own.

What cannot be shown through files, because real time goes on between two calls of a client and a busy machine can
stretch it without end:

- Exact budgets and pauses (21 to 23). Through files a pause is a lower bound, and so is a budget; its upper bound only
  excludes the next plausible one. The exact numbers rest on the model's tests in test-driver-runs.c. With --models
  these are run, too, and the cell is ok only if both pass.
- How short the driver's own clean-up window mostly is (33, 41): a spread of the real drivers, while the simulator has
  one habit. That it is over in time is shown at low speed, by a read of a known simulated length and not by a clock;
  a machine that is busy meanwhile can only hide a longer window, never fail on a right one.
- Successes that share a change on v2bos (58): the inventory lock keeps refreshes apart, and in the simulator a success
  before the worker is done loses the tree and has a change of its own. nvnew shows it.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import contract
import suite
from client import DEADLINE, Case

GUARD = 3 * DEADLINE  # seconds
MODULES = ["layout", "values", "writes", "after_success", "notification", "events", "lifecycle", "observed"]


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sim", required=True, help="the program")
    parser.add_argument("--models", help="folder with the model's tests: run them, too")
    parser.add_argument("--only", help="one statement's number, or a part of an observation's title")
    parser.add_argument("--profile", help="one driver version")
    parser.add_argument("--worker", help=argparse.SUPPRESS)  # N/OF
    return parser.parse_args()


def rows():
    """(key, title, versions it must have a test for, tests): first the statements, then the observations."""
    for number, (title, profiles) in contract.STATEMENTS.items():
        yield str(number), title, profiles, suite.statements.get(number, [])
    for title, tests in suite.observations.items():
        yield "seen", title, [], tests


def check_profiles(program):
    """The suite is about all the versions that the simulator has, and about no other."""
    listed = subprocess.run([program, "profiles"], stdout=subprocess.PIPE, text=True, check=True).stdout
    section = listed.split("Driver profiles:\n")[1].split("\nFirmware models:")[0]
    names = [line.split()[0] for line in section.splitlines()]
    if names != contract.PROFILES:
        sys.exit(f"the simulator has the driver versions {names}, and the suite is about {contract.PROFILES}")


def cells(chosen):
    """(row's index, profile, tests) of what is to be run, in the table's order."""
    for index, (key, title, _, tests) in enumerate(rows()):
        if chosen.only and chosen.only != key and (chosen.only.isdigit() or chosen.only not in title):
            continue
        for profile in contract.PROFILES:
            wanted = [test for test in tests if profile in test.profiles]
            if wanted and chosen.profile in (None, profile):
                yield index, profile, wanted


def run_test(test, profile):
    """None, or what is wrong. If all else fails the simulator is killed, which ends every call into it."""
    case = Case(profile)
    guard = threading.Timer(GUARD, case.kill)
    guard.start()
    try:
        try:
            test.function(case)
        finally:
            case.end()
            guard.cancel()
    except Exception as error:  # pylint: disable=broad-except
        return f"{test.function.__module__}.{test.function.__name__}: {''.join(traceback.format_exception(error))}"
    return None


def work(chosen):
    """A worker: every so-and-so-manyth cell, one line of JSON each."""
    number, of = map(int, chosen.worker.split("/"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    Case.program = os.path.realpath(chosen.sim)
    with tempfile.TemporaryDirectory(dir="/run") as Case.directory:
        for position, (index, profile, tests) in enumerate(cells(chosen)):
            if position % of != number:
                continue
            started = time.monotonic()
            problems = [problem for test in tests if test.function for problem in [run_test(test, profile)] if problem]
            print(json.dumps([index, profile, problems, time.monotonic() - started]), flush=True)


def run_workers():
    """Starts them and collects (row's index, profile) -> (problems, seconds)."""
    of = max(2, os.cpu_count() or 1)
    command = ["unshare", "--mount", "--net", "--propagation", "private", "--", sys.executable, "-B", *sys.argv]
    workers = [subprocess.Popen([*command, f"--worker={number}/{of}"], stdout=subprocess.PIPE, text=True)
               for number in range(of)]
    results = {}
    for worker in workers:
        for line in worker.stdout:
            index, profile, problems, seconds = json.loads(line)
            results[index, profile] = (problems, seconds)
        if worker.wait() != 0:
            sys.exit(f"a worker ended with status {worker.returncode}")
    return results


def run_models(folder):
    """The names of the model's tests that pass, by program."""
    passed = {}
    for program in {test.model[0] for tests in suite.statements.values() for test in tests if test.model}:
        done = subprocess.run([os.path.join(folder, program)], text=True, capture_output=True, check=False,
                              env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "stdout"})
        passed[program] = {line.split("] ")[1].strip() for line in (done.stdout + done.stderr).split("\n")
                           if line.startswith("[       OK ]")}
    return passed


def verdict(tests, due, result, passed):
    """The word in the cell, and what is wrong."""
    if not tests:
        return ("NONE", ["the statement is about this version and has no test"]) if due else ("-", [])
    problems = list(result[0]) if result else ["it did not run"]
    if not any(test.function for test in tests):
        problems.append("no test shows it through files")
    problems += [f"the model's test {test.model} did not pass" for test in tests
                 if test.model and passed is not None and test.model[1] not in passed[test.model[0]]]
    return "FAIL" if problems else "ok", problems


def table(chosen, results, passed):
    """Prints it; returns the problems by cell."""
    everything = chosen.only is None and chosen.profile is None
    selected = {(index, profile) for index, profile, _ in cells(chosen)}
    found = {}
    width = max(len(title) for _, title, _, _ in rows())
    print(" " * (width + 5) + "".join(f"{profile:>7}" for profile in contract.PROFILES))
    for index, (key, title, due, tests) in enumerate(rows()):
        words = []
        for profile in contract.PROFILES:
            wanted = [test for test in tests if profile in test.profiles]
            if not everything and (index, profile) not in selected:
                words.append("")
                continue
            word, problems = verdict(wanted, profile in due, results.get((index, profile)), passed)
            words.append(word)
            if problems:
                found[f"{key} {title}, {profile}"] = problems
        if any(words):
            print(f"{key:>4} {title:{width}}" + "".join(f"{word:>7}" for word in words))
    return found


def main():
    chosen = options()
    for name in MODULES:
        importlib.import_module(name)
    if chosen.worker:
        work(chosen)
        return
    check_profiles(chosen.sim)
    passed = run_models(chosen.models) if chosen.models else None
    results = run_workers()
    found = table(chosen, results, passed)
    slowest = sorted(((seconds, cell) for cell, (_, seconds) in results.items()), reverse=True)[:5]
    names = [key + " " + title for key, title, _, _ in rows()]
    print("slowest: " + ", ".join(f"{names[index]} {profile} {seconds:.1f} s" for seconds, (index, profile) in slowest))
    for cell, problems in found.items():
        print(f"\n--- {cell}\n" + "\n".join(problems))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
