"""The table of faults. A fault is text put into holes of the templates.

Holes named FAULT_* collect the text of all faults that are on, so that faults combine; any other
hole (a port, a certificate, a file name) is overridden. What no configuration can do is named in
the other fields. To add a fault, add an entry: `fault --list`, `fault clear` and the self-test's
"every fault is tried" follow from the table.
"""

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


def certificate(kind, help):
    return Fault(f"the servers' certificate {help}", {"CERTIFICATE": kind}, group="certificate")


SMTP = ("SUBMISSION", "SMTPS", "MX")
IMAP = ("IMAP", "IMAPS")

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
    "greylist": Fault("450 4.2.0 at RCPT on the MX port, as long as it is on",
                      answer("FAULT_MX_RCPT", "450 4.2.0 Greylisted, try again later")),
    "dot-reject": Fault("554 5.7.1 after the final dot",
                        answer("FAULT_END_OF_DATA", "554 5.7.1 Message refused")),
    "dot-tempfail": Fault("451 4.3.0 after the final dot",
                          answer("FAULT_END_OF_DATA", "451 4.3.0 Queue file write error")),

    # Slow.
    "slow-greeting": Fault("3 s until the SMTP greeting", {"FAULT_CONNECT": "sleep 3,"}),
    "slow-rcpt": Fault("3 s at each RCPT", {"FAULT_RCPT": "sleep 3,"}),
    "slow-dot": Fault("3 s from the final dot to its reply", {"FAULT_END_OF_DATA": "sleep 3,"}),

    # TLS.
    "no-starttls": Fault("no STARTTLS on submission, MX, IMAP and POP3 (implicit TLS still works)", {
        "SUBMISSION_TLS": "none", "MX_TLS": "none",
        # In Dovecot, ssl=no would end implicit TLS as well: the ports without it get login
        # processes of their own.
        "IMAP_LISTEN": "0", "POP3_LISTEN": "0",
        "FAULT_DOVECOT": clear_login("imap") + clear_login("pop3")}),
    "cert-expired": certificate("expired", "expired years ago"),
    "cert-not-yet-valid": certificate("not-yet-valid", "is valid only in years to come"),
    "cert-self-signed": certificate("self-signed", "is self-signed"),
    "cert-wrong-host": certificate("wrong-host", "is for some-other-host.test"),
    "cert-unknown-ca": certificate("unknown-ca", "is signed by a CA that nobody trusts"),

    # Down, or worse.
    "smtp-down": Fault("nothing listens for SMTP (submission, smtps, MX)", {"SMTP": "#"},
                       closes=SMTP, ends=("smtpd",)),
    "smtp-hang": Fault("SMTP connections are accepted and never answered; off lets them go on",
                       freezes=("master", "smtpd")),
    "imap-down": Fault("nothing listens for IMAP", {"MAIL_PROTOCOLS": "pop3 lmtp"},
                       closes=IMAP, ends=("imap-login", "imap")),
    "imap-hang": Fault("IMAP connections are accepted and never answered; off lets them go on",
                       freezes=("imap-login", "imap")),
    "ipv6-down": Fault("nothing listens on ::1, though DNS names it",
                       {"SMTP6": "#", "LISTEN": "@HOST_IP@"}, closes=("IPV6",)),
    "auth-down": Fault("logins fail for the moment (SMTP 454, IMAP UNAVAILABLE)",
                       {"PASSDB": "dict", "PASSWORDS": "auth-down.dict", "AUTH": "auth-down"},
                       group="auth", ends=("auth",)),
    "auth-reject": Fault("no password is right any more (SMTP 535, IMAP AUTHENTICATIONFAILED)",
                         {"PASSWORDS": "other-passwords"},
                         group="auth", ends=("auth",)),
    "dns-down": Fault("nothing answers DNS, for both sides", stops_dns=True),
}


def filled(defaults, names):
    """The holes with these faults on."""
    holes = dict(defaults)
    for name in names:
        for hole, text in FAULTS[name].holes.items():
            collects = hole.startswith("FAULT_")
            holes[hole] = f"{holes[hole]} {text}".strip() if collects else text
    return holes


def closed(names):
    return {service for name in names for service in FAULTS[name].closes}


def with_switched(names, fault, on):
    """The faults that are on after one was switched, in a stable order."""
    kept = {name for name in names if name != fault}
    if on:
        group = FAULTS[fault].group
        kept = {name for name in kept if not group or FAULTS[name].group != group} | {fault}
    return [name for name in FAULTS if name in kept]
