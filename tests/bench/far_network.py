"""A network that is far away: a namespace for the prober, whose packets a small forwarder holds up.

The kernel of the tests has no netem, and a proxy would end the TCP connection that TCP_INFO is about.
So packets go through two TUN devices, one in each namespace, and wait in between. The servers keep
their addresses in 127.0.0.0/8: the prober's namespace has no loopback of its own in the way.

The caller is in a namespace of its own already (see `alone`), which ends with it.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
HERE, THERE = "10.99.0.1", "10.99.0.2"
ALONE = "MAILPROBE_BENCH_ALONE"

_libc = ctypes.CDLL(None, use_errno=True)


def alone():
    """Go on in a network namespace of our own, with a loopback: nothing of the machine's is changed."""
    if ALONE not in os.environ:
        os.environ[ALONE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])
    ip("link", "set", "lo", "up")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def enter(namespace):
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def open_tun(address):
    """A TUN device in the current namespace, up."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"far", IFF_TUN | IFF_NO_PI))
    Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")
    ip("addr", "add", f"{address}/24", "dev", "far")
    ip("link", "set", "far", "up")
    return tun


class FarNetwork:
    """`with FarNetwork(folder, prober, 0.05) as far:` far.command is the prober, 50 ms away."""

    def __init__(self, folder, prober, rtt_seconds):
        self.delay = rtt_seconds / 2
        self.command = Path(folder) / f"far-{int(rtt_seconds * 1000)}"
        self.prober = prober

    def __enter__(self):
        # It has said so when it is in its namespace.
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        namespace = f"/proc/{self.holder.pid}/ns/net"
        home, away = (os.open(path, os.O_RDONLY) for path in ("/proc/self/ns/net", namespace))
        there = open_tun(THERE)
        enter(away)
        try:
            here = open_tun(HERE)
            ip("route", "add", "127.0.0.0/8", "dev", "far")
        finally:
            enter(home)
            os.close(home)
            os.close(away)
        self.command.write_text(f'#!/bin/sh\nexec nsenter --net={namespace} -- "{self.prober}" "$@"\n')
        self.command.chmod(0o755)
        self.ends, self.wake = (here, there), os.pipe()
        self.thread = threading.Thread(target=self.forward, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.wake[1], b"x")
        self.thread.join()
        for end in (*self.ends, *self.wake):
            os.close(end)
        self.holder.stdin.close()
        self.holder.wait()

    def forward(self):
        to = {self.ends[0]: self.ends[1], self.ends[1]: self.ends[0]}
        held, number = [], 0
        while True:
            left = max(0, held[0][0] - time.monotonic()) if held else None
            ready = select.select([*to, self.wake[0]], [], [], left)[0]
            if self.wake[0] in ready:
                return
            for end in ready:
                number += 1
                heapq.heappush(held, (time.monotonic() + self.delay, number, to[end], os.read(end, 65536)))
            while held and held[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(held)
                os.write(end, packet)
