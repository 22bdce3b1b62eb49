"""Where everything lives: the project's side, and the side inside the private root."""

import hashlib
import os
import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent          # tests/platform
PROJECT = SOURCE.parent.parent
TEMPLATES = SOURCE / "templates"
PACKAGES = PROJECT / "packages" / "platform.list"

RECIPE = 2                              # raise it when root.py builds the root differently


def packages():
    lines = PACKAGES.read_text().splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


def version():
    return hashlib.sha256(repr((RECIPE, sorted(packages()))).encode()).hexdigest()[:8]


STATE = Path(os.environ.get("MAILPROBE_PLATFORM_DIR") or PROJECT / ".platform").resolve()
ROOT = STATE / f"root-{version()}"                       # the servers' private root (chroot)
LOCKS = STATE / "locks"

SIDES = ("inside", "outside")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")            # short: socket paths have 107 bytes
RESERVED = re.compile(r"root.*|locks")


def home(name):
    """What users and tests read: env, platform.json, secrets, ca.pem."""
    return STATE / name


def data(name):
    """What the servers use: configuration, queues, mailboxes, logs. Seen from outside."""
    found = [root / "srv" / name for root in roots() if (root / "srv" / name).exists()]
    return found[0] if found else ROOT / "srv" / name


def roots():
    """All private roots, also of older lists of packages: instances live on in theirs."""
    return [root for root in STATE.glob("root*") if re.fullmatch("root(-[0-9a-f]{8})?", root.name)]


def within(path):
    """The same path as a chrooted server sees it."""
    return "/" + str(path.relative_to(ROOT))


def instances():
    """Names that have any trace: told by either side, so that half an instance is found too, and nothing that is not ours."""
    found = {record.parent.name for record in STATE.glob("*/state.json")}
    found |= {folder.name for root in roots() for folder in (root / "srv").glob("*")}
    return sorted(name for name in found if NAME.fullmatch(name) and not RESERVED.fullmatch(name))
