"""Servers that no real server is: a table of what each does, and what must come of it.

Each case is a scripted server and one scenario that meets it. `want` is the error type of the
step that fails, or "pass" where a server is odd but a user would be served. The table of
docs/hostile-servers.md is made of this one (`hostile --table`), and hostile checks that it is.
"""

import re
import time
from dataclasses import dataclass

from scripted import Ended, imap, smtp

CAPABLE = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS] ready"
WELCOME = "{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] welcome"
ESCAPES = ("\x1b]0;owned\x07\x1b[31mred\x1b[2J \x9b31m \u202egnihton\u2028next\x00line "
           "\r\nmailprobe: forged")


@dataclass
class Case:
    """`step` is login (imap_login), send (smtp_send) or await (smtp_send and imap_await)."""
    name: str
    what: str                                     # the server does
    step: str
    script: object
    want: str
    tls: str = "off"                              # off, implicit, starttls
    blame: str = "target"
    check: object = None                          # of (case's server, its record)


def named(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]


# --- ways to behave ------------------------------------------------------------------------

def forever(data):
    """The same again and again, as fast as the client takes it."""
    block = data * max(1, 65536 // len(data))

    def flood(peer, *_):
        while True:
            peer.raw(block)
    return flood


def then_forever(first, data):
    def flood(peer, *_):
        peer.raw(first)
        forever(data)(peer)
    return flood


def drip(data, seconds=0.2):
    """Byte by byte: never silent, never done."""
    def slow(peer, *_):
        for byte in data:
            peer.raw(bytes([byte]))               # ends it, once the client has gone
            time.sleep(seconds)
        peer.hang()
    return slow


def hear_some(peer):
    """Whatever comes first, such as a ClientHello."""
    if not peer.sock.recv(65536):
        raise Ended


def hang(data=b""):
    def silent(peer, *_):
        peer.raw(data)
        peer.hang()
    return silent


def cut(data):
    def gone(peer, *_):
        peer.raw(data)
        raise Ended
    return gone


def reset(peer, *_):
    peer.reset()


def tagged(text):
    """An answer with the right tag filled in; bytes as they are."""
    return lambda peer, tag, rest: peer.raw(text.replace(b"TAG", tag.encode()))


def only(script):
    """A server that does just that."""
    return lambda peer: script(peer)


# --- IMAP, to a login ----------------------------------------------------------------------

def login(what, want, greeting=CAPABLE, tls="off", **answers):
    return Case(named(f"imap {what}"), what, "login", imap(greeting, **answers), want, tls)


def bare(what, want, script, step="login", tls="off"):
    protocol = "smtp" if step == "send" else "imap"
    return Case(named(f"{protocol} {what}"), what, step, only(script), want, tls)


KILLERS = [
    login("`+ [PERMANENTFLAGS (` to the login, and no more", "limit.time",
          authenticate=hang(b"+ [PERMANENTFLAGS (")),
    login("`+ [BADCHARSET (\"x\")] y` to the login", "auth.malformed",
          authenticate=hang(b'+ [BADCHARSET ("x")] y\r\n')),
    login("`* OK [PERMANENTFLAGS (%)] x` to EXAMINE", "imap.malformed",
          examine="* 0 EXISTS\n* OK [PERMANENTFLAGS (%)] x\n{tag} OK done"),
    login("`[PERMANENTFLAGS` without a list, then the end of the line", "imap.malformed",
          examine=b"* OK [PERMANENTFLAGS (\r\n"),
    login("20,000 `(` in a FETCH that nobody asked for", "limit.depth",
          authenticate=hang(b"* 1 FETCH (BODYSTRUCTURE " + b"(" * 20000)),
    login("100,000 `(` behind a quote in a text for people", "limit.depth",
          authenticate=hang(b'* OK " {70000}\r\n* 1 FETCH (BODYSTRUCTURE ' + b"(" * 10**5)),
    login("100,000 `(` in LIST", "limit.depth", examine=hang(b"* LIST " + b"(" * 10**5)),
    login("20,000 `(`, a line each", "imap.malformed", examine=hang(b"* X (\r\n" * 20000)),
    login("plain OK to CAPABILITY, without a list", "pass", greeting="* OK ready",
          capability="{tag} OK done"),
    login("`[PERMANENTFLAGS (\\Seen)]` in the greeting", "imap.malformed",
          greeting="* OK [PERMANENTFLAGS (\\Seen)] ready"),
    login("an empty list of capabilities in the greeting", "pass",
          greeting="* OK [CAPABILITY ] ready", capability="* CAPABILITY \n{tag} OK done"),
    login("NAMESPACE with an empty prefix and half a delimiter", "imap.malformed",
          examine='* NAMESPACE (("" "\\)) NIL NIL\n{tag} OK done'),
    login("STATUS as in CVE-2022-4121", "pass",
          examine="* STATUS INBOX ()\n{tag} OK done"),
]

FLOODS = [
    login("endless untagged lines", "limit.size", examine=forever(b"* OK still working\r\n")),
    login("endless EXISTS", "limit.size", examine=forever(b"* 1 EXISTS\r\n")),
    login("endless `+`", "imap.malformed", examine=forever(b"+ go on\r\n")),
    login("one endless line", "limit.size", examine=forever(b"x" * 1000)),
    login("a line of 100 MB in quotes", "limit.size",
          examine=then_forever(b'* LIST () "/" "', b"x" * 1000)),
    login("a literal of 4 GB, announced", "limit.size",
          examine=hang(b"* 1 FETCH (BODY[] {4294967295}\r\n")),
    login("a literal of 20 digits, announced", "limit.size",
          examine=hang(b"* 1 FETCH (BODY[] {99999999999999999999}\r\n")),
    login("a literal of 2 GB, streamed", "limit.size",
          examine=then_forever(b"* 1 FETCH (BODY[] {2147483648}\r\n", b"x" * 1000)),
    login("endless literals of a megabyte each", "limit.size",
          examine=then_forever(b"* 1 FETCH (BODY[] {1000000}\r\n",
                               b"y" * 1000000 + b" BODY[] {1000000}\r\n")),
    login("endless empty lines", "limit.size", examine=forever(b"\r\n")),
    login("endless capabilities", "limit.size", greeting="* OK ready",
          capability=forever(b"* CAPABILITY IMAP4rev1\r\n")),
    login("endless lines behind LOGOUT", "limit.size", logout=forever(b"* OK and\r\n")),
    bare("endless greeting in one line", "limit.size", forever(b"* OK hello and welcome ")),
]

SLOTHS = [
    bare("silence from the first moment", "tcp.timeout", hang()),
    bare("a greeting byte by byte", "limit.time", drip(b"* OK " + b"z" * 1000)),
    login("a literal byte by byte", "limit.time",
          examine=lambda peer, *_: (peer.raw(b"* 1 FETCH (BODY[] {1000}\r\n"),
                                    drip(b"z" * 1000)(peer))),
    login("untagged lines, one now and then", "limit.time",
          examine=drip(b"* OK still working\r\n" * 100, 0.02)),
    login("silence to the login", "tcp.timeout", authenticate=hang()),
    login("half a literal, then silence", "limit.time",
          examine=hang(b"* 1 FETCH (BODY[] {100}\r\nabc")),
    login("silence to LOGOUT", "tcp.timeout", logout=hang()),
    login("half a literal, then the end", "tcp.eof",
          examine=cut(b"* 1 FETCH (BODY[] {100}\r\nabc")),
    login("half a line, then the end", "tcp.eof", examine=cut(b"* 1 EXI")),
    login("reset in the middle", "tcp.reset", examine=reset),
]

LIARS = [
    login("a wrong tag", "imap.malformed", examine="* 0 EXISTS\nA99 OK done"),
    login("no tag", "imap.malformed", examine="* 0 EXISTS\nOK done"),
    login("every answer twice", "imap.malformed", examine="{tag} OK done\n{tag} OK done"),
    login("the answers to the next commands ahead", "imap.malformed",
          authenticate=lambda peer, tag, rest: peer.raw(
              WELCOME.format(tag=tag).encode() +
              "".join(f"\r\n{int(tag) + i} OK ahead" for i in range(1, 5)).encode() + b"\r\n")),
    login("an answer that comes before its command", "imap.malformed",
          greeting=f"{CAPABLE}\n1 OK [CAPABILITY IMAP4rev1] you are in"),
    login("a NUL in a line", "imap.malformed", examine=b"* 0 EXI\0STS\r\n"),
    login("bare line feeds", "pass",
          examine=tagged(b"* 0 EXISTS\n* OK [UIDVALIDITY 1] x\nTAG OK done\n")),
    login("8-bit text in an answer", "pass",
          examine=tagged(b"* 0 EXISTS\r\n* OK \xff\xfe\xc3\x28 text\r\nTAG OK \xe9t\xe9\r\n")),
    login("BAD", "imap.no", examine="{tag} BAD what is EXAMINE?"),
    login("BYE instead of a greeting", "imap.bye", greeting="* BYE too busy"),
    login("BYE in the middle", "imap.bye", examine="* BYE going down"),
    login("BYE behind a refusal", "auth.rejected",
          authenticate="{tag} NO [AUTHENTICATIONFAILED] wrong\n* BYE bye"),
    login("BYE behind an answer", "imap.bye", authenticate=f"{WELCOME}\n* BYE bye"),
    login("PREAUTH", "tls.starttls_stripped", greeting="* PREAUTH you are in"),
    login("PREAUTH before STARTTLS", "tls.starttls_stripped", greeting="* PREAUTH you are in",
          tls="starttls"),
    login("LOGINDISABLED and no mechanism", "auth.unavailable",
          greeting="* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready"),
    login("a referral to another host", "auth.rejected",
          authenticate="{tag} NO [REFERRAL imap://elsewhere.test/] go there"),
    login("UNAVAILABLE", "auth.temp", authenticate="{tag} NO [UNAVAILABLE] later"),
    login("data that no command has", "imap.malformed", examine="* WHATEVER 1 2 3\n{tag} OK x"),
    login("4,294,967,295 messages", "pass", examine="* 4294967295 EXISTS\n{tag} OK done"),
    login("UIDNEXT 0", "pass", examine="* 0 EXISTS\n* OK [UIDNEXT 0] x\n{tag} OK done"),
    login("data behind LOGOUT", "pass", logout="* BYE bye\n{tag} OK done\n* 5 EXISTS"),
    bare("HTTP", "imap.malformed", hang(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    bare("random bytes", "imap.malformed", hang(bytes(range(255, 12, -1)) + b"\r\n")),
]

# TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256, no extensions.
SERVER_HELLO = (b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + bytes(range(32))
                + b"\x00\xc0\x2f\x00")

ENCRYPTED = [
    login("STARTTLS, and plaintext right behind the agreement", "tls.injected", tls="starttls",
          greeting="* OK [CAPABILITY IMAP4rev1 STARTTLS] ready",
          starttls="{tag} OK go ahead\n* CAPABILITY IMAP4rev1 AUTH=PLAIN"),
    login("STARTTLS, and an answer right behind the agreement", "tls.injected", tls="starttls",
          greeting="* OK [CAPABILITY IMAP4rev1 STARTTLS] ready",
          starttls=tagged(b"TAG OK go ahead\r\n3 OK you are in\r\n")),
    login("STARTTLS agreed, then plaintext", "tls.handshake", tls="starttls",
          greeting="* OK [CAPABILITY IMAP4rev1 STARTTLS] ready",
          starttls=lambda peer, tag, rest: (peer.say(f"{tag} OK go ahead"), hear_some(peer),
                                            peer.say("* OK and on we go"), peer.hang())),
    login("STARTTLS refused", "tls.starttls_stripped", tls="starttls",
          greeting="* OK [CAPABILITY IMAP4rev1 STARTTLS] ready", starttls="{tag} NO not now"),
    login("no STARTTLS", "tls.starttls_stripped", tls="starttls"),
    bare("plaintext where TLS should begin", "tls.handshake", hang(b"* OK hello\r\n" * 10),
         tls="clear"),
    bare("a TLS record of nonsense", "tls.handshake",
         hang(b"\x16\x03\x03\x00\x20\x02\0\0\x1c" + b"\xaa" * 28), tls="clear"),
    bare("endless HelloRequests instead of a ServerHello", "tcp.timeout",
         forever(b"\x16\x03\x03\x40\x00" + b"\0" * 16384), tls="clear"),
    bare("a certificate chain of 1 MB", "tls.handshake",
         then_forever(SERVER_HELLO + b"\x16\x03\x03\x40\x00\x0b\x0f\x42\x40\x0f\x42\x3d",
                      b"\x16\x03\x03\x40\x00" + b"\0" * 16384), tls="clear"),
    bare("TLS that never begins", "tcp.timeout", hang(), tls="clear"),
    bare("a TLS record byte by byte", "tcp.timeout", drip(b"\x16\x03\x03\x40\x00" + b"\2" * 999),
         tls="clear"),
    login("endless lines over TLS", "limit.size", tls="implicit",
          examine=forever(b"* OK still working\r\n")),
    login("20,000 `(` over TLS", "limit.depth", tls="implicit",
          examine=hang(b"* 1 FETCH (BODYSTRUCTURE " + b"(" * 20000)),
]


# --- SMTP, to a mail -----------------------------------------------------------------------

def send(what, want, greeting="220 scripted.test ESMTP ready", tls="off", **answers):
    return Case(named(f"smtp {what}"), what, "send", smtp(greeting, **answers), want, tls)


STARTTLS = "250-scripted.test\n250 STARTTLS"

SMTP = [
    send("an endless banner of many lines", "limit.size", forever(b"220-welcome\r\n")),
    send("a line of 1 MB", "limit.size", "220 " + "x" * 10**6),
    send("an endless line", "limit.size", forever(b"2" * 1000)),
    send("NULs in a reply", "pass", b"220 scripted\0test\0\r\n"),
    send("8-bit in a reply", "pass", b"220 \xff\xfe \xe9t\xe9\r\n"),
    send("bare line feeds", "pass", b"220 scripted.test\n"),
    send("a bare CR", "pass", b"220 one\rtwo\r\n"),
    send("mixed codes in one reply", "smtp.malformed", "220-one\n250 two"),
    send("a code of four digits", "smtp.malformed", "2200 ready"),
    send("no code", "smtp.malformed", "ready when you are"),
    send("an empty line", "smtp.malformed", "\n220 ready"),
    send("IMAP", "smtp.malformed", CAPABLE),
    send("200 extensions", "limit.size",
         ehlo="\n".join(f"250-X{i}" for i in range(200)) + "\n250 OK"),
    send("`250-AUTH PLAIN<TAB>LOGIN`", "pass", ehlo="250-scripted.test\n250 AUTH PLAIN\tLOGIN"),
    send("a second greeting ahead of its turn", "smtp.malformed",
         "220 scripted.test ready\n250 and more"),
    send("250 to everything before it is asked", "smtp.malformed",
         "220 scripted.test\n" + "\n".join(["250 ok"] * 20)),
    send("replies ahead of their commands, later", "smtp.malformed", mail="250 ok\n250 ok"),
    send("its 250 for the text before the text", "smtp.malformed", data="354 go on\n250 queued"),
    send("endless 334 to PLAIN", "auth.malformed", auth=forever(b"334 \r\n")),
    send("endless 334 to LOGIN", "auth.malformed", ehlo="250-x\n250 AUTH LOGIN",
         auth=lambda peer, *_: endless_334(peer)),
    send("354 to MAIL", "smtp.malformed", mail="354 go on"),
    send("535", "auth.rejected", auth="535 5.7.8 no"),
    send("454 to AUTH", "auth.temp", auth="454 4.7.0 later"),
    send("530 though AUTH was fine", "smtp.reject", mail="530 5.7.0 log in first"),
    send("no AUTH", "auth.unavailable", ehlo="250 scripted.test"),
    send("421 while nobody asked", "smtp.tempfail", auth="235 2.7.0 ok\n421 4.3.2 going down"),
    send("421 in the middle", "smtp.tempfail", rcpt="421 4.3.2 going down"),
    send("silence", "tcp.timeout", hang()),
    send("a reply byte by byte", "limit.time", drip(b"220-x\r\n" * 1000)),
    send("no 354", "tcp.timeout", data=hang()),
    send("the end in the middle of a line", "tcp.eof", mail=cut(b"250 2.1")),
    send("reset after MAIL", "tcp.reset", mail=reset),
    send("silence after the final dot", "smtp.unknown", dot=hang()),
    send("the end after the final dot", "smtp.unknown", dot=cut(b"")),
    send("reset after the final dot", "smtp.unknown", dot=reset),
    send("nonsense after the final dot", "smtp.unknown", dot="thanks"),
    send("an endless reply to the final dot", "smtp.unknown", dot=forever(b"250-thanks\r\n")),
    send("silence to QUIT", "pass", quit=hang()),
    send("nonsense to QUIT", "pass", quit=forever(b"what\r\n")),
    send("STARTTLS, and plaintext right behind the agreement", "tls.injected", tls="starttls",
         ehlo=STARTTLS, starttls=lambda peer: peer.raw(b"220 go\r\n250 AUTH PLAIN\r\n")),
    send("STARTTLS agreed, then plaintext", "tls.handshake", tls="starttls", ehlo=STARTTLS,
         starttls=lambda peer: (peer.say("220 go"), hear_some(peer), peer.say("250 on we go"),
                                peer.hang())),
    send("STARTTLS refused", "tls.starttls_stripped", tls="starttls", ehlo=STARTTLS,
         starttls="454 4.7.0 not now"),
    send("no STARTTLS", "tls.starttls_stripped", tls="starttls"),
    bare("plaintext where TLS should begin", "tls.handshake", hang(b"220 hello\r\n"), step="send",
         tls="clear"),
]


def endless_334(peer):
    while True:
        peer.say("334 VXNlcm5hbWU6")
        peer.hear()


# --- a mail that is waited for -------------------------------------------------------------

class Mailbox:
    """An SMTP and an IMAP server on one port: what is sent there lies in the INBOX at once, in
    the way that `fetch` and `found` show it."""

    def __init__(self, fetch=None, found=None, uidnext="1", before=None, **answers):
        self.fetch, self.found, self.uidnext = fetch or whole, found or just_that, uidnext
        self.before, self.answers = before, answers
        self.mails, self.commands = [], []

    def __call__(self, peer):
        """SMTP to who connects second: the await is logged in before the mail goes out."""
        if not hasattr(self, "first"):
            self.first = peer
            return imap(**self.imap_answers())(peer)
        return self.later(peer)

    def later(self, peer):
        """A recheck of the mailbox speaks IMAP again."""
        if self.mails:
            return imap(**self.imap_answers())(peer)
        return smtp(mails=self.mails)(peer)

    def imap_answers(self):
        return {
            "select": lambda peer, tag, rest: peer.say(
                f"* {len(self.mails)} EXISTS", "* OK [UIDVALIDITY 1] x",
                f"* OK [UIDNEXT {self.uidnext}] x", f"{tag} OK [READ-WRITE] done"),
            "noop": lambda peer, tag, rest: peer.say(f"* {len(self.mails)} EXISTS",
                                                     f"{tag} OK done"),
            "uid_search": lambda peer, tag, rest: peer.raw(
                (self.found() if self.mails else b"* SEARCH\r\n") + f"{tag} OK done\r\n".encode()),
            "uid_fetch": lambda peer, tag, rest: peer.raw(
                self.fetch("\r\n".join(self.mails[0]).encode() + b"\r\n")
                + f"{tag} OK done\r\n".encode()),
            "uid_store": self.note, "uid_expunge": self.note, "store": self.note,
            "expunge": self.note, "close": self.note, "uid_move": self.note, "uid_copy": self.note,
        } | self.answers

    def note(self, peer, tag, rest):
        self.commands.append(rest)
        peer.say(f"{tag} OK done")


def just_that():
    return b"* SEARCH 7\r\n"


def fetched(text, uid=7):
    return (b'* 1 FETCH (UID %d INTERNALDATE "01-Jan-2026 00:00:15 +0000" BODY[] {%d}\r\n'
            % (uid, len(text))) + text + b")\r\n"


def whole(text):
    return fetched(text)


def forged(text):
    """Right in everything that anybody can see, but not signed with our key."""
    return fetched(re.sub(rb"(Mailprobe-Token: v1\.[0-9a-f-]+\.)[0-9a-f]{64}",
                          rb"\g<1>" + b"0" * 64, text))


def quoted_in_body(text):
    return fetched(b"Subject: Undelivered Mail\r\n\r\n" + text)


def altered(text):
    return fetched(text + b"-- \r\nBuy more.\r\n")


def untouched(server, record):
    """Nothing was deleted: as (what is promised, whether it held)."""
    return "nothing in the mailbox was touched", server.script.commands == []


def deleted(server, record):
    return ("just the one mail was deleted",
            [command.split(" ")[:3] for command in server.script.commands]
            == [["UID", "STORE", "7"], ["UID", "EXPUNGE", "7"]])


def mail(what, want, check=None, **behaviour):
    return Case(named(f"mail {what}"), what, "await", Mailbox(**behaviour), want, check=check)


MAILS = [
    mail("honest, to compare with", "pass", deleted),
    mail("a forged token in a mail that is right in all else", "mail.late", untouched,
         fetch=forged),
    mail("a mail that quotes ours, token and all", "mail.late", untouched, fetch=quoted_in_body),
    mail("ours, but altered", "mail.altered", deleted, fetch=altered),
    mail("the answer to FETCH is about another UID", "mail.late", untouched,
         fetch=lambda text: fetched(text, 9)),
    mail("another mail under that UID, then ours under another", "mail.late", untouched,
         fetch=lambda text: fetched(b"Subject: a user's\r\n\r\nhello\r\n") + fetched(text, 9)),
    mail("FETCH without a UID", "mail.late", untouched,
         fetch=lambda text: fetched(text).replace(b"UID 7 ", b"")),
    mail("FETCH answers nothing", "mail.late", untouched, fetch=lambda text: b""),
    mail("100,000 `(` in FETCH", "limit.depth", untouched,
         fetch=lambda text: b"* 1 FETCH (UID 7 BODYSTRUCTURE " + b"(" * 10**5),
    mail("a mail of 4 GB", "limit.size", untouched,
         fetch=lambda text: b"* 1 FETCH (UID 7 BODY[] {4294967295}\r\n"),
    mail("SEARCH finds 1,000,000 UIDs", "limit.size", untouched,
         found=lambda: b"* SEARCH " + b" ".join(b"%d" % i for i in range(7, 10**6)) + b"\r\n"),
    mail("SEARCH finds 10,000 UIDs, none of them ours", "mail.late", untouched, fetch=forged,
         found=lambda: b"* SEARCH " + b" ".join(b"%d" % i for i in range(7, 10007)) + b"\r\n"),
    mail("SEARCH finds UIDs below UIDNEXT", "mail.late", untouched, uidnext="100"),
    mail("UIDNEXT 4294967295", "mail.late", untouched, uidnext="4294967295"),
    mail("100,000 folders", "limit.size", untouched,
         list=lambda peer, tag, rest: peer.raw(
             b"".join(b'* LIST () "/" folder-%d\r\n' % i for i in range(10**5))
             + f"{tag} OK done\r\n".encode())),
    mail("4,294,967,295 messages", "mail.late", untouched,
         noop="* 4294967295 EXISTS\n{tag} OK done", found=lambda: b"* SEARCH\r\n"),
    mail("a date beyond all clocks", "pass", deleted,
         fetch=lambda text: fetched(text).replace(b"01-Jan-2026 00:00:15 +0000",
                                                  b"31-Dec-9999 99:99:99 +9999")),
]


# --- what is shown to people and programs --------------------------------------------------

SHOWN = [
    login("escapes and line breaks for a terminal in its refusal", "auth.rejected",
          authenticate=tagged(b"TAG NO " + ESCAPES.replace("\r\n", "").replace("\0", "").encode()
                              + b"\r\n")),
    send("escapes for a terminal in its reply", "smtp.reject",
         mail=lambda peer: peer.raw(b"550 " + ESCAPES.replace("\r\n", "").encode() + b"\r\n")),
    send("escapes for a terminal in its greeting", "smtp.malformed",
         lambda peer: peer.raw(ESCAPES.encode() + b"\r\n")),
]

GROUPS = {
    "IMAP: what kills or floods the parser": KILLERS + FLOODS,
    "IMAP: slow, or gone": SLOTHS,
    "IMAP: lies and nonsense": LIARS,
    "IMAP: around TLS": ENCRYPTED,
    "SMTP": SMTP,
    "Mailboxes": MAILS,
    "Words for people": SHOWN,
}
