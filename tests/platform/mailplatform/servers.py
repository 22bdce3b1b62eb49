"""Start the servers, wait until they answer, make them reload, stop and freeze them."""

import os
import resource
import signal
import socket
import ssl
import subprocess
from pathlib import Path

from . import cli, faults, paths, ports, processes, root
from .instance import group_id, user_id

# Of each side, by their folders below it. Only the inside has users who surf.
SERVERS = {"inside": ("dovecot", "postfix", "web", "webmail", "dav", "login"), "outside": ("dovecot", "postfix")}
START_SECONDS = 15
OPEN_FILES = 8192
MX_QUERY = bytes.fromhex("1234000000010000000000000461636d6504746573740000060001")  # acme.test SOA


def start_all(instance):
    compile_sieve(instance)
    start_dns(instance)
    starting = []
    for side in paths.SIDES:
        starting += [start_dovecot(instance, side), start_postfix(instance, side)]
    start_web(instance)
    start_webmail(instance)
    start_dav(instance)
    start_login(instance)
    for process in starting:                             # these two put themselves in background
        check(instance, process)
    wait_until_up(instance)


def compile_sieve(instance):
    """Compile the global Sieve scripts: the mail user may not write the result itself."""
    folders = [paths.within(instance.side(side) / "dovecot") for side in paths.SIDES]
    root.run_in(paths.ROOT, ["sh", "-c", " && ".join(
        f"sievec -c {folder}/dovecot.conf {folder}/{name}.sieve"
        for folder in folders for name in ("normal", "junk"))])


def launch(instance, folder, command, user=""):
    """Start a server in the root, with its working folder there: that makes it ours to stop."""
    ids = user and (group_id(user), user_id(user))

    def settle():
        os.setsid()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = OPEN_FILES if limit == resource.RLIM_INFINITY else min(limit, OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        os.chroot(paths.ROOT)
        os.chdir(paths.within(folder))
        if ids:
            os.setgroups([])
            os.setgid(ids[0])
            os.setuid(ids[1])
    log = open(folder / "start.log", "wb")
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            preexec_fn=settle, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def start_dns(instance):
    folder = instance.data / "dns"
    return launch(instance, folder, ["/usr/sbin/knotd", "-c", f"{paths.within(folder)}/knot.conf"])


def start_dovecot(instance, side):
    folder = instance.side(side) / "dovecot"
    return launch(instance, folder,
                  ["/usr/sbin/dovecot", "-c", f"{paths.within(folder)}/dovecot.conf"])


def start_postfix(instance, side):
    """master itself: 'postfix start' would check and repair for a second what we just made."""
    folder = instance.side(side) / "postfix"
    return launch(instance, folder,
                  ["/usr/lib/postfix/sbin/master", "-c", paths.within(folder), "-w"])


def start_web(instance):
    folder = instance.side("inside") / "web"
    return launch(instance, folder, ["/usr/sbin/nginx", "-c", f"{paths.within(folder)}/nginx.conf"])


def start_webmail(instance):
    folder = instance.side("inside") / "webmail"
    # Roundcube is compiled once and kept; what a fault rewrites is read anew at each request.
    return launch(instance, folder, [
        "/usr/sbin/php-fpm8.2", "--fpm-config", f"{paths.within(folder)}/php-fpm.conf",
        "-d", "opcache.validate_timestamps=0",
        "-d", f"opcache.blacklist_filename={paths.within(folder)}/not-cached"])


def start_dav(instance):
    folder = instance.side("inside") / "dav"
    return launch(instance, folder, ["/usr/bin/python3", "-I", "dav.py"], "radicale")


def start_login(instance):
    folder = instance.side("inside") / "login"
    return launch(instance, folder, ["/usr/bin/python3", "-I", "authority.py"], "www-data")


def check(instance, process):
    try:
        code = process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        code = "no answer"
    if code:
        raise cli.PlatformError(f"{Path(process.args[0]).name} did not start ({code}):\n"
                                + last_words(instance))


def last_words(instance):
    """The end of every log: what the servers had to say."""
    logs = sorted(instance.data.glob("*/start.log")) + sorted(instance.data.glob("*/*/start.log"))
    logs += sorted(instance.data.glob("*/*.log"))
    return "\n".join(f"  {log.relative_to(instance.data)}: {line}"
                     for log in dict.fromkeys(logs) for line in root.tail(log, 5))


def main_process(instance, server, side=""):
    """Process id of a server's main process; 0 if it does not run."""
    folder = instance.side(side)
    record = {"postfix": folder / "postfix" / "queue" / "pid" / "master.pid",
              "dovecot": folder / "dovecot" / "run" / "master.pid",
              "web": folder / "web" / "nginx.pid", "webmail": folder / "webmail" / "php-fpm.pid",
              "dav": folder / "dav" / "pid", "login": folder / "login" / "pid",
              "knot": instance.data / "dns" / "knot.pid"}[server]
    try:
        pid = int(record.read_text())
    except (OSError, ValueError):
        return 0
    return pid if pid in processes.below(instance.data) else 0


def is_running(instance):
    mains = [main_process(instance, server, side)
             for side in paths.SIDES for server in SERVERS[side]]
    if not instance.dns_stopped() and not instance.unfinished:
        mains.append(main_process(instance, "knot"))
    return all(mains)


# Waiting

def wait_until_up(instance):
    try:
        cli.wait_for("an answer of the name server", lambda: dns_answers(instance), START_SECONDS)
        for side in paths.SIDES:
            for address in instance.listens(side):
                for service, port in instance.services(side).items():
                    cli.wait_for(f"a greeting of {side} {service.lower()} ({address}:{port})",
                                 lambda: greets(address, port, service), START_SECONDS)
    except cli.PlatformError as error:
        raise cli.PlatformError(f"{error}\n{last_words(instance)}") from None


def dns_answers(instance):
    for port in (53, instance.common_values()["RESOLVER_PORT"]):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            try:
                asking.connect((instance.address["dns"], port))
                asking.send(MX_QUERY)
                reply = asking.recv(512)
            except OSError:
                return False
            if reply[3] & 15 or not reply[7]:            # not NOERROR, or no answer in it
                return False
    return True


def greets(address, port, service):
    """The server itself has spoken, not just the kernel for it."""
    try:
        with socket.create_connection((address, port), timeout=2) as connection:
            if service in ("SMTPS", "IMAPS", "POP3S", *ports.WEB):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                connection = context.wrap_socket(connection)
            with connection:
                if service in ports.WEB:
                    connection.sendall(f"GET {PAGES[service]} HTTP/1.0\r\n\r\n".encode())
                return connection.recv(512).startswith((b"220 ", b"* OK", b"+OK", b"HTTP/1.1 200"))
    except OSError:
        return False


# Each comes from the server behind nginx.
PAGES = {"WEBMAIL": "/", "DAV": "/.web", "MTA_STS": "/.well-known/mta-sts.txt",
         "LOGIN": "/device"}


def listening_ports():
    """(hexadecimal) ports that anybody listens on, by address family."""
    found = set()
    for family, table in (("4", "/proc/net/tcp"), ("6", "/proc/net/tcp6")):
        if os.path.exists(table):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found |= {(family, int(row[1].rpartition(":")[2], 16)) for row in rows if row[3] == "0A"}
    return found


def ports_as_wanted(instance, side):
    """Every port of the side is open, those that a fault closes are closed."""
    closed = faults.closed(instance.on[side])
    listening = listening_ports()

    def wanted(family, service):
        return service not in closed and not (family == "6" and "IPV6" in closed)

    return all(((family, port) in listening) == wanted(family, service)
               for service, port in instance.services(side).items()
               for family in ("46" if instance.ipv6 else "4"))


# Changing a running server

def reload(instance, side, server):
    """Have a server read its configuration; returns when nothing serves by the old one.

    A session that is already being served goes on under the old rules, as in real life.
    """
    folder = instance.side(side) / server
    main = main_process(instance, server, side)
    if not main:
        raise cli.PlatformError(f"{server} of {side} does not run: 'down' and 'up' again")
    old = set(processes.below(folder)) - {main}
    done = {"postfix": postfix_has_reloaded, "dovecot": dovecot_has_reloaded,
            "web": nginx_has_reloaded}[server]
    os.kill(main, signal.SIGHUP)
    try:
        cli.wait_for(f"the reload of {server} ({side})", lambda: done(folder, old), 5)
    except cli.PlatformError as error:
        raise cli.PlatformError(f"{error}\n{last_words(instance)}") from None


def postfix_has_reloaded(folder, old):
    """qmgr, last in master.cf, is another one, and no old process waits for a client."""
    now = processes.below(folder)
    if not [pid for pid in now if pid not in old and processes.name(pid) == "qmgr"]:
        return False
    connected = processes.connected()
    waiting = [pid for pid in old.intersection(now)
               if processes.name(pid) in ("qmgr", "smtpd") and not processes.sockets(pid) & connected]
    return not waiting


def dovecot_has_reloaded(folder, old):
    """There are new login processes, and no old process can take another client."""
    now = processes.below(folder)
    if not [pid for pid in now if pid not in old and processes.name(pid) == "pop3-login"]:
        return False
    listening = processes.listening()
    kept = ("anvil", "log", "stats", "config")           # these outlive a reload
    return not [pid for pid in old.intersection(now)
                if processes.name(pid) not in kept and processes.sockets(pid) & listening]


def nginx_has_reloaded(folder, old):
    """There is a new worker, and no old one can take another client."""
    now = processes.below(folder)
    if len([pid for pid in now if pid not in old]) < 2:  # the main process and a worker
        return False
    listening = processes.listening()
    return not [pid for pid in old.intersection(now) if processes.sockets(pid) & listening]


def freeze(instance, side, names):
    pids = processes.named(instance.side(side), names)
    processes.send(pids, signal.SIGSTOP)


def thaw(instance, side):
    processes.send(processes.below(instance.side(side)), signal.SIGCONT)


def stop_dns(instance):
    processes.stop(instance.data / "dns")


def flush(instance, side):
    """Let deferred mail try again now."""
    if processes.is_frozen(main_process(instance, "postfix", side)):
        return
    config = paths.within(instance.side(side) / "postfix")
    root.run_in(paths.ROOT, ["postqueue", "-c", config, "-f"])


def release_held(instance, side):
    if not any((instance.side(side) / "postfix" / "queue" / "hold").iterdir()):
        return
    config = paths.within(instance.side(side) / "postfix")
    root.run_in(paths.ROOT, ["postsuper", "-c", config, "-H", "ALL"])


def index(instance, side, address, folder):
    """Have Dovecot index a folder that was filled behind its back; returns its messages."""
    at = paths.within(instance.side(side) / "dovecot")
    answer = root.run_in(paths.ROOT, ["sh", "-c", f"""cd {at} &&
        doveadm -c dovecot.conf index -u {address} '{folder}' &&
        doveadm -c dovecot.conf mailbox status -u {address} messages '{folder}'"""])
    return int(answer.stdout.rpartition("=")[2])
