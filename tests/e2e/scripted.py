"""Servers that play a script, for what no real server does.

    with ScriptedServer(smtp(greeting="421 4.3.2 not now")) as server: ...
    with ScriptedServer(smtp(dot=lambda peer: peer.hang())) as server: ...
    with ScriptedServer(imap(noop=lambda peer, tag, rest: peer.raw(b"* " * 10**6))) as server: ...

One thread a connection; the script is a function of the Peer. A script ends by returning; then
the connection is closed. `tls=True` is implicit TLS; a script may call peer.start_tls().
The servers listen on 127.0.0.1: with `tls: {starttls: off}` a scenario may log in there in clear.
"""

import contextlib
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

HOST = "127.0.0.1"
PEER_SECONDS = 120                              # a script never waits for longer


class Ended(Exception):
    """The peer has gone, or the server is being closed."""


class Peer:
    """One connection, as the server sees it."""

    def __init__(self, sock, server):
        self.sock, self.server = sock, server
        self.buffer = b""
        self.heard = []                           # lines so far
        sock.settimeout(PEER_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, *lines):
        self.raw("".join(f"{line}\r\n" for line in lines).encode())

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except (OSError, ValueError):
            raise Ended from None

    def hear(self):
        """A line without its end; Ended if none comes any more."""
        while b"\n" not in self.buffer:
            try:
                data = self.sock.recv(65536)
            except (OSError, ValueError):
                data = b""
            if not data:
                raise Ended
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.heard.append(line.rstrip(b"\r").decode(errors="replace"))
        return self.heard[-1]

    def hear_text(self):
        """The lines of a mail up to the final dot."""
        lines = []
        while (line := self.hear()) != ".":
            lines.append(line.removeprefix("."))
        return lines

    def start_tls(self):
        try:
            self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError):
            raise Ended from None

    def hang(self):
        """Say nothing until the client gives up or the server is closed."""
        with contextlib.suppress(OSError, ValueError):
            while self.sock.recv(65536):
                pass
        raise Ended

    def reset(self):
        """End with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Ended


class ScriptedServer:
    """Listens on a port (an ephemeral one) of a loopback address from the moment it is made."""

    def __init__(self, script, tls=False, host=HOST, port=0):
        self.script, self.tls = script, tls
        self.ca_file, self.context = certificate()
        self.peers, self.threads, self.errors = [], [], []
        self.listener = socket.create_server(
            (host, port), backlog=256, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.host, self.port = self.listener.getsockname()[:2]
        self.threads.append(threading.Thread(target=self.accept, daemon=True))
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def url(self, scheme):
        return f"{scheme}://{self.host}:{self.port}"

    def account(self, password_file, address="probe@scripted.test", **changes):
        """An account of a scenario that lives here, with SMTP, IMAP and POP3 on the same port."""
        secure = "s" if self.tls else ""
        return {"address": address, "password": {"file": str(password_file)},
                "submission": self.url(f"smtp{secure}"), "imap": self.url(f"imap{secure}"),
                "pop3": self.url(f"pop3{secure}"),
                "tls": {"ca_file": str(self.ca_file)} | ({} if self.tls else {"starttls": "off"}),
                } | changes

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.play, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def play(self, sock):
        peer = Peer(sock, self)
        self.peers.append(peer)
        try:
            if self.tls:
                peer.start_tls()
            self.script(peer)
        except Ended:
            pass
        except Exception as error:                # a broken script is the test's failure
            self.errors.append(error)
        with contextlib.suppress(OSError):
            peer.sock.close()

    def close(self):
        with contextlib.suppress(OSError):        # wakes the thread that waits in accept()
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        if self.errors:
            raise self.errors[0]


_certificate = None


def certificate():
    """(file to trust, server's SSL context): for 127.0.0.1 and scripted.test, made once."""
    global _certificate
    if _certificate is None:
        folder = tempfile.TemporaryDirectory(prefix="mailprobe-e2e-tls-")
        cert, key = (Path(folder.name) / name for name in ("cert.pem", "key.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=scripted.test", "-keyout", key, "-out", cert,
             "-addext", f"subjectAltName=DNS:scripted.test,IP:{HOST}"],
            check=True, capture_output=True)
        Path(folder.name).chmod(0o755)            # a prober that is not root reads it too
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        _certificate = (cert, context, folder)    # the folder lives as long as the process
    return _certificate[:2]


# --- scripts -------------------------------------------------------------------------------

def answer(peer, reply, *arguments):
    """An answer is text (lines of it), bytes, or a function of the peer."""
    if callable(reply):
        reply = reply(peer, *arguments)
    if isinstance(reply, bytes):
        peer.raw(reply)
    elif reply is not None:
        peer.say(*reply.split("\n"))


def smtp(greeting="220 scripted.test ESMTP ready", **answers):
    """A submission server. Answers are named after the verb: ehlo, starttls, auth, mail, rcpt,
    data, rset, quit; `dot` is what follows the final dot. `mails` collects the texts."""
    replies = {"ehlo": "250-scripted.test\n250 AUTH PLAIN", "helo": "250 scripted.test",
               "starttls": "220 2.0.0 go ahead", "auth": "235 2.7.0 welcome",
               "mail": "250 2.1.0 ok", "rcpt": "250 2.1.5 ok", "data": "354 go on",
               "dot": "250 2.0.0 queued", "rset": "250 2.0.0 ok", "noop": "250 2.0.0 ok",
               "quit": "221 2.0.0 bye"} | answers
    mails = replies.pop("mails", [])

    def script(peer):
        answer(peer, greeting)
        while True:
            verb = peer.hear().split(" ")[0].lower()
            answer(peer, replies.get(verb, "502 5.5.2 no such command"))
            if verb == "starttls":
                peer.start_tls()
            elif verb == "data":
                mails.append(peer.hear_text())
                answer(peer, replies["dot"])
            elif verb == "quit":
                return

    return script


def imap(greeting="* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS] ready", **answers):
    """A mailstore with an empty INBOX. Answers are named after the command (uid_search and so
    on), with {tag} in their text, or functions of (peer, tag, rest of the line)."""
    replies = {
        "capability": "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS\n{tag} OK done",
        "authenticate": "{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] welcome",
        "login": "{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] welcome",
        "select": "* 0 EXISTS\n* 0 RECENT\n* OK [UIDVALIDITY 1] x\n* OK [UIDNEXT 1] x\n"
                  "{tag} OK [READ-WRITE] done",
        "list": "* LIST () \"/\" INBOX\n{tag} OK done",
        "uid_search": "* SEARCH\n{tag} OK done",
        "starttls": "{tag} OK go ahead",
        "logout": "* BYE see you\n{tag} OK done",
    } | answers
    replies.setdefault("examine", replies["select"])

    def script(peer):
        answer(peer, greeting)
        while True:
            tag, _, rest = peer.hear().partition(" ")
            words = rest.split(" ")
            command = "_".join(words[:2 if words[0].lower() == "uid" else 1]).lower()
            reply = replies.get(command, "{tag} OK done")
            answer(peer, reply.format(tag=tag) if isinstance(reply, str) else reply, tag, rest)
            if command == "starttls":
                peer.start_tls()
            elif command == "logout":
                return

    return script


def pop3(greeting="+OK scripted.test ready", **answers):
    """A maildrop of one message. Answers are named after the command; `mail` is what TOP and RETR
    send."""
    mail = answers.pop("mail", "Subject: one\n\nhello")
    replies = {
        "capa": "+OK\nTOP\nUIDL\nUSER\nRESP-CODES\nSASL PLAIN\n.",
        "auth": "+OK welcome", "user": "+OK", "pass": "+OK welcome",
        "stat": "+OK 1 22", "uidl": "+OK\n1 abc\n.", "list": "+OK 1 22",
        "top": f"+OK\n{mail}\n.", "retr": f"+OK\n{mail}\n.",
        "quit": "+OK bye",
    } | answers

    def script(peer):
        answer(peer, greeting)
        while True:
            verb = peer.hear().split(" ")[0].lower()
            answer(peer, replies.get(verb, "-ERR no such command"))
            if verb == "stls":
                peer.start_tls()
            elif verb == "quit":
                return

    return script


# --- ports that are no servers -------------------------------------------------------------

@contextlib.contextmanager
def closed_port():
    """(host, port) where nothing listens, and nothing else will: it is bound."""
    with socket.socket() as keeper:
        keeper.bind((HOST, 0))
        yield keeper.getsockname()


@contextlib.contextmanager
def blackhole():
    """(host, port) that answers no SYN: its queue of connections is full for good."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        while is_answered(listener.getsockname(), open_sockets):
            pass
        yield listener.getsockname()


def is_answered(address, open_sockets):
    filler = open_sockets.enter_context(socket.socket())
    filler.settimeout(0.3)
    try:
        filler.connect(address)
        return True
    except TimeoutError:
        return False


@contextlib.contextmanager
def silent_resolver():
    """"host:port" of a name server that hears every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((HOST, 0))
        yield "{}:{}".format(*deaf.getsockname())


@contextlib.contextmanager
def closed_resolver():
    """"host:port" where no name server listens: a question is answered by ICMP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        keeper.bind((HOST, 0))
        keeper.connect((HOST, 9))                 # from now on it hears nobody else
        yield "{}:{}".format(*keeper.getsockname())
