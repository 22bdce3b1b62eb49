"""Ninety days of results with truths planted in them, for ten scenarios of one customer.

    ninety_days.py FOLDER [--seed N] [--days 90] [--no-retry]

writes FOLDER/scenarios/*.yaml, FOLDER/results/acme/*/DAY.jsonl and FOLDER/truths.json. A run each
five minutes: a mail is sent, awaited, and a mailbox logged into. Every scenario has a daily cycle
and loses one mail in a hundred; the confirm retry cures all but one in fifty of these. What else
was planted stands in truths.json, with the time by which somebody must have been told.
"""
import argparse
import datetime
import json
import math
import pathlib
import random
import uuid
import zlib

START = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc).timestamp()  # a Monday
EVERY = 300
DAY = 86400
LOSS, UNCURED = 0.01, 0.02
WITHIN = 60
HORIZON = 3 * DAY  # the scenarios' own: then a mail that never came is lost

SCENARIO = """customer: acme
scenario: {name}
every: 5m
timeout: 3m
horizon: 3d
accounts:
  inside: {{address: probe@acme.test, password: {{env: ACME_SECRET}},
    submission: "smtp://smtp.acme.test:587", imap: "imaps://imap.acme.test"}}
  outside: {{address: probe@elsewhere.test, password: {{env: OUTSIDE_SECRET}},
    submission: "smtps://smtp.elsewhere.test", imap: "imaps://imap.elsewhere.test"}}
steps:
  - smtp_send: {{id: out, from: inside, to: outside}}
  - imap_await: {{id: out-seen, account: outside, mail: out, within: {within}s}}
  - imap_login: {{id: login, account: inside}}
"""


class Weather:
    """How one scenario's platform feels, and what is planted."""

    def __init__(self, dice):
        self.dice = dice
        self.level = dice.uniform(3, 8)          # seconds of a delivery at night
        self.cycle = dice.uniform(0.1, 0.5)      # what noon adds, as a share
        self.scatter = dice.uniform(0.15, 0.35)  # of the logarithm
        self.login = dice.uniform(0.08, 0.25)
        self.growth_from = self.step_from = None
        self.outages = []  # (from, to)
        self.missing = []  # mails that are still waited for, and since when

    def delivery(self, at):
        hour = at % DAY / 3600
        seconds = self.level * (1 + self.cycle * (1 - math.cos((hour - 2) / 12 * math.pi)) / 2)
        seconds *= math.exp(self.dice.gauss(0, self.scatter))
        if self.growth_from is not None and at > self.growth_from:
            seconds += 0.5 * (at - self.growth_from) / (7 * DAY)
        if self.step_from is not None and at >= self.step_from:
            seconds += 3
        return seconds

    def is_down(self, at):
        return any(begin <= at < end for begin, end in self.outages)


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ")


def id_of(dice, at):
    """UUID version 7 of that instant."""
    bits = int(at * 1000) << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62
    return str(uuid.UUID(int=bits | dice.getrandbits(62)))


def phases_of(at, named):
    phases = []
    for name, seconds in named:
        phases.append({"name": name, "start_seconds": round(at, 6),
                       "duration_seconds": round(seconds, 6)})
        at += seconds
    return phases


class Run:
    def __init__(self, weather, at, retry):
        self.weather, self.dice, self.at = weather, weather.dice, at
        self.retry = retry
        self.clock = 0.01
        self.mails = []

    def step(self, name, kind, account, named, **more):
        begun = self.clock
        phases = phases_of(begun, named)
        self.clock += sum(seconds for _, seconds in named)
        return {"id": name, "type": kind, "account": account, "outcome": "pass",
                "started_at": stamp(self.at + begun), "start_seconds": round(begun, 6),
                "duration_seconds": round(self.clock - begun, 6), "phases": phases} | more

    def noise(self, seconds):
        return seconds * math.exp(self.dice.gauss(0, 0.2))

    def send(self, mail):
        return self.step("out", "smtp_send", "inside",
                         [("connect", self.noise(0.01)), ("auth", self.noise(0.03)),
                          ("accept", self.noise(0.02))],
                         mail=mail, reply_code=250, accepted_at=stamp(self.at + self.clock + 0.06))

    def await_it(self, mail, lost):
        seconds = self.weather.delivery(self.at)
        waited = WITHIN if lost or seconds > WITHIN else seconds
        step = self.step("out-seen", "imap_await", "outside",
                         [("select", self.noise(0.02)), ("wait", waited)], mail=mail)
        if waited == WITHIN:
            step |= {"outcome": "fail", "blame": "target", "error_type": "mail.late",
                     "error_phase": "wait", "error": "the mail had not come", "waited_seconds": WITHIN}
            return step, {"state": "accepted"}
        bounds = {"delivery_seconds": round(seconds, 6),
                  "delivery_seconds_min": round(seconds - 0.01, 6),
                  "delivery_seconds_max": round(seconds + 0.01, 6)}
        return step | bounds | {"folder": "INBOX", "duplicates": 0}, {"state": "delivered"} | bounds

    def round_trip(self, lost):
        mail = id_of(self.dice, self.at + self.clock)
        steps = [self.send(mail)]
        step, what = self.await_it(mail, lost)
        steps.append(step)
        steps.append(self.step("login", "imap_login", "inside",
                               [("connect", self.noise(0.01)), ("auth", self.noise(self.weather.login))]))
        self.mails.append({"mail": mail, "step": "out", "await": "out-seen",
                           "message_id": f"{mail}@acme.test", "from": "probe@acme.test",
                           "to": "probe@elsewhere.test"} | what)
        return steps

    def down(self):
        step = self.step("out", "smtp_send", "inside", [("connect", 0.01)])
        step |= {"outcome": "fail", "blame": "target", "error_type": "tcp.refused",
                 "error_phase": "connect", "error": "the server refused the connection"}
        skipped = [{"id": "out-seen", "type": "imap_await", "account": "outside",
                    "outcome": "skipped", "started_at": stamp(self.at + self.clock),
                    "start_seconds": round(self.clock, 6), "duration_seconds": 0, "phases": [],
                    "error_type": "local.unreached", "error": "out did not send a mail",
                    "blame": "target"}]
        return [step] + skipped

    def record(self, name):
        attempts = []
        if self.weather.is_down(self.at):
            steps = self.down()
            if self.retry:
                attempts = [steps]
                self.clock += 30
                steps = self.down()
        else:
            steps = self.round_trip(self.dice.random() < LOSS)
            if self.retry and steps[1]["outcome"] == "fail":
                attempts = [steps]
                self.clock += 30
                steps = self.round_trip(self.dice.random() < UNCURED)
        failed = next((step for step in steps if step["outcome"] == "fail"), None)
        record = {"schema": "mailprobe.result/1", "run_id": id_of(self.dice, self.at),
                  "customer": "acme", "scenario": name, "vantage": "here",
                  "started_at": stamp(self.at), "ended_at": stamp(self.at + self.clock),
                  "duration_seconds": round(self.clock, 6),
                  "outcome": "fail" if failed else "pass"}
        if failed:
            record |= {key: failed[key] for key in ("error_type", "error", "blame")}
        record |= {"steps": steps, "mails": self.mails, "sandbox": "full"}
        if attempts:
            finish_retried(record, attempts)
        settle(self.weather.missing, self, record)
        return record


def settle(missing, run, record):
    """Mails that did not come are said to be lost by the first run after their time."""
    lost = [mail for at, mail in missing if run.at - at > HORIZON]
    if lost:
        record["settled"] = lost
        del missing[:len(lost)]
    missing += [(run.at, mail | {"state": "lost", "run_id": record["run_id"]})
                for mail in run.mails if mail["state"] == "accepted"]


def finish_retried(record, attempts):
    """As the retry within a run leaves it."""
    record["attempts"] = [{"steps": steps} for steps in attempts]
    if record["outcome"] == "pass":
        record["outcome"] = "warn"


def line(record):
    body = json.dumps(record, separators=(",", ":"))[:-1]
    return f'{body},"line_crc32":"{zlib.crc32(body.encode()):08x}"}}\n'


def plant(weathers, dice, days):
    """One truth of each kind at least; most scenarios have none. Kept apart by ten days, so that
    each has a quiet past."""
    def day(first, last):
        return START + dice.uniform(first, last) * DAY

    truths = []

    def truth(index, kind, at, until, by):
        truths.append({"scenario": name_of(index), "kind": kind, "at": stamp(at),
                       "until": stamp(until), "by": stamp(by)})

    end = START + days * DAY
    at = day(20, 30)
    weathers[1].growth_from = at
    truth(1, "growth", at, end, at + 30 * DAY)
    at = day(20, days - 25)
    weathers[2].step_from = at
    truth(2, "step", at, end, at + DAY)
    at = day(15, days - 5)
    weathers[3].outages.append((at, at + 20 * 60))
    truth(3, "outage", at, at + 20 * 60, at + 3 * EVERY + 120)
    at = day(15, days - 5)
    for turn in range(5):  # down for 20 minutes, up for 25
        weathers[4].outages.append((at + turn * 2700, at + turn * 2700 + 1200))
    truth(4, "flap", at, at + 5 * 2700, at + 2 * 3600)
    return truths


def name_of(index):
    return f"mail-{index}"


def write_scenario(folder, index, weather, days, retry):
    name = name_of(index)
    results = folder / "results" / "acme" / name
    results.mkdir(parents=True)
    (folder / "scenarios").mkdir(exist_ok=True)
    (folder / "scenarios" / f"{name}.yaml").write_text(
        SCENARIO.format(name=name, within=WITHIN))
    offset = weather.dice.uniform(0, EVERY)
    for day in range(days):
        at = START + day * DAY
        path = results / datetime.datetime.fromtimestamp(
            at, datetime.timezone.utc).strftime("%Y-%m-%d.jsonl")
        with path.open("w") as out:
            for run in range(DAY // EVERY):
                out.write(line(Run(weather, at + offset + run * EVERY, retry).record(name)))


def generate(folder, seed, days=90, retry=True, count=10):
    dice = random.Random(seed)
    weathers = [Weather(random.Random(dice.getrandbits(64))) for _ in range(count)]
    truths = plant(weathers, dice, days)
    folder = pathlib.Path(folder)
    for index, weather in enumerate(weathers):
        write_scenario(folder, index, weather, days, retry)
    (folder / "truths.json").write_text(json.dumps(truths, indent=1) + "\n")
    return truths


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--no-retry", action="store_true")
    options = parser.parse_args()
    generate(options.folder, options.seed, options.days, not options.no_retry)
