"""Runs of the prober under strace(1), and what they did, call by call.

    done, calls = traced(work("trace") / "log", ["run", "--results", results, file])
    for call in calls: ...

Texts are bytes, whole and exact; `call.path` is the file that a descriptor stood for.
"""

import re
import subprocess
from dataclasses import dataclass

from harness import binary, environment

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


def strace(log, arguments, *options, within=60):
    """The prober under strace: its exit, with strace's own code where a signal ended it."""
    return subprocess.run(
        ["strace", "-f", "-qq", "-o", log, *options, binary(), *map(str, arguments)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment(None),
        timeout=within, start_new_session=True)


def traced(log, arguments, names=ALL, options=()):
    """(the finished process, its calls of these names)."""
    done = strace(log, arguments, "-y", "-xx", "-s", "16777216", "-e", f"trace={names}",
                  "-e", "signal=none", *options)
    return done, calls_of(log)
