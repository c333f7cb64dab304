#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""shellcheck has nothing to say about any shell script of the project."""

import json
import os
import re
import subprocess

import lint


def is_shell(root, path):
    if path.endswith((".sh", ".bash")):
        return True
    if "." in os.path.basename(path) or not os.access(os.path.join(root, path), os.X_OK):
        return False
    return bool(re.match(r"#!.*\b(ba|da)?sh\b", lint.read(root, path)[:100].split("\n")[0]))


def check(root):
    paths = lint.files(root, lambda path: is_shell(root, path))
    if not paths:
        return
    done = subprocess.run(["shellcheck", "--format=json", "--severity=style", *paths], cwd=root, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode > 1:
        yield lint.Violation(paths[0], 1, "shellcheck failed: " + done.stderr.strip())
        return
    for item in json.loads(done.stdout):
        yield lint.Violation(item["file"], item["line"], f"SC{item['code']}: {item['message']}")


def plant(root):
    lint.write(root, "good.sh", '#!/bin/sh\necho "$1"\n')
    lint.write(root, "tool", "#!/usr/bin/env bash\nrm $1\n")
    os.chmod(os.path.join(root, "tool"), 0o755)
    return 1


lint.main(check, plant)
