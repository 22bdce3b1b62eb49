"""What the commands do: bring an instance up, switch its faults, bring it down."""

import shutil
import signal
import time

from . import cli, content, faults, paths, ports, processes, root, servers
from .instance import DOMAINS, USERS, Instance


def up(name):
    """Start an instance; False if it is up already."""
    root.ensure()
    root.check_usable()
    with cli.locked(name):
        instance = Instance.load(name)
        if instance and servers.is_running(instance):
            return False
        clean(name)
        with ports.claimed() as slot:
            instance = Instance(name, slot, ports.has_ipv6())
            try:
                instance.create()
                servers.start_all(instance)
            except BaseException:                        # the logs stay, the next 'up' removes them
                processes.stop(instance.data)
                raise
    return True


def down(name, keep=False):
    """Stop an instance and all that is left of one; False if there was nothing."""
    cli.need_root()
    if name not in paths.instances():
        return False
    with cli.locked(name):
        instance = Instance.load(name)
        processes.stop(paths.data(name))
        if instance:
            cli.wait_for("free ports", lambda: not open_ports(instance), 5)
        if not keep:
            clean(name)
            if instance:
                shutil.rmtree(paths.home(name))
    return True


def down_all(keep=False):
    """Stop all instances; returns their names."""
    names = paths.instances()
    for name in names:
        down(name, keep)
    with cli.locked("root"):
        root.remove_unused()
    return names


def clean(name):
    """Remove what a killed command or an earlier run left; the passwords stay as they were."""
    processes.stop(paths.data(name))
    root.remove(paths.data(name))


def open_ports(instance):
    """Ports of the instance that somebody listens on though its processes are gone."""
    listening = servers.listening_ports()
    return [port for side in paths.SIDES for port in instance.services(side).values()
            if ("4", port) in listening or ("6", port) in listening]


def running(name):
    instance = Instance.load(name)
    if instance and not instance.data.is_relative_to(paths.ROOT) and instance.data.exists():
        raise cli.PlatformError(f"'{name}' runs in the root of an older package list, where only 'down {name}' "
                                f"still works; then 'up {name}' starts it in the new one")
    if not instance or not servers.is_running(instance):
        raise cli.PlatformError(f"'{name}' is not up: start it with 'up {name}'")
    return instance


def switch(name, side, wanted):
    """Put a side's faults into force; returns when they have taken effect."""
    with cli.locked(name):
        instance = running(name)
        before = instance.on[side]
        after = instance.on[side] = wanted(before)
        # Where the last switch was killed half-way, nobody knows what has taken effect: all again.
        redo = instance.unfinished
        instance.unfinished = True
        instance.save()
        switched = set(faults.FAULTS) if redo else set(after) ^ set(before)
        forget(instance, side, switched)
        servers.thaw(instance, side)
        sessions = to_end(instance, side, switched)
        changed = instance.configure(side)
        for server in ("dovecot", "postfix", "web"):
            if server in servers.SERVERS[side] and (redo or server in changed):
                servers.reload(instance, side, server)
        processes.send(sessions, signal.SIGTERM)
        apply_beyond_configuration(instance, side)
        instance.unfinished = False
        instance.save()
    return after


def to_end(instance, side, switched):
    """Processes whose sessions end with a switch: those of now, not the reload's new ones."""
    names = {name for each in switched for name in faults.of(each).ends}
    return processes.named(instance.side(side), names)


def forget(instance, side, switched):
    """Empty what a fault remembers: each time it is new."""
    for each in switched:
        if faults.of(each).forgets:
            for path in (instance.side(side) / faults.of(each).forgets).iterdir():
                path.unlink()


def apply_beyond_configuration(instance, side):
    """What no configuration can do. Looks at what is, so that it can be done again."""
    cli.wait_for(f"the ports of {side}", lambda: servers.ports_as_wanted(instance, side), 5)
    if instance.dns_stopped():
        servers.stop_dns(instance)
    elif not servers.main_process(instance, "knot"):
        servers.start_dns(instance)
        cli.wait_for("an answer of the name server", lambda: servers.dns_answers(instance), 5)
    if "hold" not in instance.on[side]:
        servers.release_held(instance, side)
    for each in paths.SIDES:
        servers.flush(instance, each)
    servers.freeze(instance, side, {name for each in instance.on[side]
                                    for name in faults.of(each).freezes})


def fill(name, side, user, folder, count):
    """Put messages into a folder of a mailbox; returns how many there are now."""
    with cli.locked(name):
        instance = running(name)
        address = f"{user}@{DOMAINS[side]}"
        if user not in USERS:
            raise cli.PlatformError(f"there is no user {address}")
        maildir = instance.side(side) / "mail" / user / "Maildir"
        content.fill(maildir, folder, content.messages(address, count, folder), int(time.time()))
        return servers.index(instance, side, address, folder)
