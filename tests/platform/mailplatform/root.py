"""The private root: a Debian folder of its own that all servers of the platform live in.

Nothing is installed on the user's machine, so no mail server there is removed, reconfigured or
started, now or at the next boot. The folder is built once, in a temporary place, and renamed
when whole. Each package list has a root of its own, so that a change of the list disturbs nobody:
what runs goes on in the old root, which is removed when nobody lives there.
"""

import os
import re
import shlex
import shutil
import subprocess
from urllib.parse import urlparse

from . import cli, paths, processes

SUITE = "bookworm"
FALLBACK = [f"deb http://deb.debian.org/debian {SUITE} main",
            f"deb http://deb.debian.org/debian {SUITE}-updates main",
            f"deb http://deb.debian.org/debian-security {SUITE}-security main"]
STAMP = paths.ROOT / "etc" / "mailprobe-platform"
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
MAIL_USER = 5000                        # owns the mailboxes, inside the root only
DKIM_KEY = "/etc/mailprobe-dkim.key"


def ensure():
    """Build the root if it is missing. Milliseconds if not."""
    cli.need_root()
    if STAMP.exists():
        return False
    if paths.ROOT.exists():
        raise cli.PlatformError(f"{paths.ROOT} was not made by 'install': move it away, or set "
                                "MAILPROBE_PLATFORM_DIR to another folder")
    with cli.locked("root") as lock:
        if STAMP.exists():                               # another command built it meanwhile
            return False
        build(lock)
        remove_unused()
    return True


def remove_unused():
    """Remove the roots of older package lists that nobody lives in."""
    for root in paths.roots():
        if root != paths.ROOT and not any((root / "srv").iterdir()) and not processes.below(root):
            remove(root)


def build(lock):
    if not shutil.which("mmdebstrap"):
        raise cli.PlatformError("mmdebstrap is missing: apt-get install mmdebstrap")
    for leftover in paths.STATE.glob("root.partial.*"):
        remove(leftover)
    partial = paths.STATE / f"root.partial.{os.getpid()}"
    cli.say(f"building the servers' private root in {paths.ROOT}\n"
            "  (Debian packages, about 340 MB, about a minute; nothing is installed on this machine)")
    log = paths.STATE / "root.log"
    try:
        with open(log, "wb") as output:
            # The lock goes along: while an orphaned build still writes, no other one starts.
            done = subprocess.run(build_command(partial), stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=output, pass_fds=[lock.fileno()])
        if done.returncode:
            raise cli.PlatformError("mmdebstrap failed:\n  " + "\n  ".join(tail(log))
                                    + f"\n  whole log: {log}")
        finish(partial)
        partial.rename(paths.ROOT)
    finally:
        remove(partial)
    cli.say("  the root is built")


def build_command(target):
    command = ["mmdebstrap", "--mode=root", "--variant=essential", "--format=directory",
               "--include=" + ",".join(paths.packages()), "--dpkgopt=force-unsafe-io",
               '--aptopt=Apt::Install-Recommends "false"']
    command += [f"--dpkgopt=path-exclude=/usr/share/{folder}/*"
                for folder in ("man", "doc", "info", "locale", "lintian")]
    command += [f"--aptopt={option}" for option in host_apt_options()]
    command += [SUITE, str(target)] + sources()
    if can_mount():
        # mmdebstrap mounts /proc and /sys in its target: in a namespace of our own these end
        # with the build, even one that is killed.
        return ["unshare", "--mount", *command]
    return [*command[:1], "--skip=check/canmount", *command[1:]]


def can_mount():
    return subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0


def host_apt_options():
    """How this machine reaches its archive: a proxy, a frozen snapshot."""
    wanted = re.compile(r'(Acquire::(https?::Proxy\S*|Check-Valid-Until|Check-Date|Retries) ".+");')
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
    return [match[1] for line in dump.splitlines() if (match := wanted.fullmatch(line))]


def sources():
    """The machine's own Debian mirrors, nobody else's; deb.debian.org if it names none."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Created-By: Packages"], capture_output=True, text=True).stdout
    lines = set()
    for line in listing.splitlines():
        uri, suite, component = line.split()
        is_debian = re.search(r"/debian(-security)?/?$", urlparse(uri).path)
        if is_debian and component == "main" and suite in (SUITE, f"{SUITE}-updates",
                                                           f"{SUITE}-security"):
            lines.add(f"deb {uri} {suite} main")
    has_base = any(line.split()[2] == SUITE for line in lines)
    return sorted(lines) if has_base else FALLBACK


def finish(root):
    for name, (major, minor) in DEVICES.items():
        node = root / "dev" / name
        if not node.is_char_device():
            os.mknod(node, 0o020666, os.makedev(major, minor))
            os.chmod(node, 0o666)
    run_in(root, f"useradd --uid {MAIL_USER} --no-create-home --home-dir /srv vmail")
    # One DKIM key for all instances: making one takes longer than to bring an instance up.
    run_in(root, f"openssl genrsa -out {DKIM_KEY} 2048")
    (root / "etc" / "resolv.conf").write_text("# each instance has its own\n")
    (root / STAMP.relative_to(paths.ROOT)).write_text("built by tests/platform/install\n")


def check_usable():
    """Name what is missing where a folder cannot be a root: better now than in a server's log."""
    try:
        with open(paths.ROOT / "dev" / "null", "w") as null:
            null.write(" ")
    except OSError:
        raise cli.PlatformError(
            f"{paths.ROOT}/dev/null is no working device; is the file system mounted 'nodev'? "
            "Set MAILPROBE_PLATFORM_DIR to a folder on another one.") from None
    if run_in(paths.ROOT, "true", check=False).returncode:
        raise cli.PlatformError(f"chroot into {paths.ROOT} fails: is CAP_SYS_CHROOT missing, "
                                "or the file system mounted 'noexec'?")


def run_in(root, command, check=True, **options):
    """Run a short command in the root."""
    arguments = shlex.split(command) if isinstance(command, str) else command
    done = subprocess.run(["chroot", str(root), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, **options)
    if check and done.returncode:
        output = (done.stderr or done.stdout).strip()
        raise cli.PlatformError(f"{' '.join(arguments[:3])} ... in the private root: {output}")
    return done


def own(path, user):
    os.chown(path, user, user)


def remove(folder):
    """Delete a tree, but never through a mount that an outsider left in it."""
    if not folder.exists():
        return
    with open("/proc/self/mountinfo") as mounts:
        if any(line.split()[4].startswith(f"{folder}/") for line in mounts):
            raise cli.PlatformError(f"something is mounted below {folder}: unmount it first")
    shutil.rmtree(folder)


def tail(log, lines=8):
    return log.read_text(errors="replace").splitlines()[-lines:]
