# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of a bench: what was measured, lfad's figure, those beside it, the ratio, the goal, and if it is met."""

import json
import os
import statistics
import subprocess
import sys
import time

WHAT, LFAD, BESIDE, RATIO, GOAL = 50, 29, 36, 7, 12


class Sample:
    """Several measurements of one thing; all that is told of them."""

    def __init__(self, values):
        self.values = sorted(values)
        self.median = statistics.median(values)

    def text(self, unit, digits=2):
        """Median, and from the least to the most in brackets."""
        low, high = self.values[0], self.values[-1]
        return f"{self.median:.{digits}f} {unit} ({low:.{digits}f}..{high:.{digits}f})"

    def figures(self):
        return {"median": self.median, "least": self.values[0], "most": self.values[-1], "runs": len(self.values)}


def processor(pid):
    """How much of a processor a process has had, in seconds."""
    return time.clock_gettime(~pid << 3 | 2)  # CLOCK_PROCESS of another one: clock_getcpuclockid(3)


def memory(pid, name):
    """A figure of a process' memory in KiB: Private_Dirty, Pss."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


class Table:
    """Prints each row as soon as it is there, and keeps all for the file."""

    def __init__(self):
        self.rows = []
        self.remarks = []

    def head(self, build):
        """Says where this was measured, and how."""
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
            model = names[0] if names else os.uname().machine
        with open("/proc/meminfo", encoding="utf-8") as file:
            total = int(next(file).split()[1]) // 1024
        self.where = {"processor": model, "processors": os.cpu_count(), "memory-mib": total,
                      "kernel": os.uname().release, "load": os.getloadavg()[0], "build": build}
        print(f"{self.where['processors']} x {model}, {total} MiB, Linux {self.where['kernel']}; load when it began: "
              f"{self.where['load']:.2f}\nBuild: {build}\n"
              "Figures are medians; least and most of the runs in brackets. Each row's figures were taken in turns.\n")
        self._line("WHAT", "LFAD", ["BESIDE"], "RATIO", "GOAL", "")

    @staticmethod
    def _line(what, ours, beside, ratio, goal, met):
        for number, item in enumerate(beside or [""]):
            if number == 0:
                line = f"{what:<{WHAT}} {ours:<{LFAD}} {item:<{BESIDE}} {ratio:>{RATIO}} {goal:>{GOAL}} {met}"
            else:
                line = f"{'':<{WHAT + LFAD + 1}} {item}"
            print(line.rstrip())
        sys.stdout.flush()

    def part(self, title):
        print(f"\n-- {title}")

    def row(self, what, ours, beside=(), ratio=None, goal="", met=None, /, **figures):
        """beside: texts. met: True, False, or None where there is no goal. figures: for the file."""
        verdict = {True: "met", False: "MISSED", None: ""}[met]
        self.rows.append({"what": what, "lfad": ours, "beside": list(beside), "ratio": ratio, "goal": goal, "met": met,
                          "figures": figures})
        self._line(what, ours, list(beside), "" if ratio is None else f"{ratio:.3f}", goal, verdict)

    def remark(self, text):
        """Something without which a row is misread."""
        self.remarks.append(text)
        print(f"   {text}")
        sys.stdout.flush()

    def finish(self, path):
        goals = [row for row in self.rows if row["met"] is not None]
        missed = [row["what"] for row in goals if not row["met"]]
        print("\n".join([f"\n{len(goals) - len(missed)} of {len(goals)} goals met",
                         *(f"  missed: {what}" for what in missed)]))
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"where": self.where, "load-at-the-end": os.getloadavg()[0], "rows": self.rows,
                       "remarks": self.remarks}, file, indent=1)
        print(f"Also in {path}, with the load at the end: {os.getloadavg()[0]:.2f}")


def run_json(argv, environment):
    """What a program says in one line."""
    done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed: {done.stderr.decode(errors='replace')}")
    return json.loads(done.stdout)
