"""Watching our processes while they run: memory, descriptors, how many there are.

    with Watch(running.pid) as watch: outcome = running.wait()
    watch.peak_bytes, watch.most_descriptors, watch.most_workers, watch.worker_peak_bytes
"""

import os
import re
import threading
from pathlib import Path

PAUSE = 0.005
SANITIZER = 8                                     # a build with one needs so many times the memory


def allowed(program, size):
    """Bytes that a process of that program may have resident."""
    return size * (SANITIZER if b"__asan_init" in Path(program).read_bytes() else 1)


class Watch:
    """Samples a supervisor and its workers until the `with` block ends."""

    def __init__(self, pid, look=None):
        self.pid, self.look = pid, look           # look: called with each process id seen
        self.samples = 0
        self.peak_bytes = self.worker_peak_bytes = 0
        self.most_descriptors = self.most_workers = 0
        self.last_descriptors = None
        self.workers = set()                      # every process id ever seen below it
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def watch(self):
        while not self.done.wait(PAUSE):
            self.sample()

    def sample(self):
        workers = children(self.pid)
        self.peak_bytes = max(self.peak_bytes, peak_of(self.pid))
        descriptors = count_descriptors(self.pid)
        if descriptors:
            self.samples += 1
            self.last_descriptors = descriptors
            self.most_descriptors = max(self.most_descriptors, descriptors)
        self.most_workers = max(self.most_workers, len(workers))
        self.workers.update(workers)
        for worker in workers:
            self.worker_peak_bytes = max(self.worker_peak_bytes, peak_of(worker))
        for pid in [self.pid, *workers] if self.look else []:
            self.look(pid)


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def peak_of(pid):
    """The most memory it ever had resident, in bytes; 0 if it has gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    except OSError:
        return 0


def count_descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
