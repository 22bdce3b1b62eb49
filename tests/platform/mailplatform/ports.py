"""Addresses and ports of an instance: a slot of its own, claimed without a race.

Slot 10 is 127.10.0.1 (inside) with ports 10xxx, 127.10.0.2 (outside) with ports 11xxx, and the
name server 127.10.0.53. The last three digits are the well-known port: 10587 is submission,
11993 the other side's IMAPS, 10443 webmail (one address serves all: so the MTA-STS policy is at 444,
the authorization server at 445 and DAV at 232). All lie below the range that the kernel gives to clients.
::1 is the only IPv6 loopback address: that is why the two sides differ in their ports.
"""

import socket
from contextlib import contextmanager

from .cli import PlatformError

SLOTS = range(10, 32, 2)
SERVICES = {"SUBMISSION": 587, "SMTPS": 465, "MX": 25, "IMAP": 143, "IMAPS": 993,
            "POP3": 110, "POP3S": 995}
WEB = {"WEBMAIL": 443, "MTA_STS": 444, "LOGIN": 445, "DAV": 232}       # the inside only
DNS = 53


def addresses(slot):
    return {"inside": f"127.{slot}.0.1", "outside": f"127.{slot}.0.2", "dns": f"127.{slot}.0.53"}


def services(slot, side):
    """Port numbers of a side, by service."""
    known = SERVICES | (WEB if side == "inside" else {})
    return {service: (slot + (side == "outside")) * 1000 + known[service] for service in known}


def resolver_port(slot):
    return slot * 1000 + DNS


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@contextmanager
def claimed():
    """Find a free slot and hold it until the servers have bound its ports.

    The claim is an abstract Unix socket: seen by every checkout on this machine (and, like the
    ports, by nobody in another network namespace), leaves no file, ends with the process.
    """
    for slot in SLOTS:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0mailprobe-platform-{slot}")
            if is_free(slot):
                yield slot
                return
        except OSError:
            continue                                     # another command is claiming it
        finally:
            claim.close()
    raise PlatformError(f"no free ports: all {len(SLOTS)} slots are in use "
                        "(see 'status'; 'down --all' stops this project's instances)")


def is_free(slot):
    ours = addresses(slot)
    wanted = [(socket.AF_INET, ours["dns"], DNS, kind)
              for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    wanted.append((socket.AF_INET, ours["dns"], resolver_port(slot), socket.SOCK_DGRAM))
    for side in ("inside", "outside"):
        for number in services(slot, side).values():
            wanted.append((socket.AF_INET, ours[side], number, socket.SOCK_STREAM))
            if has_ipv6():
                wanted.append((socket.AF_INET6, "::1", number, socket.SOCK_STREAM))
    return all(can_bind(*address) for address in wanted)


def can_bind(family, address, number, kind):
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:                   # old connections may linger, listeners not
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, number))
            return True
        except OSError:
            return False
