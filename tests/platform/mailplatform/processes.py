"""Whose process is it? One that lives in an instance's folder of the private root.

Every server keeps its working folder there (Postfix its queue, Dovecot its run folder or a
mailbox, Knot its own), so the kernel itself tells what belongs to an instance: also after a
command was killed before it could write anything down. A user's shell or editor in that
folder does not count: it is not chrooted.
"""

import os
import signal
from pathlib import Path

from . import cli, paths


def below(folder):
    """Process ids that run in the private root with their working folder in FOLDER."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                root = os.readlink(f"/proc/{entry}/root")
                cwd = os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue                                 # gone already, or a zombie
            if root.startswith(f"{paths.STATE}/root") and (is_in(root, folder) or is_in(cwd, folder)):
                found.append(int(entry))
    return found


def is_in(path, folder):
    return path == str(folder) or path.startswith(f"{folder}/")


def name(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def is_frozen(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def named(folder, names):
    return [pid for pid in below(folder) if name(pid) in names]


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def stop(folder):
    """End every process of a folder: asked first, then killed; returns when none is left."""
    send(below(folder), signal.SIGTERM)
    send(below(folder), signal.SIGCONT)                  # the frozen ones hear it only now
    try:
        cli.wait_for("end of the servers", lambda: not below(folder), 2)
    except cli.PlatformError:
        cli.wait_for(f"end of the processes in {folder}", lambda: kill(folder), 5)


def kill(folder):
    pids = below(folder)
    send(pids, signal.SIGKILL)
    return not pids


def sockets(pid):
    """Inodes of the sockets a process holds."""
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            target = os.readlink(entry.path)
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass                                             # it ended while we looked
    return found


def listening():
    """Inodes of all listening sockets, TCP and Unix."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found |= {row[9] for row in rows if row[3] == "0A"}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return found | {row[6] for row in rows if int(row[3], 16) & 0x10000}


def connected():
    """Inodes of all established TCP sockets."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found |= {row[9] for row in rows if row[3] == "01"}
    return found
