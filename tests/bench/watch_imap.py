#!/usr/bin/python3 -B
"""What the server shows: a second IMAP session that looks as often as it can.

    watch_imap.py HOST PORT SERVER_NAME CA_FILE USER PASSWORD_FILE

Runs as a process of its own. Prints "ready", then a JSON line for each time that the number of
mails in INBOX grew: {"absent_ns": sending of the last look before, "present_ns": answer of the
look that showed it}, both CLOCK_REALTIME. Ends with its standard input.
"""

import imaplib
import json
import select
import socket
import ssl
import sys
import time
from pathlib import Path

PAUSE = 0.0005                                  # leaves the servers some of the two cores


class Session(imaplib.IMAP4):
    def __init__(self, host, port, server_name, ca_file):
        self.address, self.server_name, self.ca_file = (host, int(port)), server_name, ca_file
        super().__init__(server_name)

    def _create_socket(self, _timeout):
        raw = socket.create_connection(self.address, 10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context(cafile=self.ca_file)
        return context.wrap_socket(raw, server_hostname=self.server_name)


def look(session, shown):
    """Number of mails after a look: what has gone is told by a line each."""
    session.noop()
    gone = session.untagged_responses.pop("EXPUNGE", [])
    numbers = session.untagged_responses.pop("EXISTS", [])
    return int(numbers[-1]) if numbers else shown - len(gone)


def main():
    host, port, server_name, ca_file, user, password_file = sys.argv[1:]
    session = Session(host, port, server_name, ca_file)
    session.login(user, Path(password_file).read_text().strip())
    shown = int(session.select("INBOX", readonly=True)[1][0])
    session.untagged_responses.clear()
    print("ready", flush=True)
    absent = time.time_ns()
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        sent = time.time_ns()
        number = look(session, shown)
        answered = time.time_ns()
        if number > shown:
            print(json.dumps({"absent_ns": absent, "present_ns": answered}), flush=True)
        shown, absent = number, sent
    session.logout()


main()
