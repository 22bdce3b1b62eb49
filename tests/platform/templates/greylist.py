"""Greylisting, as a policy server that Postfix's spawn runs: greylist.py FOLDER SECONDS.

Who comes for the first time (client, sender, recipient) is put off, and let in after SECONDS;
with 0 seconds never. Each triplet is an empty file whose age is how long it is known.
"""

import hashlib
import os
import sys
import time

PUT_OFF = "450 4.2.0 Greylisted, try again later"


def decide(request, folder, seconds):
    if not seconds:
        return PUT_OFF
    triplet = "\n".join(request.get(key, "").lower()
                        for key in ("client_address", "sender", "recipient"))
    path = os.path.join(folder, hashlib.sha256(triplet.encode()).hexdigest())
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    return "DUNNO" if time.time() - os.stat(path).st_mtime >= seconds else PUT_OFF


def main(folder, seconds):
    request = {}
    for line in sys.stdin:
        if line := line.rstrip("\n"):
            key, _, value = line.partition("=")
            request[key] = value
        else:
            print(f"action={decide(request, folder, int(seconds))}\n", flush=True)
            request = {}


main(*sys.argv[1:])
