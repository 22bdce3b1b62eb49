"""Signature Version 4, as a receiver checks it: computed anew from what has come over the wire.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html; written from that page
and not from any signer's code, so that it agrees with ours only if both are right.
"""

import hashlib
import hmac
import re
import urllib.parse


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    quoted = [tuple(urllib.parse.quote(part, safe="-_.~") for part in pair) for pair in pairs]
    return "&".join("=".join(pair) for pair in sorted(quoted))


def canonical_path(path):
    """Escaped once more than it was sent (all services but S3 do that)."""
    return urllib.parse.quote(path or "/", safe="/-_.~")


def signature(secret, method, target, headers, signed, body, scope):
    """`headers`: names in lower case to values; `signed`: the names that count, in order."""
    path, _, query = target.partition("?")
    values = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
    request = "\n".join([method, canonical_path(path), canonical_query(query), values,
                         ";".join(signed), sha256(body)])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(request.encode())])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = mac(key, part)
    return mac(key, text).hex()


FORM = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), ?SignedHeaders=([^,]+), ?"
                  r"Signature=([0-9a-f]{64})$")


def trouble(request, access_key, secret, region, service, must_sign):
    """What is wrong with the signature of a request (method, target, headers, body), or None."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    match = FORM.match(headers.get("authorization", ""))
    if not match:
        return f"this is no signature: {headers.get('authorization')}"
    key, scope, signed, given = match.groups()
    date = headers.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", date):
        return f"this is no date: {date!r}"
    if (key, scope) != (access_key, f"{date[:8]}/{region}/{service}/aws4_request"):
        return f"another key or scope: {key} {scope}"
    missing = set(must_sign) - set(signed.split(";"))
    if missing or signed.split(";") != sorted(signed.split(";")):
        return f"not signed, or not in order: {missing} {signed}"
    absent = [name for name in signed.split(";") if name not in headers]
    if absent:
        return f"signed, but not sent: {absent}"
    want = signature(secret, request.method, request.target, headers, signed.split(";"),
                     request.body, scope)
    return None if hmac.compare_digest(want, given) else f"signature {given}, want {want}"
