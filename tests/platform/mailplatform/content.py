"""What a used mailbox, calendar and address book hold: looks real, and is the same each time.

Maildir files and Radicale's files are written directly; both servers index them when first asked.
"""

import base64
import json
import os
import random
import re
import time
from datetime import datetime, timedelta, timezone
from email.header import Header
from email.utils import formatdate

from . import root

FIRST = ("Alice", "Bashir", "Camille", "Dmitri", "Elif", "Farid", "Greta", "Haruka", "Ines", "Jürgen",
         "Kwame", "Lucía", "Mateusz", "Nora", "Oskar", "Priya", "Quentin", "Renée", "Søren", "Tomás",
         "Uma", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoë", "Anders", "Beatriz", "Chidi", "Dagny")
LAST = ("Andersson", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hoffmann", "Ivanova",
        "Jansen", "Kowalski", "Lindqvist", "Müller", "Nakamura", "Okafor", "Petrov", "Quinn", "Rossi",
        "Schmidt", "Takahashi", "Ueda", "Varga", "Weber", "Xu", "Yılmaz", "Zieliński", "Haddad",
        "Nguyen", "Larsen", "Moreau")
HOSTS = ("northwind.test", "contoso.test", "initech.test", "umbrella.test", "globex.test")
SUBJECTS = ("Minutes of {day}'s meeting", "Invoice {number}", "Your order {number} has been shipped",
            "Re: offer for the {thing}", "Lunch on {day}?", "Reminder: {thing} due on {day}",
            "Fwd: {thing}, last version", "Résumé: {thing} {number}", "Question about the {thing}",
            "Newsletter {number}: what is new in the {thing}", "Re: Re: access to the {thing}",
            "Änderung am {day}: {thing}")
THINGS = ("budget", "contract", "data centre", "roadmap", "release", "office move", "travel plan",
          "survey", "training", "backup report")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
SENTENCES = (
    "Thank you for your message.", "I have looked at the figures and they seem right to me.",
    "Could you please send me the new version before noon?", "The meeting has moved to room 3.",
    "We agreed to decide on this next week.", "Attached is what we talked about.",
    "Please let me know if anything is missing.", "The supplier has confirmed the date.",
    "Nothing has changed on our side since then.", "I shall be travelling, but reachable by phone.",
    "Do not hesitate to forward this to your colleagues.", "The numbers are in the second table.",
    "Viele Grüße aus München.", "À bientôt.", "There is one question that is still open.")
MESSAGE_EVERY = 5 * 3600                # seconds from one message to the next, going back in time

# Who has what: folder and number of messages.
MAILBOXES = {
    "probe": {"Archive": 30, "Sent": 20},                # the inbox is for probe mails alone
    "reader": {"INBOX": 80, "Archive": 60, "Sent": 30, "Trash": 5, "Junk": 5,
               "Projects.Office move": 10},
}
FULL = {"messages": 46, "of_messages": 50, "bytes": 965_000, "of_bytes": 1 << 20}      # 92 % of both


def create_mail(mail, domain):
    now = int(time.time())
    for user, folders in MAILBOXES.items():
        for folder, count in folders.items():
            fill(mail / user / "Maildir", folder, messages(f"{user}@{domain}", count, folder), now)
    size = FULL["bytes"] // FULL["messages"]
    heavy = (padded(text, size) for text in messages(f"full@{domain}", FULL["messages"], "INBOX"))
    fill(mail / "full" / "Maildir", "INBOX", heavy, now)


def fill(maildir, folder, texts, now):
    """Put messages into a folder, the first one newest, all of them read but one in eight."""
    box = maildir if folder == "INBOX" else maildir / f".{folder}"
    is_new = not (box / "cur").exists()
    for path in (box, *(box / state for state in ("cur", "new", "tmp"))):
        if not path.exists():
            path.mkdir()
            root.own(path, root.MAIL_USER)
    if is_new and folder != "INBOX":
        (box / "maildirfolder").touch()
        root.own(box / "maildirfolder", root.MAIL_USER)
        with open(maildir / "subscriptions", "a") as handle:
            handle.write(f"{folder}\n")
        root.own(maildir / "subscriptions", root.MAIL_USER)
    unique = f"{time.time_ns()}_{os.getpid()}"
    for number, text in enumerate(texts):
        at = now - 3600 - number * MESSAGE_EVERY
        text = text.replace("@DATE@", formatdate(at), 2).encode()
        vsize = len(text) + text.count(b"\n")
        flags = "" if number % 8 == 3 else "RS" if number % 8 == 6 else "S"
        path = box / "cur" / f"{at}.M{number:06}P{unique}.mail,S={len(text)},W={vsize}:2,{flags}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(handle, text)
        os.fchown(handle, root.MAIL_USER, root.MAIL_USER)
        os.utime(handle, (at, at))
        os.close(handle)


def messages(address, count, folder):
    """Texts of messages to the address (from it, in Sent), with @DATE@ for their date."""
    dice = random.Random(f"{address} {folder}")
    for number in range(count):
        name = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
        other = f"{mailbox_name(name)}@{dice.choice(HOSTS)}"
        theirs = f"{Header(name, 'utf-8').encode()} <{other}>" if not name.isascii() else f"{name} <{other}>"
        sender, recipient = (f"<{address}>", theirs) if folder == "Sent" else (theirs, f"<{address}>")
        subject = dice.choice(SUBJECTS).format(
            day=dice.choice(DAYS), thing=dice.choice(THINGS), number=dice.randint(1000, 99999))
        if not subject.isascii():
            subject = Header(subject, "utf-8").encode()
        kind, body = content(dice, name, number)
        yield (f"Return-Path: <{other}>\n"
               f"Received: from mail.{other.partition('@')[2]} (mail.{other.partition('@')[2]} "
               f"[192.0.2.{dice.randint(1, 254)}])\n\tby mx.{address.partition('@')[2]} with ESMTPS "
               f"id {dice.randint(1 << 30, 1 << 40):X}\n\tfor <{address}>; @DATE@\n"
               f"From: {sender}\nTo: {recipient}\nSubject: {subject}\nDate: @DATE@\n"
               f"Message-ID: <{dice.randint(1 << 60, 1 << 61):x}@{other.partition('@')[2]}>\n"
               f"MIME-Version: 1.0\n{kind}\n{body}")


def mailbox_name(name):
    plain = name.lower().translate(str.maketrans("üíéøáëłıńś", "uieoaelins"))
    return re.sub(r"[^a-z]+", ".", plain)


def content(dice, name, number):
    """Content-Type lines and the body: plain text mostly, some HTML, some with an attachment."""
    lines = ["\n".join(dice.choices(SENTENCES, k=dice.randint(1, 4)))
             for _ in range(dice.randint(1, 6))]
    text = "Hello,\n\n" + "\n\n".join(lines) + f"\n\n-- \n{name}\n"
    plain = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    if number % 5 == 1:
        html = "".join(f"<p>{line}</p>\n" for line in lines)
        parts = [f"{plain}\n{text}",
                 "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
                 f"<html><body><h2>Hello</h2>\n{html}</body></html>\n"]
        return multipart("alternative", parts)
    if number % 40 == 7:
        data = base64.encodebytes(dice.randbytes(dice.randint(2_000, 60_000))).decode()
        parts = [f"{plain}\n{text}",
                 "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
                 f"Content-Disposition: attachment; filename=\"report-{number}.pdf\"\n\n{data}"]
        return multipart("mixed", parts)
    return plain, text


def multipart(kind, parts):
    boundary = "=_next_part_of_this_message"
    body = "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n"
    return f"Content-Type: multipart/{kind}; boundary=\"{boundary}\"\n", body


def padded(text, size):
    """The same message, SIZE bytes long with CRLF, as a quota counts it."""
    text = text.replace("@DATE@", formatdate(time.time()))
    line = "-" * 70 + "\n"
    missing = size - len(text.encode()) - text.count("\n")
    text += line * (missing // 72)
    rest = missing % 72
    return text + ("-" * (rest - 2) + "\n" if rest >= 2 else "")


# Calendars and contacts, as Radicale keeps them

MEETINGS = ("Stand-up", "Planning", "Review of the {thing}", "Interview with {name}", "Dentist",
            "Lunch with {name}", "Call with {name}", "{thing} deadline", "Travel to Lisbon", "Yoga",
            "Birthday of {name}", "Parents' evening", "Demo of the {thing}", "One to one with {name}")
ROOMS = ("Room 3", "Room Málaga", "Video call", "", "Café Central")
ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
CALENDARS = {"office": ("Office", "#2e7d32"), "home": ("Home", "#1565c0")}
DAV_NUMBERED = 5                        # u001 to this one have calendars and contacts, too


def create_dav(collections, domain, owner):
    """Two calendars and an address book for the probe, smaller ones for some numbered users."""
    users = {"probe": (20, 30)} | {f"u{number:03}": (3, 4) for number in range(1, DAV_NUMBERED + 1)}
    base = collections / "collection-root"
    base.mkdir(parents=True)
    for user, (events, contacts) in users.items():
        dice = random.Random(user)
        home = base / f"{user}@{domain}"
        home.mkdir()
        for name, (title, colour) in CALENDARS.items():
            collection(home / name, {"tag": "VCALENDAR", "D:displayname": title,
                                     "C:supported-calendar-component-set": "VEVENT,VTODO",
                                     "ICAL:calendar-color": colour},
                       {f"{uid}.ics": event(dice, uid, number) for number in range(events)
                        for uid in [f"{name}-{number + 1:02}-{user}"]})
        collection(home / "contacts", {"tag": "VADDRESSBOOK", "D:displayname": "Contacts"},
                   {f"{uid}.vcf": contact(dice, uid, number) for number in range(contacts)
                    for uid in [f"contact-{number + 1:02}-{user}"]})
    for path in (collections, *collections.rglob("*")):
        os.chown(path, owner, owner)


def collection(folder, properties, items):
    folder.mkdir()
    (folder / ".Radicale.props").write_text(json.dumps(properties))
    for name, text in items.items():
        (folder / name).write_bytes(text.replace("\n", "\r\n").encode())


def event(dice, uid, number):
    """One of some weeks around now; each kind that a client must read: zoned, UTC, all day, weekly."""
    day = datetime.now(timezone.utc).replace(hour=8, minute=0, second=0, microsecond=0)
    begin = day + timedelta(days=dice.randint(-20, 40), minutes=30 * dice.randint(0, 16))
    end = begin + timedelta(minutes=30 * dice.randint(1, 4))
    name = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
    summary = dice.choice(MEETINGS).format(thing=dice.choice(THINGS), name=name)
    zone, rule = "", ""
    if number % 5 == 4:
        when = f"DTSTART;VALUE=DATE:{begin:%Y%m%d}\nDTEND;VALUE=DATE:{begin + timedelta(days=1):%Y%m%d}\n"
    elif number % 5 == 3:
        when = f"DTSTART:{begin:%Y%m%dT%H%M%SZ}\nDTEND:{end:%Y%m%dT%H%M%SZ}\n"
    else:
        zone = ZONE
        when = (f"DTSTART;TZID=Europe/Berlin:{begin:%Y%m%dT%H%M%S}\n"
                f"DTEND;TZID=Europe/Berlin:{end:%Y%m%dT%H%M%S}\n")
        rule = "RRULE:FREQ=WEEKLY;COUNT=10\n" if number % 5 == 1 else ""
    room = dice.choice(ROOMS)
    return ("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//acme.test//calendar//EN\n" + zone
            + f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:{day:%Y%m%dT%H%M%SZ}\n{when}{rule}SUMMARY:{summary}\n"
            + (f"LOCATION:{room}\n" if room else "") + "END:VEVENT\nEND:VCALENDAR\n")


def contact(dice, uid, number):
    first, last = FIRST[number % len(FIRST)], LAST[(number * 7) % len(LAST)]
    address = f"{mailbox_name(f'{first} {last}')}@{dice.choice(HOSTS)}"
    return (f"BEGIN:VCARD\nVERSION:3.0\nUID:{uid}\nFN:{first} {last}\nN:{last};{first};;;\n"
            f"EMAIL;TYPE=INTERNET:{address}\nTEL;TYPE=CELL:+49 30 {dice.randint(1000000, 9999999)}\n"
            f"ORG:{address.partition('@')[2].partition('.')[0].title()}\n"
            f"REV:2024-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}T08:00:00Z\nEND:VCARD\n")
