# SPDX-License-Identifier: LGPL-2.1-or-later
"""For the lint scripts that compile: how the sources below src/ are, as the build says, and many of them at once."""

import json
import os
import shlex
from concurrent.futures import ThreadPoolExecutor

import lint


def _database(root):
    """What plant() made for itself, or the build folder's."""
    own = os.path.join(root, "compile_commands.json")
    path = own if os.path.exists(own) else os.path.join(os.environ["LFAD_BUILD_DIR"], "compile_commands.json")
    with open(path, encoding="utf-8") as file:
        return path, json.load(file)


def _without_output(words):
    """The compiler and its options, without a launcher as ccache, and without what says where results go."""
    words, kept = iter(words), []
    for word in words:
        if word in ("-o", "-MF", "-MQ"):
            next(words)
        elif word not in ("-MD", "-c", "ccache"):
            kept.append(word)
    return kept


def commands(root):
    """(path below root, folder to be in, command line) of each source file below src/, each once."""
    found = {}
    for entry in _database(root)[1]:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), root)
        if path.startswith("src/"):
            found.setdefault(path, (path, entry["directory"], _without_output(shlex.split(entry["command"]))))
    return [found[path] for path in sorted(found)]


def build_folder(root):
    """Where compile_commands.json is."""
    return os.path.dirname(_database(root)[0])


def each(function, items):
    """Calls function for each item, as many at a time as there are processors; all that these calls yield or return,
    in the order of the items."""
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        for results in executor.map(lambda item: list(function(item)), items):
            yield from results


def plant(root, name, text):
    """Writes src/NAME, and that it is compiled, for a self-test."""
    lint.write(root, f"src/{name}", text)
    path = os.path.join(root, "compile_commands.json")
    entries = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
    entries.append({"directory": root, "file": f"src/{name}", "command": f"cc -o x.o -c src/{name}"})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(entries, file)
