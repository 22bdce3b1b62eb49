"""The table of faults. A fault is text put into holes of the templates.

Holes named FAULT_* collect the text of all faults that are on, so that faults combine; any other
hole (a port, a certificate, a file name) is overridden. What no configuration can do is named in
the other fields. To add a fault, add an entry: `fault --list`, `fault clear` and the self-test's
"every fault is tried" follow from the table.
"""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    help: str
    holes: dict = field(default_factory=dict)
    group: str = ""                # of one group at most one is on
    closes: tuple = ()             # services that nobody listens for, or "IPV6" for all on ::1
    ends: tuple = ()               # processes whose sessions a switch cuts
    freezes: tuple = ()            # processes that are stopped in mid-air (SIGSTOP)
    stops_dns: bool = False        # the name server: one for both sides
    web: bool = False              # only the inside has what it concerns
    seconds: int = None            # it takes a number, @SECONDS@ in its text; this one if none is given
    forgets: str = ""              # a folder below the side's that a switch empties


def answer(hole, reply):
    """Postfix gives this reply, to everybody, at the stage of the hole."""
    blamed = {"FAULT_MAIL": "sender", "FAULT_RCPT": "recipient", "FAULT_MX_RCPT": "recipient"}
    return {hole: f"check_{blamed.get(hole, 'client')}_access static:{{{reply}}},"}


def clear_login(protocol):
    """A Dovecot login service that knows no TLS."""
    return f"""
service {protocol}-clear-login {{
  executable = {protocol}-login -o ssl=no
  type = login
  protocol = {protocol}
  user = $default_login_user
  chroot = login
  service_count = 0
  inet_listener {protocol} {{
    port = @{protocol.upper()}_PORT@
  }}
}}"""


SLOW_LOGIN = """
service imap-slow {
  executable = script-login @DATA@/dovecot/slow-login.sh @SECONDS@
  user = $default_internal_user
  unix_listener imap-slow {
  }
}"""


SLOW_STORE = """
plugin {
  sieve_plugins = sieve_extprograms
  sieve_global_extensions = +vnd.dovecot.execute
  sieve_execute_bin_dir = /bin
  sieve_execute_exec_timeout = 60s
}"""


def certificate(kind, help):
    return Fault(f"the servers' certificate {help}", {"CERTIFICATE": kind}, group="certificate")


SMTP = ("SUBMISSION", "SMTPS", "MX")
IMAP = ("IMAP", "IMAPS")


def slow(help, holes, web=False):
    return Fault(f"@SECONDS@ s {help}", holes, seconds=3, web=web)


def webmail(help, word):
    """The webmail's front door, or its plugin, does it: templates/webmail/."""
    return Fault(help, {"FAULT_WEBMAIL": word}, web=True)


def dav(help, word):
    """templates/dav.py does it."""
    return Fault(help, {"FAULT_DAV": word}, web=True)


FAULTS = {
    # Accepted, and then?
    "hold": Fault("accepted mail waits in the hold queue; off releases it",
                  answer("FAULT_END_OF_DATA", "HOLD held by a fault")),
    "junk": Fault("mail is delivered into the Junk folder", {"SIEVE": "junk"}),
    "duplicate": Fault("mail is delivered twice", {
        "FAULT_ALIASES": "regexp:{{/^([^+@]+)@(@DOMAIN@)$$/ $$1@$$2, $$1+copy@$$2}}"}),
    "drop": Fault("mail is accepted and thrown away",
                  answer("FAULT_END_OF_DATA", "DISCARD dropped by a fault")),
    "bounce": Fault("mail is accepted, then a bounce (DSN) goes to its sender",
                    answer("FAULT_END_OF_DATA", "FILTER error:5.7.1 refused after it was accepted")),
    "alter": Fault("subject and body are changed on the way", {
        "FAULT_HEADER_CHECKS": "regexp:{{/^Subject: (.*)/ REPLACE Subject: [EXTERNAL] $$1}}",
        "FAULT_BODY_CHECKS": "regexp:{{/^(.*[[:alnum:]].*)$$/ REPLACE $$1 [altered]}}"}),
    "queue-delay": Fault("accepted mail stays in the queue, deferred; off lets it go",
                         {"DEFERRED": "smtp, lmtp"}),
    "quota-full": Fault("every mailbox is over its quota: delivery fails, mail bounces",
                        {"QUOTA": "1k"}),

    # Refused or put off, stage by stage.
    "greeting-421": Fault("421 instead of the greeting",
                          answer("FAULT_CONNECT", "421 4.3.2 Service not available")),
    "greeting-554": Fault("554 instead of the greeting",
                          answer("FAULT_CONNECT", "554 5.3.2 No service here")),
    "mail-reject": Fault("550 5.7.1 at MAIL",
                         answer("FAULT_MAIL", "550 5.7.1 Sender refused")),
    "rcpt-reject": Fault("550 5.1.1 at RCPT",
                         answer("FAULT_RCPT", "550 5.1.1 User unknown")),
    "rcpt-tempfail": Fault("451 4.3.0 at RCPT",
                           answer("FAULT_RCPT", "451 4.3.0 Temporary lookup failure")),
    "greylist": Fault("450 4.2.0 at RCPT on the MX port; given SECONDS, until they have passed "
                      "and the same client, sender and recipient come again",
                      {"FAULT_MX_RCPT": "check_policy_service unix:private/greylist,",
                       "GREYLIST_SECONDS": "@SECONDS@"}, seconds=0, forgets="postfix/greylist"),
    "dot-reject": Fault("554 5.7.1 after the final dot",
                        answer("FAULT_END_OF_DATA", "554 5.7.1 Message refused")),
    "dot-tempfail": Fault("451 4.3.0 after the final dot",
                          answer("FAULT_END_OF_DATA", "451 4.3.0 Queue file write error")),

    # Slow.
    "slow-greeting": slow("until the SMTP greeting", {"FAULT_CONNECT": "sleep @SECONDS@,"}),
    "slow-rcpt": slow("at each RCPT", {"FAULT_RCPT": "sleep @SECONDS@,"}),
    "slow-submission": slow("at each RCPT on the ports for users",
                            {"FAULT_USER_RCPT": "sleep @SECONDS@,"}),
    "slow-mx": slow("at each RCPT on the MX port", {"FAULT_MX_RCPT": "sleep @SECONDS@,"}),
    # Between two hops of Postfix: filter.py.
    "content-filter": slow("in a content filter behind the queue (0: as long as it takes)", {
        "FAULT_END_OF_DATA": "check_client_access inline:{{127.@SLOT@.0.9=OK}}, "
                             "check_client_access static:{FILTER lmtp:unix:private/scan},",
        "FILTER_SECONDS": "@SECONDS@"}),
    "slow-lmtp": slow("until a mail that LMTP has taken is in the mailbox",
                      {"SIEVE": "slow", "SLOW_STORE_SECONDS": "@SECONDS@",
                       "FAULT_DOVECOT": SLOW_STORE}),
    "slow-dot": slow("from the final dot to its reply", {"FAULT_END_OF_DATA": "sleep @SECONDS@,"}),
    "imap-slow": slow("from the right password to the end of an IMAP login", {
        "IMAP_EXECUTABLE": "imap imap-slow", "FAULT_DOVECOT": SLOW_LOGIN}),
    "webmail-slow": slow("until webmail begins to answer a request",
                         {"FAULT_WEBMAIL": "slow=@SECONDS@"}, web=True),
    "dav-slow": slow("until the answer to a request for calendars or contacts",
                     {"FAULT_DAV": "slow=@SECONDS@"}, web=True),

    # TLS.
    "no-starttls": Fault("no STARTTLS on submission, MX, IMAP and POP3 (implicit TLS still works)", {
        "SUBMISSION_TLS": "none", "MX_TLS": "none",
        # In Dovecot, ssl=no would end implicit TLS as well: the ports without it get login
        # processes of their own.
        "IMAP_LISTEN": "0", "POP3_LISTEN": "0",
        "FAULT_DOVECOT": clear_login("imap") + clear_login("pop3")}),
    "mx-tls-none": Fault("no STARTTLS on the MX port alone", {"MX_TLS": "none"}),
    "cert-expired": certificate("expired", "expired years ago"),
    "cert-not-yet-valid": certificate("not-yet-valid", "is valid only in years to come"),
    "cert-self-signed": certificate("self-signed", "is self-signed"),
    "cert-wrong-host": certificate("wrong-host", "is for some-other-host.test"),
    "cert-unknown-ca": certificate("unknown-ca", "is signed by a CA that nobody trusts"),

    # Down, or worse.
    "smtp-down": Fault("nothing listens for SMTP (submission, smtps, MX)", {"SMTP": "#"},
                       closes=SMTP, ends=("smtpd",)),
    "mx-down": Fault("nothing listens for SMTP from other servers (MX)", {"MX": "#"}, closes=("MX",)),
    "smtp-hang": Fault("SMTP connections are accepted and never answered; off lets them go on",
                       freezes=("master", "smtpd")),
    "imap-down": Fault("nothing listens for IMAP", {"MAIL_PROTOCOLS": "pop3 lmtp"},
                       closes=IMAP, ends=("imap-login", "imap")),
    "imap-hang": Fault("IMAP connections are accepted and never answered; off lets them go on",
                       freezes=("imap-login", "imap")),
    "ipv6-down": Fault("nothing listens on ::1, though DNS names it",
                       {"IP6": "#", "LISTEN": "@HOST_IP@"}, closes=("IPV6",)),
    "auth-down": Fault("logins fail for the moment (SMTP 454, IMAP UNAVAILABLE, DAV 503)",
                       {"PASSDB": "dict", "PASSWORDS": "auth-down.dict", "AUTH": "auth-down",
                        "FAULT_DAV": "unavailable"},
                       group="auth", ends=("auth",)),
    "auth-reject": Fault("no password is right any more (SMTP 535, IMAP AUTHENTICATIONFAILED, HTTP 401)",
                         {"PASSWORDS": "other-passwords", "DAV_PASSWORDS": "other-users"},
                         group="auth", ends=("auth",)),
    "dns-down": Fault("nothing answers DNS, for both sides", stops_dns=True),

    # Webmail.
    "webmail-down": Fault("nothing listens for webmail", {"WEBMAIL": "#"}, closes=("WEBMAIL",), web=True),
    "webmail-error": webmail("status 500: Roundcube dies of a PHP error", "error"),
    "webmail-error-200": Fault("an error page with status 200: Roundcube has lost its database",
                               {"WEBMAIL_DATABASE": "there-is-none/roundcube.db"}, web=True),
    "webmail-maintenance": webmail("a page that tells of maintenance, with status 200", "maintenance"),
    "webmail-no-form": webmail("the login page has no form", "no-form"),
    "webmail-login-broken": webmail("the login form has no token, so that no login goes through", "no-token"),
    "webmail-2fa": webmail("after the password, a code is asked for", "2fa"),
    "webmail-captcha": webmail("the login form has a captcha that nobody solves", "captcha"),

    # Calendars and contacts.
    "dav-down": Fault("nothing listens for calendars and contacts", {"DAV": "#"}, closes=("DAV",),
                      web=True),
    "dav-broken-xml": dav("each 207 of DAV breaks off in its XML", "broken-xml"),
    "dav-empty": dav("each 207 of DAV has no response in it", "empty"),
}


# What is on is a list of entries: a fault's name, and perhaps =SECONDS.

def entry(text):
    """What a user typed, such as "hold" or "greylist=5"; None if there is no such fault."""
    name, has_seconds, seconds = text.partition("=")
    if name not in FAULTS:
        return None
    if has_seconds and (FAULTS[name].seconds is None or not re.fullmatch(r"[0-9]{1,4}", seconds)):
        return None
    return f"{name}={int(seconds)}" if has_seconds else name


def of(each):
    return FAULTS[each.partition("=")[0]]


def seconds_of(each):
    return each.partition("=")[2] or str(of(each).seconds)


def help_of(name):
    return FAULTS[name].help.replace("@SECONDS@", str(FAULTS[name].seconds))


def filled(defaults, on):
    """The holes with these faults on."""
    holes = dict(defaults)
    for each in on:
        for hole, text in of(each).holes.items():
            text = text.replace("@SECONDS@", seconds_of(each))
            collects = hole.startswith("FAULT_")
            holes[hole] = f"{holes[hole]} {text}".strip() if collects else text
    return holes


def closed(on):
    return {service for each in on for service in of(each).closes}


def with_switched(before, fault, on):
    """The faults that are on after one was switched, in a stable order."""
    group = of(fault).group
    kept = [each for each in before if of(each) is not of(fault)
            and not (on and group and of(each).group == group)]
    names = list(FAULTS)
    return sorted(kept + [fault] * on, key=lambda each: names.index(each.partition("=")[0]))
