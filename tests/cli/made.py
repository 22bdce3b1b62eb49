"""Results that are made up, line by line as mailprobe writes them, for tests of what reads them."""

import datetime
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
START = datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.timezone.utc)   # a Monday


class Tap:
    def __init__(self):
        self.count = self.failures = 0

    def ok(self, passed, name, *notes):
        self.count += 1
        self.failures += not passed
        print(f"{'' if passed else 'not '}ok {self.count} - {name}")
        for note in () if passed else notes:
            print("# " + str(note)[:4000].replace("\n", "\n# "))
        return passed

    def same(self, got, want, name):
        return self.ok(got == want, name, f"got  {got}", f"want {want}")

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failures else 0


def stamp(at):
    return at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def line_of(record):
    body = json.dumps(record, separators=(",", ":")).encode()[:-1]
    return body + b',"line_crc32":"%08x"}\n' % zlib.crc32(body)


def result(at, outcome="pass", seconds=None, number=0, **more):
    """One run of 10 s: a login, and a mail that took so many seconds, or (negative) had not come
    after so many."""
    late = seconds is not None and seconds < 0
    record = {
        "schema": "mailprobe.result/1",
        "run_id": f"{int(at.timestamp() * 1000):012x}"[:8] + "-"
                  + f"{int(at.timestamp() * 1000):012x}"[8:] + f"-7000-8000-{number:012x}",
        "customer": "acme", "scenario": "mail", "vantage": "here",
        "started_at": stamp(at), "ended_at": stamp(at + datetime.timedelta(seconds=10)),
        "duration_seconds": 10.0, "outcome": outcome,
        "steps": [{"id": "login", "type": "imap_login", "outcome": "pass",
                   "started_at": stamp(at), "start_seconds": 0.0, "duration_seconds": 0.5,
                   "phases": []}],
        "mails": [], "sandbox": "full"}
    if outcome == "fail":
        record |= {"error_type": "mail.lost" if late else "auth.rejected", "blame": "target",
                   "error": "it went wrong"}
    if seconds is not None:
        record["mails"].append({"mail": record["run_id"], "step": "in", "await": "seen",
                                "message_id": "x@acme.test", "from": "probe@elsewhere.test",
                                "to": "probe@acme.test",
                                "state": "accepted" if late else "delivered"}
                               | ({} if late else {"delivery_seconds": seconds}))
        record["steps"].append({"id": "seen", "type": "imap_await",
                                "outcome": "fail" if late else "pass",
                                "started_at": stamp(at), "start_seconds": 0.5,
                                "duration_seconds": abs(seconds), "phases": []}
                               | ({"waited_seconds": -seconds} if late else {}))
    return record | more


def scenario(limits, customer="acme", name="mail", **more):
    """The text of a scenario with these limits (JSON is what it is written in)."""
    account = {"address": f"probe@{customer}.test", "password": {"file": "acme.secret"},
               "submission": f"smtp://smtp.{customer}.test", "imap": f"imaps://imap.{customer}.test"}
    return json.dumps({"customer": customer, "scenario": name, "every": "5m", "timeout": "1m",
                       "accounts": {"inside": account},
                       "steps": [{"smtp_send": {"id": "in", "from": "inside", "to": "inside"}},
                                 {"imap_await": {"id": "seen", "account": "inside", "mail": "in",
                                                 "within": "20s"}},
                                 {"imap_login": {"id": "login", "account": "inside"}}],
                       "limits": limits} | more)


class Folder:
    """A working folder with results/ in it, and mailprobe run there."""

    def __init__(self, mailprobe):
        self.mailprobe = str(pathlib.Path(mailprobe).resolve())
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="mailprobe-cli-"))
        self.path = self.work / "results"
        (self.work / "acme.secret").write_text("secret\n")
        (self.work / "acme.secret").chmod(0o600)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.work)

    def write(self, name, text):
        (self.work / name).write_text(text)
        return name

    def add(self, *records):
        for record in records:
            path = (self.path / record["customer"] / record["scenario"]
                    / f"{record['started_at'][:10]}.jsonl")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(line_of(record))

    def run(self, *arguments, **more):
        return subprocess.run([self.mailprobe, *map(str, arguments)], cwd=self.work, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **more)

    def state(self):
        """All that is there, as it is."""
        return {str(path.relative_to(self.work)):
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                for path in self.work.rglob("*")}


def lines(text):
    return [json.loads(one) for one in text.splitlines()]


def bare(event):
    """What two events have in common that say the same: all but the id, which is new each time."""
    return {key: value for key, value in event.items() if key not in ("event_id", "line_crc32")}
