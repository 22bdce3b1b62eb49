"""Web servers that play a script, and a small webmail made of pages that can be told to misbehave.

    with ScriptedServer(web({"/": page("<h1>hello</h1>")}), tls=True) as server: ...
    with ScriptedServer(Webmail(after_login=page("...")).script, tls=True) as server: ...

An answer is bytes (a whole one, see `page`), or a function of (peer, request) that returns bytes,
or writes to the peer itself and returns None.
"""

import contextlib
import socket
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from scripted import Ended

USER, PASSWORD = "probe@scripted.test", "correct horse battery staple"


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def form(self):
        return {name: values[0] for name, values in
                parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def cookies(self):
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def answer(status="200 OK", body=b"", *headers):
    """A whole answer; headers are lines."""
    body = body.encode() if isinstance(body, str) else body
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers,
                                              f"Content-Length: {len(body)}"))
    return head.encode() + b"\r\n" + body


def page(body, *headers, status="200 OK", title="Webmail"):
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"
    return answer(status, text, "Content-Type: text/html; charset=utf-8", *headers)


def redirect(location, *headers, status="302 Found"):
    return answer(status, "", f"Location: {location}", *headers)


def hear_request(peer):
    words = peer.hear().split(" ")
    if len(words) != 3:                           # a TLS handshake, perhaps
        raise Ended
    method, target, _ = words
    headers = {}
    while line := peer.hear():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    while len(peer.buffer) < length:
        data = peer.sock.recv(65536)
        if not data:
            break
        peer.buffer += data
    body, peer.buffer = peer.buffer[:length], peer.buffer[length:]
    parts = urlsplit(target)
    return Request(method, parts.path, parse_qs(parts.query, keep_blank_values=True), headers, body)


def web(routes, log=None):
    """A server of one answer for each path; `None` is for all others. `log` collects requests."""
    def script(peer):
        while True:
            request = hear_request(peer)
            if log is not None:
                log.append(request)
            found = routes.get(request.path, routes.get(None, answer("404 Not Found", "nothing")))
            found = found(peer, request) if callable(found) else found
            if found is None:
                return
            peer.raw(found)

    return script


LOGIN_FORM = """<form method="post" action="{action}">
<input type="hidden" name="csrf" value="{csrf}"><input type="hidden" name="lang" value="en">
<select name="skin"><option value="a">A<option value="b" selected>B</select>
<input type="checkbox" name="remember" value="yes"><input type="checkbox" name="tz" checked>
<input type="email" name="login"><input type="PassWord" name="pass">
<button name="go" value="1">Log in</button><button name="other" value="2">Help</button></form>"""
LOGOUT = '<p>Hello</p><a href="/logout">Log out</a>'


class Webmail:
    """A webmail with a session cookie and a token against forgery. What is shown where may be
    changed: `login_page`, `refused`, `after_login`, `mailbox`, each an answer."""
    csrf = "t0k3n"

    def __init__(self, **changes):
        self.changes = changes
        self.log = []
        self.script = web({"/": self.login_page, "/login": self.login, "/mail": self.mailbox,
                           "/logout": self.logout} | changes.pop("routes", {}), self.log)

    def shown(self, name, default, peer, request):
        found = self.changes.get(name, default)
        return found(peer, request) if callable(found) else found

    def login_page(self, peer, request):
        form = LOGIN_FORM.format(action="/login", csrf=self.csrf)
        return self.shown("login_page", page(form, "Set-Cookie: session=new; Path=/"), peer, request)

    def login(self, peer, request):
        wanted = {"csrf": self.csrf, "lang": "en", "skin": "b", "tz": "on", "login": USER,
                  "pass": PASSWORD, "go": "1"}
        if request.form != wanted or request.cookies.get("session") != "new":
            form = LOGIN_FORM.format(action="/login", csrf=self.csrf)
            return self.shown("refused", page('<div class="error">Login failed.</div>' + form),
                              peer, request)
        return self.shown("after_login", redirect("/mail", "Set-Cookie: session=in; Path=/"),
                          peer, request)

    def mailbox(self, peer, request):
        if request.cookies.get("session") != "in":
            return redirect("/")
        return self.shown("mailbox", page(LOGOUT, title="Inbox"), peer, request)

    def logout(self, peer, request):
        self.logged_out = True
        return self.login_page(peer, request)

    def posts(self):
        """What was posted, so that a test can count how often a password went out."""
        return [request for request in self.log if request.method == "POST"]


@contextlib.contextmanager
def resolver(*ips):
    """"host:port" of a name server to which every name has these addresses, else loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=answer_names, args=(server, ips or ("127.0.0.1",)), daemon=True)
        thread.start()
        yield "{}:{}".format(*server.getsockname())


def answer_names(server, ips):
    with contextlib.suppress(OSError):
        while True:
            query, peer = server.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            is_a = query[end - 4:end - 2] == b"\0\x01"
            count = len(ips) if is_a else 0
            head = query[:2] + b"\x81\x80" + query[4:6] + bytes((0, count)) + b"\0" * 4
            records = b"".join(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(ip)
                               for ip in ips[:count])
            server.sendto(head + query[12:end] + records, peer)
