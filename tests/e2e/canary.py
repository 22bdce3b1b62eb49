"""A planted secret, every form in which it might come back, and the search for them.

    canary = Canary()
    canary.value                 the password
    canary.forms()               {name of the encoding: bytes}
    canary.found_in(data)        names of the encodings (or parts) that the data holds

The search knows each form as a whole, and each part of the secret that has no special character
in every form: so an escape that nobody thought of hides at most what lies between the parts.
"""

import base64
import hashlib
import html
import json
import secrets
import string
import urllib.parse

USER = "probe@scripted.test"
PART = 8                                          # characters of a part that may not be seen
SPECIAL = ['"', "\\", "%", "&", "<'", "+é/", " $Ω"]


class Canary:
    """Unlike any other: random parts with everything between them that ever needs an escape."""

    def __init__(self, special=SPECIAL):
        letters = string.ascii_letters + string.digits
        self.parts = ["".join(secrets.choice(letters) for _ in range(PART))
                      for _ in range(len(special) + 1)]
        self.value = "".join(part + mark for part, mark in zip(self.parts, special + [""]))
        self.needles = dict(self.all_needles())
        # Too short to be looked for over a line's end: the next line might complete it by chance.
        self.pieces = {f"a piece of part {number}": part[:-2].encode().lower()
                       for number, part in enumerate(self.parts)}

    def forms(self):
        """The whole secret in each encoding."""
        return forms_of(self.value)

    def all_needles(self):
        for name, data in self.forms().items():
            yield name, data.lower()
        for number, part in enumerate(self.parts):
            for name, data in forms_of(part).items():
                yield f"{name} of part {number}", data.lower()
        yield "either half", self.value[:len(self.value) // 2].encode().lower()

    def found_in(self, data):
        """Also over line breaks: base64 is wrapped, and lines of a transcript are split."""
        data = data.lower()
        views = (data, data.replace(b"\r", b"").replace(b"\n", b""), data.replace(b"\0", b""))
        found = [name for name, needle in self.needles.items()
                 if any(needle in view for view in views)]
        return found + [name for name, piece in self.pieces.items() if piece in data]


def forms_of(text):
    raw = text.encode()
    plain = b"\0" + USER.encode() + b"\0" + raw
    forms = {
        "raw": raw,
        "reversed": text[::-1].encode(),
        "upper case": raw.upper(),                # of ASCII, as C and servers do it
        "base64": base64.b64encode(raw),
        "base64 of NUL user NUL password": base64.b64encode(plain),
        "base64url": base64.urlsafe_b64encode(raw),
        "hex": raw.hex().encode(),
        "hex with colons": raw.hex(":").encode(),
        "percent-encoded": urllib.parse.quote(text, safe="").encode(),
        "percent-encoded form": urllib.parse.quote_plus(text).encode(),
        "percent-encoded throughout": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "JSON": json.dumps(text)[1:-1].encode(),
        "JSON, UTF-8": json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        "JSON \\u throughout": "".join(f"\\u{ord(c):04x}" for c in text).encode(),
        "C \\x throughout": "".join(f"\\x{byte:02x}" for byte in raw).encode(),
        "HTML": html.escape(text).encode(),
        "HTML decimal throughout": "".join(f"&#{ord(c)};" for c in text).encode(),
        "HTML hexadecimal throughout": "".join(f"&#x{ord(c):x};" for c in text).encode(),
        "quoted-printable": "".join(f"={byte:02X}" if byte > 126 or byte in b'="' else chr(byte)
                                    for byte in raw).encode(),
        "quoted-printable throughout": "".join(f"={byte:02X}" for byte in raw).encode(),
        "IMAP quoted": text.replace("\\", "\\\\").replace('"', '\\"').encode(),
        "UTF-16LE": text.encode("utf-16-le"),
        "UTF-16BE": text.encode("utf-16-be"),
        "base64 of UTF-16LE": base64.b64encode(text.encode("utf-16-le")),
        "MD5": hashlib.md5(raw).hexdigest().encode(),
        "SHA-1": hashlib.sha1(raw).hexdigest().encode(),
        "SHA-256": hashlib.sha256(raw).hexdigest().encode(),
    }
    for lead in (1, 2):                           # what the secret alone decides of the code
        code = base64.b64encode(b"x" * lead + raw)
        forms[f"base64 behind {lead}"] = code[(lead * 8 + 5) // 6:(lead + len(raw)) * 8 // 6]
    return forms
