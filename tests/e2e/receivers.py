"""Receivers of events that are played: small web servers, and a scenario that raises an event when
its page is down.

    page = Page()
    with serving(page.handler) as pages:
        place = Place(pages.server_address[1], [{"webhook": {...}}])
        page.up = False
        place.run()
"""

import contextlib
import json
import socket
import sqlite3
import ssl
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import mailprobe, run, scenario, work


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Who is killed resets its connections."""


@contextlib.contextmanager
def serving(handler, context=None):
    """A server of its own; with an SSL context it speaks TLS."""
    server = Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Page:
    """The platform: up or down."""

    def __init__(self):
        self.up = True
        page = self

        class Handler(Quiet):
            def do_GET(self):
                self.answer(200 if page.up else 500)
        self.handler = Handler


def staged(count, **more):
    """Limits of which each run that fails crosses one more: an event a run, and none flaps."""
    return [{"name": f"down{number}", "metric": "failed", "for": f"{number} of {number}",
             "keep": 1} | more for number in range(1, count + 1)]


class Place:
    """A scenario with sinks, its page, its results."""

    def __init__(self, page_port, sinks, limits=None, **limit):
        self.results = work("results") / "results"
        self.file = scenario(
            None, "page", [{"http": {"id": "page", "requests": [
                {"url": f"http://127.0.0.1:{page_port}/"}]}}],
            accounts={"inside": {"address": "probe@acme.test"}}, timeout="10s",
            limits=limits or [
                {"name": "down", "metric": "failed", "for": "1 of 1", "keep": 1} | limit],
            sinks=sinks)

    def run(self, **more):
        return run(self.file, results=self.results, **more)

    def events(self):
        path = self.results / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] \
            if path.exists() else []

    def rows(self, columns="state"):
        with contextlib.closing(sqlite3.connect(self.results / "state.db")) as database:
            return database.execute(f"SELECT {columns} FROM outbox ORDER BY id").fetchall()

    def retry(self):
        mailprobe("outbox", "retry", "--results", self.results)


def ids_of(events):
    return [f"{event['event_id']}.{event['revision']}" for event in events]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def reset(handler):
    """Ends the connection with an RST."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def make_certificate(folder, name, names):
    """NAME.pem, its own authority, and NAME.key beside it, for such names; with a server's context."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", cert, "-days", "2",
         "-addext", f"subjectAltName={names}"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
