"""Where everything lives: the project's side, and the side inside the private root."""

import os
import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent          # tests/platform
PROJECT = SOURCE.parent.parent
TEMPLATES = SOURCE / "templates"
PACKAGES = PROJECT / "packages" / "platform.list"

STATE = Path(os.environ.get("MAILPROBE_PLATFORM_DIR") or PROJECT / ".platform").resolve()
ROOT = STATE / "root"                                    # the servers' private root (chroot)
LOCKS = STATE / "locks"

SIDES = ("inside", "outside")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")            # short: socket paths have 107 bytes
RESERVED = {"root", "locks"}


def home(name):
    """What users and tests read: env, platform.json, secrets, ca.pem."""
    return STATE / name


def data(name):
    """What the servers use: configuration, queues, mailboxes, logs. Seen from outside."""
    return ROOT / "srv" / name


def within(path):
    """The same path as a chrooted server sees it."""
    return "/" + str(path.relative_to(ROOT))


def instances():
    """Names that have any trace: told by either side, so that half an instance is found too, and nothing that is not ours."""
    found = {record.parent.name for record in STATE.glob("*/state.json")}
    found |= {folder.name for folder in (ROOT / "srv").glob("*")}
    return sorted(name for name in found - RESERVED if NAME.fullmatch(name))
