#!/usr/bin/python3 -B
"""The truth about arrival: tells when a file appears in a Maildir, by inotify.

    watch_maildir.py NAME=FOLDER...

Runs as a process of its own. Prints "ready", then a JSON line for each file that appears in
`new` or `cur` of a folder: {"at_ns": CLOCK_REALTIME, "name": NAME, "mail": id in its token, or
null}. A folder named with "-" is watched itself (the bench measures our own delay with it).
Ends with its standard input.
"""

import contextlib
import ctypes
import json
import os
import re
import select
import struct
import sys
import time
from pathlib import Path

IN_CREATE, IN_MOVED_TO = 0x100, 0x80
EVENT = struct.Struct("iIII")
TOKEN = re.compile(rb"^Mailprobe-Token: v1\.([^.\s]+)\.", re.MULTILINE)


class Watcher:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC)
        self.watches = {}                         # descriptor: (name, folder)

    def add(self, name, folder):
        watch = self.libc.inotify_add_watch(self.fd, os.fsencode(folder), IN_CREATE | IN_MOVED_TO)
        if watch == -1:
            raise OSError(ctypes.get_errno(), f"cannot watch {folder}")
        self.watches[watch] = (name, folder)

    def events(self):
        """(name, path) of what has appeared."""
        data = os.read(self.fd, 65536)
        while data:
            watch, _, _, length = EVENT.unpack_from(data)
            file = data[EVENT.size:EVENT.size + length].rstrip(b"\0").decode()
            data = data[EVENT.size + length:]
            name, folder = self.watches[watch]
            yield name, folder / file


def mail_in(path):
    """Whose file it is. The prober removes its mail within milliseconds: it may be gone."""
    with contextlib.suppress(OSError):
        if token := TOKEN.search(path.read_bytes()):
            return token[1].decode()
    return None


def at_once():
    """Wake up before anybody else does: our delay would be an error of the truth."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))


def main():
    watcher = Watcher()
    for argument in sys.argv[1:]:
        name, folder = argument.split("=", 1)
        if name == "-":
            watcher.add(name, Path(folder))
        else:
            watcher.add(name, Path(folder) / "new")
            watcher.add(name, Path(folder) / "cur")
    at_once()
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([watcher.fd, sys.stdin], [], [])
        now = time.clock_gettime_ns(time.CLOCK_REALTIME)
        if sys.stdin in ready:
            return
        for name, path in watcher.events():
            print(json.dumps({"at_ns": now, "name": name, "mail": mail_in(path)}), flush=True)


main()
