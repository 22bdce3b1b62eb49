"""What all commands share: arguments, errors for people, one lock per instance."""

import argparse
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager

from . import paths


class PlatformError(Exception):
    """Something a user can understand and act on."""


def parser(description, **options):
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, **options)


def instance_name(text):
    if not paths.NAME.fullmatch(text) or paths.RESERVED.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no instance name: up to 20 of a-z, 0-9 and '-', not 'root...' or 'locks'")
    return text


def say(text):
    print(text, file=sys.stderr, flush=True)


def need_root():
    if os.geteuid() != 0:
        raise PlatformError("the platform's servers need root (chroot, port 53, mail users): "
                            "run this with sudo. Probing them does not.")


@contextmanager
def locked(name):
    """One command at a time per instance. The kernel lets go of the lock when we die."""
    paths.LOCKS.mkdir(parents=True, exist_ok=True)
    with open(paths.LOCKS / name, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle


def wait_for(what, condition, seconds):
    """Poll until the condition holds; its last value is returned. No fixed sleeps anywhere."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise PlatformError(f"{what} did not happen within {seconds} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return value


def run(main):
    """Run a command's main(): errors become one line and an exit code, never a traceback."""
    os.umask(0o022)                                      # servers under other ids read our files
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        sys.exit(main())
    except PlatformError as error:
        say(f"{os.path.basename(sys.argv[0])}: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say(f"{os.path.basename(sys.argv[0])}: interrupted")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)     # the reader left: no second complaint
        sys.exit(141)
