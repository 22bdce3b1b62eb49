"""Runs of the prober under strace(1), and what they did, call by call.

    done, calls = traced(work("trace") / "log", ["run", "--results", results, file])
    for call in calls: ...

Texts are bytes, whole and exact; `call.path` is the file that a descriptor stood for.
"""

import os
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass

from harness import binary, environment, watch_session

LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(?:<([^>]*)>)?")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
NUMBER = re.compile(r"(?:^|, )(-?\d+)(?=, |$)")
DESCRIPTOR = re.compile(r"(?:^|, )(AT_FDCWD|\d+)<([^>]*)>")
ALL = "all"


@dataclass
class Call:
    """One system call that has ended. Its place in the list is the moment of its end."""
    pid: int
    name: str
    words: str                                    # the arguments as strace prints them
    result: int                                   # -1: it failed, or the process did not survive
    opened: str                                   # the file that a new descriptor stands for

    @property
    def strings(self):
        return [bytes.fromhex(text.replace("\\x", "")) for text in STRING.findall(self.words)]

    @property
    def numbers(self):
        """Arguments that are plain numbers, without descriptors."""
        return [int(number) for number in NUMBER.findall(STRING.sub('""', self.words))]

    @property
    def descriptors(self):
        """(number or AT_FDCWD, path) of each descriptor among the arguments."""
        return [(number, unescaped(path)) for number, path in DESCRIPTOR.findall(self.words)]

    @property
    def path(self):
        return self.descriptors[0][1] if self.descriptors else ""

    def has(self, flag):
        return flag in self.words


def unescaped(text):
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


def joined(lines):
    """A call that was interrupted by another process's is in two parts: the second one counts,
    as that is when it has ended, with the first one's arguments."""
    begun = {}
    for line in lines:
        pid, _, call = line.partition(" ")
        if "<unfinished ...>" in call:
            begun[pid] = call.replace("<unfinished ...>", "").strip()
        elif "resumed>" in call and pid in begun:
            yield f"{pid} {begun.pop(pid)}{call.partition('resumed>')[2]}"
        else:
            yield line


def calls_of(log):
    found = (LINE.match(line) for line in joined(log.read_text().splitlines()))
    return [Call(int(match[1]), match[2], match[3], int(match[4]) if match[4] != "?" else -1,
                 unescaped(match[5] or ""))
            for match in found if match]


@dataclass
class Done:
    """A run under strace that has ended; `code` is negative if a signal ended it."""
    code: int
    out: str
    err: str
    seconds: float


def strace(log, arguments, *options, children=True, within=60, before=()):
    """The prober under strace, and its children too. `before` is put before its name."""
    begun = time.monotonic()
    process = subprocess.Popen(
        ["strace", *(["-f"] if children else []), "-qq", "-o", log, *options, *before, binary(),
         *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment(None), start_new_session=True)
    watch_session(process.pid)
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return Done(process.returncode, out, err, time.monotonic() - begun)


def points_of(calls, results):
    """(name, number among those of its name, call) of each call of the supervisor from the moment
    on at which it touches its results: before, there is nothing to break."""
    counts, begun = Counter(), False
    for call in calls:
        if call.pid != calls[0].pid:
            continue
        counts[call.name] += 1
        touches = str(results).encode() in b"".join(call.strings)
        begun = begun or (touches and call.name != "execve")
        if begun:
            yield call.name, counts[call.name], call


def traced(log, arguments, names=ALL, options=()):
    """(the run that has ended, its calls of these names)."""
    done = strace(log, arguments, "-y", "-xx", "-s", "16777216", "-e", f"trace={names}",
                  "-e", "signal=none", *options)
    return done, calls_of(log)
