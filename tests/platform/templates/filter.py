"""A content filter behind the queue, that Postfix's spawn runs: filter.py DOMAIN SERVER PORT SOURCE SECONDS.

Takes a mail by LMTP, stamps it, keeps it for some seconds, and gives it back by SMTP from an address
by which Postfix knows that it has been filtered.
"""

import smtplib
import sys
import time
from email.utils import formatdate


def text_of(lines):
    """Up to the final dot."""
    text = []
    for line in lines:
        if line == b".\r\n":
            return b"".join(text)
        text.append(line[1:] if line.startswith(b".") else line)
    sys.exit(1)                                          # cut off: Postfix tries again


def address(command):
    return command.partition("<")[2].partition(">")[0]


def answer(*lines):
    sys.stdout.write("".join(f"{line}\r\n" for line in lines))
    sys.stdout.flush()


def main(domain, server, port, source, seconds):
    answer(f"220 filter.{domain} LMTP")
    sender, recipients = "", []
    for line in sys.stdin.buffer:
        command = line.decode("ascii", "replace").strip()
        verb = command[:4].upper()
        if verb == "MAIL":
            sender, recipients = address(command), []
        elif verb == "RCPT":
            recipients.append(address(command))
        if verb != "DATA":
            answer("221 2.0.0 Bye" if verb == "QUIT" else "250 2.0.0 Ok")
            continue
        answer("354 Go on")
        stamp = f"Received: from smtp.{domain} by filter.{domain} with LMTP; {formatdate()}\r\n"
        mail = stamp.encode() + text_of(sys.stdin.buffer)
        time.sleep(float(seconds))
        with smtplib.SMTP(server, int(port), f"filter.{domain}", source_address=(source, 0)) as back:
            back.sendmail(sender, recipients, mail)
        answer(*["250 2.0.0 Ok"] * len(recipients))


main(*sys.argv[1:])
