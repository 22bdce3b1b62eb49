"""Radicale on a Unix socket behind nginx, with what goes wrong on purpose.

Run in a folder with radicale.conf and faults, a file of words that is read at each request: see
"dav-" in mailplatform/faults.py.
"""

import os
import re
import signal
import socketserver
import sys
import time
from wsgiref.simple_server import WSGIServer

from radicale import config, log
from radicale.app import Application
from radicale.server import RequestHandler

EMPTY = b'<?xml version="1.0" encoding="utf-8"?>\n<multistatus xmlns="DAV:"/>'


class Faulty:
    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        with open("faults") as handle:
            faults = handle.read().split()
        for fault in faults:
            if slow := re.fullmatch(r"slow=(\d+)", fault):
                time.sleep(int(slow[1]))
        if "unavailable" in faults:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        if faults:
            environ.pop("HTTP_ACCEPT_ENCODING", None)    # what goes wrong is to be seen
        started = []
        body = b"".join(self.application(environ, lambda *arguments: started.extend(arguments)))
        status, headers = started[:2]
        if status.startswith("207 "):
            if "empty" in faults:
                body = EMPTY
            if "broken-xml" in faults:
                body = body[:len(body) * 2 // 3]
            headers = [header for header in headers if header[0].lower() != "content-length"]
            headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return [body]


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer, WSGIServer):
    daemon_threads = True
    request_queue_size = 200

    def server_bind(self):
        socketserver.UnixStreamServer.server_bind(self)
        self.server_name, self.server_port = "dav", 443
        self.setup_environ()

    def get_request(self):
        return self.socket.accept()[0], ("nginx", 0)


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    log.setup()
    configuration = config.load([("radicale.conf", False)])
    configuration.update({"server": {"_internal_server": "True"},
                          "storage": {"_filesystem_fsync": "False"}}, "dav.py", privileged=True)
    os.umask(0o022)
    server = Server("socket", RequestHandler)
    os.chmod("socket", 0o666)
    server.set_app(Faulty(Application(configuration)))
    with open("pid", "w") as handle:
        handle.write(f"{os.getpid()}\n")
    server.serve_forever()


sys.exit(main())
