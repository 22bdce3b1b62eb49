"""One running platform: what it consists of, its record, its configuration."""

import json
import os
import re
import secrets
import shlex
import shutil
import sqlite3
import time

from . import certificates, cli, content, faults, paths, ports, root

DOMAINS = {"inside": "acme.test", "outside": "elsewhere.test"}
USERS = ["probe", "postmaster", "reader", "big", "full"] + [f"u{number:03}" for number in range(1, 201)]
QUOTAS = {                              # of those whom the common one does not suit
    "reader": "*:storage=1G", "big": "*:storage=1G",
    "full": f"*:bytes={content.FULL['of_bytes']}:messages={content.FULL['of_messages']}",
}
# Domains whose mail the inside takes as if it were its own; their MX records are in other.zone.
OTHER_DOMAINS = ("twomx", "backupmx", "equalmx", "nomx", "cnamemx", "ipmx",
                 "strictmx", "danemx")
DKIM_SELECTOR = "probe"
# Who asks the authorization server; tokens of "brief" live two seconds, "service" is the probe itself.
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CLIENTS = {
    "mailprobe": {"grants": ["refresh_token", DEVICE]},
    "brief": {"grants": ["refresh_token", DEVICE], "lifetime": 2},
    "service": {"grants": ["client_credentials"], "user": f"probe@{DOMAINS['inside']}"},
    "dovecot": {"grants": []},
}
ROUNDCUBE = "/usr/share/roundcube"
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
          "private", "saved", "trace")

# What a fault may put other text into, and what is there without one.
HOLES = {
    "FAULT_ALIASES": "", "FAULT_CONNECT": "", "FAULT_MAIL": "", "FAULT_RCPT": "",
    "FAULT_MX_RCPT": "", "FAULT_USER_RCPT": "", "SLOW_STORE_SECONDS": "0", "FILTER_SECONDS": "0", "FAULT_END_OF_DATA": "", "FAULT_HEADER_CHECKS": "",
    "FAULT_BODY_CHECKS": "", "FAULT_DOVECOT": "", "FAULT_WEBMAIL": "", "FAULT_DAV": "",
    "DEFERRED": "", "SMTP": "", "MX": "", "WEBMAIL": "", "DAV": "", "GREYLIST_SECONDS": "0",
    "WEBMAIL_DATABASE": "roundcube.db", "DAV_PASSWORDS": "users", "IMAP_EXECUTABLE": "imap",
    "SUBMISSION_TLS": "encrypt",
    "MX_TLS": "may", "CERTIFICATE": "good",
    "MAIL_PROTOCOLS": "imap pop3 lmtp", "PASSDB": "passwd-file",
    "PASSWORDS": "users", "AUTH": "auth", "QUOTA": "50M", "SIEVE": "normal",
}


class Instance:
    def __init__(self, name, slot, ipv6, on=None, unfinished=False):
        self.name, self.slot, self.ipv6 = name, slot, ipv6
        self.unfinished = unfinished                     # a switch of faults is under way
        self.on = on or {side: [] for side in paths.SIDES}      # faults per side
        self.home, self.data = paths.home(name), paths.data(name)
        self.address = ports.addresses(slot)

    @classmethod
    def load(cls, name):
        """The record of an instance, None if there is none."""
        try:
            record = json.loads((paths.home(name) / "state.json").read_text())
            return cls(name, record["slot"], record["ipv6"], record["faults"],
                       record.get("unfinished", False))
        except (OSError, ValueError, KeyError):
            return None

    def save(self):
        write(self.home / "state.json",
              json.dumps({"slot": self.slot, "ipv6": self.ipv6, "faults": self.on,
                          "unfinished": self.unfinished}) + "\n")

    # Where and what

    def side(self, side):
        return self.data / side

    def listens(self, side):
        return [self.address[side]] + (["::1"] if self.ipv6 else [])

    def services(self, side):
        return ports.services(self.slot, side)

    def dns_stopped(self):
        return any(faults.of(each).stops_dns for on in self.on.values() for each in on)

    # Configuration

    def values(self, side):
        """Everything that the templates of a side may ask for."""
        peer = "outside" if side == "inside" else "inside"
        services = self.services(side)
        holes = faults.filled(HOLES | {
            "LISTEN": ", ".join(self.listens(side)), "IP6": "" if self.ipv6 else "#",
            "IMAP_LISTEN": services["IMAP"], "POP3_LISTEN": services["POP3"]}, self.on[side])
        return self.common_values() | holes | {
            "SIDE": side, "DOMAIN": DOMAINS[side], "DATA": paths.within(self.side(side)),
            "HOST_IP": self.address[side],
            "PROTOCOLS": "all" if self.ipv6 else "ipv4",
            "PEER_MX_PORT": self.services(peer)["MX"], "WEB": "" if side == "inside" else ";",
            "TOKENS": "" if side == "inside" else "#", "CLIENT_SECRET": self.secret("client"),
            "OTHER_DOMAINS": "|".join(OTHER_DOMAINS) if side == "inside" else "-",
        } | {f"{service}_PORT": services.get(service, 0) for service in ports.SERVICES | ports.WEB}

    def common_values(self):
        return {"SLOT": self.slot, "DNS_IP": self.address["dns"],
                "RESOLVER_PORT": ports.resolver_port(self.slot),
                "TLS": paths.within(self.data / "tls"), "V6": "" if self.ipv6 else ";"}

    def configure(self, side):
        """Write what the faults that are on ask for; returns the servers that must reload."""
        values = self.values(side)
        certificates.ensure(self.data, side, DOMAINS[side], values["CERTIFICATE"])
        folder = self.side(side)
        changed = set()
        templates = [("postfix", "main.cf"), ("postfix", "master.cf"), ("dovecot", "dovecot.conf"),
                     ("dovecot", "slow.sieve")]
        if side == "inside":
            templates.append(("web", "nginx.conf"))
            self.configure_web(values)
        for server, template in templates:
            if write(folder / server / template, render(template, values)):
                changed.add(server)
        return changed

    def configure_web(self, values):
        """What the servers behind the web server read at each request."""
        folder, side = self.side("inside"), "inside"
        keys = {"WEBMAIL_KEY": self.secret(side)[:24]}
        for name in ("index.php", "config.inc.php"):
            write(folder / "webmail" / name, render(f"webmail/{name}", values | keys))
        write(folder / "dav" / "faults", values["FAULT_DAV"] + "\n")
        write(folder / "dav" / "users", self.accounts(side, values["DAV_PASSWORDS"], "{user}:{password}"),
              mode=0o640, group=group_id("radicale"))

    # Files

    def create(self):
        """Lay out everything that the servers need before their first start."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.save()                                      # from here on, 'down' knows about us
        for name in (*paths.SIDES, "client"):
            self.create_secret(name)
        self.data.mkdir(parents=True)
        certificates.prepare(self.data)
        shutil.copy(self.data / "tls" / "ca.crt", self.home / "ca.pem")
        shutil.copy(paths.ROOT / root.DKIM_KEY[1:], self.home / "secrets" / "dkim.key")
        self.create_dns()
        for side in paths.SIDES:
            self.create_postfix(side)
            self.create_dovecot(side)
            if side == "inside":
                self.create_web(side)
            self.configure(side)
        self.describe()
        self.give_to_user()

    def create_secret(self, side):
        secret = self.home / "secrets" / f"{side}.secret"
        if not secret.exists():
            secret.parent.mkdir(mode=0o700, exist_ok=True)
            write(secret, secrets.token_urlsafe(18) + "\n", mode=0o600)

    def secret(self, side):
        return (self.home / "secrets" / f"{side}.secret").read_text().strip()

    def accounts(self, side, which, line):
        """A file of users and passwords: the right ones, or other ones, made from them."""
        password = self.secret(side)
        if which != "users":
            password = password[::-1] + "-"
        return "".join(line.format(user=f"{user}@{DOMAINS[side]}", password=password,
                                   quota=quota_rule(user)) + "\n" for user in USERS)

    def create_dns(self):
        folder = self.data / "dns"
        (folder / "state").mkdir(parents=True)
        shutil.chown(folder, user_id("knot"))
        shutil.chown(folder / "state", user_id("knot"))
        common = self.common_values() | {"DATA": paths.within(folder), "HOST_IP": self.address["inside"],
                                         "MX_PORT": self.services("inside")["MX"]}
        for template in ("knot.conf", "catch-all.zone", "other.zone", "reverse4.zone", "reverse6.zone"):
            write(folder / template, render(template, common))
        dkim = certificates.dkim_public_key()
        common |= {"DKIM_SELECTOR": DKIM_SELECTOR, "DKIM_1": dkim[:200], "DKIM_2": dkim[200:]}
        for side in paths.SIDES:
            tlsa = {"TLSA": certificates.create_key(self.data, side)}
            write(folder / f"{side}.zone", render("domain.zone", common | self.values(side) | tlsa))

    def create_postfix(self, side):
        folder = self.side(side) / "postfix"
        queue = folder / "queue"
        postfix, postdrop = user_id("postfix"), group_id("postdrop")
        (queue / "pid").mkdir(parents=True)
        for name in QUEUES:
            make(queue / name, 0o700, postfix)
        make(queue / "public", 0o710, postfix, postdrop)
        make(queue / "maildrop", 0o730, postfix, postdrop)
        make(folder / "data", 0o700, postfix)
        make(folder / "greylist", 0o700, user_id("nobody"))
        for name in ("auth-down.sh", "greylist.py", "filter.py"):
            shutil.copy(paths.TEMPLATES / name, folder)
        # What the chrooted smtp and smtpd ask the C library for.
        (queue / "etc").mkdir()
        write(queue / "etc" / "resolv.conf",
              f"nameserver {self.address['dns']}\noptions timeout:1 attempts:2\n")
        write(queue / "etc" / "nsswitch.conf", "hosts: files dns\n")
        write(queue / "etc" / "hosts", "127.0.0.1 localhost\n::1 localhost\n")

    def create_dovecot(self, side):
        folder = self.side(side) / "dovecot"
        make(folder, 0o755)
        (folder / "run").mkdir()
        (folder / "state").mkdir()
        mail = self.side(side) / "mail"
        mail.mkdir()
        for name in ("users", "other-passwords"):
            write(folder / name, self.accounts(side, name, "{user}:{{PLAIN}}{password}::::::{quota}"),
                  mode=0o640, group=group_id("dovecot"))
        for user in USERS:
            # Dovecot copies the mode of this folder: a prober without root may watch the mailbox.
            make(mail / user, 0o755, root.MAIL_USER, root.MAIL_USER)
            make(mail / user / "Maildir", 0o755, root.MAIL_USER, root.MAIL_USER)
        for name in ("normal.sieve", "junk.sieve", "auth-down.dict", "slow-login.sh"):
            shutil.copy(paths.TEMPLATES / name, folder)
        if side == "inside":
            content.create_mail(mail, DOMAINS[side])

    def create_web(self, side):
        """The web server, and what it serves: webmail, calendars and contacts, the MTA-STS policy."""
        values, folder = self.values(side), self.side(side)
        web, webmail, dav = (folder / name for name in ("web", "webmail", "dav"))
        php, radicale = user_id("www-data"), user_id("radicale")
        make(web, 0o755)
        write(web / "mta-sts.txt", render("mta-sts.txt", values))

        make(webmail, 0o755, php, php)                   # SQLite writes its journal beside the database
        for name in ("temp", "logs"):
            make(webmail / name, 0o700, php, php)
        shutil.copytree(paths.TEMPLATES / "webmail" / "pages", webmail / "pages")
        (webmail / "plugins" / "faults").mkdir(parents=True)
        shutil.copy(paths.TEMPLATES / "webmail" / "faults.php", webmail / "plugins" / "faults")
        for name in ("filesystem_attachments", "jqueryui"):
            (webmail / "plugins" / name).symlink_to(f"{ROUNDCUBE}/plugins/{name}")
        for name in ("defaults.inc.php", "mimetypes.php"):
            (webmail / name).symlink_to(f"/etc/roundcube/{name}")
        write(webmail / "php-fpm.conf", render("php-fpm.conf", values))
        write(webmail / "not-cached", f"{values['DATA']}/webmail/*\n")
        database = sqlite3.connect(webmail / "roundcube.db")
        database.executescript("PRAGMA synchronous = off;\n" + (
            paths.ROOT / ROUNDCUBE[1:] / "SQL" / "sqlite.initial.sql").read_text())
        database.close()
        make(webmail / "roundcube.db", 0o640, php, php)

        make(dav, 0o755, radicale, radicale)
        write(dav / "radicale.conf", render("radicale.conf", values))
        shutil.copy(paths.TEMPLATES / "dav.py", dav)
        content.create_dav(dav / "collections", DOMAINS[side], radicale)
        self.create_login(side)

    def create_login(self, side):
        """The authorization server: who may ask it, and for whom."""
        folder, owner = self.side(side) / "login", user_id("www-data")
        make(folder, 0o755, owner)
        shutil.copy(paths.TEMPLATES / "authority.py", folder)
        values, secret = self.values(side), self.secret("client")
        clients = {name: client | {"secret": secret} for name, client in CLIENTS.items()}
        write(folder / "settings.json", json.dumps({
            "issuer": f"https://login.{DOMAINS[side]}:{values['LOGIN_PORT']}", "clients": clients,
            "users": {f"{user}@{DOMAINS[side]}": self.secret(side) for user in USERS}}),
            mode=0o640, group=group_id("www-data"))
        write(self.side(side) / "dovecot" / "oauth2.conf", render("dovecot-oauth2.conf", values),
              mode=0o640, group=group_id("dovecot"))

    def describe(self):
        """env and platform.json: the same keys, for shells and for everybody else."""
        keys = {"PLATFORM_NAME": self.name, "PLATFORM_DIR": str(self.home),
                "CA_FILE": str(self.home / "ca.pem"),
                "RESOLVER": f"{self.address['dns']}:{ports.resolver_port(self.slot)}",
                "DKIM_SELECTOR": DKIM_SELECTOR,
                "DKIM_KEY_FILE": str(self.home / "secrets" / "dkim.key")}
        for side in paths.SIDES:
            domain = DOMAINS[side]
            own = {"DOMAIN": domain, "ADDRESS": f"probe@{domain}",
                   "PASSWORD_FILE": str(self.home / "secrets" / f"{side}.secret"),
                   "HOST_IP": self.address[side],
                   "HOST_IP6": "::1" if self.ipv6 else ""}
            own |= {f"{host.upper()}_HOST": f"{host}.{domain}"
                    for host in ("smtp", "mx", "imap", "pop")}
            own |= {f"{service}_PORT": number for service, number in self.services(side).items()}
            own |= {"MAILDIR_ROOT": str(self.side(side) / "mail"),
                    "QUEUE_DIR": str(self.side(side) / "postfix" / "queue"),
                    "MAIL_LOG": str(self.side(side) / "mail.log"),
                    "DOVECOT_LOG": str(self.side(side) / "dovecot.log")}
            if side == "inside":
                own |= {f"{service}_HOST": f"{service.lower().replace('_', '-')}.{domain}"
                        for service in ports.WEB}
                own |= {f"{service}_URL": f"https://{own[f'{service}_HOST']}:{own[f'{service}_PORT']}/"
                        for service in ("WEBMAIL", "DAV", "LOGIN")}
                own |= {"WEB_LOG": str(self.side(side) / "web.log"),
                        "LOGIN_LOG": str(self.side(side) / "login" / "requests.log"),
                        "CLIENT_SECRET_FILE": str(self.home / "secrets" / "client.secret")}
            keys |= {f"{side.upper()}_{key}": value for key, value in own.items()}
        write(self.home / "platform.json", json.dumps(keys, indent=2) + "\n")
        write(self.home / "env", "".join(f"{key}={shlex.quote(str(value))}\n"
                                         for key, value in keys.items()))

    def give_to_user(self):
        """The passwords are for whoever called sudo: a prober needs no root."""
        owner = int(os.environ.get("SUDO_UID", -1)), int(os.environ.get("SUDO_GID", -1))
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, *owner)


def render(template, values):
    """Fill the @HOLES@ of a template; text put into a hole may have holes itself."""
    text = (paths.TEMPLATES / template).read_text()
    for _ in range(2):
        text = re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda hole: str(values[hole[1]]), text)
    return text


def write(path, text, mode=0o644, group=-1):
    """Replace a file in one step; True if that changed it."""
    if path.exists() and path.read_text() == text:
        return False
    partial = path.with_name(path.name + ".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as handle:
        os.fchown(handle.fileno(), -1, group)
        handle.write(text)
    # Postfix waits for two seconds before it believes a main.cf that was just written.
    os.utime(partial, (time.time() - 60,) * 2)
    partial.rename(path)
    return True


def quota_rule(user):
    """An extra field of Dovecot's users file."""
    return f"userdb_quota_rule={QUOTAS[user]}" if user in QUOTAS else ""


def make(folder, mode, user=0, group=0):
    if not folder.is_file():
        folder.mkdir(exist_ok=True)
    os.chown(folder, user, group)
    os.chmod(folder, mode)


def user_id(name):
    """Ids are those of the private root, not of this machine."""
    return lookup("passwd", name)


def group_id(name):
    return lookup("group", name)


def lookup(table, name):
    for line in (paths.ROOT / "etc" / table).read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2])
    raise cli.PlatformError(f"the private root has no {name} in its {table} file: "
                            f"remove {paths.ROOT} and run 'install'")
